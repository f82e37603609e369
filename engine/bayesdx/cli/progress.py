"""How far a long command is: on standard error, and only where somebody looks."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


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
    if quiet or not sys.stderr.isatty():
        yield None
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[rows]:,} rows, {task.fields[rate]:,.0f} rows/s"),
        TimeRemainingColumn(compact=True),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task(what, total=None, rows=0, rate=0.0)
        yield _teller(bar, task)


def _teller(bar: Progress, task: TaskID) -> Callable[[int, float | None], None]:
    begin = time.monotonic()
    first: list[int] = []

    def tell(rows: int, share: float | None) -> None:
        # Told before the first chunk: rows of an interrupted run took no time of this one.
        first[:] = first or [rows]
        rate = (rows - first[0]) / max(time.monotonic() - begin, 1e-9)
        total = None if share is None else 1.0
        bar.update(task, total=total, completed=share or 0.0, rows=rows, rate=rate)

    return tell
