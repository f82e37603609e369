"""Whole tables of cases whose dialect and columns are stated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from bayesdx.case_columns import ColumnRoles
from bayesdx.case_frames import BLOCK_ROWS
from bayesdx.errors import InvalidCase
from bayesdx.tables.execution.rejects import CellPlaces
from bayesdx.tables.sources.opening import open_cases
from bayesdx.tables.table_options import KnownColumns, TableOptions, open_table, roles_of
from bayesdx.tables.whole_tables import CHUNK_ROWS, sound_chunks, whole_frame


@dataclass(frozen=True, eq=False)
class WholeTable:
    """A table of N cases, with what its columns are for.

    Attributes
    ----------
    frame : DataFrame (N rows)
        All columns, rows numbered from 0.
    roles : ColumnRoles
    place : function of (int, str)
        Names the cell of a row and a column: ``file:line:column``.
    """

    frame: pd.DataFrame
    roles: ColumnRoles
    place: Callable[[int, str], str]

    @property
    def evidence(self) -> pd.DataFrame:
        """The columns of findings alone."""
        return self.frame[list(self.roles.evidence)]

    @property
    def kept(self) -> pd.DataFrame:
        """The columns to show beside an answer, as they are written."""
        return self.frame[list(self.roles.kept)]

    @property
    def names(self) -> list[str]:
        """What to call each case: its id; its row as well where that is blank or not its own."""
        if not self.roles.id:
            return [f"row {row}" for row in range(len(self.frame))]
        ids = ["" if pd.isna(cell) else str(cell).strip() for cell in self.frame[self.roles.id]]
        counts = Counter(ids)
        return [
            name if name and counts[name] == 1 else f"{name} row {row}".strip()
            for row, name in enumerate(ids)
        ]


def read_frames(source: str | Path, table: TableOptions) -> Iterator[pd.DataFrame]:
    """Read a table as it says that it is written, whatever its columns are, some rows at a time.

    Parameters
    ----------
    source : str or Path
        As for `read_cases`.
    table : TableOptions

    Yields
    ------
    DataFrame
        Rows numbered on from those before.

    Raises
    ------
    InvalidCase
        As `read_cases`, at the end where rows are at fault; and when the marks of numbers and cells
        cannot be those of the file.
    """
    if faults := table.faults(source):
        raise InvalidCase(faults)
    with open_cases(source, chunk_rows=BLOCK_ROWS, dialect=table.dialect) as cases:
        for chunk in sound_chunks(cases):
            frame = whole_frame(cases, [chunk])
            yield frame.set_axis(pd.RangeIndex(chunk.first, chunk.first + len(frame)), axis=0)
    # Whoever reads in pieces is short of memory, and Arrow keeps what it has let go.
    pa.default_memory_pool().release_unused()


def read_frame(source: str | Path, table: TableOptions) -> pd.DataFrame:
    """Read a table as `read_frames`, whole: a column has one type."""
    if faults := table.faults(source):
        raise InvalidCase(faults)
    with open_cases(source, chunk_rows=CHUNK_ROWS, dialect=table.dialect) as cases:
        return whole_frame(cases, list(sound_chunks(cases)))


def read_table(
    source: str | Path, evidence: KnownColumns, table: TableOptions, answers: Iterable[str] = ()
) -> WholeTable:
    """Read a table of cases whole, as it says itself that it is written.

    Parameters
    ----------
    source : str or Path
        As for `read_cases`.
    evidence : KnownColumns
        Says which columns are evidence; asked before any row is read.
    table : TableOptions
    answers : iterable of str
        Columns of the answer, of which a column that is kept must not have the name.

    Raises
    ------
    InvalidCase
        As `read_cases`, and when an option or a column names nothing.
    """
    if faults := table.faults(source):
        raise InvalidCase(faults)
    with open_table(source, evidence, table, CHUNK_ROWS) as cases:
        roles = roles_of(evidence, cases, table, answers)
        chunks = list(sound_chunks(cases))
        places = CellPlaces(cases.name, cases.columns, cases.delimiter)
        frame = whole_frame(cases, chunks)
    firsts = np.cumsum([0, *(len(chunk.rows) for chunk in chunks[:-1])])

    def place(row: int, column: str) -> str:
        at = int(np.searchsorted(firsts, row, side="right")) - 1
        return places.of_cell(chunks[at], row - int(firsts[at]), column)

    return WholeTable(frame, roles, place)
