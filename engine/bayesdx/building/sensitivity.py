"""How answers move with the stated numbers.

Log P(evidence) is differentiated by the numbers of the network, these by what is stated, see
`bayesdx.building.number_chain`. The fit's correction for causes that share risks is held fixed in
between, which changes derivatives by half a hundredth of the largest at most.

Derivatives are with respect to the log-odds of a number, so that priors of 0.0004 and links of 0.9
are measured alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdx.building.assembly import Assembly
from bayesdx.building.number_draws import Uncertain
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.answer import Answer
from bayesdx.inference.noisy.model import FloatArray
from bayesdx.knowledge.addresses import PlacedNumber, every_number
from bayesdx.knowledge.knowledge import Knowledge


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
    # Imported when first used, as executors are: imports are deep enough.
    from bayesdx.building.number_chain import NumberChain
    from bayesdx.building.perturbations import Mover
    from bayesdx.inference.noisy.case_scores import ScoreSweep

    # How sure a number is matters to nobody here.
    every = {one.address: Uncertain(one, None) for one in every_number(knowledge)}
    numbers = movable_numbers(knowledge)
    movers = tuple(Mover(every[one.address], -1, 0.0) for one in numbers)
    chain = NumberChain(knowledge, assembly, tuple(every.values()), movers)
    along = chain.slopes(np.zeros(len(movers)))
    log_evidence, too_complex = np.empty(len(evidence)), np.zeros(len(evidence), dtype=bool)
    causes = np.empty((len(evidence), len(assembly.model.causes)))
    values = np.zeros((len(evidence), len(movers)))
    for part in ScoreSweep(assembly.model, tied=True, along=along).scores(evidence):
        log_evidence[part.rows], causes[part.rows] = part.log_evidence, part.causes
        values[part.rows], too_complex[part.rows] = part.values.toarray(), part.too_complex
    nothing = np.empty(0)
    answer = Answer(log_evidence, causes, nothing, too_complex, nothing, nothing)
    places = tuple(one.place for one in numbers)
    return NumberGradient(places, answer.complete().log_evidence, values)
