"""P(cause | risks) for many sets of stated numbers at once.

The same rules as `bayesdx.knowledge.conditioning.conditional_prior` and
`bayesdx.building.targets.build_extra`, which say what they mean; here every number is an array
over D draws, the last axis of everything. A draw whose numbers contradict each other (a probability
would have to exceed 1) is marked, not refused.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bayesdx.inference.noisy.model import BoolArray, FloatArray
from bayesdx.knowledge import Cause, Finding, Risk
from bayesdx.knowledge.conditioning import ROUNDING, own_risks
from bayesdx.knowledge.draft import cause_file
from bayesdx.knowledge.schema import Condition, Effect

#: Halvings of the base rate's interval where odds ratios leave no closed form; as many as there
#: are bits.
_BISECTIONS = 70


@dataclass(frozen=True, eq=False)
class DrawnTable:
    """P(present | risks) of a cause or a hidden background cause.

    Attributes
    ----------
    risks : tuple of str
        Axes, in the order of the knowledge.
    table : array (S1, S2, ..., D)
    holds : bool array (D,)
        Whether the numbers of a draw can hold together.
    """

    risks: tuple[str, ...]
    table: FloatArray
    holds: BoolArray


def risk_shares(value: FloatArray) -> FloatArray:
    """Return the shares of a risk's states, (S, D), from drawn prevalences, (D,) or (S, D)."""
    return value if value.ndim == 2 else np.stack([1.0 - value, value])


def effect_places(cause: Cause) -> tuple[str, ...]:
    """Return the places of a cause's effects, in their order."""
    return tuple(f"{cause_file(cause.id)}:effects[{index}]" for index in range(len(cause.effects)))


def drawn_prior(
    cause: Cause,
    risks: Mapping[str, Risk],
    shares: Mapping[str, FloatArray],
    prior: FloatArray,
    effects: Sequence[FloatArray],
) -> DrawnTable:
    """Spread a cause's drawn priors over the configurations of its risks.

    Parameters
    ----------
    cause : Cause
    risks : mapping of str to Risk
    shares : mapping of str to array (S, D)
    prior : array (D,)
    effects : sequence of arrays (D,)
        Values of ``cause.effects``.

    Returns
    -------
    DrawnTable
    """
    names = own_risks(cause, risks)
    weights = _joint([shares[name] for name in names], len(prior))
    allowed = np.ones(weights.shape[:-1])
    for condition in cause.requires:
        allowed = allowed * _mask([condition], names, risks)
    holds = _total(weights * allowed[..., None]) >= prior
    factors = np.broadcast_to(allowed[..., None], weights.shape)
    odds = np.ones_like(weights)
    spread: list[tuple[Effect, FloatArray]] = []
    for effect, value in zip(cause.effects, effects, strict=True):
        held = _mask(effect.any_of, names, risks)[..., None] > 0.0
        if effect.measure == "relative_risk":
            factors = factors * np.where(held, value, 1.0)
        elif effect.measure == "odds_ratio":
            odds = odds * np.where(held, value, 1.0)
        else:
            spread.append((effect, value))
    for scope, together in itertools.groupby(sorted(spread, key=_scope), key=_scope):
        factor, possible = _spread_factor(scope, list(together), names, risks, shares, prior)
        factors, holds = factors * factor, holds & possible
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        base = np.where((total := _total(weights * factors)) > 0.0, prior / total, 0.0)
        holds = holds & (total > 0.0)
        if (odds != 1.0).any():
            base = np.where(
                (odds != 1.0).reshape(-1, len(prior)).any(axis=0),
                _solved_base(prior, weights, factors, odds),
                base,
            )
        table = _shifted(base * factors, odds)
        mean = _total(weights * table)
    highest = table.reshape(-1, len(prior)).max(axis=0)
    holds = holds & (highest <= 1.0 + ROUNDING) & (mean >= prior * (1.0 - 1e-9))
    return DrawnTable(names, np.minimum(table, 1.0), holds)


def _joint(shares: Sequence[FloatArray], draws: int) -> FloatArray:
    joint = np.ones(draws)
    for axis, share in enumerate(shares):
        joint = joint[..., None, :] * share.reshape((1,) * axis + share.shape)
    return joint


def _total(values: FloatArray) -> FloatArray:
    """Sum over the configurations, (D,)."""
    return np.asarray(values.reshape(-1, values.shape[-1]).sum(axis=0))


def _mask(
    conditions: Sequence[Condition], names: Sequence[str], risks: Mapping[str, Risk]
) -> FloatArray:
    """Return 1 where any condition holds, over the configurations of ``names``."""
    held = np.zeros(tuple(len(risks[name].states) for name in names), dtype=bool)
    for condition in conditions:
        axis = list(names).index(condition.risk)
        hits = np.array([state in condition.states for state in risks[condition.risk].states])
        held |= hits.reshape([-1 if index == axis else 1 for index in range(len(names))])
    return held.astype(np.float64)


