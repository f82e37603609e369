"""The sweep over lanes as a compiled loop; optional, on numba (extra ``fast``).

The arithmetic is that of `bayesdx.inference.noisy.lanes`. Eight lanes at a time go through
the whole program, forward and backward, side by side in vector registers and in memory that stays
in cache; so an answer depends neither on the other lanes nor on how many there are. `draws` imports
this module when the compiled backend is asked for, and numba with it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bayesdx.inference.arrays import FloatArray
from bayesdx.inference.noisy.jit.jit import compiled, compiled_and_kept
from bayesdx.inference.noisy.lane_case import LaneCase
from bayesdx.inference.noisy.lane_program import ALL, BOTH, FlatProgram

#: Lanes in one vector register of the widest machines.
LANES = 8
#: Columns of `FlatProgram.steps`, ``touches`` and ``opens``.
CAUSE, SIZE, TOUCH, TOUCH_END, ENTRY, OPEN, OPEN_END, CLOSE, CLOSE_END = range(9)
ROW, STRIDE, WIDTH = range(3)
FIRST, STATES, FOLDED = range(3)


@compiled
def _copy(source: Any, target: Any, rows: int) -> None:
    for i in range(rows):
        for n in range(LANES):
            target[i, n] = source[i, n]


@compiled
def _act(touch: Any, links: Any, array: Any, size: int) -> None:
    """Let an active cause act on an axis, in place."""
    keep, gain, lowered = links
    row, stride, width = touch[ROW], touch[STRIDE], touch[WIDTH]
    for first in range(0, size, stride * width):
        for i in range(first + stride, first + 2 * stride):
            for n in range(LANES):
                array[i, n] = keep[row, n] * array[i, n] + gain[row, n] * array[i - stride, n]
        if width < 3:
            continue
        for i in range(first + 2 * stride, first + 3 * stride):
            for n in range(LANES):
                array[i, n] *= keep[row, n] * lowered[row, n]
            if width > 3:
                for n in range(LANES):
                    array[i, n] += array[i + stride, n] * (1.0 - lowered[row, n])
                    array[i + stride, n] *= keep[row, n]


@compiled
def _unact(touch: Any, links: Any, array: Any, size: int) -> None:
    """Transpose of `_act`."""
    keep, gain, lowered = links
    row, stride, width = touch[ROW], touch[STRIDE], touch[WIDTH]
    for first in range(0, size, stride * width):
        for i in range(first + stride, first + 2 * stride):
            for n in range(LANES):
                array[i - stride, n] += gain[row, n] * array[i, n]
                array[i, n] *= keep[row, n]
        if width < 3:
            continue
        for i in range(first + 2 * stride, first + 3 * stride):
            if width > 3:
                for n in range(LANES):
                    array[i + stride, n] *= keep[row, n]
                    array[i + stride, n] += array[i, n] * (1.0 - lowered[row, n])
            for n in range(LANES):
                array[i, n] *= keep[row, n] * lowered[row, n]


@compiled
def _apply(program: Any, step: Any, links: Any, weights: Any, old: Any, new: Any) -> None:
    """Sum a cause out: ``new`` from ``old``."""
    active, inactive = weights
    size, entry = step[SIZE], step[ENTRY]
    _copy(old, new, size)
    for t in range(step[TOUCH], step[TOUCH_END]):
        _act(program.touches[t], links, new, size)
    for i in range(size):
        e = program.entries[entry + i]
        for n in range(LANES):
            new[i, n] = active[e, n] * new[i, n] + inactive[e, n] * old[i, n]


@compiled
def _pull(
    program: Any,
    step: Any,
    links: Any,
    weights: Any,
    adjoint: Any,
    before: Any,
    spare: Any,
    posterior: Any,
) -> None:
    """Pull the adjoint back through a cause, in place, and note its posterior."""
    active, inactive = weights
    size, entry = step[SIZE], step[ENTRY]
    for i in range(size):
        e = program.entries[entry + i]
        for n in range(LANES):
            spare[i, n] = active[e, n] * adjoint[i, n]
    for t in range(step[TOUCH_END] - 1, step[TOUCH] - 1, -1):
        _unact(program.touches[t], links, spare, size)
    cause = step[CAUSE]
    for n in range(LANES):
        posterior[cause, n] = 0.0
    for i in range(size):
        e = program.entries[entry + i]
        for n in range(LANES):
            posterior[cause, n] += spare[i, n] * before[i, n]
            adjoint[i, n] = spare[i, n] + inactive[e, n] * adjoint[i, n]


@compiled
def _close(one: Any, old: Any, new: Any, size: int) -> None:
    """Sum an axis out."""
    stride, width, at = one[0], one[1], 0
    for first in range(0, size, stride * width):
        for i in range(first, first + stride):
            for n in range(LANES):
                new[at, n] = old[i, n] if one[2] == ALL else old[i + stride, n]
            if one[2] == BOTH:
                for n in range(LANES):
                    new[at, n] += old[i + 2 * stride, n]
            elif one[2] == ALL:
                for s in range(1, width):
                    for n in range(LANES):
                        new[at, n] += old[i + s * stride, n]
            at += 1


@compiled
def _unclose(one: Any, adjoint: Any, result: Any, size: int) -> None:
    """Transpose of `_close`; ``size`` is that of ``result``."""
    stride, width, at = one[0], one[1], 0
    for first in range(0, size, stride * width):
        for i in range(first, first + stride):
            for s in range(width):
                passes = one[2] == ALL or s == 1 or (s == 2 and one[2] == BOTH)
                for n in range(LANES):
                    result[i + s * stride, n] = adjoint[at, n] if passes else 0.0
            at += 1


@compiled
def _open_adjoint(adjoint: Any, old: Any, result: Any, size: int, width: int) -> None:
    """Adjoint of the start of an axis that was opened over ``old``."""
    for s in range(width):
        for n in range(LANES):
            result[s, n] = 0.0
        for i in range(size):
            for n in range(LANES):
                result[s, n] += adjoint[s * size + i, n] * old[i, n]


@compiled
def _forward(
    program: Any, links: Any, weights: Any, start: Any, tape: Any, step_at: Any, open_at: Any
) -> int:
    """Fill the tape; return where its last row, the evidence, stands."""
    for n in range(LANES):
        tape[0, n] = 1.0
    current, top, size = 0, 1, 1
    for k in range(program.n_steps):
        step = program.steps[k]
        for o in range(step[OPEN], step[OPEN_END]):
            one = program.opens[o]
            open_at[o] = current
            for s in range(one[STATES]):
                for i in range(size):
                    for n in range(LANES):
                        tape[top + s * size + i, n] = (
                            start[one[FIRST] + s, n] * tape[current + i, n]
                        )
            size *= one[STATES]
            current, top = top, top + size
        step_at[k] = current
        _apply(program, step, links, weights, tape[current:], tape[top:])
        current, top = top, top + size
        for c in range(step[CLOSE], step[CLOSE_END]):
            one = program.closes[c]
            _close(one, tape[current:], tape[top:], size)
            size //= one[1]
            current, top = top, top + size
    return current


@compiled
def _backward(
    program: Any,
    links: Any,
    weights: Any,
    start: Any,
    tape: Any,
    step_at: Any,
    open_at: Any,
    unit: Any,
    buffers: Any,
    start_adjoint: Any,
    posterior: Any,
) -> None:
    """Fill the posteriors of the frontier's causes and the adjoints of folded starts."""
    adjoint, spare = buffers
    for n in range(LANES):
        adjoint[0, n] = unit[n]
    size = 1
    for k in range(program.n_steps - 1, -1, -1):
        step = program.steps[k]
        for c in range(step[CLOSE_END] - 1, step[CLOSE] - 1, -1):
            one = program.closes[c]
            size *= one[1]
            _unclose(one, adjoint, spare, size)
            adjoint, spare = spare, adjoint
        _pull(program, step, links, weights, adjoint, tape[step_at[k] :], spare, posterior)
        for o in range(step[OPEN_END] - 1, step[OPEN] - 1, -1):
            one = program.opens[o]
            first, width = one[FIRST], one[STATES]
            size //= width
            old = tape[open_at[o] :]
            if one[FOLDED]:
                _open_adjoint(adjoint, old, start_adjoint[first:], size, width)
            for i in range(size):
                for n in range(LANES):
                    adjoint[i, n] *= start[first, n]
                for s in range(1, width):
                    for n in range(LANES):
                        adjoint[i, n] += start[first + s, n] * adjoint[s * size + i, n]


