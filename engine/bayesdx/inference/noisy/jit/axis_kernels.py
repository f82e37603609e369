"""Elementary operations on a frontier; the only compiled code in which a cause acts on an axis.

An axis of evidence has up to four components (see `bayesdx.inference.noisy.operator` for what they
mean): an active cause leaves component 0 as it is, moves a share of it to component 1, and lowers
the leak, components 2 and 3. The frontier is a dense array over the open axes, the axis opened last
outermost. Functions whose names begin with ``un`` are the transposes, for the way back.
"""

from __future__ import annotations

from typing import NamedTuple

from bayesdx.inference.noisy.jit.memory import AXIS, BY_ABSENT, BY_PRESENT, Model, State
from bayesdx.inference.noisy.model import GAIN, KEEP, LEAK_GAIN, LEAK_KEEP
from bayesdx.inference.typed import Floats, Integers, apart, compiled, inlined, moved


class AxisLink(NamedTuple):
    """What an active cause does to an axis: see `layout.AxisArrays.links`."""

    gain: float
    keep: float
    leak_keep: float
    leak_gain: float


@inlined
def link_of(model: Model, state: State, c: int, slot: int) -> AxisLink:
    """Read what a cause does to a slot."""
    at = 4 * (state.slots[8 * slot + AXIS] * model.n_causes + c)
    return AxisLink(
        model.links[at + GAIN] * state.share[slot],
        model.links[at + KEEP],
        model.links[at + LEAK_KEEP],
        model.links[at + LEAK_GAIN],
    )


@inlined
def floored(link: AxisLink, least: float) -> AxisLink:
    """Return a link that leaves at least so much of everything."""
    keep, factor = link.keep, 1.0 - link.leak_gain
    if keep > least and factor > least:
        return link
    keep, factor = max(keep, least), max(factor, least)
    return AxisLink(link.gain, keep, factor * keep, link.leak_gain)


@inlined
def idle_of(link: AxisLink, is_symptom: bool) -> AxisLink:
    """Return what a cause does whose link to a symptom does not act, but for a factor ``keep``."""
    if is_symptom:
        return AxisLink(0.0, 1.0, 1.0 - link.leak_gain, link.leak_gain)
    return link


@compiled
def by_link(
    link: AxisLink, share: float, old: Floats, pulled: Floats, size: int, stride: int, width: int
) -> tuple[float, float]:
    """Differentiate by the strength and the inhibitor of a floored link.

    Of a finding that is present the first is what nothing else reaches, see
    `lockstep.production.spared_by_others`.
    """
    apart()
    total, lowered, fed = 0.0, 0.0, 0.0
    for first in range(0, size, stride * width):
        none, some = moved(old, first), moved(old, first + stride)
        behind = moved(pulled, first + stride)
        for i in range(stride):
            total += (share * none[i] - some[i]) * behind[i]
        if width > 2:
            leak, behind_leak = moved(some, stride), moved(behind, stride)
            lowered += dot(leak, behind_leak, stride)
            if width > 3:
                feeding = moved(leak, stride)
                fed += dot(feeding, behind_leak, stride)
                total -= dot(feeding, moved(behind_leak, stride), stride)
    fed /= link.leak_keep
    by_strength = (total - lowered + link.leak_gain * fed) / link.keep
    return by_strength, link.keep * lowered / link.leak_keep - fed


@inlined
def acted(link: AxisLink, vector: Floats) -> tuple[float, float, float, float]:
    """Four components after a cause has acted on them."""
    return (
        vector[0],
        link.keep * vector[1] + link.gain * vector[0],
        link.leak_keep * vector[2] + link.leak_gain * vector[3],
        link.keep * vector[3],
    )


@inlined
def pulled(link: AxisLink, adjoint: Floats) -> tuple[float, float, float, float]:
    """Transpose of `acted`."""
    return (
        adjoint[0] + link.gain * adjoint[1],
        link.keep * adjoint[1],
        link.leak_keep * adjoint[2],
        link.leak_gain * adjoint[2] + link.keep * adjoint[3],
    )


@compiled
def act(link: AxisLink, array: Floats, size: int, stride: int, width: int) -> None:
    """Let a cause act on one axis of a frontier, in place."""
    apart()
    block = stride * width
    if block == 2:
        for i in range(size >> 1):
            array[2 * i + 1] = link.keep * array[2 * i + 1] + link.gain * array[2 * i]
        return
    for first in range(0, size, block):
        none, some = moved(array, first), moved(array, first + stride)
        for i in range(stride):
            some[i] = link.keep * some[i] + link.gain * none[i]
        if width > 2:
            leak, feeding = moved(some, stride), moved(some, 2 * stride)
            for i in range(stride):
                leak[i] *= link.leak_keep
            if width > 3:
                for i in range(stride):
                    leak[i] += link.leak_gain * feeding[i]
                    feeding[i] *= link.keep


