"""What one thread writes on while it answers a case: K = 64 slots, one for each axis it has."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from bayesdx.inference.arrays import FloatArray, IntArray, MaskArray
from bayesdx.inference.noisy.limits import MAX_AXES
from bayesdx.inference.noisy.model import ModelArrays

#: Columns of `State.weights`, `State.causes`, `State.slots`, `State.tables`; of `Record.steps`; of
#: `Program.trace`. What must be many small arrays is few wide ones: each array that is passed to a
#: compiled function costs it ten machine words.
ON, OFF = range(2)
TABLE, N_RISKS, POSSIBLE, DERIVED, RISKS = range(5)
AXIS, SIZE, COUNT, LINK, WIDTH, UNUSED, STRIDE, ENTRY = range(8)
PRESENT, ABSENT, BY_PRESENT, BY_ABSENT = range(4)
KIND, CAUSE, SLOT, FIRST, ALONG = range(5)
AT, LENGTH = range(2)
#: Last column of `State.vectors`.
SHARE = -1


class State(NamedTuple):
    """A case while it is answered.

    Attributes
    ----------
    scale : array (2,)
        Product, and sum of logs, of what has been summed out.
    mask : uint64 array (C,)
        Slots a cause still acts on.
    weights : array (C, 2)
        Factors of the cause being active and inactive.
    causes : int array (C, 4 + P)
        Where the cause's prior begins, how many risks it depends on, whether any state of them
        allows it, whether derivatives by its prior are needed; the risks' slots, the first one
        fastest in the table.
    slots : int array (K, 8)
        Axis; components (0 for evidence); how many causes still act on it; the exclusive or of
        their positions; then, on the frontier, its components, causes still to come, its stride,
        and its stride in the table of the cause in hand, else 0.
    vectors : array (K, S + 1)
        Components of a slot with the causes that were folded into it; last, what its gains are
        multiplied by.
    adjoints : array (K, S)
        Derivatives of the log evidence with respect to these components.
    tables : array (T, 4)
        P(present), P(absent) by joint states of a cause's risks; derivatives of the log evidence
        with respect to their products with the weights.
    top : int array (1,)
        Entries of ``tables`` in use.
    core, queue, entries, slot_of, dims : int arrays
        Causes left after peeling; causes that wait; scratch; slots of risks; slots open on the
        frontier, that of stride 1 first.
    """

    scale: FloatArray
    mask: MaskArray
    weights: FloatArray
    causes: IntArray
    slots: IntArray
    vectors: FloatArray
    adjoints: FloatArray
    tables: FloatArray
    top: IntArray
    core: IntArray
    queue: IntArray
    entries: IntArray
    slot_of: IntArray
    dims: IntArray


class Record(NamedTuple):
    """What was peeled, in order.

    Attributes
    ----------
    steps : int array (…, 5)
        What was done, cause, slot, where the cause's table was, stride of the risk in it.
    scales, vectors : arrays (…, 3), (…, S)
        Numbers that the way back needs.
    """

    steps: IntArray
    scales: FloatArray
    vectors: FloatArray


class Words(NamedTuple):
    """Sets as bits.

    Attributes
    ----------
    sets, left : uint64 arrays (K, C / 64)
        Core causes that act on a slot, all and those not applied yet.
    reach : uint64 array (K,)
        Slots that the latter act on.
    """

    sets: MaskArray
    left: MaskArray
    reach: MaskArray


class Program(NamedTuple):
    """Operations on the frontier.

    Attributes
    ----------
    plan : int array (…,)
    needs : int array (3,)
        How many operations, components they write, largest frontier.
    trace : int array (…, 5)
        Where the frontier lay before each operation, its size; column ``ALONG``: the stride of the
        axis that was closed.
    scales : array (…,)
        What the result was multiplied by.
    """

    plan: IntArray
    needs: IntArray
    trace: IntArray
    scales: FloatArray


class Work(NamedTuple):
    """All of it."""

    state: State
    record: Record
    words: Words
    program: Program


def new_work(layout: ModelArrays) -> Work:
    """Allocate for any case of a model."""
    n_causes = len(layout.priors.parent_first) - 1
    states = max(4, layout.axes.start.shape[1])
    steps = n_causes + 2 * MAX_AXES
    words = max(1, -(-n_causes // 64))
    joint = _joint_states(layout)
    return Work(
        state=State(
            scale=np.zeros(2),
            mask=np.zeros(n_causes, dtype=np.uint64),
            weights=np.zeros((n_causes, 2)),
            causes=_integers(n_causes, RISKS + _most_parents(layout)),
            slots=_integers(MAX_AXES, 8),
            vectors=np.zeros((MAX_AXES, states + 1)),
            adjoints=np.zeros((MAX_AXES, states)),
            # Every risk summed out of a table at least halves it.
            tables=np.zeros((2 * sum(joint), 4)),
            top=_integers(1),
            core=_integers(n_causes),
            queue=_integers(n_causes + MAX_AXES),
            entries=_integers(max(joint, default=1)),
            slot_of=_integers(len(layout.axes.risk)),
            dims=_integers(MAX_AXES),
        ),
        record=Record(_integers(steps, 5), np.zeros((steps, 3)), np.zeros((steps, states))),
        words=Words(
            sets=np.zeros((MAX_AXES, words), dtype=np.uint64),
            left=np.zeros((MAX_AXES, words), dtype=np.uint64),
            reach=np.zeros(MAX_AXES, dtype=np.uint64),
        ),
        program=Program(_integers(steps), _integers(3), _integers(steps + 1, 5), np.zeros(steps)),
    )


def _integers(*shape: int) -> IntArray:
    return np.zeros(shape, dtype=np.intp)


def _most_parents(layout: ModelArrays) -> int:
    return int(np.diff(layout.priors.parent_first).max(initial=1))


def _joint_states(layout: ModelArrays) -> list[int]:
    """Joint states of the shared risks of each cause."""
    axis = layout.axes.risk[layout.priors.parent[:, 0]]
    size = np.where(axis >= 0, layout.axes.sizes[axis], 1).tolist()
    first = layout.priors.parent_first.tolist()
    return [math.prod(size[a:b]) for a, b in pairwise(first)]
