"""CSV as a stream of chunks."""

from __future__ import annotations

from collections.abc import Iterator

from bayesdx.errors import Fault, InvalidCase, Phrase
from bayesdx.tables.sources.chunks import CaseChunk
from bayesdx.tables.sources.coding import ChunkCoder
from bayesdx.tables.sources.headers import header_faults
from bayesdx.tables.sources.pieces import read_pieces, wrong_text
from bayesdx.tables.sources.streams import BLOCK, ByteStream
from bayesdx.tables.sources.strict import MOST_RECORD, scan
from bayesdx.tables.sources.text_source import TextSource

#: Bytes in which the end of the header is looked for at first.
_HEADER = 1 << 16


class CsvSource(TextSource):
    """Cases in CSV: commas, a header line, UTF-8, quotation marks doubled inside.

    Every cell is text as written: guesses would turn a finding `NA` into nothing and grades `1`,
    `` into 1.0 and NaN. A row that is not sound is told and left out, never mended, because a
    shifted row gives a plausible and wrong posterior. Blank lines are no rows.

    Parameters
    ----------
    stream : ByteStream
    chunk_rows : int
    block : int
        Bytes read at once; what is read does not depend on it.

    Raises
    ------
    InvalidCase
        With every fault of the header.
    """

    def __init__(self, stream: ByteStream, chunk_rows: int, block: int = BLOCK) -> None:
        super().__init__(stream, chunk_rows, block)
        self._begin("CSV text", "a header line")
        self.columns = self._read_header()

    def chunks(self, skip: int = 0) -> Iterator[CaseChunk]:
        """Yield the chunks; of those that are skipped only the records are counted."""
        number, size = 0, self._chunk_rows
        coder = ChunkCoder(self.columns, 0, size, self.name)
        try:
            for piece in read_pieces(self._window, len(self.columns), self.name):
                at = 0
                while at < len(piece):
                    part = piece.part(at, at + size - coder.count)
                    at += len(part)
                    if number < skip:
                        coder.skip(part)
                    else:
                        coder.add(part)
                    if coder.count == size:
                        if number >= skip:
                            yield coder.finish()
                        number += 1
                        coder = ChunkCoder(self.columns, number * size, size, self.name)
        except InvalidCase:
            # What was read before the rest became unknowable is still told.
            if coder.count and number >= skip:
                yield coder.finish()
            raise
        if coder.count and number >= skip:
            yield coder.finish()

    def _read_header(self) -> tuple[str, ...]:
        window = self._window
        size = _HEADER
        window.need(size)
        read = scan(window.data, window.at, ended=window.ended)
        while read.end < 0 and not window.ended and size <= MOST_RECORD:
            size = min(16 * size, MOST_RECORD + 2)
            window.need(size)
            read = scan(window.data, window.at, ended=window.ended)
        line = window.line
        if read.expected:
            place = f"{self.name}:{line}:{len(read.cells) + 1}"
            raise InvalidCase(Fault(place, read.expected, Phrase(read.got)))
        names, faults = [], []
        for column, cell in enumerate(read.cells, start=1):
            if wrong := wrong_text(cell):
                faults.append(Fault(f"{self.name}:{line}:{column}", *wrong))
            names.append(cell.decode("utf-8", "replace").strip())
        faults = faults or header_faults(names, self.name, line)
        if faults:
            raise InvalidCase(faults)
        lines = len(window.data[window.at : read.end].splitlines())
        window.take(read.end, lines)
        return tuple(names)
