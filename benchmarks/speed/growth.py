"""How the time of the diagnosis engine grows: rows, positives, causes a finding, draws, cores.

Run by `report.py`, each part in a child of its own; the job is JSON on the command line.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from children import child_job, peak_mb, tell
from networks import (
    FloatArray,
    diagnosis_cases,
    random_positives,
    synthetic,
    with_positives,
)

import bayesdx
from bayesdx.errors import BayesdxError
from bayesdx.inference import (
    Evidence,
    NoisyModel,
    compile_diagnosis,
    posteriors,
)
from bayesdx.inference.noisy import jit
from bayesdx.inference.noisy.draws import posteriors_under, repeat_parameters
from bayesdx.inference.noisy.lockstep import core_sweep
from bayesdx.inference.noisy.operator import Action

#: Rows held at once; more are streamed in blocks of so many, as a reader of a long file does.
BLOCK = 100_000
RISKS = {"risks partly unknown": None, "risks known": (1.0, 1.0), "no risk known": (0.0, 0.0)}
#: Repeats of each timing, of which the median counts.
REPEATS = 5


def timed(action: Callable[[], object], seconds: float, wall: bool = False) -> list[float]:
    """Seconds of repeated calls, the first of them not counted."""
    clock = time.perf_counter if wall else time.process_time
    result: list[float] = []
    begun = time.monotonic()
    action()
    if time.monotonic() - begun > seconds:
        # Too slow to do it again; a first call is what there is.
        return [time.monotonic() - begun]
    while len(result) < REPEATS and sum(result) < seconds:
        start = clock()
        action()
        result.append(clock() - start)
    return result


def packaged() -> NoisyModel:
    return bayesdx.load().assembly.model


def rows_part(job: Mapping[str, Any]) -> None:
    """Seconds for so many rows; sampling is not counted."""
    model, n = packaged(), job["n"]
    evidence = diagnosis_cases(model, min(n, BLOCK), job["seed"])
    # Code that is compiled on first use is made now, by a batch of the same kind.
    posteriors(model, diagnosis_cases(model, 4096 if n > 2048 else 10, 99), workers=1)
    if n <= BLOCK:
        spent = float(np.median(timed(lambda: posteriors(model, evidence, workers=1), 10.0)))
    else:
        start = time.process_time()
        for first in range(0, n, BLOCK):
            part = evidence if n - first >= BLOCK else evidence.take(slice(0, n - first))
            posteriors(model, part, workers=1)
            tell("alive")
        spent = time.process_time() - start
    tell("rows", n=n, seconds=spent, peak=peak_mb())


def cases_part(job: Mapping[str, Any]) -> None:
    """Cases a second by what is known of the risks; on one core, then on all."""
    model, n = packaged(), job["n"]
    workers = job.get("workers", 1)
    for label, asked in RISKS.items():
        evidence = diagnosis_cases(model, n, job["seed"], asked)
        runs = timed(
            lambda e=evidence: posteriors(model, e, workers=workers), 20.0, wall=workers > 1
        )
        tell("cases", cases=label, n=n, workers=workers, seconds=runs, peak=peak_mb())


def backends_part(job: Mapping[str, Any]) -> None:
    """NumPy against the compiled loop, compared before either is timed."""
    model = packaged()
    for label, asked in RISKS.items():
        evidence = diagnosis_cases(model, job["n"], job["seed"], asked)
        try:
            fast = posteriors(model, evidence, backend="compiled", workers=1)
        except BayesdxError as error:
            tell("backends", cases=label, reason=str(error))
            return
        slow = posteriors(model, evidence, backend="numpy")
        difference = float(np.abs(fast.causes - slow.causes).max())
        both = [
            timed(lambda e=evidence, b=one: posteriors(model, e, backend=b, workers=1), 10.0)
            for one in ("numpy", "compiled")
        ]
        tell(
            "backends",
            cases=label,
            n=job["n"],
            difference=difference,
            numpy=both[0],
            compiled=both[1],
        )


def single_seconds(model: NoisyModel, evidence: Evidence, seconds: float) -> list[float]:
    """Best of three of each case alone, after a first call."""
    result: list[float] = []
    for row in range(len(evidence)):
        one = evidence.take(slice(row, row + 1))
        posteriors(model, one)
        times = []
        for _ in range(3):
            start = time.process_time()
            posteriors(model, one)
            times.append(time.process_time() - start)
        result.append(min(times))
        if sum(result) > seconds:
            break
    return result


def positives_part(job: Mapping[str, Any]) -> None:
    """A batch, and single cases, by the number of findings present."""
    model = packaged()
    for positives in job["positives"]:
        evidence = with_positives(model, positives, job["n"], job["seed"])
        if not len(evidence):
            tell("positives", positives=positives, n=0)
            continue
        measured(model, evidence, "positives", job, positives=positives)


def causes_part(job: Mapping[str, Any]) -> None:
    """The same on 50 causes and 110 findings of random links."""
    for each in job["causes"]:
        model = compile_diagnosis(synthetic(each, job["seed"]))
        for positives in job["positives"]:
            evidence = random_positives(model, positives, job["n"], job["seed"])
            measured(model, evidence, "causes", job, causes=each, positives=positives)


def measured(
    model: NoisyModel, evidence: Evidence, event: str, job: Mapping[str, Any], **about: int
) -> None:
    """Tell of a batch and of its single cases; a batch too heavy is cut, and the cut is told."""
    limit = float(job["seconds"])
    try:
        alone = single_seconds(model, evidence.take(slice(0, job["singles"])), limit)
        # What single cases take bounds what a batch of them takes. With the compiled loop that
        # would say nothing, and fewer rows would not even go through it.
        least = 2048 if jit.installed() else 20
        n = int(min(len(evidence), max(least, 4 * limit / max(np.mean(alone), 1e-6))))
        part = evidence.take(slice(0, n))
        runs = timed(lambda: posteriors(model, part, workers=1), limit)
    except (BayesdxError, MemoryError) as error:
        tell(event, n=0, reason=f"{type(error).__name__}: {error}"[:300], **about)
        return
    tell(event, n=n, seconds=runs, single=alone, peak=peak_mb(), **about)


def draws_part(job: Mapping[str, Any]) -> None:
    """One case under many sets of parameters."""
    model = packaged()
    case = with_positives(model, 5, 1, job["seed"])
    for n in job["draws"]:
        draws = repeat_parameters(model, n)
        runs = timed(lambda d=draws: posteriors_under(model, case, d), float(job["seconds"]))
        tell("draws", n=n, seconds=runs, peak=peak_mb())


def ceilings_part(job: Mapping[str, Any]) -> None:
    """What this core does at best, elementwise and in products of matrices, in cache; our share.

    The sweep's own work is counted while NumPy does it: of every cause that is applied to a
    frontier, the elementwise operations up and down. The compiled loop is held against the same
    work, whatever it does itself.
    """
    a, b, out = np.full(32768, 1.1), np.full(32768, 0.9), np.empty(32768)
    elementwise = min(timed(lambda: [np.multiply(a, b, out=out) for _ in range(2000)], 5.0))
    left, right = np.full((256, 256), 0.1), np.full((256, 256), 0.2)
    product = min(timed(lambda: [left @ right for _ in range(50)], 5.0))
    model = packaged()
    evidence = diagnosis_cases(model, 4096, job["seed"])
    operations = counted_operations(model, evidence) / len(evidence)
    rates = {}
    for backend in ("numpy", "compiled") if jit.installed() else ("numpy",):
        runs = timed(
            lambda e=evidence, one=backend: posteriors(model, e, backend=one, workers=1), 10.0
        )
        rates[backend] = len(evidence) / min(runs)
    tell(
        "ceilings",
        multiplications_per_s=2000 * 32768 / elementwise,
        flops_per_s=50 * 2 * 256**3 / product,
        operations_a_case=operations,
        # Absent findings are taken in by one product of matrices, two operations a cell.
        product_flops_a_case=2.0 * (len(model.causes) + 1) * len(model.findings),
        cases_per_s=rates,
        seed=job["seed"],
    )


def counted_operations(model: NoisyModel, evidence: Evidence) -> float:
    """Elementwise operations of NumPy's sweep over these cases, up and down."""
    total = 0.0
    apply_cause = core_sweep.apply_cause

    def counting(frontier: FloatArray, action: Action) -> FloatArray:
        nonlocal total
        # A cause: three operations on all entries up and seven down; for each axis that it touches
        # one and a half in either direction, since half of the entries take part in three.
        total += (10.0 + 3.0 * len(action.effects)) * frontier.size
        return apply_cause(frontier, action)

    try:
        core_sweep.apply_cause = counting
        posteriors(model, evidence, backend="numpy", workers=1)
    finally:
        core_sweep.apply_cause = apply_cause
    return total


PARTS: dict[str, Callable[[Mapping[str, Any]], None]] = {
    "rows": rows_part,
    "cases": cases_part,
    "backends": backends_part,
    "positives": positives_part,
    "causes": causes_part,
    "draws": draws_part,
    "ceilings": ceilings_part,
}


def main() -> None:
    job = child_job()
    try:
        PARTS[job["part"]](job)
    except Exception as error:  # noqa: BLE001 - it is reported, and the run goes on
        tell("failed", reason=f"{type(error).__name__}: {str(error).strip()[:300]}")


if __name__ == "__main__":
    main()
