"""Limits of `bayesdx network`: sizes of memory, and what a search may take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayesdx.errors import Fault, InvalidCase, Phrase

if TYPE_CHECKING:
    from bayesdx.inference.general.branch_and_bound import SearchLimits

UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def search_of(mpe: bool, k: int | None, time_limit: float | None) -> SearchLimits | None:
    """What is wanted of the most probable explanations; None where they are not.

    Raises
    ------
    InvalidCase
        Options of --mpe without it, or out of range.
    """
    # Imported here: no other command waits for it.
    from bayesdx.inference.general.most_probable import ONE
    from bayesdx.tables.explanations import search_wanted

    if not mpe:
        given = [
            name for name, one in (("--k", k), ("--time-limit", time_limit)) if one is not None
        ]
        if given:
            raise InvalidCase(Fault(", ".join(given), "--mpe", Phrase("no --mpe")))
        return None
    return search_wanted(1 if k is None else k, time_limit, ONE.branches, place="--")


def size_of(text: str) -> float:
    """Read a size in bytes: a number, with K, M, G or T for powers of 1024.

    Raises
    ------
    InvalidCase
        It is none, or not above 0.
    """
    word = text.strip().upper().removesuffix("B").removesuffix("I")
    number, unit = (word[:-1], UNITS[word[-1]]) if word[-1:] in UNITS else (word, 1)
    try:
        size = float(number) * unit
    except ValueError:
        size = 0.0
    if not 0.0 < size < float("inf"):
        raise InvalidCase(Fault("--memory-limit", "a size such as 500M or 8G", text))
    return size
