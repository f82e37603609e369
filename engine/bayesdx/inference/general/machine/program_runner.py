"""A plan's flat code, the memories that it runs in, and where its answers go."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesdx.inference.arrays import on_lines
from bayesdx.inference.general.costs import FLAT_WIDTH
from bayesdx.inference.general.machine.flat_code import FlatCode, flat_code
from bayesdx.inference.general.machine.program_kernel import (
    Program,
    ProgramCases,
    run_program,
)
from bayesdx.inference.typed import addresses

if TYPE_CHECKING:
    from bayesdx.inference.arrays import FloatArray, IntArray
    from bayesdx.inference.general.machine.float_flags import FloatFlags
    from bayesdx.inference.general.tiles import CaseBatch, Readout
    from bayesdx.inference.general.tree_plan import TreePlan

#: Up to so many cases are answered one by one.
FEW = 3
#: Memories kept for the next batch, and the bytes of the largest one kept.
KEPT, KEPT_BYTES = 3, 64 << 20
_BATCH = len(Program._fields)


class ProgramMemory:
    """Rows to work in, and the addresses of a program in them and of the cases that it answers.

    A memory for one case has arrays for it, laid out for ``wanted``.
    """

    def __init__(self, program: Program, places: IntArray) -> None:
        self.rows: FloatArray = program.rows
        self.places = places
        self.address: int = places.__array_interface__["data"][0]
        self.wanted: Readout | None = None
        self.batch: Any = None


class FlatRunner:
    """A plan compiled; as `bayesdx.inference.general.tiles.TileRunner`, safe between threads."""

    def __init__(self, plan: TreePlan, flags: FloatFlags) -> None:
        self.code: FlatCode = flat_code(plan)
        self._flags = flags
        self._soft = [v for v, _ in plan.soft_slots]
        self._lock = threading.Lock()
        self._idle: list[ProgramMemory] = []

    def answer(self, cases: CaseBatch, wanted: Readout) -> tuple[FloatArray, FloatArray, IntArray]:
        """Answer every case; see `ProgramExecutor.answer`."""
        n = len(cases)
        if n == 1 and not cases.soft:
            return self._one(cases, wanted)
        width = 1 if n <= FEW else FLAT_WIDTH
        size = -(-n // width) * width
        soft = [_padded(cases.soft[v], size) for v in self._soft if v in cases.soft]
        batch = self._batch(_padded(cases.states, size), wanted)
        lengths = np.array([len(cases.soft[v]) if v in cases.soft else 0 for v in self._soft])
        first = np.where(lengths > 0, np.cumsum(lengths) - lengths, -1)
        batch = batch._replace(soft=np.concatenate([np.zeros((0, size)), *soft]), soft_first=first)
        if self._run(batch, width, 0, size) and width > 1:
            # Which cases of a block it was, only asking each alone can tell.
            for block in np.flatnonzero(batch.failed[::width]).tolist():
                self._run(batch, 1, block * width, (block + 1) * width)
        failed = np.flatnonzero(batch.failed[:n])
        return batch.posteriors[:, :n], batch.log_evidence[:n], failed

    def _one(self, cases: CaseBatch, wanted: Readout) -> tuple[FloatArray, FloatArray, IntArray]:
        """Answer one case in arrays whose addresses are known: to ask for them takes as long."""
        memory = self._borrow(1)
        if memory.wanted is not wanted:
            memory.batch, memory.wanted = self._batch(np.empty_like(cases.states), wanted), wanted
            memory.places[_BATCH:] = addresses(memory.batch)
        batch = memory.batch
        batch.states[...] = cases.states
        run_program(memory.address, 0, 1)
        answer = batch.posteriors.copy(), batch.log_evidence.copy(), np.flatnonzero(batch.failed)
        self._give_back(memory)
        return answer

    def _batch(self, states: IntArray, wanted: Readout) -> ProgramCases:
        """Cases without soft evidence, and new arrays for their answers."""
        size = states.shape[1]
        return ProgramCases(
            n_cases=size,
            states=states,
            soft=np.zeros((0, size)),
            soft_first=np.full(len(self._soft), -1),
            n_outs=len(wanted.rows),
            outs=self.code.output + wanted.rows,
            n_known=len(wanted.known),
            known=wanted.known,
            posteriors=on_lines((len(wanted.rows), size), np.float64),
            log_evidence=np.empty(size),
            failed=np.zeros(size, dtype=np.int8),
            **self._flags._asdict(),
        )

    def _run(self, batch: ProgramCases, width: int, begin: int, end: int) -> int:
        """Answer some cases; return how many were not."""
        memory = self._borrow(width)
        memory.places[_BATCH:], memory.wanted = addresses(batch), None
        failed: int = run_program(memory.address, begin, end)
        self._give_back(memory)
        return failed

    def _borrow(self, width: int) -> ProgramMemory:
        with self._lock:
            for i, one in enumerate(self._idle):
                if one.rows.shape[1] == width:
                    return self._idle.pop(i)
        return self._memory(width)

    def _give_back(self, memory: ProgramMemory) -> None:
        if memory.rows.nbytes <= KEPT_BYTES:
            with self._lock:
                self._idle.append(memory)
                del self._idle[:-KEPT]

    def _memory(self, width: int) -> ProgramMemory:
        code = self.code
        rows = on_lines((code.rows, width), np.float64)
        rows.fill(0.0)
        rows[code.ones] = 1.0
        program = Program(
            width=width,
            n_ops=len(code.ops),
            ops=code.ops,
            indices=code.indices,
            constants=code.constants,
            n_loads=len(code.loads),
            loads=code.loads,
            n_scalars=len(code.scalars),
            scalars=code.scalars,
            scales=code.scales,
            n_scales=code.rows - code.scales,
            rows=rows,
        )
        blank = np.zeros(len(ProgramCases._fields), dtype=np.int64)
        return ProgramMemory(program, np.concatenate([addresses(program), blank]))


def _padded(columns: NDArray[Any], size: int) -> NDArray[Any]:
    """Arrays (K, N) with the last case repeated up to a size, contiguous."""
    n = columns.shape[1]
    if n == size:
        return np.ascontiguousarray(columns)
    padded = on_lines((len(columns), size), columns.dtype.type)
    padded[:, :n], padded[:, n:] = columns, columns[:, -1:]
    return padded
