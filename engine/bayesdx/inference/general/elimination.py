"""Elimination orders of an undirected graph, and the tree of cliques they make.

Neighbourhoods are Python integers used as bit sets: a thousand variables are ordered in well under
a second. Greedy rules (min-fill, min-weight, weighted min-fill; Kjærulff 1990) with ties broken
first by position and then, in restarts, at random. Restarts are bounded by work that is counted,
never by a clock: the same evidence gets the same order on every machine, and with it the same
digits.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

#: Cells from which a rule is worth its time, see `best_elimination`; fewest by weight come first.
EVERY_RULE: Mapping[str, float] = MappingProxyType({"fill": 0.0, "weighted_fill": 0.0})
#: Cells so far from anything that fits that the dearest rule and restarts would not bring it near.
HOPELESS = 1e13
#: Bits of a bucket from which all variables that are left are joined: no order makes that fit.
GIVEN_UP = 100.0
#: Restarts at most, and the cells of a tree that is too small for any to be made.
MOST_RESTARTS, SMALL_TREE = 30, 2000.0


@dataclass(frozen=True)
class Elimination:
    """An order and what it costs.

    Attributes
    ----------
    order : tuple of int
        Variables, the first eliminated first.
    buckets : tuple of int
        For each, as bits, the variables that it is joined with when it goes, itself included.
    cells : float
        Sum of the cells of all buckets.
    largest : float
        Cells of the largest bucket.
    work : int
        Neighbours looked at while it was found.
    """

    order: tuple[int, ...]
    buckets: tuple[int, ...]
    cells: float
    largest: float
    work: int

    @property
    def given_up(self) -> bool:
        """Whether nothing fits in any memory."""
        return self.largest >= math.exp2(GIVEN_UP)


def bits(mask: int) -> Iterator[int]:
    """Yield the positions of the set bits, lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def moral_graph(n: int, scopes: Iterable[Sequence[int]]) -> list[int]:
    """Neighbours of each of ``n`` variables, as bits: all that share a scope."""
    graph = [0] * n
    for scope in scopes:
        mask = 0
        for v in scope:
            mask |= 1 << v
        for v in scope:
            graph[v] |= mask
    for v in range(n):
        graph[v] &= ~(1 << v)
    return graph


def best_elimination(
    graph: Sequence[int],
    cards: Sequence[int],
    live: Sequence[int],
    most_work: int = 0,
    worth: Mapping[str, float] = EVERY_RULE,
    first: Collection[int] = (),
) -> Elimination:
    """Find a good order; the same for the same arguments.

    Parameters
    ----------
    graph : sequence of int
        Neighbours as bits.
    cards : sequence of int
        States of each variable.
    live : sequence of int
        The variables to be ordered.
    most_work : int
        Neighbours that randomised restarts may look at, beyond one run of every rule. None are
        made where the tree is so small that nothing is to be gained, or beyond all hope.
    worth : mapping of str to float
        Cells of the best tree so far from which a dearer rule is tried too.
    first : collection of int
        Variables that go before all others.
    """
    weights = np.log2(cards).tolist()
    best = eliminate(graph, weights, live, "weight", first=first)
    for rule, least in worth.items():
        if best.given_up or (rule == "weighted_fill" and best.cells >= HOPELESS):
            break
        if best.cells >= least:
            best = min(
                best, eliminate(graph, weights, live, rule, first=first), key=lambda e: e.cells
            )
    rng = np.random.default_rng(0)
    tries = spent = 0
    while SMALL_TREE < best.cells < HOPELESS and tries < MOST_RESTARTS and spent < most_work:
        rule = ("fill", "weighted_fill")[tries % 2]
        noise = rng.random(len(graph)).tolist()
        again = eliminate(graph, weights, live, rule, noise, first)
        best = min(best, again, key=lambda e: e.cells)
        tries, spent = tries + 1, spent + again.work
    return best


def eliminate(
    graph: Sequence[int],
    weights: Sequence[float],
    live: Sequence[int],
    rule: str,
    noise: Sequence[float] | None = None,
    first: Collection[int] = (),
    give_up: float = GIVEN_UP,
) -> Elimination:
    """Eliminate greedily by one rule: fill, weight or weighted_fill.

    ``noise`` breaks ties (position where None). Variables with at most one neighbour go first: they
    add no edge, and a tree or a naive Bayes network is ordered in linear time. What is beyond all
    hope, a bucket of more bits than ``give_up``, is not ordered to its end.
    """
    work = _Working(graph, weights, live)
    late = set(live).difference(first) if first else set()
    twigs = [v for v in live if len(work.sets[v]) < 2 and v not in late]
    for v in twigs:
        near = work.remove(v, with_rims=False)
        twigs += [u for u in near if len(work.sets[u]) == 1 and u not in late]
    tie = noise if noise is not None else [float(v) for v in range(len(graph))]
    score = {"fill": work.fill, "weight": work.weight, "weighted_fill": work.weighted_fill}[rule]
    heap = [(v in late, *score(v), tie[v], v, 0) for v in work.sets]
    heapq.heapify(heap)
    version = dict.fromkeys(work.sets, 0)
    looked = len(twigs)
    while heap:
        *_, v, seen = heapq.heappop(heap)
        if seen != version[v]:
            continue
        version[v] = -1
        if work.around[v] + weights[v] > give_up:
            work.join_all(late)
            break
        for u in work.remove(v, with_rims=rule != "weight"):
            version[u] += 1
            heapq.heappush(heap, (u in late, *score(u), tie[u], u, version[u]))
            looked += 1 + len(work.sets[u])
    sizes = [2.0 ** min(1000.0, size) for size in work.sizes]
    return Elimination(
        tuple(work.order), tuple(work.buckets), math.fsum(sizes), max(sizes, default=0.0), looked
    )


