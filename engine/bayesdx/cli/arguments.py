"""Findings as they are written on a command line."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from bayesdx.errors import Fault, InvalidCase, Phrase

PRESENT = "present"
ABSENT = "absent"


def read_findings(words: Sequence[str]) -> dict[str, str]:
    """Take findings apart: ``id=value``, ``id`` alone for present, ``!id`` for absent.

    Names and values are not looked at here; the engine does that, for all roads in.

    Raises
    ------
    InvalidCase
        A word is none of the three, or a finding is given two values.
    """
    findings: dict[str, str] = {}
    faults: list[Fault] = []
    for word in words:
        name, value = _split(word)
        place = f"argument {word!r}"
        if not name or not value or (word.startswith("!") and "=" in word):
            faults.append(Fault(place, "id, id=value or !id", Phrase(repr(word))))
        elif findings.setdefault(name, value) != value:
            both = Phrase(f"{findings[name]!r} and {value!r}")
            faults.append(Fault(place, f"one value of {name}", both))
    if faults:
        raise InvalidCase(faults)
    return findings


def _split(word: str) -> tuple[str, str]:
    if word.startswith("!"):
        return word[1:].strip(), ABSENT
    name, equals, value = word.partition("=")
    return name.strip(), value.strip() if equals else PRESENT


def repeat_line(answers: dict[str, str], priors: str | None = None) -> str:
    """Return the command that gives the same diagnosis again."""
    words = [f"{name}={value}" for name, value in answers.items()]
    words += ["--priors", priors] if priors else []
    return shlex.join(["bayesdx", "diagnose", *words])
