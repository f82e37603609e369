"""From what a sweep leaves behind to derivatives by every number: the chain rule, link by link.

What is differentiated by is in `number_layout`, what a sweep leaves behind in
`lockstep.axis_scores` and in the shares of its causes; `case_scores` puts both together.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import sparse

from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray
from bayesdx.inference.evidence import Evidence, StateArray
from bayesdx.inference.noisy.condition import Problem
from bayesdx.inference.noisy.lockstep.axis_scores import AxisScores
from bayesdx.inference.noisy.lockstep.workspace import Shares
from bayesdx.inference.noisy.model import RISK, NoisyModel
from bayesdx.inference.noisy.number_layout import (
    EXCEED,
    EXCEED_LEAK,
    FACTOR,
    LEAK,
    PRIOR,
    STRENGTH,
    TABLE,
    NumberLayout,
)


class ScoreEntries:
    """Entries of a sparse array, gathered block by block."""

    def __init__(self, layout: NumberLayout) -> None:
        self.layout = layout
        self._rows: list[IntArray] = []
        self._columns: list[IntArray] = []
        self._values: list[FloatArray] = []

    def add(self, rows: IntArray, columns: IntArray, values: FloatArray) -> None:
        """Add derivatives of cases by numbers; all that broadcasts together."""
        rows, columns, values = np.broadcast_arrays(rows, columns, values)
        self._rows.append(rows.ravel())
        self._columns.append(columns.ravel())
        self._values.append(values.ravel())

    def matrix(
        self, n: int, kept: BoolArray, free: BoolArray, hidden: BoolArray | None = None
    ) -> sparse.csr_array:
        """Return the array (n, T) of the ``kept`` cases and of numbers that are ``free``.

        Numbers of ``hidden`` levels of ordinal findings, (n, L), are left out.
        """
        rows, columns = np.concatenate(self._rows), np.concatenate(self._columns)
        values = np.concatenate(self._values)
        chosen = kept[rows] & free[columns] & (values != 0.0)
        if hidden is not None:
            n_levels, first = hidden.shape[1], self.layout.begin(EXCEED)
            own = np.flatnonzero((columns >= first) & (columns < self.layout.begin(TABLE)))
            # Exceedances and their leaks lie side by side, level after level.
            chosen[own] &= ~hidden[rows[own], (columns[own] - first) % n_levels]
        where = rows[chosen], columns[chosen]
        return sparse.csr_array((values[chosen], where), shape=(n, len(free)))


def add_axes(
    model: NoisyModel, problem: Problem, scores: AxisScores, entries: ScoreEntries
) -> None:
    """From derivatives by what causes do on axes to those by strengths, factors, exceedances."""
    links, layout, n_findings = model.links, entries.layout, len(model.findings)
    rows, slots, causes, (gain, keep, leak_keep, leak_gain) = scores.collected()
    axis = problem.axis[rows, slots]
    own = axis < n_findings
    at, c, f = rows[own], causes[own], axis[own]
    z, h = links.strength[c, f], links.factor[c, f]
    column = c * n_findings + f
    by_strength = gain[own] - keep[own] - h * leak_keep[own]
    by_factor = (1.0 - z) * leak_keep[own] - leak_gain[own]
    entries.add(at, layout.begin(STRENGTH) + column, np.where(z > 0.0, by_strength, 0.0))
    entries.add(at, layout.begin(FACTOR) + column, np.where(h < 1.0, by_factor, 0.0))
    change = gain - keep
    finding = _coupled_findings(model)
    own = finding[axis] >= 0
    column = causes[own] * n_findings + finding[axis[own]]
    # On the axis of an absent finding an inhibitor gains 1 - h.
    entries.add(rows[own], layout.begin(FACTOR) + column, -change[own])
    own = axis >= n_findings
    _add_levels(model, entries, axis[own], rows[own], change[own], causes[own])


def _add_levels(
    model: NoisyModel,
    entries: ScoreEntries,
    axis: IntArray,
    rows: IntArray,
    change: FloatArray,
    causes: IntArray | None = None,
) -> None:
    """Add derivatives by what makes "at least lower" of "at most upper" present; leaks or links."""
    links, layout = model.links, entries.layout
    n_levels = len(links.exceed_leak)
    lower, upper = axis_levels(model)
    own = lower[axis] >= 0
    rows, change, low, high = rows[own], change[own], lower[axis[own]], upper[axis[own]]
    if causes is None:
        begin, line = layout.begin(EXCEED_LEAK), np.zeros(len(low), dtype=np.intp)
        numbers = np.append(links.exceed_leak, 0.0)[None]
    else:
        begin, line = layout.begin(EXCEED), causes[own]
        numbers = np.hstack([links.exceed, np.zeros((len(links.exceed), 1))])
    reached, room = numbers[line, low], 1.0 - numbers[line, high]
    by_low = np.divide(change, room, out=np.zeros_like(change), where=room > 0.0)
    by_high = np.divide(by_low, room, out=np.zeros_like(change), where=room > 0.0)
    bounded = high < n_levels
    entries.add(rows, begin + line * n_levels + low, by_low)
    at = begin + line * n_levels + high
    entries.add(rows[bounded], at[bounded], -((1.0 - reached) * by_high)[bounded])


def axis_levels(model: NoisyModel) -> tuple[IntArray, IntArray]:
    """Columns of the level that must be reached and of the one that must not be passed, (U + 1,).

    -1 for axes that are not of levels; L where any level may be passed.
    """
    axes = model.axes
    low = np.full(len(axes.classes) + 1, -1)
    high = np.full(len(axes.classes) + 1, -1)
    for o, size in enumerate(model.ordinal_sizes):
        first = model.level_offset[o]
        for lower in range(1, size):
            for upper in range(lower, size):
                u = axes.exceed[o, lower, upper]
                low[u] = first + lower - 1
                high[u] = first + upper if upper < size - 1 else len(model.links.exceed_leak)
    return low, high


def add_openings(
    model: NoisyModel, evidence: Evidence, problem: Problem, shares: Shares, entries: ScoreEntries
) -> None:
    """Add derivatives by leaks, with which axes open."""
    axes, layout, n_findings = model.axes, entries.layout, len(model.findings)
    rows, slots = np.nonzero((problem.axis >= 0) & (axes.classes[problem.axis] != RISK))
    axis, by = problem.axis[rows, slots], shares.vectors[rows, slots]
    own = axis < n_findings
    at, f, by_own = rows[own], axis[own], by[own]
    present = evidence.findings[at, f]
    bound = (1.0 - present) + present * axes.bound[f]
    inhibited, absent = axes.sizes[f] > 2, present < 0.5
    # See `operator.opening_of_finding`: which components a leak stands in, and with what.
    plain = np.where(inhibited & ~absent, 0.0, 2.0 * present - 1.0) * by_own[:, 1]
    inside = np.abs(2.0 * present - 1.0) * np.where(absent, by_own[:, 3], by_own[:, 2])
    values = (plain + np.where(inhibited, inside, 0.0)) / bound
    entries.add(at, layout.begin(LEAK) + f, values)
    change = by[:, 1] / axes.bound[axis]
    finding = _coupled_findings(model)
    own = finding[axis] >= 0
    entries.add(rows[own], layout.begin(LEAK) + finding[axis[own]], -change[own])
    own = axis >= n_findings
    _add_levels(model, entries, axis[own], rows[own], change[own])


def _coupled_findings(model: NoisyModel) -> IntArray:
    """Findings whose absence is an axis, by axis, (U + 1,); -1 for all others."""
    finding = np.full(len(model.axes.classes) + 1, -1)
    coupled = np.flatnonzero(model.axes.suppress >= 0)
    finding[model.axes.suppress[coupled]] = coupled
    return finding


def add_absent(
    model: NoisyModel, evidence: Evidence, posterior: FloatArray, entries: ScoreEntries
) -> None:
    """Add derivatives by the numbers of absent findings, which are factors of causes."""
    links, layout, axes = model.links, entries.layout, model.axes
    n_findings = len(model.findings)
    rows, f = np.nonzero(evidence.findings == 0.0)
    _add_factors(entries, STRENGTH, links.strength, (rows, f), posterior)
    alone = axes.suppress[f] < 0
    rows, f = rows[alone], f[alone]
    leak = links.leak[f]
    spared = np.divide(1.0, 1.0 - leak, out=np.zeros_like(leak), where=leak < 1.0)
    entries.add(rows, layout.begin(LEAK) + f, -spared)
    # A lone inhibitor is a factor (1 - leak h) / (1 - leak) of its cause.
    inhibiting = links.factor < 1.0
    lone = np.asarray(inhibiting.any(axis=0))[f]
    rows, f, leak, spared = rows[lone], f[lone], leak[lone], spared[lone]
    cause = inhibiting.argmax(axis=0)[f]
    lowered, on = links.factor[cause, f], posterior[rows, cause]
    left = 1.0 / (1.0 - leak * lowered)
    entries.add(rows, layout.begin(FACTOR) + cause * n_findings + f, -on * leak * left)
    entries.add(rows, layout.begin(LEAK) + f, on * (spared - lowered * left))
    tops = np.array(model.ordinal_sizes, dtype=np.intp) - 1
    rows, which = np.nonzero(evidence.upper < tops)
    level = np.array(model.level_offset, dtype=np.intp)[which] + evidence.upper[rows, which]
    _add_factors(entries, EXCEED, links.exceed, (rows, level), posterior)
    leak = links.exceed_leak[level]
    spared = np.divide(1.0, 1.0 - leak, out=np.zeros_like(leak), where=leak < 1.0)
    entries.add(rows, layout.begin(EXCEED_LEAK) + level, -spared)


def _add_factors(
    entries: ScoreEntries,
    kind: int,
    strength: FloatArray,
    absent: tuple[IntArray, IntArray],
    posterior: FloatArray,
) -> None:
    """Add -P(cause | evidence) / (1 - z) for every link of what is absent: cases and columns."""
    rows, columns = absent
    by_column = np.argsort(strength.T <= 0.0, axis=1, kind="stable")
    counts = (strength > 0.0).sum(axis=0)
    for k in range(int(counts.max(initial=0))):
        own = counts[columns] > k
        at, column = rows[own], columns[own]
        cause = by_column[column, k]
        kept = 1.0 - strength[cause, column]
        values = np.divide(-posterior[at, cause], kept, out=np.zeros(len(at)), where=kept > 0.0)
        entries.add(at, entries.layout.begin(kind) + cause * strength.shape[1] + column, values)


def add_tables(
    model: NoisyModel, evidence: Evidence, problem: Problem, shares: Shares, entries: ScoreEntries
) -> None:
    """Add derivatives by tables of causes, and by risks that one cause alone averages over."""
    prior = problem.prior
    inside = (prior > 0.0) & (prior < 1.0)
    by_entry = np.divide(shares.by_present, prior, out=np.zeros_like(prior), where=inside)
    by_entry -= np.divide(shares.by_absent, 1.0 - prior, out=np.zeros_like(prior), where=inside)
    known = evidence.risks >= 0
    for c, parents in enumerate(model.cause_parents):
        own = by_entry[:, model.prior_offset[c] : model.prior_offset[c + 1]]
        codes = (known[:, parents] << np.arange(len(parents), dtype=np.intp)).sum(axis=1)
        for code in np.unique(codes).tolist():
            rows = np.flatnonzero(codes == code)
            _add_table(model, c, evidence.risks[rows], code, rows, own[rows], entries)


def _add_table(
    model: NoisyModel,
    c: int,
    risks: StateArray,
    code: int,
    rows: IntArray,
    by_entry: FloatArray,
    entries: ScoreEntries,
) -> None:
    """Add derivatives by one table, of cases that observe the same of its risks."""
    layout, parents, table = entries.layout, model.cause_parents[c], model.cause_tables[c]
    known = [p for p in range(len(parents)) if code >> p & 1]
    private = [p for p in range(len(parents)) if p not in known and model.axes.risk[parents[p]] < 0]
    shared = [p for p in range(len(parents)) if p not in known and p not in private]
    turned = np.arange(table.size).reshape(table.shape).transpose(known + shared + private)
    turned = turned.reshape(
        *(table.shape[p] for p in known), math.prod(table.shape[p] for p in shared), -1
    )
    # (n, joint states of what is shared, joint states of what is private)
    index = turned[tuple(risks[:, parents[p]] for p in known)] if known else turned[None]
    index = np.broadcast_to(index, (len(rows), *turned.shape[len(known) :]))
    by_entry = by_entry[:, : index.shape[1], None]
    weight = np.ones(1)
    for p in private:
        weight = np.multiply.outer(weight, model.risk_priors[parents[p]]).ravel()
    begin = layout.begin(TABLE, c)
    entries.add(rows[:, None, None], begin + index, by_entry * weight)
    values, sizes = table.ravel()[index] * by_entry, [table.shape[p] for p in private]
    for i, p in enumerate(private):
        rest = np.ones(1)
        for j, q in enumerate(private):
            other = np.ones(sizes[j]) if j == i else model.risk_priors[parents[q]]
            rest = np.multiply.outer(rest, other).ravel()
        part = (values * rest).sum(axis=1).reshape(len(rows), *sizes)
        by_state = part.sum(axis=tuple(k + 1 for k in range(len(sizes)) if k != i))
        columns = layout.begin(PRIOR, parents[p]) + np.arange(sizes[i])
        entries.add(rows[:, None], columns, by_state)


def add_risks(
    model: NoisyModel, evidence: Evidence, problem: Problem, shares: Shares, entries: ScoreEntries
) -> None:
    """Add derivatives by the probabilities of risks that are observed, or shared and unknown."""
    layout = entries.layout
    for r, prior in enumerate(model.risk_priors):
        begin, state = layout.begin(PRIOR, r), evidence.risks[:, r].astype(np.intp)
        rows = np.flatnonzero(state >= 0)
        entries.add(rows, begin + state[rows], _inverse(prior)[state[rows]])
        if model.axes.risk[r] >= 0:
            rows, slots = np.nonzero(problem.axis == model.axes.risk[r])
            share = shares.vectors[rows, slots, : len(prior)]
            columns = begin + np.arange(len(prior))
            entries.add(rows[:, None], columns, share * _inverse(prior))


def _inverse(values: FloatArray) -> FloatArray:
    return np.divide(1.0, values, out=np.zeros_like(values), where=values > 0.0)
