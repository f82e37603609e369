"""The documents compared as rivals, on the command line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from small_priors import SMALL

from bayesdx.cli import app as application
from bayesdx.cli import compare as command
from bayesdx.cli import comparison_figure
from bayesdx.diagnosis.per_source import compare
from bayesdx.knowledge.reading import read_knowledge
from bayesdx.presentation.words import share
from bayesdx.tables import finding_columns, parse_csv, read_cases

DOCUMENT = '[{}]\ntitle = "Page {}: about spasm"\nseen = true\nnote = "a document"\n'
STATEMENT = """
[{name}]
document = "{document}"
section = "-"
kind = "{kind}"
says = "What {name} says."
strength = "can"
denominator = "people"
excluded = "only a test"
"""
READING = '[[{name}.readings]]\nnumber = "{number}"\nvalue = {value}\n'
READINGS = [
    ("S0-01", "causes/strain.toml:prior", 0.3),
    ("S0-02", "causes/strain.toml:links.cramp", 0.9),
    ("S1-01", "causes/statin_myopathy.toml:links.cramp", 0.2),
    ("S1-02", "causes/statin_myopathy.toml:links.cramp", 0.5),
    ("S1-03", "causes/statin_myopathy.toml:prior", 0.5),
    ("X-01", "causes/strain.toml:prior", 0.05),
]
CASES = """\
case_id,cramp,statin_use,age,expected_cause
a,present,present,70,strain
b,absent,,30,
b,present,,,
,,absent,,
"""
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def priors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("priors")
    files = dict(SMALL)
    files["sources.toml"] += "".join(DOCUMENT.format(name, name) for name in ("S0", "S1"))
    files["statements.toml"] = "".join(
        STATEMENT.format(
            name=name,
            document=name.partition("-")[0],
            kind="conflict" if name.startswith("X") else "finding",
        )
        + READING.format(name=name, number=number, value=value)
        for name, number, value in READINGS
    )
    for file, text in files.items():
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    path = tmp_path / "cases.csv"
    path.write_text(CASES)
    return path


@pytest.fixture
def rival(run: Run, priors: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command on the small folder, in an application of its own."""
    small = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
    small.command()(command.compare)
    monkeypatch.setattr(application, "app", small)
    return lambda *arguments: run(*arguments, "-p", str(priors))


def test_report_names_sources_causes_statements_and_what_was_left_out(
    rival: Run, cases: Path
) -> None:
    code, out, err = rival(str(cases), "--case", "a")
    assert (code, err) == (0, "")
    said = " ".join(out.split())
    assert "not opinions on a patient" in said
    assert "Page S0: about spasm" in said
    assert "4 cases: distance from the model" in said
    assert "Case a: posteriors under each source alone" in said
    assert re.search(r"S0, case a: strain \d", said)
    assert "S0-01: What S0-01 says. Left out: " in said
    # The mean of .2 and .5 in log-odds, and a prior that needs more people on a statin.
    assert "S1 P(cramp | statin_myopathy): 0.333 from S1-01, S1-02" in said
    assert "S1 S1-03: causes/statin_myopathy.toml:prior at 0.5: " in said
    assert "at least the prior, 0.5, as the chance that all requirements hold, got 0.2" in said


def test_nothing_reassures(rival: Run, cases: Path) -> None:
    _, out, _ = rival(str(cases))
    said = out.casefold()
    for word in ("safe", "harmless", "unlikely", "nothing to worry", "excluded", "ruled out"):
        assert word not in said
    assert "red flags look at the findings, whatever the source" in said
    assert share(0.0) == "0 %"
    assert share(float("nan")) == "-"