@compiled
def _free(program: Any, weights: Any, posterior: Any, log_evidence: Any) -> None:
    """Causes without axes."""
    active, inactive = weights
    for f in range(len(program.free)):
        c, e = program.free[f]
        for n in range(LANES):
            both = active[e, n] + inactive[e, n]
            posterior[c, n] = active[e, n] / both if both > 0.0 else 0.0
            log_evidence[n] += math.log(both) if both > 0.0 else -np.inf


@compiled
def _run_block(program: Any, numbers: Any, work: Any, log_evidence: Any, posterior: Any) -> None:
    start, keep, gain, lowered, active, inactive = numbers
    tape, single_tape, adjoint, spare, start_adjoint, sums, unit, step_at, open_at = work
    links, weights = (keep, gain, lowered), (active, inactive)
    _free(program, weights, posterior, log_evidence)
    at = 0
    for s in range(len(program.singles)):
        first, width, begin, end = program.singles[s]
        for k in range(begin, end):
            _copy(start[first:], single_tape[at:], width)
            _apply(program, program.steps[k], links, weights, single_tape[at:], start[first:])
            at += width
    for i in range(len(program.isolated)):
        first, width, how = program.isolated[i]
        _close((1, width, how), start[first:], sums[i:], width)
        for n in range(LANES):
            log_evidence[n] += math.log(sums[i, n]) if sums[i, n] > 0.0 else -np.inf
            unit[n] = 1.0 / sums[i, n] if sums[i, n] > 0.0 else 0.0
        for n in range(LANES):
            spare[0, n] = unit[n]
        _unclose((1, width, how), spare, start_adjoint[first:], width)
    last = _forward(program, links, weights, start, tape, step_at, open_at)
    for n in range(LANES):
        total = tape[last, n]
        log_evidence[n] += math.log(total) if total > 0.0 else -np.inf
        unit[n] = 1.0 / total if total > 0.0 else 0.0
    _backward(
        program,
        links,
        weights,
        start,
        tape,
        step_at,
        open_at,
        unit,
        (adjoint, spare),
        start_adjoint,
        posterior,
    )
    for s in range(len(program.singles) - 1, -1, -1):
        first, width, begin, end = program.singles[s]
        _copy(start_adjoint[first:], adjoint, width)
        for k in range(end - 1, begin - 1, -1):
            at -= width
            _pull(
                program,
                program.steps[k],
                links,
                weights,
                adjoint,
                single_tape[at:],
                spare,
                posterior,
            )


