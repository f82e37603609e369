"""Third step of a case: in which order the causes of the core go over the frontier.

Axis by axis, greedily: the next one is that whose causes open the fewest further components, less
half of what they close (min-frontier, as in `bayesdx.inference.noisy.ordering`, but with the true
number of components of each axis). Applied cause by cause, so that each axis opens with its first
cause and closes with its last.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesdx.inference.noisy.jit.jit import Word, compiled, lowest, ones
from bayesdx.inference.noisy.jit.work import (
    AXIS,
    COUNT,
    SIZE,
    UNUSED,
    WIDTH,
    Program,
    State,
    Words,
)
from bayesdx.inference.noisy.limits import EASY_LOG2_FRONTIER
from bayesdx.inference.noisy.model import EXPLAIN_INHIBITED, LEAK_GAIN, Axes

#: Operations of a plan: open a slot, close it (64 + slot), apply a cause (128 + cause).
CLOSE, APPLY = 64, 128
_ONE = np.uint64(1)
_WORD = 64
_LARGEST = int(2**EASY_LOG2_FRONTIER)


@compiled
def find_core(axes: Axes, state: State, words: Words, n_slots: int) -> int:
    """List the causes left; give their slots a width on the frontier."""
    n_core = 0
    for c in range(len(state.mask)):
        if state.mask[c]:
            state.core[n_core] = c
            n_core += 1
    n_words = (n_core + _WORD - 1) // _WORD
    for slot in range(n_slots):
        state.slots[slot, WIDTH] = state.slots[slot, SIZE]
        if state.slots[slot, COUNT]:
            for w in range(n_words):
                words.sets[slot, w] = 0
    for i in range(n_core):
        mask, bit, word = state.mask[state.core[i]], _ONE << np.uint64(i % _WORD), i // _WORD
        while mask:
            words.sets[lowest(mask), word] |= bit
            mask &= mask - _ONE
    for slot in range(n_slots):
        if state.slots[slot, COUNT] and state.slots[slot, SIZE] == 0:
            _choose_width(axes, state, words, slot, n_words)
    return n_core


@compiled
def _choose_width(axes: Axes, state: State, words: Words, slot: int, n_words: int) -> None:
    """Components 2 and 3 are needed only while a cause that lowers the leak is left."""
    axis, vector = state.slots[slot, AXIS], state.vectors[slot]
    lowered = False
    if axes.classes[axis] == EXPLAIN_INHIBITED:
        for w in range(n_words):
            left = words.sets[slot, w]
            while left:
                c = state.core[w * _WORD + lowest(left)]
                lowered |= axes.links[axis, c, LEAK_GAIN] > 0.0
                left &= left - _ONE
    if lowered:
        state.slots[slot, WIDTH] = 4 if vector[3] > 0.0 else 3
    else:
        state.slots[slot, WIDTH] = 2
        vector[1] += vector[2]
        vector[2], vector[3] = 0.0, 0.0


@compiled
def make_plan(
    log_size: Any,
    state: State,
    words: Words,
    program: Program,
    n_core: int,
    n_slots: int,
    rates: tuple[int, int],
) -> float:
    """Write a plan; return its components summed over operations, -1 if too many.

    ``rates`` are the price of a cause in sixteenths of a bit and the share, in eighths, that is
    given back for what closes.
    """
    n_words = (n_core + _WORD - 1) // _WORD
    alive: Word = np.uint64(0)
    opened: Word = np.uint64(0)
    for slot in range(n_slots):
        state.slots[slot, UNUSED] = state.slots[slot, COUNT]
        if state.slots[slot, COUNT]:
            alive |= _ONE << np.uint64(slot)
            for w in range(n_words):
                words.left[slot, w] = words.sets[slot, w]
    _reach_again(state, words, alive, n_words)
    program.needs[0], program.needs[1], program.needs[2] = 0, 1, 1
    size, cost = 1, 0.0
    while alive:
        best = _cheapest(log_size, state.slots, words, alive, opened, n_words, rates)
        touched = words.reach[best]
        size, opened, more = _emit(log_size, state, words, program, best, opened, size, n_words)
        if size < 0:
            return -1.0
        cost += more
        others = touched & alive
        while others:
            slot = lowest(others)
            others &= others - _ONE
            if state.slots[slot, UNUSED] == 0:
                alive &= ~(_ONE << np.uint64(slot))
        _reach_again(state, words, alive & touched, n_words)
    return cost


@compiled
def _reach_again(state: State, words: Words, slots: Word, n_words: int) -> None:
    """Find what the causes left on some slots act on."""
    while slots:
        slot = lowest(slots)
        slots &= slots - _ONE
        reach = np.uint64(0)
        for w in range(n_words):
            left = words.left[slot, w]
            while left:
                reach |= state.mask[state.core[w * _WORD + lowest(left)]]
                left &= left - _ONE
        words.reach[slot] = reach


@compiled
def _cheapest(
    log_size: Any,
    slots: Any,
    words: Words,
    alive: Word,
    opened: Word,
    n_words: int,
    rates: tuple[int, int],
) -> int:
    best, least, candidates = 0, 1 << 30, alive
    while candidates:
        slot = lowest(candidates)
        candidates &= candidates - _ONE
        key = 0
        for w in range(n_words):
            key += rates[0] * ones(words.left[slot, w])
        key *= 8
        reach = words.reach[slot]
        while reach:
            other = lowest(reach)
            bit = reach & (~reach + _ONE)
            reach ^= bit
            bits = log_size[slots[other, WIDTH]]
            if not opened & bit:
                key += 8 * bits
            stays = np.uint64(0)
            for w in range(n_words):
                stays |= words.left[other, w] & ~words.left[slot, w]
            if stays == 0:
                key -= rates[1] * bits
        if key < least:
            best, least = slot, key
    return best


@compiled
def _emit(
    log_size: Any,
    state: State,
    words: Words,
    program: Program,
    best: int,
    opened: Word,
    size: int,
    n_words: int,
) -> tuple[int, Word, float]:
    """Write the operations that apply every cause left on a slot; narrow ones first."""
    cost, n_queued = 0.0, 0
    for w in range(n_words):
        left = words.left[best, w]
        while left:
            state.queue[n_queued] = state.core[w * _WORD + lowest(left)]
            n_queued += 1
            left &= left - _ONE
    for w in range(n_words):
        gone = words.left[best, w]
        reach = words.reach[best]
        while reach and gone:
            words.left[lowest(reach), w] &= ~gone
            reach &= reach - _ONE
    while n_queued:
        chosen, least = 0, 1 << 30
        for i in range(n_queued):
            growth, new = 0, state.mask[state.queue[i]] & ~opened
            while new:
                growth += log_size[state.slots[lowest(new), WIDTH]]
                new &= new - _ONE
            if growth < least:
                chosen, least = i, growth
        c = state.queue[chosen]
        n_queued -= 1
        state.queue[chosen] = state.queue[n_queued]
        size = _open_slots(state.slots, program, state.mask[c] & ~opened, size)
        if size > _LARGEST:
            return -1, opened, cost
        opened |= state.mask[c]
        _operate(program, APPLY + c, size)
        cost += size
        size, opened = _close_slots(state.slots, program, state.mask[c], opened, size)
    return size, opened, cost


@compiled
def _operate(program: Program, operation: int, size: int) -> None:
    """Note an operation that writes ``size`` components."""
    program.plan[program.needs[0]] = operation
    program.needs[0] += 1
    program.needs[1] += size
    program.needs[2] = max(program.needs[2], size)


@compiled
def _open_slots(slots: Any, program: Program, new: Word, size: int) -> int:
    while new:
        slot = lowest(new)
        new &= new - _ONE
        size *= slots[slot, WIDTH]
        if size > _LARGEST:
            return size
        _operate(program, slot, size)
    return size


@compiled
def _close_slots(
    slots: Any, program: Program, touched: Word, opened: Word, size: int
) -> tuple[int, Word]:
    while touched:
        slot = lowest(touched)
        touched &= touched - _ONE
        slots[slot, UNUSED] -= 1
        if slots[slot, UNUSED] == 0:
            size //= slots[slot, WIDTH]
            opened &= ~(_ONE << np.uint64(slot))
            _operate(program, CLOSE + slot, size)
    return size, opened
