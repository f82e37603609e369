"""First step of an answer: what needs no frontier is absorbed, the rest becomes axes.

Absent findings multiply the weight of an active cause; one matrix product does it for all cases.
What is left to be summed over jointly are the *axes* of a case: findings that are present or
soft, absent findings whose inhibitors couple, and unobserved risks that several causes share.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bayesdx.inference.evidence import Evidence
from bayesdx.inference.model import (
    EXPLAIN_INHIBITED,
    RISK,
    BoolArray,
    DiagnosisModel,
    FloatArray,
    IntArray,
    slice_table,
)


@dataclass(frozen=True, eq=False)
class Problem:
    """N cases after absorption, each with at most K axes.

    Attributes
    ----------
    axis : int array (N, K)
        Axis of each slot, -1 for unused slots; increasing along a row.
    start : array (N, K, S)
        Components of each axis before any cause acts.
    present : array (N, K)
        Likelihood l1 of "present": the share of a newly explained finding that survives.
    prior : array (N, P)
        P(cause present | risks) of every cause, one entry a joint state of the unobserved shared
        risks the cause depends on; cause c starts at ``prior_offset[c]``.
    on, off : arrays (N, C)
        Factors of the absorbed evidence for an active and an inactive cause.
    log_scale : array (N,)
        Log of everything that involves no cause.
    touched : bool array (N, C, K)
        Which slots a cause acts on.
    """

    axis: IntArray
    start: FloatArray
    present: FloatArray
    prior: FloatArray
    prior_offset: IntArray
    on: FloatArray
    off: FloatArray
    log_scale: FloatArray
    touched: BoolArray

    def take(self, rows: slice) -> Problem:
        """Return the problem of consecutive cases."""
        return Problem(
            self.axis[rows],
            self.start[rows],
            self.present[rows],
            self.prior[rows],
            self.prior_offset,
            self.on[rows],
            self.off[rows],
            self.log_scale[rows],
            self.touched[rows],
        )


def absorb(model: DiagnosisModel, evidence: Evidence) -> Problem:
    """Absorb what does not couple causes and set up the axes of every case."""
    on, log_scale = _absorb_absent(model, evidence)
    off = np.ones_like(on)
    clamped = evidence.causes >= 0
    if clamped.any():
        on = np.where(evidence.causes == 0, 0.0, on)
        off = np.where(evidence.causes == 1, 0.0, off)
    log_scale += _log_risks(model, evidence)
    offsets = model.prior_offset[:-1]
    prior = _priors(model, evidence)
    possible = np.maximum.reduceat(prior, offsets, axis=1) > 0.0
    axis, start, present = _slots(model, evidence)
    touched = _touched(model, axis, possible, on > 0.0)
    return Problem(axis, start, present, prior, offsets, on, off, log_scale, touched)


def count_axes(model: DiagnosisModel, evidence: Evidence) -> IntArray:
    """How many axes each case will have, (N,)."""
    coupled, shared = model.axes.suppress >= 0, model.axes.risk >= 0
    count = (evidence.findings > 0.0).sum(axis=1)
    count += (evidence.findings[:, coupled] == 0.0).sum(axis=1)
    count += (evidence.lower > 0).sum(axis=1)
    result: IntArray = count + (evidence.risks[:, shared] < 0).sum(axis=1)
    return result


def without_causes(model: DiagnosisModel, problem: Problem, absent: BoolArray) -> Problem:
    """Return the same cases with some causes (C,) assumed absent."""
    is_risk = np.append(model.axes.classes == RISK, False)[problem.axis]
    touched = problem.touched & (~absent[:, None] | is_risk[:, None, :])
    return replace(problem, on=np.where(absent, 0.0, problem.on), touched=touched)


def _absorb_absent(model: DiagnosisModel, evidence: Evidence) -> tuple[FloatArray, FloatArray]:
    absent = np.zeros((len(evidence), model.absent_keep.shape[1]))
    n_findings = len(model.findings)
    absent[:, :n_findings] = evidence.findings == 0.0
    for o, size in enumerate(model.ordinal_sizes):
        first = n_findings + model.level_offset[o]
        levels = np.arange(size - 1)
        absent[:, first : first + size - 1] = evidence.upper[:, o, None] == levels
    zero = model.absent_keep <= 0.0
    with np.errstate(divide="ignore"):
        log_keep = np.log(np.where(zero, 1.0, model.absent_keep))
        log_leak = np.log(model.absent_leak)
    on = np.exp(absent @ log_keep.T)
    if zero.any():
        on[absent @ zero.T > 0.0] = 0.0
    never = np.isneginf(log_leak)
    log_scale = absent @ np.where(never, 0.0, log_leak)
    if never.any():
        log_scale[absent @ never.astype(float) > 0.0] = -np.inf
    return on, log_scale


def _log_risks(model: DiagnosisModel, evidence: Evidence) -> FloatArray:
    total = np.zeros(len(evidence))
    for r, prior in enumerate(model.risk_priors):
        with np.errstate(divide="ignore"):
            padded = np.append(np.log(prior), 0.0)
        total += padded[evidence.risks[:, r]]
    return total


def _priors(model: DiagnosisModel, evidence: Evidence) -> FloatArray:
    """Slice each cause's table at the observed risks, average its private unobserved ones."""
    base, offsets = model.prior_base, model.prior_offset
    prior = np.tile(base, (len(evidence), 1))
    known = evidence.risks >= 0
    seen = np.flatnonzero(known.any(axis=0))
    for c, parents in enumerate(model.cause_parents):
        if not any(r in parents for r in seen):
            continue
        codes = np.zeros(len(evidence), dtype=np.intp)
        for position, r in enumerate(parents):
            codes += known[:, r].astype(np.intp) << position
        for code in np.unique(codes):
            rows = np.flatnonzero(codes == code)
            values = slice_table(model, c, evidence.risks[rows], int(code))
            prior[rows, offsets[c] : offsets[c] + values.shape[1]] = values
            prior[rows, offsets[c] + values.shape[1] : offsets[c + 1]] = 0.0
    return prior


