"""Two tables of a tree joined, a node being summed out where it is in no other; and the way back.

Along the dimension of a finding (or leak) a table holds what its causes do to it: n where none of
them reaches it, and t where nothing is asked of it. Of two tables that act on one finding

    n = n1 n2        t = t1 t2

so that all dimensions go together state by state, as in any product of tables. What is reached,
t - n, is taken once, when the finding closes; see `tree_sweep` for the digits that this costs.

The node that closes varies slowest in both tables. It never gets a dimension of the product: of the
products of its states, weighed, only the sum is written.
"""

from __future__ import annotations

from bayesdx.inference.noisy.jit.pair_runs import (
    LANES,
    Number,
    Pair,
    add_products,
    add_scaled,
    dot,
    get,
    multiply,
    pair_at,
    plus,
    pull,
    put,
    scale,
    shifted,
)
from bayesdx.inference.noisy.jit.tree_memory import (
    FIRST,
    OPERATION_COLUMNS,
    RANK,
    RESULT,
    SECOND,
    Tree,
)
from bayesdx.inference.noisy.jit.tree_walk import (
    OF_BOTH,
    OF_ONE,
    Walk,
    advance,
    gather_table,
    spread_length,
    spread_table,
    walk_of,
)
from bayesdx.inference.typed import Floats, apart, compiled, inlined, moved


@inlined
def table_at(tree: Tree, table: int, tape: Floats) -> Pair:
    """Where a table lies."""
    return pair_at(tape, tree.start[table], tree.length[table])


@inlined
def weight_of(tree: Tree, rank: int, state: int) -> Number:
    """What a state of a node is worth."""
    at = 2 * tree.n_marks * rank + state
    return tree.weights[at], tree.weights[at + tree.n_marks]


@inlined
def note_derivative(tree: Tree, rank: int, state: int, derivative: Number) -> None:
    """Note the derivative of the log evidence by what a state of a node is worth."""
    at = 2 * tree.n_marks * rank + state
    tree.derived[at], tree.derived[at + tree.n_marks] = derivative


@inlined
def _lengths(tree: Tree, operation: int, walk: Walk) -> tuple[int, int]:
    """Entries of both tables as they are gone through."""
    own = moved(tree.operations, OPERATION_COLUMNS * operation)
    one, two = tree.length[own[FIRST]], tree.length[own[SECOND]]
    return spread_length(one, walk.one, walk.spread), spread_length(two, walk.two, walk.spread)


@compiled
def scratch_of(tree: Tree, operation: int) -> int:
    """Numbers that a join and its way back write beside the tables."""
    apart()
    walk = walk_of(tree, operation)
    one, two = _lengths(tree, operation, walk)
    return 2 * (one + 2 * two) + (2 * one if walk.one else 0)


@inlined
def _copy_of_second(scratch: Floats, n_one: int, n_two: int) -> Pair:
    """Behind derivatives by both tables; a copy of the first one, if any, lies behind that."""
    return pair_at(scratch, 2 * (n_one + n_two), n_two)


@inlined
def _operands(
    tree: Tree, operation: int, walk: Walk, tape: Floats, scratch: Floats
) -> tuple[Pair, Pair]:
    """Both tables, spread where they have to be, the second one times what states are worth."""
    own = moved(tree.operations, OPERATION_COLUMNS * operation)
    one, two = table_at(tree, own[FIRST], tape), table_at(tree, own[SECOND], tape)
    n_one, n_two = _lengths(tree, operation, walk)
    copy = _copy_of_second(scratch, n_one, n_two)
    if walk.one:
        source, one = one, pair_at(copy[0], 2 * n_two, n_one)
        spread_table(one, source, tree.length[own[FIRST]], walk.one, walk.spread, tree.places)
    if walk.two:
        source, two = two, copy
        places = moved(tree.places, LANES * tree.n_marks)
        spread_table(two, source, tree.length[own[SECOND]], walk.two, walk.spread, places)
    if own[RANK] >= 0:
        source, two = two, copy
        part = n_two // walk.n_states
        for s in range(walk.n_states):
            here, weight = shifted(two, s * part), weight_of(tree, own[RANK], s)
            scale(here, shifted(source, s * part), weight, part)
    return one, two


