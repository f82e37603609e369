"""Findings asked one by one."""

import io
import json
from collections.abc import Callable

from bayesdx.cli.asking import ask_case, questions


def answering(*lines: str) -> Callable[[], str]:
    """Return a reader that gives these lines and then ends, as Ctrl-D does."""
    waiting = iter(lines)

    def read_line() -> str:
        try:
            return next(waiting)
        except StopIteration:
            raise EOFError from None

    return read_line


def test_order_is_age_and_sex_then_who_can_answer(engine) -> None:
    asked = list(questions(engine.knowledge))
    assert {asked[0].id, asked[1].id} == {"age", "sex"}
    observers = [question.observed_by for question in asked]
    assert list(dict.fromkeys(observers)) == ["patient", "examiner", "laboratory", "imaging"]
    assert observers == sorted(
        observers, key=["patient", "examiner", "laboratory", "imaging"].index
    )


def test_nothing_is_asked_twice_or_in_two_ways(engine) -> None:
    asked = [question.id for question in questions(engine.knowledge)]
    assert len(asked) == len(set(asked))
    assert "potassium" in asked
    assert "k_low" not in asked
    assert "leg_radiation" in asked
    assert "leg_radiation_any" not in asked


def test_blank_is_unknown_and_q_ends(engine) -> None:
    first, _, third = [question.id for question in questions(engine.knowledge)][:3]
    answers = {"age": "52", "sex": "female"}
    lines = (answers[first], "", "q") if first in answers else ("", "", "q")
    assert ask_case(engine, answering(*lines)) == {first: answers[first]}
    assert third not in answers


def test_end_of_input_ends(engine) -> None:
    assert ask_case(engine, answering()) == {}


def test_bad_answer_is_explained_and_asked_again(engine, capsys) -> None:
    first = next(questions(engine.knowledge)).id
    good = {"age": "52", "sex": "male"}[first]
    assert ask_case(engine, answering("1000", "?", good, "q")) == {first: good}
    said = capsys.readouterr().err
    assert "expected" in said
    assert f"  {first}: " in said


def test_y_and_n_answer_findings(engine) -> None:
    asked = list(questions(engine.knowledge))
    at = next(i for i, question in enumerate(asked) if question.answers == "y/n")
    assert ask_case(engine, answering(*[""] * at, "y", "q")) == {asked[at].id: "yes"}


def test_command_asks_on_a_terminal_and_keeps_standard_output_clean(run, monkeypatch) -> None:
    terminal = io.StringIO("\n\nq\n")
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stdin", terminal)
    ran = run("diagnose", "--json")
    assert ran.code == 0
    assert json.loads(ran.out)["status"] == "no_findings"
    assert "What you notice yourself" in ran.err
