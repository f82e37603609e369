"""The short answer that several commands end with."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

from bayesdx.cli.progress import patience
from bayesdx.presentation.terminal import show, show_lines
from bayesdx.presentation.words import labels_of

if TYPE_CHECKING:
    from bayesdx import Engine


def show_brief(engine: Engine, findings: Mapping[str, object]) -> None:
    """Answer one case and print it in one screen."""
    from bayesdx.diagnosis.briefing import brief_answer
    from bayesdx.presentation.brief_view import brief_blocks

    with patience("drawing the numbers anew"):
        brief = brief_answer(engine.core, findings)
    show(brief_blocks(brief, labels_of(engine.knowledge)))


def tell_next(*commands: str) -> None:
    """Print what to type next, each command on a line of its own."""
    own = sys.argv[0]
    # From an environment that is not activated, the name alone would not be found.
    program = own if Path(own).name == "bayesdx" and which("bayesdx") is None else "bayesdx"
    show_lines("\nNext:\n" + "\n".join(f"  {program} {command}" for command in commands))
