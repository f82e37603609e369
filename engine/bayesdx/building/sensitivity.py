"""How answers move with the stated numbers.

Two exact pieces and one approximation: log P(evidence) is differentiated with respect to the
parameters of the network (`bayesdx.inference.noisy.case_scores`), the parameters with respect to
what is stated by differences of the fit that solves for them. The fit's correction for causes that
share risks is held fixed in between, which changes derivatives by half a hundredth of the largest
at most.

Derivatives are with respect to the log-odds of a number, so that priors of 0.0004 and links of 0.9
are measured alike.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bayesdx.building.assembly import Assembly, FittedLinks
from bayesdx.building.feasibility import UpperLayers, knowledge_values
from bayesdx.building.fitting import LinkParameters, Targets, solve
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.answer import Answer
from bayesdx.inference.noisy.model import FloatArray, IntArray, NoisyModel
from bayesdx.inference.noisy.number_layout import (
    EXCEED,
    EXCEED_LEAK,
    FACTOR,
    LEAK,
    STRENGTH,
    TABLE,
    number_layout,
)
from bayesdx.knowledge.addresses import Address, PlacedNumber, every_number
from bayesdx.knowledge.knowledge import Knowledge

#: Step in log-odds for differences of the fit, which is solved to fifteen digits.
_STEP = 1e-4


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
    """
    layout, targets = assembly.links.layout, assembly.links.targets
    log_evidence, by_number = _case_gradient(assembly.model, evidence)
    blocks = number_layout(assembly.model).split(by_number)
    adjoint = _adjoint(assembly, blocks)
    slot, event = np.nonzero(targets.linked)
    cause = layout.slots[slot, event]
    columns = np.concatenate([event, event, np.arange(len(layout.events))])
    slope = _slopes(assembly.links, slot, event, columns)
    pulled = np.empty((len(evidence), len(columns)))
    for e in range(len(layout.events)):
        own = columns == e
        pulled[:, own] = adjoint.strength[:, :, e] @ slope.strength[:, own]
        pulled[:, own] += adjoint.factor[:, :, e] @ slope.factor[:, own]
        pulled[:, own] += adjoint.leak[:, [e]] * slope.leak[own]
    by_link, by_prior, by_background = np.split(pulled, [len(event), 2 * len(event)], axis=1)
    priors = _direct_slopes(knowledge, assembly, blocks[TABLE:])
    np.add.at(priors.T, cause, by_prior.T)
    found = dict(zip((Address("prior", one) for one in layout.causes), priors.T, strict=True))
    for c, e, values in zip(cause.tolist(), event.tolist(), by_link.T, strict=True):
        found[Address("link", layout.causes[c], layout.events[e])] = values
    for name, values in zip(layout.events, by_background.T, strict=True):
        found[Address("background", name)] = values
    numbers = movable_numbers(knowledge)
    slopes = np.zeros((len(evidence), len(numbers)))
    for x, number in enumerate(numbers):
        slopes[:, x] = found[number.address]
    return NumberGradient(tuple(one.place for one in numbers), log_evidence, slopes)


def _case_gradient(model: NoisyModel, evidence: Evidence) -> tuple[FloatArray, FloatArray]:
    """Log evidence (N,) and its derivatives by the numbers of the network, (N, T)."""
    # As executors are, imported when first used.
    from bayesdx.inference.noisy.case_scores import case_scores

    log_evidence, too_complex = np.empty(len(evidence)), np.zeros(len(evidence), dtype=bool)
    causes = np.empty((len(evidence), len(model.causes)))
    values = np.zeros((len(evidence), number_layout(model).first[-1]))
    for part in case_scores(model, evidence):
        log_evidence[part.rows], causes[part.rows] = part.log_evidence, part.causes
        values[part.rows], too_complex[part.rows] = part.values.toarray(), part.too_complex
    nothing = np.empty(0)
    answer = Answer(log_evidence, causes, nothing, too_complex, nothing, nothing)
    return answer.complete().log_evidence, values


