"""Uphill to the mode of a smooth function, never down: L-BFGS in coordinates that are alike.

The curvature at the start, information of the cases and of what was stated, makes the coordinates
(Nocedal 1980 with a scaled start); a step is halved until the function has risen enough (Armijo).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from bayesdx.inference.noisy.model import FloatArray

#: Value of a point, ``-inf`` where it is not possible; derivatives (J,) of one that is.
Value = Callable[[FloatArray], float]
Slope = Callable[[FloatArray], FloatArray]
#: A gain below this, in nats, expected or made, is the last.
ENOUGH = 1e-4
#: No number moves further in one step, in log-odds.
_FURTHEST = 2.0
_MEMORY, _MOST_STEPS, _HALVINGS = 12, 60, 12
_ARMIJO = 1e-4


@dataclass(frozen=True, eq=False)
class Ascent:
    """The way up.

    Attributes
    ----------
    point : array (J,)
    values : tuple of float
        Of the function at the start and after every step; never falls.
    arrived : bool
        Whether nothing is left to gain; otherwise steps ran out.
    """

    point: FloatArray
    values: tuple[float, ...]
    arrived: bool


def climb(value: Value, slope: Slope, start: FloatArray, curvature: FloatArray) -> Ascent:
    """Find the mode of a function.

    Parameters
    ----------
    value, slope : callables
        Of the function; the slope is asked where a step ends.
    start : array (J,)
        A possible point.
    curvature : array (J, J)
        About minus the second derivatives there; positive definite.

    Returns
    -------
    Ascent

    Raises
    ------
    ValueError
        If the start is not possible.
    """
    factor = linalg.cholesky(curvature, lower=True)
    point, here = start.copy(), value(start)
    if not np.isfinite(here):
        raise ValueError("start: expected a possible point, got one that is not.")
    values, uphill = [here], slope(point)
    pairs: list[tuple[FloatArray, FloatArray]] = []
    for _ in range(_MOST_STEPS):
        white = linalg.solve_triangular(factor, uphill, lower=True)
        if 0.5 * float(white @ white) < ENOUGH:
            return Ascent(point, tuple(values), True)
        step = linalg.solve_triangular(factor, _two_loops(white, pairs), lower=True, trans="T")
        step *= min(1.0, _FURTHEST / max(float(np.abs(step).max()), 1e-300))
        length = _length(value, point, values[-1], step, float(step @ uphill))
        if length == 0.0:
            # The fit has kinks, where a leak reaches its floor: nothing higher lies this way.
            return Ascent(point, tuple(values), bool(pairs))
        new = point + length * step
        values.append(value(new))
        new_uphill = slope(new)
        moved = factor.T @ (length * step)
        change = white - linalg.solve_triangular(factor, new_uphill, lower=True)
        if float(moved @ change) > 1e-12 * float(moved @ moved):
            pairs = [*pairs[1 - _MEMORY :], (moved, change)]
        point, uphill = new, new_uphill
        if values[-1] - values[-2] < ENOUGH:
            return Ascent(point, tuple(values), True)
    return Ascent(point, tuple(values), False)


def _length(value: Value, point: FloatArray, here: float, step: FloatArray, rise: float) -> float:
    length = 1.0
    for _ in range(_HALVINGS):
        if value(point + length * step) >= here + _ARMIJO * length * rise:
            return length
        length /= 2.0
    return 0.0


def _two_loops(slope: FloatArray, pairs: list[tuple[FloatArray, FloatArray]]) -> FloatArray:
    direction, shares = slope.copy(), []
    for moved, change in reversed(pairs):
        share = float(moved @ direction) / float(moved @ change)
        direction = direction - share * change
        shares.append(share)
    if pairs:
        moved, change = pairs[-1]
        direction = direction * (float(moved @ change) / float(change @ change))
    for (moved, change), share in zip(pairs, reversed(shares), strict=True):
        back = float(change @ direction) / float(moved @ change)
        direction = direction + (share - back) * moved
    return direction
