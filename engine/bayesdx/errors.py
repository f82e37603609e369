"""What can go wrong, and how it is said.

::

    Exception
    └── BayesdxError            everything that bayesdx raises on purpose; carries `.faults`
        ├── InvalidKnowledge    the priors folder, or an id that it does not hold
        ├── InvalidCase         a case: its findings, values, units
        ├── InvalidNetwork      a network: its variables, tables, file
        └── TooComplex          a case that couples more than can be summed over

An error carries every fault that was found, not only the first one, so that a file can be put
right in one go. A fault reads ``<place>: expected <what>, got <repr>. Nearest: a, b.``
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import numpy as np

#: Characters of a value that are shown, and of words of our own.
LONGEST_REPR, LONGEST_PHRASE = 80, 120


class Phrase(str):
    """A text that is shown as it is, without quotation marks, where a value is expected.

    For what has no useful value of its own: ``got nothing``, ``got an empty file``.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


NOTHING = Phrase("nothing")
"""What was got where a key or a value is missing."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    Attributes
    ----------
    place : str
        Where, as precisely as is known: ``file:key.path``, ``row 3, column fever``.
    expected : str
        What would have been right, as it reads after "expected".
    got : object
        What was there instead. Shown by its `repr`, shortened when long.
    nearest : tuple of str
        Valid names that resemble `got`, the most similar first.
    """

    place: str
    expected: str
    got: object = field(hash=False)
    nearest: tuple[str, ...] = ()

    def __str__(self) -> str:
        text = f"{self.place}: expected {self.expected}, got {_shown(self.got)}."
        if self.nearest:
            text += f" Nearest: {', '.join(self.nearest)}."
        return text


class BayesdxError(Exception):
    """Base of all errors that bayesdx raises on purpose.

    Parameters
    ----------
    faults : Fault or iterable of Fault
        Everything that is wrong, at least one.

    Attributes
    ----------
    faults : tuple of Fault
        The same, in the order in which it was found.
    """

    def __init__(self, faults: Fault | Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = (faults,) if isinstance(faults, Fault) else tuple(faults)
        # Exception keeps its arguments for pickling, so an error survives the way back from a
        # worker process.
        super().__init__(self.faults)

    def __str__(self) -> str:
        if len(self.faults) == 1:
            return str(self.faults[0])
        return "\n".join([f"{len(self.faults)} faults:", *(f"  {fault}" for fault in self.faults)])


class InvalidKnowledge(BayesdxError):  # noqa: N818 - the public names say what is invalid
    """The knowledge in a priors folder cannot be used, or does not hold what was asked for."""


class InvalidCase(BayesdxError):  # noqa: N818 - the public names say what is invalid
    """A case cannot be read: an unknown finding, an impossible value, a missing unit."""


class InvalidNetwork(BayesdxError):  # noqa: N818 - the public names say what is invalid
    """A network is not a network: a cycle, a table of the wrong shape, an unreadable file."""


class TooComplex(BayesdxError):  # noqa: N818 - as the status of such a case
    """A case couples more than can be summed over within the limits."""


def nearest_names(word: object, names: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """Find the names that somebody who wrote `word` may have meant.

    Parameters
    ----------
    word : object
        What was written; nothing resembles what is no text.
    names : iterable of str
        What could have been written.
    limit : int
        How many names to return at most.

    Returns
    -------
    tuple of str
        Names that resemble the word, the most similar first; empty when none does.
    """
    if not isinstance(word, str):
        return ()
    by_form: dict[str, str] = {}
    for name in names:
        by_form.setdefault(_form(name), name)
    matches = difflib.get_close_matches(_form(word), by_form, n=limit, cutoff=0.6)
    return tuple(by_form[match] for match in matches)


def unknown_names(
    place: str, expected: str, names: Iterable[object], known: Collection[str]
) -> list[Fault]:
    """Return a fault for each name that is none of the known ones, with those that it resembles."""
    return [
        Fault(place, expected, name, nearest_names(str(name), known))
        for name in names
        if name not in known
    ]


def first_line(reason: BaseException) -> str:
    """Return the first line of what an error of another library says, or its name."""
    return next(iter(str(reason).splitlines()), type(reason).__name__)


def _form(name: str) -> str:
    return name.casefold().replace("-", "_").replace(" ", "_")


def _shown(value: object) -> str:
    """Return a repr that fits a line, whatever the value is."""
    try:
        # NumPy's scalars show their type in their repr; what was got is the number.
        text = repr(value.item() if isinstance(value, np.generic) else value)
    except Exception as reason:  # noqa: BLE001 - a foreign repr must not hide the fault itself
        text = f"a {type(value).__name__} that cannot be shown ({type(reason).__name__})"
    longest = LONGEST_PHRASE if isinstance(value, Phrase) else LONGEST_REPR
    if len(text) > longest:
        text = f"{text[: longest - 3]}..."
    return text
