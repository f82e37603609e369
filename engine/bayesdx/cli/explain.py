"""`bayesdx explain`: why a cause is as probable as it is."""

from __future__ import annotations

import json
import math
from collections.abc import Hashable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

import bayesdx
from bayesdx.cli.options import Findings, Priors, given_findings
from bayesdx.cli.printing import frame_records, make_console, plain_table
from bayesdx.cli.words import percent, print_paragraph

if TYPE_CHECKING:
    import pandas as pd

    from bayesdx.diagnosis.explaining.explanation import Explanation

CAUSES = 2
PRODUCERS = 3
#: Half a bar, in characters, on a narrow and on a wide terminal.
NARROW_BAR, WIDE_BAR = 6, 12
WIDE = 100

METHODS: Mapping[str, str] = MappingProxyType(
    {
        "shapley": "Shapley values: the mean over all orders in which the observations could "
        "have come.",
        "shapley_absent_in_order": "Shapley values over the orders in which absent findings keep "
        "one order, by falling stand-alone weight, or its reverse: there are too many "
        "observations for all orders.",
        "path": "The mean over one order, risks first and then findings by falling stand-alone "
        "weight, and its reverse: there are too many observations for all orders.",
    }
)
#: What the number behind an observation is, said before it.
KINDS: Mapping[str, str] = MappingProxyType(
    {
        "link": "P(finding | cause)",
        "effect": "effect of the risk",
        "requirement": "the cause requires it",
        "background": "background of the finding",
        "prevalence": "prevalence of the risk",
        "none": "no probability; counts for rules only",
    }
)


