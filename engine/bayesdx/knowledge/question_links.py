"""Checks of ``questions.toml`` against what can be asked."""

from __future__ import annotations

from bayesdx.errors import NOTHING
from bayesdx.knowledge.drafting import Drafts
from bayesdx.knowledge.references import check_source
from bayesdx.knowledge.shapes import join


def check_questions(draft: Drafts) -> None:
    """Note efforts that fit nothing, are given twice or are missing, and askers that clash.

    Parameters
    ----------
    draft : Drafts
        The models; faults are added to it.
    """
    _check_efforts(draft)
    _check_askers(draft)


def _check_efforts(draft: Drafts) -> None:
    observers = {finding.observed_by for finding in draft.findings.values()}
    observers |= {risk.observed_by for risk in draft.risks.values()}
    observers |= {measure.observed_by for measure in draft.measures.values()}
    categories = {(one.observed_by, one.category) for one in draft.findings.values()}
    seen: set[tuple[str, str | None]] = set()
    for index, effort in enumerate(draft.efforts):
        place = f"questions.toml:effort[{index}]"
        check_source(draft, join(place, "source"), effort.source)
        if place in draft.damaged:
            continue  # what it is for may be a placeholder
        key = (effort.observed_by, effort.category)
        if key in seen:
            draft.add(place, "one effort an observer and category", key)
        seen.add(key)
        if effort.category is not None and key not in categories:
            known = sorted(name for observer, name in categories if observer == effort.observed_by)
            expected = f"a category of findings observed by {effort.observed_by}"
            draft.add(join(place, "category"), expected, effort.category, known)
    damaged = any(place.startswith("questions.toml") for place in draft.damaged)
    if draft.efforts and not damaged:
        for observer in sorted(observers - {one for one, category in seen if category is None}):
            expected = f"an effort for {observer} without a category"
            draft.add("questions.toml:effort", expected, NOTHING)


def _check_askers(draft: Drafts) -> None:
    names = {"patient", "examiner", "laboratory", "imaging"}
    for index, asker in enumerate(draft.askers):
        place = f"questions.toml:asker[{index}]"
        if place in draft.damaged:
            continue
        if asker.id in names:
            draft.add(join(place, "id"), "an id of its own, not that of an observer", asker.id)
        names.add(asker.id)
        if not asker.asks:
            draft.add(join(place, "asks"), "one observer or more", [])
        if len(set(asker.asks)) < len(asker.asks):
            draft.add(join(place, "asks"), "each observer once", list(asker.asks))
