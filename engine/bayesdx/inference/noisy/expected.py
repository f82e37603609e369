"""What every answer to every question would do to the posteriors of one case, exactly.

A question is a variable that is not known: a binary finding (answers absent, present), an ordinal
finding or a risk (one answer a state). Nearly all answers come from one pass: "absent" and "at most
this level" are products over the causes, so each is the case with other weights, and the others
are differences of those. Where a difference would lose digits it is replaced by a sum of positive
terms, or the answer is computed as a case of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import kl_div

from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray
from bayesdx.inference.evidence import Evidence, StateArray
from bayesdx.inference.noisy.answer import Answer
from bayesdx.inference.noisy.answer_table import FINDING, ORDINAL, RISK, AnswerTable, answered
from bayesdx.inference.noisy.case_lanes import CaseLanes
from bayesdx.inference.noisy.choice import takes_compiled
from bayesdx.inference.noisy.model import NoisyModel
from bayesdx.inference.noisy.query import posteriors

#: A difference below this share of what it is taken from is computed anew: each further power of
#: ten would cost another digit.
SMALLEST_DIFFERENCE = 1e-4


@dataclass(frozen=True, eq=False)
class Outcomes:
    """A answers of one case.

    Attributes
    ----------
    log_evidence : float
        Of the case as it is; ``-inf`` where it is impossible, and then there are no answers.
    base : array (C,)
        P(cause present | evidence) as it is.
    answer : int array (A,)
        Position in `AnswerTable.state`, increasing.
    probability : array (A,)
        P(answer | evidence); the answers of a question sum to 1.
    causes : array (A, C)
        P(cause present | evidence, answer); 0 where the answer is impossible.
    """

    log_evidence: float
    base: FloatArray
    answer: IntArray
    probability: FloatArray
    causes: FloatArray


def outcomes(
    table: AnswerTable,
    lanes: CaseLanes,
    evidence: Evidence,
    asked: Sequence[BoolArray],
) -> list[Outcomes]:
    """Answer N cases as they are, and under every answer to the questions that are asked of each.

    By the compiled sweep, where it is at hand, every answer but one to each question is a case of
    its own: together they take a tenth of the time of one program a case (eleven published cases:
    186 ms in the mean, 1,842 in NumPy).

    Parameters
    ----------
    table : AnswerTable
        Of the model that ``lanes`` is for.
    lanes : CaseLanes
    evidence : Evidence
        N cases, no cause clamped.
    asked : N bool arrays (Q,)
        Among the `unknown_questions` of each.

    Returns
    -------
    list of Outcomes
        Of all answers that are consistent with what is known of an ordinal finding.

    Raises
    ------
    TooComplex
        If a case, or one with an answer more, is beyond the limits.
    """
    cases = [evidence.take(slice(row, row + 1)) for row in range(len(evidence))]
    fitting = [
        _consistent(table, case, np.flatnonzero(questions[table.question]))
        for case, questions in zip(cases, asked, strict=True)
    ]
    every = np.concatenate([np.append(-1, chosen) for chosen, _ in fitting] or [table.first[:0]])
    owner = np.repeat(np.arange(len(cases)), [len(chosen) + 1 for chosen, _ in fitting])
    rows = answered(table, evidence.take(owner), every)
    if not takes_compiled(lanes.backend, lanes.model, rows):
        return [
            _in_lanes(table, lanes, case, *one) for case, one in zip(cases, fitting, strict=True)
        ]
    return _as_cases(table, lanes.model, rows, every)


def _as_cases(
    table: AnswerTable, model: NoisyModel, rows: Evidence, every: IntArray
) -> list[Outcomes]:
    """Answer cases, each as it is (-1) and then with one answer more.

    The last answer to a question ("present" of a finding, which couples most) is what the others
    leave of the case as it is: less than half the work (121 published cases: 444 ms in the mean
    where it took 933).
    """
    as_it_is = every == -1
    case = np.cumsum(as_it_is) - 1
    question = np.where(as_it_is, -1, table.question[every])
    rest = ~as_it_is & (np.diff(question, append=-1) != 0)
    direct = np.flatnonzero(~rest)
    answer = posteriors(model, rows.take(direct), backend="compiled").complete()
    bases = answer.take(np.flatnonzero(as_it_is[direct]))
    base = bases.log_evidence[case]
    joint = np.zeros((len(every), len(model.causes) + 1))
    joint[direct] = _joint(answer.log_evidence, answer.causes, base[direct])
    begins = np.flatnonzero(np.diff(question, prepend=-2) != 0)
    # Every question has one answer that is left.
    sums = np.add.reduceat(joint, begins)[question[begins] >= 0]
    joint[rest] = joint[as_it_is][case[rest]] - sums
    lost = np.flatnonzero(rest & (joint[:, -1] < SMALLEST_DIFFERENCE) & ~np.isneginf(base))
    if len(lost):
        answer = posteriors(model, rows.take(lost), backend="compiled").complete()
        joint[lost] = _joint(answer.log_evidence, answer.causes, base[lost])
    ends = np.flatnonzero(np.append(as_it_is, True))
    return [
        _outcomes(
            float(bases.log_evidence[n]), bases.causes[n], every[at + 1 : end], joint[at + 1 : end]
        )
        for n, (at, end) in enumerate(zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True))
    ]


def _in_lanes(
    table: AnswerTable, lanes: CaseLanes, evidence: Evidence, chosen: IntArray, partial: BoolArray
) -> Outcomes:
    """Answer one case by one program that all its answers share, as far as that goes."""
    mixed = _mixed(table, lanes, evidence, chosen)
    if mixed is None:
        base, joint = _one_by_one(table, lanes, evidence, chosen)
    else:
        base, joint, kept = mixed
        if not np.isneginf(base.log_evidence[0]):
            left = partial | ~kept
            left = _by_positive_terms(table, lanes, evidence, base, chosen, left, partial, joint)
            if left.any():
                _, joint[left] = _one_by_one(table, lanes, evidence, chosen[left])
    return _outcomes(float(base.log_evidence[0]), base.causes[0], chosen, joint)


def _outcomes(
    log_evidence: float, base: FloatArray, chosen: IntArray, joint: FloatArray
) -> Outcomes:
    """Divide the joints of answers, (A, C + 1), by the probability of each."""
    if np.isneginf(log_evidence):
        none = np.zeros((0, len(base)))
        return Outcomes(log_evidence, base, chosen[:0], none[:, 0], none)
    probability = np.clip(joint[:, -1], 0.0, 1.0)
    causes = np.zeros_like(joint[:, :-1])
    np.divide(joint[:, :-1], probability[:, None], out=causes, where=probability[:, None] > 0.0)
    return Outcomes(log_evidence, base, chosen, probability, np.clip(causes, 0.0, 1.0))


def _consistent(
    table: AnswerTable, evidence: Evidence, chosen: IntArray
) -> tuple[IntArray, BoolArray]:
    """Leave out levels that are known not to be; mark answers of ordinals known in part."""
    question = table.question[chosen]
    at = np.flatnonzero(table.kind[question] == ORDINAL)
    fits, partial = np.ones(len(chosen), dtype=bool), np.zeros(len(chosen), dtype=bool)
    if len(at):
        o, state = table.position[question[at]], table.state[chosen[at]]
        lower, upper = evidence.lower[0, o], evidence.upper[0, o]
        fits[at] = (state >= lower) & (state <= upper)
        partial[at] = (lower > 0) | (upper < table.n_answers[question[at]] - 1)
    return chosen[fits], partial[fits]


def _joint(log_evidence: FloatArray, causes: FloatArray, base: float | FloatArray) -> FloatArray:
    """P(cause, row | evidence), and last P(row | evidence), (V, C + 1)."""
    possible = np.isfinite(base)
    share = np.where(possible, np.exp(log_evidence - np.where(possible, base, 0.0)), 0.0)
    return np.concatenate([causes * share[:, None], share[:, None]], axis=1)


def _mixed(
    table: AnswerTable, lanes: CaseLanes, evidence: Evidence, chosen: IntArray
) -> tuple[Answer, FloatArray, BoolArray] | None:
    """The case as it is, the joints of its answers (A, C + 1), and which kept their digits."""
    questions = np.zeros(len(table.kind), dtype=bool)
    questions[table.question[chosen]] = True
    rows = np.append(np.flatnonzero(questions[table.row_question]), -1)
    found = lanes.reweighted(evidence, table.on[rows], None, table.risks[rows])
    if found is None:
        return None
    base = Answer(found[0][-1:], found[1][-1:], np.empty(0))
    parts = _joint(*found, float(base.log_evidence[0]))
    place = np.zeros(len(table.on), dtype=np.intp)
    place[rows] = np.arange(len(rows))
    joint, taken_from = np.zeros((len(chosen), parts.shape[1])), np.zeros(len(chosen))
    for term, share in zip(table.terms[chosen].T, table.shares[chosen].T, strict=True):
        part = parts[place[term]]
        joint += share[:, None] * part
        taken_from += np.abs(share) * part[:, -1]
    return base, joint, joint[:, -1] >= SMALLEST_DIFFERENCE * taken_from


def _by_positive_terms(
    table: AnswerTable,
    lanes: CaseLanes,
    evidence: Evidence,
    base: Answer,
    chosen: IntArray,
    left: BoolArray,
    partial: BoolArray,
    joint: FloatArray,
) -> BoolArray:
    """Fill in findings that are present and risks, and return what is still left, (A,).

    With q_i what cause i leaves of "absent" and z_i = 1 - q_i, present is the sum over i of
    q_1 ... q_(i-1) z_i, and what the leak adds: all terms are positive.
    """
    kind, state = table.kind[table.question[chosen]], table.state[chosen]
    fitting = left & ~partial & ((kind == RISK) | ((kind == FINDING) & (state == 1)))
    at = np.flatnonzero(fitting)
    if not len(at):
        return left
    terms = [term for i, a in enumerate(chosen[at]) for term in _terms(table, lanes, i, int(a))]
    on, off, risks = (np.array([term[part] for term in terms]) for part in (2, 3, 4))
    found = lanes.reweighted(evidence, on, off, risks)
    if found is None:
        return left
    parts = _joint(*found, float(base.log_evidence[0]))
    share = np.array([term[1] for term in terms])
    owner = np.array([term[0] for term in terms])
    joint[at] = np.add.reduceat(parts * share[:, None], np.flatnonzero(np.diff(owner, prepend=-1)))
    return np.asarray(left & ~fitting)


_Term = tuple[int, float, FloatArray, FloatArray, StateArray]


def _terms(table: AnswerTable, lanes: CaseLanes, number: int, answer: int) -> Iterator[_Term]:
    """Yield (number, share, on, off, risks) of the rows that add up to an answer."""
    model = lanes.model
    place = int(table.position[table.question[answer]])
    ones, held = np.ones(len(model.causes)), np.full(len(model.risks), -1, dtype=np.int8)
    if table.kind[table.question[answer]] == RISK:
        held[place] = table.state[answer]
        yield number, 1.0, ones, ones, held
        return
    axes, before = model.axes, ones
    for cause in np.flatnonzero(axes.gain[place] > 0.0):
        active, inactive = before.copy(), ones.copy()
        active[cause], inactive[cause] = 1.0, 0.0
        yield number, float(axes.gain[place, cause]), active, inactive, held
        before = before.copy()
        before[cause] = axes.keep[place, cause]
    yield number, float(model.leak[place]), axes.leak_keep[place], ones, held


def _one_by_one(
    table: AnswerTable, lanes: CaseLanes, evidence: Evidence, chosen: IntArray
) -> tuple[Answer, FloatArray]:
    """The case as it is and the joints of its answers, each a case of its own."""
    rows = answered(table, evidence, np.append(chosen, -1))
    answer = posteriors(lanes.model, rows, backend=lanes.backend).complete()
    base = Answer(answer.log_evidence[-1:], answer.causes[-1:], np.empty(0))
    joint = _joint(answer.log_evidence, answer.causes, float(base.log_evidence[0]))
    return base, joint[:-1]


def expected_information(
    prior: FloatArray, probability: FloatArray, causes: FloatArray, first: NDArray[np.integer]
) -> FloatArray:
    """Mutual information of each cause and the answer to each question, in bits.

    Parameters
    ----------
    prior : array (C,)
        P(cause present) as things stand.
    probability : array (A,)
        P(answer), the answers of a question side by side.
    causes : array (A, C)
        P(cause present | answer).
    first : int array (Q,)
        First answer of each question.

    Returns
    -------
    array (Q, C)
        Mean of the Kullback-Leibler divergence of the posterior from what stands, never below 0:
        by how much the entropy of the cause is expected to fall.
    """
    if not len(first):
        return np.zeros((0, len(prior)))
    # An impossible answer weighs nothing, its posteriors are written as 0; and what is certain
    # stays so, whatever rounding made of it.
    certain = (prior <= 0.0) | (prior >= 1.0)
    safe = np.where((probability[:, None] > 0.0) & ~certain, causes, prior)
    bits = (kl_div(safe, prior) + kl_div(1.0 - safe, 1.0 - prior)) / np.log(2.0)
    return np.maximum(np.add.reduceat(bits * probability[:, None], first, axis=0), 0.0)
