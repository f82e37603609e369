"""How far one cause can be moved by any further answers: bounds that need no summing.

Given the risks and all other causes, the odds of a cause are its prior odds times one likelihood
ratio a finding, and for noisy-OR findings each ratio is a ratio of two functions that are linear in
what the other causes leave of "absent". Its extremes over all states of the others therefore lie at
the ends. A mean of ratios lies between the smallest and the largest of them, so the products of
the extremes bound the odds whatever the other causes and the unknown risks do. The bounds hold
always; they are often far from tight.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from bayesdx.inference.arrays import BoolArray, FloatArray
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.model import Links, NoisyModel


def posterior_bounds(
    model: NoisyModel, evidence: Evidence, open_findings: BoolArray, open_ordinals: BoolArray,
    cause: int,
) -> tuple[float, float]:  # fmt: skip
    """Bound the posterior of a cause over all answers to what is open, some or all of them.

    Parameters
    ----------
    model : NoisyModel
    evidence : Evidence
        One case that is possible, no cause clamped. Unknown risks count as open.
    open_findings, open_ordinals : bool arrays (F,), (O,)
        What can still be answered.
    cause : int

    Returns
    -------
    lower, upper : float
    """
    links = model.links
    low, high = _prior_odds(model, evidence, cause)
    for least, most in (
        _finding_ratios(model, links, evidence, open_findings, cause),
        _ordinal_ratios(model, links, evidence, open_ordinals, cause),
    ):
        low, high = low * least, high * most
    # 0 times infinity: nothing is known of that side.
    low, high = (0.0 if np.isnan(low) else low), (np.inf if np.isnan(high) else high)
    return low / (1.0 + low) if np.isfinite(low) else 1.0, (
        high / (1.0 + high) if np.isfinite(high) else 1.0
    )


def _prior_odds(model: NoisyModel, evidence: Evidence, cause: int) -> tuple[float, float]:
    table = model.cause_tables[cause]
    for axis in reversed(range(table.ndim)):
        state = int(evidence.risks[0, model.cause_parents[cause][axis]])
        if state >= 0:
            table = np.moveaxis(table, axis, 0)[state]
    with np.errstate(divide="ignore"):
        odds = np.divide(table, 1.0 - table)
    return float(odds.min()), float(odds.max())


def _finding_ratios(
    model: NoisyModel, links: Links, evidence: Evidence, open_: BoolArray, cause: int
) -> tuple[float, float]:
    """Product over the binary findings of the least and the greatest likelihood ratio."""
    others = np.arange(len(model.causes)) != cause
    keep, factor = 1.0 - links.strength, links.factor
    least_kept = np.prod(keep[others], axis=0)
    least_factor = np.prod(factor[others], axis=0)
    seen = evidence.findings[0]
    low, high = np.ones(len(seen)), np.ones(len(seen))
    known = ~np.isnan(seen)
    for given in (np.where(known, seen, 0.0), np.where(known, seen, 1.0)):
        ratios = []
        for one, two in product((least_kept, 1.0), (least_factor, 1.0)):
            kept, lowered = np.broadcast_to(one, seen.shape), np.broadcast_to(two, seen.shape)
            with_it = _likelihood(given, kept * keep[cause], lowered * factor[cause], links.leak)
            ratios.append(_ratio(with_it, _likelihood(given, kept, lowered, links.leak)))
        least, most = np.min([r[0] for r in ratios], axis=0), np.max([r[1] for r in ratios], axis=0)
        # An open finding may also stay unknown, which leaves the odds as they are.
        low = np.where(known, least, np.where(open_, np.minimum(low, least), low))
        high = np.where(known, most, np.where(open_, np.maximum(high, most), high))
    with np.errstate(invalid="ignore"):
        # 0 times infinity is NaN, which the caller takes for "anything".
        return float(np.prod(low)), float(np.prod(high))


def _likelihood(
    present: FloatArray, kept: FloatArray, lowered: FloatArray, leak: FloatArray
) -> FloatArray:
    """P(what was seen) where the causes leave `kept` of "absent" and `lowered` of the leak."""
    absent = kept * (1.0 - leak * lowered)
    return np.asarray(present * (1.0 - absent) + (1.0 - present) * absent)


def _ratio(above: FloatArray, below: FloatArray) -> tuple[FloatArray, FloatArray]:
    """A quotient as a lower and an upper bound; 0 by 0 can be anything."""
    with np.errstate(divide="ignore", invalid="ignore"):
        quotient = above / below
    lost = np.isnan(quotient)
    return np.where(lost, 0.0, quotient), np.where(lost, np.inf, quotient)


def _ordinal_ratios(
    model: NoisyModel, links: Links, evidence: Evidence, open_: BoolArray, cause: int
) -> tuple[float, float]:
    """The same for ordinal findings: each known interval, or each level that can be answered."""
    low = high = 1.0
    for o, size in enumerate(model.ordinal_sizes):
        now = (int(evidence.lower[0, o]), int(evidence.upper[0, o]))
        intervals = {now}
        if open_[o]:
            intervals |= {(level, level) for level in range(now[0], now[1] + 1)}
        bounds = [_interval_ratios(model, links, o, one, size, cause) for one in intervals]
        low, high = low * min(b[0] for b in bounds), high * max(b[1] for b in bounds)
    return low, high


def _interval_ratios(
    model: NoisyModel, links: Links, o: int, ends: tuple[int, int], size: int, cause: int
) -> tuple[float, float]:
    """Bounds of (u - d t) / (1 - t), t what passes below the interval as a share of its top."""
    first = model.level_offset[o]
    upper, upper_leak = _passed(links, first + ends[1], ends[1] == size - 1)
    if ends[0] == 0:
        return float(upper[cause]), float(upper[cause])
    lower, lower_leak = _passed(links, first + ends[0] - 1, False)
    others = np.arange(len(upper)) != cause
    share = np.divide(lower, upper, out=np.zeros_like(upper), where=upper > 0.0)
    most = (1.0 - lower_leak) / (1.0 - upper_leak) if upper_leak < 1.0 else 1.0
    ratios = [
        _ratio(np.array(upper[cause] - lower[cause] * t), np.array(1.0 - t))
        for t in (most * float(np.prod(share[others])), most)
    ]
    return float(min(r[0] for r in ratios)), float(max(r[1] for r in ratios))


def _passed(links: Links, column: int, everything: bool) -> tuple[FloatArray, float]:
    """P(at most a level) that each cause and the leak leave; 1 for the highest level."""
    if everything:
        return np.ones(len(links.exceed)), 0.0
    return np.asarray(1.0 - links.exceed[:, column]), float(links.exceed_leak[column])


def always_possible(
    model: NoisyModel,
    evidence: Evidence,
    open_findings: BoolArray,
    open_ordinals: BoolArray,
) -> bool:
    """Say whether no further answers can make a case impossible; False where it is not sure.

    True when every state of an unknown risk has a positive probability, and so has each answer of
    every finding that is or can be answered, whatever the causes do.
    """
    links = model.links
    unknown = np.flatnonzero(evidence.risks[0] < 0)
    if any(model.risk_priors[r].min() <= 0.0 for r in unknown):
        return False
    used = open_findings | ~np.isnan(evidence.findings[0])
    leak = links.leak[used]
    certain = (links.strength[:, used] >= 1.0).any() or (links.factor[:, used] <= 0.0).any()
    if certain or (leak <= 0.0).any() or (leak >= 1.0).any():
        return False
    for o, size in enumerate(model.ordinal_sizes):
        bounded = evidence.lower[0, o] > 0 or evidence.upper[0, o] < size - 1
        if not (open_ordinals[o] or bounded):
            continue
        levels = slice(model.level_offset[o], model.level_offset[o] + size - 1)
        leaks = np.concatenate([[1.0], links.exceed_leak[levels], [0.0]])
        if (np.diff(leaks) >= 0.0).any() or (links.exceed[:, levels] >= 1.0).any():
            return False
    return True
