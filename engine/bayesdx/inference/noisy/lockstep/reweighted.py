"""One case under many sets of factors on its causes: rows of one structure, swept together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bayesdx.inference.arrays import FloatArray
from bayesdx.inference.evidence import Evidence, StateArray
from bayesdx.inference.noisy.condition import absorb
from bayesdx.inference.noisy.lockstep.plan import plan_sweep
from bayesdx.inference.noisy.lockstep.sweep import sweep
from bayesdx.inference.noisy.model import NoisyModel

#: Rows swept together: each takes a few tables of causes by the states of their risks.
ROWS_AT_ONCE = 1024


def reweighted_case(
    model: NoisyModel, evidence: Evidence, on: FloatArray, off: FloatArray, risks: StateArray
) -> tuple[FloatArray, FloatArray] | None:
    """Answer one case under V sets of factors; see `case_lanes.CaseLanes.reweighted`."""
    parts = []
    for first in range(0, len(on), ROWS_AT_ONCE):
        some = slice(first, first + ROWS_AT_ONCE)
        found = _reweighted(model, evidence, on[some], off[some], risks[some])
        if found is None:
            return None
        parts.append(found)
    log_evidence, causes = zip(*parts, strict=True)
    return np.concatenate(log_evidence), np.concatenate(causes)


def _reweighted(
    model: NoisyModel, evidence: Evidence, on: FloatArray, off: FloatArray, risks: StateArray
) -> tuple[FloatArray, FloatArray] | None:
    """Sweep some rows.

    A risk that several causes share stays summed over where a row holds it, over one state, so that
    all rows keep the structure of the case. None if it couples too much.
    """
    rows = evidence.take(np.zeros(len(on), dtype=np.intp))
    shared = model.axes.risk >= 0
    risk_of = np.full(len(model.axes.classes) + 1, -1)
    risk_of[model.axes.risk[shared]] = np.flatnonzero(shared)
    known = np.where((risks >= 0) & ~shared, risks, rows.risks)
    problem = absorb(model, replace(rows, risks=known))
    start = problem.start.copy()
    # Slots of findings have no risk, -1, and look at a column in which nothing is held.
    free = np.full((len(on), 1), -1, dtype=np.int8)
    held = np.append(risks, free, axis=1)[np.arange(len(on))[:, None], risk_of[problem.axis]]
    row, slot = np.nonzero(held >= 0)
    start[row, slot] *= np.arange(start.shape[2]) == held[row, slot, None]
    problem = replace(problem, start=start, on=problem.on * on, off=problem.off * off)
    plan = plan_sweep(model, problem)
    if len(plan.refused):
        return None
    log_evidence, causes = sweep(model, problem, plan)
    return None if np.isnan(causes).any() else (log_evidence, causes)
