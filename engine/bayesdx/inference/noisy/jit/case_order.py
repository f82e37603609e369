"""Third step of a case: in which order the causes of the 2-core go over the frontier.

Axis by axis, greedily: the next one is that whose causes open the fewest further components, less
part of what they close (min-frontier, as in `bayesdx.inference.noisy.ordering`, but with the true
number of components of each axis). Applied cause by cause, so that each axis opens with its first
cause and closes with its last. Dear cases are ordered several times, at different prices of what
closes, and the cheapest order is taken.
"""

from __future__ import annotations

import numpy as np

from bayesdx.inference.noisy.jit.memory import (
    AXIS,
    COMPONENTS,
    COUNT,
    LARGEST,
    OPERATIONS,
    SIZE,
    UNUSED,
    WIDTH,
    Model,
    State,
    model_at,
    state_at,
)
from bayesdx.inference.noisy.limits import EASY_LOG2_FRONTIER
from bayesdx.inference.noisy.model import LEAK_GAIN
from bayesdx.inference.typed import (
    Integers,
    Word,
    apart,
    compiled,
    inlined,
    lowest,
    moved,
    ones,
)

#: Operations of a plan: open a slot, close it (64 + slot), apply a cause (128 + cause).
CLOSE, APPLY = 64, 128
_ONE = np.uint64(1)
_WORD = 64
#: Components summed over causes above which no sweep is planned, and above which further orders
#: are tried; components of the largest frontier. What is kept for the way back, at most three times
#: the work, stays below 200 MB a thread.
_MOST_WORK, _DEAR, _LARGEST = 1 << 23, 1 << 13, int(2**EASY_LOG2_FRONTIER)
#: Price of a cause in sixteenths of a bit; how many shares, in eighths, of what closes are tried.
_CAUSE = 6
_TRIES = 5


@compiled
def plan_core(memory: Integers, n_slots: int) -> float:
    """Plan the sweep over the 2-core.

    Return its components summed over causes, 0 where nothing is left, infinity if it is too dear.
    """
    apart()
    model, state = model_at(memory), state_at(memory)
    n_core = _find_core(model, state, n_slots)
    if n_core == 0:
        return 0.0
    chosen, least, n_tried = 0, np.inf, 0
    while n_tried <= _TRIES:
        # The last round makes the best plan again, since each one is written over the one before.
        share = chosen if n_tried == _TRIES else (4 + 6 * n_tried) % 10
        cost = _make_plan(
            model, state, n_core, n_slots, share, least if n_tried < _TRIES else np.inf
        )
        n_tried += 1
        if cost < least:
            chosen, least = share, cost
            if n_tried == 1 and cost < _DEAR:
                return float(least)
        elif n_tried == _TRIES and least == np.inf:
            return np.inf
    return float(least) if least <= _MOST_WORK else np.inf


@inlined
def _find_core(model: Model, state: State, n_slots: int) -> int:
    """List the causes left; give their slots a width on the frontier."""
    n_core = 0
    for c in range(model.n_causes):
        if state.mask[c]:
            state.core[n_core] = c
            n_core += 1
    n_words = (n_core + _WORD - 1) // _WORD
    for slot in range(n_slots):
        state.slots[8 * slot + WIDTH] = state.slots[8 * slot + SIZE]
        if state.slots[8 * slot + COUNT]:
            for w in range(n_words):
                state.sets[n_words * slot + w] = np.uint64(0)
    for i in range(n_core):
        mask, bit, word = state.mask[state.core[i]], _ONE << np.uint64(i % _WORD), i // _WORD
        while mask:
            state.sets[n_words * lowest(mask) + word] |= bit
            mask &= mask - _ONE
    for slot in range(n_slots):
        if state.slots[8 * slot + COUNT] and state.slots[8 * slot + SIZE] == 0:
            _choose_width(model, state, slot, n_words)
    return n_core


@inlined
def _choose_width(model: Model, state: State, slot: int, n_words: int) -> None:
    """Components 2 and 3 are needed only while a cause that lowers the leak is left."""
    axis, vector = state.slots[8 * slot + AXIS], moved(state.vectors, model.n_states * slot)
    lowered = False
    if model.sizes[axis] > 2:
        for w in range(n_words):
            left = state.sets[n_words * slot + w]
            while left:
                c = state.core[w * _WORD + lowest(left)]
                lowered |= model.links[4 * (axis * model.n_causes + c) + LEAK_GAIN] > 0.0
                left &= left - _ONE
    if lowered:
        state.slots[8 * slot + WIDTH] = 4 if vector[3] > 0.0 else 3
    else:
        state.slots[8 * slot + WIDTH] = 2
        vector[1] += vector[2]
        vector[2], vector[3] = 0.0, 0.0


