"""`bayesdx score`: a table of cases."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

import bayesdx
from bayesdx.cli.options import Priors
from bayesdx.tables import finding_columns, read_cases, with_case_ids, write_table


def score(
    cases: Annotated[
        str,
        typer.Argument(
            metavar="IN",
            help="Cases, one a row, one column a finding: CSV, Parquet by file name, - for CSV on "
            "standard input.",
        ),
    ],
    output: Annotated[
        str,
        typer.Option(
            "-o",
            "--output",
            metavar="OUT",
            help="Where to write: CSV, Parquet by file name, - for CSV on standard output.",
        ),
    ] = "-",
    priors: Priors = None,
) -> None:
    """Work out a table of cases.

    Writes one row a case: the posterior of every cause, unexplained, log evidence, status, urgency
    and red flags. The columns case_id, expected_cause, acceptable, urgency, source and note are
    never evidence; case_id is copied to the result.
    """
    table = read_cases(cases)
    engine = bayesdx.load(priors)
    scores = with_case_ids(table, engine.score(finding_columns(table)))
    write_table(scores, output)
    counts = ", ".join(f"{n} {status}" for status, n in scores["status"].value_counts().items())
    print(f"bayesdx: {len(scores)} cases ({counts}) written to {output}", file=sys.stderr)
