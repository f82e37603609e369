"""`bayesdx show`: where a number comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated

import typer

from bayesdx.cli.options import Priors
from bayesdx.cli.statements import answer_lines
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.overrides import calibrated
from bayesdx.knowledge.provenance import describe_cause, describe_finding, describe_risk
from bayesdx.knowledge.reading import read_knowledge
from bayesdx.knowledge.statement_provenance import describe_statement


class Kind(StrEnum):
    """What can be shown."""

    CAUSE = "cause"
    FINDING = "finding"
    RISK = "risk"
    STATEMENT = "statement"


DESCRIBE: Mapping[Kind, Callable[[Knowledge, str], str]] = MappingProxyType(
    {
        Kind.CAUSE: describe_cause,
        Kind.FINDING: describe_finding,
        Kind.RISK: describe_risk,
        Kind.STATEMENT: describe_statement,
    }
)


def show(
    kind: Annotated[
        Kind,
        typer.Argument(
            metavar="KIND", help="cause, finding, risk or statement.", show_default=False
        ),
    ],
    name: Annotated[
        str,
        typer.Argument(metavar="ID", help="Its id: piriformis_syndrome, fair_pos, age, S0-09."),
    ],
    priors: Priors = None,
) -> None:
    """Tell where a number comes from.

    Prints everything known of a cause, a finding, a risk or a statement, with source and basis; of
    a statement also what the model answers today, and what had to move for it.
    """
    knowledge = calibrated(read_knowledge(priors))
    print(DESCRIBE[kind](knowledge, name).rstrip())
    if kind is Kind.STATEMENT:
        for line in answer_lines(knowledge, name):
            print(line)
