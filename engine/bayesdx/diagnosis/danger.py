"""How far answers speak for each dangerous cause: a score that no positive finding lowers.

A posterior is no measure of danger: a common twin explains the signs of a rare cause away, and one
sign more may lower it. The score of a dangerous cause d is additive in log-odds,

    logit P(d | known risks)
      + sum over present findings linked to d of  log P(f | d) / P(f),  at least 0
      + sum over absent findings linked to d of  log (1 - P(f | d)) / (1 - P(f)),  at most 0

with P(f) the share of people in R. Nothing explains a finding away, and a present finding adds
nothing or more, so that **adding a positive finding never lowers a score**; of an ordinal finding
its highest level reached counts, and not reaching it counts once. Known risks enter exactly: they
are independent roots. The score alone would call for whatever a common twin shows as well. So a
cause calls for action (`bayesdx.diagnosis.triage`) when the odds are `OPEN` times those of its
threshold *and* a finding is present that *discriminates* it: P(f | d) is at least `OFTEN` and at
least `SHARPER` times P(f) and P(f | c) of any *ordinary* cause c (not dangerous, prior at least
`ORDINARY`); without any, when they are `SHUT` times as high.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from bayesdx.inference.arrays import BoolArray, FloatArray, frozen
from bayesdx.inference.noisy.model import NoisyModel
from bayesdx.knowledge.knowledge import Knowledge

#: Prior from which a cause that is not dangerous counts as ordinary.
ORDINARY = 0.005
#: A discriminating finding is so much more frequent than under any ordinary cause, and so frequent.
SHARPER, OFTEN = 3.0, 0.15
#: Odds in units of those of the threshold that call, with a discriminating finding and without.
OPEN, SHUT = 2.0, 20.0

States = Mapping[str, NDArray[np.integer]]


class Term(NamedTuple):
    """What one finding adds to the score of one cause.

    Attributes
    ----------
    cause : int
        Position among the dangerous causes.
    present, absent : float
        Log-odds when it is present (0 or more) and when it is absent (0 or less).
    sharp : bool
        Whether it discriminates the cause.
    """

    cause: int
    present: float
    absent: float
    sharp: bool


@dataclass(frozen=True, eq=False)
class DangerScores:
    """Terms of the scores of K dangerous causes.

    Attributes
    ----------
    terms : mapping of str to tuple of Term
        By binary finding.
    levels : tuple of mappings of str to tuple of Term
        By threshold, of each ordinal finding, its levels rising; absence counts for the first.
    risks : tuple of tuples of str (K,)
        Risks that each cause depends on.
    priors : tuple of arrays (S_1 + 1, ...)
        Log-odds of each cause by the states of these; the last state is "not known".
    base : array (K,)
        Log-odds where no risk is known.
    """

    terms: Mapping[str, tuple[Term, ...]]
    levels: tuple[Mapping[str, tuple[Term, ...]], ...]
    risks: tuple[tuple[str, ...], ...]
    priors: tuple[FloatArray, ...]
    base: FloatArray

    def prior(self, states: States, n_cases: int) -> FloatArray:
        """Log-odds given the known risks, (N, K)."""
        result = np.tile(self.base, (n_cases, 1))
        unknown = np.full(n_cases, -1)
        for k, (risks, table) in enumerate(zip(self.risks, self.priors, strict=True)):
            if any(name in states for name in risks):
                # State -1, not known, is the last one.
                result[:, k] = table[tuple(states.get(name, unknown) for name in risks)]
        return result

    def weighed(self, states: States, n_cases: int) -> FloatArray:
        """Probabilities to hold against the thresholds, (N, K); see the module.

        Parameters
        ----------
        states : mapping of str to int array (N,)
            States of findings and risks, -1 not known; those that are not named are not known.
        n_cases : int
        """
        score, speaks = self.prior(states, n_cases), np.zeros((n_cases, len(self.base)), dtype=bool)
        for name in states.keys() & self.terms.keys():
            there, gone = states[name] == 1, states[name] == 0
            for k, present, absent, sharp in self.terms[name]:
                score[:, k] += present * there + absent * gone
                if sharp:
                    speaks[:, k] |= there
        for ordinal in self.levels:
            self._add_levels(ordinal, states, score, speaks)
        return np.asarray(special.expit(score - np.log(np.where(speaks, OPEN, SHUT))))

    def _add_levels(
        self,
        ordinal: Mapping[str, tuple[Term, ...]],
        states: States,
        score: FloatArray,
        speaks: BoolArray,
    ) -> None:
        """Add the largest term of the levels that are reached, and that of the first one missed."""
        most: dict[int, FloatArray] = {}
        for at, (name, terms) in enumerate(ordinal.items()):
            if name not in states:
                continue
            there, gone = states[name] == 1, states[name] == 0
            for k, present, absent, sharp in terms:
                if sharp:
                    speaks[:, k] |= there
                if present > 0.0:
                    most[k] = np.maximum(most.get(k, 0.0), present * there)
                if at == 0:
                    score[:, k] += absent * gone
        for k, term in most.items():
            score[:, k] += term

    def bounds(self, known: States, open_: Collection[str]) -> tuple[FloatArray, FloatArray]:
        """What one case can weigh at the most and at the least, (K,) each.

        Parameters
        ----------
        known : mapping of str to int array (1,)
            As `weighed` takes them.
        open_ : collection of str
            Findings and risks that may still be answered in any way, or not at all.
        """
        given = {name: int(state[0]) for name, state in known.items()}
        most, least = np.empty(len(self.base)), np.empty(len(self.base))
        for k, (risks, table) in enumerate(zip(self.risks, self.priors, strict=True)):
            where = tuple(slice(None) if n in open_ else given.get(n, -1) for n in risks)
            most[k], least[k] = np.max(table[where]), np.min(table[where])
        sure, may = np.zeros(len(most), dtype=bool), np.zeros(len(most), dtype=bool)
        groups = [{name: terms} for name, terms in self.terms.items()]
        for group in (*groups, *self.levels):
            top, low = np.zeros(len(most)), np.zeros(len(most))
            for at, (name, terms) in enumerate(group.items()):
                state, free = given.get(name, -1), name in open_
                for k, present, absent, sharp in terms:
                    if free or state == 1:
                        top[k], may[k] = max(top[k], present), may[k] or sharp
                    if state == 1:
                        low[k], sure[k] = max(low[k], present), sure[k] or sharp
                    if at == 0:
                        most[k] += absent * (state == 0)
                        least[k] += absent * (free or state == 0)
            most += top
            least += low
        most -= np.log(np.where(may, OPEN, SHUT))
        least -= np.log(np.where(sure, OPEN, SHUT))
        return np.asarray(special.expit(most)), np.asarray(special.expit(least))

    def speaking(self, states: Mapping[str, str | None], cause: int) -> tuple[str, ...]:
        """Findings of one case that are present and discriminate a cause."""
        every = {**self.terms, **{n: terms for one in self.levels for n, terms in one.items()}}
        return tuple(
            name
            for name, terms in every.items()
            if states.get(name) == "present"
            and any(term.cause == cause and term.sharp for term in terms)
        )

    def discriminating(self, cause: int) -> tuple[str, ...]:
        """Findings that discriminate a cause, those that tell most first."""
        every = {**self.terms, **{n: terms for one in self.levels for n, terms in one.items()}}
        worth = {
            name: term.present
            for name, terms in every.items()
            for term in terms
            if term.cause == cause and term.sharp
        }
        return tuple(sorted(worth, key=lambda name: -worth[name]))


def danger_scores(knowledge: Knowledge, model: NoisyModel, causes: tuple[str, ...]) -> DangerScores:
    """Derive the terms from the tables of a network.

    Parameters
    ----------
    knowledge : Knowledge
    model : NoisyModel
        Its network.
    causes : tuple of str (K,)
        The dangerous ones.
    """
    names, first, strength, leak = _links(knowledge, model)
    prior = np.array([_marginal(model, c) for c in range(len(model.causes))])
    at = [model.causes.index(name) for name in causes]
    # P(f) in R and P(f | c), causes taken to be independent.
    kept = 1.0 - prior[:, None] * strength
    nobody = (1.0 - leak) * kept.prod(axis=0)
    given = 1.0 - nobody * np.divide(1.0 - strength, kept, out=np.ones_like(kept), where=kept > 0.0)
    dangerous = {name for name, cause in knowledge.causes.items() if cause.dangerous}
    ordinary = (prior >= ORDINARY) & ~np.isin(model.causes, list(dangerous))
    usual = np.maximum(1.0 - nobody, given[ordinary].max(axis=0, initial=0.0))
    own, linked = given[at].T, strength[at].T > 0.0
    sharp = linked & (own >= SHARPER * usual[:, None]) & (own >= OFTEN)
    with np.errstate(divide="ignore"):
        ratio = np.log(own) - np.log1p(-nobody)[:, None]
    present = np.where(linked, np.maximum(ratio, 0.0), 0.0)
    with np.errstate(divide="ignore"):
        absent = np.log1p(-own) - np.log(nobody)[:, None]
    absent = np.where(linked, np.minimum(absent, 0.0), 0.0)

    def terms(m: int) -> tuple[Term, ...]:
        acts = np.flatnonzero((present[m] > 0.0) | (absent[m] < 0.0)).tolist()
        return tuple(
            Term(k, float(present[m, k]), float(absent[m, k]), bool(sharp[m, k])) for k in acts
        )

    by_name = {name: terms(m) for m, name in enumerate(names)}
    ordinal = [names[a:b] for a, b in pairwise([*first, len(names)]) if a >= len(model.findings)]
    return DangerScores(
        terms={name: by_name[name] for name in model.findings if by_name[name]},
        levels=tuple({name: by_name[name] for name in one} for one in ordinal),
        risks=tuple(tuple(model.risks[r] for r in model.cause_parents[c]) for c in at),
        priors=tuple(frozen(_log_odds(model, c)) for c in at),
        base=frozen(special.logit(prior[at])),
    )


def _links(
    knowledge: Knowledge, model: NoisyModel
) -> tuple[tuple[str, ...], list[int], FloatArray, FloatArray]:
    """Names, firsts, strengths (C, M) and leaks (M,) of findings and thresholds."""
    links = model.links
    names, first = list(model.findings), list(range(len(model.findings)))
    columns = [links.strength]
    offset = 0
    for o, ordinal in enumerate(model.ordinals):
        levels = {
            finding.at_least: name
            for name, finding in knowledge.findings.items()
            if finding.threshold_of == ordinal
        }
        states = knowledge.findings[ordinal].states
        first.append(len(names))
        names += [levels[state] for state in states[1:]]
        width = links.sizes[o] - 1
        columns.append(links.exceed[:, offset : offset + width])
        offset += width
    leak = np.concatenate([links.leak, links.exceed_leak])
    return tuple(names), first, np.concatenate(columns, axis=1), leak


def _extended(model: NoisyModel, cause: int) -> FloatArray:
    """P(cause | risks) with one more state, not known, along every risk."""
    table: FloatArray = np.array(model.cause_tables[cause])
    for axis, risk in enumerate(model.cause_parents[cause]):
        average = np.tensordot(table, model.risk_priors[risk], axes=(axis, 0))
        table = np.concatenate([table, np.expand_dims(average, axis)], axis=axis)
    return table


def _marginal(model: NoisyModel, cause: int) -> float:
    return float(_extended(model, cause)[(-1,) * len(model.cause_parents[cause])])


def _log_odds(model: NoisyModel, cause: int) -> FloatArray:
    with np.errstate(divide="ignore"):
        found: FloatArray = special.logit(_extended(model, cause))
    return found
