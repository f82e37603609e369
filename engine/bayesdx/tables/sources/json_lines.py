"""JSON lines as a stream of chunks: one object a line, its keys the columns."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from bayesdx.errors import Fault, InvalidCase, Phrase, nearest_names
from bayesdx.tables.reserved import RESERVED
from bayesdx.tables.sources.chunks import CaseChunk, RowFault
from bayesdx.tables.sources.headers import header_faults
from bayesdx.tables.sources.pieces import MOST_CELL, MOST_RAW, STEP
from bayesdx.tables.sources.streams import BLOCK, ByteStream
from bayesdx.tables.sources.strict import MOST_RECORD
from bayesdx.tables.sources.text_source import TextSource
from bayesdx.tables.sources.window import Window

#: Rows at the beginning whose keys are the columns.
HEADER_ROWS = 1000
_OBJECT = 'an object on each line, as {"age": 41}'
Pairs = list[tuple[str, Any]]


class JsonLinesSource(TextSource):
    """Cases as JSON lines.

    The columns are the keys of the first `HEADER_ROWS` rows, in the order in which they appear; a
    key that comes up later is a fault of its row. A key that a row does not have, or null, is not
    known. Values are text, numbers, true or false; cells hold them as text, which reads the same.

    Parameters
    ----------
    stream : ByteStream
    chunk_rows : int
    block : int
        Bytes read at once; what is read does not depend on it.
    plain : collection of str
        Keys whose values are kept as text, besides the reserved ones.

    Raises
    ------
    InvalidCase
        With every fault of the keys.
    """

    def __init__(
        self,
        stream: ByteStream,
        chunk_rows: int,
        block: int = BLOCK,
        plain: Collection[str] = (),
    ) -> None:
        super().__init__(stream, chunk_rows, block)
        self._plain = frozenset((*RESERVED, *plain))
        self._begin("JSON lines", _OBJECT)
        self._lines = _read_lines(self._window)
        self._ahead: list[tuple[int, bytes | None]] = []
        self.columns = self._read_keys()
        self._keys = {name: position for position, name in enumerate(self.columns)}

    def chunks(self, skip: int = 0) -> Iterator[CaseChunk]:
        """Yield the chunks; lines of those that are skipped are only counted."""
        size, first = self._chunk_rows, 0
        held: list[tuple[int, bytes | None]] = []
        try:
            for line in self._all_lines():
                held.append(line)
                if len(held) == size:
                    if first >= skip * size:
                        yield self._chunk(first, held)
                    first, held = first + size, []
        except InvalidCase:
            # What was read before the input broke off is still told.
            if held and first >= skip * size:
                yield self._chunk(first, held)
            raise
        if held and first >= skip * size:
            yield self._chunk(first, held)

    def _all_lines(self) -> Iterator[tuple[int, bytes | None]]:
        yield from self._ahead
        self._ahead = []
        yield from self._lines

    def _read_keys(self) -> tuple[str, ...]:
        names: dict[str, None] = {}
        faults = []
        held = 0
        for line, data in self._lines:
            self._ahead.append((line, data))
            read = _read_object(data, self.name, line)
            if isinstance(read, Fault):
                faults.append(read)
            else:
                names.update(dict.fromkeys(key.strip() for key, _ in read))
            held += len(data or b"")
            if len(self._ahead) == HEADER_ROWS or held > MOST_RECORD:
                break
        if not names:
            none = Fault(f"{self.name}:1:1", _OBJECT, Phrase("none with a key"))
            raise InvalidCase(faults[:1] or none)
        first = self._ahead[0][0]
        if wrong := header_faults(list(names), self.name, first):
            raise InvalidCase(wrong)
        return tuple(names)

    def _chunk(self, first: int, held: list[tuple[int, bytes | None]]) -> CaseChunk:
        rows: list[int] = []
        lines: list[int] = []
        counts: list[int] = []
        keys: list[str] = []
        texts: list[str] = []
        faults = []
        for row, (line, data) in enumerate(held):
            read = self._texts(_read_object(data, self.name, line), line)
            if isinstance(read, Fault):
                raw = (data or b"")[:MOST_RAW].decode("utf-8", "backslashreplace")
                faults.append(RowFault(first + row, read, raw))
                continue
            keys.extend(read)
            texts.extend(read.values())
            counts.append(len(read))
            rows.append(first + row)
            lines.append(line)
        at = [self._keys[key] for key in keys]
        arrays = _columns(self.columns, counts, at, texts, self._plain)
        return CaseChunk(
            first,
            len(held),
            pa.Table.from_arrays(arrays, names=list(self.columns)),
            np.array(rows, dtype=np.int64),
            np.array(lines, dtype=np.int64),
            tuple(faults),
        )

    def _texts(self, pairs: Pairs | Fault, line: int) -> Mapping[str, str] | Fault:
        """The cells of a row, as text, by the keys as they stand."""
        if isinstance(pairs, Fault):
            return pairs
        row = dict(pairs)
        if len(row) == len(pairs) and row.keys() <= self._keys.keys():
            try:
                together = "".join(row.values())
            except TypeError:
                pass  # Not all of them are text.
            else:
                if _strange(together) is None:
                    return row
        return self._checked(pairs, f"{self.name}:{line}")

    def _checked(self, pairs: Pairs, place: str) -> Mapping[str, str] | Fault:
        """The same, key by key."""
        texts: dict[str, str] = {}
        for key, value in pairs:
            column = key.strip()
            if column in texts:
                return Fault(f"{place}:{column}", "each key once", key)
            if column not in self._keys:
                near = nearest_names(column, self.columns)
                expected = f"a key that one of the first {HEADER_ROWS} rows has"
                return Fault(f"{place}:1", expected, key, near)
            text = value if type(value) is str else _text(value)
            if text is None:
                got = value if not isinstance(value, (list, dict)) else Phrase(_called(value))
                return Fault(f"{place}:{column}", "text, a number, true, false or null", got)
            if wrong := _strange(text):
                return Fault(f"{place}:{column}", *wrong)
            texts[column] = text
        return texts


def _read_lines(window: Window) -> Iterator[tuple[int, bytes | None]]:
    """Yield each line that is not blank with its number; None for one that is too long."""
    step = STEP
    while window.need(step):
        stop = min(window.at + step, len(window.data))
        end = max(
            window.data.rfind(b"\n", window.at, stop), window.data.rfind(b"\r", window.at, stop)
        )
        if end < 0:
            if stop - window.at > MOST_RECORD:
                yield window.line, None
                window.skip_line()
                step = STEP
            else:
                step = min(step * 8, MOST_RECORD + 2)
            continue
        first = window.line
        lines = window.data[window.at : end + 1].splitlines()
        window.take(end + 1, len(lines))
        step = STEP
        for number, line in enumerate(lines, start=first):
            if line.strip():
                yield number, line


def _read_object(data: bytes | None, name: str, line: int) -> Pairs | Fault:
    """The keys and values of a line, or what is wrong with it."""
    if data is None:
        got = Phrase("a longer one")
        return Fault(f"{name}:{line}:1", f"a line of at most {MOST_RECORD >> 20} MiB", got)
    try:
        read = _DECODER.decode(data.decode())
    except UnicodeDecodeError as reason:
        return Fault(f"{name}:{line}:{reason.start + 1}", "UTF-8 text", data[reason.start :][:1])
    except json.JSONDecodeError as reason:
        return Fault(f"{name}:{line}:{reason.colno}", _OBJECT, Phrase(reason.msg))
    except (ValueError, RecursionError) as reason:
        return Fault(f"{name}:{line}:1", _OBJECT, Phrase(str(reason)))
    if not isinstance(read, _Pairs):
        return Fault(f"{name}:{line}:1", _OBJECT, read)
    return read


class _Pairs(list[tuple[str, Any]]):
    """An object as it stands, a key that comes twice in it twice."""


def _no_number(word: str) -> float:
    raise ValueError(f"{word}, which is no number")


#: A broken number stays as it is written: 1e-400 is not 0, and an id keeps its digits.
_DECODER = json.JSONDecoder(object_pairs_hook=_Pairs, parse_constant=_no_number, parse_float=str)


def _text(value: object) -> str | None:
    """A value as text; blank for null, None for what no cell can hold."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else None
    return None


