"""Discrete variables."""

from __future__ import annotations

from dataclasses import dataclass

from bayesdx.errors import Fault, InvalidNetwork

ABSENT = "absent"
PRESENT = "present"
BINARY_STATES = (ABSENT, PRESENT)


@dataclass(frozen=True, slots=True)
class Variable:
    """A discrete variable.

    Parameters
    ----------
    name : str
        Unique within a network.
    states : tuple of str
        At least two distinct state names. The order matters for ordinal variables (lowest
        first) and for binary causes (the *last* state is the active one).

    Raises
    ------
    InvalidNetwork
        If the name is empty or the states are fewer than two or repeat.
    """

    name: str
    states: tuple[str, ...] = BINARY_STATES

    def __post_init__(self) -> None:
        if not self.name:
            raise InvalidNetwork([Fault("variable", "a non-empty name", self.name)])
        if len(self.states) < 2 or len(set(self.states)) != len(self.states):
            raise InvalidNetwork(
                [Fault(f"variable {self.name}", "two or more distinct states", self.states)]
            )

    @property
    def cardinality(self) -> int:
        """Number of states."""
        return len(self.states)
