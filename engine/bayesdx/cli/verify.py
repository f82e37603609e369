"""`bayesdx verify`: whether an output of `score` is what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import bayesdx
from bayesdx.cli.options import Priors
from bayesdx.cli.progress import patience
from bayesdx.presentation.terminal import show_lines


def verify(
    output: Annotated[
        Path,
        typer.Argument(
            metavar="OUT", help="What bayesdx score wrote; OUT.audit.json stands beside it."
        ),
    ],
    source: Annotated[
        str | None,
        typer.Option(
            "-i",
            "--input",
            metavar="IN",
            help="The cases, where they are no longer where the audit says.",
            show_default=False,
        ),
    ] = None,
    sample: Annotated[
        int, typer.Option(metavar="N", min=1, help="Rows to score again, drawn at random.")
    ] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of the draw.")] = 0,
    priors: Priors = None,
) -> None:
    """Score a sample of an output again and compare.

    Also compares the digests of input, knowledge and output with those of the audit. Exit code 1
    when anything differs.
    """
    # Imported here: no other command waits for it.
    from bayesdx.tables.execution.verification import read_audit, verify_output

    audit = read_audit(output)
    with patience("scoring a sample again"):
        engine = bayesdx.load(priors)
        found = verify_output(engine.core, output, source=source, sample=sample, seed=seed)
    for difference in found.differences:
        show_lines(f"different: {difference}")
    show_lines(
        f"{output}: {found.compared:,} of {found.scored:,} cases scored again (seed {seed}); "
        + ("not as written" if found.differences else "all as written, to 1e-12")
    )
    made = audit["run"]["finished"]
    show_lines(f"Written by bayesdx {audit['engine']['version']}, {made}.")
    if found.differences:
        raise typer.Exit(1)
