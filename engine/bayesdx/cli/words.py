"""How levels, probabilities, findings and paragraphs look."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from textwrap import wrap
from types import MappingProxyType

from rich.console import Console
from rich.text import Text

MOST_NAMES = 4
#: Spaces at which no line is broken, and what stands for them meanwhile.
TIES = re.compile(r"(?<=[<>]) (?=\d)|(?<=\d) (?=%)")
TIE = "\N{NO-BREAK SPACE}"
NO_LABELS: Mapping[str, str] = MappingProxyType({})

LEVEL_STYLES = MappingProxyType(
    {
        "emergency": "bold white on red",
        "urgent": "bold red",
        "soon": "bold yellow",
        "routine": "bold",
        "self_care": "bold",
    }
)


def percent(probability: float) -> str:
    """Write a probability so that what is small, and what is exactly nothing, can be told apart."""
    if math.isnan(probability):
        return ""
    if probability == 0.0:
        return "excluded"
    if probability < 0.0001:
        return "< 0.01 %"
    if 0.999 <= probability < 1.0:
        return "> 99.9 %"
    digits = 1 if probability >= 0.01 else 2
    return f"{100 * probability:.{digits}f} %"


def listed(names: Sequence[str], every: bool, most: int = MOST_NAMES, between: str = ", ") -> str:
    """Write names in a row: `every` one, or the first few and how many more."""
    # "and 1 more" is no shorter than the name it stands for.
    if every or len(names) <= most + 1:
        return between.join(names)
    return f"{between.join(names[:most])} and {len(names) - most} more"


def in_words(
    leaf: str, labels: Mapping[str, str], understood: Mapping[str, str] = NO_LABELS
) -> str:
    """Write an id, or a leaf of a condition such as ``"!fever"``, by its label.

    Parameters
    ----------
    leaf : str
        ``"fever"``, ``"!fever"`` or ``"age:65_to_69|70_or_over"``.
    labels : mapping of str to str
        Labels of findings and risks; an id without one stays an id.
    understood : mapping of str to str, optional
        What the case says: it stands in place of the states that a leaf allows.
    """
    name, colon, states = leaf.removeprefix("!").partition(":")
    label = labels.get(name, name)
    if label[1:2].islower():
        # "FAIR test" keeps its capitals.
        label = label[0].lower() + label[1:]
    if colon:
        state = understood.get(name) or states.replace("|", " or ")
        return f"{label}: {state.replace('_', ' ')}"
    return f"absent: {label}" if leaf.startswith("!") else label


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
