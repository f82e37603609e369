"""The operator against its slow twin, its transposes, and the likelihood it stands for."""

import itertools

import numpy as np
import pytest
from slow_twin import act_slowly, finding_axis

from bayesdx.inference.noisy.operator import (
    Action,
    AxisEffect,
    act,
    act_transposed,
    apply_cause,
    closed,
    closed_transposed,
    in_sequence,
    opened,
    opening_of_finding,
    pull_active,
    start_of_finding,
    weighed,
)
from bayesdx.network import NoisyOrCPD

CAUSES = ("a", "b", "c", "d")
EXACT = {"rtol": 0.0, "atol": 1e-14}


def random_effect(rng: np.random.Generator, *shape: int) -> AxisEffect:
    return AxisEffect(*(rng.random(shape) for _ in range(5)))


def matrix(effect: AxisEffect, size: int) -> np.ndarray:
    """What an effect does to each component, (size, size)."""
    columns = np.eye(size)
    act(columns, 0, effect)
    return columns


@pytest.mark.parametrize("seen", [0.0, 0.3, 0.5, 0.8, 1.0])
@pytest.mark.parametrize("leak", [0.0, 0.2, 1.0])
def test_components_add_up_to_the_likelihood(seen: float, leak: float) -> None:
    z, h = np.array([0.7, 1.0]), np.array([0.4, 0.0])
    axis = finding_axis(NoisyOrCPD("f", CAUSES[:2], z, leak, CAUSES[2:], h), seen)
    for active in itertools.product((False, True), repeat=4):
        frontier = {(s,): value for s, value in enumerate(axis.start)}
        start = start_of_finding(opening_of_finding(np.array(leak), inhibited=True), seen)
        fast = np.array([1.0, *start])[:, None]
        for cause, is_active in zip(CAUSES, active, strict=True):
            if not is_active:
                continue
            frontier = act_slowly(frontier, 0, axis, cause)
            strength = dict(zip(CAUSES, z, strict=False)).get(cause, 0.0)
            factor = dict(zip(CAUSES[2:], h, strict=True)).get(cause, 1.0)
            keep = 1.0 - strength
            act(fast, 0, AxisEffect(seen * strength, keep, factor * keep, 1.0 - factor, keep))
        spared = np.prod(np.where(active[:2], 1.0 - z, 1.0))
        lowered = np.prod(np.where(active[2:], h, 1.0))
        likelihood = seen + (1.0 - 2.0 * seen) * spared * (1.0 - leak * lowered)
        assert frontier[1,] + frontier.get((2,), 0.0) == pytest.approx(likelihood, abs=1e-14)
        assert closed(fast, 0, is_risk=False)[0] == pytest.approx(likelihood, abs=1e-14)


@pytest.mark.parametrize("size", [2, 3, 4])
@pytest.mark.parametrize("position", [0, 1, 2])
def test_the_transpose_is_one(size: int, position: int) -> None:
    rng = np.random.default_rng(size)
    shape = [3, 2, 3, 5]
    shape[position] = size
    effect = random_effect(rng, 5)
    x, g = rng.random(shape), rng.random(shape)
    acted, pulled = x.copy(), g.copy()
    act(acted, position, effect)
    act_transposed(pulled, position, effect)
    np.testing.assert_allclose((acted * g).sum(), (x * pulled).sum(), rtol=1e-13)


@pytest.mark.parametrize("size", [2, 3, 4])
def test_effects_of_one_axis_are_weighed_and_follow_each_other(size: int) -> None:
    rng = np.random.default_rng(7)
    one = weighed(random_effect(rng, 1), rng.random(1), rng.random(1))
    pure = random_effect(rng, 1)
    other = weighed(pure, 0.3, 0.6)
    np.testing.assert_allclose(
        matrix(other, size), 0.3 * matrix(pure, size) + 0.6 * np.eye(size), **EXACT
    )
    np.testing.assert_allclose(
        matrix(in_sequence(one, other), size), matrix(other, size) @ matrix(one, size), **EXACT
    )
    turned = np.eye(size)
    act_transposed(turned, 0, one)
    np.testing.assert_allclose(turned, matrix(one, size).T, **EXACT)


def test_a_cause_is_its_two_worlds_weighed() -> None:
    rng = np.random.default_rng(3)
    frontier, adjoint = rng.random((2, 4, 3, 6)), rng.random((2, 4, 3, 6))
    effects = ((0, random_effect(rng, 6)), (1, random_effect(rng, 6)))
    # A risk's states carry their own weights.
    active, inactive = rng.random((3, 6)), rng.random((3, 6))
    acted = frontier.copy()
    for position, effect in effects:
        act(acted, position, effect)
    action = Action(effects, active, inactive)
    after = apply_cause(frontier, action)
    np.testing.assert_allclose(after, active * acted + inactive * frontier, **EXACT)
    pulled = pull_active(adjoint, action)
    np.testing.assert_allclose((adjoint * acted).sum(), (pulled * frontier).sum(), rtol=1e-13)
    bare = Action((), active, inactive)
    np.testing.assert_allclose(apply_cause(frontier, bare), frontier * (active + inactive), **EXACT)
    assert pull_active(adjoint, bare) is adjoint


@pytest.mark.parametrize(("size", "is_risk"), [(2, False), (3, False), (4, False), (5, True)])
def test_opening_and_closing_an_axis(size: int, is_risk: bool) -> None:
    rng = np.random.default_rng(size)
    frontier, start = rng.random((2, 3, 4)), rng.random((size, 4))
    wide = opened(frontier, start)
    assert wide.shape == (size, 2, 3, 4)
    np.testing.assert_array_equal(wide[1], start[1] * frontier)
    kept = range(size) if is_risk else [1, 2][: size - 1]
    summed = closed(wide, 0, is_risk=is_risk)
    np.testing.assert_allclose(summed, sum(start[s] for s in kept) * frontier, **EXACT)
    adjoint = rng.random(frontier.shape)
    spread = closed_transposed(adjoint, 0, size, is_risk=is_risk)
    np.testing.assert_allclose((summed * adjoint).sum(), (wide * spread).sum(), rtol=1e-13)
