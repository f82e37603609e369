"""The sweep over lanes as a compiled loop; optional, on numba (extra ``fast``).

The arithmetic is that of `bayesdx.inference.noisy.lanes`. Eight lanes at a time go through
the whole program, forward and backward, side by side in vector registers and in memory that stays
in cache; so an answer depends neither on the other lanes nor on how many there are. One loop for
cases and for lanes would be slower for both: a case has one number where lanes have eight, and
plans as it goes. They share what a cause does to an axis, in `axis_kernels`.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from bayesdx.inference.noisy.jit import LANES
from bayesdx.inference.noisy.jit.axis_kernels import act_lanes, unact_lanes
from bayesdx.inference.noisy.jit.memory import SOURCES
from bayesdx.inference.noisy.lane_program import ALL, BOTH
from bayesdx.inference.typed import (
    Floats,
    Integers,
    apart,
    bind,
    compiled,
    inlined,
    integers_at,
    kept,
    moved,
)

#: Columns of `FlatProgram.steps`, ``touches``, ``opens`` and ``closes``, and how many.
CAUSE, SIZE, TOUCH, TOUCH_END, ENTRY, OPEN, OPEN_END, CLOSE, CLOSE_END = range(9)
ROW, STRIDE, WIDTH = range(3)
FIRST, STATES, FOLDED = range(3)
BEHIND, COMPONENTS, HOW = range(3)
_STEP = 9


class Flat(NamedTuple):
    """A program; see `FlatProgram`."""

    n_steps: int
    n_singles: int
    n_isolated: int
    n_free: int
    steps: Integers
    touches: Integers
    entries: Integers
    opens: Integers
    closes: Integers
    singles: Integers
    isolated: Integers
    free: Integers


class Block(NamedTuple):
    """Numbers of eight lanes, a row of eight for each, and what is written: see `LaneCase`.

    Attributes
    ----------
    tape, single_tape
        Every state of the frontier, and of axes on which single causes act.
    adjoint, spare
        Adjoints of the frontier.
    start_adjoint, sums, unit
        Adjoints of starts; sums of isolated axes; reciprocals of what was summed out.
    step_at, open_at
        Where on the tape a step, and an axis that was opened, began.
    """

    start: Floats
    keep: Floats
    gain: Floats
    lowered: Floats
    active: Floats
    inactive: Floats
    tape: Floats
    single_tape: Floats
    adjoint: Floats
    spare: Floats
    start_adjoint: Floats
    sums: Floats
    unit: Floats
    log_evidence: Floats
    posterior: Floats
    step_at: Integers
    open_at: Integers


class Numbers(NamedTuple):
    """All lanes: six tables, their rows and columns (one stands for all lanes), and answers."""

    n_lanes: int
    n_causes: int
    shapes: Integers
    start: Floats
    keep: Floats
    gain: Floats
    lowered: Floats
    active: Floats
    inactive: Floats
    log_scale: Floats
    log_evidence: Floats
    posterior: Floats


_AFTER_FLAT = len(Flat._fields)
_flat_at, _block_at = bind(Flat, 0), bind(Block, _AFTER_FLAT)
_numbers_at = bind(Numbers, _AFTER_FLAT + len(Block._fields))


@inlined
def _row(array: Floats, row: int) -> Floats:
    return moved(array, LANES * row)


@inlined
def _copy(source: Floats, target: Floats, rows: int) -> None:
    for i in range(LANES * rows):
        target[i] = source[i]


@compiled
def _apply(flat: Flat, block: Block, k: int, old: Floats, new: Floats) -> None:
    """Sum a cause out: ``new`` from ``old``."""
    apart()
    step = moved(flat.steps, _STEP * k)
    size, entries = step[SIZE], moved(flat.entries, step[ENTRY])
    _copy(old, new, size)
    for t in range(step[TOUCH], step[TOUCH_END]):
        touch = moved(flat.touches, 3 * t)
        row = LANES * touch[ROW]
        keep, gain = moved(block.keep, row), moved(block.gain, row)
        act_lanes(keep, gain, moved(block.lowered, row), new, size, touch[STRIDE], touch[WIDTH])
    for i in range(size):
        active, inactive = _row(block.active, entries[i]), _row(block.inactive, entries[i])
        before, after = _row(old, i), _row(new, i)
        for n in range(LANES):
            after[n] = active[n] * after[n] + inactive[n] * before[n]


@compiled
def _pull(flat: Flat, block: Block, k: int, adjoint: Floats, before: Floats, spare: Floats) -> None:
    """Pull the adjoint back through a cause, in place, and note its posterior."""
    apart()
    step = moved(flat.steps, _STEP * k)
    size, entries = step[SIZE], moved(flat.entries, step[ENTRY])
    for i in range(size):
        active, old, new = _row(block.active, entries[i]), _row(adjoint, i), _row(spare, i)
        for n in range(LANES):
            new[n] = active[n] * old[n]
    for t in range(step[TOUCH_END] - 1, step[TOUCH] - 1, -1):
        touch = moved(flat.touches, 3 * t)
        row = LANES * touch[ROW]
        keep, gain = moved(block.keep, row), moved(block.gain, row)
        unact_lanes(keep, gain, moved(block.lowered, row), spare, size, touch[STRIDE], touch[WIDTH])
    posterior = _row(block.posterior, step[CAUSE])
    for n in range(LANES):
        posterior[n] = 0.0
    for i in range(size):
        inactive, one, other = _row(block.inactive, entries[i]), _row(spare, i), _row(adjoint, i)
        here = _row(before, i)
        for n in range(LANES):
            posterior[n] += one[n] * here[n]
            other[n] = one[n] + inactive[n] * other[n]


@compiled
def _close(stride: int, width: int, how: int, old: Floats, new: Floats, size: int) -> None:
    """Sum an axis out."""
    apart()
    first_state, last = (0, width) if how == ALL else (1, 3 if how == BOTH else 2)
    target = new
    for first in range(0, size, stride * width):
        for i in range(first, first + stride):
            source = _row(old, i + first_state * stride)
            for n in range(LANES):
                target[n] = source[n]
            for s in range(first_state + 1, last):
                source = _row(old, i + s * stride)
                for n in range(LANES):
                    target[n] += source[n]
            target = moved(target, LANES)


@compiled
def _unclose(stride: int, width: int, how: int, adjoint: Floats, result: Floats, size: int) -> None:
    """Transpose of `_close`; ``size`` is that of ``result``."""
    apart()
    source = adjoint
    for first in range(0, size, stride * width):
        for i in range(first, first + stride):
            for s in range(width):
                factor = 1.0 if how == ALL or s == 1 or (s == 2 and how == BOTH) else 0.0
                target = _row(result, i + s * stride)
                for n in range(LANES):
                    target[n] = factor * source[n]
            source = moved(source, LANES)


@inlined
def _forward(flat: Flat, block: Block) -> int:
    """Fill the tape; return where its last row, the evidence, stands."""
    for n in range(LANES):
        block.tape[n] = 1.0
    current, top, size = 0, 1, 1
    for k in range(flat.n_steps):
        step = moved(flat.steps, _STEP * k)
        for o in range(step[OPEN], step[OPEN_END]):
            first, width = flat.opens[3 * o + FIRST], flat.opens[3 * o + STATES]
            block.open_at[o] = current
            for s in range(width):
                start = _row(block.start, first + s)
                for i in range(size):
                    source, target = _row(block.tape, current + i), _row(block.tape, top + i)
                    for n in range(LANES):
                        target[n] = start[n] * source[n]
                top += size
            size *= width
            current = top - size
        block.step_at[k] = current
        _apply(flat, block, k, _row(block.tape, current), _row(block.tape, top))
        current, top = top, top + size
        for c in range(step[CLOSE], step[CLOSE_END]):
            one = moved(flat.closes, 3 * c)
            source, target = _row(block.tape, current), _row(block.tape, top)
            _close(one[BEHIND], one[COMPONENTS], one[HOW], source, target, size)
            size //= one[COMPONENTS]
            current, top = top, top + size
    return current


@inlined
def _unopen(flat: Flat, block: Block, o: int, adjoint: Floats, size: int) -> None:
    """Sum an axis out of the adjoint, in place; note the adjoint of its start where it is used."""
    first, width = flat.opens[3 * o + FIRST], flat.opens[3 * o + STATES]
    if flat.opens[3 * o + FOLDED]:
        for s in range(width):
            result = _row(block.start_adjoint, first + s)
            for n in range(LANES):
                result[n] = 0.0
            for i in range(size):
                one, old = _row(adjoint, s * size + i), _row(block.tape, block.open_at[o] + i)
                for n in range(LANES):
                    result[n] += one[n] * old[n]
    for s in range(width):
        start = _row(block.start, first + s)
        for i in range(size):
            one, target = _row(adjoint, s * size + i), _row(adjoint, i)
            for n in range(LANES):
                target[n] = start[n] * one[n] + (target[n] if s else 0.0)


@inlined
def _backward(flat: Flat, block: Block) -> None:
    """Fill the posteriors of the frontier's causes and the adjoints of folded starts."""
    adjoint, spare, size = block.adjoint, block.spare, 1
    _copy(block.unit, adjoint, 1)
    for k in range(flat.n_steps - 1, -1, -1):
        step = moved(flat.steps, _STEP * k)
        for c in range(step[CLOSE_END] - 1, step[CLOSE] - 1, -1):
            one = moved(flat.closes, 3 * c)
            size *= one[COMPONENTS]
            _unclose(one[BEHIND], one[COMPONENTS], one[HOW], adjoint, spare, size)
            adjoint, spare = spare, adjoint
        _pull(flat, block, k, adjoint, _row(block.tape, block.step_at[k]), spare)
        for o in range(step[OPEN_END] - 1, step[OPEN] - 1, -1):
            size //= flat.opens[3 * o + STATES]
            _unopen(flat, block, o, adjoint, size)


