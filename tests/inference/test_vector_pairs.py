"""Sums and products of 106 bits against fractions, in code that may reorder sums of doubles."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

pytest.importorskip("numba")

import numba

from bayesdx.inference.noisy.jit.pair_runs import dot, inverse, pair_at
from bayesdx.inference.typed import floats_at

#: Of products, and of the largest term of a sum.
EXACT = Fraction(1, 2**100)


@numba.njit(fastmath={"reassoc", "contract", "nsz"})
def _dot(one: int, other: int, result: int, count: int) -> None:
    found, at = floats_at(result), pair_at(floats_at(one), 0, count)
    found[0], found[1] = dot(at, pair_at(floats_at(other), 0, count), count)


@numba.njit(fastmath={"reassoc", "contract", "nsz"})
def _inverse(high: float, low: float) -> tuple[float, float]:
    return inverse((high, low))


def dot_of(one: np.ndarray, other: np.ndarray) -> Fraction:
    """Of two arrays (2, n): high and low parts."""
    result = np.empty(2)
    _dot(*(a.ctypes.data for a in (one, other, result)), one.shape[1])
    return Fraction(result[0]) + Fraction(result[1])


def drawn(rng: np.random.Generator, count: int) -> np.ndarray:
    high = rng.standard_normal(count) * 10.0 ** rng.integers(-8, 8, count)
    return np.stack([high, high * 2.0**-54 * rng.uniform(-1.0, 1.0, count)])


@pytest.mark.parametrize("count", [1, 7, 8, 9, 64, 1001])
def test_a_sum_of_products_has_106_bits(count: int) -> None:
    """Whole registers, what is left of them, and both."""
    rng = np.random.default_rng(count)
    one, other = drawn(rng, count), drawn(rng, count)
    terms = [
        (Fraction(a) + Fraction(b)) * (Fraction(c) + Fraction(d))
        for a, b, c, d in zip(*one, *other, strict=True)
    ]
    assert abs(dot_of(one, other) - sum(terms)) <= EXACT * sum(abs(term) for term in terms)


def test_what_is_lost_between_large_numbers_is_still_there() -> None:
    """1e20 - 1e20 leaves nothing of a 1 between them in doubles, in any order but one."""
    one = np.zeros((2, 24))
    one[0, [0, 9, 20]] = 1e20, 1.0, -1e20
    assert dot_of(one, np.stack([np.ones(24), np.zeros(24)])) == 1


def test_an_inverse_has_nearly_as_many() -> None:
    rng = np.random.default_rng(1)
    for high, low in drawn(rng, 200).T:
        first, second = _inverse(high, low)
        product = (Fraction(high) + Fraction(low)) * (Fraction(first) + Fraction(second))
        assert abs(product - 1) <= 16 * EXACT
