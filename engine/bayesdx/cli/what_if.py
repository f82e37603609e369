"""`bayesdx what-if`: the same case otherwise, and what it would take to change the answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from rich.console import Console

import bayesdx
from bayesdx.cli.arguments import read_findings
from bayesdx.cli.options import Findings, Priors, given_findings
from bayesdx.cli.printing import frame_records, make_console, plain_table
from bayesdx.cli.words import percent, print_paragraph
from bayesdx.diagnosis.changing.before_after import CaseOutcome, WhatIf
from bayesdx.diagnosis.changing.tipping_points import TurningPoints
from bayesdx.errors import Fault, InvalidKnowledge, Phrase
from bayesdx.knowledge.profiles import Profile, read_profile

MOST_ROWS = 10
#: What stands for each target in a sentence.
TARGET_WORDS = {"first": "the first cause", "urgency": "the urgency"}


Changes = Annotated[
    list[str] | None,
    typer.Option(
        "-c",
        "--change",
        metavar="FINDING",
        help="What would be otherwise: id=value, id alone for present, !id for absent, "
        "id=unknown to take it away; once for every finding.",
        show_default=False,
    ),
]
OwnPriors = Annotated[
    list[str] | None,
    typer.Option(
        "--prior",
        metavar="CAUSE=P",
        help="Another prior of a cause, such as gtps=0.25; once for every cause.",
        show_default=False,
    ),
]
Setting = Annotated[
    Path | None,
    typer.Option(
        "--profile",
        metavar="FILE",
        help="Priors of a setting: a TOML file with a label, a denominator, a source and a table "
        "of priors.",
        show_default=False,
    ),
]
Watched = Annotated[
    str | None,
    typer.Option(
        metavar="CAUSE",
        help="Whose posterior to look at; by default the first cause.",
        show_default=False,
    ),
]


def what_if(
    findings: Findings = None,
    change: Changes = None,
    prior: OwnPriors = None,
    profile: Setting = None,
    cause: Watched = None,
    largest: Annotated[
        int, typer.Option(min=1, max=4, help="Most findings to change at once.")
    ] = 3,
    top: Annotated[int, typer.Option(min=1, help="How many rows to print.")] = MOST_ROWS,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    priors: Priors = None,
) -> None:
    """Answer a case as it would be, or find what would change its answer.

    With a change, a prior or a profile: the case before and after. Without: the stated numbers
    that move a posterior most, and the smallest changes of a number, and of what was found, that
    change the first cause or the urgency.
    """
    given, changed = given_findings(findings), read_findings(change or ())
    others = _read_priors(prior or ())
    setting = read_profile(profile) if profile is not None else None
    engine = bayesdx.load(priors)
    intended_use = engine.knowledge.model.intended_use
    if changed or others or setting is not None:
        found = engine.what_if(given, changed, priors=others, profile=setting)
        if as_json:
            _print_json({**_before_after(found), "intended_use": intended_use})
        else:
            console = make_console()
            _print_before_after(console, found, setting, top)
            _end(console, intended_use)
        return
    tornado = engine.tornado(given, cause)
    points = engine.turning_points(given, largest=largest)
    if as_json:
        _print_json({**_turning(tornado, points), "intended_use": intended_use})
        return
    console = make_console()
    labels = {name: one.label for name, one in engine.knowledge.causes.items()}
    _print_tornado(console, tornado, labels, top)
    _print_numbers(console, points, labels)
    _print_findings(console, points, labels, top)
    text = "A change that is not listed can still matter: nothing here rules a cause out."
    print_paragraph(console, text)
    _end(console, intended_use)


def _read_priors(words: Sequence[str]) -> dict[str, float]:
    """Take ``cause=0.02`` apart."""
    priors: dict[str, float] = {}
    faults: list[Fault] = []
    for word in words:
        name, _, text = word.partition("=")
        try:
            value = float(text)
        except ValueError:
            value = 0.0
        if not name.strip() or not 0.0 < value < 1.0:
            expected = "cause=p with p strictly between 0 and 1"
            faults.append(Fault("option --prior", expected, Phrase(repr(word))))
        elif priors.setdefault(name.strip(), value) != value:
            faults.append(Fault("option --prior", f"one prior of {name.strip()}", Phrase("two")))
    if faults:
        raise InvalidKnowledge(faults)
    return priors


def _print_json(content: dict[str, Any]) -> None:
    print(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False))


def _end(console: Console, intended_use: str) -> None:
    console.print()
    print_paragraph(console, intended_use, style="dim")


def _before_after(found: WhatIf) -> dict[str, Any]:
    return {
        "before": _outcome(found.before),
        "after": _outcome(found.after),
        "changed": {name: list(both) for name, both in found.changed.items()},
        "priors": {name: list(both) for name, both in found.priors.items()},
        "causes": frame_records(found.table),
    }


def _outcome(outcome: CaseOutcome) -> dict[str, Any]:
    return {
        "first": outcome.first,
        "urgency": outcome.urgency,
        "status": outcome.status,
        "flags": list(outcome.flags),
    }


def _turning(tornado: pd.DataFrame, points: TurningPoints) -> dict[str, Any]:
    return {
        "tornado": frame_records(tornado),
        "numbers": frame_records(points.numbers.table),
        "numbers_not_found": dict(points.numbers.unchanged),
        "findings": frame_records(points.findings.table),
        "findings_searched_up_to": dict(points.findings.searched),
        "findings_not_searched": points.findings.bound,
    }


def _print_before_after(console: Console, found: WhatIf, setting: Profile | None, top: int) -> None:
    for name, (old, new) in found.changed.items():
        print_paragraph(console, f"{name}: {old} before, {new} after")
    sources = {one.cause: one for one in setting.priors} if setting is not None else {}
    for name, (before, after) in found.priors.items():
        text = f"prior of {name}: {percent(before)} before, {percent(after)} after"
        told = sources.get(name)
        if told is not None and told.value == after:
            text += f" (of {told.denominator}; {told.source})"
        print_paragraph(console, text)
    console.print()
    print_paragraph(
        console, f"Urgency: {found.before.urgency} before, {found.after.urgency} after."
    )
    for word, one in (("Before", found.before), ("After", found.after)):
        if one.status == "impossible":
            text = f"{word}: the model holds these findings impossible together; priors are shown."
            print_paragraph(console, text, style="bold")
    fired = [flag for flag in found.after.flags if flag not in found.before.flags]
    gone = [flag for flag in found.before.flags if flag not in found.after.flags]
    if fired:
        print_paragraph(console, f"Red flags that fire now: {', '.join(fired)}.", style="bold")
    if gone:
        text = f"Red flags that no longer fire: {', '.join(gone)}. That does not make it harmless."
        print_paragraph(console, text)
    console.print()
    table = plain_table()
    table.add_column("cause", overflow="fold", ratio=1)
    for column in ("before", "after", "rank"):
        table.add_column(column, justify="right", no_wrap=True)
    causes, last = found.table.iloc[:-1], found.table.iloc[-1:]
    for part in (causes.head(top), last):
        for label, old, new_value, place, now in zip(
            part["label"],
            part["before"],
            part["after"],
            part["rank_before"],
            part["rank_after"],
            strict=True,
        ):
            moved = f"{place} to {now}" if place != now else str(now or "")
            table.add_row(label, percent(old), percent(new_value), moved)
    console.print(table)


def _print_tornado(
    console: Console, tornado: pd.DataFrame, labels: dict[str, str], top: int
) -> None:
    if tornado.empty:
        print_paragraph(console, "No stated number moves this posterior.")
        return
    first = tornado.iloc[0]
    text = (
        f"{labels[first['cause']]}: {percent(first['posterior'])}. The posterior with one stated "
        "number at a time at the lower and the upper end of its range:"
    )
    print_paragraph(console, text)
    table = plain_table()
    table.add_column("number", overflow="fold", ratio=1)
    for column in ("stated", "range", "low end", "high end", "source"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in tornado.head(top).to_dict("records"):
        ends = f"{row['low']:.3g} to {row['high']:.3g}"
        statements = f" ({row['statements'].replace(';', ', ')})" if row["statements"] else ""
        table.add_row(
            row["title"] + statements,
            f"{row['value']:.3g}",
            ends,
            percent(row["at_low"]),
            percent(row["at_high"]),
            row["source"],
        )
    console.print(table)


def _print_numbers(console: Console, points: TurningPoints, labels: dict[str, str]) -> None:
    console.print()
    print_paragraph(console, "A single number that would change the answer:")
    for target, words in TARGET_WORDS.items():
        if target in points.numbers.unchanged:
            text = f"{words}: {points.numbers.unchanged[target]}"  # type: ignore[index]  # a target
            print_paragraph(console, text, mark="- ", indent=2)
        rows = points.numbers.table
        for row in rows[rows["target"] == target].to_dict("records"):
            inside = "inside its range" if row["inside"] else "outside its range"
            result = labels.get(row["result"], row["result"])
            text = (
                f"{words} becomes {result}: {row['title']} at {row['needed']:.3g} in place of "
                f"{row['value']:.3g} ({inside}, {row['low']:.3g} to {row['high']:.3g}; "
                f"{row['deviations']:.1f} standard deviations of its log-odds; as uncertain as it "
                f"is stated to be, that far or farther with {percent(row['beyond'])}; source "
                f"{row['source']})"
            )
            print_paragraph(console, text, mark="- ", indent=2)


def _print_findings(
    console: Console, points: TurningPoints, labels: dict[str, str], top: int
) -> None:
    console.print()
    print_paragraph(console, "The fewest answers that, otherwise or not known, would change it:")
    flips = points.findings
    for target, words in TARGET_WORDS.items():
        rows = flips.table[flips.table["target"] == target]
        if rows.empty:
            size = flips.searched[target]  # type: ignore[index]  # a target
            text = f"{words}: no set of up to {size} of them" if size else f"{words}: none to try"
            print_paragraph(console, text, mark="- ", indent=2)
        for row in rows.head(top).to_dict("records"):
            result = labels.get(row["result"], row["result"])
            text = f"{words} becomes {result}: {row['changes']}"
            print_paragraph(console, text, mark="- ", indent=2)
        if (left := flips.found[target] - min(len(rows), top)) > 0:  # type: ignore[index]
            print_paragraph(console, f"and {left} more sets of as many", indent=4, style="dim")
    if flips.bound:
        print_paragraph(console, f"Bound met: {flips.bound}.", indent=2)
