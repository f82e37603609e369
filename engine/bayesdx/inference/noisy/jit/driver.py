"""Calls the compiled loop: threads, tiles of rows."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from bayesdx.inference.arrays import BoolArray, FloatArray
from bayesdx.inference.evidence import Evidence, StateArray
from bayesdx.inference.noisy.jit.batch import answer
from bayesdx.inference.noisy.jit.work import new_work
from bayesdx.inference.noisy.model import ModelArrays, NoisyModel

#: Rows that a thread takes at a time: a few milliseconds of work.
TILE = 512


def run(
    model: NoisyModel,
    evidence: Evidence,
    *,
    only_evidence: bool = False,
    without: BoolArray | None = None,
    workers: int | None = None,
) -> tuple[FloatArray, FloatArray, FloatArray, StateArray]:
    """Answer every case exactly; see `bayesdx.inference.posteriors`.

    Parameters
    ----------
    model : NoisyModel
        One that has ``arrays``.
    evidence : Evidence
    only_evidence : bool
    without : bool array (C,), optional
    workers : int, optional
        Threads; as many as there are cores by default. The answer does not depend on it.

    Returns
    -------
    log_evidence : array (N,)
    causes : array (N, C), or (N, 0) when only the evidence was asked for
    log_without : array (N,) or (0,)
    status : int8 array (N,)
        0 answered, else `batch.TOO_MANY` or `batch.TOO_LARGE`: the case needs an order that is
        searched for, and its other results mean nothing.
    """
    layout = model.arrays
    assert layout is not None
    count = len(evidence)
    log_evidence = np.empty(count)
    causes = np.empty((count, 0 if only_evidence else len(model.causes)))
    log_without = np.empty(0 if without is None else count)
    nobody = np.empty(0, dtype=np.intp)
    status = np.zeros(count, dtype=np.int8)
    results = (log_evidence, causes, status)
    _all_rows(layout, evidence, nobody, results, only_evidence, workers)
    if without is not None:
        absent, nothing = np.flatnonzero(without), np.empty((count, 0))
        _all_rows(layout, evidence, absent, (log_without, nothing, status), True, workers)
    return log_evidence, causes, log_without, status


def _all_rows(
    layout: ModelArrays,
    evidence: Evidence,
    absent: np.ndarray[tuple[int], np.dtype[np.intp]],
    results: tuple[FloatArray, FloatArray, StateArray],
    only_evidence: bool,
    workers: int | None,
) -> None:
    count = len(evidence)
    rows = (
        np.ascontiguousarray(evidence.findings, dtype=np.float64),
        *(
            np.ascontiguousarray(states, dtype=np.int8)
            for states in (evidence.lower, evidence.upper, evidence.risks, evidence.causes)
        ),
    )
    tiles = iter([(first, min(first + TILE, count)) for first in range(0, count, TILE)])

    def work_off() -> None:
        work = new_work(layout)
        # Taking the next item of a list's iterator is atomic.
        for tile in tiles:
            answer(layout, work, rows, tile, absent, results, only_evidence)

    threads = min(workers or _cores(), -(-count // TILE))
    if threads <= 1:
        work_off()
    else:
        with ThreadPoolExecutor(threads) as pool:
            for done in [pool.submit(work_off) for _ in range(threads)]:
                done.result()


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
