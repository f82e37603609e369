"""How an answer moves with every stated number, to first order, by differences of exact answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import special

from bayesdx.building.knowledge_draws import KnowledgeDraws
from bayesdx.building.perturbations import Mover, Perturbations
from bayesdx.diagnosis.core import Core
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.model import BoolArray, FloatArray, IntArray

#: Posteriors are kept this far from 0 and 1 where their log-odds are taken.
_EDGE = 1e-15


class Answers(NamedTuple):
    """Posteriors (D, K + 1) as people see them, ``unexplained`` last, and log evidence (D,)."""

    posterior: FloatArray
    log_evidence: FloatArray

    @property
    def possible(self) -> BoolArray:
        """Under which sets the evidence is possible, (D,)."""
        return ~np.isneginf(self.log_evidence)


@dataclass(frozen=True, eq=False)
class FirstOrder:
    """How one answer moves with every number.

    Attributes
    ----------
    posterior : array (K + 1,)
        With the numbers as stated; zeros where the evidence is impossible.
    log_evidence : float
    slopes : array (J, K + 1)
        d log-odds of a posterior / d log-odds of a number (the logarithm of a ratio); 0 for
        excluded causes.
    movers : tuple of Mover
        The J that can change what the case says.
    """

    posterior: FloatArray
    log_evidence: float
    slopes: FloatArray
    movers: tuple[Mover, ...]

    @property
    def pulls(self) -> FloatArray:
        """Slopes times the deviations of the numbers, (J, K + 1)."""
        deviations = np.array([mover.deviation for mover in self.movers])
        return np.asarray(self.slopes * deviations[:, None])


def answers_under(
    core: Core, draws: KnowledgeDraws, evidence: Evidence, sets: IntArray | None = None
) -> Answers:
    """Answer one case under every set of numbers.

    Parameters
    ----------
    core : Core
    draws : KnowledgeDraws
    evidence : Evidence
        One case without clamped causes.
    sets : int array, optional
        Which sets; all when not given.

    Returns
    -------
    posterior : array (D, K + 1)
        Of each cause of ``core.causes``, 0 for excluded ones, and last that no modelled cause is
        present; zeros where the evidence is impossible.
    log_evidence : array (D,)
    """
    answer = draws.answer(evidence, sets)
    clamped = evidence.causes.copy()
    clamped[:, core.clamps[-1]] = 0
    nobody = Evidence(evidence.findings, evidence.lower, evidence.upper, evidence.risks, clamped)
    alone = draws.answer(nobody, sets).log_evidence
    posterior = np.zeros((len(alone), len(core.causes) + 1))
    posterior[:, core.columns] = answer.causes[:, core.modelled]
    gap = np.full(len(alone), -np.inf)
    np.subtract(alone, answer.log_evidence, out=gap, where=answer.possible)
    posterior[:, -1] = np.minimum(np.exp(gap), 1.0)
    return Answers(posterior, answer.log_evidence)


def first_order(core: Core, ready: Perturbations, evidence: Evidence) -> FirstOrder:
    """Differentiate the log-odds of every posterior by the log-odds of every number.

    By central differences of exact answers, all in one run.
    """
    nearby = ready.nearby
    which = ready.relevant(evidence)
    answers = answers_under(core, nearby.draws, evidence, nearby.sets(which))
    log_odds = log_odds_of(answers.posterior)
    up, down = log_odds[1::2], log_odds[2::2]
    reached = nearby.steps[which]
    span = reached[:, 0] - reached[:, 1]
    up = np.where(reached[:, :1] == 0.0, log_odds[0], up)
    down = np.where(reached[:, 1:] == 0.0, log_odds[0], down)
    slopes = np.divide(up - down, span[:, None], out=np.zeros_like(up), where=(span > 0.0)[:, None])
    movers = tuple(nearby.movers[j] for j in which)
    return FirstOrder(answers.posterior[0], float(answers.log_evidence[0]), slopes, movers)


def log_odds_of(probability: FloatArray) -> FloatArray:
    """Return log-odds, finite at 0 and 1 too."""
    return np.asarray(special.logit(np.clip(probability, _EDGE, 1.0 - _EDGE)))


def number_columns(mover: Mover) -> dict[str, object]:
    """Return what tables tell of a number: where it stands, its value and range, its support."""
    number = mover.number.number
    title, value, (low, high) = number.title, number.value, mover.number.ends
    if isinstance(value, tuple):
        assert isinstance(mover.number.fit, tuple)
        title = f"{title}, state {mover.state + 1} of {len(value)}"
        value = value[mover.state]
        rest = sum(mover.number.fit) - mover.number.fit[mover.state]
        low, high = special.betaincinv(mover.number.fit[mover.state], rest, [0.05, 0.95])
    return {
        "place": number.place,
        "title": title,
        "value": float(value),
        "low": float(low),
        "high": float(high),
        "deviation": mover.deviation,
        "basis": number.stated.basis,
        "source": number.stated.source,
        "statements": ";".join(number.stated.statements),
    }
