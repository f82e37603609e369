"""`bayesdx drift`: whether cases still are what the model says, over time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import bayesdx
from bayesdx.cli.case_tables import reads_tables
from bayesdx.cli.labelled_tables import DiagnosisColumn, faults_of, labelled_input
from bayesdx.cli.options import NoProgress, check_output
from bayesdx.cli.progress import patience
from bayesdx.errors import Fault, InvalidCase
from bayesdx.presentation.drift_view import drift_blocks
from bayesdx.presentation.layout import ending
from bayesdx.presentation.terminal import show, show_lines
from bayesdx.presentation.words import counted

if TYPE_CHECKING:
    from bayesdx.tables.table_options import TableOptions


@reads_tables("keep")
def drift(
    priors: Annotated[Path, typer.Argument(metavar="PRIORS", help="The knowledge folder.")],
    cases: Annotated[
        str,
        typer.Argument(
            metavar="CASES",
            help="Cases as for score, with what is known of their causes, if anything, as for "
            "learn.",
        ),
    ],
    time: Annotated[
        str,
        typer.Option(
            metavar="COLUMN",
            help="The column of dates, such as 2026-11-30.",
            show_default=False,
        ),
    ],
    window: Annotated[
        str, typer.Option(metavar="day|week|month|quarter|year", help="What is compared.")
    ] = "month",
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE.csv", help="A row a window, too.", show_default=False
        ),
    ] = None,
    others: Annotated[
        str | None,
        typer.Option(
            metavar="absent|unknown",
            help="What is known of causes that a diagnosis does not name; must be said where there "
            "are diagnoses.",
            show_default=False,
        ),
    ] = None,
    diagnosis: DiagnosisColumn = "diagnosis",
    false_alarm: Annotated[
        float,
        typer.Option(help="Largest share of reports that tell of a drift where there is none."),
    ] = 0.01,
    references: Annotated[
        int, typer.Option(help="Cases of the model that each given one is compared with.")
    ] = 20,
    seed: Annotated[int, typer.Option(help="Of these.")] = 0,
    on_error: Annotated[
        str,
        typer.Option(
            metavar="stop|skip",
            help="What a row that cannot be read does: nothing is compared; or it is left out and "
            "counted.",
        ),
    ] = "stop",
    quiet: NoProgress = False,
    *,
    table: TableOptions,
) -> None:
    """Say whether cases still are what the model says, over time.

    Compares windows of time with cases that the model makes itself and of which the same things are
    asked: how probable they are, how answers fare against labels (calibration in the large and
    slope), and how often each finding is asked. A drift says that something has changed, not what:
    people, how they are asked, how they are labelled, or the numbers.
    """
    how = labelled_input(diagnosis, others, on_error, table)
    if output is not None and output.suffix != ".csv":
        raise InvalidCase(Fault("--output", "a name that ends in .csv", str(output)))
    # Imported here: help does not wait for it.
    from bayesdx.diagnosis.drift_check import drift as compare_windows
    from bayesdx.tables import write_whole
    from bayesdx.tables.stated_tables import read_frame

    if output is not None:
        check_output(output, cases, priors=priors)

    with patience("reading the knowledge"):
        engine = bayesdx.load(priors)
        frame = read_frame(cases, table)
    with patience("" if quiet else "comparing with cases of the model"), faults_of(cases):
        found = compare_windows(
            engine.core,
            frame,
            how,
            time=time,
            window=window,
            false_alarm=false_alarm,
            references=references,
            seed=seed,
        )
    show([*drift_blocks(found), *ending(engine.knowledge.model.intended_use)])
    if output is not None:
        write_whole(output, found.windows.to_csv().encode())
        show_lines(f"{output}: {counted(len(found.windows), 'window')}, a row each")
