"""Discrete variables."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass, field

from bayesdx.errors import Fault, InvalidNetwork
from bayesdx.frozen import PlainParts

ABSENT = "absent"
PRESENT = "present"
BINARY_STATES = (ABSENT, PRESENT)


@dataclass(frozen=True, slots=True)
class Variable(PlainParts):
    """A discrete variable.

    Parameters
    ----------
    name : str
        Unique within a network.
    states : tuple of str
        One or more distinct, non-empty state names. The order matters for ordinal variables (lowest
        first) and for binary causes (the *last* state is the active one).
    label : str
        What people call it, such as a display name of GeNIe: another name for columns of cases.
        No part of what the variable is: neither of equality nor of a network's digest.

    Raises
    ------
    InvalidNetwork
        If the name or a state is empty or no text, there is no state, or states repeat.
    """

    name: str
    states: tuple[str, ...] = BINARY_STATES
    label: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        name: object = self.name
        if not (isinstance(name, str) and name):
            raise InvalidNetwork([Fault("variable", "a non-empty name", name)])
        given: object = self.states
        # A set has no order, and the order of states is that of the numbers.
        states: tuple[object, ...] = ()
        if isinstance(given, Iterable) and not isinstance(given, str | Set):
            states = tuple(given)
        texts = all(isinstance(state, str) and state for state in states)
        if not (states and texts and len(set(states)) == len(states)):
            expected = "one or more distinct states in order, none of them empty, each a text"
            raise InvalidNetwork([Fault(f"variable {name}", expected, given)])
        object.__setattr__(self, "states", states)

    @property
    def cardinality(self) -> int:
        """Number of states."""
        return len(self.states)
