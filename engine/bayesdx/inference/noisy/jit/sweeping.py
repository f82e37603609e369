"""Carrying a plan out: forward for the evidence, backward for the derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesdx.inference.noisy.jit import frontier
from bayesdx.inference.noisy.jit.absorbing import multiply
from bayesdx.inference.noisy.jit.jit import compiled, lowest
from bayesdx.inference.noisy.jit.peeling import n_joint
from bayesdx.inference.noisy.jit.planning import APPLY, CLOSE
from bayesdx.inference.noisy.jit.work import (
    ABSENT,
    ALONG,
    AT,
    AXIS,
    BY_ABSENT,
    BY_PRESENT,
    DERIVED,
    ENTRY,
    LENGTH,
    N_RISKS,
    OFF,
    ON,
    PRESENT,
    RISKS,
    SHARE,
    SIZE,
    STRIDE,
    TABLE,
    WIDTH,
    Program,
    State,
)
from bayesdx.inference.noisy.model import GAIN, KEEP, LEAK_GAIN, LEAK_KEEP

_ONE = np.uint64(1)
#: Axes closed between two checks of how small the frontier has become.
_CHECK = 8
#: Runs of equal weights shorter than this are spread out, so that loops stay long.
_SHORT = 4


@compiled
def forward(
    links: Any, state: State, program: Program, tape: Any, buffer: Any, places: Any
) -> None:
    """Sum the core out; its share of the evidence goes into ``state.scale``."""
    tape[0] = 1.0
    at, end, size, n_dims, n_closed = 0, 1, 1, 0, 0
    for step in range(program.needs[0]):
        operation = program.plan[step]
        program.trace[step, AT], program.trace[step, LENGTH], program.scales[step] = at, size, 1.0
        if operation >= APPLY:
            _apply(links, state, operation - APPLY, tape, (at, end, size, n_dims), buffer, places)
            at, end = end, end + size
        elif operation >= CLOSE:
            slot = operation - CLOSE
            width, stride = state.slots[slot, WIDTH], state.slots[slot, STRIDE]
            program.trace[step, ALONG] = stride
            smaller, is_risk = size // width, state.slots[slot, SIZE] > 0
            target = tape[end : end + smaller]
            most = frontier.close(tape[at : at + size], target, stride, width, is_risk)
            n_closed += 1
            if n_closed % _CHECK == 0 and most > 0.0:
                multiply(state.scale, most)
                program.scales[step] = 1.0 / most
                for i in range(smaller):
                    target[i] /= most
            n_dims = _drop_dim(state.slots, state.dims, slot, n_dims)
            at, end, size = end, end + smaller, smaller
        else:
            slot, width = operation, state.slots[operation, WIDTH]
            state.slots[slot, STRIDE] = size
            state.dims[n_dims] = slot
            n_dims += 1
            if state.slots[slot, SIZE]:
                frontier.open_risk(tape, at, end, size, state.vectors[slot], width)
                at = end
            else:
                frontier.open_evidence(tape, at, size, state.vectors[slot], width)
            size *= width
            end = at + size
    program.trace[program.needs[0], AT] = at
    multiply(state.scale, tape[at])


@compiled
def _drop_dim(slots: Any, dims: Any, slot: int, n_dims: int) -> int:
    position, stride = 0, slots[slot, STRIDE]
    while dims[position] != slot:
        position += 1
    for i in range(position, n_dims - 1):
        dims[i] = dims[i + 1]
        slots[dims[i], STRIDE] = stride
        stride *= slots[dims[i], WIDTH]
    return n_dims - 1


@compiled
def _add_dim(slots: Any, dims: Any, slot: int, stride: int, n_dims: int) -> int:
    """Undo `_drop_dim`."""
    position = n_dims
    while position and slots[dims[position - 1], STRIDE] >= stride:
        other = dims[position - 1]
        slots[other, STRIDE] *= slots[slot, WIDTH]
        dims[position] = other
        position -= 1
    dims[position] = slot
    slots[slot, STRIDE] = stride
    return n_dims + 1


@compiled
def _spread(slots: Any, cause: Any, dims: Any, places: Any) -> tuple[int, int]:
    """Entry of the cause's table for each run of the frontier: (length of a run, runs)."""
    least, end, step = 1 << 40, 0, 1
    for i in range(RISKS, RISKS + cause[N_RISKS]):
        slot = cause[i]
        stride = slots[slot, STRIDE]
        slots[slot, ENTRY] = step
        step *= slots[slot, SIZE]
        least = min(least, stride)
        end = max(end, stride * slots[slot, WIDTH])
    unit, n_runs = least, 1
    if least < _SHORT:
        unit, n_runs = 1, least
    for i in range(n_runs):
        places[i] = 0
    for slot in dims:
        stride = slots[slot, STRIDE]
        if least <= stride < end:
            step = slots[slot, ENTRY]
            for s in range(1, slots[slot, WIDTH]):
                for i in range(n_runs):
                    places[s * n_runs + i] = places[i] + s * step
            n_runs *= slots[slot, WIDTH]
    for i in range(RISKS, RISKS + cause[N_RISKS]):
        slots[cause[i], ENTRY] = 0
    return unit, n_runs


@compiled
def _weights(tables: Any, places: Any, on: float, off: float, active: Any, inactive: Any) -> None:
    for i in range(len(active)):
        active[i] = on * tables[places[i], PRESENT]
        inactive[i] = off * tables[places[i], ABSENT]


