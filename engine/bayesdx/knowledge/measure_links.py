"""Checks of measures against the findings and risks that they set."""

from __future__ import annotations

from collections.abc import Sequence

from bayesdx.errors import Phrase
from bayesdx.knowledge.drafting import Drafts
from bayesdx.knowledge.references import check_id
from bayesdx.knowledge.schema import ABSENT, PRESENT, Measure, Setting
from bayesdx.knowledge.shapes import join


def check_measures(draft: Drafts) -> None:
    """Note every measure that does not fit what it sets.

    Parameters
    ----------
    draft : Drafts
        The models; faults are added to it.
    """
    for name, measure in draft.measures.items():
        _check_measure(draft, f"measures.toml:{name}", measure)


def _check_measure(draft: Drafts, place: str, measure: Measure) -> None:
    if not measure.sets:
        draft.add(join(place, "sets"), "one finding or risk or more", [])
    for index, setting in enumerate(measure.sets):
        where = join(place, "sets", index)
        if (setting.finding is None) == (setting.risk is None):
            draft.add(
                where, "either finding or risk", Phrase("both" if setting.risk else "neither")
            )
        elif (setting.present is None) == (setting.cuts is None):
            both = setting.present is not None
            draft.add(where, "either present or cuts", Phrase("both" if both else "neither"))
        elif any(one.target == setting.target for one in measure.sets[:index]):
            expected = f"one entry for {setting.target}"
            draft.add(where, expected, Phrase("a second"))
        else:
            _check_setting(draft, where, measure, setting)


def _check_setting(draft: Drafts, place: str, measure: Measure, setting: Setting) -> None:
    states: Sequence[str] | None
    if setting.finding is not None:
        finding = draft.findings.get(setting.finding)
        check_id(
            draft,
            join(place, "finding"),
            "a finding",
            setting.finding,
            draft.findings,
            "findings.toml",
        )
        states = None
        if finding is not None:
            states = finding.states if finding.kind == "ordinal" else (ABSENT, PRESENT)
    else:
        risk = draft.risks.get(setting.target)
        check_id(draft, join(place, "risk"), "a risk", setting.target, draft.risks, "risks.toml")
        states = None if risk is None else risk.states
    if setting.present is not None:
        if setting.comparison is None:
            expected = "a comparison with a number, such as '< 3.5'"
            draft.add(join(place, "present"), expected, setting.present)
        elif states is not None and PRESENT not in states:
            expected = "cuts: what is set has more states than absent and present"
            draft.add(join(place, "present"), expected, setting.present)
        else:
            _check_cuts(draft, join(place, "present"), measure, (setting.comparison[1],))
    elif setting.cuts is not None:
        where = join(place, "cuts")
        if states is not None and len(setting.cuts) != len(states) - 1:
            expected = f"{len(states) - 1} cuts between {len(states)} states"
            draft.add(where, expected, list(setting.cuts))
        _check_cuts(draft, where, measure, setting.cuts)


def _check_cuts(draft: Drafts, place: str, measure: Measure, cuts: Sequence[float]) -> None:
    low, high = measure.range
    if list(cuts) != sorted(set(cuts)):
        draft.add(place, "cuts in increasing order", list(cuts))
    elif any(not low <= cut <= high for cut in cuts):
        draft.add(place, f"thresholds within the range, {low:g} to {high:g}", list(cuts))
