"""The short list: what an answer shows first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayesdx.presentation.layout import BLANK, Block, Grid, Row
from bayesdx.presentation.words import rows_of, share

if TYPE_CHECKING:
    from bayesdx import Diagnosis


def shortlist_blocks(diagnosis: Diagnosis) -> list[Block]:
    """Lay out the short list, and what is left to the background."""
    listed = [row for _, row in rows_of(diagnosis.shortlist)]
    if not listed:
        return []
    rows: list[Row] = [
        (str(row["label"]), str(row["why"]), f"plays a part: {share(row['plays_a_part'])}")
        for row in listed
    ]
    heads = ("look at first", "why", "")
    return [BLANK, Grid(heads, rows, frozenset({0, 1, 2}), [background_text(diagnosis)])]


def background_text(diagnosis: Diagnosis) -> str:
    """Say which share no cause is credited with."""
    return (
        f"{share(diagnosis.background)} of the picture is left to the background: to what is "
        "common anyway, or to a cause that is not modelled."
    )
