"""What the sweep does with each case of a batch, found before any number is looked at.

What hangs on by one thread is summed out first (`bayesdx.inference.noisy.lockstep.pendants`). The
causes of the rest, the core, are applied one at a time, in the order of
`bayesdx.inference.noisy.ordering`, but with each axis counted by the components that it really has.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from bayesdx.inference.arrays import FloatArray, IntArray, MaskArray
from bayesdx.inference.noisy.condition import Problem
from bayesdx.inference.noisy.lockstep.join_order import JoinGraph, JoinOrder, find_order
from bayesdx.inference.noisy.lockstep.pendants import PendantStep, find_pendants, slot_words
from bayesdx.inference.noisy.model import RISK, NoisyModel
from bayesdx.inference.noisy.ordering import BIT, cause_sets, eliminate_tile, stages

_ONE = np.uint64(1)
_NONE = np.uint64(0)
#: Frontier components, summed over steps, from which a case is a tree of tables; where so many of
#: one structure are, and go through it together. Next questions of one finding: 2.6 -> 1.4 s.
LARGE_WORK, LARGE_TOGETHER, TOGETHER = 1 << 20, 1 << 17, 16
#: Entries of the tables of one tile.
_TILE = 1 << 16


@dataclass(frozen=True, eq=False)
class TwoCore:
    """The 2-core of M cases, and the G steps at most in which it is summed out.

    Axes have *positions* here, K at most, the narrow ones first; a step applies one cause.

    Attributes
    ----------
    rows : int array (M,)
        The cases, those with most steps first.
    n_steps : int array (M,)
    slots, widths : int arrays (M, K)
        Slot and number of components at each position, 0 and 1 where there is none.
    evidence : uint64 array (M,)
        Positions that are no risks.
    causes : int array (G, M)
    masks, new, closing : uint64 arrays (G, M)
        Positions the cause acts on, those it is the first and those it is the last to act on.
    work : array (M,)
        Frontier components summed over steps.
    """

    rows: IntArray
    n_steps: IntArray
    slots: IntArray
    widths: IntArray
    evidence: MaskArray
    causes: IntArray
    masks: MaskArray
    new: MaskArray
    closing: MaskArray
    work: FloatArray

    def take(self, at: slice | IntArray) -> TwoCore:
        """Return some cases, in the same order."""
        depth = int(self.n_steps[at].max(initial=0))
        return TwoCore(
            rows=self.rows[at],
            n_steps=self.n_steps[at],
            slots=self.slots[at],
            widths=self.widths[at],
            evidence=self.evidence[at],
            causes=self.causes[:depth, at],
            masks=self.masks[:depth, at],
            new=self.new[:depth, at],
            closing=self.closing[:depth, at],
            work=self.work[at],
        )


@dataclass(frozen=True, eq=False)
class JoinPlan:
    """Cases of one graph whose cores are summed out as a tree of tables."""

    core: TwoCore
    graph: JoinGraph
    order: JoinOrder


@dataclass(frozen=True, eq=False)
class SweepPlan:
    """Order of work for N cases.

    Attributes
    ----------
    pendants : tuple of PendantStep
        What is summed out first.
    masks : uint64 array (N, C)
        Slots each cause acts on after that.
    core : TwoCore
        The steps of what is left of most cases.
    large : tuple of JoinPlan
        Of cases with much work, those of one graph together.
    refused : int array
        Cases beyond the limits; nothing is planned for them.
    """

    pendants: tuple[PendantStep, ...]
    masks: MaskArray
    core: TwoCore
    large: tuple[JoinPlan, ...]
    refused: IntArray


def plan_sweep(model: NoisyModel, problem: Problem, *, credited: bool = False) -> SweepPlan:
    """Choose the order of causes of every case; ``credited`` where it is asked what they produced.

    What causes produced takes larger tables, so a few more cases are beyond the limits.
    """
    risks, inhibited = slot_words(model, problem)
    pendants, masks = find_pendants(problem.mask, risks, inhibited)
    degree = (masks != 0).sum(axis=1)
    rows = np.flatnonzero(degree)
    rows = rows[np.argsort(-degree[rows], kind="stable")]
    core = _core(model, problem, masks, rows, degree[rows])
    large, refused, trees = [], [rows[:0]], np.zeros(len(core.rows), dtype=bool)
    for graph, own in _by_graph(model, problem, core, 3 if credited else 2).items():
        order, at = find_order(graph), np.array(own)
        trees[at] = True
        if order is None:
            refused.append(core.rows[at])
        else:
            large.append(JoinPlan(core.take(at), graph, order))
    core = core.take(np.flatnonzero(~trees))
    return SweepPlan(pendants, masks, core, tuple(large), np.concatenate(refused))


def _by_graph(
    model: NoisyModel, problem: Problem, core: TwoCore, n_states: int
) -> dict[JoinGraph, list[int]]:
    """Cases of a core that are trees of tables, by what acts on what in them."""
    alike: dict[bytes, list[int]] = {}
    for at in np.flatnonzero(core.work > min(LARGE_WORK, LARGE_TOGETHER)).tolist():
        axis = problem.axis[core.rows[at], core.slots[at]]
        parts = (axis, core.widths[at], core.evidence[at], core.causes[:, at], core.masks[:, at])
        alike.setdefault(b"".join(part.tobytes() for part in parts), []).append(at)
    result: dict[JoinGraph, list[int]] = {}
    for own in alike.values():
        if core.work[own[0]] > LARGE_WORK or len(own) >= TOGETHER:
            alone = core.take(slice(own[0], own[0] + 1))
            axis = problem.axis[alone.rows[0], alone.slots[0]]
            result.setdefault(join_graph(model, alone, axis, n_states), []).extend(own)
    return result


def join_graph(model: NoisyModel, core: TwoCore, axis: IntArray, n_states: int) -> JoinGraph:
    """Return what acts on what in the only case of a core; ``axis`` (K,) is that at each position.

    ``n_states`` are those of a cause.
    """
    widths, evidence = core.widths[0], int(core.evidence[0])
    n_axes, n_causes = int((widths > 1).sum()), int(core.n_steps[0])
    is_finding = [bool(evidence >> p & 1) for p in range(n_axes)]
    leaky = [p for p in range(n_axes) if is_finding[p] and widths[p] > 2]
    leaks = {p: n_axes + n_causes + i for i, p in enumerate(leaky)}
    near = [0] * (n_axes + n_causes + len(leaks))

    def link(one: int, other: int) -> None:
        near[one] |= 1 << other
        near[other] |= 1 << one

    for p, leak in leaks.items():
        link(p, leak)
    for step in range(n_causes):
        mask, own = int(core.masks[step, 0]), n_axes + step
        positions = [p for p in range(n_axes) if mask >> p & 1]
        links = model.axes.links[axis[positions], core.causes[step, 0]]
        for p, (gain, _, _, lowers) in zip(positions, links.tolist(), strict=True):
            if p not in leaks or gain > 0.0:
                link(own, p)
            if p in leaks and lowers > 0.0:
                link(own, leaks[p])
        risks = [p for p in positions if not is_finding[p]]
        for p, q in combinations(risks, 2):
            link(p, q)
    sizes = [2 if is_finding[p] else int(widths[p]) for p in range(n_axes)]
    sizes += [n_states] * n_causes + [2] * len(leaks)
    findings = sum(1 << p for p in range(n_axes) if is_finding[p])
    return JoinGraph(
        near=tuple(near),
        log2=tuple(math.log2(size) for size in sizes),
        causes=sum(1 << n_axes + step for step in range(n_causes)),
        findings=findings,
        risks=(1 << n_axes) - 1 & ~findings,
        leaks=tuple((leak, p) for p, leak in leaks.items()),
    )


def _core(
    model: NoisyModel, problem: Problem, masks: MaskArray, rows: IntArray, n_steps: IntArray
) -> TwoCore:
    """Plan the cores of ``rows``."""
    depth = int(n_steps.max(initial=0))
    causes = np.argsort(masks[rows] == 0, axis=1, kind="stable")[:, :depth]
    masks = np.take_along_axis(masks[rows], causes, axis=1)
    slots, widths = _positions(model, problem, masks, rows, causes)
    masks = _renumbered(masks, slots, widths)
    order = _application(masks, _eliminate(masks, widths))
    causes = np.ascontiguousarray(np.take_along_axis(causes, order, axis=1).T)
    masks = np.ascontiguousarray(np.take_along_axis(masks, order, axis=1).T)
    new, closing, work = _lifetimes(masks, widths)
    axis = problem.axis[rows[:, None], slots]
    used = widths > 1
    evidence = np.where(used & (model.axes.classes[axis] != RISK), _bits(slots.shape[1]), _NONE)
    words = evidence.sum(axis=1, dtype=np.uint64)
    return TwoCore(rows, n_steps, slots, widths, words, causes, masks, new, closing, work)


def _application(masks: MaskArray, rank: NDArray[np.int16]) -> IntArray:
    """Order of causes (M, G) by the axis with which they are eliminated, narrow ones first."""
    key = stages(masks, rank).astype(np.int64) * 256 + np.bitwise_count(masks)
    key[masks == 0] = np.iinfo(np.int64).max
    return np.argsort(key, axis=1, kind="stable")


def _weights(widths: IntArray) -> NDArray[np.int16]:
    """`BIT` for each bit of an axis, (K, M)."""
    result: NDArray[np.int16] = np.rint(BIT * np.log2(widths.T)).astype(np.int16)
    return result


def _bits(count: int) -> MaskArray:
    return _ONE << np.arange(count, dtype=np.uint64)


def _positions(
    model: NoisyModel, problem: Problem, masks: MaskArray, rows: IntArray, causes: IntArray
) -> tuple[IntArray, IntArray]:
    """Slots that causes of the core act on, the narrow ones first, and their widths."""
    n_slots = problem.axis.shape[1]
    words = np.bitwise_or.reduce(masks, axis=1, initial=_NONE)
    used = (words[:, None] & _bits(n_slots)) != 0
    axis = problem.axis[rows]
    width = np.where(used, model.axes.sizes[axis], 1)
    inhibited = used & (model.axes.classes[axis] != RISK) & (width > 2)
    at, slot = np.nonzero(inhibited)
    if len(at):
        acts = (masks[at] >> slot[:, None].astype(np.uint64) & _ONE) != 0
        lowers = model.axes.leak_gain[axis[at, slot][:, None], causes[at]] > 0.0
        lowered = (acts & lowers).any(axis=1)
        # Components 2 and 3 are needed only while a cause that lowers the leak is left.
        full = problem.start[rows[at], slot, 3] > 0.0
        width[at, slot] = np.where(lowered, np.where(full, 4, 3), 2)
    count = int(used.sum(axis=1).max(initial=0))
    key = np.where(used, width, np.iinfo(np.intp).max)
    slots = np.argsort(key, axis=1, kind="stable")[:, :count]
    widths = np.take_along_axis(width, slots, axis=1)
    return np.where(widths > 1, slots, 0), widths


def _renumbered(masks: MaskArray, slots: IntArray, widths: IntArray) -> MaskArray:
    """Masks over positions instead of slots."""
    result = np.zeros_like(masks)
    for position in range(slots.shape[1]):
        slot = slots[:, position, None].astype(np.uint64)
        bit = (masks >> slot) & _ONE
        bit &= (widths[:, position, None] > 1).astype(np.uint64)
        result |= bit << np.uint64(position)
    return result


def _eliminate(masks: MaskArray, widths: IntArray) -> NDArray[np.int16]:
    """Return the step at which each position is eliminated, shape (M, K)."""
    n_cases, count = widths.shape
    rank = np.full((n_cases, count), count, dtype=np.int16)
    n_axes = (widths > 1).sum(axis=1)
    order = np.argsort(-n_axes, kind="stable")
    first = 0
    while first < n_cases:
        # Tiles keep the (K, K, n) tables in cache; cases of a tile have about as many axes.
        size = int(n_axes[order[first]])
        tile = order[first : first + max(64, _TILE // (size * size))]
        weight = _weights(widths[tile, :size])
        rank[tile, :size] = eliminate_tile(cause_sets(masks[tile], size), weight).T
        first += len(tile)
    return rank


def _lifetimes(masks: MaskArray, widths: IntArray) -> tuple[MaskArray, MaskArray, FloatArray]:
    """Positions opened and closed by each step; components over all steps."""
    depth, n_cases = masks.shape
    new, closing = np.zeros_like(masks), np.zeros_like(masks)
    seen = np.zeros(n_cases, dtype=np.uint64)
    for g in range(depth):
        new[g] = masks[g] & ~seen
        seen |= masks[g]
    later = np.zeros(n_cases, dtype=np.uint64)
    for g in reversed(range(depth)):
        closing[g] = masks[g] & ~later
        later |= masks[g]
    classes = [(float(np.log2(width)), word) for width, word in width_words(widths)]
    opened = np.zeros(n_cases, dtype=np.uint64)
    work = np.zeros(n_cases)
    for g in range(depth):
        opened |= new[g]
        frontier = np.zeros(n_cases)
        for bits, word in classes:
            frontier += bits * np.bitwise_count(opened & word)
        work += np.where(masks[g] != 0, np.exp2(frontier), 0.0)
        opened &= ~closing[g]
    return new, closing, work


def width_words(widths: IntArray) -> list[tuple[int, MaskArray]]:
    """Positions of each width, narrow ones first, as a word a case."""
    bits = _bits(widths.shape[1])
    return [
        (width, np.where(widths == width, bits, _NONE).sum(axis=1, dtype=np.uint64))
        for width in np.unique(widths).tolist()
        if width > 1
    ]
