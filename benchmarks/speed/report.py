"""The speed benchmark: bayesdx beside pyAgrum and pgmpy, and how its own time grows.

One command, one run, one core. Every measurement is made in a process of its own with a memory and
a time limit; answers are compared before any time counts; only ratios within the run mean anything.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from asking import answer_path
from children import Outcome, run_child
from hard import QUESTIONS
from judging import best_of, compare, counted, growth_aims, network_aims
from networks import DEFAULT, NAMES, QUICK, SHAPES
from peers import OURS, PEERS
from writing import markdown, network_line

import bayesdx

#: Rows that are asked of bayesdx where it did not answer them all in time.
FEW_ROWS = 20
ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("numpy", "pandas", "numba", "pyagrum", "pgmpy")


@dataclass(frozen=True)
class Size:
    """How much is measured; ``seconds`` a shape and engine, ``silence`` until one is given up."""

    rows: int
    default_rows: int
    batches: int
    seconds: float
    silence: float
    total: float
    pgmpy_seconds: float
    pgmpy_silence: float
    growth_rows: tuple[int, ...]
    positives: tuple[int, ...]
    causes: tuple[int, ...]
    draws: tuple[int, ...]
    cases: int
    singles: int


QUICK_SIZE = Size(
    rows=1000,
    default_rows=10_000,
    batches=4,
    seconds=1.5,
    silence=90.0,
    total=180.0,
    pgmpy_seconds=0.5,
    pgmpy_silence=6.0,
    growth_rows=(1, 10, 100, 1000, 10_000, 100_000),
    positives=(0, 1, 3, 5, 8, 10, 15, 20),
    causes=(3, 5),
    draws=(1, 10, 100, 1000),
    cases=20_000,
    singles=20,
)
FULL_SIZE = Size(
    rows=1000,
    default_rows=20_000,
    batches=6,
    seconds=8.0,
    silence=900.0,
    total=1800.0,
    pgmpy_seconds=3.0,
    pgmpy_silence=30.0,
    growth_rows=(1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000),
    positives=tuple(range(21)),
    causes=(3, 5, 7, 10),
    draws=(1, 10, 100, 1000, 10_000),
    cases=100_000,
    singles=100,
)


# ---------------------------------------------------------------- networks


def measure_network(name: str, size: Size, seed: int, folder: Path) -> dict[str, Any]:
    """Ask bayesdx and then every peer the same rows."""
    shapes = ["random"] if name == DEFAULT else list(SHAPES)
    job = {
        "network": name,
        "shapes": shapes,
        "rows": size.default_rows if name == DEFAULT else size.rows,
        "batches": size.batches,
        "seconds": size.seconds,
        "seed": seed,
        "folder": str(folder),
    }
    outcomes = {}
    for peer in (OURS, *PEERS):
        is_pgmpy = peer.startswith("pgmpy")
        here = {
            **job,
            "peer": peer,
            "seconds": size.pgmpy_seconds if is_pgmpy else size.seconds,
        }
        outcomes[peer] = run_shapes(here, size, is_pgmpy)
    fewer = {**job, "peer": OURS, "first_rows": FEW_ROWS}
    for shape, outcome in outcomes[OURS].items():
        if outcome.status != "done" and not outcome.told("first"):
            again = run_shapes({**fewer, "shapes": [shape]}, size, False)
            outcomes[OURS][shape] = again[shape]
    parts = {}
    for shape in shapes:
        mine = ours(outcomes[OURS][shape], job, shape)
        peers = {
            peer: theirs(outcomes[peer][shape], {**job, "peer": peer}, shape, mine)
            for peer in PEERS
        }
        parts[shape] = with_ratios(mine, peers)
    ready = outcomes[OURS][shapes[0]].told("ready")
    about = ready[0]["about"] if ready else "not read"
    return {"name": name, "about": about, "rows": job["rows"], "shapes": parts}


def run_shapes(job: Mapping[str, Any], size: Size, is_pgmpy: bool) -> dict[str, Outcome]:
    """One child a shape: what one shape takes must not cost the other its answer."""
    silence = size.pgmpy_silence if is_pgmpy else size.silence
    return {
        shape: run_child(
            "asking.py",
            {**job, "shapes": [shape]},
            silence=silence,
            total=max(silence, size.total if not is_pgmpy else 3 * silence),
        )
        for shape in job["shapes"]
    }


def ours(outcome: Outcome, job: Mapping[str, Any], shape: str) -> dict[str, Any]:
    """What bayesdx did: times, or why there are none, and the answers to compare with."""
    refused = outcome.told("refused", shape=shape)
    first = outcome.told("first", shape=shape)
    if refused or not first:
        status = "refused" if refused else outcome.status
        reason = refused[0]["reason"] if refused else outcome.reason
        return {"status": status, "note": reason, "us_a_row": None, "answers": None}
    warm = [event["seconds"] for event in outcome.told("batch", shape=shape)]
    n = first[0]["n"]
    single = outcome.told("single", shape=shape)
    few = f"only {n} of {job['rows']} rows within the time" if n < job["rows"] else ""
    ended = "" if outcome.status == "done" else f"{outcome.status}: {outcome.reason}"
    path = answer_path({**job, "peer": OURS}, shape)
    return {
        "status": "answered",
        "note": "; ".join(filter(None, (few, ended))),
        "rows": n,
        "us_a_row": 1e6 * float(np.median(warm or [first[0]["seconds"]])) / n,
        "us_first": 1e6 * first[0]["seconds"] / n,
        "us_single": 1e6 * float(np.median(single[0]["seconds"])) if single else None,
        "base_mb": outcome.told("ready")[0]["peak"],
        "peak_mb": max(e["peak"] for e in outcome.events if "peak" in e),
        "digest": outcome.told("rows", shape=shape)[0]["digest"],
        "answers": read_answers(path),
    }


def read_answers(path: Path) -> tuple[np.ndarray, np.ndarray] | None:
    """Log evidence and posteriors that a child left, if it did."""
    if not path.exists():
        return None
    with np.load(path) as kept:
        return kept["log_evidence"], kept["values"]


def theirs(
    outcome: Outcome, job: Mapping[str, Any], shape: str, mine: Mapping[str, Any]
) -> dict[str, Any]:
    """What a peer did; its time counts if its answers are ours."""
    asked = outcome.told("asked", shape=shape)
    answers = read_answers(answer_path(job, shape))
    if not asked or answers is None:
        return {"status": outcome.status, "note": outcome.reason, "us_a_row": None}
    if mine["answers"] is None:
        return {"status": "not compared", "note": "bayesdx has no answer", "us_a_row": None}
    digest = outcome.told("rows", shape=shape)[0]["digest"]
    if digest != mine["digest"]:
        return {"status": "failed", "note": "had other rows", "us_a_row": None}
    # A row that we did not answer cannot be compared, and what is not compared is not timed.
    n = len(mine["answers"][0])
    times = np.array([math.nan if s is None else s for s in asked[-1]["seconds"][:n]], dtype=float)
    verdict = compare(mine["answers"], answers, ~np.isnan(times))
    entry = counted(verdict, times.tolist(), asked[-1]["failures"])
    if outcome.status != "done":
        ended = f"{outcome.status} after {len(times)} rows: {outcome.reason}"
        entry["note"] = f"{entry['note']}; {ended}".lstrip("; ")
    elif entry["rows_failed"] and entry["rows"]:
        entry["note"] = f"{entry['rows_failed']} rows not answered: {asked[-1]['failures'][0]}"
    entry["peak_mb"] = max((e["peak"] for e in outcome.events if "peak" in e), default=None)
    return entry


def with_ratios(mine: dict[str, Any], peers: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Add how many times faster bayesdx is than the best engine of each peer."""
    del mine["answers"]
    found: dict[str, Any] = {"bayesdx": mine, "peers": peers}
    for family, key in (("pyAgrum", "ratio"), ("pgmpy", "pgmpy_ratio")):
        best = best_of(peers, family)
        known = best is not None and mine["us_a_row"] is not None
        found[f"best_{family}"] = best
        found[key] = peers[best]["us_a_row"] / mine["us_a_row"] if known else None
    best, single = found["best_pyAgrum"], mine.get("us_single")
    found["single_ratio"] = peers[best]["us_median"] / single if best and single else None
    found["first_ratio"] = (
        peers[best]["us_a_row"] / mine["us_first"] if best and mine.get("us_first") else None
    )
    return found