@inlined
def _note(block: Block, total: Floats) -> None:
    """Multiply the evidence by what was summed out."""
    for n in range(LANES):
        possible = total[n] > 0.0
        block.log_evidence[n] += math.log(total[n]) if possible else -np.inf
        block.unit[n] = 1.0 / total[n] if possible else 0.0


@inlined
def _sum_out(flat: Flat, block: Block) -> None:
    """Answer a block of lanes."""
    sums = block.sums
    for f in range(flat.n_free):
        posterior = _row(block.posterior, flat.free[2 * f])
        active = _row(block.active, flat.free[2 * f + 1])
        inactive = _row(block.inactive, flat.free[2 * f + 1])
        for n in range(LANES):
            sums[n] = active[n] + inactive[n]
        _note(block, sums)
        for n in range(LANES):
            posterior[n] = active[n] * block.unit[n]
    at = 0
    for s in range(flat.n_singles):
        one = moved(flat.singles, 4 * s)
        start, width = _row(block.start, one[0]), one[1]
        for k in range(one[2], one[3]):
            _copy(start, _row(block.single_tape, at), width)
            _apply(flat, block, k, _row(block.single_tape, at), start)
            at += width
    for i in range(flat.n_isolated):
        one = moved(flat.isolated, 3 * i)
        _close(1, one[1], one[2], _row(block.start, one[0]), sums, one[1])
        _note(block, sums)
        _unclose(1, one[1], one[2], block.unit, _row(block.start_adjoint, one[0]), one[1])
    _note(block, _row(block.tape, _forward(flat, block)))
    _backward(flat, block)
    for s in range(flat.n_singles - 1, -1, -1):
        one = moved(flat.singles, 4 * s)
        _copy(_row(block.start_adjoint, one[0]), block.adjoint, one[1])
        for k in range(one[3] - 1, one[2] - 1, -1):
            at -= one[1]
            _pull(flat, block, k, block.adjoint, _row(block.single_tape, at), block.spare)