@compiled_and_kept
def _run(program: Any, numbers: Any, log_scale: Any, posterior: Any, log_evidence: Any) -> None:
    start, keep, gain, lowered, active, inactive = numbers
    rows, widest, kept = program.needs
    own = (
        np.empty((len(start), LANES)),
        np.empty((len(keep), LANES)),
        np.empty((len(gain), LANES)),
        np.empty((len(lowered), LANES)),
        np.empty((len(active), LANES)),
        np.empty((len(inactive), LANES)),
    )
    work = (
        np.empty((rows, LANES)),
        np.empty((kept, LANES)),
        np.empty((widest, LANES)),
        np.empty((widest, LANES)),
        np.zeros((len(start), LANES)),
        np.empty((len(program.isolated) + 1, LANES)),
        np.empty(LANES),
        np.empty(len(program.steps), np.int64),
        np.empty(len(program.opens), np.int64),
    )
    found, logs = np.zeros((len(posterior), LANES)), np.empty(LANES)
    n_lanes = len(log_scale)
    for first in range(0, n_lanes, LANES):
        for n in range(LANES):
            # The last block repeats its last lane.
            at = min(first + n, n_lanes - 1)
            logs[n] = log_scale[at]
            for table in range(6):
                # One column stands for all lanes.
                column = at if numbers[table].shape[1] > 1 else 0
                for row in range(len(own[table])):
                    own[table][row, n] = numbers[table][row, column]
        _run_block(program, own, work, logs, found)
        for n in range(min(LANES, n_lanes - first)):
            log_evidence[first + n] = logs[n]
            for c in range(len(posterior)):
                value = min(found[c, n], 1.0) if logs[n] > -np.inf else 0.0
                posterior[c, first + n] = value


def run_program(case: LaneCase, program: FlatProgram) -> tuple[FloatArray, FloatArray]:
    """Sum out all causes and risks in every lane; see `bayesdx.inference.noisy.lanes`."""
    log_evidence = np.empty(len(case.log_scale))
    posterior = np.empty((len(case.structure.links), len(log_evidence)))
    numbers = (case.start, case.keep, case.gain, case.lowered, case.active, case.inactive)
    _run(program, numbers, np.array(case.log_scale), posterior, log_evidence)
    return log_evidence, posterior
