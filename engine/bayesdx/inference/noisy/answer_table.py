"""Questions about a model and their answers, numbered, and the weights that each amounts to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray, frozen
from bayesdx.inference.evidence import Evidence, StateArray
from bayesdx.inference.noisy.model import NoisyModel

#: Kinds of questions.
FINDING, ORDINAL, RISK = 0, 1, 2


@dataclass(frozen=True, eq=False)
class AnswerTable:
    """Every question and answer of a model, and the rows of weights that answer them.

    Q questions: the findings, the ordinal findings, the risks, in the order of the model. A
    answers, those of one question side by side. V rows of weights. The probability of an answer
    and a cause with the evidence is the sum over its ``terms`` of ``shares`` times those of the
    rows.

    Attributes
    ----------
    kind, position, first, n_answers : int arrays (Q,)
        What a question is about, its place in the model, its first answer and how many it has.
    question, state : int arrays (A,)
    on : array (V, C)
        Factor of each row on the weight of an active cause; the last row is the case as it is.
    risks : int8 array (V, R)
        State at which a row holds a risk, or -1.
    row_question : int array (V - 1,)
    terms : int array (A, T)
    shares : array (A, T)
        0 where an answer has fewer terms.
    """

    kind: IntArray
    position: IntArray
    first: IntArray
    n_answers: IntArray
    question: IntArray
    state: IntArray
    on: FloatArray
    risks: StateArray
    row_question: IntArray
    terms: IntArray
    shares: FloatArray


def answer_table(model: NoisyModel) -> AnswerTable:
    """Lay out the questions of a model."""
    kinds = [FINDING] * len(model.findings) + [ORDINAL] * len(model.ordinals)
    kinds += [RISK] * len(model.risks)
    sizes = [2] * len(model.findings) + list(model.ordinal_sizes)
    sizes += [len(prior) for prior in model.risk_priors]
    places = [range(len(model.findings)), range(len(model.ordinals)), range(len(model.risks))]
    first = np.cumsum([0, *sizes])
    rows = _WeightRows(model)
    for q, (kind, p) in enumerate(zip(kinds, (p for part in places for p in part), strict=True)):
        build = (rows.finding, rows.ordinal, rows.risk)[kind]
        build(q, int(first[q]), p)
    rows.add(-1, None, None)
    terms, shares = _padded(rows.shares, int(first[-1]), len(rows.on) - 1)
    return AnswerTable(
        kind=frozen(np.array(kinds, dtype=np.intp)),
        position=frozen(np.array([p for part in places for p in part], dtype=np.intp)),
        first=frozen(first[:-1].astype(np.intp)),
        n_answers=frozen(np.array(sizes, dtype=np.intp)),
        question=frozen(np.repeat(np.arange(len(sizes)), sizes)),
        state=frozen(np.concatenate([np.zeros(0, np.intp), *(np.arange(n) for n in sizes)])),
        on=frozen(np.array(rows.on).reshape(len(rows.on), -1)),
        risks=frozen(np.array(rows.risks, dtype=np.int8)),
        row_question=frozen(np.array(rows.question[:-1], dtype=np.intp)),
        terms=frozen(terms),
        shares=frozen(shares),
    )


def _padded(
    shares: list[tuple[int, int, float]], n_answers: int, last: int
) -> tuple[IntArray, FloatArray]:
    """Lay out (answer, row, share) as arrays (A, T); row -1 is the last one."""
    by_answer: list[list[tuple[int, float]]] = [[] for _ in range(n_answers)]
    for answer, row, share in shares:
        by_answer[answer].append((row % (last + 1), share))
    width = max(map(len, by_answer), default=0)
    terms, values = np.full((n_answers, width), last), np.zeros((n_answers, width))
    for answer, parts in enumerate(by_answer):
        for at, (row, share) in enumerate(parts):
            terms[answer, at], values[answer, at] = row, share
    return terms.astype(np.intp), values


class _WeightRows:
    """Collects rows of weights and what share of them makes up each answer."""

    def __init__(self, model: NoisyModel) -> None:
        self.model = model
        self.on: list[FloatArray] = []
        self.risks: list[StateArray] = []
        self.question: list[int] = []
        self.shares: list[tuple[int, int, float]] = []

    def add(self, question: int, on: FloatArray | None, risk: tuple[int, int] | None) -> int:
        """Add a row and return its number."""
        held = np.full(len(self.model.risks), -1, dtype=np.int8)
        if risk is not None:
            held[risk[0]] = risk[1]
        self.on.append(np.ones(len(self.model.causes)) if on is None else on)
        self.risks.append(held)
        self.question.append(question)
        return len(self.on) - 1

    def finding(self, question: int, answer: int, f: int) -> None:
        """Absent: a product, less a second one where inhibitors couple. Present: what is left."""
        model = self.model
        on, leak = _absorbed(model, f)
        row = self.add(question, on, None)
        absent = [(row, leak)]
        if model.axes.suppress[f] >= 0:
            # 1 - leak H: the leak, lowered by the inhibitors.
            row = self.add(question, model.axes.leak_keep[f], None)
            absent.append((row, -float(model.leak[f])))
        self.shares += [(answer, row, share) for row, share in absent]
        self.shares += [(answer + 1, row, -share) for row, share in absent]
        self.shares.append((answer + 1, -1, 1.0))

    def ordinal(self, question: int, answer: int, o: int) -> None:
        """At most a level is a product; each state is a difference of two."""
        model = self.model
        for level in range(model.ordinal_sizes[o] - 1):
            column = len(model.findings) + model.level_offset[o] + level
            on, leak = _absorbed(model, column)
            row = self.add(question, on, None)
            self.shares += [(answer + level, row, leak), (answer + level + 1, row, -leak)]
        self.shares.append((answer + model.ordinal_sizes[o] - 1, -1, 1.0))

    def risk(self, question: int, answer: int, r: int) -> None:
        """All states but the most common one, which is what they leave."""
        prior = self.model.risk_priors[r]
        common = int(prior.argmax())
        self.shares.append((answer + common, -1, 1.0))
        for state in range(len(prior)):
            if state != common:
                row = self.add(question, None, (r, state))
                self.shares += [(answer + state, row, 1.0), (answer + common, row, -1.0)]


def _absorbed(model: NoisyModel, column: int) -> tuple[FloatArray, float]:
    """Factors of "absent" (or "at most a level") on active causes, and that of the leak."""
    on = np.where(model.absent_never[column] > 0.0, 0.0, np.exp(model.log_absent[column]))
    never = model.absent_leak_never[column] > 0.0
    return on, 0.0 if never else float(np.exp(model.log_absent_leak[column]))


def unknown_questions(evidence: Evidence) -> BoolArray:
    """Which questions one case leaves open, (Q,); an ordinal known in part is open."""
    known = np.concatenate(
        [
            ~np.isnan(evidence.findings[0]),
            evidence.lower[0] == evidence.upper[0],
            evidence.risks[0] >= 0,
        ]
    )
    return np.asarray(~known)


def answered(table: AnswerTable, evidence: Evidence, chosen: IntArray) -> Evidence:
    """Add one answer to each of some cases, or each to a copy of one case; -1 adds nothing."""
    rows = np.arange(len(chosen)) if len(evidence) > 1 else np.zeros(len(chosen), dtype=np.intp)
    return _answered(table, evidence.take(rows), chosen)


def _answered(table: AnswerTable, rows: Evidence, chosen: IntArray) -> Evidence:
    kind = np.where(chosen >= 0, table.kind[table.question[chosen]], -1)
    state, place = table.state[chosen], table.position[table.question[chosen]]
    for which, into in ((FINDING, rows.findings), (RISK, rows.risks)):
        at = np.flatnonzero(kind == which)
        into[at, place[at]] = state[at]
    at = np.flatnonzero(kind == ORDINAL)
    rows.lower[at, place[at]] = rows.upper[at, place[at]] = state[at]
    return rows


def given_answers(table: AnswerTable, evidence: Evidence, row: int) -> Iterator[int]:
    """Yield the answers that one case gives: hard findings, exact levels, risks."""
    told = np.concatenate(
        [
            np.nan_to_num(evidence.findings[row], nan=-1.0),
            np.where(evidence.lower[row] == evidence.upper[row], evidence.lower[row], -1),
            evidence.risks[row],
        ]
    )
    for question in np.flatnonzero((told >= 0.0) & (told == np.floor(told))):
        yield int(table.first[question] + told[question])
