"""Second step of a case: pendant elimination, what hangs on by one thread is summed out as numbers.

Causes and axes form a graph. A cause that acts on one axis only is *folded* into the axis's vector;
an axis on which one cause only acts is *contracted* into the weights of that cause; a cause without
axes and an axis without causes are *closed*, a factor each. Repeated until nothing changes this
leaves the part of the graph where everything lies on cycles (its 2-core; the rule is that of
simplicial nodes of degree one in variable elimination), which alone needs a frontier. Backwards the
same steps give the derivatives of the log evidence and with them the posteriors.
"""

from __future__ import annotations

import numpy as np

from bayesdx.inference.noisy.jit.axis_kernels import acted, link_of, pulled
from bayesdx.inference.noisy.jit.case_evidence import multiply
from bayesdx.inference.noisy.jit.case_notes import note_inhibitor, note_link
from bayesdx.inference.noisy.jit.memory import (
    ABSENT,
    AXIS,
    BY_ABSENT,
    BY_PRESENT,
    CAUSE,
    COUNT,
    DERIVED,
    FIRST,
    KIND,
    LINK,
    OFF,
    ON,
    POSSIBLE,
    PRESENT,
    SIZE,
    SLOT,
    TABLE,
    Model,
    Notes,
    State,
    model_at,
    notes_at,
    rows_at,
    state_at,
)
from bayesdx.inference.noisy.jit.pendant_risks import contract_risk, n_joint, uncontract_risk
from bayesdx.inference.typed import (
    Bytes,
    Floats,
    Integers,
    apart,
    compiled,
    inlined,
    lowest,
    moved,
    ones,
)

_FOLD, _CLOSE_AXIS, _CLOSE_CAUSE, _CONTRACT, _CONTRACT_RISK = range(5)
_ONE = np.uint64(1)


@inlined
def _link_causes(model: Model, state: State, n_slots: int, asked: Bytes, posterior: Floats) -> None:
    """Find which causes act on which slots; answer those that act on none.

    A cause that nobody asks and no evidence touches sums to 1, whatever its risks are.
    """
    findings = np.uint64(0)
    for slot in range(n_slots):
        state.slots[8 * slot + COUNT], state.slots[8 * slot + LINK] = 0, 0
        if state.slots[8 * slot + SIZE]:
            continue
        axis, bit = state.slots[8 * slot + AXIS], _ONE << np.uint64(slot)
        findings |= bit
        for e in range(model.touch_first[axis], model.touch_first[axis + 1]):
            c = model.touch_cause[e]
            if state.causes[4 * c + POSSIBLE] and state.weights[2 * c + ON] > 0.0:
                state.mask[c] |= bit
    for c in range(model.n_causes):
        mask, on, off = state.mask[c], state.weights[2 * c + ON], state.weights[2 * c + OFF]
        if asked[c] == 0 and on == 1.0 and off == 1.0 and mask & findings == 0:
            mask = state.mask[c] = np.uint64(0)
        if mask == 0:
            at = state.causes[4 * c + TABLE]
            active = state.tables[4 * at + PRESENT] * on
            both = state.tables[4 * at + ABSENT] * off + active
            multiply(state.scale, both)
            posterior[c] = active / both if both > 0.0 else 0.0
            if state.causes[4 * c + DERIVED] and both > 0.0:
                state.tables[4 * at + BY_PRESENT] = state.tables[4 * at + BY_ABSENT] = 1.0 / both
        while mask:
            slot = lowest(mask)
            mask &= mask - _ONE
            state.slots[8 * slot + COUNT] += 1
            state.slots[8 * slot + LINK] ^= c


