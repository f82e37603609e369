"""The list that an answer shows first, and the order that explains behind it.

A posterior says how probable it is that a cause is present; it may be high because the cause is
common. What an answer shows first is chosen by what the causes do for the findings that are there
(`bayesdx.inference.noisy.symptoms` has the quantities): three by the share of the picture that they
explain, and two of the others whose odds rose most, which are rarer but fit unusually well.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from bayesdx.inference.arrays import FloatArray
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.answer import Answer
from bayesdx.inference.noisy.symptoms import picture, prior_weights, shares

if TYPE_CHECKING:
    from bayesdx.diagnosis.core import Core

Measure = Literal["posterior", "explains", "plays_a_part"]
MEASURES: tuple[Measure, ...] = ("posterior", "explains", "plays_a_part")
#: How many causes are listed for what they explain, and how many for how well they fit.
BY_SHARE, BY_FIT = 3, 2
#: A first cause that explains less than this explains little: it is right in a quarter of the
#: published cases, where one that explains half is right in half of them.
LITTLE = 0.2
#: Digits after the point that count in an order: executors agree to more.
DIGITS = 10
_COLUMNS = ["label", "explains", "plays_a_part", "posterior", "prior", "ratio"]

#: Odds that rose by less than this rose, but not unusually.
UNUSUAL = 2.0
#: Why a cause is listed, in words; the page of `bayesdx.reports.browser` says the same.
WHY: Mapping[str, str] = MappingProxyType(
    {
        "share": "explains {} % of the picture",
        "little": "explains little, {} % of the picture",
        "rarer_unusual": "rarer, but fits unusually well",
        "unusual": "fits unusually well",
        "rarer_risen": "rarer, but more probable than before",
        "risen": "more probable than before",
        "nothing": "probable, and nothing is present to explain",
    }
)


def symptom_weights(core: Core) -> FloatArray:
    """Weigh the findings of a core, -ln P(finding) in the prior network; for `Core.once`."""
    return prior_weights(core.model, core.backend)


def causal_shares(
    core: Core, evidence: Evidence, answer: Answer, unexplained: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Lay out what the causes of N cases explain, as people see the causes.

    Parameters
    ----------
    core : Core
    evidence : Evidence
    answer : Answer
        With symptoms weighed by `symptom_weights`.
    unexplained : array (N,)
        P(no modelled cause is present | evidence).

    Returns
    -------
    explains : array (N, K + 1)
        Share of the picture, and last that of the background; rows add up to 1. All is the
        background's where no finding is present, and where there is no answer.
    plays_a_part : array (N, K + 1)
        P(the cause is present and produced at least one of the present findings), and last
        ``unexplained``, where nothing but the background can have.
    """
    total = picture(core.model, evidence, core.once(symptom_weights))
    found = np.zeros((2, len(evidence), len(core.causes) + 1))
    found[0][:, core.columns] = shares(answer.credit, total)[:, core.modelled]
    found[1][:, core.columns] = answer.responsible[:, core.modelled]
    found[0][:, -1] = np.clip(1.0 - found[0].sum(axis=1), 0.0, 1.0)
    found[1][:, -1] = unexplained
    return found[0], found[1]


def short_list(table: pd.DataFrame) -> pd.DataFrame:
    """Choose what is shown first.

    Parameters
    ----------
    table : DataFrame
        `Diagnosis.table`: by cause, ``unexplained`` last.

    Returns
    -------
    DataFrame
        Index ``cause``: label, explains, plays_a_part, posterior, prior, ratio, and why it is
        listed. Causes of equal share follow their part, then their posterior, then the order of
        the knowledge; where no finding is present that could be explained, the posterior alone.
        Causes that are excluded, and odds that did not rise, are not listed.
    """
    causes = table.iloc[:-1]
    causes = causes[causes["posterior"] > 0.0]
    if not (causes["explains"] > 0.0).any():
        first = _sorted(causes, ["posterior"]).head(BY_SHARE + BY_FIT)
        return first[_COLUMNS].assign(why=WHY["nothing"])
    first = _sorted(causes, ["explains", "plays_a_part", "posterior"]).head(BY_SHARE)
    others = causes[(causes["ratio"].round(DIGITS) > 1.0) & ~causes.index.isin(first.index)]
    fitting = _sorted(others, ["ratio", "explains", "posterior"]).head(BY_FIT)
    explained = first["explains"].tolist()
    how = ["little" if explained[0] < LITTLE else "share", *["share"] * (len(first) - 1)]
    why = [WHY[k].format(f"{100 * part:.0f}") for k, part in zip(how, explained, strict=True)]
    usual = float(first["prior"].max())
    for prior, ratio in zip(fitting["prior"].tolist(), fitting["ratio"].tolist(), strict=True):
        fits = "unusual" if ratio >= UNUSUAL else "risen"
        why.append(WHY[f"rarer_{fits}" if prior < usual else fits])
    listed: pd.DataFrame = pd.concat([first, fitting])[_COLUMNS].assign(why=why)
    return listed


def _sorted(causes: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Sort by some columns, the greatest first, but for what rounding made of them."""
    keys = [np.round(-causes[name].to_numpy(dtype=np.float64), DIGITS) for name in names]
    order = np.lexsort(keys[::-1])
    return causes.iloc[order]