class _Working:
    """A graph under elimination: neighbours as sets and as bits, their weight kept up to date."""

    def __init__(self, graph: Sequence[int], weights: Sequence[float], live: Sequence[int]) -> None:
        self.masks = list(graph)
        self.sets = {v: set(bits(graph[v])) for v in live}
        self.weights = weights
        self.around = {v: sum(weights[u] for u in self.sets[v]) for v in live}
        self.order: list[int] = []
        self.buckets: list[int] = []
        self.sizes: list[float] = []
        self.alike: dict[float, int] = {}
        for v in live:
            self.alike[weights[v]] = self.alike.get(weights[v], 0) | 1 << v

    def remove(self, v: int, with_rims: bool) -> set[int]:
        """Join the neighbours of ``v``, take it out; return who must be scored again."""
        masks, sets, around = self.masks, self.sets, self.around
        mask, ring = masks[v], sets.pop(v)
        self.order.append(v)
        self.buckets.append(mask | 1 << v)
        self.sizes.append(around[v] + self.weights[v])
        changed = set(ring)
        for u in ring:
            sets[u].discard(v)
            around[u] -= self.weights[v]
            masks[u] &= ~(1 << v)
        for u in ring:
            missing = mask & ~masks[u] & ~(1 << u)
            if not missing:
                continue
            for w in bits(missing):
                if with_rims:
                    changed |= sets[u] & sets[w]
                sets[u].add(w)
                sets[w].add(u)
                masks[w] |= 1 << u
                around[u] += self.weights[w]
                around[w] += self.weights[u]
            masks[u] |= missing
        return changed

    def join_all(self, late: Collection[int]) -> None:
        """Take out all that is left, as if every variable were the neighbour of every other."""
        left = sorted(self.sets, key=lambda v: (v in late, v))
        mask, size = sum(1 << v for v in left), sum(self.weights[v] for v in left)
        for v in left:
            self.order.append(v)
            self.buckets.append(mask)
            self.sizes.append(size)
            mask, size = mask & ~(1 << v), size - self.weights[v]
        self.sets.clear()

    def weight(self, v: int) -> tuple[float, float]:
        """Cells of the message that ``v`` leaves."""
        return self.around[v], 0.0

    def fill(self, v: int) -> tuple[float, float]:
        """Edges to be added, twice."""
        masks, mask = self.masks, self.masks[v]
        # Each neighbour misses itself too.
        missing = sum([(mask & ~masks[u]).bit_count() for u in self.sets[v]])
        return float(missing - len(self.sets[v])), self.around[v] + self.weights[v]

    def weighted_fill(self, v: int) -> tuple[float, float]:
        """Edges to be added, each with the product of its weights, twice."""
        masks, mask, weights = self.masks, self.masks[v], self.weights
        total = 0.0
        for u in self.sets[v]:
            missing = mask & ~masks[u] & ~(1 << u)
            if missing:
                # Variables with as many states are counted together.
                pairs = self.alike.items()
                total += weights[u] * sum([w * (missing & same).bit_count() for w, same in pairs])
        return total, self.around[v] + weights[v]


@dataclass(frozen=True)
class Forest:
    """Cliques joined to trees.

    Attributes
    ----------
    cliques : tuple of frozenset of int
        Variables of each clique.
    edges : tuple of tuple of int
        Pairs of cliques.
    home : dict of int to int
        For each variable the clique that was made when it was eliminated.
    position : dict of int to int
        Place of each variable in the order of elimination.
    """

    cliques: tuple[frozenset[int], ...]
    edges: tuple[tuple[int, int], ...]
    home: dict[int, int]
    position: dict[int, int]


def clique_forest(elimination: Elimination) -> Forest:
    """Join buckets to maximal cliques and link them; the running intersection property holds."""
    position = {v: i for i, v in enumerate(elimination.order)}
    parent: list[int] = []
    for v, bucket in zip(elimination.order, elimination.buckets, strict=True):
        rest = bucket & ~(1 << v)
        parent.append(min((position[u] for u in bits(rest)), default=-1))
    sizes = [bucket.bit_count() for bucket in elimination.buckets]
    same = list(range(len(parent)))
    for i, p in enumerate(parent):
        # The bucket of p lies inside that of i: one clique. Only one child may take it in.
        if p >= 0 and sizes[p] == sizes[i] - 1 and same[p] == p:
            same[p] = same[i]
    kept = sorted(set(same))
    number = {i: c for c, i in enumerate(kept)}
    cliques = tuple(frozenset(bits(elimination.buckets[i])) for i in kept)
    edges = tuple(
        (number[same[i]], number[same[p]])
        for i, p in enumerate(parent)
        if p >= 0 and same[i] != same[p]
    )
    home = {v: number[same[position[v]]] for v in elimination.order}
    return Forest(cliques, edges, home, position)
