"""What one cell of a case says: present, a state, a number with a unit, or nothing.

The accepted words stand in `PRESENT`, `ABSENT` and `UNKNOWN`, and in docs/reference/cells.md, which
a test keeps equal. Anything else is refused: nothing is guessed. `none` and `nil` are not among
them, since one writer means "absent" by them and another "not known"; nor is `-`, for that reason.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from numbers import Real

from bayesdx.errors import Fault, InvalidCase, nearest_names
from bayesdx.knowledge.naming import folded
from bayesdx.knowledge.schema import Measure

UNKNOWN_VALUE = math.nan
PRESENT = ("present", "yes", "y", "true", "t", "1", "positive", "pos", "+", "x", "ja")
ABSENT = (
    *("absent", "no", "n", "false", "f", "0", "negative", "neg", "nein"),
    *("not present", "denies", "denied"),
)
UNKNOWN = ("unknown", "not known", "?", "na", "n/a", "<na>", "nan", "null")
#: Of a variable whose states are female and male.
SEXES = {"f": "female", "w": "female", "m": "male"}
#: Short names of units of time; all units also without their plural s, in any case.
UNITS = {
    **dict.fromkeys(("y", "yr", "yo", "years old", "year old"), "year"),
    **dict.fromkeys(("mo", "mth", "mon"), "month"),
    **dict.fromkeys(("w", "wk"), "week"),
    "d": "day",
}
_DIGITS = {".": r"(?:\d+\.?\d*|\.\d+)", ",": r"(?:\d+,?\d*|,\d+)"}


@dataclass(frozen=True)
class Words:
    """How the cells of a table are written, beside the words that are always accepted.

    Attributes
    ----------
    yes, no, unknown : tuple of str
        More words for present, absent and not known, such as ``2`` for absent; case and blanks
        around them do not count. They win over the words that are always accepted.
    decimal : {".", ","}
        Mark between whole and broken part of the numbers in text.

    Raises
    ------
    InvalidCase
        A word is blank or would mean two things, or the mark is another one.
    """

    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    decimal: str = "."

    def __post_init__(self) -> None:
        faults = []
        if self.decimal not in _DIGITS:
            faults.append(Fault("decimal", ". or ,", self.decimal))
        seen: dict[str, str] = {}
        for option in ("yes", "no", "unknown"):
            for word in getattr(self, option):
                form = _form(word)
                if not form:
                    faults.append(Fault(option, "a word", word))
                if seen.setdefault(form, option) != option:
                    faults.append(Fault(option, f"a word that is not in --{seen[form]} too", word))
        if faults:
            raise InvalidCase(faults)

    @cached_property
    def meaning(self) -> dict[str, float]:
        """Meaning of each word of yes/no cells: 1 present, 0 absent, NaN not known."""
        read: dict[str, float] = {"": UNKNOWN_VALUE}
        for words, meaning in (
            (PRESENT, 1.0),
            (ABSENT, 0.0),
            (UNKNOWN, UNKNOWN_VALUE),
            (self.yes, 1.0),
            (self.no, 0.0),
            (self.unknown, UNKNOWN_VALUE),
        ):
            read.update({_form(word): meaning for word in words})
        return read

    def number(self, text: str) -> float | None:
        """Return the number that a text is: plain decimal digits, with an exponent or without.

        None where it is none, or where no float64 can hold it: one that is not zero becomes zero
        by underflow, one below 1 becomes 1 by rounding.
        """
        return _held(self._exact(text, 0))

    def percentage(self, text: str) -> float | None:
        """Return a hundredth of the number that a text is, rounded once."""
        return _held(self._exact(text, 2))

    def _exact(self, text: str, shift: int) -> Decimal | None:
        if not self._number.fullmatch(text):
            return None
        try:
            sign, digits, exponent = Decimal(text.replace(self.decimal, ".")).as_tuple()
            return Decimal((sign, digits, int(exponent) - shift))
        except ArithmeticError:  # an exponent of twenty digits
            return None

    def quantity(self, text: str) -> tuple[float | None, str] | None:
        """Split a text into its number and the unit after it, which may be blank."""
        matched = self._number.match(text)
        if matched is None:
            return None
        return self.number(matched[0]), text[matched.end() :].strip()

    @cached_property
    def _number(self) -> re.Pattern[str]:
        return re.compile(rf"[+-]?{_DIGITS[self.decimal]}(?:[eE][+-]?\d+)?", re.ASCII)

    def told(self) -> str:
        """Return the list of accepted words."""
        lists = (*PRESENT[1:], *self.yes), (*ABSENT[1:], *self.no), (*UNKNOWN[1:], *self.unknown)
        names = ("present", "absent", "unknown: blank")
        pairs = zip(names, lists, strict=True)
        return "; ".join(
            f"{name}{', ' if ':' in name else ': '}{', '.join(words)}" for name, words in pairs
        )


WORDS = Words()


def is_missing(value: object, words: Words = WORDS) -> bool:
    """Whether a cell says that something is not known."""
    if value is None:
        return True
    if isinstance(value, str):
        return math.isnan(words.meaning.get(_form(value), 0.0))
    if _is_several(value):
        return False
    try:
        return bool(value != value)  # NaN and NaT differ from themselves
    except TypeError:
        return True  # pandas.NA has no truth value


def as_number(value: object, words: Words = WORDS) -> float | None:
    """Return the number that a cell is, if it is one (booleans are 0 and 1)."""
    if isinstance(value, str):
        return words.number(value.strip())
    if isinstance(value, Real) or (hasattr(value, "__float__") and not _is_several(value)):
        # NumPy's complex numbers become floats with a warning, without their imaginary part.
        return None if getattr(getattr(value, "dtype", None), "kind", "") == "c" else _held(value)
    return None


def _is_several(value: object) -> bool:
    """Whether a cell is an array or a list, also of one: it is no number and not "not known"."""
    return hasattr(value, "__len__") and getattr(value, "shape", None) != ()


def read_binary(place: str, value: object, *, soft: bool, words: Words = WORDS) -> float | Fault:
    """Read a two-state cell: 0 absent, 1 present, in between soft evidence, NaN unknown."""
    if is_missing(value, words):
        return UNKNOWN_VALUE
    word = _form(value) if isinstance(value, str) else _typed(value)
    if word and word in words.meaning:
        return words.meaning[word]
    number = as_number(value, words)
    if number is None and soft and word.endswith("%"):
        number = words.percentage(word[:-1].strip())
    if number is not None and (number in (0.0, 1.0) or (soft and 0.0 < number < 1.0)):
        return number
    expected = "present, absent or unknown"
    if soft:
        expected += ", or a number between 0 and 1 or a percentage"
    near = nearest_names(word, ("present", "absent", "unknown", "yes", "no")) if word else ()
    return Fault(
        place,
        f"{expected} ({words.told()}; commands for tables take more by --yes, --no, --unknown)",
        value,
        near,
    )


def read_state(
    place: str, value: object, states: Sequence[str], words: Words = WORDS
) -> float | Fault:
    """Read a named state: its position, NaN unknown.

    A state wins over a word for "not known": no radiation is called ``none``.
    """
    names = {folded(state): i for i, state in enumerate(states)}
    short = SEXES if {"female", "male"} <= names.keys() else {}
    text = folded(value) if isinstance(value, str) else ""
    text = short.get(text, text)
    if text in names:
        return float(names[text])
    if is_missing(value, words):
        return UNKNOWN_VALUE
    near = nearest_names(str(value), states)
    also = f" (also {', '.join(short)})" if short else ""
    return Fault(place, f"one of {', '.join(states)}{also}", value, near)


def read_measure(
    place: str, value: object, measure: Measure, words: Words = WORDS
) -> float | Fault:
    """Read a measured number, with or without its unit, in the unit of the measure."""
    if is_missing(value, words):
        return UNKNOWN_VALUE
    low, high = measure.range
    expected = f"a number from {low:g} to {high:g} ({measure.unit})"
    number = as_number(value, words)
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return Fault(place, expected, value)
    if number is None:
        read = words.quantity(value.strip()) if isinstance(value, str) else None
        if read is None or read[0] is None:
            return Fault(place, expected, value)
        factor = _factor(read[1], measure)
        if factor is None:
            units = (measure.unit, *measure.units)
            near = nearest_names(read[1], units)
            return Fault(place, f"a number in {' or '.join(units)}", value, near)
        number = read[0] * factor
    if measure.integer and number != round(number):
        return Fault(place, f"a whole number from {low:g} to {high:g} ({measure.unit})", value)
    if not low <= number <= high:
        return Fault(place, expected, value)
    return number


def _held(value: object) -> float | None:
    """The float64 next to a number; None where there is none, or it says another thing."""
    try:
        number = float(value)  # type: ignore[arg-type]
        rounded = number in (0.0, 1.0) and number != value
    except (ValueError, ArithmeticError, TypeError):
        return None
    return number if math.isfinite(number) and not rounded else None


def _form(word: str) -> str:
    return " ".join(word.casefold().split())


def _typed(value: object) -> str:
    """A whole number that is no text, as it would be written."""
    number = as_number(value)
    return "" if number is None or number != round(number) else f"{number:.0f}"


def _factor(unit: str, measure: Measure) -> float | None:
    known = {_unit(name): factor for name, factor in measure.units.items()}
    known[_unit(measure.unit)] = 1.0
    return known.get(_unit(unit))


def _unit(name: str) -> str:
    """A unit without case, plural and abbreviation: "7 Mo" is "7 months"."""
    text = _form(name)
    short = text[:-1] if text.endswith("s") and len(text) > 2 else text
    return UNITS.get(text, UNITS.get(short, short))
