"""Room for what the compiled sweep notes of cases: derivatives by what it meets.

See `bayesdx.inference.noisy.score_notes` for what that is worth to the numbers of a network.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from bayesdx.inference.arrays import BoolArray, FloatArray
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.condition import absent_columns, used_axes
from bayesdx.inference.noisy.model import RISK, ModelArrays, NoisyModel


class NoteLayout(NamedTuple):
    """Where the columns of each kind of note begin, and how many there are.

    Attributes
    ----------
    risk : int
        States of risks.
    table : int
        Entries of `model.Priors`.
    absence, leak : int
        Entries and columns of `model.Absence`.
    opening : int
        Axes.
    link : int
        Axes times causes, two each: by what a cause adds, by what it leaves of the leak.
    end : int
    """

    risk: int
    table: int
    absence: int
    leak: int
    opening: int
    link: int
    end: int


@dataclass(frozen=True, eq=False)
class NoteBook:
    """Room for the notes of N cases; written by the compiled sweep.

    Attributes
    ----------
    layout : NoteLayout
    begin, end : int arrays (N,)
        Where the notes of each case lie.
    columns, values : arrays (M,)
    """

    layout: NoteLayout
    begin: NDArray[np.int64]
    end: NDArray[np.int64]
    columns: NDArray[np.int64]
    values: FloatArray

    def matrix(self, kept: BoolArray) -> sparse.csr_array:
        """Return the notes of ``kept`` cases as an array (N, Q)."""
        counts = np.where(kept, self.end - self.begin, 0)
        last = np.cumsum(counts)
        at = np.arange(counts.sum()) + np.repeat(self.begin - last + counts, counts)
        found = self.values[at], self.columns[at], np.append(0, last)
        return sparse.csr_array(found, shape=(len(counts), self.layout.end))


def note_layout(arrays: ModelArrays) -> NoteLayout:
    """Lay out the notes on a model."""
    sizes = [
        len(arrays.risks.prior),
        len(arrays.priors.table),
        len(arrays.absence.cause),
        len(arrays.absence.leak),
        len(arrays.axes.classes),
        2 * arrays.axes.touches.size,
    ]
    return NoteLayout(0, *np.cumsum(sizes).tolist())


def open_book(model: NoisyModel, evidence: Evidence) -> NoteBook:
    """Make room for the notes of N cases."""
    assert model.arrays is not None
    absence, axes = model.arrays.absence, model.axes
    used, absent = used_axes(model, evidence), absent_columns(model, evidence)
    counts = 1 + np.diff(axes.touch_first) * np.where(axes.sizes > 2, 2, 1)
    counts = np.where(axes.classes == RISK, axes.sizes, counts)
    most = used.astype(np.int64) @ counts
    most += absent.astype(np.int64) @ (1 + np.diff(absence.first)) + len(model.risks)
    unknown = evidence.risks < 0
    for parents, table in zip(model.cause_parents, model.cause_tables, strict=True):
        entries = np.ones(len(evidence), dtype=np.int64)
        for at, risk in enumerate(parents):
            if axes.risk[risk] >= 0:
                entries *= np.where(unknown[:, risk], table.shape[at], 1)
        most += entries
    last = np.cumsum(most, dtype=np.int64)
    n_notes = int(most.sum())
    columns = np.empty(n_notes, dtype=np.int64)
    begin = last - most
    layout = note_layout(model.arrays)
    return NoteBook(layout, begin, begin.copy(), columns, np.empty(n_notes))
