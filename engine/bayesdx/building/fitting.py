"""From what clinicians state to noisy-OR parameters that reproduce it.

Each *event* (a finding present, or an ordinal finding at or above a threshold) has a background
``b = P(event | R, cause absent)`` and, a cause at a time, a probability that means one of

``in_population``  P(event | cause present, R), every other cause at its own prior;
``alone``          P(event | this cause and no other), the leak included;
``net``            the strength of the noisy-OR link.

Read literally, an ``in_population`` number and the background contain the other causes' share, so
taking them for link strength and leak would count every co-occurring cause twice. Here strengths,
inhibitor factors and leaks are solved for such that the finished network gives the stated numbers
back. A cause with a probability below the background inhibits the leak. The background is stated
once for all causes of a finding; it is met in the mean over them, weighted by their priors.

Where the causes alone already exceed the background, the leak stays at the *floor* (a stated share
of the background, never zero), nothing is left for inhibitors to act on, and the event is reported
as over-explained with both numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdx.inference.noisy.model import BoolArray, FloatArray

IN_POPULATION, ALONE, NET = 0, 1, 2

_ROUNDS = 1000
#: Strengths and leaks stay below 1, where the updates would divide by zero.
STRONGEST = 1.0 - 1e-9


@dataclass(frozen=True, eq=False)
class Targets:
    """What the network has to give back, for E events and C causes.

    Attributes
    ----------
    prior : array (C,)
        Or (E, C), where every row has priors of its own.
    stated : array (E, C)
        Stated probability of each link, NaN where there is none.
    reading : int array (E, C)
        ``IN_POPULATION``, ``ALONE`` or ``NET``.
    background : array (E,)
    floor : array (E,)
        Smallest leak.
    ceiling : array (E,)
        Largest leak; 0 where risks must be able to rule the event out.
    extra : array (E,)
        Mean probability of an additional, risk-dependent background source.
    may_inhibit : bool array (E,)
        Whether inhibitors can be represented (not on thresholds of ordinal findings).
    """

    prior: FloatArray
    stated: FloatArray
    reading: FloatArray
    background: FloatArray
    floor: FloatArray
    ceiling: FloatArray
    extra: FloatArray
    may_inhibit: BoolArray

    @property
    def linked(self) -> BoolArray:
        """Which links there are, (E, C)."""
        return ~np.isnan(self.stated)

    @property
    def weights(self) -> FloatArray:
        """Weights of the causes in the mean background of an event, (E, C)."""
        mass = np.where(self.linked, self.prior, 0.0)
        total = mass.sum(axis=1, keepdims=True)
        shares: FloatArray = np.divide(mass, total, out=np.zeros_like(mass), where=total > 0.0)
        return shares


@dataclass(frozen=True, eq=False)
class LinkParameters:
    """Noisy-OR parameters: ``strength`` and ``factor`` (E, C), ``leak`` (E,)."""

    strength: FloatArray
    factor: FloatArray
    leak: FloatArray


@dataclass(frozen=True, eq=False)
class Rates:
    """P(event | cause present) and P(event | cause absent), both (E, C)."""

    present: FloatArray
    absent: FloatArray


def independent_rates(targets: Targets, p: LinkParameters) -> Rates:
    """Return the rates of a network whose causes are independent of each other."""
    spared = 1.0 - targets.prior * p.strength
    spared_by_others = _product_of_others(spared) * (1.0 - targets.extra[:, None])
    lowered = 1.0 - targets.prior * (1.0 - p.factor)
    leak = p.leak[:, None] * _product_of_others(lowered)
    present = 1.0 - (1.0 - leak * p.factor) * (1.0 - p.strength) * spared_by_others
    absent = 1.0 - (1.0 - leak) * spared_by_others
    return Rates(present, absent)


def _product_of_others(values: FloatArray) -> FloatArray:
    # Factors are strictly positive: a prior below 1 leaves something of every factor.
    result: FloatArray = values.prod(axis=1, keepdims=True) / values
    return result


def solve(targets: Targets, ratio: Rates, start: LinkParameters | None = None) -> LinkParameters:
    """Solve for parameters, given how the true rates differ from the independent ones.

    Parameters
    ----------
    targets : Targets
    ratio : Rates
        1 - exact rate over 1 - independent rate: causes share risks, so they are not quite
        independent. The ratio hardly moves with the parameters, so few corrections are needed.
    start : LinkParameters, optional
        Where to begin.

    Returns
    -------
    LinkParameters
        A fixed point of alternating exact updates of each link and each leak.
    """
    p = start or first_guess(targets)
    for _ in range(_ROUNDS):
        rates = independent_rates(targets, p)
        new = update(targets, p, rates, ratio)
        change = max(
            np.abs(new.strength - p.strength).max(initial=0.0),
            np.abs(new.factor - p.factor).max(initial=0.0),
            np.abs(new.leak - p.leak).max(initial=0.0),
        )
        p = new
        if change < 1e-15:
            break
    return p


def first_guess(targets: Targets) -> LinkParameters:
    """Return where a fit begins that knows nothing better: leaks alone."""
    leak = np.clip(0.5 * targets.background, targets.floor, targets.ceiling)
    shape = targets.stated.shape
    return LinkParameters(np.zeros(shape), np.ones(shape), leak)


def update(targets: Targets, p: LinkParameters, rates: Rates, ratio: Rates) -> LinkParameters:
    """Half a Newton step for every link and leak at once; half, since they pull on each other."""
    present = 1.0 - (1.0 - rates.present) * ratio.present
    absent = 1.0 - (1.0 - rates.absent) * ratio.absent
    leak = _new_leak(targets, p, absent)
    wanted = np.where(targets.linked, targets.stated, 0.0)
    # One number says both roles: the strength where positive, minus what an inhibitor takes off
    # the leak where negative. The rate is continuous in it, so no link flips to and fro.
    effect = np.where(p.strength > 0.0, p.strength, p.factor - 1.0)
    acts = (effect > 0.0) | ((effect == 0.0) & (wanted > present))
    slope = np.where(acts, (1.0 - present) / (1.0 - p.strength), p.leak[:, None] * (1.0 - present))
    step = np.divide(wanted - present, slope, out=np.zeros_like(slope), where=slope > 1e-12)
    effect = effect + 0.5 * step
    column = p.leak[:, None]
    alone = np.where(
        wanted >= column, 1.0 - (1.0 - wanted) / (1.0 - column), wanted / (column + 1e-300) - 1.0
    )
    effect = np.where(targets.reading == ALONE, alone, effect)
    effect = np.where(targets.reading == NET, wanted, effect)
    # At its floor the leak has nothing left that an inhibitor could take away.
    lowest = np.where(targets.may_inhibit & (leak > targets.floor), -1.0, 0.0)[:, None]
    effect = np.where(targets.linked, np.clip(effect, lowest, STRONGEST), 0.0)
    return LinkParameters(np.maximum(effect, 0.0), 1.0 + np.minimum(effect, 0.0), leak)


def _new_leak(targets: Targets, p: LinkParameters, absent: FloatArray) -> FloatArray:
    mean_absent = (targets.weights * absent).sum(axis=1)
    alone = 1.0 - (1.0 - p.leak) * (1.0 - targets.extra)
    mean_absent = np.where(targets.linked.any(axis=1), mean_absent, alone)
    exact = 1.0 - (1.0 - targets.background) * (1.0 - p.leak) / (1.0 - mean_absent)
    result: FloatArray = np.clip(0.5 * (p.leak + exact), targets.floor, targets.ceiling)
    return result
