"""What is known of stated numbers before any case was seen, as a density of steps from them.

A number is what it is drawn from elsewhere (`bayesdx.building.number_draws`), as a density of its
log-odds: that of a Beta distribution has its mode where the number is stated, and so have the
others.

Numbers must also hold together: no probability is beyond 1, nowhere is less than nothing left, a
higher level of a finding is rarer than a lower one. The mode may lie at such a limit, and a search
that runs into one gets no further. So the density falls smoothly to 0 where a limit is nearer than
half of what the stated numbers leave (a barrier as in interior point methods; Nocedal and Wright
2006, Numerical Optimization, chapter 19). At the stated numbers that changes nothing, and next to a
limit little: a hundredth of the stated room costs 0.3 nats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from bayesdx.building.event_layout import threshold_chain
from bayesdx.building.feasibility import UpperLayers, bound_tables
from bayesdx.building.perturbations import Mover
from bayesdx.inference.noisy.model import FloatArray, IntArray
from bayesdx.knowledge.addresses import Address
from bayesdx.knowledge.conditioning import CauseTable
from bayesdx.knowledge.distributions import BetaFit, LogNormalFit
from bayesdx.knowledge.knowledge import Knowledge

if TYPE_CHECKING:
    from bayesdx.building.number_chain import NumberChain

#: What a number is: a probability, a ratio, one of the shares of a risk.
PROBABILITY, RATIO, SHARE = range(3)
#: Share of the stated room to a limit from which on it is near; rooms too small to be one.
_NEAR, _NO_ROOM = 0.5, 1e-6
#: Nats that a room smaller by a factor of e costs next to a limit, squared.
_WEIGHT = 0.02
#: Step of differences.
_STEP = 1e-5


@dataclass(frozen=True, eq=False)
class StatedPrior:
    """Log density of J numbers around their stated values, in steps from them.

    Attributes
    ----------
    slope : array (J,)
        First parameter of a Beta distribution or weight of a share; 0 of a ratio.
    size : array (J,)
        Sum of both parameters, weight of a share, or 1 / variance of the logarithm of a ratio.
    start : array (J,)
        Stated log-odds of a probability; 0 of others.
    kind : int array (J,)
        `PROBABILITY`, `RATIO` or `SHARE`.
    """

    slope: FloatArray
    size: FloatArray
    start: FloatArray
    kind: IntArray

    def log_density(self, steps: FloatArray) -> float:
        """Sum of log densities, 0 where nothing has moved."""
        rise = np.logaddexp(0.0, self.start + steps) - np.logaddexp(0.0, self.start)
        probability = self.slope * steps - self.size * rise
        ratio = -0.5 * self.size * steps**2
        return float(self._of(probability, ratio, self.slope * (steps - np.expm1(steps))).sum())

    def gradient(self, steps: FloatArray) -> FloatArray:
        """Derivatives of `log_density`, (J,)."""
        probability = self.slope - self.size * special.expit(self.start + steps)
        found = self._of(probability, -self.size * steps, -self.slope * np.expm1(steps))
        return np.where(steps == 0.0, 0.0, found)

    def curvature(self, steps: FloatArray) -> FloatArray:
        """Minus the second derivatives of `log_density`, (J,), above 0."""
        p = special.expit(self.start + steps)
        return self._of(self.size * p * (1.0 - p), self.size, self.slope * np.exp(steps))

    def _of(self, probability: FloatArray, ratio: FloatArray, share: FloatArray) -> FloatArray:
        """Take what belongs to the kind of each number."""
        found: FloatArray = np.choose(self.kind, [probability, ratio, share])
        return found


def stated_prior(movers: tuple[Mover, ...]) -> StatedPrior:
    """Return what is known of numbers before any case was seen."""
    rows = [_density(mover) for mover in movers]
    slope, size, start, kind = np.array(rows, dtype=np.float64).reshape(-1, 4).T
    return StatedPrior(slope, size, start, kind.astype(np.intp))


def _density(mover: Mover) -> tuple[float, float, float, float]:
    fit, value = mover.number.fit, mover.number.number.value
    if isinstance(fit, LogNormalFit):
        return 0.0, fit.deviation**-2, 0.0, RATIO
    if isinstance(fit, BetaFit):
        assert not isinstance(value, tuple)
        return fit.a, fit.a + fit.b, float(special.logit(value)), PROBABILITY
    assert isinstance(fit, tuple)
    return fit[mover.state], fit[mover.state], 0.0, SHARE


#: How far numbers are from M limits, as a share of what each limits, (M, D); below 0 beyond it.
_Room = Callable[[UpperLayers], FloatArray]


@dataclass(frozen=True, eq=False)
class _Limits:
    """Limits that are looked at together.

    Attributes
    ----------
    room : callable
    edge : array (M,)
        Room below which a limit is near; 0 where there is no room from the first.
    numbers : int array
        Which numbers of the chain bear on it.
    """

    room: _Room
    edge: FloatArray
    numbers: IntArray

    def nearness(self, room: FloatArray) -> FloatArray:
        """Log of how often a room (M,) goes into its edge: 0 if not near, infinite beyond."""
        with np.errstate(divide="ignore", invalid="ignore"):
            near = np.where(room > 0.0, np.log(self.edge / room), np.inf)
        return np.where(self.edge > 0.0, np.maximum(near, 0.0), 0.0)


class NumberPrior:
    """Log density of the J numbers of a chain, in steps from the stated ones.

    Parameters
    ----------
    chain : NumberChain
    """

    def __init__(self, chain: NumberChain) -> None:
        self._chain, self._stated = chain, stated_prior(chain.movers)
        self._limits = tuple(_limits(chain))

    def log_density(self, steps: FloatArray) -> float:
        """0 where nothing has moved; ``-inf`` where the numbers cannot hold together."""
        layers = self._chain.upper(steps[:, None])
        near = [one.nearness(one.room(layers)[:, 0]) for one in self._limits]
        cost = sum(float(one @ one) for one in near)
        return self._stated.log_density(steps) - _WEIGHT * cost

    def expansion(self, steps: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """Return `log_density` with its derivatives, where it is finite.

        Returns
        -------
        log_density : float
        gradient : array (J,)
        curvature : array (J, J)
            About minus the second derivatives; positive definite.
        """
        density = self._stated.log_density(steps)
        gradient, curvature = self._stated.gradient(steps), np.diag(self._stated.curvature(steps))
        layers = self._chain.upper(steps[:, None])
        for one in self._limits:
            room = one.room(layers)[:, 0]
            near = one.nearness(room)
            met = np.flatnonzero(near)
            if not len(met):
                continue
            density -= _WEIGHT * float(near @ near)
            near, slopes = near[met, None], self._slopes(steps, one)[met] / room[met, None]
            gradient[one.numbers] += 2.0 * _WEIGHT * (near * slopes).sum(axis=0)
            # Of the square of the logarithm of a room that is linear.
            bent = 2.0 * _WEIGHT * slopes.T @ ((1.0 + near) * slopes)
            curvature[np.ix_(one.numbers, one.numbers)] += bent
        return density, gradient, curvature

    def _slopes(self, steps: FloatArray, limits: _Limits) -> FloatArray:
        """Differentiate rooms by the numbers that bear on them, (M, n)."""
        n = len(limits.numbers)
        lanes = np.repeat(steps[:, None], 2 * n, axis=1)
        lanes[limits.numbers, np.arange(n)] += _STEP
        lanes[limits.numbers, n + np.arange(n)] -= _STEP
        room = limits.room(self._chain.upper(lanes))
        return (room[:, :n] - room[:, n:]) / (2.0 * _STEP)


def _limits(chain: NumberChain) -> Iterator[_Limits]:
    stated = chain.upper(np.zeros((len(chain.movers), 1)))
    rooms: list[tuple[list[Address], _Room]] = [
        (own, partial(_room_of_table, table)) for own, table in bound_tables(stated)
    ]
    for addresses, of in [*rooms, *_levels(stated.knowledge)]:
        numbers = [j for one in addresses for j in chain.places.get(one, ())]
        room = of(stated)[:, 0]
        edge = np.where(room > _NO_ROOM, _NEAR * room, 0.0)
        if numbers and edge.any():
            yield _Limits(of, edge, np.array(numbers))


def _room_of_table(table: Callable[[UpperLayers], CauseTable], layers: UpperLayers) -> FloatArray:
    return table(layers).room


def _levels(knowledge: Knowledge) -> Iterator[tuple[list[Address], _Room]]:
    """Limits of ordinal findings: a higher level is rarer than a lower one."""
    for finding in knowledge.findings.values():
        if finding.kind == "ordinal":
            names = threshold_chain(knowledge, finding)
            addresses = [Address("background", name) for name in names]
            if len(names) > 1:
                yield addresses, partial(_room_between, addresses)


def _room_between(addresses: Sequence[Address], layers: UpperLayers) -> FloatArray:
    background = np.stack([layers.values[one] for one in addresses])
    return np.asarray(1.0 - background[1:] / background[:-1])
