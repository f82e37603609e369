"""`bayesdx surprise`: whether the model fits a case."""

from __future__ import annotations

import json
from typing import Annotated, Any, cast

import typer
from rich.console import Console

import bayesdx
from bayesdx.cli.options import Findings, Priors, given_findings
from bayesdx.cli.printing import finite, frame_records, make_console, plain_table
from bayesdx.cli.words import percent, print_paragraph
from bayesdx.diagnosis.predictive_check import DRAWS, FALSE_ALARM, Reporting, Surprise, verdict


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
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    priors: Priors = None,
) -> None:
    """Say how well the model fits one case.

    Compares the case with cases that the model makes itself and that say as much, and prints which
    findings go together badly.
    """
    given = given_findings(findings)
    engine = bayesdx.load(priors)
    found = engine.surprise(
        given,
        draws=draws,
        false_alarm=false_alarm,
        # Any other word is refused by the engine, with the two that there are.
        reporting=cast(Reporting, reporting),
        seed=seed,
    )
    intended_use = engine.knowledge.model.intended_use
    if as_json:
        print(_json(found, intended_use))
        return
    console = make_console()
    _print_verdict(console, found)
    if len(found.table):
        console.print()
        _print_table(console, found)
    console.print()
    print_paragraph(console, intended_use, style="dim")


def _print_verdict(console: Console, found: Surprise) -> None:
    print_paragraph(console, verdict(found), style="bold")
    if found.status == "impossible":
        return
    text = (
        f"As improbable or more: {percent(found.p_rare)} of {found.draws} cases of the model that "
        f"say as much. As much at odds with itself or more: {percent(found.p_conflict)}."
    )
    print_paragraph(console, text)


def _print_table(console: Console, found: Surprise) -> None:
    table = plain_table()
    table.add_column("observation", overflow="fold", ratio=1)
    table.add_column("value")
    for name in ("alone", "given the rest", "times", "background"):
        table.add_column(name, justify="right", no_wrap=True)
    numbers = found.table[["alone", "given_rest", "ratio", "background"]].to_numpy()
    words = zip(found.table["label"], found.table["value"], strict=True)
    for (label, value), row in zip(words, numbers, strict=True):
        alone, rest, ratio, background = (float(number) for number in row)
        table.add_row(
            label,
            value.replace("_", " "),
            percent(alone),
            percent(rest),
            f"{ratio:.2f}",
            percent(background),
        )
    table.caption = (
        "times: below 1 the other observations speak against this one; background: how probable "
        "it is that no modelled cause made it present"
    )
    table.caption_justify = "left"
    console.print(table)


def _json(found: Surprise, intended_use: str) -> str:
    content: dict[str, Any] = {
        "status": found.status,
        "outside": found.outside,
        "false_alarm": found.false_alarm,
        "draws": found.draws,
        "reporting": found.reporting,
        "p_rare": found.p_rare,
        "p_conflict": found.p_conflict,
        "log_evidence": finite(found.log_evidence),
        "expected": found.expected,
        "conflict": finite(found.conflict),
        "observations": frame_records(found.table),
        "intended_use": intended_use,
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
