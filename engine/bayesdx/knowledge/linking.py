"""Checks between entries and files: every id leads somewhere, and what must fit together fits."""

from __future__ import annotations

from bayesdx.errors import NOTHING, Phrase
from bayesdx.knowledge.cause_links import check_causes
from bayesdx.knowledge.draft import Draft, cause_file
from bayesdx.knowledge.finding_links import check_findings
from bayesdx.knowledge.measure_links import check_measures
from bayesdx.knowledge.naming import check_names
from bayesdx.knowledge.red_flag_schema import RedFlag, leaves, read_leaf
from bayesdx.knowledge.references import check_id, check_source, check_states
from bayesdx.knowledge.shapes import join


def check_links(draft: Draft) -> None:
    """Note every reference that leads nowhere and every pair of entries that do not fit.

    Parameters
    ----------
    draft : Draft
        The models; faults are added to it.
    """
    check_names(draft)
    check_causes(draft)
    check_findings(draft)
    for name, risk in draft.risks.items():
        check_states(draft, f"risks.toml:{name}", risk.states)
        check_source(draft, f"risks.toml:{name}.prevalence.source", risk.prevalence.source)
    check_measures(draft)
    _check_groups(draft)
    _check_red_flags(draft)
    for index, scale in enumerate(draft.scales):
        check_source(draft, f"word_scale.toml:scale[{index}].source", scale.source)


def _check_groups(draft: Draft) -> None:
    for name, group in draft.groups.items():
        place = f"groups.toml:{name}.members"
        if not group.members:
            draft.add(place, "one cause or more", [])
        for index, member in enumerate(group.members):
            where = join(place, index)
            check_id(draft, where, "a cause", member, draft.causes, cause_file(member))
            if member in group.members[:index]:
                draft.add(where, "each cause once", member)
            if member in draft.causes and draft.causes[member].kind != "cause":
                kind = draft.causes[member].kind
                draft.add(where, "a modelled cause", Phrase(f"{member!r}, of kind {kind!r}"))
    if "groups.toml" in draft.missing:
        return
    drivers = [group for group in draft.groups.values() if group.kind == "driver"]
    for name, cause in draft.causes.items():
        if cause.kind == "cause" and all(name not in group.members for group in drivers):
            names = ", ".join(group.id for group in drivers)
            expected = f"{name!r} among the members of a driver ({names})"
            draft.add(f"groups.toml:{name}", expected, NOTHING)


def _check_red_flags(draft: Draft) -> None:
    names: set[str] = set()
    for index, rule in enumerate(draft.red_flags):
        place = f"red_flags.toml:rule[{index}]"
        if rule.id in names:
            draft.add(join(place, "id"), "an id of its own", rule.id)
        names.add(rule.id)
        for position, source in enumerate(rule.sources):
            check_source(draft, join(place, "sources", position), source)
        if place not in draft.damaged:
            _check_leaves(draft, join(place, "when"), rule)


def _check_leaves(draft: Draft, place: str, rule: RedFlag) -> None:
    """Check what each leaf looks at; the leaf itself tells which of a condition is meant."""
    known = (*draft.findings, *draft.risks)
    for leaf in sorted(leaves(rule.when)):
        test = read_leaf(leaf)
        entry = draft.findings.get(test.subject) or draft.risks.get(test.subject)
        if entry is None:
            if not draft.missing & {"findings.toml", "risks.toml"}:
                draft.add(f"{place} {leaf}", "a finding or risk", test.subject, known)
            continue
        for state in test.states:
            if state not in entry.states:
                expected = f"a state of {test.subject}: {', '.join(entry.states)}"
                draft.add(f"{place} {leaf}", expected, state, entry.states)
