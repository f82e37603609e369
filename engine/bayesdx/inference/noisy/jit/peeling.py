"""Second step of a case: what hangs on by one thread is summed out as numbers, not as a frontier.

Causes and axes form a graph. A cause that acts on one axis only is *folded* into the axis's vector;
an axis on which one cause only acts is *contracted* into the weights of that cause; a cause without
axes and an axis without causes are *closed*, a factor each. Repeated until nothing changes this
leaves the part of the graph where everything lies on cycles (its 2-core; the rule is that of
simplicial nodes of degree one in variable elimination), which alone needs a frontier. Backwards the
same steps give the derivatives of the log evidence and with them the posteriors.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesdx.inference.noisy.jit.absorbing import multiply
from bayesdx.inference.noisy.jit.jit import compiled, lowest, ones
from bayesdx.inference.noisy.jit.work import (
    ABSENT,
    ALONG,
    AXIS,
    BY_ABSENT,
    BY_PRESENT,
    CAUSE,
    COUNT,
    DERIVED,
    FIRST,
    KIND,
    LINK,
    N_RISKS,
    OFF,
    ON,
    POSSIBLE,
    PRESENT,
    RISKS,
    SHARE,
    SIZE,
    SLOT,
    TABLE,
    Record,
    State,
)
from bayesdx.inference.noisy.model import GAIN, KEEP, LEAK_GAIN, LEAK_KEEP, Axes

_FOLD, _CLOSE_AXIS, _CLOSE_CAUSE, _CONTRACT, _CONTRACT_RISK = range(5)
_ONE = np.uint64(1)


@compiled
def link_causes(axes: Axes, state: State, n_slots: int, posterior: Any) -> None:
    """Find which causes act on which slots; answer those that act on none."""
    for slot in range(n_slots):
        state.slots[slot, COUNT], state.slots[slot, LINK] = 0, 0
        if state.slots[slot, SIZE]:
            continue
        axis, bit = state.slots[slot, AXIS], _ONE << np.uint64(slot)
        for e in range(axes.touch_first[axis], axes.touch_first[axis + 1]):
            c = axes.touch_cause[e]
            if state.causes[c, POSSIBLE] and state.weights[c, ON] > 0.0:
                state.mask[c] |= bit
    for c in range(len(state.mask)):
        mask = state.mask[c]
        if mask == 0:
            at = state.causes[c, TABLE]
            active = state.tables[at, PRESENT] * state.weights[c, ON]
            both = state.tables[at, ABSENT] * state.weights[c, OFF] + active
            multiply(state.scale, both)
            posterior[c] = active / both if both > 0.0 else 0.0
        while mask:
            slot = lowest(mask)
            mask &= mask - _ONE
            state.slots[slot, COUNT] += 1
            state.slots[slot, LINK] ^= c


@compiled
def peel(links: Any, state: State, record: Record, n_slots: int) -> int:
    """Sum out what acts on, or is acted on by, one thing only; return the number of steps."""
    leaves, n_queued, step = np.uint64(0), 0, 0
    for slot in range(n_slots):
        if state.slots[slot, COUNT] == 0:
            step = _close_axis(state, record, slot, step)
        elif state.slots[slot, COUNT] == 1:
            leaves |= _ONE << np.uint64(slot)
    for c in range(len(state.mask)):
        if state.mask[c] and ones(state.mask[c]) == 1:
            state.queue[n_queued] = c
            n_queued += 1
    while n_queued or leaves:
        if n_queued:
            n_queued -= 1
            slot, step = _take_leaf(links, state, record, state.queue[n_queued], step)
            if slot >= 0 and state.slots[slot, COUNT] == 1:
                leaves |= _ONE << np.uint64(slot)
            continue
        slot = lowest(leaves)
        leaves &= leaves - _ONE
        if state.slots[slot, COUNT] == 1:
            c = state.slots[slot, LINK]
            step = _contract(links, state, record, c, slot, step)
            state.causes[c, DERIVED] = 1
            state.mask[c] ^= _ONE << np.uint64(slot)
            state.slots[slot, COUNT] = 0
            if ones(state.mask[c]) == 1:
                state.queue[n_queued] = c
                n_queued += 1
    return step


@compiled
def _take_leaf(links: Any, state: State, record: Record, c: int, step: int) -> tuple[int, int]:
    """Sum a cause out that acts on one axis at most; return that axis's slot, or -1."""
    if state.mask[c] == 0:
        return -1, _close_cause(state, record, c, step)
    slot = lowest(state.mask[c])
    step = _fold(links, state, record, c, slot, step)
    state.mask[c] = 0
    state.slots[slot, COUNT] -= 1
    state.slots[slot, LINK] ^= c
    if state.slots[slot, COUNT] == 0:
        step = _close_axis(state, record, slot, step)
    return slot, step


