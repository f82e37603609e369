"""Whether every statement of the documents is somewhere, and every number names one that exists.

A statement tells in ``statements.toml`` where it is realised; numbers, rules, texts and constraints
tell which statements they rest on. The two sides must agree, so that neither can be changed alone.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bayesdx.errors import nearest_names
from bayesdx.knowledge.addresses import Address, PlacedNumber, every_number
from bayesdx.knowledge.drafting import cause_file
from bayesdx.knowledge.kinds import STATEMENT_KEY
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.remarks import Remark
from bayesdx.knowledge.statement_schema import Statement

CONFLICT = "X"
"""The document of a statement about a conflict between documents."""


@dataclass(frozen=True)
class Places:
    """Everything in a priors folder that can carry a statement.

    Attributes
    ----------
    citing : mapping of str to tuple of str
        Places that name the statements they rest on, with these.
    silent : frozenset of str
        Places that carry a statement by being there: questions, definitions, groups, scales.
    """

    citing: Mapping[str, tuple[str, ...]]
    silent: frozenset[str]

    def __contains__(self, place: object) -> bool:
        return place in self.citing or place in self.silent


def every_place(knowledge: Knowledge) -> Places:
    """List every place that can carry a statement.

    Parameters
    ----------
    knowledge : Knowledge
        What was read.
    """
    citing = {number.place: number.stated.statements for number in every_number(knowledge)}
    for cause in knowledge.causes.values():
        if cause.requires:
            citing[f"{cause_file(cause.id)}:requires"] = cause.requires_statements
    for finding in knowledge.findings.values():
        # An effect without a value is no number, but rests on statements all the same.
        for index, effect in enumerate(finding.background_effects):
            place = str(Address("background_effect", finding.id, index))
            citing.setdefault(place, effect.statements)
    citing |= {f"red_flags.toml:{rule.id}": rule.statements for rule in knowledge.red_flags}
    if knowledge.triage is not None:
        citing["red_flags.toml:triage"] = knowledge.triage.statements
    citing |= {f"management.toml:{text.id}": text.statements for text in knowledge.management}
    citing |= {f"pitfalls.toml:{text.id}": text.statements for text in knowledge.pitfalls}
    citing |= {f"constraints.toml:{one.id}": one.statements for one in knowledge.constraints}
    silent = {cause_file(name) for name in knowledge.causes} | {"model.toml", "word_scale.toml"}
    for file, names in (
        ("findings", knowledge.findings),
        ("risks", knowledge.risks),
        ("measures", knowledge.measures),
        ("groups", knowledge.groups),
    ):
        silent |= {f"{file}.toml:{name}" for name in names}
    return Places(citing, frozenset(silent))


def coverage(knowledge: Knowledge) -> tuple[Remark, ...]:
    """Look for statements that are nowhere, numbers that name none, and double counting.

    Parameters
    ----------
    knowledge : Knowledge
        What was read. Without a ``statements.toml`` only the form of the ids is looked at.

    Returns
    -------
    tuple of (severity, place, message)
    """
    numbers = every_number(knowledge)
    places = every_place(knowledge)
    remarks = [*_ids(knowledge, places), *_orphans(knowledge, numbers), *_counted_twice(numbers)]
    for statement in knowledge.statements.values():
        remarks += _statement(knowledge, places, statement)
    remarks += _readings(knowledge, numbers)
    return tuple(remarks)


def summary(knowledge: Knowledge) -> str:
    """Count how the statements are accounted for, in one line."""
    places = every_place(knowledge)
    kinds: Counter[str] = Counter()
    for statement in knowledge.statements.values():
        if statement.excluded:
            kinds["excluded"] += 1
        elif statement.contradicted:
            kinds["contradicted"] += 1
        elif statement.realised_by and all(place in places for place in statement.realised_by):
            kinds["realised"] += 1
        else:
            kinds["unaccounted"] += 1
    conflicts = sum(one.document == CONFLICT for one in knowledge.statements.values())
    orphans = sum(1 for _ in _orphans(knowledge, every_number(knowledge)))
    return (
        f"{len(knowledge.statements) - conflicts} + {conflicts} statements: "
        f"{kinds['realised']} realised, {kinds['contradicted']} contradicted, with the evidence, "
        f"{kinds['excluded']} excluded, "
        f"{kinds['unaccounted']} unaccounted; {orphans} orphan numbers"
    )


def _ids(knowledge: Knowledge, places: Places) -> Iterator[Remark]:
    """Find citations of statements that are not there, or do not know of it."""
    for place, statements in places.citing.items():
        for name in statements:
            if not STATEMENT_KEY.fullmatch(name):
                yield "error", place, f"{name!r} is no id of a statement: letters, digits, _ and -."
                continue
            if not knowledge.statements:
                continue
            statement = knowledge.statements.get(name)
            if statement is None:
                near = _nearest(name, knowledge.statements)
                yield "error", place, f"{name} is not in statements.toml.{near}"
            elif statement.excluded:
                yield "error", place, f"rests on {name}, which statements.toml excludes."
            elif place not in statement.realised_by:
                yield (
                    "error",
                    f"statements.toml:{name}.realised_by",
                    f"{place} rests on it, but is not listed.",
                )


def _orphans(knowledge: Knowledge, numbers: tuple[PlacedNumber, ...]) -> Iterator[Remark]:
    """Find numbers that claim to come from the documents and name no statement of them."""
    severity: Remark
    for number in numbers:
        if number.stated.basis == "SEED" and not number.stated.statements:
            message = "basis SEED, but no statement that it rests on."
            severity = ("error" if knowledge.statements else "warning", number.place, message)
            yield severity


def _statement(knowledge: Knowledge, places: Places, one: Statement) -> Iterator[Remark]:
    place = f"statements.toml:{one.id}"
    if one.document != one.id.partition("-")[0]:
        yield "error", f"{place}.document", f"{one.document!r} does not fit the id {one.id}."
    elif one.document != CONFLICT and one.document not in knowledge.sources:
        yield "error", f"{place}.document", f"{one.document!r} is not in sources.toml."
    if not one.realised_by and not one.excluded and not one.contradicted:
        yield "error", place, "nothing realises it, and it is not excluded with a reason."
    for key in ("lowers", "unmoved"):
        for where in getattr(one, key):
            if where not in one.realised_by:
                yield "error", f"{place}.{key}", f"{where!r} is not among realised_by."
    if one.realised_by and one.excluded:
        yield "error", place, "it is realised and excluded at once."
    for index, where in enumerate(one.realised_by):
        spot = f"{place}.realised_by[{index}]"
        if where not in places:
            near = _nearest(where, (*places.citing, *places.silent))
            yield "error", spot, f"there is no {where!r}.{near}"
        elif where in places.citing and one.id not in places.citing[where]:
            yield "error", spot, f"{where} does not rest on it: it does not name {one.id}."
        if where in one.realised_by[:index]:
            yield "error", spot, f"{where} is listed twice."


def _nearest(name: str, known: Iterable[str]) -> str:
    near = ", ".join(nearest_names(name, known))
    return f" Nearest: {near}." if near else ""


def _readings(knowledge: Knowledge, numbers: tuple[PlacedNumber, ...]) -> Iterator[Remark]:
    by_place = {number.place: number for number in numbers}
    for statement in knowledge.statements.values():
        for index, reading in enumerate(statement.readings):
            spot = f"statements.toml:{statement.id}.readings[{index}]"
            number = by_place.get(reading.number)
            if number is None:
                near = _nearest(reading.number, by_place)
                yield "error", spot, f"there is no number {reading.number!r}.{near}"
            elif isinstance(number.value, tuple):
                yield "error", spot, f"{reading.number} has several values, a reading has one."
            elif not number.is_ratio and not 0.0 < reading.value < 1.0:
                yield "error", spot, f"{reading.value:g} is no probability between 0 and 1."
            elif number.is_ratio and reading.value <= 0.0:
                yield "error", spot, f"{reading.value:g} is no ratio above 0."


def _counted_twice(numbers: tuple[PlacedNumber, ...]) -> Iterator[Remark]:
    """Find statements that act on one cause in two ways.

    One statement may well support several findings of a cause, or the priors of several causes. But
    as a risk's effect and a finding's link, or a prior and an effect, it would count twice.
    """
    by_statement: dict[tuple[str, str], list[PlacedNumber]] = defaultdict(list)
    for number in numbers:
        for statement in number.stated.statements:
            by_statement[statement, number.owner].append(number)
    for (statement, _), group in by_statement.items():
        for first, second in itertools.combinations(group, 2):
            if first.kind != second.kind:
                yield (
                    "error",
                    second.place,
                    f"{statement} also supports {first.place}: counted twice.",
                )
