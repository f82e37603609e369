"""One case on the command line."""

import csv
import io
import json

import pandas as pd
import pytest

CASE = ("low_back_pain", "!bilateral", "fair_pos=present", "slr_pos=absent")
FINDINGS = {
    "low_back_pain": "present",
    "bilateral": "absent",
    "fair_pos": "present",
    "slr_pos": "absent",
}


def flat(text: str) -> str:
    return " ".join(text.split())


def test_answer_says_what_was_understood_then_urgency_then_the_short_list(run, engine) -> None:
    ran = run("diagnose", *CASE)
    diagnosis = engine.diagnose(FINDINGS)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("Understood: low back pain; FAIR test positive\n")
    assert "Answered no: both sides affected; straight-leg raise positive" in ran.out
    order = ["Understood: ", f"Urgency: {diagnosis.urgency}", "look at first", "What tells most"]
    at = [ran.out.index(text) for text in order]
    assert at == sorted(at)
    last = "Educational decision support, not a medical device. More: --all, bayesdx explain"
    assert ran.out.splitlines()[-1] == last


def test_all_shows_every_cause_and_the_intended_use(run, engine) -> None:
    diagnosis = engine.diagnose(FINDINGS)
    ran = run("diagnose", *CASE, "--all")
    words = set(ran.out.split())
    assert [name for name in diagnosis.table.index if name not in words] == []
    assert ran.out.startswith(f"Urgency: {diagnosis.urgency}\n")
    intended_use = " ".join(engine.knowledge.model.intended_use.split())
    assert " ".join(ran.out.split()).endswith(intended_use)


def test_json_holds_what_the_engine_says(run, engine) -> None:
    ran = run("diagnose", *CASE, "--json")
    told = json.loads(ran.out)
    diagnosis = engine.diagnose(FINDINGS)
    assert told["status"] == "ok"
    assert told["urgency"] == diagnosis.urgency
    assert told["log_evidence"] == diagnosis.log_evidence
    assert told["understood"] == dict(diagnosis.understood)
    assert {row["cause"]: row["posterior"] for row in told["posteriors"]} == dict(
        diagnosis.table["posterior"]
    )
    assert told["intended_use"] == engine.knowledge.model.intended_use


def test_csv_holds_the_posteriors(run, engine) -> None:
    rows = list(csv.DictReader(io.StringIO(run("diagnose", *CASE, "--csv").out)))
    table = engine.diagnose(FINDINGS).table
    assert [row["cause"] for row in rows] == list(table.index)
    assert [float(row["posterior"]) for row in rows] == list(table["posterior"])


def test_red_flag_stands_above_the_posteriors(run) -> None:
    ran = run("diagnose", "buttock_pain", "saddle_numbness", "bladder_bowel_change")
    assert "Urgency: emergency" in ran.out
    assert "  ! Numb saddle area, " in ran.out
    assert ran.out.index("  ! ") < ran.out.index("look at first")


def test_report_says_that_what_was_not_asked_rules_nothing_out(run) -> None:
    ran = run("diagnose", "buttock_pain")
    assert "  Nothing is ruled out: " in ran.out
    assert "rules that could raise it wait for an answer. Ask these first: " in flat(ran.out)


def test_impossible_evidence_is_an_answer_with_the_clash(run) -> None:
    case = ("menstrual_cyclic", "sex=male")
    ran = run("diagnose", *case)
    assert ran.code == 0
    assert "cannot occur together in this model: " in ran.out
    told = json.loads(run("diagnose", *case, "--json").out)
    assert told["status"] == "impossible"
    assert told["log_evidence"] is None
    assert "menstrual_cyclic" in told["clashes"]


@pytest.mark.parametrize(
    ("word", "near"), [("low_bak_pain", "low_back_pain"), ("fairpos=present", "fair_pos")]
)
def test_typo_in_a_finding_gets_the_nearest_names(run, word: str, near: str) -> None:
    ran = run("diagnose", word)
    assert (ran.code, ran.out) == (2, "")
    assert "Nearest: " in ran.err
    assert near in ran.err.split("Nearest: ")[1]


def test_typo_in_a_state_gets_the_nearest_names(run) -> None:
    ran = run("diagnose", "fair_pos=presnt")
    assert (ran.code, ran.out) == (2, "")
    assert "'presnt'" in ran.err
    assert "present" in ran.err.split("Nearest: ")[1]


def test_value_outside_its_range_gives_expected_and_got(run) -> None:
    ran = run("diagnose", "potassium=31", "age=7", "ashworth=9", "duration=-1")
    assert (ran.code, ran.out) == (2, "")
    assert len(ran.err.splitlines()) == 4
    for got in ("31", "7", "9", "-1"):
        assert any("expected" in line and got in line for line in ran.err.splitlines())


def test_contradiction_through_a_measure_is_bad_input(run) -> None:
    ran = run("diagnose", "potassium=3.1", "k_low=absent")
    assert (ran.code, ran.out) == (2, "")
    assert "k_low" in ran.err


def test_both_formats_at_once_is_bad_input(run) -> None:
    ran = run("diagnose", "fever", "--json", "--csv")
    assert ran.code == 2
    assert ran.err == "bayesdx: options: expected one of --json and --csv, got both.\n"


def test_no_findings_and_no_terminal_is_bad_input(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    ran = run("diagnose")
    assert ran.code == 2
    assert "expected findings, such as fever=present, got none" in ran.err


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_report_fits_the_width(run, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    ran = run("diagnose", *CASE)
    assert max(len(line) for line in ran.out.splitlines()) <= columns


def test_no_colours_in_a_pipe(run) -> None:
    assert "\x1b" not in run("diagnose", "saddle_numbness").out


def test_diagnose_and_score_agree(run, engine) -> None:
    scored = engine.score(pd.DataFrame([FINDINGS])).iloc[0]
    told = json.loads(run("diagnose", *CASE, "--json").out)
    for row in told["posteriors"]:
        assert scored[row["cause"]] == pytest.approx(row["posterior"], abs=1e-12)
