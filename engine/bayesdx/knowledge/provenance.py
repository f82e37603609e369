"""Where a number comes from, as text for a terminal."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from bayesdx.errors import Fault, InvalidKnowledge, nearest_names
from bayesdx.knowledge.addresses import Address, PlacedNumber, condition_text, every_number
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.learned_numbers import learned_at
from bayesdx.knowledge.overrides import move_of
from bayesdx.knowledge.red_flag_schema import URGENCY_ONLY
from bayesdx.knowledge.schema import BASIS_WORDS, Cause, Link, Measure, Setting, Stated

V = TypeVar("V")


PARAMETERISATION_WORDS = {
    "in_population": "P(finding | cause) in the population, other causes at their own priors",
    "alone": "P(finding | only this cause), the leak included",
    "net": "strength of the noisy-OR link itself, without the leak",
}


def of_whom(text: str) -> str:
    """Write a text of a folder about R, the reference population, for who has not read what R is.

    Parameters
    ----------
    text : str
        A denominator, or what the folder says of the population itself.

    Examples
    --------
    >>> of_whom("R, cause absent")
    'the reference population, cause absent'
    """
    return re.sub(r"(?<!\()\bR\b", "the reference population", text)


def describe_cause(knowledge: Knowledge, cause: str) -> str:
    """Tell where the numbers of a cause come from.

    Parameters
    ----------
    knowledge : Knowledge
        What was read.
    cause : str
        Id of the cause.

    Returns
    -------
    str
        Its prior, requirements, effects of risks, and links to findings, the most telling first.

    Raises
    ------
    InvalidKnowledge
        If there is no such cause.
    """
    entry = _find(knowledge.causes, cause, "a cause")
    lines = [f"{entry.id}: {entry.label}", *wrapped(entry.description, "  ")]
    lines += facts(
        {
            "kind": "" if entry.kind == "cause" else entry.kind,
            "excluded because": entry.reason,
            "ICD-10-CM": ", ".join(entry.icd10),
            "urgency": _with_note(entry.urgency or "", entry.urgency_note),
            "also called": ", ".join((*entry.aliases_lay, *entry.aliases_professional)),
            "groups": ", ".join(
                group.id for group in knowledge.groups.values() if cause in group.members
            ),
        }
    )
    lines += _prior_lines(knowledge, entry)
    if entry.requires:
        held = " and ".join(condition_text((one,)) for one in entry.requires)
        lines += ["", *wrapped(f"requires {held}; otherwise its probability is exactly 0", "")]
        if entry.requires_source is not None:
            lines += wrapped(f"source: {_source_text(knowledge, entry.requires_source)}", "    ")
        lines += facts({"statements": ", ".join(entry.requires_statements)}, "    ")
    lines += _effect_lines(knowledge, entry)
    lines += _link_lines(knowledge, entry)
    lines += _population_lines(knowledge)
    return "\n".join(lines)


def describe_finding(knowledge: Knowledge, finding: str) -> str:
    """Tell where the numbers of a finding come from.

    Parameters
    ----------
    knowledge : Knowledge
        What was read.
    finding : str
        Id of the finding.

    Returns
    -------
    str
        Its background, and every cause that links to it, the most telling first.

    Raises
    ------
    InvalidKnowledge
        If there is no such finding.
    """
    what = "a finding"
    if finding in knowledge.measures:
        what = f"a finding ({finding} is a measured value: show measure)"
    entry = _find(knowledge.findings, finding, what, "finding")
    lines = [f"{entry.id}: {entry.label}", *wrapped(entry.question, "  ")]
    lines += facts(
        {
            "kind": entry.kind,
            "counts": URGENCY_ONLY if finding in knowledge.urgency_only else "",
            "states": ", ".join(entry.states) if entry.kind == "ordinal" else "",
            "threshold": f"{entry.threshold_of} at least {entry.at_least}"
            if entry.threshold_of
            else "",
            "present when any of": ", ".join(entry.any_of),
            "implies": ", ".join(entry.implies),
            "excludes": ", ".join(entry.excludes),
            "observed by": entry.observed_by,
            "HPO": ", ".join(entry.hpo),
            "also called": ", ".join((*entry.aliases_lay, *entry.aliases_professional)),
            "measured as": ", ".join(_measured_as(knowledge, finding)),
            "note": entry.note,
        }
    )
    if entry.background is not None:
        lines += ["", f"background {_value_text(entry.background.value, entry.background)}"]
        lines += _moved_lines(knowledge, Address("background", finding))
        lines += _support_lines(knowledge, entry.background)
    for number in every_number(knowledge):
        if number.kind == "background_effect" and number.owner == finding:
            lines += ["", *number_lines(knowledge, number)]
    links = [
        (one.links[finding], one.id) for one in knowledge.causes.values() if finding in one.links
    ]
    background = None if entry.background is None else entry.background.value
    ranked = sorted(links, key=lambda pair: (-_ratio(pair[0], background), pair[1]))
    lines += ["", f"causes that link to it: {len(links)}"]
    for link, cause in ranked:
        address = Address("link", cause, finding)
        lines += _one_link(knowledge, cause, link, background, address)
    lines += _population_lines(knowledge)
    return "\n".join(lines)


def describe_risk(knowledge: Knowledge, risk: str) -> str:
    """Tell where the numbers of a risk come from.

    Parameters
    ----------
    knowledge : Knowledge
        What was read.
    risk : str
        Id of the risk.

    Returns
    -------
    str
        How common its states are, and everything that it acts on.

    Raises
    ------
    InvalidKnowledge
        If there is no such risk.
    """
    entry = _find(knowledge.risks, risk, "a risk")
    lines = [f"{entry.id}: {entry.label}", *wrapped(entry.question, "  ")]
    names = (*entry.aliases_lay, *entry.aliases_professional)
    told = {"observed by": entry.observed_by, "also called": ", ".join(names)}
    lines += facts({"excludes": ", ".join(entry.excludes), **told})
    shares = ", ".join(
        f"{state} {share:.6g}"
        for state, share in zip(entry.states, entry.probabilities, strict=True)
    )
    lines += ["", *wrapped(f"prevalence: {shares}{_range_text(entry.prevalence)}", "")]
    lines += _support_lines(knowledge, entry.prevalence)
    for cause in knowledge.causes.values():
        for condition in cause.requires:
            if condition.risk == risk:
                lines += ["", f"{cause.id} requires {condition_text((condition,))}"]
    for number in every_number(knowledge):
        if _acts(number, risk):
            lines += ["", *number_lines(knowledge, number)]
    lines += _population_lines(knowledge)
    return "\n".join(lines)


def describe_measure(knowledge: Knowledge, measure: str) -> str:
    """Tell what a measured number says of findings and risks.

    Parameters
    ----------
    knowledge : Knowledge
        What was read.
    measure : str
        Id of the measure.

    Returns
    -------
    str
        Its units, the values that are taken for possible, and where it is cut.

    Raises
    ------
    InvalidKnowledge
        If there is no such measure.
    """
    entry = _find(knowledge.measures, measure, "a measure")
    low, high = entry.range
    lines = [f"{entry.id}: {entry.label}", *wrapped(entry.question, "  ")]
    lines += facts(
        {
            "said as": f"{entry.id}=NUMBER, or {entry.id}='NUMBER UNIT'",
            "unit": entry.unit,
            "other units": ", ".join(f"{unit} (x {by:g})" for unit, by in entry.units.items()),
            "possible": f"{low:g} to {high:g} {entry.unit}"
            + (", whole numbers" if entry.integer else ""),
            "observed by": entry.observed_by,
            "also called": ", ".join((*entry.aliases_lay, *entry.aliases_professional)),
            "note": entry.note,
        }
    )
    for setting in entry.sets:
        lines += ["", *wrapped(f"{setting.target}: {_said_by(entry, setting)}", "")]
    return "\n".join(lines)


def _find(entries: Mapping[str, V], name: str, what: str, place: str = "") -> V:
    if name not in entries:
        near = nearest_names(name, entries)
        raise InvalidKnowledge(Fault(place or what.split()[-1], what, name, near))
    return entries[name]


def _population_lines(knowledge: Knowledge) -> Iterator[str]:
    """Say who the reference population is, of which numbers are a share."""
    population = " ".join(knowledge.model.reference_population.split()).removeprefix("R: ")
    yield ""
    yield from wrapped(of_whom(f"The reference population (R): {population}"), "")


def _prior_lines(knowledge: Knowledge, cause: Cause) -> Iterator[str]:
    yield ""
    if cause.prior is None:
        yield "no prior of its own: it stands for what no modelled cause explains"
    else:
        yield f"prior {_value_text(cause.prior.value, cause.prior)}"
        yield from _moved_lines(knowledge, Address("prior", cause.id))
        yield from _support_lines(knowledge, cause.prior)
    if cause.primary_share is not None:
        yield f"    main cause in a share of {cause.primary_share:g}"


def number_lines(knowledge: Knowledge, number: PlacedNumber) -> Iterator[str]:
    """Tell a number with its range, what moved it, and what stands behind it."""
    yield from wrapped(f"{number.title}: {_value_text(number.value, number.stated)}", "")
    yield from _moved_lines(knowledge, number.address)
    yield from _support_lines(knowledge, number.stated)


def _moved_lines(knowledge: Knowledge, address: Address) -> Iterator[str]:
    move = move_of(knowledge, str(address))
    if move is not None:
        text = f"elicited {move.elicited:g}; moved by calibration for {move.constraint}"
        yield from wrapped(text, "    ")
    learned = learned_at(knowledge, str(address))
    if learned is not None and knowledge.learning is not None:
        low, high = learned.range_before or (math.nan, math.nan)
        stated = f"{learned.before:g}" if isinstance(learned.before, float) else "otherwise"
        between = "" if learned.range_before is None else f" ({low:g} to {high:g})"
        worth = f"{learned.effective_cases:.3g} people; moved by {learned.moved:+.2f} of its"
        text = (
            f"stated {stated}{between}; learned from {knowledge.learning.cases} cases, worth "
            f"{worth} standard deviations"
        )
        yield from wrapped(text, "    ")


def _effect_lines(knowledge: Knowledge, cause: Cause) -> Iterator[str]:
    for effect in cause.effects:
        measure = effect.measure.replace("_", " ")
        value = _value_text(effect.value, effect)
        yield ""
        yield from wrapped(f"with {condition_text(effect.any_of)}: {measure} {value}", "")
        yield from _support_lines(knowledge, effect)


def _link_lines(knowledge: Knowledge, cause: Cause) -> Iterator[str]:
    backgrounds = {name: knowledge.findings[name].background for name in cause.links}
    values = {name: None if one is None else one.value for name, one in backgrounds.items()}
    ranked = sorted(cause.links, key=lambda name: (-_ratio(cause.links[name], values[name]), name))
    if ranked:
        yield ""
        yield f"findings, by probability over background: {len(ranked)}"
    for name in ranked:
        address = Address("link", cause.id, name)
        yield from _one_link(knowledge, name, cause.links[name], values[name], address)


def _one_link(
    knowledge: Knowledge, name: str, link: Link, background: float | None, address: Address
) -> Iterator[str]:
    yield ""
    against = "" if background is None else f", background {background:g}"
    ratio = "" if background is None else f"  x{_ratio(link, background):.3g}"
    yield f"  {name}{ratio}: {_value_text(link.probability, link)}{against}"
    yield from _moved_lines(knowledge, address)
    yield from wrapped(f"read as: {PARAMETERISATION_WORDS[link.parameterisation]}", "    ")
    yield from _support_lines(knowledge, link)


def _ratio(link: Link, background: float | None) -> float:
    return link.probability / background if background else 0.0


def _support_lines(knowledge: Knowledge, stated: Stated) -> Iterator[str]:
    denominator = getattr(stated, "denominator", "")
    if denominator:
        yield from wrapped(f"share of: {of_whom(denominator)}", "    ")
    yield from wrapped(f"basis: {BASIS_WORDS[stated.basis]}", "    ")
    yield from wrapped(f"source: {_source_text(knowledge, stated.source)}", "    ")
    yield from facts({"statements": ", ".join(stated.statements), "note": stated.note}, "    ")


def _source_text(knowledge: Knowledge, key: str) -> str:
    source = knowledge.sources[key]
    return f"{source.title} [{key}]" + ("" if source.seen else ", not read for this knowledge")


def _acts(number: PlacedNumber, risk: str) -> bool:
    """Whether a number tells what a risk does."""
    named = {condition.risk for condition in getattr(number.stated, "any_of", ())}
    return risk in named or risk in getattr(number.stated, "when", {})


def _measured_as(knowledge: Knowledge, finding: str) -> Iterator[str]:
    for measure in knowledge.measures.values():
        for setting in measure.sets:
            if setting.finding == finding:
                yield f"{measure.id} {_said_by(measure, setting)}"


def _said_by(measure: Measure, setting: Setting) -> str:
    if setting.present is not None:
        return f"{setting.present} {measure.unit}"
    return f"cut at {', '.join(f'{cut:g}' for cut in setting.cuts or ())} {measure.unit}"


def _value_text(value: float | tuple[float, ...], stated: Stated) -> str:
    shown = ", ".join(f"{one:g}" for one in value) if isinstance(value, tuple) else f"{value:g}"
    return shown + _range_text(stated)


def _range_text(stated: Stated) -> str:
    return "" if stated.range is None else f" ({stated.range[0]:g} to {stated.range[1]:g})"


def _with_note(text: str, note: str) -> str:
    return f"{text} ({note})" if text and note else text or note


def facts(facts: Mapping[str, str], indent: str = "  ") -> list[str]:
    """Write the facts that are there, one a line."""
    return [
        line for name, text in facts.items() if text for line in wrapped(f"{name}: {text}", indent)
    ]


def wrapped(text: str, indent: str) -> Iterable[str]:
    """Return a text as one line, which whoever prints it wraps."""
    return [indent + " ".join(text.split())] if text.strip() else []
