"""The small knowledge, ready, and a table of cases for it."""

from pathlib import Path

import pytest
from small_cases import write_cases
from small_priors import SMALL, write_priors

import bayesdx
from bayesdx.diagnosis.core import Core
from bayesdx.diagnosis.engine import Engine


@pytest.fixture(scope="session")
def priors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_priors(tmp_path_factory.mktemp("priors"), SMALL)


@pytest.fixture(scope="session")
def small(priors: Path) -> Engine:
    return bayesdx.load(priors, backend="numpy")


@pytest.fixture(scope="session")
def core(small: Engine) -> Core:
    return small.core


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    """Seven rows a chunk make five chunks of it, the last one short."""
    return write_cases(tmp_path / "cases.csv", 31)
