"""The small priors folder, to be changed and written by each test."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from small_priors import SMALL, write_priors


@pytest.fixture
def small() -> dict[str, str]:
    """File names and contents of the small folder; change them before `write`."""
    return dict(SMALL)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Mapping[str, str]], Path]:
    """Write files into a folder of their own."""

    def _write(files: Mapping[str, str], name: str = "priors") -> Path:
        return write_priors(tmp_path / name, files)

    return _write
