"""What the order that explains costs beside the posteriors, as ratios.

    python benchmarks/speed/shares.py [--cases 2000]

CPU time of one thread, with and without shares in turn, the least of a few; cases of the model with
a quarter and six tenths of the findings asked, risks all known or half of them; and every scenario
alone, in NumPy, as `Engine.diagnose` answers it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import bayesdx
from bayesdx.diagnosis.shortlist import symptom_weights
from bayesdx.inference import Evidence, posteriors
from bayesdx.inference.noisy import jit
from bayesdx.inference.noisy.sampling import observe, sample_cases
from bayesdx.tables import finding_columns, read_cases

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"
FILES = ("documents", "published", "typical")
REPEATS = 5


def ratio(plain: Callable[[], object], more: Callable[[], object]) -> float:
    """CPU time of one over that of another, each the least of a few."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(REPEATS):
        for job, own in zip((plain, more), times, strict=True):
            start = time.process_time()
            job()
            own.append(time.process_time() - start)
    return min(times[1]) / min(times[0])


def of_tables(engine: bayesdx.Engine, n_cases: int) -> list[tuple[str, str, float]]:
    """Ratios for many cases: what is asked, backend, ratio."""
    model, weights = engine.core.model, engine.core.once(symptom_weights)
    backends = ("numpy", "compiled") if jit.installed() else ("numpy",)
    found = []
    for asked, known in ((0.25, 1.0), (0.25, 0.5), (0.6, 1.0), (0.6, 0.5)):
        rng = np.random.default_rng(0)
        drawn = sample_cases(model, n_cases, rng)
        rates = {"asked": (asked, asked), "risks_asked": (known, known)}
        evidence = observe(model, drawn, rng, **rates)
        for backend in backends:
            options = {"backend": backend, "workers": 1}

            def plain(cases: Evidence = evidence, how: dict = options) -> object:  # type: ignore[type-arg]
                return posteriors(model, cases, **how)

            def more(cases: Evidence = evidence, how: dict = options) -> object:  # type: ignore[type-arg]
                return posteriors(model, cases, symptoms=weights, **how)

            plain()
            name = f"{asked:.0%} of the findings, {known:.0%} of the risks"
            found.append((name, backend, ratio(plain, more)))
    return found


def of_one(engine: bayesdx.Engine) -> float:
    """Median ratio over the scenarios: an answer with shares over one without."""
    core, weights = engine.core, engine.core.once(symptom_weights)
    found = []
    for name in FILES:
        cells = finding_columns(read_cases(str(SCENARIOS / f"{name}.csv")))
        columns = {column: cells[column].array for column in cells.columns}
        evidence = core.reader.read(columns, len(cells), range(len(cells))).evidence
        for row in range(len(evidence)):
            one = evidence.take(slice(row, row + 1))

            def plain(case: Evidence = one) -> object:
                return core.with_groups(case)

            def more(case: Evidence = one) -> object:
                return core.with_groups(case), core.posteriors(case, symptoms=weights)

            found.append(ratio(plain, more))
    return float(np.median(found))


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2000)
    options = parser.parse_args()
    print(f"one case of the scenarios, numpy: {of_one(bayesdx.load(backend='numpy')):.2f}")
    for name, backend, value in of_tables(bayesdx.load(), options.cases):
        print(f"{name}, {backend}: {value:.2f}")


if __name__ == "__main__":
    main()