@inlined
def _make_plan(
    model: Model, state: State, n_core: int, n_slots: int, share: int, limit: float
) -> float:
    """Write a plan; return its components summed over causes, infinity above the limit."""
    n_words = (n_core + _WORD - 1) // _WORD
    alive: Word = np.uint64(0)
    opened: Word = np.uint64(0)
    for slot in range(n_slots):
        state.slots[8 * slot + UNUSED] = state.slots[8 * slot + COUNT]
        if state.slots[8 * slot + COUNT]:
            alive |= _ONE << np.uint64(slot)
            for w in range(n_words):
                state.left[n_words * slot + w] = state.sets[n_words * slot + w]
    _reach_again(state, alive, n_words)
    state.needs[OPERATIONS], state.needs[COMPONENTS], state.needs[LARGEST] = 0, 1, 1
    size, cost, stale = 1, 0.0, alive
    while alive:
        best = _cheapest(model, state, alive, stale, opened, n_words, share)
        touched = state.reach[best]
        size, opened, more = _emit(model, state, best, opened, size, n_words)
        cost += more
        if size < 0 or cost > limit:
            return np.inf
        stale, others = np.uint64(0), alive
        while others:
            slot, bit = lowest(others), others & (~others + _ONE)
            others ^= bit
            if state.reach[slot] & touched:
                stale |= bit
            if touched & bit and state.slots[8 * slot + UNUSED] == 0:
                alive ^= bit
        stale &= alive
        _reach_again(state, alive & touched, n_words)
    return cost


@inlined
def _reach_again(state: State, slots: Word, n_words: int) -> None:
    """Find what the causes left on some slots act on."""
    while slots:
        slot = lowest(slots)
        slots &= slots - _ONE
        reach = np.uint64(0)
        for w in range(n_words):
            left = state.left[n_words * slot + w]
            while left:
                reach |= state.mask[state.core[w * _WORD + lowest(left)]]
                left &= left - _ONE
        state.reach[slot] = reach


@inlined
def _cheapest(
    model: Model, state: State, alive: Word, stale: Word, opened: Word, n_words: int, share: int
) -> int:
    """Find the axis to eliminate next; only prices that are ``stale`` are reckoned again."""
    best, least, candidates = 0, 1 << 30, alive
    while candidates:
        slot, bit = lowest(candidates), candidates & (~candidates + _ONE)
        candidates ^= bit
        if stale & bit:
            state.price[slot] = _price(model, state, slot, opened, n_words, share)
        if state.price[slot] < least:
            best, least = slot, state.price[slot]
    return best


@inlined
def _price(model: Model, state: State, slot: int, opened: Word, n_words: int, share: int) -> int:
    key, reach = 0, state.reach[slot]
    for w in range(n_words):
        key += 8 * _CAUSE * ones(state.left[n_words * slot + w])
    while reach:
        other, bit = lowest(reach), reach & (~reach + _ONE)
        reach ^= bit
        bits = model.log_size[state.slots[8 * other + WIDTH]]
        if not opened & bit:
            key += 8 * bits
        stays = np.uint64(0)
        for w in range(n_words):
            stays |= state.left[n_words * other + w] & ~state.left[n_words * slot + w]
        if stays == 0:
            key -= share * bits
    return key


@inlined
def _emit(
    model: Model, state: State, best: int, opened: Word, size: int, n_words: int
) -> tuple[int, Word, float]:
    """Write the operations that apply every cause left on a slot; narrow ones first."""
    cost, n_queued = 0.0, 0
    for w in range(n_words):
        left = state.left[n_words * best + w]
        while left:
            state.queue[n_queued] = state.core[w * _WORD + lowest(left)]
            n_queued += 1
            left &= left - _ONE
    for w in range(n_words):
        gone = state.left[n_words * best + w]
        reach = state.reach[best]
        while reach and gone:
            state.left[n_words * lowest(reach) + w] &= ~gone
            reach &= reach - _ONE
    while n_queued:
        chosen, least = 0, 1 << 30
        for i in range(n_queued):
            growth, new = 0, state.mask[state.queue[i]] & ~opened
            while new:
                growth += model.log_size[state.slots[8 * lowest(new) + WIDTH]]
                new &= new - _ONE
            if growth < least:
                chosen, least = i, growth
        c = state.queue[chosen]
        n_queued -= 1
        state.queue[chosen] = state.queue[n_queued]
        size = _open_slots(state, state.mask[c] & ~opened, size)
        if size > _LARGEST:
            return -1, opened, cost
        opened |= state.mask[c]
        _operate(state, APPLY + c, size)
        cost += size
        size, opened = _close_slots(state, state.mask[c], opened, size)
    return size, opened, cost


@inlined
def _operate(state: State, operation: int, size: int) -> None:
    """Note an operation that writes ``size`` components."""
    state.plan[state.needs[OPERATIONS]] = operation
    state.needs[OPERATIONS] += 1
    state.needs[COMPONENTS] += size
    if size > state.needs[LARGEST]:
        state.needs[LARGEST] = size


@inlined
def _open_slots(state: State, new: Word, size: int) -> int:
    while new:
        slot = lowest(new)
        new &= new - _ONE
        size *= state.slots[8 * slot + WIDTH]
        if size > _LARGEST:
            return size
        _operate(state, slot, size)
    return size


@inlined
def _close_slots(state: State, touched: Word, opened: Word, size: int) -> tuple[int, Word]:
    while touched:
        slot = lowest(touched)
        touched &= touched - _ONE
        state.slots[8 * slot + UNUSED] -= 1
        if state.slots[8 * slot + UNUSED] == 0:
            size //= state.slots[8 * slot + WIDTH]
            opened &= ~(_ONE << np.uint64(slot))
            _operate(state, CLOSE + slot, size)
    return size, opened
