"""`bayesdx show`: where a number comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated

import typer

from bayesdx.cli.listing import Listed, list_ids
from bayesdx.cli.options import Priors
from bayesdx.cli.progress import patience
from bayesdx.cli.statements import answer_lines
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.learned_numbers import in_use
from bayesdx.knowledge.provenance import (
    describe_cause,
    describe_finding,
    describe_measure,
    describe_risk,
)
from bayesdx.knowledge.reading import read_knowledge
from bayesdx.knowledge.statement_provenance import describe_statement
from bayesdx.presentation.layout import Grid
from bayesdx.presentation.terminal import WIDTH_OF_A_PIPE, show_lines
from bayesdx.presentation.terminal import show as show_blocks


class Shown(StrEnum):
    """What can be shown."""

    CAUSE = "cause"
    FINDING = "finding"
    RISK = "risk"
    MEASURE = "measure"
    STATEMENT = "statement"


DESCRIBE: Mapping[Shown, Callable[[Knowledge, str], str]] = MappingProxyType(
    {
        Shown.CAUSE: describe_cause,
        Shown.FINDING: describe_finding,
        Shown.RISK: describe_risk,
        Shown.MEASURE: describe_measure,
        Shown.STATEMENT: describe_statement,
    }
)


def show(
    kind: Annotated[
        Shown,
        typer.Argument(
            metavar="KIND",
            help="cause, finding, risk, measure or statement.",
            show_default=False,
        ),
    ],
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="ID",
            help="Its id, as bayesdx list tells it; all of them without it.",
            show_default=False,
        ),
    ] = None,
    priors: Priors = None,
) -> None:
    """Tell where a number comes from.

    Prints everything known of a cause, a finding, a risk or a statement, with source and basis; of
    a measured value where it is cut; of a statement also what the model answers today, and what had
    to move for it.
    """
    if name is None and kind is not Shown.STATEMENT:
        list_ids(Listed(f"{kind.value}s"), priors=priors)
        return
    with patience("reading the knowledge"):
        knowledge = in_use(read_knowledge(priors))
    if name is None:
        rows = [(one, told.says) for one, told in knowledge.statements.items()]
        show_blocks([Grid(("statement", "says"), list(rows), frozenset({0, 1}))])
        return
    lines = [DESCRIBE[kind](knowledge, name).rstrip()]
    if kind is Shown.STATEMENT:
        with patience("asking the model"):
            lines += answer_lines(knowledge, name)
    show_lines("\n".join(lines), WIDTH_OF_A_PIPE)
