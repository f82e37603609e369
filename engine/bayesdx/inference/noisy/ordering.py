"""In which order the causes of each case are applied, chosen case by case.

Eliminating an axis means applying every remaining cause that touches it. At each step the axis
is taken whose causes open the fewest further components (min-frontier, a greedy heuristic in the
family of Kjaerulff 1990). Causes that touch the same axes form a *group* and are applied
together, so that a case needs few rearrangements of its frontier.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from bayesdx.errors import BayesdxError, Fault, Phrase
from bayesdx.inference.arrays import MaskArray
from bayesdx.inference.noisy.condition import MAX_AXES, Problem
from bayesdx.inference.noisy.model import FloatArray, IntArray, NoisyModel

#: log2 of the largest frontier that will be held for one case (8 bytes a component).
MAX_LOG2_FRONTIER = 26.0

#: Cases with at most this many bits over all axes take one step an elimination.
MERGED_BITS = 9

#: Weight of a bit where the next axis is chosen, against 1 for a cause to be applied.
BIT = 32

_ONE = np.uint64(1)


@dataclass(frozen=True, eq=False)
class Schedule:
    """Order of work for N cases with at most G groups each.

    Attributes
    ----------
    causes : int array (N, C)
        Causes in the order of application; those of groups first, single-axis causes after them,
        causes without axes last.
    n_grouped, n_single : int arrays (N,)
        How many of ``causes`` lie in groups and how many touch exactly one axis.
    n_groups : int array (N,)
    begin, end : int arrays (N, G)
        Range of each group in ``causes``.
    mask, new, closing : uint64 arrays (N, G)
        Slots a group touches, those it opens, those it is the last to touch.
    single_slot : int array (N, C)
        Slot of each single-axis cause (by position in ``causes``), else -1.
    work : array (N,)
        Frontier components summed over causes: the cost of the case.
    """

    causes: IntArray
    n_grouped: IntArray
    n_single: IntArray
    n_groups: IntArray
    begin: IntArray
    end: IntArray
    mask: MaskArray
    new: MaskArray
    closing: MaskArray
    single_slot: IntArray
    work: FloatArray

    def take(self, rows: slice) -> Schedule:
        """Return the schedule of consecutive cases."""
        parts = {field.name: getattr(self, field.name)[rows] for field in fields(self)}
        width = int(parts["n_groups"].max(initial=0))
        for name in ("begin", "end", "mask", "new", "closing"):
            parts[name] = parts[name][:, :width]
        return Schedule(**parts)


def schedule(model: NoisyModel, problem: Problem, names: IntArray | None = None) -> Schedule:
    """Choose the order of causes of every case.

    Parameters
    ----------
    model : NoisyModel
    problem : Problem
    names : int array (N,), optional
        What to call the cases in an error; their positions when not given.

    Raises
    ------
    BayesdxError
        If a case would need a frontier larger than ``2 ** MAX_LOG2_FRONTIER`` components.
    """
    masks = problem.mask
    degree = np.bitwise_count(masks).astype(np.intp)
    bits = np.append(model.axes.bits, 0)[problem.axis]
    rank = _eliminate(np.where(degree >= 2, masks, np.uint64(0)), bits)
    stage = stages(masks, rank)
    causes = np.argsort(_keys(stage, masks, degree), axis=1, kind="stable")
    masks = np.take_along_axis(masks, causes, axis=1)
    degree = np.take_along_axis(degree, causes, axis=1)
    stage = np.take_along_axis(stage, causes, axis=1)
    # Small frontiers cost less than taking another step: apply a whole stage at once.
    small = bits.sum(axis=1) <= MERGED_BITS
    label = np.where(small[:, None], stage.astype(np.uint64), masks)
    begin, end, group_mask, n_groups = _groups(masks, degree, label)
    new, closing, frontier = _lifetimes(group_mask, bits)
    if frontier.max(initial=0.0) > MAX_LOG2_FRONTIER:
        row = int(frontier.max(axis=1).argmax())
        name = row if names is None else int(names[row])
        limit, got = f"a frontier of at most 2^{MAX_LOG2_FRONTIER:g}", f"2^{frontier[row].max():g}"
        raise BayesdxError(Fault(f"case {name}", f"{limit} components", Phrase(got)))
    single = degree == 1
    return Schedule(
        causes=causes,
        n_grouped=(degree >= 2).sum(axis=1),
        n_single=single.sum(axis=1),
        n_groups=n_groups,
        begin=begin,
        end=end,
        mask=group_mask,
        new=new,
        closing=closing,
        single_slot=np.where(single, np.bitwise_count(masks - _ONE).astype(np.intp), -1),
        work=(np.exp2(frontier) * (end - begin)).sum(axis=1) + degree.clip(0, 1).sum(axis=1),
    )


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


def _eliminate(masks: MaskArray, bits: IntArray) -> NDArray[np.int16]:
    """Return the step at which each slot is eliminated, shape (N, K)."""
    n_cases, n_slots = bits.shape
    sets, bits = cause_sets(masks, n_slots), np.ascontiguousarray(bits.T)
    rank = np.empty((n_slots, n_cases), dtype=np.int16)
    # Tiles keep the (K, K, n) tables in cache.
    tile = max(64, (1 << 15) // max(1, n_slots * n_slots))
    for first in range(0, n_cases, tile):
        part = slice(first, first + tile)
        rank[:, part] = eliminate_tile(sets[:, :, part], bits[:, part].astype(np.int16) * BIT)
    return rank.T


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


def _keys(stage: NDArray[np.int16], masks: MaskArray, degree: IntArray) -> MaskArray:
    """Sort keys: elimination step, then number of axes, then equal masks side by side."""
    scrambled = (masks * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(16)
    key = (stage.astype(np.uint64) << np.uint64(56)) | (degree.astype(np.uint64) << np.uint64(48))
    key |= scrambled
    key = np.where(degree == 1, (np.uint64(0xF0) << np.uint64(56)) | masks, key)
    return np.where(degree == 0, ~np.uint64(0), key)


def _groups(
    masks: MaskArray, degree: IntArray, label: MaskArray
) -> tuple[IntArray, IntArray, MaskArray, IntArray]:
    """Cut each case's causes where the label changes; a group touches what any member does."""
    n_cases = len(masks)
    grouped = degree >= 2
    first = grouped.copy()
    first[:, 1:] &= label[:, 1:] != label[:, :-1]
    n_groups = first.sum(axis=1)
    width = int(n_groups.max(initial=0))
    rows, at = np.nonzero(first)
    index = np.arange(len(rows)) - np.repeat(np.cumsum(n_groups) - n_groups, n_groups)
    begin = np.zeros((n_cases, width), dtype=np.intp)
    end = np.zeros((n_cases, width), dtype=np.intp)
    group_mask = np.zeros((n_cases, width), dtype=np.uint64)
    begin[rows, index] = at
    if width:
        group_mask[rows, index] = np.bitwise_or.reduceat(
            masks[grouped], np.flatnonzero(first[grouped])
        )
        end[:, :-1] = begin[:, 1:]
        last = n_groups > 0
        end[last, n_groups[last] - 1] = grouped.sum(axis=1)[last]
        end = np.maximum(end, begin)
    return begin, end, group_mask, n_groups


def _lifetimes(group_mask: MaskArray, bits: IntArray) -> tuple[MaskArray, MaskArray, FloatArray]:
    """Slots opened and closed by each group, and log2 of the frontier while it is applied."""
    n_cases, n_groups = group_mask.shape
    new = np.zeros_like(group_mask)
    closing = np.zeros_like(group_mask)
    seen = np.zeros(n_cases, dtype=np.uint64)
    for g in range(n_groups):
        new[:, g] = group_mask[:, g] & ~seen
        seen |= group_mask[:, g]
    later = np.zeros(n_cases, dtype=np.uint64)
    for g in reversed(range(n_groups)):
        closing[:, g] = group_mask[:, g] & ~later
        later |= group_mask[:, g]
    places = np.arange(bits.shape[1], dtype=np.uint64)
    frontier = np.zeros((n_cases, n_groups))
    opened = np.zeros(n_cases, dtype=np.uint64)
    for g in range(n_groups):
        opened |= new[:, g]
        frontier[:, g] = ((opened[:, None] >> places & _ONE) * bits).sum(axis=1)
        opened &= ~closing[:, g]
    return new, closing, frontier
