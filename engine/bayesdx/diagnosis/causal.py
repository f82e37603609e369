"""Causes ranked by what would change without them, next to how probable they are.

A posterior says how probable a cause is; it may be high because the cause is common, whether or not
it explains anything that was found. Two counterfactual measures, of Richens, Lee and Johri (2020),
say how much it would explain; see `bayesdx.inference.noisy.counterfactual` for what they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesdx.diagnosis.cases import Cases
from bayesdx.diagnosis.core import Core
from bayesdx.diagnosis.results import IMPOSSIBLE, NO_FINDINGS, OK, Result, Status
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.counterfactual import causal_ranking
from bayesdx.inference.noisy.model import FloatArray, IntArray

#: Cases answered together; each present finding of each is one more row of the sweep.
ROWS_AT_ONCE = 4096


@dataclass(frozen=True, eq=False, repr=False)
class CausalTable(Result):
    """The causal ranking of one case.

    Attributes
    ----------
    table : DataFrame
        Index ``cause``, sorted by expected disablement: label, posterior, disablement,
        sufficiency, and the rank by each (1 is first; equal values share the lower rank).
        Disablement and sufficiency are expected numbers of symptoms, from 0 to `symptoms`.
    symptoms : int
        Findings known to be present, ordinal ones above their lowest level included.
    status : str
        ``"ok"``, ``"impossible"`` (posteriors are then priors and both measures 0) or
        ``"no_findings"``.
    """

    table: pd.DataFrame
    symptoms: int
    status: Status


def rank_causes(core: Core, findings: Mapping[str, object] | Cases) -> CausalTable:
    """Rank the causes of one case by posterior, disablement and sufficiency; see `rank_tables`."""
    return rank_tables(core, core.read_case(findings))[0]


def rank_tables(core: Core, cases: Cases) -> list[CausalTable]:
    """Rank the causes of N cases, all in one run."""
    *measures, symptoms, possible = rank_many(core, cases.evidence)
    names = ("posterior", "disablement", "sufficiency")
    labels = [core.knowledge.causes[name].label for name in core.causes]
    found = []
    for row, known in enumerate(cases.known.tolist()):
        status: Status = (OK if known else NO_FINDINGS) if possible[row] else IMPOSSIBLE
        columns = {name: values[row] for name, values in zip(names, measures, strict=True)}
        index = pd.Index(core.causes, name="cause")
        table = pd.DataFrame({"label": labels, **columns}, index=index)
        for name in names:
            table[f"rank_{name}"] = table[name].rank(ascending=False, method="min").astype(int)
        order = ["disablement", "sufficiency", "posterior"]
        table = table.sort_values(order, ascending=False, kind="stable")
        found.append(CausalTable(table, int(symptoms[row]), status))
    return found


def rank_many(
    core: Core, evidence: Evidence
) -> tuple[FloatArray, FloatArray, FloatArray, IntArray, np.typing.NDArray[np.bool_]]:
    """Work out both measures of many cases.

    Parameters
    ----------
    core : Core
    evidence : Evidence
        N cases.

    Returns
    -------
    posterior, disablement, sufficiency : arrays (N, K)
        Of the causes in the order of `Core.causes`; 0 for excluded ones. Where the evidence is
        impossible the posterior is the prior and both measures are 0.
    symptoms : int array (N,)
    possible : bool array (N,)
    """
    n_cases, n_causes = len(evidence), len(core.causes)
    shown = [np.zeros((n_cases, n_causes)) for _ in range(3)]
    symptoms, possible = np.zeros(n_cases, dtype=np.intp), np.ones(n_cases, dtype=bool)
    for first in range(0, n_cases, ROWS_AT_ONCE):
        rows = slice(first, first + ROWS_AT_ONCE)
        ranking = causal_ranking(core.model, evidence.take(rows), backend=core.backend)
        columns = (ranking.posterior, ranking.disablement, ranking.sufficiency)
        for target, values in zip(shown, columns, strict=True):
            target[rows, core.columns] = values[:, core.modelled]
        symptoms[rows] = ranking.symptoms
        possible[rows] = ~np.isneginf(ranking.log_evidence)
    shown[0][~possible] = core.prior[:-1]
    return shown[0], shown[1], shown[2], symptoms, possible
