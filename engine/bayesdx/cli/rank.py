"""`bayesdx rank`: causes by what would change without them."""

from __future__ import annotations

import json
from typing import Annotated

import typer

import bayesdx
from bayesdx.cli.options import Findings, Priors, given_findings
from bayesdx.cli.printing import frame_records, make_console, plain_table
from bayesdx.cli.words import percent, print_paragraph

MOST_CAUSES = 10


def rank(
    findings: Findings = None,
    top: Annotated[int, typer.Option(min=1, help="How many causes to print.")] = MOST_CAUSES,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    priors: Priors = None,
) -> None:
    """Rank causes by what would change without them.

    Expected disablement: how many of the findings that are present would not be, without the cause.
    Expected sufficiency: how many would be, with no other cause and no background.
    """
    given = given_findings(findings)
    engine = bayesdx.load(priors)
    found = engine.rank_causes(given)
    intended_use = engine.knowledge.model.intended_use
    if as_json:
        content = {
            "status": found.status,
            "symptoms": found.symptoms,
            "causes": frame_records(found.table),
            "intended_use": intended_use,
        }
        print(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False))
        return
    console = make_console()
    if found.status == "impossible":
        text = "The model holds these findings impossible together: nothing can be ranked."
        print_paragraph(console, text, style="bold")
    else:
        text = (
            f"Of {found.symptoms} findings that are present, how many would not be without each "
            "cause (disablement), and how many would be with it alone (sufficiency). Rank by "
            "posterior in brackets. A cause low in this list is not ruled out."
        )
        print_paragraph(console, text)
        table = plain_table()
        table.add_column("cause", overflow="fold", ratio=1)
        for name in ("posterior", "disablement", "sufficiency"):
            table.add_column(name, justify="right", no_wrap=True)
        shown = found.table.head(top)
        columns = ("posterior", "rank_posterior", "disablement", "sufficiency")
        numbers = shown[list(columns)].to_numpy(dtype=float)
        for label, row in zip(shown["label"], numbers, strict=True):
            posterior, place, disablement, sufficiency = (float(number) for number in row)
            table.add_row(
                label,
                f"{percent(posterior)} [{place:.0f}]",
                f"{disablement:.3f}",
                f"{sufficiency:.3f}",
            )
        console.print(table)
    console.print()
    print_paragraph(console, intended_use, style="dim")
