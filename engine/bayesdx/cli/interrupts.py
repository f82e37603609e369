"""Ctrl-C ends a command at once, with one line.

Hardly anything is imported here: until `leave_at_once` is called, Ctrl-C is a traceback.
"""

from __future__ import annotations

import os
import signal
import sys

#: What a shell reports of a program that was interrupted, or asked to end by SIGTERM.
CODES = INTERRUPTED, TERMINATED = 130, 143


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


def end_at_once(code: int) -> None:
    """End the process without a wait for what its threads have in hand, which is given up."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):  # not there, or nobody reads it
            continue
    os._exit(code)


def _leave(number: int, frame: object) -> None:  # noqa: ARG001 - as signals call it
    os.write(2, b"\nbayesdx: interrupted.\n")
    os._exit(INTERRUPTED)
