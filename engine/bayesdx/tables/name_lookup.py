"""Names of variables and states as people and programs write them: which one a value can mean."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from numbers import Number
from typing import Any

import numpy as np

from bayesdx.errors import Phrase

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_PLAIN = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?", re.ASCII)
#: What True and False are called where states are words.
_TRUE, _FALSE = ("true", "yes", "present", "1"), ("false", "no", "absent", "0")


class NameLookup:
    """Finds which of some names a value means; never by a guess.

    Text means the name that it is; else, without the blanks around it, the one that it is; else the
    only one that differs in case alone; else, of a number such as 1.0 and of true and false, what
    these mean. A number means the only name that is that number in plain decimal digits; True and
    False the only one of true, yes, present, 1 (false, no, absent, 0).

    Parameters
    ----------
    names : iterable of str
        Distinct.
    labels : iterable of str
        Of each name another one for people, or an empty text. It is found where nothing else is,
        and where no other name has it too.
    """

    def __init__(self, names: Iterable[str], labels: Iterable[str] = ()) -> None:
        self.exact = {name: at for at, name in enumerate(names)}
        folded = Counter(map(_folded, self.exact))
        self._folded = {
            _folded(name): at for name, at in self.exact.items() if folded[_folded(name)] == 1
        }
        numbers = [(float(name), at) for name, at in self.exact.items() if _NUMBER.fullmatch(name)]
        counted = Counter(number for number, _ in numbers)
        self._numbers = {number: at for number, at in numbers if counted[number] == 1}
        shown = [_folded(label) for label in labels]
        times = Counter(shown)
        self._labels = {label: at for at, label in enumerate(shown) if label and times[label] == 1}

    def find(self, value: Any) -> int | None:
        """Position of the name that a value means; None where there is none, or more than one."""
        if isinstance(value, str):
            found = self.exact.get(value)
            return self._inexact(value) if found is None else found
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, bool):
            words = _TRUE if value else _FALSE
            meant = {self._folded[word] for word in words if word in self._folded}
            meant |= {self._numbers[value]} if value in self._numbers else set()
            return meant.pop() if len(meant) == 1 else None
        if isinstance(value, Number) and not isinstance(value, complex):
            # Decimals and fractions are equal to the floats that they are.
            return self._numbers.get(value)  # type: ignore[call-overload, no-any-return]
        return None

    def _inexact(self, text: str) -> int | None:
        text = text.strip()
        found = self.exact.get(text)
        if found is None:
            found = self._folded.get(_folded(text))
        if found is None and _PLAIN.fullmatch(text):
            # As pandas writes whole numbers beside missing ones.
            found = self._numbers.get(float(text))
        if found is None and _folded(text) in ("true", "false"):
            # As JSON and pandas write them.
            found = self.find(_folded(text) == "true")
        return self._labels.get(_folded(text)) if found is None and self._labels else found


def typed(value: object) -> tuple[object, str]:
    """A value as a fault shows it, and as text: of what is no text the type is named."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str):
        return value, value
    kinds = {bool: "boolean", int: "integer", float: "number"}
    kind = kinds.get(type(value), type(value).__name__)
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - a foreign repr, or a number of too many digits
        return Phrase(f"one {kind} that cannot be shown"), ""
    return Phrase(f"the {kind} {text if len(text) <= 60 else f'{text[:57]}...'}"), text


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()
