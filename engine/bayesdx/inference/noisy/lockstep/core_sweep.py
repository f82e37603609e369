"""The steps of the core: forward for its evidence, backward for the shares of its causes.

See `bayesdx.inference.noisy.lockstep.frontier` for where frontiers lie. Each case takes one step a
cause and one more, without a cause, that sums out the risks which ended with the last one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bayesdx.inference.arrays import FloatArray, IntArray, MaskArray
from bayesdx.inference.noisy.lockstep.axis_scores import AxisScores, by_pulled
from bayesdx.inference.noisy.lockstep.blocks import (
    CaseBlock,
    Ended,
    FrontierReading,
    make_reading,
    read_block,
    sum_closing,
    unsum_closing,
)
from bayesdx.inference.noisy.lockstep.core_cases import CoreCases
from bayesdx.inference.noisy.lockstep.frontier import bins, lay_out
from bayesdx.inference.noisy.lockstep.production import (
    Production,
    idle_effect,
    spared_by_others,
)
from bayesdx.inference.noisy.lockstep.workspace import Shares, divided
from bayesdx.inference.noisy.operator import (
    Action,
    AxisEffect,
    apply_cause,
    dot,
    floored,
    pull_active,
    sum_axis,
)

_ONE = np.uint64(1)


@dataclass(frozen=True, eq=False)
class CoreStep:
    """What the backward pass needs of one step.

    Attributes
    ----------
    blocks : list of CaseBlock
    size : int
        Components of all blocks, one block after the other.
    finished : slice
        Cases that end here.
    final : int array
        Where their values lie.
    """

    blocks: list[CaseBlock]
    size: int
    finished: slice
    final: IntArray


@dataclass(eq=False)
class _Place:
    """Where the frontier of each case lies; moves with every step."""

    values: FloatArray
    origin: IntArray  #: (n,)
    stride: IntArray  #: (n, K), 0 where nothing is open
    opened: MaskArray  #: (n,)
    ending: MaskArray  #: (n,) risks closed by the step before, to be summed by the next


def forward(cases: CoreCases, *, noted: bool) -> tuple[FloatArray, list[CoreStep]]:
    """Sum the cores out: their evidence (n,), and what `backward` needs if ``noted``."""
    core = cases.core
    n_cases, n_positions = core.slots.shape
    place = _Place(
        values=np.ones(1),
        origin=np.zeros(n_cases, dtype=np.intp),
        stride=np.zeros((n_cases, n_positions), dtype=np.intp),
        opened=np.zeros(n_cases, dtype=np.uint64),
        ending=np.zeros(n_cases, dtype=np.uint64),
    )
    total = np.ones(n_cases)
    steps = []
    for number in range(len(core.causes) + 1):
        # Cases with most steps come first.
        last, done = (int((core.n_steps >= least).sum()) for least in (number, number + 1))
        blocks = _take_step(cases, place, number, last, done, noted=noted)
        final = place.origin[done:last]
        total[done:last] = place.values[final]
        steps.append(CoreStep(blocks, len(place.values), slice(done, last), final))
    return total, steps


def _take_step(
    cases: CoreCases, place: _Place, number: int, last: int, done: int, *, noted: bool
) -> list[CaseBlock]:
    """Apply the next cause of cases [0, done); sum out what is left of [done, last)."""
    core = cases.core
    causes = np.full(last, len(cases.model.causes))
    masks, new, closing = (np.zeros(last, dtype=np.uint64) for _ in range(3))
    if done:
        causes[:done] = core.causes[number, :done]
        for target, source in ((masks, core.masks), (new, core.new), (closing, core.closing)):
            target[:done] = source[number, :done]
    touched = masks & core.evidence[:last]
    others = (place.opened[:last] | new) & ~touched
    classes = [(width, word[:last]) for width, word in cases.classes]
    ending = place.ending[:last]
    layout = lay_out(cases.states, classes, core.slots.shape[1], touched, ending, others)
    where = (place.values, place.origin, place.stride)
    reading = make_reading(cases, layout, where, causes, (new, closing))
    blocks, pieces = [], []
    for run in bins(layout.chunks):
        block = read_block(reading, run)
        after = apply_cause(block.before, block.action())
        sum_closing(block, after)
        pieces.append(after.ravel())
        blocks.append(block)
    place.values = np.concatenate(pieces)
    _address(place, reading, blocks)
    ends = closing & core.evidence[:last]
    bits = ends[:, None] >> np.arange(core.slots.shape[1], dtype=np.uint64) & _ONE
    # A finding closes by keeping component 1: the case's origin moves there.
    place.origin[:last] += (place.stride[:last] * bits.astype(np.intp)).sum(axis=1)
    place.opened[:last] = (place.opened[:last] | masks) & ~closing
    place.ending = closing & ~core.evidence[:last]
    return blocks if noted else []


def _address(place: _Place, reading: FrontierReading, blocks: list[CaseBlock]) -> None:
    """Note where the results of blocks lie, one after the other."""
    place.stride[: len(reading.causes)] = 0
    first = 0
    for block in blocks:
        place.origin[block.rows] = first + block.first
        first += block.before.size
        step = block.before.shape[-1]
        for t in reversed(range(block.positions.shape[1])):
            place.stride[block.rows, block.positions[:, t]] = step
            step *= block.before.shape[t]
    others = reading.layout.others
    place.stride[others.owner, others.at] = reading.steps


def backward(cases: CoreCases, steps: list[CoreStep], unit: FloatArray, shares: Shares) -> None:
    """Fill the shares of the causes of the core, and what its axes need for the way back.

    Parameters
    ----------
    cases : CoreCases
    steps : list of CoreStep
        As `forward` made them; emptied.
    unit : array (n,)
        1 over the evidence of each core.
    shares : Shares
    """
    by_entry: list[tuple[IntArray, FloatArray, FloatArray]] = []
    values: FloatArray = np.zeros(steps[-1].size)
    while steps:
        step = steps.pop()
        values[step.final] = unit[step.finished]
        indices, adjoints, first = [], [], 0
        for block in step.blocks:
            last = first + block.before.size
            adjoint = values[first:last].reshape(block.before.shape)
            adjoint, on, off = _pull_back(cases, block, adjoint, shares)
            if len(shares.by_present):
                by_entry.append((block.entries, on, off))
            indices.append(block.index.ravel())
            adjoints.append(adjoint.ravel())
            first = last
        size = steps[-1].size if steps else 1
        # Components of an axis that opened were all read from one place: they are summed there.
        summed = np.bincount(np.concatenate(indices), np.concatenate(adjoints), size)
        values = summed.astype(np.float64, copy=False)
    if by_entry:
        _note_entries(cases, by_entry, shares)


def _note_entries(
    cases: CoreCases, by_entry: list[tuple[IntArray, FloatArray, FloatArray]], shares: Shares
) -> None:
    n_cases, width = cases.active.shape
    entries, on, off = (np.concatenate(part) for part in zip(*by_entry, strict=True))
    for target, source in ((shares.by_present, on), (shares.by_absent, off)):
        summed = np.bincount(entries, source, n_cases * width).reshape(n_cases, width)
        target[cases.core.rows] += summed[:, :-1]


def _pull_back(
    cases: CoreCases, block: CaseBlock, adjoint: FloatArray, shares: Shares
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Pull the adjoint of a block's result back to what was read; shares by component, (R,)."""
    action, before = block.action(), block.before
    unsum_closing(block, adjoint)
    made, scores = shares.production, shares.scores
    if made is not None or scores is not None:
        action = replace(action, effects=tuple((t, floored(own)) for t, own in action.effects))
    pulled, without = pull_active(adjoint, action), dot(adjoint, before)
    on, off = action.active * dot(pulled, before), action.inactive * without
    is_cause = block.causes < shares.on.shape[1]
    own = cases.core.rows[block.rows[is_cause]], block.causes[is_cause]
    shares.on[own] = np.add.reduceat(on, block.first)[is_cause]
    shares.off[own] = np.add.reduceat(off, block.first)[is_cause]
    if made is not None:
        _produced(cases, block, action, (adjoint, pulled, without), made, shares.on)
    if scores is not None:
        _scored(cases, block, action, pulled, scores)
    adjoint = pulled * action.active + adjoint * action.inactive
    if block.new.any():
        _unopen(cases, block, adjoint, shares)
    block.multiply_starts(adjoint)
    return _unend(cases, block, adjoint, shares) if block.ended else adjoint, on, off