def _slots(model: DiagnosisModel, evidence: Evidence) -> tuple[IntArray, FloatArray, FloatArray]:
    axes = model.axes
    n_cases = len(evidence)
    used = np.zeros((n_cases, len(axes.classes)), dtype=bool)
    present = evidence.findings > 0.0
    used[:, axes.explain] = present
    coupled = axes.suppress >= 0
    used[:, axes.suppress[coupled]] = (evidence.findings == 0.0)[:, coupled]
    for (o, lower, upper), u in axes.exceed.items():
        used[:, u] = (evidence.lower[:, o] == lower) & (evidence.upper[:, o] == upper)
    shared = axes.risk >= 0
    used[:, axes.risk[shared]] = (evidence.risks < 0)[:, shared]
    rows, ids = np.nonzero(used)
    counts = used.sum(axis=1)
    width = int(counts.max(initial=0))
    slot = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    axis = np.full((n_cases, width), -1)
    axis[rows, slot] = ids
    start = np.zeros((n_cases, width, int(axes.sizes.max(initial=2))))
    likelihood = np.ones((n_cases, width))
    start[rows, slot] = _fixed_starts(model)[ids]
    soft = ids < len(model.findings)
    f = ids[soft]
    l1 = evidence.findings[rows[soft], f]
    likelihood[rows[soft], slot[soft]] = l1
    leak = model.leak[f]
    inhibited = axes.classes[f] == EXPLAIN_INHIBITED
    start[rows[soft], slot[soft], 1] = np.where(
        inhibited, 1.0 - l1, (1.0 - l1) * (1.0 - leak) + l1 * leak
    )
    if start.shape[2] > 2:
        start[rows[soft], slot[soft], 2] = np.where(inhibited, (2.0 * l1 - 1.0) * leak, 0.0)
    return axis, start, likelihood


def _fixed_starts(model: DiagnosisModel) -> FloatArray:
    """Starts that do not depend on the case: suppressed leaks, ordinal levels, risk priors."""
    axes = model.axes
    start = np.zeros((len(axes.classes), int(axes.sizes.max(initial=2))))
    start[:, 0] = 1.0
    for f, u in enumerate(axes.suppress):
        if u >= 0:
            start[u, 1] = 1.0 - model.leak[f]
    for (o, lower, upper), u in axes.exceed.items():
        first = model.level_offset[o]
        bottom = model.level_leak[first + lower - 1]
        top = 1.0 if upper == model.ordinal_sizes[o] - 1 else model.level_leak[first + upper]
        # A leak that never stays at or below `upper` is already in the absorbed factor (0).
        start[u, 1] = 1.0 - bottom / top if top > 0.0 else 0.0
    for r, u in enumerate(axes.risk):
        if u >= 0:
            start[u, : axes.sizes[u]] = model.risk_priors[r]
    return start


def _touched(
    model: DiagnosisModel, axis: IntArray, possible: BoolArray, on: BoolArray
) -> BoolArray:
    """Slots each cause acts on; a cause that evidence rules out still depends on its risks."""
    table = np.concatenate([model.axes.touches, np.zeros((1, len(model.causes)), dtype=bool)])
    is_risk = np.append(model.axes.classes == RISK, False)[axis]
    touched: BoolArray = table[axis].transpose(0, 2, 1) & possible[:, :, None]
    touched &= on[:, :, None] | is_risk[:, None, :]
    return touched
