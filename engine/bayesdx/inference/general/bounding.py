"""Wide noisy families as functions of weighted sums, and straight lines above them.

With x the parents (0 or 1), P(child <= y) of a noisy-MAX is exp of a sum over active parents, so

    log P(y | x) = -A(x) + g(D(x)),   g(d) = log(1 - exp(-d)),

where A and D are sums of weights that are at least 0, infinite for a strength of 1. g is concave:
each of its tangents lies above it, and a tangent of a sum is a sum over parents. So the family is
bounded by one number a parent, whatever their number, and the bound is exact where the tangent
touches. An inhibited noisy-OR has P(absent | x) = exp(-A) (1 - exp(-T)) with T a sum over active
inhibitors; present, they are taken as inactive in the bound, which is above.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesdx.inference.arrays import FloatArray, IntArray
from bayesdx.network.cpds import NoisyCPD

#: What stands for "at least one of these parents" where no finite weight can.
STEEP = 30.0

BoolArray = NDArray[np.bool_]
#: Upper bounds of F functions of P parents: numbers (n, F), and what each active parent adds
#: (n, F, P).
Lines = tuple[FloatArray, FloatArray]


@dataclass(frozen=True, eq=False)
class WideFamilies:
    """F noisy families with S states that are never expanded, side by side.

    Attributes
    ----------
    child : intp array (F,)
    parents : intp array (F, P)
        Padded to the widest.
    real : bool array (F, P)
        False in the padding.
    below : array (S, F, P)
        What an active parent takes from log P(child <= y); 0 for the highest state.
    leak : array (S, F)
        The same of the leak.
    guard : array (F, P), guard_base : array (F,)
        Weights of T, for a noisy-OR with inhibitors; its base is infinite without.
    """

    child: IntArray
    parents: IntArray
    real: BoolArray
    below: FloatArray
    leak: FloatArray
    guard: FloatArray
    guard_base: FloatArray

    @property
    def size(self) -> int:
        """States of a child, S."""
        return len(self.leak)

    def __len__(self) -> int:
        return len(self.child)

    def active(self, states: IntArray) -> BoolArray:
        """Which parents are active in states (n, V), array (n, F, P)."""
        found: BoolArray = self.real & (states[:, self.parents] == 1)
        return found

    def log_values(self, active: BoolArray) -> FloatArray:
        """Log P(y | x) of complete parents (n, F, P), array (S, n, F), computed as tables are."""
        pairs = zip(self.leak, self.below, strict=True)
        log_below = np.stack([-leak - _summed(below, active) for leak, below in pairs])
        log_below[0] += log_1m_exp(self.guard_base + _summed(self.guard, active))
        exceed = -np.expm1(log_below)
        log_p = log_below.copy()
        with np.errstate(divide="ignore"):
            log_p[1:] = np.log(np.maximum(exceed[:-1] - exceed[1:], 0.0))
        return log_p

    def lines(self, fixed: IntArray, lean: FloatArray) -> Lines:
        """Bound log P from above over all completions.

        Parameters
        ----------
        fixed : intp array (n, V)
            States that are settled, -1 open.
        lean : array (n, V)
            Where the bound should be good: how far each parent is active, from 0 to 1.

        Returns
        -------
        base : array (n, F), slope : array (n, F, P)
            Where the parents that are open and active are Q, log P <= base + sum of slope over Q;
            the child is as settled, or as suits best where it is open.
        """
        state = fixed[:, self.child]
        active = self.active(fixed)
        free = self.real & (fixed[:, self.parents] < 0)
        near = np.where(free, lean[:, self.parents], 0.0)
        each = [self._state_lines(y, active, free, near) for y in range(self.size)]
        bases = np.stack([base for base, _ in each])
        slopes = np.stack([slope for _, slope in each])
        known = state >= 0
        base, slope = _picked(bases, slopes, np.maximum(state, 0))
        if not known.all():
            loose, steps = self._open_lines(bases, slopes, active, free, near)
            base = np.where(known, base, loose)
            slope = np.where(known[..., None], slope, steps)
        return base, slope

    def _state_lines(self, y: int, active: BoolArray, free: BoolArray, near: FloatArray) -> Lines:
        """Bounds of one state of the children."""
        start = -self.leak[y] - _summed(self.below[y], active)
        step = np.where(free, -self.below[y], 0.0)
        if y == 0:
            weights, rest = self.guard, self.guard_base + _summed(self.guard, active)
        else:
            # Where both are infinite the state is ruled out by the first part already.
            weights = _difference(self.below[y - 1], self.below[y])
            rest = _difference(self.leak[y - 1], self.leak[y]) + _summed(weights, active)
            if y == 1:
                rest = rest - log_1m_exp(self.guard_base + _summed(self.guard, active))
        base, slope = tangents(rest, np.where(free, weights, 0.0), near)
        return start + base, step + slope

    def _open_lines(
        self,
        bases: FloatArray,
        slopes: FloatArray,
        active: BoolArray,
        free: BoolArray,
        near: FloatArray,
    ) -> Lines:
        """Bounds where the child is open: the best, where they should be good, of some."""
        none = self.log_values(active).max(axis=0)
        # Exact with no further parent active, and 0 or more with any.
        exact_without = none, np.where(free, -none[..., None], 0.0)
        best_each = bases.max(axis=0), slopes.max(axis=0)
        options = [exact_without, best_each, (np.zeros(none.shape), np.zeros(free.shape))]
        if self.size == 2:
            rest = self.leak[0] + _summed(self.below[0], active)
            base, slope = envelopes(rest, np.where(free, self.below[0], 0.0), near)
            plain = np.isinf(self.guard_base)
            options.append((np.where(plain, base, 0.0), np.where(plain[:, None], slope, 0.0)))
        at = np.stack([base + _leaning(slope, near) for base, slope in options])
        all_bases = np.stack([base for base, _ in options])
        return _picked(all_bases, np.stack([slope for _, slope in options]), at.argmin(axis=0))


def wide_families(cpds: Sequence[NoisyCPD], position: Mapping[str, int]) -> list[WideFamilies]:
    """Write noisy families as sums, those with as many states side by side."""
    by_size: dict[int, list[_Sums]] = {}
    for cpd in cpds:
        one = _sums(cpd, position)
        by_size.setdefault(len(one.leak), []).append(one)
    return [_side_by_side(families) for _, families in sorted(by_size.items())]


@dataclass(frozen=True, eq=False)
class _Sums:
    """One family; see `WideFamilies`."""

    child: int
    parents: list[int]
    below: FloatArray
    leak: FloatArray
    guard: FloatArray
    guard_base: float


def _sums(cpd: NoisyCPD, position: Mapping[str, int]) -> _Sums:
    parents, exceed, leak, factor = cpd.mechanism
    with np.errstate(divide="ignore"):
        below = np.append(-np.log1p(-exceed.T), np.zeros((1, len(parents))), axis=0)
        base, guard = np.append(-np.log1p(-leak), 0.0), -np.log(factor)
        lowered = np.inf
        if (factor < 1.0).any():
            base, lowered = np.zeros(2), float(-np.log(leak[0]))
    at = [position[name] for name in parents]
    return _Sums(position[cpd.child], at, below, base, guard, lowered)


def _side_by_side(families: list[_Sums]) -> WideFamilies:
    width = max(len(one.parents) for one in families)
    size, count = len(families[0].leak), len(families)
    parents = np.zeros((count, width), dtype=np.intp)
    real = np.zeros((count, width), dtype=bool)
    below, guard = np.zeros((size, count, width)), np.zeros((count, width))
    for f, one in enumerate(families):
        own = len(one.parents)
        parents[f, :own], real[f, :own] = one.parents, True
        below[:, f, :own], guard[f, :own] = one.below, one.guard
    return WideFamilies(
        np.array([one.child for one in families], dtype=np.intp),
        parents,
        real,
        below,
        np.stack([one.leak for one in families], axis=1),
        guard,
        np.array([one.guard_base for one in families]),
    )


def _picked(bases: FloatArray, slopes: FloatArray, which: IntArray) -> Lines:
    """One of some lines (K, n, F), (K, n, F, P) for each function."""
    base = np.take_along_axis(bases, which[None], axis=0)[0]
    return base, np.take_along_axis(slopes, which[None, ..., None], axis=0)[0]


def _difference(more: FloatArray, less: FloatArray) -> FloatArray:
    """``more - less``, with inf - inf = 0."""
    both = np.isinf(less)
    result: FloatArray = np.where(both, 0.0, more) - np.where(both, 0.0, less)
    return result


def log_1m_exp(d: FloatArray) -> FloatArray:
    """log(1 - exp(-d)) for d of at least 0, without loss at either end."""
    with np.errstate(divide="ignore"):
        result: FloatArray = np.where(d > np.log(2.0), np.log1p(-np.exp(-d)), np.log(-np.expm1(-d)))
    return result


def tangents(rest: FloatArray, weights: FloatArray, near: FloatArray) -> Lines:
    """Bound log(1 - exp(-(rest + sum of weights))) from above by tangents.

    Parameters
    ----------
    rest : array (n, F)
        What is settled.
    weights : array (n, F, P)
        What each parent would add, at least 0, infinite included; 0 if it is not open.
    near : array (n, F, P)
        How far each open parent is active where the tangent should touch, from 0 to 1.
    """
    finite = np.isfinite(weights)
    small = np.where(finite & (weights > 0), weights, np.inf).min(axis=-1, initial=np.inf)
    # At 0 the function is -inf and no tangent helps: the next value it can take is the first.
    at = np.maximum(rest + _leaning(weights, near), np.where(rest > 0, rest, small))
    known = np.isfinite(at)
    at = np.where(known, at, 1.0)
    with np.errstate(over="ignore", invalid="ignore"):
        slope = 1.0 / np.expm1(at)
        base = log_1m_exp(at) - slope * (at - rest)
    # Beyond all finite sums the bound is 0; with nothing finite at all, a steep one.
    stuck = ~known & (rest == 0.0)
    nothing = stuck & ~(weights > 0).any(axis=-1)
    only = stuck & ~nothing & ~np.isfinite(small) & ((near * ~finite).sum(axis=-1) < 2.0)
    slope = np.where(known, slope, 0.0)
    base = np.where(known, base, np.where(nothing, -np.inf, np.where(only, -STEEP, 0.0)))
    finite_weights = np.where(finite, weights, 0.0)
    jump = np.where(np.isneginf(base), 0.0, np.maximum(0.0, -base))
    return base, np.where(finite, slope[..., None] * finite_weights, jump[..., None])


def envelopes(rest: FloatArray, weights: FloatArray, near: FloatArray) -> Lines:
    """Bound max(-s, log(1 - exp(-s))), s = rest + sum of weights, by its concave envelope.

    That is a noisy-OR of which nobody has looked at the child. From ``rest`` the envelope is a
    straight line up to where it touches the second branch.
    """
    touch = _touching(rest)
    at = rest + _leaning(weights, near)
    straight = (at <= touch) & (rest < np.log(2.0))
    base, slope = tangents(np.maximum(rest, 1e-300), weights, near)
    with np.errstate(invalid="ignore"):
        rise = np.where(straight, 1.0 / np.expm1(touch), 0.0)
    finite = np.isfinite(weights)
    steps = np.where(finite, rise[..., None] * np.where(finite, weights, 0.0), rest[..., None])
    return np.where(straight, -rest, base), np.where(straight[..., None], steps, slope)


def _touching(rest: FloatArray) -> FloatArray:
    """Where the tangent of log(1 - exp(-s)) passes through (rest, -rest), or somewhat before.

    The tangent's height at ``rest`` rises with the point where it touches: bisection. Before that
    point the line is steeper, and above the function too.
    """
    low, high = np.full(rest.shape, np.log(2.0)), np.full(rest.shape, 40.0)
    for _ in range(25):
        middle = 0.5 * (low + high)
        above = log_1m_exp(middle) - (middle - rest) / np.expm1(middle) > -rest
        high, low = np.where(above, middle, high), np.where(above, low, middle)
    return low


def _summed(weights: FloatArray, chosen: BoolArray) -> FloatArray:
    """Sum of the weights (F, P) that are chosen (n, F, P), array (n, F); 0 * inf is 0."""
    total: FloatArray = np.where(chosen, weights, 0.0).sum(axis=-1)
    return total


def _leaning(weights: FloatArray, near: FloatArray) -> FloatArray:
    """Sum of the weights (n, F, P), each as far as its parent is active, array (n, F)."""
    with np.errstate(invalid="ignore"):
        total: FloatArray = np.where(near > 0.0, weights * near, 0.0).sum(axis=-1)
    return total
