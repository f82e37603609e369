"""General networks beside their peers: batches, new cases, one target, filled forms.

``python benchmarks/speed/general.py [--networks A,B] [--quick] [--baseline DIR] [--fresh]``
measures CPU time on one core, each engine and network in a process of its own, and writes
``general.json`` and ``general.md`` to ``benchmarks/results/speed``; the same command goes on where
it was interrupted. Answers are compared before any time counts: NumPy and compiled to 1e-12, others
to 1e-9. ``--quick``: five networks, fewer rows and cases, less time for peers, some minutes of CPU.
compiled-knowledge, where it can be imported (Python 3.12; ``pip install
compiled-knowledge``), gets states in memory, not words; of its compilers the quickest one whose
answers are right counts. pyAgrum gets evidence changed in place; its quickest engine counts.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from children import child_job, run_child, tell
from circuits import CIRCUITS, Circuits
from networks import (
    DEFAULT,
    LIKE_CPCS,
    NAMES,
    FloatArray,
    StateArray,
    batches,
    frame,
    load,
    sampled,
)
from peers import Agrum

import bayesdx
from bayesdx.network import Network

OUT = Path(__file__).resolve().parents[1] / "results" / "speed"
BATCHES, SEED = 3, 5
EVERY = (*(name for name in NAMES if name != DEFAULT), *LIKE_CPCS)
QUICK = ("alarm", "hepar2", "insurance", "win95pts", "cpcs360_like")
EXACT, CLOSE = 1e-12, 1e-9
LIMITS = {"silence": 900.0, "total": 900.0}
AGRUM = ("ShaferShenoyInference", "LazyPropagation", "VariableElimination")


@dataclass(frozen=True)
class Amount:
    """How much is measured: rows a batch, of them by NumPy, single cases, seconds of a peer."""

    rows: int = 10_000
    numpy: int = 2_000
    singles: int = 60
    seconds: float = 6.0


FULL, FEW = Amount(), Amount(2_000, 500, 20, 1.5)


def cpu(action: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of a call, and what it returned."""
    start = time.process_time()
    found = action()
    return time.process_time() - start, found


def mappings(network: Network, rows: StateArray) -> list[dict[str, str]]:
    """Rows as people ask single cases."""
    items = list(network.variables.items())
    return [
        {
            name: variable.states[state]
            for (name, variable), state in zip(items, row, strict=True)
            if state >= 0
        }
        for row in rows.tolist()
    ]


def values(answer: Any) -> FloatArray:
    """All posteriors of an answer, (N, T)."""
    return np.concatenate(list(answer.posteriors.values()), axis=1)


def forms(network: Network, rows: StateArray) -> StateArray:
    """Rows of which all variables without children are known, and nothing else."""
    parents = {parent for name in network.variables for parent in network.parents(name)}
    leaf = np.array([name not in parents for name in network.variables])
    return np.where(leaf, rows, -1).astype(rows.dtype)


# ---------------------------------------------------------------- in the child


def batch_times(plan: Any, tables: list[Any]) -> tuple[float, Any]:
    """Least CPU seconds of a batch after the first two, and the answer to the first."""
    answer = plan.query(tables[0])
    plan.query(tables[1])
    return min(cpu(lambda table=table: plan.query(table))[0] for table in tables[1:]), answer


def singles(plan: Any, cases: list[dict[str, str]], **asked: Any) -> float:
    """Median CPU seconds of a case, each the least of three."""
    best = [math.inf] * len(cases)
    for _ in range(3):
        for i, case in enumerate(cases):
            best[i] = min(best[i], cpu(lambda case=case: plan.query(case, **asked))[0])
    return float(np.median(best))


