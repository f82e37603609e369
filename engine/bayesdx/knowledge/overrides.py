"""Knowledge with some of its numbers replaced, by place."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from typing import TypeVar

from bayesdx.errors import Fault, InvalidKnowledge, nearest_names
from bayesdx.knowledge.addresses import every_number
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.schema import Cause, Finding, Frozen, FrozenDict, Risk
from bayesdx.knowledge.statement_schema import Calibration, Move

M = TypeVar("M", bound=Frozen)

_TEXTS = {
    "label",
    "question",
    "description",
    "note",
    "reason",
    "aliases_lay",
    "aliases_professional",
    "icd10",
    "urgency",
    "urgency_note",
    "dangerous",
    "primary_share",
    "source",
    "statements",
    "requires_source",
    "requires_statements",
    "observed_by",
    "category",
    "denominator",
}
"""Keys that say nothing to calibration."""


def with_numbers(knowledge: Knowledge, values: Mapping[str, float]) -> Knowledge:
    """Replace numbers, leaving everything else as it is.

    Parameters
    ----------
    knowledge : Knowledge
        What was read.
    values : mapping of str to float
        New value by place, as in `every_number`.

    Returns
    -------
    Knowledge
        Its digest still names the files that were read.

    Raises
    ------
    InvalidKnowledge
        If there is no number at a place, or it has several values.
    """
    if not values:
        return knowledge
    numbers = {number.place: number for number in every_number(knowledge)}
    faults = [
        Fault(place, "the place of a number", place, nearest_names(place, numbers))
        for place in values
        if place not in numbers
    ]
    faults += [
        Fault(place, "a number with one value", numbers[place].value)
        for place in values
        if place in numbers and isinstance(numbers[place].value, tuple)
    ]
    if faults:
        raise InvalidKnowledge(faults)
    by_owner: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    for place, value in values.items():
        file = place.partition(":")[0].partition("/")[0]
        by_owner[file, numbers[place].owner][place] = value
    causes, findings = dict(knowledge.causes), dict(knowledge.findings)
    risks = dict(knowledge.risks)
    for (file, owner), new in by_owner.items():
        if file == "causes":
            causes[owner] = _cause(causes[owner], new)
        elif file == "findings.toml":
            findings[owner] = _finding(findings[owner], new)
        else:
            risks[owner] = _risk(risks[owner], new)
    update = {
        "causes": FrozenDict(causes),
        "findings": FrozenDict(findings),
        "risks": FrozenDict(risks),
    }
    return knowledge.model_copy(update=update)


def calibrated(knowledge: Knowledge) -> Knowledge:
    """Put the calibrated values in the place of the elicited ones.

    A number that was edited since keeps its edited value: `applied_moves` says which count.

    Parameters
    ----------
    knowledge : Knowledge
        As read, with elicited values.

    Returns
    -------
    Knowledge
    """
    moves = applied_moves(knowledge)
    return with_numbers(knowledge, {move.number: move.calibrated for move in moves})


def applied_moves(knowledge: Knowledge) -> tuple[Move, ...]:
    """Return the moves of the calibration whose number still has the value they started from."""
    if knowledge.calibration is None:
        return ()
    elicited = {number.place: number.value for number in every_number(knowledge)}
    return tuple(
        move for move in knowledge.calibration.move if elicited.get(move.number) == move.elicited
    )


def numbers_digest(knowledge: Knowledge) -> str:
    """Return the SHA-256 of everything that calibration depends on.

    Numbers, ranges, bases, structure and constraints count; labels, notes, sources and other files
    do not, so that mending a text does not make a calibration stale.
    """
    parts = {
        "model": knowledge.model.model_dump(include={"leak_floor", "equivalent_sample_size"}),
        "causes": _plain(knowledge.causes),
        "findings": _plain(knowledge.findings),
        "risks": _plain(knowledge.risks),
        "groups": {name: list(group.members) for name, group in knowledge.groups.items()},
        "constraints": [_without_texts(one.model_dump()) for one in knowledge.constraints],
    }
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def stale(knowledge: Knowledge) -> str:
    """Say what makes the calibration unfit for the numbers beside it.

    Parameters
    ----------
    knowledge : Knowledge
        As read, with elicited values.

    Returns
    -------
    str
        Empty when it was computed from exactly these numbers, structure and constraints.
    """
    if knowledge.calibration is None:
        return "there is none for these constraints: run bayesdx calibrate." * bool(
            knowledge.constraints
        )
    if knowledge.calibration.computed_from != numbers_digest(knowledge):
        return "it was computed from other numbers or constraints: run bayesdx calibrate."
    return ""


def calibration_text(calibration: Calibration) -> str:
    """Write a calibration as the content of ``calibration.toml``."""
    lines = [
        "# Written by `bayesdx calibrate`; review it, do not edit it. What had to move so that the",
        "# constraints hold, the largest move first in units of its elicited uncertainty, and soft",
        "# constraints that cannot hold beside the others inside the elicited ranges.",
        "",
        f"computed_from = {json.dumps(calibration.computed_from)}",
    ]
    for move in calibration.move:
        lines += ["", "[[move]]", f"number = {json.dumps(move.number)}"]
        lines += [f"elicited = {move.elicited!r}", f"calibrated = {move.calibrated!r}"]
        lines += [f"constraint = {json.dumps(move.constraint)}"]
    for one in calibration.given_up:
        lines += ["", "[[given_up]]", f"constraint = {json.dumps(one.constraint)}"]
        for key in ("conflict", "statements", "limits"):
            lines.append(f"{key} = {json.dumps(list(getattr(one, key)))}")
    return "\n".join(lines) + "\n"


def _plain(entries: Mapping[str, M]) -> dict[str, object]:
    return {name: _without_texts(entry.model_dump()) for name, entry in entries.items()}


def _without_texts(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_texts(one) for key, one in value.items() if key not in _TEXTS}
    if isinstance(value, list | tuple):
        return [_without_texts(one) for one in value]
    return value


def _cause(cause: Cause, new: Mapping[str, float]) -> Cause:
    file = f"causes/{cause.id}.toml:"
    links = {
        name: link.model_copy(update={"probability": new[place]})
        if (place := f"{file}links.{name}") in new
        else link
        for name, link in cause.links.items()
    }
    effects = tuple(
        effect.model_copy(update={"value": new[place]})
        if (place := f"{file}effects[{index}]") in new
        else effect
        for index, effect in enumerate(cause.effects)
    )
    update: dict[str, object] = {"links": FrozenDict(links), "effects": effects}
    if cause.prior is not None and f"{file}prior" in new:
        update["prior"] = cause.prior.model_copy(update={"value": new[f"{file}prior"]})
    return cause.model_copy(update=update)


def _finding(finding: Finding, new: Mapping[str, float]) -> Finding:
    file = f"findings.toml:{finding.id}."
    effects = tuple(
        effect.model_copy(update={"value": new[place]})
        if (place := f"{file}background_effects[{index}]") in new
        else effect
        for index, effect in enumerate(finding.background_effects)
    )
    update: dict[str, object] = {"background_effects": effects}
    if finding.background is not None and f"{file}background" in new:
        update["background"] = finding.background.model_copy(
            update={"value": new[f"{file}background"]}
        )
    return finding.model_copy(update=update)


def _risk(risk: Risk, new: Mapping[str, float]) -> Risk:
    value = new[f"risks.toml:{risk.id}.prevalence"]
    return risk.model_copy(
        update={"prevalence": risk.prevalence.model_copy(update={"value": value})}
    )


def move_of(knowledge: Knowledge, place: str) -> Move | None:
    """Return the move that gave a number of calibrated knowledge its value, if one did."""
    moves = knowledge.calibration.move if knowledge.calibration is not None else ()
    found = [move for move in moves if move.number == place]
    if not found:
        # Few numbers were moved; most are told without a look at all of them.
        return None
    in_use = {number.place: number.value for number in every_number(knowledge)}.get(place)
    return next((move for move in found if move.calibrated == in_use), None)
