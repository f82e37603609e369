"""What "auto" takes beside the better backend, and the measurements behind its choice.

    python benchmarks/speed/backends.py

CPU time of one thread, those of a size taken in turn, the least of a few; only ratios are printed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

import bayesdx
from bayesdx.inference import posteriors
from bayesdx.inference.noisy import choice, jit
from bayesdx.inference.noisy.condition import count_axes
from bayesdx.inference.noisy.sampling import observe, sample_cases
from diagnosis import as_frame

SIZES = (1, 10, 50, 200, 1000, 2047, 2048, 20_000)
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
#: A fresh process that scores some rows once; prints the CPU seconds that took.
COLD = """
import sys, time, pandas as pd, bayesdx
from bayesdx.diagnosis import Engine
engine = bayesdx.load()
rows = pd.read_pickle(sys.argv[1]).iloc[:int(sys.argv[3])]
start = time.process_time()
Engine(engine.knowledge, sys.argv[2]).score(rows)
print(time.process_time() - start)
"""


def in_turn(actions: dict[str, Callable[[], float]], repeats: int) -> dict[str, float]:
    """Least seconds of each action, which returns its own."""
    best = dict.fromkeys(actions, np.inf)
    for _ in range(repeats):
        for name, action in actions.items():
            best[name] = min(best[name], action())
    return best


def clocked(action: Callable[[], object]) -> Callable[[], float]:
    """CPU seconds of a call."""

    def run() -> float:
        start = time.process_time()
        action()
        return time.process_time() - start

    return run


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    os.environ.update(ONE_THREAD)
    engines = {name: bayesdx.load(backend=name) for name in ("auto", "numpy", "compiled")}
    model, rng = engines["auto"].core.model, np.random.default_rng(5)
    evidence = observe(model, sample_cases(model, SIZES[-1], rng), rng)
    frame = as_frame(model, evidence)
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "rows.pkl"
        frame.to_pickle(kept)

        def cold(name: str, count: int) -> float:
            command = [sys.executable, "-c", COLD, str(kept), name, str(count)]
            return float(subprocess.run(command, check=True, capture_output=True).stdout)

        print(f"{'rows':>7} {'auto / better, ready':>22} {'auto / numpy, fresh process':>28}")
        engines["compiled"].score(frame.iloc[:1])
        for count in SIZES:
            rows = frame.iloc[:count]
            warm = in_turn(
                {name: clocked(partial(one.score, rows)) for name, one in engines.items()},
                repeats if count > 2048 else 3 * repeats,
            )
            fresh = in_turn({n: partial(cold, n, count) for n in ("auto", "numpy")}, repeats)
            better = min(warm["numpy"], warm["compiled"])
            print(
                f"{count:7,} {warm['auto'] / better:22.2f} {fresh['auto'] / fresh['numpy']:28.2f}",
                flush=True,
            )
        print(f"\nunit: one case; estimate beside measurement; code on disk: {jit.kept()}")
        unit = None
        for count in SIZES:
            part = evidence.take(slice(0, count))
            spent = in_turn(
                {
                    name: clocked(partial(posteriors, model, part, backend=name, workers=1))
                    for name in ("numpy", "compiled")
                },
                repeats,
            )
            unit = unit or spent["numpy"]
            print(
                f"{count:7,} numpy {spent['numpy'] / unit:8.1f} estimated "
                f"{choice.numpy_effort(count_axes(model, part)):8.1f} compiled "
                f"{spent['compiled'] / unit:8.2f}",
                flush=True,
            )
        start = min(cold("compiled", 1) for _ in range(repeats)) / unit
        print(f"loading, kernels on disk: {start:.0f} (taken as {choice._LOADING:.0f})")


if __name__ == "__main__":
    main()