@compiled
def _note(record: Record, step: int, kind: int, c: int, slot: int) -> int:
    record.steps[step, KIND] = kind
    record.steps[step, CAUSE] = c
    record.steps[step, SLOT] = slot
    return step + 1


@compiled
def _close_axis(state: State, record: Record, slot: int, step: int) -> int:
    total = state.vectors[slot, 1] + state.vectors[slot, 2]
    if state.slots[slot, SIZE]:
        total = 0.0
        for s in range(state.slots[slot, SIZE]):
            total += state.vectors[slot, s]
    multiply(state.scale, total)
    record.scales[step, 0] = total
    return _note(record, step, _CLOSE_AXIS, 0, slot)


@compiled
def _close_cause(state: State, record: Record, c: int, step: int) -> int:
    at = state.causes[c, TABLE]
    both = (
        state.weights[c, ON] * state.tables[at, PRESENT]
        + state.weights[c, OFF] * state.tables[at, ABSENT]
    )
    multiply(state.scale, both)
    record.scales[step, 0] = both
    return _note(record, step, _CLOSE_CAUSE, c, 0)


@compiled
def _fold(links: Any, state: State, record: Record, c: int, slot: int, step: int) -> int:
    """Apply a cause to the only axis it acts on."""
    at = state.causes[c, TABLE]
    vector, before = state.vectors[slot], record.vectors[step]
    record.steps[step, FIRST] = at
    if state.slots[slot, SIZE]:
        total = 0.0
        for s in range(state.slots[slot, SIZE]):
            before[s] = vector[s]
            both = (
                state.weights[c, ON] * state.tables[at + s, PRESENT]
                + state.weights[c, OFF] * state.tables[at + s, ABSENT]
            )
            vector[s] *= both
            total += vector[s]
        if total > 0.0:
            for s in range(state.slots[slot, SIZE]):
                vector[s] /= total
    else:
        active, inactive = (
            state.weights[c, ON] * state.tables[at, PRESENT],
            state.weights[c, OFF] * state.tables[at, ABSENT],
        )
        axis = state.slots[slot, AXIS]
        keep = links[axis, c, KEEP]
        for s in range(4):
            before[s] = vector[s]
        leak = links[axis, c, LEAK_KEEP] * before[2] + links[axis, c, LEAK_GAIN] * before[3]
        gain = links[axis, c, GAIN] * state.vectors[slot, SHARE]
        total = active + inactive
        scaled = 1.0 / total if total > 0.0 else 0.0
        vector[0] = 1.0
        vector[1] = scaled * (inactive * before[1] + active * (keep * before[1] + gain))
        vector[2] = scaled * (inactive * before[2] + active * leak)
        vector[3] = scaled * (inactive + active * keep) * before[3]
    multiply(state.scale, total)
    record.scales[step, 0] = total
    return _note(record, step, _FOLD, c, slot)


@compiled
def _contract(links: Any, state: State, record: Record, c: int, slot: int, step: int) -> int:
    """Sum an axis out that one cause only acts on."""
    if state.slots[slot, SIZE]:
        return _contract_risk(state, record, c, slot, step)
    axis, vector, before = state.slots[slot, AXIS], state.vectors[slot], record.vectors[step]
    for s in range(4):
        before[s] = vector[s]
    gain = links[axis, c, GAIN] * state.vectors[slot, SHARE]
    active = links[axis, c, KEEP] * vector[1] + gain
    active += links[axis, c, LEAK_KEEP] * vector[2] + links[axis, c, LEAK_GAIN] * vector[3]
    inactive = vector[1] + vector[2]
    total = max(active, inactive)
    multiply(state.scale, total)
    scaled = 1.0 / total if total > 0.0 else 0.0
    record.scales[step, 0] = scaled
    record.scales[step, 1] = state.weights[c, ON]
    record.scales[step, 2] = state.weights[c, OFF]
    state.weights[c, ON] *= active * scaled
    state.weights[c, OFF] *= inactive * scaled
    return _note(record, step, _CONTRACT, c, slot)


