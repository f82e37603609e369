"""Runs of entries of 106 bits that lie side by side: products, sums of products, and derivatives.

A *pair* of pointers says where high and low parts of entries lie; see `vector_pairs`.
"""

from __future__ import annotations

from typing import Any

from bayesdx.inference.typed import Floats, apart, compiled, inlined, moved
from bayesdx.inference.vector_pairs import product, summed, total
from bayesdx.inference.vector_rows import load, spread, store, zeros_of_1, zeros_of_8

#: Entries of a vector register.
LANES = 8

Pair = tuple[Floats, Floats]
Number = tuple[float, float]


@inlined
def pair_at(tape: Floats, start: int, length: int) -> Pair:
    """Where a table of so many entries lies: high parts first."""
    return moved(tape, start), moved(tape, start + length)


@inlined
def shifted(pair: Pair, by: int) -> Pair:
    """A pair of pointers so many entries further on."""
    return moved(pair[0], by), moved(pair[1], by)


@inlined
def get(pair: Pair, i: int) -> Number:
    """One entry."""
    return pair[0][i], pair[1][i]


@inlined
def put(pair: Pair, i: int, number: Number) -> None:
    """Write one entry."""
    pair[0][i], pair[1][i] = number


@inlined
def _row(pair: Pair, i: int, like: Any) -> Any:
    return load(pair[0], i, like), load(pair[1], i, like)


@inlined
def _write(pair: Pair, i: int, row: Any) -> None:
    store(pair[0], i, row[0])
    store(pair[1], i, row[1])


@inlined
def _all(number: Number, like: Any) -> Any:
    return spread(number[0], like), spread(number[1], like)


@inlined
def plus(one: Number, other: Number) -> Number:
    """Sum of two numbers."""
    like = zeros_of_1()
    return summed(total(_all(one, like), _all(other, like)))


@inlined
def times(one: Number, other: Number) -> Number:
    """Product of two numbers."""
    like = zeros_of_1()
    return summed(product(_all(one, like), _all(other, like)))


@compiled
def inverse(number: Number) -> Number:
    """Return one over a number, to nearly all digits."""
    first = 1.0 / number[0]
    high, low = times(number, (first, 0.0))
    return first, first * plus((1.0, 0.0), (-high, -low))[0]


@inlined
def _multiply(target: Pair, one: Pair, other: Pair, begin: int, end: int, like: Any) -> None:
    for i in range(begin, end):
        _write(target, i, product(_row(one, i, like), _row(other, i, like)))


@compiled
def multiply(target: Pair, one: Pair, other: Pair, count: int) -> None:
    """Write products of entries."""
    apart()
    whole = count // LANES
    _multiply(target, one, other, 0, whole, zeros_of_8())
    _multiply(target, one, other, LANES * whole, count, zeros_of_1())


@inlined
def _add_products(target: Pair, one: Pair, other: Pair, begin: int, end: int, like: Any) -> None:
    for i in range(begin, end):
        more = product(_row(one, i, like), _row(other, i, like))
        _write(target, i, total(_row(target, i, like), more))


@compiled
def add_products(target: Pair, one: Pair, other: Pair, count: int) -> None:
    """Add products of entries."""
    apart()
    whole = count // LANES
    _add_products(target, one, other, 0, whole, zeros_of_8())
    _add_products(target, one, other, LANES * whole, count, zeros_of_1())


@inlined
def _scale(target: Pair, one: Pair, factor: Number, begin: int, end: int, like: Any) -> None:
    factors = _all(factor, like)
    for i in range(begin, end):
        _write(target, i, product(_row(one, i, like), factors))


@compiled
def scale(target: Pair, one: Pair, factor: Number, count: int) -> None:
    """Write entries times a number; the target may be the entries themselves."""
    apart()
    whole = count // LANES
    _scale(target, one, factor, 0, whole, zeros_of_8())
    _scale(target, one, factor, LANES * whole, count, zeros_of_1())


@inlined
def _add_scaled(target: Pair, one: Pair, factor: Number, begin: int, end: int, like: Any) -> None:
    factors = _all(factor, like)
    for i in range(begin, end):
        more = product(_row(one, i, like), factors)
        _write(target, i, total(_row(target, i, like), more))


@compiled
def add_scaled(target: Pair, one: Pair, factor: Number, count: int) -> None:
    """Add entries times a number."""
    apart()
    whole = count // LANES
    _add_scaled(target, one, factor, 0, whole, zeros_of_8())
    _add_scaled(target, one, factor, LANES * whole, count, zeros_of_1())


@inlined
def _add(target: Pair, one: Pair, begin: int, end: int, like: Any) -> None:
    for i in range(begin, end):
        _write(target, i, total(_row(target, i, like), _row(one, i, like)))


@compiled
def add(target: Pair, one: Pair, count: int) -> None:
    """Add entries."""
    apart()
    whole = count // LANES
    _add(target, one, 0, whole, zeros_of_8())
    _add(target, one, LANES * whole, count, zeros_of_1())


@inlined
def _dot(one: Pair, other: Pair, begin: int, end: int, like: Any) -> Number:
    sums = (like, like)
    for i in range(begin, end):
        sums = total(sums, product(_row(one, i, like), _row(other, i, like)))
    return summed(sums)


@compiled
def dot(one: Pair, other: Pair, count: int) -> Number:
    """Sum of products."""
    apart()
    whole = count // LANES
    most = _dot(one, other, 0, whole, zeros_of_8())
    return plus(most, _dot(one, other, LANES * whole, count, zeros_of_1()))


@inlined
def _pull(
    by_one: Pair,
    by_other: Pair,
    behind: Pair,
    one: Pair,
    other: Pair,
    begin: int,
    end: int,
    like: Any,
) -> None:
    for i in range(begin, end):
        row = _row(behind, i, like)
        left, right = product(row, _row(other, i, like)), product(row, _row(one, i, like))
        _write(by_one, i, total(_row(by_one, i, like), left))
        _write(by_other, i, total(_row(by_other, i, like), right))


@compiled
def pull(by_one: Pair, by_other: Pair, behind: Pair, one: Pair, other: Pair, count: int) -> None:
    """Transpose of `multiply`: add what is behind to derivatives."""
    apart()
    whole = count // LANES
    _pull(by_one, by_other, behind, one, other, 0, whole, zeros_of_8())
    _pull(by_one, by_other, behind, one, other, LANES * whole, count, zeros_of_1())
