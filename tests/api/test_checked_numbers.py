"""What counts as a number where one is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from bayesdx.checked_numbers import is_real, is_share, is_whole


@pytest.mark.parametrize("value", [1, 7, np.int8(3), np.uint64(2)])
def test_whole_numbers(value: object) -> None:
    assert is_whole(value, 1, 7)
    assert not is_whole(value, 8)


@pytest.mark.parametrize("value", [True, np.True_, 2.0, np.float64(2.0), "2", None, 2 + 0j])
def test_no_whole_numbers(value: object) -> None:
    assert not is_whole(value, 0)


@pytest.mark.parametrize("value", [0, 0.5, np.float32(0.5), np.int64(1), 1e308])
def test_numbers(value: object) -> None:
    assert is_real(value, 0.0)
    assert not is_real(value, -2.0, -1.0)


@pytest.mark.parametrize("value", [True, np.True_, float("nan"), float("inf"), "0.5", None, 1j])
def test_no_numbers(value: object) -> None:
    assert not is_real(value, 0.0)


def test_infinity_is_one_where_it_is_asked_for() -> None:
    assert is_real(float("inf"), 0.0, float("inf"))


def test_a_share_is_neither_nothing_nor_all() -> None:
    told = {value: is_share(value) for value in (0, 5e-324, 0.5, 1 - 2**-53, 1.0, 1)}
    assert list(told.values()) == [False, True, True, True, False]
    assert not is_share(True)
