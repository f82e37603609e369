"""How answers move with the stated numbers.

Two exact pieces and one approximation: log P(evidence) is differentiated with respect to the
parameters of the network (`bayesdx.inference.noisy.derivatives`), the parameters with respect to
what is stated by differences of the fit that solves for them. The fit's correction for causes that
share risks is held fixed in between, which changes a derivative by far less than a hundredth of
itself.

Derivatives are with respect to the log-odds of a number, so that priors of 0.0004 and links of 0.9
are measured alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from bayesdx.building.assembly import Assembly, FittedLinks, threshold_pairs
from bayesdx.building.fitting import LinkParameters, Targets, solve
from bayesdx.inference import Evidence, NoisyModel, link_gradient, relative_change
from bayesdx.inference.noisy.model import FloatArray, IntArray
from bayesdx.knowledge import Knowledge
from bayesdx.knowledge.addresses import PlacedNumber, every_number
from bayesdx.knowledge.conditioning import conditional_prior
from bayesdx.network import TableCPD

#: Step in log-odds for differences of the fit, which is solved to fifteen digits.
_STEP = 1e-4
#: Share of the way along a table's direction; any would do, tables being affine.
_SHARE = 0.1


@dataclass(frozen=True, eq=False)
class NumberGradient:
    """d log P(evidence) / d log-odds of X stated numbers, of N cases.

    Attributes
    ----------
    places : tuple of str
        The X numbers, by place.
    log_evidence : array (N,)
    values : array (N, X)
        0 where the evidence is impossible.
    """

    places: tuple[str, ...]
    log_evidence: FloatArray
    values: FloatArray


def movable_numbers(knowledge: Knowledge) -> tuple[PlacedNumber, ...]:
    """List the numbers that answers are differentiated by.

    Priors and links of modelled causes, and backgrounds that do not depend on risks. Prevalences,
    effects of risks and conditional backgrounds are not among them.
    """
    causes = {name for name, cause in knowledge.causes.items() if cause.kind == "cause"}
    return tuple(
        number
        for number in every_number(knowledge)
        if (number.kind in ("prior", "link") and number.owner in causes)
        or (
            number.kind == "background"
            and knowledge.findings[number.owner].has_probability
            and not knowledge.findings[number.owner].background_effects
        )
    )


def number_gradient(knowledge: Knowledge, assembly: Assembly, evidence: Evidence) -> NumberGradient:
    """Differentiate log P(evidence) with respect to the stated numbers.

    Parameters
    ----------
    knowledge : Knowledge
    assembly : Assembly
        Of this knowledge.
    evidence : Evidence
        N cases; causes may be clamped.

    Returns
    -------
    NumberGradient
    """
    links, model = assembly.links, assembly.model
    gradient = link_gradient(model, evidence)
    adjoint = _by_event(knowledge, assembly, gradient.strength, gradient.factor, gradient.leak)
    adjoint = _add_thresholds(knowledge, assembly, adjoint, gradient.exceed, gradient.exceed_leak)
    stated = _stated_slopes(links, adjoint)
    prior = _prior_slopes(links, adjoint)
    direct = _direct_slopes(knowledge, assembly, evidence, gradient.log_evidence)
    row = {name: i for i, name in enumerate(links.events)}
    column = {name: i for i, name in enumerate(links.causes)}
    numbers = movable_numbers(knowledge)
    values = np.zeros((len(evidence), len(numbers)))
    for x, number in enumerate(numbers):
        if number.kind == "prior":
            c = column[number.owner]
            values[:, x] = prior[:, c] + direct[:, c]
        elif number.kind == "link":
            finding = str(number.address.key)
            values[:, x] = stated[:, row[finding], column[number.owner]]
        else:
            values[:, x] = stated[:, row[number.owner], -1]
    return NumberGradient(tuple(one.place for one in numbers), gradient.log_evidence, values)


@dataclass(frozen=True, eq=False)
class _Adjoint:
    """Derivatives by event: ``strength`` and ``factor`` (N, E, C), ``leak`` (N, E)."""

    strength: FloatArray
    factor: FloatArray
    leak: FloatArray


def _by_event(
    knowledge: Knowledge,
    assembly: Assembly,
    strength: FloatArray,
    factor: FloatArray,
    leak: FloatArray,
) -> _Adjoint:
    """Sort derivatives from the model's findings and causes to the events and causes of the fit."""
    links, model = assembly.links, assembly.model
    shape = (len(leak), len(links.events), len(links.causes))
    result = _Adjoint(np.zeros(shape), np.zeros(shape), np.zeros(shape[:2]))
    causes = _positions(model.causes, links.causes)
    for e, name in enumerate(links.events):
        if knowledge.findings[name].kind == "binary":
            f = model.findings.index(name)
            result.strength[:, e] = strength[:, causes, f]
            result.factor[:, e] = factor[:, causes, f]
            result.leak[:, e] = leak[:, f]
    return result


def _add_thresholds(
    knowledge: Knowledge,
    assembly: Assembly,
    adjoint: _Adjoint,
    exceed: FloatArray,
    exceed_leak: FloatArray,
) -> _Adjoint:
    """Add the derivatives of thresholds; one raised to the next level's number passes them on."""
    links, model = assembly.links, assembly.model
    causes = _positions(model.causes, links.causes)
    p = links.parameters
    for level, event in _levels(knowledge, model):
        e = links.events.index(event)
        adjoint.strength[:, e] += exceed[:, causes, level]
        adjoint.leak[:, e] += exceed_leak[:, level]
    for lower, higher in threshold_pairs(knowledge):
        at, above = links.events.index(lower), links.events.index(higher)
        raised = p.strength[above] > p.strength[at]
        adjoint.strength[:, above] += np.where(raised, adjoint.strength[:, at], 0.0)
        adjoint.strength[:, at] = np.where(raised, 0.0, adjoint.strength[:, at])
        if p.leak[above] > p.leak[at]:
            adjoint.leak[:, above] += adjoint.leak[:, at]
            adjoint.leak[:, at] = 0.0
    return adjoint


