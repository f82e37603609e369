"""Which tables are made, joined and summed out, in an elimination order; and what that costs.

A table is over a set of nodes, its *scope*, each a bit by *rank*: what is eliminated last varies
fastest.

A cause with all that it acts on and depends on is a *star*: one small table, made at once. Where
neighbours of a cause are eliminated before it, stars hold parts of that and have a dimension for
the cause itself, with a third state where it is asked what produced symptoms: present, though no
link to a symptom acts.
"""

from __future__ import annotations

import numpy as np

from bayesdx.inference.noisy.jit.memory import (
    ADJOINTS,
    BY_TREE_ANEW,
    COMPONENTS,
    LARGEST,
    model_at,
    rows_at,
    state_at,
    tree_at,
)
from bayesdx.inference.noisy.jit.tree_joins import scratch_of
from bayesdx.inference.noisy.jit.tree_memory import (
    BEGIN,
    CAUSE,
    CLOSE,
    FINDING,
    FIRST,
    JOIN,
    KIND,
    LEAK,
    LEAKAGE,
    OPERATION_COLUMNS,
    RANK,
    RESULT,
    RISK,
    SECOND,
    STAR,
    WITH_CAUSE,
    WITH_PRIOR,
    Tree,
)
from bayesdx.inference.noisy.jit.tree_order import add, drop, find_order, has, lay_graph
from bayesdx.inference.noisy.jit.tree_places import compact, is_number, measure
from bayesdx.inference.noisy.jit.tree_ranks import rank_nodes, weigh_nodes
from bayesdx.inference.typed import (
    Integers,
    Word,
    apart,
    compiled,
    inlined,
    lowest,
    moved,
)

_ONE = np.uint64(1)
#: Bytes of all tables and of what is written beside them, above which a case is handed back;
#: entries of all tables above which only those are kept that a node leaves behind.
_MOST_BYTES, _MANY_ENTRIES = 1.2e9, 2.0**17
#: Work above which a second order is tried, and for each further one.
_WORTH_EDGES, _WORTH_MORE = float(1 << 14), float(1 << 19)
_MOST_TRIES = 40


@compiled
def plan_tree(memory: Integers, n_slots: int, most: float) -> int:
    """Plan a case; return the number of operations, 0 where they are no less work than ``most``."""
    apart()
    state, tree = state_at(memory), tree_at(memory)
    n, best, least, tried = lay_graph(memory, n_slots), 0, np.inf, 0
    while tried == 0 or (tried < _MOST_TRIES and min(least, most) > _worth(tried)):
        n_operations = _try(memory, n, tried)
        if tree.totals[0] < least:
            best, least = tried, tree.totals[0]
        tried += 1
    if not least < most:
        return 0
    if best != tried - 1:
        # Each plan is written over the one before.
        n_operations = _try(memory, n, best)
    largest, beside = _room_beside(tree, n_operations)
    if 16.0 * tree.totals[1] + 8.0 * float(beside) > _MOST_BYTES:
        return 0
    state.needs[COMPONENTS], state.needs[LARGEST] = 2 * int(tree.totals[1]), largest
    state.needs[ADJOINTS] = beside
    return n_operations


@inlined
def _room_beside(tree: Tree, n_operations: int) -> tuple[int, int]:
    """Entries of the largest star, and how many numbers are written beside the tables."""
    largest, beside = 1, 4
    for operation in range(n_operations):
        own = moved(tree.operations, OPERATION_COLUMNS * operation)
        if own[KIND] == JOIN:
            beside = max(beside, scratch_of(tree, operation))
        elif own[KIND] == STAR:
            largest = max(largest, tree.length[own[RESULT]])
    return largest, max(beside, largest)


@inlined
def _worth(tried: int) -> float:
    """Work above which a further order is tried."""
    return _WORTH_EDGES if tried == 1 else _WORTH_MORE * (tried - 1)


@inlined
def _try(memory: Integers, n: int, number: int) -> int:
    """Plan in one of several orders."""
    find_order(memory, n, 1 - number % 2, number if number > 1 else 0)
    n_operations, tree = _plan(memory, n), tree_at(memory)
    tree.kept[0] = 0
    if tree.totals[1] > _MANY_ENTRIES or rows_at(memory).way == BY_TREE_ANEW:
        compact(tree, n_operations)
    if not (tree.totals[0] <= rows_at(memory).most_work and 16.0 * tree.totals[1] <= _MOST_BYTES):
        tree.totals[0] = np.inf
    return n_operations


