"""Descriptions as HTML for notebooks: everything escaped, nothing loaded, no library needed."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from bayesdx.presentation.layout import Block, Cell, Grid, Meter, Paragraph

#: Width of a full bar, in letters; colours that every kind of colour vision tells apart.
BAR = 12.0
TOWARDS, AWAY = "#0072b2", "#d55e00"
STYLES = {"": "", "quiet": "font-size:smaller;"}
#: Of what is strong, and of an urgency.
STRONG = "font-weight:bold;"


def markup(blocks: Iterable[Block]) -> str:
    """Return a description as one element."""
    parts = [
        _paragraph(block) if isinstance(block, Paragraph) else _table(block) for block in blocks
    ]
    return f"<div>{''.join(parts)}</div>"


def _paragraph(block: Paragraph) -> str:
    if not block.text:
        return ""
    style = STYLES.get(block.emphasis, STRONG)
    style += f"margin-left:{block.indent / 2:g}em" if block.indent else ""
    text = escape(block.mark + block.lead + block.text)
    return f'<p style="{style}">{text}</p>' if style else f"<p>{text}</p>"


def _table(grid: Grid) -> str:
    width = len(grid.heads)
    body = "".join(
        f"<tr>{''.join(_cell(cell, at in grid.texts) for at, cell in enumerate(row))}</tr>"
        if not isinstance(row, str)
        else f'<tr><td colspan="{width}">{escape(row)}</td></tr>'
        for row in grid.rows
    )
    heads = "".join(f"<th>{escape(head)}</th>" for head in grid.heads)
    caption = f"<caption>{escape(grid.title)}</caption>" if grid.title else ""
    notes = "".join(_paragraph(Paragraph(note, emphasis="quiet")) for note in grid.notes)
    return f"<table>{caption}<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>{notes}"


def _cell(cell: Cell, words: bool) -> str:
    if not isinstance(cell, Meter):
        if words:
            return f"<td>{escape(cell).replace(chr(10), '<br>')}</td>"
        number = f"\N{MINUS SIGN}{cell[1:]}" if cell.startswith("-") else cell
        return f'<td style="text-align:right">{escape(number)}</td>'
    width = BAR * min(abs(cell.value), 1.0)
    colour = TOWARDS if cell.value >= 0.0 else AWAY
    return (
        f'<td><span style="display:inline-block;height:0.8em;width:{width:.2f}em;'
        f'background:{colour}"></span></td>'
    )
