"""The entry of the compiled code: all cases of a batch, one after the other."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bayesdx.inference.noisy.jit.case_evidence import condition_case, weigh_symptoms
from bayesdx.inference.noisy.jit.case_notes import note_case
from bayesdx.inference.noisy.jit.case_order import plan_core
from bayesdx.inference.noisy.jit.case_sweep import sweep_backward, sweep_forward
from bayesdx.inference.noisy.jit.memory import (
    ADJOINTS,
    ANSWERED,
    BY_WORK,
    COMPONENTS,
    LARGEST,
    ON,
    SOURCES,
    TOO_DEAR,
    TOO_MANY,
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
from bayesdx.inference.noisy.jit.tree_sweep import tree_backward, tree_forward
from bayesdx.inference.typed import (
    Bytes,
    Floats,
    Integers,
    inlined,
    integers_at,
    kept,
    moved,
)

#: How the 2-core of a case was summed out, where not by a tree of so many operations: a case for
#: which memory must be made first, one that is too much work.
_NOTHING, _FRONTIER, _NO_ROOM, _TOO_MUCH = 0, -1, -2, -3
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
def _sum_out(
    memory: Integers, n_slots: int, asked: Bytes, posterior: Floats
) -> tuple[int, int, float]:
    """Sum everything out: pendant eliminations, how the rest was, log evidence."""
    state, room = state_at(memory), room_at(memory)
    n_steps = eliminate_pendant(memory, n_slots, asked, posterior)
    cost, way = plan_core(memory, n_slots), _NOTHING
    if cost > 0.0:
        n_operations, by_work = 0, rows_at(memory).way == BY_WORK
        if cost > _WORTH_A_TREE or not by_work:
            n_operations = plan_tree(memory, n_slots, cost if by_work else np.inf)
        if n_operations == 0 and cost == np.inf:
            return n_steps, _TOO_MUCH, 0.0
        large = state.needs[COMPONENTS] > room.n_tape or state.needs[LARGEST] > room.n_frontier
        if large or state.needs[ADJOINTS] > room.n_adjoints:
            return n_steps, _NO_ROOM, 0.0
        way = n_operations if n_operations else _FRONTIER
        if n_operations:
            tree_forward(memory, n_operations)
        else:
            sweep_forward(memory)
    return n_steps, way, state.scale[1] + math.log(state.scale[0])


@inlined
def _pull_back(
    memory: Integers, n_steps: int, way: int, posterior: Floats, idle: Floats, credit: Floats
) -> None:
    """Fill the posteriors, and what produced the symptoms."""
    if rows_at(memory).credited:
        for c in range(model_at(memory).n_causes):
            idle[c], credit[c] = posterior[c], 0.0
    if way == _FRONTIER:
        sweep_backward(memory, posterior, idle, credit)
    elif way > 0:
        tree_backward(memory, way, posterior, idle, credit)
    pull_pendant(memory, n_steps, posterior, idle, credit)


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
    # The second question comes first, on what it shares with the first one.
    for question in range(0 if rows.second else 1, 2):
        if rows.second:
            _keep(model, state, question == 1)
        weigh_symptoms(model, state, rows, n, n_slots)
        if question == 0:
            _rule_out(model, state, rows)
        n_steps, way, log_evidence = _sum_out(memory, n_slots, asked, posterior)
        if way == _NO_ROOM:
            return _NO_ROOM
        if way == _TOO_MUCH:
            return TOO_DEAR
        if question == 0:
            rows.log_without[n] = log_evidence
            continue
        rows.log_evidence[n] = log_evidence
        if rows.backward and log_evidence > -np.inf:
            _pull_back(memory, n_steps, way, posterior, idle, credit)
            if notes.scored:
                note_case(memory, n_slots, n, posterior)
        if rows.backward:
            _finish(model, posterior, log_evidence > -np.inf)
    return ANSWERED


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
