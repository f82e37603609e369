"""Answers with one stated number elsewhere, for many numbers at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special

from bayesdx.building.assembly import CORRECTIONS
from bayesdx.building.knowledge_draws import knowledge_draws
from bayesdx.building.number_draws import stated_values
from bayesdx.building.perturbations import Mover, Perturbations
from bayesdx.diagnosis.core import Core
from bayesdx.diagnosis.first_order import answers_under
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.model import FloatArray
from bayesdx.knowledge.distributions import BetaFit, LogNormalFit


def answers_at(
    core: Core,
    ready: Perturbations,
    evidence: Evidence,
    moves: Sequence[tuple[Mover, float]],
    *,
    exact: bool = False,
) -> FloatArray:
    """Answer one case with one number elsewhere, for many numbers and steps.

    Parameters
    ----------
    core : Core
    ready : Perturbations
        Of this core.
    evidence : Evidence
        One case.
    moves : sequence of (Mover, float)
        M numbers and their steps, in log-odds or the logarithm of a ratio.
    exact : bool
        Also compute the correction for causes that share risks anew, as an assembly does; by
        default it stays that of the stated numbers.

    Returns
    -------
    array (M, K + 1)
        NaN where the moved number cannot hold beside the others.
    """
    values = stated_values(ready.numbers, 1 + len(moves))
    for at, (mover, step) in enumerate(moves, start=1):
        values[mover.number.number.address][..., at] = mover.moved(step)
    rounds = CORRECTIONS if exact else 0
    draws = knowledge_draws(
        core.knowledge, core.assembly, values, ready.stated, rounds, core.backend
    )
    answers = answers_under(core, draws, evidence).posterior[1:]
    for marks in draws.upper.put_back.values():
        answers[marks[1:]] = np.nan
    return answers


def moved_value(mover: Mover, step: float) -> float:
    """Return a number, or the share that is meant, after a step."""
    return float(np.ravel(mover.moved(step))[max(mover.state, 0)])


def probability_beyond(mover: Mover, step: float) -> float:
    """Return how probable it is that a number is at least that far off, on that side.

    Standard deviations of log-odds say little about a number whose distribution is skewed: that of
    a very rare thing has a long tail towards 0, which is no reason to think of it as common.
    """
    value, fit = moved_value(mover, step), mover.number.fit
    if isinstance(fit, LogNormalFit):
        below = float(special.ndtr((np.log(value) - fit.mean) / fit.deviation))
    else:
        assert fit is not None
        a, b = (fit.a, fit.b) if isinstance(fit, BetaFit) else _marginal(fit, mover.state)
        below = float(special.betainc(a, b, value))
        return float(special.betainc(b, a, 1.0 - value)) if step > 0.0 else below
    return 1.0 - below if step > 0.0 else below


def _marginal(weights: tuple[float, ...], state: int) -> tuple[float, float]:
    return weights[state], sum(weights) - weights[state]
