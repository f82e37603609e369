"""Posteriors of a batch of cases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bayesdx.inference.absorb import Problem, absorb, count_axes, without_causes
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.model import BoolArray, DiagnosisModel, FloatArray
from bayesdx.inference.ordering import Schedule, schedule
from bayesdx.inference.sweep import sweep, unlinked_log_evidence

#: Cases prepared together: enough to amortise array calls, few enough to stay in memory.
CHUNK = 16384
#: Frontier components computed together, summed over causes; bounds the memory of a sweep.
WORK_AT_ONCE = 1.2e7


@dataclass(frozen=True, eq=False)
class Answer:
    """Posteriors of N cases.

    Attributes
    ----------
    log_evidence : array (N,)
        Natural log of P(evidence), ``-inf`` where it is impossible.
    causes : array (N, C)
        P(cause present | evidence); 0 where the evidence is impossible (see ``possible``). Shape
        (N, 0) when only the evidence was asked for.
    log_without : array (N,) or (0,)
        Natural log of P(evidence, chosen causes absent), when asked for.
    """

    log_evidence: FloatArray
    causes: FloatArray
    log_without: FloatArray

    @property
    def possible(self) -> BoolArray:
        """Whether the evidence of each case has a positive probability."""
        return ~np.isneginf(self.log_evidence)


def posteriors(
    model: DiagnosisModel,
    evidence: Evidence,
    *,
    chunk: int = CHUNK,
    only_evidence: bool = False,
    without: BoolArray | None = None,
) -> Answer:
    """Answer every case exactly.

    Parameters
    ----------
    model : DiagnosisModel
    evidence : Evidence
    chunk : int
        Cases prepared together; the answer does not depend on it.
    only_evidence : bool
        Skip the backward pass; ``causes`` is then empty.
    without : bool array (C,), optional
        Causes to assume absent for ``log_without``.

    Returns
    -------
    Answer

    Raises
    ------
    BayesdxError
        If a case couples more findings than can be summed over (see ``ordering``).
    """
    n_cases = len(evidence)
    log_evidence = np.empty(n_cases)
    causes = np.empty((n_cases, 0 if only_evidence else len(model.causes)))
    log_without = np.empty(0 if without is None else n_cases)
    # Cases with as many axes side by side: their arrays have little padding and equal shapes.
    order = np.argsort(count_axes(model, evidence), kind="stable")
    for first in range(0, n_cases, chunk):
        rows = order[first : first + chunk]
        problem = absorb(model, evidence.take(rows))
        for part, plan, at in _portions(problem, schedule(model, problem, rows)):
            log_evidence[rows[at]], posterior = sweep(
                model, part, plan, posteriors=not only_evidence
            )
            causes[rows[at]] = posterior
        if without is not None:
            log_without[rows] = _evidence_without(model, problem, without)
    return Answer(log_evidence, causes, log_without)


def _evidence_without(model: DiagnosisModel, problem: Problem, absent: BoolArray) -> FloatArray:
    rest = without_causes(model, problem, absent)
    result = unlinked_log_evidence(model, rest)
    # Where risks are known, few cases have anything left that couples.
    linked = np.flatnonzero(rest.mask.any(axis=1))
    if len(linked):
        part = rest.take(linked)
        for piece, plan, at in _portions(part, schedule(model, part)):
            result[linked[at]], _ = sweep(model, piece, plan, posteriors=False)
    return result


def _portions(problem: Problem, plan: Schedule) -> Iterator[tuple[Problem, Schedule, slice]]:
    """Cut a chunk where its work adds up to what is computed at once."""
    portion = (np.cumsum(plan.work) // WORK_AT_ONCE).astype(np.intp)
    cuts = [0, *(np.flatnonzero(np.diff(portion)) + 1).tolist(), len(portion)]
    for first, last in pairwise(cuts):
        if first < last:
            at = slice(first, last)
            yield problem.take(at), plan.take(at), at
