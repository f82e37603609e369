"""How much a case counts: less than one where the network is not quite how cases come about.

Findings of real cases hang together in more ways than a network says. Numbers that are learned as
if it were right answer too surely. A likelihood to a power below 1 guards against that (generalised
Bayes; Gruenwald and van Ommen 2017, Bayesian Analysis 12:1069; Holmes and Walker 2017, Biometrika
104:497): each case counts as a part of one beside what was stated. The power is chosen by what
held-out cases say of answers, never by the cases that were learned from.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from bayesdx.building.number_chain import NumberChain
from bayesdx.checked_numbers import is_real, is_share
from bayesdx.diagnosis.learning.case_likelihood import Expansion, chosen_cases
from bayesdx.diagnosis.learning.held_out import held_against
from bayesdx.diagnosis.learning.labels import LabelledRows
from bayesdx.diagnosis.learning.learning_table import LearningTable
from bayesdx.diagnosis.learning.number_posterior import (
    Likelihood,
    NumberPosterior,
    Remember,
    Start,
    as_it_is,
    fit_numbers,
)
from bayesdx.errors import Fault
from bayesdx.inference.noisy.model import BoolArray, FloatArray, IntArray

AUTO: Literal["auto"] = "auto"
#: A weight, or that it is to be chosen.
CaseWeight = float | Literal["auto"]
#: Those that are tried, as long as each is better than the one before; parts held out for it.
WEIGHTS = (1.0, 0.5, 0.25, 0.125)
PARTS = 3


@dataclass(frozen=True, eq=False)
class WeightedLikelihood:
    """A likelihood to the power of ``weight``."""

    likelihood: Likelihood
    weight: float

    def value(self, steps: FloatArray) -> float:
        """Log probability of the cases, times their weight."""
        return self.weight * self.likelihood.value(steps)

    def expansion(self, steps: FloatArray, *, whole: bool = False) -> Expansion:
        """Differentiate it."""
        found, weight = self.likelihood.expansion(steps, whole=whole), self.weight
        return replace(
            found,
            value=weight * found.value,
            gradient=weight * found.gradient,
            information=weight * found.information,
        )

    def only(self, informed: BoolArray) -> tuple[WeightedLikelihood, IntArray]:
        """Return that of some numbers, and which."""
        found, free = self.likelihood.only(informed)
        return WeightedLikelihood(found, self.weight), free


def weight_faults(weight: object) -> list[Fault]:
    """Say what is wrong with a weight."""
    if weight == AUTO or is_share(weight) or is_real(weight, 1.0, 1.0):
        return []
    return [Fault("case_weight", f"a number above 0, at most 1, or {AUTO}", weight)]


def _score(chain: NumberChain, table: LearningTable, steps: FloatArray, held: IntArray) -> float:
    model, labels = chain.model(steps), table.labels.take(held)
    assert model is not None
    found = held_against(model, table.evidence.take(held), labels)
    scores = found.log_score if labels.known.any() else found.log_evidence
    # Cases that are too complex by these numbers are as good as the others.
    return float(scores.sum()) * len(held) / max(int(found.answered.sum()), 1)


@dataclass(frozen=True, eq=False)
class ModeSearch:
    """A search for the mode of the numbers, by any of the cases of a table.

    Attributes
    ----------
    chain : NumberChain
    table : LearningTable
    case_weight : float or "auto"
    seed : int
        Of which cases are held out where a weight is chosen.
    remember : Remember
        How likelihoods are looked at.
    """

    chain: NumberChain
    table: LearningTable
    case_weight: CaseWeight
    seed: int
    remember: Remember = as_it_is

    def mode(
        self, name: str, cases: IntArray, start: Start, *, widths: bool = False
    ) -> tuple[NumberPosterior, float]:
        """Find the mode by some cases, rising, and the weight that they have."""
        rows, weight = chosen_cases(self.table.rows, cases), self.case_weight
        if weight == AUTO:
            first = self._fit(f"{name} at weight 1", rows, start, 1.0, widths=False)
            start = Start(first.steps, self.chain.slopes(first.steps))
            weight = self._best_weight(name, cases, start)
        return self._fit(name, rows, start, weight, widths=widths), weight

    def _best_weight(self, name: str, cases: IntArray, start: Start) -> float:
        """Choose the weight whose numbers answer best those of some cases held out in turn.

        That of the best log score of labels or, where there are none, of findings; 1 where there
        are too few cases to tell.
        """
        if len(cases) < 2 * PARTS:
            return WEIGHTS[0]
        order, starts = np.random.default_rng(self.seed).permutation(cases), [start] * PARTS
        best, highest = WEIGHTS[0], -np.inf
        for weight in WEIGHTS:
            total = 0.0
            for part in range(PARTS):
                held = np.sort(order[part::PARTS])
                rest = chosen_cases(self.table.rows, np.setdiff1d(cases, held))
                own = f"{name} at weight {weight:g} without part {part}"
                found = self._fit(own, rest, starts[part], weight, widths=False)
                starts[part] = Start(found.steps, self.chain.slopes(found.steps))
                total += _score(self.chain, self.table, found.steps, held)
            if not total > highest:
                break
            best, highest = weight, total
        return best

    def _fit(
        self, name: str, rows: LabelledRows, start: Start, weight: float, *, widths: bool
    ) -> NumberPosterior:
        def kept(likelihood: Likelihood) -> Likelihood:
            return WeightedLikelihood(self.remember(likelihood, name), weight)

        return fit_numbers(self.chain, rows, start, widths=widths, kept=kept)
