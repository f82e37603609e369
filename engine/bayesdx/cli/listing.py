"""`bayesdx list`: which ids there are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer

from bayesdx.cli.options import AsJson, CodeMap, Priors
from bayesdx.cli.progress import patience
from bayesdx.errors import Fault, InvalidKnowledge, nearest_names
from bayesdx.knowledge.codes import codes_of, read_codes
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.reading import read_knowledge
from bayesdx.presentation.as_json import to_json
from bayesdx.presentation.layout import BLANK, Block, Grid, Paragraph
from bayesdx.presentation.terminal import show
from bayesdx.presentation.words import counted, marked, spaced


class Listed(StrEnum):
    """What can be listed."""

    CAUSES = "causes"
    FINDINGS = "findings"
    RISKS = "risks"
    MEASURES = "measures"


def list_ids(
    kind: Annotated[
        Listed,
        typer.Argument(
            metavar="KIND", help="causes, findings, risks or measures.", show_default=False
        ),
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
    """List causes, findings, risks or measured values with their ids.

    Findings and risks come with the states that they can have, and findings with the measured
    values that set some of them. Where a number comes from: bayesdx show.
    """
    with patience("reading the knowledge"):
        knowledge = read_knowledge(priors)
        if codes is not None:
            knowledge = knowledge.model_copy(update={"codes": read_codes(codes, knowledge)})
    # Who looks for a finding may look for what is measured.
    kinds = [kind, *([Listed.MEASURES] if kind is Listed.FINDINGS else [])]
    found: list[Mapping[str, Any]] = [getattr(knowledge, one.value) for one in kinds]
    shown = [
        {name: one for name, one in entries.items() if search is None or _has(one, search)}
        for entries in found
    ]
    if search is not None and not any(shown):
        words = [word for entries in found for one in entries.values() for word in _words(one)]
        expected, near = f"a word that {kind.value} have", nearest_names(search, words)
        raise InvalidKnowledge(Fault("--search", expected, search, near))
    if as_json:
        told = zip(kinds, shown, strict=True)
        print(to_json({one.value: _rows(knowledge, one, entries) for one, entries in told}))
        return
    blocks: list[Block] = []
    for one, entries in zip(kinds, shown, strict=True):
        if entries or not any(shown):
            blocks += [BLANK] if blocks else []
            blocks += listing(entries, one.value, knowledge.urgency_only)
    show(blocks)


def _rows(knowledge: Knowledge, kind: Listed, shown: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Entries as they stand in JSON."""
    keys = ("id", "label", "question", "states", "unit", "aliases_lay", "aliases_professional")
    rows: list[dict[str, Any]] = [
        {k: getattr(one, k) for k in keys if hasattr(one, k)} for one in shown.values()
    ]
    for row in rows:
        if told := codes_of(knowledge, row["id"]):
            row["codes"] = [one._asdict() for one in told]
        if kind is Listed.FINDINGS:
            row["urgency_only"] = row["id"] in knowledge.urgency_only
    return rows


def listing(shown: Mapping[str, Any], kind: str, urgency_only: Collection[str] = ()) -> list[Block]:
    """Lay out entries with id, label and, where they have some, states or a unit."""
    more = [
        head
        for head in ("states", "unit")
        if all(hasattr(one, head) for one in shown.values()) and shown
    ]
    heads = ("label", "id", *more)

    def told(value: str | Sequence[str]) -> str:
        return value if isinstance(value, str) else ", ".join(value)

    rows = [
        (
            f"{one.label}{marked(name, urgency_only)}",
            name,
            *(told(getattr(one, head)) for head in more),
        )
        for name, one in shown.items()
    ]
    total = counted(len(shown), "measured value" if kind == "measures" else kind.removesuffix("s"))
    return [Grid(heads, list(rows), frozenset(range(len(heads)))), Paragraph(f"{total}.")]


def _words(entry: Any) -> list[str]:
    other = (getattr(entry, name, ()) for name in ("aliases_lay", "aliases_professional"))
    return [entry.id, entry.label, *(alias for aliases in other for alias in aliases)]


def _has(entry: Any, search: str) -> bool:
    wanted = search.strip().casefold()
    return any(wanted in word.casefold() or wanted in spaced(word) for word in _words(entry))
