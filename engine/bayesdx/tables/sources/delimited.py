"""CSV as a stream of chunks."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from bayesdx.errors import Fault, InvalidCase, Phrase
from bayesdx.tables.reserved import RESERVED
from bayesdx.tables.sources.chunks import CaseChunk
from bayesdx.tables.sources.coding import ChunkCoder
from bayesdx.tables.sources.dialect import DELIMITERS, Dialect
from bayesdx.tables.sources.headers import header_faults
from bayesdx.tables.sources.pieces import read_pieces, wrong_text
from bayesdx.tables.sources.streams import BLOCK, ByteStream
from bayesdx.tables.sources.strict import MOST_RECORD, Scanned, scan
from bayesdx.tables.sources.text_source import TextSource

#: Bytes in which the end of the header is looked for at first.
_HEADER = 1 << 16
#: A first line for spreadsheets.
_SEPARATOR = re.compile(rb'"?sep=([^\r\n])"?[ ]*(?:\r\n|\r|\n)', re.IGNORECASE)


class CsvSource(TextSource):
    """Cases in CSV: commas, a header line, UTF-8, quotation marks doubled inside.

    Another mark than the comma where the dialect states one, or a first line ``sep=;`` does, as
    spreadsheets write it. A column without a name is called ``Unnamed: 0`` by its place, as pandas
    calls it.

    Every cell is text as written: guesses would turn a finding `NA` into nothing and grades `1`,
    `` into 1.0 and NaN. A row that is not sound is told and left out, never mended, because a
    shifted row gives a plausible and wrong posterior. Blank lines are no rows.

    Parameters
    ----------
    stream : ByteStream
    chunk_rows : int
    block : int
        Bytes read at once; what is read does not depend on it.
    dialect : Dialect
        The encoding is for the stream.
    plain : collection of str
        Columns that are kept as text, besides the reserved ones.

    Raises
    ------
    InvalidCase
        With every fault of the header.
    """

    def __init__(
        self,
        stream: ByteStream,
        chunk_rows: int,
        block: int = BLOCK,
        dialect: Dialect | None = None,
        plain: Collection[str] = (),
    ) -> None:
        super().__init__(stream, chunk_rows, block)
        self._plain = frozenset((*RESERVED, *plain))
        self._begin("CSV text", "a header line")
        mark = (dialect or Dialect()).mark
        self._window.delimiter = ord(self._separator(mark) or mark or ",")
        self.delimiter = chr(self._window.delimiter)
        self.columns = self._read_header()

    def chunks(self, skip: int = 0) -> Iterator[CaseChunk]:
        """Yield the chunks; of those that are skipped only the records are counted."""
        number, size = 0, self._chunk_rows
        coder = ChunkCoder(self.columns, 0, size, self.name, self._plain)
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
                        first = number * size
                        coder = ChunkCoder(self.columns, first, size, self.name, self._plain)
        except InvalidCase:
            # What was read before the rest became unknowable is still told.
            if coder.count and number >= skip:
                yield coder.finish()
            raise
        if coder.count and number >= skip:
            yield coder.finish()

    def _separator(self, stated: str | None) -> str:
        """Take a first line that says what stands between cells, and return what it says."""
        window = self._window
        found = _SEPARATOR.match(window.data, window.at)
        if found is None:
            return ""
        mark = found[1].decode("ascii", "replace")
        if mark not in DELIMITERS or stated not in (None, mark):
            expected = f"sep={stated}" if stated else "sep= with a comma, semicolon, tab or bar"
            raise InvalidCase(Fault(f"{self.name}:{window.line}:1", expected, mark))
        window.take(found.end(), 1)
        return mark

    def _scanned(self, delimiter: int) -> Scanned:
        window = self._window
        size = _HEADER
        window.need(size)
        read = scan(window.data, window.at, ended=window.ended, delimiter=delimiter)
        while read.end < 0 and not window.ended and size <= MOST_RECORD:
            size = min(16 * size, MOST_RECORD + 2)
            window.need(size)
            read = scan(window.data, window.at, ended=window.ended, delimiter=delimiter)
        return read

    def _other_delimiter(self, read: Scanned) -> Fault | None:
        """Name the option where the header would be one with another mark between cells."""
        window = self._window
        for mark, called in DELIMITERS.items():
            if ord(mark) == window.delimiter or (not read.expected and len(read.cells) > 1):
                continue
            other = self._scanned(ord(mark))
            if not other.expected and len(other.cells) > 1:
                here = DELIMITERS.get(self.delimiter, repr(self.delimiter))
                option = "tab" if mark == "\t" else mark
                decimal = " (with --decimal , where numbers have a comma)" if mark == ";" else ""
                got = Phrase(f"{called}: --delimiter '{option}' reads them{decimal}")
                expected = f"columns separated by {here}"
                return Fault(f"{self.name}:{window.line}:1", expected, got)
        return None

    def _read_header(self) -> tuple[str, ...]:
        window = self._window
        read = self._scanned(window.delimiter)
        line = window.line
        if other := self._other_delimiter(read):
            raise InvalidCase(other)
        if read.expected:
            place = f"{self.name}:{line}:{len(read.cells) + 1}"
            raise InvalidCase(Fault(place, read.expected, Phrase(read.got)))
        names, faults = [], []
        for column, cell in enumerate(read.cells, start=1):
            if wrong := wrong_text(cell):
                faults.append(Fault(f"{self.name}:{line}:{column}", *wrong))
            name = cell.decode("utf-8", "replace").strip()
            names.append(name or f"Unnamed: {column - 1}")
        faults = faults or header_faults(names, self.name, line)
        if faults:
            raise InvalidCase(faults)
        lines = len(window.data[window.at : read.end].splitlines())
        window.take(read.end, lines)
        return tuple(names)
