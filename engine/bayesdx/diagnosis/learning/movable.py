"""Which stated numbers cases may move, and what moved numbers are held against."""

from __future__ import annotations

from typing import get_args

from bayesdx.building.assembly import assemble
from bayesdx.building.number_chain import NumberChain
from bayesdx.checked_names import is_one_of
from bayesdx.diagnosis.constraint_checks import check_statements
from bayesdx.diagnosis.core import Core
from bayesdx.diagnosis.scoring import OnBadRow
from bayesdx.errors import Fault, InvalidKnowledge, Phrase
from bayesdx.knowledge.addresses import StatedValue
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.learned_numbers import LEARNED_FILE
from bayesdx.knowledge.learning_schema import Sample

#: Numbers that say how common something is, not what it does: of consecutive cases only.
FREQUENCIES = ("prior", "effect", "prevalence")
#: Significant digits of a learned number.
DIGITS = 6


def movable_numbers(core: Core, sample: Sample) -> NumberChain:
    """Return the network as a function of the numbers that such cases may move."""
    if core.elicited.learning is not None:
        expected = "numbers that were not learned yet: learn from all cases together"
        raise InvalidKnowledge(Fault(LEARNED_FILE, expected, Phrase("a folder with that file")))
    kept = core.perturbations
    movers = tuple(
        mover
        for mover in kept.movers
        if sample == "consecutive" or mover.number.number.kind not in FREQUENCIES
    )
    return NumberChain(core.knowledge, core.assembly, kept.numbers, movers)


def option_faults(sample: str, on_error: str) -> list[Fault]:
    """Faults of the options of whoever reads labelled cases."""
    told = (("sample", sample, get_args(Sample)), ("on_error", on_error, get_args(OnBadRow)))
    return [
        Fault(place, " or ".join(known), own)
        for place, own, known in told
        if not is_one_of(own, known)
    ]


def rounded(value: StatedValue) -> StatedValue:
    """Round a single number to so many digits, of its distance from 1 where that is smaller."""
    if isinstance(value, tuple):
        return value
    if 0.5 < value < 1.0:
        return 1.0 - float(f"{1.0 - value:.{DIGITS}g}")
    return float(f"{value:.{DIGITS}g}")


def broken_constraints(core: Core, knowledge: Knowledge) -> tuple[str, ...]:
    """Constraints that held before and no longer do."""
    if not core.knowledge.constraints:
        return ()
    before = check_statements(core.knowledge, core.assembly)
    after = check_statements(knowledge, assemble(knowledge, core.assembly.links))
    return tuple(
        one.constraint.id
        for one, other in zip(before, after, strict=True)
        if one.held and not other.held
    )
