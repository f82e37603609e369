"""A network is accepted whole or refused with everything that is wrong in it."""

from collections.abc import Sequence
from dataclasses import FrozenInstanceError, replace
from itertools import pairwise
from random import Random

import numpy as np
import pytest

from bayesdx.errors import BayesdxError, InvalidNetwork
from bayesdx.network import (
    CPD,
    AnyOfCPD,
    Network,
    NoisyMaxCPD,
    NoisyOrCPD,
    TableCPD,
    Variable,
)

SUM_TO_1 = "rows that sum to 1 (normalise=True of Network divides them by their sums)"
VARIABLES = (
    Variable("age", ("young", "old", "very_old")),
    Variable("strain"),
    Variable("palsy"),
    Variable("pain"),
    Variable("weakness", ("none", "some", "much")),
    Variable("any"),
)
CPDS: dict[str, CPD] = {
    "age": TableCPD("age", (), np.array([0.5, 0.3, 0.2])),
    "strain": TableCPD("strain", ("age",), np.array([[0.9, 0.1], [0.8, 0.2], [1.0, 0.0]])),
    "palsy": TableCPD("palsy", (), np.array([0.99, 0.01])),
    "pain": NoisyOrCPD("pain", ("strain",), np.array([0.7]), 0.05, ("palsy",), np.array([0.4])),
    "weakness": NoisyMaxCPD(
        "weakness", ("strain", "palsy"), np.array([[0.3, 0.1], [0.9, 0.8]]), np.array([0.02, 0.01])
    ),
    "any": AnyOfCPD("any", ("strain", "palsy")),
}


def build(**changed: CPD) -> Network:
    return Network(VARIABLES, (CPDS | changed).values())


def faults(variables: Sequence[Variable], cpds: Sequence[CPD]) -> list[str]:
    with pytest.raises(InvalidNetwork, match="expected") as refusal:
        Network(variables, cpds)
    return [str(fault) for fault in refusal.value.faults]


def table(values: object, parents: tuple[str, ...] = (), child: str = "strain") -> TableCPD:
    return TableCPD(child, parents, np.array(values))


def test_parents_come_before_their_children() -> None:
    network = build()
    place = {name: i for i, name in enumerate(network.order)}
    assert sorted(network.order) == sorted(CPDS)
    for name in CPDS:
        assert all(place[parent] < place[name] for parent in network.parents(name))


