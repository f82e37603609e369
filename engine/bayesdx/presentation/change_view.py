"""The same case otherwise, and what it would take to change the answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from bayesdx.presentation.layout import (
    BLANK,
    Block,
    Cell,
    Cited,
    Grid,
    Paragraph,
    Row,
    bullets,
    section,
)
from bayesdx.presentation.words import percent, rows_of, split_names

if TYPE_CHECKING:
    import pandas as pd

    from bayesdx.diagnosis.changing.before_after import WhatIf
    from bayesdx.diagnosis.changing.tipping_points import TurningPoints
    from bayesdx.knowledge.profile_schema import Profile

#: What stands for each target in a sentence.
TARGET_WORDS = {"first": "the first cause", "urgency": "the urgency"}
TORNADO_HEADS = ("number", "stated", "range", "low end", "high end", "source")


def what_if_blocks(found: WhatIf, top: int, setting: Profile | None = None) -> Iterator[Block]:
    """Describe a case before and after; `setting` is where its priors come from."""
    for name, (old, new) in found.changed.items():
        yield Paragraph(f"{name}: {old} before, {new} after")
    sources = {one.cause: one for one in setting.priors} if setting is not None else {}
    for name, (before, after) in found.priors.items():
        text = f"prior of {name}: {percent(before)} before, {percent(after)} after"
        told = sources.get(name)
        if told is not None and told.value == after:
            text += f" (of {told.denominator}; {told.source})"
        yield Paragraph(text)
    yield from section(f"Urgency: {found.before.urgency} before, {found.after.urgency} after.")
    for word, one in (("Before", found.before), ("After", found.after)):
        if one.status == "impossible":
            text = f"{word}: the model holds these findings impossible together; priors are shown."
            yield Paragraph(text, emphasis="strong")
    fired = [flag for flag in found.after.flags if flag not in found.before.flags]
    gone = [flag for flag in found.before.flags if flag not in found.after.flags]
    if fired:
        yield Paragraph(f"Red flags that fire now: {', '.join(fired)}.", emphasis="strong")
    if gone:
        text = f"Red flags that no longer fire: {', '.join(gone)}. That does not make it harmless."
        yield Paragraph(text)
    yield BLANK
    causes = rows_of(found.table.iloc[:-1].head(top)) + rows_of(found.table.iloc[-1:])
    yield Grid(("cause", "before", "after", "rank"), [_before_after(row) for _, row in causes])


def _before_after(row: Mapping[str, Any]) -> tuple[Cell, ...]:
    place, now = row["rank_before"], row["rank_after"]
    moved = f"{place} to {now}" if place != now else str(now or "")
    return row["label"], percent(row["before"]), percent(row["after"]), moved


def tipping_blocks(
    tornado: pd.DataFrame, points: TurningPoints, labels: Mapping[str, str], top: int
) -> Iterator[Block]:
    """Describe the numbers and the answers that would change the answer; `labels` of causes."""
    yield from tornado_blocks(tornado, labels, top)
    yield from section("A single number that would change the answer:")
    for target, words in TARGET_WORDS.items():
        if reason := points.numbers.unchanged.get(target):  # type: ignore[call-overload]  # a target
            yield from bullets([f"{words}: {reason}"])
        rows = points.numbers.table
        for _, row in rows_of(rows[rows["target"] == target]):
            inside = "inside its range" if row["inside"] else "outside its range"
            text = (
                f"{words} becomes {labels.get(row['result'], row['result'])}: {row['title']} at "
                f"{row['needed']:.3g} in place of {row['value']:.3g} ({inside}, {row['low']:.3g} "
                f"to {row['high']:.3g}; {row['deviations']:.1f} standard deviations of its "
                f"log-odds; as uncertain as it is stated to be, that far or farther with "
                f"{percent(row['beyond'])}; source {row['source']})"
            )
            yield from bullets([text])
    yield from section("The fewest answers that, otherwise or not known, would change it:")
    flips = points.findings
    for target, words in TARGET_WORDS.items():
        rows = flips.table[flips.table["target"] == target]
        if rows.empty:
            size = flips.searched[target]  # type: ignore[index]  # a target
            yield from bullets(
                [f"{words}: no set of up to {size} of them" if size else f"{words}: none to try"]
            )
        for _, row in rows_of(rows.head(top)):
            result = labels.get(row["result"], row["result"])
            yield from bullets([f"{words} becomes {result}: {row['changes']}"])
        if (left := flips.found[target] - min(len(rows), top)) > 0:  # type: ignore[index]
            yield Paragraph(f"and {left} more sets of as many", indent=4, emphasis="quiet")
    if flips.bound:
        yield Paragraph(f"Bound met: {flips.bound}.", indent=2)
    yield Paragraph("A change that is not listed can still matter: nothing here rules a cause out.")


def tornado_blocks(tornado: pd.DataFrame, labels: Mapping[str, str], top: int) -> Iterator[Block]:
    """Describe how far single stated numbers move a posterior."""
    if tornado.empty:
        yield Paragraph("No stated number moves this posterior.")
        return
    first = tornado.iloc[0]
    yield Paragraph(
        f"{labels[first['cause']]}: {percent(first['posterior'])}. The posterior with one stated "
        "number at a time at the lower and the upper end of its range:"
    )
    rows: list[Row] = []
    for _, row in rows_of(tornado.head(top)):
        rows.append(
            (
                Cited(row["title"], split_names(row["statements"])),
                f"{row['value']:.3g}",
                f"{row['low']:.3g} to {row['high']:.3g}",
                percent(row["at_low"]),
                percent(row["at_high"]),
                row["source"],
            )
        )
    yield Grid(TORNADO_HEADS, rows)
