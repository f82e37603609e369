"""What a page tells beside its answers: where numbers come from, and sentences said elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayesdx.knowledge.addresses import condition_text, every_number
from bayesdx.knowledge.provenance import of_whom
from bayesdx.knowledge.schema import BASIS_WORDS
from bayesdx.presentation import advice_view, words
from bayesdx.presentation.diagnosis_view import BY_DEFINITION, WHY_NOTHING

if TYPE_CHECKING:
    from bayesdx.diagnosis.core import Core
    from bayesdx.knowledge.addresses import PlacedNumber
    from bayesdx.knowledge.knowledge import Knowledge

Plain = dict[str, Any]


def cited_sources(core: Core) -> list[str]:
    """Return the sources on which a number, a rule or a text of the page rests."""
    knowledge, texts = core.knowledge, (core.pitfalls, core.management)
    cited = {one.stated.source for one in every_number(knowledge)}
    cited.update(name for rule in core.rules.every for name in rule.sources)
    cited.update(name for told in texts if told for one in told.every for name in one.sources)
    return [name for name in knowledge.sources if name in cited]


def support_data(knowledge: Knowledge, names: list[str], sources: list[str], notes: bool) -> Plain:
    """Return every number as it is stated, with range, basis, source and note.

    Parameters
    ----------
    knowledge : Knowledge
    names : list of str
        As for `network_data`.
    sources : list of str
        See `cited_sources`.
    notes : bool
        Whether notes on numbers are told.

    Returns
    -------
    dict
        Columns of the numbers, ``kind`` to ``note``; all but ``value``, ``low`` and ``high`` are
        positions in the lists of the plural name, ``owner`` and ``key`` in ``names`` (and behind
        them ``keys``). ``words`` are what the program says on a
        terminal and in reports.
    """
    numbers = every_number(knowledge)
    kinds = list(dict.fromkeys(one.kind for one in numbers))
    bases = list(BASIS_WORDS)
    said = [one.stated.note if notes else "" for one in numbers]
    every_note = list(dict.fromkeys(said))
    keys = [key for key in dict.fromkeys(map(_key, numbers)) if key not in names]
    return {
        "sources": [knowledge.sources[name].title for name in sources],
        "notes": every_note,
        "bases": list(BASIS_WORDS.values()),
        "words": _sentences(),
        "intended_use": knowledge.model.intended_use,
        "population": of_whom(knowledge.model.reference_population.removeprefix("R: ")),
        "kinds": kinds,
        "keys": keys,
        "labels": _labels(knowledge),
        # A column each: one after the other they are half as long as row by row.
        "kind": [kinds.index(one.kind) for one in numbers],
        "basis": [bases.index(one.stated.basis) for one in numbers],
        "source": [sources.index(one.stated.source) for one in numbers],
        "note": [every_note.index(note) for note in said],
        "owner": [names.index(one.owner) for one in numbers],
        "key": [[*names, *keys].index(_key(one)) for one in numbers],
        "value": [one.value for one in numbers],
        "low": [one.stated.range[0] if one.stated.range else None for one in numbers],
        "high": [one.stated.range[1] if one.stated.range else None for one in numbers],
    }


def _labels(knowledge: Knowledge) -> dict[str, str]:
    """Labels of what is no question of its own, such as a threshold."""
    apart = {name for name, one in knowledge.findings.items() if one.any_of or one.threshold_of}
    apart |= {one.target for measure in knowledge.measures.values() for one in measure.sets}
    return {name: text for name, text in words.labels_of(knowledge).items() if name in apart}


def _key(one: PlacedNumber) -> str:
    """What a number is about beside its owner: the finding of a link, the risks of an effect."""
    stated: Any = one.stated
    if one.kind == "effect":
        return f"{stated.measure.replace('_', ' ')}: {condition_text(stated.any_of)}"
    if one.kind == "background_effect":
        return " and ".join(f"{risk} {' or '.join(names)}" for risk, names in stated.when.items())
    return str(one.address.key or of_whom(getattr(stated, "denominator", "")))


def _sentences() -> Plain:
    return {
        "several": words.SEVERAL_AT_ONCE,
        "nothing_ruled_out": words.NOTHING_RULED_OUT,
        "no_findings": words.NO_FINDINGS,
        "clash": words.clash_text(["{}"]),
        "coupled": words.coupled_text(["{}"]),
        "number_kinds": {
            **words.NUMBER_KINDS,
            "prior": "how common the cause is in",
            "background_effect": "background of the finding, with",
        },
        "by_definition": BY_DEFINITION,
        "why_nothing": WHY_NOTHING,
        "when": dict(advice_view.WHEN),
        "where": dict(advice_view.WHERE),
        "headings": dict(advice_view.HEADINGS),
        "help_later": advice_view.HELP_LATER,
        "pressing": list(advice_view.PRESSING),
        "waiting": list(advice_view.WAITING),
    }
