"""Which states of each variable a case leaves possible, found by passing zeros along.

Each factor with zeros rules out states of its variables that no possible state of the others goes
with (arc consistency; Mackworth 1977). It never rules out too much, and on networks full of zeros
(linkage, muscles) it leaves cliques a hundredth of their size.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesdx.inference.arrays import IntArray
from bayesdx.inference.general.factors import Problem

BoolTable = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Zeros:
    """Where factors are positive.

    Attributes
    ----------
    tables : dict of int to bool array
        For each factor that has a zero.
    touching : tuple of tuple of int
        For each variable, the factors of ``tables`` over it.
    """

    tables: dict[int, BoolTable]
    touching: tuple[tuple[int, ...], ...]


def find_zeros(problem: Problem) -> Zeros:
    """Look for zeros once for a network."""
    tables: dict[int, BoolTable] = {}
    touching: list[list[int]] = [[] for _ in problem.cards]
    for f, factor in enumerate(problem.factors):
        positive = factor.table > 0
        if not positive.all():
            tables[f] = positive
            for v in factor.scope:
                touching[v].append(f)
    return Zeros(tables, tuple(map(tuple, touching)))


def possible_states(problem: Problem, zeros: Zeros, states: IntArray) -> list[IntArray] | None:
    """Find the states that each variable may be in.

    Parameters
    ----------
    problem : Problem
    zeros : Zeros
    states : int array (V,)
        Observed positions, -1 unknown.

    Returns
    -------
    list of intp array
        One a variable, auxiliary ones included, increasing; None if the evidence is seen to be
        impossible already.
    """
    left: dict[int, IntArray] = {v: np.array([s]) for v, s in enumerate(states.tolist()) if s >= 0}
    queue = deque(dict.fromkeys(f for v in left for f in zeros.touching[v]))
    waiting = set(queue)
    while queue:
        f = queue.popleft()
        waiting.discard(f)
        scope = problem.factors[f].scope
        table = _restricted(zeros.tables[f], [left.get(v) for v in scope])
        if table.all():
            continue
        for axis, v in enumerate(scope):
            if table.shape[axis] == 1 and table.size > 1:
                continue
            others = tuple(i for i in range(table.ndim) if i != axis)
            alive: BoolTable = np.logical_or.reduce(table, axis=others)
            if alive.all():
                continue
            if not alive.any():
                return None
            left[v] = left[v][alive] if v in left else np.flatnonzero(alive)
            for g in zeros.touching[v]:
                if g != f and g not in waiting:
                    waiting.add(g)
                    queue.append(g)
    return [left[v] if v in left else np.arange(card) for v, card in enumerate(problem.cards)]


def _restricted(table: BoolTable, states: list[IntArray | None]) -> BoolTable:
    index = tuple(
        slice(int(s[0]), int(s[0]) + 1) if s is not None and len(s) == 1 else slice(None)
        for s in states
    )
    table = table[index]
    for axis, s in enumerate(states):
        if s is not None and len(s) > 1:
            table = table.take(s, axis=axis)
    return table
