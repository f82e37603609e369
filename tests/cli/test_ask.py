"""The interview: what it asks, what it takes, what it shows, and how it ends."""

from __future__ import annotations

import io
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from asking_priors import ASKING
from small_priors import write_priors

import bayesdx
from bayesdx.cli.arguments import read_findings, repeat_line
from bayesdx.cli.interview import Interview, Plan
from bayesdx.cli.interview_course import COMPLAINT, MOST, choose, opening_of


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
    assert f"{best['text'].iloc[0]} [y/n]" in said
    assert re.search(r"\n1 of about \d+\. ", said)
    assert "What you notice yourself" in said


def test_answers_are_kept_and_the_next_question_follows_them(talk, small) -> None:
    order = list(small.next_questions({}).table.index)
    interview, said = talk("y", "", "q")
    assert interview.answers == {order[0]: "yes"}
    (skipped,) = interview.unanswered
    follow = small.next_questions({order[0]: "yes"}, without=[skipped]).table
    assert re.search(rf"3 of about \d+\. {re.escape(follow['text'].iloc[0])} ", said)


def test_a_slip_is_told_and_asked_again(talk) -> None:
    interview, said = talk("perhaps", "n", "q", plan=Plan(by=("patient",)))
    assert "expected present, absent or unknown, or a number between 0 and 1" in said
    assert "--yes" not in said
    assert said.count("1 of about") == 2
    assert list(interview.answers.values()) == ["no"]


@pytest.mark.parametrize("word", ["unknown", "na", "skip", " "])
def test_words_for_unknown_are_no_answer(talk, word: str) -> None:
    interview, said = talk(word, "q")
    assert interview.answers == {}
    assert len(interview.unanswered) == 1
    assert said.count("1 of about") == 1
    assert "2 of about" in said


def test_undo_takes_answers_back_and_unknown_ones_too(talk) -> None:
    interview, said = talk("u", "y", "", "back", "u", "q")
    assert interview.steps == []
    assert "There is no answer to take back." in said
    assert said.count("Taken back: ") == 2


@pytest.mark.parametrize("end", [None, interrupt, "q"])
def test_it_ends_politely_with_what_is_known(talk, end) -> None:
    lines = ["y"] + ([end] if end is not None else [])
    interview, said = talk(*lines)
    assert len(interview.answers) == 1
    assert ("What is known so far" in said) == (end != "q")


def test_an_emergency_is_shown_at_once_and_ends_it_when_confirmed(talk) -> None:
    interview, said = talk("y", "y", "y", severe_pain="yes", plan=Plan(by=("patient",)))
    assert "! emergency: Severe pain in somebody on a statin" in said
    assert "Go now." in said
    assert "Urgency: emergency (was routine)" in said
    assert "more: go on asking] y" in said
    assert [step.value for step in interview.steps] == ["yes", "yes"]


def test_an_answer_that_would_be_an_emergency_can_be_taken_back(talk) -> None:
    lines = ("y", "y", "back", "n", "q")
    interview, said = talk(*lines, severe_pain="yes", plan=Plan(by=("patient",)))
    assert "This would be an emergency. Is what was answered right?" in said
    assert said.count("Taken back: ") == 1
    assert [step.value for step in interview.steps] == ["yes", "no"]


def test_what_was_given_is_looked_at_first(talk) -> None:
    interview, said = talk("y", severe_pain="yes", statin_use="yes")
    assert said.index("! emergency") < said.index("This would be an emergency")
    assert interview.steps == []


def test_dangerous_causes_that_call_are_shown(talk) -> None:
    plan = Plan(by=("examiner",))
    _, said = talk("y", "y", "q", cramp="yes", plan=plan)
    assert "! urgent: Clot at" in said


def test_keep_asking_goes_on(talk) -> None:
    plan = Plan(keep_asking=True)
    _, said = talk("hm", "more", "q", severe_pain="yes", statin_use="yes", plan=plan)
    assert "expected y, back or more." in said
    assert "1 of about" in said


def test_nothing_left_ends_it(talk) -> None:
    _, said = talk("", "", "", plan=Plan(by=("laboratory",), keep_asking=True))
    assert said.count("? [times the upper limit as a number, or y/n]") == 1
    assert "Nothing is left to ask." in said


def test_limit(talk) -> None:
    interview, said = talk("", "", "", plan=Plan(limit=2))
    assert len(interview.steps) == 2
    assert "2 questions were put" in said


