"""Fourth step of a case: carrying a plan out, forward for the evidence, backward for derivatives.

Every operation writes its result behind what it read, so that the way back finds each state of the
frontier again; the arithmetic is that of `bayesdx.inference.noisy.operator`.
"""

from __future__ import annotations

import numpy as np

from bayesdx.inference.noisy.jit.axis_kernels import (
    act,
    add_runs,
    by_link,
    close,
    dot,
    dot_runs,
    floored,
    idle_of,
    link_of,
    mix,
    mix_runs,
    open_axis,
    unact,
    unclose,
    unopen,
    weigh_runs,
)
from bayesdx.inference.noisy.jit.case_evidence import multiply
from bayesdx.inference.noisy.jit.case_notes import note_inhibitor, note_link
from bayesdx.inference.noisy.jit.case_order import APPLY, CLOSE
from bayesdx.inference.noisy.jit.memory import (
    ABSENT,
    AT,
    BY_ABSENT,
    BY_PRESENT,
    CLOSED,
    DERIVED,
    ENTRY,
    LEAST_KEPT,
    LENGTH,
    N_RISKS,
    OFF,
    ON,
    OPERATIONS,
    PRESENT,
    SIZE,
    STRIDE,
    TABLE,
    WIDTH,
    Model,
    Notes,
    Room,
    State,
    model_at,
    notes_at,
    room_at,
    rows_at,
    state_at,
)
from bayesdx.inference.noisy.jit.pendant_risks import n_joint
from bayesdx.inference.typed import (
    Floats,
    Integers,
    apart,
    compiled,
    inlined,
    lowest,
    moved,
)

_ONE = np.uint64(1)
#: Axes closed between two checks of how small the frontier has become.
_CHECK = 8
#: Runs of equal weights shorter than this are spread out, so that loops stay long.
_SHORT = 4


@compiled
def sweep_forward(memory: Integers) -> None:
    """Sum the 2-core out; its share of the evidence goes into ``state.scale``."""
    apart()
    model, state, room = model_at(memory), state_at(memory), room_at(memory)
    tape = room.tape
    tape[0] = 1.0
    at, end, size, n_dims, n_closed = 0, 1, 1, 0, 0
    for step in range(state.needs[OPERATIONS]):
        operation = state.plan[step]
        state.trace[3 * step + AT], state.trace[3 * step + LENGTH] = at, size
        source, target = moved(tape, at), moved(tape, end)
        if operation >= APPLY:
            _apply(model, state, room, operation - APPLY, source, target, size, n_dims)
            at, end = end, end + size
        elif operation >= CLOSE:
            slot = operation - CLOSE
            width, stride = state.slots[8 * slot + WIDTH], state.slots[8 * slot + STRIDE]
            most = close(source, target, size, stride, width, state.slots[8 * slot + SIZE] > 0)
            size //= width
            n_closed += 1
            state.trace[3 * step + CLOSED], state.factors[step] = stride, 1.0
            if n_closed % _CHECK == 0 and most > 0.0:
                multiply(state.scale, most)
                state.factors[step] = 1.0 / most
                for i in range(size):
                    target[i] /= most
            n_dims = _drop_dim(state, slot, n_dims)
            at, end = end, end + size
        else:
            slot, width = operation, state.slots[8 * operation + WIDTH]
            vector = moved(state.vectors, model.n_states * slot)
            state.slots[8 * slot + STRIDE] = size
            state.dims[n_dims] = slot
            n_dims += 1
            if state.slots[8 * slot + SIZE]:
                open_axis(source, target, size, vector, 0, width)
                at = end
            else:
                # Component 0 stays where it is, since the vector begins with 1.
                open_axis(source, source, size, vector, 1, width)
            size *= width
            end = at + size
    state.trace[3 * state.needs[OPERATIONS] + AT] = at
    multiply(state.scale, tape[at])


@inlined
def _drop_dim(state: State, slot: int, n_dims: int) -> int:
    position, stride = 0, state.slots[8 * slot + STRIDE]
    while state.dims[position] != slot:
        position += 1
    for i in range(position, n_dims - 1):
        other = state.dims[i + 1]
        state.dims[i], state.slots[8 * other + STRIDE] = other, stride
        stride *= state.slots[8 * other + WIDTH]
    return n_dims - 1


@inlined
def _add_dim(state: State, slot: int, stride: int, n_dims: int) -> int:
    """Undo `_drop_dim`."""
    position = n_dims
    while position and state.slots[8 * state.dims[position - 1] + STRIDE] >= stride:
        other = state.dims[position - 1]
        state.slots[8 * other + STRIDE] *= state.slots[8 * slot + WIDTH]
        state.dims[position] = other
        position -= 1
    state.dims[position] = slot
    state.slots[8 * slot + STRIDE] = stride
    return n_dims + 1


