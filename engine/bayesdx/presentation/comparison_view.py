"""What a comparison of sources says, as text, as a table and as JSON."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pandas as pd

from bayesdx.knowledge.learned_numbers import in_use, learned_note
from bayesdx.presentation.as_json import to_json
from bayesdx.presentation.layout import BLANK, Block, Grid, Paragraph, Row, ending
from bayesdx.presentation.words import rows_of, share

if TYPE_CHECKING:
    from bayesdx.diagnosis.per_source import Comparison
    from bayesdx.knowledge.knowledge import Knowledge

#: Statements told for each source, and the smallest change of a posterior worth a line.
MOST_STATEMENTS = 3
SMALLEST_CHANGE = 0.001
NOTE = "Rival readings of documents, each put alone into the model's numbers; not opinions."
HEAD = (
    "Rival readings: each source believed alone, its numbers put into the model's, the rest "
    "shared. These are readings of documents, not opinions on a patient."
)
DISTANCE = (
    "Distance: sum over causes of the Jensen-Shannon divergence of the two posteriors, in bits."
)
FLAGS = "Red flags look at the findings, whatever the source, and are not shown: bayesdx diagnose."
AGAINST_HEADS = (
    "source", "first cause", "there", "model", "differs most", "there", "model", "bits",
)  # fmt: skip


def comparison_blocks(
    found: Comparison, knowledge: Knowledge, case: Hashable, top: int
) -> Iterator[Block]:
    """Describe a comparison: the sources, all cases, one case, the statements behind it."""
    yield from (Paragraph(HEAD), Paragraph(FLAGS))
    if note := learned_note(in_use(knowledge)):
        yield Paragraph(note)
    yield BLANK
    yield Grid(
        ("source", "numbers", "left out", "what it is"),
        [
            (one.id, str(len(one.numbers)), str(len(one.left_out)), one.title)
            for one in found.rivals
        ],
        frozenset({0, 3}),
        title="Sources",
    )
    n_cases = found.posteriors.index.get_level_values("case").nunique()
    if n_cases > 1:
        yield from (BLANK, _summary(found, f"{n_cases} cases: distance from the model"))
        yield from (BLANK, _pairs(found, "Mean distance of the sources from each other"))
    yield from _case(found, case, top)
    if n_cases == 1:
        yield from (BLANK, _pairs(found, "Distance of the sources from each other"))
    yield from (BLANK, Paragraph(DISTANCE, emphasis="quiet"))
    yield from _statements(found, knowledge)
    yield from _readings(found)
    yield from ending(knowledge.model.intended_use)


def top_causes(found: Comparison, case: Hashable, top: int) -> pd.DataFrame:
    """Return a case's posteriors, one row a source, of the causes that are high under any."""
    posteriors = found.posteriors.loc[found.posteriors.index.get_level_values("case") == case]
    posteriors = posteriors.droplevel("case")
    highest = posteriors.max().fillna(0.0).sort_values(ascending=False, kind="stable")
    return posteriors[highest.index[:top]]


def bits(value: float) -> str:
    """Write a distance."""
    return "-" if math.isnan(value) else f"{value:.3f}"


def _summary(found: Comparison, title: str) -> Grid:
    heads = ("source", "cases", "mean", "maximum", "farthest", "first cause differs")
    rows: list[Row] = [
        (
            name,
            str(row["cases"]),
            bits(row["mean_distance"]),
            bits(row["maximum_distance"]),
            str(row["farthest_case"]) if row["cases"] else "-",
            f"{row['first_differs']} of {row['cases']}",
        )
        for name, row in rows_of(found.summary)
    ]
    return Grid(heads, rows, frozenset({0, 4}), title=title)


def _pairs(found: Comparison, title: str) -> Grid:
    names = [rival.id for rival in found.rivals]
    mean = found.pairs.groupby(["rival", "other"])["distance"].mean()
    rows: list[Row] = [
        (name, *[""] * at, *(bits(mean.loc[(name, other)]) for other in names[at + 1 :]))
        for at, name in enumerate(names[:-1])
    ]
    return Grid(("", *names[1:]), rows, title=title)


def _case(found: Comparison, case: Hashable, top: int) -> Iterator[Block]:
    posteriors = top_causes(found, case, top)
    hidden = found.posteriors.shape[1] - len(posteriors.columns)
    yield BLANK
    yield Grid(
        ("cause", *map(str, posteriors.index)),
        [(str(cause), *map(share, posteriors[cause])) for cause in posteriors.columns],
        notes=[f"and {hidden} causes more: --top"] if hidden else [],
        title=f"Case {case}: posteriors under each source alone",
    )
    mine = found.cases[found.cases["case"] == case]
    rows: list[Row] = []
    for _, row in rows_of(mine):
        if not row["possible"]:
            text = "these findings cannot occur together"
            rows.append((row["rival"], text, *[""] * (len(AGAINST_HEADS) - 2)))
            continue
        rows.append(
            (
                row["rival"],
                f"{row['first_cause']}{' *' if row['first_differs'] else ''}",
                share(row["first_posterior"]),
                share(row["first_in_model"]),
                str(row["largest_cause"]),
                share(row["largest_rival"]),
                share(row["largest_model"]),
                bits(row["distance"]),
            )
        )
    notes = ["* not the first cause of the model"] if mine["first_differs"].any() else []
    title = f"Case {case}: against the model"
    yield from (BLANK, Grid(AGAINST_HEADS, rows, frozenset({0, 1, 4}), notes, title))


