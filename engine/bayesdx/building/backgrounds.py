"""Backgrounds that depend on risks, as hidden causes of strength 1, under D draws of the numbers.

``probability`` v where the risks hold: elsewhere the background is what keeps its mean b, and the
hidden cause makes up the ratio (1 - v) / (1 - elsewhere). ``zero_otherwise``: the whole background
comes from a cause that exists only where the risks hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bayesdx.inference.noisy.model import BoolArray, FloatArray
from bayesdx.knowledge.conditioning import ROUNDING, CauseTable, Misfit, all_hold, joint
from bayesdx.knowledge.schema import Condition, Finding, Risk


def hidden_background(
    finding: Finding,
    risks: Mapping[str, Risk],
    shares: Mapping[str, FloatArray],
    background: FloatArray,
    effect: FloatArray | None,
    linked: Sequence[tuple[CauseTable, FloatArray]],
) -> CauseTable:
    """Turn the effect of risks on a background into a hidden cause of strength 1.

    Parameters
    ----------
    finding : Finding
        With an effect of risks on its background.
    risks : mapping of str to Risk
    shares : mapping of str to array (S, D)
    background : array (D,)
    effect : array (D,), optional
        P(finding | the risks hold); None where the background is zero otherwise.
    linked : sequence of (CauseTable, priors (D,))
        The causes that the finding is linked to.

    Returns
    -------
    CauseTable
        Clipped into 0 to 1. It holds where every part of the background is a probability and the
        risks raise it; only the first is a misfit, the second leaves a hidden cause that is never
        present.
    """
    when = finding.background_effects[0].when
    names = tuple(name for name in risks if name in when)
    conditions = [Condition(risk=name, states=when[name]) for name in names]
    held = all_hold(conditions, names, risks)
    weight = joint([shares[name] for name in names])[held].sum(axis=0)
    if effect is None:
        reach = weight
        if linked:
            # Seen from causes that share the risks, the absence of a cause says a little of them.
            parts = [_held_without(names, held, weight, *one, shares) for one in linked]
            mass = np.stack([prior for _, prior in linked])
            reach = (np.stack(np.broadcast_arrays(*parts)) * mass).sum(axis=0) / mass.sum(axis=0)
        level, raised = background / reach, background < weight
        room = [1.0 - level, 1.0 - background / weight]
    else:
        elsewhere = (background - weight * effect) / (1.0 - weight)
        raised = (elsewhere > 0.0) & (elsewhere <= effect + ROUNDING)
        room = [elsewhere / background, 1.0 - elsewhere / effect]
        # Where the effect is just the background nothing is left, which rounding may put below 0.
        level = 1.0 - (1.0 - effect) / (1.0 - np.minimum(elsewhere, 0.5 + 0.5 * effect))
    possible = level <= 1.0 + ROUNDING
    table = held[..., None] * np.clip(level, 0.0, 1.0)
    table.setflags(write=False)
    expected = "a background of which every part is a probability"
    misfit = Misfit(("background_effects",), expected, level, ~possible)
    return CauseTable(names, table, raised & possible, (misfit,), np.array(room))


def _held_without(
    names: tuple[str, ...],
    held: BoolArray,
    weight: FloatArray,
    cause: CauseTable,
    prior: FloatArray,
    shares: Mapping[str, FloatArray],
) -> FloatArray:
    """P(the risks hold | cause absent), (D,)."""
    common = [name for name in cause.risks if name in names]
    if not common:
        return weight
    together = cause.table * joint([shares[name] for name in cause.risks])
    private = tuple(i for i, name in enumerate(cause.risks) if name not in names)
    marginal = together.sum(axis=private)
    inside = held.any(axis=tuple(i for i, name in enumerate(names) if name not in common))
    return np.asarray((weight - marginal[inside].sum(axis=0)) / (1.0 - prior))


def is_gated(finding: Finding) -> bool:
    """Whether a finding has no background at all where its risks do not hold."""
    return any(effect.measure == "zero_otherwise" for effect in finding.background_effects)
