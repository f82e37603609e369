"""What to ask next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from bayesdx.presentation.layout import Grid, Row
from bayesdx.presentation.words import rows_of, share, spaced

if TYPE_CHECKING:
    from bayesdx.diagnosis.asking.questions import NextQuestions


def question_grid(found: NextQuestions) -> Grid:
    """Lay out questions with who can answer them and what an answer is worth."""
    rows: list[Row] = [
        (
            row["text"] or row["label"],
            row["red_flag_level"],
            spaced(row["observed_by"]),
            "" if pd.isna(row["information"]) else f"{row['information']:.3f}",
            "" if pd.isna(row["p_rises"]) else share(row["p_rises"]),
        )
        for _, row in rows_of(found.table)
    ]
    heads = ("question", "red flag", "who can answer", "information, bits", "urgency rises")
    return Grid(heads, rows, frozenset({0, 1, 2}))
