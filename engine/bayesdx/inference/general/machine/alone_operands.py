"""What is multiplied and summed in one case, in compiled code: factors sliced by evidence."""

from __future__ import annotations

import math

import numpy as np

from bayesdx.inference.general.machine.alone_memory import (
    ADDRESS,
    N_SCOPE,
    REAL,
    SCOPE,
    SENDER,
    CasesAlone,
    FlatFactors,
    SoloSpace,
)
from bayesdx.inference.general.machine.alone_order import link
from bayesdx.inference.general.machine.alone_tables import operand_at
from bayesdx.inference.general.machine.alone_zeros import copy_possible
from bayesdx.inference.typed import compiled, floats_at, inlined, moved

#: Where a product of settled numbers is turned to its logarithm.
_SMALL = 1e-200


@inlined
def _likelihoods(factors: FlatFactors, cases: CasesAlone, v: int) -> int:
    return cases.soft_first[v] if v < factors.n_named else -1


@inlined
def start_of(factors: FlatFactors, cases: CasesAlone, v: int) -> int:
    """First posterior of a variable; -1 of one that is not wanted."""
    return cases.start[v] if v < factors.n_named else -1


@compiled
def slice_factors(
    factors: FlatFactors, cases: CasesAlone, space: SoloSpace
) -> tuple[int, int, int, float]:
    """Make operands of the factors that matter.

    Returns their number, axes and copied cells so far, and the log of what is settled.
    """
    for v in range(factors.n_variables):
        asked = start_of(factors, cases, v) >= 0 or space.state[v] >= 0
        space.needed[v] = asked or _likelihoods(factors, cases, v) >= 0
    count, used, copied, log, settled = 0, 0, 0, 0.0, 1.0
    for f in range(factors.n_factors - 1, -1, -1):
        first, end = factors.scope_first[f], factors.scope_first[f + 1]
        # A factor was made for its last variable, and parents come before children.
        if not space.needed[factors.scope[end - 1]]:
            continue
        at, begin, less = factors.table_first[f], used, False
        for q in range(first, end):
            v = factors.scope[q]
            space.needed[v] = 1
            state = space.state[v]
            if state >= 0:
                at += state * factors.strides[q]
            else:
                space.axes[used], space.strides[used] = v, factors.strides[q]
                less = less or space.cards[v] < factors.cards[v]
                used += 1
        address = factors.tables + REAL * at
        if used == begin:
            settled *= floats_at(address)[0]
            if settled < _SMALL:
                log += math.log(settled)
                settled = 1.0
        else:
            if less:
                fresh = space.reduced + REAL * copied
                copied = copy_possible(space, address, begin, used, copied)
                address = fresh
            put_operand(space, count, address, begin, used - begin, -1)
            count += 1
    return count, used, copied, log + math.log(settled)


@compiled
def add_likelihoods(
    factors: FlatFactors,
    cases: CasesAlone,
    space: SoloSpace,
    n: int,
    count: int,
    used: int,
    copied: int,
) -> tuple[int, int, float]:
    """Make operands of soft evidence; operands and axes so far, and the log of what is settled."""
    log = 0.0
    for v in range(factors.n_named):
        row = cases.soft_first[v]
        if row < 0:
            continue
        address = cases.soft + REAL * (row * cases.n_cases + n)
        if space.state[v] >= 0:
            # What is known of others leaves one state.
            log += math.log(floats_at(address)[space.state[v] * cases.n_cases])
            continue
        space.axes[used], space.strides[used] = v, cases.n_cases
        if space.cards[v] < factors.cards[v]:
            fresh = space.reduced + REAL * copied
            copied = copy_possible(space, address, used, used + 1, copied)
            address = fresh
        put_operand(space, count, address, used, 1, -1)
        used += 1
        count += 1
    return count, used, log


@inlined
def put_operand(space: SoloSpace, o: int, address: int, first: int, axes: int, sender: int) -> None:
    """Write the line of an operand."""
    operand = operand_at(space, o)
    operand[ADDRESS], operand[SCOPE], operand[N_SCOPE] = address, first, axes
    operand[SENDER] = sender


@compiled
def link_all(factors: FlatFactors, space: SoloSpace, n_operands: int) -> int:
    """Make neighbours of variables that share a table, and list them; return their number."""
    n_words, n_open = factors.n_words, 0
    for i in range(factors.n_variables * n_words):
        space.links[i] = np.uint64(0)
    for v in range(factors.n_variables):
        space.head[v] = -2
    for o in range(n_operands):
        operand = operand_at(space, o)
        axes = moved(space.axes, operand[SCOPE])
        for i in range(operand[N_SCOPE]):
            if space.head[axes[i]] == -2:
                space.head[axes[i]] = -1
                space.open[n_open] = axes[i]
                n_open += 1
            for j in range(i):
                link(space.links, n_words, axes[i], axes[j])
    return n_open
