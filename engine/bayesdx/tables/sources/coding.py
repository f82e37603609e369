"""Cells of CSV text to Arrow columns: each distinct cell of a chunk is made a text once."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bayesdx.errors import Fault, InvalidCase, Phrase
from bayesdx.tables.reserved import RESERVED
from bayesdx.tables.sources.chunks import CaseChunk, RowFault
from bayesdx.tables.sources.pieces import Piece
from bayesdx.tables.sources.structure import IntArray

#: Bytes of text that one chunk may hold.
MOST_CHUNK = 1 << 29
#: Cells up to this many bytes are told apart as one number.
WORD = 8
_MASKS = np.array([(1 << (8 * n)) - 1 for n in range(WORD + 1)], dtype=np.uint64)
#: Words for which room is made at first, and cells at most.
_WORDS, _ROOM = 1 << 10, 1 << 22
#: Pairs of word and column that are kept in a table.
_MOST_PAIRS = 1 << 24


class ChunkCoder:
    """Gathers the pieces of one chunk.

    Columns that are about the case are kept as text. In all others a cell is looked up twice: its
    bytes among the words of the chunk, then the word among those of its column, in a table of words
    and columns. Both number what they meet in the order in which it is met.
    """

    def __init__(
        self,
        columns: tuple[str, ...],
        first: int,
        rows: int,
        name: str,
        plain: Collection[str] = RESERVED,
    ) -> None:
        self._columns = columns
        self._name = name
        self._first = first
        self._text = [i for i, column in enumerate(columns) if column in plain]
        room = min(rows, max(_ROOM // len(columns), 1))
        self._codes = np.empty((len(columns), room), dtype=np.int32)
        self._texts: list[list[tuple[bytes, IntArray]]] = [[] for _ in self._text]
        self._words: dict[bytes, int] = {b"": 0}
        self._by_key: dict[int, int] = {}
        self._in_column = np.full((_WORDS, len(columns)), -1, dtype=np.int32)
        self._in_column[0] = 0
        self._by_pair: dict[int, int] = {}
        self._used: list[list[int]] = [[0] for _ in columns]
        self._lines: list[IntArray] = []
        self._sound: list[NDArray[np.bool_]] = []
        self._faults: list[RowFault] = []
        self._bytes = 0
        self._good = 0
        self.count = 0

    def skip(self, piece: Piece) -> None:
        """Count records without reading their cells."""
        self.count += len(piece)

    def add(self, piece: Piece) -> None:
        """Add records.

        Raises
        ------
        InvalidCase
            The chunk would hold more text than fits into memory.
        """
        self._bytes += int(piece.lengths.sum())
        if self._bytes > MOST_CHUNK:
            got = Phrase(f"more in {self.count + len(piece)} rows: take fewer rows a chunk")
            expected = f"at most {MOST_CHUNK >> 20} MiB of text in a chunk"
            raise InvalidCase(Fault(f"{self._name}:{piece.lines[0]}:1", expected, got))
        first = self._first + self.count
        self._faults += [
            RowFault(first + row, piece.faults[row], piece.raw[row]) for row in sorted(piece.faults)
        ]
        self._lines.append(piece.lines[piece.sound])
        self._sound.append(piece.sound)
        self.count += len(piece)
        if not len(piece.starts):
            return
        array = np.frombuffer(piece.data + bytes(WORD), dtype=np.uint8)
        for texts, column in zip(self._texts, self._text, strict=True):
            texts.append(_gather(piece, array, column))
        self._make_room(len(piece.starts))
        codes = self._code(piece, array).reshape(piece.starts.shape)
        self._codes[:, self._good : self._good + len(codes)] = codes.T
        self._good += len(codes)

    def finish(self) -> CaseChunk:
        """Return the chunk."""
        sound = np.concatenate([*self._sound, np.zeros(0, dtype=bool)])
        lines = np.concatenate([*self._lines, np.zeros(0, dtype=np.int64)]).astype(np.int64)
        rows = self._first + np.flatnonzero(sound)
        arrays = self._divided()
        for column, texts in zip(self._text, self._texts, strict=True):
            arrays[column] = _joined(texts)
        cells = pa.Table.from_arrays(arrays, names=list(self._columns))
        return CaseChunk(self._first, self.count, cells, rows, lines, tuple(self._faults))

    def _make_room(self, rows: int) -> None:
        width, held = self._codes.shape
        if self._good + rows > held:
            # Doubling keeps the copying in proportion to the rows.
            room = np.empty((width, max(2 * held, self._good + rows)), dtype=np.int32)
            room[:, : self._good] = self._codes[:, : self._good]
            self._codes = room

    def _code(self, piece: Piece, array: NDArray[np.uint8]) -> NDArray[np.int32]:
        """Positions of the cells of a piece among the words of their columns, laid flat."""
        filled = piece.lengths > 0
        filled[:, self._text] = False
        cells = np.flatnonzero(filled)
        begin = np.take(piece.starts, cells)
        words = self._word_codes(piece.data, array, begin, np.take(piece.lengths, cells))
        width = len(self._columns)
        columns = np.take(np.tile(np.arange(width, dtype=np.int32), len(piece.starts)), cells)
        codes = np.zeros(filled.size, dtype=np.int32)
        codes[cells] = self._column_codes(words * width + columns)
        return codes

    def _column_codes(self, pairs: IntArray) -> NDArray[np.int32]:
        """Positions among the words of a column, of pairs ``word * columns + column``."""
        if len(self._words) * len(self._columns) > _MOST_PAIRS:
            # Very many distinct cells: a table of all pairs would be larger than the cells.
            found, distinct = pd.factorize(pairs)
            known = [self._pair(pair) for pair in distinct.tolist()]
            return np.array(known, dtype=np.int32)[found]
        if len(self._words) > len(self._in_column):
            self._in_column = _doubled(self._in_column, len(self._words))
        flat = self._in_column.reshape(-1)
        codes: NDArray[np.int32] = np.take(flat, pairs)
        if len(codes) and codes.min() < 0:
            new, first = np.unique(pairs[codes < 0], return_index=True)
            new = new[np.argsort(first)]
            flat[new] = [self._pair(pair) for pair in new.tolist()]
            codes = np.take(flat, pairs)
        return codes

    def _pair(self, pair: int) -> int:
        code = self._by_pair.get(pair)
        if code is None:
            word, column = divmod(pair, len(self._columns))
            code = self._by_pair[pair] = len(self._used[column])
            self._used[column].append(word)
        return code

    def _word_codes(
        self, data: bytes, array: NDArray[np.uint8], begin: IntArray, length: IntArray
    ) -> IntArray:
        """Positions of cells among the words of the chunk."""
        # Eight bytes from every position on: one read takes a whole cell. What follows a shorter
        # one is masked; no cell holds a zero byte, so no two cells become the same number.
        eights = np.ndarray((len(array) - WORD + 1,), dtype="<u8", buffer=array.data, strides=(1,))
        keys: NDArray[np.uint64] = eights[begin]
        keys &= np.take(_MASKS, np.minimum(length, WORD))
        long = np.flatnonzero(length > WORD)
        if not len(long):
            return self._short(keys)
        codes = np.empty(len(begin), dtype=np.intp)
        short = np.flatnonzero(length <= WORD)
        codes[short] = self._short(keys[short])
        codes[long] = self._long(data, eights, keys[long], begin[long], length[long])
        return codes

    def _short(self, keys: NDArray[np.uint64]) -> IntArray:
        found, distinct = pd.factorize(keys)
        known = [self._by_key.get(key, -1) for key in distinct.tolist()]
        for position, code in enumerate(known):
            if code < 0:
                key = int(distinct[position])
                code = self._word(key.to_bytes(WORD, "little").rstrip(b"\0"))
                self._by_key[key] = known[position] = code
        result: IntArray = np.take(np.array(known, dtype=np.intp), found)
        return result

    def _long(
        self,
        data: bytes,
        eights: NDArray[np.uint64],
        heads: NDArray[np.uint64],
        begin: IntArray,
        length: IntArray,
    ) -> IntArray:
        """The same of cells of more than eight bytes: those of up to sixteen as two numbers."""
        tails = eights[np.minimum(begin + WORD, len(eights) - 1)]
        tails &= _MASKS[np.minimum(length - WORD, WORD)]
        head, heads_met = pd.factorize(heads)
        tail, tails_met = pd.factorize(tails)
        pairs = head * len(tails_met) + tail
        # Longer ones are told apart one by one.
        far = np.flatnonzero(length > 2 * WORD)
        pairs[far] = len(heads_met) * len(tails_met) + np.arange(len(far))
        found, distinct = pd.factorize(pairs)
        sample = np.empty(len(distinct), dtype=np.intp)
        sample[found[::-1]] = np.arange(len(found))[::-1]
        spans = zip(begin[sample].tolist(), length[sample].tolist(), strict=True)
        codes = [self._word(data[start : start + size]) for start, size in spans]
        result: IntArray = np.array(codes, dtype=np.intp)[found]
        return result

    def _word(self, text: bytes) -> int:
        return self._words.setdefault(text, len(self._words))

    def _divided(self) -> list[pa.Array]:
        """Each column with the words that it uses."""
        texts = [word.replace(b'""', b'"').decode() for word in self._words]
        arrays = []
        for codes, used in zip(self._codes[:, : self._good], self._used, strict=True):
            dictionary = pa.array([texts[word] for word in used], pa.string())
            arrays.append(
                pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), dictionary, safe=False)
            )
        return arrays


def _doubled(table: NDArray[np.int32], rows: int) -> NDArray[np.int32]:
    larger = np.full((2 * rows, table.shape[1]), -1, dtype=np.int32)
    larger[: len(table)] = table
    return larger


def _gather(piece: Piece, array: NDArray[np.uint8], column: int) -> tuple[bytes, IntArray]:
    """Text of one column, cell after cell, and where each ends."""
    start, length = piece.starts[:, column], piece.lengths[:, column]
    ends = np.cumsum(length)
    source = np.repeat(start - (ends - length), length) + np.arange(int(length.sum()))
    return array[source].tobytes(), ends


def _joined(texts: list[tuple[bytes, IntArray]]) -> pa.Array:
    """Texts of one column as an array; every mark in them is half of a doubled one."""
    data = b"".join(text for text, _ in texts)
    offsets = np.zeros(1 + sum(len(ends) for _, ends in texts), dtype=np.int32)
    at, base = 1, 0
    for text, ends in texts:
        offsets[at : at + len(ends)] = ends + base
        at, base = at + len(ends), base + len(text)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    array = pa.Array.from_buffers(pa.string(), len(offsets) - 1, buffers)
    return pc.replace_substring(array, '""', '"') if b'""' in data else array
