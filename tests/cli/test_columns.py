"""All commands keep to COLUMNS, on standard output and standard error, and never cut an id."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bayesdx.cli import main

#: A command whose lines are meant to be copied or read by programs is not here.
COMMANDS: dict[str, tuple[str, ...]] = {
    "diagnose": ("diagnose", "low_back_pain", "fair_pos", "!bilateral", "age=41"),
    "rank": ("rank", "low_back_pain", "fair_pos"),
    "surprise": ("surprise", "night_cramps", "menstrual_cyclic"),
    "list": ("list", "findings", "--search", "numb"),
    "show": ("show", "cause", "piriformis_syndrome"),
    "network": ("network", "n.net", "--all"),
    "help": ("score", "-h"),
    "all help": ("-h",),
    "score": ("score", "cases.csv", "-o", "out.csv", "--on-error", "report"),
    "score, checked": ("score", "cases.csv", "--dry-run", "--on-error", "report"),
    "faults": ("score", "cases.csv", "-o", "other.csv"),
    "a slip": ("diagnose", "low_back_pian=present"),
    "network cases": ("network", "n.net", "-c", "t.csv", "-o", "o.csv", "--on-error", "skip"),
}
TABLE = (
    "case_id,low_back_pain,fair_pos,age\na,present,,41\na,absent,perhaps,41\nb,,present,400\n"
    ",present,present,\n"
)
NETWORK = (
    'net{} node Cold { states = ("no" "yes"); } node A_rather_long_name { states = ("no" "yes"); }'
    " potential ( Cold ) { data = (0.8 0.2); }"
    " potential ( A_rather_long_name | Cold ) { data = ((0.8 0.2)(0.1 0.9)); }"
)
#: What may be longer than a narrow line: a word that cannot be broken.
WORD = re.compile(r"\S+")


@pytest.mark.parametrize("columns", [40, 80, 200])
@pytest.mark.parametrize("command", COMMANDS)
def test_no_line_is_longer(
    command: str,
    columns: int,
    engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bayesdx.load", lambda *_, **__: engine)
    monkeypatch.setenv("COLUMNS", str(columns))
    Path("cases.csv").write_text(TABLE)
    Path("t.csv").write_text("Cold,A_rather_long_name\nyes,\nperhaps,no\n")
    Path("n.net").write_text(NETWORK)
    assert main(COMMANDS[command]) in (0, 1, 2)
    told = capfd.readouterr()
    lines = [*told.out.splitlines(), *told.err.splitlines()]
    assert lines
    long = [
        line
        for line in lines
        if len(line) > columns and len(line.strip()) > max(map(len, WORD.findall(line)))
    ]
    assert long == []
    if columns == 200:
        narrow = max(map(len, lines))
        # Help is never wider than 80: it is prose.
        assert narrow > 80 or command in ("network", "list", "help", "all help")


def test_a_file_without_columns_gets_whole_lines(
    engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bayesdx.load", lambda *_, **__: engine)
    monkeypatch.delenv("COLUMNS", raising=False)
    Path("cases.csv").write_text(TABLE)
    assert main(COMMANDS["score"]) == 1
    told = capfd.readouterr().err.splitlines()
    assert all(line.startswith("bayesdx: ") for line in told)
    assert max(map(len, told)) > 200