@inlined
def _take(source: Floats, target: Floats, shapes: Integers, table: int, lane: int, n: int) -> None:
    rows, columns = shapes[2 * table], shapes[2 * table + 1]
    # One column stands for all lanes.
    column = lane if columns > 1 else 0
    for row in range(rows):
        target[LANES * row + n] = source[columns * row + column]


@inlined
def _answer_lanes(address: int, first: int, last: int) -> int:
    """Answer the lanes from ``first`` on, block by block."""
    memory = integers_at(address)
    flat, block, numbers = _flat_at(memory), _block_at(memory), _numbers_at(memory)
    shapes, n_lanes = numbers.shapes, numbers.n_lanes
    for lane in range(first, last, LANES):
        for n in range(LANES):
            # The last block repeats its last lane.
            at = lane + n if lane + n < last else last - 1
            block.log_evidence[n] = numbers.log_scale[at]
            _take(numbers.start, block.start, shapes, 0, at, n)
            _take(numbers.keep, block.keep, shapes, 1, at, n)
            _take(numbers.gain, block.gain, shapes, 2, at, n)
            _take(numbers.lowered, block.lowered, shapes, 3, at, n)
            _take(numbers.active, block.active, shapes, 4, at, n)
            _take(numbers.inactive, block.inactive, shapes, 5, at, n)
        _sum_out(flat, block)
        for n in range(LANES if lane + LANES <= last else last - lane):
            possible = block.log_evidence[n] > -np.inf
            numbers.log_evidence[lane + n] = block.log_evidence[n]
            for c in range(numbers.n_causes):
                value = block.posterior[LANES * c + n] if possible else 0.0
                numbers.posterior[n_lanes * c + lane + n] = value if value < 1.0 else 1.0
    return last


def _make_entry(digest: str) -> Any:
    @kept
    def answer_lanes(address: int, first: int, last: int) -> int:
        return _answer_lanes(address, first, last) + 0 * len(digest)

    return answer_lanes


answer_lanes = _make_entry(SOURCES)
