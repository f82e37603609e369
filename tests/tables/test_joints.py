"""Joint posteriors are the joint distribution, restricted and renormalised."""

import itertools

import numpy as np
import pandas as pd
import pytest

from bayesdx import InvalidCase, Network, Variable, compile_network
from bayesdx.network import TableCPD
from bayesdx.tables.joints import joint_posterior


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
    ours = joint_posterior(compile_network(network), evidence, ["c", "a"])
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
    (ours,) = joint_posterior(compile_network(network), evidence, ["a", "b"])
    assert not ours[0].any()
    assert ours[1].sum() == pytest.approx(1.0, abs=1e-12)


def test_impossible_evidence_has_no_joint(network: Network) -> None:
    evidence = pd.DataFrame({"c": ["no"], "d": ["yes"]})
    assert not joint_posterior(compile_network(network), evidence, ["a"]).any()


def test_joint_of_one_variable_is_its_posterior(network: Network) -> None:
    plan = compile_network(network)
    evidence = pd.DataFrame({"d": ["yes", "no", None]})
    answer = plan.query(evidence)
    for name in "abcd":
        ours = joint_posterior(plan, evidence, [name])
        np.testing.assert_allclose(ours, answer.posteriors[name], rtol=0, atol=1e-12)


def test_slips_are_named(network: Network) -> None:
    plan = compile_network(network)
    with pytest.raises(InvalidCase, match="expected a variable of the network, got 'aa'"):
        joint_posterior(plan, pd.DataFrame({"d": ["yes"]}), ["aa"])
    with pytest.raises(InvalidCase, match="expected each variable once"):
        joint_posterior(plan, pd.DataFrame({"d": ["yes"]}), ["a", "a"])


def test_too_many_joint_states_are_refused() -> None:
    names = [f"v{i}" for i in range(13)]
    many = Network(
        [Variable(name) for name in names],
        [TableCPD(name, (), np.array([0.5, 0.5])) for name in names],
    )
    with pytest.raises(InvalidCase, match="expected at most 4096 joint states, got 8192"):
        joint_posterior(compile_network(many), pd.DataFrame({"v0": ["absent"]}), names)
    assert len(list(itertools.product((0, 1), repeat=12))) == 4096
