"""How to answer: exact posteriors of a batch of cases, on NumPy and SciPy alone."""

from bayesdx.inference.evidence import Evidence, no_evidence
from bayesdx.inference.noisy.answer import Answer
from bayesdx.inference.noisy.case_lanes import CaseLanes
from bayesdx.inference.noisy.case_scores import EvidenceGradient, evidence_gradient
from bayesdx.inference.noisy.compiling import compile_diagnosis
from bayesdx.inference.noisy.derivatives import LinkGradient, link_gradient, relative_change
from bayesdx.inference.noisy.model import NoisyModel
from bayesdx.inference.noisy.query import posteriors

__all__ = [
    "Answer",
    "CaseLanes",
    "Evidence",
    "EvidenceGradient",
    "LinkGradient",
    "NoisyModel",
    "compile_diagnosis",
    "evidence_gradient",
    "link_gradient",
    "no_evidence",
    "posteriors",
    "relative_change",
]
