"""Calls the compiled loop: threads, tiles of rows, errors."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from bayesdx.errors import BayesdxError, Fault, Phrase
from bayesdx.inference.arrays import BoolArray, FloatArray
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.condition import count_axes
from bayesdx.inference.noisy.jit.batch import TOO_LARGE, TOO_MANY, answer
from bayesdx.inference.noisy.jit.work import new_work
from bayesdx.inference.noisy.model import ModelArrays, NoisyModel
from bayesdx.inference.noisy.ordering import MAX_LOG2_FRONTIER

#: Rows that a thread takes at a time: a few milliseconds of work.
TILE = 512


def run(
    model: NoisyModel,
    evidence: Evidence,
    *,
    only_evidence: bool = False,
    without: BoolArray | None = None,
    workers: int | None = None,
) -> tuple[FloatArray, FloatArray, FloatArray]:
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

    Raises
    ------
    BayesdxError
        If a case couples more findings than can be summed over.
    """
    layout = model.arrays
    assert layout is not None
    count = len(evidence)
    log_evidence = np.empty(count)
    causes = np.empty((count, 0 if only_evidence else len(model.causes)))
    log_without = np.empty(0 if without is None else count)
    nobody = np.empty(0, dtype=np.intp)
    _all_rows(layout, model, evidence, nobody, (log_evidence, causes), only_evidence, workers)
    if without is not None:
        absent, nothing = np.flatnonzero(without), np.empty((count, 0))
        _all_rows(layout, model, evidence, absent, (log_without, nothing), True, workers)
    return log_evidence, causes, log_without


def _all_rows(
    layout: ModelArrays,
    model: NoisyModel,
    evidence: Evidence,
    absent: np.ndarray[tuple[int], np.dtype[np.intp]],
    results: tuple[FloatArray, FloatArray],
    only_evidence: bool,
    workers: int | None,
) -> None:
    count = len(evidence)
    status = np.zeros(count, dtype=np.int8)
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
            answer(layout, work, rows, tile, absent, (*results, status), only_evidence)

    threads = min(workers or _cores(), -(-count // TILE))
    if threads <= 1:
        work_off()
    else:
        with ThreadPoolExecutor(threads) as pool:
            for done in [pool.submit(work_off) for _ in range(threads)]:
                done.result()
    if status.any():
        _complain(model, evidence, status)


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _complain(
    model: NoisyModel, evidence: Evidence, status: np.ndarray[tuple[int], np.dtype[np.int8]]
) -> None:
    if (status == TOO_MANY).any():
        count_axes(model, evidence)
    row = int(np.flatnonzero(status == TOO_LARGE)[0])
    expected = f"a frontier of at most 2^{MAX_LOG2_FRONTIER:g} components"
    raise BayesdxError(Fault(f"case {row}", expected, Phrase("more")))
