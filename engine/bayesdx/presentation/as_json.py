"""Results as strict JSON: no NaN, no infinity, and texts as they are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bayesdx.frozen import strict
from bayesdx.presentation.words import rows_of

if TYPE_CHECKING:
    import pandas as pd

    from bayesdx.diagnosis.changing.tipping_points import TurningPoints

#: Names that the JSON of commands gives to parts of results.
NAMES = {
    "Diagnosis": {"triage": "expected_loss", "table": "posteriors"},
    "Explanation": {"table": "contributions"},
    "Surprise": {"table": "observations"},
    "CausalTable": {"table": "causes"},
    "WhatIf": {"table": "causes"},
}


def to_json(content: Mapping[str, Any]) -> str:
    """Write plain values as JSON; what it cannot say, NaN and the infinities, becomes null."""
    return json.dumps(strict(content), indent=2, ensure_ascii=False, allow_nan=False)


def result_json(result: Any, intended_use: str) -> str:
    """Write all that `records` of a result holds, under the names of the command line."""
    names = NAMES[type(result).__name__]
    content = {names.get(name, name): value for name, value in result.records().items()}
    return to_json({**content, "intended_use": intended_use})


def tipping_json(tornado: pd.DataFrame, points: TurningPoints, intended_use: str) -> str:
    """Write what it would take to change an answer."""
    found = points.records()
    numbers, findings = found["numbers"], found["findings"]
    return to_json(
        {
            "tornado": [row for _, row in rows_of(tornado)],
            "numbers": numbers["table"],
            "numbers_not_found": numbers["unchanged"],
            "findings": findings["table"],
            "findings_searched_up_to": findings["searched"],
            "findings_not_searched": findings["bound"],
            "intended_use": intended_use,
        }
    )
