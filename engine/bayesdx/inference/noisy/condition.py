"""First step of an answer: what needs no frontier is absorbed, the rest becomes axes.

Absent findings multiply the weight of an active cause; one matrix product does it for all cases.
What is left to be summed over jointly are the *axes* of a case: findings that are present or
soft, absent findings whose inhibitors couple, and unobserved risks that several causes share.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bayesdx.errors import Fault, Phrase, TooComplex
from bayesdx.inference.noisy.limits import MAX_AXES
from bayesdx.inference.noisy.model import (
    RISK,
    BoolArray,
    FloatArray,
    IntArray,
    NoisyModel,
)
from bayesdx.inference.noisy.operator import start_of_finding

if TYPE_CHECKING:
    from bayesdx.inference.arrays import MaskArray
    from bayesdx.inference.evidence import Evidence, StateArray

#: Soft evidence that leans to neither side.
EVEN = 0.5


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
    mask : uint64 array (N, C)
        Which slots a cause acts on, a bit a slot.
    """

    axis: IntArray
    start: FloatArray
    present: FloatArray
    prior: FloatArray
    prior_offset: IntArray
    on: FloatArray
    off: FloatArray
    log_scale: FloatArray
    mask: MaskArray

    def take(self, rows: slice | IntArray) -> Problem:
        """Return the problem of some cases."""
        return Problem(
            self.axis[rows],
            self.start[rows],
            self.present[rows],
            self.prior[rows],
            self.prior_offset,
            self.on[rows],
            self.off[rows],
            self.log_scale[rows],
            self.mask[rows],
        )


def absorb(model: NoisyModel, evidence: Evidence, asked: BoolArray | None = None) -> Problem:
    """Absorb what does not couple causes and set up the axes of every case.

    A cause that is not among those ``asked``, (N, C), and that no evidence touches sums to 1
    whatever its risks are (a barren node, Shachter 1986): it couples none.

    Raises
    ------
    TooComplex
        If a case has more than `limits.MAX_AXES` axes.
    """
    on, log_scale = _absorb_absent(model, evidence)
    off = np.ones_like(on)
    clamped = evidence.causes >= 0
    if clamped.any():
        on = np.where(evidence.causes == 0, 0.0, on)
        off = np.where(evidence.causes == 1, 0.0, off)
    log_scale += _log_risks(model, evidence)
    log_scale += (evidence.findings == EVEN).sum(axis=1) * np.log(EVEN)
    offsets = model.prior_offset[:-1]
    prior = priors_given(model, evidence)
    possible = np.maximum.reduceat(prior, offsets, axis=1) > 0.0
    axis, start, present, log_bound = _slots(model, evidence)
    log_scale += log_bound
    mask = _masks(model, axis, possible, on > 0.0)
    if asked is not None:
        touched = (on != 1.0) | (off != 1.0) | (mask & ~_risk_slots(model, axis)[:, None] != 0)
        mask = np.where(asked | touched, mask, np.uint64(0))
    return Problem(axis, start, present, prior, offsets, on, off, log_scale, mask)


def count_axes(model: NoisyModel, evidence: Evidence) -> IntArray:
    """How many axes each case will have, (N,); `limits.MAX_AXES` can be summed over."""
    result: IntArray = used_axes(model, evidence).sum(axis=1)
    return result


def without_causes(model: NoisyModel, problem: Problem, absent: BoolArray) -> Problem:
    """Return the same cases with some causes (C,) assumed absent."""
    risks = _risk_slots(model, problem.axis)
    mask = np.where(absent, problem.mask & risks[:, None], problem.mask)
    return replace(problem, on=np.where(absent, 0.0, problem.on), mask=mask)


