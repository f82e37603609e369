"""The way up to a mode."""

from __future__ import annotations

import numpy as np

from bayesdx.diagnosis.learning.ascent import Ascent, Terrain, climb
from bayesdx.inference.noisy.model import FloatArray

CURVATURE = np.array([[100.0, 10.0], [10.0, 50.0]])
MODE = np.array([1.0, -0.5])


def way_up(furthest: float) -> Ascent:
    """To the mode of a parabola of which nothing is possible beyond a first coordinate."""

    def value(point: FloatArray) -> float:
        away = point - MODE
        return -np.inf if point[0] > furthest else float(-0.5 * away @ CURVATURE @ away)

    def look(point: FloatArray) -> Terrain:
        return Terrain(value(point), CURVATURE @ (MODE - point), CURVATURE)

    start = np.zeros(2)
    return climb(value, look, start, look(start))


def test_the_mode_is_found() -> None:
    found = way_up(furthest=2.0)
    assert found.arrived
    np.testing.assert_allclose(found.point, MODE, atol=1e-3)


def test_a_wall_before_the_mode_is_told() -> None:
    """Where it stops the slope promises some 30 nats more; it never goes down on the way."""
    found = way_up(furthest=0.2)
    assert not found.arrived
    assert 0.15 < found.point[0] <= 0.2
    assert (np.diff(found.values) > 0.0).all()
