"""The table of a cause with what it acts on and depends on, and the way back from it."""

from __future__ import annotations

import numpy as np

from bayesdx.inference.noisy.jit.case_notes import note_inhibitor, note_link
from bayesdx.inference.noisy.jit.memory import (
    ABSENT,
    AXIS,
    BY_ABSENT,
    BY_PRESENT,
    DERIVED,
    ENTRY,
    LEAST_KEPT,
    N_RISKS,
    OFF,
    ON,
    PRESENT,
    TABLE,
    Model,
    Notes,
    Room,
    State,
    model_at,
    notes_at,
    room_at,
    rows_at,
    state_at,
    tree_at,
)
from bayesdx.inference.noisy.jit.tree_memory import (
    FIRST,
    LEAK,
    OPERATION_COLUMNS,
    RESULT,
    RISK,
    SECOND,
    WITH_CAUSE,
    WITH_PRIOR,
    Tree,
)
from bayesdx.inference.noisy.jit.tree_star_tables import load_star, store_star
from bayesdx.inference.noisy.model import GAIN, KEEP, LEAK_GAIN
from bayesdx.inference.typed import Floats, Integers, apart, compiled, inlined, lowest, moved


@inlined
def _link(model: Model, state: State, tree: Tree, c: int, rank: int) -> tuple[float, float, int]:
    """What a cause does to a finding or leak: reach it, or not; the slot if that is a symptom."""
    node = tree.by_rank[rank]
    slot = tree.of[node]
    at = 4 * (state.slots[8 * slot + AXIS] * model.n_causes + c)
    if tree.kind[node] == LEAK:
        return model.links[at + LEAK_GAIN], 1.0 - model.links[at + LEAK_GAIN], -1
    symptom = slot if state.symptom[slot] >= 0.0 else -1
    return model.links[at + GAIN], model.links[at + KEEP], symptom


@inlined
def _spread_prior(
    model: Model, state: State, tree: Tree, room: Room, table: int, c: int, prior: int
) -> int:
    """Lay weights of the cause out along its risks; return how many there are."""
    if not prior:
        room.active[0], room.inactive[0], room.places[0] = 1.0, 1.0, 0
        return 1
    step, count = 1, 1
    for i in range(state.causes[4 * c + N_RISKS]):
        slot = state.own[model.n_parents * c + i]
        state.slots[8 * slot + ENTRY] = step
        step *= tree.size[tree.rank[tree.node_of[slot]]]
    room.places[0] = 0
    for w in range(tree.n_words):
        rest = tree.scope[tree.n_words * table + w]
        while rest:
            rank = 64 * w + lowest(rest)
            rest &= rest - np.uint64(1)
            if tree.kind[tree.by_rank[rank]] == RISK:
                slot = tree.of[tree.by_rank[rank]]
                for s in range(1, tree.size[rank]):
                    for i in range(count):
                        room.places[s * count + i] = (
                            room.places[i] + s * state.slots[8 * slot + ENTRY]
                        )
                count *= tree.size[rank]
                state.slots[8 * slot + ENTRY] = 0
    entries = moved(state.tables, 4 * state.causes[4 * c + TABLE])
    on, off = state.weights[2 * c + ON], state.weights[2 * c + OFF]
    for i in range(count):
        room.active[i] = on * entries[4 * room.places[i] + PRESENT]
        room.inactive[i] = off * entries[4 * room.places[i] + ABSENT]
    return count


@compiled
def make_star(memory: Integers, operation: int) -> None:
    """Make the table of a cause."""
    apart()
    model, state, room, tree = model_at(memory), state_at(memory), room_at(memory), tree_at(memory)
    own = moved(tree.operations, OPERATION_COLUMNS * operation)
    c, holds, result, target = own[FIRST], own[SECOND], own[RESULT], room.adjoints
    count = _spread_prior(model, state, tree, room, result, c, holds & WITH_PRIOR)
    n_states = tree.size[tree.rank[tree.cause_of[c]]] if holds & WITH_CAUSE else 1
    unit = count * n_states
    for i in range(count):
        target[i] = 0.0 if holds & WITH_CAUSE else room.active[i]
        for s in range(1, n_states):
            target[s * count + i] = room.active[i]
    size = unit
    for w in range(tree.n_words):
        rest = tree.scope[tree.n_words * result + w] & tree.meets[w]
        while rest:
            rank = 64 * w + lowest(rest)
            rest &= rest - np.uint64(1)
            gain, keep, symptom = _link(model, state, tree, c, rank)
            for i in range(size):
                target[size + i] = gain * target[i]
                target[i] *= keep
            if n_states > 2 and symptom >= 0:
                # The third state: no link to a symptom acts.
                for first in range(size + 2 * count, 2 * size, unit):
                    for i in range(count):
                        target[first + i] = 0.0
            size *= 2
    for i in range(count):
        target[i] += room.inactive[i]
    store_star(tree, result, room.adjoints, room.tape)


