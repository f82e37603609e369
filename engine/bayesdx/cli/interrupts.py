"""Ctrl-C ends a command at once, with one line.

Hardly anything is imported here: until `leave_at_once` is called, Ctrl-C is a traceback.
"""

from __future__ import annotations

import os
import signal
import sys

#: What a shell reports of a program that was interrupted.
INTERRUPTED = 130


def leave_at_once() -> None:
    """Let Ctrl-C end the process at once, as long as there is nothing but imports to leave.

    An exception in the middle of an import can come out as another one, or not at all.
    """
    # Where Ctrl-C is to be ignored, as in the background, it is.
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return
    try:
        signal.signal(signal.SIGINT, _leave)
    except ValueError:
        # Only a main thread hears signals.
        return


def imports_are_over() -> None:
    """Let Ctrl-C raise KeyboardInterrupt again: there may be something to clean up from now on."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def told() -> int:
    """Say that a command was interrupted, and return its exit code."""
    print("\nbayesdx: interrupted.", file=sys.stderr)
    return INTERRUPTED


def _leave(number: int, frame: object) -> None:  # noqa: ARG001 - as signals call it
    os.write(2, b"\nbayesdx: interrupted.\n")
    os._exit(INTERRUPTED)