@compiled
def unact(link: AxisLink, array: Floats, size: int, stride: int, width: int) -> None:
    """Transpose of `act`."""
    apart()
    block = stride * width
    if block == 2:
        for i in range(size >> 1):
            array[2 * i] += link.gain * array[2 * i + 1]
            array[2 * i + 1] *= link.keep
        return
    for first in range(0, size, block):
        none, some = moved(array, first), moved(array, first + stride)
        for i in range(stride):
            none[i] += link.gain * some[i]
            some[i] *= link.keep
        if width > 2:
            leak, feeding = moved(some, stride), moved(some, 2 * stride)
            if width > 3:
                for i in range(stride):
                    feeding[i] = link.keep * feeding[i] + link.leak_gain * leak[i]
            for i in range(stride):
                leak[i] *= link.leak_keep


@compiled
def open_axis(old: Floats, new: Floats, size: int, vector: Floats, first: int, width: int) -> None:
    """Write the frontier anew for components ``first`` and on of an axis, one after the other."""
    apart()
    for s in range(first, width):
        factor, part = vector[s], moved(new, s * size)
        for i in range(size):
            part[i] = factor * old[i]


@compiled
def unopen(
    old: Floats, adjoint: Floats, size: int, vector: Floats, width: int, result: Floats
) -> None:
    """Sum an axis out of the adjoint, in place; ``result`` (S,) gets the vector's adjoint."""
    apart()
    for s in range(width):
        result[s] = dot(moved(adjoint, s * size), old, size)
    factor = vector[0]
    for i in range(size):
        adjoint[i] *= factor
    for s in range(1, width):
        part, factor = moved(adjoint, s * size), vector[s]
        for i in range(size):
            adjoint[i] += factor * part[i]


@compiled
def close(
    source: Floats, target: Floats, size: int, stride: int, width: int, is_risk: bool
) -> float:
    """Sum an axis out; return the largest component left."""
    apart()
    first_state, last = (0, width) if is_risk else (1, 2 if width == 2 else 3)
    most, at = 0.0, 0
    for first in range(0, size, stride * width):
        for i in range(first + first_state * stride, first + first_state * stride + stride):
            total = source[i]
            for s in range(1, last - first_state):
                total += source[i + s * stride]
            target[at] = total
            most = total if total > most else most
            at += 1
    return most


@compiled
def unclose(
    adjoint: Floats,
    result: Floats,
    size: int,
    stride: int,
    width: int,
    is_risk: bool,
    scale: float,
) -> None:
    """Transpose of `close`; ``size`` is that of the adjoint."""
    apart()
    to = result
    for at in range(0, size, stride):
        old = moved(adjoint, at)
        for s in range(width):
            factor = scale if is_risk or s == 1 or s == 2 else 0.0
            for i in range(stride):
                to[i] = factor * old[i]
            to = moved(to, stride)


@inlined
def mix(source: Floats, target: Floats, size: int, active: float, inactive: float) -> None:
    """Weigh a frontier with a cause, ``target``, and without it, ``source``, in place."""
    for i in range(size):
        target[i] = inactive * source[i] + active * target[i]


@compiled
def mix_runs(
    source: Floats,
    target: Floats,
    size: int,
    active: Floats,
    inactive: Floats,
    n_runs: int,
    unit: int,
) -> None:
    """The same with weights that change every ``unit`` components and then repeat."""
    apart()
    for first in range(0, size, n_runs * unit):
        old, new = moved(source, first), moved(target, first)
        if unit == 1:
            for j in range(n_runs):
                new[j] = inactive[j] * old[j] + active[j] * new[j]
        else:
            for j in range(n_runs):
                mix(moved(old, j * unit), moved(new, j * unit), unit, active[j], inactive[j])


@inlined
def dot(one: Floats, other: Floats, size: int) -> float:
    """Sum of products."""
    total = 0.0
    for i in range(size):
        total += one[i] * other[i]
    return total


@compiled
def dot_runs(
    one: Floats, other: Floats, size: int, weights: Floats, n_runs: int, unit: int
) -> float:
    """Sum of products with weights that change every ``unit`` components and then repeat."""
    apart()
    total = 0.0
    for first in range(0, size, n_runs * unit):
        left, right = moved(one, first), moved(other, first)
        if unit == 1:
            for j in range(n_runs):
                total += weights[j] * left[j] * right[j]
        else:
            for j in range(n_runs):
                total += weights[j] * dot(moved(left, j * unit), moved(right, j * unit), unit)
    return total


@compiled
def weigh_runs(array: Floats, size: int, weights: Floats, n_runs: int, unit: int) -> None:
    """Multiply by weights that change every ``unit`` components and then repeat, in place."""
    apart()
    first = 0
    while first < size:
        for j in range(n_runs):
            for i in range(first, first + unit):
                array[i] *= weights[j]
            first += unit


@compiled
def add_runs(
    table: Floats,
    places: Integers,
    n_runs: int,
    unit: int,
    size: int,
    old: Floats,
    with_cause: Floats,
    without: Floats,
) -> None:
    """Add the derivatives by a cause's prior, entry by entry of its table."""
    apart()
    first = 0
    while first < size:
        for j in range(n_runs):
            here = moved(old, first)
            table[4 * places[j] + BY_PRESENT] += dot(moved(with_cause, first), here, unit)
            table[4 * places[j] + BY_ABSENT] += dot(moved(without, first), here, unit)
            first += unit
