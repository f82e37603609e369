"""Descriptions as HTML for notebooks: everything escaped, nothing loaded, no library needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape

from bayesdx.presentation.layout import Block, Cell, Cited, Grid, Meter, Paragraph

#: Width of a full bar, in letters; colours that every kind of colour vision tells apart.
BAR = 12.0
TOWARDS, AWAY = "#0072b2", "#d55e00"
STYLES = {"": "", "quiet": "font-size:smaller;"}
#: Of what is strong, and of an urgency.
STRONG = "font-weight:bold;"
RIGHT = "text-align:right;white-space:nowrap"


Citing = Callable[[Sequence[str]], str]


def in_brackets(statements: Sequence[str]) -> str:
    """Name statements where nothing can be linked to."""
    return f" ({escape(', '.join(statements))})" if statements else ""


def markup(blocks: Iterable[Block], cite: Citing = in_brackets) -> str:
    """Return a description as one element; `cite` makes links of ids of statements."""
    parts = [
        _paragraph(block, cite) if isinstance(block, Paragraph) else _table(block, cite)
        for block in blocks
    ]
    return f"<div>{''.join(parts)}</div>"


def _paragraph(block: Paragraph, cite: Citing) -> str:
    if not block.text:
        return ""
    style = STYLES.get(block.emphasis, STRONG)
    style += f"margin-left:{block.indent / 2:g}em" if block.indent else ""
    text = escape(block.mark + block.lead + block.text)
    # In a notebook nothing leads from there to what a statement says.
    links = "" if cite is in_brackets else cite(block.statements)
    return f'<p style="{style}">{text}{links}</p>' if style else f"<p>{text}{links}</p>"


def _table(grid: Grid, cite: Citing) -> str:
    width = len(grid.heads)
    body = "".join(
        f"<tr>{''.join(_cell(cell, at in grid.texts, cite) for at, cell in enumerate(row))}</tr>"
        if not isinstance(row, str)
        else f'<tr><td colspan="{width}">{escape(row)}</td></tr>'
        for row in grid.rows
    )
    heads = "".join(
        f"<th>{escape(head)}</th>"
        if at in grid.texts
        else f'<th style="{RIGHT}">{escape(head)}</th>'
        for at, head in enumerate(grid.heads)
    )
    caption = f"<caption>{escape(grid.title)}</caption>" if grid.title else ""
    notes = "".join(_paragraph(Paragraph(note, emphasis="quiet"), cite) for note in grid.notes)
    return (
        # What scrolls must be reached by keyboard (WCAG 2.1.1).
        '<div style="overflow-x:auto" role="group" aria-label="table" tabindex="0">'
        f"<table>{caption}<thead><tr>{heads}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>{notes}"
    )


def _cell(cell: Cell, words: bool, cite: Citing) -> str:
    if isinstance(cell, Meter):
        width = BAR * min(abs(cell.value), 1.0)
        colour = TOWARDS if cell.value >= 0.0 else AWAY
        return (
            f'<td><span style="display:inline-block;height:0.8em;width:{width:.2f}em;'
            f'background:{colour}"></span></td>'
        )
    text, names = (cell.text, cell.statements) if isinstance(cell, Cited) else (cell, ())
    if words:
        return f"<td>{escape(text).replace(chr(10), '<br>')}{cite(names)}</td>"
    number = f"\N{MINUS SIGN}{text[1:]}" if text.startswith("-") else text
    return f'<td style="{RIGHT}">{escape(number)}</td>'
