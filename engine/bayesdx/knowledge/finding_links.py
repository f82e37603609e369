"""Checks of findings against each other, risks and sources."""

from __future__ import annotations

import itertools
from collections import Counter

from bayesdx.errors import NOTHING, Phrase
from bayesdx.knowledge.conditioning import holding
from bayesdx.knowledge.drafting import Drafts, cause_file
from bayesdx.knowledge.references import (
    check_condition,
    check_excluded,
    check_id,
    check_source,
    check_states,
    thresholds_of,
)
from bayesdx.knowledge.schema import BackgroundEffect, Condition, Finding
from bayesdx.knowledge.shapes import join


def check_findings(draft: Drafts) -> None:
    """Note everything about findings that does not fit the rest.

    Parameters
    ----------
    draft : Drafts
        The models; faults are added to it.
    """
    for name, finding in draft.findings.items():
        place = f"findings.toml:{name}"
        _check_finding_shape(draft, place, finding)
        _check_finding_links(draft, place, finding)
        if finding.kind == "ordinal":
            _check_thresholds(draft, place, finding)


def _check_finding_shape(draft: Drafts, place: str, finding: Finding) -> None:
    """Compare the keys with the kind of finding."""
    if place in draft.damaged:
        return
    if finding.has_probability and finding.background is None:
        draft.add(join(place, "background"), "a table with value and denominator", NOTHING)
    kind = Phrase(f"kind {finding.kind!r}")
    if not finding.has_probability and finding.background is not None:
        draft.add(join(place, "background"), "no background for this kind of finding", kind)
    if finding.kind == "ordinal":
        check_states(draft, place, finding.states)
    elif "states" in finding.model_fields_set:
        draft.add(join(place, "states"), "no states: only an ordinal finding has them", kind)
    for key in ("threshold_of", "at_least"):
        given = getattr(finding, key) is not None
        if finding.kind == "threshold" and not given:
            draft.add(join(place, key), "an ordinal finding and one of its states", NOTHING)
        elif finding.kind != "threshold" and given:
            draft.add(join(place, key), "no such key: only a threshold finding has it", kind)


def _check_finding_links(draft: Drafts, place: str, finding: Finding) -> None:
    if finding.background is not None:
        check_source(draft, join(place, "background.source"), finding.background.source)
    for key, names in (("any_of", finding.any_of), ("implies", finding.implies)):
        for index, name in enumerate(names):
            where = join(place, key, index)
            others = [other for other in draft.findings if other != finding.id]
            if name == finding.id:
                draft.add(where, "another finding", name)
            elif name not in draft.findings:
                check_id(draft, where, "a finding", name, others, "findings.toml")
    check_excluded(draft, place, finding)
    for index, effect in enumerate(finding.background_effects):
        _check_background_effect(draft, place, index, finding, effect)
    if finding.threshold_of is None:
        return
    ordinal = draft.findings.get(finding.threshold_of)
    ordinals = [name for name, other in draft.findings.items() if other.kind == "ordinal"]
    where = join(place, "threshold_of")
    if ordinal is None:
        check_id(
            draft, where, "an ordinal finding", finding.threshold_of, ordinals, "findings.toml"
        )
    elif ordinal.kind != "ordinal":
        draft.add(where, "an ordinal finding", finding.threshold_of, ordinals)
    elif finding.at_least is not None and finding.at_least not in ordinal.states[1:]:
        expected = f"one of {', '.join(ordinal.states[1:])}"
        draft.add(join(place, "at_least"), expected, finding.at_least, ordinal.states[1:])


def _check_background_effect(
    draft: Drafts, place: str, index: int, finding: Finding, effect: BackgroundEffect
) -> None:
    where = join(place, "background_effects", index)
    check_source(draft, join(where, "source"), effect.source)
    for risk, states in effect.when.items():
        condition = Condition(risk=risk, states=states)
        check_condition(draft, join(where, "when", risk), condition, join(where, "when", risk))
    used = (f"risks.toml:{risk}." for risk in effect.when)
    if finding.background is None or draft.has_fault_at(where, join(place, "background."), *used):
        return
    if not effect.when.keys() <= draft.risks.keys():
        return  # Their file could not be read, which is the fault to tell.
    held = 1.0
    for risk, states in effect.when.items():
        held *= holding([Condition(risk=risk, states=states)], draft.risks)
    overall = finding.background.value
    if effect.measure == "zero_otherwise" and overall > held:
        expected = f"conditions that hold at least as often as the background, {overall:g}"
        draft.add(join(where, "when"), expected, Phrase(f"{held:.6g}"))
    elif effect.measure == "probability" and effect.value is not None:
        rest = overall - held * effect.value
        if rest < 0.0 or rest > 1.0 - held:
            expected = f"a value that can average to the background, {overall:g}"
            draft.add(join(where, "value"), expected, effect.value)


def _check_thresholds(draft: Drafts, place: str, ordinal: Finding) -> None:
    """Check that the thresholds cover the states and that no higher one is more frequent."""
    if place in draft.damaged:
        return
    thresholds = thresholds_of(draft, ordinal.id)
    levels = Counter(one.at_least for one in thresholds)
    for state in ordinal.states[1:]:
        if levels[state] != 1:
            got = Phrase(levels[state] or "none")
            draft.add(join(place, "states"), f"one threshold finding at {state!r}", got)
    for lower, higher in itertools.pairwise(thresholds):
        if lower.background is None or higher.background is None:
            continue
        if higher.background.value > lower.background.value:
            expected = f"at most {lower.background.value}, the background of {lower.id}"
            where = f"findings.toml:{higher.id}.background.value"
            draft.add(where, expected, higher.background.value)
        _check_threshold_links(draft, lower.id, higher.id)


def _check_threshold_links(draft: Drafts, lower: str, higher: str) -> None:
    for name, cause in draft.causes.items():
        if lower in cause.links and higher in cause.links:
            most, got = cause.links[lower].probability, cause.links[higher].probability
            same = cause.links[lower].parameterisation == cause.links[higher].parameterisation
            if same and got > most:
                where = f"{cause_file(name)}:links.{higher}.probability"
                draft.add(where, f"at most {most}, that of {lower}", got)
