"""Every family's table is what its formula says, worked out slowly and exactly."""

from collections.abc import Callable
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from bayesdx.errors import InvalidNetwork
from bayesdx.network import (
    CPD,
    AnyOfCPD,
    Network,
    NoisyMaxCPD,
    NoisyOrCPD,
    TableCPD,
    Variable,
)

#: Tiny numbers keep their digits; only a few roundings are allowed.
RELATIVE = 1e-14
SEEDS = range(30)
ONE = Fraction(1)


def some(rng: np.random.Generator, size: int) -> np.ndarray:
    """Strengths of every magnitude, with zeros and ones among them."""
    values = 10.0 ** -rng.uniform(0, 30, size)
    values = np.where(rng.random(size) < 0.4, rng.random(size), values)
    return np.where(rng.random(size) < 0.1, rng.integers(0, 2, size), values)


def names(prefix: str, count: int) -> tuple[str, ...]:
    return tuple(f"{prefix}{i}" for i in range(count))


def spared(strengths: np.ndarray, active: tuple[int, ...]) -> Fraction:
    """Product of 1 - z over the active parents, in exact arithmetic."""
    result = ONE
    for z, state in zip(strengths, active, strict=True):
        if state:
            result *= ONE - Fraction(float(z))
    return result


def close(got: float, exact: Fraction) -> bool:
    return abs(Fraction(float(got)) - exact) <= Fraction(RELATIVE) * exact


