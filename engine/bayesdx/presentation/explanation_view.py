"""Why a cause is as probable as it is: signed bars that add up, rivals, and what could matter."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from bayesdx.presentation.layout import BLANK, Block, Cited, Grid, Meter, Paragraph, Row, bullets
from bayesdx.presentation.notebook import markup
from bayesdx.presentation.words import (
    METHODS,
    clash_text,
    log_odds,
    number_behind,
    percent,
    rows_of,
    spaced,
    split_names,
    understood_as,
)

if TYPE_CHECKING:
    import pandas as pd

    from bayesdx.diagnosis.explaining.explanation import Explanation

CAUSES, CAUSES_IN_NOTEBOOK = 2, 3
PRODUCERS = 3
HEADS = ("observed", "log-odds", "", "LR alone", "LR here")


def explanation_blocks(
    found: Explanation, causes: int, sources: Mapping[str, str], intended_use: str
) -> Iterator[Block]:
    """Describe an explanation.

    Parameters
    ----------
    found : Explanation
    causes : int
        How many of the first causes are told.
    sources : mapping of str to str
        Titles by id.
    intended_use : str
    """
    yield from _answer(found, causes)
    yield from _source_blocks(found, causes, sources)
    yield Paragraph(understood_as(found.understood))
    text = "A low number, or a bar that points away, rules nothing out."
    yield Paragraph(text, emphasis="strong")
    yield Paragraph(intended_use, emphasis="quiet")


def explanation_html(found: Explanation) -> str:
    """Return the leading causes for a notebook."""
    blocks = list(_answer(found, CAUSES_IN_NOTEBOOK))
    if (left := len(found.causes) - CAUSES_IN_NOTEBOOK) > 0 and found.status == "ok":
        blocks.append(Paragraph(f"and {left} causes more, in .table"))
    return markup(blocks)


def _answer(found: Explanation, causes: int) -> Iterator[Block]:
    if found.status == "impossible":
        text = f"{clash_text(found.clashes)} Check these answers."
        yield Paragraph(text, emphasis="strong")
    elif found.status == "no_findings":
        text = "Nothing is known of this case: every cause stands at its prior."
        yield Paragraph(text, emphasis="strong")
    else:
        for name in found.causes.index[:causes]:
            yield from cause_blocks(found, str(name))
            yield BLANK
        yield from produced_blocks(found)
        yield BLANK
        yield Paragraph(f"How it is shared out: {METHODS[found.method]}")


def _source_blocks(found: Explanation, causes: int, sources: Mapping[str, str]) -> Iterator[Block]:
    """Tell what the sources are that stand behind the numbers of the causes told."""
    told = [found.of(str(name))["source"] for name in found.causes.index[:causes]]
    cited = dict.fromkeys(name for rows in told for name in rows if name in sources)
    if cited:
        yield BLANK
        yield Paragraph("Sources named above:")
        yield from bullets([f"{name}: {sources[name]}" for name in sorted(cited)])


def cause_blocks(found: Explanation, name: str) -> Iterator[Block]:
    """Describe one cause: signed bars, rivals, and what could still matter."""
    cause, rows = found.causes.loc[[name]].iloc[0], found.of(name)
    yield Paragraph(f"{cause['label']} ({name})", emphasis="strong")
    yield Paragraph(change_text(cause, rows), indent=2)
    yield from contribution_blocks(found, name)


def contribution_blocks(found: Explanation, name: str) -> Iterator[Block]:
    """Describe what each observation does to a cause, its rivals, and what could still matter."""
    yield contribution_grid(found.of(name))
    taken = [
        f"{row['label']}, {percent(row['posterior_without'])}"
        for row in rows_about(found.away, name)
        if row["shift"] > 0.0
    ]
    if taken:
        text = f"Credit that others take; without them it would be at: {'; '.join(taken)}."
        yield Paragraph(text, indent=2)
    if answers := rows_about(found.could_matter, name):
        yield Paragraph("Would matter if known:", indent=2)
    for row in answers:
        present, absent = percent(row["posterior_if_present"]), percent(row["posterior_if_absent"])
        text = f"{row['label']}: {present} if present, {absent} if absent"
        yield Paragraph(text, mark="- ", indent=4)


def rows_about(table: pd.DataFrame, cause: str) -> list[dict[str, Any]]:
    """Return the rows of a table about one cause, which its index names."""
    return [row for _, row in rows_of(table[table.index.get_level_values("cause") == cause])]


def change_text(cause: pd.Series[float], rows: pd.DataFrame) -> str:
    """Say what was observed did to a cause; where that is infinite, what decided it."""
    change = float(rows["contribution"].sum())
    if float(cause["prior"]) == 0.0:
        return "The model gives it no probability, whatever is observed."
    before = percent(float(cause["prior"]))
    if math.isinf(change):
        decisive = rows.loc[rows["contribution"].map(math.isinf), "label"]
        return (
            f"{before} before. By its definition in the model it is {log_odds(change)} with what "
            f"was answered on: {'; '.join(decisive)}. An answer can be wrong, and so can a "
            "definition."
        )
    return (
        f"{before} before, {percent(float(cause['posterior']))} after what was observed: "
        f"{log_odds(change)} in log-odds (+0.69 doubles the odds), which is the sum of:"
    )


def contribution_grid(rows: pd.DataFrame) -> Grid:
    """Lay out what each observation does, with the number behind it."""
    sizes = [abs(x) for x in rows["contribution"] if math.isfinite(x)]
    widest = max(sizes, default=0.0) or 1.0
    told: list[Row] = []
    for _, row in rows_of(rows):
        text = f"{row['label']}: {spaced(row['value'])}\n  {number_behind(row)}"
        told.append(
            (
                Cited(text, split_names(row["statements"])),
                log_odds(row["contribution"]),
                Meter(row["contribution"] / widest),
                f"{row['lr_alone']:.3g}",
                f"{row['lr_in_context']:.3g}",
            )
        )
    return Grid(HEADS, told, frozenset({0, 2}))


def produced_blocks(found: Explanation) -> Iterator[Block]:
    """Tell who produced each finding that is present."""
    if not len(found.credit):
        return
    text = "Who produced what is present (several can have, so shares can exceed 100 %):"
    yield Paragraph(text)
    for finding, rows in found.credit.groupby("finding_label", sort=False):
        first = rows_of(rows.head(PRODUCERS))
        shares = "; ".join(f"{row['label']} {percent(row['credit'])}" for _, row in first)
        yield from bullets([f"{finding}: {shares}"])
