"""Calls the compiled loop: threads, tiles of rows, room for large cases."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import numpy as np

from bayesdx.inference.arrays import BoolArray, FloatArray
from bayesdx.inference.evidence import Evidence, StateArray
from bayesdx.inference.machine_code import cores
from bayesdx.inference.noisy.jit import TILE
from bayesdx.inference.noisy.jit.entry import answer_rows
from bayesdx.inference.noisy.jit.memory import BY_WORK, Model, Notes, Rows
from bayesdx.inference.noisy.jit.thread_memory import Workspace, model_memory
from bayesdx.inference.noisy.limits import MOST_WORK
from bayesdx.inference.noisy.model import NoisyModel
from bayesdx.inference.noisy.note_book import NoteBook
from bayesdx.inference.typed import compile_ahead

#: Rows that are answered first, to see how long they take; seconds of all others from which on
#: threads are worth the half millisecond that each takes to begin. Without them 512 rows were one
#: thread's: what to ask next of 21 published cases, two cores, 350 -> 237 ms; diagnose 23 -> 16.
_TRIAL, _WORTH_THREADS = 4, 0.01


def run(
    model: NoisyModel,
    evidence: Evidence,
    *,
    only_evidence: bool = False,
    without: BoolArray | None = None,
    asked: BoolArray | None = None,
    symptoms: FloatArray | None = None,
    workers: int | None = None,
    way: int = BY_WORK,
    most_work: int = MOST_WORK,
    book: NoteBook | None = None,
    tile: int = TILE,
) -> tuple[FloatArray, FloatArray, FloatArray, StateArray, FloatArray]:
    """Answer every case exactly; see `bayesdx.inference.posteriors`.

    Parameters
    ----------
    model : NoisyModel
        One that has ``arrays``.
    evidence : Evidence
    only_evidence : bool
    without : bool array (C,), optional
    asked : bool array (N, C), optional
    symptoms : array (U,), optional
    workers : int, optional
        Threads; as many as there are cores by default. The answer does not depend on it.
    way : int
        See `bayesdx.inference.noisy.jit.memory.Rows`.
    most_work : int
        Work of a tree of tables above which a case is too complex.
    book : NoteBook, optional
        Where derivatives of the log evidence are noted; not with symptoms.
    tile : int
        Rows that a thread takes at a time.

    Returns
    -------
    log_evidence : array (N,)
    causes : array (N, C), or (N, 0) when only the evidence was asked for
    log_without : array (N,) or (0,)
    status : int8 array (N,)
        `jit.ANSWERED`, or why a case is not answered here.
    split : array (2, N, C) or (2, 0, C)
        ``responsible`` and ``credit`` of an `Answer`, when symptoms are weighed.
    """
    assert model.arrays is not None
    arrays, count = model.arrays, len(evidence)
    known = model_memory(arrays)
    log_evidence, status = np.empty(count), np.zeros(count, dtype=np.int8)
    causes = np.empty((count, 0 if only_evidence else known.n_causes))
    log_without = np.empty(0 if without is None else count)
    nobody = np.zeros(known.n_causes, dtype=bool)
    wanted = nobody if only_evidence else asked
    split = np.zeros((2, 0 if symptoms is None else count, known.n_causes))
    rows = Rows(
        backward=int(not only_evidence),
        second=int(without is not None),
        credited=int(symptoms is not None and not only_evidence),
        narrow=int(asked is not None and not only_evidence),
        way=way,
        most_work=most_work,
        findings=np.ascontiguousarray(evidence.findings, dtype=np.float64),
        lower=np.ascontiguousarray(evidence.lower, dtype=np.int8),
        upper=np.ascontiguousarray(evidence.upper, dtype=np.int8),
        risks=np.ascontiguousarray(evidence.risks, dtype=np.int8),
        causes=np.ascontiguousarray(evidence.causes, dtype=np.int8),
        without=np.asarray(nobody if without is None else without).astype(np.int8),
        asked=np.ascontiguousarray(~nobody if wanted is None else wanted).view(np.int8),
        symptoms=np.ascontiguousarray(np.empty(0) if symptoms is None else symptoms),
        log_evidence=log_evidence,
        posterior=causes,
        idle=split[0],
        credit=split[1],
        log_without=log_without,
        status=status,
    )
    notes = _notes(book, linked=bool(rows.credited))
    _answer(model, known, rows, notes, workers or cores(), tile)
    refused = status != 0
    log_evidence[refused], causes[refused] = -np.inf, 0.0
    if without is not None:
        log_without[refused] = -np.inf
    if symptoms is not None:
        split[0] = np.clip(causes - split[0], 0.0, causes)
        split[:, refused] = 0.0
    return log_evidence, causes, log_without, status, split


def _answer(
    model: NoisyModel, known: Model, rows: Rows, notes: Notes, workers: int, tile: int
) -> None:
    """Answer all rows; by threads where the first ones tell that it is worth it."""
    assert model.arrays is not None
    count, one_at_a_time = len(rows.status), Lock()
    space, begin, trial = Workspace(model.arrays, known), time.perf_counter(), min(_TRIAL, tile)
    _work_off(space, known, rows, notes, one_at_a_time, iter([(0, min(trial, count))]))
    rest = count - trial
    long = (time.perf_counter() - begin) * rest > trial * _WORTH_THREADS
    tile = min(tile, max(1, -(-rest // (4 * workers)))) if long else tile
    tiles = iter([(first, min(first + tile, count)) for first in range(trial, count, tile)])
    threads = min(workers, -(-rest // tile))
    if threads <= 1:
        _work_off(space, known, rows, notes, one_at_a_time, tiles)
        return
    spaces = [space, *(Workspace(model.arrays, known) for _ in range(threads - 1))]
    with ThreadPoolExecutor(len(spaces)) as pool:
        parts = [
            pool.submit(_work_off, own, known, rows, notes, one_at_a_time, tiles) for own in spaces
        ]
        for done in parts:
            done.result()


def _notes(book: NoteBook | None, *, linked: bool) -> Notes:
    """Lay a book of notes out for the compiled code."""
    if book is None:
        nothing = np.zeros(1, dtype=np.int64)
        return Notes(0, int(linked), 0, 0, 0, 0, 0, 0, nothing, nothing, nothing, np.zeros(1))
    return Notes(1, 1, *book.layout[:6], book.begin, book.end, book.columns, book.values)


def _work_off(
    space: Workspace,
    known: Model,
    rows: Rows,
    notes: Notes,
    one_at_a_time: Lock,
    tiles: Iterator[tuple[int, int]],
) -> None:
    """Answer tiles of rows until none is left."""
    if not rows.backward:
        rows = rows._replace(posterior=np.empty(known.n_causes))
    # Taking the next item of a list's iterator is atomic.
    for first, last in tiles:
        at = _answered(space, rows, notes, first, last)
        while at < last:
            if space.wants_much:
                # However many threads there are, one of them has a case of a gigabyte in hand.
                with one_at_a_time:
                    after = at
                    while after == at:
                        space.make_room()
                        after = _answered(space, rows, notes, at, at + 1)
                    space.shrink()
                at = after
            else:
                space.make_room()
            at = _answered(space, rows, notes, at, last)


def _answered(space: Workspace, rows: Rows, notes: Notes, first: int, last: int) -> int:
    """Answer rows; return the first one for which there is no room, else the last."""
    places = space.places(rows, notes)
    return int(answer_rows(places.__array_interface__["data"][0], first, last))


def prepare() -> tuple[str, float]:
    """Compile all kernels now: the folder in which they are kept, if any, and CPU seconds."""
    begin = time.process_time()
    compile_ahead(answer_rows)
    return kept_in(), time.process_time() - begin


def kept_in() -> str:
    """Folder in which numba keeps the machine code; empty where it cannot."""
    return str(answer_rows.stats.cache_path or "")
