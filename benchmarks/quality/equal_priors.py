"""The same knowledge with every cause equally common: what the findings say without the priors.

The network is built anew, so that it gives back the stated links under the new priors too, as far
as they can be reached together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from bayesdx.errors import InvalidKnowledge
from bayesdx.knowledge.conditioning import conditional_prior
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.schema import Cause, Effect


@dataclass(frozen=True)
class EqualPriors:
    """Knowledge whose causes all have one prior, and what could not hold with it.

    Attributes
    ----------
    knowledge : Knowledge
    prior : float
    dropped : tuple of str
        Places of the requirements and effects that were left out.
    """

    knowledge: Knowledge
    prior: float
    dropped: tuple[str, ...]


def with_equal_priors(knowledge: Knowledge, prior: float) -> EqualPriors:
    """Set the prior of every modelled cause; excluded causes and the leak stay as they are."""
    causes: dict[str, Cause] = {}
    dropped: list[str] = []
    for name, cause in knowledge.causes.items():
        if cause.kind != "cause" or cause.prior is None:
            causes[name] = cause
            continue
        equal = cause.prior.model_copy(update={"value": prior})
        causes[name], left_out = _made_possible(
            cause.model_copy(update={"prior": equal}), knowledge
        )
        dropped += left_out
    return EqualPriors(knowledge.model_copy(update={"causes": causes}), prior, tuple(dropped))


def _made_possible(cause: Cause, knowledge: Knowledge) -> tuple[Cause, list[str]]:
    """Drop requirements and effects, as few as a greedy search finds, until the prior can hold."""
    place = f"causes/{cause.id}.toml:"
    labels = [f"{place}effects[{index}]" for index in range(len(cause.effects))]
    dropped: list[str] = []
    while (fault := _fault(cause, knowledge)) is not None:
        if fault.startswith(f"{place}requires"):
            dropped.append(f"{place}requires")
            cause = cause.model_copy(update={"requires": ()})
            continue
        index = _worst_effect(cause, knowledge)
        dropped.append(labels.pop(index))
        cause = _without_effect(cause, index)
    return cause, dropped


def _fault(cause: Cause, knowledge: Knowledge) -> str | None:
    try:
        conditional_prior(cause, knowledge.risks)
    except InvalidKnowledge as error:
        return error.faults[0].place
    return None


def _worst_effect(cause: Cause, knowledge: Knowledge) -> int:
    """First effect whose absence is enough; failing that, the strongest one."""
    indices = range(len(cause.effects))
    for index in indices:
        if _fault(_without_effect(cause, index), knowledge) is None:
            return index
    return max(indices, key=lambda index: abs(math.log(cause.effects[index].value)))


def _without_effect(cause: Cause, index: int) -> Cause:
    kept: tuple[Effect, ...] = cause.effects[:index] + cause.effects[index + 1 :]
    return cause.model_copy(update={"effects": kept})