def symptom_weights(
    model: NoisyModel, evidence: Evidence, axis: IntArray, weights: FloatArray
) -> FloatArray:
    """Weights of the findings present for certain in the slots of each case, else -1, (N, K).

    ``axis`` is that of the problem, ``weights`` (U,) as in `symptoms.prior_weights`.
    """
    slot = np.append(weights, -1.0)[axis]
    binary = (axis >= 0) & (axis < len(model.findings))
    rows = np.broadcast_to(np.arange(len(axis))[:, None], axis.shape)
    slot[binary] = np.where(
        evidence.findings[rows[binary], axis[binary]] == 1.0, slot[binary], -1.0
    )
    return slot


def _risk_slots(model: NoisyModel, axis: IntArray) -> MaskArray:
    """Slots that hold an unknown risk, a bit a slot, (N,)."""
    is_risk = np.append(model.axes.classes == RISK, False)[axis]
    slots: MaskArray = (is_risk * _bit(axis.shape[1])).sum(axis=1, dtype=np.uint64)
    return slots


def _bit(n_slots: int) -> MaskArray:
    return np.uint64(1) << np.arange(n_slots, dtype=np.uint64)


def _absorb_absent(model: NoisyModel, evidence: Evidence) -> tuple[FloatArray, FloatArray]:
    absent = absent_columns(model, evidence).astype(np.float64)
    on = np.exp(absent @ model.log_absent)
    log_scale = absent @ model.log_absent_leak
    # Certain links would be -inf, which a matrix product turns into NaN: they are counted apart.
    if model.absent_never.any():
        on[absent @ model.absent_never > 0.0] = 0.0
    if model.absent_leak_never.any():
        log_scale[absent @ model.absent_leak_never > 0.0] = -np.inf
    return on, log_scale


def absent_columns(model: NoisyModel, evidence: Evidence) -> BoolArray:
    """Which findings are absent and which levels are not passed, (N, F + L)."""
    absent = np.zeros((len(evidence), len(model.log_absent)), dtype=bool)
    n_findings = len(model.findings)
    absent[:, :n_findings] = evidence.findings == 0.0
    for o, size in enumerate(model.ordinal_sizes):
        first = n_findings + model.level_offset[o]
        absent[:, first : first + size - 1] = evidence.upper[:, o, None] == np.arange(size - 1)
    return absent


def _log_risks(model: NoisyModel, evidence: Evidence) -> FloatArray:
    total = np.zeros(len(evidence))
    for r, prior in enumerate(model.risk_priors):
        with np.errstate(divide="ignore"):
            padded = np.append(np.log(prior), 0.0)
        total += padded[evidence.risks[:, r]]
    return total


def priors_given(model: NoisyModel, evidence: Evidence) -> FloatArray:
    """Slice each cause's table at the observed risks, average its private unobserved ones."""
    base, offsets = model.prior_base, model.prior_offset
    prior = np.tile(base, (len(evidence), 1))
    known = evidence.risks >= 0
    for c, parents in enumerate(model.cause_parents):
        observed = known[:, parents]
        if not observed.any():
            continue
        codes = (observed << np.arange(len(parents))).sum(axis=1)
        alike = bool((codes == codes[0]).all())
        for code in codes[:1] if alike else np.unique(codes):
            rows = np.flatnonzero(codes == code)
            values = slice_table(model, c, evidence.risks[rows], int(code))
            prior[rows, offsets[c] : offsets[c] + values.shape[1]] = values
            prior[rows, offsets[c] + values.shape[1] : offsets[c + 1]] = 0.0
    return prior


def slice_table(model: NoisyModel, cause: int, risks: StateArray, code: int) -> FloatArray:
    """P(cause present | unobserved shared risks) of cases that observe the same parents.

    Parameters
    ----------
    model : NoisyModel
    cause : int
    risks : int8 array (n, R)
        Observed states.
    code : int
        Bit p is set where the p-th parent of the cause is observed.

    Returns
    -------
    array (n, joint states of the others)
    """
    parents, table = model.cause_parents[cause], model.cause_tables[cause]
    known = [p for p in range(len(parents)) if code >> p & 1]
    private = [p for p in range(len(parents)) if p not in known and model.axes.risk[parents[p]] < 0]
    shared = [p for p in range(len(parents)) if p not in known and p not in private]
    table = table.transpose(known + shared + private)
    for p in reversed(private):
        table = table @ model.risk_priors[parents[p]]
    index = tuple(risks[:, parents[p]] for p in known)
    if not known:
        return np.broadcast_to(table.reshape(1, -1), (len(risks), table.size))
    values: FloatArray = table[index].reshape(len(risks), -1)
    return values


