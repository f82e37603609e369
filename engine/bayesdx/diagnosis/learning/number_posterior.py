"""The posterior of stated numbers given cases: its mode and its widths."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import sparse, special

from bayesdx.building.number_chain import NumberChain
from bayesdx.building.number_draws import EDGE
from bayesdx.building.number_prior import NumberPrior
from bayesdx.building.perturbations import Mover
from bayesdx.diagnosis.learning.ascent import Ascent, Terrain, climb
from bayesdx.diagnosis.learning.case_likelihood import (
    MOST_INFORMING,
    Expansion,
    expand,
    log_probabilities,
    observed_information,
)
from bayesdx.diagnosis.learning.labels import LabelledRows
from bayesdx.errors import TooComplex
from bayesdx.inference.noisy.model import BoolArray, FloatArray, IntArray, NoisyModel
from bayesdx.knowledge.distributions import BetaFit, LogNormalFit

#: Standard normal quantile of the ends of a 90 % interval.
NORMAL_95 = 1.6448536269514722


@dataclass(frozen=True, eq=False)
class NumberPosterior:
    """The mode and how wide the posterior is around it.

    Attributes
    ----------
    steps : array (J,)
        From what was stated, in log-odds or the logarithm; exactly 0 of numbers that the cases
        say nothing of.
    information : array (J,)
        Of the cases, were all other numbers known; 0 where they say nothing.
    deviation : array (J,)
        Standard deviation by the information of cases and of what was stated; NaN where the cases
        say nothing.
    way : Ascent
    """

    steps: FloatArray
    information: FloatArray
    deviation: FloatArray
    way: Ascent


@dataclass(frozen=True, eq=False)
class Start:
    """Where a search begins: steps (J,), and slopes (T, J) of a chain there."""

    steps: FloatArray
    slopes: sparse.csc_array


def stated_start(chain: NumberChain) -> Start:
    """Begin at the stated numbers."""
    still = np.zeros(len(chain.movers))
    return Start(still, chain.slopes(still))


class Likelihood(Protocol):
    """What cases say of J numbers, at steps (J,) from what was stated."""

    def value(self, steps: FloatArray) -> float:
        """Log probability of the cases; ``-inf`` where the numbers cannot hold together."""

    def expansion(self, steps: FloatArray, *, whole: bool = False) -> Expansion:
        """The same with its derivatives, where it is possible.

        The information may be that of a sample of the cases, but for the ``whole``.
        """

    def only(self, informed: BoolArray) -> tuple[Likelihood, IntArray]:
        """Return that of some numbers, with every share of a risk or none, and which."""


class Remember(Protocol):
    """How the likelihood of a fit, by its name, is looked at."""

    def __call__(self, likelihood: Likelihood, name: str) -> Likelihood:
        """Return what is looked at in its place."""


def as_it_is(likelihood: Likelihood, name: str) -> Likelihood:  # noqa: ARG001
    """Keep nothing."""
    return likelihood


class CaseLikelihood:
    """The likelihood of cases that are at hand."""

    def __init__(self, chain: NumberChain, rows: LabelledRows, start: Start | None = None) -> None:
        self._chain, self._rows, self._start = chain, rows, start
        self._model: tuple[FloatArray, NoisyModel | None] | None = None

    def value(self, steps: FloatArray) -> float:
        """Log probability of the cases."""
        model = self._model_at(steps)
        if model is None:
            return -np.inf
        try:
            return float(log_probabilities(model, self._rows).sum())
        except TooComplex:
            # Links that came to act couple more: the search takes a shorter step.
            return -np.inf

    def expansion(self, steps: FloatArray, *, whole: bool = False) -> Expansion:
        """Differentiate it by the numbers of the chain."""
        model, start = self._model_at(steps), self._start
        assert model is not None
        known = start is not None and np.array_equal(start.steps, steps)
        slopes = start.slopes if start and known else self._chain.slopes(steps)
        informing = None if whole else MOST_INFORMING
        return expand(model, slopes, self._rows, informing=informing)

    def only(self, informed: BoolArray) -> tuple[CaseLikelihood, IntArray]:
        """Return that of some numbers, and which."""
        moving, free = self._chain.only(informed)
        return CaseLikelihood(moving, self._rows), free

    def _model_at(self, steps: FloatArray) -> NoisyModel | None:
        if self._model is None or not np.array_equal(self._model[0], steps):
            self._model = steps, self._chain.model(steps)
        return self._model[1]


def fit_numbers(
    chain: NumberChain,
    rows: LabelledRows,
    start: Start,
    *,
    widths: bool = True,
    kept: Callable[[Likelihood], Likelihood] = lambda likelihood: likelihood,
) -> NumberPosterior:
    """Find the mode of the posterior of the numbers of a chain, given cases.

    Parameters
    ----------
    chain : NumberChain
    rows : LabelledRows
        Cases that are possible under the numbers at the start.
    start : Start
        Numbers that the cases say nothing of go back to what was stated.
    widths : bool
        Whether deviations are wanted.
    kept : callable
        How the likelihood is looked at; see `bayesdx.diagnosis.learning.remembered`.

    Returns
    -------
    NumberPosterior
    """
    likelihood = kept(CaseLikelihood(chain, rows, start))
    return find_mode(chain, likelihood, start.steps, widths=widths)


def find_mode(
    chain: NumberChain, likelihood: Likelihood, start: FloatArray, *, widths: bool = True
) -> NumberPosterior:
    """Find the mode of what was stated and cases together, from steps (J,) that are possible."""
    n, begun = len(chain.movers), likelihood.expansion(start)
    informed = np.diag(begun.information) > 0.0
    moving, free = likelihood.only(informed)
    if not len(free):
        return _around(n, free, Ascent(start[free], (begun.value,), True))
    freed = chain.only(informed)[0]
    prior = NumberPrior(freed)
    search = _PosteriorSurface(moving, prior)
    block = begun.information[np.ix_(free, free)]
    first = Expansion(begun.value, begun.gradient[free], block, sampled=begun.sampled)
    search.last = start[free], first
    way = climb(search.value, search.look, start[free], search.look(start[free]))
    if not widths:
        return _around(n, free, way)
    last = search.expansion(way.point)
    if last.sampled:
        last = moving.expansion(way.point, whole=True)
    known = observed_information(last, freed.bends(way.point))
    return _around(n, free, way, (known, prior.expansion(way.point)[2]))


class _PosteriorSurface:
    """Log posterior of numbers, with where it was looked at last."""

    def __init__(self, likelihood: Likelihood, prior: NumberPrior) -> None:
        self.likelihood, self.prior = likelihood, prior
        self.last: tuple[FloatArray, Expansion] | None = None

    def value(self, point: FloatArray) -> float:
        stated = self.prior.log_density(point)
        return stated + self.likelihood.value(point) if np.isfinite(stated) else -np.inf

    def expansion(self, point: FloatArray) -> Expansion:
        """Of the log likelihood alone."""
        if self.last is None or not np.array_equal(self.last[0], point):
            self.last = point, self.likelihood.expansion(point)
        return self.last[1]

    def look(self, point: FloatArray) -> Terrain:
        found = self.expansion(point)
        density, gradient, curvature = self.prior.expansion(point)
        return Terrain(
            found.value + density,
            found.gradient + gradient,
            found.information + curvature,
        )


def _around(
    n: int, free: IntArray, way: Ascent, information: tuple[FloatArray, FloatArray] | None = None
) -> NumberPosterior:
    """Widths of n numbers around the mode, given what cases and what was stated tell of it."""
    steps, deviation, own = np.zeros(n), np.full(n, np.nan), np.zeros(n)
    steps[free] = way.point
    if information is not None:
        cases, stated = information
        own[free], deviation[free] = np.diag(cases), np.sqrt(np.diag(np.linalg.inv(cases + stated)))
    return NumberPosterior(steps, own, deviation, way)


def interval(mover: Mover, posterior: NumberPosterior, j: int) -> tuple[float, float]:
    """Return the ends of the 90 % interval of a learned number, NaN for shares of a risk.

    Of a probability that of a Beta distribution with the mean and the precision that were found,
    which stays sensible where a number is next to 0; of a ratio that of a log-normal one.
    """
    value, fit, step = mover.number.number.value, mover.number.fit, float(posterior.steps[j])
    if isinstance(value, tuple) or np.isnan(posterior.deviation[j]):
        return np.nan, np.nan
    if isinstance(fit, LogNormalFit):
        half = NORMAL_95 * float(posterior.deviation[j])
        return value * float(np.exp(step - half)), value * float(np.exp(step + half))
    p = float(special.expit(special.logit(value) + step))
    size = float(posterior.deviation[j]) ** -2.0 / (p * (1.0 - p))
    low, high = special.betaincinv(p * size, (1.0 - p) * size, [0.05, 0.95])
    return max(float(low), EDGE), min(float(high), 1.0 - EDGE)


def effective_cases(mover: Mover, posterior: NumberPosterior, j: int) -> float:
    """How many people, asked for this number alone, would tell as much of it as the cases do."""
    gain, value, fit = float(posterior.information[j]), mover.number.number.value, mover.number.fit
    if isinstance(fit, LogNormalFit):
        # As a log odds ratio of so many people in equal groups, see `distributions`.
        return 4.0 * gain
    if isinstance(fit, BetaFit):
        assert not isinstance(value, tuple)
        p = float(special.expit(special.logit(value) + posterior.steps[j]))
        return gain / (p * (1.0 - p))
    return gain
