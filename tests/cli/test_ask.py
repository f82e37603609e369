"""The interview: what it asks, what it takes, what it shows, and how it ends."""

from __future__ import annotations

import io
import json
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from asking_priors import ASKING
from small_priors import write_priors

import bayesdx
from bayesdx.cli.arguments import read_findings
from bayesdx.cli.interview import Interview, Plan, repeat_line


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> bayesdx.Engine:
    folder: Path = tmp_path_factory.mktemp("asking") / "priors"
    return bayesdx.load(write_priors(folder, ASKING))


@pytest.fixture
def talk(small, capfd, monkeypatch) -> Callable[..., tuple[Interview, str]]:
    """Lead an interview with these answers; a callable among them is called in their place."""
    monkeypatch.setenv("COLUMNS", "200")

    def talk(*lines, plan: Plan = Plan(), **given: str) -> tuple[Interview, str]:  # noqa: B008
        waiting = iter(lines)

        def read_line() -> str:
            line = next(waiting, None)
            if line is None:
                raise EOFError
            return line() if callable(line) else line

        interview = Interview(small, plan, given, read_line)
        interview.lead()
        return interview, capfd.readouterr().err

    return talk


def interrupt() -> str:
    raise KeyboardInterrupt


def test_the_best_question_comes_first(talk, small) -> None:
    best = small.next_questions({}).table
    _, said = talk("q")
    assert f"1. {best['text'].iloc[0]} [y/n]" in said
    assert "What you notice yourself" in said


def test_answers_are_kept_and_the_next_question_follows_them(talk, small) -> None:
    order = list(small.next_questions({}).table.index)
    interview, said = talk("y", "", "q")
    assert interview.answers == {order[0]: "yes"}
    (skipped,) = interview.unanswered
    follow = small.next_questions({order[0]: "yes"}, without=[skipped]).table
    assert f"3. {follow['text'].iloc[0]} " in said


def test_a_slip_is_told_and_asked_again(talk) -> None:
    interview, said = talk("perhaps", "n", "q", plan=Plan(by=("patient",)))
    assert "expected present, absent or unknown, or a number between 0 and 1" in said
    assert said.count("1. ") == 2
    assert list(interview.answers.values()) == ["no"]


def test_undo_takes_answers_back_and_unknown_ones_too(talk) -> None:
    interview, said = talk("u", "y", "", "u", "u", "q")
    assert interview.steps == []
    assert "There is no answer to take back." in said
    assert said.count("Taken back: ") == 2


@pytest.mark.parametrize("end", [None, interrupt, "q"])
def test_it_ends_politely_with_what_is_known(talk, end) -> None:
    lines = ["y"] + ([end] if end is not None else [])
    interview, said = talk(*lines)
    assert len(interview.answers) == 1
    assert ("What is known so far" in said) == (end != "q")


def test_red_flags_that_fire_are_shown_at_once_and_end_it(talk) -> None:
    interview, said = talk("y", "y", severe_pain="yes", plan=Plan(by=("patient",)))
    assert "! emergency: Severe pain in somebody on a statin" in said
    assert "Go now." in said
    assert "Urgency: emergency (was routine)" in said
    assert "No remaining answer that this person could give changes the urgency" in said
    assert "no all-clear" in said
    assert len(interview.steps) <= 2


def test_what_was_given_is_looked_at_first(talk) -> None:
    _, said = talk(severe_pain="yes", statin_use="yes")
    assert said.index("! emergency") < said.index("No remaining answer")
    assert "1. " not in said


def test_dangerous_causes_that_call_are_shown(talk) -> None:
    plan = Plan(by=("examiner",))
    _, said = talk("y", "y", "q", cramp="yes", plan=plan)
    assert "! urgent: Clot at" in said


def test_keep_asking_goes_on(talk) -> None:
    plan = Plan(keep_asking=True)
    _, said = talk("q", severe_pain="yes", statin_use="yes", plan=plan)
    assert "1. " in said


def test_nothing_left_ends_it(talk) -> None:
    _, said = talk("", "", "", plan=Plan(by=("laboratory",), keep_asking=True))
    assert said.count("? [y/n or times the upper limit]") == 1
    assert "Nothing is left to ask." in said