@pytest.mark.parametrize(
    ("cpd", "message"),
    [
        pytest.param(
            table([0.5, 0.3, 0.2]),
            "table of strain: expected an array of shape (2,), got 'shape (3,)'.",
            id="shape",
        ),
        pytest.param(
            table([[0.5, 0.5]] * 2, ("age",)),
            "table of strain: expected an array of shape (3, 2), got 'shape (2, 2)'.",
            id="shape with a parent",
        ),
        pytest.param(
            table([1.25, -0.25]),
            "table of strain: expected probabilities in [0, 1], got [1.25, -0.25].",
            id="out of range",
        ),
        pytest.param(
            table([np.nan, 1.0]),
            "table of strain: expected probabilities in [0, 1], got [nan, 1.0].",
            id="not a number",
        ),
        pytest.param(
            table([0.5, 0.25]),
            f"table of strain: expected {SUM_TO_1}, got 0.75.",
            id="sum",
        ),
        pytest.param(
            NoisyOrCPD("pain", ("strain", "palsy"), np.array([0.5]), 0.1),
            "noisy-OR of pain, strengths: expected an array of shape (2,), got 'shape (1,)'.",
            id="strengths missing",
        ),
        pytest.param(
            NoisyOrCPD("pain", (), np.array([]), 0.1, ("palsy",)),
            "noisy-OR of pain, factors: expected an array of shape (1,), got 'shape (0,)'.",
            id="factors missing",
        ),
        pytest.param(
            NoisyOrCPD("pain", ("strain",), np.array([1.5]), 0.1),
            "noisy-OR of pain, strengths: expected probabilities in [0, 1], got [1.5].",
            id="strength out of range",
        ),
        pytest.param(
            NoisyOrCPD("pain", (), np.array([]), 0.1, ("palsy",), np.array([-0.5])),
            "noisy-OR of pain, factors: expected probabilities in [0, 1], got [-0.5].",
            id="factor out of range",
        ),
        pytest.param(
            NoisyOrCPD("pain", ("strain",), np.array([0.5]), float("inf")),
            "noisy-OR of pain, leak: expected probabilities in [0, 1], got [inf].",
            id="leak out of range",
        ),
        pytest.param(
            NoisyOrCPD("pain", ("age",), np.array([0.5]), 0.1),
            "noisy-OR of pain: expected binary variables, got (2, 3).",
            id="parent of three states",
        ),
        pytest.param(
            NoisyOrCPD("pain", ("strain",), np.array([0.5]), 0.1, ("strain",), np.array([0.5])),
            "parents of pain: expected distinct parents, got ('strain', 'strain').",
            id="activator and inhibitor",
        ),
        pytest.param(
            NoisyOrCPD("weakness", ("strain",), np.array([0.5]), 0.1),
            "noisy-OR of weakness: expected binary variables, got (3, 2).",
            id="child of three states",
        ),
        pytest.param(
            NoisyMaxCPD("weakness", ("strain",), np.array([[0.5]]), np.array([0.1, 0.05])),
            "noisy-MAX of weakness, strengths: expected an array of shape (1, 2), "
            "got 'shape (1, 1)'.",
            id="levels missing",
        ),
        pytest.param(
            NoisyMaxCPD("weakness", ("strain",), np.array([[0.5, 0.2]]), np.array([0.1])),
            "noisy-MAX of weakness, leak: expected an array of shape (2,), got 'shape (1,)'.",
            id="leak levels missing",
        ),
        pytest.param(
            NoisyMaxCPD("weakness", ("strain",), np.array([[2.0, 0.2]]), np.array([0.1, 0.0])),
            "noisy-MAX of weakness, strengths: expected probabilities in [0, 1], got [[2.0, 0.2]].",
            id="exceedance out of range",
        ),
        pytest.param(
            NoisyMaxCPD("weakness", ("strain",), np.array([[0.2, 0.1]]), np.array([0.1, -0.5])),
            "noisy-MAX of weakness, leak: expected probabilities in [0, 1], got [0.1, -0.5].",
            id="leak exceedance out of range",
        ),
        pytest.param(
            NoisyMaxCPD("weakness", ("strain",), np.array([[0.2, 0.3]]), np.array([0.1, 0.1])),
            "noisy-MAX of weakness: expected exceedances that do not increase with the level, "
            "got 'rising'.",
            id="rising exceedances",
        ),
        pytest.param(
            NoisyMaxCPD("weakness", ("strain",), np.array([[0.2, 0.2]]), np.array([0.1, 0.2])),
            "noisy-MAX of weakness: expected exceedances that do not increase with the level, "
            "got 'rising'.",
            id="rising leak",
        ),
        pytest.param(
            NoisyMaxCPD("weakness", ("age",), np.array([[0.2, 0.2]]), np.array([0.1, 0.1])),
            "noisy-MAX of weakness: expected binary parents, got (3,).",
            id="ordinal parent",
        ),
        pytest.param(
            AnyOfCPD("any", ()),
            "any-of any: expected one or more members, got ().",
            id="empty group",
        ),
        pytest.param(
            AnyOfCPD("any", ("strain", "age")),
            "any-of any: expected binary variables, got (2, 2, 3).",
            id="member of three states",
        ),
        pytest.param(
            AnyOfCPD("any", ("strain", "strain")),
            "parents of any: expected distinct parents, got ('strain', 'strain').",
            id="member twice",
        ),
        pytest.param(
            AnyOfCPD("any", ("strain", "palsi")),
            "parents of any: expected a declared variable, got 'palsi'. Nearest: palsy, pain.",
            id="misspelt parent",
        ),
    ],
)
def test_one_wrong_distribution_is_named(cpd: CPD, message: str) -> None:
    changed = CPDS | {cpd.child: cpd}
    assert faults(VARIABLES, list(changed.values())) == [message]


def test_names_must_be_unique_and_matched() -> None:
    assert faults([*VARIABLES, Variable("pain")], list(CPDS.values())) == [
        "variable pain: expected a unique name, got 'a second one'."
    ]
    assert faults(VARIABLES, [*CPDS.values(), CPDS["pain"]]) == [
        "variable pain: expected one distribution, got 'a second one'."
    ]
    assert faults([*VARIABLES, Variable("fever")], list(CPDS.values())) == [
        "variable fever: expected a distribution, got 'none'."
    ]
    assert faults(VARIABLES, [*CPDS.values(), AnyOfCPD("an_y", ("strain",))]) == [
        "distribution of an_y: expected a declared variable, got 'an_y'. Nearest: any."
    ]


def test_all_faults_are_told_at_once() -> None:
    wrong: list[CPD] = [
        table([0.5, 0.25]),
        NoisyOrCPD("pain", ("strain",), np.array([1.5]), -0.5),
        AnyOfCPD("any", ()),
    ]
    changed = CPDS | {cpd.child: cpd for cpd in wrong}
    assert faults(VARIABLES, list(changed.values())) == [
        f"table of strain: expected {SUM_TO_1}, got 0.75.",
        "noisy-OR of pain, strengths: expected probabilities in [0, 1], got [1.5].",
        "noisy-OR of pain, leak: expected probabilities in [0, 1], got [-0.5].",
        "any-of any: expected one or more members, got ().",
    ]
    with pytest.raises(BayesdxError, match=r"(?s)^4 faults:\n  table of strain.*\n  any-of any"):
        build(**{cpd.child: cpd for cpd in wrong})


