"""d-separation, relevant evidence and interventions against networkx, pyAgrum and enumeration."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pyagrum
import pytest
from joint import enumerated, joint, random_general_network

from bayesdx import InvalidCase, Network, TableCPD, Variable, compile_network

SEEDS = range(40)


def random_graph(seed: int) -> tuple[Network, np.random.Generator]:
    """Twelve variables, up to three parents each, binary tables."""
    rng = np.random.default_rng(seed)
    names = [f"v{i}" for i in rng.permutation(12)]
    cpds = []
    for i, name in enumerate(names):
        parents = tuple(rng.permutation(names[:i])[: rng.integers(0, 4)].tolist())
        cpds.append(TableCPD(name, parents, rng.dirichlet([1.0, 1.0], size=(2,) * len(parents))))
    return Network([Variable(name) for name in sorted(names)], cpds), rng


def graph_of(network: Network) -> nx.DiGraph:
    graph = nx.DiGraph()
    graph.add_nodes_from(network.variables)
    graph.add_edges_from((p, name) for name in network.variables for p in network.parents(name))
    return graph


@pytest.mark.parametrize("seed", SEEDS)
def test_d_separation_is_that_of_networkx(seed: int) -> None:
    network, rng = random_graph(seed)
    graph, names = graph_of(network), list(network.variables)
    answers = set()
    for _ in range(20):
        chosen = rng.permutation(names).tolist()
        a, b, c = rng.integers(1, 3), rng.integers(1, 3), rng.integers(0, 5)
        first, second, given = chosen[:a], chosen[a : a + b], chosen[a + b : a + b + c]
        told = network.d_separated(first, second, given)
        assert told == nx.is_d_separator(graph, set(first), set(second), set(given))
        answers.add(told)
    assert answers == {True, False}


@pytest.mark.parametrize("seed", SEEDS)
def test_relevant_evidence_is_that_of_pyagrum(seed: int) -> None:
    network, rng = random_graph(seed)
    net = pyagrum.BayesNet()
    for name in network.variables:
        net.add(pyagrum.LabelizedVariable(name, name, 2))
    for name in network.variables:
        for parent in network.parents(name):
            net.addArc(parent, name)
    target, *observed = rng.permutation(list(network.variables)).tolist()[: rng.integers(2, 9)]
    found = network.relevant([target], observed)
    minimal = net.minimalCondSet(target, observed)
    assert set(found.evidence) == {net.variable(node).name() for node in minimal}
    assert set(found.evidence) | set(found.idle) == set(observed)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_rest_of_the_evidence_and_of_the_numbers_changes_nothing(seed: int) -> None:
    network, rng = random_graph(seed)
    target, *observed = rng.permutation(list(network.variables)).tolist()[: rng.integers(2, 9)]
    found = network.relevant([target], observed)
    case = {name: str(rng.choice(["absent", "present"])) for name in observed}
    fewer = {name: case[name] for name in found.evidence}
    right = compile_network(network).query(case).posteriors[target]
    told = compile_network(network).query(fewer).posteriors[target]
    np.testing.assert_allclose(told, right, rtol=0, atol=1e-12)
    # Other numbers wherever they are said not to matter.
    cpds = [
        cpd
        if name in found.numbers
        else TableCPD(
            name, cpd.parents, rng.dirichlet([1.0, 1.0], size=network.table(name).shape[:-1])
        )
        for name, cpd in network.cpds.items()
    ]
    other = compile_network(Network(network.variables.values(), cpds)).query(case)
    np.testing.assert_allclose(other.posteriors[target], right, rtol=0, atol=1e-12)


def test_every_number_that_is_said_to_matter_does() -> None:
    network, _ = random_graph(3)
    found = network.relevant(["v4"], ["v0", "v7"])
    gradients = compile_network(network).posterior_gradients(
        {"v0": "present", "v7": "absent"}, "v4", list(network.variables)
    )
    # Rows stay distributions: what one entry gains the other loses.
    moves = {name: one[..., 0] - one[..., 1] for name, one in gradients.items()}
    moving = {name for name, one in moves.items() if np.abs(one).max() > 1e-12}
    assert moving == set(found.numbers)


@pytest.mark.parametrize("seed", range(20))
def test_doing_is_the_truncated_product(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = random_general_network(rng)
    chosen = rng.permutation(list(network.variables))[: rng.integers(1, 3)].tolist()
    done = {name: str(rng.choice(network.variables[name].states)) for name in chosen}
    after = network.do(done)
    assert all(after.parents(name) == () for name in chosen)
    # The joint without the factors of what is done, where it is as done.
    whole = np.ones([one.cardinality for one in network.variables.values()])
    axis = {name: i for i, name in enumerate(network.variables)}
    for name in network.variables:
        if name in done:
            position = network.variables[name].states.index(done[name])
            factor, scope = np.eye(network.variables[name].cardinality)[position], [axis[name]]
        else:
            factor = network.table(name)
            scope = [axis[one] for one in (*network.parents(name), name)]
        order = np.argsort(scope)
        shape = [1] * whole.ndim
        for i in order:
            shape[scope[i]] = factor.shape[i]
        whole = whole * factor.transpose(order).reshape(shape)
    np.testing.assert_allclose(joint(after), whole, rtol=0, atol=1e-14)
    _, right = enumerated(network, whole, {})
    told = compile_network(after).query({})
    for name in network.variables:
        np.testing.assert_allclose(told.posteriors[name][0], right[name], rtol=0, atol=1e-12)


def test_seeing_is_not_doing() -> None:
    """Smoking, a gene behind it, cancer: by hand with the back-door formula (Pearl 2009)."""
    tables = [
        TableCPD("gene", (), [0.7, 0.3]),
        TableCPD("smoking", ("gene",), [[0.8, 0.2], [0.1, 0.9]]),
        TableCPD(
            "cancer", ("gene", "smoking"), [[[0.99, 0.01], [0.95, 0.05]], [[0.9, 0.1], [0.6, 0.4]]]
        ),
    ]
    network = Network([Variable(name) for name in ("gene", "smoking", "cancer")], tables)
    done = compile_network(network.do({"smoking": "present"})).query({}).posteriors["cancer"]
    assert done[0, 1] == pytest.approx(0.7 * 0.05 + 0.3 * 0.4, abs=1e-15)
    seen = compile_network(network).query({"smoking": "present"}).posteriors["cancer"]
    weights = np.array([0.7 * 0.2, 0.3 * 0.9])
    assert seen[0, 1] == pytest.approx(weights @ [0.05, 0.4] / weights.sum(), abs=1e-15)


def test_slips_are_told_at_once() -> None:
    network, _ = random_graph(0)
    with pytest.raises(InvalidCase, match="2 faults") as caught:
        network.do({"v01": "present", "v2": "presnt"})
    assert "got 'v01'. Nearest: v1, v0" in str(caught.value)
    assert "got 'presnt'. Nearest: present" in str(caught.value)
    with pytest.raises(InvalidCase, match="2 faults"):
        network.relevant(["w"], ["x"])
    with pytest.raises(InvalidCase, match="second: expected a variable of the network, got 'x'"):
        network.d_separated(["v0"], ["x"])


def test_a_variable_depends_on_itself() -> None:
    network, _ = random_graph(0)
    assert not network.d_separated(["v0"], ["v0"])
    assert network.d_separated(["v0"], ["v1"], given=["v1"])
