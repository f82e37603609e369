"""P(cause | its risk factors), from a marginal prior and the effects of the risks.

Risks are independent of each other. For every configuration of a cause's own risks the table holds
the probability of the cause, such that

* summed over the risks it equals the stated prior exactly;
* it is 0 where a requirement does not hold;
* relative risks multiply, and odds ratios shift the odds of the product;
* likelihood ratios and case shares say how the cases are spread over the states of one risk,
  P(state | cause), and so fix a factor P(state | cause) / P(state). Several of them on one risk are
  read together: with P(70 or over | cause) at twice and P(under 60 | cause) at 0.4 times the rate
  of the others, the ages between share what is left. Applied one after the other each would spoil
  the rest.

The builder of the network and the check that no probability exceeds 1 use the same table.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesdx.errors import Fault, InvalidKnowledge, Phrase
from bayesdx.knowledge.schema import Cause, Condition, Effect, Risk
from bayesdx.knowledge.shapes import join

Floats = NDArray[np.float64]

BISECTIONS = 200
ROUNDING = 1e-12


@dataclass(frozen=True)
class ConditionalPrior:
    """P(cause | risks).

    Attributes
    ----------
    risks : tuple of str
        The risks that bear on the cause, in the order of the knowledge.
    table : (S1, S2, ...) float64 array
        One axis a risk, in the order of its states. Read-only.
    """

    risks: tuple[str, ...]
    table: Floats


def own_risks(cause: Cause, risks: Mapping[str, Risk]) -> tuple[str, ...]:
    """Return the risks that a cause's requirements and effects name, in the order of `risks`."""
    named = {condition.risk for condition in cause.requires}
    named |= {condition.risk for effect in cause.effects for condition in effect.any_of}
    return tuple(name for name in risks if name in named)


def conditional_prior(cause: Cause, risks: Mapping[str, Risk]) -> ConditionalPrior:
    """Spread a cause's prior over the configurations of its risks.

    Parameters
    ----------
    cause : Cause
        A cause with a prior; its requirements and effects may name states of `risks` only.
    risks : mapping of str to Risk
        All risks by id.

    Returns
    -------
    ConditionalPrior
        The table; without risks it is a single number.

    Raises
    ------
    InvalidKnowledge
        If a probability would have to exceed 1.
    """
    names = own_risks(cause, risks)
    prior = 0.0 if cause.prior is None else cause.prior.value
    weights = _joint([np.array(risks[name].probabilities) for name in names])
    allowed = _allowed(cause.requires, names, risks)
    reach = float((weights * allowed).sum())
    if reach < prior:
        expected = f"at least the prior, {prior}, as the chance that all requirements hold"
        raise _unreachable(cause, ("requires",), expected, reach)
    factors = allowed * _multiplied(cause, names, risks)
    odds = _odds_ratios(cause, names, risks)
    total = float((weights * factors).sum())
    if total <= 0.0 < prior:
        raise _unreachable(cause, ("effects",), "effects that leave some cases", "none")
    base = prior / total if total > 0.0 else 0.0
    if (odds != 1.0).any():
        base = _solve_base(prior, weights, factors, odds)
    table = _shift_odds(base * factors, odds)
    highest, mean = float(table.max()), float((weights * table).sum())
    if highest > 1.0 + ROUNDING or mean < prior * (1.0 - 1e-9):
        # With odds ratios the base rate stops where the first probability reaches 1.
        got = highest * prior / mean
        expected = "effects that keep every probability at or below 1"
        raise _unreachable(cause, ("effects",), expected, got)
    table = np.minimum(table, 1.0)
    table.setflags(write=False)
    return ConditionalPrior(names, table)


def holding(conditions: Sequence[Condition], risks: Mapping[str, Risk]) -> float:
    """Return P(any of the conditions holds).

    Parameters
    ----------
    conditions : sequence of Condition
        Conditions on risks; several may be on one risk.
    risks : mapping of str to Risk
        All risks by id.

    Returns
    -------
    float
        The probability under independent risks.
    """
    names = tuple(dict.fromkeys(condition.risk for condition in conditions))
    weights = _joint([np.array(risks[name].probabilities) for name in names])
    return float((weights * _mask(conditions, names, risks)).sum())


def _unreachable(
    cause: Cause, key: tuple[str | int, ...], expected: str, got: float | str
) -> InvalidKnowledge:
    shown = Phrase(got if isinstance(got, str) else f"{got:.6g}")
    return InvalidKnowledge(Fault(join(f"causes/{cause.id}.toml:", *key), expected, shown))


def _joint(shares: Sequence[Floats]) -> Floats:
    """Return the outer product of marginals: the joint of independent risks."""
    joint = np.ones(())
    for share in shares:
        joint = np.multiply.outer(joint, share)
    return joint