def _adjoint(assembly: Assembly, blocks: tuple[FloatArray, ...]) -> LinkParameters:
    """Return derivatives by event: ``strength`` and ``factor`` (N, K, E), ``leak`` (N, E).

    A threshold that was raised to the next level's number passes its derivatives on.
    """
    layout, model, p = assembly.links.layout, assembly.model, assembly.links.fit.parameters
    at = np.array([model.causes.index(name) for name in layout.causes], dtype=np.intp)
    shape = (len(blocks[LEAK]), *layout.slots.shape)
    strength, factor = np.zeros(shape), np.zeros(shape)
    leak = np.zeros((shape[0], shape[2]))
    for e, name in enumerate(layout.events):
        slots = layout.links(np.array([e]))[:, 0]
        own, causes = slice(len(slots)), at[slots]
        if name in layout.level:
            column = _level_column(model, *layout.level[name])
            strength[:, own, e] = blocks[EXCEED][:, causes, column]
            leak[:, e] = blocks[EXCEED_LEAK][:, column]
        else:
            f = model.findings.index(name)
            strength[:, own, e] = blocks[STRENGTH][:, causes, f]
            factor[:, own, e] = blocks[FACTOR][:, causes, f]
            leak[:, e] = blocks[LEAK][:, f]
    for low, high in layout.pairs():
        raised = p.strength[:, high] > p.strength[:, low]
        strength[:, :, high] += np.where(raised, strength[:, :, low], 0.0)
        strength[:, :, low] = np.where(raised, 0.0, strength[:, :, low])
        if p.leak[high] > p.leak[low]:
            leak[:, high] += leak[:, low]
            leak[:, low] = 0.0
    return LinkParameters(strength, factor, leak)


def _level_column(model: NoisyModel, ordinal: str, level: int) -> int:
    return model.level_offset[model.ordinals.index(ordinal)] + level - 1


def _slopes(
    links: FittedLinks, slot: IntArray, event: IntArray, columns: IntArray
) -> LinkParameters:
    """Difference quotients of the solved parameters, a column a number that is moved.

    First the L links, then the prior of the cause of each, then the backgrounds: given the priors
    every event is solved by itself, so one number of one event is moved in each column.
    """
    base, n_links = links.targets.take(columns), len(event)
    ratio, start = links.fit.ratio.take(columns), links.fit.parameters.take(columns)

    def moved(step: float) -> Targets:
        stated, prior, background = base.stated.copy(), base.prior.copy(), base.background.copy()
        link, other = np.arange(n_links), np.arange(n_links, 2 * n_links)
        stated[slot, link] = _logit_step(stated[slot, link], step)
        prior[slot, other] = _logit_step(prior[slot, other], step)
        rest = slice(2 * n_links, None)
        background[rest] = _logit_step(background[rest], step)
        # The floor is a share of the background, a closed leak stays closed.
        floor = base.floor * background / base.background
        return replace(base, stated=stated, prior=prior, background=background, floor=floor)

    high, low = solve(moved(_STEP), ratio, start), solve(moved(-_STEP), ratio, start)
    return LinkParameters(
        (high.strength - low.strength) / (2.0 * _STEP),
        (high.factor - low.factor) / (2.0 * _STEP),
        (high.leak - low.leak) / (2.0 * _STEP),
    )


def _logit_step(value: FloatArray, step: float | FloatArray) -> FloatArray:
    """Move probabilities by a step in log-odds."""
    odds = value / (1.0 - value) * np.exp(step)
    result: FloatArray = odds / (1.0 + odds)
    return result


def _direct_slopes(
    knowledge: Knowledge, assembly: Assembly, tables: tuple[FloatArray, ...]
) -> FloatArray:
    """Derivatives with respect to priors through the tables of the causes, (N, C).

    ``tables`` are the derivatives by P(cause present | risks), for each cause of the model.
    """
    model, causes = assembly.model, assembly.links.layout.causes
    result = np.zeros((len(tables[0]), len(causes)))
    steps = np.array([_STEP, -_STEP])
    values = {
        one: np.repeat(value, len(steps), axis=-1)
        for one, value in knowledge_values(knowledge).items()
    }
    for name in causes:
        prior = Address("prior", name)
        values[prior] = _logit_step(values[prior], steps)
    upper = UpperLayers(knowledge, values)
    for c, name in enumerate(causes):
        found, at = upper.cause(name), model.causes.index(name)
        slope = (found.table[..., 0] - found.table[..., 1]) / (2.0 * _STEP)
        # The model has its risks in an order of its own, and lacks those that change nothing.
        own = [model.risks[r] for r in model.cause_parents[at]]
        slope = slope[tuple(slice(None) if one in own else 0 for one in found.risks)]
        left = [one for one in found.risks if one in own]
        slope = slope.transpose([left.index(one) for one in own])
        result[:, c] = tables[at].reshape(len(result), -1) @ slope.ravel()
    return result