# ---------------------------------------------------------------- growth and hard cases


def grow(part: str, size: Size, seed: int, **job: Any) -> Outcome:
    """Run one part of `growth.py`."""
    total = max(1800.0, size.total)
    cores = job.get("workers", 1)
    silence = max(300.0, size.silence)
    job = {"part": part, "seed": seed, "seconds": size.seconds, **job}
    return run_child("growth.py", job, silence=silence, total=total, cores=cores)


def measure_growth(size: Size, seed: int) -> dict[str, Any]:
    """All parts of the growth; what failed is told under ``failures``."""
    found: dict[str, Any] = {}
    failures: list[str] = []

    def add(part: str, **job: Any) -> None:
        outcome = grow(part, size, seed, **job)
        found.setdefault(part, []).extend(outcome.told(part))
        if outcome.status != "done":
            failures.append(f"{part} {job}: {outcome.status}, {outcome.reason}")
        print(f"growth: {part} {job.get('n', '')} {outcome.status}", flush=True)

    add("ceilings")
    add("cases", n=size.cases)
    if len(getattr(os, "sched_getaffinity", lambda _: {0, 1})(0)) > 1:
        add("cases", n=size.cases, workers=2)
    add("backends", n=4096)
    for n in size.growth_rows:
        add("rows", n=n)
    each = {"n": 4096, "singles": size.singles}
    add("positives", positives=size.positives, **each)
    add("causes", causes=size.causes, positives=(1, 3, 5, 8, 10, 12, 20), **each)
    add("draws", draws=size.draws)
    for one in [*found["cases"], *found["positives"], *found["causes"], *found["draws"]]:
        summarise(one)
    for one in found["rows"]:
        one["us_a_row"] = 1e6 * one["seconds"] / one["n"]
    for one in found["backends"]:
        if "numpy" in one:
            one["ratio"] = float(np.median(one["numpy"]) / np.median(one["compiled"]))
    return {**found, "failures": failures}


