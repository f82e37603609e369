"""`bayesdx diagnose`: one case."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

import bayesdx
from bayesdx.cli.arguments import read_findings
from bayesdx.cli.asking import ask_case
from bayesdx.cli.options import Priors
from bayesdx.cli.printing import diagnosis_json, make_console, print_diagnosis
from bayesdx.diagnosis.phrases import labels_of
from bayesdx.errors import Fault, InvalidCase, Phrase
from bayesdx.tables import csv_text

if TYPE_CHECKING:
    pass


def diagnose(
    findings: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FINDING",
            help="id=value, id alone for present, !id for absent. Values: present, absent, "
            "unknown, a state, a measured number (potassium=3.1, duration='7 months'), or a "
            "number between 0 and 1 for how far the finding speaks for present. Without findings "
            "they are asked.",
            show_default=False,
        ),
    ] = None,
    top: Annotated[
        int | None,
        typer.Option(
            min=1, help="How many causes to print: 10, in an emergency 5.", show_default=False
        ),
    ] = None,
    every: Annotated[
        bool,
        typer.Option("--all", help="Print all causes, rules and texts, with what they rest on."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the posteriors as CSV.")] = False,
    priors: Priors = None,
) -> None:
    """Work out one case.

    Prints the urgency and what to do, what to ask at once, the posteriors, and advice.
    """
    if as_json and as_csv:
        raise InvalidCase(Fault("options", "one of --json and --csv", Phrase("both")))
    given = read_findings(findings or ())
    if not given and not sys.stdin.isatty():
        nothing = Phrase("none, and no terminal to ask on")
        raise InvalidCase(Fault("arguments", "findings, such as low_back_pain=present", nothing))
    engine = bayesdx.load(priors)
    if not given:
        given = ask_case(engine)
    diagnosis = engine.diagnose(given)
    intended_use = engine.knowledge.model.intended_use
    if as_json:
        print(diagnosis_json(diagnosis, intended_use))
    elif as_csv:
        print(csv_text(diagnosis.table.reset_index()), end="")
    else:
        labels = labels_of(engine.knowledge)
        print_diagnosis(
            make_console(), diagnosis, intended_use, top=top, every=every, labels=labels
        )