def _called(value: object) -> str:
    return "an object" if isinstance(value, _Pairs) else "an array"


def _strange(text: str) -> tuple[str, object] | None:
    """What is wrong with a text, if anything is."""
    if text.isascii() and "\0" not in text and len(text) <= MOST_CELL:
        return None
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return "text that UTF-8 can hold", text
    if size > MOST_CELL:
        return f"a cell of at most {MOST_CELL >> 20} MiB", Phrase(f"one of {size} bytes")
    return ("text without NUL", text) if "\0" in text else None


def _columns(
    names: tuple[str, ...],
    counts: list[int],
    columns: list[int],
    texts: list[str],
    plain: Collection[str],
) -> list[pa.Array]:
    """Columns of N rows with so many cells each; each distinct text is kept once a column."""
    words = list(dict.fromkeys(texts))
    positions = {word: position for position, word in enumerate(words)}
    codes = np.array([positions[text] for text in texts], dtype=np.int64)
    rows = np.repeat(np.arange(len(counts)), counts)
    owners = np.array(columns, dtype=np.int64)
    order = np.argsort(owners, kind="stable")
    stops = np.searchsorted(owners[order], np.arange(len(names) + 1))
    arrays = []
    for column, name in enumerate(names):
        cells = order[stops[column] : stops[column + 1]]
        found, used = pd.factorize(codes[cells])
        at = np.full(len(counts), -1, dtype=np.int32)
        at[rows[cells]] = found
        indices = pa.array(at, mask=at < 0)
        dictionary = pa.array([words[word] for word in used.tolist()], pa.string())
        coded = pa.DictionaryArray.from_arrays(indices, dictionary)
        arrays.append(coded.cast(pa.string()) if name in plain else coded)
    return arrays
