"""The shortest move is what a general optimiser finds, and contradictions are found with cause."""

import numpy as np
import pytest
from scipy.optimize import linprog, minimize

from bayesdx.building.least_move import least_move

FREE = np.full(2, np.inf)


@pytest.mark.parametrize("seed", range(60))
def test_least_move_is_that_of_a_general_optimiser(seed: int) -> None:
    rng = np.random.default_rng(seed)
    columns, rows = int(rng.integers(1, 8)), int(rng.integers(1, 6))
    matrix, bound = rng.normal(size=(rows, columns)), rng.normal(size=rows)
    low, high = -2.0 * rng.random(columns), 2.0 * rng.random(columns)
    ours = least_move(matrix, bound, low, high)
    limits = list(zip(low, high, strict=True))
    feasible = linprog(np.zeros(columns), A_ub=-matrix, b_ub=-bound, bounds=limits).status == 0
    assert ours.possible == feasible
    if feasible:
        right = minimize(
            lambda z: z @ z,
            np.zeros(columns),
            jac=lambda z: 2.0 * z,
            bounds=limits,
            constraints={"type": "ineq", "fun": lambda z: matrix @ z - bound},
            method="SLSQP",
            options={"ftol": 1e-14, "maxiter": 500},
        )
        np.testing.assert_allclose(ours.z, right.x, atol=1e-6)


def test_nothing_moves_when_nothing_is_missed() -> None:
    move = least_move(np.array([[1.0, 0.0]]), np.array([-0.5]), -FREE, FREE)
    assert move.possible
    assert not move.z.any()


def test_a_limit_that_is_met_is_named() -> None:
    move = least_move(np.array([[1.0, 1.0]]), np.array([3.0]), -FREE, np.array([1.0, np.inf]))
    np.testing.assert_allclose(move.z, [1.0, 2.0], atol=1e-12)
    assert move.limits.tolist() == [0]


def test_a_contradiction_weighs_only_what_contradicts() -> None:
    matrix = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]])
    move = least_move(matrix, np.array([1.0, 0.0, 1.0]), -FREE, FREE)
    assert not move.possible
    assert (move.weight[:2] > 0.0).all()
    assert move.weight[2] == pytest.approx(0.0, abs=1e-9)


def test_a_range_can_be_what_contradicts() -> None:
    move = least_move(np.array([[1.0, 0.0]]), np.array([2.0]), -FREE, np.array([1.0, 1.0]))
    assert not move.possible
    assert move.limits.tolist() == [0]