@compiled
def _spread(model: Model, state: State, room: Room, c: int, n_dims: int) -> tuple[int, int]:
    """Lay the weights of a cause out on the frontier: (length of a run of equal ones, runs)."""
    apart()
    least, end, step, places = 1 << 40, 0, 1, room.places
    for i in range(state.causes[4 * c + N_RISKS]):
        slot = 8 * state.own[model.n_parents * c + i]
        stride = state.slots[slot + STRIDE]
        state.slots[slot + ENTRY] = step
        step *= state.slots[slot + SIZE]
        least = stride if stride < least else least
        span = stride * state.slots[slot + WIDTH]
        end = span if span > end else end
    unit, n_runs = least, 1
    if least < _SHORT:
        unit, n_runs = 1, least
    for i in range(n_runs):
        places[i] = 0
    for d in range(n_dims):
        slot = 8 * state.dims[d]
        stride, width = state.slots[slot + STRIDE], state.slots[slot + WIDTH]
        if least <= stride < end:
            for s in range(1, width):
                for i in range(n_runs):
                    places[s * n_runs + i] = places[i] + s * state.slots[slot + ENTRY]
            n_runs *= width
    for i in range(state.causes[4 * c + N_RISKS]):
        state.slots[8 * state.own[model.n_parents * c + i] + ENTRY] = 0
    table = moved(state.tables, 4 * state.causes[4 * c + TABLE])
    on, off = state.weights[2 * c + ON], state.weights[2 * c + OFF]
    for i in range(n_runs):
        room.active[i] = on * table[4 * places[i] + PRESENT]
        room.inactive[i] = off * table[4 * places[i] + ABSENT]
    return unit, n_runs


@inlined
def _apply(
    model: Model,
    state: State,
    room: Room,
    c: int,
    source: Floats,
    target: Floats,
    size: int,
    n_dims: int,
) -> None:
    for i in range(size):
        target[i] = source[i]
    mask = state.mask[c]
    while mask:
        slot = lowest(mask)
        mask &= mask - _ONE
        if state.slots[8 * slot + SIZE] == 0:
            stride, width = state.slots[8 * slot + STRIDE], state.slots[8 * slot + WIDTH]
            act(link_of(model, state, c, slot), target, size, stride, width)
    if state.causes[4 * c + N_RISKS] == 0:
        first = 4 * state.causes[4 * c + TABLE]
        active = state.weights[2 * c + ON] * state.tables[first + PRESENT]
        inactive = state.weights[2 * c + OFF] * state.tables[first + ABSENT]
        mix(source, target, size, active, inactive)
    else:
        unit, n_runs = _spread(model, state, room, c, n_dims)
        mix_runs(source, target, size, room.active, room.inactive, n_runs, unit)