def ours(network: Network, drawn: StateArray, much: Amount) -> dict[str, Any]:
    """All times of this engine; NumPy's answers are compared with the compiled ones."""
    tables = [frame(network, rows) for rows in drawn]
    found: dict[str, Any] = {}
    compiled = bayesdx.compile_network(network, backend="compiled")
    seconds, answer = batch_times(compiled, tables)
    found["batch"] = seconds / much.rows
    found["distinct"] = found["batch"] * much.rows / len(np.unique(drawn[1], axis=0))
    few = slice(0, much.numpy)
    numpy = bayesdx.compile_network(network, backend="numpy")
    reference = numpy.query(tables[0][few])
    times = [cpu(lambda table=table: numpy.query(table[few]))[0] for table in tables[1:]]
    found["numpy"] = min(times) / much.numpy
    found["difference"] = float(np.abs(values(reference) - values(answer)[few]).max())
    found["log_difference"] = largest(reference.log_evidence - answer.log_evidence[few])
    cases = mappings(network, drawn[2][: much.singles])
    found["new"] = singles(compiled, cases)
    found["same"] = singles(compiled, cases[:1] * much.singles)
    target = list(network.variables)[len(network.variables) // 2]
    open_ = [case for case in cases if target not in case]
    found["target"] = singles(compiled, open_, targets=[target])
    rng = np.random.default_rng(SEED)
    filled = [forms(network, sampled(network, much.rows // 5, rng)) for _ in range(BATCHES)]
    seconds, _ = batch_times(compiled, [frame(network, rows) for rows in filled])
    found["form"] = seconds / len(filled[0])
    unplanned = bayesdx.compile_network(network, backend="compiled")
    found["unplanned"] = singles(unplanned, cases[:20])
    return found


def largest(differences: FloatArray) -> float:
    """The largest difference of logs, of which -inf and -inf is none."""
    known = np.abs(differences[~np.isnan(differences)])
    return float(known.max(initial=0.0))


def agrum(network: Network, drawn: StateArray, much: Amount) -> dict[str, Any]:
    """The quickest engine of pyAgrum, a row at a time; one target by the quickest one for that."""
    expected = bayesdx.compile_network(network).query(frame(network, drawn[2][:200]))
    right = values(expected)
    found: dict[str, Any] = {}
    for name in AGRUM:
        peer, times = Agrum(network, name), []
        for row in range(200):
            asked = peer.prepare(drawn[2], row)
            seconds, raw = cpu(lambda peer=peer, asked=asked: peer.ask(asked))
            _, posteriors = peer.read(raw)
            assert np.abs(posteriors - right[row]).max() < CLOSE, (name, row)
            times.append(seconds)
            if sum(times) > much.seconds and len(times) > 3:
                break
        found[name] = float(np.mean(times[1:]))
    found["batch"] = min(found[name] for name in AGRUM)
    found["target"] = min(one_target(network, drawn, name, much.seconds / 2) for name in AGRUM)
    return found


def one_target(network: Network, drawn: StateArray, engine: str, most: float) -> float:
    """Mean seconds of a row where one variable is asked for; of the rows that do not show it."""
    middle = len(network.variables) // 2
    peer, times = Agrum(network, engine, [middle]), []
    for row in np.flatnonzero(drawn[2][:100, middle] < 0).tolist():
        asked = peer.prepare(drawn[2], row)
        times.append(cpu(lambda asked=asked: peer.ask(asked))[0])
        if sum(times) > most and len(times) > 3:
            break
    return float(np.mean(times[1:]))


def circuits(network: Network, drawn: StateArray, _: Amount) -> dict[str, Any]:
    """compiled-knowledge: the quickest of its compilers whose answers are right."""
    rows = drawn[1].astype(np.int64)
    expected = bayesdx.compile_network(network).query(frame(network, drawn[1]))
    right, logs = values(expected), expected.log_evidence
    found: dict[str, Any] = {}
    for name in CIRCUITS:
        peer = Circuits(network, name)
        answers = peer.ask(rows)
        off = np.abs(answers[0] - right).max() + largest(answers[1] - logs)
        if not off < CLOSE:
            found[name] = f"wrong by {off:.2g}"
            continue
        found[name] = min(cpu(lambda peer=peer: peer.ask(rows))[0] for _ in range(3)) / len(rows)
    good = [one for one in found.values() if isinstance(one, float)]
    return found | ({"batch": min(good)} if good else {})


ENGINES: dict[str, Callable[[Network, StateArray, Amount], dict[str, Any]]] = {
    "bayesdx": ours,
    "pyAgrum": agrum,
    "compiled-knowledge": circuits,
}


def child() -> None:
    """Measure one engine on one network."""
    job = child_job()
    network = load(job["network"])
    much = FEW if job["quick"] else FULL
    drawn = batches(network, "random", (BATCHES, much.rows), SEED)
    tell("measured", **ENGINES[job["engine"]](network, drawn, much))


# ---------------------------------------------------------------- in the parent


def measured(name: str, other: Path | None, quick: bool) -> dict[str, Any]:
    """Every engine on one network."""
    found: dict[str, Any] = {}
    for engine in ENGINES:
        if engine == "compiled-knowledge" and find_spec("ck") is None:
            continue
        job = {"network": name, "engine": engine, "quick": quick}
        outcome = run_child("general.py", job, **LIMITS)
        told = outcome.told("measured")
        found[engine] = told[0] if told else {"status": f"{outcome.status}: {outcome.reason}"}
    if other is not None:
        found["baseline"] = older(name, other, FEW if quick else FULL)
    return found


def older(name: str, engine: Path, much: Amount) -> dict[str, Any]:
    """Another engine on the same rows; its answers are compared with this one's."""
    network = load(name)
    drawn = batches(network, "random", (BATCHES, much.rows), SEED)
    with tempfile.TemporaryDirectory() as folder:
        rows, answers = Path(folder) / "rows.npz", Path(folder) / "answers.npy"
        np.savez(rows, drawn=drawn, singles=drawn[2][: much.singles])
        job = {"network": name, "file": str(rows), "answers": str(answers)}
        outcome = run_child("older.py", job, environment={"PYTHONPATH": str(engine)}, **LIMITS)
        told = outcome.told("measured")
        if not told:
            return {"status": f"{outcome.status}: {outcome.reason}"}
        mine = values(bayesdx.compile_network(network).query(frame(network, drawn[-1])))
        return {**told[0], "difference": float(np.abs(np.load(answers) - mine).max())}


#: Heading, engine, its time, by which ratio of ours it is divided.
RATIOS = (
    ("baseline, batch", "baseline", "batch", "batch"),
    ("ck, batch", "compiled-knowledge", "batch", "batch"),
    ("pyAgrum, a row", "pyAgrum", "batch", "batch"),
    ("pyAgrum, a distinct row", "pyAgrum", "batch", "distinct"),
    ("baseline, new case", "baseline", "new", "new"),
    ("pyAgrum, new case", "pyAgrum", "batch", "new"),
    ("pyAgrum, repeated case", "pyAgrum", "batch", "same"),
    ("pyAgrum, one target", "pyAgrum", "target", "target"),
)
TIMES = ("batch", "distinct", "numpy", "form", "new", "same", "target", "unplanned")


def markdown(results: Mapping[str, Any]) -> str:
    """Two tables: microseconds, and ratios."""
    lines = ["| us | " + " | ".join(TIMES) + " | difference |", "|---" * (len(TIMES) + 2) + "|"]
    for name, found in results.items():
        mine = found["bayesdx"]
        cells = [f"{1e6 * mine[key]:,.3g}" if key in mine else "" for key in TIMES]
        off = mine.get("difference")
        lines.append(f"| {name} | {' | '.join(cells)} | {off if off is None else f'{off:.0e}'} |")
    heads = [heading for heading, *_ in RATIOS]
    lines += ["", "| times | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|"]
    for name, found in results.items():
        cells = []
        for _, engine, theirs, mine in RATIOS:
            pair = found.get(engine, {}).get(theirs), found["bayesdx"].get(mine)
            cells.append(f"{pair[0] / pair[1]:,.3g}" if all(pair) else "")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--networks", metavar="A,B")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--baseline", type=Path, metavar="ENGINE_DIR")
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--out", type=Path, default=OUT)
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    stem = "general_quick" if chosen.quick else "general"
    kept = chosen.out / f"{stem}.json"
    results: dict[str, Any] = {}
    if kept.exists() and not chosen.fresh:
        results = json.loads(kept.read_text(encoding="utf-8"))
    names = chosen.networks.split(",") if chosen.networks else QUICK if chosen.quick else EVERY
    for name in names:
        if name not in results:
            results[name] = measured(
                name, chosen.baseline and chosen.baseline.resolve(), chosen.quick
            )
            kept.write_text(json.dumps(results, indent=1), encoding="utf-8")
            print(name, json.dumps(results[name]), flush=True)
    table = markdown(results)
    (chosen.out / f"{stem}.md").write_text(table, encoding="utf-8")
    print(table)


if __name__ == "__main__":
    child() if len(sys.argv) > 1 and sys.argv[1].startswith("{") else main()
