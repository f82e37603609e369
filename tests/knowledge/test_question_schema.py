"""questions.toml: what an answer takes, and who can ask for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from asking_priors import QUESTIONS

from bayesdx.diagnosis.asking.inquiries import observers_of
from bayesdx.errors import InvalidKnowledge
from bayesdx.knowledge.question_schema import effort_of
from bayesdx.knowledge.reading import read_knowledge

Write = Callable[[Mapping[str, str]], Path]
#: The small folder has no finding of the examiner with a category of its own.
SMALL_QUESTIONS = QUESTIONS.replace('category = "exam"', 'category = "laboratory"').replace(
    'observed_by = "examiner"\ncategory', 'observed_by = "laboratory"\ncategory'
)


def message_of(folder: Path) -> str:
    with pytest.raises(InvalidKnowledge, match=r"questions\.toml") as caught:
        read_knowledge(folder)
    return str(caught.value)


def test_a_folder_may_do_without(small, write) -> None:
    knowledge = read_knowledge(write(small))
    assert (knowledge.efforts, knowledge.askers) == ((), ())
    assert effort_of(knowledge.efforts, "patient", "quality") is None
    assert observers_of(knowledge, "clinician") is None
    assert observers_of(knowledge, "patient") == ("patient",)


def test_a_category_goes_before_its_observer(small, write) -> None:
    knowledge = read_knowledge(write({**small, "questions.toml": SMALL_QUESTIONS}))
    exact = effort_of(knowledge.efforts, "laboratory", "laboratory")
    general = effort_of(knowledge.efforts, "laboratory", "")
    assert exact is not None
    assert general is not None
    assert (exact.cost, exact.delay_hours, exact.basis) == (2.0, 0.5, "SEEN")
    assert (general.cost, general.delay_hours) == (10.0, 24.0)
    assert observers_of(knowledge, "clinician") == ("patient", "examiner")


DEFECTS = {
    "a cost of nothing": (
        "cost = 10.0",
        "cost = 0.0",
        "questions.toml:effort[3].cost: expected a cost above 0, got 0.0.",
    ),
    "a negative delay": (
        "delay_hours = 24.0",
        "delay_hours = -1.0",
        "questions.toml:effort[3].delay_hours: expected hours from 0 on, got -1.0.",
    ),
    "an unknown key": (
        "cost = 10.0",
        "cost = 10.0\nprice = 3.0",
        "questions.toml:effort[3].price: expected one of the keys",
    ),
    "an unknown source": (
        'source = "study"',
        'source = "stuby"',
        "questions.toml:effort[2].source: expected a key of sources.toml, got 'stuby'. "
        "Nearest: study.",
    ),
    "an unknown observer": (
        'asks = ["patient", "examiner"]',
        'asks = ["patient", "examinor"]',
        "questions.toml:asker[0].asks[1]: expected one of patient, examiner, laboratory, imaging",
    ),
    "an asker twice the same": (
        'asks = ["patient", "examiner"]',
        'asks = ["patient", "patient"]',
        "questions.toml:asker[0].asks: expected each observer once",
    ),
    "an asker of nobody": (
        'asks = ["patient", "examiner"]',
        "asks = []",
        "questions.toml:asker[0].asks: expected one observer or more, got [].",
    ),
    "an asker named like an observer": (
        'id = "clinician"',
        'id = "imaging"',
        "questions.toml:asker[0].id: expected an id of its own, not that of an observer",
    ),
    "an unknown category": (
        'category = "laboratory"',
        'category = "laboratry"',
        "questions.toml:effort[2].category: expected a category of findings observed by "
        "laboratory, got 'laboratry'. Nearest: laboratory.",
    ),
    "an effort twice": (
        'category = "laboratory"\n',
        "",
        "questions.toml:effort[3]: expected one effort an observer and category",
    ),
    "an observer without an effort": (
        'observed_by = "patient"',
        'observed_by = "imaging"',
        "questions.toml:effort: expected an effort for patient without a category, got nothing.",
    ),
    "another table": (
        "[[asker]]",
        "[[person]]",
        "questions.toml:person: expected only [[effort]] and [[asker]], got 'person'.",
    ),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_each_slip_is_told_with_its_place(small, write: Write, name: str) -> None:
    old, new, message = DEFECTS[name]
    assert old in SMALL_QUESTIONS, "the defect no longer fits"
    text = SMALL_QUESTIONS.replace(old, new, 1)
    said = message_of(write({**small, "questions.toml": text}))
    assert said.startswith(message), said


def test_the_packaged_scale_covers_what_can_be_asked() -> None:
    knowledge = read_knowledge()
    entries = [*knowledge.findings.values(), *knowledge.risks.values()]
    for entry in entries:
        category = getattr(entry, "category", "")
        effort = effort_of(knowledge.efforts, entry.observed_by, category)
        assert effort is not None
        assert effort.source in knowledge.sources
    by = {one.observed_by: one.cost for one in knowledge.efforts if one.category is None}
    assert by["patient"] < by["examiner"] < by["laboratory"] < by["imaging"]
