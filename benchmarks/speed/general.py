"""General networks beside their peers: batches, new cases, one target, filled forms.

``python benchmarks/speed/general.py [--networks A,B] [--quick] [--baseline DIR]
[--compiled-knowledge PYTHON] [--fresh]`` measures CPU time on one core, each engine and network in
a process of its own, and writes ``general.json`` and ``general.md`` to
``benchmarks/results/speed``; the same command goes on where it was interrupted. Answers are
compared before any time counts: NumPy and compiled to 1e-12, others to 1e-9. ``--quick``: five
networks, fewer rows and cases, less time for peers, some minutes of CPU. Of large networks batches
have fewer rows (as told). compiled-knowledge is run by the given interpreter (Python 3.12, ``pip
install compiled-knowledge``), or by this one where it can be imported; it gets states in memory,
not words, and of its compilers the quickest one whose answers are right to 1e-12 counts. pyAgrum
gets evidence changed in place; its quickest engine counts.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from children import child_job, run_child, tell
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
LIMITS = {"silence": 1500.0, "total": 1500.0}
#: Seconds that an older engine, and compiled-knowledge, may take for a network.
SHORT = {"silence": 600.0, "total": 600.0}
#: Rows that tell how many a batch can have, and CPU seconds that it should take at most.
FIRST, BATCH_SECONDS = 50, 4.0
AGRUM = ("ShaferShenoyInference", "LazyPropagation", "VariableElimination")


@dataclass(frozen=True)
class Amount:
    """How much is measured: rows a batch, of them by NumPy, single cases, seconds of a peer."""

    rows: int = 10_000
    numpy: int = 2_000
    singles: int = 60
    seconds: float = 3.0


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
    times: list[float] = []
    while len(times) < 6 and (len(times) < 2 or sum(times) < 2.0):
        table = tables[1 + len(times) % 2]
        times.append(cpu(lambda table=table: plan.query(table))[0])
    return min(times), answer


def singles(plan: Any, cases: list[dict[str, str]], **asked: Any) -> float:
    """Median CPU seconds of a case, each the least of three."""
    best = [math.inf] * len(cases)
    for _ in range(3):
        for i, case in enumerate(cases):
            best[i] = min(best[i], cpu(lambda case=case: plan.query(case, **asked))[0])
    return float(np.median(best))


def ours(network: Network, drawn: StateArray, much: Amount) -> dict[str, Any]:
    """All times of this engine; NumPy's answers are compared with the compiled ones."""
    compiled = bayesdx.compile_network(network, backend="compiled")
    numpy = bayesdx.compile_network(network, backend="numpy")
    few = frame(network, drawn[0][:FIRST])
    # Machine code is loaded and plans are made now: a batch is no smaller for it.
    for plan in (compiled, numpy):
        plan.query(few)
    found: dict[str, Any] = {}
    much = replace(
        much,
        rows=fitting(cpu(lambda: compiled.query(few))[0], much.rows),
        numpy=fitting(cpu(lambda: numpy.query(few))[0], much.numpy),
    )
    found["rows"], drawn = much.rows, drawn[:, : much.rows]
    tables = [frame(network, rows) for rows in drawn]
    seconds, answer = batch_times(compiled, tables)
    found["batch"] = seconds / much.rows
    found["states"] = batch_times(compiled, [rows.astype(np.int64) for rows in drawn])[0]
    found["states"] /= much.rows
    found["distinct"] = found["batch"] * much.rows / len(np.unique(drawn[1], axis=0))
    part = slice(0, min(much.numpy, much.rows))
    reference = numpy.query(tables[0][part])
    times = [cpu(lambda table=table: numpy.query(table[part]))[0] for table in tables[1:]]
    found["numpy"] = min(times) / len(reference)
    found["difference"] = float(np.abs(values(reference) - values(answer)[part]).max())
    found["log_difference"] = largest(reference.log_evidence - answer.log_evidence[part])
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


def fitting(seconds: float, rows: int) -> int:
    """Rows of a batch, fewer where the first ones took so long that all would take minutes."""
    return int(np.clip(FIRST * BATCH_SECONDS / seconds, FIRST, rows))


def largest(differences: FloatArray) -> float:
    """The largest difference of logs, of which -inf and -inf is none."""
    known = np.abs(differences[~np.isnan(differences)])
    return float(known.max(initial=0.0))


def agrum(network: Network, drawn: StateArray, much: Amount) -> dict[str, Any]:
    """The quickest engine of pyAgrum, a row at a time; one target by the quickest one for that."""
    expected = bayesdx.compile_network(network).query(frame(network, drawn[2][:200]))
    right = values(expected)
    found: dict[str, Any] = {"difference": 0.0}
    for name in AGRUM:
        peer, times = Agrum(network, name), []
        for row in range(200):
            asked = peer.prepare(drawn[2], row)
            seconds, raw = cpu(lambda peer=peer, asked=asked: peer.ask(asked))
            _, posteriors = peer.read(raw)
            off = float(np.abs(posteriors - right[row]).max())
            assert off < CLOSE, (name, row)
            found["difference"] = max(found["difference"], off)
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


