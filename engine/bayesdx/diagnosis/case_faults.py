"""What is wrong with cases, collected by row and column."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from bayesdx.case_columns import RESERVED
from bayesdx.errors import Fault, InvalidCase, Phrase, nearest_names

#: What the name of a finding in one case, and of a column of a table, is expected to be.
_NAMED = (
    "the name of a finding, risk or measure",
    "the name of a finding, risk or measure (id, keep and ignore are for others)",
)
#: Faults listed in full; the rest are counted.
MOST_FAULTS = 1000
#: Labels of rows, or what makes a place of a position and a column; None for a single case, whose
#: faults name the column.
RowNames = Sequence[Hashable] | Callable[[int, str], str] | None


class CaseFaults:
    """Collects what is wrong with N cases.

    Parameters
    ----------
    rows : sequence, function or None
        How places are named: "row <label>, column <name>" by labels, ``rows(position, column)`` by
        a function, the column alone without.
    n_cases : int
    first_only : bool
        After `MOST_FAULTS` faults still list the first one of every row, so that no bad row is
        left without a reason; otherwise the rest are only counted.

    Attributes
    ----------
    bad : bool array (N,)
        Rows with a fault.
    faults : list of (position, Fault)
        In the order found; the position is -1 for a fault of a column.
    """

    def __init__(self, rows: RowNames, n_cases: int, *, first_only: bool = False) -> None:
        self._rows = rows
        self._first_only = first_only
        self._count = 0
        self.bad = np.zeros(n_cases, dtype=bool)
        self.faults: list[tuple[int, Fault]] = []

    def place(self, row: int, column: str) -> str:
        """Name a cell."""
        if self._rows is None:
            return column
        if callable(self._rows):
            return self._rows(row, column)
        return f"row {self._rows[row]}, column {column}"

    def add(self, row: int, column: str, expected: str, got: object) -> None:
        """Note a fault of one row."""
        self.add_alike(np.array([row]), column, Fault(column, expected, got))

    def add_alike(self, rows: NDArray[np.intp], column: str, fault: Fault) -> None:
        """Note the same fault for some rows; its place is made anew for each."""
        self._count += len(rows)
        listed = rows[: max(MOST_FAULTS - len(self.faults), 0)]
        if self._first_only:
            rest = rows[len(listed) :]
            listed = np.concatenate([listed, rest[~self.bad[rest]]])
        self.bad[rows] = True
        for row in listed.tolist():
            place = self.place(row, column)
            self.faults.append((row, Fault(place, fault.expected, fault.got, fault.nearest)))

    def add_column(self, column: str, near: tuple[str, ...]) -> None:
        """Note a column that names nothing."""
        place = "column" if self._rows is not None else "finding"
        if self._rows is not None and not near:
            near = nearest_names(column, RESERVED)
        fault = Fault(place, _NAMED[self._rows is not None], column, near)
        self._count += 1
        if len(self.faults) < MOST_FAULTS:
            self.faults.append((-1, fault))

    def raise_any(self) -> None:
        """Raise `InvalidCase` with all faults, if there are any."""
        faults = [fault for _, fault in self.faults]
        if self._count > len(faults):
            more = Phrase(f"{self._count - len(faults)} more of these faults")
            faults.append(Fault("cases", "readable cells", more))
        if faults:
            raise InvalidCase(faults)
