"""Running a plan over a batch of cases, tile by tile, in memory that is used again."""

from __future__ import annotations

import bisect
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayesdx.inference.general.instructions import Call, Memory

if TYPE_CHECKING:
    from bayesdx.inference.arrays import FloatArray, IntArray
    from bayesdx.inference.general.tree_plan import TreePlan

#: Widths of tiles; a batch is padded to the next one, so that few memories are bound.
WIDTHS = (1, 2, 4, 8, 16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
#: Bound memories that a plan keeps, and the bytes of the largest one kept.
KEPT, KEPT_BYTES = 3, 64 << 20


@dataclass(frozen=True, eq=False)
class CaseBatch:
    """Evidence of N cases.

    Attributes
    ----------
    states : int array (V, N)
        State positions, -1 unknown.
    soft : mapping of int to array (S, N)
        Likelihoods of the states of variables with soft evidence, at most 1.
    """

    states: IntArray
    soft: Mapping[int, FloatArray]

    def __len__(self) -> int:
        return int(self.states.shape[1])

    def observed(self, row: int) -> frozenset[int]:
        """Variables that a case has observed."""
        return frozenset(np.flatnonzero(self.states[:, row] >= 0).tolist()).difference(self.soft)

    def take(self, rows: IntArray) -> CaseBatch:
        """Return some cases."""
        soft = {v: likelihood[:, rows] for v, likelihood in self.soft.items()}
        return CaseBatch(np.ascontiguousarray(self.states[:, rows]), soft)


@dataclass(frozen=True, eq=False)
class Readout:
    """Which rows of a plan's output are the posteriors of some variables, one after another.

    Attributes
    ----------
    rows : intp array (T,)
        One for each state; the row behind the output, which is 0, for variables all observe.
    known : intp array (K, 2)
        Variables that all cases observe, and the first posterior of each.
    """

    rows: IntArray
    known: IntArray


def readout(plan: TreePlan, cards: Sequence[int], targets: Sequence[int]) -> Readout:
    """Lay out the posteriors of some variables that a plan holds."""
    rows, known, start = [np.zeros(0, dtype=np.intp)], [], 0
    for v in targets:
        if v in plan.outputs:
            rows.append(np.arange(plan.outputs[v], plan.outputs[v] + cards[v]))
        else:
            rows.append(np.full(cards[v], plan.output_rows))
            known.append((v, start))
        start += cards[v]
    return Readout(np.concatenate(rows), np.array(known, dtype=np.intp).reshape(-1, 2))


class TileRunner:
    """A plan, and its bound memories."""

    def __init__(self, plan: TreePlan) -> None:
        self.plan = plan
        self._sliced = np.array(plan.sliced, dtype=np.intp)
        self._indicators = {v: _indicator(slot.size) for v, slot in plan.soft_slots}
        self._lock = threading.Lock()
        self._idle: list[tuple[Memory, list[Call]]] = []

    def answer(self, cases: CaseBatch, wanted: Readout) -> tuple[FloatArray, FloatArray, IntArray]:
        """Answer every case; see `machine.ProgramExecutor.answer`."""
        n = len(cases)
        posteriors, log_evidence = np.empty((len(wanted.rows), n)), np.empty(n)
        tiles = -(-n // self.plan.tile)
        width = _width(-(-n // max(tiles, 1)), self.plan.tile)
        memory, calls = self._borrow(width)
        failed: list[IntArray] = []
        waiting = [slice(first, min(first + width, n)) for first in range(0, n, width)]
        try:
            with np.errstate(invalid="ignore", divide="ignore", under="raise", over="ignore"):
                while waiting:
                    at = waiting.pop()
                    try:
                        block, log_evidence[at] = self._tile(cases, at, memory, calls, wanted)
                        posteriors[:, at] = block
                    except FloatingPointError:
                        # Halves, to find the cases that cannot be answered like this.
                        middle = (at.start + at.stop) // 2
                        if at.stop - at.start > 1:
                            waiting += [slice(at.start, middle), slice(middle, at.stop)]
                        else:
                            failed.append(np.arange(at.start, at.stop))
        finally:
            self._give_back(memory, calls)
        return posteriors, log_evidence, np.concatenate([np.zeros(0, dtype=np.intp), *failed])

    def _tile(
        self, cases: CaseBatch, at: slice, memory: Memory, calls: list[Call], wanted: Readout
    ) -> tuple[FloatArray, FloatArray]:
        n = at.stop - at.start
        log = self._load(cases, at, memory, n)
        for function, arguments in calls:
            function(*arguments)
        log += np.log(memory.scales[:, :n]).sum(axis=0)
        block = memory.output.take(wanted.rows, axis=0)[:, :n]
        if len(wanted.known):
            states = cases.states[wanted.known[:, 0], at] + wanted.known[:, 1:]
            block[states, np.arange(n)] = 1.0
        impossible = log == -np.inf
        if impossible.any():
            block[:, impossible] = 0.0
        return block, log

    def _load(self, cases: CaseBatch, at: slice, memory: Memory, n: int) -> FloatArray:
        """Write the evidence of a tile; return the log of what is wholly observed, (n,).

        Columns that are left repeat the first case: one that was there before could fail again.
        """
        plan, log = self.plan, np.zeros(n)
        if len(self._sliced):
            seen = cases.states[self._sliced, at].astype(np.float64)
            if len(plan.strides):
                memory.codes[:, :n] = plan.strides @ seen
                memory.codes[:, n:] = memory.codes[:, :1]
            if len(plan.scalars):
                place = plan.scalar_strides @ seen + plan.scalar_starts[:, None]
                log += plan.scalars[place.astype(np.intp)].sum(axis=0)
        for v, slot in plan.soft_slots:
            rows = memory.rows(slot)
            likelihood = cases.soft.get(v)
            if likelihood is not None:
                rows[:, :n] = likelihood[:, at]
            else:
                # State -1, unknown, wraps round to the last column: ones.
                rows[:, :n] = self._indicators[v].take(cases.states[v, at], 1, None, "wrap")
            rows[:, n:] = rows[:, :1]
        return log

    def _borrow(self, width: int) -> tuple[Memory, list[Call]]:
        with self._lock:
            for i, (memory, _) in enumerate(self._idle):
                if memory.width == width:
                    return self._idle.pop(i)
        return bind(self.plan, width)

    def _give_back(self, memory: Memory, calls: list[Call]) -> None:
        if memory.arena.nbytes > KEPT_BYTES:
            return
        with self._lock:
            self._idle.append((memory, calls))
            del self._idle[:-KEPT]


def bind(plan: TreePlan, width: int) -> tuple[Memory, list[Call]]:
    """Allocate the arrays of a tile and bind the plan's code to them."""
    memory = Memory(
        arena=np.zeros((plan.arena_rows, width)),
        # One row more stays zero: what an observed variable reads.
        output=np.zeros((plan.output_rows + 1, width)),
        scales=np.ones((plan.scale_rows, width)),
        codes=np.zeros((len(plan.strides), width), dtype=np.intp),
        ones=np.ones((1, width)),
        flags=np.empty(width, dtype=np.bool_),
    )
    return memory, [call for step in plan.code for call in step.bind(memory)]


def _width(n: int, largest: int) -> int:
    widest = bisect.bisect_right(WIDTHS, largest) - 1
    return WIDTHS[min(bisect.bisect_left(WIDTHS, n), widest)]


def _indicator(card: int) -> FloatArray:
    return np.concatenate([np.eye(card), np.ones((card, 1))], axis=1)
