"""Checks that what an entry refers to is there: ids, sources, states of risks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from bayesdx.errors import Phrase
from bayesdx.knowledge.drafting import Drafts
from bayesdx.knowledge.red_flag_schema import (
    LeafTest,
    When,
    blocks,
    leaves,
    needed_states,
    read_leaf,
)
from bayesdx.knowledge.schema import ABSENT, PRESENT, Condition, Finding, Risk, all_implied
from bayesdx.knowledge.shapes import join


def check_condition(
    draft: Drafts, place: str, condition: Condition, states_place: str | None = None
) -> None:
    """Check the risk and the states of a condition."""
    where = join(place, "risk") if states_place is None else place
    check_id(draft, where, "a risk", condition.risk, draft.risks, "risks.toml")
    risk = draft.risks.get(condition.risk)
    if risk is None:
        return
    base = join(place, "states") if states_place is None else states_place
    if not condition.states:
        draft.add(base, "one state or more", [])
    for index, state in enumerate(condition.states):
        if state not in risk.states:
            expected = f"a state of {condition.risk}: {', '.join(risk.states)}"
            draft.add(join(base, index), expected, state, risk.states)
    if set(condition.states) >= set(risk.states):
        draft.add(base, "not every state: the condition would always hold", list(condition.states))


def check_states(draft: Drafts, place: str, states: Sequence[str]) -> None:
    """Check that there are two states or more, and that they differ."""
    where = join(place, "states")
    if len(states) < 2:
        draft.add(where, "two states or more", list(states))
    elif len(set(states)) < len(states):
        draft.add(where, "states that differ", list(states))


def check_source(draft: Drafts, place: str, source: str) -> None:
    """Check that a source is in sources.toml."""
    check_id(draft, place, "a key of sources.toml", source, draft.sources, "sources.toml")


def check_id(
    draft: Drafts, place: str, expected: str, name: str, known: Iterable[str], file: str
) -> None:
    """Check that `name` is known, unless the file that would know it could not be read."""
    if name in known or file in draft.missing:
        return
    if file in draft.left_out:
        # One fault for the file; what else refers to it would only repeat it.
        draft.add(file, "this file", Phrase(f"nothing, but {place} names {name!r}"))
        draft.missing.add(file)
    else:
        draft.add(place, expected, name, known)


def thresholds_of(draft: Drafts, ordinal: str) -> list[Finding]:
    """Return the thresholds of an ordinal finding in the order of its states."""
    states = draft.findings[ordinal].states
    found = [one for one in draft.findings.values() if one.threshold_of == ordinal]
    return sorted(
        (one for one in found if one.at_least in states),
        key=lambda one: states.index(one.at_least or ""),
    )


def check_leaf(draft: Drafts, place: str, leaf: str) -> None:
    """Check the finding or risk of a leaf of a condition, and its states."""
    test = read_leaf(leaf)
    known = (*draft.findings, *draft.risks)
    entry = draft.findings.get(test.subject) or draft.risks.get(test.subject)
    if entry is None:
        if not draft.missing & {"findings.toml", "risks.toml"}:
            draft.add(place, "a finding or risk", test.subject, known)
        return
    for state in test.states:
        if state not in entry.states:
            expected = f"a state of {test.subject}: {', '.join(entry.states)}"
            draft.add(place, expected, state, entry.states)


def check_excluded(draft: Drafts, place: str, entry: Finding | Risk) -> None:
    """Check what cannot be where a finding or risk is present."""
    if entry.excludes and entry.states != (ABSENT, PRESENT):
        draft.add(join(place, "excludes"), "no key of what has other states", entry.states)
    for index, leaf in enumerate(entry.excludes):
        if leaf in entry.excludes[:index]:
            draft.add(join(place, "excludes", index), "each of them once", leaf)
        check_leaf(draft, join(place, "excludes", index), leaf)
    together = all_implied(draft.findings, entry.id)
    for name in sorted(together):
        for barred in _barred(draft, name):
            if barred.subject in together:
                key = "excludes" if name == entry.id else "implies"
                got = Phrase(f"{barred.subject}, which {name} excludes")
                draft.add(join(place, key), f"what can be present with {entry.id}", got)


def _barred(draft: Drafts, name: str) -> list[LeafTest]:
    entry = draft.findings.get(name) or draft.risks.get(name)
    return [] if entry is None else [read_leaf(leaf) for leaf in entry.excludes]


def check_when(draft: Drafts, place: str, when: When) -> None:
    """Check the leaves and blocks of a condition.

    A block that is never true is a red flag or a text lost; an item that counts twice, one too
    many.
    """
    # The leaf itself tells which of a condition is meant.
    for leaf in sorted(leaves(when)):
        check_leaf(draft, f"{place} {leaf}", leaf)
    for block in blocks(when):
        for why in _never_true(draft, needed_states(block)):
            draft.add(place, "what can be true", Phrase(why))
        items = () if block.at_least is None else block.at_least.of
        for item in dict.fromkeys(one for one in items if items.count(one) > 1):
            draft.add(place, "each item of at_least once", Phrase(f"{item!r} twice"))


def _never_true(draft: Drafts, needed: Mapping[str, set[str]]) -> Iterator[str]:
    """Say why states that are all needed cannot be together."""
    for subject, states in needed.items():
        if not states:
            yield f"{subject} in two states at once"
        for barred in _barred(draft, subject) if states == {PRESENT} else ():
            if barred.subject in needed and needed[barred.subject] <= {*barred.states}:
                yield f"{subject} and what it excludes, {barred.subject}"
