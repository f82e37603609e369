"""What sources of text have in common: a stream of bytes, looked at through a window."""

from __future__ import annotations

from bayesdx.errors import Fault, InvalidCase, Phrase
from bayesdx.tables.sources.chunks import CaseSource
from bayesdx.tables.sources.signatures import refuse_foreign
from bayesdx.tables.sources.streams import BLOCK, ByteStream
from bayesdx.tables.sources.window import Window

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
#: Bytes looked at for telling what an input is.
_BEGINNING = 64


class TextSource(CaseSource):
    """Cases in text that is read block by block.

    Parameters
    ----------
    stream : ByteStream
    chunk_rows : int
    block : int
        Bytes read at once; what is read does not depend on it.
    """

    def __init__(self, stream: ByteStream, chunk_rows: int, block: int = BLOCK) -> None:
        self._stream = stream
        self._chunk_rows = chunk_rows
        self._window = Window(stream, block)
        self.name, self.size, self.rows = stream.name, stream.size, None
        self.paths = () if stream.path is None else (stream.path,)

    def progress(self) -> float | None:
        """Share of the stored bytes that was read."""
        return self._stream.progress()

    def digest(self) -> str:
        """SHA-256 of the stored bytes, those of a compressed file as they are."""
        return self._stream.digest()

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def _begin(self, called: str, first: str) -> None:
        """Pass over a byte order mark and blank lines; refuse other formats, and nothing at all."""
        window = self._window
        window.need(_BEGINNING)
        refuse_foreign(window.data[:_BEGINNING], self.name, called)
        if window.data.startswith(_BYTE_ORDER_MARK):
            window.take(len(_BYTE_ORDER_MARK), 0)
        while window.need(2) and window.data[window.at] in b"\r\n":
            pair = window.data[window.at : window.at + 2] == b"\r\n"
            window.take(window.at + (2 if pair else 1), 1)
        if not window.need(1):
            raise InvalidCase(Fault(f"{self.name}:1:1", first, Phrase("an empty file")))
