"""Conditions on what was found, in Kleene's logic, for one case and for many by the same code.

A condition is true, false or unknown, when something that it needs is not known. Of N cases that is
two sets: where it is true, and where it is possible (true or unknown). A set of cases is a Python
integer with one bit a case, so that "and", "or" and "not" are ``&``, ``|`` and a swap of the two
sets: one case costs next to nothing, and 65,000 cost an operation on 8 KB.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesdx.errors import Fault, InvalidCase, nearest_names
from bayesdx.inference.arrays import BoolArray
from bayesdx.knowledge.red_flag_schema import When, read_leaf

TWO_STATES = ("absent", "present")
#: Up to so many cases bits are set one by one; packing has a fixed price.
FEW = 8


@dataclass(frozen=True, slots=True)
class StateTest:
    """True where a finding or risk is in one of some states.

    Attributes
    ----------
    text : str
        As it is written, such as ``"!fever"``.
    subject : str
    states : tuple of int
        Positions among the states of the subject.
    size : int
        How many states the subject has.
    """

    text: str
    subject: str
    states: tuple[int, ...]
    size: int


@dataclass(frozen=True, slots=True)
class Gate:
    """True where so many of its parts are; "and" needs all of them, "or" needs one.

    Attributes
    ----------
    least : int
    parts : tuple of (StateTest or Gate, bool)
        With False for a part that is negated.
    """

    least: int
    parts: tuple[tuple[StateTest | Gate, bool], ...]


class Facts:
    """What is known of N cases.

    Parameters
    ----------
    columns : mapping of str to int array (N,)
        Position of the state of each finding and risk, -1 where it is not known. An id that is
        left out is known in no case.
    n_cases : int
    """

    def __init__(self, columns: Mapping[str, NDArray[np.integer]], n_cases: int) -> None:
        self._columns, self._n_cases = columns, n_cases
        self._planes: dict[str, list[int]] = {}
        self._leaves: dict[str, tuple[int, int]] = {}
        self.every = (1 << n_cases) - 1

    def leaf(self, leaf: StateTest) -> tuple[int, int]:
        """Return where a leaf is true, and where it is true or unknown; looked up once."""
        found = self._leaves.get(leaf.text)
        if found is None:
            planes = self._planes.get(leaf.subject)
            if planes is None:
                planes = self._planes[leaf.subject] = self._by_state(leaf.subject, leaf.size)
            true = 0
            for state in leaf.states:
                true |= planes[state]
            found = self._leaves[leaf.text] = true, true | planes[-1]
        return found

    def _by_state(self, subject: str, size: int) -> list[int]:
        """Cases in each state, and last those where it is not known."""
        column = self._columns.get(subject)
        if column is None:
            return [*[0] * size, self.every]
        planes = [0] * (size + 1)
        if self._n_cases <= FEW:
            for row, state in enumerate(column.tolist()):
                planes[state] |= 1 << row
            return planes
        return [packed(column == state) for state in (*range(size), -1)]


def packed(rows: BoolArray) -> int:
    """Return a set of cases, (N,), as an integer."""
    return int.from_bytes(np.packbits(rows, bitorder="little").tobytes(), "little")


def unpacked(bits: int, n_cases: int) -> BoolArray:
    """Return the set of cases that an integer stands for, (N,)."""
    raw = bits.to_bytes((n_cases + 7) // 8, "little")
    flags = np.unpackbits(np.frombuffer(raw, np.uint8), count=n_cases, bitorder="little")
    return flags.view(np.bool_)


def where(item: StateTest | Gate, facts: Facts, possible: bool = False) -> int:
    """Return the cases in which a condition is true; with `possible`, or unknown."""
    if isinstance(item, StateTest):
        return facts.leaf(item)[possible]
    every, least = facts.every, item.least
    # Where so many of the parts seen so far hold.
    held = [every] + [0] * least
    left = len(item.parts)
    for part, plain in item.parts:
        one = where(part, facts, possible) if plain else every ^ where(part, facts, not possible)
        for count in range(least, 0, -1):
            held[count] |= held[count - 1] & one
        left -= 1
        if held[least] == every or not held[max(least - left, 0)]:
            break  # whatever follows changes nothing
    return held[least]


def true_leaves(gate: Gate, facts: Facts) -> Iterator[str]:
    """Yield the leaves on which a true condition of one case rests.

    What must be false for it is no reason.
    """
    for part, plain in gate.parts:
        if plain and where(part, facts):
            if isinstance(part, StateTest):
                yield part.text
            else:
                yield from true_leaves(part, facts)


def unknown_subjects(gate: Gate, facts: Facts) -> Iterator[str]:
    """Yield what could still decide an unknown condition of one case."""
    for part, _ in gate.parts:
        if where(part, facts, possible=True) and not where(part, facts):
            if isinstance(part, StateTest):
                yield part.subject
            else:
                yield from unknown_subjects(part, facts)


def compiled(when: When, states: Mapping[str, Sequence[str]]) -> Gate:
    """Compile a condition.

    Parameters
    ----------
    when : When
    states : mapping of str to sequence of str
        State names, in order, of ids with other states than absent and present.

    Raises
    ------
    InvalidCase
        When a leaf names a state that its id does not have.
    """

    def side(
        items: Sequence[str | When], plain: bool = True
    ) -> list[tuple[StateTest | Gate, bool]]:
        both = [
            _leaf(one, states) if isinstance(one, str) else compiled(one, states) for one in items
        ]
        return [(one, plain) for one in both]

    parts = side(when.all)
    if when.any:
        parts.append((Gate(1, tuple(side(when.any))), True))
    if when.at_least is not None:
        parts.append((Gate(when.at_least.count, tuple(side(when.at_least.of))), True))
    parts += side(when.none, plain=False)
    return Gate(len(parts), tuple(parts))


def _leaf(text: str, states: Mapping[str, Sequence[str]]) -> StateTest:
    test = read_leaf(text)
    names = list(states.get(test.subject, TWO_STATES))
    faults = [
        Fault(
            f"states of {test.subject!r}, which a condition asks for as {text!r}",
            f"one of {', '.join(names)}",
            state,
            nearest_names(state, names),
        )
        for state in test.states
        if state not in names
    ]
    if faults:
        raise InvalidCase(faults)
    places = tuple(names.index(state) for state in test.states)
    return StateTest(text, test.subject, places, len(names))
