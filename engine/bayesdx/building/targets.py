"""What a knowledge folder asks of its network: stated probabilities, backgrounds, hidden causes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bayesdx.building.fitting import ALONE, IN_POPULATION, NET, STRONGEST, Targets
from bayesdx.inference.noisy.model import FloatArray
from bayesdx.knowledge import Cause, Finding, Knowledge
from bayesdx.knowledge.conditioning import conditional_prior

_READINGS = {"in_population": IN_POPULATION, "alone": ALONE, "net": NET}


@dataclass(frozen=True, eq=False)
class Extra:
    """A hidden background cause: its risks and P(present | risks)."""

    risks: tuple[str, ...]
    table: FloatArray


def build_extra(knowledge: Knowledge, finding: Finding) -> Extra:
    """Turn the effects of risks on a background into a hidden cause of strength 1.

    ``probability`` v where the risks hold: elsewhere the background is what keeps its mean b, and
    the extra source makes up the ratio (1 - v) / (1 - elsewhere). ``zero_otherwise``: the whole
    background comes from a source that exists only where the risks hold.
    """
    assert finding.background is not None
    effect = finding.background_effects[0]
    risks = tuple(name for name in knowledge.risks if name in effect.when)
    held = np.ones(())
    share = np.ones(())
    for name in risks:
        risk = knowledge.risks[name]
        inside = np.array([state in effect.when[name] for state in risk.states], dtype=float)
        held = np.multiply.outer(held, inside)
        share = np.multiply.outer(share, np.array(risk.probabilities))
    weight = float((held * share).sum())
    background = finding.background.value
    if effect.measure == "zero_otherwise":
        # Seen from causes that share the risks, the absence of a cause says a little about them.
        linked = [c for c in knowledge.causes.values() if finding.id in c.links]
        reach = [_p_held_without(knowledge, cause, risks, held, weight) for cause in linked]
        priors = [prior_of(knowledge, cause.id) for cause in linked]
        return Extra(
            risks, held * background / np.average(reach or [weight], weights=priors or None)
        )
    assert effect.value is not None
    elsewhere = (background - weight * effect.value) / (1.0 - weight)
    # Where the effect is just the background nothing is left, which rounding may put below 0.
    return Extra(risks, held * max(1.0 - (1.0 - effect.value) / (1.0 - elsewhere), 0.0))


def _p_held_without(
    knowledge: Knowledge, cause: Cause, risks: tuple[str, ...], held: FloatArray, weight: float
) -> float:
    """P(the risks hold | cause absent)."""
    conditional = conditional_prior(cause, knowledge.risks)
    joint = conditional.table
    for name in conditional.risks:
        prior = np.array(knowledge.risks[name].probabilities)
        shape = [-1 if other == name else 1 for other in conditional.risks]
        joint = joint * prior.reshape(shape)
    private = tuple(i for i, name in enumerate(conditional.risks) if name not in risks)
    marginal = joint.sum(axis=private)
    shared = [name for name in conditional.risks if name in risks]
    if not shared:
        return weight
    inside = held.sum(axis=tuple(i for i, name in enumerate(risks) if name not in shared)) > 0
    return float((weight - marginal[inside].sum()) / (1.0 - prior_of(knowledge, cause.id)))


def build_targets(
    knowledge: Knowledge, events: list[Finding], causes: list[str], extras: Mapping[str, Extra]
) -> Targets:
    """Collect what the network has to give back.

    Parameters
    ----------
    knowledge : Knowledge
    events : list of Finding
        Findings and thresholds that have a probability; rows of the arrays.
    causes : list of str
        Modelled causes; columns of the arrays.
    extras : mapping of str to Extra
        Hidden background causes by event.

    Returns
    -------
    Targets
    """
    shape = (len(events), len(causes))
    stated, reading = np.full(shape, np.nan), np.zeros(shape)
    row = {event.id: i for i, event in enumerate(events)}
    for c, name in enumerate(causes):
        for finding, link in knowledge.causes[name].links.items():
            stated[row[finding], c] = link.probability
            reading[row[finding], c] = _READINGS[link.parameterisation]
    background = np.array([event.background.value for event in events if event.background])
    floor = background * knowledge.model.leak_floor
    ceiling, mean = np.full(len(events), STRONGEST), np.zeros(len(events))
    for name, extra in extras.items():
        weights = np.ones(())
        for risk in extra.risks:
            weights = np.multiply.outer(weights, np.array(knowledge.risks[risk].probabilities))
        mean[row[name]] = float((weights * extra.table).sum())
        if is_gated(knowledge.findings[name]):
            # All of the background lies in the extra source: a leak would cross the gate.
            ceiling[row[name]] = floor[row[name]] = 0.0
    ordinary = [event.kind == "binary" and event.id not in extras for event in events]
    return Targets(
        prior=np.array([prior_of(knowledge, name) for name in causes]),
        stated=stated,
        reading=reading,
        background=background,
        floor=floor,
        ceiling=ceiling,
        extra=mean,
        may_inhibit=np.array(ordinary),
    )


def is_gated(finding: Finding) -> bool:
    """Whether a finding has no background at all where its risks do not hold."""
    return any(effect.measure == "zero_otherwise" for effect in finding.background_effects)


def prior_of(knowledge: Knowledge, name: str) -> float:
    """Return the stated prior of a modelled cause."""
    prior = knowledge.causes[name].prior
    assert prior is not None
    return prior.value
