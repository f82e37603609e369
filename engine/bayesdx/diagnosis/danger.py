"""How far answers speak for each dangerous cause: a score that no positive finding lowers.

A posterior is no measure of danger: a common twin explains the signs of a rare cause away, and one
sign more may lower it. The score of a dangerous cause d is additive in log-odds,

    logit P(d | known risks)
      + sum over present findings linked to d of  log P(f | d) / P(f),  at least 0
      + sum over absent findings linked to d of  log (1 - P(f | d)) / (1 - P(f)),  at most 0

with P(f) the share of people in R. Nothing explains a finding away, and a present finding adds
nothing or more, so that **adding a positive finding never lowers a score**. Of an ordinal finding
the highest level reached counts, with the terms of what it implies where they tell more, and the
lowest level missed. Known risks enter exactly: they are independent roots. The score alone would
call for whatever a common twin shows as well. So a cause calls for action
(`bayesdx.diagnosis.triage`) when the odds are those of its threshold *and* a finding is present
that *discriminates* it: P(f | d) is at least `OFTEN` and at least `SHARPER` times P(f) and P(f | c)
of any *ordinary* cause c (not dangerous, prior at least `ORDINARY`). Without any, the odds have to
be `SHUT` times those of the threshold, and a present finding adds only by how much it is more
frequent than under the *twin* of d, the ordinary cause from which its findings tell it least:
however many signs of the twin come together, they are the twin's. Either way a present finding adds
nothing or more, and a discriminating one opens the larger sum. Where no finding is present that d
gives, d does not call: risks alone do not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise

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
#: Odds in units of those of the threshold that call without a discriminating finding: an alarm
#: budget. With four a bruise after sport calls for a fracture (`test_texts`), with three 10 % of
#: typical presentations without danger are urgent; by expected loss alone it would be 0.4.
SHUT = 5.0

States = Mapping[str, NDArray[np.integer]]

#: Cases that are weighed together: bounds the memory of their findings.
ROWS = 1 << 13


@dataclass(frozen=True, eq=False)
class DangerScores:
    """Terms of the scores of K dangerous causes.

    Attributes
    ----------
    names : tuple of str (M,)
        Binary findings, then the thresholds of each ordinal finding, its levels rising.
    scales : tuple of slices
        Where the thresholds of each ordinal finding stand.
    present, absent : arrays (M, K)
        Log-odds of a finding that is present (0 or more) or absent (0 or less).
    beyond : array (M, K)
        Of one that is present, against the twin of the cause (0 to `present`).
    sharp : bool array (M, K)
        Whether it discriminates the cause.
    risks : tuple of tuples of str (K,)
        Risks that each cause depends on.
    priors : tuple of arrays (S_1 + 1, ...)
        Log-odds of each cause by the states of these; the last state is "not known".
    base : array (K,)
        Log-odds where no risk is known.
    """

    names: tuple[str, ...]
    scales: tuple[slice, ...]
    present: FloatArray
    absent: FloatArray
    beyond: FloatArray
    sharp: BoolArray
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
        prior, found = self.prior(states, n_cases), np.empty((n_cases, len(self.base)))
        known = [(m, states[name]) for m, name in enumerate(self.names) if name in states]
        for first in range(0, n_cases, ROWS):
            part = slice(first, first + ROWS)
            told = np.full((len(found[part]), len(self.names)), -1, dtype=np.int8)
            for m, column in known:
                told[:, m] = column[part]
            found[part] = self._weighed(prior[part], told == 1, told == 0)
        return found

    def _weighed(self, prior: FloatArray, reached: BoolArray, missed: BoolArray) -> FloatArray:
        """Weigh (N, K) log-odds and (N, M) levels; those of one scale are put in order."""
        reached, missed = reached.copy(), missed.copy()
        for scale in self.scales:
            up = np.logical_or.accumulate(reached[:, scale][:, ::-1], axis=1)[:, ::-1]
            down = np.logical_or.accumulate(missed[:, scale], axis=1)
            # Only the highest level reached, and the lowest one missed.
            up[:, :-1] &= ~up[:, 1:]
            down[:, 1:] &= ~down[:, :-1].copy()
            reached[:, scale], missed[:, scale] = up, down
        speaks = reached @ self.sharp
        told = reached @ self.present
        # Risks alone call for nothing.
        beyond = np.where(told > 0.0, reached @ self.beyond - np.log(SHUT), -np.inf)
        told = np.where(speaks, told, beyond)
        return np.asarray(special.expit(prior + told + missed @ self.absent))

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
        told = np.array([[given.get(name, -1) for name in self.names]])
        free = np.array([[name in open_ for name in self.names]])
        reached, missed = told == 1, told == 0

        def prior(extreme: Callable[[FloatArray], float]) -> FloatArray:
            where = [
                tuple(slice(None) if n in open_ else given.get(n, -1) for n in risks)
                for risks in self.risks
            ]
            return np.array(
                [[extreme(table[at]) for table, at in zip(self.priors, where, strict=True)]]
            )

        most = self._weighed(prior(np.max), reached | free, missed & ~free)
        least = self._weighed(prior(np.min), reached & ~free, missed | free)
        return most[0], least[0]

    def speaking(self, states: Mapping[str, str | None], cause: int) -> tuple[str, ...]:
        """Findings of one case that are present and discriminate a cause."""
        return tuple(n for n in self.discriminating(cause) if states.get(n) == "present")

    def discriminating(self, cause: int) -> tuple[str, ...]:
        """Findings that discriminate a cause, those that tell most first."""
        sharp = np.flatnonzero(self.sharp[:, cause])
        order = sharp[np.argsort(-self.present[sharp, cause], kind="stable")]
        return tuple(self.names[m] for m in order)


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
        present = np.log(own) - np.log1p(-nobody)[:, None]
        absent = np.log1p(-own) - np.log(nobody)[:, None]
    present = np.where(linked, np.maximum(present, 0.0), 0.0)
    beyond = _beyond_twin(own, np.where(linked, present, 0.0), given[ordinary])
    absent = np.where(linked, np.minimum(absent, 0.0), 0.0)
    scales = tuple(slice(a, b) for a, b in pairwise([*first, len(names)]))
    for scale in scales:
        # Whoever reaches a level reaches those below it: a higher level never tells less.
        present[scale] = np.maximum.accumulate(present[scale], axis=0)
        beyond[scale] = np.maximum.accumulate(beyond[scale], axis=0)
        sharp[scale] = np.logical_or.accumulate(sharp[scale], axis=0)
    return DangerScores(
        names=names,
        scales=scales,
        present=frozen(present),
        absent=frozen(absent),
        beyond=frozen(beyond),
        sharp=frozen(sharp),
        risks=tuple(tuple(model.risks[r] for r in model.cause_parents[c]) for c in at),
        priors=tuple(frozen(_log_odds(model, c)) for c in at),
        base=frozen(special.logit(prior[at])),
    )


def _beyond_twin(own: FloatArray, present: FloatArray, given: FloatArray) -> FloatArray:
    """Terms (M, K) of present findings against the twin of each cause.

    The twin is the ordinary cause that leaves the least of the log-odds that the findings of the
    dangerous cause give in the mean.

    Parameters
    ----------
    own, present : arrays (M, K)
        P(f | d), and the terms against P(f).
    given : array (T, M)
        P(f | c) of the ordinary causes.
    """
    least = present
    mean = np.full(present.shape[1], np.inf)
    for twin in given:
        with np.errstate(divide="ignore"):
            against = np.log(own) - np.log(twin)[:, None]
        terms = np.maximum(np.minimum(present, against), 0.0)
        left = (own * terms).sum(axis=0)
        least = np.where(left < mean, terms, least)
        mean = np.minimum(left, mean)
    return least


def _links(
    knowledge: Knowledge, model: NoisyModel
) -> tuple[tuple[str, ...], list[int], FloatArray, FloatArray]:
    """Names, firsts of scales, strengths (C, M) and leaks (M,) of findings and thresholds."""
    links = model.links
    names, first = list(model.findings), list[int]()
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
