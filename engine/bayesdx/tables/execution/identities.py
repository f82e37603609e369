"""The names that cases have of their own: as they are written, and which come twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bayesdx.errors import Fault, InvalidCase, Phrase
from bayesdx.inference.noisy.model import BoolArray
from bayesdx.tables.execution.counts import Counts
from bayesdx.tables.sources.chunks import CaseSource

#: Ids that come twice and are named; all are counted.
LISTED_IDS = 10
#: Bits of whole numbers that a float of so many bits holds exactly.
_EXACT = {16: 11, 32: 24, 64: 53}
WHOLE = "a text or a whole number that is held exactly (below 2**53)"


def plain_cells(column: pa.ChunkedArray) -> pa.Array:
    """Return a column in one piece, without a dictionary."""
    cells = column.combine_chunks()
    if isinstance(cells, pa.ChunkedArray):
        cells = pa.concat_arrays(cells.chunks) if cells.num_chunks else cells.chunk(0)
    return cells.dictionary_decode() if pa.types.is_dictionary(cells.type) else cells


def case_ids(column: pa.ChunkedArray) -> pa.Array:
    """Return ids as text, whole numbers or dates; floats that are whole become whole numbers.

    Raises
    ------
    InvalidCase
        They are lists or the like.
    """
    cells = plain_cells(column)
    kind = cells.type
    if pa.types.is_string(kind) or pa.types.is_integer(kind) or pa.types.is_temporal(kind):
        return cells
    if pa.types.is_floating(kind):
        return pa.array(cells.to_numpy(zero_copy_only=False), mask=~_whole(cells)).cast(pa.int64())
    if pa.types.is_nested(kind):
        raise InvalidCase(Fault("id", "a column of text or numbers", Phrase(f"one of {kind}")))
    return cells.cast(pa.string())


def unfit_ids(column: pa.ChunkedArray) -> list[tuple[int, float]]:
    """Return where a float is no exact whole number, and what it is."""
    if not pa.types.is_floating(column.type):
        return []
    cells = plain_cells(column)
    values = cells.to_numpy(zero_copy_only=False)
    unfit = np.flatnonzero(~_whole(cells) & ~np.isnan(values))
    return [(position, float(values[position])) for position in unfit.tolist()]


def _whole(cells: pa.Array) -> BoolArray:
    values = cells.to_numpy(zero_copy_only=False)
    most = float(2 ** _EXACT[cells.type.bit_width])
    whole: BoolArray = (np.abs(values) < most) & (values == np.round(values))
    return whole


def id_marks(ids: pa.Array, lines: NDArray[np.int64]) -> tuple[NDArray[np.uint64], int]:
    """Return a mark for each id that is not blank, and the line it stands on; and how many are.

    Parameters
    ----------
    ids : Arrow array (N,)
    lines : int64 array (N,)

    Returns
    -------
    marks : uint64 array (2, N - blank)
        64 bits of hash, in the first row; two of ten million ids are alike by chance once in
        three hundred thousand tables.
    blank : int
    """
    texts = ids.cast(pa.string()) if not pa.types.is_integer(ids.type) else ids
    given = texts.is_valid()
    if pa.types.is_string(texts.type):
        given = pc.and_(given, pc.not_equal(pc.fill_null(texts, ""), ""))
    kept = given.to_numpy(zero_copy_only=False)
    cells = texts.filter(given).to_numpy(zero_copy_only=False)
    marks = np.stack([pd.util.hash_array(cells, categorize=False), lines[kept].astype(np.uint64)])
    return marks, int((~kept).sum())


def repeats(marks: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the line of each id that came before and the line where it did first, (2, R)."""
    order = np.lexsort((marks[1], marks[0]))
    hashes, lines = marks[0][order], marks[1][order].astype(np.int64)
    new = np.ones(len(hashes), dtype=bool)
    new[1:] = hashes[1:] != hashes[:-1]
    first = lines[np.maximum.accumulate(np.where(new, np.arange(len(new)), 0))]
    found = np.stack([lines, first])[:, ~new]
    return found[:, np.argsort(found[0], kind="stable")]


class SeenIds:
    """The ids of a table, gathered chunk by chunk in any order: sixteen bytes a record."""

    def __init__(self) -> None:
        self._marks: list[NDArray[np.uint64]] = []

    def add(self, marks: NDArray[np.uint64] | None) -> None:
        """Add the marks of some records."""
        if marks is not None:
            self._marks.append(marks)

    def read(self, source: CaseSource, column: str, wanted: Callable[[int], bool]) -> None:
        """Add the ids of the chunks whose first record is wanted."""
        for chunk in source.chunks():
            if wanted(chunk.first):
                self.add(id_marks(case_ids(chunk.cells.column(column)), chunk.lines)[0])

    def repeated(self) -> tuple[int, tuple[tuple[int, int], ...]]:
        """Return how many come again, and the first lines with those where they came before."""
        if not self._marks:
            return 0, ()
        found = repeats(np.concatenate(self._marks, axis=1))
        return found.shape[1], tuple((int(a), int(b)) for a, b in found.T[:LISTED_IDS])


def id_faults(
    name: str, column: str, counts: Counts, repeated: Sequence[tuple[int, int]]
) -> list[Fault]:
    """Say which records have no id of their own."""
    expected = f"an id of its own in {column} (--unique-ids)"
    faults = [
        Fault(f"{name}:{line}", expected, Phrase(f"that of line {first}"))
        for line, first in repeated
    ]
    more = counts.repeated_ids - len(faults)
    if more > 0:
        faults.append(Fault(name, expected, Phrase(f"{more:,} more that come twice")))
    if counts.blank_ids:
        faults.append(Fault(name, expected, Phrase(f"{counts.blank_ids:,} without one")))
    return faults
