"""In which order one structure's causes are summed out, chosen once for many parameter sets.

`bayesdx.inference.noisy.ordering` chooses an order for every case of a batch and has to be quick.
Here one order serves thousands of lanes, so several are tried and the cheapest is kept: greedy
elimination with the true number of states, some with a little noise (a min-frontier heuristic in
the family of Kjaerulff 1990, restarted as in Fishelson and Geiger 2003).
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

#: How much of what closing an axis frees is counted for it; tried in turn.
_WEIGHTS = (0.5, 0.3, 0.7, 0.0, 1.0)
_NOISE = 0.6


@dataclass(frozen=True)
class Order:
    """Causes in the order in which they are applied.

    Attributes
    ----------
    causes : tuple of int
        Positions among the masks.
    work : float
        Frontier components summed over causes.
    widest : float
        Most components at once.
    """

    causes: tuple[int, ...]
    work: float
    widest: float


def find_order(masks: Sequence[int], sizes: Sequence[int], tries: int) -> Order:
    """Order causes so that their frontier stays small.

    Parameters
    ----------
    masks : sequence of int
        Axes of each cause, a bit an axis.
    sizes : sequence of int
        States of each axis.
    tries : int
        How many orders to compare; the choice depends on nothing else.

    Returns
    -------
    Order
    """
    rng = random.Random(0)
    logs = [math.log2(size) for size in sizes]
    best = Order(tuple(range(len(masks))), math.inf, math.inf)
    for attempt in range(max(tries, 1)):
        noise = _NOISE if attempt >= len(_WEIGHTS) else 0.0
        search = _Search(masks, logs, _WEIGHTS[attempt % len(_WEIGHTS)], noise, rng)
        found = search.run(best.work)
        if found is not None:
            best = found
    return best


class _Search:
    """One greedy elimination."""

    def __init__(
        self,
        masks: Sequence[int],
        logs: list[float],
        weight: float,
        noise: float,
        rng: random.Random,
    ) -> None:
        self._masks, self._logs = masks, logs
        self._weight, self._noise, self._rng = weight, noise, rng
        self._left = list(range(len(masks)))
        self._count = [sum(mask >> axis & 1 for mask in masks) for axis in range(len(logs))]
        self._opened = 0
        self._size_of: dict[int, float] = {}

    def run(self, limit: float) -> Order | None:
        """Return an order, or None when it becomes dearer than ``limit``."""
        order: list[int] = []
        work, widest = 0.0, 1.0
        while self._left:
            axis = self._next_axis()
            acts = [c for c in self._left if self._masks[c] >> axis & 1]
            while acts:
                cause = min(acts, key=self._growth)
                acts.remove(cause)
                self._left.remove(cause)
                self._opened |= self._masks[cause]
                size = 2.0 ** self._size(self._opened)
                work, widest = work + size, max(widest, size)
                if work >= limit:
                    return None
                order.append(cause)
                self._close(self._masks[cause])
        return Order(tuple(order), work, widest)

    def _next_axis(self) -> int:
        best, chosen = math.inf, -1
        for axis, count in enumerate(self._count):
            if not count:
                continue
            union = 0
            for cause in self._left:
                if self._masks[cause] >> axis & 1:
                    union |= self._masks[cause]
            cost = self._size(union & ~self._opened) - self._weight * self._logs[axis]
            cost += 0.02 * count + self._noise * self._rng.random()
            if cost < best:
                best, chosen = cost, axis
        return chosen

    def _growth(self, cause: int) -> float:
        """Log of what a cause opens, less half of what it is the last to touch."""
        mask = self._masks[cause]
        last = sum(1 << axis for axis in bits(mask) if self._count[axis] == 1)
        return self._size(mask & ~self._opened) - 0.5 * self._size(last)

    def _close(self, mask: int) -> None:
        for axis in bits(mask):
            self._count[axis] -= 1
            if not self._count[axis]:
                self._opened &= ~(1 << axis)

    def _size(self, mask: int) -> float:
        size = self._size_of.get(mask)
        if size is None:
            size = self._size_of[mask] = sum(self._logs[axis] for axis in bits(mask))
        return size


def bits(mask: int) -> list[int]:
    """Positions of the bits that are set, from the lowest."""
    found = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return found
