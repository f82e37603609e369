"""The well-known networks that come with pgmpy, found inside the installed package."""

from __future__ import annotations

import gzip
from importlib import resources
from importlib.resources.abc import Traversable


def example_files() -> dict[str, Traversable]:
    """Name to packed BIF file; the package itself is not imported."""
    spec = resources.files("pgmpy") / "utils" / "example_models"
    suffix = ".bif.gz"
    found = [one for one in spec.iterdir() if one.name.endswith(suffix)]
    return {one.name.removesuffix(suffix): one for one in sorted(found, key=lambda f: f.name)}


def example_text(name: str) -> str:
    return gzip.decompress(example_files()[name].read_bytes()).decode("utf-8")
