"""What is allowed but deserves a second look."""

from __future__ import annotations

from collections.abc import Iterator

from bayesdx.errors import InvalidKnowledge, nearest_names
from bayesdx.knowledge.addresses import PlacedNumber, every_number, number_at
from bayesdx.knowledge.coverage import coverage
from bayesdx.knowledge.drafting import cause_file
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.learned_numbers import LEARNED_FILE
from bayesdx.knowledge.naming import folded
from bayesdx.knowledge.overrides import calibrated, stale
from bayesdx.knowledge.profiles import read_profile, settings_of, with_profile
from bayesdx.knowledge.remarks import Remark, Severity
from bayesdx.knowledge.schema import Cause, Finding
from bayesdx.knowledge.sheet import NOBODY_YET

NARROWEST = {"SEEN": 0.01, "SEEN-ADAPTED": 0.05, "RECALL": 0.05, "SEED": 0.05, "JUDGEMENT": 0.1}
"""Width of a range, as a share of its value, below which the basis cannot support it."""

SHARE_TOLERANCE = 0.01

_ORDER: dict[Severity, int] = {"error": 0, "warning": 1, "info": 2}


def lint(knowledge: Knowledge) -> tuple[Remark, ...]:
    """Look for what is probably not meant.

    Parameters
    ----------
    knowledge : Knowledge
        What was read; everything in it is valid.

    Returns
    -------
    tuple of (severity, place, message)
        Errors first, then warnings, then what is good to know; by place within each.
    """
    numbers = every_number(knowledge)
    remarks = [
        *_ranges(numbers),
        *coverage(knowledge),
        *_calibration(knowledge),
        *_learning(knowledge),
        *_links(knowledge),
        *_findings(knowledge),
        *_shares(knowledge),
        *_rules(knowledge),
        *_cause_aliases(knowledge),
        *_sources(knowledge, numbers),
        *_settings(knowledge),
        *_population(knowledge),
    ]
    return tuple(sorted(remarks, key=lambda remark: (_ORDER[remark[0]], remark[1], remark[2])))


def _population(knowledge: Knowledge) -> Iterator[Remark]:
    if knowledge.model.reference_population == NOBODY_YET:
        message = "not said yet: every probability of the folder is a share of these people."
        yield "warning", "model.toml:reference_population", message


def _settings(knowledge: Knowledge) -> Iterator[Remark]:
    for name, path in settings_of(knowledge.folder).items():
        try:
            with_profile(knowledge, read_profile(path))
        except InvalidKnowledge as error:
            for fault in error.faults:
                yield "error", f"settings/{name}.toml", str(fault)


def _ranges(numbers: tuple[PlacedNumber, ...]) -> Iterator[Remark]:
    for number in numbers:
        span, value = number.stated.range, number.value
        if isinstance(value, tuple) or value == 0.0:
            continue
        if span is None:
            yield "warning", number.place, "no range: its uncertainty follows from the basis alone."
            continue
        low, high = span
        if value in span:
            yield (
                "warning",
                number.place,
                f"{value:g} is at the edge of its range, {low:g}-{high:g}.",
            )
        # Near 1 it is the distance from 1 that an interval can be narrow against.
        scale = value if number.is_ratio else min(value, 1.0 - value)
        if high - low < NARROWEST[number.stated.basis] * scale:
            yield (
                "warning",
                number.place,
                f"the range {low:g}-{high:g} is narrow for basis {number.stated.basis}.",
            )


def _calibration(knowledge: Knowledge) -> Iterator[Remark]:
    """Find a calibration that numbers have left behind, or that speaks of ones that are gone.

    One whose own numbers were not touched stays valid as long as the constraints hold, which takes
    the network to tell: see `bayesdx.diagnosis.constraint_checks.missed_remarks`.
    """
    reason = stale(knowledge)
    if knowledge.calibration is None:
        if reason:
            yield "error", "calibration.toml", reason
        return
    touched = False
    for index, move in enumerate(knowledge.calibration.move):
        place = f"calibration.toml:move[{index}]"
        number = number_at(knowledge, move.number)
        if number is None:
            known = (one.place for one in every_number(knowledge))
            near = ", ".join(nearest_names(move.number, known))
            yield "error", place, f"there is no number {move.number!r}. Nearest: {near}."
        elif number.value != move.elicited:
            touched = True
            message = f"{move.number} is no longer {move.elicited:g}: the move does not apply."
            yield "warning", place, message
    if reason and touched:
        yield "warning", "calibration.toml", reason
    elif reason:
        message = "it was computed from other numbers or constraints, but none that it moved is"
        yield "info", "calibration.toml", f"{message} another: it stays in use."


