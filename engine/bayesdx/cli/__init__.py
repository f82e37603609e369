"""The command `bayesdx`: one file a command, and no arithmetic.

Exit codes: 0 done; 1 an asked-for check failed; 2 the input cannot be used; 130 interrupted, 143
by SIGTERM; 141 the reader of the output went away; 70 a fault of bayesdx itself.
"""

from __future__ import annotations

import os
import sys

from bayesdx.cli import interrupts

TYPE_CHECKING = False  # for type checkers, which know the name; `typing` takes its time
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

MOST_FAULTS = 20

BAD_INPUT = 2
OWN_FAULT = 70
BROKEN_PIPE = 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; no exception leaves this function.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows the command's name; by default those of the process.
    """
    interrupts.leave_at_once()
    try:
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                # A dash or a percent bar must not stop a report on a terminal that lacks it.
                stream.reconfigure(errors="backslashreplace")
        code = _flushed(_told(arguments))
    except BrokenPipeError:
        return _reader_left()
    except KeyboardInterrupt:
        code = interrupts.told()
    except Exception as reason:  # noqa: BLE001 - the last line of defence: a message, no traceback
        return _own_fault(reason)
    finally:
        interrupts.imports_are_over()
    if arguments is None and code in interrupts.CODES:
        interrupts.end_at_once(code)
    return code


def _told(arguments: Sequence[str] | None) -> int:
    """Run the app and tell what was wrong with the input; return the exit code."""
    from bayesdx.cli.app import app
    from bayesdx.cli.closed_streams import filled_in
    from bayesdx.errors import BayesdxError
    from bayesdx.presentation.terminal import tell

    try:
        with filled_in():
            return _exit_code(app, arguments)
    except BrokenPipeError:
        raise
    except BayesdxError as error:
        for fault in error.faults[:MOST_FAULTS]:
            tell(f"bayesdx: {fault}")
        if (more := len(error.faults) - MOST_FAULTS) > 0:
            tell(f"bayesdx: and {more} more faults.")
    except OSError as reason:
        tell(f"bayesdx: {_system_fault(reason)}")
    return BAD_INPUT


def _flushed(code: int) -> int:
    """Write what is left of the output; say what the system refused, where nobody did before."""
    try:
        if sys.stdout is not None:  # as where whoever started it closed the stream
            sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as reason:
        from bayesdx.presentation.terminal import tell

        _drop_output()
        if code != BAD_INPUT:
            tell(f"bayesdx: {_system_fault(reason)}")
        return BAD_INPUT
    return code


def _system_fault(reason: OSError) -> object:
    """Say in one sentence what the system refused to open, where nobody said it before."""
    from pathlib import Path

    from bayesdx.errors import Fault, Phrase
    from bayesdx.tables.disk import unwritable
    from bayesdx.tables.sources.formats import unreadable

    if not isinstance(reason.filename, str):
        return Fault("output", "a place to write to", Phrase(reason.strerror or str(reason)))
    path = Path(reason.filename)
    if isinstance(reason, FileExistsError | NotADirectoryError):
        return Fault(str(path), "a folder", Phrase("a file"))
    missing = isinstance(reason, FileNotFoundError)
    if isinstance(reason, IsADirectoryError) or (missing and path.parent.is_dir()):
        return unreadable(path, reason)
    if isinstance(reason, PermissionError):
        return Fault(str(path), "permission to open it", Phrase(reason.strerror or "none"))
    return unwritable(path, reason)


def _exit_code(app: object, arguments: Sequence[str] | None) -> int:
    """Run the app, which ends every time with SystemExit, and return the exit code."""
    try:
        app(args=None if arguments is None else list(arguments), prog_name="bayesdx")  # type: ignore[operator]  # a Typer
    except SystemExit as stop:
        # typer turns these two into exit codes of its own before they get here.
        if isinstance(stop.__context__, BrokenPipeError):
            return _reader_left()
        if stop.code == interrupts.INTERRUPTED:
            return interrupts.told()
        return stop.code if isinstance(stop.code, int) else 0
    return 0


def _reader_left() -> int:
    # `bayesdx ... | head` is no fault.
    _drop_output()
    return BROKEN_PIPE


def _drop_output() -> None:
    # Python would complain when it flushes at exit, so what is left to flush goes nowhere.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _own_fault(reason: Exception) -> int:
    if os.environ.get("BAYESDX_TRACEBACK"):
        raise reason
    print(
        f"bayesdx: internal error: {type(reason).__name__}: {reason}\n"
        "This is a fault of bayesdx, not of the input; please report it. "
        "BAYESDX_TRACEBACK=1 shows where it arose.",
        file=sys.stderr,
    )
    return OWN_FAULT
