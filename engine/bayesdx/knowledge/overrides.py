"""Knowledge with some of its numbers replaced, by place."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TypeVar

from bayesdx.errors import Fault, InvalidKnowledge, nearest_names
from bayesdx.knowledge.addresses import (
    StatedValue,
    every_number,
    number_at,
    with_values,
)
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.schema import Frozen
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
    "hpo",
    "urgency",
    "urgency_note",
    "dangerous",
    "primary_share",
    "excludes",
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
    found = {place: number_at(knowledge, place) for place in values}
    known = [one.place for one in every_number(knowledge)] if None in found.values() else []
    faults = [
        Fault(place, "the place of a number", place, nearest_names(place, known))
        for place, number in found.items()
        if number is None
    ]
    numbers = [number for number in found.values() if number is not None]
    faults += [
        Fault(number.place, "a number with one value", number.value)
        for number in numbers
        if isinstance(number.value, tuple)
    ]
    if faults:
        raise InvalidKnowledge(faults)
    return with_values(knowledge, {number.address: values[number.place] for number in numbers})


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
    moves = knowledge.calibration.move if knowledge.calibration is not None else ()
    return tuple(one for one in moves if value_at(knowledge, one.number) == one.elicited)


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


def move_of(knowledge: Knowledge, place: str) -> Move | None:
    """Return the move that gave a number of calibrated knowledge its value, if one did."""
    moves = knowledge.calibration.move if knowledge.calibration is not None else ()
    return next(
        (
            one
            for one in moves
            if one.number == place and one.calibrated == value_at(knowledge, place)
        ),
        None,
    )


def value_at(knowledge: Knowledge, place: str) -> StatedValue | None:
    """Return the value of the number at a place; None where there is none."""
    number = number_at(knowledge, place)
    return None if number is None else number.value
