"""Columns of a case table that are about the case and are never evidence."""

from __future__ import annotations

import pandas as pd

from bayesdx.case_columns import CASE_ID, RESERVED

__all__ = ["CASE_ID", "RESERVED", "finding_columns", "with_case_ids"]


def finding_columns(cases: pd.DataFrame) -> pd.DataFrame:
    """Return the cases without the reserved columns: what is evidence, and nothing else.

    The expected cause stands in the same file as the findings; here is where it is kept away
    from the engine.
    """
    return cases[[name for name in cases.columns if name not in RESERVED]]


def with_case_ids(cases: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Return the scores with the cases' own ids, where they have some, as first column."""
    if CASE_ID not in cases.columns:
        return scores
    labelled = scores.copy()
    labelled.insert(0, CASE_ID, cases[CASE_ID])
    return labelled