def test_limit(talk) -> None:
    interview, said = talk("", "", "", plan=Plan(limit=2))
    assert len(interview.steps) == 2
    assert "2 questions were put" in said


def test_one_cause(talk, small) -> None:
    plan = Plan(cause="clot")
    order = small.next_questions({}, cause="clot").table
    _, said = talk("why", *[""] * 20, plan=plan)
    assert f"1. {order['text'].iloc[0]} " in said
    assert "Expected information about clot: " in said
    assert "No answer that is left says anything about clot." in said


def test_numbers_are_measured_and_words_are_not(talk) -> None:
    interview, said = talk("?", "9", plan=Plan(by=("laboratory",), keep_asking=True))
    assert interview.answers == {"ck": "9"}
    assert "As a number: 0 to 5000, in times the upper limit or percent of the limit." in said
    interview, _ = talk("y", plan=Plan(by=("laboratory",), keep_asking=True))
    assert interview.answers == {"ck_high": "yes"}
    interview, _ = talk(
        "5000 percent of the limit", plan=Plan(by=("laboratory",), keep_asking=True)
    )
    assert interview.answers == {"ck": "5000 percent of the limit"}


def test_why_says_what_each_answer_leads_to(talk, small) -> None:
    plan = Plan(by=("patient",))
    _, said = talk("n", "n", "why", "q", statin_use="yes", plan=plan)
    found = small.next_questions({"statin_use": "yes"}, observed_by="patient")
    assert found.table.index[0] == "severe_pain"
    _, said = talk("why", "q", statin_use="yes", plan=plan)
    assert "Red flag (emergency): an answer makes a rule fire by itself: Severe pain in" in said
    assert "- present: how often: not modelled, urgency emergency" in said


def test_the_last_line_repeats_the_diagnosis(small) -> None:
    answers = {"cramp": "yes", "weeks": "7 weeks", "radiation": "foot"}
    line = repeat_line(answers, "my priors")
    words = shlex.split(line)
    assert words[:2] == ["bayesdx", "diagnose"]
    assert words[-2:] == ["--priors", "my priors"]
    assert read_findings(words[2:-2]) == answers


class TestCommand:
    def give(self, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(text))

    def test_a_piped_interview(self, run, monkeypatch) -> None:
        self.give(monkeypatch, "n\n\nn\n")
        ran = run("ask", "low_back_pain", "--by", "patient")
        assert ran.code == 0
        assert "Urgency: " in ran.out
        assert "Again: bayesdx diagnose low_back_pain=present" in ran.out
        assert "What is known so far" in ran.err
        # The answers that were piped in are part of the conversation.
        assert "[y/n] n\n" in ran.err

    def test_the_repeated_command_gives_the_same(self, run, monkeypatch) -> None:
        self.give(monkeypatch, "n\nn\n")
        ran = run("ask", "buttock_pain", "--json")
        understood = json.loads(ran.out)["understood"]
        again = run("diagnose", *(f"{k}={v}" for k, v in understood.items()), "--json")
        assert json.loads(again.out)["posteriors"] == json.loads(ran.out)["posteriors"]

    def test_json_keeps_standard_output_clean(self, run, monkeypatch) -> None:
        self.give(monkeypatch, "")
        ran = run("ask", "--json")
        assert json.loads(ran.out)["status"] == "no_findings"

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--by", "pateint"], "observed_by: expected one of"),
            (["--cause", "dvtt"], "cause: expected the id of a modelled cause, got 'dvtt'"),
            (["buttok_pain"], "Nearest: buttock_pain"),
            (["leg_radiation=yes"], "leg_radiation: expected one of"),
        ],
    )
    def test_slips_are_told_before_anything_is_asked(
        self, run, monkeypatch, arguments, message
    ) -> None:
        self.give(monkeypatch, "y\n")
        ran = run("ask", *arguments)
        assert ran.code == 2
        assert message in ran.err
        assert "1. " not in ran.err

    def test_help(self, run) -> None:
        ran = run("ask", "--help")
        assert ran.code == 0
        assert "Red-flag questions come first" in ran.out