ENGINES: dict[str, Callable[[Network, StateArray, Amount], dict[str, Any]]] = {
    "bayesdx": ours,
    "pyAgrum": agrum,
}


def child() -> None:
    """Measure one engine on one network."""
    job = child_job()
    network = load(job["network"])
    much = FEW if job["quick"] else FULL
    drawn = batches(network, "random", (BATCHES, much.rows), SEED)
    tell("measured", **ENGINES[job["engine"]](network, drawn, much))


# ---------------------------------------------------------------- in the parent


def measured(name: str, other: Path | None, circuits: str | None, quick: bool) -> dict[str, Any]:
    """Every engine on one network."""
    found: dict[str, Any] = {}
    for engine in ENGINES:
        job = {"network": name, "engine": engine, "quick": quick}
        outcome = run_child("general.py", job, **LIMITS)
        told = outcome.told("measured")
        found[engine] = told[0] if told else {"status": f"{outcome.status}: {outcome.reason}"}
    if circuits is not None:
        found["compiled-knowledge"] = by_circuits(name, circuits, FEW if quick else FULL)
    if other is not None:
        found["baseline"] = older(name, other, FEW if quick else FULL)
    return found


def by_circuits(name: str, interpreter: str, much: Amount) -> dict[str, Any]:
    """compiled-knowledge: the quickest of its compilers whose answers are right."""
    network = load(name)
    drawn = batches(network, "random", (BATCHES, much.rows), SEED)
    expected = bayesdx.compile_network(network).query(frame(network, drawn[1][: much.numpy]))
    place = {variable: v for v, variable in enumerate(network.variables)}
    given = {
        "cards": np.array([variable.cardinality for variable in network.variables.values()]),
        "rows": drawn[1].astype(np.int64),
        "singles": drawn[2][: much.singles].astype(np.int64),
        "right": values(expected),
        "logs": expected.log_evidence,
    }
    for variable, v in place.items():
        parents = [place[parent] for parent in network.parents(variable)]
        given[f"parents{v}"] = np.array(parents, dtype=np.int64)
        given[f"table{v}"] = network.table(variable).ravel()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "given.npz"
        np.savez(path, **given)
        job = {"file": str(path), "exact": EXACT, "close": CLOSE}
        outcome = run_child("circuits.py", job, interpreter=interpreter, **SHORT)
    told = outcome.told("measured")
    refused = {event["compiler"]: event["reason"] for event in outcome.told("refused")}
    if not told:
        return {"status": f"{outcome.status}: {outcome.reason}", "refused": refused}
    best = {key: min(event[key] for event in told) for key in ("batch", "new")}
    off = max(event["difference"] for event in told)
    return {**best, "difference": off, "refused": refused}


def older(name: str, engine: Path, much: Amount) -> dict[str, Any]:
    """Another engine on the same rows; its answers are compared with this one's."""
    network = load(name)
    drawn = batches(network, "random", (BATCHES, much.rows), SEED)
    with tempfile.TemporaryDirectory() as folder:
        rows, answers = Path(folder) / "rows.npz", Path(folder) / "answers.npy"
        np.savez(rows, drawn=drawn, singles=drawn[2][: much.singles])
        job = {"network": name, "file": str(rows), "answers": str(answers)}
        outcome = run_child("older.py", job, environment={"PYTHONPATH": str(engine)}, **SHORT)
        told = outcome.told("measured")
        if not told:
            return {"status": f"{outcome.status}: {outcome.reason}"}
        mine = values(bayesdx.compile_network(network).query(frame(network, drawn[-1])))
        return {**told[0], "difference": float(np.abs(np.load(answers) - mine).max())}


#: Heading, engine, its time, by which ratio of ours it is divided.
RATIOS = (
    ("baseline, batch", "baseline", "batch", "batch"),
    ("ck, batch", "compiled-knowledge", "batch", "batch"),
    ("ck, batch of states", "compiled-knowledge", "batch", "states"),
    ("ck, new case", "compiled-knowledge", "new", "new"),
    ("pyAgrum, a row", "pyAgrum", "batch", "batch"),
    ("pyAgrum, a distinct row", "pyAgrum", "batch", "distinct"),
    ("baseline, new case", "baseline", "new", "new"),
    ("pyAgrum, new case", "pyAgrum", "batch", "new"),
    ("pyAgrum, repeated case", "pyAgrum", "batch", "same"),
    ("pyAgrum, one target", "pyAgrum", "target", "target"),
)
TIMES = ("batch", "states", "distinct", "numpy", "form", "new", "same", "target", "unplanned")


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
    parser.add_argument(
        "--compiled-knowledge",
        metavar="PYTHON",
        default=sys.executable if find_spec("ck") else None,
        help="interpreter of the environment that has compiled-knowledge",
    )
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
                name,
                chosen.baseline and chosen.baseline.resolve(),
                chosen.compiled_knowledge,
                chosen.quick,
            )
            kept.write_text(json.dumps(results, indent=1), encoding="utf-8")
            print(name, json.dumps(results[name]), flush=True)
    table = markdown(results)
    (chosen.out / f"{stem}.md").write_text(table, encoding="utf-8")
    print(table)


if __name__ == "__main__":
    child() if len(sys.argv) > 1 and sys.argv[1].startswith("{") else main()
