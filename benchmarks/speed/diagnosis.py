"""How fast the packaged knowledge is answered: one run, one core, a table and a JSON file."""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import bayesdx
from bayesdx.inference import Evidence, NoisyModel, posteriors
from bayesdx.inference.noisy.answer import TOO_COMPLEX
from bayesdx.inference.noisy.sampling import observe, sample_cases

ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
FEW, MOST = (0.20, 0.35), (0.60, 0.80)
#: Share of findings that are asked, and of risks.
ASKED = {
    "risks known": (FEW, (1.0, 1.0)),
    "risks asked like findings": (FEW, FEW),
    "no risk known": (FEW, (0.0, 0.0)),
    "filled form": (MOST, (1.0, 1.0)),
}
CASE = {
    "low_back_pain": "present",
    "bilateral": "absent",
    "fair_pos": "present",
    "slr_pos": "absent",
    "cramp_spasm": "present",
    "sitting_worse": "present",
    "numbness_tingling": "absent",
    "age": 52,
    "sex": "female",
}


def as_frame(model: NoisyModel, evidence: Evidence) -> pd.DataFrame:
    """Write evidence as people do: present, absent, state names, empty cells."""
    words = np.array(["absent", "present", ""], dtype=object)
    columns = {
        name: words[np.nan_to_num(evidence.findings[:, f], nan=2.0).astype(int)]
        for f, name in enumerate(model.findings)
    }
    for r, name in enumerate(model.risks):
        states = np.array([*model.network.variables[name].states, ""], dtype=object)
        columns[name] = states[evidence.risks[:, r]]
    for o, name in enumerate(model.ordinals):
        states = np.array([*model.network.variables[name].states, ""], dtype=object)
        exact = evidence.lower[:, o] == evidence.upper[:, o]
        columns[name] = states[np.where(exact, evidence.lower[:, o], -1)]
    # The combined piriformis test follows from its two parts; drawn apart they could contradict.
    parts = [columns["seated_pir_stretch_pos"], columns["active_pir_pos"]]
    known = np.logical_or.reduce([part != "" for part in parts])
    columns["pir_combined_pos"] = np.where(known, "", columns["pir_combined_pos"])
    return pd.DataFrame(columns)


def seconds(action: Callable[[], object]) -> float:
    """CPU seconds of one call on this thread's process."""
    start = time.process_time()
    action()
    return time.process_time() - start


def batch(engine: bayesdx.Engine, n_cases: int, seed: int) -> list[dict[str, Any]]:
    model = engine.assembly.model
    rows = []
    for label, (asked, risks_asked) in ASKED.items():
        # What takes longest gets fewer cases; the figure is a rate.
        n = n_cases if label == "risks known" else max(1000, n_cases // 5)
        rng = np.random.default_rng(seed)
        cases = sample_cases(model, n, rng)
        evidence = observe(model, cases, rng, asked=asked, risks_asked=risks_asked)
        frame = as_frame(model, evidence)
        # Fresh memory is slow memory: a first call pays for it, as a first batch does anywhere.
        engine.score(frame.head(20_000))
        start = time.process_time()
        refused = int((posteriors(model, evidence).status == TOO_COMPLEX).sum())
        inference = time.process_time() - start
        scoring = seconds(lambda f=frame: engine.score(f))
        positives = (evidence.findings == 1.0).sum(axis=1)
        rows.append(
            {
                "cases": label,
                "n": n,
                "positives_mean": round(float(positives.mean()), 2),
                "positives_max": int(positives.max()),
                "inference_cases_per_s": round(n / inference),
                "score_cases_per_s": round(n / scoring),
                "too_complex": refused,
            }
        )
    return rows


def single(engine: bayesdx.Engine, seed: int) -> dict[str, float]:
    engine.diagnose(CASE)
    warm = [seconds(lambda: engine.diagnose(CASE)) for _ in range(50)]
    model = engine.assembly.model
    rng = np.random.default_rng(seed)
    fresh = as_frame(model, observe(model, sample_cases(model, 60, rng), rng))
    cases = [{k: v for k, v in row.items() if v} for row in fresh.to_dict("records")]
    new = [seconds(lambda c=case: engine.diagnose(c)) for case in cases]
    return {
        "diagnose_warm_ms": round(1e3 * statistics.median(warm), 2),
        "diagnose_new_findings_ms": round(1e3 * statistics.median(new), 2),
    }


def start_up() -> dict[str, float]:
    def imported(module: str) -> float:
        code = (
            f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            # An installed package has its bytecode; compiling it anew is not what is measured.
            env={k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"},
        )
        return float(done.stdout)

    imported("bayesdx")
    pairs = [(imported("bayesdx"), imported("pandas")) for _ in range(7)]
    ratio = statistics.median(ours / theirs for ours, theirs in pairs)
    load = [seconds(bayesdx.load) for _ in range(5)]
    return {
        "import_over_pandas": round(ratio, 2),
        "load_s": round(statistics.median(load), 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path("out/speed.json"))
    options = parser.parse_args()
    engine = bayesdx.load()
    report: dict[str, Any] = {
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "numpy": np.__version__,
        "engine": repr(engine),
        **start_up(),
        **single(engine, options.seed),
        "batch": batch(engine, options.cases, options.seed),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(report, indent=2) + "\n")
    for key, value in report.items():
        if key != "batch":
            print(f"{key:28} {value}")
    print(pd.DataFrame(report["batch"]).to_string(index=False))
    print(f"written to {options.output}")


if __name__ == "__main__":
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        # One core: NumPy reads these when it starts its threads, so start again with them set.
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ONE_THREAD})
    main()
