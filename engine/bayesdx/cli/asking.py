"""Asking for the findings of one case, one by one, on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayesdx.errors import InvalidCase
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.question_schema import by_category
from bayesdx.presentation.layout import Paragraph
from bayesdx.presentation.terminal import make_console, show

if TYPE_CHECKING:
    from bayesdx import Engine
    from bayesdx.knowledge.schema import Finding, Measure, Risk

HELP = "Blank: not known. y/n, a state or a number. ?: explain. q: that is all."
# What the person knows, then what needs hands, a needle, a picture.
OBSERVERS = {
    "patient": "What you notice yourself",
    "examiner": "What an examination shows",
    "laboratory": "What the laboratory found",
    "imaging": "What imaging showed",
}
SHORT_ANSWERS = {"y": "yes", "n": "no"}


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask.

    Attributes
    ----------
    id : str
        The finding, risk or measure.
    text : str
        What is asked.
    answers : str
        Which answers are possible.
    observed_by : str
        Who can answer it.
    explanation : str
        What ``?`` prints.
    """

    id: str
    text: str
    answers: str
    observed_by: str
    explanation: str


def ask_case(engine: Engine, read_line: Callable[[], str] = input) -> dict[str, str]:
    """Ask until the questions are over or the person stops, and return the answers.

    Parameters
    ----------
    engine : Engine
        Knows what can be asked, and judges each answer.
    read_line : callable
        Returns the next line that the person writes; EOFError means the end.
    """
    answers: dict[str, str] = {}
    section = ""
    _say(HELP)
    for question in questions(engine.knowledge):
        if question.observed_by != section:
            section = question.observed_by
            _say("")
            _say(OBSERVERS.get(section, section))
        try:
            answer = _ask(engine, question, answers, read_line)
        except EOFError:
            break
        if answer is None:
            break
        if answer:
            answers[question.id] = answer
    _say("")
    return answers


def questions(knowledge: Knowledge) -> Iterator[Question]:
    """Yield everything that can be asked: what the patient knows first, age and sex at the head.

    What follows from another answer is not asked: thresholds of an ordinal finding, what a measure
    sets, and findings that are made of others.
    """
    asked = [*_finding_questions(knowledge), *_measure_questions(knowledge)]
    asked += _risk_questions(knowledge)
    first = ("age", "sex")
    rank = {observer: at for at, observer in enumerate(OBSERVERS)}
    # Stable: within an observer the complaint comes first, then measures, then the context.
    asked.sort(key=lambda question: rank.get(question.observed_by, len(rank)))
    asked.sort(key=lambda question: question.id not in first)
    yield from asked


def _measure_questions(knowledge: Knowledge) -> Iterator[Question]:
    for measure in knowledge.measures.values():
        text = measure.question or measure.label
        yield Question(
            measure.id,
            text,
            measure.unit,
            measure.observed_by,
            f"{measure.label}, {range_of(measure)}.",
        )


def _finding_questions(knowledge: Knowledge) -> Iterator[Question]:
    measured = {setting.target for one in knowledge.measures.values() for setting in one.sets}
    for finding in by_category(knowledge.findings.values()):
        if not (finding.id in measured or finding.kind == "threshold" or finding.any_of):
            yield _question(finding)


def _risk_questions(knowledge: Knowledge) -> Iterator[Question]:
    measured = {setting.target for one in knowledge.measures.values() for setting in one.sets}
    yield from (_question(risk) for risk in knowledge.risks.values() if risk.id not in measured)


def _question(entry: Finding | Risk) -> Question:
    answers = possible_answers(entry.states)
    return Question(entry.id, entry.question, answers, entry.observed_by, meaning(entry))


def possible_answers(states: Sequence[str]) -> str:
    """Say how a finding or risk can be answered."""
    return "y/n" if tuple(states) == ("absent", "present") else ", ".join(states)


def meaning(entry: Finding | Risk | Measure) -> str:
    """Say what a question is about, and what else it is called."""
    names = (*entry.aliases_lay, *entry.aliases_professional)
    also = f" Also called: {', '.join(names)}." if names else ""
    return f"{entry.label}.{also} {entry.note}".rstrip()


def range_of(measure: Measure) -> str:
    """Say what a measure can be, and in which units."""
    low, high = measure.range
    return f"{low:g} to {high:g}, in {' or '.join((measure.unit, *measure.units))}"


def _ask(
    engine: Engine, question: Question, answers: dict[str, str], read_line: Callable[[], str]
) -> str | None:
    """Ask until the answer can be used; "" is not known, None is the wish to stop."""
    while True:
        _say(f"{question.text} [{question.answers}] ", end="")
        line = read_line().strip()
        if line == "q":
            return None
        if line == "?":
            _say(f"{question.id}: {question.explanation} {HELP}", indent=2)
            continue
        answer = SHORT_ANSWERS.get(line.lower(), line) if question.answers == "y/n" else line
        if not answer:
            return ""
        try:
            # The engine is the one judge of values, alone and together with what came before.
            engine.diagnose({**answers, question.id: answer})
        except InvalidCase as error:
            for fault in error.faults:
                _say(str(fault), indent=2)
            continue
        return answer


def _say(text: str, end: str = "\n", indent: int = 0) -> None:
    # Questions go to standard error, so that `bayesdx diagnose --json > case.json` stays JSON.
    console = make_console(stderr=True)
    if end:
        show([Paragraph(text.strip("\n"), indent=indent)], console)
    else:
        console.print(text, end=end, soft_wrap=True)
    console.file.flush()