def test_csv_has_one_row_a_case_and_source(
    rival: Run, cases: Path, priors: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.csv"
    code, _, err = rival(str(cases), "-o", str(out))
    assert code == 0
    assert f"12 rows written to {out}" in err
    table = read_cases(out)
    names = ["a", "b row 1", "b row 2", "row 3"]
    assert table["case_id"].tolist() == [name for name in names for _ in range(3)]
    assert table["rival"].tolist() == ["S0", "S1", "literature"] * 4
    read = finding_columns(read_cases(cases)).set_axis(names, axis=0)
    found = compare(read_knowledge(priors), read)
    assert [float(cell) for cell in table["distance"]] == found.cases["distance"].tolist()
    to_itself = table.loc[table["rival"] == "S1", "distance_to_S1"]
    assert {float(cell) for cell in to_itself} == {0.0}
    one = table.loc[table["rival"] == "S0", "distance_to_S1"].tolist()
    assert one == table.loc[table["rival"] == "S1", "distance_to_S0"].tolist()
    # The difference is traced in the farthest case only.
    farthest = found.summary.loc["S0", "farthest_case"]
    traced = table[(table["rival"] == "S0") & (table["statements"] != "")]
    assert traced["case_id"].tolist() == [farthest]
    assert set(table.loc[table["rival"] == "S1", "left_out"]) == {"S1-03"}


def test_dash_writes_the_table_and_nothing_else(rival: Run, cases: Path, tmp_path: Path) -> None:
    code, out, _ = rival(str(cases), "-o", "-")
    assert code == 0
    rival(str(cases), "-o", str(tmp_path / "out.csv"))
    assert out == (tmp_path / "out.csv").read_text()
    assert len(parse_csv(out.encode(), "standard output")) == 12


def test_json_holds_everything(rival: Run, cases: Path, tmp_path: Path) -> None:
    code, out, _ = rival(str(cases), "--json", "-o", str(tmp_path / "out.json"))
    assert code == 0
    assert (tmp_path / "out.json").read_text() == out
    report = json.loads(out)
    assert [source["id"] for source in report["sources"]] == ["S0", "S1", "literature"]
    assert report["sources"][0]["numbers"][0] == {
        "number": "causes/strain.toml:prior",
        "title": "prior of strain",
        "model": 0.13,
        "value": 0.3,
        "statements": ["S0-01"],
        "passed_over": [],
        "mean": False,
    }
    assert [left["statement"] for left in report["sources"][1]["left_out"]] == ["S1-03"]
    assert len(report["cases"]) == 12
    assert len(report["posteriors"]) == 16
    assert len(report["pairs"]) == 12
    assert report["statements"][0]["rival"] == "S0"


def test_findings_in_place_of_a_table(rival: Run, cases: Path) -> None:
    one = json.loads(rival("-f", "cramp", "-f", "statin_use=present", "-f", "age=70", "--json")[1])
    table = json.loads(rival(str(cases), "--case", "a", "--json")[1])
    of_a = [row for row in table["cases"] if row["case"] == "a"]
    assert len(one["cases"]) == len(of_a) == 3
    for row, same in zip(one["cases"], of_a, strict=True):
        # Neither the case's id nor the expected cause is evidence.
        assert row["case"] == "1"
        assert {**row, "case": "a"} == pytest.approx(same)


def test_top_says_how_many_causes_are_shown(rival: Run) -> None:
    _, out, _ = rival("-f", "cramp", "--top", "1")
    assert "and 1 causes more: --top" in out


def test_a_table_of_another_dialect_is_the_same_and_keeps_columns(
    rival: Run, cases: Path, tmp_path: Path
) -> None:
    cases.write_text("case_id,cramp,age,ward\na,present,70.0,3\nb,absent,,4\n")
    other = tmp_path / "other.csv"
    text = "Nr;Straße;cramp;age;ward\na;x;oui;70,0;3\nb;y;non;egal;4\n"
    other.write_text(text, encoding="cp1252")
    options = (
        *("--delimiter", ";", "--decimal", ",", "--encoding", "cp1252", "--id", "Nr"),
        *("--ignore", "Straße", "--yes", "oui", "--no", "non", "--unknown", "egal"),
    )
    right = rival(str(cases), "--keep", "ward", "--json")
    assert rival(str(other), *options, "--keep", "ward", "--json") == right
    assert right[0] == 0
    table = json.loads(right[1])["cases"]
    assert {row["case"]: row["ward"] for row in table} == {"a": "3", "b": "4"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "arguments: expected a table of cases, or --finding, got neither"),
        (("{cases}", "-f", "cramp"), "expected a table of cases, or --finding, got both"),
        (("{cases}", "--case", "c"), "case: expected a case of the table, got 'c'"),
        (("-f", "cramps=present"), "cramps"),
        (
            ("{cases}", "--keep", "age", "--ignore", "agee"),
            "ignore: expected a column",
        ),
        (
            ("{cases}", "--id", "age", "--keep", "rival"),
            "keep: expected a column of the table, got 'rival'",
        ),
        (("{cases}", "--json", "-o", "-"), "expected one of --json and -o -, got both"),
        (("{cases}", "--figure", "a.pdf"), "a.pdf: expected a name ending in .png, got '.pdf'"),
    ],
)
def test_bad_input_is_one_clear_line(
    rival: Run, cases: Path, arguments: tuple[str, ...], message: str
) -> None:
    code, out, err = rival(*(word.format(cases=cases) for word in arguments))
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1


def test_what_is_kept_must_not_be_a_column_of_the_answer(rival: Run, cases: Path) -> None:
    cases.write_text("rival,cramp\nx,1\n")
    code, _, err = rival(str(cases), "--keep", "rival")
    assert code == 2
    assert "keep: expected a column that the answer does not have itself, got 'rival'" in err


def test_figure_without_matplotlib_names_the_extra(
    rival: Run, cases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison_figure, "find_spec", lambda _: None)
    code, out, err = rival(str(cases), "--figure", str(tmp_path / "a.png"))
    assert (code, out) == (2, "")
    assert "--figure: expected matplotlib (pip install 'bayesdx[plot]'), got no such" in err
    assert not (tmp_path / "a.png").exists()


def test_figure_is_a_picture(rival: Run, cases: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "a.png"
    code, _, err = rival(str(cases), "--case", "a", "--figure", str(path))
    assert code == 0
    assert f"case a drawn in {path}" in err
    assert path.read_bytes().startswith(b"\x89PNG\r\n")
    assert path.stat().st_size > 10_000


def test_findings_that_cannot_occur_together_have_no_answer_and_no_picture(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib")
    small = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
    small.command()(command.compare)
    monkeypatch.setattr(application, "app", small)
    words = ("-f", "menstrual_cyclic", "-f", "sex=male")
    code, out, _ = run(*words)
    assert code == 0
    assert "these findings cannot occur together" in out
    assert "S0: no case that can occur." in out
    code, _, err = run(*words, "--figure", str(tmp_path / "a.png"))
    assert code == 2
    assert "expected a case that has posteriors" in err
