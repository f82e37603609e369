"""The child that asks one engine the rows of one network; run by `report.py`, the job is JSON."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from children import child_job, peak_mb, tell
from networks import (
    DEFAULT,
    FloatArray,
    StateArray,
    batches,
    diagnosis_cases,
    frame,
    load,
)
from peers import OURS, PEERS, SLACK, Asked, RowPeer, ask_rows

import bayesdx
from bayesdx.inference import Evidence, NoisyModel, posteriors
from bayesdx.network import Network

#: Rows whose answers are kept and compared; row by row, no more are asked.
COMPARED = 200
#: Rows asked first, so that there is an answer to compare if all rows take too long.
FEW = 20
#: Single cases timed.
SINGLES = 40


def seconds(action: Callable[[], object]) -> float:
    """CPU seconds of one call."""
    start = time.process_time()
    action()
    return time.process_time() - start


def ours_on_network(network: Network) -> Callable[[StateArray], tuple[Any, Callable[[], Any]]]:
    """Return what turns rows into a table (not timed) and a query of it (timed)."""
    compiled = bayesdx.compile_network(network)

    def made(states: StateArray) -> tuple[Any, Callable[[], Any]]:
        table = frame(network, states)
        return table, lambda: compiled.query(table)

    return made


def read_ours(answer: Any, model: NoisyModel | None) -> tuple[FloatArray, FloatArray]:
    """Log evidence and posteriors in the order in which peers are read."""
    if model is not None:
        return answer.log_evidence, answer.causes
    return answer.log_evidence, np.concatenate(list(answer.posteriors.values()), axis=1)


def rows_of(job: Mapping[str, Any], shape: str, subject: Any) -> Iterator[Any]:
    """Batches of rows; the same for every peer, since they follow from the seed."""
    n_batches, n = job["batches"], job["rows"]
    if job["network"] == DEFAULT:
        for one in range(n_batches):
            yield diagnosis_cases(subject, n, job["seed"] + one)
    else:
        yield from batches(subject, shape, (n_batches, n), job["seed"])


def digest(rows: StateArray | Evidence) -> str:
    """What tells that two children had the same rows."""
    if isinstance(rows, Evidence):
        arrays = [rows.findings, rows.lower, rows.upper, rows.risks, rows.causes]
    else:
        arrays = [rows]
    hasher = hashlib.sha256()
    for array in arrays:
        hasher.update(np.ascontiguousarray(array).tobytes())
    return hasher.hexdigest()[:16]


def run_ours(job: Mapping[str, Any], shape: str, subject: Any) -> None:
    """First a few rows; then all of a batch, to be compared; then others; then single rows."""
    model = subject if job["network"] == DEFAULT else None

    def begun() -> Callable[[Any], tuple[Any, Callable[[], Any]]]:
        """Something that was asked nothing yet."""
        if model is None:
            return ours_on_network(subject)
        return lambda rows: (rows, lambda: posteriors(model, rows, workers=1))

    stream = rows_of(job, shape, subject)
    rows = next(stream)
    tell("rows", shape=shape, digest=digest(rows))
    take = rows.take if isinstance(rows, Evidence) else rows.__getitem__
    answered(job, shape, "few", begun()(take(slice(0, FEW)))[1], FEW, model)
    made = begun()
    _, query = made(rows)
    first = answered(job, shape, "first", query, job["rows"], model)
    spent, warm = first, []
    for other in stream:
        if spent > job["seconds"] * SLACK and warm:
            break
        warm.append(seconds(made(other)[1]))
        spent += warm[-1]
        tell("batch", shape=shape, n=job["rows"], seconds=warm[-1], peak=peak_mb())
    single_cases(job, shape, rows, made)


def answered(
    job: Mapping[str, Any],
    shape: str,
    event: str,
    query: Callable[[], Any],
    n: int,
    model: NoisyModel | None,
) -> float:
    """Ask, keep the answers that will be compared, tell; returns the seconds of asking."""
    start = time.process_time()
    answer = query()
    spent = time.process_time() - start
    log_evidence, values = read_ours(answer, model)
    asked = Asked(list(log_evidence[:COMPARED]), list(values[:COMPARED]))
    asked.save(answer_path(job, shape))
    tell(event, shape=shape, n=n, seconds=spent, peak=peak_mb())
    return spent


def single_cases(
    job: Mapping[str, Any],
    shape: str,
    rows: Any,
    made: Callable[[Any], tuple[Any, Callable[[], Any]]],
) -> None:
    """Time rows one at a time, after a first call with the same row's columns."""
    take = rows.take if isinstance(rows, Evidence) else rows.__getitem__
    times: list[float] = []
    for row in range(min(SINGLES, len(rows))):
        query = made(take(slice(row, row + 1)))[1]
        query()
        times.append(min(seconds(query) for _ in range(3)))
        if sum(times) > job["seconds"]:
            break
    tell("single", shape=shape, seconds=times)


def answer_path(job: Mapping[str, Any], shape: str) -> Path:
    peer = job["peer"].replace(" ", "_")
    return Path(job["folder"]) / f"{job['network']}-{peer}-{shape}.npz"


def run_peer(job: Mapping[str, Any], shape: str, subject: Any, peer: RowPeer) -> None:
    rows = next(rows_of(job, shape, subject))
    tell("rows", shape=shape, digest=digest(rows))
    saved = time.monotonic()

    def told(asked: Asked) -> None:
        nonlocal saved
        if time.monotonic() - saved > 1.0:
            asked.save(answer_path(job, shape))
            tell("asked", shape=shape, seconds=asked.seconds, failures=asked.failures[:3])
            saved = time.monotonic()

    asked = ask_rows(peer, rows, min(COMPARED, job["rows"]), job["seconds"], told)
    asked.save(answer_path(job, shape))
    tell("asked", shape=shape, seconds=asked.seconds, failures=asked.failures[:3], peak=peak_mb())
    tell("done", shape=shape)


def work(job: Mapping[str, Any]) -> None:
    """Do the job in this process."""
    network = load(job["network"])
    is_default = job["network"] == DEFAULT
    subject = bayesdx.load().assembly.model if is_default else network
    tell("ready", peak=peak_mb(), about=repr(network))
    for shape in job["shapes"]:
        if job["peer"] == OURS:
            try:
                run_ours(job, shape, subject)
            except bayesdx.InvalidNetwork as refusal:
                tell("refused", shape=shape, reason=str(refusal))
            continue
        general, special, engine = PEERS[job["peer"]]
        # A new engine for each shape: what one learnt must not help or hurt with the other.
        run_peer(job, shape, subject, (special if is_default else general)(subject, engine))


def main() -> None:
    job = child_job()
    try:
        work(job)
    except Exception as error:  # noqa: BLE001 - whatever a library raises is reported
        tell("failed", reason=f"{type(error).__name__}: {str(error).strip()[:300]}")


if __name__ == "__main__":
    main()
