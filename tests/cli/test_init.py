"""A knowledge folder of one's own: from nothing, and from a table."""

import json
from pathlib import Path

import pytest

import bayesdx

SHEET = """\
cause,finding,probability,source,low,high,urgency,dangerous,red_flag,note
Migraine,,20 %,Register 2020,10 %,30 %,soon,,,counted by hand
Subarachnoid bleeding,,0.005,Register 2020,,,emergency,yes,,
,Thunderclap onset,0.01,my judgement,,,,,emergency,
,Throbbing,.3,my judgement,,,,,,
Migraine,Throbbing,often,my judgement,,,,,,
Subarachnoid bleeding,thunderclap onset,0.8,Smith 2021,0.6,0.9,,,,
"""


def test_the_folder_that_is_begun_passes_its_check_and_answers(run, tmp_path: Path) -> None:
    folder = str(tmp_path / "mine")
    made = run("init", folder)
    assert (made.code, made.err) == (0, "")
    checked = run("check", folder, "--strict")
    assert (checked.code, checked.err) == (0, "")
    assert "1 cause, 2 findings; 0 errors, 0 warnings" in " ".join(checked.out.split())
    # What it said to do next is a command that works.
    said = next(line for line in made.out.splitlines() if "bayesdx diagnose" in line)
    assert "Common cold" in run(*said.split()[1:]).out


def test_every_command_answers_with_the_folder_that_is_begun(run, tmp_path: Path) -> None:
    folder, out = str(tmp_path / "mine"), tmp_path / "out.csv"
    run("init", folder)
    cases = tmp_path / "cases.csv"
    cases.write_text("case_id,runny_nose,coughs_blood\na,yes,no\nb,,yes\n")
    for command in (
        "diagnose runny_nose",
        "explain runny_nose -c common_cold",
        "rank runny_nose",
        "surprise runny_nose",
        "what-if runny_nose",
        "list risks",
        "show cause common_cold",
        "calibrate",
        f"score {cases} -o {out}",
        f"verify {out}",
    ):
        ran = run(*command.split(), "--priors", folder)
        assert ran.code == 0, (command, ran.err)
    scored = out.read_text()
    assert "blood" in scored
    assert scored.startswith("case_id,")


