"""How far a long command is: on standard error, and only where somebody looks."""

from __future__ import annotations

import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bayesdx.presentation.terminal import columns, make_console, tell

#: Seconds that a command may be silent.
SILENCE = 2.0


@contextmanager
def patience(what: str) -> Iterator[Callable[[str], None]]:
    """Say on a terminal, from the third second on, what is being done and for how long.

    Nothing is known of how far it is; the line is gone when the work ends.

    Yields
    ------
    function of str
        Tells a remark meanwhile, on lines of its own.
    """
    if not _looked_at():
        yield tell
        return
    over, writing, shown = threading.Event(), threading.Lock(), [""]
    begin, room = time.monotonic(), columns(stderr=True) - 1

    def write(line: str) -> None:
        blank = f"\r{' ' * len(shown[0])}\r" if len(shown[0]) > len(line) else "\r"
        print(f"{blank if shown[0] or line else ''}{line}", end="", file=sys.stderr, flush=True)
        shown[0] = line

    def tick() -> None:
        wait = SILENCE
        while not over.wait(wait):
            with writing:
                write(f"{what}: {time.monotonic() - begin:.0f} s"[:room])
            wait = 1.0

    def say(text: str) -> None:
        with writing:
            write("")
            tell(text)

    ticking = threading.Thread(target=tick, daemon=True)
    ticking.start()
    try:
        yield say
    finally:
        over.set()
        ticking.join()
        write("")


@contextmanager
def reading_networks(what: str) -> Iterator[None]:
    """Have patience, and say in a line what was changed in a network that is read."""
    # Imported here: other commands read no networks.
    from bayesdx.formats import InexactNetworkWarning

    with patience(what) as say, warnings.catch_warnings():
        # Asked for by --normalise, it is no fault where other warnings are to be faults.
        warnings.simplefilter("always", InexactNetworkWarning)
        warnings.showwarning = lambda message, *_, **__: say(f"bayesdx: {message}")
        yield


def _looked_at() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


@contextmanager
def progress_shown(what: str, quiet: bool) -> Iterator[Callable[[int, float | None], None] | None]:
    """Show a bar with rows done, rows a second and the time left; gone when the work ends.

    Parameters
    ----------
    what : str
        Is done with the rows: "scoring".
    quiet : bool
        Show nothing.

    Yields
    ------
    function of (int, float or None), or None
        To be told rows done and the share of the input, None where it is not known; None where
        standard error is no terminal.
    """
    if quiet or not _looked_at():
        yield None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[rows]:,} rows, {task.fields[rate]:,.0f} rows/s"),
        TimeRemainingColumn(compact=True),
        console=make_console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task(what, total=None, rows=0, rate=0.0)
        begin = time.monotonic()
        first: list[int] = []

        def tell(rows: int, share: float | None) -> None:
            # Told before the first chunk: rows of an interrupted run took no time of this one.
            first[:] = first or [rows]
            rate = (rows - first[0]) / max(time.monotonic() - begin, 1e-9)
            total = None if share is None else 1.0
            bar.update(task, total=total, completed=share or 0.0, rows=rows, rate=rate)

        yield tell
