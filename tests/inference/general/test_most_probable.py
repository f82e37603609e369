"""The most probable explanation against the whole joint, and against pgmpy."""

from __future__ import annotations

import logging
import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from agrum_networks import example, sampled_states
from joint import joint, random_general_network
from numpy.typing import NDArray

from bayesdx.errors import InvalidNetwork
from bayesdx.inference.general.most_probable import most_probable_states
from bayesdx.network import Network, TableCPD, Variable

LIMIT = 2.0**31


@pytest.fixture(scope="module")
def pgmpy() -> SimpleNamespace:
    """What is needed of pgmpy, which takes seconds to import and warns on the way."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pgmpy.factors.discrete import TabularCPD
        from pgmpy.inference import BeliefPropagation, VariableElimination
        from pgmpy.models import DiscreteBayesianNetwork
    logging.getLogger("pgmpy").setLevel(logging.ERROR)
    return SimpleNamespace(
        cpd=TabularCPD,
        elimination=VariableElimination,
        propagation=BeliefPropagation,
        network=DiscreteBayesianNetwork,
    )


def random_states(rng: np.random.Generator, network: Network, n: int) -> NDArray[np.intp]:
    """Any states, many of them impossible together."""
    cards = np.array([v.cardinality for v in network.variables.values()])
    states = rng.integers(0, cards, size=(n, len(cards)))
    return np.where(rng.random(states.shape) < rng.choice([0.3, 0.7, 1.0]), -1, states)


def best_of(whole: NDArray[np.float64], row: NDArray[np.intp]) -> NDArray[np.float64]:
    """The part of the joint that agrees with a row, zeros elsewhere."""
    kept = np.zeros_like(whole)
    index = tuple(slice(None) if s < 0 else slice(s, s + 1) for s in row)
    kept[index] = whole[index]
    return kept


def test_random_networks_are_explained_as_their_joint_says() -> None:
    rng = np.random.default_rng(0)
    impossible = unique = 0
    for _ in range(150):
        network = random_general_network(rng)
        whole = joint(network)
        states = random_states(rng, network, 8)
        found = most_probable_states(network, states, LIMIT)
        for row, assignment, log_p in zip(
            states, found.states[:, 0], found.log_probability[:, 0], strict=True
        ):
            kept = best_of(whole, row)
            top = kept.max()
            if top == 0.0:
                impossible += 1
                assert log_p == -np.inf
                assert (assignment == -1).all()
                continue
            assert log_p == pytest.approx(np.log(top), rel=1e-12, abs=1e-12)
            assert ((row < 0) | (row == assignment)).all()
            assert kept[tuple(assignment)] == pytest.approx(top, rel=1e-12)
            if (kept > top * (1.0 - 1e-9)).sum() == 1:
                unique += 1
                assert tuple(assignment) == np.unravel_index(kept.argmax(), kept.shape)
    assert impossible > 50
    assert unique > 300


def test_a_batch_is_explained_as_its_rows_one_by_one() -> None:
    rng = np.random.default_rng(1)
    for _ in range(30):
        network = random_general_network(rng)
        states = random_states(rng, network, 20)
        batch = most_probable_states(network, states, LIMIT)
        for i in range(len(states)):
            alone = most_probable_states(network, states[i : i + 1], LIMIT)
            np.testing.assert_array_equal(alone.states[0, 0], batch.states[i, 0])
            assert alone.log_probability[0, 0] == batch.log_probability[i, 0]


def test_rows_of_one_signature_in_several_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    network, _ = example("alarm")
    states = masked(network, 40, 0.5, same_columns=True)
    whole = most_probable_states(network, states, LIMIT)
    monkeypatch.setattr("bayesdx.inference.general.most_probable.ROWS_BYTES", 3e4)
    parts = most_probable_states(network, states, LIMIT)
    np.testing.assert_array_equal(whole.states, parts.states)


def masked(network: Network, n: int, shown: float, same_columns: bool) -> NDArray[np.intp]:
    """CaseBatch drawn from the network, a share of the variables observed."""
    rng = np.random.default_rng(3)
    drawn = sampled_states(network, n, rng)
    states = np.stack([drawn[name] for name in network.variables], axis=1)
    hidden = rng.random((1 if same_columns else n, states.shape[1])) >= shown
    return np.where(hidden, -1, states)


def translated(pgmpy: SimpleNamespace, network: Network) -> Any:
    model = pgmpy.network()
    model.add_nodes_from(network.variables)
    for name, variable in network.variables.items():
        parents = network.parents(name)
        model.add_edges_from((parent, name) for parent in parents)
        table = np.moveaxis(network.table(name), -1, 0).reshape(variable.cardinality, -1)
        model.add_cpds(
            pgmpy.cpd(
                name,
                variable.cardinality,
                table,
                list(parents),
                [network.variables[parent].cardinality for parent in parents],
                {one: list(network.variables[one].states) for one in (name, *parents)},
            )
        )
    return model


def log_joint(network: Network, states: dict[str, str]) -> float:
    total = 0.0
    for name in network.variables:
        family = (*network.parents(name), name)
        index = tuple(network.variables[one].states.index(states[one]) for one in family)
        with np.errstate(divide="ignore"):
            total += float(np.log(network.table(name)[index]))
    return total


@pytest.mark.parametrize(("name", "shown"), [("asia", 0.0), ("asia", 0.4), ("alarm", 0.75)])
def test_no_worse_than_what_pgmpy_finds(name: str, shown: float, pgmpy: SimpleNamespace) -> None:
    network, _ = example(name)
    judge = pgmpy.elimination(translated(pgmpy, network))
    states = masked(network, 6, shown, same_columns=False)
    found = most_probable_states(network, states, LIMIT)
    for row, log_p in zip(states, found.log_probability[:, 0], strict=True):
        seen = {
            one: variable.states[s]
            for (one, variable), s in zip(network.variables.items(), row, strict=True)
            if s >= 0
        }
        hidden = [one for one in network.variables if one not in seen]
        theirs = judge.map_query(hidden, evidence=seen, show_progress=False)
        right = log_joint(network, {**seen, **theirs})
        assert log_p >= right - 1e-9
        assert log_p == pytest.approx(right, rel=1e-9)


# pgmpy divides 0 by 0 where a table has zeros, and makes 0 of it.
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning:pgmpy")
@pytest.mark.parametrize("name", ["asia", pytest.param("alarm", marks=pytest.mark.slow)])
def test_the_maximum_is_that_of_pgmpys_calibrated_cliques(
    name: str, pgmpy: SimpleNamespace
) -> None:
    network, _ = example(name)
    judge = pgmpy.propagation(translated(pgmpy, network))
    judge.max_calibrate()
    right = max(float(belief.values.max()) for belief in judge.get_clique_beliefs().values())
    nothing = np.full((1, len(network.variables)), -1)
    found = most_probable_states(network, nothing, LIMIT)
    assert found.log_probability[0, 0] == pytest.approx(np.log(right), rel=1e-9)


def test_a_long_chain_does_not_underflow() -> None:
    """Against Viterbi's own recursion, in logs."""
    rng = np.random.default_rng(4)
    n, size = 2000, 3
    steps = rng.dirichlet(np.ones(size), size=(n, size))
    names = [f"x{i}" for i in range(n)]
    cpds = [TableCPD(names[0], (), steps[0, 0])]
    cpds += [TableCPD(names[i], (names[i - 1],), steps[i]) for i in range(1, n)]
    network = Network([Variable(name, ("a", "b", "c")) for name in names], cpds)
    states = np.full((2, n), -1)
    states[1, ::2] = rng.integers(0, size, size=n // 2)
    found = most_probable_states(network, states, LIMIT)
    for row in range(2):
        allowed = np.where(
            (states[row, :, None] < 0) | (states[row, :, None] == range(size)), 0, -1
        )
        barred = np.where(allowed < 0, -np.inf, 0.0)
        score = np.log(steps[0, 0]) + barred[0]
        back = []
        for i in range(1, n):
            reach = score[:, None] + np.log(steps[i])
            back.append(reach.argmax(axis=0))
            score = reach.max(axis=0) + barred[i]
        path = [int(score.argmax())]
        for choice in reversed(back):
            path.append(int(choice[path[-1]]))
        assert found.log_probability[row, 0] == pytest.approx(score.max(), rel=1e-12)
        assert found.log_probability[row, 0] < -745.0  # beneath the smallest number
        np.testing.assert_array_equal(found.states[row, 0], path[::-1])


def test_ties_go_to_the_first_state() -> None:
    even = np.full(3, 1 / 3)
    network = Network(
        [Variable(name, ("p", "q", "r")) for name in "abc"],
        [
            TableCPD("a", (), even),
            TableCPD("b", ("a",), np.array([even, even, even])),
            TableCPD("c", ("a", "b"), np.full((3, 3, 3), 1 / 3)),
        ],
    )
    states = np.array([[-1, -1, -1], [-1, 2, -1]])
    found = most_probable_states(network, states, LIMIT)
    np.testing.assert_array_equal(found.states[:, 0], [[0, 0, 0], [0, 2, 0]])


def test_what_does_not_fit_is_refused_with_its_need() -> None:
    network, _ = example("alarm")
    nothing = np.full((1, len(network.variables)), -1)
    with pytest.raises(InvalidNetwork, match=r"at most 1e\+03 bytes, got at least .* bytes"):
        most_probable_states(network, nothing, 1e3)


def test_no_cases_are_no_explanations() -> None:
    network, _ = example("asia")
    found = most_probable_states(network, np.zeros((0, 8), dtype=np.intp), LIMIT)
    assert found.states.shape == (0, 1, 8)
    assert found.log_probability.shape == (0, 1)
