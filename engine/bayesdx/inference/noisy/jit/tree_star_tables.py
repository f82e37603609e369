"""The table of a cause brought into the order and the components of a tree, and back.

A star is laid out with the risks of its cause first, then the states of the cause, then what it
acts on, where it holds n and p: what does not reach a finding and what does. All of that is at
least 0 and has the digits of a double; in a tree t = n + p takes the place of p.
"""

from __future__ import annotations

import numpy as np

from bayesdx.inference.noisy.jit.pair_runs import add, shifted
from bayesdx.inference.noisy.jit.tree_joins import table_at
from bayesdx.inference.noisy.jit.tree_memory import CAUSE, RUN_COLUMNS, Tree
from bayesdx.inference.noisy.jit.tree_order import has
from bayesdx.inference.noisy.jit.tree_walk import DONE, LENGTH, ONE, TWO, advance
from bayesdx.inference.typed import Floats, apart, compiled, inlined, lowest, moved


@inlined
def _lay_dimensions(tree: Tree, table: int) -> int:
    """Lay out where the entries of a table, in its order, are in a star; return its dimensions."""
    n_dims, step = 0, 1
    # Risks, then the cause, then findings and leaks.
    for group in range(CAUSE + 2):
        n_dims = 0
        for w in range(tree.n_words):
            rest = tree.scope[tree.n_words * table + w]
            while rest:
                rank = 64 * w + lowest(rest)
                rest &= rest - np.uint64(1)
                if min(tree.kind[tree.by_rank[rank]], CAUSE + 1) == group:
                    own = moved(tree.runs, RUN_COLUMNS * n_dims)
                    own[LENGTH], own[ONE], own[TWO], own[DONE] = tree.size[rank], step, 0, 0
                    step *= tree.size[rank]
                n_dims += 1
    return n_dims


@compiled
def store_star(tree: Tree, table: int, star: Floats, tape: Floats) -> None:
    """Write a star into its table."""
    apart()
    target, n_dims, i = table_at(tree, table, tape), _lay_dimensions(tree, table), 0
    for at in range(tree.length[table]):
        target[0][at], target[1][at] = star[i], 0.0
        i, _ = advance(tree, n_dims, i, 0)
    _add_components(tree, table, tape, 1)


@compiled
def load_star(tree: Tree, table: int, tape: Floats, star: Floats) -> None:
    """Transpose of `store_star`."""
    apart()
    source, n_dims, i = table_at(tree, table, tape), _lay_dimensions(tree, table), 0
    _add_components(tree, table, tape, 0)
    for at in range(tree.length[table]):
        star[i] = source[0][at]
        i, _ = advance(tree, n_dims, i, 0)


@compiled
def _add_components(tree: Tree, table: int, tape: Floats, to: int) -> None:
    """Add one component of each finding to the other one."""
    apart()
    whole, stride = table_at(tree, table, tape), 1
    for w in range(tree.n_words):
        rest = tree.scope[tree.n_words * table + w]
        while rest:
            rank = 64 * w + lowest(rest)
            rest &= rest - np.uint64(1)
            if has(tree.meets, rank):
                for first in range(0, tree.length[table], 2 * stride):
                    own, other = first + to * stride, first + (1 - to) * stride
                    add(shifted(whole, own), shifted(whole, other), stride)
            stride *= tree.size[rank]
