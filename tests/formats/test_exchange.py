"""To pgmpy and back: which axis is which."""

import sys

import numpy as np
import pytest
from example_networks import example_files
from hypothesis import given, settings
from hypothesis import strategies as st
from network_judges import assert_same, networks, of_pgmpy

from bayesdx import BayesdxError, InvalidNetwork, Network, Variable, read_network
from bayesdx.formats import from_pgmpy, to_pgmpy, write_network
from bayesdx.network import AnyOfCPD, NoisyMaxCPD, NoisyOrCPD, TableCPD

pytestmark = pytest.mark.filterwarnings("ignore:::pgmpy")


def lopsided() -> Network:
    generator = np.random.default_rng(3)
    sizes = {"x": 2, "y": 5, "z": 3, "w": 4}
    variables = [Variable(name, tuple("abcde"[:size])) for name, size in sizes.items()]
    tables = [
        TableCPD("x", (), generator.dirichlet(np.ones(2))),
        TableCPD("y", ("x",), generator.dirichlet(np.ones(5), size=2)),
        TableCPD("z", (), generator.dirichlet(np.ones(3))),
        TableCPD("w", ("z", "x", "y"), generator.dirichlet(np.ones(4), size=(3, 2, 5))),
    ]
    return Network(variables, tables)


def test_pgmpy_has_the_same_probabilities() -> None:
    network = lopsided()
    model = to_pgmpy(network)
    assert model.check_model()
    assert_same(network, of_pgmpy(model), 0.0)
    # Asked by names, as pgmpy itself understands the table.
    cpd, table = model.get_cpds("w"), network.table("w")
    for (z, x, y, w), p in np.ndenumerate(table):
        states = {"z": "abc"[z], "x": "ab"[x], "y": "abcde"[y], "w": "abcd"[w]}
        assert cpd.get_value(**states) == p


def test_pgmpy_answers_as_enumeration_does() -> None:
    from pgmpy.inference import VariableElimination

    network = lopsided()
    tables = [network.table(name) for name in "xyzw"]
    joint = np.einsum("x,xy,z,zxyw->xyzw", *tables)
    answer = VariableElimination(to_pgmpy(network)).query(["y"], {"w": "b"}, show_progress=False)
    expected = joint[..., 1].sum(axis=(0, 2))
    np.testing.assert_allclose(answer.values, expected / expected.sum(), atol=1e-12)


def test_there_and_back() -> None:
    network = lopsided()
    assert from_pgmpy(to_pgmpy(network)).digest == network.digest
    child = read_network(str(example_files()["child"]))
    assert from_pgmpy(to_pgmpy(child)).digest == child.digest


def test_noisy_families_go_as_the_tables_that_they_stand_for() -> None:
    causes = ("a", "b", "c")
    cpds = [TableCPD(name, (), np.array([0.7, 0.3])) for name in causes]
    network = Network(
        [
            *map(Variable, causes),
            Variable("f"),
            Variable("g", ("low", "mid", "high")),
            Variable("h"),
        ],
        [
            *cpds,
            NoisyOrCPD("f", ("a", "b"), np.array([0.9, 0.4]), 0.05, ("c",), np.array([0.5])),
            NoisyMaxCPD("g", ("c", "a"), np.array([[0.8, 0.3], [0.5, 0.5]]), np.array([0.1, 0.02])),
            AnyOfCPD("h", ("f", "b")),
        ],
    )
    model = to_pgmpy(network)
    assert model.check_model()
    back = from_pgmpy(model)
    assert list(back.variables.values()) == list(network.variables.values())
    for name in network.variables:
        assert isinstance(back.cpds[name], TableCPD)
        assert back.parents(name) == network.parents(name)
        np.testing.assert_allclose(back.table(name), network.table(name), rtol=0, atol=1e-15)
    # What is a table already comes back as it is, to the last digit.
    assert from_pgmpy(to_pgmpy(back)).digest == back.digest


NAMES = st.text("abXY _-<1", min_size=1, max_size=5)


@settings(max_examples=40, deadline=None)
@given(network=networks(NAMES, NAMES))
def test_there_and_back_whatever_the_shape(network: Network) -> None:
    assert from_pgmpy(to_pgmpy(network)).digest == network.digest


def _model(edges, *cpds):
    from pgmpy.models import DiscreteBayesianNetwork

    model = DiscreteBayesianNetwork(edges)
    model.add_cpds(*cpds)
    return model


def _cpd(*arguments, **named):
    from pgmpy.factors.discrete import TabularCPD

    return TabularCPD(*arguments, **named)


def test_numbers_as_states_and_another_order_in_a_child() -> None:
    root = _cpd("a", 2, [[0.25], [0.75]], state_names={"a": [0, 1]})
    values = [[0.1, 0.2], [0.9, 0.8]]
    names = {"a": [1, 0], "b": ["t", "f"]}
    child = _cpd("b", 2, values, evidence=["a"], evidence_card=[2], state_names=names)
    network = from_pgmpy(_model([("a", "b")], root, child))
    assert network.variables["a"].states == ("0", "1")
    np.testing.assert_array_equal(network.table("b"), [[0.2, 0.8], [0.1, 0.9]])


def test_what_is_wrong_with_a_model_is_told() -> None:
    child = _cpd("b", 2, [[0.1, 0.2], [0.9, 0.8]], evidence=["a"], evidence_card=[2])
    with pytest.raises(
        InvalidNetwork, match=r"^pgmpy model: node a: expected a table, got nothing"
    ):
        from_pgmpy(_model([("a", "b")], child))
    root = _cpd("a", 2, [[0.25], [0.75]], state_names={"a": ["yes", "no"]})
    match = r"probability of b: expected the states of a as it has them itself, got \['0', '1'\]"
    with pytest.raises(InvalidNetwork, match=match):
        from_pgmpy(_model([("a", "b")], root, child))
    alone = _cpd("b", 2, [[0.1], [0.9]])
    with pytest.raises(InvalidNetwork, match="the same links in graph and tables, got a -> b"):
        from_pgmpy(_model([("a", "b")], root, alone))


def test_without_pgmpy_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pgmpy.models", None)
    with pytest.raises(
        BayesdxError, match=r"to_pgmpy: expected the extra 'pgmpy' .*bayesdx\[pgmpy\]"
    ):
        to_pgmpy(lopsided())


def test_what_is_no_network_is_told() -> None:
    with pytest.raises(InvalidNetwork, match="model: expected a Bayesian network of pgmpy"):
        from_pgmpy(5)
    with pytest.raises(InvalidNetwork, match="network: expected a Network, got 5"):
        write_network(5, "never.bif")
