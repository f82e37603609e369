"""How sure an answer can be, given how unsure the numbers behind it are.

Every number of the knowledge has a distribution that fits its range and basis (`number_draws`).
Two methods carry it to the posteriors of a case:

* *Draws.* All numbers are drawn together, and the case is answered exactly under every draw; the
  interval lies between two quantiles of these answers (Monte Carlo uncertainty analysis).
* *First order.* The log-odds of a posterior move with the log-odds of each number by a slope; the
  variances of the numbers times the squared slopes add up (the delta method). It says which
  numbers matter, and needs no chance, but sees no bend and no clash of numbers.

An interval speaks of the numbers that were stated, taken as independent of each other. It knows
nothing of what the model leaves out: the truth can lie outside more often than its level says.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import special

from bayesdx.building.knowledge_draws import KnowledgeDraws
from bayesdx.checked_numbers import is_share, is_whole
from bayesdx.diagnosis.cases import Cases
from bayesdx.diagnosis.core import Core
from bayesdx.diagnosis.first_order import (
    Answers,
    FirstOrder,
    answers_under,
    first_order,
    log_odds_of,
    number_columns,
)
from bayesdx.diagnosis.ranking import ranking
from bayesdx.diagnosis.results import IMPOSSIBLE, NO_FINDINGS, OK, Result, Status
from bayesdx.diagnosis.scoring import UNEXPLAINED
from bayesdx.errors import BayesdxError, Fault, Phrase
from bayesdx.inference.evidence import no_evidence
from bayesdx.inference.noisy.model import FloatArray, IntArray
from bayesdx.presentation.plots import plot_posteriors

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

#: The first two causes can be told apart when the first is ahead in this share of the draws.
TOLD_APART = 0.9
#: Causes and numbers a cause that `Intervals.drivers` tells.
DRIVEN_CAUSES, DRIVERS = 5, 10
MOST_DRAWS = 20_000


@dataclass(frozen=True, eq=False, repr=False)
class Intervals(Result):
    """Credible intervals of the posteriors of one case and of their order.

    Attributes
    ----------
    table : DataFrame
        Index ``cause``, sorted by posterior, last ``unexplained``:

        label, posterior
            With the numbers as stated.
        low, high : float
            Quantiles of the draws, ``(1 - level) / 2`` and ``(1 + level) / 2``.
        mean : float
            Over the draws.
        deviation : float
            Standard deviation of the log-odds over the draws; 0 for what is excluded.
        first_order_low, first_order_high, first_order_deviation : float
            The same by the first-order method.
        rank, rank_low, rank_high : int
            Position by posterior from 1, with its interval; 0 for ``unexplained``.
        p_first : float
            Share of the draws in which the cause comes first.
    drivers : DataFrame
        For the first causes, the numbers whose uncertainty matters most: cause, place, title,
        value, low, high (the range, or the 5 % and 95 % points of the distribution), deviation (of
        its log-odds, or the logarithm of a ratio), slope (log-odds of the posterior by that of the
        number), share (of the first-order variance), correlation (squared rank correlation with
        the posterior over the draws), basis, source, statements.
    undecided : str
        In words, when the first two causes cannot be told apart: the first is ahead of the second
        in fewer than 90 % of the draws. Empty when they can, or there is nothing to tell.
    ahead : float
        The share of draws in which the first cause is ahead of the second; 1 where there is none.
    level : float
    draws : int
        Draws that were asked for.
    possible : int
        Draws under which the evidence is possible; only these count.
    put_back : int
        Draws in which a number has its stated value, since the drawn ones could not hold together.
    status : str
        ``"ok"``, ``"impossible"`` or ``"no_findings"``. Unless it is ``"ok"`` the table is about
        the priors.
    sample : array (P, K + 1)
        The posteriors under each of the possible draws, columns as the rows of `table`.
    """

    table: pd.DataFrame
    drivers: pd.DataFrame
    undecided: str
    ahead: float
    level: float
    draws: int
    possible: int
    put_back: int
    status: Status
    sample: FloatArray = field(repr=False)

    def plot(self, ax: Axes | None = None, top: int = 10) -> Axes:
        """Draw posteriors of the first causes with their intervals.

        Parameters
        ----------
        ax : Axes, optional
            Matplotlib axes to draw on; new ones when not given.
        top : int
            Causes to draw.

        Returns
        -------
        Axes

        Raises
        ------
        BayesdxError
            When Matplotlib, of the extra ``plot``, is not installed.

        Examples
        --------
        >>> import bayesdx
        >>> bayesdx.load().intervals({"fair_pos": "present"}, draws=50).plot().get_xlabel()
        'probability'
        """
        return plot_posteriors(self.table, ax, top)

    def to_xarray(self) -> xr.Dataset:
        """Return the draws and intervals as ArviZ reads them.

        Returns
        -------
        Dataset
            ``posterior`` (chain, draw, cause): one chain of the draws under which the evidence is
            possible. Along ``cause`` also the coordinates label, stated, low and high; level, draws
            and status as attributes.

        Raises
        ------
        BayesdxError
            When xarray is not installed.

        Examples
        --------
        >>> import bayesdx
        >>> found = bayesdx.load().intervals({"fair_pos": "present"}, draws=50).to_xarray()
        >>> found["posterior"].dims
        ('chain', 'draw', 'cause')
        """
        try:
            import xarray as xr
        except ImportError:
            needed = "xarray (pip install xarray)"
            raise BayesdxError(Fault("to_xarray", needed, Phrase("none"))) from None
        table = self.table
        along = {name: ("cause", table[name].to_numpy()) for name in ("label", "low", "high")}
        return xr.Dataset(
            {"posterior": (("chain", "draw", "cause"), self.sample[None])},
            coords={
                "chain": [0],
                "draw": np.arange(len(self.sample)),
                "cause": table.index.to_numpy(dtype=str),
                "stated": ("cause", table["posterior"].to_numpy()),
                **along,
            },
            attrs={"level": self.level, "draws": self.draws, "status": self.status},
        )


def intervals(
    core: Core,
    findings: Mapping[str, object] | Cases,
    *,
    level: float = 0.9,
    draws: int = 2000,
    seed: int = 0,
) -> Intervals:
    """Work out credible intervals for one case; see `Engine.intervals`.

    The same seed gives the same draws; a longer series begins like a shorter one.
    """
    check_draws(level, draws, seed)
    cases = core.read_case(findings)
    ready = core.perturbations
    evidence = cases.evidence
    status: Status = OK if bool(cases.known[0]) else NO_FINDINGS
    near = first_order(core, ready, evidence)
    if near.log_evidence == -math.inf:
        status, evidence = IMPOSSIBLE, no_evidence(core.model, 1)
        near = first_order(core, ready, evidence)
    drawn = ready.drawn(draws, seed)
    answers = answers_under(core, drawn, evidence)
    possible = answers.possible
    stated, posterior = near.posterior, answers.posterior[possible]
    table = intervals_of(core, near, answers, level)
    ahead = _ahead(stated, posterior)
    order = ranking(stated[None, :-1])[0]
    put_back = drawn.upper.put_back.values()
    return Intervals(
        table=table.loc[[*(core.causes[k] for k in order), UNEXPLAINED]],
        drivers=_drivers(core, order, near, drawn, np.flatnonzero(possible), posterior),
        undecided=_undecided(core, order, ahead) if status == OK else "",
        ahead=ahead,
        level=level,
        draws=draws,
        possible=int(possible.sum()),
        put_back=int(np.logical_or.reduce([*put_back, np.zeros(draws, dtype=bool)]).sum()),
        status=status,
        sample=posterior[:, np.append(order, len(order))],
    )


def check_draws(level: float, draws: int, seed: int) -> None:
    """Refuse a level, a number of draws or a seed that is out of bounds."""
    faults = []
    if not is_share(level):
        faults.append(Fault("level", "a share strictly between 0 and 1", level))
    if not is_whole(draws, 2, MOST_DRAWS):
        faults.append(Fault("draws", f"a whole number from 2 to {MOST_DRAWS}", draws))
    if not is_whole(seed, 0):
        faults.append(Fault("seed", "a whole number that is not negative", seed))
    if faults:
        raise BayesdxError(faults)


def intervals_of(core: Core, near: FirstOrder, answers: Answers, level: float) -> pd.DataFrame:
    """Return the table of `Intervals`, causes in the order of ``core.causes``.

    Parameters
    ----------
    core : Core
    near : FirstOrder
    answers : Answers
        Under drawn sets of numbers.
    level : float
    """
    table = _table(core, near.posterior, answers.posterior[answers.possible], level)
    _add_first_order(table, near, level)
    return table


def _table(core: Core, stated: FloatArray, posterior: FloatArray, level: float) -> pd.DataFrame:
    tails = (1.0 - level) / 2.0, (1.0 + level) / 2.0
    low, high = np.quantile(posterior, tails, axis=0)
    # Ties, as among excluded causes, keep the order of the knowledge.
    order = np.argsort(-posterior[:, :-1], axis=1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(1, order.shape[1] + 1)[None], axis=1)
    rank_low, rank_high = np.quantile(ranks, tails, axis=0, method="inverted_cdf")
    own = np.empty(len(stated) - 1, dtype=np.intp)
    own[ranking(stated[None, :-1])[0]] = np.arange(1, len(stated))
    labels = [core.knowledge.causes[name].label for name in core.causes]
    return pd.DataFrame(
        {
            "label": [*labels, "No modelled cause"],
            "posterior": stated,
            "low": low,
            "high": high,
            "mean": posterior.mean(axis=0),
            "deviation": np.where(
                posterior.max(axis=0) > 0.0, log_odds_of(posterior).std(axis=0), 0.0
            ),
            "rank": np.append(own, 0),
            "rank_low": np.append(rank_low, 0).astype(np.intp),
            "rank_high": np.append(rank_high, 0).astype(np.intp),
            "p_first": np.append((ranks == 1).mean(axis=0), 0.0),
        },
        index=pd.Index([*core.causes, UNEXPLAINED], name="cause"),
    )


def _add_first_order(table: pd.DataFrame, near: FirstOrder, level: float) -> None:
    stated, deviation = near.posterior, np.sqrt((near.pulls**2).sum(axis=0))
    half = float(special.ndtri((1.0 + level) / 2.0)) * deviation
    centre = log_odds_of(stated)
    known = stated > 0.0
    table["first_order_low"] = np.where(known, special.expit(centre - half), 0.0)
    table["first_order_high"] = np.where(known, special.expit(centre + half), 0.0)
    table["first_order_deviation"] = np.where(known, deviation, 0.0)


def _ahead(stated: FloatArray, posterior: FloatArray) -> float:
    if len(stated) < 3:
        return 1.0
    first, second = ranking(stated[None, :-1])[0, :2]
    return float((posterior[:, first] > posterior[:, second]).mean())


def _undecided(core: Core, order: IntArray, ahead: float) -> str:
    if ahead >= TOLD_APART:
        return ""
    labels = [core.knowledge.causes[core.causes[k]].label for k in order[:2]]
    return (
        "The first two cannot be told apart: with the numbers as uncertain as they are stated to "
        f"be, {labels[0]} is ahead of {labels[1]} in {ahead:.0%} of the draws "
        f"(under {TOLD_APART:.0%})."
    )


def _drivers(
    core: Core,
    order: IntArray,
    near: FirstOrder,
    drawn: KnowledgeDraws,
    possible: IntArray,
    posterior: FloatArray,
) -> pd.DataFrame:
    pulls, rows = near.pulls, []
    for k in order[:DRIVEN_CAUSES]:
        variance = pulls[:, k] ** 2
        total, ranks = float(variance.sum()), _ranked(posterior[:, k])
        for j in np.argsort(-variance, kind="stable")[:DRIVERS]:
            if variance[j] > 0.0:
                mover = near.movers[j]
                values = drawn.upper.values[mover.number.number.address]
                own = values if mover.state < 0 else values[mover.state]
                rows.append(
                    {"cause": core.causes[k], **number_columns(mover)}
                    | {"slope": float(near.slopes[j, k]), "share": float(variance[j]) / total}
                    | {"correlation": _squared_correlation(_ranked(own[possible]), ranks)}
                )
    return pd.DataFrame(rows, columns=DRIVER_COLUMNS)


#: Columns of `Intervals.drivers`.
DRIVER_COLUMNS = (
    "cause",
    "place",
    "title",
    "value",
    "low",
    "high",
    "deviation",
    "slope",
    "share",
    "correlation",
    "basis",
    "source",
    "statements",
)


def _ranked(values: FloatArray) -> FloatArray:
    """Return ranks, centred; of equal values, in the order of the draws."""
    ranks = np.empty(len(values))
    ranks[np.argsort(values, kind="stable")] = np.arange(len(values))
    return np.asarray(ranks - ranks.mean())


def _squared_correlation(first: FloatArray, second: FloatArray) -> float:
    both = float((first**2).sum() * (second**2).sum())
    return float(first @ second) ** 2 / both if both > 0.0 else 0.0