@compiled
def sweep_backward(memory: Integers, posterior: Floats, idle: Floats, credit: Floats) -> None:
    """Fill the posteriors of core causes, and the adjoints of their priors and axes."""
    apart()
    model, state, room = model_at(memory), state_at(memory), room_at(memory)
    n_steps, n_dims, notes = state.needs[OPERATIONS], 0, notes_at(memory)
    credited = rows_at(memory).credited
    adjoint, other = room.adjoint, room.other
    adjoint[0] = 1.0 / room.tape[state.trace[3 * n_steps + AT]]
    for step in range(n_steps - 1, -1, -1):
        operation, size = state.plan[step], state.trace[3 * step + LENGTH]
        old = moved(room.tape, state.trace[3 * step + AT])
        if operation >= APPLY:
            c = operation - APPLY
            left = _pull_idle(model, state, room, c, adjoint, size) if credited else 1.0
            on = _unapply(model, state, room, notes, c, old, adjoint, size, n_dims, credited, idle)
            posterior[c] = on
            if credited:
                idle[c] *= left
            if notes.linked:
                _note_links(model, state, room, notes, c, old, size, on, credit)
        elif operation >= CLOSE:
            slot, stride = operation - CLOSE, state.trace[3 * step + CLOSED]
            width, is_risk = state.slots[8 * slot + WIDTH], state.slots[8 * slot + SIZE] > 0
            unclose(adjoint, other, size // width, stride, width, is_risk, state.factors[step])
            n_dims = _add_dim(state, slot, stride, n_dims)
            adjoint, other = other, adjoint
        else:
            slot, width = operation, state.slots[8 * operation + WIDTH]
            vector = moved(state.vectors, model.n_states * slot)
            result = moved(state.adjoints, model.n_states * slot)
            unopen(old, adjoint, size, vector, width, result)
            if state.slots[8 * slot + SIZE] == 0 and width == 2:
                # Components 1 and 2 were summed before the axis opened, and 3 fed nothing.
                result[2] = result[1]
            if state.slots[8 * slot + SIZE] == 0 and width < 4:
                result[3] = 0.0
            n_dims -= 1


@inlined
def _pull_links(
    model: Model, state: State, c: int, adjoint: Floats, pulled: Floats, size: int, least: float
) -> None:
    """Pull an adjoint back through what a cause does to axes."""
    for i in range(size):
        pulled[i] = adjoint[i]
    mask = state.mask[c]
    while mask:
        slot = lowest(mask)
        mask &= mask - _ONE
        if state.slots[8 * slot + SIZE] == 0:
            stride, width = state.slots[8 * slot + STRIDE], state.slots[8 * slot + WIDTH]
            unact(floored(link_of(model, state, c, slot), least), pulled, size, stride, width)


@inlined
def _unapply(
    model: Model,
    state: State,
    room: Room,
    notes: Notes,
    c: int,
    old: Floats,
    adjoint: Floats,
    size: int,
    n_dims: int,
    credited: int,
    idle: Floats,
) -> float:
    """Pull the adjoint back through a cause and return its posterior.

    If links are noted, what is pulled back is weighed by it; if ``credited``, what leaves it idle
    is summed.
    """
    pulled = room.pulled
    _pull_links(model, state, c, adjoint, pulled, size, LEAST_KEPT if notes.linked else 0.0)
    table = moved(state.tables, 4 * state.causes[4 * c + TABLE])
    derived = state.causes[4 * c + DERIVED]
    on, off = state.weights[2 * c + ON], state.weights[2 * c + OFF]
    if state.causes[4 * c + N_RISKS] == 0:
        active = on * table[PRESENT]
        joint = dot(pulled, old, size)
        if derived:
            table[BY_PRESENT], table[BY_ABSENT] = joint, dot(adjoint, old, size)
        mix(pulled, adjoint, size, off * table[ABSENT], active)
        if credited:
            idle[c] = active * dot(room.idle, old, size)
        if notes.linked:
            for i in range(size):
                pulled[i] *= active
        return float(active * joint)
    unit, n_runs = _spread(model, state, room, c, n_dims)
    joint = 0.0
    if derived:
        n_entries = n_joint(model, state, c)
        for i in range(n_entries):
            table[4 * i + BY_PRESENT], table[4 * i + BY_ABSENT] = 0.0, 0.0
        add_runs(table, room.places, n_runs, unit, size, old, pulled, adjoint)
        for i in range(n_entries):
            joint += on * table[4 * i + PRESENT] * table[4 * i + BY_PRESENT]
    else:
        joint = dot_runs(pulled, old, size, room.active, n_runs, unit)
    mix_runs(pulled, adjoint, size, room.inactive, room.active, n_runs, unit)
    if credited:
        idle[c] = dot_runs(room.idle, old, size, room.active, n_runs, unit)
    if notes.linked:
        weigh_runs(pulled, size, room.active, n_runs, unit)
    return joint


@compiled
def _pull_idle(model: Model, state: State, room: Room, c: int, adjoint: Floats, size: int) -> float:
    """Pull an adjoint back through a cause that produced no symptom; return a factor for that."""
    apart()
    factor, mask, idle = state.spared[c], state.mask[c], room.idle
    for i in range(size):
        idle[i] = adjoint[i]
    while mask:
        slot = lowest(mask)
        mask &= mask - _ONE
        if state.slots[8 * slot + SIZE] == 0:
            stride, width = state.slots[8 * slot + STRIDE], state.slots[8 * slot + WIDTH]
            link, is_symptom = link_of(model, state, c, slot), state.symptom[slot] >= 0.0
            if is_symptom:
                factor *= link.keep
            if not is_symptom or link.leak_gain > 0.0:
                unact(idle_of(link, is_symptom), idle, size, stride, width)
    return float(factor)


@compiled
def _note_links(
    model: Model,
    state: State,
    room: Room,
    notes: Notes,
    c: int,
    old: Floats,
    size: int,
    posterior: float,
    credit: Floats,
) -> None:
    """Note the derivatives by what a cause does to axes, what is pulled back being weighed."""
    apart()
    mask = state.mask[c]
    while mask:
        slot = lowest(mask)
        mask &= mask - _ONE
        if state.slots[8 * slot + SIZE] == 0 and (notes.scored or state.symptom[slot] > 0.0):
            stride, width = state.slots[8 * slot + STRIDE], state.slots[8 * slot + WIDTH]
            link, share = floored(link_of(model, state, c, slot), LEAST_KEPT), state.share[slot]
            strength, factor = by_link(link, share, old, room.pulled, size, stride, width)
            note_link(model, state, notes, c, slot, posterior, strength, credit)
            note_inhibitor(model, state, notes, c, slot, factor)
