"""`bayesdx list`: which ids there are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer

from bayesdx.cli.options import AsJson, CodeMap, Priors
from bayesdx.cli.progress import patience
from bayesdx.errors import Fault, InvalidKnowledge, nearest_names
from bayesdx.knowledge.codes import codes_of, read_codes
from bayesdx.knowledge.reading import read_knowledge
from bayesdx.presentation.as_json import to_json
from bayesdx.presentation.layout import Block, Grid, Paragraph
from bayesdx.presentation.terminal import show
from bayesdx.presentation.words import counted, marked, spaced


class Listed(StrEnum):
    """What can be listed."""

    CAUSES = "causes"
    FINDINGS = "findings"
    RISKS = "risks"


def list_ids(
    kind: Annotated[
        Listed,
        typer.Argument(metavar="KIND", help="causes, findings or risks.", show_default=False),
    ],
    search: Annotated[
        str | None,
        typer.Option(
            metavar="WORD",
            help="Only those with this word in id, label or another name; capitals do not count.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
    priors: Priors = None,
    codes: CodeMap = None,
) -> None:
    """List causes, findings or risks with their ids.

    Findings and risks come with the states that they can have. Where a number comes from:
    bayesdx show.
    """
    with patience("reading the knowledge"):
        knowledge = read_knowledge(priors)
        if codes is not None:
            knowledge = knowledge.model_copy(update={"codes": read_codes(codes, knowledge)})
    found: Mapping[str, Any] = getattr(knowledge, kind.value)
    shown = {name: one for name, one in found.items() if search is None or _has(one, search)}
    if search is not None and not shown:
        near = nearest_names(search, [word for one in found.values() for word in _words(one)])
        raise InvalidKnowledge(Fault("--search", f"a word that {kind.value} have", search, near))
    if as_json:
        keys = ("id", "label", "question", "states", "aliases_lay", "aliases_professional")
        rows: list[dict[str, Any]] = [
            {k: getattr(one, k) for k in keys if hasattr(one, k)} for one in shown.values()
        ]
        for row in rows:
            if told := codes_of(knowledge, row["id"]):
                row["codes"] = [one._asdict() for one in told]
        if kind is Listed.FINDINGS:
            counted = knowledge.urgency_only
            rows = [{**row, "urgency_only": row["id"] in counted} for row in rows]
        print(to_json({kind.value: rows}))
        return
    show(listing(shown, kind.value, knowledge.urgency_only))


def listing(shown: Mapping[str, Any], kind: str, urgency_only: Collection[str] = ()) -> list[Block]:
    """Lay out entries with id, label and, where they have some, states."""
    stated = all(hasattr(one, "states") for one in shown.values())
    heads = ("label", "id", *(("states",) if stated else ()))
    rows = [
        (
            f"{one.label}{marked(name, urgency_only)}",
            name,
            *((", ".join(one.states),) if stated else ()),
        )
        for name, one in shown.items()
    ]
    total = counted(len(shown), kind.removesuffix("s"))
    return [Grid(heads, list(rows), frozenset(range(len(heads)))), Paragraph(f"{total}.")]


def _words(entry: Any) -> list[str]:
    other = (getattr(entry, name, ()) for name in ("aliases_lay", "aliases_professional"))
    return [entry.id, entry.label, *(alias for aliases in other for alias in aliases)]


def _has(entry: Any, search: str) -> bool:
    wanted = search.strip().casefold()
    return any(wanted in word.casefold() or wanted in spaced(word) for word in _words(entry))
