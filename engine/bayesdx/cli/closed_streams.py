"""Standard streams that whoever started the process had closed: Python puts None there.

Standard input is then as an empty one. What is printed must not be lost without a word: the first
that is ends the command.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, NoReturn

from bayesdx.errors import Fault, InvalidCase, Phrase


class ClosedOutput(io.TextIOBase):
    """In place of standard output: whatever is written is refused."""

    #: With none, typer would wrap it, so that all letters can be printed.
    encoding = "utf-8"
    errors = "strict"

    @property
    def closed(self) -> bool:
        """True, for who asks before the work."""
        return True

    @property
    def buffer(self) -> IO[bytes]:
        """What takes bytes: nothing does."""
        _refuse()

    def write(self, text: str, /) -> int:
        """Refuse; what is no text is refused as a stream of text does, which is how it is told."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        return _refuse() if text else 0

    def isatty(self) -> bool:
        """No; a closed stream of Python would not say."""
        return False

    def writable(self) -> bool:
        """Yes, so that it comes to `write`."""
        return True

    def flush(self) -> None:
        """Nothing is held back."""


def _refuse() -> NoReturn:
    raise InvalidCase(Fault("standard output", "a place to write to", Phrase("none")))


@contextmanager
def filled_in() -> Iterator[None]:
    """Put something in place of closed streams for as long as a command runs."""
    before = sys.stdin, sys.stdout
    with open(os.devnull, encoding="utf-8") as empty:
        if sys.stdin is None:
            sys.stdin = empty
        if sys.stdout is None:
            sys.stdout = ClosedOutput()
        try:
            yield
        finally:
            sys.stdin, sys.stdout = before
