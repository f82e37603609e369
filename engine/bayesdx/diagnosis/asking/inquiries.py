"""What can be asked about a case, each thing once.

An *inquiry* is one question with its possible answers, its *choices*: a finding, an ordinal finding
by its states, a risk, or a measure that settles several findings at once. What follows from another
answer is no inquiry of its own: thresholds of an ordinal finding, findings that are made of
others, and what a measure sets.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bayesdx.diagnosis.cases import Cases
from bayesdx.diagnosis.core import Core
from bayesdx.inference.arrays import IntArray, frozen
from bayesdx.inference.noisy.answer_table import AnswerTable, answer_table, given_answers
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.question_schema import by_category, effort_of
from bayesdx.knowledge.red_flag_schema import URGENCY_ONLY
from bayesdx.knowledge.schema import Finding, Measure, Observer, Risk


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer.

    Attributes
    ----------
    label : str
        How it is shown.
    name, value : str
        What `Engine.diagnose` takes for it.
    facts : tuple of (id, int)
        The state of every finding and risk that it settles.
    evidence : tuple of int
        What it tells the model, as positions in the answer table; empty for observations.
    """

    label: str
    name: str
    value: str
    facts: tuple[tuple[str, int], ...]
    evidence: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One question.

    Attributes
    ----------
    id : str
        Of the finding, risk or measure.
    kind : str
        ``finding``, ``ordinal``, ``risk``, ``measure`` or ``observation``, which the model gives
        no probability: it only matters to rules.
    label, text : str
        Its readable name, and the question in plain words.
    observed_by, category : str
    measure : str
        The measure that can be given in its place, or empty.
    parts : tuple of str
        Every id that says something about the same thing.
    choices : tuple of Choice
    cost, delay_hours : float
        See ``questions.toml``; 1 and 0 where the knowledge says nothing.
    """

    id: str
    kind: str
    label: str
    text: str
    observed_by: Observer
    category: str
    measure: str
    parts: tuple[str, ...]
    choices: tuple[Choice, ...]
    cost: float
    delay_hours: float


@dataclass(frozen=True, eq=False)
class Inquiries:
    """All inquiries of a core; I of them with A choices, of which those of one are neighbours.

    Attributes
    ----------
    every : tuple of Inquiry (I,)
    choices : tuple of Choice (A,)
    table : AnswerTable
        Of the model.
    owner : int array (A,)
        Inquiry of each choice.
    answer : int array (A,)
        What the choice is in the answer table; -1 nothing, -2 more than one answer, or one where
        another choice of the inquiry is none.
    subjects : tuple of str
        Ids of all findings and risks.
    fact_choice, fact_subject, fact_state : int arrays
        What choices settle.
    """

    every: tuple[Inquiry, ...]
    choices: tuple[Choice, ...]
    table: AnswerTable
    owner: IntArray
    answer: IntArray
    subjects: tuple[str, ...]
    fact_choice: IntArray
    fact_subject: IntArray
    fact_state: IntArray


@dataclass(frozen=True, slots=True)
class Unread:
    """An inquiry before its choices were read; (label, name, value) of each."""

    id: str
    kind: str
    entry: Finding | Risk | Measure
    measure: str
    parts: tuple[str, ...]
    words: tuple[tuple[str, str, str], ...]


def inquiries_of(core: Core) -> Inquiries:
    """Work out the inquiries of a core; asked for as ``core.once(inquiries_of)``."""
    table = answer_table(core.model)
    drafts = list(_drafts(core.knowledge))
    read = _read_words(core, drafts)
    rows = iter(range(len(read.evidence)))
    every, urgency_only = [], core.knowledge.urgency_only
    for draft in drafts:
        choices: dict[tuple[tuple[str, int], ...], Choice] = {}
        for (label, name, value), row in zip(draft.words, rows, strict=False):
            facts = tuple((one, int(v[row])) for one, v in read.facts.items() if v[row] >= 0)
            evidence = tuple(given_answers(table, read.evidence, row))
            if draft.kind == "measure":
                label = ", ".join(f"{one}={core.states[one][state]}" for one, state in facts)
            choices.setdefault(facts, Choice(label, name, value, facts, evidence))
        marked = draft.id in urgency_only
        every.append(_inquiry(core.knowledge, draft, tuple(choices.values()), marked))
    return _lay_out(core, tuple(every), table)


def _lay_out(core: Core, every: tuple[Inquiry, ...], table: AnswerTable) -> Inquiries:
    subjects = tuple(core.states)
    at = {name: i for i, name in enumerate(subjects)}
    choices = tuple(choice for one in every for choice in one.choices)
    facts = [(i, at[name], state) for i, c in enumerate(choices) for name, state in c.facts]
    by_fact = np.array(facts, dtype=np.intp).reshape(-1, 3).T
    answers = [answer for one in every for answer in _answers(table, one)]
    return Inquiries(
        every=every,
        choices=choices,
        table=table,
        owner=frozen(np.repeat(np.arange(len(every)), [len(one.choices) for one in every])),
        answer=frozen(np.array(answers, dtype=np.intp)),
        subjects=subjects,
        fact_choice=frozen(by_fact[0]),
        fact_subject=frozen(by_fact[1]),
        fact_state=frozen(by_fact[2]),
    )


def _answers(table: AnswerTable, inquiry: Inquiry) -> list[int]:
    """Return the answer that each choice is, -1 where none is any, -2 where they do not match."""
    told = [choice.evidence for choice in inquiry.choices]
    if not any(told):
        return [-1] * len(told)
    asked = {int(table.question[answer]) for evidence in told for answer in evidence}
    single = len(asked) == 1 and all(len(evidence) == 1 for evidence in told)
    if single and len({evidence[0] for evidence in told}) == table.n_answers[min(asked)]:
        return [evidence[0] for evidence in told]
    return [-2] * len(told)


def _inquiry(
    knowledge: Knowledge, draft: Unread, choices: tuple[Choice, ...], urgency_only: bool
) -> Inquiry:
    entry = draft.entry
    category = entry.category if isinstance(entry, Finding) else ""
    effort = effort_of(knowledge.efforts, entry.observed_by, category)
    mark = f" ({URGENCY_ONLY})" if urgency_only else ""
    return Inquiry(
        id=draft.id,
        kind=draft.kind,
        label=entry.label,
        text=f"{entry.question or entry.label}{mark}",
        observed_by=entry.observed_by,
        category=category,
        measure=draft.measure,
        parts=draft.parts,
        choices=choices,
        cost=1.0 if effort is None else effort.cost,
        delay_hours=0.0 if effort is None else effort.delay_hours,
    )


def _drafts(knowledge: Knowledge) -> Iterator[Unread]:
    setters = {one.id: [s.target for s in one.sets] for one in knowledge.measures.values()}
    joint = {name for targets in setters.values() if len(targets) > 1 for name in targets}
    by = {targets[0]: name for name, targets in setters.items() if len(targets) == 1}
    for finding in by_category(knowledge.findings.values()):
        if finding.id in joint or finding.kind == "threshold" or finding.any_of:
            continue
        kind = "finding" if finding.kind == "binary" else finding.kind
        parts = [finding.id]
        parts += [f.id for f in knowledge.findings.values() if f.threshold_of == finding.id]
        # What is made of this finding tells of it as well.
        parts += [f.id for f in knowledge.findings.values() if finding.id in f.any_of]
        words = tuple((state, finding.id, state) for state in finding.states)
        parts += [by[finding.id]] if finding.id in by else []
        yield Unread(finding.id, kind, finding, by.get(finding.id, ""), tuple(parts), words)
    for measure in knowledge.measures.values():
        if len(measure.sets) > 1:
            values = tuple(("", measure.id, f"{value:.12g}") for value in _values(measure))
            both = (measure.id, *setters[measure.id])
            yield Unread(measure.id, "measure", measure, measure.id, both, values)
    for risk in knowledge.risks.values():
        if risk.id not in joint:
            words = tuple((state, risk.id, state) for state in risk.states)
            # Age is the name of the risk and of the measure.
            both = tuple(dict.fromkeys([risk.id, by.get(risk.id, risk.id)]))
            yield Unread(risk.id, "risk", risk, by.get(risk.id, ""), both, words)


def _values(measure: Measure) -> list[float]:
    """Values of a measure, at least one for whatever its settings can tell apart."""
    low, high = measure.range
    cuts = {low, high}
    for setting in measure.sets:
        cuts |= set(setting.cuts or ())
        cuts |= {setting.comparison[1]} if setting.comparison is not None else set()
    ends = sorted(cut for cut in cuts if low <= cut <= high)
    values = {*ends, *((a + b) / 2.0 for a, b in pairwise(ends))}
    if measure.integer:
        values = {v + step for v in values for step in (math.floor(v) - v, math.ceil(v) - v)}
        values |= {v + step for v in ends for step in (-1.0, 1.0) if low <= v + step <= high}
    # What lies inside comes first: a value on a cut looks as if it had been measured.
    return sorted(values, key=lambda value: (value in ends, value))


def _read_words(core: Core, drafts: list[Unread]) -> Cases:
    """Read every choice as a case of its own."""
    count = sum(len(draft.words) for draft in drafts)
    columns: dict[str, list[str]] = {}
    row = 0
    for draft in drafts:
        for _, name, value in draft.words:
            columns.setdefault(name, [""] * count)[row] = value
            row += 1
    return core.reader.read(columns, count, range(count))


def observers_of(knowledge: Knowledge, name: str) -> tuple[Observer, ...] | None:
    """Return whom somebody can ask: an asker of ``questions.toml``, or an observer alone."""
    for asker in knowledge.askers:
        if asker.id == name:
            return asker.asks
    observers: tuple[Observer, ...] = ("patient", "examiner", "laboratory", "imaging")
    return next(((one,) for one in observers if one == name), None)
