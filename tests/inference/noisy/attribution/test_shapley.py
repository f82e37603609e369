"""Contributions of observations, against enumeration of every subset and order."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from observed_cases import enumerated, log_odds, random_parts

from bayesdx.errors import BayesdxError
from bayesdx.inference.noisy.answer import Answer
from bayesdx.inference.noisy.attribution import shapley
from bayesdx.inference.noisy.attribution.coalition_game import ordered_values, shapley_values
from bayesdx.inference.noisy.attribution.observations import Observation, split_case
from bayesdx.inference.noisy.attribution.shapley import Game, attribute
from bayesdx.inference.noisy.model import NoisyModel
from bayesdx.inference.noisy.query import posteriors

METHODS = ("shapley", "shapley_absent_in_order", "path")


def game_of(parts: list[Observation]) -> Game:
    owners = tuple((player,) for player in range(len(parts)))
    return Game(tuple(parts), owners, len(parts), lambda known: known)


def possible_case(seed: int) -> tuple[NoisyModel, list[Observation], np.ndarray]:
    """A case whose evidence is possible, and the log-odds of every subset of its parts."""
    model, parts = random_parts(seed, inside=False)
    evidence, causes = enumerated(model, parts)
    assume(evidence[-1] > 1e-12)
    return model, parts, log_odds(evidence, causes)


def shared(model: NoisyModel, parts: list[Observation], method: str | None = None):
    def answer(evidence) -> Answer:
        return posteriors(model, evidence, backend="numpy")

    causes = range(len(model.causes))
    return attribute(model, game_of(parts), causes, answer, method=method)


def finite(values: np.ndarray) -> np.ndarray:
    """Causes whose log-odds stay where enumeration, which subtracts, keeps its digits."""
    return (np.abs(values) < 15.0).all(axis=1)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_shapley_and_likelihood_ratios_equal_enumeration(seed: int) -> None:
    model, parts, values = possible_case(seed)
    found = shared(model, parts)
    rows = finite(values)
    assert found.method == "shapley"
    slow = shapley_values(values[rows])
    np.testing.assert_allclose(found.contribution[rows], slow, rtol=0, atol=1e-8)
    single = 1 << np.arange(len(parts))
    alone = values[rows][:, single] - values[rows][:, :1]
    np.testing.assert_allclose(found.alone[rows], alone, rtol=0, atol=1e-8)
    last = values[rows][:, -1:] - values[rows][:, (1 << len(parts)) - 1 - single]
    np.testing.assert_allclose(found.in_context[rows], last, rtol=0, atol=1e-8)


@given(st.integers(0, 2**32 - 1), st.sampled_from(METHODS))
@settings(max_examples=60, deadline=None)
def test_contributions_add_up_and_nothing_is_nan(seed: int, method: str) -> None:
    model, parts, values = possible_case(seed)
    found = shared(model, parts, method)
    assert found.method == method
    total = found.contribution.sum(axis=1)
    settled = np.isinf(found.before)
    with np.errstate(invalid="ignore"):
        change = np.where(settled, 0.0, found.after - found.before)
    infinite = np.isinf(change)
    np.testing.assert_array_equal(total[infinite], change[infinite])
    np.testing.assert_allclose(total[~infinite], change[~infinite], rtol=0, atol=1e-9)
    for array in (found.contribution, found.alone, found.in_context):
        assert not np.isnan(array).any()
    rows = finite(values)
    np.testing.assert_allclose(found.after[rows], values[rows, -1], rtol=0, atol=1e-8)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_absent_findings_in_order_equal_the_slow_way(seed: int) -> None:
    model, parts, values = possible_case(seed)
    found = shared(model, parts, "shapley_absent_in_order")
    kept = split_case(model, parts).plain
    free = [player for player in range(len(parts)) if player not in kept]
    weight = np.abs(found.alone).max(axis=0, initial=0.0)
    order = sorted(kept, key=lambda player: -weight[player])
    rows = finite(values)
    slow = np.zeros((rows.sum(), len(parts)))
    for way in (order, order[::-1]):
        of_free, of_kept = ordered_values(values[rows][:, _masks(free, way)])
        slow[:, free] += of_free / 2
        slow[:, way] += of_kept / 2
    np.testing.assert_allclose(found.contribution[rows], slow, rtol=0, atol=1e-8)


def _masks(free: list[int], kept: list[int]) -> np.ndarray:
    spread = [
        sum(1 << player for bit, player in enumerate(free) if subset >> bit & 1)
        for subset in range(1 << len(free))
    ]
    stages = [sum(1 << player for player in kept[:stage]) for stage in range(len(kept) + 1)]
    return np.array(spread)[:, None] | np.array(stages)[None, :]


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_path_equals_the_mean_of_its_order_and_the_reverse(seed: int) -> None:
    model, parts, values = possible_case(seed)
    found = shared(model, parts, "path")
    weight = np.abs(found.alone).max(axis=0, initial=0.0)
    # Risks first, then by falling stand-alone weight.
    order = sorted(range(len(parts)), key=lambda p: (not parts[p].risks, -weight[p]))
    rows = finite(values)
    slow = np.zeros((rows.sum(), len(parts)))
    for way in (order, order[::-1]):
        stages = np.cumsum([0, *(1 << player for player in way)])
        slow[:, way] += np.diff(values[rows][:, stages], axis=1) / 2
    np.testing.assert_allclose(found.contribution[rows], slow, rtol=0, atol=1e-8)


def test_too_many_numbers_take_a_cheaper_way(monkeypatch: pytest.MonkeyPatch) -> None:
    model, parts = random_parts(11, inside=False)
    problem = split_case(model, parts)
    assert len(problem.plain) >= 2
    monkeypatch.setattr(shapley, "MOST_COMPONENTS", problem.components - 1)
    assert shared(model, parts).method in METHODS[1:]
    monkeypatch.setattr(shapley, "MOST_PLAYERS", 0)
    assert shared(model, parts).method in METHODS[1:]
    with pytest.raises(BayesdxError, match="a way within reach, got shapley, with"):
        shared(model, parts, "shapley")


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_subsets_as_cases_say_what_one_sweep_says(seed: int) -> None:
    model, parts, _ = possible_case(seed)
    swept = shared(model, parts, "shapley")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shapley, "FEW_COMPONENTS", 0)
        # No sweep is within reach now.
        patch.setattr(shapley, "MOST_COMPONENTS", 0)
        found = shared(model, parts)
    assert found.method == "shapley"
    for one in ("before", "after", "contribution", "alone", "in_context"):
        np.testing.assert_allclose(getattr(found, one), getattr(swept, one), rtol=0, atol=1e-8)


def test_method_that_is_no_way_is_not_taken_silently() -> None:
    model, parts = random_parts(11, inside=False)
    with pytest.raises(BayesdxError, match="shapley_absent_in_order or path, got 'banzhaf'"):
        shared(model, parts, "banzhaf")
