"""Elimination order of one case, in compiled code: neighbours as bits, greedily.

The rules are those of `bayesdx.inference.general.elimination`: fewest cells, or fewest edges added.
"""

from __future__ import annotations

import numpy as np

from bayesdx.inference.general.machine.alone_memory import (
    N_AXES_IN_ALL,
    N_CELLS,
    N_OPEN,
    N_ROOM,
    FlatFactors,
    SoloSpace,
)
from bayesdx.inference.typed import Floats, Integers, Words, compiled, inlined, lowest, moved, ones

#: Cells from which the dearer rule is tried too; what an edge counts beside a bit of cells.
_WORTH_FILL, _EDGE = 2e5, 1e4
#: Bits of a table from which no order is looked for any more, and what it is said to need.
_MOST_BITS, _HOPELESS = 60.0, 1e18
_ONE = np.uint64(1)
_WEIGHT, _FILL = range(2)


@inlined
def link(links: Words, n_words: int, u: int, v: int) -> None:
    """Make two variables neighbours."""
    links[u * n_words + (v >> 6)] |= _ONE << np.uint64(v & 63)
    links[v * n_words + (u >> 6)] |= _ONE << np.uint64(u & 63)


@compiled
def order_variables(factors: FlatFactors, space: SoloSpace, n_open: int, needs: Floats) -> None:
    """Order the variables of ``open``; tell what their cliques need."""
    size = factors.n_variables * factors.n_words
    for i in range(size):
        space.saved[i] = space.links[i]
    cells, room, axes = _greedy(factors, space, n_open, _WEIGHT)
    if _WORTH_FILL < cells < _HOPELESS:
        for i in range(size):
            space.links[i] = space.saved[i]
        for t in range(n_open):
            space.best[t] = space.order[t]
        other, other_room, other_axes = _greedy(factors, space, n_open, _FILL)
        if other < cells:
            cells, room, axes = other, other_room, other_axes
        else:
            for t in range(n_open):
                space.order[t] = space.best[t]
    for t in range(n_open):
        space.rank[space.order[t]] = t
    needs[N_OPEN], needs[N_CELLS], needs[N_ROOM], needs[N_AXES_IN_ALL] = n_open, cells, room, axes


@compiled
def _greedy(
    factors: FlatFactors, space: SoloSpace, n_open: int, rule: int
) -> tuple[float, float, int]:
    links, n_words, ring = space.links, factors.n_words, space.ring
    cost, left, place = space.cost, space.left, space.rank
    cells, room, axes = 0.0, 0.0, 0
    for i in range(n_open):
        v = space.open[i]
        left[i], place[v] = v, i
        cost[i] = _cost(factors, space, v, rule)
    for t in range(n_open):
        best, last = 0, n_open - 1 - t
        for i in range(1, last + 1):
            if cost[i] < cost[best]:
                best = i
        v = left[best]
        space.order[t] = v
        # The last one takes its place.
        left[best], cost[best], place[left[last]] = left[last], cost[last], best
        count = _listed(moved(links, v * n_words), n_words, ring)
        bits = _cost(factors, space, v, _WEIGHT)
        if bits > _MOST_BITS:
            return _HOPELESS, _HOPELESS, axes
        size = 2.0**bits
        cells += size
        axes += count
        room += size * (1.0 + 2.0 / space.cards[v])
        _take_out(links, n_words, v, ring, count)
        if rule == _FILL:
            count = _around(links, n_words, ring, count, space.marks)
        for i in range(count):
            cost[place[ring[i]]] = _cost(factors, space, ring[i], rule)
    return cells, room, axes


@compiled
def _listed(mask: Words, n_words: int, ring: Integers) -> int:
    """Write the places of set bits; return their number."""
    count = 0
    for w in range(n_words):
        word = mask[w]
        while word:
            ring[count] = 64 * w + lowest(word)
            word &= word - _ONE
            count += 1
    return count


@compiled
def _cost(factors: FlatFactors, space: SoloSpace, v: int, rule: int) -> float:
    """What a rule says of a variable."""
    n_words, links = factors.n_words, space.links
    own, bits, degree, missing = moved(links, v * n_words), space.weights[v], 0, 0
    for w in range(n_words):
        word = own[w]
        while word:
            u = 64 * w + lowest(word)
            word &= word - _ONE
            bits += space.weights[u]
            degree += 1
            if rule == _FILL:
                for x in range(n_words):
                    missing -= ones(own[x] & links[u * n_words + x])
    cost: float = bits
    if rule == _FILL:
        cost += _EDGE * (missing + degree * (degree - 1))
    return cost


@compiled
def _take_out(links: Words, n_words: int, v: int, ring: Integers, count: int) -> None:
    """Join the neighbours of a variable, and let them forget it."""
    for i in range(count):
        u = ring[i]
        for w in range(n_words):
            links[u * n_words + w] |= links[v * n_words + w]
        links[u * n_words + (v >> 6)] &= ~(_ONE << np.uint64(v & 63))
        links[u * n_words + (u >> 6)] &= ~(_ONE << np.uint64(u & 63))


@compiled
def _around(links: Words, n_words: int, ring: Integers, count: int, marks: Words) -> int:
    """List some variables and all their neighbours, between whom edges may be new."""
    for w in range(n_words):
        marks[w] = np.uint64(0)
    for i in range(count):
        u = ring[i]
        marks[u >> 6] |= _ONE << np.uint64(u & 63)
        for w in range(n_words):
            marks[w] |= links[u * n_words + w]
    return _listed(marks, n_words, ring)
