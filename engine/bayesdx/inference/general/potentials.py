"""Which joint states of each clique are possible, and what the constant factors give them.

Two passes: up, each clique joins its factors and what its children can say; down, it drops the
joint states that its parent finds impossible.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from bayesdx.inference.general.sparse_tables import (
    Relation,
    TooManyRows,
    codes,
    decode,
    distinct,
    from_table,
    join_all,
    matching,
    space_of,
)

if TYPE_CHECKING:
    from bayesdx.inference.arrays import FloatArray, IntArray
    from bayesdx.inference.general.cluster_tree import ClusterTree
    from bayesdx.inference.general.factors import Factor, FactorNetwork


@dataclass(frozen=True, eq=False)
class Leaf:
    """A factor of which each case picks a slice.

    Attributes
    ----------
    scope : tuple of int
        Its unobserved variables, in axis order.
    table : array (rows, slices)
        Only joint states that some slice allows.
    support : Relation
        Those joint states.
    """

    scope: tuple[int, ...]
    table: FloatArray
    support: Relation


@dataclass(frozen=True, eq=False)
class Potentials:
    """What a tree's cliques hold.

    Attributes
    ----------
    cliques : list of Relation
        Possible joint states; the value is the product of the constant factors.
    leaves : dict of int to Leaf
        By factor.
    rows : int
        Rows of all cliques.
    """

    cliques: list[Relation]
    leaves: dict[int, Leaf]
    rows: int


def axis_order(tree: ClusterTree, scope: frozenset[int]) -> tuple[int, ...]:
    """Variables of a scope in the order of the arrays."""
    return tuple(sorted(scope, key=tree.rank.__getitem__))


def projected(
    relation: Relation, scope: Sequence[int], cards: Sequence[int]
) -> tuple[IntArray, IntArray]:
    """Return the distinct joint states of a scope, as sorted codes, and the place of each row."""
    space = space_of(scope, cards)
    if space > 2.0**62:
        raise TooManyRows(space)
    return distinct(codes(relation, scope, cards), space)


def incidence(
    rows: IntArray, columns: IntArray, values: FloatArray, shape: tuple[int, int]
) -> sparse.csr_array:
    """Sparse matrix whose entries at the same place are added."""
    if len(columns) < 2 or (columns[1:] > columns[:-1]).all():
        # No two entries at the same place, and in order of their columns: a stable sort by rows is
        # all there is to do. SciPy's own way round takes twice as long, a third of making a plan.
        order = np.argsort(rows, kind="stable")
        starts = np.zeros(shape[0] + 1, dtype=np.intp)
        np.cumsum(np.bincount(rows, minlength=shape[0]), out=starts[1:])
        return sparse.csr_array((values[order], columns[order], starts), shape=shape)
    matrix = sparse.csr_array(sparse.coo_array((values, (rows, columns)), shape=shape))
    matrix.sum_duplicates()
    return matrix


def build_potentials(
    problem: FactorNetwork, tree: ClusterTree, sliced: frozenset[int], most: float
) -> Potentials:
    """Join every clique.

    Parameters
    ----------
    problem : FactorNetwork
    tree : ClusterTree
    sliced : frozenset of int
    most : float
        Rows that all cliques together may have.

    Raises
    ------
    TooManyRows
    """
    cards = problem.cards
    least = fewest_rows(problem, tree)
    if least > most:
        raise TooManyRows(least)
    cliques: list[Relation] = [Relation({}, np.ones(1))] * len(tree.cliques)
    leaves: dict[int, Leaf] = {}
    messages: dict[int, Relation] = {}
    rows = 0
    for c in reversed(tree.preorder):
        parts = [constant_relation(problem.factors[f]) for f in tree.constants[c]]
        for f in tree.leaves[c]:
            leaves[f] = _leaf(problem, tree, f, sliced)
            parts.append(leaves[f].support)
        for v in tree.softs[c]:
            parts.append(_every_state(v, cards[v]))
        parts += [messages.pop(d) for d in tree.children[c]]
        try:
            cliques[c] = join_all(parts, cards, most - rows)
        except TooManyRows as reason:
            raise TooManyRows(rows + reason.rows) from None
        rows += len(cliques[c])
        if tree.parent[c] >= 0:
            messages[c] = _message(tree, c, cliques[c], cards)
    _drop_impossible(tree, cliques, cards)
    return Potentials(cliques, leaves, sum(map(len, cliques)))


def fewest_rows(problem: FactorNetwork, tree: ClusterTree) -> float:
    """Joint states that all cliques have at least: every one of variables that no zero touches."""
    touched: set[int] = set()
    for factor in problem.factors:
        if not factor.table.all():
            touched.update(factor.scope)
    return sum(space_of(tuple(clique - touched), problem.cards) for clique in tree.cliques)


def constant_relation(factor: Factor) -> Relation:
    """Non-zero rows of a factor."""
    return from_table(factor.scope, factor.table)


def _every_state(v: int, card: int) -> Relation:
    return Relation({v: np.arange(card, dtype=np.int32)}, np.ones(card))


def _leaf(problem: FactorNetwork, tree: ClusterTree, f: int, sliced: frozenset[int]) -> Leaf:
    factor, cards = problem.factors[f], problem.cards
    scope = axis_order(tree, frozenset(factor.scope) - sliced)
    seen = [v for v in factor.scope if v in sliced]
    axes = [factor.scope.index(v) for v in (*scope, *seen)]
    n_rows = int(space_of(scope, cards))
    table = factor.table.transpose(axes).reshape(n_rows, -1)
    possible = np.flatnonzero(table.any(axis=1))
    support = Relation(decode(possible, scope, cards), np.ones(len(possible)))
    return Leaf(scope, np.ascontiguousarray(table[possible]), support)


def _message(tree: ClusterTree, c: int, clique: Relation, cards: tuple[int, ...]) -> Relation:
    """What a clique tells its parent: sums if constant, else only what is possible."""
    scope = axis_order(tree, tree.separator[c])
    unique, place = projected(clique, scope, cards)
    if tree.live[c]:
        values = np.ones(len(unique))
    else:
        sums = np.bincount(place, weights=clique.values, minlength=len(unique))
        values = sums.astype(np.float64)
    return Relation(decode(unique, scope, cards), values)


def _drop_impossible(tree: ClusterTree, cliques: list[Relation], cards: tuple[int, ...]) -> None:
    for c in tree.preorder:
        if tree.parent[c] < 0:
            continue
        scope = axis_order(tree, tree.separator[c])
        wanted, _ = projected(cliques[tree.parent[c]], scope, cards)
        have, _ = projected(cliques[c], scope, cards)
        if len(have) > len(wanted):
            cliques[c] = cliques[c].take(matching(cliques[c], scope, wanted, cards))
