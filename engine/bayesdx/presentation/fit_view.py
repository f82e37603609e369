"""How well the model fits a case, and causes by what would change without them."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan
from typing import TYPE_CHECKING

from bayesdx.presentation.layout import BLANK, Block, Grid, Paragraph
from bayesdx.presentation.words import fit_shares, fit_verdict, percent, rows_of, share, spaced

if TYPE_CHECKING:
    from bayesdx.diagnosis.causal import CausalTable
    from bayesdx.diagnosis.predictive_check import Surprise

FIT_HEADS = ("observation", "value", "alone", "given the rest", "times", "background")
FIT_NOTE = (
    "times: below 1 the other observations speak against this one; background: how probable it is "
    "that no modelled cause made it present"
)


def surprise_blocks(found: Surprise) -> Iterator[Block]:
    """Describe how well the model fits a case."""
    yield Paragraph(fit_verdict(found), emphasis="strong")
    if found.status != "impossible":
        yield Paragraph(fit_shares(found))
    if not len(found.table):
        return
    rows = [
        (
            row["label"],
            spaced(row["value"]),
            percent(row["alone"]),
            percent(row["given_rest"]),
            f"{row['ratio']:.2f}",
            "" if isnan(row["background"]) else share(row["background"]),
        )
        for _, row in rows_of(found.table)
    ]
    yield BLANK
    yield Grid(FIT_HEADS, list(rows), frozenset({0, 1}), [FIT_NOTE])


def ranking_blocks(found: CausalTable, top: int) -> Iterator[Block]:
    """Describe the first causes by what would change without them."""
    if found.status == "impossible":
        text = "The model holds these findings impossible together: nothing can be ranked."
        yield Paragraph(text, emphasis="strong")
        return
    yield Paragraph(
        f"Of {found.symptoms} findings that are present, how many would not be without each "
        "cause (disablement), and how many would be with it alone (sufficiency). Rank by "
        "posterior in brackets. A cause low in this list is not ruled out."
    )
    rows = [
        (
            row["label"],
            f"{percent(row['posterior'])} [{row['rank_posterior']:.0f}]",
            f"{row['disablement']:.3f}",
            f"{row['sufficiency']:.3f}",
        )
        for _, row in rows_of(found.table.head(top))
    ]
    yield Grid(("cause", "posterior", "disablement", "sufficiency"), list(rows))
