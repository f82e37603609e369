"""In which order the nodes of a case that couples much are summed out, when tables may be joined.

The nodes are those of `bayesdx.inference.noisy.lockstep.join_order`: axes of the 2-core, its causes
and, where inhibitors lower the leak of a finding, that leak. Greedily, next goes the node whose
elimination connects least that was not connected (min-fill), or that makes the smallest table.
"""

from __future__ import annotations

import math

import numpy as np

from bayesdx.inference.noisy.jit.memory import (
    AXIS,
    COUNT,
    SIZE,
    WIDTH,
    Model,
    State,
    model_at,
    rows_at,
    state_at,
    tree_at,
)
from bayesdx.inference.noisy.jit.tree_memory import CAUSE, FINDING, LEAK, RISK, Tree
from bayesdx.inference.noisy.model import GAIN, LEAK_GAIN
from bayesdx.inference.typed import Integers, Words, apart, compiled, inlined, lowest, moved, ones

_ONE = np.uint64(1)
#: A node that waits for its leak is as dear as nothing else.
_NEVER = 1e300
_MODULUS, _FACTOR, _STEP = 1 << 32, 1664525, 1013904223


@inlined
def has(words: Words, i: int) -> bool:
    """Whether a set holds a member."""
    return bool(words[i >> 6] >> np.uint64(i & 63) & _ONE)


@inlined
def add(words: Words, i: int) -> None:
    """Add a member to a set."""
    words[i >> 6] |= _ONE << np.uint64(i & 63)


@inlined
def drop(words: Words, i: int) -> None:
    """Take a member out of a set."""
    words[i >> 6] &= ~(_ONE << np.uint64(i & 63))


@compiled
def lay_graph(memory: Integers, n_slots: int) -> int:
    """Lay out the graph of the 2-core; return the number of its nodes."""
    apart()
    model, state, tree = model_at(memory), state_at(memory), tree_at(memory)
    n, credited = 0, rows_at(memory).credited
    for slot in range(n_slots):
        tree.node_of[slot], tree.leak_of[slot] = -1, -1
        if state.slots[8 * slot + COUNT]:
            tree.node_of[slot] = n
            size = state.slots[8 * slot + SIZE]
            n = _add_node(tree, n, RISK if size else FINDING, slot, size if size else 2)
    for c in range(model.n_causes):
        tree.cause_of[c] = -1
        if state.mask[c]:
            tree.cause_of[c] = n
            n = _add_node(tree, n, CAUSE, c, 3 if credited else 2)
    for slot in range(n_slots):
        inside = tree.node_of[slot] >= 0 and state.slots[8 * slot + SIZE] == 0
        if inside and state.slots[8 * slot + WIDTH] > 2:
            tree.leak_of[slot] = n
            n = _add_node(tree, n, LEAK, slot, 2)
    for i in range(n * tree.n_words):
        tree.near[i] = np.uint64(0)
    for slot in range(n_slots):
        if tree.leak_of[slot] >= 0:
            _connect(tree, tree.leak_of[slot], tree.node_of[slot])
    for c in range(model.n_causes):
        if state.mask[c]:
            _connect_cause(model, state, tree, c)
    tree.n_nodes[0] = n
    return n


@inlined
def _add_node(tree: Tree, n: int, kind: int, of: int, size: int) -> int:
    tree.kind[n], tree.of[n], tree.log_size[n] = kind, of, math.log2(float(size))
    return n + 1


@inlined
def _connect(tree: Tree, one: int, other: int) -> None:
    add(moved(tree.near, tree.n_words * one), other)
    add(moved(tree.near, tree.n_words * other), one)


@inlined
def _connect_cause(model: Model, state: State, tree: Tree, c: int) -> None:
    tree.waits[c], tree.links[c], tree.inhibits[c] = 1, np.uint64(0), np.uint64(0)
    node, mask = tree.cause_of[c], state.mask[c]
    while mask:
        slot, bit = lowest(mask), mask & (~mask + _ONE)
        mask ^= bit
        if state.slots[8 * slot + SIZE]:
            _connect(tree, node, tree.node_of[slot])
            # Risks of one cause are in one table with it.
            others = mask
            while others:
                other = lowest(others)
                others &= others - _ONE
                if state.slots[8 * other + SIZE]:
                    _connect(tree, tree.node_of[slot], tree.node_of[other])
            continue
        at = 4 * (state.slots[8 * slot + AXIS] * model.n_causes + c)
        if model.links[at + GAIN] > 0.0:
            tree.links[c] |= bit
            _connect(tree, node, tree.node_of[slot])
        if model.links[at + LEAK_GAIN] > 0.0 and tree.leak_of[slot] >= 0:
            tree.inhibits[c] |= bit
            _connect(tree, node, tree.leak_of[slot])


