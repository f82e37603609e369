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


def test_a_remark_stands_on_lines_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr(progress, "SILENCE", 0.01)
    with progress.patience("thinking") as say:
        time.sleep(0.3)
        say("round 1")
    screen = terminal.getvalue().split("\n")
    assert screen[0].split("\r")[-1] == "round 1"
    assert screen[1].split("\r")[-1].strip() == ""


def test_remarks_reach_a_file_too(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.StringIO()
    monkeypatch.setattr("sys.stderr", file)
    with progress.patience("thinking") as say:
        say("round 1")
    assert file.getvalue() == "round 1\n"


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
