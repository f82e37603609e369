"""How cases fare over time, as text."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan
from typing import TYPE_CHECKING

from bayesdx.presentation.layout import BLANK, Block, Grid, Paragraph
from bayesdx.presentation.words import counted, rows_of

if TYPE_CHECKING:
    from bayesdx.diagnosis.drift_check import Drift

_WORDS = {"log_evidence": "log evidence", "large": "calibration in the large"}
#: Findings that are asked otherwise and shown; all are in the result.
MOST_FINDINGS = 15


def drift_blocks(found: Drift) -> Iterator[Block]:
    """Describe each window and what drifts."""
    counts = found.counts
    text = f"{counted(counts['rows'], 'row')}, {counts['used']} used"
    left = [f"{counts[key]} {key.replace('_', ' ')}" for key in ("refused", "too_complex")]
    left = [one for one in left if not one.startswith("0 ")]
    yield Paragraph(text + (": " + ", ".join(left) if left else "") + ".", emphasis="strong")
    rows = [
        (
            str(name),
            str(row["cases"]),
            f"{_number(row['log_evidence'])} ({_number(row['expected'])})",
            str(row["labelled"]),
            _spread(row, "calibration_in_the_large"),
            _spread(row, "calibration_slope"),
            _said(str(row["alarm"])),
        )
        for name, row in rows_of(found.windows)
    ]
    note = (
        "in brackets what the model expects, given what is asked; large: 0 is right, slope: 1 is "
        f"right, with standard deviations. At most {100 * found.false_alarm:g} % of reports tell "
        "of a drift where there is none"
    )
    columns = ("window", "cases", "log P(findings)", "labelled", "large", "slope", "drift")
    yield Grid(columns, list(rows), frozenset({0, 6}), [note])
    if len(found.asking):
        yield BLANK
        yield Paragraph("Asked otherwise than in the other windows:")
        asked = [
            (
                str(row["window"]),
                str(row["finding"]),
                f"{100 * row['asked']:.0f} %",
                f"{100 * row['asked_elsewhere']:.0f} %",
            )
            for _, row in rows_of(found.asking.head(MOST_FINDINGS))
        ]
        more = len(found.asking) - len(asked)
        notes = [f"and {more} more"] if more else []
        yield Grid(
            ("window", "finding", "asked", "elsewhere"), list(asked), frozenset({0, 1}), notes
        )
    if not found.drifts:
        text = (
            "Nothing is said to drift. That is no proof that nothing does: few cases tell little."
        )
        yield Paragraph(text)


def _said(alarm: str) -> str:
    return ", ".join(_WORDS.get(one, one) for one in alarm.split(", ")) if alarm else ""


def _number(value: object) -> str:
    number = float(str(value))
    return "" if isnan(number) else f"{number:.2f}"


def _spread(row: object, name: str) -> str:
    value, deviation = (float(row[key]) for key in (name, f"{name}_sd"))  # type: ignore[index]
    return "" if isnan(value) else f"{value:+.2f} ± {deviation:.2f}".replace("+-", "-")
