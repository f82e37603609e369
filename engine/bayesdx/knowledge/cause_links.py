"""Checks of causes against findings, risks and sources."""

from __future__ import annotations

from bayesdx.errors import NOTHING, InvalidKnowledge, Phrase
from bayesdx.knowledge.conditioning import conditional_prior
from bayesdx.knowledge.drafting import Drafts, cause_file
from bayesdx.knowledge.references import check_condition, check_id, check_source, thresholds_of
from bayesdx.knowledge.schema import Cause
from bayesdx.knowledge.shapes import join

NO_CAUSE = "no such key: only a cause has it"


def check_causes(draft: Drafts) -> None:
    """Note everything about causes that does not fit the rest.

    Parameters
    ----------
    draft : Drafts
        The models; faults are added to it.
    """
    for name, cause in draft.causes.items():
        place = f"{cause_file(name)}:"
        _check_cause_shape(draft, place, cause)
        _check_cause_links(draft, place, cause)
        _check_conditional_prior(draft, place, cause)


def _check_cause_shape(draft: Drafts, place: str, cause: Cause) -> None:
    """Compare the keys with the kind of cause."""
    if place in draft.damaged:
        return
    if cause.kind == "leak":
        if cause.prior is not None:
            draft.add(join(place, "prior.value"), "no prior: the leak has none", cause.prior.value)
        if cause.primary_share is None:
            draft.add(join(place, "prior.primary_share"), "a share from 0 to 1", NOTHING)
    elif cause.prior is None:
        draft.add(join(place, "prior"), "a table with value and denominator", NOTHING)
    if cause.kind == "cause":
        if cause.urgency is None:
            draft.add(join(place, "urgency"), "how soon somebody should act", NOTHING)
        if not cause.links:
            draft.add(join(place, "links"), "one finding or more", NOTHING)
    else:
        for key, value in (("links", cause.links), ("effects", cause.effects)):
            if value:
                draft.add(join(place, key), NO_CAUSE, Phrase(f"kind {cause.kind!r}"))
    if cause.kind == "excluded" and not cause.reason:
        draft.add(join(place, "reason"), "why it is excluded", NOTHING)


def _check_cause_links(draft: Drafts, place: str, cause: Cause) -> None:
    if cause.prior is not None:
        check_source(draft, join(place, "prior.source"), cause.prior.source)
    if cause.requires_source is not None:
        check_source(draft, join(place, "requires_source"), cause.requires_source)
    for index, condition in enumerate(cause.requires):
        check_condition(draft, join(place, "requires", index), condition)
    for index, effect in enumerate(cause.effects):
        where = join(place, "effects", index)
        check_source(draft, join(where, "source"), effect.source)
        if not effect.any_of:
            draft.add(join(where, "any_of"), "one condition or more", [])
        for position, condition in enumerate(effect.any_of):
            check_condition(draft, join(where, "any_of", position), condition)
    linkable = [name for name, finding in draft.findings.items() if finding.has_probability]
    for name, link in cause.links.items():
        where = join(place, "links", name)
        check_source(draft, join(where, "source"), link.source)
        finding = draft.findings.get(name)
        if finding is None:
            check_id(draft, where, "a finding", name, linkable, "findings.toml")
        elif finding.kind == "ordinal":
            thresholds = [other.id for other in thresholds_of(draft, name)]
            expected = f"one of its thresholds: {', '.join(thresholds)}"
            draft.add(where, expected, Phrase(f"the ordinal finding {name!r}"))
        elif not finding.has_probability:
            got = Phrase(f"{name!r}, an observation without probability")
            draft.add(where, "a finding with a background", got)


def _check_conditional_prior(draft: Drafts, place: str, cause: Cause) -> None:
    """Check that the effects of the risks leave every probability possible."""
    if cause.kind != "cause" or cause.prior is None:
        return
    conditions = [*cause.requires, *(one for effect in cause.effects for one in effect.any_of)]
    own = (f"{place}prior.value", f"{place}prior.range", f"{place}requires", f"{place}effects")
    theirs = tuple(f"risks.toml:{one.risk}." for one in conditions)
    if place in draft.damaged or draft.has_fault_at(*own, *theirs):
        return
    if any(one.risk not in draft.risks for one in conditions):
        return
    try:
        conditional_prior(cause, draft.risks)
    except InvalidKnowledge as reason:
        draft.faults.extend(reason.faults)
