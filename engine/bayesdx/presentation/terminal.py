"""Descriptions on a terminal or in a pipe: wrapped at blanks, and never inside a word."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from textwrap import wrap
from types import MappingProxyType

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from bayesdx.presentation.layout import Block, Cell, Grid, Meter, Paragraph, Row

WIDTH_OF_A_PIPE = 100
LEAST_WIDTH, LONGEST_LINE = 40, 100_000
#: Below this many columns ids stand under the labels: beside them, both would be cut up.
WIDTH_FOR_IDS = 90
#: Spaces at which no line is broken, and what stands for them meanwhile.
TIES = re.compile(r"(?<=[<>]) (?=\d)|(?<=\d) (?=%)")
TIE = "\N{NO-BREAK SPACE}"
GAP = 2
#: Half a bar, in characters, on a narrow and on a wide terminal.
NARROW_BAR, WIDE_BAR, WIDE = 6, 12, 100
STYLES = MappingProxyType(
    {
        "emergency": "bold white on red",
        "urgent": "bold red",
        "soon": "bold yellow",
        "routine": "bold",
        "self_care": "bold",
        "strong": "bold",
        "quiet": "dim",
        "": "",
    }
)


def columns(stderr: bool = False, of_a_pipe: int = WIDTH_OF_A_PIPE) -> int:
    """Return the width to write in: COLUMNS wins, then the terminal; a file or pipe has none."""
    stated = os.environ.get("COLUMNS", "")
    if stated.isdecimal() and int(stated) > 0:
        return int(stated)
    try:
        # Not that of standard output, which may be a file.
        width = os.get_terminal_size((sys.stderr if stderr else sys.stdout).fileno()).columns
    except (OSError, ValueError, AttributeError):
        width = 0
    return width or of_a_pipe


def make_console(stderr: bool = False, width_of_a_pipe: int = WIDTH_OF_A_PIPE) -> Console:
    """Return a console as wide as the terminal; rich itself leaves out colours in a pipe."""
    width = columns(stderr, width_of_a_pipe)
    return Console(
        stderr=stderr, width=max(width, LEAST_WIDTH), highlight=False, markup=False, emoji=False
    )


def show(blocks: Iterable[Block], console: Console | None = None) -> None:
    """Print a description, by default on standard output."""
    console = console or make_console()
    for block in blocks:
        for line in _lines(block, console.width):
            console.print(line, soft_wrap=True)


def lines_of(blocks: Iterable[Block], width: int) -> int:
    """Return how many lines a description takes at a width."""
    return sum(1 for block in blocks for _ in _lines(block, width))


def _lines(block: Block, width: int) -> Iterator[Text]:
    if isinstance(block, Paragraph):
        return _paragraph_lines(block, width)
    return _grid_lines(block, width)


def show_lines(text: str, width_of_a_pipe: int = LONGEST_LINE) -> None:
    """Print lines that keep their own indents, each wrapped with a deeper one.

    In a file or pipe without COLUMNS a line stays one by default, so that it can be looked for.
    """
    console = make_console(width_of_a_pipe=width_of_a_pipe)
    for one in text.split("\n"):
        block = Paragraph(one.strip(), indent=len(one) - len(one.lstrip()))
        for at, line in enumerate(_paragraph_lines(block, console.width - 2)):
            console.print(Text("  " if at else "") + line, soft_wrap=True)


def tell(text: str) -> None:
    """Print a remark to standard error; in a file or pipe without COLUMNS it stays one line."""
    if sys.stderr is not None:  # as where whoever started it closed the stream
        console = make_console(stderr=True, width_of_a_pipe=LONGEST_LINE)
        try:
            show([Paragraph(line) for line in text.split("\n")], console)
        except BrokenPipeError:
            raise
        except OSError:
            # A full disk behind it: a remark that cannot be written must not undo what was done,
            # nor what is left of it make Python fail when it flushes at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def wrapped(text: str, width: int) -> list[str]:
    """Return the lines of a text, broken at blanks; a number stays with its signs."""
    tied = TIES.sub(TIE, text)
    lines = wrap(tied, max(width, 1), break_on_hyphens=False, break_long_words=False)
    return [line.replace(TIE, " ") for line in lines]


def words_of(line: str) -> list[str]:
    """Return the parts of a line between which it may be broken."""
    return [word.replace(TIE, " ") for word in TIES.sub(TIE, line).split(" ")]


def _paragraph_lines(block: Paragraph, width: int) -> Iterator[Text]:
    first = " " * block.indent + block.mark
    lines = wrapped(block.lead + block.text, max(width - len(first), 10)) or [""]
    style = STYLES[block.emphasis]
    for at, line in enumerate(lines):
        margin = first if at == 0 else " " * len(first)
        # Only the text is styled, not the margin, and not what leads up to it.
        plain = min(len(block.lead), len(line)) if at == 0 else 0
        yield Text.assemble(margin, line[:plain], (line[plain:], style))


def _grid_lines(grid: Grid, width: int) -> Iterator[Text]:
    half = WIDE_BAR if width >= WIDE else NARROW_BAR
    if width < WIDTH_FOR_IDS and "id" in grid.heads:
        grid = _ids_below(grid)
    rows = [
        row if isinstance(row, str) else [_cell_lines(cell, half) for cell in row]
        for row in grid.rows
    ]
    if grid.title:
        yield from _paragraph_lines(Paragraph(grid.title, emphasis="strong"), width)
    widths = _widths(grid, [row for row in rows if not isinstance(row, str)], width)
    if widths is None:
        yield from _stacked(grid, width)
    else:
        heads = [head.split("\n") for head in grid.heads]
        yield from _row_lines(heads, widths, grid.texts, "bold")
        for row in rows:
            if isinstance(row, str):
                yield from _paragraph_lines(Paragraph(row, emphasis="quiet"), width)
            else:
                yield from _row_lines(row, widths, grid.texts, "")
    for note in grid.notes:
        yield from _paragraph_lines(Paragraph(note, emphasis="quiet"), width)


def _ids_below(grid: Grid) -> Grid:
    """Put the column ``id``, which is the second, under the first."""
    rows: list[Row] = [
        row if isinstance(row, str) else (f"{row[0]}\n{row[1]}", *row[2:]) for row in grid.rows
    ]
    texts = frozenset(max(at - 1, 0) for at in grid.texts)
    heads = [head for head in grid.heads if head != "id"]
    return replace(grid, heads=heads, rows=rows, texts=texts)


def _cell_lines(cell: Cell, half: int) -> list[str]:
    return [_bar(cell, half)] if isinstance(cell, Meter) else str(cell).split("\n")


def _bar(meter: Meter, half: int) -> str:
    """Draw a bar to the right of a line for what speaks for something, to the left for against."""
    length = round(half * min(abs(meter.value), 1.0))
    if meter.value >= 0.0:
        return " " * half + "|" + ("+" * length).ljust(half)
    return ("-" * length).rjust(half) + "|" + " " * half


def _widths(grid: Grid, rows: Sequence[Sequence[Sequence[str]]], width: int) -> list[int] | None:
    """Return the width of each column; None where a word or a number would have to be cut."""
    lines = [[*head.split("\n")] for head in grid.heads]
    columns = [
        [*lines[at], *(line for row in rows for line in row[at])] for at in range(len(lines))
    ]
    natural = [max(map(cell_len, column)) for column in columns]
    # Bars and numbers are not wrapped.
    drawn = {k for row in grid.rows for k, cell in enumerate(row) if isinstance(cell, Meter)}
    least = [
        min(natural[at], max(cell_len(word) for line in column for word in words_of(line)))
        if at in grid.texts - drawn
        else natural[at]
        for at, column in enumerate(columns)
    ]
    room = width - GAP * (len(natural) - 1)
    if sum(least) > room:
        return None
    found = list(natural)
    while sum(found) > room:
        # The widest that can give way does.
        at = max(
            (k for k in range(len(found)) if found[k] > least[k]), key=lambda k: found[k] - least[k]
        )
        found[at] -= 1
    return found


def _row_lines(
    cells: Sequence[Sequence[str]], widths: Sequence[int], texts: frozenset[int], style: str
) -> Iterator[Text]:
    """Lay out a row; the second and later lines of a cell are asides."""
    told = [
        [
            (line, at > 0)
            for at, whole in enumerate(cell)
            for line in _hung(whole, width, k in texts)
        ]
        for k, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    for at in range(max(map(len, told))):
        line = Text()
        for k, (column, width) in enumerate(zip(told, widths, strict=True)):
            text, aside = column[at] if at < len(column) else ("", False)
            pad = " " * (width - cell_len(text))
            line.append(text + pad if k in texts else pad + text, "dim" if aside else style)
            line.append(" " * GAP if k < len(widths) - 1 else "")
        line.rstrip()
        yield line


def _hung(text: str, width: int, words: bool) -> list[str]:
    """Wrap a line of a cell; what it is indented by, all its lines are."""
    indent = text[: len(text) - len(text.lstrip())]
    if not words or cell_len(text) <= width:
        return [text]
    return [indent + line for line in wrapped(text.strip(), width - len(indent))]


def _stacked(grid: Grid, width: int) -> Iterator[Text]:
    """Print each row as a paragraph, where the columns do not fit beside each other."""
    for row in grid.rows:
        first, *rest = (row,) if isinstance(row, str) else row
        lines = str(first).split("\n")
        yield from _paragraph_lines(Paragraph(lines[0]), width)
        for line in lines[1:]:
            yield from _paragraph_lines(Paragraph(line.strip(), indent=2), width)
        said = [
            f"{head} {str(cell).replace(chr(10), ' ')}".strip()
            for head, cell in zip(grid.heads[1:], rest, strict=False)
            if not isinstance(cell, Meter) and cell
        ]
        if said:
            yield from _paragraph_lines(Paragraph("; ".join(said), indent=4), width)
