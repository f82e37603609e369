"""Work on a stream of items in threads, with results in the order of the items."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

#: Items in hand beyond one for each worker: one waits for a worker, one for being handed on.
AHEAD = 2


def in_order(
    work: Callable[[Item], Result], items: Iterator[Item], workers: int
) -> Generator[Result]:
    """Apply a function to items in threads.

    Parameters
    ----------
    work : function
        Spends its time where the interpreter is not needed: arithmetic, parsing, compression.
    items : iterator
        Advanced in a thread of its own, one item ahead.
    workers : int
        Threads that do the work.

    Yields
    ------
    result
        Of each item, in the order of the items; never more than ``workers + AHEAD`` items are in
        hand, so that memory does not depend on their number. When the items break off with an
        error, it is raised after the results of those before it. What is in hand when the caller
        leaves is waited for, but for an interruption: then it is given up.
    """
    end, wait = object(), True
    broken: BaseException | None = None
    pending: deque[Future[Result]] = deque()
    reader = ThreadPoolExecutor(1, "reading")
    pool = ThreadPoolExecutor(workers, "scoring")
    try:
        upcoming: Future[object] = reader.submit(next, items, end)
        more = True
        while more or pending:
            if more:
                broken = upcoming.exception()
                more = broken is None and upcoming.result() is not end
                if more:
                    item = upcoming.result()
                    upcoming = reader.submit(next, items, end)
                    pending.append(pool.submit(work, item))  # type: ignore[arg-type]
            if pending and (not more or len(pending) >= workers + AHEAD):
                yield pending.popleft().result()
        if broken is not None:
            raise broken
    except (KeyboardInterrupt, SystemExit):
        # An item may take minutes, and the next one may come from a pipe that is silent.
        wait = False
        raise
    finally:
        reader.shutdown(wait=wait, cancel_futures=True)
        pool.shutdown(wait=wait, cancel_futures=True)


@contextmanager
def closed_after(results: Generator[Result]) -> Iterator[Generator[Result]]:
    """Close a generator at the end as `contextlib.closing` does, and tell it of interruptions."""
    try:
        yield results
    except (KeyboardInterrupt, SystemExit) as reason:
        with suppress(type(reason)):
            results.throw(reason)
        raise
    finally:
        results.close()
