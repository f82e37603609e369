"""Derivatives of log P(evidence) by what active causes do to axes, noted while a sweep goes back.

On the way back the adjoint is pulled through every effect of a cause at once. What one of them does
is undone by dividing by what it keeps, which is why effects are `operator.floored` here: with x the
components before the cause and p what was pulled through it, the derivative by its gain on an axis
is a x0 p1 / keep, that by keep a x1 p1 / keep, and so on for the components of a leak.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesdx.inference.arrays import FloatArray, IntArray
from bayesdx.inference.noisy.operator import AxisEffect, Coefficient, component, dot

if TYPE_CHECKING:
    from bayesdx.inference.noisy.lockstep.workspace import Shares

Noted = tuple[IntArray, IntArray, IntArray, FloatArray]


class AxisScores:
    """What a sweep over N cases leaves behind for derivatives.

    Attributes
    ----------
    shares : Shares
        Of the sweep, when it is done.
    """

    def __init__(self) -> None:
        self.shares: Shares | None = None
        self._noted: list[Noted] = []

    def note(self, rows: IntArray, slots: IntArray, causes: IntArray, values: FloatArray) -> None:
        """Note derivatives (4, M) by `Axes.links` of M links: cases, their slots, causes."""
        self._noted.append((rows, slots, causes, values))

    def collected(self) -> Noted:
        """Return all that was noted: rows, slots and causes (M,), derivatives (4, M)."""
        none = np.zeros(0, dtype=np.intp)
        noted = [(none, none, none, np.zeros((4, 0))), *self._noted]
        rows, slots, causes, values = zip(*noted, strict=True)
        return (
            np.concatenate(rows),
            np.concatenate(slots),
            np.concatenate(causes),
            np.concatenate(values, axis=1),
        )


def by_components(
    before: FloatArray, adjoint: FloatArray, share: Coefficient, weight: Coefficient
) -> FloatArray:
    """Differentiate by the effect of a cause on vectors of one axis.

    Parameters
    ----------
    before, adjoint : arrays (2 or 4, M)
        Components before the cause, and their derivatives behind it.
    share : array (M,)
        Likelihood of "present", by which gains go.
    weight : array (M,)
        Of the cause being active.

    Returns
    -------
    array (4, M)
        By gain, keep (and hold, which is the same number), leak_keep and leak_gain.
    """
    result = np.zeros((4, before.shape[1]))
    result[0] = share * before[0] * adjoint[1]
    result[1] = before[1] * adjoint[1]
    if len(before) > 2:
        result[2] = before[2] * adjoint[2]
    if len(before) > 3:
        result[1] += before[3] * adjoint[3]
        result[3] = before[3] * adjoint[2]
    result *= weight
    return result


def by_pulled(
    before: FloatArray,
    pulled: FloatArray,
    position: int,
    effect: AxisEffect,
    share: FloatArray,
    active: FloatArray,
    first: IntArray,
) -> FloatArray:
    """Differentiate by the effect on the axis at ``position`` of a block of cases.

    Parameters
    ----------
    before, pulled : arrays (..., R)
        Components before the cause, and the adjoint pulled back through all its effects.
    position : int
    effect : AxisEffect
        That on the axis, floored, numbers (m,).
    share : array (m,)
    active : array (R,)
        Weight of the cause being active.
    first : int array (m,)
        Where the components of each case begin.

    Returns
    -------
    array (4, m)
        As by `by_components`.
    """

    def summed(old: int, new: int) -> FloatArray:
        terms = dot(before[component(position, old)], pulled[component(position, new)])
        result: FloatArray = np.add.reduceat(active * terms, first)
        return result

    # A floored keep squared is beyond the range of floats: it is divided by once at a time.
    result = np.zeros((4, len(first)))
    result[0] = share * summed(0, 1) / effect.keep
    result[1] = summed(1, 1) / effect.keep
    if before.shape[position] > 2:
        result[2] = summed(2, 2) / effect.leak_keep
    if before.shape[position] > 3:
        result[3] = summed(3, 2) / effect.leak_keep
        result[1] += (summed(3, 3) - effect.leak_gain * result[3]) / effect.hold
    return result
