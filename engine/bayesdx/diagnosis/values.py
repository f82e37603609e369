"""What one cell of a case says: present, a state, a number with a unit, or nothing."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from numbers import Real

from bayesdx.errors import Fault, nearest_names
from bayesdx.knowledge.naming import folded
from bayesdx.knowledge.schema import Measure

UNKNOWN = math.nan
_MISSING = frozenset({"", "unknown", "nan", "none", "null", "na", "n/a", "<na>", "?"})
_PRESENT = frozenset({"present", "yes", "true", "y", "t", "positive"})
_ABSENT = frozenset({"absent", "no", "false", "n", "f", "negative"})
_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*)")


def is_missing(value: object) -> bool:
    """Whether a cell says that something is not known."""
    if value is None:
        return True
    if isinstance(value, str):
        return value.strip().casefold() in _MISSING
    try:
        return bool(value != value)  # NaN and NaT differ from themselves
    except TypeError:
        return True  # pandas.NA has no truth value


def as_number(value: object) -> float | None:
    """Return the number that a cell is, if it is one (booleans are 0 and 1)."""
    if isinstance(value, str):
        try:
            number = float(value.strip())
        except ValueError:
            return None
        return number if math.isfinite(number) else None
    if isinstance(value, Real) or hasattr(value, "__float__"):
        number = float(value)
        return number if math.isfinite(number) else None
    return None


def read_binary(place: str, value: object, *, soft: bool) -> float | Fault:
    """Read a two-state cell: 0 absent, 1 present, in between soft evidence, NaN unknown."""
    if is_missing(value):
        return UNKNOWN
    word = value.strip().casefold() if isinstance(value, str) else ""
    if word in _PRESENT:
        return 1.0
    if word in _ABSENT:
        return 0.0
    number = as_number(value)
    if number is not None and (number in (0.0, 1.0) or (soft and 0.0 < number < 1.0)):
        return number
    expected = "present, absent or unknown"
    if soft:
        expected += ", or a number between 0 and 1"
    near = nearest_names(word, ("present", "absent", "unknown", "yes", "no")) if word else ()
    return Fault(place, expected, value, near)


def read_state(place: str, value: object, states: Sequence[str]) -> float | Fault:
    """Read a named state: its position, NaN unknown.

    A state wins over a word for "not known": no radiation is called ``none``.
    """
    names = {folded(state): i for i, state in enumerate(states)}
    text = folded(value) if isinstance(value, str) else ""
    if text in names:
        return float(names[text])
    if is_missing(value):
        return UNKNOWN
    near = nearest_names(str(value), states)
    return Fault(place, f"one of {', '.join(states)}", value, near)


def read_measure(place: str, value: object, measure: Measure) -> float | Fault:
    """Read a measured number, with or without its unit, in the unit of the measure."""
    if is_missing(value):
        return UNKNOWN
    low, high = measure.range
    expected = f"a number from {low:g} to {high:g} ({measure.unit})"
    number = as_number(value)
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return Fault(place, expected, value)
    if number is None:
        matched = _NUMBER.fullmatch(value.strip()) if isinstance(value, str) else None
        if not matched:
            return Fault(place, expected, value)
        factor = _factor(matched[2], measure)
        if factor is None:
            units = (measure.unit, *measure.units)
            near = nearest_names(matched[2], units)
            return Fault(place, f"a number in {' or '.join(units)}", value, near)
        number = float(matched[1]) * factor
    if measure.integer and number != round(number):
        return Fault(place, f"a whole number from {low:g} to {high:g} ({measure.unit})", value)
    if not low <= number <= high:
        return Fault(place, expected, value)
    return number


def _factor(unit: str, measure: Measure) -> float | None:
    known = {_unit(name): factor for name, factor in measure.units.items()}
    known[_unit(measure.unit)] = 1.0
    return known.get(_unit(unit))


def _unit(name: str) -> str:
    """A unit without case and plural: "7 Month" is "7 months"."""
    text = name.strip().casefold()
    return text[:-1] if text.endswith("s") and len(text) > 2 else text
