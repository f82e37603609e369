"""The speed benchmark: bayesdx beside pyAgrum and pgmpy, and how its own time grows.

One command, one run, one core. Every measurement is made in a process of its own with a memory and
a time limit; answers are compared before any time counts; only ratios within the run mean anything.
What was measured is written at once: the same command goes on where it was interrupted.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from asking import answer_path
from children import Outcome, run_child
from growing import measure_growth
from hard import measure_hard
from judging import best_of, compare, counted, growth_aims, network_aims
from networks import DEFAULT, NAMES, QUICK, SHAPES
from peers import OURS, PEERS
from resuming import about, empty, resumed, save
from sizes import FULL_SIZE, QUICK_SIZE, Budget, Size, limits
from writing import markdown, network_line

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("hard", "growth", "networks")


# ---------------------------------------------------------------- networks


def measure_network(
    name: str, shapes: Sequence[str], size: Size, seed: int, folder: Path, share: float
) -> dict[str, Any]:
    """Ask bayesdx and then every peer the same rows, within so many seconds."""
    job = {
        "network": name,
        "rows": size.default_rows if name == DEFAULT else size.rows,
        "batches": size.batches,
        "seed": seed,
        "folder": str(folder),
    }
    outcomes = {
        peer: run_shapes({**job, "peer": peer}, shapes, size, share) for peer in (OURS, *PEERS)
    }
    parts = {}
    for shape in shapes:
        mine = ours(outcomes[OURS][shape], job, shape)
        peers = {
            peer: theirs(outcomes[peer][shape], {**job, "peer": peer}, shape, mine)
            for peer in PEERS
        }
        parts[shape] = with_ratios(mine, peers)
    ready = outcomes[OURS][shapes[0]].told("ready")
    text = ready[0]["about"] if ready else "not read"
    return {"name": name, "about": text, "rows": job["rows"], "shapes": parts}


def run_shapes(
    job: Mapping[str, Any], shapes: Sequence[str], size: Size, share: float
) -> dict[str, Outcome]:
    """Ask one engine, in one child while it lasts: to start costs more than many a network.

    Where a child ends early, the shapes that it had not begun get one of their own, unless the
    engine could not be made at all.
    """
    limit = limits(job["peer"], share, len(shapes), size)
    found: dict[str, Outcome] = {}
    left = list(shapes)
    while left:
        total = limit.start + len(left) * limit.wall
        outcome = run_child(
            "asking.py",
            {**job, "shapes": left, "seconds": limit.asked},
            silence=total,
            total=total,
        )
        begun = [shape for shape in left if outcome.told("rows", shape=shape)] or left
        found |= {shape: of_shape(outcome, shape) for shape in begun}
        left = [shape for shape in left if shape not in begun]
    return found


def of_shape(outcome: Outcome, shape: str) -> Outcome:
    """What a child told of one shape; it is done if the last thing wanted of it was told."""
    events = [one for one in outcome.events if one.get("shape", shape) == shape]
    ended = {"single", "refused", "done"} & {one["event"] for one in events if "shape" in one}
    return Outcome("done", "", events) if ended else Outcome(outcome.status, outcome.reason, events)


def ours(outcome: Outcome, job: Mapping[str, Any], shape: str) -> dict[str, Any]:
    """What bayesdx did: times, or why there are none, and the answers to compare with."""
    refused = outcome.told("refused", shape=shape)
    # All rows if there was time for them, else the few that are asked before.
    first = outcome.told("first", shape=shape) or outcome.told("few", shape=shape)
    if refused or not first:
        status = "refused" if refused else outcome.status
        reason = refused[0]["reason"] if refused else outcome.reason
        return {"status": status, "note": reason, "us_a_row": None, "answers": None}
    warm = [event["seconds"] for event in outcome.told("batch", shape=shape)]
    n = first[0]["n"]
    single = outcome.told("single", shape=shape)
    few = f"{n} of {job['rows']} rows within the time" if n < job["rows"] else ""
    ended = "" if outcome.status == "done" else f"{outcome.status}: {outcome.reason}"
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
        "answers": read_answers(answer_path({**job, "peer": OURS}, shape)),
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
    n = min(len(times), len(answers[0]))
    times = times[:n]
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


def measure_networks(
    report: dict[str, Any],
    names: Sequence[str],
    shapes: Sequence[str],
    size: Size,
    minutes: float,
    folder: Path,
) -> None:
    """Measure network after network; what an earlier run has is not measured again."""
    wanted = {
        name: [
            shape
            for shape in (("random",) if name == DEFAULT else shapes)
            if shape not in report["networks"].get(name, {}).get("shapes", {})
        ]
        for name in names
    }
    waiting = [name for name in names if wanted[name]]
    budget = Budget(minutes, len(waiting))
    for name in waiting:
        share, seed = budget.next_share(), report["about"]["seed"]
        with tempfile.TemporaryDirectory() as scratch:
            found = measure_network(name, wanted[name], size, seed, Path(scratch), share)
        found["seconds_allowed"] = share
        before = report["networks"].get(name, {}).get("shapes", {})
        report["networks"][name] = {**found, "shapes": {**before, **found["shapes"]}}
        for shape in found["shapes"]:
            print(network_line(name, shape, found["shapes"][shape]), flush=True)
        save(report, folder)


# ---------------------------------------------------------------- the report


def write(report: dict[str, Any], folder: Path) -> None:
    """Write JSON, Markdown and, with matplotlib, figures."""
    aims = network_aims(report["networks"])
    report["aims"] = aims + (growth_aims(report["growth"]) if report["growth"] else [])
    report["figures"] = []
    folder.mkdir(parents=True, exist_ok=True)
    if find_spec("matplotlib") is not None:
        from figures import draw_all

        report["figures"] = draw_all(report, folder)
    save(report, folder)
    (folder / "report.md").write_text(markdown(report), encoding="utf-8", newline="\n")


def build(options: argparse.Namespace) -> dict[str, Any]:
    """Measure what was asked for, writing after each step."""
    size, folder = QUICK_SIZE if options.quick else FULL_SIZE, options.out
    told = about(options.seed, options.quick)
    report = empty(told) if options.fresh else resumed(folder / "report.json", told)
    minutes = options.budget or size.minutes
    growth_minutes = minutes * size.growth_minutes / size.minutes
    if "hard" in options.parts and not report["hard"]:
        report["hard"] = measure_hard(options.seed, 60.0 if options.quick else 90.0)
        save(report, folder)
    if "growth" in options.parts:

        def kept(found: dict[str, Any]) -> None:
            report["growth"] = found
            save(report, folder)

        measure_growth(size, options.seed, growth_minutes, report["growth"], kept)
    if "networks" in options.parts:
        alone = options.parts == ("networks",)
        left = minutes if alone else minutes - growth_minutes - 4.0 * minutes / 40.0
        measure_networks(report, options.networks, options.shapes, size, left, folder)
    write(report, folder)
    return report


def names_of(known: Sequence[str]) -> Any:
    """A parser of names separated by commas."""

    def read(text: str) -> list[str]:
        found = [name.strip() for name in text.split(",") if name.strip()]
        wrong = [name for name in found if name not in known]
        if wrong or not found:
            expected = ", ".join(known)
            raise argparse.ArgumentTypeError(f"expected some of {expected}, got {text!r}")
        return found

    return read


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = ROOT / "benchmarks" / "results" / "speed"
    parser.add_argument("--quick", action="store_true", help="few networks, short limits")
    parser.add_argument(
        "--networks", type=names_of(NAMES), metavar="A,B", help="these alone, separated by commas"
    )
    parser.add_argument(
        "--shapes", type=names_of(SHAPES), default=list(SHAPES), metavar="A,B", help="fixed, random"
    )
    parser.add_argument(
        "--parts",
        type=names_of(PARTS),
        metavar="A,B",
        help="hard, growth, networks; all by default, the networks alone with --networks",
    )
    parser.add_argument(
        "--budget", type=float, metavar="MINUTES", help="wall time of the whole run, about"
    )
    parser.add_argument("--fresh", action="store_true", help="forget what an earlier run has kept")
    parser.add_argument("--out", type=Path, default=default, help="folder for the report")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    if options.budget is not None and not options.budget > 0.0:
        parser.error(f"--budget: expected minutes above 0, got {options.budget:g}")
    options.parts = tuple(options.parts or (("networks",) if options.networks else PARTS))
    options.networks = options.networks or list(QUICK if options.quick else NAMES)
    print(markdown(build(options)))
    print(f"written to {options.out}")


if __name__ == "__main__":
    main()
