"""The axes of a model, laid out from its links and risks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray, frozen
from bayesdx.inference.noisy.model import EXPLAIN, RISK, Axes, Links, RiskEdges
from bayesdx.inference.noisy.operator import opening_of_finding


class SharedRisks(NamedTuple):
    """Risks that two causes or more depend on, (n,), and which causes do, (n, C)."""

    risks: IntArray
    touches: BoolArray


def build_axes(links: Links, shared: SharedRisks, priors: tuple[FloatArray, ...]) -> Axes:
    """Lay out the axes: findings, coupled absences, ordinal exceedances, shared risks."""
    n_causes, n_findings = links.strength.shape
    inhibits = links.factor < 1.0
    inhibited = inhibits.any(axis=0)
    # An absent finding couples its inhibitors only when there are two, or when nothing but an
    # inhibitor can make it absent (leak 1), where a ratio of factors would divide by zero.
    coupling = np.flatnonzero((inhibits.sum(axis=0) >= 2) | (inhibited & (links.leak >= 1.0)))
    suppress = np.full(n_findings, -1)
    suppress[coupling] = n_findings + np.arange(len(coupling))
    exceed, exceed_gain, exceed_start = _exceedances(links, n_findings + len(coupling))
    first_risk = n_findings + len(coupling) + len(exceed_start)
    risk = np.full(len(priors), -1)
    risk[shared.risks] = first_risk + np.arange(len(shared.risks))
    lowered = 1.0 - links.factor.T
    nothing = np.zeros((len(shared.risks), n_causes))
    gain = np.concatenate([links.strength.T, lowered[coupling], exceed_gain, nothing])
    leak_keep = 1.0 - gain
    leak_keep[:n_findings] *= links.factor.T
    leak_gain = np.zeros_like(gain)
    leak_gain[:n_findings] = lowered
    touches = (gain > 0.0) | (leak_gain > 0.0)
    touches[first_risk:] = shared.touches
    classes = np.full(len(gain), EXPLAIN)
    classes[first_risk:] = RISK
    sizes = np.full(len(gain), 2)
    sizes[:n_findings][inhibited] = 4
    sizes[first_risk:] = [len(priors[r]) for r in shared.risks]
    first = np.concatenate([links.leak, 1.0 - links.leak[coupling], exceed_start])
    start = np.zeros((len(gain), int(sizes.max(initial=2))))
    start[:, 0] = 1.0
    start[:first_risk, 1] = first
    opening = np.zeros((len(gain), 2, 3, 3))
    opening[:first_risk] = opening_of_finding(first, sizes[:first_risk] > 2)
    for u, r in enumerate(shared.risks, first_risk):
        start[u, : sizes[u]] = priors[r]
    touch_first, touch_cause = ragged(touches)
    log_size = np.log2(np.maximum(1, np.arange(int(sizes.max(initial=4)) + 1)))
    return Axes(
        links=frozen(np.stack([gain, 1.0 - gain, leak_keep, leak_gain], axis=-1)),
        touches=frozen(touches),
        touch_first=touch_first,
        touch_cause=touch_cause,
        start=frozen(start),
        opening=frozen(opening),
        bound=frozen(_bounds(first, gain, first_risk)),
        classes=frozen(classes.astype(np.intp)),
        sizes=frozen(sizes.astype(np.intp)),
        leak=frozen(links.leak),
        suppress=frozen(suppress),
        exceed=frozen(exceed),
        risk=frozen(risk),
        log_size=frozen(np.rint(16.0 * log_size).astype(np.intp)),
    )


def log_of_absent(links: Links, suppress: IntArray) -> tuple[FloatArray, FloatArray]:
    """Log factors of "absent" on causes, (C, F + L), and on the leak, (F + L,).

    A lone inhibitor is folded into the factor of its cause.
    """
    with np.errstate(divide="ignore"):
        log_cause = np.log1p(-np.concatenate([links.strength, links.exceed], axis=1))
        log_leak = np.log1p(-links.leak)
        lone = (links.factor < 1.0).any(axis=0) & (suppress < 0)
        lowered = np.log1p(-links.leak * links.factor) - np.where(lone, log_leak, 0.0)
        log_cause[:, : len(links.leak)] += np.where(lone, lowered, 0.0)
        log_alone = np.where(suppress < 0, log_leak, 0.0)
        return log_cause, np.concatenate([log_alone, np.log1p(-links.exceed_leak)])


def number_edges(axes: Axes) -> RiskEdges:
    """Number the pairs of causes and shared risks."""
    shared = axes.risk[axes.risk >= 0]
    causes, at = np.nonzero(axes.touches[shared].T)
    number = np.full((len(axes.classes) + 1, axes.touches.shape[1] + 1), len(causes))
    number[shared[at], causes] = np.arange(len(causes))
    parents = tuple((int(c), tuple(shared[at[causes == c]].tolist())) for c in np.unique(causes))
    return RiskEdges(parents, frozen(number), len(causes))


def offsets(lengths: list[int]) -> IntArray:
    """Where rows of these lengths begin, and where the last one ends."""
    return frozen(np.cumsum([0, *lengths], dtype=np.intp))


def ragged(chosen: BoolArray) -> tuple[IntArray, IntArray]:
    """Row offsets and columns of the true entries."""
    return offsets(chosen.sum(axis=1).tolist()), frozen(np.nonzero(chosen)[1])


def _bounds(first: FloatArray, gain: FloatArray, first_risk: int) -> FloatArray:
    with np.errstate(divide="ignore"):
        log_kept = np.log1p(-first) + np.log1p(-gain[:first_risk]).sum(axis=1)
    bound = np.ones(len(gain))
    bound[:first_risk] = -np.expm1(log_kept)
    # What can never be reached is left as it is: a zero, found when the case is summed.
    return np.where(bound > 0.0, bound, 1.0)


def _exceedances(links: Links, first_axis: int) -> tuple[IntArray, FloatArray, FloatArray]:
    """Axes of "at least lower, at most upper": gains and leaks of the part that must be reached.

    P(lower <= Y <= upper) = P(Y <= upper) (1 - P(Y < lower) / P(Y <= upper)); the first factor is
    negative evidence, the second is an ordinary finding that is present.
    """
    most = max(links.sizes, default=1)
    axis = np.full((len(links.sizes), most, most), -1)
    # A level more, which nothing exceeds: "at most the highest".
    strengths = np.hstack([links.exceed, np.zeros((len(links.exceed), 1))])
    leaks = np.append(links.exceed_leak, 0.0)
    lower: list[int] = []
    upper: list[int] = []
    offset = 0
    for o, size in enumerate(links.sizes):
        for low in range(1, size):
            for high in range(low, size):
                axis[o, low, high] = first_axis + len(lower)
                lower.append(offset + low - 1)
                upper.append(offset + high if high < size - 1 else -1)
        offset += size - 1
    gain = remaining(strengths[:, lower], strengths[:, upper])
    return axis, gain.T, remaining(leaks[lower], leaks[upper])


def remaining(reached: FloatArray, passed: FloatArray) -> FloatArray:
    """1 - (1 - reached) / (1 - passed); 0 where passing is certain, whose own factor is 0 then."""
    room = 1.0 - passed
    return np.divide(reached - passed, room, out=np.zeros_like(room), where=room > 0.0)


def shared_risks(parents: tuple[tuple[int, ...], ...], n_risks: int) -> SharedRisks:
    """Find the risks that couple causes."""
    children = np.zeros((n_risks, len(parents)), dtype=bool)
    for c, positions in enumerate(parents):
        children[list(positions), c] = True
    shared = np.flatnonzero(children.sum(axis=1) >= 2)
    return SharedRisks(shared, children[shared])
