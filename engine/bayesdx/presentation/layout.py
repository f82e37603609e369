"""What a description of a result is made of: paragraphs and tables of text, without a medium."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

Emphasis = Literal["", "strong", "quiet", "emergency", "urgent", "soon", "routine", "self_care"]


@dataclass(frozen=True)
class Paragraph:
    """Text that is wrapped at blanks, with a hanging indent below its mark.

    Attributes
    ----------
    text : str
        One paragraph; empty for a blank line.
    mark : str
        Stands before the first line, such as ``"- "``.
    indent : int
        Characters before the mark.
    emphasis : str
        How it stands out; an urgency is one.
    lead : str
        Plain text before `text`, which alone stands out.
    statements : sequence of str
        Ids of what it rests on, for media that can link to them.
    """

    text: str
    mark: str = ""
    indent: int = 0
    emphasis: Emphasis = ""
    lead: str = ""
    statements: Sequence[str] = ()


BLANK = Paragraph("")


@dataclass(frozen=True)
class Meter:
    """A bar; its value is -1 to 1."""

    value: float


@dataclass(frozen=True)
class Cited:
    """A text of one or more lines, and the ids of the statements that it rests on."""

    text: str
    statements: Sequence[str] = ()

    def __str__(self) -> str:
        return f"{self.text} ({', '.join(self.statements)})" if self.statements else self.text


Cell = str | Meter | Cited
Row = tuple[Cell, ...] | str


@dataclass(frozen=True)
class Grid:
    """A table.

    Attributes
    ----------
    heads : sequence of str
        Labels of the columns.
    rows : list of tuples of cells, or str
        As many cells as heads; a cell of text may have several lines. A text alone is a line
        between the others.
    texts : set of int
        Columns of words, wrapped at blanks; the others are numbers.
    notes : sequence of str
        Below the table.
    title : str
    """

    heads: Sequence[str]
    rows: list[Row] = field(default_factory=list)
    texts: frozenset[int] = frozenset({0})
    notes: Sequence[str] = ()
    title: str = ""


Block = Paragraph | Grid


def cited_in(block: Block) -> Iterator[str]:
    """Yield the ids of the statements that a block names."""
    if isinstance(block, Paragraph):
        yield from block.statements
        return
    cells = (cell for row in block.rows if not isinstance(row, str) for cell in row)
    yield from (name for cell in cells if isinstance(cell, Cited) for name in cell.statements)


def section(heading: str) -> list[Block]:
    """Return a heading, set off from what stands above."""
    return [BLANK, Paragraph(heading)]


def bullets(texts: Sequence[str]) -> list[Block]:
    """Return one point a text."""
    return [Paragraph(text, mark="- ", indent=2) for text in texts]


def ending(intended_use: str) -> list[Block]:
    """Return what every answer ends with."""
    return [BLANK, Paragraph(intended_use, emphasis="quiet")]