def _produced(
    cases: CoreCases,
    block: CaseBlock,
    action: Action,
    back: tuple[FloatArray, FloatArray, FloatArray],
    made: Production,
    posterior: FloatArray,
) -> None:
    """Credit the causes of a block; ``back`` is the adjoint, pulled, and without the cause."""
    adjoint, pulled, without = back
    is_cause = block.causes < posterior.shape[1]
    own = cases.core.rows[block.rows[is_cause]], block.causes[is_cause]
    rows = block.rows[:, None]
    weight = made.weight[cases.core.rows[rows], cases.core.slots[rows, block.positions]]
    share = cases.present[rows, block.positions]
    symptom, keep = weight >= 0.0, block.links[1].T
    lowered = len(block.links) > 2 and bool((block.links[3].T * symptom).any())
    factor = np.where(symptom, keep, 1.0).prod(axis=1)
    if lowered or not symptom.all():
        effects = [
            (t, idle_effect(effect, block.repeated(symptom[:, t]))[0])
            for t, effect in action.effects
        ]
        without = dot(pull_active(adjoint, replace(action, effects=tuple(effects))), block.before)
    idle = factor * np.add.reduceat(action.active * without, block.first)
    made.idle[own] = made.left[own] * idle[is_cause]
    for t, effect in action.effects:
        one = block.repeated(share[:, t])
        spared = action.active * spared_by_others(block.before, pulled, t, effect, one)
        spared = np.add.reduceat(spared, block.first)[is_cause]
        made.credit(own, weight[is_cause, t], keep[is_cause, t], posterior[own], spared)


