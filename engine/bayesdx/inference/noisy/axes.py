"""What can become an axis of a frontier, and how each cause acts on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray, frozen

#: Axis classes: a finding explained by causes, the same with a leak that inhibitors can lower,
#: and an unobserved shared risk.
EXPLAIN, EXPLAIN_INHIBITED, RISK = 0, 1, 2


@dataclass(frozen=True, eq=False)
class Links:
    """Noisy-OR and noisy-MAX parameters of all findings.

    Attributes
    ----------
    strength, factor : arrays (C, F)
        Link strengths z (0 without a link) and inhibitor factors h (1 without one).
    leak : array (F,)
    exceed : array (C, levels)
        Exceedance strengths of ordinal findings, S - 1 columns each, side by side.
    exceed_leak : array (levels,)
    sizes : tuple of int
        States of each ordinal finding.
    """

    strength: FloatArray
    factor: FloatArray
    leak: FloatArray
    exceed: FloatArray
    exceed_leak: FloatArray
    sizes: tuple[int, ...]

    @property
    def inhibited(self) -> BoolArray:
        """Findings with an inhibitor, (F,)."""
        return np.asarray((self.factor < 1.0).any(axis=0))

    @property
    def offsets(self) -> tuple[int, ...]:
        """First column of each ordinal finding."""
        return tuple(sum(size - 1 for size in self.sizes[:o]) for o in range(len(self.sizes)))


@dataclass(frozen=True, eq=False)
class Axes:
    """Everything that can become an axis of the frontier, U in all.

    Attributes
    ----------
    gain, keep : arrays (U, C)
        What an active cause moves from component 0 to component 1, and what it leaves of component
        1. Their sum is 1; both are kept, since 1 - (1 - z) is not z in floating point.
    leak_keep, leak_gain : arrays (U, C)
        On ``EXPLAIN_INHIBITED`` axes, what it leaves of component 2 and moves there from
        component 3.
    touches : array of bool (U, C)
        Whether a cause acts on (or, for a risk, depends on) the axis.
    start : array (U, S)
        Components before any cause acts, for axes whose start does not depend on the case.
    bound : array (U,)
        Largest value component 1 can reach; starts and gains are divided by it, so that very rare
        findings do not underflow together.
    classes, sizes, bits : arrays of int (U,)
        Axis class, number of components, and bits that number them.
    """

    gain: FloatArray
    keep: FloatArray
    leak_keep: FloatArray
    leak_gain: FloatArray
    touches: BoolArray
    start: FloatArray
    bound: FloatArray
    classes: IntArray
    sizes: IntArray
    bits: IntArray
    explain: IntArray  #: (F,) axis of a finding that is present or soft
    suppress: IntArray  #: (F,) axis of an absent finding whose inhibitors couple, or -1
    exceed: Mapping[tuple[int, int, int], int]  #: (ordinal, lower, upper) -> axis
    risk: IntArray  #: (R,) axis of an unobserved shared risk, or -1


def build_axes(
    links: Links, parents: tuple[tuple[int, ...], ...], priors: tuple[FloatArray, ...]
) -> Axes:
    """Lay out the axes: findings, coupled absences, ordinal exceedances, shared risks."""
    n_causes, n_findings = links.strength.shape
    # An absent finding couples its inhibitors only when there are two, or when nothing but an
    # inhibitor can make it absent (leak 1), where a ratio of factors would divide by zero.
    several = (links.factor < 1.0).sum(axis=0) >= 2
    coupling = np.flatnonzero(several | (links.inhibited & (links.leak >= 1.0)))
    suppress = np.full(n_findings, -1)
    suppress[coupling] = n_findings + np.arange(len(coupling))
    exceed, exceed_gain, exceed_start = _exceedances(links, n_findings + len(coupling))
    shared, risk_touch = _shared_risks(parents, len(priors))
    first_risk = n_findings + len(coupling) + len(exceed)
    risk = np.full(len(priors), -1)
    risk[shared] = first_risk + np.arange(len(shared))
    gain = np.concatenate(
        [
            links.strength.T,
            1.0 - links.factor.T[coupling],
            exceed_gain,
            np.zeros((len(shared), n_causes)),
        ]
    )
    leak_keep = 1.0 - gain
    leak_keep[:n_findings] *= links.factor.T
    leak_gain = np.zeros_like(gain)
    leak_gain[:n_findings] = 1.0 - links.factor.T
    touches = gain > 0.0
    touches[:n_findings] |= (links.factor < 1.0).T
    touches[first_risk:] = risk_touch
    classes = np.full(len(gain), EXPLAIN)
    classes[:n_findings][links.inhibited] = EXPLAIN_INHIBITED
    classes[first_risk:] = RISK
    sizes = np.where(classes == EXPLAIN_INHIBITED, 4, 2)
    sizes[first_risk:] = [len(priors[r]) for r in shared]
    first = np.concatenate([links.leak, 1.0 - links.leak[coupling], exceed_start])
    start = np.zeros((len(gain), int(sizes.max(initial=2))))
    start[:, 0] = 1.0
    start[:first_risk, 1] = first
    for u, r in enumerate(shared, first_risk):
        start[u, : sizes[u]] = priors[r]
    return Axes(
        gain=frozen(gain),
        keep=frozen(1.0 - gain),
        leak_keep=frozen(leak_keep),
        leak_gain=frozen(leak_gain),
        touches=frozen(touches),
        start=frozen(start),
        bound=frozen(_bounds(first, gain, first_risk)),
        classes=frozen(classes.astype(np.intp)),
        sizes=frozen(sizes.astype(np.intp)),
        bits=frozen(np.ceil(np.log2(sizes)).astype(np.intp)),
        explain=frozen(np.arange(n_findings)),
        suppress=frozen(suppress),
        exceed=MappingProxyType(exceed),
        risk=frozen(risk),
    )


def _bounds(first: FloatArray, gain: FloatArray, first_risk: int) -> FloatArray:
    with np.errstate(divide="ignore"):
        log_kept = np.log1p(-first) + np.log1p(-gain[:first_risk]).sum(axis=1)
    bound = np.ones(len(gain))
    bound[:first_risk] = -np.expm1(log_kept)
    # What can never be reached is left as it is: a zero, found when the case is summed.
    return np.where(bound > 0.0, bound, 1.0)


def _exceedances(
    links: Links, first_axis: int
) -> tuple[dict[tuple[int, int, int], int], FloatArray, FloatArray]:
    """Axes of "at least lower, at most upper": gains and leaks of the part that must be reached.

    P(lower <= Y <= upper) = P(Y <= upper) (1 - P(Y < lower) / P(Y <= upper)); the first factor is
    absorbed, the second is an ordinary finding that is present.
    """
    exceed: dict[tuple[int, int, int], int] = {}
    offsets = links.offsets
    gains: list[FloatArray] = [np.zeros((0, len(links.exceed)))]
    starts: list[float] = []
    nothing = np.zeros(len(links.exceed))
    for o, size in enumerate(links.sizes):
        for lower in range(1, size):
            for upper in range(lower, size):
                exceed[o, lower, upper] = first_axis + len(starts)
                low, high = offsets[o] + lower - 1, offsets[o] + upper
                last = upper == size - 1
                above = nothing if last else links.exceed[:, high]
                leak_above = 0.0 if last else float(links.exceed_leak[high])
                gains.append(_remaining(links.exceed[:, low], above)[None])
                leak = np.array([links.exceed_leak[low]])
                starts.append(float(_remaining(leak, np.array([leak_above]))[0]))
    return exceed, np.concatenate(gains), np.array(starts)


def _remaining(reached: FloatArray, passed: FloatArray) -> FloatArray:
    """1 - (1 - reached) / (1 - passed); 0 where passing is certain, since that is absorbed as 0."""
    room = 1.0 - passed
    return np.divide(reached - passed, room, out=np.zeros_like(room), where=room > 0.0)


def _shared_risks(parents: tuple[tuple[int, ...], ...], n_risks: int) -> tuple[IntArray, BoolArray]:
    children = np.zeros((n_risks, len(parents)), dtype=bool)
    for c, positions in enumerate(parents):
        children[list(positions), c] = True
    shared = np.flatnonzero(children.sum(axis=1) >= 2)
    return shared, children[shared]
