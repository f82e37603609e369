"""What the compiled sweep notes of a case, and how that becomes derivatives by every number.

A note is a derivative of log P(evidence) by something that the sweep meets: a state of a risk, an
entry of a cause's table (a state more for a risk that is averaged over), a factor of what is
absent, its leak, the leak with which an axis opens, a link on an axis. All of these depend on the
numbers of the network in a way that is the same for all cases: one sparse array a model turns notes
into derivatives by numbers, and notes may be added up over cases before.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from bayesdx.inference.noisy.model import RISK, ModelArrays, NoisyModel
from bayesdx.inference.noisy.note_book import NoteLayout, note_layout
from bayesdx.inference.noisy.number_layout import PRIOR, NumberLayout, numbers_of
from bayesdx.inference.noisy.score_entries import (
    ScoreEntries,
    add_absences,
    add_absent_leaks,
    add_leaks,
    add_links,
    add_table,
)


def numbers_by_note(model: NoisyModel, numbers: NumberLayout) -> sparse.csr_array:
    """Return what a note is worth to each number of a model, (Q, T)."""
    assert model.arrays is not None
    arrays, layout, entries = model.arrays, note_layout(model.arrays), ScoreEntries(numbers)
    n_states = len(arrays.risks.prior)
    entries.add(layout.risk + np.arange(n_states), numbers.begin(PRIOR) + np.arange(n_states), _ONE)
    for c in range(len(model.causes)):
        _add_table_notes(model, arrays, layout, c, entries)
    absent, at = (
        np.repeat(np.arange(len(arrays.absence.leak)), np.diff(arrays.absence.first)),
        np.arange(len(arrays.absence.cause)),
    )
    each = np.ones(len(at))
    add_absences(model, entries, layout.absence + at, (absent, arrays.absence.cause), each)
    columns = np.arange(len(arrays.absence.leak))
    add_absent_leaks(model, entries, layout.leak + columns, columns)
    axis = np.flatnonzero(model.axes.classes != RISK)
    add_leaks(model, entries, layout.opening + axis, axis, np.ones(len(axis)))
    axis, causes = np.nonzero(model.axes.touches & (model.axes.classes != RISK)[:, None])
    rows = layout.link + 2 * (axis * len(model.causes) + causes)
    one, none = np.ones(len(rows)), np.zeros(len(rows))
    add_links(model, entries, rows, (axis, causes), one, none)
    add_links(model, entries, rows + 1, (axis, causes), none, one)
    values = numbers_of(model)
    free = (values > 0.0) & (values < 1.0)
    return entries.matrix(layout.end, np.ones(layout.end, dtype=bool), free)


_ONE = np.ones(1)


def _add_table_notes(
    model: NoisyModel, arrays: ModelArrays, layout: NoteLayout, c: int, entries: ScoreEntries
) -> None:
    """Read each entry of the table of a cause as that of a case."""
    priors = arrays.priors
    first, last = priors.table_first[c], priors.table_first[c + 1]
    own = priors.parent[priors.parent_first[c] : priors.parent_first[c + 1]]
    rows = np.arange(last - first)
    risks = np.full((len(rows), len(model.risks)), -1, dtype=np.int8)
    rest = rows
    for risk, stride, unknown in own.tolist():
        state, rest = rest // stride, rest % stride
        risks[:, risk] = np.where(state == unknown, -1, state) if unknown >= 0 else state
    # All others are averaged over.
    values = np.ones((len(rows), 1))
    add_table(model, entries, c, layout.table + first + rows, risks, values)
