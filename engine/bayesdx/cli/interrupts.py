"""Ctrl-C and SIGTERM end a command at once, with one line, and are never lost."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

#: What a shell reports of a program that was interrupted, and of one that was asked to end.
INTERRUPTED, TERMINATED = 130, 143


@contextmanager
def heard() -> Iterator[None]:
    """Let Ctrl-C end the process at once, as long as there is nothing but imports to leave.

    An exception in the middle of an import can come out as another one, or not at all.
    `imports_are_over` ends this; so does the end of what is done meanwhile.
    """
    before = signal.getsignal(signal.SIGINT)
    # Where Ctrl-C is to be ignored, as in the background, it is; only a main thread can say so.
    if before is signal.default_int_handler:
        with suppress(ValueError):
            signal.signal(signal.SIGINT, _leave)
    try:
        yield
    finally:
        imports_are_over()


def imports_are_over() -> None:
    """Let Ctrl-C raise KeyboardInterrupt again: there may be something to clean up from now on."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def told() -> int:
    """Say that a command was interrupted, and return its exit code."""
    print("\nbayesdx: interrupted.", file=sys.stderr)
    return INTERRUPTED


def _leave(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - as signals call it
    os.write(2, b"\nbayesdx: interrupted.\n")
    os._exit(INTERRUPTED)


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
