"""First step of a case: evidence becomes factors of causes, and slots for what couples them.

The arithmetic is that of `bayesdx.inference.noisy.condition`, for one case at a time.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bayesdx.inference.noisy.jit.jit import compiled
from bayesdx.inference.noisy.jit.work import (
    ABSENT,
    AXIS,
    DERIVED,
    N_RISKS,
    OFF,
    ON,
    POSSIBLE,
    PRESENT,
    RISKS,
    SHARE,
    SIZE,
    TABLE,
    State,
)
from bayesdx.inference.noisy.model import (
    EXPLAIN_INHIBITED,
    RISK_OF,
    STRIDE_OF,
    UNKNOWN_OF,
    Absence,
    Axes,
    ModelArrays,
    Priors,
)

#: Products are moved into the sum of logs below this.
_SMALL = 1e-100
_MOST = 64
#: Soft evidence that leans to neither side couples nothing.
_EVEN = 0.5


@compiled
def multiply(scale: Any, factor: float) -> None:
    """Multiply what has been summed out; a zero makes the sum of logs minus infinity."""
    if factor < _SMALL:
        scale[1] += math.log(factor) if factor > 0.0 else -np.inf
        return
    product = scale[0] * factor
    if product < _SMALL:
        scale[1] += math.log(product)
        product = 1.0
    scale[0] = product


@compiled
def absorb_case(
    layout: ModelArrays,
    state: State,
    findings: Any,
    lower: Any,
    upper: Any,
    risks: Any,
    causes: Any,
) -> int:
    """Fill ``state`` from one row of evidence; return the number of slots, -1 if too many."""
    axes, roots = layout.axes, layout.risks
    state.scale[0], state.scale[1] = 1.0, 0.0
    for c in range(len(state.mask)):
        state.weights[c, ON] = 1.0
        state.weights[c, OFF] = 1.0
    n_slots = _add_findings(layout.absence, axes, state, findings)
    n_slots = _add_ordinals(layout, state, lower, upper, n_slots)
    for c in range(len(state.mask)):
        if causes[c] == 0:
            state.weights[c, ON] = 0.0
        elif causes[c] == 1:
            state.weights[c, OFF] = 0.0
    for r in range(len(risks)):
        value = risks[r]
        if value >= 0:
            multiply(state.scale, roots.prior[roots.first[r] + value])
        elif axes.risk[r] >= 0:
            if n_slots < _MOST:
                _add_risk(axes, state, axes.risk[r], n_slots)
            state.slot_of[r] = n_slots
            n_slots += 1
    if n_slots > _MOST:
        return -1
    _look_up_priors(layout.priors, state, risks)
    return n_slots


@compiled
def _absent(absence: Absence, state: State, column: int) -> None:
    for e in range(absence.first[column], absence.first[column + 1]):
        state.weights[absence.cause[e], ON] *= absence.factor[e]
    multiply(state.scale, absence.leak[column])


@compiled
def _add_findings(absence: Absence, axes: Axes, state: State, findings: Any) -> int:
    n_slots = 0
    for f in range(len(findings)):
        value = findings[f]
        if value == 0.0:
            _absent(absence, state, f)
            axis = axes.suppress[f]
            if axis >= 0:
                if n_slots < _MOST:
                    _add_fixed(axes, state, axis, n_slots)
                n_slots += 1
        elif value == _EVEN:
            multiply(state.scale, _EVEN)
        elif value > 0.0:
            if n_slots < _MOST:
                _add_present(axes, state, f, value, n_slots)
            n_slots += 1
    return n_slots


@compiled
def _add_ordinals(layout: ModelArrays, state: State, lower: Any, upper: Any, n_slots: int) -> int:
    ordinals = layout.ordinals
    for o in range(len(lower)):
        low, high, size = lower[o], upper[o], ordinals.size[o]
        if 0 <= high < size - 1:
            _absent(layout.absence, state, ordinals.level[o] + high)
        if 0 < low <= high < size:
            if n_slots < _MOST:
                _add_fixed(layout.axes, state, layout.axes.exceed[o, low, high], n_slots)
            n_slots += 1
    return n_slots


@compiled
def _add_fixed(axes: Axes, state: State, axis: int, slot: int) -> None:
    """Add evidence whose start does not depend on the case."""
    bound = axes.bound[axis]
    state.slots[slot, AXIS] = axis
    state.slots[slot, SIZE] = 0
    state.vectors[slot, SHARE] = 1.0 / bound
    state.vectors[slot, 0] = 1.0
    state.vectors[slot, 1] = axes.start[axis, 1] / bound
    state.vectors[slot, 2] = 0.0
    state.vectors[slot, 3] = 0.0
    multiply(state.scale, bound)


@compiled
def _add_present(axes: Axes, state: State, f: int, l1: float, slot: int) -> None:
    """Add a finding that is present with likelihood l1, absent with 1 - l1."""
    l0, leak = 1.0 - l1, axes.leak[f]
    bound = l0 + l1 * axes.bound[f]
    first, second, third = l0 * (1.0 - leak) + l1 * leak, 0.0, 0.0
    if axes.classes[f] == EXPLAIN_INHIBITED and l1 >= l0:
        first, second = l0, (l1 - l0) * leak
    elif axes.classes[f] == EXPLAIN_INHIBITED:
        third = (l0 - l1) * leak
    state.slots[slot, AXIS] = f
    state.slots[slot, SIZE] = 0
    state.vectors[slot, SHARE] = l1 / bound
    state.vectors[slot, 0] = 1.0
    state.vectors[slot, 1] = first / bound
    state.vectors[slot, 2] = second / bound
    state.vectors[slot, 3] = third / bound
    multiply(state.scale, bound)


@compiled
def _add_risk(axes: Axes, state: State, axis: int, slot: int) -> None:
    state.slots[slot, AXIS] = axis
    state.slots[slot, SIZE] = axes.sizes[axis]
    for s in range(axes.sizes[axis]):
        state.vectors[slot, s] = axes.start[axis, s]


@compiled
def _look_up_priors(priors: Priors, state: State, risks: Any) -> None:
    """Read each cause's prior at the known risks, by joint states of the unknown shared ones."""
    top = 0
    for c in range(len(state.mask)):
        at, free = priors.table_first[c], 0
        for e in range(priors.parent_first[c], priors.parent_first[c + 1]):
            value = risks[priors.parent[e, RISK_OF]]
            if value >= 0:
                at += value * priors.parent[e, STRIDE_OF]
            elif priors.parent[e, UNKNOWN_OF] >= 0:
                at += priors.parent[e, UNKNOWN_OF] * priors.parent[e, STRIDE_OF]
            else:
                free += 1
        state.causes[c, TABLE], state.causes[c, N_RISKS], state.mask[c] = top, free, 0
        state.causes[c, DERIVED] = 0
        if free == 0:
            prior = priors.table[at]
            state.tables[top, PRESENT], state.tables[top, ABSENT] = prior, 1.0 - prior
            state.causes[c, POSSIBLE] = prior > 0.0
            top += 1
        else:
            top = _look_up_joint(priors, state, risks, c, at, top)
    state.top[0] = top


@compiled
def _look_up_joint(priors: Priors, state: State, risks: Any, c: int, at: int, top: int) -> int:
    n_joint, free, possible = 1, 0, 0
    mask = np.uint64(0)
    state.entries[0] = at
    for e in range(priors.parent_first[c], priors.parent_first[c + 1]):
        r = priors.parent[e, RISK_OF]
        if risks[r] >= 0 or priors.parent[e, UNKNOWN_OF] >= 0:
            continue
        slot = state.slot_of[r]
        for s in range(1, state.slots[slot, SIZE]):
            for i in range(n_joint):
                state.entries[s * n_joint + i] = state.entries[i] + s * priors.parent[e, STRIDE_OF]
        n_joint *= state.slots[slot, SIZE]
        state.causes[c, RISKS + free] = slot
        mask |= np.uint64(1) << np.uint64(slot)
        free += 1
    for i in range(n_joint):
        prior = priors.table[state.entries[i]]
        state.tables[top + i, PRESENT], state.tables[top + i, ABSENT] = prior, 1.0 - prior
        possible |= prior > 0.0
    state.causes[c, POSSIBLE] = possible
    if possible:
        state.mask[c] = mask
    else:
        state.causes[c, N_RISKS] = 0
    return top + n_joint
