"""All parts of the growth of the packaged knowledge, each in a child of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import numpy as np
from children import Outcome, run_child
from sizes import Budget, Size

Found = dict[str, Any]


def grow(part: str, size: Size, seed: int, total: float, **job: Any) -> Outcome:
    """Run one part of `growth.py`."""
    cores = job.get("workers", 1)
    job = {"part": part, "seed": seed, "seconds": size.growth_seconds, **job}
    return run_child("growth.py", job, silence=total, total=total, cores=cores)


def jobs(size: Size) -> list[dict[str, Any]]:
    """Everything that is measured, in order."""
    found: list[dict[str, Any]] = [{"part": "ceilings"}, {"part": "cases", "n": size.cases}]
    if len(getattr(os, "sched_getaffinity", lambda _: {0, 1})(0)) > 1:
        found.append({"part": "cases", "n": size.cases, "workers": 2})
    found.append({"part": "backends", "n": 4096})
    found += [{"part": "rows", "n": n} for n in size.growth_rows]
    each = {"n": 4096, "singles": size.singles}
    found += [{"part": "positives", "positives": [k], **each} for k in size.positives]
    positives = (1, 3, 5, 8, 10, 12, 20)
    found += [
        {"part": "causes", "causes": [c], "positives": positives, **each} for c in size.causes
    ]
    found.append({"part": "draws", "draws": size.draws})
    return found


def measure_growth(
    size: Size, seed: int, minutes: float, before: Found, kept: Callable[[Found], None]
) -> Found:
    """Measure what an earlier run has not; ``kept`` is told after each part.

    What failed is told under ``failures``; what was measured under ``done``.
    """
    found: Found = dict(before) or {"failures": [], "done": []}
    waiting = [job for job in jobs(size) if json.dumps(job) not in found["done"]]
    budget = Budget(minutes, len(waiting))
    for job in waiting:
        part = job["part"]
        # The largest number of rows takes what is left over: its time is known beforehand.
        budget.left -= 1
        total = max(60.0, budget.seconds_left)
        outcome = grow(part, size, seed, total, **{k: v for k, v in job.items() if k != "part"})
        told = outcome.told(part)
        for one in told:
            summarise(part, one)
        found.setdefault(part, []).extend(told)
        if outcome.status != "done":
            found["failures"].append(f"{json.dumps(job)}: {outcome.status}, {outcome.reason}")
        found["done"].append(json.dumps(job))
        print(f"growth: {json.dumps(job)} {outcome.status}", flush=True)
        kept(found)
    return found


def summarise(part: str, one: dict[str, Any]) -> None:
    """Add rates, ratios and percentiles to what a child measured."""
    if part == "rows":
        one["us_a_row"] = 1e6 * one["seconds"] / one["n"]
    elif part == "backends" and "numpy" in one:
        one["ratio"] = float(np.median(one["numpy"]) / np.median(one["compiled"]))
    elif part in ("cases", "positives", "causes", "draws") and one.get("n"):
        one["rate"] = one["n"] / float(np.median(one["seconds"]))
    if "single" in one:
        times = 1e3 * np.array(one.pop("single"))
        points = dict(zip(("p50", "p90", "p99", "max"), (50, 90, 99, 100), strict=True))
        one["single_ms"] = {key: float(np.percentile(times, p)) for key, p in points.items()}


def flatness(rows: list[dict[str, Any]], least: int = 10_000) -> float | None:
    """Largest change of the time a row, from so many rows on, against the first of them."""
    times = [one["us_a_row"] for one in rows if one["n"] >= least]
    if len(times) < 2:
        return None
    return max(abs(one / times[0] - 1.0) for one in times)
