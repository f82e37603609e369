"""Whether an argument is a name, names, or one of some words; whatever its type."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from bayesdx.errors import Fault, InvalidCase, nearest_names


def names_of(place: str, expected: str, given: object) -> tuple[str, ...]:
    """Read one name, or any number of them; None is none.

    Raises
    ------
    InvalidCase
        It is neither.
    """
    if given is None:
        return ()
    if isinstance(given, str):
        return (given,)
    if not isinstance(given, Iterable):
        raise InvalidCase(Fault(place, expected, given))
    return tuple(given)


def is_one_of(given: object, known: Collection[str]) -> bool:
    """Whether a value is one of some words; an array or a list is none."""
    return isinstance(given, str) and given in known


def choice_faults(place: str, given: object, known: Collection[str]) -> list[Fault]:
    """Return a fault, with the words that it resembles, unless a value is one of some words."""
    if is_one_of(given, known):
        return []
    return [Fault(place, f"one of {', '.join(known)}", given, nearest_names(given, known))]
