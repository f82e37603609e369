"""Ctrl-C and SIGTERM end a long command at once, and are never lost."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

#: What a shell reports of a program that was asked to end.
TERMINATED = 143


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

    if threading.current_thread() is not threading.main_thread():
        yield end
        return
    before = {signal.SIGTERM: signal.signal(signal.SIGTERM, note)}
    # Where Ctrl-C is to be ignored, as in the background, it is.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        before[signal.SIGINT] = signal.signal(signal.SIGINT, note)
    try:
        yield end
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
