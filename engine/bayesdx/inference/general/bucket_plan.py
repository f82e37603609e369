"""Which buckets an elimination has, and how they are split where they would not fit in memory."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import numpy as np

from bayesdx.inference.arrays import IntArray
from bayesdx.inference.general.elimination import (
    SMALL_TREE,
    best_elimination,
    eliminate,
    moral_graph,
)

#: Cells from which another rule of elimination may save more than it takes.
DEARER_RULES: Mapping[str, float] = MappingProxyType(
    {"fill": SMALL_TREE, "weighted_fill": SMALL_TREE}
)
#: Bytes of a cell of a message and of the state that is best, and of a product and the next one.
MESSAGE_CELL, PRODUCT_CELL = 16.0, 16.0

Scope = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Bucket:
    """What is done when a variable goes.

    Attributes
    ----------
    variable : int
    summed : bool
        Over its states is summed; else maximised.
    scopes : tuple of tuple of int
        Variables of each part, this one first.
    sources : tuple of tuple of (int, tuple, tuple)
        For each part the messages it multiplies, and how they are viewed: transposed, shaped.
    """

    variable: int
    summed: bool
    scopes: tuple[Scope, ...]
    sources: tuple[tuple[tuple[int, Scope, Scope], ...], ...]


@dataclass(frozen=True, eq=False)
class BucketPlan:
    """How rows that observe the same variables are answered.

    Attributes
    ----------
    cards : tuple of int
        States of all variables.
    scopes : tuple of tuple of int
        Of each table what is not observed.
    buckets : tuple of Bucket
    maximised, loose, loose_summed : intp array
        All variables that are maximised; those of the two kinds that no table joins with another.
    row_bytes : float
        Bytes that one row needs.
    largest : float
        Cells of the largest part of a bucket.
    exact : bool
        Whether no bucket is split.
    """

    cards: Scope
    scopes: tuple[Scope, ...]
    buckets: tuple[Bucket, ...]
    maximised: IntArray
    loose: IntArray
    loose_summed: IntArray
    row_bytes: float
    largest: float
    exact: bool

    @property
    def order(self) -> Scope:
        """Variables in the order of elimination."""
        return tuple(bucket.variable for bucket in self.buckets)


def lay_out(
    scopes: Sequence[Scope],
    cards: Scope,
    maximised: Iterable[int],
    summed: Iterable[int] = (),
    most_bytes: float = math.inf,
) -> BucketPlan:
    """Order the elimination of what is not observed, and say what it takes.

    Parameters
    ----------
    scopes : sequence of tuple of int
        Variables of each table.
    cards : tuple of int
    maximised, summed : iterable of int
        What is not observed; sums go before maxima.
    most_bytes : float
        Where no bucket is split a row may need more, and then the plan is given all the same: if
        this is finite, buckets are split into the largest parts with which it does not.
    """
    best, sums = frozenset(maximised), frozenset(summed)
    live = best | sums
    free = tuple(tuple(v for v in scope if v in live) for scope in scopes)
    joined = {v for scope in free if len(scope) > 1 for v in scope}
    graph = moral_graph(len(cards), free)
    order = best_elimination(graph, cards, sorted(joined), worth=DEARER_RULES, first=sums).order
    plan = _split(free, cards, order, best, sums, math.inf)
    if plan.row_bytes <= most_bytes or math.isinf(most_bytes):
        return plan
    weights = np.log2(cards).tolist()
    order = eliminate(graph, weights, sorted(joined), "fill", first=sums, give_up=math.inf).order
    cells = most_bytes / PRODUCT_CELL
    while True:
        plan = _split(free, cards, order, best, sums, cells)
        if plan.row_bytes <= most_bytes or cells < 4.0:
            return plan
        cells /= 2.0


def _split(
    free: tuple[Scope, ...],
    cards: Scope,
    order: Scope,
    best: frozenset[int],
    sums: frozenset[int],
    most_cells: float,
) -> BucketPlan:
    """Write buckets along an order, split where they would have more cells."""
    place = {v: i for i, v in enumerate(order)}
    made = list(free)
    waiting: dict[int, list[int]] = {v: [] for v in order}
    for i, scope in enumerate(free):
        if len(scope) > 1:
            waiting[min(scope, key=place.__getitem__)].append(i)

    cells = partial(_cells, cards)
    row_bytes = 8.0 * (sum(map(cells, free)) + 4 * len(cards) * max(cards, default=1))
    largest, exact, buckets = 0.0, True, []
    for v in order:
        parts = _parted([(i, frozenset(made[i])) for i in waiting[v]], cards, most_cells)
        parts = parts or [(frozenset([v]), [])]
        scopes = tuple(tuple(sorted(held, key=place.__getitem__)) for held, _ in parts)
        sources = tuple(
            tuple((i, *_view(made[i], scope, cards, place)) for i in inside)
            for scope, (_, inside) in zip(scopes, parts, strict=True)
        )
        buckets.append(Bucket(v, v in sums, scopes, sources))
        for scope in scopes:
            if scope[1:]:
                waiting[scope[1]].append(len(made))
            made.append(scope[1:])
            largest = max(largest, cells(scope))
            row_bytes += MESSAGE_CELL * cells(scope[1:])
        if len(parts) > 1:
            row_bytes += 8.0 * sum(map(cells, scopes))
            exact = False
    row_bytes += PRODUCT_CELL * largest
    loose = np.array(sorted(best - place.keys()), dtype=np.intp)
    loose_summed = np.array(sorted(sums - place.keys()), dtype=np.intp)
    every = np.array(sorted(best), dtype=np.intp)
    kinds = (every, loose, loose_summed)
    return BucketPlan(cards, free, tuple(buckets), *kinds, row_bytes, largest, exact)


def _parted(
    messages: list[tuple[int, frozenset[int]]], cards: Scope, most_cells: float
) -> list[tuple[frozenset[int], list[int]]]:
    """Share messages out to parts of a bucket: the largest first, each where it adds least."""
    if math.isinf(most_cells):
        whole = frozenset().union(*(scope for _, scope in messages))
        return [(whole, [i for i, _ in messages])] if messages else []
    parts: list[tuple[frozenset[int], list[int]]] = []
    for i, scope in sorted(messages, key=lambda one: -_cells(cards, one[1])):
        sizes = [_cells(cards, held | scope) for held, _ in parts]
        fits = [p for p, size in enumerate(sizes) if size <= most_cells]
        if fits:
            p = min(fits, key=lambda p: sizes[p] / _cells(cards, parts[p][0]))
            parts[p] = (parts[p][0] | scope, [*parts[p][1], i])
        else:
            parts.append((scope, [i]))
    return parts


def _cells(cards: Scope, scope: Iterable[int]) -> float:
    return math.prod([float(cards[u]) for u in scope])


def _view(
    scope: Scope, bucket: Scope, cards: Scope, place: Mapping[int, int]
) -> tuple[Scope, Scope]:
    """How a message is transposed and shaped to have one axis for each variable of a bucket."""
    ranks = [place[u] for u in scope]
    axes = sorted(range(len(scope)), key=ranks.__getitem__)
    return (*axes, len(scope)), tuple([cards[u] if u in scope else 1 for u in bucket])
