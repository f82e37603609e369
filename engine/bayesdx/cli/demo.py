"""`bayesdx demo`: the scenarios scored, and a few of them shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

import bayesdx
from bayesdx.cli.options import Priors, Setting
from bayesdx.cli.progress import patience
from bayesdx.presentation.diagnosis_view import cause_grid, group_grid, urgency_blocks
from bayesdx.presentation.layout import BLANK, Block, Paragraph
from bayesdx.presentation.terminal import show
from bayesdx.presentation.words import understood_as
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
    setting: Setting = None,
) -> None:
    """Score the scenarios, print a few.

    Writes the posteriors of both scenario tables, and prints one case of each urgency in full.
    """
    with patience("reading the knowledge"):
        engine = bayesdx.load(priors, setting=setting)
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for name in (DOCUMENTS, PUBLISHED):
        with patience(f"scoring {scenarios / name}"):
            cases = read_cases(scenarios / name)
            scores = engine.score(finding_columns(cases))
            write_table(with_case_ids(cases, scores), out / name)
        written.append(f"{len(cases)} cases of {scenarios / name} -> {out / name}")
        shown = _first_of_each(scores["urgency"]) if name == DOCUMENTS else [0]
        for position in shown:
            show(_case(engine, cases.iloc[position]))
    show([BLANK, Paragraph("written", mark="─ ", emphasis="strong"), *map(Paragraph, written)])
    show([Paragraph(engine.knowledge.model.intended_use, emphasis="quiet")])


def _first_of_each(urgency: pd.Series[str]) -> list[int]:
    """Return the position of the first case of each urgency: few cases, unlike each other."""
    return [at for at, seen_before in enumerate(urgency.duplicated()) if not seen_before]


def _case(engine: bayesdx.Engine, case: pd.Series[str]) -> Iterator[Block]:
    findings = {str(name): cell for name, cell in case.items() if name not in RESERVED and cell}
    diagnosis = engine.diagnose(findings)
    yield BLANK
    yield Paragraph(str(case.get(CASE_ID, case.name)), mark="─ ", emphasis="strong")
    if case.get("note"):
        yield Paragraph(str(case["note"]), emphasis="quiet")
    yield Paragraph(understood_as(diagnosis.understood, diagnosis.urgency_only))
    if case.get("expected_cause"):
        yield Paragraph(f"Written for: {case['expected_cause']}")
    yield from urgency_blocks(diagnosis)
    yield BLANK
    yield cause_grid(diagnosis.table, TOP_CAUSES)
    yield BLANK
    yield group_grid(diagnosis.groups.nlargest(TOP_GROUPS, "posterior"))
