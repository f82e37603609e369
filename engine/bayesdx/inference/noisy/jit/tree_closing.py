"""A node summed out of the only table that it is in, and the way back; what follows any sum."""

from __future__ import annotations

from bayesdx.inference.noisy.jit.pair_runs import (
    add_scaled,
    dot,
    inverse,
    plus,
    put,
    scale,
    shifted,
    times,
)
from bayesdx.inference.noisy.jit.tree_joins import note_derivative, table_at, weight_of
from bayesdx.inference.noisy.jit.tree_memory import FIRST, OPERATION_COLUMNS, RANK, RESULT, Tree
from bayesdx.inference.noisy.jit.tree_places import is_number
from bayesdx.inference.typed import Floats, apart, compiled, moved

#: A table whose sum is less is brought back by a factor.
_SMALL, _BACK = 2.0**-200, 2.0**200


@compiled
def close(tree: Tree, operation: int, tape: Floats) -> None:
    """Sum a node out, its states weighed."""
    apart()
    own = moved(tree.operations, OPERATION_COLUMNS * operation)
    rank, length = own[RANK], tree.length[own[RESULT]]
    source, target = table_at(tree, own[FIRST], tape), table_at(tree, own[RESULT], tape)
    scale(target, source, weight_of(tree, rank, 0), length)
    for s in range(1, tree.size[rank]):
        add_scaled(target, shifted(source, s * length), weight_of(tree, rank, s), length)


@compiled
def pull_close(tree: Tree, operation: int, tape: Floats) -> None:
    """Pull derivatives back through `close`."""
    apart()
    own = moved(tree.operations, OPERATION_COLUMNS * operation)
    rank, length = own[RANK], tree.length[own[RESULT]]
    source, behind = table_at(tree, own[FIRST], tape), table_at(tree, own[RESULT], tape)
    for s in range(tree.size[rank]):
        part = shifted(source, s * length)
        note_derivative(tree, rank, s, dot(behind, part, length))
        scale(part, behind, weight_of(tree, rank, s), length)


@compiled
def settle(tree: Tree, operation: int, tape: Floats) -> float:
    """Bring what a node leaves behind into range; return what it was divided by, 0 if lost.

    Of a number there remain derivatives of its log.
    """
    apart()
    table, most = tree.operations[OPERATION_COLUMNS * operation + RESULT], 0.0
    target, length = table_at(tree, table, tape), tree.length[table]
    for i in range(length):
        most += target[0][i]
    tree.factors[operation] = 1.0
    if not most > 0.0:
        return 0.0
    if is_number(tree, table):
        put(target, 0, inverse((target[0][0], target[1][0])))
        return most
    if most >= _SMALL:
        return 1.0
    tree.factors[operation] = _BACK
    for i in range(2 * length):
        target[0][i] *= _BACK
    return 1.0 / _BACK


@compiled
def unsettle(tree: Tree, operation: int, tape: Floats) -> None:
    """Pull derivatives back through `settle`."""
    apart()
    table, factor = tree.operations[OPERATION_COLUMNS * operation + RESULT], tree.factors[operation]
    behind = table_at(tree, table, tape)
    if factor != 1.0:
        for i in range(2 * tree.length[table]):
            behind[0][i] *= factor


@compiled
def missing_at(tree: Tree, rank: int) -> float:
    """By how much derivatives at a node that has closed, weighed, miss 1."""
    apart()
    missing, at = (-1.0, 0.0), 2 * tree.n_marks * rank
    for s in range(tree.size[rank]):
        found = tree.derived[at + s], tree.derived[at + tree.n_marks + s]
        missing = plus(missing, times(found, weight_of(tree, rank, s)))
    return abs(missing[0])