def test_one_cause(talk, small) -> None:
    plan = Plan(cause="clot")
    order = small.next_questions({}, cause="clot").table
    _, said = talk("why", *[""] * 20, plan=plan)
    assert f". {order['text'].iloc[0]} " in said
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
        self.give(monkeypatch, "41\nfemale\nn\n\nn\n")
        ran = run("ask", "low_back_pain", "--by", "patient")
        assert ran.code == 0
        assert "Urgency: " in ran.out
        assert "Again: bayesdx diagnose low_back_pain=present" in ran.out
        assert "What is known so far" in ran.err
        # The answers that were piped in are part of the conversation.
        assert "[y/n] n\n" in ran.err

    def test_the_repeated_command_gives_the_same(self, run, monkeypatch) -> None:
        self.give(monkeypatch, "\nmale\nn\nn\n")
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
        assert "1 of about" not in ran.err

    def test_age_sex_and_complaint_come_first_and_back_works_throughout(
        self, run, monkeypatch
    ) -> None:
        self.give(monkeypatch, "41\nback\n42\nfemale\n99\n1\nback\n2\nq\n")
        ran = run("ask", "--json")
        understood = json.loads(ran.out)["understood"]
        assert ran.code == 0
        assert ran.err.index("How old") < ran.err.index("main complaint? [1 to 9")
        assert "expected a number from 1 to 9" in ran.err
        assert understood["age"] == "40_to_49"
        assert understood["sex"] == "female"
        assert list(understood.values())[2:] == ["present"]

    @pytest.mark.parametrize("observer", ["laboratory", "imaging", "examiner"])
    def test_who_cannot_say_is_asked_neither_age_nor_complaint(
        self, run, monkeypatch, observer: str
    ) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO("\nq\n"))
        code, _, err = run("ask", "--by", observer)
        assert code == 0
        assert "1 of about" in err
        assert "How old" not in err
        assert "complaint" not in err

    def test_help(self, run) -> None:
        ran = run("ask", "--help")
        assert ran.code == 0
        assert "Red-flag questions come first" in ran.out


class TestCourse:
    @pytest.fixture
    def table(self) -> pd.DataFrame:
        rows = [(f"red{at}", "urgent", 0.0) for at in range(40)]
        rows += [(f"tells{at}", "", 0.5 / (1 + at)) for at in range(60)]
        frame = pd.DataFrame(rows, columns=["question", "red_flag_level", "information"])
        frame["information_per_cost"] = frame["information"]
        return frame.set_index("question").astype({"information": "Float64"})

    def test_who_knows_nothing_is_asked_at_most_thirty_questions(self, table) -> None:
        opening, asked, parts = ["age", "sex", COMPLAINT], [], []
        while (put := choose(table, opening, parts)) is not None:
            assert put.total == MOST == 30
            asked.append(put.question)
            parts.append(put.part)
            opening = [name for name in opening if name != put.question]
            table = table.drop(index=put.question, errors="ignore")
        assert len(asked) == 30
        assert asked[:4] == ["age", "sex", COMPLAINT, "red0"]
        assert asked[-1] == "tells10"

    def test_without_rules_it_asks_about_causes(self, table) -> None:
        table = table[table["red_flag_level"] == ""]
        put = choose(table, [], [])
        assert put == ("tells0", "telling", 11)

    def test_what_tells_next_to_nothing_is_not_asked(self, table) -> None:
        table = table.iloc[[-1]]
        assert choose(table, [], []) is None
        assert choose(table, [], [], limited=False) == ("tells59", "telling", 1)


def test_a_new_domain_without_rules_is_asked_about_causes(tmp_path, capfd, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    engine = bayesdx.load(Path(__file__).parents[2] / "examples" / "headache")
    waiting = iter(["", "", "", "no", "back"])
    opening = opening_of(engine, ())
    interview = Interview(engine, Plan(opening=opening), {}, lambda: next(waiting, "q"))
    interview.lead()
    said = capfd.readouterr().err
    assert opening == ("age", "sex", COMPLAINT)
    assert "Which of these is the main complaint?" in said
    assert max(map(len, said.splitlines())) <= 80


def test_what_is_settled_is_not_put_though_it_comes_first() -> None:
    """Who is pregnant is not asked for the sex."""
    lines = iter(["50", "q"])
    plan = Plan(opening=("age", "sex"))
    interview = Interview(bayesdx.load(), plan, {"peripartum": "present"}, lambda: next(lines))
    interview.lead()
    assert interview.answers == {"peripartum": "present", "age": "50"}
    assert interview.put is not None
    assert interview.put.question not in ("age", "sex")
