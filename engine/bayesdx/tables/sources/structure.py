"""Where the records and cells of CSV text are: found and proved for thousands of records at once.

The quoting is well-formed where every quotation mark that opens stands at the beginning of a cell
and every one that closes at the end of one; inside, they come in pairs. This can be checked for
all marks together: marks in odd places (first, third ...) open, those in even places close, and a
doubled one closes and opens at once. What cannot be proved this way is left to `strict`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_QUOTE, _LF, _CR = b'"\n\r'
#: Where one cell in so many is in quotation marks, all are looked at.
_MANY_QUOTED = 16
IntArray = NDArray[np.intp]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Records:
    """R records at the beginning of some bytes, the first G sound ones among them with their cells.

    Attributes
    ----------
    end : int
        Where they end.
    line_ends : int
        Ends of lines in them.
    begins, lines : int arrays (R,)
        Where each begins, and how many lines before that.
    cells : int array (R,)
        How many cells each has.
    sound : bool array (R,)
        Which have as many cells as there are columns.
    starts, lengths : int arrays (G, columns)
        Of the content of each cell, quotation marks around it taken away. A mark in a content is
        half of a doubled one.
    doubtful : bool
        Whether the record at ``end`` begins in doubt: its quotation marks must be looked at.
    """

    end: int
    line_ends: int
    begins: IntArray
    lines: IntArray
    cells: IntArray
    sound: BoolArray
    starts: IntArray
    lengths: IntArray
    doubtful: bool


def find_records(data: bytes, n_columns: int, delimiter: int) -> Records:
    """Find the records that bytes begin with.

    Parameters
    ----------
    data : bytes
        Begin with a record; may break off anywhere.
    n_columns : int
    delimiter : int
        The byte between cells.

    Returns
    -------
    Records
        All that end in ``data``, up to the first doubtful one. Lines without anything are no
        records.
    """
    array = np.frombuffer(data, dtype=np.uint8)
    is_end = array == _LF
    returns = b"\r" in data
    if returns:
        is_end |= array == _CR
    separators = np.flatnonzero((array == delimiter) | is_end)
    quotes, limit, inner = None, len(data), np.empty(0, dtype=np.intp)
    if b'"' in data:
        is_quote = array == _QUOTE
        quotes = np.flatnonzero(is_quote)
        inside = np.bitwise_xor.accumulate(is_quote)[separators]
        limit = _first_misplaced(array, quotes, len(data), delimiter)
        inner = separators[inside]
        inner = inner[is_end[inner]]
        separators = separators[~inside]
    ends_record = is_end[separators]
    ends = np.flatnonzero(ends_record)
    ends = ends[: np.searchsorted(separators[ends], limit)]
    doubtful = limit < len(data)
    cells = np.diff(ends, prepend=-1)
    begins = np.concatenate([[0], separators[ends] + 1])[: len(ends)]
    blank = (cells == 1) & (begins == separators[ends])
    if quotes is not None:
        doubts = _doubts(array, separators[ends] + 1, cells, quotes, inner, n_columns, delimiter)
        if doubts.any():
            ends = ends[: int(np.argmax(doubts))]
            cells, begins, blank = cells[: len(ends)], begins[: len(ends)], blank[: len(ends)]
            doubtful = True
    end = int(separators[ends[-1]]) + 1 if len(ends) else 0
    simple = not returns and quotes is None
    lines, line_ends = _lines(data, array, is_end, begins, end, simple=simple)
    sound = (cells == n_columns) & ~blank
    flat = separators[: ends[-1] + 1 if len(ends) else 0]
    if not sound.all():
        flat = flat[np.repeat(sound, cells)]
    stops = flat.reshape(-1, n_columns)
    starts = np.empty_like(stops)
    starts[:, 0] = begins[sound]
    np.add(stops[:, :-1], 1, out=starts[:, 1:])
    lengths = stops - starts
    if quotes is not None:
        _unquote(array, quotes[: np.searchsorted(quotes, end)], stops, starts, lengths)
    if blank.any():
        begins, lines, cells, sound = (x[~blank] for x in (begins, lines, cells, sound))
    return Records(end, line_ends, begins, lines, cells, sound, starts, lengths, doubtful)


def _first_misplaced(array: NDArray[np.uint8], quotes: IntArray, end: int, delimiter: int) -> int:
    """Where the first quotation mark stands that neither opens nor closes a cell; or the end."""
    # What may stand on the outer side of a quotation mark.
    border = np.isin(np.arange(256), [delimiter, _QUOTE, _LF, _CR])
    opening, closing = quotes[::2], quotes[1::2]
    before = array[np.maximum(opening - 1, 0)]
    closing = closing[closing + 1 < end]
    first = ~border[before]
    if len(opening) and opening[0] == 0:
        first[0] = False
    wrong = opening[first], closing[~border[array[closing + 1]]]
    return min((int(one[0]) for one in wrong if len(one)), default=end)


def _doubts(
    array: NDArray[np.uint8],
    ends: IntArray,
    cells: IntArray,
    quotes: IntArray,
    inner: IntArray,
    n_columns: int,
    delimiter: int,
) -> BoolArray:
    """Which records must be looked at one by one, though each mark is in its place.

    A record with marks and too few or too many cells; and one over several lines that may be rows.
    """
    doubts = np.zeros(len(ends), dtype=bool)
    ragged = np.flatnonzero(cells != n_columns)
    if len(ragged):
        before = np.searchsorted(quotes, np.concatenate([[0], ends])[ragged])
        doubts[ragged] = np.searchsorted(quotes, ends[ragged]) > before
    owner = np.searchsorted(ends, inner, side="right")
    for record in np.unique(owner[owner < len(ends)]).tolist():
        begin = int(ends[record - 1]) if record else 0
        if not doubts[record]:
            doubts[record] = holds_rows(array[begin : ends[record]].tobytes(), n_columns, delimiter)
    return doubts


def holds_rows(record: bytes, n_columns: int, delimiter: int) -> bool:
    """Whether a record of several lines looks like rows that a forgotten mark has swallowed.

    One of its inner lines, or all of them, would be a row by itself. With two columns or fewer any
    sentence may look like a row, so nothing follows from it.
    """
    lines = record.splitlines()
    if n_columns <= 2 or len(lines) < 2:
        return False
    like_rows = [line.count(delimiter) == n_columns - 1 for line in lines]
    return any(like_rows[1:-1]) or all(like_rows)


def _lines(
    data: bytes,
    array: NDArray[np.uint8],
    is_end: BoolArray,
    begins: IntArray,
    end: int,
    *,
    simple: bool,
) -> tuple[IntArray, int]:
    """Lines before each record, and ends of lines before ``end``."""
    if simple:
        return np.arange(len(begins)), len(begins)
    line_ends = np.flatnonzero(is_end[:end])
    if b"\r\n" in data:
        second = (array[line_ends] == _LF) & (array[np.maximum(line_ends - 1, 0)] == _CR)
        second &= line_ends > 0
        line_ends = line_ends[~second]
    return np.searchsorted(line_ends, begins), len(line_ends)


def _unquote(
    array: NDArray[np.uint8],
    quotes: IntArray,
    stops: IntArray,
    starts: IntArray,
    lengths: IntArray,
) -> None:
    """Take the marks around quoted cells away.

    All marks are in sound records: any other record that has some is doubtful.
    """
    opening = quotes[::2]
    if _MANY_QUOTED * len(opening) > starts.size:
        quoted = array[starts] == _QUOTE
        np.add(starts, 1, out=starts, where=quoted)
        np.subtract(lengths, 2, out=lengths, where=quoted)
        return
    doubled = (opening > 0) & (array[np.maximum(opening - 1, 0)] == _QUOTE)
    cells = np.searchsorted(stops.reshape(-1), opening[~doubled])
    starts.reshape(-1)[cells] += 1
    lengths.reshape(-1)[cells] -= 2