def _scope(entry: tuple[Effect, FloatArray]) -> tuple[str, ...]:
    return tuple(sorted({condition.risk for condition in entry[0].any_of}))


def _spread_factor(
    scope: tuple[str, ...],
    effects: Sequence[tuple[Effect, FloatArray]],
    names: Sequence[str],
    risks: Mapping[str, Risk],
    shares: Mapping[str, FloatArray],
    prior: FloatArray,
) -> tuple[FloatArray, BoolArray]:
    """Return P(configuration | cause) / P(configuration), and where it exists."""
    weights = _joint([shares[name] for name in scope], len(prior))
    factor, told = np.zeros(weights.shape), np.zeros(weights.shape[:-1], dtype=bool)
    for effect, value in effects:
        held = _mask(effect.any_of, scope, risks) > 0.0
        share = weights[held].sum(axis=0)
        cases = value
        if effect.measure != "case_share":
            cases = share / (prior + (1.0 - prior) / value)
        factor[held] = cases / share
        told |= held
    rest = 1.0 - _total(weights * factor)
    holds = rest >= 0.0
    if told.all():
        holds = holds & (rest <= 1e-9)
    else:
        factor[~told] = rest / weights[~told].sum(axis=0)
    order = [scope.index(name) for name in names if name in scope]
    sizes = [len(risks[name].states) if name in scope else 1 for name in names]
    return factor.transpose([*order, len(scope)]).reshape([*sizes, len(prior)]), holds


def _shifted(probability: FloatArray, odds: FloatArray) -> FloatArray:
    moved = odds * probability / (1.0 + (odds - 1.0) * np.minimum(probability, 1.0))
    return np.where(odds == 1.0, probability, moved)


def _solved_base(
    prior: FloatArray, weights: FloatArray, factors: FloatArray, odds: FloatArray
) -> FloatArray:
    """Find the base rates whose mean over the risks is the prior."""
    reachable = np.where(weights > 0.0, factors, 0.0).reshape(-1, len(prior)).max(axis=0)
    low, high = np.zeros_like(prior), 1.0 / reachable
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2.0
        below = _total(weights * _shifted(middle * factors, odds)) < prior
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray((low + high) / 2.0)


def drawn_extra(
    finding: Finding,
    risks: Mapping[str, Risk],
    shares: Mapping[str, FloatArray],
    background: FloatArray,
    effect: FloatArray | None,
    linked: Sequence[tuple[DrawnTable, FloatArray]],
) -> DrawnTable:
    """Turn drawn effects of risks on a background into a hidden cause of strength 1.

    Parameters
    ----------
    finding : Finding
        With an effect of risks on its background.
    risks, shares : mappings
        As for `drawn_prior`.
    background : array (D,)
    effect : array (D,), optional
        P(finding | the risks hold); None where the background is zero otherwise.
    linked : sequence of (DrawnTable, priors (D,))
        The causes that the finding is linked to.

    Returns
    -------
    DrawnTable
        Where the numbers do not hold the table is clipped into 0 to 1.
    """
    when = finding.background_effects[0].when
    names = tuple(name for name in risks if name in when)
    held = np.ones(tuple(len(risks[name].states) for name in names))
    for axis, name in enumerate(names):
        inside = np.array([state in when[name] for state in risks[name].states], dtype=float)
        held = held * inside.reshape([-1 if i == axis else 1 for i in range(len(names))])
    weights = _joint([shares[name] for name in names], len(background))
    weight = _total(weights * held[..., None])
    if effect is None:
        reach = weight
        if linked:
            parts = [_held_without(names, held, weight, *one, shares) for one in linked]
            mass = np.stack([prior for _, prior in linked])
            reach = (np.stack(parts) * mass).sum(axis=0) / mass.sum(axis=0)
        level, holds = background / reach, background < weight
    else:
        elsewhere = (background - weight * effect) / (1.0 - weight)
        holds = (elsewhere > 0.0) & (elsewhere <= effect + ROUNDING)
        level = 1.0 - (1.0 - effect) / (1.0 - np.minimum(elsewhere, 0.5 + 0.5 * effect))
    table = held[..., None] * np.clip(level, 0.0, 1.0)
    return DrawnTable(names, table, holds & (level <= 1.0))


def _held_without(
    names: tuple[str, ...],
    held: FloatArray,
    weight: FloatArray,
    cause: DrawnTable,
    prior: FloatArray,
    shares: Mapping[str, FloatArray],
) -> FloatArray:
    """P(the risks hold | cause absent), (D,)."""
    common = [name for name in cause.risks if name in names]
    if not common:
        return weight
    joint = cause.table * _joint([shares[name] for name in cause.risks], len(prior))
    private = tuple(i for i, name in enumerate(cause.risks) if name not in names)
    marginal = joint.sum(axis=private)
    inside = held.sum(axis=tuple(i for i, name in enumerate(names) if name not in common)) > 0
    return np.asarray((weight - marginal[inside].sum(axis=0)) / (1.0 - prior))
