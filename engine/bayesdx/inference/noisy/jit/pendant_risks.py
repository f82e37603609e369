"""Pendant elimination of a risk that one cause only depends on: the cause's table is averaged."""

from __future__ import annotations

from bayesdx.inference.noisy.jit.memory import (
    ABSENT,
    ALONG,
    BY_ABSENT,
    BY_PRESENT,
    FIRST,
    N_RISKS,
    OFF,
    ON,
    PRESENT,
    SIZE,
    TABLE,
    Model,
    State,
)
from bayesdx.inference.typed import inlined


@inlined
def n_joint(model: Model, state: State, c: int) -> int:
    """How many joint states the risks have that a cause's table still depends on."""
    total = 1
    for i in range(state.causes[4 * c + N_RISKS]):
        total *= state.slots[8 * state.own[model.n_parents * c + i] + SIZE]
    return total


@inlined
def contract_risk(model: Model, state: State, c: int, slot: int, step: int) -> None:
    """Sum a risk out on which one cause only depends; its table then holds the average."""
    stride, position = 1, 0
    while state.own[model.n_parents * c + position] != slot:
        stride *= state.slots[8 * state.own[model.n_parents * c + position] + SIZE]
        position += 1
    at, size, n_old = (
        state.causes[4 * c + TABLE],
        state.slots[8 * slot + SIZE],
        n_joint(model, state, c),
    )
    first = state.top[0]
    state.top[0] = first + n_old // size
    for outer in range(n_old // (stride * size)):
        for inner in range(stride):
            present, absent = 0.0, 0.0
            for s in range(size):
                source = at + (outer * size + s) * stride + inner
                present += (
                    state.vectors[model.n_states * slot + s] * state.tables[4 * source + PRESENT]
                )
                absent += (
                    state.vectors[model.n_states * slot + s] * state.tables[4 * source + ABSENT]
                )
            state.tables[4 * (first + outer * stride + inner) + PRESENT] = present
            state.tables[4 * (first + outer * stride + inner) + ABSENT] = absent
    for i in range(position, state.causes[4 * c + N_RISKS] - 1):
        state.own[model.n_parents * c + i] = state.own[model.n_parents * c + i + 1]
    state.causes[4 * c + N_RISKS] -= 1
    state.causes[4 * c + TABLE] = first
    state.steps[5 * step + FIRST] = at
    state.steps[5 * step + ALONG] = stride


@inlined
def uncontract_risk(model: Model, state: State, c: int, slot: int, step: int) -> None:
    """Pull derivatives back through `contract_risk`."""
    first, at, stride = (
        state.causes[4 * c + TABLE],
        state.steps[5 * step + FIRST],
        state.steps[5 * step + ALONG],
    )
    size, n_rest = state.slots[8 * slot + SIZE], n_joint(model, state, c)
    on, off = state.weights[2 * c + ON], state.weights[2 * c + OFF]
    for s in range(size):
        state.adjoints[model.n_states * slot + s] = 0.0
    for outer in range(n_rest // stride):
        for inner in range(stride):
            rest = first + outer * stride + inner
            by_present, by_absent = (
                state.tables[4 * rest + BY_PRESENT],
                state.tables[4 * rest + BY_ABSENT],
            )
            for s in range(size):
                source = at + (outer * size + s) * stride + inner
                value = on * state.tables[4 * source + PRESENT] * by_present
                value += off * state.tables[4 * source + ABSENT] * by_absent
                state.adjoints[model.n_states * slot + s] += value
                state.tables[4 * source + BY_PRESENT] = (
                    state.vectors[model.n_states * slot + s] * by_present
                )
                state.tables[4 * source + BY_ABSENT] = (
                    state.vectors[model.n_states * slot + s] * by_absent
                )
    state.causes[4 * c + TABLE] = at
    state.causes[4 * c + N_RISKS] += 1
    position, passed = 0, 1
    while passed < stride:
        passed *= state.slots[8 * state.own[model.n_parents * c + position] + SIZE]
        position += 1
    for i in range(state.causes[4 * c + N_RISKS] - 1, position, -1):
        state.own[model.n_parents * c + i] = state.own[model.n_parents * c + i - 1]
    state.own[model.n_parents * c + position] = slot
