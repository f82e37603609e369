"""Contributions of many cases in one call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesdx.diagnosis.core import Core
from bayesdx.diagnosis.explaining.coalition import Observations, families, read_observations
from bayesdx.diagnosis.explaining.context import posterior_of
from bayesdx.diagnosis.explaining.explanation import (
    NUMBER_COLUMNS,
    nothing_shared,
    observation_label,
    share_out,
    wanted_causes,
)
from bayesdx.diagnosis.explaining.numbers import NumbersBehind
from bayesdx.diagnosis.results import (
    IMPOSSIBLE,
    NO_FINDINGS,
    OK,
    REJECTED,
    TOO_COMPLEX,
    Result,
    Status,
)
from bayesdx.errors import TooComplex
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.answer import Answer
from bayesdx.inference.noisy.attribution.shapley import Attribution
from bayesdx.inference.noisy.model import FloatArray


@dataclass(frozen=True, eq=False, repr=False)
class CaseExplanations(Result):
    """Contributions to causes of N cases, in long form.

    Attributes
    ----------
    cases : DataFrame
        Index ``(case, cause)``, cases as in the table given: prior, posterior, prior_log_odds,
        log_odds, method, status, as in `Explanation`; a row that cannot be read has the status
        ``rejected``, and ``fault`` says why.
    table : DataFrame
        Index ``(case, cause, observation)``, observations in the order given: label,
        contribution, lr_alone, lr_in_context and the columns of the number behind it, as in
        `Explanation.table`.
    """

    cases: pd.DataFrame
    table: pd.DataFrame


def explain_many(
    core: Core, cases: pd.DataFrame, causes: str | Sequence[str] | None = None
) -> CaseExplanations:
    """Explain causes of many cases; see `Engine.explain_many`."""
    named = None if causes is None else wanted_causes(core, causes)
    read, good, told = core.reader.read_frame(cases)
    answer, leading = _leading(core, read.evidence)
    family = families(core.knowledge)
    parts = []
    for row in range(len(cases)):
        observations = read_observations(core, read, row, family)
        wanted = named or (core.causes[leading[row]],)
        status: Status = OK if observations.names else NO_FINDINGS
        status = (status, IMPOSSIBLE, TOO_COMPLEX)[answer.status[row]] if good[row] else REJECTED
        share = share_out if status == OK else nothing_shared
        try:
            shares = share(core, observations, wanted)
        except TooComplex:
            # Part of its findings may be more work than all of them.
            status, shares = TOO_COMPLEX, nothing_shared(core, observations, wanted)
        parts.append(CaseShares(observations, wanted, status, told.get(row, ""), shares))
    return CaseExplanations(_summary(core, cases.index, parts), _table(core, cases.index, parts))


@dataclass(frozen=True, eq=False, slots=True)
class CaseShares:
    """One case, and what its observations do to the causes that are wanted."""

    observations: Observations
    wanted: tuple[str, ...]
    status: Status
    fault: str
    shares: Attribution


def _leading(core: Core, evidence: Evidence) -> tuple[Answer, list[int]]:
    """Answer the cases; also of each its most probable cause (the first of equal ones)."""
    answer = core.posteriors(evidence, divide=False)
    posterior = np.tile(core.prior[:-1], (len(evidence), 1))
    known = np.flatnonzero(answer.possible)
    posterior[np.ix_(known, core.columns)] = answer.causes[np.ix_(known, core.modelled)]
    return answer, np.round(posterior, 15).argmax(axis=1).tolist()


def _summary(core: Core, index: pd.Index, parts: Sequence[CaseShares]) -> pd.DataFrame:
    prior = dict(zip(core.causes, core.prior.tolist(), strict=False))
    before = _joined([part.shares.before for part in parts])
    after = _joined([part.shares.after for part in parts])
    pairs = [
        (label, cause) for label, part in zip(index, parts, strict=True) for cause in part.wanted
    ]
    own = np.array([prior[cause] for _, cause in pairs], dtype=np.float64)
    shared = np.array([part.status == OK for part in parts for _ in part.wanted], dtype=bool)
    return pd.DataFrame(
        {
            "prior": own,
            "posterior": np.where(shared, posterior_of(after), own),
            "prior_log_odds": before,
            "log_odds": after,
            "method": [part.shares.method for part in parts for _ in part.wanted],
            "status": [part.status for part in parts for _ in part.wanted],
            "fault": [part.fault for part in parts for _ in part.wanted],
        },
        index=_index(pairs, ["case", "cause"]),
    )


def _table(core: Core, index: pd.Index, parts: Sequence[CaseShares]) -> pd.DataFrame:
    keys: list[tuple[object, ...]] = []
    numbers = []
    for label, part in zip(index, parts, strict=True):
        behind = NumbersBehind(core.knowledge, core.model, part.observations)
        for cause, name in _pairs(part):
            keys.append((label, cause, name))
            numbers.append(behind.number(cause, name))
    labels = {name: observation_label(core, name) for name in {str(key[-1]) for key in keys}}
    columns: dict[str, object] = {
        "label": [labels[str(key[-1])] for key in keys],
        "contribution": _joined([part.shares.contribution.ravel() for part in parts]),
        "lr_alone": np.exp(_joined([part.shares.alone.ravel() for part in parts])),
        "lr_in_context": np.exp(_joined([part.shares.in_context.ravel() for part in parts])),
    }
    columns |= {name: [getattr(one, name) for one in numbers] for name in NUMBER_COLUMNS}
    return pd.DataFrame(columns, index=_index(keys, ["case", "cause", "observation"]))


def _pairs(part: CaseShares) -> Iterator[tuple[str, str]]:
    for cause in part.wanted:
        for name in part.observations.names:
            yield cause, name


def _joined(arrays: Sequence[FloatArray]) -> FloatArray:
    return np.concatenate([np.zeros(0), *arrays])


def _index(keys: Sequence[tuple[object, ...]], names: list[str]) -> pd.MultiIndex:
    if not keys:
        return pd.MultiIndex.from_arrays([[] for _ in names], names=names)
    return pd.MultiIndex.from_tuples(keys, names=names)
