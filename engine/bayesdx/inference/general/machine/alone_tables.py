"""Products and sums of the tables of one case, in compiled code.

A clique's table lies in C order, the variable that is summed out first, then those that are summed
out soonest after it. Tables and messages are gone through in stretches: neighbouring axes along
which an operand is contiguous, or is repeated, count as one.
"""

from __future__ import annotations

from bayesdx.inference.general.machine.alone_memory import (
    ADDRESS,
    AT,
    AXES,
    BY,
    CLIQUE,
    N_AXES,
    N_SCOPE,
    OPERAND,
    SCOPE,
    STRETCH,
    TIMES,
    VARIABLE,
    SoloSpace,
)
from bayesdx.inference.typed import Floats, Integers, compiled, floats_at, inlined, moved


@inlined
def clique_at(space: SoloSpace, t: int) -> Integers:
    """The line of a clique."""
    return moved(space.cliques, CLIQUE * t)


@inlined
def operand_at(space: SoloSpace, o: int) -> Integers:
    """The line of an operand."""
    return moved(space.operands, OPERAND * o)


@compiled
def _stretches(space: SoloSpace, t: int, o: int) -> int:
    """Line an operand up with a clique's table, innermost stretch first; return their number."""
    clique, operand, walk = clique_at(space, t), operand_at(space, o), space.walk
    count = 0
    for i in range(clique[N_AXES], -1, -1):
        v = clique[VARIABLE] if i == 0 else space.axes[clique[AXES] + i - 1]
        by = 0
        for j in range(operand[SCOPE], operand[SCOPE] + operand[N_SCOPE]):
            if space.axes[j] == v:
                by = space.strides[j]
        last = moved(walk, STRETCH * (count - 1))
        if count and by == last[BY] * last[TIMES]:
            last[TIMES] *= space.cards[v]
        else:
            fresh = moved(walk, STRETCH * count)
            fresh[TIMES], fresh[BY], fresh[AT] = space.cards[v], by, 0
            count += 1
    return count


@inlined
def _next(walk: Integers, count: int, at: int) -> int:
    """Go to the next innermost stretch; return where the operand is, -1 behind the last one."""
    for i in range(1, count):
        stretch = moved(walk, STRETCH * i)
        at += stretch[BY]
        stretch[AT] += 1
        if stretch[AT] < stretch[TIMES]:
            return at
        at -= stretch[BY] * stretch[TIMES]
        stretch[AT] = 0
    return -1


@compiled
def multiply(space: SoloSpace, t: int, o: int, table: Floats, fresh: bool) -> None:
    """Multiply a clique's table with an operand, or fill it."""
    count, walk = _stretches(space, t, o), space.walk
    values = floats_at(operand_at(space, o)[ADDRESS])
    n, by, at = walk[TIMES], walk[BY], 0
    while at >= 0:
        source = moved(values, at)
        if fresh:
            for i in range(n):
                table[i] = source[i * by]
        elif by == 1:
            for i in range(n):
                table[i] *= source[i]
        else:
            for i in range(n):
                table[i] *= source[i * by]
        table = moved(table, n)
        at = _next(walk, count, at)


@compiled
def sum_onto(space: SoloSpace, t: int, o: int, table: Floats, sums: Floats) -> None:
    """Add a clique's table up over what an operand does not tell apart."""
    count, walk = _stretches(space, t, o), space.walk
    n, by, at = walk[TIMES], walk[BY], 0
    while at >= 0:
        target = moved(sums, at)
        if by == 0:
            total = 0.0
            for i in range(n):
                total += table[i]
            target[0] += total
        elif by == 1:
            for i in range(n):
                target[i] += table[i]
        else:
            for i in range(n):
                target[i * by] += table[i]
        table = moved(table, n)
        at = _next(walk, count, at)
