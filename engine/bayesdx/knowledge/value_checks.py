"""Checks of numbers that need no other file: probabilities, ranges, sums."""

from __future__ import annotations

import math

from bayesdx.errors import NOTHING, Phrase
from bayesdx.knowledge.drafting import Drafts, cause_file
from bayesdx.knowledge.schema import BASES, Cause, Finding, Measure, Risk
from bayesdx.knowledge.shapes import join
from bayesdx.knowledge.word_scale import word_faults

PROBABILITY = "a probability strictly between 0 and 1"
RATIO = "a ratio above 0"
SUM_TOLERANCE = 1e-9


def check_values(draft: Drafts) -> None:
    """Note every number that cannot be what it says it is.

    Parameters
    ----------
    draft : Drafts
        The models; faults are added to it.
    """
    _check_card(draft)
    for name, cause in draft.causes.items():
        _check_cause(draft, f"{cause_file(name)}:", cause)
    for name, finding in draft.findings.items():
        _check_finding(draft, f"findings.toml:{name}", finding)
    for name, risk in draft.risks.items():
        _check_prevalence(draft, f"risks.toml:{name}", risk)
    for name, measure in draft.measures.items():
        _check_measure(draft, f"measures.toml:{name}", measure)
    for index, word in enumerate(draft.words):
        for key, expected, got in word_faults(word):
            draft.add(f"word_scale.toml:word[{index}].{key}", expected, got)


def _check_card(draft: Drafts) -> None:
    if draft.card is None:
        return
    if not 0.0 <= draft.card.leak_floor < 1.0:
        draft.add("model.toml:leak_floor", "a share from 0 to below 1", draft.card.leak_floor)
    sizes = draft.card.equivalent_sample_size
    place = "model.toml:equivalent_sample_size"
    for missing in set(BASES) - set(sizes):
        draft.add(join(place, missing), "a number above 0", NOTHING)
    for basis, size in sizes.items():
        if basis not in BASES:
            draft.add(join(place, basis), f"one of {', '.join(BASES)}", basis, BASES)
        elif size <= 0:
            draft.add(join(place, basis), "a number above 0", size)


def _check_cause(draft: Drafts, place: str, cause: Cause) -> None:
    share, prior = cause.primary_share, cause.prior
    if share is not None and not 0.0 <= share <= 1.0:
        draft.add(join(place, "prior.primary_share"), "a share from 0 to 1", share)
    if prior is not None and cause.kind == "excluded":
        if prior.value != 0.0:
            draft.add(join(place, "prior.value"), "0.0, the cause is excluded", prior.value)
        _check_range(draft, join(place, "prior"), prior.value, prior.range, 1.0)
    elif prior is not None:
        _check_probability(draft, join(place, "prior"), prior.value, prior.range)
        if cause.kind == "cause" and share is not None and 0.0 < prior.value < share <= 1.0:
            expected = f"at most the prior, {prior.value}"
            draft.add(join(place, "prior.primary_share"), expected, share)
    for index, effect in enumerate(cause.effects):
        where = join(place, "effects", index)
        if effect.measure == "case_share":
            _check_probability(draft, where, effect.value, effect.range)
        elif effect.value <= 0.0:
            draft.add(join(where, "value"), RATIO, effect.value)
        else:
            _check_range(draft, where, effect.value, effect.range, math.inf)
    for finding, link in cause.links.items():
        where = join(place, "links", finding)
        _check_probability(draft, where, link.probability, link.range, "probability")


def _check_finding(draft: Drafts, place: str, finding: Finding) -> None:
    if (background := finding.background) is not None:
        _check_probability(draft, join(place, "background"), background.value, background.range)
    for index, effect in enumerate(finding.background_effects):
        where = join(place, "background_effects", index)
        if effect.measure == "probability" and effect.value is None:
            draft.add(join(where, "value"), PROBABILITY, NOTHING)
        elif effect.measure == "probability" and effect.value is not None:
            _check_probability(draft, where, effect.value, effect.range)
        elif effect.value not in (None, 0.0):
            expected = "no value: elsewhere the finding cannot occur"
            draft.add(join(where, "value"), expected, effect.value)


def _check_prevalence(draft: Drafts, place: str, risk: Risk) -> None:
    value, where = risk.prevalence.value, join(place, "prevalence")
    if isinstance(value, float):
        if len(risk.states) != 2:
            expected = f"a list of {len(risk.states)} probabilities, one a state"
            draft.add(join(where, "value"), expected, value)
        else:
            _check_probability(draft, where, value, risk.prevalence.range)
        return
    if len(value) != len(risk.states):
        expected = f"{len(risk.states)} probabilities, one a state"
        draft.add(join(where, "value"), expected, Phrase(len(value)))
        return
    for index, share in enumerate(value):
        if not 0.0 < share < 1.0:
            draft.add(join(where, "value", index), PROBABILITY, share)
    if all(0.0 < share < 1.0 for share in value) and abs(sum(value) - 1.0) > SUM_TOLERANCE:
        draft.add(join(where, "value"), "probabilities that sum to 1", Phrase(round(sum(value), 9)))


def _check_measure(draft: Drafts, place: str, measure: Measure) -> None:
    low, high = measure.range
    if not low < high:
        draft.add(join(place, "range"), "a pair [low, high] with low below high", [low, high])
    for unit, factor in measure.units.items():
        if factor <= 0.0:
            draft.add(join(place, "units", unit), "a multiplier above 0", factor)
        if unit == measure.unit and factor != 1.0:
            draft.add(join(place, "units", unit), "1.0, this is the unit itself", factor)


def _check_probability(
    draft: Drafts,
    place: str,
    value: float,
    span: tuple[float, float] | None,
    key: str = "value",
) -> None:
    if not 0.0 < value < 1.0:
        draft.add(join(place, key), PROBABILITY, value)
    else:
        _check_range(draft, place, value, span, 1.0)


def _check_range(
    draft: Drafts,
    place: str,
    value: float,
    span: tuple[float, float] | None,
    highest: float,
) -> None:
    if span is None:
        return
    low, high = span
    where = join(place, "range")
    if low > high:
        draft.add(where, "a pair [low, high] with low at most high", [low, high])
    elif low < 0.0 or high > highest:
        bounds = "0 and 1" if highest == 1.0 else "0 and infinity"
        draft.add(where, f"bounds between {bounds}", [low, high])
    elif not low <= value <= high:
        draft.add(where, f"a range that contains {value}", [low, high])
