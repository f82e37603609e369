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

Every number may be an array over D draws, the last axis of everything; the numbers of a folder are
one draw. What contradicts itself in a draw is said as a `Misfit`, and refused by who asks for one.
The builder of the network and the check that no probability exceeds 1 use the same table.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bayesdx.errors import Fault, InvalidKnowledge, Phrase
from bayesdx.knowledge.schema import Cause, Condition, Effect, Risk
from bayesdx.knowledge.shapes import join

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Indices = NDArray[np.intp]

#: Most steps to the base rate where odds ratios leave no closed form: halvings for the bits of a
#: number, and some for rates far below the highest possible one; a step that is the last one.
STEPS, NEGLIGIBLE = 80, 1e-10
ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Misfit:
    """What keeps numbers from holding together.

    Attributes
    ----------
    path : tuple of str or int
        Key in the entry that they belong to.
    expected : str
        With ``{prior}`` in the place of the prior.
    got : array (D,) or str
    where : bool array (D,)
        In which draws.
    """

    path: tuple[str | int, ...]
    expected: str
    got: Floats | str
    where: Booleans


@dataclass(frozen=True, eq=False)
class CauseTable:
    """P(present | risks) of a cause, or of a hidden background cause, under D draws.

    Attributes
    ----------
    risks : tuple of str
        The risks that bear on the cause, in the order of the knowledge.
    table : array (S1, S2, ..., D)
        Read-only.
    holds : bool array (D,)
        Whether the numbers of a draw can hold together.
    misfits : tuple of Misfit
        Why not, the first reason first.
    room : array (M, D)
        How far the numbers are from each limit, as a share of what it limits; below 0 beyond it.
    """

    risks: tuple[str, ...]
    table: Floats
    holds: Booleans
    misfits: tuple[Misfit, ...]
    room: Floats


@dataclass(frozen=True, eq=False)
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
    prior = np.array([0.0 if cause.prior is None else cause.prior.value])
    shares = {name: stated_shares(risks[name]) for name in own_risks(cause, risks)}
    effects = [np.array([effect.value]) for effect in cause.effects]
    found = conditional_priors(cause, risks, shares, prior, effects)
    raise_misfits(f"causes/{cause.id}.toml:", found, float(prior[0]))
    return ConditionalPrior(found.risks, found.table[..., 0])


def raise_misfits(place: str, found: CauseTable, prior: float) -> None:
    """Raise `InvalidKnowledge` for the first thing that keeps the first draw from holding."""
    for one in found.misfits:
        if one.where[0]:
            got = Phrase(one.got if isinstance(one.got, str) else f"{one.got[0]:.6g}")
            raise InvalidKnowledge(
                Fault(join(place, *one.path), one.expected.format(prior=prior), got)
            )


def stated_shares(risk: Risk) -> Floats:
    """Return P(state) of a risk as one draw, (S, 1)."""
    return np.array(risk.probabilities)[:, None]


def conditional_priors(
    cause: Cause,
    risks: Mapping[str, Risk],
    shares: Mapping[str, Floats],
    prior: Floats,
    effects: Sequence[Floats],
) -> CauseTable:
    """Spread a cause's prior over the configurations of its risks, under D draws of the numbers.

    Parameters
    ----------
    cause : Cause
        Its requirements and effects say what acts; its numbers are not looked at.
    risks : mapping of str to Risk
    shares : mapping of str to array (S, D)
        P(state) of the cause's own risks.
    prior : array (D,)
    effects : sequence of arrays (D,)
        Values of ``cause.effects``.
    """
    kept, draw = _distinct([*shares.values(), prior[None], *(one[None] for one in effects)])
    few = {name: share[:, kept] for name, share in shares.items()}
    found = _conditioned(cause, risks, few, prior[kept], [value[kept] for value in effects])
    table = found.table[..., draw]
    table.setflags(write=False)

    def every(one: Misfit) -> Misfit:
        where = np.broadcast_to(one.where, kept.shape)[draw]
        if isinstance(one.got, str):
            return replace(one, where=where)
        return replace(one, got=np.broadcast_to(one.got, kept.shape)[draw], where=where)

    misfits = tuple(map(every, found.misfits))
    return CauseTable(found.risks, table, found.holds[draw], misfits, found.room[:, draw])


