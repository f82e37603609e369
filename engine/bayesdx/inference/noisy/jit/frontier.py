"""Fourth step of a case: the frontier sweep over its core, forward and backward.

The frontier is a dense array over the open axes, the axis opened last outermost. Every operation
writes its result behind what it read, so that the backward sweep finds each state again; the
arithmetic is that of `bayesdx.inference.noisy.operator`.
"""

from __future__ import annotations

from typing import Any

from bayesdx.inference.noisy.jit.jit import compiled
from bayesdx.inference.noisy.jit.work import BY_ABSENT, BY_PRESENT


@compiled
def open_evidence(tape: Any, at: int, size: int, vector: Any, width: int) -> None:
    """Component 0 stays where it is, since the vector begins with 1."""
    old = tape[at : at + size]
    for s in range(1, width):
        factor = vector[s]
        new = tape[at + s * size : at + (s + 1) * size]
        for i in range(size):
            new[i] = factor * old[i]


@compiled
def open_risk(tape: Any, source: int, target: int, size: int, vector: Any, width: int) -> None:
    """Write the frontier anew, once for each state."""
    old = tape[source : source + size]
    for s in range(width):
        factor = vector[s]
        new = tape[target + s * size : target + (s + 1) * size]
        for i in range(size):
            new[i] = factor * old[i]


@compiled
def unopen(old: Any, adjoint: Any, size: int, vector: Any, width: int, result: Any) -> None:
    """Sum an axis out of the adjoint, in place; ``result`` (S,) gets the vector's adjoint."""
    for s in range(width):
        part = adjoint[s * size : (s + 1) * size]
        total = 0.0
        for i in range(size):
            total += part[i] * old[i]
        result[s] = total
    first, factor = adjoint[:size], vector[0]
    for i in range(size):
        first[i] *= factor
    for s in range(1, width):
        part, factor = adjoint[s * size : (s + 1) * size], vector[s]
        for i in range(size):
            first[i] += factor * part[i]


@compiled
def close(source: Any, target: Any, stride: int, width: int, is_risk: bool) -> float:
    """Sum an axis out; return the largest component left."""
    block, most, at = stride * width, 0.0, 0
    for first in range(0, len(source), block):
        for i in range(first, first + stride):
            if is_risk:
                total = source[i]
                for s in range(1, width):
                    total += source[i + s * stride]
            else:
                total = source[i + stride]
                if width > 2:
                    total += source[i + 2 * stride]
            target[at] = total
            most = max(most, total)
            at += 1
    return most


@compiled
def unclose(
    adjoint: Any, result: Any, stride: int, width: int, is_risk: bool, scale: float
) -> None:
    """Pull back `close`: what was summed gets the sum's adjoint."""
    first = 0
    for at in range(0, len(adjoint), stride):
        for s in range(width):
            factor = scale if is_risk or s == 1 or s == 2 else 0.0
            for i in range(stride):
                result[first + i] = factor * adjoint[at + i]
            first += stride


@compiled
def explain(array: Any, stride: int, width: int, keep: float, gain: float) -> None:
    """Let an active cause act on components 0 and 1 of an axis, in place."""
    block, size, first = stride * width, len(array), 0
    if block == 2:
        for i in range(size >> 1):
            array[2 * i + 1] = keep * array[2 * i + 1] + gain * array[2 * i]
        return
    while first < size:
        none, some = array[first : first + stride], array[first + stride : first + 2 * stride]
        for i in range(stride):
            some[i] = keep * some[i] + gain * none[i]
        first += block


@compiled
def unexplain(array: Any, stride: int, width: int, keep: float, gain: float) -> None:
    """Transpose of `explain`."""
    block, size, first = stride * width, len(array), 0
    if block == 2:
        for i in range(size >> 1):
            array[2 * i] += gain * array[2 * i + 1]
            array[2 * i + 1] *= keep
        return
    while first < size:
        none, some = array[first : first + stride], array[first + stride : first + 2 * stride]
        for i in range(stride):
            none[i] += gain * some[i]
            some[i] *= keep
        first += block


@compiled
def lower_leak(
    array: Any, stride: int, width: int, keep: float, leak_keep: float, leak_gain: float
) -> None:
    """Let an active cause act on components 2 and 3 of an axis, in place."""
    first = 2 * stride
    while first < len(array):
        for i in range(first, first + stride):
            value = leak_keep * array[i]
            if width > 3:
                value += leak_gain * array[i + stride]
                array[i + stride] *= keep
            array[i] = value
        first += stride * width


@compiled
def unlower_leak(
    array: Any, stride: int, width: int, keep: float, leak_keep: float, leak_gain: float
) -> None:
    """Transpose of `lower_leak`."""
    first = 2 * stride
    while first < len(array):
        for i in range(first, first + stride):
            if width > 3:
                array[i + stride] = keep * array[i + stride] + leak_gain * array[i]
            array[i] *= leak_keep
        first += stride * width


@compiled
def mix(source: Any, target: Any, active: float, inactive: float) -> None:
    """Weigh a frontier with a cause, ``target``, and without it, ``source``, in place."""
    for i in range(len(source)):
        target[i] = inactive * source[i] + active * target[i]


@compiled
def mix_runs(source: Any, target: Any, active: Any, inactive: Any, unit: int) -> None:
    """The same with weights that change every ``unit`` components and then repeat."""
    n_runs, size, first = len(active), len(source), 0
    while first < size:
        if unit == 1:
            old, new = source[first : first + n_runs], target[first : first + n_runs]
            for j in range(n_runs):
                new[j] = inactive[j] * old[j] + active[j] * new[j]
            first += n_runs
        else:
            for j in range(n_runs):
                mix(
                    source[first : first + unit],
                    target[first : first + unit],
                    active[j],
                    inactive[j],
                )
                first += unit


@compiled
def dot(one: Any, other: Any) -> float:
    """Sum of products."""
    total = 0.0
    for i in range(len(one)):
        total += one[i] * other[i]
    return total


@compiled
def dot_runs(one: Any, other: Any, weights: Any, unit: int) -> float:
    """Sum of products with weights that change every ``unit`` components and then repeat."""
    n_runs, size, first, total = len(weights), len(one), 0, 0.0
    while first < size:
        if unit == 1:
            left, right = one[first : first + n_runs], other[first : first + n_runs]
            for j in range(n_runs):
                total += weights[j] * left[j] * right[j]
            first += n_runs
        else:
            for j in range(n_runs):
                total += weights[j] * dot(one[first : first + unit], other[first : first + unit])
                first += unit
    return total


@compiled
def add_runs(tables: Any, places: Any, unit: int, arrays: tuple[Any, Any, Any]) -> None:
    """Add the derivatives by a cause's prior, entry by entry of its table."""
    old, with_cause, without = arrays
    first = 0
    while first < len(old):
        for place in places:
            active, inactive = 0.0, 0.0
            for i in range(first, first + unit):
                active += with_cause[i] * old[i]
                inactive += without[i] * old[i]
            tables[place, BY_PRESENT] += active
            tables[place, BY_ABSENT] += inactive
            first += unit
