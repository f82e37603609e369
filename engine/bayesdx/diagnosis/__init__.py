"""Questions about a case: here knowledge and inference meet.

Names are imported when they are first used; inside bayesdx everybody names the module.
"""

from bayesdx.lazy import lazy

__getattr__, __all__ = lazy(
    {
        "bayesdx.building.assembly": ("assemble", "fit_remarks"),
        "bayesdx.diagnosis.diagnosing": ("Diagnosis",),
        "bayesdx.diagnosis.engine": ("Engine", "load"),
        "bayesdx.diagnosis.red_flags": ("RedFlagHit",),
    }
)
