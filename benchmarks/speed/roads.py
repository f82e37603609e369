"""Whether cases of general networks take the quickest road: chosen by estimates, here measured.

``python benchmarks/speed/roads.py [--networks A,B] [--backend numpy] [--fresh]`` asks each network
in batches of 1, 10, 100 and 1,000 rows that observe the same columns, or each its own. Every road
is walked by force: the plan for any evidence, the plan of these columns, no plan. Then the
engine, which has the plans at hand, is asked for its choice. Printed is how much longer that one
takes than the quickest; CPU time, one core. Where rows are divided among roads, everything is timed
together. What was measured is written at once, and the same command goes on where it was
interrupted.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from children import stay_on
from general import EVERY, OUT
from networks import SHAPES, StateArray, batches, load

from bayesdx.errors import InvalidNetwork
from bayesdx.inference.general import machine
from bayesdx.inference.general.case_roads import assignments
from bayesdx.inference.general.general_network import CompiledGeneral
from bayesdx.inference.general.one_case import answer_alone
from bayesdx.inference.general.plan_cache import GENERAL_ROWS, Key
from bayesdx.inference.general.plan_runner import PlanRunner
from bayesdx.inference.general.tiles import CaseBatch
from bayesdx.inference.general.zero_propagation import find_zeros

LIMIT = float(2 << 30)
SIZES, SEED = (1, 10, 100, 1000), 7
#: Seconds that a road may take, and times the quickest one, as far as fewer rows tell.
LONGEST, FARTHEST = 6.0, 30.0
#: Cells of the cliques from which no plan for any evidence is tried.
TOO_MANY = 3e7


def seconds(action: Callable[[], Any]) -> float:
    """Least CPU seconds of a call: of up to nine, half a second long."""
    best, spent, times = math.inf, 0.0, 0
    while times < 3 or (times < 9 and spent < 0.5):
        start = time.process_time()
        action()
        took = time.process_time() - start
        best, spent, times = min(best, took), spent + took, times + 1
        if spent > LONGEST:
            break
    return best


class Roads:
    """One network, and the plans that can be had for some rows."""

    def __init__(self, name: str, backend: str) -> None:
        network = load(name)
        self.network = network
        self.solver = CompiledGeneral(network, LIMIT, backend)  # type: ignore[arg-type]
        self.every = self.solver._every
        self.executors = machine.executors() if backend == "compiled" else None
        self.zeros = find_zeros(self.solver.problem)

    def alone(self, cases: CaseBatch) -> None:
        """Answer every case without a plan."""
        problem = self.solver.problem
        if self.executors is not None:
            if self.solver.solver._alone is None:
                self.solver.solver._alone = self.executors.alone(problem, LIMIT)
            self.solver.solver._alone.answer(cases, self.every.order)
            return
        for row in range(len(cases)):
            states = cases.states[:, row]
            answer_alone(problem, self.zeros, states, {}, self.every.order, LIMIT)

    def plans(self, states: StateArray) -> dict[str, Key]:
        """Keys of the plans that are worth a try."""
        cache = self.solver.solver.plans
        found: dict[str, Key] = {}
        if cache.static_cells() < TOO_MANY:
            found["any"] = cache.full_key
        if (states >= 0).all(axis=0).sum() == (states >= 0).any(axis=0).sum():
            observed = frozenset(np.flatnonzero(states[0] >= 0).tolist())
            found["own"] = (observed, frozenset(), self.every.positions)
        return found

    def chosen(
        self, cases: CaseBatch, runners: dict[str, PlanRunner], told: dict[str, float]
    ) -> float:
        """Seconds by the road that the engine takes."""
        solver = self.solver.solver
        assigned = assignments(solver.plans, cases, self.every.positions)
        roads = {id(runner): road for road, runner in runners.items()} | {id(None): "no plan"}
        if len(assigned) == 1 and roads.get(id(assigned[0][0])) in told:
            return told[roads[id(assigned[0][0])]]
        return seconds(lambda: solver.answer(cases, self.every))

    def measure(self, shape: str) -> dict[str, dict[str, float]]:
        """Seconds by each road and by choice, of each size."""
        drawn = batches(self.network, shape, (1, max(SIZES)), SEED)[0].astype(np.intp)
        cache, before = self.solver.solver.plans, dict[str, float]()
        # What a case without a plan takes is known to whoever has asked for some.
        self.solver.solver.answer(CaseBatch(drawn[:20].T.copy(), {}), self.every)
        runners = {}
        for road, key in self.plans(drawn).items():
            try:
                runners[road] = cache.runner(key)
            except InvalidNetwork:
                continue
            if runners[road].plan.table_rows > GENERAL_ROWS:
                del runners[road]
        result: dict[str, dict[str, float]] = {}
        for size in SIZES:
            cases = CaseBatch(drawn[:size].T.copy(), {})
            if before and min(before.values()) * size > 3.0 * LONGEST:
                break
            roads: dict[str, Callable[[], Any]] = {"no plan": lambda c=cases: self.alone(c)}
            for road, runner in runners.items():
                roads[road] = lambda c=cases, r=runner: r.answer(
                    c, self.every.order, self.executors
                )
            told: dict[str, float] = {}
            for road in sorted(roads, key=lambda road: before.get(road, 0.0)):
                expected = before.get(road, 0.0) * size
                if told and expected > min(LONGEST, FARTHEST * min(told.values())):
                    continue
                told[road] = seconds(roads[road])
                before[road] = told[road] / size
            told["chosen"] = self.chosen(cases, runners, told)
            result[str(size)] = told
        return result


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--networks", metavar="A,B")
    parser.add_argument("--backend", choices=("compiled", "numpy"), default="compiled")
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--out", type=Path, default=OUT)
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    stay_on(1)
    kept = chosen.out / f"roads_{chosen.backend}.json"
    results: dict[str, Any] = {}
    if kept.exists() and not chosen.fresh:
        results = json.loads(kept.read_text(encoding="utf-8"))
    for name in chosen.networks.split(",") if chosen.networks else EVERY:
        for shape in SHAPES:
            if f"{name} {shape}" not in results:
                roads = Roads(name, chosen.backend)
                results[f"{name} {shape}"] = roads.measure(shape)
                kept.write_text(json.dumps(results, indent=1), encoding="utf-8")
            for size, told in results[f"{name} {shape}"].items():
                best = min((road for road in told if road != "chosen"), key=told.__getitem__)
                times = ", ".join(f"{road} {1e6 * took:,.0f}" for road, took in told.items())
                ratio = told["chosen"] / told[best]
                mark = "  <--" if ratio > 1.5 else ""
                print(
                    f"{name} {shape} {size}: {ratio:.2f} x {best} (us: {times}){mark}", flush=True
                )


if __name__ == "__main__":
    main()
