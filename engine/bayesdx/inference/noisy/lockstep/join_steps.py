"""The steps of an elimination order: which tables are joined, who acts on whom, in which layout."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from bayesdx.inference.noisy.lane_order import bits
from bayesdx.inference.noisy.lockstep.join_order import JoinGraph

#: Nodes in the order of an array's dimensions.
Layout = tuple[int, ...]


@dataclass(frozen=True)
class JoinStep:
    """One node summed out.

    Attributes
    ----------
    node : int
    tables : tuple of int
        Steps whose tables are joined here.
    layout : tuple of int
        All nodes of the joined table, ``node`` first, then a leak's finding.
    shared : tuple of tuples of int
        Of each table but the first, findings on which it acts like those before it.
    links : tuple of (cause, node)
        Who acts here on what.
    priors : tuple of int
        Causes whose prior enters here.
    """

    node: int
    tables: tuple[int, ...]
    layout: Layout
    shared: tuple[Layout, ...]
    links: tuple[tuple[int, int], ...]
    priors: tuple[int, ...]


class _NodeSets(NamedTuple):
    """Sets of nodes of a table: all, and findings that were acted on."""

    scope: int
    acted: int

    def joined(self, other: _NodeSets) -> _NodeSets:
        return _NodeSets(*(a | b for a, b in zip(self, other, strict=True)))


def join_steps(graph: JoinGraph, order: tuple[int, ...]) -> Iterator[JoinStep]:
    """Yield a step a node; a finding gets its start with its leak, otherwise when it closes."""
    alive, priors, axis_of = (1 << len(graph.near)) - 1, graph.causes, dict(graph.leaks)
    tables: dict[int, _NodeSets] = {}
    for number, node in enumerate(order):
        mine = [i for i, one in tables.items() if one.scope >> node & 1]
        mine.sort(key=lambda i: -tables[i].scope.bit_count())
        near = graph.near[node] & alive
        links = tuple(_links(graph, node, near))
        placed = (1 << node | near if graph.risks >> node & 1 else 1 << node) & priors
        priors, alive = priors & ~placed, alive & ~(1 << node)
        scopes = [tables[i].scope for i in mine]
        whole, shared = _NodeSets(1 << node, 0), []
        for i in mine:
            own = tables.pop(i)
            shared.append(tuple(bits(whole.acted & own.acted)))
            whole = whole.joined(own)
        added = [1 << c | 1 << x for c, x in links]
        added += [1 << c | graph.near[c] & graph.risks for c in bits(placed)]
        for word in added:
            whole = whole.joined(_NodeSets(word, word & graph.findings))
        first = [node]
        if node in axis_of:
            own_axis = 1 << axis_of[node]
            first.append(axis_of[node])
            whole = whole.joined(_NodeSets(own_axis, own_axis))
        acted = [x for one in links for x in one] + [x for one in shared for x in one]
        layout = _layout(graph, first + acted, whole.scope, scopes)
        yield JoinStep(node, tuple(mine), layout, tuple(shared[1:]), links, tuple(bits(placed)))
        if whole.scope & alive:
            tables[number] = _NodeSets(*(word & alive for word in whole))


def _links(graph: JoinGraph, node: int, near: int) -> Iterator[tuple[int, int]]:
    """Causes and what they act on: what is left of them to the node that goes first."""
    if graph.causes >> node & 1:
        yield from ((node, x) for x in bits(near & ~graph.risks & ~graph.causes))
    elif not graph.risks >> node & 1:
        yield from ((c, node) for c in bits(near & graph.causes))


def _layout(graph: JoinGraph, first: list[int], scope: int, scopes: list[int]) -> Layout:
    """What is acted on comes first, then in long runs what the same tables hold, the longest last.

    Arithmetic goes along the last dimensions; along a run, a table is read in one piece or is one
    number.
    """
    front = list(dict.fromkeys(first))
    runs: dict[tuple[int, ...], list[int]] = {}
    for x in bits(scope & ~sum(1 << x for x in front)):
        runs.setdefault(tuple(own >> x & 1 for own in scopes), []).append(x)
    inner = sorted(runs.values(), key=lambda run: sum(graph.log2[x] for x in run))
    return (*front, *(x for run in inner for x in run))
