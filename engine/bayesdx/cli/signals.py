"""SIGTERM and Ctrl-C end a long command that has something to clean up, and are never lost."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from bayesdx.cli.interrupts import TERMINATED


@contextmanager
def ended_by_signals() -> Iterator[Callable[[], None]]:
    """Let SIGTERM end what is done meanwhile as Ctrl-C does, so that it can clean up.

    Python raises the exception of a signal wherever the program happens to be. Where that is a
    call by a library that ignores errors, it is lost, and the program goes on.

    Yields
    ------
    function of nothing
        Raises that exception again, if there was one. To be called now and then.

    Raises
    ------
    KeyboardInterrupt
        By Ctrl-C.
    SystemExit
        With `TERMINATED`, by SIGTERM.
    """
    got: list[int] = []

    def end() -> None:
        if got:
            raise KeyboardInterrupt if got[0] == signal.SIGINT else SystemExit(TERMINATED)

    def note(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - as signals call it
        got.append(number)
        end()

    try:
        before = {signal.SIGTERM: signal.signal(signal.SIGTERM, note)}
    except ValueError:
        # Not the main thread: signals go elsewhere.
        yield end
        return
    # Where Ctrl-C is to be ignored, as in the background, it is.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        before[signal.SIGINT] = signal.signal(signal.SIGINT, note)
    try:
        yield end
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
