"""The kernel of single cases: evidence sliced out, an order made, tables swept up and down.

Nothing is planned: every case is ordered anew, variables that bear on nothing asked are left out,
and each variable is summed out of the product of what still holds it. On the way down a table
becomes the joint of its variables with the evidence (division as in Jensen, Lauritzen & Olesen
1990), which is done where something below is asked for. The NumPy twin is
`bayesdx.inference.general.one_case`.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from bayesdx.inference.general.machine.alone_memory import (
    ANSWERED,
    ARRIVING,
    AXES,
    FAILED,
    MESSAGE,
    N_AXES,
    N_AXES_IN_ALL,
    N_CELLS,
    N_OPERANDS,
    N_ROOM,
    N_SCOPE,
    NEEDS,
    NEXT,
    NO_ROOM,
    OPERANDS,
    REAL,
    SCOPE,
    SENDER,
    SIZE,
    TABLE,
    TOO_LARGE,
    VARIABLE,
    WANTED,
    CasesAlone,
    FlatFactors,
    SoloSpace,
    cases_at,
    factors_at,
    space_at,
)
from bayesdx.inference.general.machine.alone_operands import (
    add_likelihoods,
    link_all,
    put_operand,
    slice_factors,
    start_of,
)
from bayesdx.inference.general.machine.alone_order import order_variables
from bayesdx.inference.general.machine.alone_tables import (
    clique_at,
    multiply,
    operand_at,
    sum_onto,
)
from bayesdx.inference.general.machine.alone_zeros import possible_states
from bayesdx.inference.typed import (
    Floats,
    called,
    compiled,
    floats_at,
    inlined,
    integers_at,
    kept,
    lowest,
    moved,
    sources_digest,
)


@inlined
def _hand_over(space: SoloSpace, o: int) -> None:
    """Give an operand to the clique of its first variable that is summed out."""
    operand = operand_at(space, o)
    axes = moved(space.axes, operand[SCOPE])
    first = axes[0]
    for i in range(1, operand[N_SCOPE]):
        if space.rank[axes[i]] < space.rank[first]:
            first = axes[i]
    operand[NEXT] = space.head[first]
    space.head[first] = o


@compiled
def _lay_out(space: SoloSpace, t: int, first: int, used: int) -> tuple[int, int]:
    """Collect the axes of a clique, soonest summed out first; return next cell and next axis."""
    v, clique, axes, count = space.order[t], clique_at(space, t), moved(space.axes, used), 0
    space.needed[v] = -1 - t
    o = space.head[v]
    while o >= 0:
        operand = operand_at(space, o)
        for i in range(operand[SCOPE], operand[SCOPE] + operand[N_SCOPE]):
            u = space.axes[i]
            if space.needed[u] != -1 - t:
                space.needed[u] = -1 - t
                j = count
                while j > 0 and space.rank[axes[j - 1]] > space.rank[u]:
                    axes[j] = axes[j - 1]
                    j -= 1
                axes[j] = u
                count += 1
        o = operand[NEXT]
    size = 1
    for i in range(count - 1, -1, -1):
        space.strides[used + i] = size
        size *= space.cards[axes[i]]
    clique[VARIABLE], clique[AXES], clique[N_AXES], clique[SIZE] = v, used, count, size
    clique[TABLE] = first
    clique[MESSAGE] = first + size * space.cards[v]
    clique[ARRIVING] = clique[MESSAGE] + size
    clique[OPERANDS] = space.head[v]
    return clique[ARRIVING] + size, used + count


@inlined
def _cells(space: SoloSpace, at: int) -> Floats:
    return floats_at(space.cells + REAL * at)


@compiled
def _sum_out(space: SoloSpace, t: int) -> float:
    """Multiply what a clique holds and sum its variable out; return the largest entry."""
    clique = clique_at(space, t)
    table, message = _cells(space, clique[TABLE]), _cells(space, clique[MESSAGE])
    o, size, fresh = clique[OPERANDS], clique[SIZE], True
    while o >= 0:
        multiply(space, t, o, table, fresh)
        fresh = False
        o = operand_at(space, o)[NEXT]
    for c in range(size):
        message[c] = table[c]
    for s in range(1, space.cards[clique[VARIABLE]]):
        row = moved(table, s * size)
        for c in range(size):
            message[c] += row[c]
    top = 0.0
    for c in range(size):
        top = max(top, message[c])
    return top


@compiled
def _sweep_up(space: SoloSpace, n_open: int, n_operands: int, used: int) -> float:
    """Sum every variable out; return the log of the evidence."""
    log, first = 0.0, 0
    for o in range(n_operands):
        _hand_over(space, o)
    for t in range(n_open):
        first, used = _lay_out(space, t, first, used)
        top = _sum_out(space, t)
        if top == 0.0:
            return -np.inf
        log += math.log(top)
        clique = clique_at(space, t)
        # Table and message by the same factor: on the way down only their ratio counts.
        table, scale = _cells(space, clique[TABLE]), 1.0 / top
        for c in range(clique[SIZE] * (1 + space.cards[clique[VARIABLE]])):
            table[c] *= scale
        if clique[N_AXES]:
            address = space.cells + REAL * clique[MESSAGE]
            put_operand(space, n_operands, address, clique[AXES], clique[N_AXES], t)
            _hand_over(space, n_operands)
            n_operands += 1
    return log


@compiled
def _sweep_down(
    factors: FlatFactors, cases: CasesAlone, space: SoloSpace, n_open: int, n: int
) -> None:
    """Turn tables into joints with the evidence where asked for, and read posteriors."""
    for t in range(n_open):
        clique_at(space, t)[WANTED] = 0
    for t in range(n_open):
        clique = clique_at(space, t)
        clique[WANTED] |= start_of(factors, cases, clique[VARIABLE]) >= 0
        if clique[N_AXES] and clique[WANTED]:
            clique_at(space, space.rank[space.axes[clique[AXES]]])[WANTED] = 1
    for t in range(n_open - 1, -1, -1):
        clique = clique_at(space, t)
        if clique[WANTED]:
            _descend(factors, cases, space, t, n)


@compiled
def _descend(factors: FlatFactors, cases: CasesAlone, space: SoloSpace, t: int, n: int) -> None:
    clique = clique_at(space, t)
    v, size, table = clique[VARIABLE], clique[SIZE], _cells(space, clique[TABLE])
    if clique[N_AXES]:
        message, arriving = _cells(space, clique[MESSAGE]), _cells(space, clique[ARRIVING])
        for c in range(size):
            # Where a message is 0, the table is 0 too.
            arriving[c] = arriving[c] / message[c] if message[c] > 0.0 else 0.0
        for s in range(space.cards[v]):
            row = moved(table, s * size)
            for c in range(size):
                row[c] *= arriving[c]
    if start_of(factors, cases, v) >= 0:
        _read(factors, cases, space, table, size, v, n)
    o = clique[OPERANDS]
    while o >= 0:
        operand = operand_at(space, o)
        if operand[SENDER] >= 0:
            child = clique_at(space, operand[SENDER])
            if child[WANTED]:
                sums = _cells(space, child[ARRIVING])
                for c in range(child[SIZE]):
                    sums[c] = 0.0
                sum_onto(space, t, o, table, sums)
        o = operand[NEXT]


@compiled
def _read(
    factors: FlatFactors,
    cases: CasesAlone,
    space: SoloSpace,
    table: Floats,
    size: int,
    v: int,
    n: int,
) -> None:
    """Write the posterior of a variable from a joint in which it stands first."""
    whole, word, every = 0.0, space.masks[v], space.cards[v] == factors.cards[v]
    for s in range(space.cards[v]):
        row, total = moved(table, s * size), 0.0
        for c in range(size):
            total += row[c]
        state = s if every else lowest(word)
        word &= word - np.uint64(1)
        cases.posteriors[(cases.start[v] + state) * cases.n_cases + n] = total
        whole += total
    for s in range(factors.cards[v]):
        cases.posteriors[(cases.start[v] + s) * cases.n_cases + n] /= whole


@compiled
def _answer(factors: FlatFactors, cases: CasesAlone, space: SoloSpace, n: int) -> int:
    """Answer one case; return its status."""
    for i in range(cases.n_posteriors):
        cases.posteriors[i * cases.n_cases + n] = 0.0
    cases.log_evidence[n] = -np.inf
    if not possible_states(factors, cases, space, n):
        return ANSWERED
    n_operands, used, copied, log = slice_factors(factors, cases, space)
    n_operands, used, more = add_likelihoods(factors, cases, space, n, n_operands, used, copied)
    log += more
    n_open = link_all(factors, space, n_operands)
    needs = moved(cases.needs, NEEDS * n)
    order_variables(factors, space, n_open, needs)
    needs[N_OPERANDS], needs[N_CELLS] = n_operands, needs[N_CELLS] + space.scanned[0] + copied
    if needs[N_ROOM] > cases.most_cells:
        return TOO_LARGE
    if needs[N_ROOM] > space.n_cells or needs[N_AXES_IN_ALL] > space.n_axes:
        return NO_ROOM
    called(cases.clear, cases.bits)
    log += _sweep_up(space, n_open, n_operands, used)
    if called(cases.test, cases.bits):
        return FAILED
    if log > -np.inf:
        cases.log_evidence[n] = log
        _sweep_down(factors, cases, space, n_open, n)
        for v in range(factors.n_named):
            state = space.state[v]
            if state >= 0 and cases.start[v] >= 0:
                cases.posteriors[(cases.start[v] + state) * cases.n_cases + n] = 1.0
    return ANSWERED


def _make_entry(digest: str) -> Any:
    """Machine code is kept by the source of its entry; the digest stands for all other files."""

    @kept
    def answer_alone_at(address: int, begin: int, end: int) -> int:
        memory = integers_at(address)
        factors, cases, space = factors_at(memory), cases_at(memory), space_at(memory)
        for n in range(begin, end):
            status = _answer(factors, cases, space, n)
            cases.status[n] = status
            if status == NO_ROOM:
                return n
        return end + 0 * len(digest)

    return answer_alone_at


answer_alone_at = _make_entry(sources_digest(Path(__file__).parent))
