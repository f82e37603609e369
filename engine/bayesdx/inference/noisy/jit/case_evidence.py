"""First step of a case: evidence becomes factors of causes, and slots for what couples them.

The arithmetic is that of `bayesdx.inference.noisy.condition`, for one case at a time.
"""

from __future__ import annotations

import math

import numpy as np

from bayesdx.inference.noisy.jit.memory import (
    ABSENT,
    AXIS,
    DERIVED,
    N_RISKS,
    OFF,
    ON,
    POSSIBLE,
    PRESENT,
    SIZE,
    TABLE,
    Model,
    Rows,
    State,
    model_at,
    notes_at,
    rows_at,
    state_at,
)
from bayesdx.inference.noisy.model import RISK_OF, STRIDE_OF, UNKNOWN_OF
from bayesdx.inference.typed import (
    Bytes,
    Floats,
    Integers,
    apart,
    compiled,
    inlined,
    moved,
)

#: Products are moved into the sum of logs below this.
_SMALL = 1e-100
_MOST = 64
#: Soft evidence that leans to neither side couples nothing.
_EVEN = 0.5
_ONE = np.uint64(1)


@inlined
def multiply(scale: Floats, factor: float) -> None:
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
def condition_case(memory: Integers, row: int) -> int:
    """Fill the state from one row of evidence; return the number of slots, -1 if too many."""
    apart()
    model, state, rows = model_at(memory), state_at(memory), rows_at(memory)
    risks, causes = moved(rows.risks, row * model.n_risks), moved(rows.causes, row * model.n_causes)
    state.scale[0], state.scale[1] = 1.0, 0.0
    for c in range(2 * model.n_causes):
        state.weights[c] = 1.0
    n_slots = _add_findings(model, state, moved(rows.findings, row * model.n_findings))
    n_slots = _add_ordinals(model, state, rows, row * model.n_ordinals, n_slots)
    for c in range(model.n_causes):
        if causes[c] == 0:
            state.weights[2 * c + ON] = 0.0
        elif causes[c] == 1:
            state.weights[2 * c + OFF] = 0.0
    for r in range(model.n_risks):
        value = risks[r]
        if value >= 0:
            multiply(state.scale, model.risk_prior[model.risk_first[r] + value])
        elif model.risk_axis[r] >= 0:
            if n_slots < _MOST:
                _add_risk(model, state, model.risk_axis[r], n_slots)
            state.slot_of[r] = n_slots
            n_slots += 1
    if n_slots > _MOST:
        return -1
    _look_up_priors(model, state, risks, notes_at(memory).scored)
    return n_slots


@inlined
def weigh_symptoms(model: Model, state: State, rows: Rows, row: int, n_slots: int) -> None:
    """Note the weights of findings that are present for certain, -1 for all other slots."""
    for c in range(model.n_causes):
        state.spared[c] = 1.0
    for slot in range(n_slots):
        axis, weight = state.slots[8 * slot + AXIS], -1.0
        if state.slots[8 * slot + SIZE] == 0 and rows.credited:
            weight = rows.symptoms[axis]
            if axis < model.n_findings and rows.findings[row * model.n_findings + axis] < 1.0:
                weight = -1.0
        state.symptom[slot] = weight


@inlined
def _absent(model: Model, state: State, column: int) -> None:
    for e in range(model.absent_first[column], model.absent_first[column + 1]):
        state.weights[2 * model.absent_cause[e] + ON] *= model.absent_factor[e]
    multiply(state.scale, model.absent_leak[column])


@inlined
def _add_findings(model: Model, state: State, findings: Floats) -> int:
    n_slots = 0
    for f in range(model.n_findings):
        value = findings[f]
        if value == 0.0:
            _absent(model, state, f)
            axis = model.suppress[f]
            if axis >= 0:
                if n_slots < _MOST:
                    _add_finding(model, state, axis, 1.0, n_slots)
                n_slots += 1
        elif value == _EVEN:
            multiply(state.scale, _EVEN)
        elif value > 0.0:
            if n_slots < _MOST:
                _add_finding(model, state, f, value, n_slots)
            n_slots += 1
    return n_slots


