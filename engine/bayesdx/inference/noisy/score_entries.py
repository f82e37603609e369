"""From what a sweep leaves behind to derivatives by every number: the chain rule, link by link.

What is differentiated by is in `number_layout`. NumPy's sweep passes what it finds of each case;
for the compiled one `score_notes` passes a case for each thing that can be noted, once a model.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import sparse

from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray
from bayesdx.inference.evidence import StateArray
from bayesdx.inference.noisy.model import NoisyModel
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

    def matrix(self, n: int, kept: BoolArray, free: BoolArray) -> sparse.csr_array:
        """Return the array (n, T) of the ``kept`` cases and of numbers that are ``free``."""
        rows, columns = np.concatenate(self._rows), np.concatenate(self._columns)
        values = np.concatenate(self._values)
        chosen = kept[rows] & free[columns] & (values != 0.0)
        where = rows[chosen], columns[chosen]
        return sparse.csr_array((values[chosen], where), shape=(n, len(free)))


def without_levels(
    values: sparse.csr_array, layout: NumberLayout, hidden: BoolArray
) -> sparse.csr_array:
    """Leave out what an array (n, T) has of ``hidden`` levels of ordinal findings, (n, L)."""
    found, first = values.tocoo(), layout.begin(EXCEED)
    rows, columns = found.coords
    # Exceedances and their leaks lie side by side, level after level.
    level = (columns - first) % max(hidden.shape[1], 1)
    kept = (columns < first) | (columns >= layout.begin(TABLE)) | ~hidden[rows, level]
    where = rows[kept], columns[kept]
    return sparse.csr_array((found.data[kept], where), shape=values.shape)


def add_links(
    model: NoisyModel,
    entries: ScoreEntries,
    rows: IntArray,
    pairs: tuple[IntArray, IntArray],
    by_strength: FloatArray,
    by_factor: FloatArray,
) -> None:
    """From derivatives by links on axes to those by strengths, factors, exceedances.

    Parameters
    ----------
    model : NoisyModel
    entries : ScoreEntries
    rows : int array (M,)
    pairs : int arrays (M,), (M,)
        Axes, and causes that act on them.
    by_strength, by_factor : arrays (M,)
        By what a cause adds to the axis, and by what it leaves of the leak.
    """
    links, layout, n_findings = model.links, entries.layout, len(model.findings)
    axis, causes = pairs
    own = axis < n_findings
    at, c, f = rows[own], causes[own], axis[own]
    z, h = links.strength[c, f], links.factor[c, f]
    column = c * n_findings + f
    entries.add(at, layout.begin(STRENGTH) + column, np.where(z > 0.0, by_strength[own], 0.0))
    entries.add(at, layout.begin(FACTOR) + column, np.where(h < 1.0, by_factor[own], 0.0))
    finding = _coupled_findings(model)
    own = finding[axis] >= 0
    column = causes[own] * n_findings + finding[axis[own]]
    # On the axis of an absent finding an inhibitor gains 1 - h.
    entries.add(rows[own], layout.begin(FACTOR) + column, -by_strength[own])
    own = axis >= n_findings
    _add_levels(model, entries, axis[own], rows[own], by_strength[own], causes[own])


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


def add_leaks(
    model: NoisyModel, entries: ScoreEntries, rows: IntArray, axis: IntArray, by_leak: FloatArray
) -> None:
    """From derivatives by the leaks with which axes open, (M,), to those by leaks of findings."""
    layout, n_findings = entries.layout, len(model.findings)
    own = axis < n_findings
    entries.add(rows[own], layout.begin(LEAK) + axis[own], by_leak[own])
    finding = _coupled_findings(model)
    own = finding[axis] >= 0
    entries.add(rows[own], layout.begin(LEAK) + finding[axis[own]], -by_leak[own])
    own = axis >= n_findings
    _add_levels(model, entries, axis[own], rows[own], by_leak[own])


def _coupled_findings(model: NoisyModel) -> IntArray:
    """Findings whose absence is an axis, by axis, (U + 1,); -1 for all others."""
    finding = np.full(len(model.axes.classes) + 1, -1)
    coupled = np.flatnonzero(model.axes.suppress >= 0)
    finding[model.axes.suppress[coupled]] = coupled
    return finding


def add_absences(
    model: NoisyModel,
    entries: ScoreEntries,
    rows: IntArray,
    pairs: tuple[IntArray, IntArray],
    posterior: FloatArray,
) -> None:
    """Add derivatives by links of absent findings, which are factors of causes.

    Parameters
    ----------
    model : NoisyModel
    entries : ScoreEntries
    rows : int array (M,)
    pairs : int arrays (M,), (M,)
        Columns of what is absent (findings, then levels), and causes that act on them.
    posterior : array (M,)
        P(cause present | evidence).
    """
    links, layout, n_findings = model.links, entries.layout, len(model.findings)
    columns, causes = pairs
    exceeded = columns >= n_findings
    at, c, level = rows[exceeded], causes[exceeded], columns[exceeded] - n_findings
    kept = 1.0 - links.exceed[c, level]
    values = np.divide(-posterior[exceeded], kept, out=np.zeros(len(at)), where=kept > 0.0)
    entries.add(at, layout.begin(EXCEED) + c * len(links.exceed_leak) + level, values)
    at, c, f = (one[~exceeded] for one in (rows, causes, columns))
    on = posterior[~exceeded]
    z = links.strength[c, f]
    values = np.divide(-on, 1.0 - z, out=np.zeros(len(at)), where=(z > 0.0) & (z < 1.0))
    entries.add(at, layout.begin(STRENGTH) + c * n_findings + f, values)
    # A lone inhibitor is a factor (1 - leak h) / (1 - leak) of its cause.
    lone = (links.factor[c, f] < 1.0) & (model.axes.suppress[f] < 0)
    at, c, f, on = at[lone], c[lone], f[lone], on[lone]
    leak, lowered = links.leak[f], links.factor[c, f]
    left = 1.0 / (1.0 - leak * lowered)
    entries.add(at, layout.begin(FACTOR) + c * n_findings + f, -on * leak * left)
    entries.add(at, layout.begin(LEAK) + f, on * (_spared(leak) - lowered * left))


def add_absent_leaks(
    model: NoisyModel, entries: ScoreEntries, rows: IntArray, columns: IntArray
) -> None:
    """Add derivatives by leaks of what is absent: findings, then levels, (M,)."""
    links, layout, n_findings = model.links, entries.layout, len(model.findings)
    own = columns >= n_findings
    level = columns[own] - n_findings
    entries.add(rows[own], layout.begin(EXCEED_LEAK) + level, -_spared(links.exceed_leak[level]))
    at, f = rows[~own], columns[~own]
    alone = model.axes.suppress[f] < 0
    entries.add(at[alone], layout.begin(LEAK) + f[alone], -_spared(links.leak[f[alone]]))


def _spared(leak: FloatArray) -> FloatArray:
    return np.divide(1.0, 1.0 - leak, out=np.zeros_like(leak), where=leak < 1.0)


def add_tables(
    model: NoisyModel, entries: ScoreEntries, risks: StateArray, by_prior: FloatArray
) -> None:
    """Add derivatives by tables of causes, and by risks that one cause alone averages over.

    Parameters
    ----------
    model : NoisyModel
    entries : ScoreEntries
    risks : int8 array (N, R)
        Observed states.
    by_prior : array (N, P)
        By what is left of tables, laid out as `condition.Problem.prior`.
    """
    rows = np.arange(len(risks))
    for c in range(len(model.causes)):
        own = by_prior[:, model.prior_offset[c] : model.prior_offset[c + 1]]
        add_table(model, entries, c, rows, risks, own)


def add_table(
    model: NoisyModel,
    entries: ScoreEntries,
    c: int,
    rows: IntArray,
    risks: StateArray,
    by_prior: FloatArray,
) -> None:
    """Add derivatives by the table of one cause; see `add_tables`."""
    parents = model.cause_parents[c]
    known = risks[:, parents] >= 0
    codes = (known << np.arange(len(parents), dtype=np.intp)).sum(axis=1)
    for code in np.unique(codes).tolist():
        own = np.flatnonzero(codes == code)
        _add_alike(model, c, risks[own], code, rows[own], by_prior[own], entries)


def _add_alike(
    model: NoisyModel,
    c: int,
    risks: StateArray,
    code: int,
    rows: IntArray,
    by_prior: FloatArray,
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
    by_prior = by_prior[:, : index.shape[1], None]
    weight = np.ones(1)
    for p in private:
        weight = np.multiply.outer(weight, model.risk_priors[parents[p]]).ravel()
    begin = layout.begin(TABLE, c)
    entries.add(rows[:, None, None], begin + index, by_prior * weight)
    values, sizes = table.ravel()[index] * by_prior, [table.shape[p] for p in private]
    for i, p in enumerate(private):
        rest = np.ones(1)
        for j, q in enumerate(private):
            other = np.ones(sizes[j]) if j == i else model.risk_priors[parents[q]]
            rest = np.multiply.outer(rest, other).ravel()
        part = (values * rest).sum(axis=1).reshape(len(rows), *sizes)
        by_state = part.sum(axis=tuple(k + 1 for k in range(len(sizes)) if k != i))
        columns = layout.begin(PRIOR, parents[p]) + np.arange(sizes[i])
        entries.add(rows[:, None], columns, by_state)
