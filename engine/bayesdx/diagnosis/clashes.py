"""Which observations of an impossible case cannot occur together."""

from __future__ import annotations

import numpy as np

from bayesdx.inference.evidence import Evidence, no_evidence
from bayesdx.inference.machine_code import Backend
from bayesdx.inference.noisy.answer import IMPOSSIBLE
from bayesdx.inference.noisy.model import NoisyModel
from bayesdx.inference.noisy.query import posteriors


def smallest_clash(model: NoisyModel, evidence: Evidence, backend: Backend) -> tuple[str, ...]:
    """Find a smallest set of observations that is impossible by itself.

    Observations are left out one after the other for as long as the rest stays impossible.

    Parameters
    ----------
    model : NoisyModel
    evidence : Evidence
        One case, whose evidence is impossible.
    backend : {"auto", "numpy", "compiled"}

    Returns
    -------
    tuple of str
        Names of findings, risks and ordinal findings; no smaller part of them is impossible.
    """
    observed: list[tuple[str, int]] = [
        *(("findings", int(i)) for i in np.flatnonzero(~np.isnan(evidence.findings[0]))),
        *(("risks", int(i)) for i in np.flatnonzero(evidence.risks[0] >= 0)),
        *(("ordinals", i) for i in _bounded(model.ordinal_sizes, evidence)),
    ]
    blank = no_evidence(model, 1)
    kept: list[tuple[str, int]] = []
    for position, item in enumerate(observed):
        trial = _restrict(evidence, blank, [*kept, *observed[position + 1 :]])
        found = posteriors(model, trial, only_evidence=True, backend=backend)
        # What is too complex to say is kept.
        if found.status[0] != IMPOSSIBLE:
            kept.append(item)
    names = {"findings": model.findings, "risks": model.risks, "ordinals": model.ordinals}
    return tuple(names[kind][i] for kind, i in kept)


def _bounded(sizes: tuple[int, ...], evidence: Evidence) -> list[int]:
    upper = np.array(sizes, dtype=np.intp) - 1
    bounded = (evidence.lower[0] > 0) | (evidence.upper[0] < upper)
    return [int(i) for i in np.flatnonzero(bounded)]


def _restrict(evidence: Evidence, blank: Evidence, items: list[tuple[str, int]]) -> Evidence:
    findings, risks = blank.findings.copy(), blank.risks.copy()
    lower, upper = blank.lower.copy(), blank.upper.copy()
    for kind, i in items:
        if kind == "findings":
            findings[:, i] = evidence.findings[:, i]
        elif kind == "risks":
            risks[:, i] = evidence.risks[:, i]
        else:
            lower[:, i], upper[:, i] = evidence.lower[:, i], evidence.upper[:, i]
    return Evidence(findings, lower, upper, risks, blank.causes)
