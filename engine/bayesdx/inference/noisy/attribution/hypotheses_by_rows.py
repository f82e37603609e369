"""The questions of `hypotheses`, one case a question: for evidence that couples too much at once.

Slower where few findings are present, and possible where many are: each question is a case of its
own, whose findings are closed as soon as the causes that explain them have been summed over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.attribution.parts import Part
from bayesdx.inference.noisy.compiling import compile_diagnosis
from bayesdx.inference.noisy.model import FloatArray, NoisyModel
from bayesdx.inference.noisy.query import Answer, posteriors
from bayesdx.network import Network, NoisyOrCPD

Asking = Callable[[Evidence], Answer]


def credits_by_rows(
    model: NoisyModel,
    evidence: Evidence,
    observed: Sequence[Part],
    hidden: Mapping[int, int],
    answer: Asking,
) -> tuple[FloatArray, FloatArray] | None:
    """Return the credits of causes (P, C) and of the background (P,); None where impossible.

    Parameters
    ----------
    model : NoisyModel
    evidence : Evidence
        One case.
    observed : sequence of Part
        What is present in it; see `hypotheses.Credits`.
    hidden : mapping of finding to cause
    answer : callable
        Answers cases on this model.
    """
    left_out = evidence.take(np.zeros(len(observed) + 1, dtype=np.intp))
    for p, part in enumerate(observed):
        for f, _ in part.findings:
            left_out.findings[p, f] = np.nan
        for o, _, _ in part.levels:
            left_out.lower[p, o] = 0
    found = answer(left_out)
    if not found.possible[-1]:
        return None
    ratio = np.exp(found.log_evidence - found.log_evidence[-1])
    causes = np.zeros((len(observed), len(model.causes)))
    background = np.zeros(len(observed))
    for p, part in enumerate(observed):
        axis, value = _axis(model, part)
        causes[p] = value * model.axes.gain[axis] * found.causes[p] * ratio[p]
        leak = value * float(model.axes.start[axis, 1]) * ratio[p]
        case = left_out.take(slice(p, p + 1))
        for f, _ in part.findings:
            leak *= _leak_kept(model, f, hidden.get(f), case, float(found.log_evidence[p]))
            if f in hidden:
                leak += causes[p, hidden[f]]
                causes[p, hidden[f]] = 0.0
        background[p] = leak
    return causes, background


def _axis(model: NoisyModel, part: Part) -> tuple[int, float]:
    """Axis of what is present, and the likelihood of "present"."""
    if part.findings:
        ((f, value),) = part.findings
        return f, value
    ((o, lower, upper),) = part.levels
    return int(model.axes.exceed[o, lower, upper]), 1.0


def _leak_kept(
    model: NoisyModel, f: int, hidden: int | None, case: Evidence, log_evidence: float
) -> float:
    """Expected share of the leak that inhibitors, and a hidden cause's absence, leave of it.

    A finding whose causes are the inhibitors, each with the share that it takes, is absent with
    exactly the probability that they leave.
    """
    lowers = model.axes.leak_gain[f]
    if hidden is None and not lowers.any():
        return 1.0
    name = model.findings[f]
    # All causes of the finding stay linked, or one might no longer count as a cause.
    names = model.network.parents(name)
    shares = np.array([lowers[model.causes.index(one)] for one in names])
    cpd = NoisyOrCPD(name, names, shares, 0.0, (), np.zeros(0))
    network = Network(model.network.variables.values(), {**model.network.cpds, name: cpd}.values())
    findings, causes = case.findings.copy(), case.causes.copy()
    findings[0, f] = 0.0
    if hidden is not None:
        causes[0, hidden] = 0
    asked = replace(case, findings=findings, causes=causes)
    kept = (
        posteriors(compile_diagnosis(network), asked, only_evidence=True).complete().log_evidence[0]
    )
    return float(np.exp(kept - log_evidence))


def assumptions_by_rows(
    model: NoisyModel,
    evidence: Evidence,
    causes: Sequence[int],
    absent: Sequence[tuple[int, ...]],
    without: Sequence[tuple[int, ...]],
    answer: Asking,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return ``on`` (C, J), ``off`` (C, J) and ``probability`` (J,) of `hypotheses.Assumed`.

    Parameters
    ----------
    model : NoisyModel
    evidence : Evidence
        One possible case.
    causes : sequence of int
    absent, without : sequences of tuples of int
        Of each of J assumptions, see `hypotheses.Assumption`.
    answer : callable
        Answers cases on this model.
    """
    rows = evidence.take(np.zeros(len(absent) + 1, dtype=np.intp))
    offsets = np.array(model.level_offset, dtype=np.intp)
    for j, (columns, gone) in enumerate(zip(absent, without, strict=True)):
        for column in columns:
            level = column - len(model.findings)
            if level < 0:
                rows.findings[j, column] = 0.0
            else:
                o = int(np.searchsorted(offsets, level, side="right")) - 1
                rows.upper[j, o] = level - offsets[o]
        rows.causes[j, list(gone)] = 0
    found = answer(rows)
    share = np.exp(found.log_evidence - found.log_evidence[-1])
    on = (found.causes[:, list(causes)] * share[:, None]).T
    return on[:, :-1], np.maximum(share - on, 0.0)[:, :-1], share[:-1]