def _statements(found: Comparison, knowledge: Knowledge) -> Iterator[Block]:
    """Tell the statements behind the cause that differs most, each source with its case."""
    yield BLANK
    heading = "What each statement does to it: the posterior when it is left out again"
    yield Paragraph(heading, emphasis="strong")
    for rival, row in rows_of(found.explained):
        tried = f"{row['computed']} of {row['bearing']} that bear on it were tried"
        yield Paragraph(
            f"{rival}, case {row['case']}: {row['cause']} {share(row['posterior'])}, model "
            f"{share(row['model'])} ({tried})"
        )
        own = found.statements[found.statements["rival"] == rival]
        moving = own[own["change"].abs() >= SMALLEST_CHANGE].head(MOST_STATEMENTS)
        for _, one in rows_of(moving):
            said = " ".join(knowledge.statements[name].says for name in one["statements"])
            names = ", ".join(one["statements"])
            text = f"{names}: {said} Left out: {share(one['without'])}."
            yield Paragraph(text, indent=4)
        if moving.empty:
            text = "No statement alone moves it by a tenth of a percentage point."
            yield Paragraph(text, indent=4)
    for name, cases in zip(found.summary.index, found.summary["cases"], strict=True):
        if name not in found.explained.index:
            why = "no difference from the model" if cases else "no case that can occur"
            yield Paragraph(f"{name}: {why}.")


def _readings(found: Comparison) -> Iterator[Block]:
    """Tell where statements of one source differ, and what could not be put in."""
    mixed = [
        f"{rival.id} {one.title}: {one.value:.3g} from {', '.join(one.statements)}"
        for rival in found.rivals
        for one in rival.numbers
        if one.mean
    ]
    refused = [
        f"{rival.id} {one.statement}: {one.number} at {one.value:g}: {one.reason}"
        for rival in found.rivals
        for one in rival.left_out
    ]
    for heading, texts in (
        ("Statements of one source that differ on a number: the mean", mixed),
        ("Readings that cannot hold here and were left out", refused),
    ):
        if texts:
            yield from (BLANK, Paragraph(heading, emphasis="strong"))
        yield from (Paragraph(text, indent=4) for text in texts)


def comparison_table(found: Comparison, name: str) -> pd.DataFrame:
    """Return one row a case and source, with the distance to every other source.

    The column of cases is called `name`. The statements are those that move the posterior of
    ``largest_cause`` by a tenth of a percentage point or more when they are left out, where the
    difference was traced.
    """
    table = found.cases.copy()
    both = pd.concat(
        [found.pairs, found.pairs.rename(columns={"rival": "other", "other": "rival"})]
    )
    apart = {
        (case, rival, other): value
        for case, rival, other, value in both.itertuples(index=False, name=None)
    }
    keys = list(zip(table["case"], table["rival"], strict=True))
    for rival in found.rivals:
        table[f"distance_to_{rival.id}"] = [
            0.0 if name == rival.id else apart[case, name, rival.id] for case, name in keys
        ]
    behind: dict[tuple[Hashable, str], list[str]] = {}
    moving = found.statements[found.statements["change"].abs() >= SMALLEST_CHANGE]
    for _, row in rows_of(moving):
        behind.setdefault((row["case"], row["rival"]), []).append("+".join(row["statements"]))
    table["statements"] = [";".join(behind.get(key, ())) for key in keys]
    left_out = {
        rival.id: ";".join(dict.fromkeys(one.statement for one in rival.left_out))
        for rival in found.rivals
    }
    table["left_out"] = table["rival"].map(left_out)
    return table.rename(columns={"case": name})


def comparison_json(found: Comparison, knowledge: Knowledge) -> str:
    """Return everything as JSON; what is missing is null."""
    tables = {
        "summary": found.summary.reset_index(),
        "cases": found.cases,
        "pairs": found.pairs,
        "posteriors": found.posteriors.reset_index(),
        "explained": found.explained.reset_index(),
        "statements": found.statements,
    }
    sources: list[dict[str, Any]] = [
        {
            "id": rival.id,
            "title": rival.title,
            "numbers": [asdict(one) for one in rival.numbers],
            "left_out": [asdict(one) for one in rival.left_out],
        }
        for rival in found.rivals
    ]
    content = {name: [row for _, row in rows_of(table)] for name, table in tables.items()}
    use = {"intended_use": knowledge.model.intended_use}
    return to_json({"note": NOTE, "sources": sources, **content, **use})