@pytest.mark.parametrize("given", [None, 5, "strain"])
def test_what_is_no_collection_is_told(given: object) -> None:
    with pytest.raises(
        BayesdxError, match=f"variables: expected values of Variable, got {given!r}"
    ):
        Network(given, CPDS.values())
    with pytest.raises(
        BayesdxError, match=f"cpds: expected distributions, one a variable, got {given!r}"
    ):
        Network(VARIABLES, given)
    with pytest.raises(
        BayesdxError, match=f"do: expected a mapping of variables to states, got {given!r}"
    ):
        build().do(given)


def test_a_circle_is_shown_as_it_runs() -> None:
    names = ("a", "b", "c")
    ring = [AnyOfCPD(child, (names[i - 1],)) for i, child in enumerate(names)]
    (message,) = faults([Variable(name) for name in names], ring)
    assert message.startswith("network: expected no directed cycle, got '")
    steps = message.split("'")[1].split(" -> ")
    assert steps[0] == steps[-1]
    assert sorted(steps[1:]) == ["a", "b", "c"]
    for parent, child in pairwise(steps):
        assert parent in dict(zip(names, (cpd.parents for cpd in ring), strict=True))[child]
    (message,) = faults([Variable("self")], [AnyOfCPD("self", ("self",))])
    assert message == "network: expected no directed cycle, got 'self -> self'."


def test_a_network_cannot_be_changed() -> None:
    network = build()
    with pytest.raises(TypeError, match="this mapping is read-only"):
        network.variables["pain"] = Variable("pain")  # type: ignore[index]
    with pytest.raises(TypeError, match="this mapping is read-only"):
        network.cpds["pain"] = CPDS["any"]  # type: ignore[index]
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'order'"):
        network.order = ()  # type: ignore[misc]


def test_the_digest_does_not_depend_on_the_order_of_anything_without_meaning() -> None:
    digest = build().digest
    assert len(digest) == 64
    for seed in range(10):
        variables, cpds = list(VARIABLES), list(CPDS.values())
        Random(seed).shuffle(variables)
        Random(seed + 1).shuffle(cpds)
        assert Network(variables, cpds).digest == digest


def _next_to(cpd: CPD) -> CPD:
    """The same distribution with one number moved by the smallest step there is."""
    if isinstance(cpd, TableCPD):
        values = cpd.values.copy()
        values.flat[-1] = np.nextafter(values.flat[-1], 0.5)
        return replace(cpd, values=values)
    assert isinstance(cpd, NoisyOrCPD)
    return replace(cpd, leak=np.nextafter(cpd.leak, 1.0))


def test_the_digest_changes_with_every_number_and_name() -> None:
    pain = CPDS["pain"]
    weakness = CPDS["weakness"]
    assert isinstance(pain, NoisyOrCPD)
    assert isinstance(weakness, NoisyMaxCPD)
    networks = [
        build(),
        build(age=_next_to(CPDS["age"])),
        build(strain=_next_to(CPDS["strain"])),
        build(pain=_next_to(pain)),
        build(pain=replace(pain, strengths=np.nextafter(pain.strengths, 1.0))),
        build(pain=replace(pain, factors=np.nextafter(pain.factors, 1.0))),
        build(pain=replace(pain, activators=("palsy",), inhibitors=("strain",))),
        build(pain=NoisyOrCPD("pain", ("strain", "palsy"), np.array([0.7, 0.4]), 0.05)),
        # The same names and numbers one after the other, but other roles.
        build(pain=NoisyOrCPD("pain", ("strain", "palsy"), np.array([0.7, 0.05]), 0.4)),
        build(weakness=replace(weakness, leak=np.nextafter(weakness.leak, 1.0))),
        build(weakness=replace(weakness, strengths=np.nextafter(weakness.strengths, 1.0))),
        build(weakness=replace(weakness, parents=("palsy", "strain"))),
        build(any=AnyOfCPD("any", ("palsy",))),
        Network([*VARIABLES[1:], Variable("age", ("a", "b", "c"))], CPDS.values()),
        Network(
            [*VARIABLES[:-1], Variable("some")],
            [
                *(CPDS[name] for name in CPDS if name != "any"),
                AnyOfCPD("some", ("strain", "palsy")),
            ],
        ),
    ]
    assert len({network.digest for network in networks}) == len(networks)


def test_repr_counts_and_names() -> None:
    network = build()
    assert repr(network) == f"Network(6 variables, 7 links, {network.digest[:12]})"
