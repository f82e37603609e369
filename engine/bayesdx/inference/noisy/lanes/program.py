"""A plan of lanes as flat integer arrays, for the compiled kernel.

The numbers of all axes, links and causes stand below each other in four tables; the program says
where. Components of a frontier are numbered with the axis opened last as the slowest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bayesdx.inference.arrays import FloatArray, IntArray
from bayesdx.inference.noisy.lanes.problem import LaneProblem
from bayesdx.inference.noisy.lanes.running import LanePlan, Step

#: Columns of `LaneProgram.steps`, `touches`, `opens`, `closes` and `vectors`.
CAUSE, SIZE, TOUCH, TOUCH_END, ENTRY, OPEN, OPEN_END, CLOSE, CLOSE_END = range(9)
ROW, STRIDE, WIDTH, LOWERS = range(4)
FIRST, STATES, FOLDED = range(3)
#: How an axis is summed out: all states, component 1, components 1 and 2.
ALL, EXPLAINED, BOTH = range(3)


class LaneProgram(NamedTuple):
    """What the kernel does, the same in every lane.

    Attributes
    ----------
    steps : int array (n, 9)
        Cause, components, ranges of its touches, opens and closes, first of its ``entries``; those
        of the frontier, then those of single axes.
    n_steps : int
        How many act on the frontier.
    touches : int array (m, 4)
        Row of the links, stride and states of the axis, whether there are inhibitors.
    entries : int array
        Where the weight of each component stands among the weights of all causes.
    opens : int array (o, 3)
        First row of the start, states, whether single causes were folded into it.
    closes : int array (c, 3)
        Stride, states, how.
    singles : int array (s, 4)
        First row of the start, states, range of steps.
    isolated : int array (i, 3)
        First row of the start, states, how.
    free : int array (f, 2)
        Cause and its row among the weights.
    needs : int array (3,)
        Rows of the tape, components of the largest frontier, rows of the tape of single axes.
    """

    steps: IntArray
    n_steps: int
    touches: IntArray
    entries: IntArray
    opens: IntArray
    closes: IntArray
    singles: IntArray
    isolated: IntArray
    free: IntArray
    needs: IntArray


class LaneNumbers(NamedTuple):
    """What differs between lanes: starts, links (keep, gain, lowered) and weights of causes."""

    start: FloatArray  #: (starts, D)
    keep: FloatArray  #: (links, D)
    gain: FloatArray
    lowered: FloatArray
    active: FloatArray  #: (weights, D)
    inactive: FloatArray


def lane_numbers(problem: LaneProblem) -> LaneNumbers:
    """Put the numbers of a problem below each other."""
    none = np.zeros((0, len(problem.log_scale)))
    axes = problem.axes
    lowered = [np.ones_like(a.keep) if a.lowered is None else a.lowered for a in axes]
    return LaneNumbers(
        np.concatenate([none, *(axis.start for axis in axes), *problem.risk_starts]),
        np.concatenate([none, *(axis.keep for axis in axes)]),
        np.concatenate([none, *(axis.gain for axis in axes)]),
        np.concatenate([none, *lowered]),
        np.concatenate([none, *(one.reshape(-1, none.shape[1]) for one in problem.active)]),
        np.concatenate([none, *(one.reshape(-1, none.shape[1]) for one in problem.inactive)]),
    )


@dataclass
class _Writer:
    """Rows of a program that is being written."""

    problem: LaneProblem
    sizes: list[int]
    starts: IntArray
    links: IntArray
    weights: IntArray

    def __post_init__(self) -> None:
        self.steps: list[list[int]] = []
        self.touches: list[list[int]] = []
        self.opens: list[list[int]] = []
        self.closes: list[list[int]] = []
        self.entries: list[IntArray] = []
        self.n_entries = 0

    def how(self, axis: int) -> int:
        if axis >= len(self.problem.axes):
            return ALL
        return EXPLAINED if self.sizes[axis] == 2 else BOTH

    def step(self, step: Step, opened: list[int]) -> None:
        """Write what a cause does to a frontier of these axes, the slowest first."""
        shape = [self.sizes[axis] for axis in opened]
        touch, size = len(self.touches), int(np.prod(shape, dtype=np.intp))
        for one in step.touches:
            stride = int(np.prod(shape[one.place + 1 :], dtype=np.intp))
            lowers = self.problem.axes[one.axis].lowered is not None
            row = int(self.links[one.axis]) + one.row
            self.touches.append([row, stride, self.sizes[one.axis], int(lowers)])
        fields = np.indices(shape).reshape(len(shape), size)
        entry = np.full(size, int(self.weights[step.cause]))
        table = self.problem.active[step.cause].shape[:-1]
        for axis, place in enumerate(step.places):
            entry += fields[place] * int(np.prod(table[axis + 1 :], dtype=np.intp))
        own = [step.cause, size, touch, len(self.touches), self.n_entries]
        self.steps.append([*own, 0, 0, 0, 0])
        self.entries.append(entry)
        self.n_entries += size


def lane_program(problem: LaneProblem, plan: LanePlan) -> LaneProgram:
    """Write a plan as a program."""
    sizes = [len(axis.start) for axis in problem.axes]
    sizes += [len(start) for start in problem.risk_starts]
    weights = [int(np.prod(one.shape[:-1], dtype=np.intp)) for one in problem.active]
    writer = _Writer(
        problem,
        sizes,
        _firsts(sizes),
        _firsts([len(axis.causes) for axis in problem.axes]),
        _firsts(weights),
    )
    folded = {axis for axis, _ in plan.singles}
    rows, widest = _frontier(writer, plan, folded)
    n_steps = len(writer.steps)
    singles, kept = [], 1
    for axis, steps in plan.singles:
        first = len(writer.steps)
        for step in steps:
            writer.step(step, [axis])
        singles.append([int(writer.starts[axis]), sizes[axis], first, len(writer.steps)])
        kept += sizes[axis] * len(steps)
        widest = max(widest, sizes[axis])
    isolated = [[int(writer.starts[a]), sizes[a], writer.how(a)] for a in plan.isolated]
    free = [[c, int(writer.weights[c])] for c in plan.free]
    return LaneProgram(
        steps=_rows(writer.steps, 9),
        n_steps=n_steps,
        touches=_rows(writer.touches, 4),
        entries=np.concatenate([np.zeros(0, dtype=np.intp), *writer.entries]),
        opens=_rows(writer.opens, 3),
        closes=_rows(writer.closes, 3),
        singles=_rows(singles, 4),
        isolated=_rows(isolated, 3),
        free=_rows(free, 2),
        needs=np.array([rows, widest, kept], dtype=np.intp),
    )


def _frontier(writer: _Writer, plan: LanePlan, folded: set[int]) -> tuple[int, int]:
    """Write the steps of the frontier; return the rows of the tape and the largest frontier."""
    rows, widest, opened = 1, 1, list[int]()
    for step in plan.steps:
        first = len(writer.opens)
        size = int(np.prod([writer.sizes[axis] for axis in opened], dtype=np.intp))
        for axis in step.opens:
            start = int(writer.starts[axis])
            writer.opens.append([start, writer.sizes[axis], int(axis in folded)])
            size *= writer.sizes[axis]
            rows += size
        opened = [*reversed(step.opens), *opened]
        closing = len(writer.closes)
        writer.step(step, opened)
        writer.steps[-1][OPEN : OPEN_END + 1] = [first, len(writer.opens)]
        rows, widest = rows + size, max(widest, size)
        for axis, place in step.closes:
            behind = [writer.sizes[one] for one in opened[place + 1 :]]
            stride = int(np.prod(behind, dtype=np.intp))
            writer.closes.append([stride, writer.sizes[axis], writer.how(axis)])
            opened = opened[:place] + opened[place + 1 :]
            size //= writer.sizes[axis]
            rows += size
        writer.steps[-1][CLOSE : CLOSE_END + 1] = [closing, len(writer.closes)]
    return rows, widest


def _firsts(lengths: list[int]) -> IntArray:
    return np.cumsum([0, *lengths], dtype=np.intp)


def _rows(rows: list[list[int]], width: int) -> IntArray:
    return np.array(rows, dtype=np.intp).reshape(-1, width)
