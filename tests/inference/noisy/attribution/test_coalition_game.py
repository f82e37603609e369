"""Sharing out: permutations tried one by one, the axioms, and what is infinite."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesdx.inference.noisy.attribution.coalition_game import ordered_values, shapley_values

NUMBERS = st.floats(-30.0, 30.0, allow_nan=False)


def games(players: int, count: int = 1) -> st.SearchStrategy[np.ndarray]:
    size = count << players
    cells = st.lists(NUMBERS, min_size=size, max_size=size)
    return cells.map(lambda values: np.array(values).reshape(count, -1))


def by_permutations(values: np.ndarray, free: int, kept: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean marginal changes over every order that leaves the kept players in theirs."""
    shares, count = np.zeros(free + kept), 0
    for order in itertools.permutations(range(free + kept)):
        ours = [player for player in order if player >= free]
        if ours != sorted(ours):
            continue
        count += 1
        subset, stage = 0, 0
        for player in order:
            before = values[subset, stage]
            if player < free:
                subset |= 1 << player
            else:
                stage += 1
            shares[player] += values[subset, stage] - before
    return shares[:free] / count, shares[free:] / count


@pytest.mark.parametrize(
    ("free", "kept"), [(0, 0), (1, 0), (0, 1), (3, 0), (0, 4), (2, 3), (4, 2), (1, 4), (5, 1)]
)
def test_shares_are_means_over_permutations(free: int, kept: int) -> None:
    values = np.random.default_rng(7).normal(size=(2, 1 << free, kept + 1))
    of_free, of_kept = ordered_values(values)
    for game in range(2):
        slow_free, slow_kept = by_permutations(values[game], free, kept)
        np.testing.assert_allclose(of_free[game], slow_free, rtol=0, atol=1e-13)
        np.testing.assert_allclose(of_kept[game], slow_kept, rtol=0, atol=1e-13)


def test_without_kept_players_the_shares_are_shapley_values() -> None:
    values = np.random.default_rng(8).normal(size=(3, 32))
    np.testing.assert_array_equal(shapley_values(values), ordered_values(values[:, :, None])[0])


@given(games(4, 2))
def test_efficiency_shares_add_up(values: np.ndarray) -> None:
    total = values[:, -1] - values[:, 0]
    np.testing.assert_allclose(shapley_values(values).sum(axis=1), total, rtol=0, atol=1e-11)


@given(games(3), st.integers(0, 3), NUMBERS)
def test_dummy_gets_what_it_always_adds(rest: np.ndarray, place: int, adds: float) -> None:
    with_dummy = np.stack([rest.reshape(-1, 1 << place), rest.reshape(-1, 1 << place) + adds], 1)
    shares = shapley_values(with_dummy.reshape(1, -1))[0]
    assert shares[place] == pytest.approx(adds, abs=1e-12)
    others = np.delete(shares, place)
    np.testing.assert_allclose(others, shapley_values(rest)[0], rtol=0, atol=1e-12)


@given(games(4), st.permutations(range(4)))
def test_renaming_players_renames_shares(values: np.ndarray, order: list[int]) -> None:
    subsets = np.arange(16)
    renamed = sum((subsets >> old & 1) << new for new, old in enumerate(order))
    moved = np.empty_like(values)
    moved[:, renamed] = values
    np.testing.assert_allclose(
        shapley_values(moved)[0], shapley_values(values)[0][order], rtol=0, atol=1e-12
    )


@given(games(4))
def test_symmetric_players_get_the_same(values: np.ndarray) -> None:
    subsets = np.arange(16)
    swapped = (subsets & ~3) | (subsets & 1) << 1 | (subsets & 2) >> 1
    shares = shapley_values((values + values[:, swapped]) / 2.0)[0]
    assert shares[0] == pytest.approx(shares[1], abs=1e-12)


@given(games(3, 2))
def test_shares_of_a_sum_are_sums_of_shares(values: np.ndarray) -> None:
    both = shapley_values(values.sum(axis=0, keepdims=True))[0]
    np.testing.assert_allclose(both, shapley_values(values).sum(axis=0), rtol=0, atol=1e-11)


def test_infinity_goes_to_those_that_bring_it() -> None:
    # Player 0 makes the value infinite, player 1 moves it, player 2 does so only with player 1.
    values = np.zeros((1, 8))
    for subset in range(8):
        one, two, three = subset & 1, subset >> 1 & 1, subset >> 2 & 1
        values[0, subset] = -np.inf if one or (two and three) else 0.5 * two
    assert shapley_values(values).tolist() == [[-np.inf, -np.inf, -np.inf]]
    values[0, 6] = 1.0
    assert shapley_values(values).tolist() == [[-np.inf, 0.0, 0.0]]
    assert shapley_values(-values).tolist() == [[np.inf, 0.0, 0.0]]


def test_what_is_infinite_from_the_start_is_moved_by_nobody() -> None:
    assert shapley_values(np.full((1, 4), -np.inf)).tolist() == [[0.0, 0.0]]
