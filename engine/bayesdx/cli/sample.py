"""`bayesdx sample`: synthetic cases, drawn from the model."""

from __future__ import annotations

import time
from typing import Annotated

import typer

import bayesdx
from bayesdx.cli.options import NoProgress, Priors, Setting, check_output, place_of
from bayesdx.cli.progress import patience, progress_shown
from bayesdx.diagnosis.synthetic import SampleOptions
from bayesdx.presentation.terminal import tell as tell_all
from bayesdx.presentation.words import counted
from bayesdx.tables.drawn_cases import SampleTables
from bayesdx.tables.drawn_files import write_sample

ENOUGH_FOR_SPEED = 100_000

_DEFAULT = SampleOptions()


def sample(
    n: Annotated[int, typer.Argument(metavar="N", help="Number of cases.", show_default=False)],
    output: Annotated[
        str,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help=".csv, .jsonl (each also with .gz or .zst) or .parquet; a name ending in / is a "
            "new folder of Parquet files; - is CSV on standard output.",
        ),
    ] = "-",
    seed: Annotated[
        int, typer.Option(help="The same seed gives the same cases, however many are drawn.")
    ] = _DEFAULT.seed,
    asked: Annotated[
        tuple[float, float],
        typer.Option(
            metavar="LOW HIGH",
            help="Share of the findings that is told; each case has its own between these.",
        ),
    ] = _DEFAULT.asked,
    risks_asked: Annotated[
        tuple[float, float] | None,
        typer.Option(metavar="LOW HIGH", help="The same of risks; as --asked when not given."),
    ] = None,
    flip: Annotated[
        float, typer.Option(metavar="P", help="Probability that an answer is wrong.")
    ] = _DEFAULT.flip,
    soft: Annotated[
        float,
        typer.Option(metavar="P", help="Share of told findings that are told as soft evidence."),
    ] = _DEFAULT.soft,
    measures: Annotated[
        float,
        typer.Option(metavar="P", help="Share of what can be measured that is told as a number."),
    ] = _DEFAULT.measures,
    thresholds: Annotated[
        float,
        typer.Option(metavar="P", help="Share of told grades that are told by a threshold only."),
    ] = _DEFAULT.thresholds,
    strangers: Annotated[
        float,
        typer.Option(
            metavar="P",
            help="Share of cases outside the model: each finding taken from another case. They "
            "are marked in the column note.",
        ),
    ] = _DEFAULT.strangers,
    truth: Annotated[
        bool,
        typer.Option("--truth", help="Add the causes that made each case, in expected_cause."),
    ] = False,
    parts: Annotated[
        int | None,
        typer.Option(metavar="K", help="Files in a folder; one a million cases by default."),
    ] = None,
    quiet: NoProgress = False,
    priors: Priors = None,
    setting: Setting = None,
) -> None:
    """Draw synthetic cases from the model.

    For load tests, and for checks of the engine against itself: they say nothing about how
    accurate it is. Every row is labelled as synthetic in the column source. Findings that have no
    probability in the model are left out.
    """
    options = SampleOptions(
        seed=seed,
        asked=asked,
        risks_asked=risks_asked,
        flip=flip,
        soft=soft,
        strangers=strangers,
        thresholds=thresholds,
        measures=measures,
    )
    if not output.endswith("/"):
        check_output(output, priors=priors, setting=setting)
    with patience("reading the knowledge"):
        tables = SampleTables(bayesdx.load(priors, setting=setting), n, options, truth=truth)
    begin = time.monotonic()
    with progress_shown("drawing", quiet=quiet) as tell:
        shown = None if tell is None else (lambda rows: tell(rows, rows / n))
        write_sample(tables, output, parts=parts, progress=shown)
    took = time.monotonic() - begin
    speed = f": {n / took:,.0f} rows/s" if n >= ENOUGH_FOR_SPEED else ""
    tell_all(
        f"bayesdx: {counted(n, 'synthetic case')}, no patients ({tables.label}) written to "
        f"{place_of(output)}{speed}"
    )