def _scored(
    cases: CoreCases, block: CaseBlock, action: Action, pulled: FloatArray, scores: AxisScores
) -> None:
    """Note the derivatives by what the causes of a block do."""
    rows = block.rows[:, None]
    share = cases.present[rows, block.positions]
    own, slots = cases.core.rows[block.rows], cases.core.slots[rows, block.positions]
    for t in range(block.positions.shape[1]):
        links = block.links[:, t]
        effect = floored(AxisEffect(*links)._replace(hold=links[1]))
        where = block.before, pulled, t, effect, share[:, t], action.active, block.first
        scores.note(own, slots[:, t], block.causes, by_pulled(*where))


def _unopen(cases: CoreCases, block: CaseBlock, adjoint: FloatArray, shares: Shares) -> None:
    """Derivatives by the starts of findings that were opened."""
    product = adjoint * block.before
    for t, start in enumerate(block.starts):
        if start is None:
            continue
        part = np.moveaxis(product, t, 0)
        while part.ndim > 2:
            part = sum_axis(part, 1)
        part = np.add.reduceat(part, block.first, axis=1)
        fresh = block.new[:, t]
        rows, positions = block.rows[fresh], block.positions[fresh, t]
        result = np.zeros((len(rows), shares.vectors.shape[2]))
        result[:, : len(part)] = part[:, fresh].T
        result[:, 1 : len(part)] = divided(result[:, 1 : len(part)], start[:, fresh].T)
        if len(part) == 2:
            # Components 1 and 2 were summed before the axis opened.
            result[:, 2] = result[:, 1]
        slots = cases.core.slots[rows, positions]
        shares.vectors[cases.core.rows[rows], slots] = result


def _unend(cases: CoreCases, block: CaseBlock, adjoint: FloatArray, shares: Shares) -> FloatArray:
    """Undo the sums over risks; note the shares of their states."""
    result = np.empty(block.index.shape)
    at = read = 0
    for ended in block.ended:
        # Components in between were read as they are.
        result[..., read : ended.read.start] = adjoint[..., at : ended.components.start]
        part = adjoint[..., ended.components][..., None]
        result[..., ended.read] = (part * ended.weights).reshape(*result.shape[:-1], -1)
        share = part * ended.terms
        while share.ndim > 2:
            share = sum_axis(share, 0)
        first = block.first[ended.cases]
        share = np.add.reduceat(share, first - first[0], axis=0)
        _note_states(cases, block.rows[ended.cases], ended, share, shares)
        at, read = ended.components.stop, ended.read.stop
    result[..., read:] = adjoint[..., at:]
    return result


def _note_states(
    cases: CoreCases, rows: IntArray, ended: Ended, share: FloatArray, shares: Shares
) -> None:
    joint = share.reshape(len(rows), *ended.sizes)
    for i, size in enumerate(ended.sizes):
        own = np.moveaxis(joint, i + 1, 1)
        while own.ndim > 2:
            own = sum_axis(own, 2)
        result = np.zeros((len(rows), shares.vectors.shape[2]))
        result[:, :size] = own
        slots = cases.core.slots[rows, ended.positions[:, i]]
        shares.vectors[cases.core.rows[rows], slots] = result
