"""Calls the compiled loop over lanes: threads, and what each of them writes on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from bayesdx.inference.arrays import FloatArray
from bayesdx.inference.machine_code import cores
from bayesdx.inference.noisy.jit import LANES
from bayesdx.inference.noisy.jit.lane_kernel import Block, Flat, Numbers, answer_lanes
from bayesdx.inference.noisy.lane_case import LaneCase
from bayesdx.inference.noisy.lane_program import FlatProgram
from bayesdx.inference.typed import addresses

#: Components of all lanes from which on threads are worth their beginning: some 10 ms.
_WORTH_THREADS = 1 << 20


def run_program(case: LaneCase, program: FlatProgram) -> tuple[FloatArray, FloatArray]:
    """Sum out all causes and risks in every lane; see `bayesdx.inference.noisy.lanes`."""
    n_lanes, n_causes = len(case.log_scale), len(case.structure.links)
    log_evidence, posterior = np.empty(n_lanes), np.empty((n_causes, n_lanes))
    tables = [
        np.ascontiguousarray(table)
        for table in (case.start, case.keep, case.gain, case.lowered, case.active, case.inactive)
    ]
    tape, widest, kept_rows = program.needs.tolist()
    own = [len(table) for table in tables]
    rows = [*own, tape, kept_rows, widest, widest, own[0], 1, 1, 1, n_causes]
    counts = [len(one) for one in (program.singles, program.isolated, program.free)]
    arrays = (one for one in program if isinstance(one, np.ndarray) and one is not program.needs)
    flat = Flat._make([program.n_steps, *counts, *arrays])
    places = [len(program.steps) + 1, len(program.opens) + 1]

    def block() -> Block:
        return Block._make(
            [
                *(np.zeros(LANES * max(n, 1)) for n in rows),
                *(np.zeros(n, dtype=np.int64) for n in places),
            ]
        )

    shapes = np.array([table.shape for table in tables], dtype=np.int64)
    answers = np.ascontiguousarray(case.log_scale), log_evidence, posterior
    numbers = Numbers._make([n_lanes, n_causes, shapes, *tables, *answers])
    n_blocks = -(-n_lanes // LANES)
    threads = min(cores(), n_blocks) if tape * n_lanes > _WORTH_THREADS else 1
    # Whole blocks: no lane is answered beside others than it would be by one thread.
    ends = [LANES * (n_blocks * part // threads) for part in range(threads)] + [n_lanes]

    def answer(part: int) -> None:
        # Addresses keep nothing alive.
        own = block()
        memory = addresses(flat, own, numbers)
        answer_lanes(memory.__array_interface__["data"][0], ends[part], ends[part + 1])

    if threads == 1:
        answer(0)
        return log_evidence, posterior
    with ThreadPoolExecutor(threads) as pool:
        # To ask for the results raises what a thread raised.
        list(pool.map(answer, range(threads)))
    return log_evidence, posterior
