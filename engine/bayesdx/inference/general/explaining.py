"""The most probable explanation: one state for every variable, what was observed among them.

Bucket elimination with maxima in place of sums (Dechter 1999, section 5), then the way back: the
variable eliminated last takes its best state first. Everything is a sum of logs, so a chain of
thousands of steps neither underflows nor needs to be rescaled; the log of 0 is -inf and stays so.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bayesdx.errors import Fault, InvalidNetwork, Phrase
from bayesdx.inference.arrays import FloatArray, IntArray
from bayesdx.inference.general.grouping import distinct_rows
from bayesdx.inference.general.ordering import best_elimination, moral_graph
from bayesdx.network import Network

#: Bytes that the rows answered together should not exceed; more only if one row needs it.
ROWS_BYTES = float(64 << 20)
#: Bytes of a cell of a message: its value, and the state that is best.
MESSAGE_CELL = 16.0
#: Bytes of a cell of the largest bucket: a product, and the next one made from it.
PRODUCT_CELL = 16.0

Scope = tuple[int, ...]
#: A function of a scope for some rows: array (*scope, n), or (*scope, 1) if it is the same for all.
Message = tuple[Scope, FloatArray]


@dataclass(frozen=True, eq=False)
class Explanations:
    """The most probable assignments of N cases.

    Attributes
    ----------
    states : intp array (N, V)
        State positions; -1 everywhere in a row whose evidence is impossible.
    log_probability : float64 array (N,)
        Natural log of P(assignment), observed variables included; -inf where impossible.
    """

    states: IntArray
    log_probability: FloatArray


@dataclass(frozen=True, eq=False)
class _Layout:
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


def most_probable_states(network: Network, states: IntArray, memory_limit: float) -> Explanations:
    """Find for every case the assignment of all variables that is most probable.

    Parameters
    ----------
    network : Network
        Noisy families enter as their tables: the explanation is over the variables of the network.
    states : intp array (N, V)
        State positions in the order of ``network.variables``, -1 unknown.
    memory_limit : float
        Bytes that the tables, and the arrays of one case, may take.

    Returns
    -------
    Explanations
        Of equally probable assignments always the same one: in the order of elimination, read
        from its end, each variable takes the first of its states that are equally good given
        those already chosen. Assignments equal on paper may differ in the last digit of a sum.

    Raises
    ------
    InvalidNetwork
        If the tables, or the arrays of one case, exceed the memory limit, with what they would
        need; or if a noisy family has more cells than a table may hold.
    """
    first, inverse = distinct_rows(states, {})
    if first is not None:
        once = most_probable_states(network, states[first], memory_limit)
        return Explanations(once.states[inverse], once.log_probability[inverse])
    cards = tuple(variable.cardinality for variable in network.variables.values())
    scopes = _scopes(network)
    held = 8.0 * sum(math.prod(float(cards[v]) for v in scope) for scope in scopes)
    groups = [
        (rows, _layout(scopes, cards, frozenset(np.flatnonzero(states[rows[0]] >= 0).tolist())))
        for rows in _signatures(states)
    ]
    worst = max((layout for _, layout in groups), key=lambda one: one.row_bytes, default=None)
    if worst is not None and held + worst.row_bytes > memory_limit:
        raise _refusal(len(cards), held, worst, memory_limit)
    with np.errstate(divide="ignore"):
        tables = [np.log(network.table(name)) for name in network.variables]
    factors = list(zip(scopes, tables, strict=True))
    found = states.astype(np.intp, copy=True)
    for rows, layout in groups:
        room = min(ROWS_BYTES, memory_limit - held)
        step = max(int(room / max(layout.row_bytes, 1.0)), 1)
        for start in range(0, len(rows), step):
            part = rows[start : start + step]
            found[part] = _explained(factors, layout, states[part])
    log_probability = np.zeros(len(found))
    for scope, table in factors:
        log_probability += table[tuple(found[:, v] for v in scope)]
    found[np.isneginf(log_probability)] = -1
    return Explanations(found, log_probability)


def _scopes(network: Network) -> list[Scope]:
    """Parents and child of every table, as positions."""
    position = {name: i for i, name in enumerate(network.variables)}
    return [
        tuple(position[one] for one in (*network.parents(name), name)) for name in network.variables
    ]


def _signatures(states: IntArray) -> Iterator[IntArray]:
    """Yield the rows that observe the same variables, signature by signature."""
    groups: dict[bytes, list[int]] = {}
    for row, seen in enumerate(np.packbits(states >= 0, axis=1)):
        groups.setdefault(seen.tobytes(), []).append(row)
    for rows in groups.values():
        yield np.array(rows, dtype=np.intp)


def _layout(scopes: list[Scope], cards: Scope, observed: frozenset[int]) -> _Layout:
    """Order the elimination of what is not observed, and say what it takes."""
    free = [tuple(v for v in scope if v not in observed) for scope in scopes]
    live = [v for v in range(len(cards)) if v not in observed]
    # Restarts are bounded by the clock: the order, and with it ties, would not always be the same.
    elimination = best_elimination(moral_graph(len(cards), free), cards, live, seconds=0.0)
    buckets = []
    # Observed slices of the tables, then one message a variable.
    row_bytes = 8.0 * sum(math.prod(float(cards[v]) for v in scope) for scope in free)
    place = {v: i for i, v in enumerate(elimination.order)}
    largest = 0.0
    for v in elimination.order:
        mask = elimination.buckets[place[v]]
        bucket = (v, *(u for u in live if u != v and mask >> u & 1))
        cells = math.prod(float(cards[u]) for u in bucket)
        row_bytes += MESSAGE_CELL * cells / cards[v]
        largest = max(largest, cells)
        buckets.append(bucket)
    row_bytes += PRODUCT_CELL * largest
    return _Layout(elimination.order, tuple(buckets), row_bytes, largest)


def _explained(
    factors: list[tuple[Scope, FloatArray]], layout: _Layout, states: IntArray
) -> IntArray:
    """Best states (n, V) of rows (n, V) that observe the same variables."""
    result = states.copy()
    place = {v: i for i, v in enumerate(layout.order)}
    waiting: list[list[Message]] = [[] for _ in layout.order]
    for scope, table in factors:
        message = _sliced(scope, table, states, place)
        if message[0]:
            waiting[min(place[v] for v in message[0])].append(message)
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


def _refusal(n_variables: int, held: float, layout: _Layout, memory_limit: float) -> InvalidNetwork:
    found = (
        f"at least {held + layout.row_bytes:.3g} bytes (largest bucket {layout.largest:.3g} cells)"
    )
    place = f"explanation of {n_variables} variables"
    return InvalidNetwork(
        Fault(place, f"a memory need of at most {memory_limit:.3g} bytes", Phrase(found))
    )
