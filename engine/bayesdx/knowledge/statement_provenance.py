"""What a statement says and what became of it, as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from bayesdx.errors import Fault, InvalidKnowledge, nearest_names
from bayesdx.knowledge.addresses import condition_text, every_number
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.provenance import facts, number_lines, wrapped
from bayesdx.knowledge.statement_schema import Statement


def describe_statement(knowledge: Knowledge, statement: str) -> str:
    """Tell a statement of the documents and everything that rests on it.

    Parameters
    ----------
    knowledge : Knowledge
        What was read.
    statement : str
        Id of the statement, such as ``S0-09``.

    Returns
    -------
    str
        Its wording in our words, whom it speaks of, and the numbers, requirements, rules, texts and
        questions that carry it, or why none does.

    Raises
    ------
    InvalidKnowledge
        If there is no such statement, and nothing cites it.
    """
    entry = knowledge.statements.get(statement)
    carried = list(_carried(knowledge, statement))
    if entry is None and not carried:
        known = sorted({*knowledge.statements, *_cited(knowledge)})
        near = nearest_names(statement, known)
        raise InvalidKnowledge(Fault("statement", "the id of a statement", statement, near))
    head = _head(knowledge, entry) if entry is not None else [statement]
    lines = [*head, "", f"numbers, rules and texts that rest on it: {len(carried)}"]
    return "\n".join([*lines, *(line for part in carried for line in part)])


def _head(knowledge: Knowledge, entry: Statement) -> list[str]:
    source = knowledge.sources.get(entry.document)
    document = "a conflict between documents" if source is None else source.title
    silent = [place for place in entry.realised_by if not _is_cited_at(place)]
    return [
        *wrapped(f"{entry.id}: {entry.says}", ""),
        *facts(
            {
                "document": document,
                "section": entry.section,
                "said": entry.strength,
                "of whom": entry.denominator,
                "read as": entry.note,
                "excluded": entry.excluded,
                "contradicted": entry.contradicted,
                "by": "; ".join(knowledge.sources[name].title for name in entry.evidence),
                "asked or defined at": ", ".join(silent),
                "by itself it would say": "; ".join(
                    f"{one.value:g} at {one.number}" for one in entry.readings
                ),
            }
        ),
    ]


def _is_cited_at(place: str) -> bool:
    """Whether a place is listed further below, with what stands there."""
    file, _, key = place.partition(":")
    rules = ("red_flags.toml", "management.toml", "pitfalls.toml", "constraints.toml")
    return file in rules or "." in key or key in ("prior", "requires") or key.startswith("effects")


def _carried(knowledge: Knowledge, statement: str) -> Iterator[list[str]]:
    for number in every_number(knowledge):
        if statement in number.stated.statements:
            yield ["", f"at {number.place}", *number_lines(knowledge, number)]
    for cause in knowledge.causes.values():
        if statement in cause.requires_statements:
            held = " and ".join(condition_text((one,)) for one in cause.requires)
            yield ["", f"{cause.id} requires {held}"]
    for rule in knowledge.red_flags:
        if statement in rule.statements:
            yield ["", *wrapped(f"red flag {rule.id} ({rule.level}): {rule.title}", "")]
    for text in (*knowledge.pitfalls, *knowledge.management):
        if statement in text.statements:
            yield ["", *wrapped(f"{text.kind} {text.id}: {text.title}", "")]


def _cited(knowledge: Knowledge) -> set[str]:
    cited = {one for number in every_number(knowledge) for one in number.stated.statements}
    cited |= {one for cause in knowledge.causes.values() for one in cause.requires_statements}
    return cited | {one for rule in knowledge.red_flags for one in rule.statements}
