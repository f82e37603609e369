"""Help as wide as the terminal, down to 40 columns; typer itself stops at 50."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Any

from typer.core import TyperCommand

#: Longer lines are hard to read, however wide a terminal is.
WIDEST, LEAST = 80, 40

# What typer makes help with is that of click, or, from some version on, its own copy of it.
_Context: Any = TyperCommand.context_class
_Formatter: Any = _Context.formatter_class


class HelpFormatter(_Formatter):  # type: ignore[misc]  # a class that is found at run time
    """Leaves names of options a third of the line; longer ones stand on a line of their own."""

    def __init__(
        self, indent_increment: int = 2, width: int | None = None, max_width: int | None = None
    ) -> None:
        columns = shutil.get_terminal_size().columns
        width = max(min(columns, max_width or WIDEST), LEAST) - 2 if width is None else width
        super().__init__(indent_increment, width, max_width)

    def write_dl(
        self, rows: Sequence[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Write names with what they mean."""
        super().write_dl(rows, min(col_max, self.width // 3), col_spacing)


class HelpContext(_Context):  # type: ignore[misc]  # as above
    """Makes help with that formatter."""

    formatter_class = HelpFormatter


class Command(TyperCommand):
    """A command whose help is as wide as the terminal."""

    context_class = HelpContext
