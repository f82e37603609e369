"""One case at a time, dense: for evidence that no kept plan fits and no other case shares.

The observed states are sliced out of the tables by value, the rest is ordered anew and swept up
and down a junction tree with division (Jensen, Lauritzen & Olesen 1990). Nothing is prepared, so
that a case costs little more than its own cells.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from bayesdx.inference.arrays import FloatArray, IntArray
from bayesdx.inference.general import log_tables
from bayesdx.inference.general.costs import CaseWork
from bayesdx.inference.general.elimination import (
    Elimination,
    Forest,
    best_elimination,
    clique_forest,
    moral_graph,
)
from bayesdx.inference.general.factors import TINY, FactorNetwork, least_entry, memory_refusal
from bayesdx.inference.general.zero_propagation import Zeros, possible_states

#: Cells from which the dearer rules of ordering are tried too.
WORTH_ORDERING: Mapping[str, float] = MappingProxyType({"fill": 3e5, "weighted_fill": 3e6})
#: Tables of the size of the largest clique that are held while it is worked on, beside those of all
#: cliques: measured on ten networks, of floats and of logs.
HELD, HELD_IN_LOGS = 1.5, 4.0

Axes = tuple[int, ...]

NOTHING: FloatArray = np.ones(())
ONES: FloatArray = np.ones(1024)


Part = tuple[Axes, FloatArray]


@dataclass(eq=False)
class Node:
    """A clique.

    ``axes`` are its variables in axis order, ``parts`` what is multiplied to its ``table``: its
    factors, then the messages of its children. ``message`` goes to the parent.
    """

    axes: Axes
    parent: int
    separator: Axes
    parts: list[Part]
    table: FloatArray
    message: FloatArray


def answer_alone(
    problem: FactorNetwork,
    zeros: Zeros,
    states: IntArray,
    soft: Mapping[int, FloatArray],
    targets: Sequence[int],
    memory_limit: float,
) -> tuple[FloatArray, float, CaseWork]:
    """Answer one case.

    Parameters
    ----------
    problem : FactorNetwork
    zeros : Zeros
    states : int array (V,)
        State positions, -1 unknown.
    soft : mapping of int to array (S,)
        Likelihoods of variables that are not observed.
    targets : sequence of int
        Variables whose posteriors are wanted, in the order of the result.
    memory_limit : float
        Bytes that the tables may take.

    Returns
    -------
    posteriors : array (targets' states,)
        Zeros where the evidence is impossible.
    log_evidence : float
        -inf where impossible.
    work : CaseWork

    Raises
    ------
    InvalidNetwork
        With the estimate, if the tables do not fit.
    """
    left = possible_states(problem, zeros, states)
    posteriors = np.zeros(sum(problem.cards[v] for v in targets))
    if left is None:
        return posteriors, -math.inf, CaseWork(0, 0, 0.0)
    cards = tuple(len(found) for found in left)
    factors, log_evidence = _sliced(problem, left, soft, frozenset(targets))
    wanted = [v for v in targets if cards[v] > 1]
    elimination = _ordered(cards, [axes for axes, _ in factors])
    place, detail = f"one case of {len(problem.names)} variables", elimination.largest
    if elimination.given_up:
        raise memory_refusal(place, memory_limit, 8.0 * detail, f"largest clique {detail:.3g}")
    forest = clique_forest(elimination)
    tiny = problem.tiny or any(least_entry(likelihood) < TINY for likelihood in soft.values())
    needed = needed_bytes(forest, cards, in_logs=tiny)
    if needed > memory_limit:
        raise memory_refusal(place, memory_limit, needed, f"largest clique {detail:.3g}")
    work = CaseWork(len(elimination.order), len(factors), elimination.cells)
    log_open, found = None, dict[int, FloatArray]()
    if not tiny:
        log_open, found = _swept(*_nodes(forest, factors), wanted, cards)
    if log_open is None:
        with np.errstate(divide="ignore"):
            factors = [(axes, np.log(table)) for axes, table in factors]
        log_open, found = _swept_in_logs(*_nodes(forest, factors), wanted, cards)
    log_evidence += log_open
    if not np.isneginf(log_evidence):
        start = 0
        for v in targets:
            posteriors[start + left[v]] = found.get(v, 1.0)
            start += problem.cards[v]
    return posteriors, log_evidence, work


def needed_bytes(forest: Forest, cards: tuple[int, ...], *, in_logs: bool = False) -> float:
    """Memory that the sweep of a forest takes at its peak; within a fifth of what was measured."""
    sizes = [math.prod(float(cards[v]) for v in clique) for clique in forest.cliques]
    held = HELD_IN_LOGS if in_logs else HELD
    return 8.0 * (sum(sizes) + held * max(sizes, default=0.0))


def case_work(
    problem: FactorNetwork,
    zeros: Zeros,
    states: IntArray,
    soft: Mapping[int, FloatArray],
    targets: frozenset[int],
) -> CaseWork:
    """Return what `answer_alone` would take, without doing more of it than the order."""
    left = possible_states(problem, zeros, states)
    if left is None:
        return CaseWork(0, 0, 0.0)
    factors, _ = _sliced(problem, left, soft, targets)
    elimination = _ordered(tuple(map(len, left)), [axes for axes, _ in factors])
    return CaseWork(len(elimination.order), len(factors), elimination.cells)


def _swept(
    nodes: dict[int, Node], preorder: list[int], wanted: Sequence[int], cards: tuple[int, ...]
) -> tuple[float | None, dict[int, FloatArray]]:
    """Log evidence and posteriors; None if a product was too small for a float."""
    try:
        with np.errstate(under="raise"):
            log_evidence = _up(nodes, preorder, cards)
    except FloatingPointError:
        return None, {}
    if log_evidence == -math.inf:
        return log_evidence, {}
    # On the way down tables are joints with the evidence: what underflows there is nothing.
    with np.errstate(under="ignore"):
        return log_evidence, _down(nodes, preorder, wanted, cards)


def _swept_in_logs(
    nodes: dict[int, Node], preorder: list[int], wanted: Sequence[int], cards: tuple[int, ...]
) -> tuple[float, dict[int, FloatArray]]:
    """The same where tables and messages are logs."""
    log_evidence = 0.0
    with np.errstate(divide="ignore", invalid="ignore", under="ignore"):
        for c in reversed(preorder):
            node = nodes[c]
            node.table = log_tables.multiplied(node.parts, node.axes, cards)
            node.message = log_tables.summed(node.table, node.axes, node.separator)
            if node.parent >= 0:
                nodes[node.parent].parts.append((node.separator, node.message))
            else:
                log_evidence += float(node.message)
        if log_evidence == -math.inf:
            return log_evidence, {}
        posterior: dict[int, FloatArray] = {}
        for c in preorder:
            node = nodes[c]
            if node.parent >= 0:
                above = nodes[node.parent]
                arriving = log_tables.summed(above.table, above.axes, node.separator)
                ratio = log_tables.divided(arriving, node.message)
                missing = (1,) * (len(node.axes) - len(node.separator))
                node.table = node.table + ratio.reshape(ratio.shape + missing)
            for v in set(wanted).intersection(node.axes) - posterior.keys():
                marginal = log_tables.summed(node.table, node.axes, (v,))
                marginal = np.exp(marginal - marginal.max())
                posterior[v] = marginal / marginal.sum()
    return log_evidence, posterior


def _sliced(
    problem: FactorNetwork,
    left: list[IntArray],
    soft: Mapping[int, FloatArray],
    wanted: frozenset[int],
) -> tuple[list[Part], float]:
    """Factors over what is still open, and the log of those that are settled."""
    needed = set(soft) | wanted
    needed.update(v for v, states in enumerate(left) if len(states) < problem.cards[v])
    found: list[Part] = []
    settled = []
    for factor in reversed(problem.factors):
        if factor.scope[-1] not in needed:
            continue
        needed.update(factor.scope)
        index = tuple(int(left[v][0]) if len(left[v]) == 1 else slice(None) for v in factor.scope)
        axes = tuple(v for v in factor.scope if len(left[v]) > 1)
        table = factor.table[index]
        for axis, v in enumerate(axes):
            if len(left[v]) < problem.cards[v]:
                table = table.take(left[v], axis=axis)
        if axes:
            found.append((axes, table))
        else:
            settled.append(float(table))
    for v, likelihood in soft.items():
        if len(left[v]) > 1:
            found.append(((v,), likelihood[left[v]]))
        else:
            settled.append(float(likelihood[left[v][0]]))
    with np.errstate(divide="ignore"):
        return found, float(np.log(np.array(settled)).sum())


def _ordered(cards: tuple[int, ...], scopes: Sequence[Axes]) -> Elimination:
    live = sorted({v for scope in scopes for v in scope})
    return best_elimination(moral_graph(len(cards), scopes), cards, live, worth=WORTH_ORDERING)


def _nodes(forest: Forest, factors: list[Part]) -> tuple[dict[int, Node], list[int]]:
    """Root the trees and give each clique the factors that are to be multiplied into it."""
    n = len(forest.cliques)
    around: list[list[int]] = [[] for _ in range(n)]
    for a, b in forest.edges:
        around[a].append(b)
        around[b].append(a)
    held: list[list[Part]] = [[] for _ in range(n)]
    for axes, table in factors:
        held[forest.home[min(axes, key=forest.position.__getitem__)]].append((axes, table))
    parent = [-2] * n
    preorder: list[int] = []
    # Cliques of high number are made late; rooted there, trees are shallow.
    for root in reversed(range(n)):
        if parent[root] == -2:
            parent[root] = -1
            stack = [root]
            while stack:
                c = stack.pop()
                preorder.append(c)
                for d in around[c]:
                    if d != parent[c]:
                        parent[d] = c
                        stack.append(d)
    rank: dict[int, int] = {}
    nodes: dict[int, Node] = {}
    for c in preorder:
        fresh = sorted(forest.cliques[c] - rank.keys(), key=lambda v: -forest.position[v])
        for v in fresh:
            rank[v] = len(rank)
        axes = tuple(sorted(forest.cliques[c], key=rank.__getitem__))
        # What the parent knows has lower rank: a separator is the first axes of the child.
        separator = axes[: len(axes) - len(fresh)]
        parts = []
        for scope, table in held[c]:
            turned = sorted(range(len(scope)), key=lambda i: rank[scope[i]])
            parts.append((tuple(scope[i] for i in turned), table.transpose(turned)))
        nodes[c] = Node(axes, parent[c], separator, parts, NOTHING, NOTHING)
    return nodes, preorder


def _multiplied(parts: list[Part], order: Axes, cards: tuple[int, ...]) -> FloatArray:
    """Multiply tables, small ones first; together they have all axes of ``order``."""
    have: Axes = ()
    table = NOTHING
    for axes, part in sorted(parts, key=lambda p: p[1].size):
        if not have:
            have, table = axes, part
            continue
        union = tuple(v for v in order if v in have or v in axes)
        left = table.reshape([cards[v] if v in have else 1 for v in union])
        right = part.reshape([cards[v] if v in axes else 1 for v in union])
        table, have = left * right, union
    # A lone factor belongs to the network, and the table is going to be written to.
    return np.array(table, order="C") if len(parts) < 2 else np.ascontiguousarray(table)


def _up(nodes: dict[int, Node], preorder: list[int], cards: tuple[int, ...]) -> float:
    """Collect: tables become products of factors and messages. Return the log evidence."""
    log_evidence = 0.0
    for c in reversed(preorder):
        node = nodes[c]
        node.table = _multiplied(node.parts, node.axes, cards)
        node.parts = []
        rows = math.prod(cards[v] for v in node.separator)
        flat = node.table.reshape(rows, -1)
        node.message = flat @ _ones(flat.shape[1])
        top = float(node.message.max())
        if top == 0.0:
            return -math.inf
        # Both by the same factor: their ratio is what the way down needs.
        node.message /= top
        node.table /= top
        log_evidence += math.log(top)
        if node.parent >= 0:
            shape = [cards[v] for v in node.separator]
            nodes[node.parent].parts.append((node.separator, node.message.reshape(shape)))
    return log_evidence


def _down(
    nodes: dict[int, Node], preorder: list[int], wanted: Sequence[int], cards: tuple[int, ...]
) -> dict[int, FloatArray]:
    """Distribute: tables become joints with the evidence. Read posteriors where they are small."""
    left = set(wanted)
    joints: dict[int, FloatArray] = {}
    smallest = sorted(nodes, key=lambda c: nodes[c].table.size)
    home: dict[int, list[int]] = {}
    for c in smallest:
        found = left.intersection(nodes[c].axes)
        left -= found
        home[c] = sorted(found)
    posterior: dict[int, FloatArray] = {}
    for c in preorder:
        node = nodes[c]
        if node.parent >= 0:
            above = nodes[node.parent]
            arriving = _summed(joints[node.parent], above.axes, node.separator, cards).ravel()
            # Where a message is 0, the table is 0 too.
            ratio = np.divide(
                arriving, node.message, out=np.zeros_like(arriving), where=node.message > 0
            )
            node.table.reshape(len(ratio), -1)[...] *= ratio[:, None]
        joints[c] = node.table
        narrow, axes = node.table, node.axes
        if len(home[c]) > 1:
            axes = tuple(v for v in node.axes if v in home[c])
            narrow = _summed(node.table, node.axes, axes, cards)
        for v in home[c]:
            marginal = _summed(narrow, axes, (v,), cards)
            posterior[v] = marginal / marginal.sum()
    return posterior


def _summed(table: FloatArray, axes: Axes, kept: Axes, cards: tuple[int, ...]) -> FloatArray:
    """Sum over all axes but those kept, trailing ones first: that leaves least to the rest."""
    groups: list[tuple[bool, int]] = []
    for v in axes:
        keep = v in kept
        if groups and groups[-1][0] == keep:
            groups[-1] = (keep, groups[-1][1] * cards[v])
        else:
            groups.append((keep, cards[v]))
    behind = 1
    while groups:
        keep, size = groups.pop()
        if keep:
            behind *= size
        elif behind == 1:
            table = table.reshape(-1, size) @ _ones(size)
        else:
            table = np.add.reduce(table.reshape(-1, size, behind), axis=1)
    return table.reshape([cards[v] for v in axes if v in kept])


def _ones(size: int) -> FloatArray:
    return ONES[:size] if size <= len(ONES) else np.ones(size)
