"""`bayesdx explain`: why a cause is as probable as it is."""

from __future__ import annotations

from typing import Annotated

import typer

import bayesdx
from bayesdx.cli.options import AsJson, Findings, Priors, Setting, given_findings
from bayesdx.cli.progress import patience
from bayesdx.presentation.as_json import result_json
from bayesdx.presentation.explanation_view import CAUSES, explanation_blocks
from bayesdx.presentation.terminal import show


def explain(
    findings: Findings = None,
    cause: Annotated[
        list[str] | None,
        typer.Option(
            "-c",
            "--cause",
            metavar="ID",
            help="The cause to explain; can be given more than once. By default the two most "
            "probable ones.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
    priors: Priors = None,
    setting: Setting = None,
) -> None:
    """Say why a cause is as probable as it is.

    Prints what each observation does to it, in log-odds that add up, who produced what was found,
    which other cause takes the credit, and what would matter if it were known.
    """
    given = given_findings(findings)
    with patience("explaining"):
        engine = bayesdx.load(priors, setting=setting)
        found = engine.explain(given, cause or None)
    intended_use = engine.knowledge.model.intended_use
    if as_json:
        print(result_json(found, intended_use))
        return
    sources = {name: one.title for name, one in engine.knowledge.sources.items()}
    show(explanation_blocks(found, len(cause) if cause else CAUSES, sources, intended_use))
