"""In which order one structure's causes are summed out, chosen once for all lanes.

`bayesdx.inference.noisy.ordering` chooses an order for every case of a batch and has to be quick.
Here one order serves many lanes, so several are tried when there are many, and the cheapest is
kept: greedy elimination with the true number of states, some with a little noise (a min-frontier
heuristic in the family of Kjaerulff 1990, restarted as in Fishelson and Geiger 2003).
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
    """
    search = _Search(masks, [math.log2(size) for size in sizes])
    best = Order(tuple(range(len(masks))), math.inf, math.inf)
    for attempt in range(max(tries, 1)):
        noise = _NOISE if attempt >= len(_WEIGHTS) else 0.0
        found = search.run(_WEIGHTS[attempt % len(_WEIGHTS)], noise, best.work)
        if found is not None:
            best = found
    return best


class _Search:
    """Greedy eliminations of one structure; sets of axes and of causes are bits of an integer."""

    def __init__(self, masks: Sequence[int], logs: list[float]) -> None:
        self._masks, self._logs = masks, logs
        self._axes = [bits(mask) for mask in masks]
        self._acts = [0] * len(logs)
        for cause, own in enumerate(self._axes):
            for axis in own:
                self._acts[axis] |= 1 << cause
        self._rng = random.Random(0)
        self._size_of: dict[int, float] = {}

    def run(self, weight: float, noise: float, limit: float) -> Order | None:
        """Return an order, or None when it becomes dearer than ``limit``."""
        masks, size_of = self._masks, self._size
        acts = {axis: causes for axis, causes in enumerate(self._acts) if causes}
        union = {axis: self._union(causes) for axis, causes in acts.items()}
        order: list[int] = []
        opened, work, widest = 0, 0.0, 1.0
        while acts:
            costs = {}
            for axis, causes in acts.items():
                opens = size_of(union[axis] & ~opened) - weight * self._logs[axis]
                costs[axis] = opens + 0.02 * causes.bit_count()
                if noise:
                    costs[axis] += noise * self._rng.random()
            chosen = min(costs, key=costs.__getitem__)
            left, touched = bits(acts[chosen]), 0
            while left:
                cause = left[0]
                if len(left) > 1:
                    cause = min(left, key=lambda c: self._growth(c, acts, opened))
                left.remove(cause)
                order.append(cause)
                opened |= masks[cause]
                touched |= masks[cause]
                size = 2.0 ** size_of(opened)
                work, widest = work + size, max(widest, size)
                if work >= limit:
                    return None
                for axis in self._axes[cause]:
                    acts[axis] &= ~(1 << cause)
                    if not acts[axis]:
                        del acts[axis]
                        opened &= ~(1 << axis)
            for axis in bits(touched):
                if axis in acts:
                    union[axis] = self._union(acts[axis])
        return Order(tuple(order), work, widest)

    def _growth(self, cause: int, acts: dict[int, int], opened: int) -> float:
        """Log of what a cause opens, less half of what it is the last to touch."""
        last = sum(self._logs[axis] for axis in self._axes[cause] if acts[axis] == 1 << cause)
        return self._size(self._masks[cause] & ~opened) - 0.5 * last

    def _union(self, causes: int) -> int:
        union = 0
        for cause in bits(causes):
            union |= self._masks[cause]
        return union

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
