"""Answers compared before any time counts, and ratios held against what is aimed at."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from growing import flatness
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

#: Posteriors may differ by so much, log evidence by so much of itself.
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Verdict:
    """Whether two engines say the same.

    ``difference`` is the largest of posteriors; ``log_difference`` that of log evidence, relative
    where it is beyond 1, NaN where one of the engines has none.
    """

    rows: int
    difference: float
    log_difference: float
    agrees: bool
    note: str = ""


def compare(
    ours: tuple[FloatArray, FloatArray],
    theirs: tuple[FloatArray, FloatArray],
    asked: NDArray[np.bool_],
) -> Verdict:
    """Compare log evidence (N,) and posteriors (N, T) on the rows that were answered.

    A number that is missing on one side only is a wrong answer, whoever misses it.
    """
    n = len(asked)
    (our_log, our_values), (their_log, their_values) = (
        (log_evidence[:n][asked], values[:n][asked]) for log_evidence, values in (ours, theirs)
    )
    if not asked.any():
        return Verdict(0, math.nan, math.nan, False, "no row answered")
    if our_values.shape != their_values.shape:
        return Verdict(0, math.nan, math.nan, False, "another number of posteriors")
    if np.isnan(our_values).any() or np.isnan(their_values).any() or np.isnan(our_log).any():
        return Verdict(len(our_log), math.nan, math.nan, False, "NaN among the answers")
    difference = float(np.abs(our_values - their_values).max(initial=0.0))
    log_difference = math.nan
    known = ~np.isnan(their_log)
    if known.any():
        a, b = our_log[known], their_log[known]
        finite = np.isfinite(a) & np.isfinite(b)
        off = np.where(a == b, 0.0, math.inf)
        off[finite] = np.abs(a[finite] - b[finite]) / np.maximum(1.0, np.abs(a[finite]))
        log_difference = float(off.max())
    agrees = difference <= TOLERANCE and not log_difference > TOLERANCE
    note = "" if agrees else "answers differ"
    return Verdict(len(our_log), difference, log_difference, agrees, note)


def counted(
    verdict: Verdict, seconds: Sequence[float], failures: Sequence[str] = ()
) -> dict[str, Any]:
    """What a peer's row of the table holds: a time only where the answers agree."""
    known = np.array(seconds, dtype=np.float64)
    missing = int(np.isnan(known).sum())
    entry: dict[str, Any] = {
        "status": "equal" if verdict.agrees else "wrong",
        "rows": verdict.rows,
        "rows_failed": missing,
        "difference": verdict.difference,
        "log_difference": verdict.log_difference,
        "note": verdict.note,
        "us_a_row": None,
    }
    if verdict.rows == 0:
        entry["status"] = "failed"
        entry["note"] = failures[0] if failures else verdict.note
    if verdict.agrees:
        # The first row pays for what the engine sets up; it counts only if there is no other.
        later = known[1:][~np.isnan(known[1:])]
        used = later if len(later) else known[~np.isnan(known)]
        entry["us_a_row"] = 1e6 * float(used.mean())
        entry["us_median"] = 1e6 * float(np.median(used))
    return entry


def best_of(entries: Mapping[str, Mapping[str, Any]], family: str) -> str | None:
    """The fastest engine of a family whose answers agree."""
    timed = {
        name: entry["us_a_row"]
        for name, entry in entries.items()
        if name.startswith(family) and entry.get("us_a_row") is not None
    }
    return min(timed, key=lambda name: timed[name]) if timed else None


_LARGE = ("mildew", "barley", "diabetes", "munin", "munin1", "munin2", "munin3", "munin4")
_SMALL = ("child", "alarm", "hepar2", "win95pts")
#: How many times faster than the best of pyAgrum's engines, a row in a batch of 1,000.
FIXED = {
    **dict.fromkeys(_SMALL, 200.0),
    "hailfinder": 40.0,
    "pathfinder": 20.0,
    **dict.fromkeys(("insurance", "water"), 10.0),
    **dict.fromkeys(("andes", "pigs"), 5.0),
    **dict.fromkeys(_LARGE, 3.0),
}
RANDOM = {
    **dict.fromkeys(FIXED, 3.0),
    **dict.fromkeys(_SMALL, 200.0),
    "hailfinder": 40.0,
    # Wherever pyAgrum answers at all.
    "default": 1000.0,
}
SINGLE = dict.fromkeys(_SMALL, 4.0)
#: Elsewhere: never slower.
OTHERWISE = 1.0


