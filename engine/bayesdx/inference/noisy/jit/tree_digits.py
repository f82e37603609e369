"""What rounding can have moved the evidence by, at most, before anything is pulled back.

An evidence that a tree sums out errs by a few 2^-104, an operation, of what its terms add up to
without their signs. What a cause adds to that is at most the largest sum of its two weights; a
finding of which n and t are worth w0 - w1 and w1, at most ``|w0 - w1| + w1``; a leak 2, a risk the
sum of what its states are worth. Where the evidence is not small beside their product, as with some
ten findings, this is enough to know; else `tree_sweep` measures.
"""

from __future__ import annotations

import math

from bayesdx.inference.noisy.jit.memory import (
    ABSENT,
    OFF,
    ON,
    PRESENT,
    TABLE,
    Model,
    State,
    model_at,
    state_at,
    tree_at,
)
from bayesdx.inference.noisy.jit.pendant_risks import n_joint
from bayesdx.inference.noisy.jit.tree_memory import CAUSE, LEAK, Tree
from bayesdx.inference.typed import Integers, apart, compiled, inlined, moved

#: Of each operation: a product, a sum, and what is left of the weights of states.
_EACH = 8.0 * 2.0**-104
#: In place of nothing, which has no log.
_LEAST = 1e-300


@compiled
def most_missing(memory: Integers, n_operations: int, log_evidence: float) -> float:
    """Return a bound of the share of the evidence that rounding moved."""
    apart()
    model, state, tree = model_at(memory), state_at(memory), tree_at(memory)
    log_most = 0.0
    for node in range(tree.n_nodes[0]):
        log_most += math.log(max(_most(model, state, tree, node), _LEAST))
    return _EACH * float(n_operations) * math.exp(min(log_most - log_evidence, 700.0))


@inlined
def _most(model: Model, state: State, tree: Tree, node: int) -> float:
    kind, of = tree.kind[node], tree.of[node]
    if kind == LEAK:
        return 2.0
    if kind == CAUSE:
        return _largest_sum(model, state, of)
    most, weights = 0.0, moved(tree.weights, 2 * tree.n_marks * tree.rank[node])
    for s in range(tree.size[tree.rank[node]]):
        most += abs(weights[s])
    return most


@inlined
def _largest_sum(model: Model, state: State, c: int) -> float:
    """Return the largest sum of a cause's weights, present and absent."""
    most, on, off = 0.0, state.weights[2 * c + ON], state.weights[2 * c + OFF]
    entries = moved(state.tables, 4 * state.causes[4 * c + TABLE])
    for i in range(n_joint(model, state, c)):
        most = max(most, on * entries[4 * i + PRESENT] + off * entries[4 * i + ABSENT])
    return most
