"""`bayesdx check`: whether a priors folder is in order."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from bayesdx.cli.options import Priors
from bayesdx.diagnosis import assemble, fit_remarks
from bayesdx.errors import Fault, InvalidKnowledge, Phrase
from bayesdx.knowledge import lint, read_knowledge


def check(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="FOLDER",
            help="The priors folder; by default the packaged one.",
            show_default=False,
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail as well.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Leave out what is only info.")] = False,
    priors: Priors = None,
) -> None:
    """Lint a folder of knowledge.

    Also says where the network cannot give back a stated number, with both numbers.
    Exit code 1 when there is an error, 2 when the folder cannot be read.
    """
    if folder is not None and priors is not None and folder != priors:
        raise InvalidKnowledge(Fault("options", "one folder", Phrase(f"{folder} and {priors}")))
    knowledge = read_knowledge(folder or priors)
    # What the finished network makes of the numbers belongs to a check as well.
    remarks = lint(knowledge) + fit_remarks(assemble(knowledge))
    for severity, place, message in remarks:
        if severity != "info" or not quiet:
            print(f"{severity}: {place}: {message}")
    counts = Counter(severity for severity, _, _ in remarks)
    found = ", ".join(f"{counts[kind]} {kind}" for kind in ("error", "warning", "info"))
    size = f"{len(knowledge.causes)} causes, {len(knowledge.findings)} findings"
    print(f"{knowledge.folder}: {size}; {found}; digest {knowledge.digest[:12]}")
    if counts["error"] or (strict and counts["warning"]):
        raise typer.Exit(1)
