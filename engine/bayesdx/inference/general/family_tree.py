"""Where the families of a network stand in a cluster tree: what expected counts are read from.

Numbers are no part of it. A plan (`tree_plan.py`) has a network's numbers in its matrices, because
they are the same for all cases; where they are learnt they change after every pass over the rows,
and only the joint states that are possible, and which entry of which table belongs to each, stay.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from bayesdx.inference.arrays import FloatArray, IntArray
from bayesdx.inference.general.cluster_tree import ClusterTree, build_cluster_tree
from bayesdx.inference.general.factors import FactorNetwork, memory_refusal
from bayesdx.inference.general.potentials import (
    Potentials,
    axis_order,
    build_potentials,
    projected,
)
from bayesdx.inference.general.sparse_tables import Relation, TooManyRows, codes, space_of
from bayesdx.inference.general.tree_plan import RESTART_WORK, ROW_BYTES


@dataclass(frozen=True, eq=False)
class Entries:
    """Which entry of a table, or of a message, belongs to each joint state of a clique.

    Attributes
    ----------
    source : int
        Position of the factor, the variable or the clique.
    index : intp array (R,)
    """

    source: int
    index: IntArray


@dataclass(frozen=True, eq=False)
class FamilyClique:
    """A clique of R possible joint states.

    Attributes
    ----------
    rows : int
        R.
    parent : int
        -1 for the root of a tree.
    separators : int
        Joint states of what it shares with its parent; 1 for a root.
    up : intp array (R,)
        To which of these each joint state belongs.
    children : tuple of Entries
        Cliques below, and the place of each joint state in what they share.
    whole : tuple of Entries
        Factors that stand here whole, and places in their tables.
    picked : tuple of Entries
        Factors of which a case picks a slice, and places among joint states of the rest.
    softs : tuple of Entries
        Variables that some cases observe, and their states.
    """

    rows: int
    parent: int
    separators: int
    up: IntArray
    children: tuple[Entries, ...]
    whole: tuple[Entries, ...]
    picked: tuple[Entries, ...]
    softs: tuple[Entries, ...]


@dataclass(frozen=True, eq=False)
class Slices:
    """How a factor is sliced: its table as (rest, slices), and the strides of slices.

    ``axes`` bring the table's axes to this order; ``strides`` are those of the sliced variables.
    """

    axes: tuple[int, ...]
    shape: tuple[int, int]
    strides: IntArray

    def table(self, values: FloatArray) -> FloatArray:
        """The table of a factor, (rest, slices)."""
        return np.ascontiguousarray(values.transpose(self.axes).reshape(self.shape))

    def restored(self, counts: FloatArray, shape: tuple[int, ...]) -> FloatArray:
        """Undo `table`."""
        across = counts.reshape([shape[axis] for axis in self.axes])
        return np.ascontiguousarray(across.transpose(np.argsort(self.axes)))


@dataclass(frozen=True, eq=False)
class FamilyTree:
    """The cliques of one evidence signature.

    Attributes
    ----------
    sliced, soft : tuple of int
        Variables that all cases observe, and those that some do.
    observed : tuple of int
        Factors over sliced variables only: no clique holds them.
    cliques : tuple of FamilyClique
    preorder : tuple of int
        Cliques, parents before children.
    """

    sliced: tuple[int, ...]
    soft: tuple[int, ...]
    observed: tuple[int, ...]
    cliques: tuple[FamilyClique, ...]
    preorder: tuple[int, ...]

    @property
    def rows(self) -> int:
        """Joint states of all cliques."""
        return sum(clique.rows for clique in self.cliques)


def family_tree(
    problem: FactorNetwork, sliced: frozenset[int], soft: frozenset[int], memory_limit: float
) -> FamilyTree:
    """Lay out every family of a network for one evidence signature.

    Parameters
    ----------
    problem : FactorNetwork
        Joint states that a 0 in a table forbids are left out.
    sliced, soft : frozenset of int
        Variables that all cases observe, and those that some do.
    memory_limit : float
        Bytes.

    Raises
    ------
    InvalidNetwork
        If it does not fit, with the estimate.
    """
    every = frozenset(range(len(problem.cards)))
    detail = "far too many"
    try:
        tree = build_cluster_tree(problem, sliced, soft, every - sliced, RESTART_WORK)
        found = tree.elimination
        detail = f"largest clique {found.largest:.3g} of {found.cells:.3g}"
        potentials = build_potentials(problem, tree, sliced, memory_limit / ROW_BYTES)
    except TooManyRows as reason:
        place = f"learning {len(problem.names)} variables"
        raise memory_refusal(place, memory_limit, reason.rows * ROW_BYTES, detail) from None
    observed = [f for f, one in enumerate(problem.factors) if sliced.issuperset(one.scope)]
    return FamilyTree(
        tuple(sorted(sliced)),
        tuple(sorted(soft)),
        tuple(observed),
        tuple(_clique(problem, tree, potentials, sliced, c) for c in range(len(tree.cliques))),
        tree.preorder,
    )


def slices_of(problem: FactorNetwork, tree: FamilyTree, f: int) -> Slices:
    """How the cases of a tree slice a factor."""
    scope, cards = problem.factors[f].scope, problem.cards
    rest = unsliced(scope, tree.sliced)
    seen = [v for v in scope if v not in rest]
    strides = np.zeros(len(tree.sliced), dtype=np.intp)
    stride = 1
    for v in reversed(seen):
        strides[tree.sliced.index(v)] = stride
        stride *= cards[v]
    cells = int(np.prod([cards[v] for v in rest], dtype=np.intp))
    return Slices(tuple(scope.index(v) for v in (*rest, *seen)), (cells, stride), strides)


def unsliced(scope: Iterable[int], sliced: Iterable[int]) -> tuple[int, ...]:
    """The variables of a factor that stand in the tree, in its own order."""
    seen = frozenset(sliced)
    return tuple(v for v in scope if v not in seen)


def _clique(
    problem: FactorNetwork,
    tree: ClusterTree,
    potentials: Potentials,
    sliced: frozenset[int],
    c: int,
) -> FamilyClique:
    relation, cards = potentials.cliques[c], problem.cards
    states, up = projected(relation, axis_order(tree, tree.separator[c]), cards)
    return FamilyClique(
        rows=len(relation),
        parent=tree.parent[c],
        separators=len(states),
        up=up,
        children=tuple(
            Entries(d, _shared(relation, tree, potentials, d, cards)) for d in tree.children[c]
        ),
        whole=tuple(
            Entries(f, codes(relation, problem.factors[f].scope, cards)) for f in tree.constants[c]
        ),
        picked=tuple(
            Entries(f, codes(relation, unsliced(problem.factors[f].scope, sliced), cards))
            for f in tree.leaves[c]
        ),
        softs=tuple(Entries(v, relation.columns[v].astype(np.intp)) for v in tree.softs[c]),
    )


def _shared(
    relation: Relation, tree: ClusterTree, potentials: Potentials, d: int, cards: tuple[int, ...]
) -> IntArray:
    """The place of each joint state among those of the separator of a child."""
    scope = axis_order(tree, tree.separator[d])
    states, _ = projected(potentials.cliques[d], scope, cards)
    if len(states) == space_of(scope, cards):
        return codes(relation, scope, cards)
    return np.searchsorted(states, codes(relation, scope, cards))