def _distinct(numbers: Sequence[Floats]) -> tuple[Indices, Indices]:
    """Find draws that differ in some of the numbers, each (K, D); most move others of a network.

    Returns
    -------
    kept : int array (E,)
        Two or more: sums over configurations run in another order where there is one draw alone.
    draw : int array (D,)
        Which of them each draw equals.
    """
    columns = np.concatenate(numbers)
    if columns.shape[1] < 2:
        return np.arange(columns.shape[1]), np.zeros(columns.shape[1], dtype=np.intp)
    _, kept, draw = np.unique(columns, axis=1, return_index=True, return_inverse=True)
    if len(kept) < 2:
        return np.arange(columns.shape[1])[:2], np.zeros(columns.shape[1], dtype=np.intp)
    # NumPy 2.0 gives the inverse along an axis two dimensions.
    return kept, draw.reshape(-1)


def _conditioned(
    cause: Cause,
    risks: Mapping[str, Risk],
    shares: Mapping[str, Floats],
    prior: Floats,
    effects: Sequence[Floats],
) -> CauseTable:
    """As `conditional_priors`, of every draw given."""
    names = own_risks(cause, risks)
    weights = joint([shares[name] for name in names])
    allowed = all_hold(cause.requires, names, risks)[..., None]
    reach = _total(weights * allowed)
    expected = "at least the prior, {prior}, as the chance that all requirements hold"
    misfits = [Misfit(("requires",), expected, reach, ~(reach >= prior))]
    room: list[Floats] = []
    shape = np.broadcast_shapes(weights.shape, prior.shape)
    factors: Floats = np.broadcast_to(allowed.astype(np.float64), shape)
    odds: Floats | None = None
    spread: list[tuple[int, Effect, Floats]] = []
    for index, (effect, value) in enumerate(zip(cause.effects, effects, strict=True)):
        held = any_holds(effect.any_of, names, risks)[..., None]
        if effect.measure == "relative_risk":
            factors = factors * np.where(held, value, 1.0)
        elif effect.measure == "odds_ratio":
            odds = np.where(held, value, 1.0) * (1.0 if odds is None else odds)
        else:
            spread.append((index, effect, value))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for _, together in itertools.groupby(sorted(spread, key=_scope), key=_scope):
            factor = _spread_factor(list(together), names, risks, shares, prior, misfits, room)
            factors = factors * factor
        total = _total(weights * factors)
        no_case = ~(total > 0.0) & (prior > 0.0)
        misfits.append(Misfit(("effects",), "effects that leave some cases", "none", no_case))
        base = np.where(total > 0.0, prior / total, 0.0)
        if odds is None:
            table = base * factors
        else:
            shifts = (odds != 1.0).reshape(-1, odds.shape[-1]).any(axis=0)
            base = np.where(shifts, _solved_base(prior, weights, factors, odds), base)
            table = _shift_odds(base * factors, odds)
        highest, mean = table.reshape(-1, table.shape[-1]).max(axis=0), _total(weights * table)
        # With odds ratios the base rate stops where the first probability reaches 1.
        beyond = ~(highest <= 1.0 + ROUNDING) | ~(mean >= prior * (1.0 - 1e-9))
        expected = "effects that keep every probability at or below 1"
        misfits.append(Misfit(("effects",), expected, highest * prior / mean, beyond))
        room.append(1.0 - highest * prior / mean)
    table = np.minimum(table, 1.0)
    table.setflags(write=False)
    wrong = np.logical_or.reduce([np.broadcast_to(one.where, beyond.shape) for one in misfits])
    return CauseTable(names, table, ~wrong, tuple(misfits), np.array(room))


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
    weights = joint([stated_shares(risks[name]) for name in names])
    return float((weights[..., 0] * any_holds(conditions, names, risks)).sum())


def joint(shares: Iterable[Floats]) -> Floats:
    """Return the joint of independent risks, (S1, S2, ..., D), from their marginals (S, D)."""
    result = np.ones(1)
    for share in shares:
        result = result[..., None, :] * share
    return result


def any_holds(
    conditions: Iterable[Condition], names: Sequence[str], risks: Mapping[str, Risk]
) -> Booleans:
    """Say where any of the conditions holds, over the configurations of `names`."""
    held = np.zeros(tuple(len(risks[name].states) for name in names), dtype=bool)
    for condition in conditions:
        axis = list(names).index(condition.risk)
        hits = np.array([state in condition.states for state in risks[condition.risk].states])
        held |= hits.reshape([-1 if index == axis else 1 for index in range(len(names))])
    return held


