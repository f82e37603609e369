"""The entry of the compiled code: all cases of a batch, one after the other."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bayesdx.inference.noisy.jit import ANSWERED, LOST, TOO_DEAR, TOO_MANY
from bayesdx.inference.noisy.jit.case_evidence import condition_case, weigh_symptoms
from bayesdx.inference.noisy.jit.case_notes import note_case
from bayesdx.inference.noisy.jit.case_order import plan_core
from bayesdx.inference.noisy.jit.case_sweep import sweep_backward, sweep_forward
from bayesdx.inference.noisy.jit.memory import (
    ADJOINTS,
    BY_WORK,
    COMPONENTS,
    LARGEST,
    ON,
    SOURCES,
    Model,
    Rows,
    State,
    model_at,
    notes_at,
    room_at,
    rows_at,
    state_at,
)
from bayesdx.inference.noisy.jit.pendant import eliminate_pendant, pull_pendant
from bayesdx.inference.noisy.jit.tree_buckets import plan_tree
from bayesdx.inference.noisy.jit.tree_sweep import sweep_tree
from bayesdx.inference.typed import (
    Floats,
    Integers,
    inlined,
    integers_at,
    kept,
    moved,
)

#: How the 2-core of a case was summed out, where not by a tree of so many operations: a case for
#: which memory must be made first, one that is too much work, one whose digits were lost.
_NOTHING, _FRONTIER, _NO_ROOM, _TOO_MUCH, _LOST = 0, -1, -2, -3, -4
#: Components of a sweep above which a tree is planned as well, which takes some 100 us. The one of
#: less work is taken: a component of a frontier takes 4 to 5 ns in all, forward and back, a product
#: of a tree 3 to 8 (1,000 drawn cases, risks all known, partly known, hardly known).
_WORTH_A_TREE = 1 << 14


@inlined
def _keep(model: Model, state: State, back: bool) -> None:
    """Keep a case as it was before anything was summed out, or bring it back."""
    n_block = 2 + 2 * model.n_causes + 64 * model.n_states
    n_whole = 1 + (4 + model.n_parents) * model.n_causes
    block, whole, mask = state.block, state.whole, state.mask
    to_block, to_whole, to_mask = state.saved_block, state.saved_whole, state.saved_mask
    if back:
        block, whole, mask, to_block, to_whole, to_mask = (
            to_block,
            to_whole,
            to_mask,
            block,
            whole,
            mask,
        )
    for i in range(n_block):
        to_block[i] = block[i]
    for i in range(n_whole):
        to_whole[i] = whole[i]
    for c in range(model.n_causes):
        to_mask[c] = mask[c]


@inlined
def _rule_out(model: Model, state: State, rows: Rows) -> None:
    for c in range(model.n_causes):
        if rows.without[c]:
            state.weights[2 * c + ON] = 0.0


@inlined
def _lacks_room(memory: Integers) -> bool:
    needs, room = state_at(memory).needs, room_at(memory)
    large = needs[COMPONENTS] > room.n_tape or needs[LARGEST] > room.n_frontier
    return bool(large or needs[ADJOINTS] > room.n_adjoints)


@inlined
def _sum_core(
    memory: Integers, n_slots: int, asked: bool, posterior: Floats, idle: Floats, credit: Floats
) -> int:
    """Sum the 2-core out; say how. A tree has pulled derivatives back then, if ``asked``."""
    state, rows = state_at(memory), rows_at(memory)
    cost, n_operations, by_work = plan_core(memory, n_slots), 0, rows.way == BY_WORK
    if cost == 0.0 or state.scale[1] == -np.inf:
        return _NOTHING
    if cost > _WORTH_A_TREE or not by_work:
        n_operations = plan_tree(memory, n_slots, cost if by_work else np.inf)
    if n_operations == 0 and cost == np.inf:
        return _TOO_MUCH
    if _lacks_room(memory):
        return _NO_ROOM
    if n_operations:
        product, logs, noted = state.scale[0], state.scale[1], state.noted[0]
        if sweep_tree(memory, n_operations, asked, posterior, idle, credit):
            return n_operations
        if cost == np.inf:
            return _LOST
        # A frontier loses no digits.
        state.scale[0], state.scale[1], state.noted[0] = product, logs, noted
        plan_core(memory, n_slots)
        if _lacks_room(memory):
            return _NO_ROOM
    sweep_forward(memory)
    return _FRONTIER


@inlined
def _credit_nothing(model: Model, posterior: Floats, idle: Floats, credit: Floats) -> None:
    for c in range(model.n_causes):
        idle[c], credit[c] = posterior[c], 0.0


@inlined
def _finish(model: Model, posterior: Floats, possible: bool) -> None:
    for c in range(model.n_causes):
        # A certain cause may come out an ulp above 1.
        if not possible:
            posterior[c] = 0.0
        elif posterior[c] > 1.0:
            posterior[c] = 1.0


@inlined
def _answer_row(memory: Integers, n: int) -> int:
    """Answer one case; return its status, or `_NO_ROOM`."""
    model, state, rows, notes = (
        model_at(memory),
        state_at(memory),
        rows_at(memory),
        notes_at(memory),
    )
    posterior = moved(rows.posterior, rows.backward * n * model.n_causes)
    idle = moved(rows.idle, rows.credited * n * model.n_causes)
    credit = moved(rows.credit, rows.credited * n * model.n_causes)
    asked = moved(rows.asked, rows.narrow * n * model.n_causes)
    n_slots, state.noted[0] = condition_case(memory, n), notes.begin[n * notes.scored]
    if n_slots < 0:
        return TOO_MANY
    n_steps, way = 0, _NOTHING
    # The second question comes first, on what it shares with the first one.
    for question in range(0 if rows.second else 1, 2):
        if rows.second:
            _keep(model, state, question == 1)
        weigh_symptoms(model, state, rows, n, n_slots)
        if question == 0:
            _rule_out(model, state, rows)
        n_steps = eliminate_pendant(memory, n_slots, asked, posterior)
        if rows.credited:
            _credit_nothing(model, posterior, idle, credit)
        pulled = rows.backward * question > 0
        way = _sum_core(memory, n_slots, pulled, posterior, idle, credit)
        if way < _FRONTIER:
            return _why_not(way)
        if question == 0:
            rows.log_without[n] = state.scale[1] + math.log(state.scale[0])
    rows.log_evidence[n] = state.scale[1] + math.log(state.scale[0])
    if rows.backward:
        _pull_back(memory, n, n_slots, n_steps, way, posterior, idle, credit)
    return ANSWERED


@inlined
def _pull_back(
    memory: Integers,
    n: int,
    n_slots: int,
    n_steps: int,
    way: int,
    posterior: Floats,
    idle: Floats,
    credit: Floats,
) -> None:
    """Fill what a row is asked beside its evidence."""
    model, rows = model_at(memory), rows_at(memory)
    possible = rows.log_evidence[n] > -np.inf
    if possible:
        if way == _FRONTIER:
            sweep_backward(memory, posterior, idle, credit)
        pull_pendant(memory, n_steps, posterior, idle, credit)
        if notes_at(memory).scored:
            note_case(memory, n_slots, n, posterior)
    _finish(model, posterior, possible)
    if rows.credited and not possible:
        _credit_nothing(model, posterior, idle, credit)


@inlined
def _why_not(way: int) -> int:
    """What becomes of a case that is not summed out."""
    if way == _NO_ROOM:
        return _NO_ROOM
    return TOO_DEAR if way == _TOO_MUCH else LOST


def _make_entry(digest: str) -> Any:
    """Machine code is kept by the source of its entry; the digest stands for all other files."""

    @kept
    def answer_rows(address: int, first: int, last: int) -> int:
        memory = integers_at(address)
        for n in range(first, last):
            status = _answer_row(memory, n)
            if status == _NO_ROOM:
                return n
            rows_at(memory).status[n] = status
        return last + 0 * len(digest)

    return answer_rows


answer_rows = _make_entry(SOURCES)
