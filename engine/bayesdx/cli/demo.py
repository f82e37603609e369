"""`bayesdx demo`: the scenarios scored, and a few of them shown."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from rich.console import Console
from rich.rule import Rule

import bayesdx
from bayesdx.cli.options import Priors
from bayesdx.cli.printing import group_table, make_console, posterior_table, print_urgency
from bayesdx.tables import (
    CASE_ID,
    RESERVED,
    finding_columns,
    read_cases,
    with_case_ids,
    write_table,
)

DOCUMENTS, PUBLISHED = "documents.csv", "published.csv"
TOP_CAUSES = 5
TOP_GROUPS = 3


def demo(
    scenarios: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Where the scenario tables are.")
    ] = Path("scenarios"),
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Where to write the posteriors.")
    ] = Path("out"),
    priors: Priors = None,
) -> None:
    """Score the scenarios, print a few.

    Writes the posteriors of both scenario tables, and prints one case of each urgency in full.
    """
    console = make_console()
    engine = bayesdx.load(priors)
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for name in (DOCUMENTS, PUBLISHED):
        cases = read_cases(scenarios / name)
        scores = engine.score(finding_columns(cases))
        write_table(with_case_ids(cases, scores), out / name)
        written.append(f"{len(cases)} cases of {scenarios / name} -> {out / name}")
        shown = _first_of_each(scores["urgency"]) if name == DOCUMENTS else [0]
        for position in shown:
            _print_case(console, engine, cases.iloc[position])
    console.print()
    console.print(Rule("written", align="left"))
    console.print("\n".join(written))
    console.print(engine.knowledge.model.intended_use, style="dim")


def _first_of_each(urgency: pd.Series[str]) -> list[int]:
    """Return the position of the first case of each urgency: few cases, unlike each other."""
    return [at for at, seen_before in enumerate(urgency.duplicated()) if not seen_before]


def _print_case(console: Console, engine: bayesdx.Engine, case: pd.Series[str]) -> None:
    findings = {str(name): cell for name, cell in case.items() if name not in RESERVED and cell}
    diagnosis = engine.diagnose(findings)
    console.print()
    console.print(Rule(str(case.get(CASE_ID, case.name)), align="left"))
    if case.get("note"):
        console.print(case["note"], style="dim")
    given = (f"{name}={value}" for name, value in diagnosis.understood.items())
    console.print(f"Findings: {', '.join(given)}")
    if case.get("expected_cause"):
        console.print(f"Written for: {case['expected_cause']}")
    print_urgency(console, diagnosis)
    console.print()
    console.print(posterior_table(diagnosis.table, TOP_CAUSES))
    console.print()
    console.print(group_table(diagnosis.groups.nlargest(TOP_GROUPS, "posterior")))
