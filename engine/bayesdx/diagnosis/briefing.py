"""What a short answer needs beside the diagnosis: ranges, reasons for the first cause, questions.

The ranges are quantiles of exact answers under drawn numbers, as in `bayesdx.diagnosis.intervals`,
from few draws: a short answer shows whole percents. The reasons are the factors by which each
observation moved the odds of the first cause (exponentials of Shapley values on its log-odds), so
that the odds before times all factors are the odds after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bayesdx.diagnosis.asking.inquiries import inquiries_of
from bayesdx.diagnosis.asking.questions import next_questions
from bayesdx.diagnosis.case_faults import CaseFaults
from bayesdx.diagnosis.diagnosing import Diagnosis, diagnose
from bayesdx.diagnosis.explaining.coalition import families, read_observations
from bayesdx.diagnosis.explaining.explanation import observation_label, share_out
from bayesdx.diagnosis.intervals import check_draws
from bayesdx.diagnosis.kleene import Facts
from bayesdx.diagnosis.results import NO_FINDINGS, OK, Result
from bayesdx.errors import TooComplex
from bayesdx.inference.evidence import stacked
from bayesdx.inference.noisy.expected import expected_information
from bayesdx.knowledge.red_flag_schema import LEVELS

if TYPE_CHECKING:
    from bayesdx.diagnosis.cases import Cases
    from bayesdx.diagnosis.core import Core
    from bayesdx.inference.noisy.answer import Answer
    from bayesdx.inference.noisy.attribution.shapley import Method

DRAWS = 50
LEVEL = 0.9
QUESTIONS = 3
#: Questions that are ranked exactly, of those that a screen holds to tell most.
SCREENED = 8
#: Names of what open rules wait for, where no answer settles one by itself.
NEAREST = 8
#: Observations up to which the reasons are means over all orders of them.
ALL_ORDERS = 6
#: Threads for what is asked of each of many cases.
_WORKERS = 2


@dataclass(frozen=True, eq=False, repr=False)
class Brief(Result):
    """A short answer to one case.

    Attributes
    ----------
    diagnosis : Diagnosis
    given : DataFrame
        Index ``finding``, in the order given: label, value (a number as it was given: ``age`` 41,
        not its band; a state; or how far something speaks for present), urgency_only (it moves no
        cause).
    ranges : DataFrame
        Index ``cause`` as `Diagnosis.shortlist`: low, high, between which the posterior lies in
        `level` of the draws. Empty where there is no posterior.
    reasons : DataFrame
        Index ``observation``, the greatest first: label, value, odds (the factor by which it moved
        the odds of the first cause of the short list). Empty without one.
    questions : DataFrame
        The `QUESTIONS` that tell most about the causes for their cost, of findings: rows of
        `NextQuestions.table`.
    ask_first : tuple of str
        Ids of what to ask first: an answer to one of these by itself raises the urgency; without
        such, what the most pressing open rules wait for.
    level : float
    draws, seed : int
    """

    diagnosis: Diagnosis
    given: pd.DataFrame
    ranges: pd.DataFrame
    reasons: pd.DataFrame
    questions: pd.DataFrame
    ask_first: tuple[str, ...]
    level: float
    draws: int
    seed: int


def brief_answer(
    core: Core, findings: Mapping[str, object], *, draws: int = DRAWS, seed: int = 0
) -> Brief:
    """Answer one case shortly.

    Parameters
    ----------
    core : Core
    findings : mapping
        As for `Engine.diagnose`.
    draws : int
        Sets of numbers behind the ranges, from 2 to 20,000.
    seed : int
        Not negative.

    Raises
    ------
    InvalidCase
        With every unknown name, unreadable value and contradiction.
    BayesdxError
        When draws or seed are out of bounds.

    Examples
    --------
    >>> import bayesdx
    >>> brief = brief_answer(bayesdx.load().core, {"fair_pos": "present", "age": 41}, draws=20)
    >>> brief.given.loc["age", "value"], list(brief.ranges.columns), len(brief.questions)
    ('41', ['low', 'high'], 3)
    """
    check_draws(LEVEL, draws, seed)
    case = core.read_case(findings)
    return briefs_of(core, [case], [findings], draws=draws, seed=seed)[0]


def briefs_of(
    core: Core,
    cases: Sequence[Cases],
    cells: Sequence[Mapping[str, object]],
    *,
    draws: int = DRAWS,
    seed: int = 0,
    told: Callable[[float], None] | None = None,
) -> list[Brief]:
    """Answer cases that were read shortly; those of many take less than one after the other.

    Parameters
    ----------
    core : Core
    cases : sequence of Cases
        One case each.
    cells : sequence of mappings of str to object
        What each was read from, to be shown as it was given.
    draws : int
        As for `brief_answer`, or 0: then there are no ranges, which are NaN.
    seed : int
    told : callable, optional
        Told the share that is done.
    """

    def done(stage: int, share: float) -> None:
        if told is not None:
            told((stage + share) / 3)

    diagnoses = []
    for case in cases:
        diagnoses.append(diagnose(core, case))
        done(0, len(diagnoses) / len(cases))
    ranges = _ranges(core, diagnoses, draws, seed, lambda share: done(1, share))
    briefs = []
    # Compiled code runs beside the other case's tables.
    with ThreadPoolExecutor(_WORKERS) as pool:
        for brief in pool.map(partial(_brief, core, draws, seed), diagnoses, ranges, cells):
            briefs.append(brief)
            done(2, len(briefs) / len(cases))
    return briefs


def _brief(
    core: Core,
    draws: int,
    seed: int,
    diagnosis: Diagnosis,
    ranges: pd.DataFrame,
    cells: Mapping[str, object],
) -> Brief:
    given = _given(core, cells, diagnosis)
    known = len(diagnosis.shortlist) > 0
    return Brief(
        diagnosis=diagnosis,
        given=given,
        ranges=ranges,
        reasons=_reasons(core, diagnosis, given) if known else _NO_REASONS,
        questions=_questions(core, diagnosis),
        ask_first=_ask_first(core, diagnosis),
        level=LEVEL,
        draws=draws,
        seed=seed,
    )


_NO_REASONS = pd.DataFrame(columns=["label", "value", "odds"])
_NO_QUESTIONS = pd.DataFrame(
    columns=["label", "text", "observed_by", "red_flag_level", "information_per_cost"]
)


def _ranges(
    core: Core,
    diagnoses: Sequence[Diagnosis],
    draws: int,
    seed: int,
    told: Callable[[float], None],
) -> list[pd.DataFrame]:
    """Ranges of the causes on the short list of each case; an empty list has none."""
    known = [one for one in diagnoses if one.status == OK and draws]
    asked = np.zeros((len(known), len(core.model.causes)), dtype=bool)
    for row, one in enumerate(known):
        asked[row, [core.model.causes.index(name) for name in one.shortlist.index]] = True
    answers: list[Answer] = []
    if known:
        drawn = core.perturbations.drawn(draws, seed)
        try:
            answers = drawn.answer_each(stacked([one.cases.evidence for one in known]), asked, told)
        except TooComplex:
            if len(known) > 1:
                # One of them is: the others have their ranges.
                return [_ranges(core, [one], draws, seed, told)[0] for one in diagnoses]
    by_case = dict(zip(map(id, known), answers, strict=False))
    return [_range(core, one, by_case.get(id(one))) for one in diagnoses]


def _range(core: Core, diagnosis: Diagnosis, answers: Answer | None) -> pd.DataFrame:
    causes = diagnosis.shortlist.index
    frame = pd.DataFrame({"low": np.nan, "high": np.nan}, index=causes)
    # None where one case was within reach, so many at once are not.
    if answers is not None and answers.possible.any():
        at = [core.model.causes.index(name) for name in causes]
        tails = (1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0
        frame["low"], frame["high"] = np.quantile(
            answers.causes[answers.possible][:, at], tails, axis=0
        )
    return frame


def _reasons(core: Core, diagnosis: Diagnosis, given: pd.DataFrame) -> pd.DataFrame:
    observations = read_observations(core, diagnosis.cases, 0, families(core.knowledge))
    try:
        # All orders are looked at where that is soon done, else two (`explain` goes further).
        method: Method | None = "path" if len(observations.telling) > ALL_ORDERS else None
        first = (str(diagnosis.shortlist.index[0]),)
        shares = share_out(core, observations, first, method, in_context=False)
    except TooComplex:
        return _NO_REASONS
    said = given[["label", "value"]].to_dict("index")
    rows = {
        name: said.get(name)
        or {"label": observation_label(core, name), "value": diagnosis.understood[name]}
        for name in observations.names
    }
    frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis("observation")
    contribution = shares.contribution[0]
    with np.errstate(over="ignore"):
        frame["odds"] = np.exp(contribution)
    return frame.iloc[np.argsort(-np.abs(np.round(contribution, 12)), kind="stable")]


def _questions(core: Core, diagnosis: Diagnosis) -> pd.DataFrame:
    """Rank exactly what a screen of all findings holds to tell most."""
    if diagnosis.status not in (OK, NO_FINDINGS):
        return _NO_QUESTIONS
    inquiries = core.once(inquiries_of).every
    telling = _screened(core, diagnosis)
    worth = {one.id: max(telling.get(part, 0.0) for part in one.parts) / one.cost
             for one in inquiries if not _answered(diagnosis, one.parts)}  # fmt: skip
    chosen = sorted(worth, key=lambda name: -worth[name])[:SCREENED]
    others = [one.id for one in inquiries if one.id not in chosen]
    try:
        table = next_questions(core, diagnosis.cases, without=others).table
    except TooComplex:
        return _NO_QUESTIONS
    return table.sort_values("information_per_cost", ascending=False).head(QUESTIONS)


def _screened(core: Core, diagnosis: Diagnosis) -> dict[str, float]:
    """Estimate what each finding tells, as if causes were independent given what is known."""
    model = core.model
    base = np.zeros(len(model.causes))
    base[core.modelled] = diagnosis.posterior[core.columns]
    spared = np.exp(model.log_absent) * ~model.absent_never.astype(bool)
    leak = np.exp(model.log_absent_leak) * ~model.absent_leak_never.astype(bool)
    factors = 1.0 - base + base * spared
    absent = leak * factors.prod(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        given = np.where(factors > 0.0, absent[:, None] * spared / factors, 0.0)
        causes = np.stack([(1.0 - given) * base / (1.0 - absent)[:, None],
                           given * base / absent[:, None]], axis=1)  # fmt: skip
    causes = np.clip(np.nan_to_num(causes), 0.0, 1.0).reshape(-1, len(base))
    probability = np.stack([1.0 - absent, absent], axis=1).ravel()
    first = np.arange(0, len(probability), 2)
    bits = expected_information(base, probability, causes, first).sum(axis=1)
    found: dict[str, float] = dict(zip(model.findings, bits.tolist(), strict=False))
    for name, start, size in zip(
        model.ordinals, model.level_offset, model.ordinal_sizes, strict=True
    ):
        found[name] = float(bits[start : start + size - 1].max(initial=0.0))
    return found


def _answered(diagnosis: Diagnosis, names: Iterable[str]) -> bool:
    """Whether any of these has an answer."""
    return any(int(diagnosis.cases.facts.get(name, _UNKNOWN)[0]) >= 0 for name in names)


_UNKNOWN = np.array([-1], dtype=np.int8)


def _ask_first(core: Core, diagnosis: Diagnosis) -> tuple[str, ...]:
    """Name what raises the urgency by itself; else what the most pressing open rules wait for."""
    now = LEVELS.index(diagnosis.urgency)
    above = LEVELS[: max(now, 1)]
    rules = [hit for hit in diagnosis.red_flags if hit.outcome == "open" and hit.level in above]
    # What one answer settles comes first.
    rules.sort(key=lambda hit: (LEVELS.index(hit.level), len(hit.not_asked)))
    cost = {one.id: one.cost for one in core.once(inquiries_of).every}
    names = list(dict.fromkeys(name for hit in rules for name in hit.not_asked))
    binary = [n for n in names if n in cost and core.states.get(n) == ("absent", "present")]
    if not binary:
        return tuple(names[:NEAREST])
    facts = {name: np.repeat(state, len(binary)) for name, state in diagnosis.cases.facts.items()}
    for at, name in enumerate(binary):
        facts.setdefault(name, np.full(len(binary), -1, dtype=np.int8))[at] = 1
    fired = core.rules.fired(Facts(facts, len(binary)))
    level = dict(zip(binary, core.rules.level_codes(fired, len(binary)).tolist(), strict=True))
    decisive = sorted((n for n in binary if level[n] < now), key=lambda n: (level[n], cost[n]))
    return tuple(decisive or names[:NEAREST])


def _given(core: Core, findings: Mapping[str, object], diagnosis: Diagnosis) -> pd.DataFrame:
    """Lay out what was said, numbers as they were given where they stand for a band."""
    faults, name_of = CaseFaults(None, 1), core.reader.names.target
    cells = {name_of(str(name), faults): str(cell).strip() for name, cell in findings.items()}
    measures = core.knowledge.measures
    rows = {}
    for name, said in diagnosis.understood.items():
        if name not in cells:
            continue  # what a number stands for
        label, value, cell = observation_label(core, name), said, cells[name]
        if name in measures and cell[:1].isdigit():
            label, unit = measures[name].label, measures[name].unit
            bare = cell.replace(".", "", 1).isdigit()
            times = "× " if unit[:1].isdigit() else ""
            value = f"{cell} {times}{unit}" if bare and unit not in label else cell
        rows[name] = (label, value, name in diagnosis.urgency_only)
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=["label", "value", "urgency_only"])
    return frame.rename_axis("finding")
