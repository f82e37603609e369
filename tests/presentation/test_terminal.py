"""Descriptions on a terminal: nothing is cut, whatever the width."""

import io
import re

import pytest
from rich.console import Console

from bayesdx.presentation.layout import Grid, Meter, Paragraph
from bayesdx.presentation.notebook import markup
from bayesdx.presentation.terminal import show

IDS = ("a_rather_long_identifier_of_a_cause", "short", "another_long_identifier")
GRID = Grid(
    ("cause", "id", "prior", "posterior"),
    [
        *((f"The label of {name} in some words", name, "< 0.01 %", "12.3 %") for name in IDS),
        "... and besides:",
        ("Last", "last", "1.0 %", "99.0 %"),
    ],
    frozenset({0, 1}),
    ["a note below the table"],
    "A title",
)


def printed(*blocks, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False, markup=False)
    show(blocks, console)
    return console.file.getvalue()


@pytest.mark.parametrize("width", range(40, 130, 3))
def test_no_width_cuts_an_id_or_a_number(width: int) -> None:
    out = printed(GRID, width=width)
    assert max(map(len, out.splitlines())) <= width
    assert set(IDS) <= set(re.split(r"[\s;]+", out))
    assert out.count("< 0.01 %") == 3
    for text in ("... and besides:", "a note below the table", "A title"):
        assert text in out


@pytest.mark.parametrize("width", [40, 60, 100])
def test_a_list_of_labels_and_ids_keeps_its_ids(width: int) -> None:
    grid = Grid(("label", "id"), [("Some label", name) for name in IDS], frozenset({0, 1}))
    assert set(IDS) <= set(printed(grid, width=width).split())


def test_bars_are_drawn_on_both_sides_and_never_wrapped() -> None:
    grid = Grid(("what", ""), [("for", Meter(1.0)), ("against", Meter(-0.5))], frozenset({0, 1}))
    first, second = printed(grid, width=40).splitlines()[1:]
    assert first.endswith("|++++++")
    assert second.endswith("---|")
    assert first.index("|") == second.index("|")


def test_names_with_brackets_are_no_markup() -> None:
    assert "[red]x[/red] :smile:" in printed(Paragraph("[red]x[/red] :smile:"), width=60)


def test_notebooks_get_the_same_escaped() -> None:
    grid = Grid(("<a>", "x"), [("<b>\n&", "-1.5"), "<i>"], notes=["<n>"], title="<t>")
    html = markup([grid, Paragraph("<p>", mark="! ", emphasis="urgent"), Paragraph("")])
    for raw in ("<a>", "<b>", "<i>", "<n>", "<t>", "script"):
        assert raw not in html
    for shown in ("&lt;a&gt;", "&lt;b&gt;<br>&amp;", "\N{MINUS SIGN}1.5", "&lt;i&gt;", "&lt;n&gt;"):
        assert shown in html