@compiled
def pull_star(
    memory: Integers, operation: int, posterior: Floats, idle: Floats, credit: Floats
) -> None:
    """Pull derivatives back through `make_star`: to posteriors, priors, and what produced what."""
    apart()
    model, state, room, tree = model_at(memory), state_at(memory), room_at(memory), tree_at(memory)
    own = moved(tree.operations, OPERATION_COLUMNS * operation)
    c, holds, result, credited = own[FIRST], own[SECOND], own[RESULT], rows_at(memory).credited
    notes, behind = notes_at(memory), room.adjoints
    load_star(tree, result, room.tape, behind)
    count = _spread_prior(model, state, tree, room, result, c, holds & WITH_PRIOR)
    n_states = tree.size[tree.rank[tree.cause_of[c]]] if holds & WITH_CAUSE else 1
    unit, first = count * n_states, count if holds & WITH_CAUSE else 0
    size = _spread_links(model, state, room, tree, c, result, count, notes.linked)
    for block in range(size // count):
        here = moved(behind, first + unit * block)
        for i in range(count):
            room.pulled[block * count + i] *= here[i]
    if holds & WITH_PRIOR:
        _note_prior(state, room, c, holds, count, size, behind, posterior)
    if notes.linked and size > count:
        for block in range(size // count):
            for i in range(count):
                room.pulled[block * count + i] *= room.active[i]
        symptoms = _note_links(
            model, state, room, tree, notes, c, result, count, size, posterior[c], credit
        )
        # Without a third state, all links to symptoms are in this table.
        if credited and n_states < 3 and (symptoms or not holds & WITH_CAUSE):
            idle[c] = state.spared[c] * _idle(room.pulled, count, size, symptoms)
    elif credited and not holds & WITH_CAUSE:
        idle[c] = state.spared[c] * posterior[c]


@inlined
def _spread_links(
    model: Model,
    state: State,
    room: Room,
    tree: Tree,
    c: int,
    table: int,
    count: int,
    linked: int,
) -> int:
    """Lay out what the links of a cause that is present do; return how many entries that is."""
    target, size, least = room.pulled, count, LEAST_KEPT if linked else 0.0
    for i in range(count):
        target[i] = 1.0
    for w in range(tree.n_words):
        rest = tree.scope[tree.n_words * table + w] & tree.meets[w]
        while rest:
            rank = 64 * w + lowest(rest)
            rest &= rest - np.uint64(1)
            gain, keep, _ = _link(model, state, tree, c, rank)
            keep = keep if keep > least else least
            for i in range(size):
                target[size + i] = gain * target[i]
                target[i] *= keep
            size *= 2
    return size


@inlined
def _note_prior(
    state: State,
    room: Room,
    c: int,
    holds: int,
    count: int,
    size: int,
    behind: Floats,
    posterior: Floats,
) -> None:
    entries, joint = moved(state.tables, 4 * state.causes[4 * c + TABLE]), 0.0
    for i in range(count):
        by_present = 0.0
        for block in range(size // count):
            by_present += room.pulled[block * count + i]
        joint += room.active[i] * by_present
        if state.causes[4 * c + DERIVED]:
            entries[4 * room.places[i] + BY_PRESENT] = by_present
            entries[4 * room.places[i] + BY_ABSENT] = behind[i]
    if not holds & WITH_CAUSE:
        posterior[c] = joint


@inlined
def _idle(table: Floats, count: int, size: int, symptoms: int) -> float:
    """Sum what a cause weighs while it reaches no symptom; those are bits, a dimension each."""
    total = 0.0
    for block in range(size // count):
        if block & symptoms == 0:
            for i in range(count):
                total += table[block * count + i]
    return total


@inlined
def _note_links(
    model: Model,
    state: State,
    room: Room,
    tree: Tree,
    notes: Notes,
    c: int,
    table: int,
    count: int,
    size: int,
    posterior: float,
    credit: Floats,
) -> int:
    """Note the derivatives by what a cause does; return its symptoms, a bit a dimension."""
    stride, symptoms = count, 0
    for w in range(tree.n_words):
        rest = tree.scope[tree.n_words * table + w] & tree.meets[w]
        while rest:
            rank = 64 * w + lowest(rest)
            rest &= rest - np.uint64(1)
            gain, keep, symptom = _link(model, state, tree, c, rank)
            if symptom >= 0:
                symptoms |= stride // count
            slot = tree.of[tree.by_rank[rank]]
            if notes.scored or (symptom >= 0 and state.symptom[slot] > 0.0):
                keep = keep if keep > LEAST_KEPT else LEAST_KEPT
                none, some = 0.0, 0.0
                for first in range(0, size, 2 * stride):
                    for i in range(stride):
                        none += room.pulled[first + i]
                        some += room.pulled[first + stride + i]
                change = some / gain - none / keep
                if tree.kind[tree.by_rank[rank]] == LEAK:
                    # A leak is "reached" by what is left of 1.
                    note_inhibitor(model, state, notes, c, slot, -change)
                else:
                    note_link(model, state, notes, c, slot, posterior, change, credit)
            stride *= 2
    return symptoms