def aim(what: str, target: str, got: float | None, reached: bool | None) -> dict[str, Any]:
    """One line of the list of aims; ``reached`` is None where nothing was measured."""
    return {"what": what, "target": target, "got": got, "reached": reached}


def at_least(what: str, target: float, got: float | None, unit: str = "") -> dict[str, Any]:
    unknown = got is None or math.isnan(got)
    return aim(what, f">= {target:,g}{unit}", got, None if unknown else bool(got >= target))


def at_most(what: str, target: float, got: float | None, unit: str = "") -> dict[str, Any]:
    unknown = got is None or math.isnan(got)
    return aim(what, f"<= {target:,g}{unit}", got, None if unknown else bool(got <= target))


def network_aims(networks: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is aimed at on the networks, with what was measured."""
    aims = []
    for name, found in networks.items():
        for shape, targets in (("fixed", FIXED), ("random", RANDOM)):
            part = found["shapes"].get(shape)
            if part is None or (part["ratio"] is None and name not in targets):
                continue
            target = targets.get(name, OTHERWISE)
            what = f"{name}, {shape} columns, times pyAgrum"
            aims.append(at_least(what, target, part["ratio"], " x"))
            if shape == "fixed" and name in SINGLE:
                what = f"{name}, one warm case, times pyAgrum"
                aims.append(at_least(what, SINGLE[name], part["single_ratio"], " x"))
    return aims


def growth_aims(growth: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is aimed at for the packaged knowledge and the synthetic networks."""
    aims = []
    for label, cores, target in (("one core", 1, 60_000.0), ("two cores", 2, 100_000.0)):
        rates = [
            one["rate"]
            for one in growth.get("cases", [])
            if one["workers"] == cores and one["cases"] == "risks partly unknown"
        ]
        what = f"default knowledge, cases a second, {label}"
        aims.append(at_least(what, target, min(rates, default=None)))
    synthetic = [one for one in growth.get("causes", []) if one["causes"] == 5 and one.get("n")]
    for low, high, target in ((0, 5, 100_000.0), (8, 8, 40_000.0), (10, 10, 15_000.0)):
        rates = [one["rate"] for one in synthetic if low <= one["positives"] <= high]
        what = f"50 x 110, 5 causes a finding, rows a second, {low or 'up to'} {high}".replace(
            f"{high} {high}", f"{high}"
        )
        aims.append(at_least(f"{what} positives", target, min(rates, default=None)))
    hardest = [one["single_ms"]["max"] for one in synthetic if one["positives"] == 20]
    what = "50 x 110, 5 causes a finding, one case of 20 positives, ms"
    aims.append(at_most(what, 50.0, max(hardest, default=None)))
    for most, target in ((5, 0.15), (8, 1.0)):
        medians = [
            one["single_ms"]["p50"]
            for one in growth.get("positives", [])
            if one.get("n") and one["positives"] <= most
        ]
        what = f"default knowledge, one warm case up to {most} positives, ms (median)"
        aims.append(at_most(what, target, max(medians, default=None)))
    rows = growth.get("rows", [])
    change = flatness(rows)
    if change is not None:
        aims.append(at_most("time a row, change from 10,000 rows on", 0.20, change))
        # Up to a block, the rows themselves are held; beyond, nothing more may be.
        peaks = [one["peak"] for one in rows if one["n"] >= 100_000]
        if len(peaks) > 1:
            what = "peak memory of the most rows over that of 100,000"
            aims.append(at_most(what, 1.1, peaks[-1] / peaks[0]))
    return aims
