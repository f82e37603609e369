"""How deep knowledge is: what its causes lack, and which of them nothing tells apart.

What every question would be answered with if one cause is present is computed exactly: P(state | c)
of each finding, sign, test and risk in the finished network. What a question tells of cause a
against cause b is the expected log-likelihood ratio

    sum over states s of  P(s | a) log(P(s | a) / P(s | b)),

the Kullback-Leibler divergence; of the two directions the smaller one counts. Questions are taken
one by one, so that the sum over all of them is what they would tell if they were independent.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from bayesdx.diagnosis.cases import Cases
from bayesdx.diagnosis.core import Core
from bayesdx.diagnosis.results import Result
from bayesdx.diagnosis.scoring import score_cases
from bayesdx.inference.arrays import FloatArray
from bayesdx.inference.evidence import Evidence, no_evidence

#: Two causes are told apart where some question is expected to tell so much: a likelihood ratio of
#: e^0.5, 1.6 on the average answer.
TOLD_APART = 0.5
#: What observers do; all others test.
ASKED = {"patient": "questions", "examiner": "examination"}
TESTS = "tests"


@dataclass(frozen=True, eq=False, repr=False)
class Depth(Result):
    """A report on depth.

    Attributes
    ----------
    causes : DataFrame
        Index ``cause``: label, prior, dangerous, links, effects, age (whether its probability
        depends on it), first (typical presentations of it that it leads; missing where there are
        none).
    findings : DataFrame
        Index ``finding``: label, urgency_only; those that move no cause.
    pairs : DataFrame
        Index ``(cause, other)``: expected log-likelihood ratio of the best question, by
        ``questions``, ``examination`` and ``tests``, the best one, and the ``sum`` of all; pairs
        whose best question tells less than `bound`, those that are told apart least first.
    bound : float
        `TOLD_APART`.
    """

    causes: pd.DataFrame
    findings: pd.DataFrame
    pairs: pd.DataFrame
    bound: float = TOLD_APART


def depth(core: Core, typical: Cases | None = None, expected: tuple[str, ...] = ()) -> Depth:
    """Report how deep the knowledge of an engine is.

    Parameters
    ----------
    core : Core
    typical : Cases, optional
        Typical presentations.
    expected : tuple of str
        The cause of each.
    """
    return Depth(_causes(core, typical, expected), _findings(core), _pairs(core))


def _causes(core: Core, typical: Cases | None, expected: tuple[str, ...]) -> pd.DataFrame:
    knowledge, first = core.knowledge, pd.Series(dtype=float)
    if typical is not None:
        share = score_cases(core, typical, measure="explains").posterior[:, :-1]
        leads = np.array(core.causes)[share.argmax(axis=1)] == np.array(expected)
        first = pd.Series(leads, index=list(expected)).groupby(level=0).sum()
    rows: dict[str, dict[str, Any]] = {}
    for name in (core.causes[k] for k in core.columns):
        cause = knowledge.causes[name]
        risks = [condition.risk for effect in cause.effects for condition in effect.any_of]
        rows[name] = {
            "label": cause.label,
            "prior": cause.prior.value if cause.prior else 0.0,
            "dangerous": cause.dangerous,
            "links": len(cause.links),
            "effects": len(cause.effects),
            "age": "age" in (*risks, *(condition.risk for condition in cause.requires)),
            "first": first.get(name, np.nan),
        }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("cause")
    return table.sort_values("links", kind="stable")


def _findings(core: Core) -> pd.DataFrame:
    knowledge = core.knowledge
    linked = {name for cause in knowledge.causes.values() for name in cause.links}
    linked |= {knowledge.findings[name].threshold_of or name for name in linked}
    linked |= {part for name in linked for part in knowledge.findings[name].any_of}
    idle = {
        name: {"label": one.label, "urgency_only": name in knowledge.urgency_only}
        for name, one in knowledge.findings.items()
        if name not in linked
    }
    return pd.DataFrame.from_dict(idle, orient="index", columns=["label", "urgency_only"])


def _pairs(core: Core) -> pd.DataFrame:
    names = [core.causes[k] for k in core.columns]
    told = {name: _divergence(share) for name, share in answers_given_causes(core).items()}
    observers = {name: one.observed_by for name, one in core.knowledge.findings.items()}
    observers |= {name: one.observed_by for name, one in core.knowledge.risks.items()}
    every = np.stack(list(told.values()))
    groups = np.array([ASKED.get(observers[name], TESTS) for name in told])
    best = {one: every[groups == one].max(axis=0, initial=0.0) for one in (*ASKED.values(), TESTS)}
    a, b = np.triu_indices(len(names), 1)
    table = pd.DataFrame(
        {
            **{one: values[a, b] for one, values in best.items()},
            "best": np.array(list(told))[every.argmax(axis=0)[a, b]],
            "sum": every.sum(axis=0)[a, b],
        },
        index=pd.MultiIndex.from_arrays(
            [[names[i] for i in a], [names[i] for i in b]], names=["cause", "other"]
        ),
    )
    alike = table[table[list(best)].max(axis=1) < TOLD_APART]
    return alike.sort_values("sum", kind="stable")


def answers_given_causes(core: Core) -> dict[str, FloatArray]:
    """P(state | cause present) of each finding and risk, (C, states) each, exactly."""
    model = core.model
    names = (*model.findings, *model.ordinals, *model.risks)
    sizes = [2] * len(model.findings) + list(model.ordinal_sizes)
    sizes += [len(prior) for prior in model.risk_priors]
    # The first state is what the others leave.
    ends = np.cumsum([1, *(size - 1 for size in sizes)])
    blank = no_evidence(model, int(ends[-1]))
    findings, risks = blank.findings.copy(), blank.risks.copy()
    lower, upper = blank.lower.copy(), blank.upper.copy()
    f, o = len(model.findings), len(model.findings) + len(model.ordinals)
    for at, (first, size) in enumerate(zip(ends, sizes, strict=False)):
        for state in range(1, size):
            row = first + state - 1
            if at < f:
                findings[row, at] = state
            elif at < o:
                lower[row, at - f] = upper[row, at - f] = state
            else:
                risks[row, at - o] = state
    every = Evidence(findings, lower, upper, risks, blank.causes).take(
        np.tile(np.arange(len(blank)), len(core.modelled))
    )
    causes = every.causes.copy()
    causes[np.arange(len(causes)), np.repeat(core.modelled, len(blank))] = 1
    present = Evidence(every.findings, every.lower, every.upper, every.risks, causes)
    answer = core.posteriors(present, only_evidence=True).complete()
    logs = answer.log_evidence.reshape(-1, len(blank))
    found = np.exp(logs - logs[:, :1])
    others = [found[:, a:b] for a, b in pairwise(ends)]
    left = [np.maximum(1.0 - one.sum(axis=1, keepdims=True), 0.0) for one in others]
    return {
        name: np.concatenate(both, axis=1)
        for name, both in zip(names, zip(left, others, strict=True), strict=True)
    }


def _divergence(shares: FloatArray) -> FloatArray:
    """The smaller expected log-likelihood ratio of each pair of causes, (C, C); from (C, S)."""
    one_way: FloatArray = special.rel_entr(shares[:, None], shares[None]).sum(axis=2)
    return np.minimum(one_way, one_way.T)
