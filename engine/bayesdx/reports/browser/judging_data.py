"""What a page judges by: rules, triage, texts and questions, as the engine compiled them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bayesdx.diagnosis import danger, shortlist
from bayesdx.diagnosis.asking.complaints import complaints_of
from bayesdx.diagnosis.asking.inquiries import inquiries_of
from bayesdx.diagnosis.kleene import TWO_STATES, Gate, StateTest
from bayesdx.knowledge.red_flag_schema import LEVELS

if TYPE_CHECKING:
    from bayesdx.diagnosis.core import Core
    from bayesdx.diagnosis.danger import DangerScores
    from bayesdx.diagnosis.shown_texts import Texts
    from bayesdx.knowledge.knowledge import Knowledge
    from bayesdx.knowledge.schema import Setting

Plain = dict[str, Any]


def judging_data(core: Core, names: list[str], sources: list[str]) -> Plain:
    """Return what the page needs to read answers, judge their urgency and choose texts.

    Nothing is written a second time: conditions are those that the engine evaluates, thresholds
    and constants those that it compares with.

    Parameters
    ----------
    core : Core
    names : list of str
        As for `network_data`.
    sources : list of str
        See `bayesdx.reports.browser.support_data.cited_sources`.

    Returns
    -------
    dict
    """
    knowledge = core.knowledge
    return {
        "rules": [
            {
                "id": rule.id,
                "level": LEVELS.index(rule.level),
                "title": rule.title,
                "advice": rule.advice,
                "sources": [sources.index(name) for name in rule.sources],
                "basis": rule.basis,
                "when": gate_data(condition),
            }
            for rule, condition in zip(core.rules.every, core.rules.conditions, strict=True)
        ],
        "logic": _logic(knowledge),
        "complaints": [names.index(name) for name in complaints_of(core)],
        "shortlist": {
            "by_share": shortlist.BY_SHARE,
            "by_fit": shortlist.BY_FIT,
            "little": shortlist.LITTLE,
            "unusual": shortlist.UNUSUAL,
            "digits": shortlist.DIGITS,
            "words": dict(shortlist.WHY),
        },
        "management": _texts(core.management, sources),
        "pitfalls": _texts(core.pitfalls, sources),
        "levels": list(LEVELS),
        "askers": [
            {"id": one.id, "label": one.label, "asks": list(one.asks)} for one in knowledge.askers
        ],
        "subjects": [
            [names.index(name), *([] if states == TWO_STATES else [list(states)])]
            for name, states in core.states.items()
        ],
        "questions": _questions(core, names),
        "measures": [
            {
                "id": one.id,
                "label": one.label,
                "unit": one.unit,
                "units": dict(one.units),
                "range": list(one.range),
                "integer": one.integer,
                "sets": [_setting(setting) for setting in one.sets],
            }
            for one in knowledge.measures.values()
        ],
        "triage": _triage(core, names),
    }


def gate_data(gate: Gate) -> list[Any]:
    """Return a condition as ``[least, [part, ...], [negated part, ...]]``.

    A leaf is as it is written where that says it all (``"fever"``, ``"!fever"``), else
    ``[text, subject, [state, ...]]``.
    """

    def part(one: StateTest | Gate) -> Any:
        if not isinstance(one, StateTest):
            return gate_data(one)
        if one.size == len(TWO_STATES) and (one.text, one.states) in (
            (one.subject, (1,)),
            (f"!{one.subject}", (0,)),
        ):
            return one.text
        return [one.text, one.subject, list(one.states)]

    sides = ([part(one) for one, plain in gate.parts if plain is side] for side in (True, False))
    return [gate.least, *sides]


def _logic(knowledge: Knowledge) -> list[Plain]:
    """What follows from what, and what cannot be together."""
    excludes: dict[str, list[Any]] = {}
    for present, subject, states in knowledge.exclusions:
        excludes.setdefault(present, []).append([subject, list(states)])
    entries = {**knowledge.risks, **knowledge.findings}
    ties = {
        name: [list(getattr(entries[name], tie, ())) for tie in ("implies", "any_of")]
        for name in entries
    }
    return [
        {"id": name, "implies": implies, "any_of": any_of, "excludes": excludes.get(name, [])}
        for name, (implies, any_of) in ties.items()
        if implies or any_of or name in excludes
    ]


def _setting(setting: Setting) -> Plain:
    if setting.comparison is not None:
        return {"target": setting.target, "compare": list(setting.comparison)}
    return {
        "target": setting.target,
        "cuts": list(setting.cuts or ()),
        "closed": setting.closed,
        "falling": setting.falling,
    }


def _triage(core: Core, names: list[str]) -> Plain:
    table, scores = core.triage, core.danger
    scales = scores.scales
    first = min((scale.start for scale in scales), default=len(scores.names))
    return {
        "shut": danger.SHUT,
        "causes": [
            {
                "id": name,
                "at": core.model.causes.index(name),
                "level": int(table.levels[k]),
                "ratio": float(table.loss_ratios[k]),
                "threshold": float(table.thresholds[k]),
            }
            for k, name in enumerate(table.causes)
        ],
        # Binary findings each for itself, then levels of one scale side by side, rising.
        "findings": [names.index(name) for name in scores.names],
        "scales": [*[1] * first, *(scale.stop - scale.start for scale in scales)],
        "terms": [term for m in range(len(scores.names)) for term in _terms(scores, m)],
    }


def _terms(scores: DangerScores, m: int) -> list[Plain]:
    """What a finding, by its position, tells of each cause that it tells of."""
    present, absent, sharp = scores.present[m], scores.absent[m], scores.sharp[m]
    return [
        {
            "finding": m,
            "cause": k,
            "present": _short(present[k]),
            "absent": _short(absent[k]),
            "beyond": _short(scores.beyond[m][k]),
            "sharp": int(sharp[k]),
        }
        for k in np.flatnonzero((present != 0.0) | (absent != 0.0) | sharp).tolist()
    ]


def _short(score: float) -> float:
    """Log-odds to six digits, and finite: what is compared with a threshold needs no more."""
    return float(f"{max(score, -1e9):.6g}")


def _texts(texts: Texts | None, sources: list[str]) -> Plain:
    if texts is None:
        return {"driver_from": 1.0, "cause_from": 1.0, "texts": []}
    names = ("drivers", "causes", "leading", "accompanies", "show")
    return {
        "driver_from": texts.settings.driver_from,
        "cause_from": texts.settings.cause_from,
        "texts": [
            {
                "id": text.id,
                "kind": text.kind,
                "title": text.title,
                "text": text.text,
                "unknown": text.unknown,
                "at_least": text.at_least,
                "when": None if condition is None else gate_data(condition),
                "sources": [sources.index(name) for name in text.sources],
                **{name: list(getattr(text, name)) or None for name in names},
            }
            for text, condition in zip(texts.every, texts.conditions, strict=True)
        ],
    }


def _questions(core: Core, names: list[str]) -> list[Plain]:
    """Questions; what each answer makes known is read from it as from any other."""
    return [
        {
            "id": names.index(one.id),
            "kind": one.kind,
            "label": one.label,
            "text": one.text,
            "by": one.observed_by,
            "measure": one.measure,
            "cost": one.cost,
            # Numbers that stand for what a measure can tell apart.
            "values": [float(c.value) for c in one.choices] if one.kind == "measure" else [],
        }
        for one in core.once(inquiries_of).every
    ]