def test_a_table_becomes_a_folder_with_its_numbers(run, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(SHEET)
    folder = tmp_path / "mine"
    assert run("init", str(folder), "--from", str(sheet)).code == 0
    knowledge = bayesdx.load(folder).knowledge
    migraine = knowledge.causes["migraine"]
    assert (migraine.label, migraine.urgency, migraine.dangerous) == ("Migraine", "soon", False)
    assert migraine.prior is not None
    assert (migraine.prior.value, migraine.prior.range) == (0.2, (0.1, 0.3))
    assert migraine.prior.note == "counted by hand"
    assert knowledge.sources[migraine.prior.source].title == "Register 2020"
    often = next(word for word in bayesdx.load().knowledge.words if "often" in word.wording)
    assert migraine.links["throbbing"].probability == pytest.approx(often.mean, abs=0.005)
    bleeding = knowledge.causes["subarachnoid_bleeding"]
    assert bleeding.dangerous
    assert bleeding.links["thunderclap_onset"].range == (0.6, 0.9)
    found = bayesdx.load(folder).diagnose({"thunderclap_onset": "present"})
    assert found.urgency == "emergency"
    # Of whom the numbers speak is for the author to say.
    checked = run("check", str(folder))
    assert checked.code == 0
    assert "model.toml:reference_population: not said yet" in checked.out.replace("\n  ", " ")


def test_every_fault_of_a_table_is_told_at_once_and_nothing_is_written(run, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    broken = SHEET.replace("often", "oftn").replace("10 %,30 %", "30 %,40 %")
    broken = broken.replace(",Throbbing,.3", "Throbbing,,.3").replace("soon", "son")
    sheet.write_text(broken + "Migraine,,1.2,,,,,perhaps,,\nx,y\n1st,,0.1,me,,,,,,\n")
    ran = run("init", str(tmp_path / "mine"), "--from", str(sheet))
    assert ran.code == 2
    assert not (tmp_path / "mine").exists()
    for told in (
        "sheet.csv:2: expected low and high around 0.2, got [0.3, 0.4].",
        "sheet.csv:2:urgency:"
        " expected one of emergency, urgent, soon, routine, self_care, got 'son'",
        "sheet.csv:6:probability:"
        " expected a probability, a percentage or a word of the scale, got 'oftn'. Nearest: often",
        "sheet.csv: finding throbbing:"
        " expected a row of its own, with cause left empty, got nothing.",
        "sheet.csv:8: expected one row for migraine, got a second.",
        "sheet.csv:8:probability:"
        " expected a probability between 0 and 1, or a percentage, got '1.2'",
        "sheet.csv:8:source: expected where the number comes from, got nothing.",
        "sheet.csv:8:dangerous: expected yes or no, got 'perhaps'.",
        "sheet.csv:9: expected 10 cells, got 2.",
        "sheet.csv:10:cause: expected a name that begins with a letter from a to z, got '1st'.",
    ):
        assert told in ran.err.replace("\n", " "), told
    # A name that makes no id is told where it stands, and under no other.
    sheet.write_text("cause,finding,probability,source\n1st,,0.5,me\n,4,0.1,me\n1st,4,0.6,me\n")
    ran = run("init", str(tmp_path / "mine"), "--from", str(sheet))
    assert ran.err.count("expected") == ran.err.count("begins with a letter") == 4


def test_what_stands_in_the_wrong_row_is_told_and_not_lost(run, tmp_path: Path) -> None:
    """A red flag beside a link would be no red flag."""
    sheet = tmp_path / "sheet.csv"
    moved = SHEET.replace(
        "Migraine,Throbbing,often,my judgement,,,,,,",
        "Migraine,Throbbing,often,my judgement,,,urgent,yes,emergency,",
    ).replace(",Throbbing,.3,my judgement,,,,,,", ",Throbbing,.3,my judgement,,,soon,yes,,")
    sheet.write_text(moved)
    ran = run("init", str(tmp_path / "mine"), "--from", str(sheet))
    assert ran.code == 2
    assert not (tmp_path / "mine").exists()
    for place, kind in (
        ("5:urgency", "cause"),
        ("5:dangerous", "cause"),
        ("6:urgency", "cause"),
        ("6:dangerous", "cause"),
        ("6:red_flag", "finding"),
    ):
        told = f"sheet.csv:{place}: expected nothing; it stands in the row of a {kind} alone, got"
        assert told in ran.err.replace("\n", " ")


def test_what_its_check_would_refuse_is_told_by_line_and_nothing_is_written(
    run, tmp_path: Path
) -> None:
    sheet, folder = tmp_path / "sheet.csv", tmp_path / "mine"
    sheet.write_text(SHEET + ",Migraine,0.1,me,,,,,,\n")
    ran = run("init", str(folder), "--from", str(sheet))
    assert (ran.code, folder.exists()) == (2, False)
    told = "sheet.csv:8: expected an id of its own, got 'migraine', which is the cause of sheet.csv"
    assert f"{told}:2." in ran.err.replace("\n", " ")
    # Ids that the columns of tables have.
    sheet.write_text(
        SHEET + "Case id,,0.1,me,,,,,,\n,Note,0.1,me,,,,,,\nCase id,Note,.1,me,,,,,,\n"
    )
    ran = run("init", str(folder), "--from", str(sheet))
    assert (ran.code, folder.exists()) == (2, False)
    for line, name in ((8, "case_id"), (9, "note")):
        told = f"sheet.csv:{line}: expected an id that is no reserved column name, got '{name}'."
        assert told in ran.err.replace("\n", " ")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "sheet.csv: expected the columns cause, finding, probability, source, got nothing."),
        (b"cause,finding,probabilty,source\n", "got 'probabilty'. Nearest: probability."),
        (b"cause,finding,probability,source\n", "a row for each cause, with finding left empty"),
        (b"cause;finding;probability;source\n", "expected commas between the cells, got ';'"),
        (b"cause,finding,probability,source\n\xff", "sheet.csv: expected text in UTF-8"),
        (b'cause,finding,probability,source\n"a', "sheet.csv:2: expected a line of CSV"),
    ],
)
def test_a_table_that_is_none_is_refused(run, tmp_path: Path, content: bytes, told: str) -> None:
    sheet = tmp_path / "sheet.csv"
    sheet.write_bytes(content)
    ran = run("init", str(tmp_path / "mine"), "--from", str(sheet))
    assert ran.code == 2
    assert told in ran.err.replace("\n", " ")


def test_what_is_there_is_never_overwritten(run, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    ran = run("init", str(tmp_path))
    assert ran.code == 2
    assert "expected a new or empty folder, got one with files." in ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_the_schemas_lie_where_the_files_look_for_them(run, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    run("init", str(folder))
    for path in folder.rglob("*.toml"):
        first = path.read_text().splitlines()[0]
        assert first.startswith("#:schema "), path
        assert json.loads((path.parent / first.removeprefix("#:schema ")).read_text())["$schema"]
