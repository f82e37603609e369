"""From an elicited range to a distribution.

A range is read as a central 90 % interval, the value as the mean of a Beta (of a probability) or
the median of a log-normal (of a ratio). Fixing the mean leaves one free number, the equivalent
sample size a + b; it is chosen so that the 5 % and 95 % quantiles come as close to the ends of the
range as they can.

Distances are measured between quantiles, not between tail masses. With a value at the edge of its
range, 0.7 in 0.69 to 0.95, no Beta has the range; the masses would then be best met by a spike just
above 0.69, a certainty that nobody expressed, the quantiles by one about as wide as the range.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

LOW, HIGH = 0.05, 0.95

QUANTILE_TOLERANCE = 0.2
"""How far a fitted quantile may be from the end of its range, as a share of the range's width, for
the range to count as matched. Ranges in round figures are off by some points; beyond this the shape
of the range contradicts its value, as with a value at the edge of its range."""

NORMAL_95 = 1.6448536269514722

NEGLIGIBLE = 1e-3
"""A difference of fit, as a share of the range's width, that no range in round figures can tell."""

_POINTS = 65
_FINE_POINTS = 17
_REFINEMENTS = 5
_SMALLEST, _LARGEST = 0.05, 1e9


class BetaFit(NamedTuple):
    """A Beta distribution, and whether it has the range it was fitted to."""

    a: float
    b: float
    matched: bool


class LogNormalFit(NamedTuple):
    """A log-normal distribution (of the logarithm), and whether it has its range."""

    mean: float
    deviation: float
    matched: bool


def fit_beta(mean: float, lo: float | None, hi: float | None, ess: float) -> BetaFit:
    """Fit a Beta distribution to a mean and a central 90 % interval.

    Parameters
    ----------
    mean : float
        Mean, strictly between 0 and 1; always kept exactly.
    lo, hi : float or None
        The interval; without it, or when it is all of 0 to 1, the equivalent sample size decides.
    ess : float
        Equivalent sample size a + b that goes with the basis of the number.

    Returns
    -------
    BetaFit
        The parameters; `matched` is False where the quantiles of the nearest Beta of this mean are
        further from the interval than a fifth of its width. Without an interval it is True.

    Raises
    ------
    ValueError
        If the mean is no probability, or the interval does not contain it.
    """
    if not 0.0 < mean < 1.0:
        raise ValueError(f"mean: expected a probability strictly between 0 and 1, got {mean!r}.")
    if lo is None or hi is None:
        return BetaFit(mean * ess, (1.0 - mean) * ess, True)
    if not (0.0 <= lo <= mean <= hi <= 1.0 and lo < hi):
        raise ValueError(f"interval: expected bounds around {mean!r}, got {(lo, hi)!r}.")
    if lo == 0.0 and hi == 1.0:
        return BetaFit(mean * ess, (1.0 - mean) * ess, True)
    return fit_betas([mean], [lo], [hi])[0]


def fit_betas(mean: Sequence[float], lo: Sequence[float], hi: Sequence[float]) -> list[BetaFit]:
    """Fit many Beta distributions at once; see `fit_beta`.

    Parameters
    ----------
    mean, lo, hi : sequences of float
        As there, of as many numbers; no interval is all of 0 to 1.
    """
    ranges = _Ranges(*(np.array(one, dtype=np.float64)[:, None] for one in (mean, lo, hi)))
    log_size = _best_log_sizes(ranges)
    misses = np.abs(_misses(ranges, log_size[:, None])).max(axis=0)
    matched = misses <= QUANTILE_TOLERANCE * (ranges.hi - ranges.lo)
    return [
        BetaFit(one * size, (1.0 - one) * size, bool(good))
        for one, size, good in zip(mean, map(math.exp, log_size), matched[:, 0], strict=True)
    ]


