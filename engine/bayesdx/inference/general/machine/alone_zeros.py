"""Which states a case leaves possible, in compiled code; `zero_propagation` is the NumPy twin.

States are bits of a word: a factor over a variable of more than 64 states rules nothing out. Where
variables have lost states, tables over them are copied without these.
"""

from __future__ import annotations

import math

import numpy as np

from bayesdx.inference.general.machine.alone_memory import (
    REAL,
    WORD,
    CasesAlone,
    FlatFactors,
    SoloSpace,
)
from bayesdx.inference.typed import (
    Integers,
    Word,
    compiled,
    floats_at,
    inlined,
    lowest,
    moved,
    ones,
)

_ONE = np.uint64(1)


@inlined
def _all_states(count: int) -> Word:
    """All states of a variable, as bits; of those that a word cannot hold, none."""
    return ~np.uint64(0) if count >= WORD else (_ONE << np.uint64(count)) - _ONE


@compiled
def possible_states(factors: FlatFactors, cases: CasesAlone, space: SoloSpace, n: int) -> bool:
    """Find the states that are left of each variable; whether there are any of each.

    Written to ``masks``; ``state`` is that of variables with one left, else -1, and ``cards`` and
    ``weights`` count what is left.
    """
    for f in range(factors.n_factors):
        space.queued[f] = 0
    for v in range(factors.n_variables):
        space.masks[v] = _all_states(factors.cards[v])
        space.state[v] = cases.states[v * cases.n_cases + n] if v < factors.n_named else -1
        if space.state[v] >= 0 and factors.cards[v] <= WORD:
            space.masks[v] = _ONE << np.uint64(space.state[v])
    space.scanned[0] = 0
    possible = _propagate(factors, space)
    for v in range(factors.n_variables):
        space.cards[v], space.weights[v] = factors.cards[v], factors.weights[v]
        if space.state[v] < 0 and space.masks[v] != _all_states(factors.cards[v]):
            space.cards[v] = ones(space.masks[v])
            space.weights[v] = math.log2(space.cards[v])
            if space.cards[v] == 1:
                space.state[v] = lowest(space.masks[v])
    return possible


@compiled
def _propagate(factors: FlatFactors, space: SoloSpace) -> bool:
    """Pass zeros along from what is observed until nothing changes; False if nothing is left."""
    first, waiting = 0, 0
    for v in range(factors.n_named):
        if space.state[v] >= 0:
            waiting = _wake(factors, space, v, -1, first, waiting)
    while waiting:
        f = space.queue[first]
        first, waiting = (first + 1) % factors.n_factors, waiting - 1
        space.queued[f] = 0
        begin = factors.scope_first[f]
        for i in range(factors.scope_first[f + 1] - begin if _revise(factors, space, f) else 0):
            v, alive = factors.scope[begin + i], space.alive[i]
            if alive == np.uint64(0):
                return False
            if alive != space.masks[v]:
                space.masks[v] = alive
                waiting = _wake(factors, space, v, f, first, waiting)
    return True


@inlined
def _wake(
    factors: FlatFactors, space: SoloSpace, v: int, but: int, first: int, waiting: int
) -> int:
    """Look again at the factors with zeros over a variable; return how many wait."""
    for i in range(factors.zero_first[v], factors.zero_first[v + 1]):
        f = factors.zero[i]
        if f != but and not space.queued[f]:
            space.queued[f] = 1
            space.queue[(first + waiting) % factors.n_factors] = f
            waiting += 1
    return waiting


@compiled
def _revise(factors: FlatFactors, space: SoloSpace, f: int) -> bool:
    """Find the states that some possible state of a factor's other variables goes with.

    Written to ``alive``; returns whether it is less than before.
    """
    begin, end = factors.scope_first[f], factors.scope_first[f + 1]
    last = end - begin - 1
    scope, strides = moved(factors.scope, begin), moved(factors.strides, begin)
    for i in range(last + 1):
        space.alive[i] = np.uint64(0)
    table, going = factors.tables, True
    space.at[0] = factors.table_first[f]
    _enter(space, scope, strides, 0, last)
    while going:
        values, word, hit = floats_at(table + REAL * space.at[last]), space.rest[last], np.uint64(0)
        while word:
            if values[lowest(word) * strides[last]] > 0.0:
                hit |= word & (~word + _ONE)
            word &= word - _ONE
        space.scanned[0] += ones(space.masks[scope[last]])
        if hit:
            space.alive[last] |= hit
            less = space.masks[scope[last]] ^ space.alive[last]
            for i in range(last):
                space.alive[i] |= space.rest[i] & (~space.rest[i] + _ONE)
                less |= space.masks[scope[i]] ^ space.alive[i]
            if less == np.uint64(0):
                return False
        going = _next(space, scope, strides, last)
    return True


@inlined
def _enter(space: SoloSpace, scope: Integers, strides: Integers, level: int, last: int) -> None:
    """Start from the first possible state of each axis, from one on."""
    for i in range(level, last + 1):
        space.rest[i] = space.masks[scope[i]]
        space.at[i + 1] = space.at[i] + lowest(space.rest[i]) * strides[i]


@inlined
def _next(space: SoloSpace, scope: Integers, strides: Integers, last: int) -> bool:
    """Go to the next joint state of all axes but the last; False behind the last one."""
    for i in range(last - 1, -1, -1):
        space.rest[i] &= space.rest[i] - _ONE
        if space.rest[i]:
            space.at[i + 1] = space.at[i] + lowest(space.rest[i]) * strides[i]
            _enter(space, scope, strides, i + 1, last)
            return True
    return False


@compiled
def copy_possible(space: SoloSpace, address: int, begin: int, end: int, to: int) -> int:
    """Copy what is possible of a table over some axes, and make their strides those of the copy.

    Returns the place behind the copy.
    """
    scope, strides, last = moved(space.axes, begin), moved(space.strides, begin), end - begin - 1
    target, going = floats_at(space.reduced), True
    space.at[0] = 0
    _enter(space, scope, strides, 0, last)
    while going:
        values, word = floats_at(address + REAL * space.at[last]), space.rest[last]
        while word:
            target[to] = values[lowest(word) * strides[last]]
            word &= word - _ONE
            to += 1
        going = _next(space, scope, strides, last)
    size = 1
    for i in range(last, -1, -1):
        strides[i] = size
        size *= space.cards[scope[i]]
    return to
