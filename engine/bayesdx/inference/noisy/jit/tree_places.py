"""Where the tables of a tree lie."""

from __future__ import annotations

import numpy as np

from bayesdx.inference.noisy.jit.tree_memory import (
    KIND,
    MOST_DIMENSIONS,
    OPERATION_COLUMNS,
    RANK,
    RESULT,
    SECOND,
    STAR,
    WITH_CAUSE,
    Tree,
)
from bayesdx.inference.typed import Integers, inlined, lowest, moved, ones

#: Entries of a table at most; how many all of them may have bounds the memory.
_LARGEST = 2.0**25


@inlined
def is_number(tree: Tree, table: int) -> bool:
    """Whether a table is over no node."""
    empty = True
    for w in range(tree.n_words):
        empty &= tree.scope[tree.n_words * table + w] == np.uint64(0)
    return empty


@inlined
def measure(tree: Tree, table: int) -> None:
    """Give a new table its place."""
    size, n_nodes = 1.0, 0
    for w in range(tree.n_words):
        rest = tree.scope[tree.n_words * table + w]
        n_nodes += ones(rest)
        while rest:
            size *= float(tree.size[64 * w + lowest(rest)])
            rest &= rest - np.uint64(1)
    if size > _LARGEST or n_nodes > MOST_DIMENSIONS:
        tree.totals[0], size = np.inf, 1.0
    tree.start[table], tree.length[table] = int(2.0 * tree.totals[1]), int(size)
    tree.totals[1] += size


@inlined
def compact(tree: Tree, n_operations: int) -> None:
    """Give tables that one node needs a place that those of the next one use again.

    On the way back they are made anew; only what a node leaves behind is kept.
    """
    kept, used, most = 0, 0, 0
    for operation in range(n_operations):
        own = moved(tree.operations, OPERATION_COLUMNS * operation)
        length = tree.length[own[RESULT]]
        if _is_kept(own):
            tree.start[own[RESULT]], used = 2 * kept, 0
            kept += length
            continue
        tree.start[own[RESULT]] = 2 * used
        used += length
        most = used if used > most else most
    for operation in range(n_operations):
        own = moved(tree.operations, OPERATION_COLUMNS * operation)
        if not _is_kept(own):
            tree.start[own[RESULT]] += 2 * kept
    tree.kept[0], tree.totals[1] = 1, float(kept + most)


@inlined
def _is_kept(operation: Integers) -> bool:
    """Whether the table of an operation is left behind by a node."""
    whole = operation[KIND] == STAR and not operation[SECOND] & WITH_CAUSE
    return bool(whole or operation[RANK] >= 0)
