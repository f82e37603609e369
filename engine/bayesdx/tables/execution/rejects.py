"""Records that are not scored: why, told in full beside the output and in part on the way."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence

import pyarrow as pa

from bayesdx.errors import Fault, Phrase
from bayesdx.tables.encoders import neutral
from bayesdx.tables.sources.chunks import CaseChunk, RowFault

#: Longer texts of what was got are cut.
LONGEST_CELL = 200
HEADER = ("row", "line", "column", "expected", "got", "nearest", "case_id", "record")


class CellPlaces:
    """Names the cells of a chunk.

    Parameters
    ----------
    source : str
        What faults call the input.
    columns : sequence of str
        All columns of the input, in order.
    delimiter : str
        Between the cells of CSV; blank of other formats.
    """

    def __init__(self, source: str, columns: Sequence[str], delimiter: str = "") -> None:
        self._source = source
        self._columns, self._delimiter = tuple(columns), delimiter
        self._number = {name: number for number, name in enumerate(columns, start=1)}

    def of_cell(self, chunk: CaseChunk, position: int, column: str) -> str:
        """Name the cell of a sound record: ``file:line:column number, column name``.

        What a contradiction is about need not be a column; it has no number then.
        """
        line, number = int(chunk.lines[position]), self._number.get(column)
        at = f"{line}" if number is None else f"{line}:{number}"
        return f"{self._source}:{at}, column {column}"

    def of_record(self, chunk: CaseChunk, position: int, case_id: object) -> str:
        """Name a sound record: ``file:line``, and its own id where it has one."""
        at = f"{self._source}:{chunk.lines[position]}"
        return at if case_id is None else f"{at}, case_id {case_id}"

    def record(self, chunk: CaseChunk, position: int) -> str:
        """Return a sound record as a line that can be mended and read again."""
        cells = [chunk.cells.column(name)[position].as_py() for name in self._columns]
        if not self._delimiter:
            named = zip(self._columns, cells, strict=True)
            told = {name: _in_json(one) for name, one in named if one is not None and one == one}
            return json.dumps(told, ensure_ascii=False, default=str)
        text = io.StringIO(newline="")
        # Line breaks are quoted for the sake of the one at the end.
        csv.writer(text, delimiter=self._delimiter, lineterminator="\r\n").writerow(cells)
        return text.getvalue().removesuffix("\r\n")

    def parts(self, place: str) -> tuple[str, str]:
        """Return the line and the column, its name if it has one, of a place."""
        where, _, column = place.removeprefix(f"{self._source}:").partition(", column ")
        line, _, number = where.partition(":")
        return line, column or number


def _in_json(cell: object) -> object:
    """JSON has no infinite numbers."""
    return str(cell) if isinstance(cell, float) and math.isinf(cell) else cell


def rejected_csv(
    faults: Sequence[RowFault],
    places: CellPlaces,
    chunk: CaseChunk,
    ids: pa.Array | None,
    *,
    escape: bool = True,
) -> bytes:
    """Return a line for each fault, without a header; harmless in a spreadsheet.

    The record stands beside the first of its faults, as it was read: mended and put below the
    header of the input, these lines are a table for another run. Of Parquet they are JSON lines.
    """
    if not faults:
        return b""
    cell = neutral if escape else str
    at = {int(row): position for position, row in enumerate(chunk.rows.tolist())}
    told: set[int] = set()
    text = io.StringIO(newline="")
    # All text is quoted: before Python 3.13 a lone carriage return would not be.
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    for row, fault, record in faults:
        line, column = places.parts(fault.place)
        got = str(fault.got) if isinstance(fault.got, str | Phrase) else repr(fault.got)
        got = got if len(got) <= LONGEST_CELL else f"{got[: LONGEST_CELL - 3]}..."
        position = at.get(row)
        own = "" if position is None or ids is None else ids[position].as_py()
        if row in told:
            record = ""
        elif position is not None:
            record = places.record(chunk, position)
        told.add(row)
        cells = (column, fault.expected, got, "; ".join(fault.nearest))
        tail = "" if own is None else str(own), record
        number = int(line) if line.isdigit() else line
        writer.writerow([row, number, *map(cell, cells), *map(cell, tail)])
    # A lone surrogate, of which a fault may tell, is no text that UTF-8 can hold.
    return text.getvalue().encode(errors="backslashreplace")


def rejected_header() -> bytes:
    """Return the header of the file of rejected records."""
    return (",".join(HEADER) + "\n").encode()


def more_faults(source: str, faults: int, rejected: int, records: int, listed: int) -> Fault:
    """Say how many faults there are beyond those that are listed."""
    got = Phrase(
        f"{faults:,} faults in {rejected:,} of {records:,} records; the first {listed} are listed"
    )
    return Fault(source, "records without faults", got)
