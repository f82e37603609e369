"""Records that are not scored: why, told in full beside the output and in part on the way."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from bayesdx.errors import Fault, Phrase
from bayesdx.tables.encoders import neutral
from bayesdx.tables.sources.chunks import CaseChunk, RowFault

HEADER = ("row", "line", "column", "expected", "got", "nearest")


class CellPlaces:
    """Names the cells of a chunk.

    Parameters
    ----------
    source : str
        What faults call the input.
    columns : sequence of str
        All columns of the input, in order.
    """

    def __init__(self, source: str, columns: Sequence[str]) -> None:
        self._source = source
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

    def parts(self, place: str) -> tuple[str, str]:
        """Return the line and the column, its name if it has one, of a place."""
        where, _, column = place.removeprefix(f"{self._source}:").partition(", column ")
        line, _, number = where.partition(":")
        return line, column or number


def rejected_csv(faults: Sequence[RowFault], places: CellPlaces) -> bytes:
    """Return a line for each fault, without a header; harmless in a spreadsheet."""
    text = io.StringIO(newline="")
    # All text is quoted: before Python 3.13 a lone carriage return would not be.
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    for row, fault in faults:
        line, column = places.parts(fault.place)
        got = str(fault.got) if isinstance(fault.got, str | Phrase) else repr(fault.got)
        cells = (column, fault.expected, _short(got), "; ".join(fault.nearest))
        writer.writerow([row, int(line) if line.isdigit() else line, *map(neutral, cells)])
    # A lone surrogate, of which a fault may tell, is no text that UTF-8 can hold.
    return text.getvalue().encode(errors="backslashreplace")


def rejected_header() -> bytes:
    """Return the header of the file of rejected records."""
    return (",".join(HEADER) + "\n").encode()


def _short(text: str, most: int = 200) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


def more_faults(source: str, faults: int, rejected: int, records: int, listed: int) -> Fault:
    """Say how many faults there are beyond those that are listed."""
    got = Phrase(
        f"{faults:,} faults in {rejected:,} of {records:,} records; the first {listed} are listed"
    )
    return Fault(source, "records without faults", got)
