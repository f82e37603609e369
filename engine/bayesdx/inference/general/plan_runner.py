"""A plan and its executors: NumPy's tiles, or compiled code where that is there."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from bayesdx.inference.general.tiles import CaseBatch, Readout, TileRunner, readout

if TYPE_CHECKING:
    from bayesdx.inference.arrays import FloatArray, IntArray
    from bayesdx.inference.general.machine import Executors, ProgramExecutor
    from bayesdx.inference.general.tree_plan import TreePlan

#: Sets of variables for which it is remembered where their posteriors stand.
KEPT_READOUTS = 32


class PlanRunner:
    """Answers cases by a plan; safe between threads.

    Parameters
    ----------
    plan : TreePlan
    cards : tuple of int
        States of the named variables.
    """

    def __init__(self, plan: TreePlan, cards: tuple[int, ...]) -> None:
        self.plan, self._cards = plan, cards
        self._lock = threading.Lock()
        self._tiles: TileRunner | None = None
        self._program: ProgramExecutor | None = None
        self._readouts: dict[tuple[int, ...], Readout] = {}

    def answer(
        self, cases: CaseBatch, targets: tuple[int, ...], executors: Executors | None
    ) -> tuple[FloatArray, FloatArray, IntArray]:
        """Answer every case; see `ProgramExecutor.answer`."""
        wanted = self._readouts.get(targets)
        if wanted is None:
            if len(self._readouts) >= KEPT_READOUTS:
                self._readouts.clear()
            wanted = self._readouts[targets] = readout(self.plan, self._cards, targets)
        return self._executor(executors).answer(cases, wanted)

    def _executor(self, executors: Executors | None) -> ProgramExecutor:
        with self._lock:
            if executors is None:
                self._tiles = self._tiles or TileRunner(self.plan)
                return self._tiles
            self._program = self._program or executors.program(self.plan)
            return self._program
