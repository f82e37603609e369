"""The compiled sweep beside NumPy's: same cases, one run, answers compared before any time counts.

One core is CPU time of one thread; two cores is the clock on the wall, so leave the machine alone.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import bayesdx
from bayesdx.inference import (
    Evidence,
    NoisyModel,
    compile_diagnosis,
    no_evidence,
    posteriors,
)
from bayesdx.inference.noisy.sampling import observe, sample_cases
from bayesdx.network import Network, NoisyOrCPD, TableCPD, Variable

ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
EXACT = 1e-12
RISKS = {
    "risks known": (1.0, 1.0),
    "risks partly unknown": (0.20, 0.35),
    "no risk known": (0.0, 0.0),
}
POSITIVES = [(0, 1), (2, 3), (4, 5), (6, 7), (8, 9), (10, 12), (13, 20)]
#: Imports numba and has all kernels; prints seconds of either, and CPU seconds of the latter.
START = """
import time
start = time.perf_counter()
import numba
imported = time.perf_counter()
from bayesdx.inference.noisy.jit import driver
_, seconds = driver.prepare()
print(imported - start, time.perf_counter() - imported, seconds)
"""


def best_of(action: Callable[[], object], clock: Callable[[], float], repeats: int = 5) -> float:
    times = []
    for _ in range(repeats):
        start = clock()
        action()
        times.append(clock() - start)
    return min(times)


def compare(model: NoisyModel, evidence: Evidence, n_cases: int) -> float:
    """Seconds a case that NumPy needs, after its answers have been found to be the same."""
    few = evidence.take(slice(0, n_cases))
    compiled = posteriors(model, few, backend="compiled")
    seconds = best_of(lambda: posteriors(model, few, backend="numpy"), time.process_time, repeats=2)
    right = posteriors(model, few, backend="numpy")
    assert np.abs(compiled.causes - right.causes).max() < EXACT
    assert np.abs(compiled.log_evidence - right.log_evidence).max() < EXACT * 100
    return seconds / len(few)


def rates(model: NoisyModel, evidence: Evidence, n_compared: int) -> dict[str, Any]:
    def answer(workers: int) -> Callable[[], object]:
        return lambda: posteriors(model, evidence, backend="compiled", workers=workers)

    numpy = compare(model, evidence, n_compared)
    one = best_of(answer(1), time.process_time) / len(evidence)
    two = best_of(answer(2), time.perf_counter) / len(evidence)
    return {
        "n": len(evidence),
        "numpy_per_s": round(1 / numpy),
        "one_core_per_s": round(1 / one),
        "two_cores_per_s": round(1 / two),
        "times_numpy": round(numpy / one, 1),
    }


def knowledge(model: NoisyModel, n_cases: int, seed: int) -> list[dict[str, Any]]:
    rows = []
    for label, asked in RISKS.items():
        rng = np.random.default_rng(seed)
        evidence = observe(model, sample_cases(model, n_cases, rng), rng, risks_asked=asked)
        rows.append({"cases": label, **rates(model, evidence, 5000)})
    return rows


def by_positives(model: NoisyModel, n_cases: int, seed: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    asked = RISKS["risks partly unknown"]
    evidence = observe(model, sample_cases(model, n_cases, rng), rng, risks_asked=asked)
    positives = (evidence.findings == 1.0).sum(axis=1)
    rows = []
    for low, high in POSITIVES:
        chosen = np.flatnonzero((positives >= low) & (positives <= high))
        if len(chosen):
            part = evidence.take(chosen)
            rows.append({"positives": f"{low}-{high}", **rates(model, part, 1000)})
    return rows


def synthetic(seed: int) -> NoisyModel:
    """50 causes and 110 findings with 5 causes each, drawn evenly."""
    rng = np.random.default_rng(seed)
    causes = [f"cause{i}" for i in range(50)]
    findings = [f"finding{i}" for i in range(110)]
    priors = rng.uniform(0.005, 0.15, len(causes))
    cpds = [TableCPD(n, (), np.array([1 - p, p])) for n, p in zip(causes, priors, strict=True)]
    links = [
        NoisyOrCPD(
            name,
            tuple(rng.choice(causes, 5, replace=False)),
            rng.uniform(0.15, 0.9, 5),
            rng.uniform(0.005, 0.05),
        )
        for name in findings
    ]
    return compile_diagnosis(Network([Variable(n) for n in causes + findings], [*cpds, *links]))


def with_positives(model: NoisyModel, n_cases: int, n_positives: int, seed: int) -> Evidence:
    rng = np.random.default_rng(seed)
    blank = no_evidence(model, n_cases)
    order = rng.permuted(np.tile(np.arange(len(model.findings)), (n_cases, 1)), axis=1)
    findings = blank.findings.copy()
    np.put_along_axis(findings, order[:, :n_positives], 1.0, axis=1)
    np.put_along_axis(findings, order[:, n_positives : n_positives + 25], 0.0, axis=1)
    return Evidence(findings, blank.lower, blank.upper, blank.risks, blank.causes)


def hard(seed: int) -> tuple[list[dict[str, Any]], dict[str, float]]:
    model = synthetic(seed)
    rows = []
    for n_positives, n_cases in ((3, 50_000), (5, 50_000), (8, 20_000), (10, 10_000), (12, 2000)):
        evidence = with_positives(model, n_cases, n_positives, seed)
        rows.append({"positives": n_positives, **rates(model, evidence, 500)})
    cases = [with_positives(model, 1, 20, seed + i) for i in range(20)]
    each = [
        1e3
        * best_of(
            lambda e=e: posteriors(model, e, backend="compiled"), time.process_time, repeats=3
        )
        for e in cases
    ]
    return rows, {
        "twenty_positives_ms_median": round(float(np.median(each)), 2),
        "twenty_positives_ms_worst_of_20": round(max(each), 2),
    }


def single(model: NoisyModel, n_cases: int, seed: int) -> dict[str, float]:
    """One case a call."""
    rng = np.random.default_rng(seed)
    evidence = observe(model, sample_cases(model, n_cases, rng), rng)
    cases = [evidence.take(slice(i, i + 1)) for i in range(n_cases)]
    each = [
        best_of(lambda e=e: posteriors(model, e, backend="compiled"), time.perf_counter, repeats=3)
        for e in cases
    ]
    return {"one_case_ms_median": round(1e3 * float(np.median(each)), 2)}


def start() -> dict[str, Any]:
    """Seconds to import numba and to have machine code: compiled, read back, with nowhere to write.

    Bytecode and machine code lie side by side, so a cache elsewhere shows all three.
    """

    def run(cache: str) -> tuple[float, float, float]:
        done = subprocess.run(
            [sys.executable, "-c", START],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "NUMBA_CACHE_DIR": cache},
        )
        importing, having, seconds = map(float, done.stdout.split())
        return importing, having, seconds

    with tempfile.TemporaryDirectory() as cache:
        _, compiling, seconds = run(cache)
        importing, loading, _ = run(cache)
        kept = sum(path.stat().st_size for path in Path(cache).rglob("*") if path.is_file())
    return {
        "import_numba_s": round(importing, 2),
        "compile_s": round(compiling, 1),
        "compile_cpu_s": round(seconds, 1),
        "load_compiled_s": round(loading, 2),
        "kept_on_disk_kb": round(kept / 1024),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path("out/compiled.json"))
    options = parser.parse_args()
    model = bayesdx.load().assembly.model
    tables = {
        "knowledge": knowledge(model, options.cases, options.seed),
        "by positives, risks partly unknown": by_positives(model, options.cases, options.seed),
    }
    tables["50 x 110, 5 causes a finding"], figures = hard(options.seed)
    report: dict[str, Any] = {
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "numpy": np.__version__,
        **figures,
        **single(model, 200, options.seed),
        **start(),
    }
    for key, value in report.items():
        print(f"{key:34} {value}")
    for title, rows in tables.items():
        print(f"\n{title}\n{pd.DataFrame(rows).to_string(index=False)}")
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps({**report, **tables}, indent=2) + "\n")
    print(f"\nwritten to {options.output}")


if __name__ == "__main__":
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        # One core: NumPy reads these when it starts its threads, so start again with them set.
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ONE_THREAD})
    main()
