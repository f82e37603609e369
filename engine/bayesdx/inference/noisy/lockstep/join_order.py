"""In which order a case that couples much is summed out, when tables may be joined.

A sweep over one frontier pays for a cause that acts on twelve findings with twelve open axes. Where
causes may stay open as well, and parts of a case are summed out apart and *joined* later, the cost
is that of a tree of tables (variable elimination over the graph of causes, findings and risks;
Zhang and Poole 1996). Two tables that both act on a finding are joined without a subtraction of
what they reach (see `bayesdx.inference.noisy.lockstep.join_sweep`), at three products for each such
axis in place of two components.

The vertices of the graph are *nodes*: first the axes of a case by position, then its causes, then
the *leaks* of findings whose leak causes inhibit. A leak is a node of its own, on which inhibitors
act, and acts on its finding like a cause; so inhibitors and links need not be open together.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from bayesdx.inference.noisy.lane_order import bits
from bayesdx.inference.noisy.limits import MAX_LOG2_HELD, MAX_LOG2_TABLE, MAX_LOG2_WORK

#: log2 of products a component for each axis on which two joined tables act.
_JOIN = math.log2(1.5)
#: Passes over a table: to make it and sum a node out of it; to let a cause act on an axis; to make
#: one product of a join.
_PASSES, _ACT, _PRODUCT = 2.0, 0.75, 0.3
#: Orders tried at first: whether edges are counted or components, and how much a finding weighs
#: beside a cause, since tables that act on it are dear to join.
_FIRST = ((True, 1.3), (True, 1.0), (False, 1.6), (False, 1.0))
#: Work from which more than the first of these is tried: it is within 2 % of the best one in the
#: mean (28 scenarios), and an order takes as long as carrying that much work out.
_WORTH_ANOTHER = 1 << 20
#: Work for each further order, with noise; how many at most.
_WORK_A_TRY, _MOST_TRIES = 1 << 23, 40


@dataclass(frozen=True)
class JoinGraph:
    """What acts on what in the 2-core of one case; sets of nodes are integers, a bit a node.

    Attributes
    ----------
    near : tuple of int
        Neighbours of each node.
    log2 : tuple of float
        Of the number of components or states of each node.
    causes, findings, risks : int
        Nodes that are causes, and axes of findings and of risks.
    leaks : tuple of (leak, axis)
    """

    near: tuple[int, ...]
    log2: tuple[float, ...]
    causes: int
    findings: int
    risks: int
    leaks: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class JoinOrder:
    """An elimination order of all nodes, and what it costs.

    Attributes
    ----------
    nodes : tuple of int
    work : float
        Components written, over all passes.
    largest, held : float
        Components of the largest table, and of all that are kept for the way back.
    """

    nodes: tuple[int, ...]
    work: float
    largest: float
    held: float

    @property
    def allowed(self) -> bool:
        """Whether it is within the limits."""
        most = (2.0**MAX_LOG2_WORK, 2.0**MAX_LOG2_TABLE, 2.0**MAX_LOG2_HELD)
        own = (self.work, self.largest, self.held)
        return all(one <= limit for one, limit in zip(own, most, strict=True))


def find_order(graph: JoinGraph) -> JoinOrder | None:
    """Return the cheapest order found, None beyond the limits; it depends on the graph alone."""
    noise = random.Random(0)
    best: JoinOrder | None = None
    tries, tried = len(_FIRST), 0
    while tried < tries:
        by_edges, finding = _FIRST[tried % len(_FIRST)]
        draw = noise if tried >= len(_FIRST) else None
        limit = math.inf if best is None else best.work
        found = _GreedyOrder(graph, by_edges, finding, draw).run(limit)
        if found is not None and (best is None or found.allowed >= best.allowed):
            best = found
        tried += 1
        if best is not None and best.allowed and best.work < _WORTH_ANOTHER:
            break
        if tried == len(_FIRST) and best is not None:
            tries += min(_MOST_TRIES, int(best.work / _WORK_A_TRY))
    return best if best is not None and best.allowed else None


class _GreedyOrder:
    """One greedy elimination: the node of least price next."""

    def __init__(
        self, graph: JoinGraph, by_edges: bool, finding: float, noise: random.Random | None
    ) -> None:
        self.graph, self.by_edges, self.noise = graph, by_edges, noise
        self.near = list(graph.near)
        self.weight = [
            finding if graph.findings >> i & 1 else own for i, own in enumerate(graph.log2)
        ]
        self.price = {i: self._price(i) for i in range(len(self.near))}
        #: Axes that wait for their leak.
        self.held = {axis: leak for leak, axis in graph.leaks}
        self.tables: list[tuple[int, int]] = []  # scope, findings acted on

    def _price(self, node: int) -> float:
        near, log2 = self.near, self.graph.log2
        own = near[node]
        size = 0.0 if self.graph.causes >> node & 1 else self.weight[node]
        if self.by_edges:
            missing, rest = 0, own
            while rest:
                low = rest & -rest
                other = low.bit_length() - 1
                missing += (own & ~near[other]).bit_count() - 1
                size += log2[other]
                rest ^= low
            price = missing + 0.01 * size
        else:
            weight, rest = self.weight, own
            while rest:
                low = rest & -rest
                size += weight[low.bit_length() - 1]
                rest ^= low
            price = size
        return price if self.noise is None else price - math.log(self.noise.expovariate(1.0)) / 2

    def _log2(self, word: int) -> float:
        log2, total = self.graph.log2, 0.0
        while word:
            low = word & -word
            total += log2[low.bit_length() - 1]
            word ^= low
        return total

    def run(self, limit: float) -> JoinOrder | None:
        """Eliminate every node; None above a limit of work."""
        graph, price, near = self.graph, self.price, self.near
        nodes, work, largest, kept = [], 0.0, 0.0, 0.0
        while price:
            node = min((i for i in price if i not in self.held), key=price.__getitem__)
            del price[node]
            for axis in [a for a, leak in self.held.items() if leak == node]:
                del self.held[axis]
            own = near[node]
            size = 2.0 ** (self._log2(own) + graph.log2[node])
            work += self._step(node, size)
            largest, kept = max(largest, size), kept + size / 2.0 ** graph.log2[node]
            if work > limit:
                return None
            nodes.append(node)
            changed = own
            for other in bits(own):
                near[other] = (near[other] | own) & ~(1 << node | 1 << other)
                changed |= near[other]
            for other in bits(changed if self.by_edges else own):
                price[other] = self._price(other)
        return JoinOrder(tuple(nodes), work, largest, kept)

    def _step(self, node: int, size: float) -> float:
        """Work of eliminating a node; its tables become one."""
        graph, own = self.graph, self.near[node]
        mine = [one for one in self.tables if one[0] >> node & 1]
        self.tables = [one for one in self.tables if not one[0] >> node & 1]
        mine.sort(key=lambda one: -one[0].bit_count())
        links = 0 if graph.risks >> node & 1 else graph.near[node] & own & ~graph.risks
        work, scope, acted = size * (_PASSES + _ACT * links.bit_count()), 0, 0
        for its_scope, its_acted in mine:
            if scope:
                joined = (acted & its_acted).bit_count() * _JOIN
                work += _PRODUCT * 2.0 ** (self._log2(scope | its_scope) + joined)
            scope, acted = scope | its_scope, acted | its_acted
        if graph.causes >> node & 1:
            acted |= links
        acted |= sum(1 << axis for leak, axis in graph.leaks if leak == node)
        self.tables.append((own, acted & own & graph.findings))
        return work
