"""How surprising a case is to the model, compared with cases that the model makes itself.

The log evidence of a case depends on how much was asked, so by itself it says little. Here every
case has its own reference: cases drawn from the model of which exactly the same things are known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from metrics import Floats, position
from numpy.typing import NDArray

from bayesdx.diagnosis.cases import Cases
from bayesdx.inference import DiagnosisModel, Evidence, no_evidence, posteriors
from bayesdx.inference.sampling import Sample, sample_cases
from bayesdx.knowledge import Knowledge

#: A case is surprising when its log evidence lies below this quantile of its reference.
QUANTILE = 0.05


@dataclass(frozen=True)
class Surprise:
    """Cases against their own references.

    Attributes
    ----------
    log_evidence : array (N,)
    position : array (N,)
        Share of the reference that lies below, ties half.
    surprising : bool array (N,)
        Below the 5 % quantile of the reference.
    """

    log_evidence: Floats
    position: Floats
    surprising: NDArray[np.bool_]


def surprise(
    model: DiagnosisModel,
    evidence: Evidence,
    exact: NDArray[np.bool_],
    n_references: int,
    rng: np.random.Generator,
    *,
    keep_risks: bool,
) -> Surprise:
    """Compare each case with references of which the same things are known.

    Parameters
    ----------
    model : DiagnosisModel
    evidence : Evidence
        N cases.
    exact : bool array (N, O)
        Whether the level of an ordinal was asked, not only whether it reaches a threshold.
    n_references : int
        References a case.
    rng : numpy Generator
    keep_risks : bool
        References have the known risks of the case, and only the findings are drawn; otherwise age,
        sex and the other known risks are drawn too.
    """
    parts = [
        _reference(model, evidence, row, exact[row], n_references, rng, keep_risks)
        for row in range(len(evidence))
    ]
    drawn = posteriors(model, _stacked(parts), only_evidence=True).log_evidence
    reference = drawn.reshape(len(evidence), n_references)
    own = posteriors(model, evidence, only_evidence=True).log_evidence
    below = np.quantile(reference, QUANTILE, axis=1)
    places = np.array([position(value, ref) for value, ref in zip(own, reference, strict=True)])
    return Surprise(own, places, own < below)


def exact_levels(knowledge: Knowledge, model: DiagnosisModel, cases: Cases) -> NDArray[np.bool_]:
    """Where an ordinal is known by its own column or a measure, not by thresholds only; (N, O)."""
    exact = np.zeros((len(cases.evidence), len(model.ordinals)), dtype=bool)
    for name, values in cases.given:
        measure = knowledge.measures.get(name)
        sets = {name} if measure is None else {setting.target for setting in measure.sets}
        for o, ordinal in enumerate(model.ordinals):
            if ordinal in sets:
                exact[:, o] |= ~np.isnan(values)
    return exact


def _reference(
    model: DiagnosisModel,
    evidence: Evidence,
    row: int,
    exact: NDArray[np.bool_],
    n: int,
    rng: np.random.Generator,
    keep_risks: bool,
) -> Evidence:
    """Draw cases and hide of them whatever is not known of one row."""
    source = _with_risks_of(model, evidence.risks[row]) if keep_risks else model
    sample = sample_cases(source, n, rng)
    lower, upper = _seen_ordinals(model, sample, evidence, row, exact)
    return Evidence(
        findings=np.where(np.isnan(evidence.findings[row]), np.nan, sample.findings),
        lower=lower,
        upper=upper,
        risks=np.where(evidence.risks[row] < 0, np.int8(-1), sample.risks),
        causes=no_evidence(model, n).causes,
    )


def _with_risks_of(model: DiagnosisModel, known: NDArray[np.int8]) -> DiagnosisModel:
    """Let the known risks have their states for certain when cases are drawn."""
    priors = tuple(
        prior if state < 0 else np.eye(len(prior))[state]
        for prior, state in zip(model.risk_priors, known, strict=True)
    )
    return replace(model, risk_priors=priors)


def _seen_ordinals(
    model: DiagnosisModel,
    sample: Sample,
    evidence: Evidence,
    row: int,
    exact: NDArray[np.bool_],
) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """What the questions asked of the row's ordinals would have said of the drawn levels."""
    blank = no_evidence(model, len(sample.causes))
    lower, upper = blank.lower, blank.upper
    for o, size in enumerate(model.ordinal_sizes):
        level = sample.ordinals[:, o]
        low, high = int(evidence.lower[row, o]), int(evidence.upper[row, o])
        if exact[o]:
            lower[:, o] = upper[:, o] = level
            continue
        for cut in {low, high + 1} - {0, size}:
            reached = level >= cut
            lower[reached, o] = np.maximum(lower[reached, o], cut)
            upper[~reached, o] = np.minimum(upper[~reached, o], cut - 1)
    return lower, upper


def _stacked(parts: list[Evidence]) -> Evidence:
    return Evidence(
        np.concatenate([part.findings for part in parts]),
        np.concatenate([part.lower for part in parts]),
        np.concatenate([part.upper for part in parts]),
        np.concatenate([part.risks for part in parts]),
        np.concatenate([part.causes for part in parts]),
    )
