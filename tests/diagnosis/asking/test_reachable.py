"""Rules within reach of answers, against trying every combination of them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from kleene_twin import judge

from bayesdx.diagnosis.asking import reachable
from bayesdx.diagnosis.asking.reachable import Question, can_fire, wishes_of
from bayesdx.diagnosis.kleene import Gate, compiled
from bayesdx.knowledge.red_flag_schema import RedFlag, When

BINARY = ("a", "b", "c", "d", "e")
STATES = dict.fromkeys(BINARY, ("absent", "present")) | {
    "grade": ("none", "some", "much"),
    "grade_some": ("absent", "present"),
    "grade_much": ("absent", "present"),
}
#: One question settles a grade and its two thresholds.
GRADES = [
    {"grade": state, "grade_some": some, "grade_much": much}
    for state, some, much in ((0, 0, 0), (1, 1, 0), (2, 1, 1))
]


def condition_of(when: dict) -> Gate:
    return compiled(rule_of(when).when, STATES)


def fires(when: When, facts: dict[str, int]) -> bool:
    """Say the slow way whether a rule fires."""
    named = {name: STATES[name][state] if state >= 0 else None for name, state in facts.items()}
    return judge(when, named) == 2


def rule_of(when: dict) -> RedFlag:
    return RedFlag.model_validate(
        {
            "id": "one",
            "level": "soon",
            "title": "-",
            "advice": "-",
            "sources": ("s",),
            "basis": "SEED",
            "when": when,
        }
    )


def random_item(rng: np.random.Generator, depth: int) -> object:
    if depth == 0 or rng.random() < 0.5:
        leaves = [*BINARY, *(f"!{name}" for name in BINARY), "grade_some", "!grade_much"]
        leaves += ["grade:none|much", "grade:some", "grade_much"]
        return str(rng.choice(leaves))
    return random_when(rng, depth - 1)


def random_when(rng: np.random.Generator, depth: int) -> dict:
    when: dict = {}
    for part in ("all", "any", "none"):
        if rng.random() < 0.5:
            when[part] = [random_item(rng, depth) for _ in range(rng.integers(1, 4))]
    if rng.random() < 0.3 or not when:
        of = [random_item(rng, depth) for _ in range(rng.integers(1, 4))]
        when["at_least"] = {"count": int(rng.integers(1, len(of) + 1)), "of": of}
    return when


def random_state(rng: np.random.Generator) -> tuple[dict[str, int], dict[str, Question]]:
    """What is known, and the questions that are open to somebody."""
    facts = dict.fromkeys(STATES, -1)
    questions: dict[str, Question] = {}
    for name in BINARY:
        kind = rng.integers(4)
        if kind == 0:
            facts[name] = int(rng.integers(2))
        elif kind > 1:
            questions[name] = [{name: state} for state in range(2)]
    if rng.random() < 0.7:
        left = [one for one in GRADES if rng.random() < 0.8]
        questions |= {name: left for name in GRADES[0] if left}
    return facts, questions


@pytest.mark.parametrize("seed", range(20))
def test_it_is_what_trying_every_combination_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    said = set()
    for _ in range(40):
        rule = rule_of(random_when(rng, 2))
        facts, questions = random_state(rng)
        distinct = list({id(one): one for one in questions.values()}.values())
        right = any(
            fires(rule.when, facts | {k: v for one in chosen for k, v in one.items()})
            for chosen in product(*([{}, *one] for one in distinct))
        )
        assert can_fire(wishes_of(compiled(rule.when, STATES)), facts, questions) == right, (
            rule.when
        )
        said.add(right)
    assert said == {True, False}


def test_what_nobody_can_answer_stays_out_of_reach() -> None:
    rule = wishes_of(condition_of({"all": ["a", "b"]}))
    ask_a: dict[str, Question] = {"a": [{"a": 0}, {"a": 1}]}
    assert not can_fire(rule, {"a": -1, "b": -1}, ask_a)
    assert can_fire(rule, {"a": -1, "b": 1}, ask_a)


def test_too_many_torn_questions_are_taken_to_be_within_reach(monkeypatch) -> None:
    """One state that both helps and hurts: to be tried; not tried, it counts as reachable."""
    rule = wishes_of(condition_of({"all": ["a", "!a"]}))
    ask_a: dict[str, Question] = {"a": [{"a": 0}, {"a": 1}]}
    assert not can_fire(rule, {"a": -1}, ask_a)
    monkeypatch.setattr(reachable, "MOST_TRIED", 1)
    assert can_fire(rule, {"a": -1}, ask_a)