def used_axes(model: NoisyModel, evidence: Evidence) -> BoolArray:
    """Which axes each case has, (N, U)."""
    axes = model.axes
    used = np.zeros((len(evidence), len(axes.classes)), dtype=bool)
    # An even chance says nothing of the causes, and couples none.
    used[:, : len(model.findings)] = (evidence.findings > 0.0) & (evidence.findings != EVEN)
    coupled = axes.suppress >= 0
    used[:, axes.suppress[coupled]] = (evidence.findings == 0.0)[:, coupled]
    which = np.arange(len(model.ordinals))
    exceeded = axes.exceed[which, evidence.lower, evidence.upper]
    rows, at = np.nonzero(exceeded >= 0)
    used[rows, exceeded[rows, at]] = True
    shared = axes.risk >= 0
    used[:, axes.risk[shared]] = (evidence.risks < 0)[:, shared]
    return used


def _slots(
    model: NoisyModel, evidence: Evidence
) -> tuple[IntArray, FloatArray, FloatArray, FloatArray]:
    n_cases = len(evidence)
    used = used_axes(model, evidence)
    rows, ids = np.nonzero(used)
    counts = used.sum(axis=1)
    width = int(counts.max(initial=0))
    if width > MAX_AXES:
        expected = f"at most {MAX_AXES} coupled findings and risks"
        raise TooComplex(Fault(f"case {int(counts.argmax())}", expected, Phrase(str(width))))
    slot = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    axis = np.full((n_cases, width), -1)
    axis[rows, slot] = ids
    vector, share, bound = _starts(model, evidence, rows, ids)
    start = np.zeros((n_cases, width, vector.shape[1]))
    start[rows, slot] = vector
    likelihood = np.ones((n_cases, width))
    likelihood[rows, slot] = share
    log_scale = np.bincount(rows, weights=np.log(bound), minlength=n_cases)
    return axis, start, likelihood, log_scale.astype(np.float64)


def _starts(
    model: NoisyModel, evidence: Evidence, rows: IntArray, ids: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Start vector of each (case, axis), share of "present", and what both were divided by."""
    axes = model.axes
    finding, is_evidence = ids < len(model.findings), axes.classes[ids] != RISK
    present = np.ones(len(ids))
    present[finding] = evidence.findings[rows[finding], ids[finding]]
    bound = (1.0 - present) + present * axes.bound[ids]
    vector, width = axes.start[ids], min(4, axes.start.shape[1])
    start = start_of_finding(axes.opening[ids[is_evidence]], present[is_evidence])
    vector[is_evidence, 1:width] = start[:, : width - 1] / bound[is_evidence, None]
    return vector, present / bound, bound


def _masks(model: NoisyModel, axis: IntArray, possible: BoolArray, on: BoolArray) -> MaskArray:
    """Slots each cause acts on; a cause that evidence rules out still depends on its risks."""
    n_cases, n_slots = axis.shape
    table = np.concatenate([model.axes.touches, np.zeros((1, len(model.causes)), dtype=bool)])
    is_risk = np.append(model.axes.classes == RISK, False)[axis]
    mask = np.zeros((n_cases, len(model.causes)), dtype=np.uint64)
    for slot, bit in enumerate(_bit(n_slots)):
        acts = on | is_risk[:, slot, None]
        mask |= np.where(table[axis[:, slot]] & acts, bit, np.uint64(0))
    return np.where(possible, mask, np.uint64(0))
