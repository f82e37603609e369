"""Threads that keep the order, hold little, and stop when told to."""

import random
import threading
import time
from collections.abc import Iterator

import pytest

from bayesdx.tables.execution.thread_pool import AHEAD, in_order


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_results_come_in_the_order_of_the_items(workers: int) -> None:
    delays = random.Random(workers)

    def work(item: int) -> int:
        time.sleep(delays.random() / 500)
        return item * item

    assert list(in_order(work, iter(range(60)), workers)) == [i * i for i in range(60)]


def test_few_items_are_in_hand() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(50):
            taken.append(item)
            yield item

    for done, _ in enumerate(in_order(lambda item: item, items(), 3), start=1):
        # One more is being read ahead.
        assert len(taken) - done <= 3 + AHEAD + 1


def test_no_items() -> None:
    assert list(in_order(lambda item: item, iter(()), 2)) == []


def test_items_that_break_off_do_so_after_what_was_before() -> None:
    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("the rest is unknown")

    results = in_order(lambda item: item + 10, items(), 2)
    assert [next(results), next(results)] == [11, 12]
    with pytest.raises(ValueError, match="the rest is unknown"):
        next(results)


def test_work_that_fails_is_raised_in_its_turn() -> None:
    def work(item: int) -> float:
        return 1 / (item - 3)

    results = in_order(work, iter(range(9)), 2)
    assert [next(results) for _ in range(3)] == [-1 / 3, -1 / 2, -1.0]
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        next(results)


def test_nothing_is_begun_after_the_caller_left() -> None:
    begun: list[int] = []

    def work(item: int) -> int:
        begun.append(item)
        return item

    results = in_order(work, iter(range(1000)), 2)
    next(results)
    results.close()
    count = len(begun)
    assert count <= 2 + AHEAD + 1
    assert not [one for one in threading.enumerate() if one.name.startswith(("scoring", "reading"))]
    assert len(begun) == count
