"""`bayesdx surprise`: whether the model fits a case."""

from __future__ import annotations

from typing import Annotated, cast

import typer

import bayesdx
from bayesdx.cli.options import AsJson, Findings, Priors, Setting, given_findings
from bayesdx.cli.progress import patience
from bayesdx.diagnosis.predictive_check import DRAWS, FALSE_ALARM, Reporting
from bayesdx.presentation.as_json import result_json
from bayesdx.presentation.fit_view import surprise_blocks
from bayesdx.presentation.layout import ending
from bayesdx.presentation.terminal import show


def surprise(
    findings: Findings = None,
    draws: Annotated[int, typer.Option(help="Cases to compare with.")] = DRAWS,
    false_alarm: Annotated[
        float,
        typer.Option(help="Largest share of ordinary cases that may be called strange."),
    ] = FALSE_ALARM,
    reporting: Annotated[
        str,
        typer.Option(
            help="How the findings came to be known: told, as people say what they have, or "
            "asked, as in a form that everybody fills in."
        ),
    ] = "told",
    seed: Annotated[int, typer.Option(help="Of the cases to compare with.")] = 0,
    as_json: AsJson = False,
    priors: Priors = None,
    setting: Setting = None,
) -> None:
    """Say how well the model fits one case.

    Compares the case with cases that the model makes itself and that say as much, and prints which
    findings go together badly.
    """
    given = given_findings(findings)
    # Any other word is refused by the engine, with the two that there are.
    how = cast(Reporting, reporting)
    with patience("comparing with cases of the model"):
        engine = bayesdx.load(priors, setting=setting)
        found = engine.surprise(
            given, draws=draws, false_alarm=false_alarm, reporting=how, seed=seed
        )
    intended_use = engine.knowledge.model.intended_use
    if as_json:
        print(result_json(found, intended_use))
    else:
        show([*surprise_blocks(found), *ending(intended_use)])
