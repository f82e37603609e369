"""A command that takes long says so, on a terminal only."""

import io
import time

import pytest

from bayesdx.cli import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_silence_is_broken_and_the_line_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr(progress, "SILENCE", 0.01)
    with progress.patience("thinking"):
        time.sleep(0.3)
    said = terminal.getvalue()
    assert said.startswith("\rthinking: 0 s")
    assert said.endswith(f"\r{' ' * len('thinking: 0 s')}\r")


def test_a_short_command_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with progress.patience("thinking"):
        pass
    assert terminal.getvalue() == ""


def test_a_file_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", io.StringIO())
    monkeypatch.setattr(progress, "SILENCE", 0.0)
    with progress.patience("thinking"):
        time.sleep(0.05)
