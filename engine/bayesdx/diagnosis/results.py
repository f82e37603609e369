"""How an answer stands, and any answer as records."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd

Status = Literal["ok", "impossible", "no_findings", "too_complex"]

OK: Status = "ok"
IMPOSSIBLE: Status = "impossible"
NO_FINDINGS: Status = "no_findings"
TOO_COMPLEX: Status = "too_complex"


class Result:
    """An answer in named parts, which are the fields of a frozen dataclass."""

    def records(self) -> dict[str, Any]:
        """Return every part in plain values, a table as one dict a row."""
        names = [one.name for one in dataclasses.fields(self) if one.repr]  # type: ignore[arg-type]
        return {name: plain(getattr(self, name)) for name in names}


def plain(value: Any) -> Any:
    """Return a value in texts, numbers, booleans, None, lists and dicts of these.

    A table becomes one dict a row, the levels of a named index first; a result the dict of its
    `records`, or of its fields; a number that is missing becomes None, an infinite one stays.
    """
    if isinstance(value, pd.DataFrame):
        frame = value.reset_index() if value.index.names[0] is not None else value
        columns = [[plain(cell) for cell in frame[name].tolist()] for name in frame.columns]
        return [
            dict(zip(map(str, frame.columns), row, strict=True))
            for row in zip(*columns, strict=True)
        ]
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if value is None or value is pd.NA or value != value:
        return None
    if hasattr(value, "records"):
        return value.records()
    if dataclasses.is_dataclass(value):
        return {one.name: plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    return value
