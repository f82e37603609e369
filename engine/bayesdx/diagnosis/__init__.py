"""Questions about a case: here knowledge and inference meet."""

from bayesdx.building.assembly import assemble, fit_remarks
from bayesdx.diagnosis.diagnosing import Diagnosis
from bayesdx.diagnosis.engine import Engine, load
from bayesdx.diagnosis.red_flags import RedFlagHit

__all__ = ["Diagnosis", "Engine", "RedFlagHit", "assemble", "fit_remarks", "load"]
