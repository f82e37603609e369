"""A plan's flat code, the memories that it runs in, and where its answers go."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

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


class FlatRunner:
    """A plan compiled; as `bayesdx.inference.general.tiles.TileRunner`, and safe between threads.

    Parameters
    ----------
    plan : TreePlan
    flags : FloatFlags
    """

    def __init__(self, plan: TreePlan, flags: FloatFlags) -> None:
        self.code: FlatCode = flat_code(plan)
        self._flags = flags
        self._soft = [v for v, _ in plan.soft_slots]
        self._lock = threading.Lock()
        self._idle: list[tuple[FloatArray, IntArray]] = []

    def answer(self, cases: CaseBatch, readout: Readout) -> tuple[FloatArray, FloatArray, IntArray]:
        """Answer every case; see `ProgramExecutor.answer`."""
        n = len(cases)
        width = 1 if n <= FEW else FLAT_WIDTH
        size = -(-n // width) * width
        states = _padded(cases.states, size)
        soft = [_padded(cases.soft[v], size) for v in self._soft if v in cases.soft]
        lengths = [len(cases.soft[v]) if v in cases.soft else 0 for v in self._soft]
        first = np.cumsum([0, *lengths])[:-1]
        posteriors, log_evidence = np.empty((len(readout.rows), size)), np.empty(size)
        batch = ProgramCases(
            n_cases=size,
            states=states,
            soft=np.concatenate([np.zeros((0, size)), *soft]),
            soft_first=np.where(np.array(lengths) > 0, first, -1),
            n_outs=len(readout.rows),
            outs=self.code.output + readout.rows,
            n_known=len(readout.known),
            known=readout.known,
            posteriors=posteriors,
            log_evidence=log_evidence,
            failed=np.zeros(size, dtype=np.int8),
            **self._flags._asdict(),
        )
        if self._run(batch, width, 0, size) and width > 1:
            # Which cases of a block it was, only asking each alone can tell.
            for block in np.flatnonzero(batch.failed[::width]).tolist():
                self._run(batch, 1, block * width, (block + 1) * width)
        return posteriors[:, :n], log_evidence[:n], np.flatnonzero(batch.failed[:n])

    def _run(self, batch: ProgramCases, width: int, begin: int, end: int) -> int:
        """Answer some cases; return how many were not."""
        with self._lock:
            fitting = [i for i, one in enumerate(self._idle) if one[0].shape[1] == width]
            found = self._idle.pop(fitting[0]) if fitting else None
        rows, places = found or self._memory(width)
        places[_BATCH:] = addresses(batch)
        failed: int = run_program(places.__array_interface__["data"][0], begin, end)
        if rows.nbytes <= KEPT_BYTES:
            with self._lock:
                self._idle.append((rows, places))
                del self._idle[:-KEPT]
        return failed

    def _memory(self, width: int) -> tuple[FloatArray, IntArray]:
        """Rows to work in, and the addresses of a program in them."""
        code = self.code
        rows = np.zeros((code.rows, width))
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
        return rows, np.concatenate(
            [addresses(program), np.zeros(len(ProgramCases._fields), np.int64)]
        )


def _padded(columns: NDArray[Any], size: int) -> NDArray[Any]:
    """Arrays (K, N) with the last case repeated up to a size, contiguous."""
    n = columns.shape[1]
    if n == size:
        return np.ascontiguousarray(columns)
    return np.concatenate([columns, np.repeat(columns[:, -1:], size - n, axis=1)], axis=1)
