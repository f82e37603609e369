"""What was learned from cases, and how answers fare with it."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan
from typing import TYPE_CHECKING

from bayesdx.presentation.layout import BLANK, Block, Grid, Paragraph, bullets
from bayesdx.presentation.words import counted, rows_of

if TYPE_CHECKING:
    from bayesdx.diagnosis.learning.learned import Learned

#: Numbers that are shown; all are in the file.
MOST_NUMBERS = 15
MEASURES = {
    "log_evidence": "log P(findings), mean",
    "log_score": "log P(labels | findings), mean",
    "brier": "Brier score",
    "calibration_slope": "calibration slope",
    "calibration_in_the_large": "calibration in the large",
}
SCORE_NOTE = (
    "with 95 % intervals; log scores are better when higher, the Brier score when lower; a slope "
    "below 1: answers are too sure; a calibration in the large above 0: too little is answered"
)


def learning_blocks(found: Learned) -> Iterator[Block]:
    """Describe what was learned."""
    counts = found.counts
    left = [
        f"{counts[key]} {words}"
        for key, words in (
            ("refused", "cannot be read"),
            ("impossible", "impossible under the stated numbers"),
            ("too_complex", "too complex"),
        )
        if counts[key]
    ]
    read = counted(counts["rows"], "row")
    text = f"{read}, {counts['used']} used, {counts['labelled']} of them labelled"
    yield Paragraph(text + (": " + ", ".join(left) if left else "") + ".", emphasis="strong")
    chosen = (
        "consecutive cases: priors are learned"
        if found.sample == "consecutive"
        else ("cases selected in some way: priors, effects of risks and prevalences are held fixed")
    )
    yield Paragraph(f"{chosen[0].upper()}{chosen[1:]}.")
    if found.case_weight != 1.0:
        yield Paragraph(f"Each case counted as {found.case_weight:g} of one.")
    yield BLANK
    yield from _numbers(found)
    yield BLANK
    yield from _scores(found)
    for note in (*_asking(found), *_lost(found), *found.notes):
        yield from bullets([note])


def _numbers(found: Learned) -> Iterator[Block]:
    if not len(found.table):
        yield Paragraph("The cases say nothing of any number: none has moved.")
        return
    rows = [
        (
            row["title"],
            f"{row['before']:.3g} ({row['low_before']:.3g} to {row['high_before']:.3g})",
            f"{row['after']:.3g} ({row['low_after']:.3g} to {row['high_after']:.3g})",
            f"{row['effective_cases']:.0f}",
            f"{row['moved']:+.2f}",
        )
        for _, row in rows_of(found.table.head(MOST_NUMBERS))
    ]
    note = "people: what the cases are worth to the number; moved: in its own standard deviations"
    more = len(found.table) - len(rows)
    notes = [note, f"and {more} more, in learned.toml"] if more else [note]
    heads = ("number", "stated", "learned", "people", "moved")
    yield Grid(heads, list(rows), frozenset({0}), notes)


def _scores(found: Learned) -> Iterator[Block]:
    if not found.folds:
        # Sums of several places; a note tells.
        return
    if not len(found.scores):
        yield Paragraph("One case cannot be held out: how answers fare is not known.")
        return
    yield Paragraph(f"Cases that were not learned from, {found.folds} parts, seed {found.seed}:")
    rows = [
        (MEASURES[str(name)], *(_interval(row, when) for when in ("before", "after", "change")))
        for name, row in rows_of(found.scores)
    ]
    yield Grid(("", "stated", "learned", "change"), list(rows), frozenset({0}), [SCORE_NOTE])


def _interval(row: object, when: str) -> str:
    value, low, high = (float(row[when + end]) for end in ("", "_low", "_high"))  # type: ignore[index]
    if isnan(value):
        return "cannot be told"
    return f"{value:.3f}" if isnan(low) else f"{value:.3f} ({low:.3f} to {high:.3f})"


def _asking(found: Learned) -> Iterator[str]:
    for _, row in rows_of(found.asking.head(MOST_NUMBERS)):
        yield (
            f"{row['finding']} is asked in {row['asked_if_present']:.0%} of cases with "
            f"{row['label']} and in {row['asked_if_absent']:.0%} without: what is asked depends on "
            "the outcome, and what is not asked was read as saying nothing."
        )
    if not len(found.asking):
        yield "No sign that what is asked depends on a label."


def _lost(found: Learned) -> Iterator[str]:
    if found.no_longer_hold:
        yield f"No longer hold as the documents state them: {', '.join(found.no_longer_hold)}."
