"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bayesdx.cli.arguments import read_findings
from bayesdx.errors import Fault, InvalidCase, InvalidKnowledge, Phrase

Priors = Annotated[
    Path | None,
    typer.Option(
        "-p",
        "--priors",
        metavar="FOLDER",
        help="Knowledge to use instead of the packaged priors.",
        show_default=False,
    ),
]

Findings = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FINDING",
        help="id=value, id alone for present, !id for absent; values as for diagnose.",
        show_default=False,
    ),
]

Folder = Annotated[
    Path | None,
    typer.Argument(
        metavar="FOLDER",
        help="The priors folder; by default the packaged one.",
        show_default=False,
    ),
]


def one_folder(folder: Path | None, priors: Path | None) -> Path | None:
    """Return the folder that was named as an argument or an option; both must be the same."""
    if folder is not None and priors is not None and folder != priors:
        raise InvalidKnowledge(Fault("options", "one folder", Phrase(f"{folder} and {priors}")))
    return folder or priors


def given_findings(words: list[str] | None) -> dict[str, str]:
    """Read the findings of a command that does not ask for any.

    Raises
    ------
    InvalidCase
        When there is none, or a word cannot be read.
    """
    given = read_findings(words or ())
    if not given:
        expected = "findings, such as low_back_pain=present"
        raise InvalidCase(Fault("arguments", expected, Phrase("none")))
    return given
