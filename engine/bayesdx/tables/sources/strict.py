"""One record of CSV text at a time, for those whose quotation marks are in doubt.

A fault of a record is certain; where the next record begins is not always. After a fault inside
quotation marks the rest of a file can be read in two ways: the marks are wrong in this line only,
or the cell goes on over the lines that follow. Reading goes on where the second way would leave a
misplaced mark further down and there is none, and stops everywhere else: rows are never guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bayesdx.errors import Phrase
from bayesdx.tables.sources.structure import holds_rows
from bayesdx.tables.sources.window import COMMA, LINE_END, Window

#: Bytes of one record, at most.
MOST_RECORD = 16 << 20
QUOTING = "a CSV record, with its quotation marks closed and doubled inside"
_STOPS = "; reading stops here, since where the next row begins cannot be known"
_QUOTED = re.compile(rb'"[^"]*+(?:""[^"]*+)*+"')
_SHOWN = 24


@dataclass(frozen=True)
class Scanned:
    """A record that was read mark by mark.

    Attributes
    ----------
    cells : tuple of bytes
        Content of the cells before the first fault.
    end : int
        Where it ends in the window, its end of line counted in; of a fault, the end of the line.
        -1 where that lies too far ahead.
    at : int
        Where the reading of it ended.
    expected, got : str
        What is wrong with it; blank of a sound one.
    open : bool
        Whether it ends between quotation marks.
    quoted : bool
        Whether a cell in quotation marks was opened, or may have been.
    """

    cells: tuple[bytes, ...]
    end: int
    at: int
    expected: str = ""
    got: str = ""
    quoted: bool = False
    open: bool = False


def scan(data: bytes, begin: int, *, ended: bool, delimiter: int = COMMA) -> Scanned:
    """Read the record that begins at a position.

    Parameters
    ----------
    data : bytes
    begin : int
    ended : bool
        Whether ``data`` holds all that there is.
    delimiter : int
        The byte between cells.
    """
    stop = min(len(data), begin + MOST_RECORD + 1)
    plain = re.compile(rb'[^"\r\n%s]*+' % re.escape(bytes([delimiter])))
    at, quoted = begin, False
    cells: list[bytes] = []
    while True:
        if data[at : at + 1] == b'"':
            quoted = True
            found = _QUOTED.match(data, at, stop)
            if found is None:
                got = _unclosed(data, at, stop, ended)
                return Scanned(tuple(cells), -1, at, QUOTING, got, quoted, open=True)
            cell = found[0][1:-1].replace(b'""', b'"')
        else:
            found = plain.match(data, at, stop)
            assert found is not None
            cell = found[0]
        at = found.end()
        if at >= stop:
            got = f"more than {MOST_RECORD >> 20} MiB without an end of line"
            expected = f"a record of at most {MOST_RECORD >> 20} MiB"
            return Scanned(tuple(cells), -1, at, expected, got, quoted)
        mark = data[at]
        if mark not in (delimiter, 13, 10):
            line = LINE_END.search(data, at, stop)
            end = -1 if line is None else _past(data, line.start())
            text = data[found.start() : min(end, at + _SHOWN) if end > 0 else at + _SHOWN]
            closed = found.re is _QUOTED
            got = f"{_text(text)} after a closing mark" if closed else f"a mark in {_text(text)}"
            # A mark further on in the line may open a cell.
            quoted |= b'"' in data[at + 1 : end if end > 0 else stop]
            return Scanned(tuple(cells), end, at, QUOTING, got, quoted)
        cells.append(cell)
        if mark != delimiter:
            return Scanned(tuple(cells), _past(data, at), at, quoted=quoted)
        at += 1


def _past(data: bytes, at: int) -> int:
    """The position after an end of line."""
    return at + (2 if data[at : at + 2] == b"\r\n" else 1)


def _unclosed(data: bytes, at: int, stop: int, ended: bool) -> str:
    far = "the end" if ended and stop == len(data) else f"{MOST_RECORD >> 20} MiB on"
    return f"one that opens before {_text(data[at + 1 : at + 1 + _SHOWN])}, still open at {far}"


def _text(data: bytes) -> str:
    return repr(data.decode("utf-8", "replace").rstrip("\r\n"))


@dataclass(frozen=True)
class Judged:
    """What became of a record in doubt, which was taken from the window.

    Attributes
    ----------
    column : int
        Cell in which the fault lies, from 1.
    expected : str
        Blank where the record is sound after all.
    got : Phrase
    fatal : bool
        Whether reading has to stop here.
    data : bytes
        A sound record.
    """

    column: int
    expected: str
    got: Phrase
    fatal: bool = False
    data: bytes = b""


def judge(window: Window, n_columns: int) -> Judged:
    """Take the next record from a window and say what is wrong with it."""
    window.need(MOST_RECORD + 2)
    data, begin = window.data, window.at
    read = scan(data, begin, ended=window.ended, delimiter=window.delimiter)
    column = len(read.cells) + 1
    expected, got = read.expected, read.got
    if not expected and len(read.cells) != n_columns:
        column = min(len(read.cells), n_columns) + 1
        expected, got = f"{n_columns} values, as in the header", str(len(read.cells))
    lines = len(data[begin : read.at + 1].splitlines())
    if read.open or (expected and lines > 1):
        if lines > 1 and not read.open:
            got = f"{got}, on line {lines} of the record"
        return Judged(column, expected + _STOPS, Phrase(got), fatal=True)
    if read.end < 0:
        window.take(read.at, 0)
        window.skip_line()
    else:
        record = data[begin : read.end]
        if not expected and lines > 1 and holds_rows(record, n_columns, window.delimiter):
            got = Phrase(f"{lines} lines in one record, which look like rows by themselves")
            return Judged(1, QUOTING + _STOPS, got, fatal=True)
        window.take(read.end, lines)
        if not expected:
            return Judged(0, "", Phrase(""), data=record)
    # With two columns or fewer any line of a cell may look like a row.
    marks = expected == QUOTING
    if (marks and n_columns <= 2) or (read.quoted and not _goes_on(window, n_columns)):
        return Judged(column, expected + _STOPS, Phrase(got), fatal=True)
    return Judged(column, expected, Phrase(got))


def _goes_on(window: Window, n_columns: int) -> bool:
    """Whether the lines after a faulty one are rows, and not the rest of one of its cells.

    If they were, a mark that closes the cell would follow below them, out of its place.
    """
    window.need(MOST_RECORD + 2)
    data, begin = window.data, window.at
    mark = data.find(b'"', begin, begin + MOST_RECORD)
    if mark < 0:
        return True
    line = max(data.rfind(b"\n", begin, mark), data.rfind(b"\r", begin, mark)) + 1
    next_one = line <= begin
    window.need(max(line - begin, 0) + MOST_RECORD + 2)
    line = window.at + max(line - begin, 0)
    read = scan(window.data, line, ended=window.ended, delimiter=window.delimiter)
    if read.expected or len(read.cells) != n_columns:
        return next_one and not read.open  # No row lies between; the fault will be told.
    return len(window.data[line : read.end].splitlines()) == 1
