"""The shape of a plan before any number is looked at: cliques, root, messages, where to read.

A *sliced* variable is observed in every row: it leaves the graph, and each factor over it becomes a
table of which a row picks a slice. A *soft* variable enters as a vector of likelihoods. A clique is
*live* if its message to the root depends on the row; everything else is constant and is worked out
once, when the plan is made.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable
from dataclasses import dataclass

from bayesdx.inference.general.elimination import (
    Elimination,
    Forest,
    best_elimination,
    clique_forest,
    moral_graph,
)
from bayesdx.inference.general.factors import FactorNetwork
from bayesdx.inference.general.sparse_tables import TooManyRows

Scope = frozenset[int]
#: A tensor that posteriors can be read from: ("clique", c) or ("edge", c) to the parent of c.
Tensor = tuple[str, int]
#: Cells that an extra tensor costs in array calls, at a batch of some hundreds.
TENSOR_OVERHEAD = 12.0


@dataclass(frozen=True, eq=False)
class ClusterTree:
    """A rooted forest of cliques.

    Attributes
    ----------
    elimination : Elimination
    cliques : tuple of frozenset of int
    parent : tuple of int
        -1 for the root of a tree.
    preorder : tuple of int
        Cliques, parents before children.
    children : tuple of tuple of int
    separator : tuple of frozenset of int
        Variables shared with the parent.
    constants, leaves : tuples of tuples of int
        For each clique, the factors it takes in: constant ones, and those that a row slices.
    softs : tuple of tuple of int
        For each clique, the soft variables that it takes in.
    live : tuple of bool
    product : tuple of frozenset of int
        For each live clique, the variables over which its messages are multiplied.
    reading : dict of Tensor to tuple of int
        Which posteriors are read where.
    hanging : dict of int to Tensor
        For each constant clique below a live one, where its separator is read.
    rank : dict of int to int
        Axis order of variables in all arrays: those shared with the root's side first.
    """

    elimination: Elimination
    cliques: tuple[Scope, ...]
    parent: tuple[int, ...]
    preorder: tuple[int, ...]
    children: tuple[tuple[int, ...], ...]
    separator: tuple[Scope, ...]
    constants: tuple[tuple[int, ...], ...]
    leaves: tuple[tuple[int, ...], ...]
    softs: tuple[tuple[int, ...], ...]
    live: tuple[bool, ...]
    product: tuple[Scope, ...]
    reading: dict[Tensor, tuple[int, ...]]
    hanging: dict[int, Tensor]
    rank: dict[int, int]


def build_cluster_tree(
    problem: FactorNetwork,
    sliced: frozenset[int],
    soft: frozenset[int],
    targets: frozenset[int],
    restart_work: int,
) -> ClusterTree:
    """Lay out the plan of one evidence signature.

    Parameters
    ----------
    problem : FactorNetwork
    sliced, soft : frozenset of int
        Observed variables; see the module.
    targets : frozenset of int
        Variables whose posteriors are wanted.
    restart_work : int
        For restarts of the ordering; see `best_elimination`.

    Raises
    ------
    TooManyRows
        If no order is worth going on with.
    """
    kept = _needed(problem, sliced, soft, targets)
    scopes = {
        f: frozenset(problem.factors[f].scope) - sliced
        for f in kept
        if not sliced.issuperset(problem.factors[f].scope)
    }
    live = sorted(frozenset().union(*scopes.values())) if scopes else []
    graph = moral_graph(len(problem.cards), [tuple(scope) for scope in scopes.values()])
    elimination = best_elimination(graph, problem.cards, live, restart_work)
    if elimination.given_up:
        raise TooManyRows(elimination.largest)
    forest = clique_forest(elimination)
    n = len(forest.cliques)
    constants: list[list[int]] = [[] for _ in range(n)]
    leaves: list[list[int]] = [[] for _ in range(n)]
    for f, scope in scopes.items():
        c = forest.home[min(scope, key=forest.position.__getitem__)]
        (constants if len(scope) == len(problem.factors[f].scope) else leaves)[c].append(f)
    softs: list[list[int]] = [[] for _ in range(n)]
    for v, c in _smallest_holders(forest, problem.cards, soft.intersection(live)).items():
        softs[c].append(v)
    inputs = [[scopes[f] for f in leaves[c]] + [frozenset([v]) for v in softs[c]] for c in range(n)]
    sizes = _Sizes(problem.cards)
    parent, preorder = _rooted(forest, inputs, sizes)
    return _dressed(
        forest, elimination, parent, preorder, constants, leaves, softs, inputs, sizes, targets
    )


def _needed(
    problem: FactorNetwork, sliced: frozenset[int], soft: frozenset[int], targets: frozenset[int]
) -> list[int]:
    """Factors that are not barren: some descendant is observed or asked for."""
    # Factor f was made for its last variable, and parents come before children.
    wanted = set(sliced | soft | targets)
    kept = []
    for f in reversed(range(len(problem.factors))):
        scope = problem.factors[f].scope
        if scope[-1] in wanted:
            wanted.update(scope)
            kept.append(f)
    return kept[::-1]


def _smallest_holders(
    forest: Forest, cards: tuple[int, ...], variables: Iterable[int]
) -> dict[int, int]:
    cells = [math.prod(cards[v] for v in clique) for clique in forest.cliques]
    wanted = frozenset(variables)
    best: dict[int, int] = {}
    for c, clique in enumerate(forest.cliques):
        for v in clique & wanted:
            if v not in best or cells[c] < cells[best[v]]:
                best[v] = c
    return best


class _Sizes:
    """Cells of scopes, remembered."""

    def __init__(self, cards: tuple[int, ...]) -> None:
        self._cards = cards
        self._known: dict[Scope, float] = {}

    def __call__(self, scope: Scope) -> float:
        found = self._known.get(scope)
        if found is None:
            found = math.prod(float(self._cards[v]) for v in scope)
            self._known[scope] = found
        return found


def _rooted(
    forest: Forest, inputs: list[list[Scope]], sizes: _Sizes
) -> tuple[list[int], list[int]]:
    """Root each tree where its sweeps cost least; the cost of all roots comes from two passes."""
    n = len(forest.cliques)
    around: list[list[int]] = [[] for _ in range(n)]
    for a, b in forest.edges:
        around[a].append(b)
        around[b].append(a)
    parent, preorder = [-1] * n, list[int]()
    done = [False] * n
    for start in range(n):
        if done[start]:
            continue
        first = _walk(start, around)[0]
        best = _cheapest_root(first, around, forest, inputs, sizes)
        order, above = _walk(best, around)
        for c in order:
            parent[c] = above[c]
            done[c] = True
        preorder += order
    return parent, preorder


def _walk(start: int, around: list[list[int]]) -> tuple[list[int], dict[int, int]]:
    """Cliques of a tree, parents first (depth first), and the parent of each."""
    above = {start: -1}
    order, stack = [], [start]
    while stack:
        c = stack.pop()
        order.append(c)
        for d in around[c]:
            if d != above[c]:
                above[d] = c
                stack.append(d)
    return order, above


def _cheapest_root(
    order: list[int],
    around: list[list[int]],
    forest: Forest,
    inputs: list[list[Scope]],
    sizes: _Sizes,
) -> int:
    cost: dict[tuple[int, int], float] = {}
    live: dict[tuple[int, int], bool] = {}

    def settle(c: int, up: int) -> float:
        """Cost of c and everything behind it, seen from its neighbour ``up`` (-1: c is root)."""
        behind = [d for d in around[c] if d != up]
        coming = [forest.cliques[c] & forest.cliques[d] for d in behind if live[d, c]]
        coming += inputs[c]
        live[c, up] = bool(coming)
        below = sum(cost[d, c] for d in behind)
        if coming:
            product = frozenset[int]().union(*coming)
            out = forest.cliques[c] & forest.cliques[up] if up >= 0 else frozenset[int]()
            below += sizes(product) * (3.0 * len(coming)) + 2.0 * sizes(product | out) + 20.0
        cost[c, up] = below
        return below

    first = order[0]
    above = _walk(first, around)[1]
    for c in reversed(order):
        settle(c, above[c])
    for c in order:
        if above[c] >= 0:
            settle(above[c], c)
    return min(order, key=lambda c: settle(c, -1))


def _dressed(
    forest: Forest,
    elimination: Elimination,
    parent: list[int],
    preorder: list[int],
    constants: list[list[int]],
    leaves: list[list[int]],
    softs: list[list[int]],
    inputs: list[list[Scope]],
    sizes: _Sizes,
    targets: frozenset[int],
) -> ClusterTree:
    n = len(forest.cliques)
    children: list[list[int]] = [[] for _ in range(n)]
    separator = [frozenset[int]()] * n
    rank: dict[int, int] = {}
    for c in preorder:
        if parent[c] >= 0:
            children[parent[c]].append(c)
            separator[c] = forest.cliques[c] & forest.cliques[parent[c]]
        for v in sorted(forest.cliques[c] - rank.keys(), key=lambda v: -forest.position[v]):
            rank[v] = len(rank)
    live = [bool(scopes) for scopes in inputs]
    for c in reversed(preorder):
        if live[c] and parent[c] >= 0:
            live[parent[c]] = True
    product = [
        frozenset[int]().union(*inputs[c], *(separator[d] for d in children[c] if live[d]))
        for c in range(n)
    ]
    tops = [c for c in preorder if not live[c] and parent[c] >= 0 and live[parent[c]]]
    reading, hanging = _readers(
        forest, parent, preorder, separator, live, product, tops, sizes, targets
    )
    return ClusterTree(
        elimination,
        forest.cliques,
        tuple(parent),
        tuple(preorder),
        tuple(map(tuple, children)),
        tuple(separator),
        tuple(map(tuple, constants)),
        tuple(map(tuple, leaves)),
        tuple(map(tuple, softs)),
        tuple(live),
        tuple(product),
        reading,
        hanging,
        rank,
    )


def _readers(
    forest: Forest,
    parent: list[int],
    preorder: list[int],
    separator: list[Scope],
    live: list[bool],
    product: list[Scope],
    tops: list[int],
    sizes: _Sizes,
    targets: frozenset[int],
) -> tuple[dict[Tensor, tuple[int, ...]], dict[int, Tensor]]:
    """Choose few, small tensors that hold every wanted variable and every hanging separator.

    Where none does, the product of a clique is widened; this changes ``product``.
    """
    within = frozenset[int]().union(*(forest.cliques[c] for c in preorder if live[c]))
    wanted: list[Scope] = [frozenset([v]) for v in sorted(targets & within)]
    wanted += [separator[c] for c in tops]
    holders = _holders(forest, live, wanted)
    for item in dict.fromkeys(wanted):
        at = holders[item]
        if not any(item <= product[c] or item <= separator[c] for c in at):
            c = min(at, key=lambda c: sizes(product[c] | item))
            product[c] |= item
    options: dict[Tensor, list[Scope]] = {}
    for item in dict.fromkeys(wanted):
        for c in holders[item]:
            if item <= product[c]:
                options.setdefault(("clique", c), []).append(item)
            if parent[c] >= 0 and item <= separator[c]:
                options.setdefault(("edge", c), []).append(item)
    chosen = _cover(options, product, separator, sizes)
    reading: dict[Tensor, list[int]] = {tensor: [] for tensor in chosen.values()}
    for v in sorted(targets & within):
        reading[chosen[frozenset([v])]].append(v)
    hanging = {c: chosen[separator[c]] for c in tops}
    return {tensor: tuple(found) for tensor, found in reading.items()}, hanging


def _holders(forest: Forest, live: list[bool], wanted: list[Scope]) -> dict[Scope, list[int]]:
    """Live cliques that hold each wanted scope."""
    by_variable: dict[int, list[int]] = {}
    for c, clique in enumerate(forest.cliques):
        if live[c]:
            for v in clique:
                by_variable.setdefault(v, []).append(c)
    result: dict[Scope, list[int]] = {}
    everywhere = [c for c in range(len(forest.cliques)) if live[c]]
    for item in wanted:
        if item not in result:
            rarest = min((by_variable[v] for v in item), key=len, default=everywhere)
            result[item] = [c for c in rarest if item <= forest.cliques[c]]
    return result


def _cover(
    options: dict[Tensor, list[Scope]],
    product: list[Scope],
    separator: list[Scope],
    sizes: _Sizes,
) -> dict[Scope, Tensor]:
    """Weighted set cover, greedy: the tensor with most newly read scopes per cell comes first."""

    def price(tensor: Tensor) -> float:
        kind, c = tensor
        return TENSOR_OVERHEAD + sizes(product[c] if kind == "clique" else separator[c])

    found: dict[Scope, Tensor] = {}
    heap = [(price(t) / len(items), t) for t, items in options.items()]
    heapq.heapify(heap)
    while heap:
        _, tensor = heapq.heappop(heap)
        fresh = [item for item in options[tensor] if item not in found]
        if not fresh:
            continue
        ratio = price(tensor) / len(fresh)
        # Ratios only grow: whoever still leads after an update is the best.
        if heap and ratio > heap[0][0]:
            heapq.heappush(heap, (ratio, tensor))
            continue
        for item in fresh:
            found[item] = tensor
    return found