@inlined
def _add_ordinals(model: Model, state: State, rows: Rows, first: int, n_slots: int) -> int:
    for o in range(model.n_ordinals):
        low, high, size = rows.lower[first + o], rows.upper[first + o], model.ordinal_size[o]
        if 0 <= high < size - 1:
            _absent(model, state, model.ordinal_level[o] + high)
        if 0 < low <= high < size:
            if n_slots < _MOST:
                at = (o * model.n_levels + low) * model.n_levels + high
                _add_finding(model, state, model.exceed[at], 1.0, n_slots)
            n_slots += 1
    return n_slots


@inlined
def _add_finding(model: Model, state: State, axis: int, l1: float, slot: int) -> None:
    """Add what is seen with likelihood l1 if it is present, with 1 - l1 if it is absent."""
    l0 = 1.0 - l1
    bound, vector = l0 + l1 * model.bound[axis], moved(state.vectors, model.n_states * slot)
    opening = moved(model.opening, 18 * axis + (9 if l1 >= l0 else 0))
    state.slots[8 * slot + AXIS], state.slots[8 * slot + SIZE] = axis, 0
    state.share[slot] = l1 / bound
    vector[0] = 1.0
    for s in range(3):
        part = opening[3 * s] * l0 + opening[3 * s + 1] * l1 + opening[3 * s + 2] * abs(l1 - l0)
        vector[1 + s] = part / bound
    multiply(state.scale, bound)


@inlined
def _add_risk(model: Model, state: State, axis: int, slot: int) -> None:
    size = model.sizes[axis]
    state.slots[8 * slot + AXIS], state.slots[8 * slot + SIZE] = axis, size
    for s in range(size):
        state.vectors[model.n_states * slot + s] = model.start[model.n_states * axis + s]


@inlined
def _look_up_priors(model: Model, state: State, risks: Bytes, scored: int) -> None:
    """Read each cause's prior at the known risks, by joint states of the unknown shared ones."""
    top = 0
    for c in range(model.n_causes):
        at, free, cause = model.table_first[c], 0, 4 * c
        for e in range(3 * model.parent_first[c], 3 * model.parent_first[c + 1], 3):
            value, unknown = risks[model.parent[e + RISK_OF]], model.parent[e + UNKNOWN_OF]
            if value >= 0:
                at += value * model.parent[e + STRIDE_OF]
            elif unknown >= 0:
                at += unknown * model.parent[e + STRIDE_OF]
            else:
                free += 1
        state.causes[cause + TABLE], state.causes[cause + N_RISKS] = top, free
        state.causes[cause + DERIVED], state.mask[c] = scored, np.uint64(0)
        if free == 0:
            prior = model.table[at]
            state.tables[4 * top + PRESENT], state.tables[4 * top + ABSENT] = prior, 1.0 - prior
            state.entry[top] = at
            state.causes[cause + POSSIBLE] = 1 if prior > 0.0 else 0
            top += 1
        else:
            top = _look_up_joint(model, state, risks, c, at, top)
    state.top[0] = top


@inlined
def _look_up_joint(model: Model, state: State, risks: Bytes, c: int, at: int, top: int) -> int:
    n_joint, free, possible, mask = 1, 0, 0, np.uint64(0)
    state.entries[0] = at
    for e in range(3 * model.parent_first[c], 3 * model.parent_first[c + 1], 3):
        r, stride = model.parent[e + RISK_OF], model.parent[e + STRIDE_OF]
        if risks[r] >= 0 or model.parent[e + UNKNOWN_OF] >= 0:
            continue
        slot = state.slot_of[r]
        for s in range(1, state.slots[8 * slot + SIZE]):
            for i in range(n_joint):
                state.entries[s * n_joint + i] = state.entries[i] + s * stride
        n_joint *= state.slots[8 * slot + SIZE]
        state.own[model.n_parents * c + free] = slot
        mask |= _ONE << np.uint64(slot)
        free += 1
    for i in range(n_joint):
        prior, entry = model.table[state.entries[i]], 4 * (top + i)
        state.tables[entry + PRESENT], state.tables[entry + ABSENT] = prior, 1.0 - prior
        state.entry[top + i] = state.entries[i]
        if prior > 0.0:
            possible = 1
    state.causes[4 * c + POSSIBLE] = possible
    if possible:
        state.mask[c] = mask
    else:
        state.causes[4 * c + N_RISKS] = 0
    return top + n_joint
