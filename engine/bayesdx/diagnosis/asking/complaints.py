"""What people come with: the complaints that an interview offers to choose from."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bayesdx.diagnosis.shortlist import symptom_weights
from bayesdx.knowledge.question_schema import CATEGORIES

if TYPE_CHECKING:
    from bayesdx.diagnosis.core import Core

#: Complaints to choose from, at most.
COMPLAINTS = 9


def complaints_of(core: Core) -> dict[str, str]:
    """Return the most frequent of `possible_complaints`, the most frequent first, id: label."""
    possible = possible_complaints(core)
    weights = dict(zip(core.model.findings, core.once(symptom_weights).tolist(), strict=False))
    found = sorted(possible, key=lambda name: weights.get(name, math.inf))
    return {name: possible[name] for name in found[:COMPLAINTS]}


def possible_complaints(core: Core) -> dict[str, str]:
    """Return findings that a person can come with, id: label: where and how it is, else any."""
    named = [
        one
        for one in core.knowledge.findings.values()
        if one.observed_by == "patient" and one.kind == "binary" and not one.any_of
    ]
    site = [one for one in named if one.category in CATEGORIES[:2]]
    return {one.id: one.label for one in site or named}