def summarise(one: dict[str, Any]) -> None:
    """Add rates and percentiles to what a child measured."""
    if not one.get("n"):
        return
    one["rate"] = one["n"] / float(np.median(one["seconds"]))
    if "single" in one:
        times = 1e3 * np.array(one.pop("single"))
        points = dict(zip(("p50", "p90", "p99", "max"), (50, 90, 99, 100), strict=True))
        one["single_ms"] = {key: float(np.percentile(times, p)) for key, p in points.items()}


def measure_hard(seed: int, silence: float) -> list[dict[str, str]]:
    """What each engine says of what is hard to get right."""
    found = []
    for question in QUESTIONS:
        for peer in (OURS, *PEERS):
            job = {"question": question, "peer": peer, "seed": seed}
            outcome = run_child("hard.py", job, silence=silence, total=silence)
            told = outcome.told("verdict")
            text = told[0]["text"] if told else f"{outcome.status}: {outcome.reason}"
            found.append({"question": question, "engine": peer, "answer": text})
            print(f"{question}: {peer}: {text}", flush=True)
    return found


# ---------------------------------------------------------------- the report


def about(seed: int, quick: bool) -> dict[str, Any]:
    """What was measured with what."""
    found: dict[str, Any] = {
        "machine": platform.machine(),
        "python": platform.python_version(),
        "bayesdx": bayesdx.__version__,
    }
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    found |= {"seed": seed, "quick": quick, "cores": os.cpu_count()}
    return {**found, "date": datetime.now(UTC).isoformat(timespec="seconds")}


def plain(value: Any) -> Any:
    """NaN and infinity become null, which JSON has."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write(report: dict[str, Any], folder: Path) -> None:
    """Write JSON, Markdown and, with matplotlib, figures."""
    folder.mkdir(parents=True, exist_ok=True)
    report["figures"] = []
    if find_spec("matplotlib") is not None:
        from figures import draw_all

        report["figures"] = draw_all(report, folder)
    text = json.dumps(plain(report), indent=1, ensure_ascii=False, allow_nan=False)
    (folder / "report.json").write_text(text + "\n", encoding="utf-8", newline="\n")
    (folder / "report.md").write_text(markdown(report), encoding="utf-8", newline="\n")


def build(names: list[str], parts: set[str], quick: bool, seed: int, folder: Path) -> None:
    """Measure, and write after each network, so that nothing measured is lost."""
    size = QUICK_SIZE if quick else FULL_SIZE
    report: dict[str, Any] = {"about": about(seed, quick), "networks": {}, "growth": {}, "hard": []}
    with tempfile.TemporaryDirectory() as scratch:
        if "growth" in parts:
            report["growth"] = measure_growth(size, seed)
        if "hard" in parts:
            report["hard"] = measure_hard(seed, size.pgmpy_silence + 30.0)
        for name in names:
            found = measure_network(name, size, seed, Path(scratch))
            report["networks"][name] = found
            for shape in found["shapes"]:
                print(network_line(name, shape, found["shapes"][shape]), flush=True)
            report["aims"] = network_aims(report["networks"])
            write(report, folder)
    aims = network_aims(report["networks"])
    report["aims"] = aims + (growth_aims(report["growth"]) if report["growth"] else [])
    write(report, folder)
    print(markdown(report))


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = ROOT / "benchmarks" / "results" / "speed"
    parser.add_argument("--quick", action="store_true", help="few networks, short limits")
    parser.add_argument("--only", nargs="+", metavar="NETWORK", choices=NAMES, help="these alone")
    parser.add_argument(
        "--parts",
        nargs="+",
        choices=("networks", "growth", "hard"),
        help="all by default; the networks alone with --only",
    )
    parser.add_argument("--out", type=Path, default=default, help="folder for the report")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    chosen = ("networks",) if options.only else ("networks", "growth", "hard")
    parts = set(options.parts or chosen)
    names = list(options.only or (QUICK if options.quick else NAMES))
    build(names if "networks" in parts else [], parts, options.quick, options.seed, options.out)
    print(f"written to {options.out}")


if __name__ == "__main__":
    main()