@compiled
def eliminate_pendant(memory: Integers, n_slots: int, asked: Bytes, posterior: Floats) -> int:
    """Sum out what acts on, or is acted on by, one thing only; return the number of steps."""
    apart()
    model, state = model_at(memory), state_at(memory)
    _link_causes(model, state, n_slots, asked, posterior)
    leaves, n_queued, step = np.uint64(0), 0, 0
    for slot in range(n_slots):
        if state.slots[8 * slot + COUNT] == 0:
            step = _close_axis(model, state, slot, step)
        elif state.slots[8 * slot + COUNT] == 1:
            leaves |= _ONE << np.uint64(slot)
    for c in range(model.n_causes):
        if state.mask[c] and ones(state.mask[c]) == 1:
            state.queue[n_queued] = c
            n_queued += 1
    while n_queued or leaves:
        if n_queued:
            n_queued -= 1
            slot, step = _eliminate_cause(model, state, state.queue[n_queued], step)
            if slot >= 0 and state.slots[8 * slot + COUNT] == 1:
                leaves |= _ONE << np.uint64(slot)
            continue
        slot = lowest(leaves)
        leaves &= leaves - _ONE
        if state.slots[8 * slot + COUNT] == 1:
            c = state.slots[8 * slot + LINK]
            step = _contract(model, state, c, slot, step)
            state.causes[4 * c + DERIVED] = 1
            state.mask[c] ^= _ONE << np.uint64(slot)
            state.slots[8 * slot + COUNT] = 0
            if ones(state.mask[c]) == 1:
                state.queue[n_queued] = c
                n_queued += 1
    return step


@inlined
def _eliminate_cause(model: Model, state: State, c: int, step: int) -> tuple[int, int]:
    """Sum a cause out that acts on one axis at most; return that axis's slot, or -1."""
    if state.mask[c] == 0:
        return -1, _close_cause(state, c, step)
    slot = lowest(state.mask[c])
    step = _fold(model, state, c, slot, step)
    state.mask[c] = np.uint64(0)
    state.slots[8 * slot + COUNT] -= 1
    state.slots[8 * slot + LINK] ^= c
    if state.slots[8 * slot + COUNT] == 0:
        step = _close_axis(model, state, slot, step)
    return slot, step


@inlined
def _note(state: State, step: int, kind: int, c: int, slot: int) -> int:
    state.steps[5 * step + KIND] = kind
    state.steps[5 * step + CAUSE] = c
    state.steps[5 * step + SLOT] = slot
    return step + 1


@inlined
def _close_axis(model: Model, state: State, slot: int, step: int) -> int:
    total = state.vectors[model.n_states * slot + 1] + state.vectors[model.n_states * slot + 2]
    if state.slots[8 * slot + SIZE]:
        total = 0.0
        for s in range(state.slots[8 * slot + SIZE]):
            total += state.vectors[model.n_states * slot + s]
    multiply(state.scale, total)
    state.scales[3 * step] = total
    return _note(state, step, _CLOSE_AXIS, 0, slot)


@inlined
def _close_cause(state: State, c: int, step: int) -> int:
    at = state.causes[4 * c + TABLE]
    both = (
        state.weights[2 * c + ON] * state.tables[4 * at + PRESENT]
        + state.weights[2 * c + OFF] * state.tables[4 * at + ABSENT]
    )
    multiply(state.scale, both)
    state.scales[3 * step] = both
    return _note(state, step, _CLOSE_CAUSE, c, 0)


@inlined
def _fold(model: Model, state: State, c: int, slot: int, step: int) -> int:
    """Apply a cause to the only axis it acts on."""
    at = state.causes[4 * c + TABLE]
    vector, before = (
        moved(state.vectors, model.n_states * slot),
        moved(state.before, model.n_states * step),
    )
    state.steps[5 * step + FIRST] = at
    if state.slots[8 * slot + SIZE]:
        total = 0.0
        for s in range(state.slots[8 * slot + SIZE]):
            before[s] = vector[s]
            both = (
                state.weights[2 * c + ON] * state.tables[4 * (at + s) + PRESENT]
                + state.weights[2 * c + OFF] * state.tables[4 * (at + s) + ABSENT]
            )
            vector[s] *= both
            total += vector[s]
        if total > 0.0:
            for s in range(state.slots[8 * slot + SIZE]):
                vector[s] /= total
    else:
        active = state.weights[2 * c + ON] * state.tables[4 * at + PRESENT]
        inactive = state.weights[2 * c + OFF] * state.tables[4 * at + ABSENT]
        total = active + inactive
        scaled = 1.0 / total if total > 0.0 else 0.0
        with_cause = acted(link_of(model, state, c, slot), vector)
        for s in range(4):
            before[s] = vector[s]
            vector[s] = scaled * (inactive * before[s] + active * with_cause[s])
        vector[0] = 1.0
    multiply(state.scale, total)
    state.scales[3 * step] = total
    return _note(state, step, _FOLD, c, slot)


