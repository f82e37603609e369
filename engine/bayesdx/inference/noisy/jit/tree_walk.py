"""How the entries of two tables go together when these are joined.

Dimensions lie in the order of ranks. Those that follow each other and are in the first table only,
in the second only, or in both, make a *run*, whose entries are gone through by vector registers.
Where the first run would be shorter than a register, the tables that lack one of the first
dimensions are *spread* over them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bayesdx.inference.noisy.jit.pair_runs import LANES, Pair, get, plus, put, shifted
from bayesdx.inference.noisy.jit.tree_memory import (
    FIRST,
    OPERATION_COLUMNS,
    RANK,
    RUN_COLUMNS,
    SECOND,
    Tree,
)
from bayesdx.inference.noisy.jit.tree_order import has
from bayesdx.inference.typed import Integers, apart, compiled, inlined, lowest, moved

#: Columns of a run: its entries, how far the next one is in the first and second table, and what
#: was gone through of it.
LENGTH, ONE, TWO, DONE = range(RUN_COLUMNS)
#: Whether entries are in the first table, in the second, or in both.
OF_ONE, OF_TWO, OF_BOTH = range(1, 4)


class Walk(NamedTuple):
    """How the entries of a join are gone through.

    Attributes
    ----------
    n_states : int
        States of the node that closes, which varies slowest; 1 if none does.
    kind, entries, n_runs : int
        In which tables the first run is, and its entries; how many runs follow.
    spread : int
        Entries of the first dimensions.
    one, two : int
        Those that a table has by itself, 0 if it is not spread.
    """

    n_states: int
    kind: int
    entries: int
    n_runs: int
    spread: int
    one: int
    two: int


@compiled
def walk_of(tree: Tree, operation: int) -> Walk:
    """Lay out how two tables are gone through."""
    apart()
    n_dims, n_states = _lay_dimensions(tree, operation), 1
    if tree.operations[OPERATION_COLUMNS * operation + RANK] >= 0:
        n_dims -= 1
        n_states = tree.dims[2 * n_dims]
    d, spread, one, two = _list_first(tree, n_dims)
    own_one, own_two, first = 0, 0, OF_BOTH
    if one == 1 and spread > 1:
        first = OF_TWO
    elif two == 1 and spread > 1:
        first = OF_ONE
    else:
        own_one, own_two = one if one < spread else 0, two if two < spread else 0
        one, two = spread, spread
    count, n_runs, kind = spread, 0, first
    for rest in range(d, n_dims):
        size, before, kind = tree.dims[2 * rest], kind, tree.dims[2 * rest + 1]
        if n_runs == 0 and kind == first:
            count *= size
        elif n_runs and kind == before:
            tree.runs[RUN_COLUMNS * (n_runs - 1) + LENGTH] *= size
        else:
            run = moved(tree.runs, RUN_COLUMNS * n_runs)
            run[LENGTH], run[DONE] = size, 0
            run[ONE], run[TWO] = one if kind & OF_ONE else 0, two if kind & OF_TWO else 0
            n_runs += 1
        one, two = _grown(one, size, kind, OF_ONE), _grown(two, size, kind, OF_TWO)
    return Walk(n_states, first, count, n_runs, spread, own_one, own_two)


@inlined
def _list_first(tree: Tree, n_dims: int) -> tuple[int, int, int, int]:
    """List where the entries of the first dimensions are, as many as fill a register.

    Returns how many dimensions, their entries, and those in each table.
    """
    d, spread, one, two = 0, 1, 1, 1
    of_one, of_two = tree.places, moved(tree.places, LANES * tree.n_marks)
    of_one[0], of_two[0] = 0, 0
    while d < n_dims and spread < LANES:
        size, kind = tree.dims[2 * d], tree.dims[2 * d + 1]
        for i in range(spread, spread * size):
            of_one[i] = of_one[i - spread] + (one if kind & OF_ONE else 0)
            of_two[i] = of_two[i - spread] + (two if kind & OF_TWO else 0)
        one, two = _grown(one, size, kind, OF_ONE), _grown(two, size, kind, OF_TWO)
        d, spread = d + 1, spread * size
    return d, spread, one, two


@inlined
def _grown(entries: int, size: int, kind: int, table: int) -> int:
    """Entries of a table with a dimension more, if it has that."""
    return entries * size if kind & table else entries


@inlined
def _lay_dimensions(tree: Tree, operation: int) -> int:
    """List dimensions of a join: their states, in which tables they are; return how many."""
    own, n_dims = moved(tree.operations, OPERATION_COLUMNS * operation), 0
    in_one = moved(tree.scope, tree.n_words * own[FIRST])
    in_two = moved(tree.scope, tree.n_words * own[SECOND])
    for w in range(tree.n_words):
        rest = in_one[w] | in_two[w]
        while rest:
            rank = 64 * w + lowest(rest)
            rest &= rest - np.uint64(1)
            tree.dims[2 * n_dims] = tree.size[rank]
            tree.dims[2 * n_dims + 1] = OF_ONE * has(in_one, rank) + OF_TWO * has(in_two, rank)
            n_dims += 1
    return n_dims


@inlined
def advance(tree: Tree, n_runs: int, one: int, two: int) -> tuple[int, int]:
    """Places of the next run in both tables."""
    for r in range(n_runs):
        run = moved(tree.runs, RUN_COLUMNS * r)
        run[DONE] += 1
        one, two = one + run[ONE], two + run[TWO]
        if run[DONE] < run[LENGTH]:
            break
        one, two = one - run[LENGTH] * run[ONE], two - run[LENGTH] * run[TWO]
        run[DONE] = 0
    return one, two


@inlined
def spread_length(length: int, own: int, spread: int) -> int:
    """Entries of a table as it is gone through."""
    return length // own * spread if own else length


@compiled
def spread_table(
    target: Pair, table: Pair, length: int, own: int, spread: int, places: Integers
) -> None:
    """Write a table spread over the first dimensions of a join."""
    apart()
    for block in range(length // own):
        source, out = shifted(table, block * own), shifted(target, block * spread)
        for i in range(spread):
            put(out, i, get(source, places[i]))


@compiled
def gather_table(
    table: Pair, adjoints: Pair, length: int, own: int, spread: int, places: Integers
) -> None:
    """Transpose of `spread_table`."""
    apart()
    for block in range(length // own):
        target, behind = shifted(table, block * own), shifted(adjoints, block * spread)
        for i in range(own):
            put(target, i, (0.0, 0.0))
        for i in range(spread):
            put(target, places[i], plus(get(target, places[i]), get(behind, i)))
