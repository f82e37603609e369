"""In which order the axes of each case are eliminated, chosen case by case, many cases at once.

Eliminating an axis means applying every remaining cause that touches it. At each step the axis
is taken whose causes open the fewest further components (min-frontier, a greedy heuristic in the
family of Kjaerulff 1990). Rows of a tile are cases.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesdx.inference.arrays import MaskArray
from bayesdx.inference.noisy.limits import MAX_AXES

#: Weight of a bit where the next axis is chosen, against 1 for a cause to be applied.
BIT = 32

_ONE = np.uint64(1)


def cause_sets(masks: MaskArray, n_slots: int) -> MaskArray:
    """Causes of each slot as words of 64 bits, shape (W, K, N)."""
    n_cases, n_causes = masks.shape
    words = max(1, -(-n_causes // 64))
    sets = np.zeros((words, n_slots, n_cases), dtype=np.uint64)
    padded = np.zeros((n_cases, 8 * words), dtype=np.uint8)
    for slot in range(n_slots):
        acts = (masks >> np.uint64(slot) & _ONE).astype(bool)
        packed = np.packbits(acts, axis=1, bitorder="little")
        padded[:, : packed.shape[1]] = packed
        sets[:, slot] = padded.view(np.uint64).T
    return sets


def stages(masks: MaskArray, rank: NDArray[np.int16]) -> NDArray[np.int16]:
    """Elimination step in which each cause is applied: that of its first slot, (N, C)."""
    stage = np.full(masks.shape, MAX_AXES, dtype=np.int16)
    for slot in range(rank.shape[1]):
        acts = (masks >> np.uint64(slot) & _ONE).astype(bool)
        np.minimum(stage, rank[:, slot, None], out=stage, where=acts)
    return stage


def eliminate_tile(sets: MaskArray, weight: NDArray[np.int16]) -> NDArray[np.int16]:
    """Return the step at which each slot is eliminated, (K, n).

    Parameters
    ----------
    sets : uint64 array (W, K, n)
        Causes of each slot as words of 64 bits.
    weight : int16 array (K, n)
        ``BIT`` for each bit that numbers the components of a slot.
    """
    _, n_slots, n_cases = sets.shape
    left = sets.copy()
    opened = np.zeros((n_slots, n_cases), dtype=bool)
    alive = (sets != 0).any(axis=0)
    rank = np.full((n_slots, n_cases), n_slots, dtype=np.int16)
    rows = np.arange(n_cases)
    # Half of what closing frees counts as well, and the work of the step a little: of the weights
    # tried on the packaged knowledge these gave the least work.
    bonus = weight // 2
    for step in range(n_slots):
        if not alive.any():
            break
        shared = (left[:, :, None] & sets[:, None]).any(axis=0)
        needed = shared & ~opened
        growth = (needed * weight).sum(axis=1, dtype=np.int16)
        causes = np.bitwise_count(left).sum(axis=0, dtype=np.int16)
        cost = growth - bonus + causes
        chosen = np.where(alive, cost, np.iinfo(np.int16).max).argmin(axis=0)
        active = alive[chosen, rows]
        rank[chosen[active], rows[active]] = step
        opened |= needed[chosen, :, rows].T & active
        opened[chosen[active], rows[active]] = False
        left &= np.where(active, ~sets[:, chosen, rows], ~np.uint64(0))[:, None]
        alive[chosen, rows] = False
    return rank