@inlined
def _contract(model: Model, state: State, c: int, slot: int, step: int) -> int:
    """Sum an axis out that one cause only acts on."""
    if state.slots[8 * slot + SIZE]:
        contract_risk(model, state, c, slot, step)
        return _note(state, step, _CONTRACT_RISK, c, slot)
    vector = moved(state.vectors, model.n_states * slot)
    before = moved(state.before, model.n_states * step)
    for s in range(4):
        before[s] = vector[s]
    with_cause = acted(link_of(model, state, c, slot), vector)
    active, inactive = with_cause[1] + with_cause[2], vector[1] + vector[2]
    total = active if active > inactive else inactive
    multiply(state.scale, total)
    scaled = 1.0 / total if total > 0.0 else 0.0
    state.scales[3 * step] = scaled
    state.scales[3 * step + 1] = state.weights[2 * c + ON]
    state.scales[3 * step + 2] = state.weights[2 * c + OFF]
    state.weights[2 * c + ON] *= active * scaled
    state.weights[2 * c + OFF] *= inactive * scaled
    if state.symptom[slot] >= 0.0:
        link = link_of(model, state, c, slot)
        left = link.keep * (vector[1] + (1.0 - link.leak_gain) * vector[2])
        state.spared[c] *= left / active if active > 0.0 else 0.0
    return _note(state, step, _CONTRACT, c, slot)


@compiled
def pull_pendant(
    memory: Integers, n_steps: int, posterior: Floats, idle: Floats, credit: Floats
) -> None:
    """Pull derivatives back through `eliminate_pendant`; answer the causes it summed out."""
    apart()
    model, state, notes = model_at(memory), state_at(memory), notes_at(memory)
    credited = rows_at(memory).credited
    for step in range(n_steps - 1, -1, -1):
        kind, c, slot = (
            state.steps[5 * step + KIND],
            state.steps[5 * step + CAUSE],
            state.steps[5 * step + SLOT],
        )
        if kind == _CLOSE_AXIS:
            each = 1.0 / state.scales[3 * step]
            if state.slots[8 * slot + SIZE]:
                for s in range(state.slots[8 * slot + SIZE]):
                    state.adjoints[model.n_states * slot + s] = each
            else:
                adjoint = moved(state.adjoints, model.n_states * slot)
                adjoint[0], adjoint[1], adjoint[2], adjoint[3] = 0.0, each, each, 0.0
        elif kind == _CLOSE_CAUSE:
            at, each = state.causes[4 * c + TABLE], 1.0 / state.scales[3 * step]
            state.tables[4 * at + BY_PRESENT] = each
            state.tables[4 * at + BY_ABSENT] = each
            posterior[c] = state.weights[2 * c + ON] * state.tables[4 * at + PRESENT] * each
            if credited:
                idle[c] = state.spared[c] * posterior[c]
        elif kind == _FOLD:
            left, by_strength = _unfold(model, state, notes, c, slot, step, posterior)
            if credited:
                idle[c] = state.spared[c] * left
            if notes.linked and state.slots[8 * slot + SIZE] == 0:
                note_link(model, state, notes, c, slot, posterior[c], by_strength, credit)
        elif kind == _CONTRACT:
            by_strength = _uncontract(model, state, notes, c, slot, step)
            if notes.linked:
                note_link(model, state, notes, c, slot, posterior[c], by_strength, credit)
        else:
            uncontract_risk(model, state, c, slot, step)


