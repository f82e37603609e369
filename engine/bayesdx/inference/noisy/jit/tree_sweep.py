"""A tree of tables carried out: forward for the evidence, backward for derivatives.

That a finding is reached is the difference of two sums, which loses digits: as many, in all, as
the evidence is improbable (the instability of inclusion and exclusion, Heckerman 1989). Entries
have 106 bits, twice as many as the answer. How many of them were lost is measured in each case:
derivatives of the log evidence by what the states of a node are worth, weighed by that, add up to
1 at every node, and what is missing there is the share of the evidence that rounding moved on its
way from that node. A case in which that is more than `_MOST_MISSING` is not answered by a tree.
"""

from __future__ import annotations

import math

from bayesdx.inference.noisy.jit.case_evidence import multiply
from bayesdx.inference.noisy.jit.memory import (
    WIDTH,
    model_at,
    room_at,
    rows_at,
    state_at,
    tree_at,
)
from bayesdx.inference.noisy.jit.pair_runs import get, plus, put
from bayesdx.inference.noisy.jit.tree_closing import close, missing_at, pull_close, settle, unsettle
from bayesdx.inference.noisy.jit.tree_digits import most_missing
from bayesdx.inference.noisy.jit.tree_joins import join, pull_join, table_at
from bayesdx.inference.noisy.jit.tree_memory import (
    BEGIN,
    CAUSE,
    CLOSE,
    FINDING,
    FIRST,
    JOIN,
    KIND,
    OPERATION_COLUMNS,
    RANK,
    RESULT,
    RISK,
    STAR,
    Tree,
)
from bayesdx.inference.noisy.jit.tree_ranks import least_worth
from bayesdx.inference.noisy.jit.tree_stars import make_star, pull_star
from bayesdx.inference.typed import Floats, Integers, apart, compiled, inlined, moved

#: Share of the evidence that may be missing at a node. Filled forms of the packaged knowledge, with
#: 20 to 32 findings present, miss less than 1e-20.
_MOST_MISSING = 1e-16


@compiled
def sweep_tree(
    memory: Integers,
    n_operations: int,
    asked: bool,
    posterior: Floats,
    idle: Floats,
    credit: Floats,
) -> bool:
    """Sum the 2-core out and pull derivatives back; return whether digits enough are left.

    The share of the 2-core in the evidence goes into ``state.scale``. Where no derivatives are
    ``asked``, they are pulled back only if nothing else tells how many digits are left.
    """
    apart()
    scale = state_at(memory).scale
    before = scale[1] + math.log(scale[0])
    if not _forward(memory, n_operations):
        return False
    own = scale[1] + math.log(scale[0]) - before
    if not asked and most_missing(memory, n_operations, own) <= _MOST_MISSING:
        return True
    return _backward(memory, n_operations, posterior, idle, credit) <= _MOST_MISSING


@compiled
def _forward(memory: Integers, n_operations: int) -> bool:
    apart()
    state, tree, tape = state_at(memory), tree_at(memory), room_at(memory).tape
    for operation in range(n_operations):
        _carry_out(memory, operation)
        if tree.operations[OPERATION_COLUMNS * operation + RANK] >= 0:
            most = settle(tree, operation, tape)
            if not most > 0.0:
                return False
            multiply(state.scale, most)
    return True


@compiled
def _carry_out(memory: Integers, operation: int) -> None:
    """Make the table of an operation."""
    apart()
    model, state, room, tree = model_at(memory), state_at(memory), room_at(memory), tree_at(memory)
    own = moved(tree.operations, OPERATION_COLUMNS * operation)
    if own[KIND] == STAR:
        make_star(memory, operation)
    elif own[KIND] == JOIN:
        join(tree, operation, room.tape, room.adjoints)
    elif own[KIND] == CLOSE:
        close(tree, operation, room.tape)
    else:
        slot = own[FIRST]
        vector = moved(state.vectors, model.n_states * slot)
        _make_leakage(tree, own[RESULT], vector, state.share[slot], room.tape)


