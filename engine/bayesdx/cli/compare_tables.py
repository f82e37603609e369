"""What a comparison of sources looks like on a terminal."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable

import pandas as pd
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from bayesdx.cli.words import percent
from bayesdx.diagnosis.per_source import MODEL, Comparison
from bayesdx.knowledge.knowledge import Knowledge

#: Statements printed for each source, and the smallest change of a posterior worth a line.
MOST_STATEMENTS = 3
SMALLEST_CHANGE = 0.001

_HEAD = (
    "Rival readings: each source believed alone, its numbers put into the model's, the rest "
    "shared. These are readings of documents, not opinions on a patient."
)
_DISTANCE = (
    "Distance: sum over causes of the Jensen-Shannon divergence of the two posteriors, in bits."
)
_FLAGS = "Red flags look at the findings, whatever the source, and are not shown: bayesdx diagnose."


def print_comparison(
    console: Console, found: Comparison, knowledge: Knowledge, case: Hashable, top: int
) -> None:
    """Print a comparison: the sources, all cases together, one case, the statements behind it."""
    console.print(_HEAD)
    console.print(_FLAGS)
    _section(console, "Sources", _source_table(found))
    n_cases = found.posteriors.index.get_level_values("case").nunique()
    if n_cases > 1:
        _section(console, f"{n_cases} cases: distance from the model", _summary_table(found))
        _section(console, "Mean distance of the sources from each other", _pair_table(found))
    _print_case(console, found, case, top)
    if n_cases == 1:
        _section(console, "Distance of the sources from each other", _pair_table(found))
    console.print(f"\n{_DISTANCE}", style="dim")
    _print_statements(console, found, knowledge)
    _print_readings(console, found)
    console.print(f"\n{knowledge.model.intended_use}", style="dim")


def top_causes(found: Comparison, case: Hashable, top: int) -> pd.DataFrame:
    """Return a case's posteriors, one row a source, of the causes that are high under any."""
    posteriors = found.posteriors.loc[found.posteriors.index.get_level_values("case") == case]
    posteriors = posteriors.droplevel("case")
    highest = posteriors.max().fillna(0.0).sort_values(ascending=False, kind="stable")
    return posteriors[highest.index[:top]]


def share(probability: float) -> str:
    """Write a posterior; of a rival reading 0 is no verdict, so it is a number like the others."""
    if math.isnan(probability):
        return "-"
    return "0 %" if probability == 0.0 else percent(probability)


def _section(console: Console, title: str, table: Table) -> None:
    console.print(f"\n{title}", style="bold")
    console.print(table)