def fit_log_normal(median: float, lo: float | None, hi: float | None, ess: float) -> LogNormalFit:
    """Fit a log-normal distribution to a median and a central 90 % interval.

    Parameters
    ----------
    median : float
        Median, above 0; always kept exactly.
    lo, hi : float or None
        The interval, above 0; without it the deviation is ``2 / sqrt(ess)``, that of a log odds
        ratio estimated from so many people in equal groups.
    ess : float
        Equivalent sample size that goes with the basis of the number.

    Returns
    -------
    LogNormalFit
        Mean and standard deviation of the logarithm; `matched` is False where the median is further
        from the middle of the interval, in logarithms, than a fifth of its width.

    Raises
    ------
    ValueError
        If the median is not positive, or the interval does not contain it.
    """
    if not 0.0 < median < math.inf:
        raise ValueError(f"median: expected a ratio above 0, got {median!r}.")
    centre = math.log(median)
    if lo is None or hi is None:
        return LogNormalFit(centre, 2.0 / math.sqrt(ess), True)
    if not (0.0 < lo <= median <= hi < math.inf and lo < hi):
        raise ValueError(f"interval: expected bounds around {median!r}, got {(lo, hi)!r}.")
    width = math.log(hi) - math.log(lo)
    off = abs((math.log(hi) + math.log(lo)) / 2.0 - centre)
    return LogNormalFit(centre, width / (2.0 * NORMAL_95), off <= QUANTILE_TOLERANCE * width)


class _Ranges(NamedTuple):
    """Means and ends of ranges, (R, 1) each."""

    mean: Floats
    lo: Floats
    hi: Floats

    def take(self, rows: NDArray[np.intp]) -> _Ranges:
        return _Ranges(*(one[rows] for one in self))


def _best_log_sizes(ranges: _Ranges) -> Floats:
    """Return the logarithms, (R,), of the a + b whose quantiles are nearest to the ranges.

    A skewed mean can have its quantiles near the same range at two sizes, one of which puts nearly
    all mass on 0 or 1. Each minimum of a grid is therefore refined, and of those that are about as
    good the largest size, the single-peaked shape, is taken.
    """
    log_sizes = np.linspace(math.log(_SMALLEST), math.log(_LARGEST), _POINTS)
    loss = _loss(ranges, log_sizes[None])
    padded = np.pad(loss, ((0, 0), (1, 1)), constant_values=math.inf)
    rows, columns = np.nonzero((padded[:, :-2] >= loss) & (loss <= padded[:, 2:]))
    refined = ranges.take(rows)
    value, log_size = _refine(refined, log_sizes[columns], float(log_sizes[1] - log_sizes[0]))
    first = np.flatnonzero(np.diff(rows, prepend=-1))
    enough = np.minimum.reduceat(value, first) + (NEGLIGIBLE * (ranges.hi - ranges.lo)[:, 0]) ** 2
    good = np.where(value <= enough[rows], log_size, -math.inf)
    return np.asarray(np.maximum.reduceat(good, first))


def _refine(ranges: _Ranges, log_size: Floats, step: float) -> tuple[Floats, Floats]:
    """Return the losses and the logarithms of the sizes at the minima next to points of a grid."""
    every, value = np.arange(len(log_size)), np.empty_like(log_size)
    for _ in range(_REFINEMENTS):
        log_sizes = np.linspace(log_size - step, log_size + step, _FINE_POINTS, axis=1)
        loss = _loss(ranges, log_sizes)
        best = loss.argmin(axis=1)
        value, log_size = loss[every, best], log_sizes[every, best]
        step = 2.0 * step / (_FINE_POINTS - 1)
    return value, log_size


def _loss(ranges: _Ranges, log_sizes: Floats) -> Floats:
    return np.asarray((_misses(ranges, log_sizes) ** 2).sum(axis=0), dtype=np.float64)


def _misses(ranges: _Ranges, log_sizes: Floats) -> Floats:
    """Return (2, R, sizes): how far the 5 % and 95 % quantiles are from the ends of the ranges."""
    sizes = np.exp(log_sizes)
    a, b = ranges.mean * sizes, (1.0 - ranges.mean) * sizes
    misses = np.zeros((2, *a.shape))
    # No quantile reaches a bound of 0 or 1, whatever the size; such an end says nothing.
    for miss, end, tail, told in (
        (misses[0], ranges.lo, LOW, ranges.lo > 0.0),
        (misses[1], ranges.hi, HIGH, ranges.hi < 1.0),
    ):
        special.betaincinv(a, b, tail, out=miss, where=told)
        np.subtract(miss, end, out=miss, where=told)
    return misses
