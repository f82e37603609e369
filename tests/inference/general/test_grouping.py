"""Which rows are the same, and which observe the same; what a sample tells against all rows."""

from __future__ import annotations

import numpy as np
import pytest
from agrum_networks import example

from bayesdx.inference.general import case_roads
from bayesdx.inference.general.case_roads import SAMPLED, assignments
from bayesdx.inference.general.factors import factor_network
from bayesdx.inference.general.general_network import CompiledGeneral
from bayesdx.inference.general.grouping import seldom_repeated
from bayesdx.inference.general.plan_cache import PlanCache
from bayesdx.inference.general.tiles import CaseBatch

LIMIT = 2.0**31


@pytest.mark.parametrize("neighbours", [True, False])
def test_rows_that_repeat_are_seen_wherever_they_are(neighbours: bool) -> None:
    """A tenth of the rows comes twice, side by side or far apart; or none does."""
    rng = np.random.default_rng(0)
    rows = rng.integers(-1, 3, (10_000, 40))
    assert seldom_repeated(rows, {})
    copies = np.arange(0, 2_000, 2)
    rows[copies + (1 if neighbours else 8_000)] = rows[copies]
    assert not seldom_repeated(rows, {})
    # Rows that are the same where soft evidence is not are no repeats.
    assert seldom_repeated(rows, {0: rng.random((3, 10_000))})


def test_of_few_rows_each_is_looked_at() -> None:
    rows = np.arange(100).reshape(50, 2)
    assert not seldom_repeated(rows, {})


@pytest.mark.parametrize("n", [1, 5, SAMPLED, SAMPLED + 1, 1_000])
def test_what_a_sample_says_of_the_variables_is_true_of_all_rows(n: int) -> None:
    """Variables that all rows observe, or none, or one row only, which a sample may not hold."""
    rng = np.random.default_rng(n)
    states = np.where(rng.random((12, n)) < 0.5, 1, -1)
    states[0], states[1], states[2], states[3] = 0, -1, -1, 0
    states[2, n // 3], states[3, n // 3] = 0, -1
    in_all, in_any = case_roads._observed(states)
    np.testing.assert_array_equal(in_all, (states >= 0).all(axis=1))
    np.testing.assert_array_equal(in_any, (states >= 0).any(axis=1))


@pytest.mark.parametrize("kinds", [1, 3, 400])
def test_every_row_has_one_plan_that_observes_what_it_does(kinds: int) -> None:
    network, _ = example("asia")
    problem = factor_network(network)
    rng = np.random.default_rng(kinds)
    seen = (rng.random((kinds, problem.n_named)) < 0.5)[rng.integers(0, kinds, 400)]
    cases = CaseBatch(np.where(seen, 0, -1).T.copy(), {})
    plans, every = PlanCache(problem, LIMIT), frozenset(range(problem.n_named))
    found = [assignments(plans, cases, every) for _ in range(5)][-1]
    rows = np.concatenate([rows for _, rows in found])
    np.testing.assert_array_equal(np.sort(rows), np.arange(400))
    for runner, rows in found:
        sliced = set(runner.plan.sliced) if runner is not None else set()
        assert all(sliced <= cases.observed(row) for row in rows.tolist())


def test_rows_that_repeat_are_answered_like_rows_that_do_not() -> None:
    network, _ = example("asia")
    rng = np.random.default_rng(3)
    states = rng.integers(-1, 2, (300, len(network.variables)))
    plain = CompiledGeneral(network, LIMIT, "numpy")
    once = [plain.query(row[None]).values[:, 0] for row in states]
    found = plain.query(np.repeat(states, 3, axis=0)).values
    np.testing.assert_allclose(found[:, ::3].T, once, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(found[:, ::3], found[:, 1::3])
