"""`bayesdx compare`: what each source alone would answer, and where they part."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from bayesdx.cli.arguments import read_findings
from bayesdx.cli.compare_tables import SMALLEST_CHANGE, print_comparison, top_causes
from bayesdx.cli.figures import check_figure, draw_posteriors
from bayesdx.cli.options import Priors
from bayesdx.cli.printing import make_console
from bayesdx.diagnosis.per_source import Comparison
from bayesdx.diagnosis.per_source import compare as compare_sources
from bayesdx.errors import Fault, InvalidCase, Phrase
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.reading import read_knowledge
from bayesdx.tables import (
    CASE_ID,
    finding_columns,
    read_cases,
    refuse_overwriting,
    write_table,
)

ONE_CASE = "1"
NOTE = "Rival readings of documents, each put alone into the model's numbers; not opinions."


Table = Annotated[
    str | None,
    typer.Argument(
        metavar="CASES",
        help="Cases, one a row, one column a finding: CSV, Parquet by file name, - for CSV on "
        "standard input.",
        show_default=False,
    ),
]
Findings = Annotated[
    list[str] | None,
    typer.Option(
        "-f",
        "--finding",
        metavar="FINDING",
        help="In place of a table, one case: id=value, id alone for present, !id for absent; "
        "once for every finding.",
        show_default=False,
    ),
]
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


def compare(
    cases: Table = None,
    finding: Findings = None,
    output: Output = None,
    case: OneCase = None,
    figure: Picture = None,
    top: Annotated[int, typer.Option(min=1, help="How many causes to print and draw.")] = 8,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    priors: Priors = None,
) -> None:
    """Compare the documents as rivals.

    For every document, and for the literature where it contradicts one: the posteriors that this
    source alone would give, their distance from the model and from each other, and the statements
    that make the difference. These are readings of documents, not opinions on a patient.
    """
    if as_json and output == "-":
        raise InvalidCase(Fault("options", "one of --json and -o -", Phrase("both")))
    if figure is not None:
        check_figure(figure)
    if cases is not None and output is not None:
        refuse_overwriting(output, [cases])
    table = _cases(cases, finding or ())
    knowledge = read_knowledge(priors)
    found = compare_sources(knowledge, table, case)
    shown = farthest_case(found) if case is None else case
    if output is not None:
        _write(found, knowledge, output)
    if figure is not None:
        _draw(found, knowledge, shown, top, figure)
    if as_json:
        print(report_json(found, knowledge))
    elif output != "-":
        print_comparison(make_console(), found, knowledge, shown, top)


def farthest_case(found: Comparison) -> Hashable:
    """Return the case of the largest distance between any source and the model."""
    apart = found.cases["distance"].fillna(-1.0).to_numpy()
    case: Hashable = found.cases["case"].tolist()[int(apart.argmax())]
    return case


def comparison_table(found: Comparison) -> pd.DataFrame:
    """Return one row a case and source, with the distance to every other source.

    The statements are those that move the posterior of ``largest_cause`` by a tenth of a percentage
    point or more when they are left out, where the difference was traced.
    """
    table = found.cases.copy()
    both = pd.concat(
        [found.pairs, found.pairs.rename(columns={"rival": "other", "other": "rival"})]
    )
    apart = {
        (case, rival, other): value
        for case, rival, other, value in both.itertuples(index=False, name=None)
    }
    keys = list(zip(table["case"], table["rival"], strict=True))
    for rival in found.rivals:
        table[f"distance_to_{rival.id}"] = [
            0.0 if name == rival.id else apart[case, name, rival.id] for case, name in keys
        ]
    behind: dict[tuple[Hashable, str], list[str]] = {}
    moving = found.statements[found.statements["change"].abs() >= SMALLEST_CHANGE]
    for row in moving.to_dict("records"):
        behind.setdefault((row["case"], row["rival"]), []).append("+".join(row["statements"]))
    table["statements"] = [";".join(behind.get(key, ())) for key in keys]
    left_out = {
        rival.id: ";".join(dict.fromkeys(one.statement for one in rival.left_out))
        for rival in found.rivals
    }
    table["left_out"] = table["rival"].map(left_out)
    return table.rename(columns={"case": CASE_ID})


def report_json(found: Comparison, knowledge: Knowledge) -> str:
    """Return the whole report as JSON; what is missing is null."""
    posteriors = found.posteriors.reset_index()
    content: dict[str, Any] = {
        "note": NOTE,
        "sources": [
            {
                "id": rival.id,
                "title": rival.title,
                "numbers": [_plain(asdict(one)) for one in rival.numbers],
                "left_out": [_plain(asdict(one)) for one in rival.left_out],
            }
            for rival in found.rivals
        ],
        "summary": _records(found.summary.reset_index()),
        "cases": _records(found.cases),
        "pairs": _records(found.pairs),
        "posteriors": _records(posteriors),
        "explained": _records(found.explained.reset_index()),
        "statements": _records(found.statements),
        "intended_use": knowledge.model.intended_use,
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [_plain(record) for record in frame.to_dict("records")]


def _plain(record: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key): _plain_value(value) for key, value in record.items()}


def _plain_value(value: Any) -> Any:
    """Turn NumPy scalars and tuples into what JSON knows, and what is missing into None."""
    if isinstance(value, tuple | list):
        return [_plain_value(one) for one in value]
    value = value.item() if hasattr(value, "item") else value
    if value is None or (isinstance(value, float) and value != value):
        return None
    return value if isinstance(value, bool | int | float | str) else str(value)


def _cases(source: str | None, words: list[str] | tuple[str, ...]) -> pd.DataFrame:
    """Read the cases, with their names as index."""
    if (source is None) == (not words):
        got = Phrase("neither" if source is None else "both")
        raise InvalidCase(Fault("arguments", "a table of cases, or --finding", got))
    if source is None:
        given = read_findings(words)
        return pd.DataFrame({name: [value] for name, value in given.items()}, index=[ONE_CASE])
    table = read_cases(source)
    return finding_columns(table).set_axis(_case_names(table), axis=0)


def _case_names(table: pd.DataFrame) -> list[str]:
    """Name each case by its id; by its row as well where that is blank or not its own."""
    if CASE_ID not in table.columns:
        return [f"row {row}" for row in range(len(table))]
    ids = ["" if pd.isna(cell) else str(cell).strip() for cell in table[CASE_ID]]
    counts = Counter(ids)
    return [
        name if name and counts[name] == 1 else f"{name} row {row}".strip()
        for row, name in enumerate(ids)
    ]


def _write(found: Comparison, knowledge: Knowledge, output: str) -> None:
    if Path(output).suffix.lower() == ".json":
        Path(output).write_text(report_json(found, knowledge) + "\n", encoding="utf-8")
    else:
        write_table(comparison_table(found), output)
    print(f"bayesdx: {len(found.cases)} rows written to {output}", file=sys.stderr)


def _draw(found: Comparison, knowledge: Knowledge, case: Hashable, top: int, path: Path) -> None:
    labels = {name: cause.label for name, cause in knowledge.causes.items()}
    draw_posteriors(top_causes(found, case, top), labels, f"Case {case}", NOTE, path)
    print(f"bayesdx: case {case} drawn in {path}", file=sys.stderr)
