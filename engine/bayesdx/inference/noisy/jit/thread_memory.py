"""What one thread writes on, allocated."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np

from bayesdx.inference.arrays import FloatArray, IntArray, on_lines
from bayesdx.inference.noisy.jit.memory import (
    ADJOINTS,
    COMPONENTS,
    LARGEST,
    Model,
    Notes,
    Room,
    Rows,
    State,
)
from bayesdx.inference.noisy.jit.tree_memory import tree_memory
from bayesdx.inference.noisy.limits import MAX_AXES
from bayesdx.inference.noisy.model import ModelArrays
from bayesdx.inference.typed import addresses


def model_memory(arrays: ModelArrays) -> Model:
    """Arrange a model's arrays, which must stay alive."""
    absence, ordinals, risks, priors, axes = arrays
    n_causes = len(priors.parent_first) - 1
    return Model(
        n_causes,
        len(axes.leak),
        len(ordinals.size),
        len(axes.risk),
        max(4, axes.start.shape[1]),
        axes.exceed.shape[-1],
        int(np.diff(priors.parent_first).max(initial=1)),
        max(1, -(-n_causes // 64)),
        *absence,
        *ordinals,
        *risks,
        *priors,
        axes.links,
        axes.touch_first,
        axes.touch_cause,
        np.pad(axes.start, ((0, 0), (0, max(0, 4 - axes.start.shape[1])))),
        axes.opening,
        axes.bound,
        axes.sizes,
        axes.leak,
        axes.suppress,
        axes.exceed,
        axes.risk,
        axes.log_size,
    )


def state_memory(arrays: ModelArrays, model: Model) -> State:
    """Allocate for any case of a model."""
    causes, states, words = model.n_causes, model.n_states, model.n_words
    steps = causes + 2 * MAX_AXES
    joint = _joint_states(arrays)

    def integers(*shape: int) -> IntArray:
        return np.zeros(shape, dtype=np.int64)

    def masks(*shape: int) -> Any:
        return np.zeros(shape, dtype=np.uint64)

    block = np.zeros(2 + 2 * causes + MAX_AXES * states)
    whole = integers(1 + (4 + model.n_parents) * causes)
    return State(
        scale=block[:2],
        mask=masks(causes),
        weights=block[2 : 2 + 2 * causes],
        causes=whole[1 : 1 + 4 * causes],
        own=whole[1 + 4 * causes :],
        slots=integers(MAX_AXES, 8),
        vectors=block[2 + 2 * causes :],
        share=np.zeros(MAX_AXES),
        symptom=np.zeros(MAX_AXES),
        spared=np.zeros(causes),
        adjoints=np.zeros((MAX_AXES, states)),
        # Every risk summed out of a table at least halves it.
        tables=np.zeros((2 * sum(joint), 4)),
        top=whole[:1],
        entry=integers(sum(joint)),
        noted=integers(1),
        core=integers(causes),
        queue=integers(causes + MAX_AXES),
        entries=integers(max(joint, default=1)),
        slot_of=integers(model.n_risks),
        dims=integers(MAX_AXES),
        steps=integers(steps, 5),
        scales=np.zeros((steps, 3)),
        before=np.zeros((steps, states)),
        sets=masks(MAX_AXES, words),
        left=masks(MAX_AXES, words),
        reach=masks(MAX_AXES),
        price=integers(MAX_AXES),
        plan=integers(steps),
        needs=integers(4),
        trace=integers(steps + 1, 3),
        factors=np.zeros(steps),
        block=block,
        saved_block=np.empty_like(block),
        whole=whole,
        saved_whole=np.empty_like(whole),
        saved_mask=masks(causes),
    )


def room_memory(n_tape: int, n_frontier: int, n_adjoints: int) -> Room:
    """Allocate for a frontier of so many components and its history."""

    def numbers(size: int) -> FloatArray:
        # Cases of which no risk is known take 5 % less on lines of the cache.
        return on_lines((size,), np.float64)

    return Room(
        n_tape=n_tape,
        n_frontier=n_frontier,
        n_adjoints=n_adjoints,
        tape=numbers(n_tape),
        active=numbers(n_frontier),
        inactive=numbers(n_frontier),
        adjoint=numbers(n_frontier),
        other=numbers(n_frontier),
        pulled=numbers(n_frontier),
        idle=numbers(n_frontier),
        adjoints=numbers(n_adjoints),
        places=np.empty(n_frontier, dtype=np.int64),
    )


#: Numbers on the tape, on the frontier and for derivatives that are there from the start; how many
#: are kept from case to case.
_AT_FIRST, _MOST_KEPT = (1 << 18, 1 << 14, 1 << 18), 1 << 25


class Workspace:
    """What one thread writes on; ``places`` says the compiled code where everything lies."""

    def __init__(self, arrays: ModelArrays, model: Model) -> None:
        self._model, self._state = model, state_memory(arrays, model)
        self._tree = tree_memory(arrays, model.n_causes, model.n_states)
        self._allocate(_AT_FIRST)

    def _allocate(self, sizes: tuple[int, int, int]) -> None:
        self._room = room_memory(*sizes)
        self._places = addresses(self._model, self._state, self._room)

    @property
    def wants_much(self) -> bool:
        """Whether the case that was left for lack of room needs more than is kept for others."""
        return int(self._state.needs[COMPONENTS] + self._state.needs[ADJOINTS]) > _MOST_KEPT

    def make_room(self) -> None:
        """Make room for the case that was left for lack of it, and for others twice as large.

        Memory that nobody has written on costs nothing.
        """
        room, needs = self._room, self._state.needs
        had = room.n_tape, room.n_frontier, room.n_adjoints
        own = [int(needs[one]) for one in (COMPONENTS, LARGEST, ADJOINTS)]
        tape, frontier, adjoints = (
            size if need <= size else 2 * need for need, size in zip(own, had, strict=True)
        )
        if tape + adjoints > _MOST_KEPT:
            tape, frontier, adjoints = map(max, own, _AT_FIRST)
        # The old room goes before the new one comes.
        del room
        self._room = room_memory(1, 1, 1)
        self._allocate((tape, frontier, adjoints))

    def shrink(self) -> None:
        """Give back what a large case needed."""
        self._allocate(_AT_FIRST)

    def places(self, rows: Rows, notes: Notes) -> IntArray:
        """Addresses of everything that answering some rows needs."""
        return np.concatenate([self._places, addresses(rows, self._tree, notes)])


def _joint_states(arrays: ModelArrays) -> list[int]:
    """Joint states of the shared risks of each cause."""
    axis = arrays.axes.risk[arrays.priors.parent[:, 0]]
    size = np.where(axis >= 0, arrays.axes.sizes[axis], 1).tolist()
    first = arrays.priors.parent_first.tolist()
    return [math.prod(size[a:b]) for a, b in pairwise(first)]