def _levels(knowledge: Knowledge, model: NoisyModel) -> Iterator[tuple[int, str]]:
    """Yield the column and the threshold of every level of the ordinal findings."""
    for o, name in enumerate(model.ordinals):
        states = knowledge.findings[name].states
        for finding in knowledge.findings.values():
            if finding.threshold_of == name:
                yield model.level_offset[o] + states.index(finding.at_least or "") - 1, finding.id


def _positions(names: tuple[str, ...], wanted: tuple[str, ...]) -> IntArray:
    at = {name: i for i, name in enumerate(names)}
    return np.array([at[name] for name in wanted], dtype=np.intp)


def _logit_step(value: FloatArray, step: float) -> FloatArray:
    """Move probabilities by a step in log-odds."""
    odds = value / (1.0 - value) * np.exp(step)
    result: FloatArray = odds / (1.0 + odds)
    return result


def _slope(links: FittedLinks, up: Targets, down: Targets) -> LinkParameters:
    """Difference quotient of the solved parameters between two targets."""
    high = solve(up, links.ratio, links.parameters)
    low = solve(down, links.ratio, links.parameters)
    return LinkParameters(
        (high.strength - low.strength) / (2.0 * _STEP),
        (high.factor - low.factor) / (2.0 * _STEP),
        (high.leak - low.leak) / (2.0 * _STEP),
    )


def _pulled(adjoint: _Adjoint, slope: LinkParameters) -> FloatArray:
    """Sum derivative times slope over the parameters of each event, (N, E)."""
    result: FloatArray = (
        np.einsum("nec,ec->ne", adjoint.strength, slope.strength)
        + np.einsum("nec,ec->ne", adjoint.factor, slope.factor)
        + adjoint.leak * slope.leak
    )
    return result


def _stated_slopes(links: FittedLinks, adjoint: _Adjoint) -> FloatArray:
    """Derivatives with respect to links and, last, backgrounds, (N, E, C + 1).

    Given the priors the events are solved each by itself, so one number of every event is moved at
    a time, in all events together.
    """
    targets = links.targets
    n_events, n_causes = targets.stated.shape
    result = np.zeros((len(adjoint.leak), n_events, n_causes + 1))
    background = _slope(links, *(_with_background(targets, s * _STEP) for s in (1.0, -1.0)))
    result[:, :, -1] = _pulled(adjoint, background)
    order = [np.flatnonzero(linked) for linked in targets.linked]
    for k in range(max(map(len, order), default=0)):
        rows = np.array([e for e in range(n_events) if k < len(order[e])], dtype=np.intp)
        columns = np.array([order[e][k] for e in rows], dtype=np.intp)
        both = []
        for sign in (1.0, -1.0):
            moved = targets.stated.copy()
            moved[rows, columns] = _logit_step(moved[rows, columns], sign * _STEP)
            both.append(replace(targets, stated=moved))
        result[:, rows, columns] = _pulled(adjoint, _slope(links, *both))[:, rows]
    return result


def _with_background(targets: Targets, step: float) -> Targets:
    moved = _logit_step(targets.background, step)
    # The floor is a share of the background, a closed leak stays closed.
    floor = targets.floor * moved / targets.background
    return replace(targets, background=moved, floor=floor)


def _prior_slopes(links: FittedLinks, adjoint: _Adjoint) -> FloatArray:
    """Derivatives with respect to priors through the links that adapt to them, (N, C)."""
    targets = links.targets
    result = np.zeros((len(adjoint.leak), len(links.causes)))
    for c in range(len(links.causes)):
        both = []
        for sign in (1.0, -1.0):
            moved = targets.prior.copy()
            moved[c] = _logit_step(moved[c], sign * _STEP)
            both.append(replace(targets, prior=moved))
        result[:, c] = _pulled(adjoint, _slope(links, *both)).sum(axis=1)
    return result


def _direct_slopes(
    knowledge: Knowledge, assembly: Assembly, evidence: Evidence, log_evidence: FloatArray
) -> FloatArray:
    """Derivatives with respect to priors through the tables of the causes, (N, C)."""
    result = np.zeros((len(evidence), len(assembly.links.causes)))
    for c, name in enumerate(assembly.links.causes):
        cause = knowledge.causes[name]
        assert cause.prior is not None
        tables = []
        for sign in (1.0, 0.0, -1.0):
            value = float(_logit_step(np.array(cause.prior.value), sign * _STEP))
            prior = cause.prior.model_copy(update={"value": value})
            moved = cause.model_copy(update={"prior": prior})
            tables.append(conditional_prior(moved, knowledge.risks))
        direction = (tables[0].table - tables[2].table) / (2.0 * _STEP)
        present = tables[1].table + _SHARE * direction
        cpd = TableCPD(name, tables[1].risks, np.stack([1.0 - present, present], axis=-1))
        change = relative_change(assembly.network, cpd, evidence, log_evidence)
        result[:, c] = change / _SHARE
    return result
