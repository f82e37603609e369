"""Every stated number as a distribution, and draws from it.

A probability is drawn from the Beta, a ratio from the log-normal distribution that fits its value
and range (`bayesdx.knowledge.distributions`); the shares of a risk with several states from a
Dirichlet distribution with the equivalent sample size of its basis. Numbers are drawn independently
of each other, each from a stream of its own that depends on the seed and on its place alone: other
numbers, their order and how many draws are taken change nothing, and the first draws of a long
series are those of a short one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from scipy import special

from bayesdx.inference.noisy.model import FloatArray
from bayesdx.knowledge.addresses import Address, PlacedNumber, every_number
from bayesdx.knowledge.distributions import (
    BetaFit,
    LogNormalFit,
    fit_beta,
    fit_betas,
    fit_log_normal,
)
from bayesdx.knowledge.knowledge import Knowledge

#: Drawn probabilities stay this far from 0 and 1, where a Beta draw can round to.
EDGE = 1e-9
#: Standard normal quantile of the ends of a stated range, which is read as a 90 % interval.
_NORMAL_95 = 1.6448536269514722


Fit = BetaFit | LogNormalFit | tuple[float, ...] | None


@dataclass(frozen=True)
class Uncertain:
    """A number and its distribution: Beta, log-normal, Dirichlet weights; None if it is fixed."""

    number: PlacedNumber
    fit: Fit

    @property
    def deviation(self) -> float:
        """Standard deviation of the log-odds of a probability, of the logarithm of a ratio.

        0 for a number that is fixed; NaN for the shares of a risk with several states, which have
        more than one log-odds.
        """
        if self.fit is None:
            return 0.0
        if isinstance(self.fit, LogNormalFit):
            return self.fit.deviation
        if isinstance(self.fit, BetaFit):
            spread = special.polygamma(1, self.fit.a) + special.polygamma(1, self.fit.b)
            return math.sqrt(float(spread))
        return math.nan

    @property
    def ends(self) -> tuple[float, float]:
        """The stated range; without one the 5 % and 95 % points of the distribution.

        The value itself where the number is fixed, NaN where it is a set of shares. An end at 0 or
        1, which no probability here can have, is that point of the distribution as well.
        """
        value, stated = self.number.value, self.number.stated.range
        if isinstance(value, tuple):
            return math.nan, math.nan
        if self.fit is None:
            return value, value
        low, high = self._points()
        if stated is not None:
            low = stated[0] if stated[0] > 0.0 else low
            high = stated[1] if self.number.is_ratio or stated[1] < 1.0 else high
        return min(low, value), max(high, value)

    def _points(self) -> tuple[float, float]:
        if isinstance(self.fit, LogNormalFit):
            half = _NORMAL_95 * self.fit.deviation
            return math.exp(self.fit.mean - half), math.exp(self.fit.mean + half)
        assert isinstance(self.fit, BetaFit)
        low, high = special.betaincinv(self.fit.a, self.fit.b, [0.05, 0.95])
        return max(float(low), EDGE), min(float(high), 1.0 - EDGE)


def uncertain_numbers(knowledge: Knowledge) -> tuple[Uncertain, ...]:
    """Fit a distribution to every number of the knowledge, in the order of `every_number`."""
    sizes = knowledge.model.equivalent_sample_size
    numbers = list(every_number(knowledge))
    # Round figures recur: what is stated alike is fitted once.
    keys = [(one.value, one.stated.range, one.stated.basis, one.is_ratio) for one in numbers]
    alike = dict(zip(keys, numbers, strict=True))
    ranged = {key: _beta_range(one) for key, one in alike.items()}
    betas = {key: told for key, told in ranged.items() if told is not None}
    fits: dict[object, Fit] = {
        key: _fit(one, sizes[one.stated.basis]) for key, one in alike.items() if key not in betas
    }
    fits |= zip(betas, fit_betas(*zip(*betas.values(), strict=True)) if betas else (), strict=True)
    return tuple(Uncertain(one, fits[key]) for key, one in zip(keys, numbers, strict=True))


def _beta_range(number: PlacedNumber) -> tuple[float, float, float] | None:
    """Value and range of a number whose range a Beta distribution is fitted to, else None."""
    value, told = number.value, number.stated.range
    if isinstance(value, tuple) or number.is_ratio or told is None or value in (0.0, 1.0):
        return None
    return None if told[0] == told[1] or told == (0.0, 1.0) else (value, *told)


def _fit(number: PlacedNumber, size: float) -> Fit:
    value = number.value
    low, high = number.stated.range or (None, None)
    if isinstance(value, tuple):
        return tuple(share * size for share in value)
    if value in (0.0, 1.0) or (low is not None and low == high):
        return None
    if number.is_ratio:
        # A log-normal has no quantile at 0: a range that begins there says nothing below.
        return fit_log_normal(value, low or None, high if low else None, size)
    return fit_beta(value, low, high, size)


def draw_numbers(
    uncertain: Iterable[Uncertain], draws: int, seed: int
) -> dict[Address, FloatArray]:
    """Draw every number.

    Parameters
    ----------
    uncertain : iterable of Uncertain
    draws : int
        D.
    seed : int
        Not negative.

    Returns
    -------
    dict of Address to array (D,), or (S, D) for the shares of S states
    """
    return {one.number.address: _drawn(one, draws, seed) for one in uncertain}


def _drawn(one: Uncertain, draws: int, seed: int) -> FloatArray:
    fit = one.fit
    if fit is None:
        # A certain number; one that has several states is never certain.
        return np.full(draws, one.number.value, dtype=np.float64)
    digest = sha256(one.number.place.encode()).digest()
    rng = np.random.default_rng([seed, *np.frombuffer(digest[:16], dtype=np.uint32).tolist()])
    if isinstance(fit, LogNormalFit):
        return np.asarray(np.exp(rng.normal(fit.mean, fit.deviation, draws)))
    if isinstance(fit, BetaFit):
        return np.asarray(np.clip(rng.beta(fit.a, fit.b, draws), EDGE, 1.0 - EDGE))
    shares = np.maximum(rng.dirichlet(fit, draws).T, EDGE)
    return np.asarray(shares / shares.sum(axis=0))


def stated_values(uncertain: Iterable[Uncertain], draws: int) -> dict[Address, FloatArray]:
    """Return every number as it is stated, ``draws`` times; laid out as by `draw_numbers`."""
    values = {}
    for one in uncertain:
        value = np.asarray(one.number.value, dtype=np.float64)
        values[one.number.address] = np.repeat(value[..., None], draws, axis=-1)
    return values


def moved(one: Uncertain, steps: FloatArray) -> FloatArray:
    """Move a number by steps in log-odds (of a probability) or in the logarithm (of a ratio).

    Parameters
    ----------
    one : Uncertain
        With a single value.
    steps : array

    Returns
    -------
    array
        Of the same shape.
    """
    value = one.number.value
    assert not isinstance(value, tuple)
    if one.number.is_ratio:
        return np.asarray(value * np.exp(steps))
    odds = math.log(value) - math.log1p(-value)
    return np.asarray(special.expit(odds + steps))
