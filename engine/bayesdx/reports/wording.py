"""Numbers and names as a report writes them."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd


def number(value: float, digits: int = 2) -> str:
    """Write a number shortly; nothing for NaN, an infinity by its sign."""
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:.{digits}f}".replace("-", "−")


def ratio(value: float) -> str:
    """Write a likelihood ratio."""
    if math.isnan(value) or math.isinf(value):
        return number(value)
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def spaced(name: str) -> str:
    """Write an identifier as words."""
    return name.replace("_", " ")


def names(joined: object) -> tuple[str, ...]:
    """Split names that a table joins by ``;``."""
    return tuple(part for part in str(joined).split(";") if part)


def rows(frame: pd.DataFrame) -> list[tuple[str, dict[str, Any]]]:
    """Return the id and the cells of every row."""
    cells = [{str(key): cell for key, cell in row.items()} for row in frame.to_dict("records")]
    return list(zip(map(str, frame.index), cells, strict=True))