def _table(*columns: str, left: Iterable[str] = ()) -> Table:
    """Return a plain table; `left` names the columns of text."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    words = set(left)
    for column in columns:
        if column in words:
            table.add_column(column, overflow="fold")
        else:
            table.add_column(column, justify="right", no_wrap=True)
    return table


def _source_table(found: Comparison) -> Table:
    table = _table("source", "numbers", "left out", "what it is", left=("source", "what it is"))
    for rival in found.rivals:
        numbers, left_out = str(len(rival.numbers)), str(len(rival.left_out))
        table.add_row(rival.id, numbers, left_out, rival.title)
    return table


def _summary_table(found: Comparison) -> Table:
    columns = ("source", "cases", "mean", "maximum", "farthest", "first cause differs")
    table = _table(*columns, left=("source", "farthest"))
    for row in found.summary.reset_index().to_dict("records"):
        table.add_row(
            str(row["rival"]),
            str(row["cases"]),
            _bits(row["mean_distance"]),
            _bits(row["maximum_distance"]),
            str(row["farthest_case"]) if row["cases"] else "-",
            f"{row['first_differs']} of {row['cases']}",
        )
    return table


def _pair_table(found: Comparison) -> Table:
    names = [rival.id for rival in found.rivals]
    table = _table("", *names[1:], left=("",))
    mean = found.pairs.groupby(["rival", "other"])["distance"].mean()
    for at, name in enumerate(names[:-1]):
        cells = [_bits(mean.loc[(name, other)]) for other in names[at + 1 :]]
        table.add_row(name, *[""] * at, *cells)
    return table


def _print_case(console: Console, found: Comparison, case: Hashable, top: int) -> None:
    posteriors = top_causes(found, case, top)
    table = _table("cause", *map(str, posteriors.index), left=("cause",))
    for cause in posteriors.columns:
        table.add_row(str(cause), *map(share, posteriors[cause]))
    hidden = found.posteriors.shape[1] - len(posteriors.columns)
    if hidden:
        table.caption = f"and {hidden} causes more: --top"
        table.caption_justify = "left"
    _section(console, f"Case {case}: posteriors under each source alone", table)
    columns = ("source", "first cause", "there", MODEL, "differs most", "there ", "model ", "bits")
    table = _table(*columns, left=("source", "first cause", "differs most"))
    rows = found.cases[found.cases["case"] == case]
    for row in rows.to_dict("records"):
        if not row["possible"]:
            table.add_row(str(row["rival"]), "these findings cannot occur together")
            continue
        table.add_row(
            str(row["rival"]),
            f"{row['first_cause']}{' *' if row['first_differs'] else ''}",
            share(row["first_posterior"]),
            share(row["first_in_model"]),
            str(row["largest_cause"]),
            share(row["largest_rival"]),
            share(row["largest_model"]),
            _bits(row["distance"]),
        )
    if rows["first_differs"].any():
        table.caption = "* not the first cause of the model"
        table.caption_justify = "left"
    _section(console, f"Case {case}: against the model", table)


def _print_statements(console: Console, found: Comparison, knowledge: Knowledge) -> None:
    """Print the statements behind the cause that differs most, each source with its case."""
    console.print(
        "\nWhat each statement does to it: the posterior when it is left out again", style="bold"
    )
    for rival, row in zip(found.explained.index, found.explained.to_dict("records"), strict=True):
        model, posterior = share(row["model"]), share(row["posterior"])
        tried = f"{row['computed']} of {row['bearing']} that bear on it were tried"
        console.print(
            f"{rival}, case {row['case']}: {row['cause']} {posterior}, model {model} ({tried})"
        )
        own = found.statements[found.statements["rival"] == rival]
        moving = own[own["change"].abs() >= SMALLEST_CHANGE].head(MOST_STATEMENTS)
        for one in moving.itertuples():
            said = " ".join(knowledge.statements[name].says for name in one.statements)
            names = ", ".join(one.statements)
            text = f"{names}: {said} Left out: {share(one.without)}."
            console.print(Padding(text, (0, 0, 0, 4), expand=False))
        if moving.empty:
            text = "No statement alone moves it by a tenth of a percentage point."
            console.print(Padding(text, (0, 0, 0, 4), expand=False))
    for name, cases in zip(found.summary.index, found.summary["cases"], strict=True):
        if name not in found.explained.index:
            why = "no difference from the model" if cases else "no case that can occur"
            console.print(f"{name}: {why}.")


def _print_readings(console: Console, found: Comparison) -> None:
    """Print where statements of one source differ, and what could not be put in."""
    mixed = [(rival.id, one) for rival in found.rivals for one in rival.numbers if one.mean]
    if mixed:
        console.print("\nStatements of one source that differ on a number: the mean", style="bold")
    for name, one in mixed:
        text = f"{name} {one.title}: {one.value:.3g} from {', '.join(one.statements)}"
        console.print(Padding(text, (0, 0, 0, 4), expand=False))
    refused = [(rival.id, one) for rival in found.rivals for one in rival.left_out]
    if refused:
        console.print("\nReadings that cannot hold here and were left out", style="bold")
    for name, left in refused:
        text = f"{name} {left.statement}: {left.number} at {left.value:g}: {left.reason}"
        console.print(Padding(text, (0, 0, 0, 4), expand=False))


def _bits(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"
