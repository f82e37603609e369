"""What produced the findings of one case, and what one more assumption would do to its causes.

All of it follows from joint probabilities with the evidence; nothing is approximated.

* A finding f that is present was produced by cause d where the link from d to f fired. Links fire
  independently, and a link that fired makes f present whatever else holds, so
  P(d's link fired, evidence) = strength * P(d, evidence without f): one number of the evidence with
  f left out. Several links can have fired, so these *credits* of one finding add up to 1 or more.
* A further absent finding, or a cause assumed absent, changes weights of causes alone: one more
  column of the same sweep.

Where evidence couples too much for one sweep over all its subsets each question is a case of its
own, whose findings are closed as soon as the causes that explain them have been summed over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.answer import Answer
from bayesdx.inference.noisy.attribution.observations import (
    GIVEN,
    Observation,
    known_evidence,
    split_case,
)
from bayesdx.inference.noisy.attribution.shapley import MOST_COMPONENTS
from bayesdx.inference.noisy.attribution.subsets import subset_weights
from bayesdx.inference.noisy.compiling import with_numbers
from bayesdx.inference.noisy.model import FloatArray, NoisyModel
from bayesdx.inference.noisy.query import posteriors

Asking = Callable[[Evidence], Answer]


@dataclass(frozen=True, eq=False)
class Credits:
    """Who produced the findings of one case that are present.

    Attributes
    ----------
    observed : tuple of Observation
        The P findings that are present (or soft), and ordinal findings above their lowest level.
    causes : array (P, C)
        P(the finding is present, and the link from this cause to it fired | evidence).
    background : array (P,)
        The same of the leak, or of a hidden cause that stands for the background.
    """

    observed: tuple[Observation, ...]
    causes: FloatArray
    background: FloatArray


def produced_by(
    model: NoisyModel,
    whole: Observation,
    hidden: Mapping[int, int],
    answer: Asking,
    most: int = MOST_COMPONENTS,
) -> Credits | None:
    """Say which causes produced each finding of one case.

    Parameters
    ----------
    model : NoisyModel
    whole : Observation
        Everything known of the case.
    hidden : mapping of finding to cause
        Causes that stand for the background of a finding.
    answer : callable
        Answers cases on this model, where one sweep would couple too much.
    most : int
        Numbers held at once, at most, before that is done.

    Returns
    -------
    Credits
        None where the case is impossible.
    """
    given, observed = _split_present(model, whole)
    weights = _without_background(model, observed, hidden)
    problem = split_case(model, given, observed, weights=weights)
    if problem.components > most:
        evidence = known_evidence(model, [whole], np.ones((1, 1), dtype=bool))
        by_rows = _credits_by_rows(model, evidence, observed, hidden, answer)
        return None if by_rows is None else _credits(observed, *by_rows)
    feeding = [row.links[0] > 0.0 for row in problem.rows if row.observation != GIVEN]
    wanted = np.flatnonzero(np.any([np.zeros(len(model.causes), dtype=bool), *feeding], axis=0))
    found = subset_weights(problem, wanted)
    every = (1 << len(observed)) - 1
    total = found.evidence[every, 0, 0]
    if total == 0.0 or np.isneginf(problem.log_scale).any():
        return None
    causes = np.zeros((len(observed), len(model.causes)))
    background = np.zeros(len(observed))
    rows = {row.observation: row for row in problem.rows if row.observation != GIVEN}
    for p, observation in enumerate(observed):
        row = rows[p]
        left_out = every & ~(1 << problem.coupling.index(p))
        causes[p, wanted] = row.links[0, wanted] * found.on[:, left_out, 0, 0] / total
        leak = float(model.axes.start[row.axis, 1]) * row.present
        background[p] = leak * found.evidence[left_out, 0, 1 + p] / total
        if observation.findings and (cause := hidden.get(observation.findings[0][0])) is not None:
            background[p] += causes[p, cause]
            causes[p, cause] = 0.0
    return _credits(observed, causes, background)


def _credits(
    observed: tuple[Observation, ...], causes: FloatArray, background: FloatArray
) -> Credits:
    return Credits(observed, np.minimum(causes, 1.0), np.minimum(background, 1.0))


def _split_present(
    model: NoisyModel, whole: Observation
) -> tuple[Observation, tuple[Observation, ...]]:
    present = [Observation(findings=(one,)) for one in whole.findings if one[1] > 0.0]
    reached = [Observation(levels=(one,)) for one in whole.levels if one[1] > 0]
    given = Observation(
        findings=tuple(one for one in whole.findings if one[1] == 0.0),
        levels=tuple((o, 0, up) for o, _, up in whole.levels if up < model.ordinal_sizes[o] - 1),
        risks=whole.risks,
    )
    return given, (*present, *reached)


def _without_background(
    model: NoisyModel, observed: Sequence[Observation], hidden: Mapping[int, int]
) -> FloatArray:
    """Weights (C, 1 + P): as it is; then, a finding, what inhibitors leave of its leak."""
    weights = np.ones((len(model.causes), 1 + len(observed)))
    for p, observation in enumerate(observed, start=1):
        for f, _ in observation.findings:
            u = f
            # What a cause leaves of the leak: everything, unless it is an inhibitor.
            weights[:, p] = 1.0 - model.axes.leak_gain[u]
            if f in hidden:
                weights[hidden[f], p] = 0.0
    return weights


@dataclass(frozen=True, slots=True)
class Assumption:
    """What is assumed beside the evidence.

    Attributes
    ----------
    absent : tuple of int
        Columns of `NoisyModel.log_absent`: findings, then levels ("at most").
    without : tuple of int
        Causes that are absent.
    """

    absent: tuple[int, ...] = ()
    without: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Assumed:
    """Weights of C wanted causes under J assumptions.

    Attributes
    ----------
    on, off : arrays (C, J)
        P(cause present, assumption | evidence), and absent.
    probability : array (J,)
        P(assumption | evidence); of causes assumed absent as well.
    """

    on: FloatArray
    off: FloatArray
    probability: FloatArray


def assume(
    model: NoisyModel,
    whole: Observation,
    causes: Sequence[int],
    assumptions: Sequence[Assumption],
    answer: Asking,
    most: int = MOST_COMPONENTS,
) -> Assumed:
    """Answer one case under several further assumptions, exactly.

    Parameters
    ----------
    model : NoisyModel
    whole : Observation
        Everything known of the case; it must be possible, and say nothing of what is assumed.
    causes : sequence of int
        Positions of the wanted causes.
    assumptions : sequence of Assumption
    answer, most
        As for `produced_by`.

    Returns
    -------
    Assumed
    """
    columns: list[FloatArray] = [np.ones(len(model.causes))]
    terms: list[list[tuple[int, float]]] = []
    for one in assumptions:
        terms.append([])
        for factor, coefficient in _expanded(model, one):
            terms[-1].append((len(columns), coefficient))
            columns.append(factor)
    problem = split_case(model, whole, (), weights=np.stack(columns, axis=1))
    if problem.components > most:
        evidence = known_evidence(model, [whole], np.ones((1, 1), dtype=bool))
        return Assumed(*_assumptions_by_rows(model, evidence, causes, assumptions, answer))
    found = subset_weights(problem, causes)
    total = found.evidence[0, 0, 0]
    mixed = np.zeros((len(columns), len(assumptions)))
    for j, own in enumerate(terms):
        for at, coefficient in own:
            mixed[at, j] = coefficient / total
    on, off, probability = (
        np.maximum(weights @ mixed, 0.0)
        for weights in (found.on[:, 0, 0], found.off[:, 0, 0], found.evidence[0, 0])
    )
    return Assumed(on, off, np.minimum(probability, 1.0))


def _expanded(model: NoisyModel, one: Assumption) -> list[tuple[FloatArray, float]]:
    """Write an assumption as a sum of weights of causes.

    A finding whose leak several causes lower is absent with Q (1 - leak H), Q what its causes and H
    what its inhibitors leave: the difference of two products.
    """
    factor, scale = _factors(model, one)
    terms = [(factor, scale)]
    for f in one.absent:
        if f < len(model.findings) and model.axes.suppress[f] >= 0:
            lowered = 1.0 - model.axes.leak_gain[f]
            terms += [(own * lowered, -sign * float(model.leak[f])) for own, sign in terms]
    return terms


def _factors(model: NoisyModel, one: Assumption) -> tuple[FloatArray, float]:
    """What an assumption leaves of each active cause, (C,), and of the leaks."""
    at = list(one.absent)
    factor = np.exp(model.log_absent[at].sum(axis=0))
    factor[model.absent_never[at].sum(axis=0) > 0.0] = 0.0
    factor[list(one.without)] = 0.0
    leak = float(np.exp(model.log_absent_leak[at].sum()))
    return factor, 0.0 if model.absent_leak_never[at].any() else leak


def _credits_by_rows(
    model: NoisyModel,
    evidence: Evidence,
    observed: Sequence[Observation],
    hidden: Mapping[int, int],
    answer: Asking,
) -> tuple[FloatArray, FloatArray] | None:
    """Return the credits of causes (P, C) and of the background (P,); None where impossible."""
    left_out = evidence.take(np.zeros(len(observed) + 1, dtype=np.intp))
    for p, observation in enumerate(observed):
        for f, _ in observation.findings:
            left_out.findings[p, f] = np.nan
        for o, _, _ in observation.levels:
            left_out.lower[p, o] = 0
    found = answer(left_out)
    if not found.possible[-1]:
        return None
    ratio = np.exp(found.log_evidence - found.log_evidence[-1])
    causes = np.zeros((len(observed), len(model.causes)))
    background = np.zeros(len(observed))
    for p, observation in enumerate(observed):
        axis, value = 0, 1.0
        for f, likelihood in observation.findings:
            axis, value = f, likelihood
        for o, lower, upper in observation.levels:
            axis = int(model.axes.exceed[o, lower, upper])
        causes[p] = value * model.axes.gain[axis] * found.causes[p] * ratio[p]
        leak = value * float(model.axes.start[axis, 1]) * ratio[p]
        case = left_out.take(slice(p, p + 1))
        for f, _ in observation.findings:
            leak *= _leak_kept(model, f, hidden.get(f), case, float(found.log_evidence[p]))
            if f in hidden:
                leak += causes[p, hidden[f]]
                causes[p, hidden[f]] = 0.0
        background[p] = leak
    return causes, background


def _leak_kept(
    model: NoisyModel, f: int, hidden: int | None, case: Evidence, log_evidence: float
) -> float:
    """Expected share of the leak that inhibitors, and a hidden cause's absence, leave of it.

    A finding whose causes are the inhibitors, each with the share that it takes, is absent with
    exactly the probability that they leave.
    """
    lowers = model.axes.leak_gain[f]
    if hidden is None and not lowers.any():
        return 1.0
    links = model.links
    strength, factor, leak = links.strength.copy(), links.factor.copy(), links.leak.copy()
    strength[:, f], factor[:, f], leak[f] = lowers, 1.0, 0.0
    other = with_numbers(model, links=replace(links, strength=strength, factor=factor, leak=leak))
    findings, causes = case.findings.copy(), case.causes.copy()
    findings[0, f] = 0.0
    if hidden is not None:
        causes[0, hidden] = 0
    asked = replace(case, findings=findings, causes=causes)
    kept = posteriors(other, asked, only_evidence=True).complete().log_evidence[0]
    return float(np.exp(kept - log_evidence))


def _assumptions_by_rows(
    model: NoisyModel,
    evidence: Evidence,
    causes: Sequence[int],
    assumptions: Sequence[Assumption],
    answer: Asking,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return ``on`` (C, J), ``off`` (C, J) and ``probability`` (J,) of `Assumed`."""
    rows = evidence.take(np.zeros(len(assumptions) + 1, dtype=np.intp))
    offsets = np.array(model.level_offset, dtype=np.intp)
    for j, one in enumerate(assumptions):
        for column in one.absent:
            level = column - len(model.findings)
            if level < 0:
                rows.findings[j, column] = 0.0
            else:
                o = int(np.searchsorted(offsets, level, side="right")) - 1
                rows.upper[j, o] = level - offsets[o]
        rows.causes[j, list(one.without)] = 0
    found = answer(rows)
    share = np.exp(found.log_evidence - found.log_evidence[-1])
    on = (found.causes[:, list(causes)] * share[:, None]).T
    return on[:, :-1], np.maximum(share - on, 0.0)[:, :-1], share[:-1]
