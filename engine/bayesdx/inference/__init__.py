"""How to answer: exact posteriors of a batch of cases, on NumPy and SciPy alone."""

from bayesdx.inference.evidence import Evidence, no_evidence
from bayesdx.inference.model import DiagnosisModel, compile_diagnosis
from bayesdx.inference.query import Answer, posteriors
from bayesdx.inference.variants import Variants

__all__ = [
    "Answer",
    "DiagnosisModel",
    "Evidence",
    "Variants",
    "compile_diagnosis",
    "no_evidence",
    "posteriors",
]
