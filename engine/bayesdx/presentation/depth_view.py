"""How deep knowledge is, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bayesdx.presentation.layout import Block, Grid, Paragraph, Row, section
from bayesdx.presentation.words import counted, marked, percent, rows_of

if TYPE_CHECKING:
    import pandas as pd

    from bayesdx.diagnosis.depth import Depth

#: Links from which a common or dangerous cause counts as described, and the prior of a common one.
LINKS, COMMON = 15, 0.02
#: Pairs that are shown.
PAIRS = 20


def depth_blocks(found: Depth) -> Iterator[Block]:
    """Describe what causes lack, what moves nothing, and what nothing tells apart."""
    causes, findings, pairs = found.causes, found.findings, found.pairs
    called_for = causes[(causes["dangerous"]) | (causes["prior"] >= COMMON)]
    thin = called_for[called_for["links"] < LINKS]
    yield from section(
        f"Links: {causes['links'].sum()} of {counted(len(causes), 'cause')}, "
        f"{causes['links'].median():.0f} in the middle. Fewer than {LINKS} have "
        f"{len(thin)} of {len(called_for)} that are dangerous or as common as {percent(COMMON)}:"
    )
    yield Grid(
        ("cause", "id", "links", "prior"),
        [
            (row["label"], name, str(row["links"]), percent(row["prior"]))
            for name, row in rows_of(thin)
        ],
        frozenset({0, 1}),
    )
    idle = findings[findings["urgency_only"]].index
    named = ", ".join(f"{name}{marked(name, idle)}" for name in findings.index)
    yield from section(f"Findings that move no cause: {len(findings)}. {named}")
    yield from section(
        f"Pairs that no question, sign or test tells apart: {len(pairs)} whose best one is "
        f"expected to tell less than {found.bound:g} (log-likelihood ratio, natural):"
    )
    shown = zip(pairs.index[:PAIRS], pairs.to_dict("records"), strict=False)
    rows: list[Row] = [
        (
            " / ".join(pair),
            *(f"{row[one]:.2f}" for one in ("questions", "examination", "tests")),
            str(row["best"]),
            f"{row['sum']:.1f}",
        )
        for pair, row in shown
    ]
    heads = ("pair", "questions", "examination", "tests", "best", "sum of all")
    left = len(pairs) - len(rows)
    yield Grid(heads, rows, frozenset({0, 4}), [f"and {left} pairs more"] if left else [])
    yield from _named(causes[~causes["age"]], "Causes that are as likely at every age", len(causes))
    told = causes[causes["first"].notna()]
    if len(told):
        missed = told[told["first"] == 0]
        what = "Causes that no typical presentation of theirs brings to the first place"
        yield from _named(missed, what, len(told))


def _named(part: pd.DataFrame, what: str, of: int) -> Iterator[Block]:
    yield from section(f"{what}: {len(part)} of {of}.")
    if len(part):
        yield Paragraph(", ".join(part.index), indent=2)
