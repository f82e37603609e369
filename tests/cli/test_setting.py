"""`--setting`: every command that answers takes it, and says it."""

import json
from collections.abc import Callable
from inspect import signature
from pathlib import Path

import pytest

from bayesdx.cli.app import COMMANDS, function_of

ANSWERS = {
    "diagnose",
    "ask",
    "explain",
    "rank",
    "surprise",
    "report",
    "page",
    "what-if",
    "score",
    "verify",
    "sample",
    "demo",
}


def test_every_command_that_answers_takes_a_setting() -> None:
    taking = {name for name in COMMANDS if "setting" in signature(function_of(name)).parameters}
    assert taking == ANSWERS


@pytest.mark.parametrize(
    "command",
    [
        ("diagnose", "low_back_pain"),
        ("rank", "low_back_pain", "--json"),
        ("what-if", "low_back_pain", "--change", "slr_pos"),
    ],
)
def test_the_answer_says_whose_priors_they_are(run: Callable, command: tuple[str, ...]) -> None:
    said = run(*command, "--setting", "physiotherapy")
    assert said.code == 0
    assert "physiotherapy" in " ".join(said.out.split())
    assert "physiotherapy" not in run(*command).out


def test_audit_and_verification_know_the_setting(run: Callable, tmp_path: Path) -> None:
    cases, out = tmp_path / "cases.csv", tmp_path / "out.csv"
    cases.write_text("case_id,low_back_pain\na,present\n", encoding="utf-8")
    one = ("--setting", "emergency_department")
    assert run("score", str(cases), "-o", str(out), *one).code == 0
    audit = json.loads((tmp_path / "out.csv.audit.json").read_text(encoding="utf-8"))
    assert audit["knowledge"]["setting"] == "emergency department"
    assert run("verify", str(out), *one).code == 0
    other = run("verify", str(out))
    assert other.code == 1
    assert "knowledge" in other.out


def test_a_typo_is_one_line_and_exit_code_2(run: Callable) -> None:
    said = run("diagnose", "low_back_pain", "--setting", "general_practise")
    assert said.code == 2
    assert "Nearest: general_practice" in said.err
    assert "Traceback" not in said.err
    missing = run("diagnose", "low_back_pain", "--setting", "nowhere.toml")
    assert missing.code == 2
    assert "nowhere.toml" in missing.err
