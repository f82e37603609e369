"""Records of CSV text in handfuls: sound ones with the place of their cells, others as faults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from bayesdx.errors import Fault, InvalidCase, Phrase
from bayesdx.tables.sources.signatures import ENCODING
from bayesdx.tables.sources.strict import MOST_RECORD, judge
from bayesdx.tables.sources.structure import BoolArray, IntArray, Records, find_records
from bayesdx.tables.sources.window import Window

#: Bytes of one cell, at most.
MOST_CELL = 1 << 20
#: Bytes of a faulty record that are kept for telling of it.
MOST_RAW = 1 << 16
#: Bytes looked at together: what the arrays made of them take stays in the processor's cache.
STEP = 1 << 18
#: The same next to a record in doubt, so that a bad file costs little more than a good one.
SHORT_STEP = 1 << 12


@dataclass(frozen=True, eq=False)
class Piece:
    """R consecutive records, G of them sound.

    Attributes
    ----------
    data : bytes
        Text that holds the cells.
    lines : int array (R,)
        On which each begins.
    sound : bool array (R,)
    faults : mapping of position to Fault
        Of each record that is not sound.
    starts, lengths : int arrays (G, columns)
        Content of the cells in ``data``.
    raw : mapping of position to str
        Text of the records that are not sound.
    """

    data: bytes
    lines: IntArray
    sound: BoolArray
    faults: Mapping[int, Fault]
    starts: IntArray
    lengths: IntArray
    raw: Mapping[int, str]

    def __len__(self) -> int:
        return len(self.lines)

    def part(self, first: int, stop: int) -> Piece:
        """Return some of the records."""
        if first == 0 and stop >= len(self):
            return self
        before, after = int(self.sound[:first].sum()), int(self.sound[:stop].sum())
        return Piece(
            self.data,
            self.lines[first:stop],
            self.sound[first:stop],
            {row - first: one for row, one in self.faults.items() if first <= row < stop},
            self.starts[before:after],
            self.lengths[before:after],
            {row - first: text for row, text in self.raw.items() if first <= row < stop},
        )


def read_pieces(window: Window, n_columns: int, name: str) -> Iterator[Piece]:
    """Yield all records of a window, in order.

    Raises
    ------
    InvalidCase
        Where the rest cannot be known.
    """
    step = STEP
    while window.need(step):
        held = min(step, len(window.data) - window.at)
        data = window.data[window.at : window.at + held]
        line = window.line
        records = find_records(data, n_columns, window.delimiter)
        if records.end:
            window.take(window.at + records.end, records.line_ends)
            if len(records.begins):
                yield _piece(data, records, line, n_columns, name)
            step = min(step * 2, STEP)
        whole = held > MOST_RECORD or (window.ended and window.at + held == len(window.data))
        if records.doubtful or (not records.end and whole):
            yield _judged(window, n_columns, name)
            step = SHORT_STEP
        elif not records.end:
            # No record ends in what was looked at.
            step = min(step * 8, MOST_RECORD + 2)


def _judged(window: Window, n_columns: int, name: str) -> Piece:
    """The next record, looked at by itself."""
    line = window.line
    window.need(MOST_RAW)
    raw = _raw(window.data[window.at : window.at + MOST_RAW])
    judged = judge(window, n_columns)
    if not judged.expected:
        records = find_records(judged.data, n_columns, window.delimiter)
        return _piece(judged.data, records, line, n_columns, name)
    fault = Fault(f"{name}:{line}:{judged.column}", judged.expected, judged.got)
    if judged.fatal:
        raise InvalidCase(fault)
    none = np.empty((0, n_columns), dtype=np.intp)
    one = np.array([line])
    return Piece(b"", one, np.zeros(1, dtype=bool), {0: fault}, none, none, {0: raw})


def _piece(data: bytes, records: Records, line: int, n_columns: int, name: str) -> Piece:
    """Put the faults of records in words: too few or too many cells, and what is in them."""
    lines, cells = records.lines + line, records.cells
    faults: dict[int, Fault] = {}
    for row in np.flatnonzero(~records.sound).tolist():
        place = f"{name}:{lines[row]}:{min(int(cells[row]), n_columns) + 1}"
        got = Phrase(f"{cells[row]}")
        faults[row] = Fault(place, f"{n_columns} values, as in the header", got)
    sound, starts, lengths = records.sound, records.starts, records.lengths
    if found := _unreadable_cells(data, records):
        rows = np.flatnonzero(sound)
        for good, (column, expected, wrong) in found.items():
            place = f"{name}:{lines[rows[good]]}:{column + 1}"
            faults[int(rows[good])] = Fault(place, expected, wrong)
        kept = np.ones(len(starts), dtype=bool)
        kept[list(found)] = False
        sound = sound.copy()
        sound[rows[~kept]] = False
        starts, lengths = starts[kept], lengths[kept]
    stops = [*records.begins[1:].tolist(), records.end]
    raw = {row: _raw(data[records.begins[row] : stops[row]]) for row in faults}
    return Piece(data, lines, sound, faults, starts, lengths, raw)


def _raw(data: bytes) -> str:
    """The first line of a record, as far as it is kept."""
    return (data.splitlines() or [b""])[0][:MOST_RAW].decode("utf-8", "backslashreplace")


def _unreadable_cells(data: bytes, records: Records) -> dict[int, tuple[int, str, object]]:
    """Find, of each sound record, the first cell that is too long, holds a NUL or is not UTF-8."""
    text = data[: records.end]
    plain = text.isascii() and b"\0" not in text
    if (plain or _is_utf8(text)) and len(text) <= MOST_CELL:
        return {}
    suspects = np.asarray((records.lengths > MOST_CELL).any(axis=1))
    if not plain:
        array = np.frombuffer(text, dtype=np.uint8)
        strange = np.flatnonzero((array == 0) | (array >= 128))
        owner = np.searchsorted(records.begins[records.sound], strange, side="right") - 1
        suspects[owner[owner >= 0]] = True
    found: dict[int, tuple[int, str, object]] = {}
    for row in np.flatnonzero(suspects).tolist():
        spans = zip(records.starts[row].tolist(), records.lengths[row].tolist(), strict=True)
        for column, (start, length) in enumerate(spans):
            wrong = wrong_text(text[start : start + length])
            if wrong is not None:
                found[row] = (column, *wrong)
                break
    return found


def _is_utf8(text: bytes) -> bool:
    try:
        return "\0" not in text.decode()
    except UnicodeDecodeError:
        return False


def wrong_text(cell: bytes) -> tuple[str, object] | None:
    """What was expected of a cell and what was got, where it cannot be read as text."""
    if len(cell) > MOST_CELL:
        return f"a cell of at most {MOST_CELL >> 20} MiB", Phrase(f"one of {len(cell)} bytes")
    if b"\0" in cell:
        return "text without NUL bytes", cell
    try:
        cell.decode()
    except UnicodeDecodeError:
        return (
            f"UTF-8 text (save the file as UTF-8, or name its encoding: {ENCODING})",
            cell,
        )
    return None
