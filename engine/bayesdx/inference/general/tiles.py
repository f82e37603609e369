"""Running a plan over a batch of cases, tile by tile, in memory that is used again."""

from __future__ import annotations

import bisect
import threading
from collections.abc import Mapping
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
    """TreeEvidence of N cases.

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

    def take(self, rows: IntArray) -> CaseBatch:
        """Return some cases."""
        soft = {v: likelihood[:, rows] for v, likelihood in self.soft.items()}
        return CaseBatch(np.ascontiguousarray(self.states[:, rows]), soft)


class TileRunner:
    """A plan, its bound memories, and where its answers go.

    Parameters
    ----------
    plan : TreePlan
    cards : tuple of int
        States of the named variables.
    targets : tuple of int
        Variables whose posteriors are written, one after another.
    """

    def __init__(self, plan: TreePlan, cards: tuple[int, ...], targets: tuple[int, ...]) -> None:
        self.plan = plan
        self._cards = cards
        # Sliced variables read a row of zeros, into which their observed state is written.
        self._rows = np.concatenate(
            [np.zeros(0, dtype=np.intp)]
            + [
                np.arange(plan.outputs[v], plan.outputs[v] + cards[v])
                if v in plan.outputs
                else np.full(cards[v], plan.output_rows)
                for v in targets
            ]
        )
        starts = np.cumsum([0, *(cards[v] for v in targets)])
        observed = [(v, int(s)) for v, s in zip(targets, starts, strict=False)]
        self._observed = [(v, s) for v, s in observed if v not in plan.outputs]
        self._observed_at = np.array([v for v, _ in self._observed], dtype=np.intp)
        self._observed_start = np.array([s for _, s in self._observed], dtype=np.intp)[:, None]
        self._sliced = np.array(plan.sliced, dtype=np.intp)
        self._indicators = {v: _indicator(cards[v]) for v, _ in plan.soft_slots}
        self._lock = threading.Lock()
        self._idle: list[tuple[Memory, list[Call]]] = []

    def answer(
        self, cases: CaseBatch, posteriors: FloatArray, log_evidence: FloatArray
    ) -> IntArray:
        """Answer every case.

        Parameters
        ----------
        cases : CaseBatch
            All of them observe the plan's sliced variables.
        posteriors : array (targets' states, N)
            Written; zeros where the evidence is impossible.
        log_evidence : array (N,)
            Written; -inf where impossible.

        Returns
        -------
        intp array
            CaseBatch that were not answered: somewhere a product was too small for a float.
        """
        n = len(cases)
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
                        self._tile(cases, at, memory, calls, posteriors, log_evidence)
                    except FloatingPointError:
                        # Halves, to find the cases that cannot be answered like this.
                        middle = (at.start + at.stop) // 2
                        if at.stop - at.start > 1:
                            waiting += [slice(at.start, middle), slice(middle, at.stop)]
                        else:
                            failed.append(np.arange(at.start, at.stop))
        finally:
            self._give_back(memory, calls)
        return np.concatenate([np.zeros(0, dtype=np.intp), *failed])

    def _tile(
        self,
        cases: CaseBatch,
        at: slice,
        memory: Memory,
        calls: list[Call],
        posteriors: FloatArray,
        log_evidence: FloatArray,
    ) -> None:
        n = at.stop - at.start
        log = self._load(cases, at, memory, n)
        for function, arguments in calls:
            function(*arguments)
        log += np.log(memory.scales[:, :n]).sum(axis=0)
        log_evidence[at] = log
        block = memory.output.take(self._rows, axis=0)[:, :n]
        if self._observed:
            states = cases.states[self._observed_at, at] + self._observed_start
            block[states, np.arange(n)] = 1.0
        impossible = log == -np.inf
        if impossible.any():
            block[:, impossible] = 0.0
        posteriors[:, at] = block

    def _load(self, cases: CaseBatch, at: slice, memory: Memory, n: int) -> FloatArray:
        """Write the evidence of a tile; return the log of what is wholly observed, (n,)."""
        plan, log = self.plan, np.zeros(n)
        if len(self._sliced):
            seen = cases.states[self._sliced, at].astype(np.float64)
            if len(plan.strides):
                memory.codes[:, :n] = plan.strides @ seen
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
        spare=np.empty(width),
        flags=np.empty(width, dtype=np.bool_),
    )
    return memory, [call for step in plan.code for call in step.bind(memory)]


def _width(n: int, largest: int) -> int:
    widest = bisect.bisect_right(WIDTHS, largest) - 1
    return WIDTHS[min(bisect.bisect_left(WIDTHS, n), widest)]


def _indicator(card: int) -> FloatArray:
    return np.concatenate([np.eye(card), np.ones((card, 1))], axis=1)
