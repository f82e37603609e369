"""Uphill to the mode of a smooth function, never down: L-BFGS with a curvature made anew.

At every point the information of the cases and of what was stated stands in for the curvature
(Berndt, Hall, Hall and Hausman 1974); what it misses is learned from how the slope changed on the
way (L-BFGS, Nocedal 1980, begun at that curvature). A step is halved until the function has risen
enough (Armijo).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from bayesdx.inference.noisy.model import FloatArray

#: A gain below this, in nats, expected or made, is the last.
ENOUGH = 1e-4
#: Nats to be gained beyond a kink, by the slope, that leave a mode one.
_LITTLE = 1.0
#: No number moves further in one step, in log-odds.
_FURTHEST = 2.0
_MEMORY, _MOST_STEPS, _HALVINGS = 12, 60, 12
_ARMIJO = 1e-4


@dataclass(frozen=True, eq=False)
class Terrain:
    """A function around a point.

    Attributes
    ----------
    value : float
    gradient : array (J,)
    curvature : array (J, J)
        About minus the second derivatives; positive definite.
    """

    value: float
    gradient: FloatArray
    curvature: FloatArray


#: Value of a point, ``-inf`` where it is not possible; the function around one that is.
Value = Callable[[FloatArray], float]
Look = Callable[[FloatArray], Terrain]


@dataclass(frozen=True, eq=False)
class Ascent:
    """The way up.

    Attributes
    ----------
    point : array (J,)
    values : tuple of float
        Of the function at the start and after every step; never falls.
    arrived : bool
        Whether nothing is left to gain; otherwise steps ran out, or led nowhere.
    """

    point: FloatArray
    values: tuple[float, ...]
    arrived: bool


def climb(value: Value, look: Look, start: FloatArray, terrain: Terrain) -> Ascent:
    """Find the mode of a function.

    Parameters
    ----------
    value, look : callables
        Of the function; it is looked around where a step ends.
    start : array (J,)
        A possible point.
    terrain : Terrain
        There.

    Returns
    -------
    Ascent

    Raises
    ------
    ValueError
        If the start is not possible.
    """
    point, here = start.copy(), terrain
    if not np.isfinite(here.value):
        raise ValueError("start: expected a possible point, got one that is not.")
    values = [here.value]
    pairs: list[tuple[FloatArray, FloatArray]] = []
    for _ in range(_MOST_STEPS):
        factor = linalg.cho_factor(here.curvature, lower=True)
        if 0.5 * float(here.gradient @ linalg.cho_solve(factor, here.gradient)) < ENOUGH:
            return Ascent(point, tuple(values), True)
        step = _two_loops(here.gradient, pairs, factor)
        step *= min(1.0, _FURTHEST / max(float(np.abs(step).max()), 1e-300))
        rise = float(step @ here.gradient)
        length = _length(value, point, here.value, step, rise)
        if length == 0.0:
            # Nothing higher lies this way: the fit has kinks, where a leak reaches its floor. A
            # mode at one has little to gain beyond.
            return Ascent(point, tuple(values), bool(pairs) and rise < _LITTLE)
        new = point + length * step
        there = look(new)
        moved, change = length * step, here.gradient - there.gradient
        if float(moved @ change) > 1e-12 * float(moved @ here.curvature @ moved):
            pairs = [*pairs[1 - _MEMORY :], (moved, change)]
        values.append(there.value)
        point, here = new, there
        if values[-1] - values[-2] < ENOUGH:
            return Ascent(point, tuple(values), True)
    return Ascent(point, tuple(values), False)


def _length(value: Value, point: FloatArray, here: float, step: FloatArray, rise: float) -> float:
    length = 1.0
    for _ in range(_HALVINGS):
        gain = value(point + length * step) - here
        if gain >= _ARMIJO * length * rise:
            return length
        # To the top of the parabola through what is known, but neither hardly nor far back.
        fall = length * rise - gain
        top = 0.5 * length * rise / fall if np.isfinite(fall) else 0.5
        length *= min(max(top, 0.1), 0.5)
    return 0.0


def _two_loops(
    slope: FloatArray,
    pairs: list[tuple[FloatArray, FloatArray]],
    factor: tuple[FloatArray, bool],
) -> FloatArray:
    """Inverse curvature times a slope, by the curvature's factor and what was learned since."""
    direction, shares = slope.copy(), []
    for moved, change in reversed(pairs):
        share = float(moved @ direction) / float(moved @ change)
        direction = direction - share * change
        shares.append(share)
    direction = linalg.cho_solve(factor, direction)
    for (moved, change), share in zip(pairs, reversed(shares), strict=True):
        back = float(change @ direction) / float(moved @ change)
        direction = direction + (share - back) * moved
    return np.asarray(direction)
