"""A stretch of a byte stream that can be looked at before it is taken."""

from __future__ import annotations

import re

from bayesdx.tables.sources.streams import BLOCK, ByteStream

#: The byte between cells, unless told otherwise.
COMMA = ord(",")
LINE_END = re.compile(rb"[\r\n]")


class Window:
    """The bytes that come next in a stream.

    A file whose last line has no end gets one, so that every line has.

    Attributes
    ----------
    data : bytes
    at : int
        Where in `data` the bytes begin that were not taken yet.
    line : int
        Line of `at`, from 1.
    ended : bool
        Whether `data` holds all that is left.
    delimiter : int
        The byte between cells.
    """

    def __init__(self, stream: ByteStream, block: int = BLOCK) -> None:
        self._stream = stream
        self._block = block
        self._after_return = False
        self._last = b"\n"
        self.data = b""
        self.at = 0
        self.line = 1
        self.ended = False
        self.delimiter = COMMA

    def need(self, count: int) -> bool:
        """Hold at least ``count`` bytes, or all that are left; tell whether there are any."""
        held = len(self.data) - self.at
        if held < count and not self.ended:
            parts = [self.data[self.at :]]
            while held < count and not self.ended:
                part = self._stream.read(self._block)
                if part:
                    self._last = part[-1:]
                else:
                    self.ended = True
                    part = b"" if self._last in b"\r\n" else b"\n"
                parts.append(part)
                held += len(part)
            self.data, self.at = b"".join(parts), 0
        if self._after_return and self.at < len(self.data):
            # The second half of a line end whose first half was taken with the line.
            self.at += self.data[self.at] == 10
            self._after_return = False
        return self.at < len(self.data)

    def take(self, end: int, lines: int) -> None:
        """Pass over the bytes up to ``end``, which hold so many ends of lines."""
        if end > self.at:
            self._after_return = self.data[end - 1] == 13
            self.at = end
        self.line += lines

    def skip_line(self) -> None:
        """Pass over the rest of a line, however long, without holding it."""
        while self.need(1):
            found = LINE_END.search(self.data, self.at)
            if found:
                self.take(found.end(), 1)
                return
            self.take(len(self.data), 0)