@compiled
def join(tree: Tree, operation: int, tape: Floats, scratch: Floats) -> None:
    """Join two tables."""
    apart()
    own, walk = moved(tree.operations, OPERATION_COLUMNS * operation), walk_of(tree, operation)
    one, two = _operands(tree, operation, walk, tape, scratch)
    n_one, n_two = _lengths(tree, operation, walk)
    n_one, n_two = n_one // walk.n_states, n_two // walk.n_states
    result, i, j = table_at(tree, own[RESULT], tape), 0, 0
    for at in range(0, tree.length[own[RESULT]], walk.entries):
        x, y, z = shifted(one, i), shifted(two, j), shifted(result, at)
        if walk.kind == OF_BOTH:
            multiply(z, x, y, walk.entries)
            for s in range(1, walk.n_states):
                add_products(z, shifted(x, s * n_one), shifted(y, s * n_two), walk.entries)
        elif walk.kind == OF_ONE:
            scale(z, x, get(y, 0), walk.entries)
            for s in range(1, walk.n_states):
                add_scaled(z, shifted(x, s * n_one), get(y, s * n_two), walk.entries)
        else:
            scale(z, y, get(x, 0), walk.entries)
            for s in range(1, walk.n_states):
                add_scaled(z, shifted(y, s * n_two), get(x, s * n_one), walk.entries)
        i, j = advance(tree, walk.n_runs, i, j)


@compiled
def pull_join(tree: Tree, operation: int, tape: Floats, scratch: Floats) -> None:
    """Pull derivatives back through `join`; those by a table take its place."""
    apart()
    own, walk = moved(tree.operations, OPERATION_COLUMNS * operation), walk_of(tree, operation)
    one, two = _operands(tree, operation, walk, tape, scratch)
    n_one, n_two = _lengths(tree, operation, walk)
    by_one, by_two = pair_at(scratch, 0, n_one), pair_at(scratch, 2 * n_one, n_two)
    copy = _copy_of_second(scratch, n_one, n_two)
    for i in range(2 * (n_one + n_two)):
        scratch[i] = 0.0
    n_one, n_two = n_one // walk.n_states, n_two // walk.n_states
    behind, i, j = table_at(tree, own[RESULT], tape), 0, 0
    for at in range(0, tree.length[own[RESULT]], walk.entries):
        for s in range(walk.n_states):
            p, q, z = i + s * n_one, j + s * n_two, shifted(behind, at)
            x, y, by_x, by_y = (
                shifted(one, p),
                shifted(two, q),
                shifted(by_one, p),
                shifted(by_two, q),
            )
            if walk.kind == OF_BOTH:
                pull(by_x, by_y, z, x, y, walk.entries)
            elif walk.kind == OF_ONE:
                _pull_scale(by_x, by_y, z, x, y, walk.entries)
            else:
                _pull_scale(by_y, by_x, z, y, x, walk.entries)
        i, j = advance(tree, walk.n_runs, i, j)
    _keep_one(tree, operation, walk, tape, by_one)
    _keep_two(tree, operation, walk, tape, by_two, copy)


@inlined
def _keep_one(tree: Tree, operation: int, walk: Walk, tape: Floats, adjoints: Pair) -> None:
    """Put derivatives by the first table in its place."""
    table = tree.operations[OPERATION_COLUMNS * operation + FIRST]
    target, length = table_at(tree, table, tape), tree.length[table]
    if walk.one:
        gather_table(target, adjoints, length, walk.one, walk.spread, tree.places)
        return
    for i in range(2 * length):
        target[0][i] = adjoints[0][i]


@inlined
def _keep_two(
    tree: Tree, operation: int, walk: Walk, tape: Floats, adjoints: Pair, free: Pair
) -> None:
    """Put derivatives by the second table in its place, and note those by what states are worth."""
    own = moved(tree.operations, OPERATION_COLUMNS * operation)
    target, length = table_at(tree, own[SECOND], tape), tree.length[own[SECOND]]
    if walk.two:
        places, source = moved(tree.places, LANES * tree.n_marks), adjoints
        adjoints = pair_at(free[0], 0, length)
        gather_table(adjoints, source, length, walk.two, walk.spread, places)
    if own[RANK] < 0:
        for i in range(2 * length):
            target[0][i] = adjoints[0][i]
        return
    part = length // walk.n_states
    for s in range(walk.n_states):
        here, behind = shifted(target, s * part), shifted(adjoints, s * part)
        note_derivative(tree, own[RANK], s, dot(behind, here, part))
        scale(here, behind, weight_of(tree, own[RANK], s), part)


@inlined
def _pull_scale(
    by_run: Pair, by_factor: Pair, behind: Pair, run: Pair, factor: Pair, count: int
) -> None:
    """Transpose of a run times one entry."""
    add_scaled(by_run, behind, get(factor, 0), count)
    put(by_factor, 0, plus(get(by_factor, 0), dot(behind, run, count)))