@compiled
def n_joint(state: State, c: int) -> int:
    """How many joint states the risks have that a cause's table still depends on."""
    total = 1
    for i in range(state.causes[c, N_RISKS]):
        total *= state.slots[state.causes[c, RISKS + i], SIZE]
    return total


@compiled
def _contract_risk(state: State, record: Record, c: int, slot: int, step: int) -> int:
    stride, position = 1, 0
    while state.causes[c, RISKS + position] != slot:
        stride *= state.slots[state.causes[c, RISKS + position], SIZE]
        position += 1
    at, size, n_old = state.causes[c, TABLE], state.slots[slot, SIZE], n_joint(state, c)
    first = state.top[0]
    state.top[0] = first + n_old // size
    for outer in range(n_old // (stride * size)):
        for inner in range(stride):
            present, absent = 0.0, 0.0
            for s in range(size):
                source = at + (outer * size + s) * stride + inner
                present += state.vectors[slot, s] * state.tables[source, PRESENT]
                absent += state.vectors[slot, s] * state.tables[source, ABSENT]
            state.tables[first + outer * stride + inner, PRESENT] = present
            state.tables[first + outer * stride + inner, ABSENT] = absent
    for i in range(position, state.causes[c, N_RISKS] - 1):
        state.causes[c, RISKS + i] = state.causes[c, RISKS + i + 1]
    state.causes[c, N_RISKS] -= 1
    state.causes[c, TABLE] = first
    record.steps[step, FIRST] = at
    record.steps[step, ALONG] = stride
    return _note(record, step, _CONTRACT_RISK, c, slot)


@compiled
def unpeel(links: Any, state: State, record: Record, n_steps: int, posterior: Any) -> None:
    """Pull derivatives back through `peel`; fill the posteriors of the causes it summed out."""
    for step in range(n_steps - 1, -1, -1):
        kind, c, slot = (
            record.steps[step, KIND],
            record.steps[step, CAUSE],
            record.steps[step, SLOT],
        )
        if kind == _CLOSE_AXIS:
            each = 1.0 / record.scales[step, 0]
            if state.slots[slot, SIZE]:
                for s in range(state.slots[slot, SIZE]):
                    state.adjoints[slot, s] = each
            else:
                state.adjoints[slot, 0], state.adjoints[slot, 1] = 0.0, each
                state.adjoints[slot, 2], state.adjoints[slot, 3] = each, 0.0
        elif kind == _CLOSE_CAUSE:
            at, each = state.causes[c, TABLE], 1.0 / record.scales[step, 0]
            state.tables[at, BY_PRESENT] = each
            state.tables[at, BY_ABSENT] = each
            posterior[c] = state.weights[c, ON] * state.tables[at, PRESENT] * each
        elif kind == _FOLD:
            posterior[c] = _unfold(links, state, record, c, slot, step)
        elif kind == _CONTRACT:
            _uncontract(links, state, record, c, slot, step)
        else:
            _uncontract_risk(state, record, c, slot, step)


@compiled
def _unfold(links: Any, state: State, record: Record, c: int, slot: int, step: int) -> float:
    at, each = record.steps[step, FIRST], 1.0 / record.scales[step, 0]
    before, adjoint = record.vectors[step], state.adjoints[slot]
    on, off = state.weights[c, ON], state.weights[c, OFF]
    if state.slots[slot, SIZE]:
        joint = 0.0
        for s in range(state.slots[slot, SIZE]):
            value = adjoint[s] * each
            state.tables[at + s, BY_PRESENT] = state.tables[at + s, BY_ABSENT] = value * before[s]
            joint += on * state.tables[at + s, PRESENT] * value * before[s]
            adjoint[s] = value * (
                on * state.tables[at + s, PRESENT] + off * state.tables[at + s, ABSENT]
            )
        return joint
    active, inactive, axis = (
        on * state.tables[at, PRESENT],
        off * state.tables[at, ABSENT],
        state.slots[slot, AXIS],
    )
    gain, keep = links[axis, c, GAIN] * state.vectors[slot, SHARE], links[axis, c, KEEP]
    leak_keep, leak_gain = links[axis, c, LEAK_KEEP], links[axis, c, LEAK_GAIN]
    a0, a1, a2, a3 = (
        adjoint[0] * each,
        adjoint[1] * each,
        adjoint[2] * each,
        adjoint[3] * each,
    )
    pulled0, pulled1 = a0 + gain * a1, keep * a1
    pulled2, pulled3 = leak_keep * a2, leak_gain * a2 + keep * a3
    derivative = pulled0 + pulled1 * before[1] + pulled2 * before[2] + pulled3 * before[3]
    state.tables[at, BY_PRESENT] = derivative
    state.tables[at, BY_ABSENT] = a0 + a1 * before[1] + a2 * before[2] + a3 * before[3]
    adjoint[0] = inactive * a0 + active * pulled0
    adjoint[1] = inactive * a1 + active * pulled1
    adjoint[2] = inactive * a2 + active * pulled2
    adjoint[3] = inactive * a3 + active * pulled3
    return float(active * derivative)


@compiled
def _uncontract(links: Any, state: State, record: Record, c: int, slot: int, step: int) -> None:
    """Derivatives are with respect to the products on · present and off · absent."""
    axis, vector = state.slots[slot, AXIS], record.vectors[step]
    gain, keep = links[axis, c, GAIN] * state.vectors[slot, SHARE], links[axis, c, KEEP]
    leak_keep, leak_gain = links[axis, c, LEAK_KEEP], links[axis, c, LEAK_GAIN]
    scaled = record.scales[step, 0]
    on, off = record.scales[step, 1], record.scales[step, 2]
    active = keep * vector[1] + gain + leak_keep * vector[2] + leak_gain * vector[3]
    inactive = vector[1] + vector[2]
    at, by_active, by_inactive = state.causes[c, TABLE], 0.0, 0.0
    for i in range(at, at + n_joint(state, c)):
        by_active += state.tables[i, BY_PRESENT] * state.tables[i, PRESENT]
        by_inactive += state.tables[i, BY_ABSENT] * state.tables[i, ABSENT]
        state.tables[i, BY_PRESENT] *= active * scaled
        state.tables[i, BY_ABSENT] *= inactive * scaled
    by_active *= on * scaled
    by_inactive *= off * scaled
    state.weights[c, ON], state.weights[c, OFF] = on, off
    state.adjoints[slot, 0] = gain * by_active
    state.adjoints[slot, 1] = keep * by_active + by_inactive
    state.adjoints[slot, 2] = leak_keep * by_active + by_inactive
    state.adjoints[slot, 3] = leak_gain * by_active


@compiled
def _uncontract_risk(state: State, record: Record, c: int, slot: int, step: int) -> None:
    first, at, stride = state.causes[c, TABLE], record.steps[step, FIRST], record.steps[step, ALONG]
    size, n_rest = state.slots[slot, SIZE], n_joint(state, c)
    on, off = state.weights[c, ON], state.weights[c, OFF]
    for s in range(size):
        state.adjoints[slot, s] = 0.0
    for outer in range(n_rest // stride):
        for inner in range(stride):
            rest = first + outer * stride + inner
            by_present, by_absent = state.tables[rest, BY_PRESENT], state.tables[rest, BY_ABSENT]
            for s in range(size):
                source = at + (outer * size + s) * stride + inner
                value = on * state.tables[source, PRESENT] * by_present
                value += off * state.tables[source, ABSENT] * by_absent
                state.adjoints[slot, s] += value
                state.tables[source, BY_PRESENT] = state.vectors[slot, s] * by_present
                state.tables[source, BY_ABSENT] = state.vectors[slot, s] * by_absent
    state.causes[c, TABLE] = at
    state.causes[c, N_RISKS] += 1
    position, passed = 0, 1
    while passed < stride:
        passed *= state.slots[state.causes[c, RISKS + position], SIZE]
        position += 1
    for i in range(state.causes[c, N_RISKS] - 1, position, -1):
        state.causes[c, RISKS + i] = state.causes[c, RISKS + i - 1]
    state.causes[c, RISKS + position] = slot