@compiled
def find_order(memory: Integers, n: int, by_edges: int, seed: int) -> None:
    """Write an elimination order of all nodes.

    ``by_edges`` says whether edges are counted or entries; a ``seed`` other than 0 makes prices
    uncertain.
    """
    apart()
    tree = tree_at(memory)
    words, random = (n + 63) >> 6, seed
    for i in range(n * tree.n_words):
        tree.left[i] = tree.near[i]
    for w in range(words):
        tree.alive[w], tree.changed[w] = np.uint64(0), np.uint64(0)
    for node in range(n):
        add(tree.alive, node)
        add(tree.changed, node)
    for node in range(n):
        tree.price[node] = _NEVER
        _measure(tree, node, words, by_edges)
    for position in range(n):
        random = _reckon(tree, words, by_edges, random)
        best, least = -1, _NEVER
        for node in range(n):
            if tree.price[node] < least:
                best, least = node, tree.price[node]
        tree.order[position] = best
        _eliminate(tree, best, words, by_edges)


@inlined
def _measure(tree: Tree, node: int, words: int, by_edges: int) -> None:
    """Count what eliminating a node connects, and how large a table it makes."""
    own, missing, kind = moved(tree.left, tree.n_words * node), 0, tree.kind[node]
    size = 0.0 if kind == CAUSE else tree.log_size[node]
    for w in range(words):
        ring = own[w]
        while ring:
            other = 64 * w + lowest(ring)
            ring &= ring - _ONE
            size += tree.log_size[other]
            if by_edges:
                missing += _missing(own, moved(tree.left, tree.n_words * other), words) - 1
    tree.missing[node], tree.load[node] = missing, size


@inlined
def _missing(own: Words, its: Words, words: int) -> int:
    """How many of one set are not in another."""
    count = 0
    for w in range(words):
        count += ones(own[w] & ~its[w])
    return count


@inlined
def _eliminate(tree: Tree, node: int, words: int, by_edges: int) -> None:
    """Connect all neighbours of a node, and keep count of what is missing around others."""
    own = moved(tree.left, tree.n_words * node)
    drop(tree.alive, node)
    tree.price[node] = _NEVER
    for w in range(words):
        tree.changed[w] = own[w]
        ring = own[w]
        while ring:
            other = 64 * w + lowest(ring)
            ring &= ring - _ONE
            its = moved(tree.left, tree.n_words * other)
            if by_edges:
                # The node itself is not among its neighbours.
                tree.missing[other] -= 2 * (_missing(its, own, words) - 1)
            drop(its, node)
            tree.load[other] -= tree.log_size[node]
    for w in range(words):
        ring = own[w]
        while ring:
            one = 64 * w + lowest(ring)
            ring &= ring - _ONE
            its = moved(tree.left, tree.n_words * one)
            for v in range(w, words):
                new = (ring if v == w else own[v]) & ~its[v]
                while new:
                    other = 64 * v + lowest(new)
                    new &= new - _ONE
                    _join_nodes(tree, one, other, words, by_edges)
    if tree.kind[node] == LEAK:
        add(tree.changed, tree.node_of[tree.of[node]])


@inlined
def _join_nodes(tree: Tree, one: int, other: int, words: int, by_edges: int) -> None:
    near, its = moved(tree.left, tree.n_words * one), moved(tree.left, tree.n_words * other)
    if by_edges:
        for w in range(words):
            both = near[w] & its[w]
            tree.changed[w] |= both
            while both:
                # What is near two nodes that become neighbours misses fewer.
                tree.missing[64 * w + lowest(both)] -= 2
                both &= both - _ONE
        tree.missing[one] += 2 * _missing(near, its, words)
        tree.missing[other] += 2 * _missing(its, near, words)
    add(near, other)
    add(its, one)
    tree.load[one] += tree.log_size[other]
    tree.load[other] += tree.log_size[one]


@inlined
def _reckon(tree: Tree, words: int, by_edges: int, random: int) -> int:
    """Write what eliminating a node next costs, of those around which something changed."""
    for w in range(words):
        changed = tree.changed[w] & tree.alive[w]
        while changed:
            node = 64 * w + lowest(changed)
            changed &= changed - _ONE
            waits = tree.kind[node] == FINDING and tree.leak_of[tree.of[node]] >= 0
            if waits and has(tree.alive, tree.leak_of[tree.of[node]]):
                continue
            size = tree.load[node]
            price = float(tree.missing[node]) + 0.01 * size if by_edges else size
            if random:
                random = (random * _FACTOR + _STEP) % _MODULUS
                price -= 0.5 * math.log(-math.log((random + 0.5) / _MODULUS))
            tree.price[node] = price
    return random