def _learning(knowledge: Knowledge) -> Iterator[Remark]:
    """Find learned numbers whose stated ones were edited since, or are gone."""
    if knowledge.learning is None:
        return
    before = calibrated(knowledge)
    for index, one in enumerate(knowledge.learning.number):
        place = f"{LEARNED_FILE}:number[{index}]"
        number = number_at(before, one.number)
        if number is None:
            known = (other.place for other in every_number(knowledge))
            near = ", ".join(nearest_names(one.number, known))
            yield "error", place, f"there is no number {one.number!r}. Nearest: {near}."
        elif number.value != one.before:
            message = f"{one.number} is no longer what it was learned from: it stays as stated."
            yield "warning", place, message


def _links(knowledge: Knowledge) -> Iterator[Remark]:
    for cause in knowledge.causes.values():
        for name, link in cause.links.items():
            background = knowledge.findings[name].background
            if background is None or link.parameterisation == "net":
                continue
            place = f"{cause_file(cause.id)}:links.{name}"
            if link.probability < background.value:
                yield (
                    "info",
                    place,
                    f"{link.probability:g} is below the background, {background.value:g}: "
                    "an inhibitor link.",
                )
        yield from _threshold_links(knowledge, cause)


def _threshold_links(knowledge: Knowledge, cause: Cause) -> Iterator[Remark]:
    """Find links to a higher threshold that the lower one, without a link, cannot keep up with."""
    for name, link in cause.links.items():
        ordinal = knowledge.findings[name].threshold_of
        for lower in knowledge.findings.values():
            below = (
                ordinal is not None
                and lower.threshold_of == ordinal
                and lower.id not in cause.links
                and _level(knowledge, lower) < _level(knowledge, knowledge.findings[name])
            )
            if below and lower.background and link.probability > lower.background.value:
                yield (
                    "warning",
                    f"{cause_file(cause.id)}:links.{name}",
                    f"{link.probability:g} exceeds the background of {lower.id}, "
                    f"{lower.background.value:g}, to which {cause.id} has no link.",
                )


def _level(knowledge: Knowledge, threshold: Finding) -> int:
    return knowledge.findings[threshold.threshold_of or ""].states.index(threshold.at_least or "")


def _findings(knowledge: Knowledge) -> Iterator[Remark]:
    linked = {name for cause in knowledge.causes.values() for name in cause.links}
    for finding in knowledge.findings.values():
        place = f"findings.toml:{finding.id}"
        if finding.background is None:
            continue
        if finding.id not in linked:
            yield "warning", place, "has a background, but no cause links to it."
        for part in finding.any_of:
            other = knowledge.findings[part].background
            if other is not None and other.value > finding.background.value:
                message = f"is present whenever {part} is, but has the lower background."
                yield "warning", place, message
        for implied in finding.implies:
            other = knowledge.findings[implied].background
            if other is not None and other.value < finding.background.value:
                yield "warning", place, f"implies {implied}, which has the lower background."


def _shares(knowledge: Knowledge) -> Iterator[Remark]:
    every = [cause.primary_share for cause in knowledge.causes.values()]
    shares = [share for share in every if share is not None]
    if shares and abs(sum(shares) - 1.0) > SHARE_TOLERANCE:
        yield "warning", "causes", f"the primary shares sum to {sum(shares):.3f}, not to 1."


def _rules(knowledge: Knowledge) -> Iterator[Remark]:
    if not knowledge.red_flags:
        yield "warning", "red_flags.toml", "no rule: only dangerous causes can raise the urgency."


def _cause_aliases(knowledge: Knowledge) -> Iterator[Remark]:
    owners: dict[str, str] = {}
    for cause in knowledge.causes.values():
        for alias in (cause.label, *cause.aliases_lay, *cause.aliases_professional):
            owner = owners.setdefault(folded(alias), cause.id)
            if owner != cause.id:
                message = f"{alias!r} also names {owner}."
                yield "warning", f"{cause_file(cause.id)}:", message


def _sources(knowledge: Knowledge, numbers: tuple[PlacedNumber, ...]) -> Iterator[Remark]:
    used = {number.stated.source for number in numbers}
    used |= {source for rule in knowledge.red_flags for source in rule.sources}
    used |= {cause.requires_source or "" for cause in knowledge.causes.values()}
    used |= {scale.source for scale in knowledge.scales}
    for name in knowledge.sources:
        if name not in used:
            yield "info", f"sources.toml:{name}", "supports no number."
    for number in numbers:
        source = knowledge.sources[number.stated.source]
        if number.stated.basis == "SEEN" and not source.seen:
            message = f"basis SEEN, but its source {source.id} was not seen."
            yield "warning", number.place, message
