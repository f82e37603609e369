"""Findings that move no cause are told so wherever they are shown."""

import json
from pathlib import Path

import numpy as np
import pytest

import bayesdx
from bayesdx.cli import main
from bayesdx.knowledge.red_flag_schema import URGENCY_ONLY, subjects

ONE = "recurrent_unexplained"
CASE = {ONE: "present", "low_back_pain": "present"}


@pytest.fixture(scope="module")
def engine() -> bayesdx.Engine:
    return bayesdx.load()


def test_what_is_marked_moves_no_cause_and_what_is_not_does(engine: bayesdx.Engine) -> None:
    binary = [n for n, finding in engine.knowledge.findings.items() if finding.kind != "ordinal"]
    one_each = [(n, state) for n in binary for state in engine.knowledge.findings[n].states[:2]]
    scored = engine.score([{}, *({name: state} for name, state in one_each)])
    p = scored[engine.causes.index].to_numpy()
    changes = np.abs(p[1:] - p[0]).max(axis=1).reshape(len(binary), 2).max(axis=1)
    moving = dict(zip(binary, changes > 1e-12, strict=True))
    counted = engine.knowledge.urgency_only
    assert ONE in counted
    assert {name for name in counted & moving.keys() if moving[name]} == set()
    # What moves nothing and is not marked, no rule asks for either.
    asked = {name for rule in engine.knowledge.red_flags for name in subjects(rule.when)}
    assert {name for name, moves in moving.items() if not moves and name in asked} <= counted


def test_answers_questions_and_tables_say_it(engine: bayesdx.Engine, tmp_path: Path) -> None:
    d = engine.diagnose(CASE)
    assert d.urgency_only == (ONE,)
    assert d.to_dict()["urgency_only"] == [ONE]
    assert URGENCY_ONLY in d._repr_html_()
    assert engine.findings.loc[ONE, "urgency_only"]
    assert not engine.findings.loc["low_back_pain", "urgency_only"]
    questions = engine.next_questions({"low_back_pain": "present"}, limit=None).table
    assert URGENCY_ONLY in questions.loc[ONE, "text"]
    assert URGENCY_ONLY not in questions.loc["slr_pos", "text"]


@pytest.mark.parametrize(
    "command",
    [
        ("diagnose", ONE, "low_back_pain"),
        ("show", "finding", ONE),
        ("list", "findings", "--search", "clear reason"),
    ],
)
def test_commands_say_it(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command) == 0
    assert URGENCY_ONLY in " ".join(capsys.readouterr().out.lower().split())


def test_lists_as_json_and_pages_say_it(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(("list", "findings", "--search", "clear reason", "--json")) == 0
    (row,) = json.loads(capsys.readouterr().out)["findings"]
    assert row["urgency_only"] is True
    page = tmp_path / "page.html"
    assert main(("report", "-f", ONE, "-f", "low_back_pain", "-o", str(page), "--draws", "0")) == 0
    assert URGENCY_ONLY in page.read_text(encoding="utf-8").lower()