@inlined
def _make_leakage(tree: Tree, table: int, vector: Floats, share: float, tape: Floats) -> None:
    """Write whether a leak reaches its finding, the finding varying fastest.

    So that what is not reached is worth ``x1 + x2`` and inhibited ``x1 + x3``, in terms of what
    that is worth when the finding closes. Entries of the leak are what n and t of its inhibitors
    are multiplied by, and add up to n times not inhibited and t - n times inhibited.
    """
    least, target = least_worth(vector, share), table_at(tree, table, tape)
    for inhibited in range(2):
        worth = vector[1] + vector[3 if inhibited else 2]
        none = 1.0
        if share != least:
            none = (share - worth) / (share - least)
        none = min(max(none, 0.0), 1.0)
        some = 1.0 - none
        if least == 0.0 and share > 0.0:
            some = worth / share
        put(target, 2 * inhibited, (none, 0.0))
        put(target, 2 * inhibited + 1, plus((none, 0.0), (some, 0.0)))
    for finding in range(2):
        high, low = get(target, 2 + finding)
        put(target, finding, plus(get(target, finding), (-high, -low)))


@compiled
def _backward(
    memory: Integers, n_operations: int, posterior: Floats, idle: Floats, credit: Floats
) -> float:
    """Fill the posteriors of core causes, and the adjoints of their priors and axes.

    Returns the share of the evidence that is missing, where most is.
    """
    apart()
    room, tree, missing = room_at(memory), tree_at(memory), 0.0
    for operation in range(n_operations - 1, -1, -1):
        own = moved(tree.operations, OPERATION_COLUMNS * operation)
        if own[RANK] >= 0:
            if tree.kept[0]:
                for before in range(own[BEGIN], operation):
                    _carry_out(memory, before)
            unsettle(tree, operation, room.tape)
        if own[KIND] == STAR:
            pull_star(memory, operation, posterior, idle, credit)
        elif own[KIND] == JOIN:
            pull_join(tree, operation, room.tape, room.adjoints)
        elif own[KIND] == CLOSE:
            pull_close(tree, operation, room.tape)
        else:
            _note_leak(memory, own[FIRST], own[RESULT])
        if own[RANK] >= 0:
            missing = max(missing, missing_at(tree, own[RANK]))
            _note(memory, own[RANK], posterior, idle)
    return missing


@inlined
def _note(memory: Integers, rank: int, posterior: Floats, idle: Floats) -> None:
    """Note what derivatives by the weights of a node's states mean."""
    model, state, tree = model_at(memory), state_at(memory), tree_at(memory)
    node, derived = tree.by_rank[rank], moved(tree.derived, 2 * tree.n_marks * rank)
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
        low = moved(derived, tree.n_marks)
        reached, _ = plus((derived[1], low[1]), (-derived[0], -low[0]))
        result[0], result[1] = state.share[of] * reached, derived[0]
        # Components 1 and 2 were summed before the axis opened, and 3 fed nothing.
        result[2], result[3] = result[1], 0.0


@inlined
def _note_leak(memory: Integers, slot: int, table: int) -> None:
    """Note derivatives by the components of a finding whose leak is a node.

    Along ``none``, with ``some`` what is left of 1; see `_make_leakage`.
    """
    model, state, tree = model_at(memory), state_at(memory), tree_at(memory)
    vector = moved(state.vectors, model.n_states * slot)
    result = moved(state.adjoints, model.n_states * slot)
    behind = table_at(tree, table, room_at(memory).tape)
    room = state.share[slot] - least_worth(vector, state.share[slot])
    with_leak, without, total = 0.0, 0.0, 1.0
    if room != 0.0:
        (high, low), rest = get(behind, 2), get(behind, 0)
        with_leak = max(-rest[0] / room, 0.0)
        without = max(plus(rest, (-high, -low))[0] / room, 0.0)
    total -= (vector[1] + vector[2]) * with_leak + (vector[1] + vector[3]) * without
    result[0], result[1] = max(total, 0.0), with_leak + without
    result[2], result[3] = with_leak, without if state.slots[8 * slot + WIDTH] > 3 else 0.0