def _mask(
    conditions: Sequence[Condition], names: Sequence[str], risks: Mapping[str, Risk]
) -> Floats:
    """Return 1 where any condition holds, over the configurations of `names`."""
    shape = tuple(len(risks[name].states) for name in names)
    held = np.zeros(shape, dtype=bool)
    for condition in conditions:
        axis = list(names).index(condition.risk)
        states = risks[condition.risk].states
        hits = np.array([state in condition.states for state in states])
        held |= hits.reshape([-1 if index == axis else 1 for index in range(len(names))])
    return held.astype(np.float64)


def _allowed(
    requires: Sequence[Condition], names: Sequence[str], risks: Mapping[str, Risk]
) -> Floats:
    allowed = np.ones(tuple(len(risks[name].states) for name in names))
    for condition in requires:
        allowed = allowed * _mask([condition], names, risks)
    return allowed


def _multiplied(cause: Cause, names: Sequence[str], risks: Mapping[str, Risk]) -> Floats:
    """Return the product of all factors but the odds ratios."""
    product = np.ones(tuple(len(risks[name].states) for name in names))
    spread = [
        (index, effect)
        for index, effect in enumerate(cause.effects)
        if effect.measure in ("likelihood_ratio", "case_share")
    ]
    for effect in cause.effects:
        if effect.measure == "relative_risk":
            held = _mask(effect.any_of, names, risks)
            product = product * np.where(held > 0.0, effect.value, 1.0)
    for _, together in itertools.groupby(sorted(spread, key=_scope), key=_scope):
        product = product * _spread_factor(cause, list(together), names, risks)
    return product


def _scope(numbered: tuple[int, Effect]) -> tuple[str, ...]:
    """Return what effects must share to be read together: the same set of risks."""
    return tuple(sorted({condition.risk for condition in numbered[1].any_of}))


def _spread_factor(
    cause: Cause,
    effects: Sequence[tuple[int, Effect]],
    names: Sequence[str],
    risks: Mapping[str, Risk],
) -> Floats:
    """Return P(configuration | cause) / P(configuration) for effects on the same risks."""
    prior = 0.0 if cause.prior is None else cause.prior.value
    scope = _scope(effects[0])
    weights = _joint([np.array(risks[name].probabilities) for name in scope])
    factor = np.zeros(weights.shape)
    told = np.zeros(weights.shape, dtype=bool)
    for index, effect in effects:
        held = _mask(effect.any_of, scope, risks) > 0.0
        if (held & told).any():
            raise _unreachable(
                cause, ("effects", index), "states that no other effect speaks of", "twice the same"
            )
        share = float(weights[held].sum())
        factor[held] = _case_share(effect, prior, share) / share
        told |= held
    rest = 1.0 - float((weights * factor).sum())
    left = float(weights[~told].sum())
    if rest < 0.0 or (left == 0.0 and rest > 1e-9):
        raise _unreachable(
            cause,
            ("effects", effects[-1][0], "value"),
            "shares of the cases that add up to at most 1",
            1.0 - rest,
        )
    if left > 0.0:
        factor[~told] = rest / left
    axes = [list(scope).index(name) if name in scope else None for name in names]
    ordered = factor.transpose([axis for axis in axes if axis is not None])
    sizes = [1 if axis is None else factor.shape[axis] for axis in axes]
    return ordered.reshape(sizes)


def _case_share(effect: Effect, prior: float, share: float) -> float:
    """Return P(condition | cause).

    A likelihood ratio v compares with P(condition | no cause); with the overall rate q and the
    prior p, q = p s + (1 - p) s / v.
    """
    if effect.measure == "case_share":
        return effect.value
    return share / (prior + (1.0 - prior) / effect.value)


def _odds_ratios(cause: Cause, names: Sequence[str], risks: Mapping[str, Risk]) -> Floats:
    odds = np.ones(tuple(len(risks[name].states) for name in names))
    for effect in cause.effects:
        if effect.measure == "odds_ratio":
            odds = odds * np.where(_mask(effect.any_of, names, risks) > 0.0, effect.value, 1.0)
    return odds


def _shift_odds(probability: Floats, odds: Floats) -> Floats:
    """Multiply the odds of probabilities; left alone (also above 1) where the ratio is 1."""
    shifted = odds * probability / (1.0 + (odds - 1.0) * np.minimum(probability, 1.0))
    return np.where(odds == 1.0, probability, shifted)


def _solve_base(prior: float, weights: Floats, factors: Floats, odds: Floats) -> float:
    """Find the base rate whose mean over the risks is the prior; the mean grows with the base."""
    low, high = 0.0, 1.0 / float(factors[weights > 0.0].max())
    for _ in range(BISECTIONS):
        middle = (low + high) / 2.0
        if float((weights * _shift_odds(middle * factors, odds)).sum()) < prior:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0
