"""What one cause does to one axis of a frontier, and the transpose of it.

A frontier sums causes out one at a time while it keeps apart what they are coupled by: an array
with an axis for every open finding and every open unknown risk. The likelihood of what was seen of
a finding, given which causes are active, is ::

    l1 + (l0 - l1) Q (1 - leak H)      Q = product of (1 - z),  H = product of h

over the links z and the inhibitors h of the active causes, l1 and l0 the likelihoods of what was
seen if the finding is present or absent. It is built up in the components of an axis ::

       finding, open             inhibited finding, open             unknown risk, open
    x0 ---------- 1 -> x0     x0 ---------------- 1 -> x0         one component a state: a cause
      `--- gain --.             `------- gain ----.               leaves them alone, its prior
    x1 --- keep --+--> x1     x1 ------- keep ----+--> x1         varies along them
                              x2 ---- leak_keep --+--> x2
    opens with (1, start),      .--- leak_gain ---'               opens with the prior of its
    closes with x1            x3 ------- hold -------> x3         states, closes with their sum
                              closes with x1 + x2

x0 stands for "nothing is asked of the finding" and is 1 times what the other axes say; x1 is the
likelihood so far. x2 is the part owed to the leak or, for soft evidence that leans to absent, to
its being suppressed; x3 feeds the latter. A link gives ``gain = l1 z``, ``keep = 1 - z``; an
inhibitor ``leak_keep = h (1 - z)``, ``leak_gain = 1 - h``, ``hold = keep``. All components and
coefficients are at least 0, only sums of products of them are taken, and so no digits are lost
however many findings are present: the instability of inclusion and exclusion (Heckerman 1989) does
not arise.

A cause that may be active or not, with weights a and b, maps x to ``a E x + b x``. On one axis that
is an effect of the same form (`weighed`), and so are two effects in a row (`in_sequence`), which is
how causes that act on one axis alone are summed out before there is a frontier.

The executors know no inhibitors: they read what an axis opens with (`Axes.opening`) and the four
coefficients of a link (`Axes.links`). A second kind of inhibitor of the leak touches eight
files: `network.cpds` (`Mechanism`, which the general engine and `compiling` read); `fitting` and
`assembly` of `building` (the leak that gives the stated prevalence); and here `axes` and this
module (opening, coefficients, what "absent" multiplies), `lane_case` (the same over draws),
`sampling` (its mechanism) and `posterior_bounds` (its extremes).

Arrays have the batch (cases, lanes or columns) as their last axis; coefficients are numbers, or
arrays that broadcast against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import EllipsisType
from typing import NamedTuple

import numpy as np

from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray
from bayesdx.inference.noisy.model import GAIN, KEEP, LEAK_GAIN, LEAK_KEEP, Axes

Coefficient = FloatArray | float

#: In place of "leaves nothing": what is pulled back through a certain link can be divided by it.
LEAST_KEPT = 1e-150


class AxisEffect(NamedTuple):
    """Coefficients of an active cause on one axis; see the module's picture.

    Attributes
    ----------
    gain, keep : arrays or floats
    leak_keep, leak_gain, hold : arrays or floats
        Of components 2 and 3, where an axis has them.
    base : array or float, optional
        What is left of component 0; only `weighed` makes it other than 1.
    """

    gain: Coefficient
    keep: Coefficient
    leak_keep: Coefficient = 1.0
    leak_gain: Coefficient = 0.0
    hold: Coefficient = 1.0
    base: Coefficient | None = None


def effect_of(
    axes: Axes, axis: IntArray | np.intp, cause: IntArray, present: FloatArray
) -> AxisEffect:
    """Return the effects of causes on axes; ``present`` is the likelihood l1, by which gains go."""
    links = axes.links[axis, cause]
    return AxisEffect(
        gain=links[..., GAIN] * present,
        keep=links[..., KEEP],
        leak_keep=links[..., LEAK_KEEP],
        leak_gain=links[..., LEAK_GAIN],
        hold=links[..., KEEP],
    )


def opening_of_finding(leak: FloatArray, inhibited: BoolArray | bool) -> FloatArray:
    """Return what components 1 to 3 of a finding's axis are made of before any cause acts.

    The likelihood l1 + (l0 - l1) Q (1 - leak H) is split so that no term is negative: leaning to
    present, l1 + (l0 - l1) Q and (l1 - l0) Q leak H; leaning to absent, l1 + (l0 - l1) (1 - leak) Q
    and (l0 - l1) Q leak (1 - H), the latter fed by (l0 - l1) Q leak.

    Parameters
    ----------
    leak : array (...)
    inhibited : bool array (...) or bool
        Whether inhibitors act on the leak within the axis.

    Returns
    -------
    array (..., 2, 3, 3)
        Leaning to absent and to present; component; factors of l0, l1 and of their distance.
    """
    opening, inside = np.zeros((*leak.shape, 2, 3, 3)), np.where(inhibited, leak, 0.0)
    absent, present = opening[..., 0, :, :], opening[..., 1, :, :]
    absent[..., 0, 0], absent[..., 0, 1], absent[..., 2, 2] = 1.0 - leak, leak, inside
    present[..., 0, 0] = np.where(inhibited, 1.0, 1.0 - leak)
    present[..., 0, 1] = np.where(inhibited, 0.0, leak)
    present[..., 1, 2] = inside
    return opening


def start_of_finding(opening: FloatArray, present: Coefficient) -> FloatArray:
    """Return components 1 to 3, (..., 3), for likelihoods l1 of "present"; l0 = 1 - l1."""
    l1 = np.asarray(present)
    l0 = 1.0 - l1
    own = np.where((l1 >= l0)[..., None, None], opening[..., 1, :, :], opening[..., 0, :, :])
    l0, l1, distance = (one[..., None] for one in (l0, l1, np.abs(l1 - l0)))
    result: FloatArray = own[..., 0] * l0 + own[..., 1] * l1 + own[..., 2] * distance
    return result


@dataclass(frozen=True, eq=False)
class Action:
    """What a cause that may be active does to a frontier.

    Attributes
    ----------
    effects : tuple of (position, AxisEffect)
        The axes that it acts on.
    active, inactive : arrays
        Weights of the cause being present and absent; they broadcast against the frontier.
    """

    effects: tuple[tuple[int, AxisEffect], ...]
    active: FloatArray
    inactive: FloatArray


def component(position: int, value: int) -> tuple[slice | int | EllipsisType, ...]:
    """Index of one component of one axis: a view, even of an array with no other axis."""
    return (*(slice(None),) * position, value, ...)


def act(array: FloatArray, position: int, effect: AxisEffect) -> None:
    """Let an active cause act on the axis at ``position``, in place."""
    none, some = array[component(position, 0)], array[component(position, 1)]
    some *= effect.keep
    some += effect.gain * none
    if array.shape[position] > 2:
        leak = array[component(position, 2)]
        leak *= effect.leak_keep
    if array.shape[position] > 3:
        source = array[component(position, 3)]
        leak += effect.leak_gain * source
        source *= effect.hold
    if effect.base is not None:
        none *= effect.base


def act_transposed(adjoint: FloatArray, position: int, effect: AxisEffect) -> None:
    """Pull an adjoint back through `act`, in place."""
    none, some = adjoint[component(position, 0)], adjoint[component(position, 1)]
    if effect.base is not None:
        none *= effect.base
    none += effect.gain * some
    some *= effect.keep
    if adjoint.shape[position] > 3:
        source = adjoint[component(position, 3)]
        source *= effect.hold
        source += effect.leak_gain * adjoint[component(position, 2)]
    if adjoint.shape[position] > 2:
        leak = adjoint[component(position, 2)]
        leak *= effect.leak_keep


def floored(effect: AxisEffect) -> AxisEffect:
    """Return an effect that leaves a little of everything."""
    keep = np.maximum(effect.keep, LEAST_KEPT)
    factor = np.maximum(1.0 - effect.leak_gain, LEAST_KEPT)
    return effect._replace(keep=keep, leak_keep=factor * keep, hold=keep)


def weighed(effect: AxisEffect, active: Coefficient, inactive: Coefficient) -> AxisEffect:
    """Return what a cause does that is active with weight ``active``, else does nothing."""
    gain, keep, leak_keep, leak_gain, hold, base = effect
    return AxisEffect(
        gain=active * gain,
        keep=inactive + active * keep,
        leak_keep=inactive + active * leak_keep,
        leak_gain=active * leak_gain,
        hold=inactive + active * hold,
        base=inactive + active * (1.0 if base is None else base),
    )


def in_sequence(first: AxisEffect, then: AxisEffect) -> AxisEffect:
    """Return what two effects on one axis do, one after the other."""
    base, base_then = (1.0 if one.base is None else one.base for one in (first, then))
    return AxisEffect(
        gain=then.keep * first.gain + then.gain * base,
        keep=then.keep * first.keep,
        leak_keep=then.leak_keep * first.leak_keep,
        leak_gain=then.leak_keep * first.leak_gain + then.leak_gain * first.hold,
        hold=then.hold * first.hold,
        base=base_then * base,
    )


def apply_cause(frontier: FloatArray, action: Action) -> FloatArray:
    """Return the frontier after the cause: active and inactive, weighed."""
    if not action.effects:
        result: FloatArray = frontier * (action.active + action.inactive)
        return result
    after = frontier * action.active
    for position, effect in action.effects:
        act(after, position, effect)
    after += frontier * action.inactive
    return after


def pull_active(adjoint: FloatArray, action: Action) -> FloatArray:
    """Pull an adjoint back through what an active cause does to the axes."""
    if not action.effects:
        return adjoint
    pulled = adjoint.copy()
    for position, effect in action.effects:
        act_transposed(pulled, position, effect)
    return pulled


def opened(frontier: FloatArray, start: FloatArray) -> FloatArray:
    """Open an axis in front of the others: the frontier times each component of ``start`` (S, N).

    The transpose, of adjoint g: the frontier gets the sum of ``start * g`` over the new axis, the
    start the sum of ``frontier * g`` over all others.
    """
    shape = (len(start), *(1,) * (frontier.ndim - 1), start.shape[-1])
    result: FloatArray = start.reshape(shape) * frontier
    return result


def closed(frontier: FloatArray, position: int, *, is_risk: bool) -> FloatArray:
    """Sum an axis out: the states of a risk; of a finding, its likelihood."""
    if is_risk:
        return sum_axis(frontier, position)
    likelihood: FloatArray = frontier[component(position, 1)]
    if frontier.shape[position] > 2:
        likelihood = likelihood + frontier[component(position, 2)]
    return likelihood


def closed_transposed(
    adjoint: FloatArray, position: int, size: int, *, is_risk: bool
) -> FloatArray:
    """Pull an adjoint back through `closed`; ``size`` is that of the axis."""
    spread = np.zeros((*adjoint.shape[:position], size, *adjoint.shape[position:]))
    for value in range(size) if is_risk else range(1, min(size, 3)):
        spread[component(position, value)] = adjoint
    return spread


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
