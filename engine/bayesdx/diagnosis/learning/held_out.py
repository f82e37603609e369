"""What labels say of answers: log score, Brier score and calibration, by case.

The answer to a case is made from its findings alone; its labels are what it is held against. A
label of a group is held against the probability that at least one member is present.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import special

from bayesdx.diagnosis.learning.case_likelihood import log_sums
from bayesdx.diagnosis.learning.labels import Labels, labelled_rows
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.answer import TOO_COMPLEX
from bayesdx.inference.noisy.model import BoolArray, FloatArray, IntArray, NoisyModel
from bayesdx.inference.noisy.query import posteriors

#: Probabilities stay this far from 0 and 1 where their log-odds are taken.
EDGE = 1e-9
#: Standard normal quantile of the ends of a 95 % interval.
NORMAL_975 = 1.959963984540054
_ROUNDS = 50


@dataclass(frozen=True, eq=False)
class HeldAgainst:
    """Answers to n cases, held against their labels.

    Attributes
    ----------
    answered : bool array (n,)
        Whether a case was; others are too complex, and nothing is held against them.
    log_evidence : array (n,)
        log P(findings) of each case, 0 where it is not answered.
    log_score : array (n,)
        log P(labels | findings), 0 where a case has none.
    probability, outcome : arrays (M,)
        Of each label by itself: what was answered, and what is so.
    case : int array (M,)
    """

    answered: BoolArray
    log_evidence: FloatArray
    log_score: FloatArray
    probability: FloatArray
    outcome: FloatArray
    case: IntArray

    def take(self, rows: IntArray) -> HeldAgainst:
        """Return what is held against some cases, ``rows`` rising."""
        kept = np.isin(self.case, rows)
        return HeldAgainst(
            self.answered[rows],
            self.log_evidence[rows],
            self.log_score[rows],
            self.probability[kept],
            self.outcome[kept],
            np.searchsorted(rows, self.case[kept]),
        )


def held_against(
    model: NoisyModel, evidence: Evidence, labels: Labels, *, divide: bool = True
) -> HeldAgainst:
    """Answer cases by their findings and hold the answers against their labels.

    ``divide`` is that of `posteriors`.
    """
    answer, rows = posteriors(model, evidence, divide=divide), labelled_rows(evidence, labels)
    labelled = posteriors(model, rows.evidence, only_evidence=True, divide=divide)
    answered = answer.status != TOO_COMPLEX
    answered[rows.owner[labelled.status == TOO_COMPLEX]] = False
    if not answered.all():
        kept = np.flatnonzero(answered)
        part = held_against(model, evidence.take(kept), labels.take(kept), divide=divide)
        return joined([part], [kept], len(evidence))
    joint, _ = log_sums(labelled.log_evidence, rows)
    possible = np.isfinite(answer.log_evidence)
    score = np.subtract(joint, answer.log_evidence, out=np.zeros(len(joint)), where=possible)
    told, causes = np.nonzero(labels.causes >= 0)
    parts = [(told, answer.causes[told, causes], labels.causes[told, causes])]
    for g, members in enumerate(labels.members):
        own = np.flatnonzero(labels.groups[:, g] >= 0)
        absent = evidence.take(own)
        clamped = absent.causes.copy()
        clamped[:, members] = 0
        whole = answer.log_evidence[own]
        none = posteriors(
            model, replace(absent, causes=clamped), only_evidence=True, share_of=whole
        )
        gap = none.complete().log_evidence - whole
        some = np.clip(-np.expm1(np.minimum(gap, 0.0)), 0.0, 1.0)
        parts.append((own, some, labels.groups[own, g]))
    case, probability, outcome = (np.concatenate(one) for one in zip(*parts, strict=True))
    score, outcome = np.minimum(score, 0.0), outcome.astype(np.float64)
    return HeldAgainst(answered, answer.log_evidence, score, probability, outcome, case)


def joined(parts: Sequence[HeldAgainst], cases: Sequence[IntArray], n_cases: int) -> HeldAgainst:
    """Put the parts of a table together again, ``cases`` saying which each of them has.

    Cases that no part has are not answered.
    """
    answered = np.zeros(n_cases, dtype=np.bool_)
    evidence, score = np.zeros(n_cases), np.zeros(n_cases)
    for part, own in zip(parts, cases, strict=True):
        answered[own], evidence[own], score[own] = part.answered, part.log_evidence, part.log_score
    return HeldAgainst(
        answered,
        evidence,
        score,
        np.concatenate([part.probability for part in parts]),
        np.concatenate([part.outcome for part in parts]),
        np.concatenate([own[part.case] for part, own in zip(parts, cases, strict=True)]),
    )


def comparison(before: HeldAgainst, after: HeldAgainst) -> pd.DataFrame:
    """Compare answers to the same cases, made without having seen their labels.

    Cases that one of both did not answer are left out.

    Returns
    -------
    DataFrame
        Index ``measure``: ``log_evidence`` (mean of log P(findings), higher is better), and where
        there are labels ``log_score`` (mean of log P(labels | findings), higher is better),
        ``brier`` (mean squared distance, lower is better), ``calibration_slope`` (1 is right,
        below 1 answers are too sure) and ``calibration_in_the_large`` (0 is right, above 0 too
        little is answered; in log-odds). Columns ``before``, ``before_low``, ``before_high``,
        the same of ``after``, and ``change``, ``change_low``, ``change_high``: 95 % intervals
        over cases; NaN where it cannot be told.
    """
    both = np.flatnonzero(before.answered & after.answered)
    before, after = before.take(both), after.take(both)
    rows = {"log_evidence": _means(before.log_evidence, after.log_evidence)}
    if len(before.case):
        own = np.unique(before.case)
        rows["log_score"] = _means(before.log_score[own], after.log_score[own])
        rows["brier"] = _means(*(_brier(one)[own] for one in (before, after)))
        fits = [recalibration(one) for one in (before, after)]
        for i, name in ((1, "calibration_slope"), (0, "calibration_in_the_large")):
            row: dict[str, float] = {}
            for when, (value, deviation) in zip(("before", "after"), fits, strict=True):
                half = NORMAL_975 * deviation[i]
                row |= {
                    when: value[i],
                    f"{when}_low": value[i] - half,
                    f"{when}_high": value[i] + half,
                }
            row["change"] = row["after"] - row["before"]
            row["change_low"] = row["change_high"] = np.nan
            rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("measure")


def _brier(one: HeldAgainst) -> FloatArray:
    """Mean squared distance of each case, (n,)."""
    n = len(one.log_score)
    total = np.bincount(one.case, (one.probability - one.outcome) ** 2, n)
    return np.asarray(total / np.maximum(np.bincount(one.case, minlength=n), 1))


def _means(before: FloatArray, after: FloatArray) -> dict[str, float]:
    result: dict[str, float] = {}
    for name, values in (("before", before), ("after", after), ("change", after - before)):
        mean = float(values.mean()) if len(values) else np.nan
        many = len(values) > 1
        half = NORMAL_975 * float(values.std(ddof=1)) / np.sqrt(len(values)) if many else np.nan
        result |= {name: mean, f"{name}_low": mean - half, f"{name}_high": mean + half}
    return result


def recalibration(one: HeldAgainst) -> tuple[FloatArray, FloatArray]:
    """Fit outcomes to the log-odds of answers by logistic regression (Cox 1958).

    Returns
    -------
    values, deviations : arrays (2,)
        Calibration in the large (the log-odds that are missing where the slope is 1) and slope;
        standard deviations by sums over cases, whose labels hang together. NaN where all outcomes
        are alike, or answers part them without an error.
    """
    unknown = np.full(2, np.nan), np.full(2, np.nan)
    if len(np.unique(one.outcome)) < 2:
        return unknown
    odds = special.logit(np.clip(one.probability, EDGE, 1.0 - EDGE))
    level = _logistic(np.ones((len(odds), 1)), odds, one)
    line = _logistic(np.stack([np.ones_like(odds), odds], axis=1), np.zeros_like(odds), one)
    if level is None or line is None:
        return unknown
    return (
        np.array([level[0][0], line[0][1]]),
        np.array([level[1][0], line[1][1]]),
    )


def _logistic(
    columns: FloatArray, offset: FloatArray, one: HeldAgainst
) -> tuple[FloatArray, FloatArray] | None:
    """Coefficients and standard deviations by sums over cases; None where there is no fit."""
    fitted = np.zeros(columns.shape[1])
    for _ in range(_ROUNDS):
        p = special.expit(columns @ fitted + offset)
        information = (columns * (p * (1.0 - p))[:, None]).T @ columns
        if not np.isfinite(information).all() or np.linalg.cond(information) > 1e12:
            return None
        step = np.linalg.solve(information, columns.T @ (one.outcome - p))
        fitted = fitted + np.clip(step, -2.0, 2.0)
        if float(np.abs(step).max()) < 1e-9:
            slopes = columns * (one.outcome - p)[:, None]
            by_case = np.stack([np.bincount(one.case, own) for own in slopes.T], axis=1)
            inverse = np.linalg.inv(information)
            spread = inverse @ (by_case.T @ by_case) @ inverse
            return fitted, np.sqrt(np.diag(spread))
    return None
