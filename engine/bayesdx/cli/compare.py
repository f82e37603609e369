"""`bayesdx compare`: what each source alone would answer, and where they part."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from bayesdx.cli.arguments import read_findings
from bayesdx.cli.case_tables import reads_tables
from bayesdx.cli.comparison_figure import check_figure, draw_posteriors
from bayesdx.cli.options import AsJson, CaseTable, FindingOptions, Priors, check_output, place_of
from bayesdx.cli.progress import patience
from bayesdx.diagnosis.column_names import ColumnNames
from bayesdx.diagnosis.per_source import COLUMNS, Comparison
from bayesdx.diagnosis.per_source import compare as compare_sources
from bayesdx.errors import Fault, InvalidCase, Phrase
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.reading import read_knowledge
from bayesdx.presentation.comparison_view import (
    NOTE,
    comparison_blocks,
    comparison_json,
    comparison_table,
    top_causes,
)
from bayesdx.presentation.terminal import show, tell
from bayesdx.presentation.words import counted
from bayesdx.tables import CASE_ID, write_table, write_whole
from bayesdx.tables.stated_tables import WholeTable, read_table
from bayesdx.tables.table_options import TableOptions

ONE_CASE = "1"


Output = Annotated[
    str | None,
    typer.Option(
        "-o",
        "--output",
        metavar="OUT",
        help="Write one row a case and source: CSV, Parquet or (the whole report) JSON by file "
        "name, - for CSV on standard output.",
        show_default=False,
    ),
]
OneCase = Annotated[
    str | None,
    typer.Option(
        metavar="ID",
        help="The case to show, whose differences are traced to statements; without it the one "
        "where the sources are farthest from the model.",
        show_default=False,
    ),
]
Picture = Annotated[
    Path | None,
    typer.Option(metavar="FILE.png", help="Draw the case shown.", show_default=False),
]


@reads_tables()
def compare(
    cases: CaseTable = None,
    finding: FindingOptions = None,
    output: Output = None,
    case: OneCase = None,
    figure: Picture = None,
    top: Annotated[int, typer.Option(min=1, help="How many causes to print and draw.")] = 8,
    as_json: AsJson = False,
    priors: Priors = None,
    *,
    table: TableOptions,
) -> None:
    """Compare the documents as rivals.

    For every document, and for the literature where it contradicts one: the posteriors that this
    source alone would give, their distance from the model and from each other, and the statements
    that make the difference. These are readings of documents, not opinions on a patient.
    The numbers of each are made consistent first, which takes half a minute or more.
    """
    if as_json and output == "-":
        raise InvalidCase(Fault("options", "one of --json and -o -", Phrase("both")))
    if figure is not None:
        check_figure(figure)
    for written in (output, figure):
        if written is not None:
            check_output(written, cases, priors=priors)
    with patience("asking each source alone"):
        knowledge = read_knowledge(priors)
        given, read = _cases(knowledge, cases, finding or (), table)
        rows = None if read is None else read.place
        found = compare_sources(knowledge, given, case, rows, table.words)
    if read is not None:
        found = _with_kept(found, read)
    shown = farthest_case(found) if case is None else case
    if output is not None:
        _write(found, knowledge, output)
    if figure is not None:
        _draw(found, knowledge, shown, top, figure)
    if as_json:
        print(comparison_json(found, knowledge))
    elif output != "-":
        show(comparison_blocks(found, knowledge, shown, top))


def farthest_case(found: Comparison) -> Hashable:
    """Return the case of the largest distance between any source and the model."""
    apart = found.cases["distance"].fillna(-1.0).to_numpy()
    case: Hashable = found.cases["case"].tolist()[int(apart.argmax())]
    return case


def _cases(
    knowledge: Knowledge, source: str | None, words: Sequence[str], options: TableOptions
) -> tuple[pd.DataFrame, WholeTable | None]:
    """Read the cases, with their names as index; and the table that they stand in."""
    if (source is None) == (not words):
        got = Phrase("neither" if source is None else "both")
        raise InvalidCase(Fault("arguments", "a table of cases, or --finding", got))
    if source is None:
        given = read_findings(words)
        return pd.DataFrame({n: [value] for n, value in given.items()}, index=[ONE_CASE]), None
    table = read_table(source, ColumnNames(knowledge), options, COLUMNS)
    return table.evidence.set_axis(table.names, axis=0), table


def _with_kept(found: Comparison, table: WholeTable) -> Comparison:
    """Put what is kept of a table beside the names of its cases."""
    kept = table.kept.set_axis(table.names, axis=0)
    cases = found.cases
    beside = kept.loc[cases["case"]].reset_index(drop=True)
    return replace(found, cases=pd.concat([cases[["case"]], beside, cases.iloc[:, 1:]], axis=1))


def _write(found: Comparison, knowledge: Knowledge, output: str) -> None:
    if Path(output).suffix.lower() == ".json":
        write_whole(Path(output), f"{comparison_json(found, knowledge)}\n".encode())
    else:
        write_table(comparison_table(found, CASE_ID), output)
    tell(f"bayesdx: {counted(len(found.cases), 'row')} written to {place_of(output)}")


def _draw(found: Comparison, knowledge: Knowledge, case: Hashable, top: int, path: Path) -> None:
    labels = {name: cause.label for name, cause in knowledge.causes.items()}
    draw_posteriors(top_causes(found, case, top), labels, f"Case {case}", NOTE, path)
    tell(f"bayesdx: case {case} drawn in {path}")
