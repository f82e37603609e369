"""A tree of tables carried out: forward for the evidence, backward for derivatives."""

from __future__ import annotations

from bayesdx.inference.noisy.jit.case_evidence import multiply
from bayesdx.inference.noisy.jit.memory import (
    WIDTH,
    State,
    model_at,
    room_at,
    rows_at,
    state_at,
    tree_at,
)
from bayesdx.inference.noisy.jit.tree_closing import close, pull_close
from bayesdx.inference.noisy.jit.tree_joins import join, pull_join
from bayesdx.inference.noisy.jit.tree_memory import (
    BEGIN,
    CAUSE,
    CLOSE,
    FINDING,
    FIRST,
    JOIN,
    KIND,
    MOST_DIMENSIONS,
    OPERATION_COLUMNS,
    RESULT,
    RISK,
    SECOND,
    STAR,
    Tree,
)
from bayesdx.inference.noisy.jit.tree_places import is_number
from bayesdx.inference.noisy.jit.tree_ranks import least_worth
from bayesdx.inference.noisy.jit.tree_stars import make_star, pull_star
from bayesdx.inference.typed import Floats, Integers, apart, compiled, inlined, moved


@compiled
def tree_forward(memory: Integers, n_operations: int) -> None:
    """Sum the 2-core out; its share of the evidence goes into ``state.scale``."""
    apart()
    state, tree, tape = state_at(memory), tree_at(memory), room_at(memory).tape
    for operation in range(n_operations):
        if tree.operations[OPERATION_COLUMNS * operation + KIND] != CLOSE:
            _carry_out(memory, operation)
            continue
        most = close(tree, operation, tape)
        tree.factors[operation] = 1.0 / most if most > 0.0 else 0.0
        multiply(state.scale, most)
        if not most > 0.0:
            return


@compiled
def _carry_out(memory: Integers, operation: int) -> None:
    """Make the table of an operation that closes nothing."""
    apart()
    model, state, tree = model_at(memory), state_at(memory), tree_at(memory)
    own, tape = moved(tree.operations, OPERATION_COLUMNS * operation), room_at(memory).tape
    if own[KIND] == STAR:
        make_star(memory, operation)
    elif own[KIND] == JOIN:
        join(tree, operation, tape)
    else:
        slot, result = own[FIRST], own[RESULT]
        vector = moved(state.vectors, model.n_states * slot)
        _leakage(tree, result, slot, vector, state.share[slot], moved(tape, tree.start[result]))


@inlined
def _leakage(
    tree: Tree, table: int, slot: int, vector: Floats, share: float, target: Floats
) -> None:
    """Write whether a leak, not inhibited and inhibited, reaches its finding.

    So that what is not reached is worth ``x1 + x2`` and ``x1 + x3``, in terms of what that is worth
    when the finding closes.
    """
    least = least_worth(vector, share)
    dims = moved(tree.dims, MOST_DIMENSIONS * table)
    # What is eliminated last varies fastest: the finding, which waits for its leak.
    dims[0], dims[1] = tree.rank[tree.node_of[slot]], tree.rank[tree.leak_of[slot]]
    tree.n_dims[table] = 2
    for inhibited in range(2):
        worth = vector[1] + vector[3 if inhibited else 2]
        none = 1.0
        if share != least:
            none = (share - worth) / (share - least)
        none = min(max(none, 0.0), 1.0)
        some = 1.0 - none
        if least == 0.0 and share > 0.0:
            some = worth / share
        target[2 * inhibited], target[2 * inhibited + 1] = none, some


@compiled
def tree_backward(
    memory: Integers, n_operations: int, posterior: Floats, idle: Floats, credit: Floats
) -> None:
    """Fill the posteriors of core causes, and the adjoints of their priors and axes."""
    apart()
    model, state, room, tree = model_at(memory), state_at(memory), room_at(memory), tree_at(memory)
    tape, adjoints = room.tape, moved(room.adjoints, -tree.kept[0])
    for operation in range(n_operations - 1, -1, -1):
        own = moved(tree.operations, OPERATION_COLUMNS * operation)
        if own[KIND] == STAR:
            pull_star(memory, operation, posterior, idle, credit)
        elif own[KIND] == JOIN:
            pull_join(tree, operation, tape, adjoints)
        elif own[KIND] == CLOSE:
            if tree.kept[0]:
                for before in range(own[BEGIN], operation):
                    _carry_out(memory, before)
            if is_number(tree, own[RESULT]):
                # Of log evidence, by a factor of it that is 1.
                tape[tree.start[own[RESULT]]] = 1.0
            pull_close(tree, operation, tape, tree.factors[operation])
            _note(memory, own[SECOND], posterior, idle)
        else:
            slot = own[FIRST]
            vector = moved(state.vectors, model.n_states * slot)
            behind = moved(tape, tree.start[own[RESULT]])
            _note_leak(state, slot, vector, behind, moved(state.adjoints, model.n_states * slot))


@inlined
def _note(memory: Integers, rank: int, posterior: Floats, idle: Floats) -> None:
    """Note what derivatives by the weights of a node's states mean."""
    model, state, tree = model_at(memory), state_at(memory), tree_at(memory)
    node, derived = tree.by_rank[rank], moved(tree.derived, tree.n_marks * rank)
    kind, of = tree.kind[node], tree.of[node]
    if kind == CAUSE:
        posterior[of] = derived[1]
        if rows_at(memory).credited:
            idle[of] = state.spared[of] * derived[2 if tree.size[rank] > 2 else 1]
        return
    result = moved(state.adjoints, model.n_states * of)
    if kind == RISK:
        for s in range(tree.size[rank]):
            result[s] = derived[s]
    elif kind == FINDING and tree.leak_of[of] < 0:
        result[0], result[1] = state.share[of] * derived[1], derived[0]
        # Components 1 and 2 were summed before the axis opened, and 3 fed nothing.
        result[2], result[3] = result[1], 0.0


@inlined
def _note_leak(state: State, slot: int, vector: Floats, behind: Floats, result: Floats) -> None:
    """Note derivatives by the components of a finding whose leak is a node; see `_leakage`."""
    share = state.share[slot]
    room = share - least_worth(vector, share)
    with_leak, without, total = 0.0, 0.0, 1.0
    if room != 0.0:
        with_leak = max((behind[1] - behind[0]) / room, 0.0)
        without = max((behind[3] - behind[2]) / room, 0.0)
    total -= (vector[1] + vector[2]) * with_leak + (vector[1] + vector[3]) * without
    result[0], result[1] = max(total, 0.0), with_leak + without
    result[2], result[3] = with_leak, without if state.slots[8 * slot + WIDTH] > 3 else 0.0
