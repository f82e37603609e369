"""Max-product elimination in logs: the best assignment of a product of tables, for many rows.

Bucket elimination with maxima in place of sums (Dechter 1999, section 5), then the way back: the
variable eliminated last takes its best state first. Everything is a sum of logs, so a chain of
thousands of steps neither underflows nor needs to be rescaled; the log of 0 is -inf and stays so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bayesdx.inference.arrays import FloatArray, IntArray
from bayesdx.inference.general.elimination import best_elimination, moral_graph

#: Bytes of a cell of a message: its value, and the state that is best.
MESSAGE_CELL = 16.0
#: Bytes of a cell of the largest bucket: a product, and the next one made from it.
PRODUCT_CELL = 16.0

Scope = tuple[int, ...]
#: A function of a scope for some rows: array (*scope, n), or (*scope, 1) if it is the same for all.
Message = tuple[Scope, FloatArray]
#: A table of logs and its variables.
LogTable = tuple[Scope, FloatArray]


@dataclass(frozen=True, eq=False)
class MaxLayout:
    """How the rows that observe the same variables are answered.

    Attributes
    ----------
    order : tuple of int
        Elimination order of the variables that are not observed.
    buckets : tuple of tuple of int
        For each, the variables that it is joined with, itself first.
    row_bytes : float
        Bytes that one row needs.
    largest : float
        Cells of the largest bucket.
    """

    order: Scope
    buckets: tuple[Scope, ...]
    row_bytes: float
    largest: float


def lay_out(scopes: Sequence[Scope], cards: Scope, observed: frozenset[int]) -> MaxLayout:
    """Order the elimination of what is not observed, and say what it takes."""
    free = [tuple(v for v in scope if v not in observed) for scope in scopes]
    live = [v for v in range(len(cards)) if v not in observed]
    elimination = best_elimination(moral_graph(len(cards), free), cards, live)
    buckets = []
    # Observed slices of the tables, then one message a variable.
    row_bytes = 8.0 * sum(math.prod(float(cards[v]) for v in scope) for scope in free)
    largest = 0.0
    for v, mask in zip(elimination.order, elimination.buckets, strict=True):
        bucket = (v, *(u for u in live if u != v and mask >> u & 1))
        cells = math.prod(float(cards[u]) for u in bucket)
        row_bytes += MESSAGE_CELL * cells / cards[v]
        largest = max(largest, cells)
        buckets.append(bucket)
    row_bytes += PRODUCT_CELL * largest
    return MaxLayout(elimination.order, tuple(buckets), row_bytes, largest)


def best_states(
    tables: Sequence[LogTable], layout: MaxLayout, states: IntArray, extra: Sequence[Message] = ()
) -> IntArray:
    """Find the best assignment of every row.

    Parameters
    ----------
    tables : sequence of (scope, array)
        Logs; the same for all rows.
    layout : MaxLayout
        Of the variables that all rows observe.
    states : intp array (n, V)
        What is observed.
    extra : sequence of Message
        Further terms, of variables that are not observed.

    Returns
    -------
    intp array (n, V)
        Ties go to the first state. Where nothing is possible the result means nothing.
    """
    result = states.copy()
    place = {v: i for i, v in enumerate(layout.order)}
    waiting: list[list[Message]] = [[] for _ in layout.order]
    for scope, table in tables:
        message = _sliced(scope, table, states, place)
        if message[0]:
            waiting[min(place[v] for v in message[0])].append(message)
    for message in extra:
        waiting[place[message[0][0]]].append(message)
    best: list[IntArray] = []
    for i, bucket in enumerate(layout.buckets):
        total: FloatArray = np.zeros((1,) * (len(bucket) + 1))
        for message in waiting[i]:
            total = total + _aligned(message, bucket)
        waiting[i].clear()
        best.append(total.argmax(axis=0))
        if bucket[1:]:
            waiting[min(place[v] for v in bucket[1:])].append((bucket[1:], total.max(axis=0)))
    rows = np.arange(len(states))
    for v, bucket, choice in reversed(list(zip(layout.order, layout.buckets, best, strict=True))):
        row = rows if choice.shape[-1] > 1 else 0
        result[:, v] = choice[(*(result[:, u] for u in bucket[1:]), row)]
    return result


def log_product(tables: Sequence[LogTable], states: IntArray) -> FloatArray:
    """Sum of the logs of all tables at complete assignments (n, V), array (n,)."""
    total = np.zeros(len(states))
    for scope, table in tables:
        total += table[tuple(states[:, v] for v in scope)]
    return total


def _sliced(scope: Scope, table: FloatArray, states: IntArray, free: dict[int, int]) -> Message:
    """Pick the observed slice of a table for each row; the rows are the last axis."""
    kept = [axis for axis, v in enumerate(scope) if v in free]
    taken = [axis for axis, v in enumerate(scope) if v not in free]
    left = tuple(scope[axis] for axis in kept)
    if not taken:
        return left, table[..., None]
    ordered = table.transpose(*taken, *kept)
    picked = ordered[tuple(states[:, scope[axis]] for axis in taken)]
    return left, np.moveaxis(picked, 0, -1)


def _aligned(message: Message, bucket: Scope) -> FloatArray:
    """View a message with one axis for each variable of a bucket, of length 1 where it has none."""
    scope, values = message
    axes = sorted(range(len(scope)), key=lambda axis: bucket.index(scope[axis]))
    shape = [1] * len(bucket)
    for axis in axes:
        shape[bucket.index(scope[axis])] = values.shape[axis]
    return values.transpose(*axes, len(scope)).reshape(*shape, values.shape[-1])
