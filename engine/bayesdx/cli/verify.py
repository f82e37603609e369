"""`bayesdx verify`: whether an output of `score` or `network` is what it says."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import bayesdx
from bayesdx.cli.options import Priors, Setting
from bayesdx.cli.progress import patience, reading_networks
from bayesdx.errors import Fault, InvalidCase
from bayesdx.presentation.terminal import show_lines

if TYPE_CHECKING:
    from bayesdx.diagnosis.core import Core


def verify(
    output: Annotated[
        Path,
        typer.Argument(
            metavar="OUT",
            help="What bayesdx score, or network --cases, wrote; OUT.audit.json stands beside it.",
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
    every: Annotated[
        bool, typer.Option("--all", help="Score all rows again, and compare all counts.")
    ] = False,
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="Of the draw; by default another each time.", show_default=False),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The key that the audit must have been signed with.",
            show_default=False,
        ),
    ] = None,
    network: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The network that was asked, where it is no longer where the audit says.",
            show_default=False,
        ),
    ] = None,
    priors: Priors = None,
    setting: Setting = None,
) -> None:
    """Score a sample of an output again and compare.

    Also compares the digests of input, knowledge or network, output, rejected records and the audit
    itself.
    Exit code 1 when anything differs. SECURITY.md says what a digest and a signature prove.
    """
    # Imported here: no other command waits for it.
    from bayesdx.tables.execution.audit import read_key
    from bayesdx.tables.execution.recorded_run import of_network, read_audit
    from bayesdx.tables.execution.verification import verify_output

    drawn = secrets.randbits(32) if seed is None else seed
    rows = None if every else sample
    audit = read_audit(output)
    if of_network(audit) and (priors is not None or setting is not None):
        given = "--setting" if priors is None else "--priors"
        expected = "the output of score beside it; this one is of a network"
        raise InvalidCase(Fault(given, expected, str(output)))
    again = reading_networks if of_network(audit) else patience
    with again("scoring again"):
        asked: Core | Path | None = network
        if network is None and not of_network(audit):
            asked = bayesdx.load(priors, setting=setting).core
        found = verify_output(
            asked, output, source=source, sample=rows, seed=drawn, key=read_key(key)
        )
    for difference in found.differences:
        show_lines(f"different: {difference}")
    show_lines(
        f"{output}: {found.compared:,} of {found.scored:,} cases scored again (seed {drawn}); "
        + ("not as written" if found.differences else "all as written, to 1e-12")
    )
    made = audit["run"]["finished"]
    show_lines(f"Written by bayesdx {audit['engine']['version']}, {made}.")
    if found.differences:
        raise typer.Exit(1)
