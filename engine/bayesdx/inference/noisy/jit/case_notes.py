"""What is noted on the way back of a case: what its links did, and derivatives by every number.

Columns are those of `bayesdx.inference.noisy.note_book`; in `score_notes` they become derivatives
by the numbers of a network.
"""

from __future__ import annotations

from bayesdx.inference.noisy.jit.memory import (
    AXIS,
    BY_ABSENT,
    BY_PRESENT,
    OFF,
    ON,
    PRESENT,
    SIZE,
    TABLE,
    Model,
    Notes,
    State,
    model_at,
    notes_at,
    rows_at,
    state_at,
)
from bayesdx.inference.noisy.jit.pendant_risks import n_joint
from bayesdx.inference.noisy.model import GAIN, KEEP
from bayesdx.inference.typed import Floats, Integers, apart, compiled, inlined, moved

_HALF = 0.5


@inlined
def note(state: State, notes: Notes, column: int, value: float) -> None:
    """Note one derivative of the case in hand."""
    at = state.noted[0]
    notes.columns[at], notes.values[at] = column, value
    state.noted[0] = at + 1


@inlined
def note_link(
    model: Model,
    state: State,
    notes: Notes,
    c: int,
    slot: int,
    posterior: float,
    by_strength: float,
    credit: Floats,
) -> None:
    """Note the derivative by the strength of a link, and credit the cause with a symptom.

    On the axis of a symptom that derivative is P(cause present, nothing else reaches the axis |
    evidence).
    """
    link = state.slots[8 * slot + AXIS] * model.n_causes + c
    if state.symptom[slot] > 0.0:
        gain, keep = model.links[4 * link + GAIN], model.links[4 * link + KEEP]
        credit[c] += state.symptom[slot] * 0.5 * gain * (posterior + (1.0 + keep) * by_strength)
    if notes.scored:
        note(state, notes, notes.link + 2 * link, by_strength)


@inlined
def note_inhibitor(
    model: Model, state: State, notes: Notes, c: int, slot: int, by_factor: float
) -> None:
    """Note the derivative by what a cause leaves of a leak."""
    if notes.scored and by_factor != 0.0:
        link = state.slots[8 * slot + AXIS] * model.n_causes + c
        note(state, notes, notes.link + 2 * link + 1, by_factor)


@compiled
def note_case(memory: Integers, n_slots: int, row: int, posterior: Floats) -> None:
    """Note derivatives by all that is no link on an axis, when a case has been pulled back."""
    apart()
    model, state, rows, notes = (
        model_at(memory),
        state_at(memory),
        rows_at(memory),
        notes_at(memory),
    )
    _note_risks(model, state, notes, moved(rows.risks, row * model.n_risks))
    findings = moved(rows.findings, row * model.n_findings)
    for slot in range(n_slots):
        if state.slots[8 * slot + SIZE] == 0:
            _note_opening(model, state, notes, slot, findings)
    for f in range(model.n_findings):
        if findings[f] == 0.0:
            _note_absence(model, state, notes, f, posterior)
    for o in range(model.n_ordinals):
        high = rows.upper[row * model.n_ordinals + o]
        if 0 <= high < model.ordinal_size[o] - 1:
            _note_absence(model, state, notes, model.ordinal_level[o] + high, posterior)
    _note_tables(model, state, notes)
    notes.end[row] = state.noted[0]


@inlined
def _note_risks(model: Model, state: State, notes: Notes, risks: Integers) -> None:
    for r in range(model.n_risks):
        first, value = model.risk_first[r], risks[r]
        if value >= 0:
            note(state, notes, notes.risk + first + value, 1.0 / model.risk_prior[first + value])
        elif model.risk_axis[r] >= 0:
            slot = state.slot_of[r]
            for s in range(state.slots[8 * slot + SIZE]):
                by_state = state.adjoints[model.n_states * slot + s]
                note(state, notes, notes.risk + first + s, by_state)


@inlined
def _note_opening(model: Model, state: State, notes: Notes, slot: int, findings: Floats) -> None:
    """Note the derivative by the leak of an axis; see `operator.opening_of_finding`."""
    axis, by = state.slots[8 * slot + AXIS], moved(state.adjoints, model.n_states * slot)
    present = findings[axis] if axis < model.n_findings else 1.0
    lean = 2.0 * present - 1.0
    if model.sizes[axis] < 4:
        value = lean * by[1]
    elif present < _HALF:
        value = lean * by[1] - lean * by[3]
    else:
        value = lean * by[2]
    bound = 1.0 - present + present * model.bound[axis]
    note(state, notes, notes.opening + axis, value / bound)


@inlined
def _note_absence(model: Model, state: State, notes: Notes, column: int, posterior: Floats) -> None:
    note(state, notes, notes.leak + column, 1.0)
    for e in range(model.absent_first[column], model.absent_first[column + 1]):
        note(state, notes, notes.absence + e, posterior[model.absent_cause[e]])


@inlined
def _note_tables(model: Model, state: State, notes: Notes) -> None:
    for c in range(model.n_causes):
        first, on, off = (
            state.causes[4 * c + TABLE],
            state.weights[2 * c + ON],
            state.weights[2 * c + OFF],
        )
        for i in range(first, first + n_joint(model, state, c)):
            prior, own = state.tables[4 * i + PRESENT], moved(state.tables, 4 * i)
            if 0.0 < prior < 1.0:
                by_prior = on * own[BY_PRESENT] - off * own[BY_ABSENT]
                note(state, notes, notes.table + state.entry[i], by_prior)
