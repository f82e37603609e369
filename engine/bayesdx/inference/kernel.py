"""Applying causes to a frontier: dense arithmetic on arrays whose last axis is the batch.

A frontier is an array ``(4, …, 2, …, risks, rest, n)``: one axis for each finding that the causes
touch, one for all risks they depend on, one for everything else, and the cases. Component 0 of an
evidence axis is "the finding is marginalised", component 1 its likelihood so far. Axes of four
components serve findings with inhibitors: there component 2 is the part owed to the leak or, for
soft evidence that leans to absent, to its being suppressed, and component 3 feeds the latter. An
active cause maps a component to a share of itself plus a gain from another: only sums of
non-negative numbers, so no digits are lost however many findings are present (the
instability of inclusion-exclusion, Heckerman 1989, does not arise). Risks are left alone, but the
weights of the cause vary along them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdx.inference.model import FloatArray


@dataclass(frozen=True, eq=False)
class Group:
    """How M causes, applied one after the other, act on a frontier of n cases.

    Attributes
    ----------
    parts : tuple of slices
        Where the numbers of the m-th causes lie in the arrays below; they belong to the first
        cases of the block, fewer with every m.
    keep, gain : arrays (T, sum of n_m)
        Coefficients on component 1 of each of the T evidence axes.
    leak_keep, leak_gain : arrays (T, sum of n_m)
        Factor of component 2 and its gain from component 3, for axes of four components.
    inactive, active : arrays (risks, 1, sum of n_m)
        Weights of the cause being absent or present, with the absorbed evidence.
    """

    parts: tuple[slice, ...]
    keep: FloatArray
    gain: FloatArray
    leak_keep: FloatArray
    leak_gain: FloatArray
    inactive: FloatArray
    active: FloatArray


def component(position: int, value: int) -> tuple[slice | int, ...]:
    """Index of one component of one axis."""
    return (slice(None),) * position + (value,)


def apply_group(frontier: FloatArray, group: Group) -> list[FloatArray]:
    """Apply the causes of a group to ``frontier`` in place.

    Returns
    -------
    list of arrays (…, n_m)
        The frontier before each cause, for `apply_transposed`.
    """
    before = []
    for at in group.parts:
        part = frontier[..., : at.stop - at.start]
        before.append(part.copy())
        on = part * group.active[..., at]
        for i in range(len(group.keep)):
            first = on[component(i, 1)]
            first *= group.keep[i, at]
            first += group.gain[i, at] * on[component(i, 0)]
            if on.shape[i] > 2:
                leak, source = on[component(i, 2)], on[component(i, 3)]
                leak *= group.leak_keep[i, at]
                leak += group.leak_gain[i, at] * source
                source *= group.keep[i, at]
        part *= group.inactive[..., at]
        part += on
    return before


def apply_transposed(
    adjoint: FloatArray, before: list[FloatArray], group: Group
) -> list[FloatArray]:
    """Pull ``adjoint`` back through `apply_group`, in place.

    Returns
    -------
    list of arrays (n_m,)
        For each cause, P(cause present, evidence) summed over the frontier.
    """
    joint = []
    for at, state in zip(reversed(group.parts), reversed(before), strict=True):
        count = at.stop - at.start
        part = adjoint[..., :count]
        on = part * group.active[..., at]
        for i in range(len(group.keep)):
            first = on[component(i, 1)]
            base = on[component(i, 0)]
            base += group.gain[i, at] * first
            first *= group.keep[i, at]
            if on.shape[i] > 2:
                leak, source = on[component(i, 2)], on[component(i, 3)]
                source *= group.keep[i, at]
                source += group.leak_gain[i, at] * leak
                leak *= group.leak_keep[i, at]
        joint.append(np.einsum("ln,ln->n", on.reshape(-1, count), state.reshape(-1, count)))
        part *= group.inactive[..., at]
        part += on
    return joint[::-1]
