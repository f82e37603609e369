"""Measure the quality of the packaged knowledge: report.md, report.json and figures in a folder."""

from __future__ import annotations

import argparse
import json
import math
import platform
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import interval_coverage
import interviews
import numpy as np
import orders
import scenarios
from equal_priors import EqualPriors, with_equal_priors
from simulated import simulate
from writing import NAMES, markdown

import bayesdx
from bayesdx.building.assembly import fit_remarks

ROOT = Path(__file__).resolve().parents[2]
#: The first is small enough for every requirement and effect to hold and has the figure; the second
#: is nearer to how common the causes really are.
EQUAL_PRIORS = (0.002, 0.02)
PACKAGES = ("numpy", "scipy", "pandas", "pydantic", "matplotlib")


class Size(NamedTuple):
    """How much is simulated."""

    draws: int
    cases_a_draw: int
    references: int
    interviews: int = 10_000  #: cases of each file, at most
    random_orders: int = 5


FULL = Size(draws=20, cases_a_draw=2000, references=200)
QUICK = Size(draws=3, cases_a_draw=300, references=40, interviews=8, random_orders=2)


def build(size: Size, seed: int) -> dict[str, Any]:
    """Measure everything but draw nothing."""
    start = time.perf_counter()

    def say(text: str) -> None:
        print(f"{time.perf_counter() - start:6.1f} s  {text}", file=sys.stderr)

    engine = bayesdx.load()
    equal: dict[str, tuple[EqualPriors, bayesdx.Engine]] = {}
    for prior in EQUAL_PRIORS:
        made = with_equal_priors(engine.knowledge, prior)
        equal[f"equal_{prior:g}"] = (made, bayesdx.Engine(made.knowledge))
    say("networks built")
    report: dict[str, Any] = {
        "about": about(engine, size, seed),
        "equal_priors": {name: _equal(engine, *both) for name, both in equal.items()},
    }
    for key, name in NAMES.items():
        path = ROOT / "scenarios" / f"{key}.csv"
        part = scenarios.measure(path, engine, equal, size.references, seed)
        part["interviews"] = _interviews(path, engine, size, seed)
        report[key] = {"name": name, **part}
        say(f"measured: {path.name}")
    knowledge, assembly = engine.knowledge, engine.assembly
    report["orders"] = orders.measure(engine)
    say("orders of causes compared")
    report["simulated"] = simulate(knowledge, assembly, size.draws, size.cases_a_draw, seed, say)
    extent = interval_coverage.QUICK if size is QUICK else interval_coverage.FULL
    report["coverage"] = interval_coverage.study(engine, extent, seed, say)
    report["figures"] = []
    return report


def _interviews(path: Path, engine: bayesdx.Engine, size: Size, seed: int) -> dict[str, Any]:
    cases = scenarios.read_labelled(path).head(size.interviews)
    return interviews.measure(engine, cases, size.random_orders, seed)


def about(engine: bayesdx.Engine, size: Size, seed: int) -> dict[str, Any]:
    """What was measured, with what, when."""
    model = engine.knowledge.model
    return {
        "knowledge": f"{model.name} {model.version}",
        "knowledge_digest": engine.knowledge.digest,
        "bayesdx": bayesdx.__version__,
        "python": platform.python_version(),
        **{name: _version(name) for name in PACKAGES},
        "seed": seed,
        "draws": size.draws,
        "cases_a_draw": size.cases_a_draw,
        "references_a_case": size.references,
        "interviews_a_file": size.interviews,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _equal(engine: bayesdx.Engine, made: EqualPriors, other: bayesdx.Engine) -> dict[str, Any]:
    return {
        "prior": made.prior,
        "dropped": list(made.dropped),
        "out_of_reach": len(fit_remarks(other.assembly)),
        "out_of_reach_really": len(fit_remarks(engine.assembly)),
    }


def plain(value: object) -> Any:
    """Turn tuples with names, arrays and NaN into what JSON has."""
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def write(report: dict[str, Any], folder: Path) -> None:
    """Write figures (if matplotlib is there), Markdown and JSON into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    if find_spec("matplotlib") is not None:
        from figures import draw_all

        report["figures"] = draw_all(report, folder)
    (folder / "report.md").write_text(markdown(report), encoding="utf-8", newline="\n")
    text = json.dumps(plain(report), indent=1, ensure_ascii=False, allow_nan=False)
    (folder / "report.json").write_text(text + "\n", encoding="utf-8", newline="\n")


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = ROOT / "benchmarks" / "results" / "quality"
    parser.add_argument("--out", type=Path, default=default, help="folder for the report")
    parser.add_argument("--quick", action="store_true", help="few simulated cases, for a look")
    parser.add_argument("--seed", type=int, default=0)
    most = "cases of each file that are interviewed, at most: a dozen takes minutes, all take hours"
    parser.add_argument("--interviews", type=int, metavar="N", help=most)
    options = parser.parse_args(arguments)
    size = QUICK if options.quick else FULL
    if options.interviews is not None:
        size = size._replace(interviews=options.interviews)
    report = build(size, options.seed)
    write(report, options.out)
    print(f"written to {options.out}")
    if not report["figures"]:
        print("no figures: matplotlib is not installed (pip install 'bayesdx[plot]')")


if __name__ == "__main__":
    main()
