"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
