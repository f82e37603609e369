"""How long one new case takes: ``Engine.diagnose`` over all scenarios, beside an older engine.

Run ``python benchmarks/speed/latency.py --baseline OTHER/engine``, where ``OTHER`` is a checkout of
another commit; the same Python serves both. Every engine runs in processes of its own, in turn, on
one core; a case is asked once a process, so that no answer is one that was kept, and its least CPU
time of all processes counts. Only ratios within a run can be compared; without ``--baseline`` the
figures of this checkout alone are printed.

*numpy* is the default engine for single cases; *compiled* has its kernels loaded before the first
case. *read* adds that all tables of the diagnosis are looked at, which may be made only then.
"""

from __future__ import annotations

import argparse
import csv
import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve()
ROOT = HERE.parents[2]
SCENARIOS = [ROOT / "scenarios" / name for name in ("documents.csv", "published.csv")]
#: Columns that are not findings.
RESERVED = {"case_id", "expected_cause", "acceptable", "urgency", "source", "note"}
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
#: Every so many cases are asked what takes longer.
SPARSE = 6


def read_cases() -> list[dict[str, str]]:
    """Return what each scenario says."""
    cases = []
    for path in SCENARIOS:
        with path.open(encoding="utf-8", newline="") as file:
            cases += [
                {name: cell for name, cell in row.items() if name not in RESERVED and cell}
                for row in csv.DictReader(file)
            ]
    return cases


QUESTIONS = ("diagnose", "read", "next_questions", "what_if", "intervals")


def questions(engine: Any) -> dict[str, Callable[[dict[str, str]], Any]]:
    """Return what is asked about a case, by name."""

    def read(case: dict[str, str]) -> Any:
        found = engine.diagnose(case)
        return found.table, found.groups, found.red_flags, found.pitfalls, found.management

    return {
        "diagnose": engine.diagnose,
        "read": read,
        "next_questions": engine.next_questions,
        "what_if": lambda case: engine.what_if(case, {"fair_pos": "present"}),
        "intervals": lambda case: engine.intervals(case, draws=500),
    }


def measure(backend: str, name: str) -> dict[str, Any]:
    """Ask every case once; return CPU seconds, and the posteriors of `diagnose`."""
    import bayesdx

    engine, cases = bayesdx.load(backend=backend), read_cases()
    ask = questions(engine)[name]
    if name not in ("diagnose", "read"):
        cases = cases[::SPARSE]
    ask({})
    gc.collect()
    gc.freeze()
    seconds, answers = [], []
    for case in cases:
        begin = time.process_time()
        found = ask(case)
        seconds.append(time.process_time() - begin)
        if name == "diagnose":
            answers.append(found.table["posterior"].sort_index().tolist())
    return {"seconds": seconds, "answers": answers}


def in_a_process(engine: Path, backend: str, name: str) -> dict[str, Any]:
    """Do the same with the engine of a folder."""
    environment = os.environ | ONE_THREAD | {"PYTHONPATH": str(engine)}
    command = [sys.executable, str(HERE), "--child", backend, name]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def report(engines: dict[str, Path], jobs: list[tuple[str, str]], repeats: int) -> None:
    """Print medians, 95th percentiles and ratios to the first engine."""
    print(
        f"{'question':<16}{'backend':<10}{'engine':<10}{'median ms':>10}{'p95 ms':>9}{'ratios':>15}"
    )
    for name, backend in jobs:
        runs: dict[str, list[dict[str, Any]]] = {label: [] for label in engines}
        for _ in range(repeats):
            for label, folder in engines.items():
                # What is aimed at with kernels ready is a share of NumPy's time before.
                used = "numpy" if label == "baseline" else backend
                runs[label].append(in_a_process(folder, used, name))
        first: tuple[float, float] | None = None
        for label, many in runs.items():
            least = 1e3 * np.min([one["seconds"] for one in many], axis=0)
            shown = float(np.median(least)), float(np.percentile(least, 95))
            first = first or shown
            ratios = "".join(f"{a / b:>7.3f}" for a, b in zip(shown, first, strict=True))
            print(f"{name:<16}{backend:<10}{label:<10}{shown[0]:>10.2f}{shown[1]:>9.2f} {ratios}")
        if name == "diagnose" and len(runs) > 1:
            one, other = (np.array(many[0]["answers"]) for many in runs.values())
            print(f"{'':<16}largest difference of a posterior {np.abs(one - other).max():.1e}")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--baseline", type=Path, metavar="ENGINE_DIR")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--questions", nargs="+", choices=QUESTIONS, default=list(QUESTIONS))
    parser.add_argument("--child", nargs=2, metavar=("BACKEND", "QUESTION"), help="internal")
    chosen = parser.parse_args()
    if chosen.child:
        print(json.dumps(measure(*chosen.child)))
        return
    engines = {"baseline": chosen.baseline.resolve()} if chosen.baseline else {}
    names = chosen.questions
    jobs = [(name, "numpy") for name in names]
    jobs += [(name, "compiled") for name in names if name in ("diagnose", "read")]
    report(engines | {"now": ROOT / "engine"}, jobs, chosen.repeats)


if __name__ == "__main__":
    main()
