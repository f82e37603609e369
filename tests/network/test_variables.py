"""A variable has a name and one or more distinct states."""

from dataclasses import FrozenInstanceError

import pytest

from bayesdx.errors import InvalidNetwork
from bayesdx.network import ABSENT, PRESENT, Variable


def test_a_variable_is_binary_unless_told_otherwise() -> None:
    assert Variable("pain").states == (ABSENT, PRESENT)
    assert Variable("pain").cardinality == 2
    assert Variable("pain", ("none", "some", "much")).cardinality == 3


def test_variables_are_values() -> None:
    assert Variable("pain") == Variable("pain", ("absent", "present"))
    assert Variable("pain") != Variable("pain", ("present", "absent"))
    assert len({Variable("pain"), Variable("pain")}) == 1
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'name'"):
        Variable("pain").name = "fever"  # type: ignore[misc]


@pytest.mark.parametrize("states", [(), ("a", ""), ("same", "same"), ("a", "b", "a")])
def test_too_few_or_repeated_states_are_refused(states: tuple[str, ...]) -> None:
    with pytest.raises(
        InvalidNetwork, match=r"^variable pain: expected one or more distinct states"
    ) as e:
        Variable("pain", states)
    assert repr(states) in str(e.value)


def test_an_empty_name_is_refused() -> None:
    with pytest.raises(InvalidNetwork, match=r"^variable: expected a non-empty name, got ''\.$"):
        Variable("")
