"""`bayesdx score`: a table of cases."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

import bayesdx
from bayesdx.cli.options import Priors
from bayesdx.cli.progress import progress_shown
from bayesdx.cli.signals import ended_by_signals
from bayesdx.presentation.terminal import tell
from bayesdx.presentation.words import counted

if TYPE_CHECKING:
    from bayesdx.diagnosis.shortlist import Measure
    from bayesdx.tables.execution.run_options import OnError, RunReport

#: Faults that are printed before the count of all of them.
LISTED = 19
TOP_FLAGS = 5


Cases = Annotated[
    str,
    typer.Argument(
        metavar="IN",
        help="Cases, one a row, one column a finding: .csv, .jsonl (each also with .gz or .zst), "
        ".parquet, a folder of Parquet files, - for CSV on standard input.",
    ),
]
Output = Annotated[
    str,
    typer.Option(
        "-o",
        "--output",
        metavar="OUT",
        help="Where to write, the format by name as for IN; a name that ends in / is a folder of "
        "Parquet files; - for CSV on standard output.",
    ),
]
ShapeName = Annotated[
    str | None,
    typer.Option(
        metavar="wide|long",
        help="One row a case, or one line a case and cause with its rank; long where --top or "
        "--threshold choose lines, otherwise wide.",
        show_default=False,
    ),
]
Top = Annotated[
    int | None,
    typer.Option(metavar="K", help="Only the K most probable causes.", show_default=False),
]
Causes = Annotated[
    str | None, typer.Option(metavar="A,B", help="Only these causes.", show_default=False)
]
Threshold = Annotated[
    float | None,
    typer.Option(metavar="P", help="Only causes at P or above.", show_default=False),
]
MeasureName = Annotated[
    str,
    typer.Option(
        metavar="posterior|explains|plays_a_part",
        help="What is written of each cause: how probable it is; the share of the picture that it "
        "explains; how probable it is that it produced some of the present findings.",
    ),
]
OnErrorName = Annotated[
    str,
    typer.Option(
        metavar="stop|skip|report",
        help="What a row that cannot be read does: nothing is written; or it goes to "
        "OUT.rejected.csv and the rest is scored, with exit code 0 (skip) or 1 (report).",
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only check the cases; score and write nothing.")
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with an interrupted run, if there is one.")
]
Restart = Annotated[bool, typer.Option("--restart", help="Drop an interrupted run and begin anew.")]
Workers = Annotated[
    int | None,
    typer.Option(metavar="N", help="Threads; by default one a core.", show_default=False),
]
ChunkRows = Annotated[
    int, typer.Option(metavar="N", help="Rows scored together; memory grows with it.")
]
Dask = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Score by a Dask cluster: tcp://host:port of its scheduler, or local for processes of "
        "this machine. Parquet in, a folder of Parquet out; extra 'distributed'.",
        show_default=False,
    ),
]
Delimiter = Annotated[
    str,
    typer.Option(
        metavar="MARK",
        help="What stands between the cells of CSV, such as ';' or tab.",
        show_default=False,
    ),
]
Decimal = Annotated[str, typer.Option(metavar=".|,", help="The decimal mark of numbers in CSV.")]
Encoding = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Of CSV that is not UTF-8, such as cp1252 or utf-16.",
        show_default=False,
    ),
]
IdColumn = Annotated[
    str | None,
    typer.Option(
        "--id",
        metavar="COLUMN",
        help="The column that names the cases, copied to the result; by default case_id.",
        show_default=False,
    ),
]
Keep = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COLUMNS",
        help="Columns to copy to the result, with commas between; evidence all the same where they "
        "name a finding.",
        show_default=False,
    ),
]
Ignore = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COLUMNS",
        help="Columns that are no evidence, with commas between; one without a name is "
        "'Unnamed: 0' by its place.",
        show_default=False,
    ),
]
Yes = Annotated[
    list[str] | None,
    typer.Option(metavar="WORD", help="One more word for present.", show_default=False),
]
No = Annotated[
    list[str] | None,
    typer.Option(metavar="WORD", help="One more word for absent.", show_default=False),
]
Unknown = Annotated[
    list[str] | None,
    typer.Option(metavar="WORD", help="One more word for not known.", show_default=False),
]
UniqueIds = Annotated[
    bool,
    typer.Option("--unique-ids", help="Refuse a table in which an id is missing or comes twice."),
]
NoEscape = Annotated[
    bool,
    typer.Option(
        "--no-escape",
        help="Text in CSV as it is, for machines; otherwise an apostrophe keeps spreadsheets from "
        "running it.",
    ),
]
Key = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="A secret key of at least 16 bytes, to sign OUT.audit.json with (HMAC-SHA256).",
        show_default=False,
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress, a summary of a line.")]


def score(
    cases: Cases,
    output: Output = "-",
    shape: ShapeName = None,
    top: Top = None,
    causes: Causes = None,
    threshold: Threshold = None,
    measure: MeasureName = "posterior",
    on_error: OnErrorName = "stop",
    dry_run: DryRun = False,
    resume: Resume = False,
    restart: Restart = False,
    workers: Workers = None,
    chunk_rows: ChunkRows = 10_000,
    dask: Dask = None,
    delimiter: Delimiter = "",
    decimal: Decimal = ".",
    encoding: Encoding = "",
    id_column: IdColumn = None,
    keep: Keep = None,
    ignore: Ignore = None,
    yes: Yes = None,
    no: No = None,
    unknown: Unknown = None,
    unique_ids: UniqueIds = False,
    no_escape: NoEscape = False,
    key: Key = None,
    quiet: Quiet = False,
    priors: Priors = None,
) -> None:
    """Work out a table of cases.

    Writes one row a case: the posterior (or another --measure) of every cause, unexplained, log
    evidence, status, urgency and red flags. The columns case_id, expected_cause, acceptable,
    urgency, source and note are never evidence; case_id is copied to the result; --id, --keep and
    --ignore say so of others. OUT appears when it is complete; OUT.audit.json says what it was made
    from. An interrupted run is kept in OUT.parts and goes on with --resume.
    """
    # Imported here: no other command waits for it.
    from bayesdx.diagnosis.values import Words
    from bayesdx.tables.execution.run_options import Cluster, RunOptions
    from bayesdx.tables.execution.table_options import TableOptions
    from bayesdx.tables.execution.table_run import score_table
    from bayesdx.tables.outputs import OutputOptions, Shape
    from bayesdx.tables.sources.dialect import Dialect

    long = top is not None or threshold is not None
    options = RunOptions(
        output=OutputOptions(
            shape=cast("Shape", shape or ("long" if long else "wide")),
            top=top,
            causes=None if causes is None else tuple(one.strip() for one in causes.split(",")),
            threshold=threshold,
            escape=not no_escape,
            measure=cast("Measure", measure),
        ),
        on_error=cast("OnError", on_error),
        chunk_rows=chunk_rows,
        workers=workers,
        resume=resume,
        restart=restart,
        dry_run=dry_run,
        listed=LISTED,
        table=TableOptions(
            Dialect(delimiter, encoding),
            Words(tuple(yes or ()), tuple(no or ()), tuple(unknown or ()), decimal),
            id_column,
            column_names(keep),
            column_names(ignore),
        ),
        unique_ids=unique_ids,
        key=key,
    )
    with ended_by_signals() as end, notes_told():
        engine = bayesdx.load(priors)
        with progress_shown("scoring", quiet) as shown:

            def told(rows: int, share: float | None) -> None:
                end()
                if shown is not None:
                    shown(rows, share)

            cluster = None if dask is None else Cluster(dask)
            report = score_table(engine.core, cases, output, options, told, cluster)
    print_summary(report, output, on_error, quiet)
    if on_error == "report" and report.counts.rejected:
        raise typer.Exit(1)


def column_names(texts: list[str] | None) -> tuple[str, ...]:
    """Column names with commas between; a name with a comma in it stands in quotation marks."""
    rows = csv.reader(texts or (), skipinitialspace=True)
    return tuple(name.strip() for row in rows for name in row)


@contextmanager
def notes_told() -> Iterator[None]:
    """Print what an error says beside its faults: what was kept, and how to go on."""
    try:
        yield
    except BaseException as reason:
        for note in getattr(reason, "__notes__", ()):
            print(f"bayesdx: {note}", file=sys.stderr)
        raise


def print_summary(report: RunReport, output: str, on_error: str, quiet: bool) -> None:
    """Say on standard error what a run did, more of it unless quiet."""
    counts = report.counts
    if report.output is None and not counts.scored:
        print(
            f"bayesdx: {counts.records:,} rows checked, {counts.rejected:,} with faults; "
            "nothing was scored or written",
            file=sys.stderr,
        )
        _print_faults(report, on_error)
        _print_unanswered(report)
        _print_ids(report)
        return
    print(
        f"bayesdx: {counts.scored:,} cases ({_listed(counts.status)}) written to {output}",
        file=sys.stderr,
    )
    if counts.rejected:
        print(
            f"bayesdx: {counts.records:,} rows read, {counts.rejected:,} rejected: "
            f"{report.rejected}",
            file=sys.stderr,
        )
    _print_faults(report, on_error)
    _print_unanswered(report)
    _print_ids(report)
    if quiet:
        return
    for line in summary_lines(report):
        print(f"bayesdx: {line}", file=sys.stderr)


def _print_faults(report: RunReport, on_error: str) -> None:
    if on_error != "report":
        return
    for fault in report.faults:
        print(f"bayesdx: {fault}", file=sys.stderr)
    if report.counts.faults > len(report.faults):
        print(f"bayesdx: and {report.counts.faults - len(report.faults):,} more.", file=sys.stderr)


def _print_unanswered(report: RunReport) -> None:
    """Name the rows that no answer was worked out for, whatever else is asked for."""
    for fault in report.unanswered:
        print(f"bayesdx: {fault}", file=sys.stderr)
    more = report.counts.status["too_complex"] - len(report.unanswered)
    if report.unanswered and more > 0:
        print(f"bayesdx: and {more:,} more rows that are too complex.", file=sys.stderr)


def _print_ids(report: RunReport) -> None:
    """Warn of cases that cannot be told apart."""
    counts = report.counts
    if counts.repeated_ids:
        pairs = ", ".join(f"line {line} as line {first}" for line, first in report.repeated[:3])
        more = ", ..." if counts.repeated_ids > 3 else ""
        have = "has" if counts.repeated_ids == 1 else "have"
        said = f"{counted(counts.repeated_ids, 'row')} {have} the id of an earlier row"
        tell(f"bayesdx: warning: {said} ({pairs}{more}); --unique-ids refuses such a table")
    if counts.blank_ids:
        have = "has" if counts.blank_ids == 1 else "have"
        tell(f"bayesdx: warning: {counted(counts.blank_ids, 'row')} {have} no id")


def summary_lines(report: RunReport) -> list[str]:
    """Return what else there is to say of a run: urgency, red flags, time, audit."""
    counts, seconds = report.counts, report.seconds
    lines = [f"urgency: {_listed(counts.urgency)}"] if counts.urgency else []
    if counts.red_flags:
        more = len(counts.red_flags) - TOP_FLAGS
        tail = f", and {more} more kinds" if more > 0 else ""
        lines.append(f"red flags: {_listed(counts.red_flags, TOP_FLAGS)}{tail}")
    rows = counts.records - report.resumed
    if report.resumed:
        lines.append(f"{report.resumed:,} rows were finished by an interrupted run")
    busy = sum(seconds.values())
    if rows and busy:
        reading = seconds["digest"] + seconds["parsing"] + seconds["reading"]
        writing = seconds["writing"] + seconds["disk"] + seconds["finishing"]
        first, slowest = report.slowest
        lines.append(
            f"{report.wall:.1f} s, {rows / report.wall:,.0f} rows/s; {reading / busy:.0%} reading, "
            f"{seconds['scoring'] / busy:.0%} scoring, {writing / busy:.0%} writing; the slowest "
            f"chunk, from row {first:,}, took {slowest:.2f} s to score"
        )
    if report.audit is not None:
        lines.append(f"audit: {report.audit}")
    return lines


def _listed(counted: Counter[str], most: int | None = None) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in counted.most_common(most))
