"""How one case stands, and what every answer that is still missing would make of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesdx.diagnosis.asking.inquiries import Inquiries, inquiries_of
from bayesdx.diagnosis.cases import Cases
from bayesdx.diagnosis.core import Core
from bayesdx.diagnosis.results import IMPOSSIBLE, NO_FINDINGS, OK, Status
from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.answer_table import answered, unknown_questions
from bayesdx.inference.noisy.expected import Outcomes, outcomes
from bayesdx.inference.noisy.query import posteriors

Levels = NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Outlook:
    """One case and the A answers that it could still get; levels are positions in `LEVELS`.

    Attributes
    ----------
    core : Core
    inquiries : Inquiries
    cases : Cases
        The one case.
    status : str
    facts : int8 array (subjects,)
        State of each finding and risk, -1 where not known.
    base : array (C,)
        P(cause present) as things stand; zeros where the case is impossible.
    choice : int array (A,)
        Position in `Inquiries.choices`, those of one inquiry side by side.
    shared : int array (A,)
        Answers of one inquiry that tell the model the same bear the same number.
    probability : array (A,)
        P(answer), of shared ones together; NaN where the model has none.
    causes : array (A, C)
        P(cause present) with the answer.
    fired : bool array (A + 1, rules)
        Rules that fire with each answer, last as things stand.
    rule_level, level : int8 arrays (A + 1,)
        Urgency by the rules alone, and with the triage of dangerous causes.
    """

    core: Core
    inquiries: Inquiries
    cases: Cases
    status: Status
    facts: NDArray[np.int8]
    base: FloatArray
    choice: IntArray
    shared: IntArray
    probability: FloatArray
    causes: FloatArray
    fired: BoolArray
    rule_level: Levels
    level: Levels

    @property
    def owner(self) -> IntArray:
        """Inquiry of each answer, (A,)."""
        owners: IntArray = self.inquiries.owner[self.choice]
        return owners

    @property
    def first(self) -> IntArray:
        """First answer of each inquiry that is open, (I,)."""
        return np.flatnonzero(np.diff(self.owner, prepend=-1))


def outlooks_of(
    core: Core,
    cases: Cases,
    observers: Collection[str] | None = None,
    without: Collection[str] = (),
) -> list[Outlook]:
    """Work out how each of N cases stands, all together.

    Parameters
    ----------
    core : Core
    cases : Cases
        N cases.
    observers : collection of str, optional
        Only what these observe can still be answered; everything without it.
    without : collection of str
        Inquiries that cannot be answered.

    Raises
    ------
    TooComplex
        If one of them is beyond the limits.
    """
    inquiries = core.once(inquiries_of)
    each = [cases.take(np.array([row])) for row in range(len(cases.evidence))]
    facts = [known_facts(inquiries, case) for case in each]
    choices = [
        _open_choices(core, inquiries, case, known, observers, without)
        for case, known in zip(each, facts, strict=True)
    ]
    asked = np.zeros((len(each), len(inquiries.table.kind)), dtype=bool)
    for row, choice in enumerate(choices):
        answer = inquiries.answer[choice]
        asked[row, inquiries.table.question[answer[answer >= 0]]] = True
    every = outcomes(inquiries.table, core.lanes, cases.evidence, list(asked))
    tables = [
        _with_choices(inquiries, known, choice)
        for known, choice in zip(facts, choices, strict=True)
    ]
    ends = np.cumsum([len(table) for table in tables])
    judged = core.urgency(completed(core, inquiries, np.concatenate(tables)), int(ends[-1]))
    made = []
    for end, case, known, choice, found in zip(ends, each, facts, choices, every, strict=True):
        possible = not np.isneginf(found.log_evidence)
        status: Status = IMPOSSIBLE if not possible else OK if bool(case.known[0]) else NO_FINDINGS
        shared = _shared(inquiries, choice)
        probability, causes = np.full(len(choice), np.nan), np.tile(found.base, (len(choice), 1))
        if possible:
            _fill_in(core, inquiries, case.evidence, found, choice, shared, probability, causes)
        own = slice(end - len(choice) - 1, end)
        made.append(
            Outlook(
                core, inquiries, case, status, known, found.base, choice, shared, probability,
                causes, judged.fired[own], judged.by_rules[own], judged.level[own],
            )
        )  # fmt: skip
    return made


def known_facts(inquiries: Inquiries, cases: Cases) -> NDArray[np.int8]:
    """State of each subject of one case, -1 where not known."""
    facts = np.full(len(inquiries.subjects), -1, dtype=np.int8)
    at = {name: i for i, name in enumerate(inquiries.subjects)}
    for name, state in cases.facts.items():
        facts[at[name]] = state[0]
    return facts


def _open_choices(
    core: Core,
    inquiries: Inquiries,
    cases: Cases,
    facts: NDArray[np.int8],
    observers: Collection[str] | None,
    without: Collection[str],
) -> IntArray:
    """Choices that fit what is known, of inquiries that leave two or more of them."""
    count, every = len(inquiries.choices), inquiries.every
    told = facts[inquiries.fact_subject]
    at = {name: i for i, name in enumerate(inquiries.subjects)}
    conflict = (told >= 0) & (told != inquiries.fact_state)
    subject, state = inquiries.fact_subject, inquiries.fact_state
    for present, other, states in core.knowledge.exclusions:
        if facts[at[other]] in states:
            conflict |= (subject == at[present]) & (state == 1)
        if facts[at[present]] == 1:
            conflict |= (subject == at[other]) & np.isin(state, states)
    fits = np.bincount(inquiries.fact_choice[conflict], minlength=count) == 0
    # Soft evidence is an answer, though no fact.
    unknown = np.append(unknown_questions(cases.evidence), True)
    question = np.where(inquiries.answer >= 0, inquiries.table.question[inquiries.answer], -1)
    fits &= unknown[question]
    allowed = np.array([observers is None or one.observed_by in observers for one in every])
    allowed &= [one.id not in without for one in every]
    allowed &= np.bincount(inquiries.owner[fits], minlength=len(every)) >= 2
    for finding in core.knowledge.findings.values():
        if finding.any_of and facts[at[finding.id]] >= 0:
            # Given as a whole: the model has no probability of a part given what it is part of.
            whole = all(facts[at[name]] < 0 for name in finding.any_of)
            allowed &= [not (whole and one.id in finding.any_of) for one in every]
    return np.flatnonzero(fits & allowed[inquiries.owner])


def _shared(inquiries: Inquiries, choice: IntArray) -> IntArray:
    """Number the answers so that those of one inquiry with the same evidence are alike."""
    numbers: dict[tuple[int, tuple[int, ...]], int] = {}
    keys = ((int(inquiries.owner[c]), inquiries.choices[c].evidence) for c in choice)
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.intp)


def _fill_in(
    core: Core,
    inquiries: Inquiries,
    evidence: Evidence,
    found: Outcomes,
    choice: IntArray,
    shared: IntArray,
    probability: FloatArray,
    causes: FloatArray,
) -> None:
    """Write the probability of every answer and the posteriors that it gives."""
    answer = inquiries.answer[choice]
    probability[answer == -1] = 1.0
    at = np.flatnonzero(answer >= 0)
    place = np.searchsorted(found.answer, answer[at])
    probability[at], causes[at] = found.probability[place], found.causes[place]
    rest = np.flatnonzero(answer == -2)
    if not len(rest):
        return
    answers = [inquiries.choices[c].evidence for c in choice[rest]]
    direct = posteriors(
        core.model, answered_all(inquiries, evidence, answers), backend=core.backend
    ).complete()
    probability[rest] = np.exp(direct.log_evidence - found.log_evidence)
    causes[rest] = direct.causes
    owner = inquiries.owner[choice]
    for one in np.unique(owner[rest]):
        mine = np.flatnonzero(owner == one)
        _, kept = np.unique(shared[mine], return_index=True)
        total = float(probability[mine][kept].sum())
        if abs(total - 1.0) > 1e-9:
            # Answers that imply others leave out worlds that people cannot report.
            whole = all(inquiries.choices[c].evidence for c in choice[mine])
            probability[mine] = probability[mine] / total if whole and total > 0.0 else np.nan


def answered_all(
    inquiries: Inquiries, evidence: Evidence, answers: Sequence[Sequence[int]]
) -> Evidence:
    """Return one case once for each set of answers, with all of them added."""
    most = max(map(len, answers), default=0)
    table = np.array([[*one, *[-1] * (most - len(one))] for one in answers], dtype=np.intp)
    rows = evidence.take(np.zeros(len(answers), dtype=np.intp))
    for column in table.reshape(len(answers), most).T:
        rows = answered(inquiries.table, rows, column)
    return rows


def _with_choices(
    inquiries: Inquiries, facts: NDArray[np.int8], choice: IntArray
) -> NDArray[np.int8]:
    """State of each subject with each answer, (A + 1, subjects), last as things stand."""
    row_of = np.full(len(inquiries.choices), -1, dtype=np.intp)
    row_of[choice] = np.arange(len(choice))
    table = np.tile(facts, (len(choice) + 1, 1))
    rows = row_of[inquiries.fact_choice]
    use = rows >= 0
    table[rows[use], inquiries.fact_subject[use]] = inquiries.fact_state[use]
    return table


def completed(
    core: Core, inquiries: Inquiries, facts: NDArray[np.int8]
) -> Mapping[str, NDArray[np.int8]]:
    """Return facts (N, subjects) by subject, with what follows for findings made of others."""
    columns = dict(zip(inquiries.subjects, np.ascontiguousarray(facts.T), strict=True))
    for finding in core.knowledge.findings.values():
        if finding.any_of:
            parts = np.stack([columns[name] for name in finding.any_of])
            follows = np.where(
                (parts == 1).any(axis=0), 1, np.where((parts == 0).all(axis=0), 0, -1)
            )
            whole = columns[finding.id]
            columns[finding.id] = np.where(whole < 0, follows, whole).astype(np.int8)
    return columns
