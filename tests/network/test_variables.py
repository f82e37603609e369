"""A variable has a name and one or more distinct states."""

from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from bayesdx import Network, TableCPD, compile_network
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


@pytest.mark.parametrize("states", [{"a", "b"}, ("a", 1), "ab"])
def test_states_are_names_in_order(states: Any) -> None:
    with pytest.raises(InvalidNetwork, match="variable pain: expected one or more distinct states"):
        Variable("pain", states)


@pytest.mark.parametrize("name", ["", 3, None])
def test_a_name_is_a_text(name: Any) -> None:
    with pytest.raises(InvalidNetwork, match="variable: expected a non-empty name, got "):
        Variable(name)


@pytest.mark.parametrize("name", [5, b"x", None])
def test_a_name_that_is_no_text_is_refused(name: Any) -> None:
    with pytest.raises(InvalidNetwork, match=r"^variable: expected a non-empty name, got "):
        Variable(name)


@pytest.mark.parametrize("states", [5, "yn", (1, 2), (b"a",), None, ("a", 1)])
def test_states_that_are_no_texts_are_refused(states: Any) -> None:
    with pytest.raises(
        InvalidNetwork, match=r"one or more distinct states in order, .* each a text, got "
    ):
        Variable("x", states)


def test_what_is_no_network_is_one_sentence() -> None:
    for parents in (5, None, "A"):
        with pytest.raises(InvalidNetwork, match="parents of C: expected a tuple of names"):
            TableCPD("C", parents, [0.5, 0.5])  # type: ignore[arg-type]
    for variables in ("x", {"A": Variable("A")}, [TableCPD("A", (), [0.5, 0.5])]):
        with pytest.raises(InvalidNetwork, match="variables: expected values of Variable"):
            Network(variables, [])  # type: ignore[arg-type]
    for network in ("asia.bif", None, 5):
        with pytest.raises(InvalidNetwork, match=r"a Network \(read_network reads files\), got"):
            compile_network(network)  # type: ignore[arg-type]


def test_states_become_a_tuple() -> None:
    assert Variable("x", ["a", "b"]) == Variable("x", ("a", "b"))  # type: ignore[arg-type]


def test_an_empty_name_is_refused() -> None:
    with pytest.raises(InvalidNetwork, match=r"^variable: expected a non-empty name, got ''\.$"):
        Variable("")
