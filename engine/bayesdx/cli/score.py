"""`bayesdx score`: a table of cases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

import bayesdx
from bayesdx.cli.case_tables import reads_tables
from bayesdx.cli.options import DryRun, OnErrorName, Priors, Quiet, Restart, Resume, Setting
from bayesdx.cli.progress import patience, progress_shown
from bayesdx.cli.run_summary import LISTED, notes_told, print_summary
from bayesdx.cli.signals import ended_by_signals

if TYPE_CHECKING:
    from bayesdx.diagnosis.shortlist import Measure
    from bayesdx.tables.execution.run_options import OnError
    from bayesdx.tables.table_options import TableOptions


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
        metavar="NAME",
        help="What is written of each cause: posterior, how probable it is; explains, the share of "
        "the picture that it explains; plays_a_part, how probable it is that it produced some of "
        "the present findings.",
    ),
]
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


@reads_tables()
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
    unique_ids: UniqueIds = False,
    no_escape: NoEscape = False,
    key: Key = None,
    quiet: Quiet = False,
    priors: Priors = None,
    setting: Setting = None,
    *,
    table: TableOptions,
) -> None:
    """Work out a table of cases.

    Writes one row a case: the posterior (or another --measure) of every cause, unexplained, log
    evidence, status, urgency and red flags. The columns case_id, expected_cause, acceptable,
    urgency, source and note are never evidence; case_id is copied to the result; --id, --keep and
    --ignore say so of others. OUT appears when it is complete; OUT.audit.json says what it was made
    from. An interrupted run is kept in OUT.parts and goes on with --resume.
    """
    # Imported here: no other command waits for it.
    from bayesdx.knowledge.folders import find_priors
    from bayesdx.tables import refuse_overwriting
    from bayesdx.tables.execution.run_options import Cluster, RunOptions
    from bayesdx.tables.execution.table_run import score_table
    from bayesdx.tables.outputs import OutputOptions, Shape

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
        table=table,
        unique_ids=unique_ids,
        key=key,
    )
    refuse_overwriting(output, [priors or find_priors(), setting])
    with ended_by_signals() as end, notes_told():
        with patience("reading the knowledge"):
            engine = bayesdx.load(priors, setting=setting)
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
