"""Each document, believed alone: the model's numbers with every reading of one source put in.

Where several statements of one source read the same number, the most specific ones count: those
that give a number rather than a word; among these, those that speak of particular people (stated
outright, and not the people that most of the document is about); among these, those that read the
fewest numbers. What still differs is averaged, in log-odds, or of ratios in logarithms.

A reading that cannot hold beside the others is left out, and said so. Nothing is changed to make
room for it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bayesdx.building.feasibility import UpperLayers, knowledge_values
from bayesdx.errors import Fault, InvalidKnowledge
from bayesdx.knowledge.addresses import PlacedNumber, every_number
from bayesdx.knowledge.cause_links import check_causes
from bayesdx.knowledge.conditioning import own_risks
from bayesdx.knowledge.drafting import Drafts
from bayesdx.knowledge.finding_links import check_findings
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.learned_numbers import in_use
from bayesdx.knowledge.overrides import with_numbers
from bayesdx.knowledge.statement_schema import Statement
from bayesdx.knowledge.value_checks import PROBABILITY, RATIO

#: Document of the statements that say what the literature has against a document.
CONFLICTS = "X"
LITERATURE = "literature"
_ORDER = ("prevalence", "prior", "effect", "background", "background_effect", "link")


@dataclass(frozen=True)
class SourceNumber:
    """A number as one source has it.

    Attributes
    ----------
    number : str
        Its place.
    title : str
        The number in words.
    model, value : float
        In the model, and in this source.
    statements : tuple of str
        Those that give the value.
    passed_over : tuple of str
        Less specific statements of the same source on the same number.
    mean : bool
        Whether the statements differ, and `value` is their mean.
    """

    number: str
    title: str
    model: float
    value: float
    statements: tuple[str, ...]
    passed_over: tuple[str, ...]
    mean: bool


@dataclass(frozen=True)
class LeftOut:
    """A reading that could not be put in, and why."""

    statement: str
    number: str
    value: float
    reason: str


@dataclass(frozen=True, eq=False)
class SourceModel:
    """The model as one source alone would have it.

    Attributes
    ----------
    id, title : str
    statements : tuple of Statement
        All statements of the source that read a number.
    general : str
        Of whom most of the source speaks, as its statements word it.
    numbers : tuple of SourceNumber
        What was put in.
    left_out : tuple of LeftOut
        What could not be.
    knowledge : Knowledge
        The model's, with the source's numbers.
    """

    id: str
    title: str
    statements: tuple[Statement, ...]
    general: str
    numbers: tuple[SourceNumber, ...]
    left_out: tuple[LeftOut, ...]
    knowledge: Knowledge


def model_numbers(knowledge: Knowledge) -> Knowledge:
    """Return the knowledge with the numbers that the model answers with, calibrated and learned.

    Neither is put in a second time: a reading that happens to equal an elicited value must stay
    what it is.
    """
    return in_use(knowledge).model_copy(update={"calibration": None, "learning": None})


def source_models(knowledge: Knowledge) -> tuple[SourceModel, ...]:
    """Build a rival of every document that has statements, and one of the literature.

    Returns
    -------
    tuple of SourceModel
        The documents by id, then ``literature``: what is read of it where it contradicts a
        document, all other numbers being the model's. Empty where there are no statements.
    """
    base = model_numbers(knowledge)
    documents = sorted({one.document for one in knowledge.statements.values()} - {CONFLICTS})
    rivals = []
    for document in [*documents, CONFLICTS] if documents else []:
        title, name = "Literature, where it contradicts a document", LITERATURE
        if document != CONFLICTS:
            source = knowledge.sources.get(document)
            title, name = source.title if source else document, document
        said = [one for one in knowledge.statements.values() if one.document == document]
        rivals.append(build_source_model(base, name, title, said))
    return tuple(rivals)


def build_source_model(
    base: Knowledge, name: str, title: str, statements: Iterable[Statement]
) -> SourceModel:
    """Put the readings of some statements into the model's numbers.

    Parameters
    ----------
    base : Knowledge
        From `model_numbers`.
    name, title : str
    statements : iterable of Statement
    """
    reading = tuple(one for one in statements if one.readings)
    general = _general_denominator(base, {one.document for one in reading})
    known = {number.place: number for number in every_number(base)}
    numbers: list[SourceNumber] = []
    left_out: list[LeftOut] = []
    for place in dict.fromkeys(r.number for one in reading for r in one.readings):
        number = _resolved(place, known.get(place), reading, general)
        reason = _misfit(base, known.get(place), number.value)
        if reason:
            left_out += _left_out(number, reason)
        else:
            numbers.append(number)
    numbers.sort(key=lambda one: _ORDER.index(known[one.number].kind))
    held, refused = _feasible(base, numbers)
    left_out += refused
    changed = {one.number: one.value for one in held}
    knowledge = with_numbers(base, changed)
    return SourceModel(name, title, reading, general, held, tuple(left_out), knowledge)


def value_without(
    rival: SourceModel, number: SourceNumber, left: Collection[str], ratio: bool
) -> float:
    """Return what a number would be if the source had not made some of its statements.

    Parameters
    ----------
    rival : SourceModel
    number : SourceNumber
    left : collection of str
        The statements to leave out.
    ratio : bool
        Whether the number is a ratio.

    Returns
    -------
    float
        What the other statements of the source say, or else the model's value.
    """
    others = [one for one in rival.statements if one.id not in left]
    said = _said(number.number, others)
    if not said:
        return number.model
    return _mean([value for _, value in _most_specific(said, rival.general)], ratio)


def specificity(statement: Statement, general: str) -> tuple[bool, bool, int]:
    """Rank how specific the readings of a statement are; the greatest counts.

    Parameters
    ----------
    statement : Statement
    general : str
        Of whom most of the source speaks.

    Returns
    -------
    tuple
        Whether it gives a number; whether it says outright of whom it speaks, and these are not
        the people of the whole source; minus how many numbers it reads.
    """
    of_whom = statement.denominator.casefold()
    vague = of_whom.startswith("not stated") or of_whom == "-" or "(implied)" in of_whom
    particular = not vague and statement.denominator != general
    counted = any(letter.isdigit() for letter in statement.strength)
    return counted, particular, -len(statement.readings)


def _general_denominator(knowledge: Knowledge, documents: set[str]) -> str:
    """Return of whom most statements of the documents speak; empty where no two speak of one."""
    counts = Counter(
        one.denominator for one in knowledge.statements.values() if one.document in documents
    )
    (name, count), *_ = counts.most_common(1) or [("", 0)]
    return name if count > 1 else ""


def _said(place: str, statements: Iterable[Statement]) -> list[tuple[Statement, float]]:
    return [(one, r.value) for one in statements for r in one.readings if r.number == place]


def _most_specific(
    said: Sequence[tuple[Statement, float]], general: str
) -> list[tuple[Statement, float]]:
    best = max(specificity(one, general) for one, _ in said)
    return [(one, value) for one, value in said if specificity(one, general) == best]


def _resolved(
    place: str, number: PlacedNumber | None, statements: Sequence[Statement], general: str
) -> SourceNumber:
    said = _said(place, statements)
    counted = _most_specific(said, general)
    names = tuple(dict.fromkeys(one.id for one, _ in counted))
    values = [value for _, value in counted]
    model = math.nan if number is None or isinstance(number.value, tuple) else number.value
    return SourceNumber(
        number=place,
        title=place if number is None else number.title,
        model=model,
        value=_mean(values, number is not None and number.is_ratio),
        statements=names,
        passed_over=tuple(dict.fromkeys(one.id for one, _ in said if one.id not in names)),
        mean=len(set(values)) > 1,
    )


def _mean(values: Sequence[float], ratio: bool) -> float:
    """Mean of ratios in logarithms, of probabilities in log-odds."""
    if len(set(values)) == 1 or not all(value > 0.0 for value in values):
        return values[0]
    if ratio:
        return math.exp(math.fsum(map(math.log, values)) / len(values))
    if not all(value < 1.0 for value in values):
        return max(values)
    odds = math.fsum(math.log(value / (1.0 - value)) for value in values) / len(values)
    return 1.0 / (1.0 + math.exp(-odds))


def _misfit(knowledge: Knowledge, number: PlacedNumber | None, value: float) -> str:
    """Say why a value can never stand at a place; empty where it can."""
    if number is None:
        return "the model has no such number"
    if isinstance(number.value, tuple):
        return "the number has several values, the reading one"
    cause = knowledge.causes.get(number.owner) if number.place.startswith("causes/") else None
    if cause is not None and cause.kind != "cause":
        return f"{number.owner} is not modelled as a cause"
    expected = RATIO if number.is_ratio else PROBABILITY
    if value <= 0.0 or (value >= 1.0 and not number.is_ratio):
        return f"expected {expected}, got {value:g}"
    return ""


def _left_out(number: SourceNumber, reason: str) -> list[LeftOut]:
    return [LeftOut(name, number.number, number.value, reason) for name in number.statements]


def _feasible(
    base: Knowledge, numbers: Sequence[SourceNumber]
) -> tuple[tuple[SourceNumber, ...], list[LeftOut]]:
    """Part numbers that can hold together from those that cannot beside them.

    When not all can, they are put in one after the other (prevalences, priors, effects,
    backgrounds, links); what does not fit is tried again after the rest, which may make room.
    """
    before = {fault.place for fault in _faults(base)}
    values = {one.number: one.value for one in numbers}
    if not _new_fault(base, values, before):
        return tuple(numbers), []
    held: dict[str, float] = {}
    faults: dict[str, Fault] = {}
    waiting = list(numbers)
    while waiting:
        refused = []
        for one in waiting:
            fault = _new_fault(base, {**held, one.number: one.value}, before)
            if fault is None:
                held[one.number] = one.value
            else:
                faults[one.number] = fault
                refused.append(one)
        if len(refused) == len(waiting):
            break
        waiting = refused
    kept = tuple(one for one in numbers if one.number in held)
    return kept, [left for one in waiting for left in _left_out(one, str(faults[one.number]))]


def _new_fault(base: Knowledge, values: Mapping[str, float], before: set[str]) -> Fault | None:
    """Return the first thing that is wrong with the changed numbers and was not before."""
    changed = with_numbers(base, values)
    new = [
        fault
        for fault in _faults(changed, _changed_causes(changed, base))
        if fault.place not in before
    ]
    return new[0] if new else None


def _changed_causes(knowledge: Knowledge, base: Knowledge) -> tuple[str, ...]:
    """Causes of which a number, or the share of a risk that acts on them, is no longer the same."""
    risks = {name for name, risk in knowledge.risks.items() if risk is not base.risks[name]}
    return tuple(
        name
        for name, cause in knowledge.causes.items()
        if cause is not base.causes[name] or risks.intersection(own_risks(cause, knowledge.risks))
    )


def _faults(knowledge: Knowledge, causes: Collection[str] | None = None) -> list[Fault]:
    """Apply the checks between numbers that a priors folder has to pass; of some causes alone."""
    own = knowledge.causes if causes is None else {n: knowledge.causes[n] for n in causes}
    draft = Drafts(
        causes=dict(own),
        findings=dict(knowledge.findings),
        risks=dict(knowledge.risks),
        sources=dict(knowledge.sources),
    )
    check_causes(draft)
    draft.causes = dict(knowledge.causes)
    check_findings(draft)
    if draft.faults:
        return draft.faults
    upper = UpperLayers(knowledge, knowledge_values(knowledge))
    try:
        upper.refuse_misfits(own)
    except InvalidKnowledge as reason:
        return list(reason.faults)
    return []
