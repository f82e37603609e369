"""`bayesdx demo`: the scenarios scored, and a few of them shown."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

import bayesdx
from bayesdx.cli.brief import show_brief, tell_next
from bayesdx.cli.examples import sample_files
from bayesdx.cli.options import Priors, Setting, check_output
from bayesdx.cli.progress import patience
from bayesdx.presentation.layout import BLANK, Block, Paragraph
from bayesdx.presentation.terminal import show
from bayesdx.presentation.words import counted, spaced
from bayesdx.tables import (
    CASE_ID,
    RESERVED,
    check_new_folder,
    finding_columns,
    read_cases,
    with_case_ids,
    write_table,
)

DOCUMENTS, PUBLISHED = "documents.csv", "published.csv"


def demo(
    scenarios: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Where the scenario tables are; a packaged table of five cases without it.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Where to write the posteriors.")
    ] = Path("out"),
    priors: Priors = None,
    setting: Setting = None,
) -> None:
    """Score the scenarios, print a few.

    Writes the posteriors of a table of cases, or of both scenario tables, and prints the short
    answer to one case of each urgency.
    """
    check_new_folder(out)
    with patience("reading the knowledge"):
        engine = bayesdx.load(priors, setting=setting)
    out.mkdir(parents=True, exist_ok=True)
    packaged = {one.name: one for one in sample_files()}["cases.csv"]
    tables = [packaged] if scenarios is None else [scenarios / DOCUMENTS, scenarios / PUBLISHED]
    for table in tables:
        check_output(out / table.name, *tables, priors=priors, setting=setting)
    written = []
    for table in tables:
        with patience(f"scoring {table}"):
            cases = read_cases(table)
            scores = engine.score(finding_columns(cases))
            write_table(with_case_ids(cases, scores), out / table.name)
        written.append(f"{counted(len(cases), 'case')} of {table.name} -> {out / table.name}")
        shown = _first_of_each(scores["urgency"]) if table.name != PUBLISHED else []
        for position in shown:
            case = cases.iloc[position]
            show(_heading(case))
            show_brief(engine, {
                str(name): cell for name, cell in case.items() if name not in RESERVED and cell
            })  # fmt: skip
    show([BLANK, Paragraph("written", mark="─ ", emphasis="strong"), *map(Paragraph, written)])
    tell_next(
        "diagnose low_back_pain fair_pos '!bilateral' slr_pos=absent age=41",
        "ask",
        "examples out/examples",
    )


def _first_of_each(urgency: pd.Series[str]) -> list[int]:
    """Return the position of the first case of each urgency: few cases, unlike each other."""
    return [at for at, seen_before in enumerate(urgency.duplicated()) if not seen_before]


def _heading(case: pd.Series[str]) -> list[Block]:
    blocks = [BLANK, Paragraph(str(case.get(CASE_ID, case.name)), mark="─ ", emphasis="strong")]
    if case.get("note"):
        blocks.append(Paragraph(str(case["note"]), emphasis="quiet"))
    if case.get("expected_cause"):
        blocks.append(Paragraph(f"Written for: {spaced(case['expected_cause'])}"))
    return [*blocks]
