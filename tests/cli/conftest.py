"""One engine for all tests of the command line, and a way to run a command in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

import bayesdx
from bayesdx.cli import main
from bayesdx.presentation import terminal


class Ran(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def engine() -> bayesdx.Engine:
    return bayesdx.load()


@pytest.fixture
def run(
    engine: bayesdx.Engine,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Callable[..., Ran]:
    load = bayesdx.load
    # Reading the packaged priors once is enough; a folder that is asked for is read.
    monkeypatch.setattr(
        bayesdx,
        "load",
        lambda folder=None, **other: (
            load(folder, **other) if folder or any(other.values()) else engine
        ),
    )
    monkeypatch.setenv("COLUMNS", "120")
    # What is told on standard error is looked for, so its lines stay whole.
    width = terminal.columns
    monkeypatch.setattr(
        terminal,
        "columns",
        lambda stderr=False, of_a_pipe=0: of_a_pipe if stderr else width(False, of_a_pipe),
    )

    def run(*arguments: str) -> Ran:
        code = main(arguments)
        return Ran(code, *capfd.readouterr())

    return run
