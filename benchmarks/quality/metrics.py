"""Measures of quality: arrays in, numbers out. Nothing here knows causes, files or engines.

Ranks are mid-ranks: a value shares the places of everything it ties with. A predictor that says the
same of all C causes so gets rank (C + 1) / 2, neither first nor last.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

#: Probabilities are kept this far from 0 and 1 before a logarithm is taken.
SMALLEST = 1e-12
#: The same for the slope of calibration, where one prediction of 0 must not decide.
SMALLEST_IN_FIT = 1e-9
_Z95 = 1.959963984540054
_RESAMPLES = 2000


class Share(NamedTuple):
    """A proportion with its Wilson 95 % interval; NaN where there is nothing to count."""

    hits: int
    n: int
    share: float
    low: float
    high: float


class Mean(NamedTuple):
    """A mean with a bootstrap 95 % interval (percentiles)."""

    n: int
    mean: float
    low: float
    high: float


class Reliability(NamedTuple):
    """Predictions in bins: how many, what was said in the mean, how many came true; each (B,)."""

    n: Ints
    predicted: Ints | Floats
    events: Ints


class Calibration(NamedTuple):
    """Logistic regression of what happened on the log odds of what was said."""

    slope: float
    intercept: float


def wilson(hits: int, n: int) -> Share:
    """Count a proportion with its 95 % interval (Wilson 1927)."""
    if n == 0:
        return Share(hits, n, math.nan, math.nan, math.nan)
    share, z2 = hits / n, _Z95**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z95 * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    low = 0.0 if hits == 0 else centre - half
    high = 1.0 if hits == n else centre + half
    return Share(hits, n, share, low, high)


def share_of(mask: Bools) -> Share:
    """Count how many of a boolean array are true."""
    return wilson(int(mask.sum()), len(mask))


def bootstrap_mean(values: Floats, rng: np.random.Generator) -> Mean:
    """Mean of values with a percentile bootstrap 95 % interval."""
    if len(values) == 0:
        return Mean(0, math.nan, math.nan, math.nan)
    rows = rng.integers(len(values), size=(_RESAMPLES, len(values)))
    low, high = np.quantile(values[rows].mean(axis=1), [0.025, 0.975])
    return Mean(len(values), float(values.mean()), float(low), float(high))


def mid_rank(value: float, others: Floats) -> float:
    """Rank of a value among others, 1 the highest; ties share their places."""
    return 1.0 + float((others > value).sum()) + 0.5 * float((others == value).sum())


def top_shares(ranks: Floats, ks: Sequence[int] = (1, 3, 5)) -> dict[int, Share]:
    """Shares of ranks that are k or better."""
    return {k: share_of(ranks <= k) for k in ks}


def reciprocal(ranks: Floats) -> Floats:
    """Reciprocal ranks; their mean is the mean reciprocal rank."""
    result: Floats = 1.0 / ranks
    return result


def log_loss(probability: Floats) -> Floats:
    """Minus the natural logarithm of what was said of what is the case."""
    result: Floats = -np.log(np.clip(probability, SMALLEST, 1.0))
    return result


def bernoulli_log_loss(probability: Floats, truth: Bools, counted: Bools) -> Floats:
    """Sum over causes of minus the log of what was said of each, present or absent.

    Parameters
    ----------
    probability, truth, counted : arrays (N, C)
        Where `counted` is false, the truth is not known and nothing is added.

    Returns
    -------
    array (N,)
    """
    said = np.where(truth, probability, 1.0 - probability)
    result: Floats = np.where(counted, log_loss(said), 0.0).sum(axis=1)
    return result


def brier(probability: Floats, truth: Bools) -> float:
    """Mean squared distance between what was said and what is the case."""
    return float(((probability - truth) ** 2).mean())


def calibration(probability: Floats, truth: Bools) -> Calibration:
    """Fit ``logit P(true) = intercept + slope * logit(said)`` by Newton's method.

    Slope 1 and intercept 0 is perfect. A slope below 1: what is said is too extreme. NaN where the
    fit does not exist: all predictions alike, all outcomes alike, or perfectly separated ones.
    """
    said = np.clip(probability, SMALLEST_IN_FIT, 1.0 - SMALLEST_IN_FIT)
    x = np.log(said) - np.log1p(-said)
    nowhere = Calibration(math.nan, math.nan)
    if np.ptp(x) == 0.0 or truth.all() or not truth.any() or _separated(x, truth):
        return nowhere
    design = np.stack([np.ones_like(x), x])
    # From no information at all: the rate of events, whatever was said. A step is cut short where
    # the whole one would overshoot.
    rate = float(truth.mean())
    at, loss = np.array([math.log(rate / (1.0 - rate)), 0.0]), math.inf
    for _ in range(100):
        new_loss, gradient, curvature = _logistic(design, at, truth)
        if abs(loss - new_loss) <= 1e-12 * abs(new_loss):
            return Calibration(float(at[1]), float(at[0]))
        loss, step = new_loss, np.linalg.solve(curvature, gradient)
        while _logistic(design, at + step, truth)[0] > loss and np.abs(step).max() > 1e-12:
            step = step / 2.0
        at = at + step
    return nowhere


def _separated(x: Floats, truth: Bools) -> bool:
    true, false = x[truth], x[~truth]
    return bool(true.min() >= false.max() or true.max() <= false.min())


def _logistic(design: Floats, at: Floats, truth: Bools) -> tuple[float, Floats, Floats]:
    """Loss, downhill gradient and curvature of a logistic regression."""
    line = at @ design
    loss = float((np.logaddexp(0.0, line) - truth * line).sum())
    fitted = 1.0 / (1.0 + np.exp(-line))
    weight = fitted * (1.0 - fitted)
    return loss, design @ (truth - fitted), (design * weight) @ design.T


def reliability(probability: Floats, truth: Bools, edges: Floats) -> Reliability:
    """Sort predictions into bins; what lies outside the outer edges goes into the outer bins.

    Parameters
    ----------
    probability, truth : arrays of one shape
    edges : array (B + 1,), increasing
        A prediction on an edge belongs to the bin above it.
    """
    said, came = probability.ravel(), truth.ravel()
    bins = len(edges) - 1
    at = np.clip(np.searchsorted(edges, said, side="right") - 1, 0, bins - 1)
    n = np.bincount(at, minlength=bins)
    total = np.bincount(at, weights=said, minlength=bins)
    events = np.bincount(at[came], minlength=bins)
    mean = np.divide(total, n, out=np.full(bins, np.nan), where=n > 0)
    return Reliability(n, mean, events)


def pool_bins(parts: Sequence[Reliability]) -> Reliability:
    """Add up bins of several sets of predictions."""
    n = np.sum([part.n for part in parts], axis=0)
    total = np.sum([np.nan_to_num(part.predicted) * part.n for part in parts], axis=0)
    events = np.sum([part.events for part in parts], axis=0)
    mean = np.divide(total, n, out=np.full(len(n), np.nan), where=n > 0)
    return Reliability(n, mean, events)


def clustered_interval(
    parts: Sequence[Reliability], rng: np.random.Generator, resamples: int = _RESAMPLES
) -> tuple[Floats, Floats]:
    """95 % interval of the observed share in each bin when whole parts are drawn anew.

    Predictions of one part share their parameters, so they are no independent trials; where the
    Wilson interval of the pooled counts is wider, it is taken.

    Returns
    -------
    low, high : arrays (B,)
    """
    n = np.stack([part.n for part in parts])
    events = np.stack([part.events for part in parts])
    rows = rng.integers(len(parts), size=(resamples, len(parts)))
    counts, hits = n[rows].sum(axis=1), events[rows].sum(axis=1)
    shares = np.divide(hits, counts, out=np.full(hits.shape, np.nan), where=counts > 0)
    low, high = wilson_bins(pool_bins(parts))
    for b in np.flatnonzero((~np.isnan(shares)).any(axis=0)):
        ends = np.nanquantile(shares[:, b], [0.025, 0.975])
        low[b], high[b] = min(low[b], ends[0]), max(high[b], ends[1])
    return low, high


def wilson_bins(bins: Reliability) -> tuple[Floats, Floats]:
    """Wilson 95 % interval of the observed share in each bin."""
    shares = [wilson(int(hits), int(n)) for hits, n in zip(bins.events, bins.n, strict=True)]
    return np.array([one.low for one in shares]), np.array([one.high for one in shares])


def confusion(expected: Ints, given: Ints, levels: int) -> Ints:
    """Count pairs: row the expected level, column the given one."""
    table = np.zeros((levels, levels), dtype=np.int64)
    np.add.at(table, (expected, given), 1)
    return table


def triage(expected: Ints, given: Ints) -> dict[str, Any]:
    """Too low, too high and by how many levels; level 0 is the most urgent.

    Returns
    -------
    dict
        ``under``, ``over``, ``exact``: shares; ``under_levels``, ``over_levels``: how many cases
        are off by 1, 2, … levels; ``mean_shift``: mean of given minus expected (above 0: too low).
    """
    shift = given - expected
    return {
        "under": share_of(shift > 0),
        "over": share_of(shift < 0),
        "exact": share_of(shift == 0),
        "under_levels": _by_size(shift[shift > 0]),
        "over_levels": _by_size(-shift[shift < 0]),
        "mean_shift": float(shift.mean()) if len(shift) else math.nan,
    }


def _by_size(sizes: Ints) -> dict[int, int]:
    values, counts = np.unique(sizes, return_counts=True)
    return {int(size): int(count) for size, count in zip(values, counts, strict=True)}


def position(value: float, reference: Floats) -> float:
    """Share of a reference that lies below a value; ties count half."""
    return float((reference < value).mean() + 0.5 * (reference == value).mean())


def across(values: Sequence[float], take: Callable[[Floats], Any] = np.nanmean) -> dict[str, float]:
    """Mean of one number per set of cases, and its 5 % and 95 % points across the sets."""
    array = np.asarray(values, dtype=np.float64)
    if np.isnan(array).all():
        return {"mean": math.nan, "p05": math.nan, "p95": math.nan}
    low, high = np.nanquantile(array, [0.05, 0.95])
    return {"mean": float(take(array)), "p05": float(low), "p95": float(high)}
