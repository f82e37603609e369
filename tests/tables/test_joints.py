"""Joint posteriors are the joint distribution, restricted and renormalised."""

import itertools

import numpy as np
import pandas as pd
import pytest

from bayesdx import InvalidCase, Network, Variable, compile_network
from bayesdx.network import TableCPD


@pytest.fixture
def network() -> Network:
    rng = np.random.default_rng(0)
    variables = [
        Variable("a", ("x", "y")),
        Variable("b", ("l", "m", "h")),
        Variable("c", ("no", "yes")),
        Variable("d", ("no", "yes")),
    ]
    b = rng.dirichlet(np.ones(3), size=2)
    c = rng.dirichlet(np.ones(2), size=(2, 3))
    d = np.array([[1.0, 0.0], [0.25, 0.75]])
    return Network(
        variables,
        [
            TableCPD("a", (), np.array([0.3, 0.7])),
            TableCPD("b", ("a",), b),
            TableCPD("c", ("a", "b"), c),
            TableCPD("d", ("c",), d),
        ],
    )


def whole(network: Network) -> np.ndarray:
    a, b, c, d = (network.cpds[name].values for name in "abcd")  # type: ignore[attr-defined]
    return np.einsum("a,ab,abc,cd->abcd", a, b, c, d)


def test_joint_is_that_of_the_whole_table(network: Network) -> None:
    evidence = pd.DataFrame({"d": ["yes", None, "no", "yes"], "b": [None, "m", None, "h"]})
    ours = compile_network(network).joint(evidence, ["c", "a"]).probabilities
    table = whole(network)
    states = {name: v.states for name, v in network.variables.items()}
    for row, case in enumerate(evidence.to_dict("records")):
        kept = table.copy()
        for axis, name in enumerate("abcd"):
            known = case.get(name)
            if isinstance(known, str):
                index = [slice(None)] * 4
                index[axis] = np.arange(len(states[name])) != states[name].index(known)
                kept[tuple(index)] = 0.0
        right = np.einsum("abcd->ca", kept) / kept.sum()
        np.testing.assert_allclose(ours[row], right, rtol=0, atol=1e-12)


def test_a_known_variable_stays_known(network: Network) -> None:
    evidence = pd.DataFrame({"a": ["y"]})
    (ours,) = compile_network(network).joint(evidence, ["a", "b"]).probabilities
    assert not ours[0].any()
    assert ours[1].sum() == pytest.approx(1.0, abs=1e-12)


def test_impossible_evidence_has_no_joint(network: Network) -> None:
    evidence = pd.DataFrame({"c": ["no"], "d": ["yes"]})
    found = compile_network(network).joint(evidence, ["a"])
    assert not found.probabilities.any()
    assert found.log_evidence.tolist() == [-np.inf]


def test_joint_of_one_variable_is_its_posterior(network: Network) -> None:
    plan = compile_network(network)
    evidence = pd.DataFrame({"d": ["yes", "no", None]})
    answer = plan.query(evidence)
    for name in "abcd":
        ours = plan.joint(evidence, [name])
        np.testing.assert_allclose(ours.probabilities, answer.posteriors[name], rtol=0, atol=1e-12)
        np.testing.assert_allclose(ours.log_evidence, answer.log_evidence, rtol=0, atol=1e-12)


def test_soft_evidence_counts_as_in_a_query(network: Network) -> None:
    plan = compile_network(network)
    evidence = pd.DataFrame({"d": ["yes", None]})
    likelihoods = {"b": [[0.2, 0.0, 3.0], [np.nan] * 3], "a": [[1.0, 0.25], [0.5, 0.5]]}
    ours = plan.joint(evidence, ["b", "c"], likelihoods=likelihoods)
    answer = plan.query(evidence, likelihoods=likelihoods)
    np.testing.assert_allclose(ours.log_evidence, answer.log_evidence, rtol=0, atol=1e-12)
    for name, other in (("b", 2), ("c", 1)):
        np.testing.assert_allclose(
            ours.probabilities.sum(axis=other), answer.posteriors[name], rtol=0, atol=1e-12
        )
    table = whole(network) * np.array([1.0, 0.25])[:, None, None, None]
    table = table * np.array([0.2, 0.0, 3.0])[:, None, None]
    right = table[..., 1].sum(axis=0)
    np.testing.assert_allclose(ours.probabilities[0], right / right.sum(), rtol=0, atol=1e-12)


def test_as_a_frame_each_column_is_a_joint_state(network: Network) -> None:
    evidence = pd.DataFrame({"d": ["yes", "no"]}, index=["p", "q"])
    found = compile_network(network).joint(evidence, ["b", "a"])
    frame = found.frame()
    assert frame.index.tolist() == ["p", "q"]
    assert frame.columns.names == ["b", "a"]
    assert frame.loc["q", ("h", "x")] == found.probabilities[1, 2, 0]
    np.testing.assert_allclose(frame.sum(axis=1), 1.0, rtol=1e-12)
    one = compile_network(network).joint({"d": "no"}, ["b", "a"])
    np.testing.assert_allclose(one.probabilities[0], found.probabilities[1], rtol=0, atol=1e-12)
    with pytest.raises(ValueError, match="read-only"):
        found.probabilities[0] = 0.0


def test_slips_are_named(network: Network) -> None:
    plan = compile_network(network)
    with pytest.raises(InvalidCase, match="expected a variable of the network, got 'aa'"):
        plan.joint(pd.DataFrame({"d": ["yes"]}), ["aa"])
    with pytest.raises(InvalidCase, match="expected each variable once"):
        plan.joint(pd.DataFrame({"d": ["yes"]}), ["a", "a"])
    with pytest.raises(InvalidCase, match="one or more variables, got none"):
        plan.joint(pd.DataFrame({"d": ["yes"]}), [])


def test_too_many_joint_states_are_refused() -> None:
    names = [f"v{i}" for i in range(13)]
    many = Network(
        [Variable(name) for name in names],
        [TableCPD(name, (), np.array([0.5, 0.5])) for name in names],
    )
    with pytest.raises(InvalidCase, match="expected at most 4096 joint states, got 8192"):
        compile_network(many).joint(pd.DataFrame({"v0": ["absent"]}), names)
    assert len(list(itertools.product((0, 1), repeat=12))) == 4096
