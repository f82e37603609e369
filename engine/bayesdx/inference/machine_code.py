"""Whether machine code can be had, what it costs, and how many cores; imports nothing of numba."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

#: Who does the arithmetic: NumPy, compiled code (extra ``fast``), or whichever is worth it.
Backend = Literal["auto", "numpy", "compiled"]


def installed() -> bool:
    """Whether numba can be imported."""
    return find_spec("numba") is not None


def on_disk(folder: Path, entry: str) -> bool:
    """Whether machine code of an entry lies on disk that is newer than all of its sources.

    numba keeps it beside the sources or, where these cannot be written to, in the user's cache.
    """
    newest = max(path.stat().st_mtime for path in folder.glob("*.py"))
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "numba"
    named = os.environ.get("NUMBA_CACHE_DIR")
    places = [Path(named)] if named else [folder / "__pycache__", cache]
    return any(
        path.stat().st_mtime >= newest for place in places for path in place.rglob(f"*{entry}*.nbi")
    )


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
