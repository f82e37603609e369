"""Checks between entries and files: every id leads somewhere, and what must fit together fits."""

from __future__ import annotations

from bayesdx.errors import NOTHING, Phrase
from bayesdx.knowledge.cause_links import check_causes
from bayesdx.knowledge.constraint_links import (
    check_all_texts,
    check_constraints,
    check_statements,
    check_triage,
)
from bayesdx.knowledge.drafting import Drafts, cause_file
from bayesdx.knowledge.finding_links import check_findings
from bayesdx.knowledge.measure_links import check_measures
from bayesdx.knowledge.naming import check_names
from bayesdx.knowledge.question_links import check_questions
from bayesdx.knowledge.references import (
    check_excluded,
    check_id,
    check_source,
    check_states,
    check_when,
)
from bayesdx.knowledge.shapes import join


def check_links(draft: Drafts) -> None:
    """Note every reference that leads nowhere and every pair of entries that do not fit.

    Parameters
    ----------
    draft : Drafts
        The models; faults are added to it.
    """
    check_names(draft)
    check_causes(draft)
    check_findings(draft)
    for name, risk in draft.risks.items():
        check_states(draft, f"risks.toml:{name}", risk.states)
        check_source(draft, f"risks.toml:{name}.prevalence.source", risk.prevalence.source)
        check_excluded(draft, f"risks.toml:{name}", risk)
    check_measures(draft)
    _check_groups(draft)
    _check_red_flags(draft)
    check_triage(draft)
    check_questions(draft)
    check_constraints(draft)
    check_statements(draft)
    check_all_texts(draft)
    for index, scale in enumerate(draft.scales):
        check_source(draft, f"word_scale.toml:scale[{index}].source", scale.source)


def _check_groups(draft: Drafts) -> None:
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
    drivers = [group for group in draft.groups.values() if group.kind == "driver"]
    if "groups.toml" in draft.missing or not drivers:
        return
    for name, cause in draft.causes.items():
        if cause.kind == "cause" and all(name not in group.members for group in drivers):
            names = ", ".join(group.id for group in drivers)
            expected = f"{name!r} among the members of a driver ({names})"
            draft.add(f"groups.toml:{name}", expected, NOTHING)


def _check_red_flags(draft: Drafts) -> None:
    names: set[str] = set()
    for index, rule in enumerate(draft.red_flags):
        place = f"red_flags.toml:rule[{index}]"
        if rule.id in names:
            draft.add(join(place, "id"), "an id of its own", rule.id)
        names.add(rule.id)
        for position, source in enumerate(rule.sources):
            check_source(draft, join(place, "sources", position), source)
        if place not in draft.damaged:
            check_when(draft, join(place, "when"), rule.when)
