"""How levels, probabilities, findings and paragraphs look."""

from __future__ import annotations

import re
from collections.abc import Sequence
from textwrap import wrap
from types import MappingProxyType

from rich.console import Console
from rich.text import Text

from bayesdx.diagnosis.phrases import NO_LABELS, in_words, percent

__all__ = ["LEVEL_STYLES", "NO_LABELS", "in_words", "listed", "percent", "print_paragraph"]

MOST_NAMES = 4
#: Spaces at which no line is broken, and what stands for them meanwhile.
TIES = re.compile(r"(?<=[<>]) (?=\d)|(?<=\d) (?=%)")
TIE = "\N{NO-BREAK SPACE}"

LEVEL_STYLES = MappingProxyType(
    {
        "emergency": "bold white on red",
        "urgent": "bold red",
        "soon": "bold yellow",
        "routine": "bold",
        "self_care": "bold",
    }
)


def listed(names: Sequence[str], every: bool, most: int = MOST_NAMES, between: str = ", ") -> str:
    """Write names in a row: `every` one, or the first few and how many more."""
    # "and 1 more" is no shorter than the name it stands for.
    if every or len(names) <= most + 1:
        return between.join(names)
    return f"{between.join(names[:most])} and {len(names) - most} more"


def print_paragraph(
    console: Console, text: str, *, mark: str = "", indent: int = 0, style: str = ""
) -> None:
    """Print text with a hanging indent below its mark; only the text is styled, not the margin."""
    first = " " * indent + mark
    # A number stays with its percent sign and with the sign before it.
    tied = TIES.sub(TIE, text)
    lines = wrap(tied, max(console.width - len(first), 10), break_on_hyphens=False)
    for at, line in enumerate(lines):
        margin = first if at == 0 else " " * len(first)
        console.print(Text.assemble(margin, (line.replace(TIE, " "), style)), soft_wrap=True)