def all_hold(
    conditions: Iterable[Condition], names: Sequence[str], risks: Mapping[str, Risk]
) -> Booleans:
    """Say where all of the conditions hold, over the configurations of `names`."""
    held = np.ones(tuple(len(risks[name].states) for name in names), dtype=bool)
    for condition in conditions:
        held = held & any_holds([condition], names, risks)
    return held


def _total(values: Floats) -> Floats:
    """Sum over the configurations, (D,)."""
    return np.asarray(values.reshape(-1, values.shape[-1]).sum(axis=0))


def _scope(numbered: tuple[int, Effect, Floats]) -> tuple[str, ...]:
    """Return what effects must share to be read together: the same set of risks."""
    return tuple(sorted({condition.risk for condition in numbered[1].any_of}))


def _spread_factor(
    effects: Sequence[tuple[int, Effect, Floats]],
    names: Sequence[str],
    risks: Mapping[str, Risk],
    shares: Mapping[str, Floats],
    prior: Floats,
    misfits: list[Misfit],
    room: list[Floats],
) -> Floats:
    """Return P(configuration | cause) / P(configuration) for effects on the same risks.

    A likelihood ratio v compares with P(condition | no cause); with the overall rate q and the
    prior p, q = p s + (1 - p) s / v.
    """
    scope = _scope(effects[0])
    weights = joint([shares[name] for name in scope])
    factor = np.zeros(np.broadcast_shapes(weights.shape, prior.shape))
    told = np.zeros(weights.shape[:-1], dtype=bool)
    for index, effect, value in effects:
        held = any_holds(effect.any_of, scope, risks)
        if (held & told).any():
            expected = "states that no other effect speaks of"
            every = np.ones(prior.shape, dtype=bool)
            misfits.append(Misfit(("effects", index), expected, "twice the same", every))
        share = weights[held].sum(axis=0)
        cases = value
        if effect.measure == "likelihood_ratio":
            cases = share / (prior + (1.0 - prior) / value)
        factor[held] = cases / share
        told |= held
    rest = 1.0 - _total(weights * factor)
    excess = ~(rest >= 0.0) if not told.all() else ~((rest >= 0.0) & (rest <= 1e-9))
    path = ("effects", effects[-1][0], "value")
    expected = "shares of the cases that add up to at most 1"
    misfits.append(Misfit(path, expected, 1.0 - rest, excess))
    if not told.all():
        room.append(rest)
        factor[~told] = rest / weights[~told].sum(axis=0)
    order = [scope.index(name) for name in names if name in scope]
    sizes = [len(risks[name].states) if name in scope else 1 for name in names]
    return factor.transpose([*order, len(scope)]).reshape([*sizes, -1])


def _shift_odds(probability: Floats, odds: Floats) -> Floats:
    """Multiply the odds of probabilities; left alone (also above 1) where the ratio is 1."""
    shifted = odds * probability / (1.0 + (odds - 1.0) * np.minimum(probability, 1.0))
    return np.where(odds == 1.0, probability, shifted)


def _solved_base(prior: Floats, weights: Floats, factors: Floats, odds: Floats) -> Floats:
    """Find the base rates whose mean over the risks is the prior; it grows with the base.

    By Newton's method, and by halving what is left where that leads out of it. No draw depends on
    the others.
    """
    reachable = np.where(weights > 0.0, factors, 0.0)
    high = 1.0 / reachable.reshape(-1, reachable.shape[-1]).max(axis=0)
    low, base = np.zeros_like(high), high / 2.0
    moving = np.ones(base.shape, dtype=bool)
    for _ in range(STEPS):
        probability = base * factors
        missed = prior - _total(weights * _shift_odds(probability, odds))
        spread = 1.0 + (odds - 1.0) * np.minimum(probability, 1.0)
        slope = _total(weights * (odds * factors / spread**2))
        low, high = np.where(missed > 0.0, base, low), np.where(missed > 0.0, high, base)
        new = base + missed / slope
        new = np.where((new > low) & (new < high), new, (low + high) / 2.0)
        step, base = np.abs(new - base), np.where(moving, new, base)
        # The next step of Newton's method would be the square of so small a one.
        moving = moving & (step > NEGLIGIBLE * base)
        if not moving.any():
            break
    return np.asarray(base)