@pytest.mark.parametrize("seed", SEEDS)
def test_noisy_or(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_act, n_inh = int(rng.integers(0, 6)), int(rng.integers(0, 4))
    leak = float(some(rng, 1)[0])
    cpd = NoisyOrCPD(
        "f", names("a", n_act), some(rng, n_act), leak, names("i", n_inh), some(rng, n_inh)
    )
    assert cpd.parents == names("a", n_act) + names("i", n_inh)
    table = cpd.table([2] * (n_act + n_inh), 2)
    assert table.shape == (2,) * (n_act + n_inh + 1)
    for states in product((0, 1), repeat=n_act + n_inh):
        lowered = Fraction(leak)
        for h, state in zip(cpd.factors, states[n_act:], strict=True):
            lowered *= Fraction(float(h)) if state else ONE
        absent = (ONE - lowered) * spared(cpd.strengths, states[:n_act])
        assert close(table[(*states, 0)], absent)
        assert close(table[(*states, 1)], ONE - absent)


def test_an_inhibitor_lowers_the_leak_and_undoes_no_other_cause() -> None:
    cpd = NoisyOrCPD("f", ("a",), np.array([0.7]), 0.2, ("i",), np.array([0.0]))
    present = cpd.table([2, 2], 2)[..., 1]
    assert present[0, 0] == pytest.approx(0.2, rel=RELATIVE)
    assert present[0, 1] == 0.0
    assert present[1, 1] == pytest.approx(0.7, rel=RELATIVE)


@pytest.mark.parametrize("seed", SEEDS)
def test_noisy_max(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_parents, size = int(rng.integers(0, 5)), int(rng.integers(2, 6))
    # Each level an order of magnitude rarer: differences of close numbers are no fair test.
    falling = 10.0 ** -np.arange(size - 1)
    strengths = some(rng, n_parents)[:, None] * falling
    leak = some(rng, 1)[0] * falling
    cpd = NoisyMaxCPD("f", names("a", n_parents), strengths, leak)
    table = cpd.table([2] * n_parents, size)
    assert table.shape == (2,) * n_parents + (size,)
    for states in product((0, 1), repeat=n_parents):
        exceed = [ONE]
        for level in range(size - 1):
            kept = (ONE - Fraction(float(leak[level]))) * spared(strengths[:, level], states)
            exceed.append(ONE - kept)
        exceed.append(Fraction(0))
        for state in range(size):
            assert close(table[(*states, state)], exceed[state] - exceed[state + 1])


@pytest.mark.parametrize("members", [1, 2, 5])
def test_any_of(members: int) -> None:
    table = AnyOfCPD("g", names("a", members)).table([2] * members, 2)
    for states in product((0, 1), repeat=members):
        assert table[states].tolist() == ([0.0, 1.0] if any(states) else [1.0, 0.0])


def test_a_table_is_its_values() -> None:
    values = np.array([[0.9, 0.1], [0.2, 0.8]])
    cpd = TableCPD("c", ("r",), values)
    np.testing.assert_array_equal(cpd.table([2], 2), values)


@pytest.mark.parametrize(
    "cpd",
    [
        NoisyOrCPD("f", names("a", 24), np.full(24, 0.5), 0.1),
        NoisyOrCPD("f", (), np.array([]), 0.1, names("a", 24), np.full(24, 0.5)),
        NoisyMaxCPD("f", names("a", 24), np.full((24, 1), 0.5), np.array([0.1])),
        AnyOfCPD("f", names("a", 24)),
    ],
    ids=["noisy-OR", "inhibitors", "noisy-MAX", "any of"],
)
def test_a_table_too_large_to_hold_is_refused_but_the_network_is_not(cpd: CPD) -> None:
    parents = [Variable(name) for name in cpd.parents]
    priors = [TableCPD(name, (), np.array([0.5, 0.5])) for name in cpd.parents]
    network = Network([Variable("f"), *parents], [cpd, *priors])
    message = r"^table of f: expected at most 16777216 cells, got '3\.36e\+07 cells'\.$"
    with pytest.raises(InvalidNetwork, match=message):
        network.table("f")


def test_numbers_are_copied_and_cannot_be_changed() -> None:
    strengths, values = np.array([0.5]), np.array([0.4, 0.6])
    noisy = NoisyOrCPD("f", ("a",), strengths, 0.1)
    levels = NoisyMaxCPD("o", ("a",), np.array([[0.5]]), np.array([0.1]))
    table = TableCPD("c", (), values)
    strengths[0] = values[0] = 0.9
    assert noisy.strengths.tolist() == [0.5]
    assert table.values.tolist() == [0.4, 0.6]
    for array in (noisy.strengths, noisy.factors, levels.strengths, levels.leak, table.values):
        assert array.dtype == np.float64
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0.0


def one_table(values: object, *, normalise: bool = False) -> Network:
    cpd = TableCPD("a", (), np.array(values, dtype=np.float64))
    return Network([Variable("a", ("x", "y"))], [cpd], normalise=normalise)


def test_rows_may_miss_1_by_rounding_and_are_divided_by_their_sum() -> None:
    assert one_table([0.3, 0.7 + 1e-7]).table("a").sum() == pytest.approx(1.0, abs=1e-15)
    kept = one_table([0.1, 0.9000000000000001]).table("a")
    assert kept.tolist() == [0.1, 0.9000000000000001]


def test_a_larger_miss_is_refused_unless_asked_to_normalise() -> None:
    with pytest.raises(InvalidNetwork, match="table of a: expected rows that sum to 1"):
        one_table([0.3, 0.7 + 1e-5])
    assert one_table([30, 70], normalise=True).table("a").tolist() == [0.3, 0.7]
    assert one_table([1.0, -1.19e-7], normalise=True).table("a").tolist() == [1.0, 0.0]
    with pytest.raises(InvalidNetwork, match=r"probabilities in \[0, 1\]"):
        one_table([1.0, -1e-5], normalise=True)
    with pytest.raises(InvalidNetwork, match="expected rows that sum to 1"):
        one_table([0.0, 0.0], normalise=True)


@pytest.mark.parametrize(
    "make",
    [
        lambda: TableCPD("c", "ab", np.full((2, 2, 2), 0.5)),  # type: ignore[arg-type]
        lambda: NoisyOrCPD("c", "a", np.array([0.5]), 0.1),  # type: ignore[arg-type]
        lambda: NoisyMaxCPD("c", "a", np.array([[0.5]]), np.array([0.1])),  # type: ignore[arg-type]
        lambda: AnyOfCPD("c", "a"),  # type: ignore[arg-type]
    ],
)
def test_a_bare_string_is_no_tuple_of_parents(make: Callable[[], CPD]) -> None:
    with pytest.raises(InvalidNetwork, match="parents of c: expected a tuple of names, got 'a"):
        make()


@pytest.mark.parametrize("parents", [{"a"}, ("a", 1), [["a"]], b"a", 5, None])
def test_parents_are_names_in_order(parents: object) -> None:
    with pytest.raises(InvalidNetwork, match="parents of c: expected a tuple of names, got "):
        TableCPD("c", parents, np.full((2, 2), 0.5))  # type: ignore[arg-type]


@pytest.mark.parametrize("child", [1, None, ("c",)])
def test_a_distribution_is_of_a_named_variable(child: object) -> None:
    with pytest.raises(InvalidNetwork, match="distribution: expected the name of a variable, got "):
        TableCPD(child, (), [0.5, 0.5])  # type: ignore[arg-type]


NO_NUMBERS = (["a", "b"], [[0.5, 0.5], [0.5]], "x", {}, object(), [1 + 0j, 0], np.ones(2, "c16"))


@pytest.mark.parametrize("values", NO_NUMBERS, ids=range(len(NO_NUMBERS)))
def test_what_is_no_array_of_numbers_is_refused(values: object) -> None:
    families: tuple[tuple[str, Callable[[], CPD]], ...] = (
        ("table of c", lambda: TableCPD("c", (), values)),  # type: ignore[arg-type]
        ("noisy-OR of c, strengths", lambda: NoisyOrCPD("c", ("a",), values, 0.1)),  # type: ignore[arg-type]
        ("noisy-OR of c, factors", lambda: NoisyOrCPD("c", (), [], 0.1, ("a",), values)),  # type: ignore[arg-type]
        ("noisy-OR of c, leak", lambda: NoisyOrCPD("c", ("a",), [0.5], values)),  # type: ignore[arg-type]
        ("noisy-MAX of c, leak", lambda: NoisyMaxCPD("c", ("a",), [[0.5]], values)),  # type: ignore[arg-type]
    )
    for place, make in families:
        with pytest.raises(InvalidNetwork, match=f"{place}: expected an array of numbers, got "):
            make()


def test_a_leak_of_none_is_told_by_the_network() -> None:
    cpds = [TableCPD("a", (), [0.5, 0.5]), NoisyOrCPD("c", ("a",), [0.5], None)]  # type: ignore[arg-type, list-item]
    with pytest.raises(InvalidNetwork, match=r"noisy-OR of c, leak: expected probabilities in"):
        Network([Variable("a"), Variable("c")], cpds)
