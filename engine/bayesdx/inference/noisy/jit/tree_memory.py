"""What a tree of tables is planned on and carried out with; see `tree_order`, `tree_buckets`.

M nodes (axes of the 2-core, its causes, leaks), W words for a set of them, T tables.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from bayesdx.inference.noisy.jit.pair_runs import LANES
from bayesdx.inference.noisy.limits import MAX_AXES
from bayesdx.inference.noisy.model import ModelArrays
from bayesdx.inference.typed import Floats, Integers, Words

#: Kinds of nodes.
RISK, CAUSE, FINDING, LEAK = range(4)
#: Kinds of operations: the table of a cause, of what a leak adds to its finding; two tables joined,
#: a node being summed out or not; a node summed out of one table.
STAR, LEAKAGE, JOIN, CLOSE = range(4)
#: Columns of an operation.
KIND, FIRST, SECOND, RESULT, RANK, BEGIN, OPERATION_COLUMNS = range(7)
#: Bits that say what the table of a cause holds.
WITH_PRIOR, WITH_CAUSE = 1, 2
#: Columns of a run of dimensions; see `tree_walk`.
RUN_COLUMNS = 4
#: Dimensions of a table at most.
MOST_DIMENSIONS = 32


class Tree(NamedTuple):
    """A case as a tree of tables.

    Attributes
    ----------
    n_words : int
        W.
    n_marks : int
        Most states of a node.
    kind, of : (M,)
        Of a node: what it is, and of which slot or cause.
    near, left : (M, W)
        Neighbours in the graph of the case; the same of what is not eliminated yet.
    log_size, price, load, missing : (M,)
        Bits that number the states of a node; what eliminating it next costs: bits of its table,
        edges that it connects, twice.
    changed : (W,)
        Nodes whose price is to be reckoned again.
    order, rank, by_rank : (M,)
        Nodes as they are eliminated; the bit of each in sets of nodes of tables, and back.
    node_of, leak_of, cause_of : (K,), (K,), (C,)
        Nodes of slots, of their leaks, of causes; -1 where there is none.
    alive : (W,)
        What is not eliminated yet.
    size : (M,)
        States, by rank.
    meets : (W,)
        Ranks of findings and leaks.
    weights, derived : (M, 2, S)
        What the states of a node are worth when it closes, and derivatives by that; by rank, high
        parts first.
    links, inhibits : (C,), (C,)
        Slots on which a cause has links, and on whose leaks inhibitors.
    waits, left_links, left_leaks : (C,), (C,), (C,)
        Whether the prior of a cause is in no table yet; slots of links and inhibitors that are not.
    scope, start, length : (T, W), (T,), (T,)
        Nodes of a table by rank, where it lies, its entries; high parts lie before low ones.
    live, bucket : (T,), (T,)
        Tables that wait; those that a node is in.
    operations : (T, 6)
        Kind; first and second table, or a cause and what is in its table; resulting table; the rank
        that closes, -1 where none does; the first operation of that node.
    factors : (T,)
        What a result was multiplied by.
    places : (2, …)
        Places of entries of the first dimensions in two tables that are joined.
    dims : (D, 2)
        Their dimensions: states, and in which tables they are.
    runs : (D, 4)
        Of these, those that go together.
    n_nodes : (1,)
        M of the case at hand.
    kept : (1,)
        Whether the tables of a node are made anew on the way back.
    totals : (2,)
        Work, entries of all tables.
    """

    n_words: int
    n_marks: int
    kind: Integers
    of: Integers
    near: Words
    left: Words
    log_size: Floats
    price: Floats
    load: Floats
    missing: Integers
    changed: Words
    order: Integers
    rank: Integers
    node_of: Integers
    leak_of: Integers
    cause_of: Integers
    alive: Words
    size: Integers
    by_rank: Integers
    meets: Words
    weights: Floats
    derived: Floats
    waits: Integers
    links: Words
    inhibits: Words
    left_links: Words
    left_leaks: Words
    scope: Words
    start: Integers
    length: Integers
    live: Integers
    bucket: Integers
    operations: Integers
    factors: Floats
    places: Integers
    dims: Integers
    runs: Integers
    n_nodes: Integers
    kept: Integers
    totals: Floats


def tree_memory(arrays: ModelArrays, causes: int, marks: int) -> Tree:
    """Allocate for any case of a model."""
    nodes = 2 * MAX_AXES + causes
    words = -(-nodes // 64)
    links = min(len(arrays.axes.touch_cause), MAX_AXES * causes)
    tables = 4 * causes + 4 * links + 4 * MAX_AXES + nodes

    def integers(*shape: int) -> Any:
        return np.zeros(shape, dtype=np.int64)

    def masks(*shape: int) -> Any:
        return np.zeros(shape, dtype=np.uint64)

    return Tree(
        n_words=words,
        n_marks=marks,
        kind=integers(nodes),
        of=integers(nodes),
        near=masks(nodes, words),
        left=masks(nodes, words),
        log_size=np.zeros(nodes),
        price=np.zeros(nodes),
        load=np.zeros(nodes),
        missing=integers(nodes),
        changed=masks(words),
        order=integers(nodes),
        rank=integers(nodes),
        node_of=integers(MAX_AXES),
        leak_of=integers(MAX_AXES),
        cause_of=integers(causes),
        alive=masks(words),
        size=integers(nodes),
        by_rank=integers(nodes),
        meets=masks(words),
        weights=np.zeros((nodes, 2, marks)),
        derived=np.zeros((nodes, 2, marks)),
        waits=integers(causes),
        links=masks(causes),
        inhibits=masks(causes),
        left_links=masks(causes),
        left_leaks=masks(causes),
        scope=masks(tables, words),
        start=integers(tables),
        length=integers(tables),
        live=integers(tables),
        bucket=integers(tables),
        operations=integers(tables, OPERATION_COLUMNS),
        factors=np.zeros(tables),
        # Fewer than fill a vector register, times the states of one more dimension.
        places=integers(2, LANES * marks),
        dims=integers(MOST_DIMENSIONS, 2),
        runs=integers(MOST_DIMENSIONS, RUN_COLUMNS),
        n_nodes=integers(1),
        kept=integers(1),
        totals=np.zeros(2),
    )
