"""Nodes numbered for the tables of a tree: what varies fastest, and what their states are worth."""

from __future__ import annotations

import numpy as np

from bayesdx.inference.noisy.jit.memory import SIZE, Model, State
from bayesdx.inference.noisy.jit.pair_runs import plus
from bayesdx.inference.noisy.jit.tree_memory import CAUSE, FINDING, LEAK, RISK, Tree
from bayesdx.inference.noisy.jit.tree_order import add, drop, has
from bayesdx.inference.typed import Floats, inlined, lowest, moved


@inlined
def rank_nodes(tree: Tree, n: int) -> None:
    """Number the nodes for sets: what is eliminated first varies slowest."""
    for w in range(tree.n_words):
        tree.meets[w] = np.uint64(0)
    for position in range(n):
        node, rank = tree.order[position], n - 1 - position
        tree.rank[node], tree.by_rank[rank] = rank, node
        if tree.kind[node] == FINDING or tree.kind[node] == LEAK:
            add(tree.meets, rank)


@inlined
def weigh_nodes(model: Model, state: State, tree: Tree, n: int, credited: int) -> None:
    """Write how many states nodes have, and what these are worth when a node closes.

    A cause has a third state, present without a link to a symptom that acts, where such a link is
    in a table before the cause closes.
    """
    for node in range(n):
        add(tree.alive, node)
    for position in range(n):
        node = tree.order[position]
        rank, kind, of = tree.rank[node], tree.kind[node], tree.of[node]
        weights, vector = moved(tree.weights, 2 * tree.n_marks * rank), moved(state.vectors, 0)
        for s in range(tree.n_marks):
            weights[s], weights[tree.n_marks + s] = 1.0, 0.0
        tree.size[rank] = 2
        if kind == CAUSE:
            if credited and _loses_symptom(state, tree, of):
                tree.size[rank], weights[2] = 3, 0.0
        elif kind != LEAK:
            vector = moved(state.vectors, model.n_states * of)
            if kind == RISK:
                tree.size[rank] = state.slots[8 * of + SIZE]
                for s in range(tree.size[rank]):
                    weights[s] = vector[s]
            else:
                least, most = vector[1], state.share[of]
                if tree.leak_of[of] >= 0:
                    least = least_worth(vector, most)
                # Of n and t, where n and t - n are worth these.
                weights[1] = most
                weights[0], weights[tree.n_marks] = plus((least, 0.0), (-most, 0.0))
        drop(tree.alive, node)


@inlined
def _loses_symptom(state: State, tree: Tree, c: int) -> bool:
    """Whether a symptom on which a cause acts is eliminated before it."""
    found, links = False, tree.links[c]
    while links:
        slot = lowest(links)
        links &= links - np.uint64(1)
        found |= state.symptom[slot] >= 0.0 and not has(tree.alive, tree.node_of[slot])
    return found


@inlined
def least_worth(vector: Floats, share: float) -> float:
    """What "not reached" is worth on an axis whose leak is a node of its own.

    With H the leak is worth ``x1 + x2`` where nothing else reaches the finding, without it
    ``x1 + x3``: both lie between this and ``share``.
    """
    most = vector[1] + max(vector[2], vector[3])
    return 0.0 if most <= share else 2.0 * most