@compiled
def _apply(
    links: Any,
    state: State,
    c: int,
    tape: Any,
    place: tuple[int, int, int, int],
    buffer: Any,
    places: Any,
) -> None:
    at, end, size, n_dims = place
    source, target = tape[at : at + size], tape[end : end + size]
    for i in range(size):
        target[i] = source[i]
    mask = state.mask[c]
    while mask:
        slot = lowest(mask)
        mask &= mask - _ONE
        if state.slots[slot, SIZE] == 0:
            axis, stride = state.slots[slot, AXIS], state.slots[slot, STRIDE]
            width = state.slots[slot, WIDTH]
            keep, gain = links[axis, c, KEEP], links[axis, c, GAIN] * state.vectors[slot, SHARE]
            frontier.explain(target, stride, width, keep, gain)
            if width > 2:
                leak_keep, leak_gain = links[axis, c, LEAK_KEEP], links[axis, c, LEAK_GAIN]
                frontier.lower_leak(target, stride, width, keep, leak_keep, leak_gain)
    if state.causes[c, N_RISKS] == 0:
        first = state.causes[c, TABLE]
        active = state.weights[c, ON] * state.tables[first, PRESENT]
        inactive = state.weights[c, OFF] * state.tables[first, ABSENT]
        frontier.mix(source, target, active, inactive)
    else:
        unit, n_runs = _spread(state.slots, state.causes[c], state.dims[:n_dims], places)
        most = len(buffer) // 5
        actives, inactives = buffer[:n_runs], buffer[most : most + n_runs]
        tables = state.tables[state.causes[c, TABLE] :]
        _weights(tables, places, state.weights[c, ON], state.weights[c, OFF], actives, inactives)
        frontier.mix_runs(source, target, actives, inactives, unit)


@compiled
def backward(
    links: Any,
    state: State,
    program: Program,
    tape: Any,
    buffer: Any,
    places: Any,
    posterior: Any,
) -> None:
    """Fill the posteriors of core causes, and the adjoints of their priors and axes."""
    n_steps = program.needs[0]
    most = len(buffer) // 5
    now, other = 2 * most, 3 * most
    buffer[now] = 1.0 / tape[program.trace[n_steps, AT]]
    n_dims = 0
    for step in range(n_steps - 1, -1, -1):
        operation = program.plan[step]
        at, size = program.trace[step, AT], program.trace[step, LENGTH]
        old = tape[at : at + size]
        if operation >= APPLY:
            c = operation - APPLY
            adjoint = buffer[now : now + size]
            posterior[c] = _unapply(links, state, c, old, adjoint, n_dims, buffer, places)
        elif operation >= CLOSE:
            slot = operation - CLOSE
            width, stride = state.slots[slot, WIDTH], program.trace[step, ALONG]
            adjoint = buffer[now : now + size // width]
            result, is_risk = buffer[other : other + size], state.slots[slot, SIZE] > 0
            frontier.unclose(adjoint, result, stride, width, is_risk, program.scales[step])
            n_dims = _add_dim(state.slots, state.dims, slot, stride, n_dims)
            now, other = other, now
        else:
            slot, width = operation, state.slots[operation, WIDTH]
            adjoint, result = buffer[now : now + size * width], state.adjoints[slot]
            frontier.unopen(old, adjoint, size, state.vectors[slot], width, result)
            if state.slots[slot, SIZE] == 0 and width == 2:
                # Components 1 and 2 were summed before the axis opened, and 3 fed nothing.
                result[2] = result[1]
            if state.slots[slot, SIZE] == 0 and width < 4:
                result[3] = 0.0
            n_dims -= 1


@compiled
def _unapply(
    links: Any,
    state: State,
    c: int,
    old: Any,
    adjoint: Any,
    n_dims: int,
    buffer: Any,
    places: Any,
) -> float:
    size, most = len(old), len(buffer) // 5
    pulled = buffer[4 * most : 4 * most + size]
    for i in range(size):
        pulled[i] = adjoint[i]
    mask = state.mask[c]
    while mask:
        slot = lowest(mask)
        mask &= mask - _ONE
        if state.slots[slot, SIZE] == 0:
            axis, stride = state.slots[slot, AXIS], state.slots[slot, STRIDE]
            width = state.slots[slot, WIDTH]
            keep, gain = links[axis, c, KEEP], links[axis, c, GAIN] * state.vectors[slot, SHARE]
            frontier.unexplain(pulled, stride, width, keep, gain)
            if width > 2:
                leak_keep, leak_gain = links[axis, c, LEAK_KEEP], links[axis, c, LEAK_GAIN]
                frontier.unlower_leak(pulled, stride, width, keep, leak_keep, leak_gain)
    first, derived = state.causes[c, TABLE], state.causes[c, DERIVED] > 0
    on, off = state.weights[c, ON], state.weights[c, OFF]
    if state.causes[c, N_RISKS] == 0:
        active = on * state.tables[first, PRESENT]
        joint = frontier.dot(pulled, old)
        if derived:
            state.tables[first, BY_PRESENT] = joint
            state.tables[first, BY_ABSENT] = frontier.dot(adjoint, old)
        frontier.mix(pulled, adjoint, off * state.tables[first, ABSENT], active)
        return float(active * joint)
    unit, n_runs = _spread(state.slots, state.causes[c], state.dims[:n_dims], places)
    actives, inactives = buffer[:n_runs], buffer[most : most + n_runs]
    tables = state.tables[first : first + n_joint(state, c)]
    _weights(tables, places, on, off, actives, inactives)
    if derived:
        for i in range(len(tables)):
            tables[i, BY_PRESENT] = tables[i, BY_ABSENT] = 0.0
        frontier.add_runs(tables, places[:n_runs], unit, (old, pulled, adjoint))
        joint = 0.0
        for i in range(len(tables)):
            joint += on * tables[i, PRESENT] * tables[i, BY_PRESENT]
    else:
        joint = frontier.dot_runs(pulled, old, actives, unit)
    frontier.mix_runs(pulled, adjoint, inactives, actives, unit)
    return joint
