"""Checks of constraints, statements, texts and triage against what they speak of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bayesdx.errors import NOTHING, Phrase
from bayesdx.knowledge.drafting import Drafts
from bayesdx.knowledge.references import check_id, check_source, check_when
from bayesdx.knowledge.shapes import join
from bayesdx.knowledge.statement_schema import Constraint, read_event
from bayesdx.knowledge.text_schema import Text, text_references


def check_constraints(draft: Drafts) -> None:
    """Note every event and condition of a constraint that the knowledge does not have."""
    names: set[str] = set()
    for index, constraint in enumerate(draft.constraints):
        place = f"constraints.toml:constraint[{index}]"
        if place in draft.damaged:
            continue  # its id may be a placeholder
        if constraint.id in names:
            draft.add(join(place, "id"), "an id of its own", constraint.id)
        names.add(constraint.id)
        _check_event(draft, join(place, "event"), constraint.event)
        for position, other in enumerate(constraint.at_least_as_likely_as):
            _check_event(draft, join(place, "at_least_as_likely_as", position), other)
        for key, given in _conditions(constraint):
            _check_given(draft, join(place, key), given)


def check_statements(draft: Drafts) -> None:
    """Note what a statement names as context or evidence and the knowledge does not have."""
    for statement in draft.statements.values():
        place = f"statements.toml:{statement.id}"
        if place not in draft.damaged:
            _check_given(draft, join(place, "given"), statement.given)
            for position, source in enumerate(statement.evidence):
                check_source(draft, join(place, "evidence", position), source)


def _conditions(constraint: Constraint) -> Iterable[tuple[str, Mapping[str, str]]]:
    yield "given", constraint.given
    if constraint.rises_from is not None:
        yield "rises_from", constraint.rises_from


def _check_event(draft: Drafts, place: str, event: str) -> None:
    subject, states = read_event(event)
    if subject in draft.causes or subject in draft.groups:
        if ":" in event:
            draft.add(place, f"{subject!r} without a state: a cause or group is present", event)
        elif subject in draft.causes and draft.causes[subject].kind != "cause":
            # What is not in the network has probability 0, which would meet most constraints.
            kind = draft.causes[subject].kind
            draft.add(place, "a modelled cause", Phrase(f"{subject!r}, of kind {kind!r}"))
        return
    if len(set(states)) < len(states):
        draft.add(place, "each state once", event)
    known = (*draft.causes, *draft.groups, *draft.findings, *draft.risks)
    if _is_known(draft, place, "a cause, group, finding or risk", subject, known):
        _check_states(draft, place, subject, states)


def _check_given(draft: Drafts, place: str, given: Mapping[str, str]) -> None:
    known = (*draft.findings, *draft.risks)
    for subject, state in given.items():
        where = join(place, subject)
        if _is_known(draft, where, "a finding or risk", subject, known):
            _check_states(draft, where, subject, (state,))


def _is_known(draft: Drafts, place: str, expected: str, name: str, known: tuple[str, ...]) -> bool:
    if name not in known and not draft.missing:
        draft.add(place, expected, name, known)
    return name in known


def _check_states(draft: Drafts, place: str, subject: str, states: Iterable[str]) -> None:
    finding, risk = draft.findings.get(subject), draft.risks.get(subject)
    if finding is not None and not finding.has_probability and finding.kind != "ordinal":
        draft.add(place, "a finding with a probability", Phrase(f"the observation {subject!r}"))
        return
    entry = finding or risk
    for state in states if entry is not None else ():
        if entry is not None and state not in entry.states:
            expected = f"a state of {subject}: {', '.join(entry.states)}"
            draft.add(place, expected, state, entry.states)


def check_all_texts(draft: Drafts) -> None:
    """Note every driver, cause, source, text and leaf of a text that is not there."""
    files = {"management.toml": draft.management, "pitfalls.toml": draft.pitfalls}
    ids = tuple(text.id for texts in files.values() for text in texts)
    if ids and draft.text_settings is None and "management.toml" not in draft.missing:
        draft.add("management.toml:settings", "a table: from which posteriors texts show", NOTHING)
    seen: set[str] = set()
    for name, texts in files.items():
        for index, text in enumerate(texts):
            place = f"{name}:text[{index}]"
            if place in draft.damaged:
                continue  # its id may be a placeholder
            if text.id in seen:
                draft.add(join(place, "id"), "an id of its own", text.id)
            seen.add(text.id)
            _check_text(draft, place, text, ids)


def _check_text(draft: Drafts, place: str, text: Text, ids: tuple[str, ...]) -> None:
    drivers = tuple(group.id for group in draft.groups.values() if group.kind == "driver")
    causes = tuple(cause.id for cause in draft.causes.values() if cause.kind == "cause")
    for key, kind, name in text_references(text):
        where = join(place, key)
        if kind == "driver":
            check_id(draft, where, "a driver", name, drivers, "groups.toml")
        elif kind == "cause":
            check_id(draft, where, "a modelled cause", name, causes, f"causes/{name}.toml")
        elif kind == "source":
            check_source(draft, where, name)
        elif kind == "text":
            check_id(draft, where, "a text", name, ids, "management.toml")
    if text.when is not None:
        check_when(draft, join(place, "when"), text.when)


def check_triage(draft: Drafts) -> None:
    """Note every cause and source of the triage table that is not there."""
    if draft.triage is None:
        return
    dangerous = tuple(cause.id for cause in draft.causes.values() if cause.dangerous)
    for name in draft.triage.causes:
        where = join("red_flags.toml:triage", "causes", name)
        check_id(draft, where, "a dangerous cause", name, dangerous, f"causes/{name}.toml")
    for position, source in enumerate(draft.triage.sources):
        check_source(draft, join("red_flags.toml:triage", "sources", position), source)
