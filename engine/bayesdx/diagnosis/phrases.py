"""Probabilities and findings as words, for every place where people read them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from bayesdx.knowledge.knowledge import Knowledge

NO_LABELS: Mapping[str, str] = MappingProxyType({})


def percent(probability: float) -> str:
    """Write a probability so that what is small, and what is exactly nothing, can be told apart."""
    if math.isnan(probability):
        return ""
    if probability == 0.0:
        return "excluded"
    if probability < 0.0001:
        return "< 0.01 %"
    if 0.999 <= probability < 1.0:
        return "> 99.9 %"
    digits = 1 if probability >= 0.01 else 2
    return f"{100 * probability:.{digits}f} %"


def in_words(
    leaf: str, labels: Mapping[str, str], understood: Mapping[str, str] = NO_LABELS
) -> str:
    """Write an id, or a leaf of a condition such as ``"!fever"``, by its label.

    Parameters
    ----------
    leaf : str
        ``"fever"``, ``"!fever"`` or ``"age:65_to_69|70_or_over"``.
    labels : mapping of str to str
        Labels of findings and risks; an id without one stays an id.
    understood : mapping of str to str, optional
        What the case says: it stands in place of the states that a leaf allows.
    """
    name, colon, states = leaf.removeprefix("!").partition(":")
    label = labels.get(name, name)
    if label[1:2].islower():
        # "FAIR test" keeps its capitals.
        label = label[0].lower() + label[1:]
    if colon:
        state = understood.get(name) or states.replace("|", " or ")
        return f"{label}: {state.replace('_', ' ')}"
    return f"absent: {label}" if leaf.startswith("!") else label


def labels_of(knowledge: Knowledge) -> dict[str, str]:
    """Return the label of everything that a rule or a text can name."""
    risks = {risk.id: risk.label for risk in knowledge.risks.values()}
    return risks | {finding.id: finding.label for finding in knowledge.findings.values()}