def explain(
    findings: Findings = None,
    cause: Annotated[
        list[str] | None,
        typer.Option(
            "-c",
            "--cause",
            metavar="ID",
            help="The cause to explain; can be given more than once. By default the two most "
            "probable ones.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    priors: Priors = None,
) -> None:
    """Say why a cause is as probable as it is.

    Prints what each observation does to it, in log-odds that add up, who produced what was found,
    which other cause takes the credit, and what would matter if it were known.
    """
    given = given_findings(findings)
    engine = bayesdx.load(priors)
    found = engine.explain(given, cause or None)
    intended_use = engine.knowledge.model.intended_use
    if as_json:
        print(explanation_json(found, intended_use))
        return
    console = make_console()
    if found.status == "impossible":
        clashes = ", ".join(found.clashes)
        text = (
            f"These findings cannot occur together in this model: {clashes}. Check these answers."
        )
        print_paragraph(console, text, style="bold")
    elif found.status == "no_findings":
        text = "Nothing is known of this case: every cause stands at its prior."
        print_paragraph(console, text, style="bold")
    else:
        for name in found.causes.index[: len(cause) if cause else CAUSES]:
            print_cause(console, found, str(name))
        print_produced(console, found)
        console.print()
        print_paragraph(console, f"How it is shared out: {METHODS[found.method]}")
    shown = ", ".join(f"{name}={value}" for name, value in found.understood.items())
    print_paragraph(console, f"Understood: {shown or 'no finding'}")
    print_paragraph(
        console, "A low number, or a bar that points away, rules nothing out.", style="bold"
    )
    print_paragraph(console, intended_use, style="dim")


def print_cause(console: Console, found: Explanation, name: str) -> None:
    """Print one cause: signed bars, rivals, and what could still matter."""
    cause, rows = found.causes.loc[[name]].iloc[0], found.of(name)
    print_paragraph(console, f"{cause['label']} ({name})", style="bold")
    print_paragraph(console, _change(cause, rows), indent=2)
    _print_bars(console, rows)
    _print_rivals(console, found, name)
    _print_answers(console, found, name)
    console.print()


def _change(cause: pd.Series[float], rows: pd.DataFrame) -> str:
    """Say what was observed did to a cause; where that is infinite, what decided it."""
    change = float(rows["contribution"].sum())
    if float(cause["prior"]) == 0.0:
        return "The model gives it no probability, whatever is observed."
    before = percent(float(cause["prior"]))
    if math.isinf(change):
        decisive = rows.loc[rows["contribution"].map(math.isinf), "label"]
        word = "certain" if change > 0.0 else "impossible"
        return (
            f"{before} before. By its definition in the model it is {word} with what was answered "
            f"on: {'; '.join(decisive)}. An answer can be wrong, and so can a definition."
        )
    return (
        f"{before} before, {percent(float(cause['posterior']))} after what was observed: "
        f"{_signed(change)} in log-odds (+0.69 doubles the odds), which is the sum of:"
    )


def _print_bars(console: Console, rows: pd.DataFrame) -> None:
    half = WIDE_BAR if console.width >= WIDE else NARROW_BAR
    sizes = [abs(x) for x in rows["contribution"] if math.isfinite(x)]
    widest = max(sizes, default=0.0) or 1.0
    table = plain_table()
    table.add_column("observed", overflow="fold", ratio=1)
    for head in ("log-odds", "", "LR alone", "LR here"):
        table.add_column(head, justify="left" if not head else "right", no_wrap=True)
    for row in rows.to_dict("records"):
        value = float(row["contribution"])
        said = f"{row['label']}: {str(row['value']).replace('_', ' ')}"
        table.add_row(
            Text.assemble(said, ("\n  " + _number(row), "dim")),
            _signed(value),
            _bar(value, widest, half),
            f"{float(row['lr_alone']):.3g}",
            f"{float(row['lr_in_context']):.3g}",
        )
    console.print(table)


def _number(row: Mapping[Hashable, object]) -> str:
    """Write the number behind an observation, with its range and where it comes from."""
    text = KINDS[str(row["kind"])]
    number, low, high = (float(str(row[name])) for name in ("number", "low", "high"))
    if row["kind"] != "requirement" and not math.isnan(number):
        text += f" {number:.3g}"
        if not math.isnan(low):
            text += f" ({low:.3g} to {high:.3g})"
    support = " ".join(str(row[name]) for name in ("basis", "source") if row[name])
    statements = str(row["statements"]).replace(";", ", ")
    return ", ".join(part for part in (text, support, statements) if part)


def _print_rivals(console: Console, found: Explanation, name: str) -> None:
    rows = found.away.loc[found.away.index.get_level_values("cause") == name]
    taken = [
        f"{label}, {percent(float(posterior))}"
        for label, posterior, shift in zip(
            rows["label"], rows["posterior_without"], rows["shift"], strict=True
        )
        if shift > 0.0
    ]
    if taken:
        text = f"Credit that others take; without them it would be at: {'; '.join(taken)}."
        print_paragraph(console, text, indent=2)


def _print_answers(console: Console, found: Explanation, name: str) -> None:
    rows = found.could_matter.loc[found.could_matter.index.get_level_values("cause") == name]
    if not len(rows):
        return
    print_paragraph(console, "Would matter if known:", indent=2)
    columns = ("label", "posterior_if_present", "posterior_if_absent")
    for label, present, absent in zip(*(rows[column] for column in columns), strict=True):
        text = f"{label}: {percent(float(present))} if present, {percent(float(absent))} if absent"
        print_paragraph(console, text, mark="- ", indent=4)


def print_produced(console: Console, found: Explanation) -> None:
    """Print who produced each finding that is present."""
    if not len(found.credit):
        return
    text = "Who produced what is present (several can have, so shares can exceed 100 %):"
    print_paragraph(console, text)
    for finding, rows in found.credit.groupby("finding_label", sort=False):
        first = rows.head(PRODUCERS)
        shares = "; ".join(
            f"{label} {percent(float(credit))}"
            for label, credit in zip(first["label"], first["credit"], strict=True)
        )
        print_paragraph(console, f"{finding}: {shares}", mark="- ", indent=2)


def _signed(value: float) -> str:
    if math.isinf(value):
        return "certain" if value > 0.0 else "impossible"
    return f"{value:+.2f}"


def _bar(value: float, widest: float, half: int) -> Text:
    """Draw a bar to the right of a line for what speaks for a cause, to the left for against."""
    length = round(half * min(abs(value) / widest, 1.0))
    if value >= 0.0:
        return Text.assemble(" " * half + "|", ("+" * length, "blue"), " " * (half - length))
    return Text.assemble(" " * (half - length), ("-" * length, "red"), "|" + " " * half)


def explanation_json(found: Explanation, intended_use: str) -> str:
    """Return an explanation as JSON; infinities and missing numbers are null."""
    content = {
        "status": found.status,
        "method": found.method,
        "clashes": list(found.clashes),
        "causes": frame_records(found.causes),
        "contributions": _by_key(found.table),
        "credit": _by_key(found.credit),
        "away": _by_key(found.away),
        "could_matter": _by_key(found.could_matter),
        "understood": dict(found.understood),
        "intended_use": intended_use,
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)


def _by_key(frame: pd.DataFrame) -> list[dict[str, object]]:
    rows = frame.reset_index().to_dict("records")
    return [
        {
            str(key): None if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in row.items()
        }
        for row in rows
    ]
