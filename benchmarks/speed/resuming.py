"""What a report says of its run, and what an earlier, interrupted run of the same kind has kept."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

import bayesdx

PACKAGES = ("numpy", "pandas", "numba", "pyagrum", "pgmpy")


def about(seed: int, quick: bool) -> dict[str, Any]:
    """What is measured with what."""
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


def empty(told: Mapping[str, Any]) -> dict[str, Any]:
    """A report in which nothing is measured yet."""
    return {"about": dict(told), "networks": {}, "growth": {}, "hard": []}


def resumed(path: Path, told: Mapping[str, Any]) -> dict[str, Any]:
    """The report at ``path`` if it was made with the same things, else an empty one."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return empty(told)
    before = kept.get("about", {})
    if any(before.get(key) != value for key, value in told.items() if key != "date"):
        print(f"{path} is of another kind of run: begun anew", flush=True)
        return empty(told)
    print(f"going on with {path}", flush=True)
    return {**empty(told), **{key: kept[key] for key in ("networks", "growth", "hard")}}


def plain(value: Any) -> Any:
    """NaN and infinity become null, which JSON has."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    return None if isinstance(value, float) and not math.isfinite(value) else value


def save(report: Mapping[str, Any], folder: Path) -> None:
    """Write ``report.json``; a reader never sees half a file."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(plain(report), indent=1, ensure_ascii=False, allow_nan=False)
    part = folder / "report.part.json"
    part.write_text(text + "\n", encoding="utf-8", newline="\n")
    part.replace(folder / "report.json")
