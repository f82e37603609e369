"""What is said of a network file."""

from pathlib import Path

import pytest
from example_networks import example_files, example_text

from bayesdx import InvalidNetwork
from bayesdx.cli.network_command import network


def described(capfd: pytest.CaptureFixture[str], path: Path, every: bool = False) -> list[str]:
    network([str(path)], every)
    captured = capfd.readouterr()
    assert captured.err == ""
    return captured.out.splitlines()


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")


def test_asia(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "asia.bif"
    path.write_text(example_text("asia"))
    lines = described(capfd, path)
    assert lines[0].startswith(
        "asia.bif: 8 variables, 8 links, 2 states each, 36 table cells; digest "
    )
    assert lines[1] == "Largest table: either, 8 cells. Most parents: either, 2."
    rows = {line.split()[0]: line.split()[1:] for line in lines[3:]}
    assert rows["variable"] == ["states", "parents", "cells"]
    assert rows["dysp"] == ["yes,", "no", "bronc,", "either", "8"]
    assert rows["asia"] == ["yes,", "no", "2"]
    assert len(lines) == 2 + 1 + 1 + 8


def test_long_lists_are_cut_unless_all_is_asked_for(capfd, tmp_path: Path) -> None:
    path = Path(str(example_files()["hepar2"]))
    lines = described(capfd, path)
    assert lines[-1] == "and 30 variables more: --all"
    assert "2 to 4 states each" in lines[0]
    every = described(capfd, path, every=True)
    assert "and 30 variables more: --all" not in every
    assert sum(line[:1].strip() != "" for line in every[4:]) == 70


def test_a_name_is_no_markup(capfd, tmp_path: Path) -> None:
    path = tmp_path / "n.bif"
    path.write_text(
        'variable "[red]" { type discrete [ 2 ] { "[/b]", ":smile:" }; }\n'
        'probability ( "[red]" ) { table 0.5, 0.5; }\n'
    )
    assert any(line.split()[:3] == ["[red]", "[/b],", ":smile:"] for line in described(capfd, path))


def test_faults_go_up(tmp_path: Path) -> None:
    path = tmp_path / "n.bif"
    path.write_text("variable A {")
    with pytest.raises(InvalidNetwork, match=r"n\.bif:1: variable: expected a name and a block"):
        network([str(path)])
