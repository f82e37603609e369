"""From what clinicians state to noisy-OR parameters that reproduce it.

Each *event* (a finding present, or an ordinal finding at or above a threshold) has a background
``b = P(event | R, cause absent)`` and, a cause at a time, a probability that means one of

``in_population``  P(event | cause present, R), every other cause at its own prior;
``alone``          P(event | this cause and no other), the leak included;
``net``            the strength of the noisy-OR link.

Read literally, an ``in_population`` number and the background contain the other causes' share, so
taking them for link strength and leak would count every co-occurring cause twice. Here strengths,
inhibitor factors and leaks are solved for such that the finished network gives the stated numbers
back. A cause with a probability below the background inhibits the leak, of which it leaves the
floor's share of what is stated: nothing becomes impossible that is not stated to be. The background
is stated once for all causes of a finding; it is met in the mean over them, weighted by their
priors.

Where the causes alone already exceed the background, the leak stays at the *floor* (a stated share
of the background, never zero), and the event is reported as over-explained with both numbers.

Every column of the arrays is one *fit*: an event under one draw of the stated numbers. Its K links
stand in slots, of which some may be empty. A column is solved by itself, whatever stands beside it,
and leaves the loop when it has settled: most do after 50 to 70 rounds, a few, whose leak is about
to reach its floor, take hundreds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np

from bayesdx.inference.noisy.model import BoolArray, FloatArray, IntArray

IN_POPULATION, ALONE, NET = 0, 1, 2

_ROUNDS = 1000
_CHECK_EVERY = 8
_SETTLED = 1e-15
#: Entries, slots times columns, solved together: few enough for their arrays to stay in cache.
_ENTRIES_TOGETHER = 1 << 13
#: Rounds after which what has not settled is put together with what has not settled elsewhere.
_ROUNDS_TOGETHER = 72
#: A round of correction after which every rate is this near to what is stated is the last; each
#: gains one digit or two.
_GIVEN_BACK = 1e-11
#: Strengths and leaks stay below 1, where the updates would divide by zero.
STRONGEST = 1.0 - 1e-9


@dataclass(frozen=True, eq=False)
class Columns:
    """Arrays about R fits, which are the last axis of every field."""

    def take(self, columns: IntArray | BoolArray | slice) -> Self:
        """Return some of the fits."""
        return replace(
            self, **{one.name: getattr(self, one.name)[..., columns] for one in fields(self)}
        )

    def put(self, columns: IntArray | slice, part: Self) -> Self:
        """Return these with some fits replaced, in as many slots as those have."""
        new = {one.name: getattr(self, one.name).copy() for one in fields(self)}
        for name, array in new.items():
            values = getattr(part, name)
            array[(slice(len(values)), columns) if values.ndim > 1 else columns] = values
        return replace(self, **new)

    def top(self, slots: int) -> Self:
        """Return the fits with so many slots, the first ones."""
        arrays = {one.name: getattr(self, one.name) for one in fields(self)}
        return replace(
            self, **{name: one[:slots] if one.ndim > 1 else one for name, one in arrays.items()}
        )


@dataclass(frozen=True, eq=False)
class Targets(Columns):
    """What the network has to give back, for R fits of K links.

    Attributes
    ----------
    prior : array (K, R)
        Of the cause of each link; 0 in an empty slot.
    stated : array (K, R)
        Stated probability of each link, 0 in an empty slot.
    linked : bool array (K, R)
        Whether there is a link in the slot.
    reading : int array (K, R)
        ``IN_POPULATION``, ``ALONE`` or ``NET``.
    background : array (R,)
    floor : array (R,)
        Smallest leak.
    ceiling : array (R,)
        Largest leak; 0 where risks must be able to rule the event out.
    extra : array (R,)
        Mean probability of an additional, risk-dependent background source.
    may_inhibit : bool array (R,)
        Whether inhibitors can be represented (not on thresholds of ordinal findings).
    """

    prior: FloatArray
    stated: FloatArray
    linked: BoolArray
    reading: IntArray
    background: FloatArray
    floor: FloatArray
    ceiling: FloatArray
    extra: FloatArray
    may_inhibit: BoolArray

    @property
    def weights(self) -> FloatArray:
        """Weights of the causes in the mean background of an event, (K, R)."""
        total = self.prior.sum(axis=0)
        shares = np.divide(self.prior, total, out=np.zeros_like(self.prior), where=total > 0.0)
        return np.asarray(shares)


@dataclass(frozen=True, eq=False)
class LinkParameters(Columns):
    """Noisy-OR parameters: ``strength`` and ``factor`` (K, R), ``leak`` (R,)."""

    strength: FloatArray
    factor: FloatArray
    leak: FloatArray


@dataclass(frozen=True, eq=False)
class Rates(Columns):
    """P(event | cause present) and P(event | cause absent), both (K, R)."""

    present: FloatArray
    absent: FloatArray


@dataclass(frozen=True, eq=False)
class Fit:
    """What was solved for, and what it rests on.

    Attributes
    ----------
    parameters : LinkParameters
        As solved, before thresholds of one ordinal finding were made monotone.
    ratio : Rates
        See `solve`.
    exact : Rates
        What the network answered last; the independent rates where it was not asked.
    """

    parameters: LinkParameters
    ratio: Rates
    exact: Rates


#: Asks the network for the exact rates of some fits, given the parameters of all.
AskRates = Callable[[LinkParameters, IntArray], Rates]


def fit(
    targets: Targets,
    ratio: Rates,
    start: LinkParameters | None,
    ask: AskRates,
    together: IntArray,
    rounds: int,
) -> Fit:
    """Solve for parameters, and correct by what the network itself answers.

    Parameters
    ----------
    targets : Targets
    ratio : Rates
        See `solve`; where the corrections begin.
    start : LinkParameters, optional
        Where the solution begins.
    ask : callable
        Exact rates (K, n) of n fits under parameters of all R.
    together : int array (R,)
        Fits of one label are asked and corrected together.
    rounds : int
        Most rounds of correction; with 0 the network is not asked.
    """
    parameters = solve(targets, ratio, start)
    exact = independent_rates(targets, parameters)
    left = np.arange(len(targets.background))
    for turn in range(rounds + 1 if rounds else 0):
        asked = ask(parameters, left)
        exact = exact.put(left, asked)
        part = targets.take(left)
        missed = distance(part, parameters.take(left), asked) >= _GIVEN_BACK
        # What has settled is left alone.
        again = np.isin(together[left], together[left[missed]])
        if turn == rounds or not again.any():
            break
        left, part, asked = left[again], part.take(again), asked.take(again)
        assumed = independent_rates(part, parameters.take(left))
        new = Rates(
            np.where(part.linked, (1.0 - asked.present) / (1.0 - assumed.present), 1.0),
            np.where(part.linked, (1.0 - asked.absent) / (1.0 - assumed.absent), 1.0),
        )
        ratio = ratio.put(left, new)
        parameters = parameters.put(left, solve(part, new, parameters.take(left)))
    return Fit(parameters, ratio, exact)


def distance(targets: Targets, p: LinkParameters, exact: Rates) -> FloatArray:
    """Largest distance from what is stated, among what the parameters can still change, (R,)."""
    lowest = 1.0 + _lowest(targets, p.leak)
    free = targets.linked & ((p.strength > 0.0) | ((p.factor < 1.0) & (p.factor > lowest)))
    links = np.where(free, np.abs(exact.present - targets.stated), 0.0).max(axis=0, initial=0.0)
    inside = (p.leak > targets.floor) & (p.leak < targets.ceiling) & targets.linked.any(axis=0)
    background = np.abs((targets.weights * exact.absent).sum(axis=0) - targets.background)
    return np.asarray(np.maximum(links, np.where(inside, background, 0.0)))


def independent_rates(targets: Targets, p: LinkParameters) -> Rates:
    """Return the rates of a network whose causes are independent of each other."""
    spared = 1.0 - targets.prior * p.strength
    # Factors are strictly positive: a prior below 1 leaves something of every factor.
    spared_by_others = spared.prod(axis=0) / spared * (1.0 - targets.extra)
    lowered = 1.0 - targets.prior * (1.0 - p.factor)
    leak = p.leak * (lowered.prod(axis=0) / lowered)
    present = 1.0 - (1.0 - leak * p.factor) * (1.0 - p.strength) * spared_by_others
    absent = 1.0 - (1.0 - leak) * spared_by_others
    return Rates(present, absent)


def solve(targets: Targets, ratio: Rates, start: LinkParameters | None = None) -> LinkParameters:
    """Solve for parameters, given how the true rates differ from the independent ones.

    Parameters
    ----------
    targets : Targets
    ratio : Rates
        1 - exact rate over 1 - independent rate: causes share risks, so they are not quite
        independent. The ratio hardly moves with the parameters, so few corrections are needed.
    start : LinkParameters, optional
        Where to begin; with leaks alone if not given.

    Returns
    -------
    LinkParameters
        A fixed point of alternating exact updates of each link and each leak. A column depends
        neither on the others nor on how many there are.
    """
    if start is None:
        leak = np.clip(0.5 * targets.background, targets.floor, targets.ceiling)
        start = LinkParameters(np.zeros_like(targets.prior), np.ones_like(targets.prior), leak)
    height = _slots_in_use(targets)
    # Columns of few links first; those that take many rounds are solved together at the end.
    left, result = np.argsort(height, kind="stable"), start
    for first in range(0, _ROUNDS, _ROUNDS_TOGETHER):
        moving = []
        for part in _blocks(left, height[left]):
            slots = int(height[part[-1]])
            solved, still = _solve(
                targets.take(part).top(slots),
                ratio.take(part).top(slots),
                result.take(part).top(slots),
                min(_ROUNDS_TOGETHER, _ROUNDS - first),
            )
            result = result.put(part, solved)
            moving.append(part[still])
        left = np.concatenate(moving) if moving else left[:0]
    return result


def _slots_in_use(targets: Targets) -> IntArray:
    """Position after the last slot of each column that is not empty, (R,)."""
    used = targets.linked | (targets.prior > 0.0)
    return np.asarray((used * np.arange(1, 1 + len(used))[:, None]).max(axis=0, initial=0))


def _blocks(columns: IntArray, height: IntArray) -> Iterator[IntArray]:
    """Cut columns of rising height into blocks of so many entries."""
    first = 0
    while first < len(columns):
        # So many as there could be if all were as high as the last of them.
        many = _ENTRIES_TOGETHER // np.maximum(height[first:], 1)
        last = first + max(1, int(np.count_nonzero(np.arange(1, 1 + len(many)) <= many)))
        yield columns[first:last]
        first = last


def _solve(
    targets: Targets, ratio: Rates, p: LinkParameters, rounds: int
) -> tuple[LinkParameters, BoolArray]:
    """Take so many rounds, or fewer; return the parameters, and which columns still move."""
    result, columns, weights = p, np.arange(len(p.leak)), targets.weights
    for count in range(1, rounds + 1):
        new = update(targets, weights, p, ratio)
        if count % _CHECK_EVERY and count != rounds:
            p = new
            continue
        links = np.maximum(np.abs(new.strength - p.strength), np.abs(new.factor - p.factor))
        change = np.maximum(links.max(axis=0, initial=0.0), np.abs(new.leak - p.leak))
        moving: BoolArray = np.asarray(change >= _SETTLED)
        if count == rounds or not moving.all():
            result = result.put(columns, new)
        if not moving.any() or count == rounds:
            break
        columns, weights, p = columns[moving], weights[:, moving], new.take(moving)
        if not moving.all():
            targets, ratio = targets.take(moving), ratio.take(moving)
    still = np.zeros(len(result.leak), dtype=bool)
    still[columns[moving]] = True
    return result, still


def update(
    targets: Targets, weights: FloatArray, p: LinkParameters, ratio: Rates
) -> LinkParameters:
    """Half a Newton step for every link and leak at once; half, since they pull on each other."""
    rates = independent_rates(targets, p)
    present = 1.0 - (1.0 - rates.present) * ratio.present
    absent = 1.0 - (1.0 - rates.absent) * ratio.absent
    leak, wanted = _new_leak(targets, weights, p, absent), targets.stated
    # One number says both roles: the strength where positive, minus what an inhibitor takes off
    # the leak where negative. The rate is continuous in it, so no link flips to and fro.
    effect = np.where(p.strength > 0.0, p.strength, p.factor - 1.0)
    acts = (effect > 0.0) | ((effect == 0.0) & (wanted > present))
    slope = np.where(acts, (1.0 - present) / (1.0 - p.strength), p.leak * (1.0 - present))
    step = np.divide(wanted - present, slope, out=np.zeros_like(slope), where=slope > 1e-12)
    effect = effect + 0.5 * step
    if (targets.reading != IN_POPULATION).any():
        alone = np.where(
            wanted >= p.leak,
            1.0 - (1.0 - wanted) / (1.0 - p.leak),
            wanted / (p.leak + 1e-300) - 1.0,
        )
        effect = np.where(targets.reading == ALONE, alone, effect)
        effect = np.where(targets.reading == NET, wanted, effect)
    effect = np.where(targets.linked, np.clip(effect, _lowest(targets, leak), STRONGEST), 0.0)
    return LinkParameters(np.maximum(effect, 0.0), 1.0 + np.minimum(effect, 0.0), leak)


def _lowest(targets: Targets, leak: FloatArray) -> FloatArray:
    """Most that inhibitors take off a leak, as a negative share of it, (K, R)."""
    share = np.divide(targets.floor, targets.background, out=np.zeros_like(leak), where=leak > 0.0)
    left = np.divide(
        share * targets.stated, leak, out=np.ones_like(targets.stated), where=leak > 0.0
    )
    return np.where(targets.may_inhibit, np.minimum(left - 1.0, 0.0), 0.0)


def _new_leak(
    targets: Targets, weights: FloatArray, p: LinkParameters, absent: FloatArray
) -> FloatArray:
    mean_absent = (weights * absent).sum(axis=0)
    alone = 1.0 - (1.0 - p.leak) * (1.0 - targets.extra)
    mean_absent = np.where(targets.linked.any(axis=0), mean_absent, alone)
    exact = 1.0 - (1.0 - targets.background) * (1.0 - p.leak) / (1.0 - mean_absent)
    result: FloatArray = np.clip(0.5 * (p.leak + exact), targets.floor, targets.ceiling)
    return result
