"""`check` and `show`."""

import shutil
from pathlib import Path

import pytest


def test_typical_presentations_of_a_check_are_read_as_cases_are(run, tmp_path: Path) -> None:
    table = tmp_path / "typical.csv"
    own = ("check", "examples/headache", "--typical", str(table))
    assert "--typical: expected --depth beside it" in run(*own).err
    table.write_text("case_id,nausea,expected_cause\na,yes,migraine\nb,yes,migrane\nc,no,\n")
    ran = run(*own, "--depth")
    assert ran.code == 2
    told = "typical.csv:3:3, column expected_cause: expected the id of a cause, got 'migrane'."
    assert f"{told} Nearest: migraine." in " ".join(ran.err.split())
    table.write_text("case_id,nausea,expected_cause\na,perhaps,migraine\n")
    assert "typical.csv:2:2, column nausea: expected present" in run(*own, "--depth").err
    table.write_text("case_id,nausea\na,yes\n")
    assert "expected a column expected_cause, got nothing" in run(*own, "--depth").err


def test_packaged_knowledge_can_be_checked(run, engine) -> None:
    ran = run("check")
    assert ran.code == 0, ran.out
    assert engine.knowledge.digest[:12] in ran.out.splitlines()[-1]


def test_check_takes_a_folder_either_way(run, engine, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(engine.knowledge.folder, folder)
    assert str(folder) in run("check", str(folder)).out
    assert str(folder) in run("check", "-p", str(folder)).out


def test_unreadable_knowledge_is_bad_input(run, engine, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(engine.knowledge.folder, folder)
    broken = folder / "findings.toml"
    broken.write_text(broken.read_text(encoding="utf-8") + "\n[fever\n", encoding="utf-8")
    ran = run("check", str(folder))
    assert (ran.code, ran.out) == (2, "")
    assert "findings.toml" in ran.err


def test_missing_folder_is_bad_input(run, tmp_path: Path) -> None:
    ran = run("check", str(tmp_path / "nowhere"))
    assert (ran.code, ran.out) == (2, "")
    assert "nowhere" in ran.err


@pytest.mark.parametrize("command", ["diagnose", "score"])
def test_other_commands_take_a_folder(run, tmp_path: Path, command: str) -> None:
    cases = tmp_path / "cases.csv"
    cases.write_text("fever\npresent\n")
    argument = "fever" if command == "diagnose" else str(cases)
    ran = run(command, argument, "-p", str(tmp_path / "nowhere"))
    assert (ran.code, ran.out) == (2, "")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("cause", "piriformis_syndrome"),
        ("finding", "fair_pos"),
        ("risk", "anatomical_variant"),
        ("statement", "S0-37"),
    ],
)
def test_show_names_what_was_asked_for(run, kind: str, name: str) -> None:
    ran = run("show", kind, name)
    assert (ran.code, ran.err) == (0, "")
    assert name in ran.out


@pytest.mark.parametrize(
    ("kind", "name", "near"),
    [
        ("cause", "piriformis_syndrom", "piriformis_syndrome"),
        ("finding", "fair_poss", "fair_pos"),
        ("risk", "diabetis", "diabetes"),
    ],
)
def test_show_offers_near_names(run, kind: str, name: str, near: str) -> None:
    ran = run("show", kind, name)
    assert (ran.code, ran.out) == (2, "")
    assert near in ran.err.split("Nearest: ")[1]


def test_show_knows_four_kinds(run) -> None:
    ran = run("show", "causes", "piriformis_syndrome")
    assert ran.code == 2
    for kind in ("cause", "finding", "risk", "statement"):
        assert kind in ran.err


@pytest.mark.parametrize(
    ("severity", "options", "code"),
    [
        ("error", (), 1),
        ("warning", (), 0),
        ("warning", ("--strict",), 1),
        ("info", ("--strict",), 0),
    ],
)
def test_check_fails_on_errors_and_strictly_on_warnings(
    run, monkeypatch: pytest.MonkeyPatch, severity: str, options: tuple[str, ...], code: int
) -> None:
    remark = (severity, "findings.toml:fever", "something to mend.")
    monkeypatch.setattr("bayesdx.cli.check.lint", lambda _: (remark,))
    ran = run("check", *options)
    assert ran.code == code
    shown = f"{severity}: findings.toml:fever: something to mend."
    assert (shown in ran.out) == (severity != "info")
    if severity == "error":
        # Last and alone: what has to be mended is what a terminal ends with.
        assert ran.out.splitlines()[-2:] == ["", shown]


def test_check_prints_notes_only_when_asked(run, monkeypatch: pytest.MonkeyPatch) -> None:
    remarks = (("warning", "w", "z."), ("info", "x", "y."))
    monkeypatch.setattr("bayesdx.cli.check.lint", lambda _: remarks)
    told = run("check", "-v").out.splitlines()
    assert (told[0], told[-3]) == ("info: x: y.", "warning: w: z.")
    warned, accounted, counts = run("check").out.splitlines()
    assert warned == "warning: w: z."
    assert run("check", "--quiet").out == run("check").out
    assert "0 unaccounted; 0 orphan numbers" in accounted
    assert "0 errors, 1 warning" in counts


def test_two_folders_are_one_too_many(run, tmp_path: Path) -> None:
    ran = run("check", str(tmp_path), "-p", "elsewhere")
    assert (ran.code, ran.out) == (2, "")
    assert "expected one folder, got" in ran.err


@pytest.mark.parametrize("columns", [60, 98])
def test_show_is_wrapped_at_any_width(run, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for kind, name in (("cause", "piriformis_syndrome"), ("risk", "age"), ("finding", "fair_pos")):
        lines = run("show", kind, name).out.splitlines()
        assert max(map(len, lines)) <= columns
        # Nothing was broken before it came to the terminal.
        assert max(map(len, lines)) > columns - 8