@compiled
def _plan(memory: Integers, n: int) -> int:
    """Write the operations of an order; return how many, with what they cost in ``totals``."""
    apart()
    model, state, tree = model_at(memory), state_at(memory), tree_at(memory)
    rows = rows_at(memory)
    credited, most_work = rows.credited, rows.most_work
    rank_nodes(tree, n)
    for c in range(model.n_causes):
        if state.mask[c]:
            tree.waits[c] = 1
            tree.left_links[c], tree.left_leaks[c] = tree.links[c], tree.inhibits[c]
    tree.totals[0], tree.totals[1] = 0.0, 0.0
    weigh_nodes(model, state, tree, n, credited)
    n_tables, n_operations, n_live = 0, 0, 0
    for position in range(n):
        node = tree.order[position]
        rank, kind = tree.rank[node], tree.kind[node]
        n_bucket, n_left = 0, 0
        for i in range(n_live):
            table = tree.live[i]
            if has(moved(tree.scope, tree.n_words * table), rank):
                tree.bucket[n_bucket] = table
                n_bucket += 1
            else:
                tree.live[n_left] = table
                n_left += 1
        n_live = n_left
        whole = kind == CAUSE and n_bucket == 0 and _untouched(tree, tree.of[node])
        n_before = n_operations
        n_operations, n_tables = _make_stars(tree, node, whole, n_operations, n_tables)
        for i in range(n_before, n_operations):
            tree.bucket[n_bucket] = tree.operations[OPERATION_COLUMNS * i + RESULT]
            n_bucket += 1
        if whole:
            tree.live[n_live] = tree.bucket[0]
            n_live += 1
            continue
        n_operations, n_tables, last = _join_bucket(tree, n_bucket, n_operations, n_tables)
        if kind == LEAK:
            n_operations, n_tables, last = _add_leak(tree, node, last, n_operations, n_tables)
        n_operations = _close(tree, n_operations, n_tables, last, rank, n_before)
        result, n_tables = (
            tree.operations[OPERATION_COLUMNS * (n_operations - 1) + RESULT],
            n_tables + 1,
        )
        if not is_number(tree, result):
            tree.live[n_live] = result
            n_live += 1
        if not tree.totals[0] <= most_work:
            return n_operations
    return n_operations


@inlined
def _untouched(tree: Tree, c: int) -> bool:
    """Whether nothing of a cause is in any table."""
    complete = tree.left_links[c] == tree.links[c] and tree.left_leaks[c] == tree.inhibits[c]
    return bool(complete and tree.waits[c])


@inlined
def _make_stars(
    tree: Tree, node: int, whole: bool, n_operations: int, n_tables: int
) -> tuple[int, int]:
    """Make the tables of causes that a node needs."""
    kind, of = tree.kind[node], tree.of[node]
    if kind == CAUSE:
        links, leaks, waits = tree.left_links[of], tree.left_leaks[of], tree.waits[of]
        if links or leaks or waits:
            _make_star(tree, n_operations, n_tables, of, links, leaks, waits, not whole)
            return n_operations + 1, n_tables + 1
        return n_operations, n_tables
    near, none = moved(tree.near, tree.n_words * node), np.uint64(0)
    for w in range(tree.n_words):
        ring = near[w]
        while ring:
            other = 64 * w + lowest(ring)
            ring &= ring - _ONE
            if tree.kind[other] != CAUSE:
                continue
            c, links, leaks, waits = tree.of[other], none, none, 0
            if kind == RISK:
                waits = tree.waits[c]
            elif kind == FINDING:
                links = tree.left_links[c] & _ONE << np.uint64(of)
            else:
                leaks = tree.left_leaks[c] & _ONE << np.uint64(of)
            if links or leaks or waits:
                _make_star(tree, n_operations, n_tables, c, links, leaks, waits, True)
                n_operations, n_tables = n_operations + 1, n_tables + 1
    return n_operations, n_tables


