"""`bayesdx diagnose`: one case."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

import bayesdx
from bayesdx.cli.arguments import read_findings
from bayesdx.cli.asking import ask_case
from bayesdx.cli.brief import show_brief
from bayesdx.cli.options import AsJson, CodeMap, Findings, Priors, Setting, given_findings
from bayesdx.cli.progress import patience
from bayesdx.errors import Fault, InvalidCase, Phrase
from bayesdx.presentation.as_json import result_json
from bayesdx.presentation.diagnosis_view import diagnosis_blocks
from bayesdx.presentation.terminal import show
from bayesdx.presentation.words import labels_of


def diagnose(
    findings: Findings = None,
    every: Annotated[
        bool,
        typer.Option("--all", help="Print all causes, rules and texts, with what they rest on."),
    ] = False,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the posteriors as CSV.")] = False,
    priors: Priors = None,
    setting: Setting = None,
    codes: CodeMap = None,
) -> None:
    """Work out one case.

    Prints one screen: what was understood, the urgency and what to do, a short list of causes with
    ranges, what speaks for the first, and what to ask. Without findings they are asked.
    """
    if as_json and as_csv:
        raise InvalidCase(Fault("options", "one of --json and --csv", Phrase("both")))
    given = read_findings(findings or ())
    if not given and not sys.stdin.isatty():
        given_findings(findings, "none, and no terminal to ask on")
    with patience("working it out"):
        engine = bayesdx.load(priors, setting=setting, codes=codes)
        # Before anything is asked, a typo is told.
        diagnosis = engine.diagnose(given)
    if not given:
        given = ask_case(engine)
        diagnosis = engine.diagnose(given)
    intended_use = engine.knowledge.model.intended_use
    if as_json:
        print(result_json(diagnosis, intended_use))
    elif as_csv:
        from bayesdx.tables import csv_text

        print(csv_text(diagnosis.table.reset_index()), end="")
    elif every:
        show(diagnosis_blocks(diagnosis, intended_use, labels_of(engine.knowledge)))
    else:
        show_brief(engine, given)