@inlined
def _unfold(
    model: Model, state: State, notes: Notes, c: int, slot: int, step: int, posterior: Floats
) -> tuple[float, float]:
    """Answer a cause; P(it produced no symptom), derivative by the strength of its link."""
    at, each = state.steps[5 * step + FIRST], 1.0 / state.scales[3 * step]
    before, adjoint = (
        moved(state.before, model.n_states * step),
        moved(state.adjoints, model.n_states * slot),
    )
    on, off = state.weights[2 * c + ON], state.weights[2 * c + OFF]
    if state.slots[8 * slot + SIZE]:
        joint = 0.0
        for s in range(state.slots[8 * slot + SIZE]):
            value = adjoint[s] * each
            state.tables[4 * (at + s) + BY_PRESENT] = state.tables[4 * (at + s) + BY_ABSENT] = (
                value * before[s]
            )
            joint += on * state.tables[4 * (at + s) + PRESENT] * value * before[s]
            adjoint[s] = value * (
                on * state.tables[4 * (at + s) + PRESENT]
                + off * state.tables[4 * (at + s) + ABSENT]
            )
        posterior[c] = joint
        return joint, 0.0
    active, inactive = on * state.tables[4 * at + PRESENT], off * state.tables[4 * at + ABSENT]
    for s in range(4):
        adjoint[s] *= each
    link = link_of(model, state, c, slot)
    with_cause = pulled(link, adjoint)
    leak = (1.0 - link.leak_gain) * adjoint[2] * before[2]
    by_strength = (state.share[slot] - before[1]) * adjoint[1] - leak - before[3] * adjoint[3]
    by_factor = (link.keep * before[2] - before[3]) * adjoint[2]
    note_inhibitor(model, state, notes, c, slot, active * by_factor)
    left = active * link.keep * (adjoint[0] + adjoint[1] * before[1] + leak)
    by_present, by_absent = 0.0, 0.0
    for s in range(4):
        by_present += with_cause[s] * before[s]
        by_absent += adjoint[s] * before[s]
        adjoint[s] = inactive * adjoint[s] + active * with_cause[s]
    state.tables[4 * at + BY_PRESENT], state.tables[4 * at + BY_ABSENT] = by_present, by_absent
    posterior[c] = active * by_present
    return left if state.symptom[slot] >= 0.0 else posterior[c], active * by_strength


@inlined
def _uncontract(model: Model, state: State, notes: Notes, c: int, slot: int, step: int) -> float:
    """Derivatives are with respect to the products on · present and off · absent.

    Returns that by the strength of the link.
    """
    link, vector = link_of(model, state, c, slot), moved(state.before, model.n_states * step)
    adjoint, scaled = moved(state.adjoints, model.n_states * slot), state.scales[3 * step]
    on, off = state.scales[3 * step + 1], state.scales[3 * step + 2]
    with_cause = acted(link, vector)
    active, inactive = with_cause[1] + with_cause[2], vector[1] + vector[2]
    at, by_active, by_inactive = state.causes[4 * c + TABLE], 0.0, 0.0
    for i in range(at, at + n_joint(model, state, c)):
        by_active += state.tables[4 * i + BY_PRESENT] * state.tables[4 * i + PRESENT]
        by_inactive += state.tables[4 * i + BY_ABSENT] * state.tables[4 * i + ABSENT]
        state.tables[4 * i + BY_PRESENT] *= active * scaled
        state.tables[4 * i + BY_ABSENT] *= inactive * scaled
    by_active *= on * scaled
    by_inactive *= off * scaled
    state.weights[2 * c + ON], state.weights[2 * c + OFF] = on, off
    adjoint[0], adjoint[1], adjoint[2], adjoint[3] = 0.0, by_active, by_active, 0.0
    with_cause = pulled(link, adjoint)
    for s in range(4):
        adjoint[s] = with_cause[s]
    adjoint[1] += by_inactive
    adjoint[2] += by_inactive
    note_inhibitor(model, state, notes, c, slot, by_active * (link.keep * vector[2] - vector[3]))
    by_strength = state.share[slot] - vector[1] - (1.0 - link.leak_gain) * vector[2]
    return float(by_active * by_strength)