@inlined
def _make_star(
    tree: Tree,
    operation: int,
    table: int,
    c: int,
    links: Word,
    leaks: Word,
    waits: int,
    opens: bool,
) -> None:
    """Write that a table of a cause is made; its parts are in no other one then."""
    scope, node = moved(tree.scope, tree.n_words * table), tree.cause_of[c]
    for w in range(tree.n_words):
        scope[w] = np.uint64(0)
    tree.left_links[c] &= ~links
    tree.left_leaks[c] &= ~leaks
    while links:
        add(scope, tree.rank[tree.node_of[lowest(links)]])
        links &= links - _ONE
    while leaks:
        add(scope, tree.rank[tree.leak_of[lowest(leaks)]])
        leaks &= leaks - _ONE
    if waits:
        tree.waits[c] = 0
        for w in range(tree.n_words):
            ring = tree.near[tree.n_words * node + w]
            while ring:
                other = 64 * w + lowest(ring)
                ring &= ring - _ONE
                if tree.kind[other] == RISK:
                    add(scope, tree.rank[other])
    if opens:
        add(scope, tree.rank[node])
    _write(tree, operation, STAR, c, WITH_PRIOR * waits + WITH_CAUSE * int(opens), table)
    measure(tree, table)
    tree.totals[0] += float(tree.length[table])


@inlined
def _write(tree: Tree, operation: int, kind: int, first: int, second: int, result: int) -> None:
    own = moved(tree.operations, OPERATION_COLUMNS * operation)
    own[KIND], own[FIRST], own[SECOND], own[RESULT], own[RANK] = kind, first, second, result, -1


@inlined
def _join_bucket(
    tree: Tree, n_bucket: int, n_operations: int, n_tables: int
) -> tuple[int, int, int]:
    """Join all tables of a bucket, small ones first; return the last one."""
    for i in range(1, n_bucket):
        table, at = tree.bucket[i], i
        while at and tree.length[tree.bucket[at - 1]] > tree.length[table]:
            tree.bucket[at] = tree.bucket[at - 1]
            at -= 1
        tree.bucket[at] = table
    last = tree.bucket[0]
    for i in range(1, n_bucket):
        last = _join(tree, n_operations, n_tables, last, tree.bucket[i])
        n_operations, n_tables = n_operations + 1, n_tables + 1
    return n_operations, n_tables, last


@inlined
def _join(tree: Tree, operation: int, table: int, one: int, other: int) -> int:
    """Write that two tables are joined, the larger one first."""
    if tree.length[one] < tree.length[other]:
        one, other = other, one
    scope = moved(tree.scope, tree.n_words * table)
    first, second = moved(tree.scope, tree.n_words * one), moved(tree.scope, tree.n_words * other)
    for w in range(tree.n_words):
        scope[w] = first[w] | second[w]
    _write(tree, operation, JOIN, one, other, table)
    measure(tree, table)
    tree.totals[0] += float(tree.length[table])
    return table


@inlined
def _add_leak(
    tree: Tree, node: int, last: int, n_operations: int, n_tables: int
) -> tuple[int, int, int]:
    """Join what a leak adds to its finding to the table of all that inhibits the leak."""
    scope, slot = moved(tree.scope, tree.n_words * n_tables), tree.of[node]
    for w in range(tree.n_words):
        scope[w] = np.uint64(0)
    add(scope, tree.rank[node])
    add(scope, tree.rank[tree.node_of[slot]])
    _write(tree, n_operations, LEAKAGE, slot, 0, n_tables)
    measure(tree, n_tables)
    last = _join(tree, n_operations + 1, n_tables + 1, last, n_tables)
    return n_operations + 2, n_tables + 2, last


@inlined
def _close(tree: Tree, operation: int, table: int, last: int, rank: int, begin: int) -> int:
    """Write that a node closes, within the last join if there is one; return one more than that."""
    own = moved(tree.operations, OPERATION_COLUMNS * (operation - 1))
    if operation > begin and own[KIND] == JOIN:
        # What it would have written is not written now.
        tree.totals[1] -= float(tree.length[last])
        table = last
    else:
        scope = moved(tree.scope, tree.n_words * table)
        before = moved(tree.scope, tree.n_words * last)
        for w in range(tree.n_words):
            scope[w] = before[w]
        tree.totals[0] += float(tree.length[last])
        _write(tree, operation, CLOSE, last, 0, table)
        own, operation = moved(own, OPERATION_COLUMNS), operation + 1
    own[RANK], own[BEGIN] = rank, begin
    drop(moved(tree.scope, tree.n_words * table), rank)
    measure(tree, table)
    return operation
