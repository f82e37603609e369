"""Applying a cause to frontiers: dense arithmetic on arrays whose last axis is the batch.

A frontier is an array ``(2, …, R)``: one axis for each finding that the cause acts on; the last one
runs over the cases and, for each, over the joint components of all other open axes, as many as the
case has. Component 0 of an evidence axis is "the finding is marginalised", component 1 its
likelihood so far. Findings with inhibitors have up to four: component 2 is the part owed to the
leak or, for soft evidence that leans to absent, to its being suppressed, and component 3 feeds the
latter. An active cause maps a component to a share of itself plus a gain from another: only sums
of non-negative numbers, so no digits are lost however many findings are present (the instability
of inclusion-exclusion, Heckerman 1989, does not arise). Risks are left alone, but the weights of
the cause vary along them.
"""

from __future__ import annotations

from dataclasses import dataclass

from bayesdx.inference.noisy.model import FloatArray


@dataclass(frozen=True, eq=False)
class Action:
    """How causes, one a case, act on a frontier.

    Attributes
    ----------
    keep, gain : arrays (T, R)
        Coefficients on component 1 of each of the T evidence axes.
    leak_keep, leak_gain : arrays (T, R) or (0, R)
        Factor of component 2 and its gain from component 3, for axes that have them.
    inactive, active : arrays (R,)
        Weights of the cause being absent or present.
    """

    keep: FloatArray
    gain: FloatArray
    leak_keep: FloatArray
    leak_gain: FloatArray
    inactive: FloatArray
    active: FloatArray


def component(position: int, value: int) -> tuple[slice | int, ...]:
    """Index of one component of one axis."""
    return (slice(None),) * position + (value,)


def sum_axis(array: FloatArray, position: int) -> FloatArray:
    """Sum over one axis, one component after the other.

    NumPy's own sums may add in another order where the batch is one long, so that an answer would
    depend, in its last bit, on what it is computed with.
    """
    total: FloatArray = array[component(position, 0)]
    for value in range(1, array.shape[position]):
        total = total + array[component(position, value)]
    return total


def dot(one: FloatArray, other: FloatArray) -> FloatArray:
    """Sum of products over all axes but the last."""
    product: FloatArray = one * other
    while product.ndim > 1:
        product = sum_axis(product, 0)
    return product


def apply_cause(frontier: FloatArray, action: Action) -> FloatArray:
    """Return the frontier after the cause."""
    if not len(action.keep):
        result: FloatArray = frontier * (action.active + action.inactive)
        return result
    after = frontier * action.active
    for i in range(len(action.keep)):
        first = after[component(i, 1)]
        first *= action.keep[i]
        first += action.gain[i] * after[component(i, 0)]
        if after.shape[i] > 2:
            leak = after[component(i, 2)]
            leak *= action.leak_keep[i]
        if after.shape[i] > 3:
            source = after[component(i, 3)]
            leak += action.leak_gain[i] * source
            source *= action.keep[i]
    after += frontier * action.inactive
    return after


def pull_active(adjoint: FloatArray, action: Action) -> FloatArray:
    """Pull ``adjoint`` back through what an active cause does to the findings."""
    if not len(action.keep):
        return adjoint
    pulled = adjoint.copy()
    for i in range(len(action.keep)):
        first, base = pulled[component(i, 1)], pulled[component(i, 0)]
        base += action.gain[i] * first
        first *= action.keep[i]
        if pulled.shape[i] > 3:
            source = pulled[component(i, 3)]
            source *= action.keep[i]
            source += action.leak_gain[i] * pulled[component(i, 2)]
        if pulled.shape[i] > 2:
            leak = pulled[component(i, 2)]
            leak *= action.leak_keep[i]
    return pulled
