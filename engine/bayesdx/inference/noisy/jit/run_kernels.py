"""Runs of entries that lie side by side: sums of products, four at a time."""

from __future__ import annotations

from bayesdx.inference.typed import Floats, inlined
from bayesdx.inference.vector_rows import load, plus, spread, store, summed, times, zeros_of_4

#: Entries of a vector register.
LANES = 4


@inlined
def add_products(target: Floats, one: Floats, other: Floats, count: int) -> None:
    """Add products of entries."""
    like = zeros_of_4()
    whole = count // LANES
    for i in range(whole):
        products = times(load(one, i, like), load(other, i, like))
        store(target, i, plus(load(target, i, like), products))
    for i in range(LANES * whole, count):
        target[i] += one[i] * other[i]


@inlined
def add_scaled(target: Floats, one: Floats, factor: float, count: int) -> None:
    """Add entries times a number."""
    like = zeros_of_4()
    whole, factors = count // LANES, spread(factor, like)
    for i in range(whole):
        products = times(load(one, i, like), factors)
        store(target, i, plus(load(target, i, like), products))
    for i in range(LANES * whole, count):
        target[i] += one[i] * factor


@inlined
def copy(target: Floats, source: Floats, count: int) -> None:
    """Copy entries that do not overlap."""
    like = zeros_of_4()
    whole = count // LANES
    for i in range(whole):
        store(target, i, load(source, i, like))
    for i in range(LANES * whole, count):
        target[i] = source[i]


@inlined
def pull_scaled(by_one: Floats, behind: Floats, one: Floats, factor: float, count: int) -> float:
    """Transpose of `add_scaled`: the derivative by the factor."""
    total, sums = 0.0, zeros_of_4()
    whole, factors = count // LANES, spread(factor, sums)
    for i in range(whole):
        row = load(behind, i, sums)
        store(by_one, i, plus(load(by_one, i, sums), times(row, factors)))
        sums = plus(sums, times(row, load(one, i, sums)))
    for i in range(LANES * whole, count):
        by_one[i] += behind[i] * factor
        total += behind[i] * one[i]
    return total + summed(sums)


@inlined
def pull_products(
    by_one: Floats, by_other: Floats, behind: Floats, one: Floats, other: Floats, count: int
) -> None:
    """Transpose of `add_products`."""
    like = zeros_of_4()
    whole = count // LANES
    for i in range(whole):
        row = load(behind, i, like)
        store(by_one, i, plus(load(by_one, i, like), times(row, load(other, i, like))))
        store(by_other, i, plus(load(by_other, i, like), times(row, load(one, i, like))))
    for i in range(LANES * whole, count):
        by_one[i] += behind[i] * other[i]
        by_other[i] += behind[i] * one[i]
