"""Explanations and gradients by names: what goes in, what comes out, what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayesdx import InvalidCase, InvalidNetwork, Network, Variable, compile_network
from bayesdx.network import NoisyOrCPD, TableCPD
from bayesdx.tables.networks import CompiledNetwork

A = np.array([0.4, 0.6])
B = np.array([[0.9, 0.1, 0.0], [0.2, 0.35, 0.45]])


@pytest.fixture
def plan() -> CompiledNetwork:
    variables = [Variable("b", ("l", "m", "h")), Variable("a", ("x", "y"))]
    return compile_network(Network(variables, [TableCPD("b", ("a",), B), TableCPD("a", (), A)]))


def test_explanations_worked_by_hand(plan: CompiledNetwork) -> None:
    """P(x, l) = 0.36, P(y, h) = 0.27, P(y, m) = 0.21: y is likelier alone, x is in the best."""
    evidence = pd.DataFrame(
        {"a": [None, "y", None, "x"], "b": [None, None, "m", "h"]}, index=[7, 3, 3, 9]
    )
    found = plan.mpe(evidence)
    assert list(found.columns) == ["b", "a", "log_probability", "log_bound", "status"]
    assert found.index.equals(evidence.index)
    assert found["a"].tolist() == ["x", "y", "y", None]
    assert found["b"].tolist() == ["l", "h", "m", None]
    assert found["status"].tolist() == ["ok", "ok", "ok", "impossible"]
    expected = [np.log(0.36), np.log(0.27), np.log(0.21), -np.inf]
    np.testing.assert_allclose(found["log_probability"], expected, rtol=1e-12)
    assert plan.query(evidence.iloc[:1]).posteriors["a"].argmax() == 1


def test_no_columns_and_no_rows(plan: CompiledNetwork) -> None:
    nothing = plan.mpe(pd.DataFrame(index=["p", "q"]))
    assert nothing["b"].tolist() == ["l", "l"]
    none = plan.mpe(pd.DataFrame({"a": []}, dtype=object))
    assert none.shape == (0, 5)
    assert plan.gradients(pd.DataFrame({"a": []}, dtype=object), ["b"])["b"].shape == (
        0,
        2,
        3,
    )


def test_gradients_worked_by_hand(plan: CompiledNetwork) -> None:
    evidence = pd.DataFrame({"b": ["h", None, "h", "m"], "a": [None, None, "x", "y"]})
    found = plan.gradients(evidence, ["b", "a"])
    assert list(found) == ["b", "a"]
    p = 0.27  # P(h): the entry of x is 0, its derivative is P(x) / P(h) all the same
    np.testing.assert_allclose(found["b"][0], [[0, 0, 0.4 / p], [0, 0, 0.6 / p]], rtol=1e-12)
    np.testing.assert_allclose(found["a"][0], [0.0, 0.45 / p], rtol=1e-12)
    # Nothing seen: log of the sum of all products.
    np.testing.assert_allclose(found["b"][1], [[0.4] * 3, [0.6] * 3], rtol=1e-12)
    np.testing.assert_allclose(found["a"][1], [1.0, 1.0], rtol=1e-12)
    # Impossible: zeros, never NaN.
    assert not found["b"][2].any()
    assert not found["a"][2].any()
    np.testing.assert_allclose(found["b"][3], [[0, 0, 0], [0, 1 / 0.35, 0]], rtol=1e-12)
    assert plan.gradients(evidence, []) == {}


def test_a_derivative_beyond_all_numbers_is_infinite() -> None:
    """P(evidence) = 1e-320, but without the one small entry it would be 1."""
    variables = [Variable(name) for name in "ab"]
    small = 1e-320
    b = np.array([[1.0, 0.0], [0.0, 1.0]])
    network = Network(
        variables, [TableCPD("a", (), np.array([1.0, small])), TableCPD("b", ("a",), b)]
    )
    found = compile_network(network).gradients(pd.DataFrame({"b": ["present"]}), ["b"])
    assert found["b"][0, 0, 1] == np.inf
    assert found["b"][0, 1, 1] == pytest.approx(1.0)


def test_faults_of_the_evidence_are_all_told(plan: CompiledNetwork) -> None:
    wrong = pd.DataFrame({"a": ["z"], "c": ["x"]})
    with pytest.raises(InvalidCase, match="2 faults") as caught:
        plan.mpe(wrong)
    assert {fault.place for fault in caught.value.faults} == {
        "evidence, column",
        "evidence, row 0, column a",
    }
    with pytest.raises(InvalidCase, match="2 faults"):
        plan.gradients(wrong, ["a"])


def test_faults_of_the_variables(plan: CompiledNetwork) -> None:
    with pytest.raises(InvalidCase, match="expected a variable of the network, got 'q'"):
        plan.gradients(pd.DataFrame({"a": ["x"]}), ["q"])
    with pytest.raises(InvalidCase, match="each variable once"):
        plan.gradients(pd.DataFrame({"a": ["x"]}), ["a", "a"])
    causes = tuple(f"c{i}" for i in range(12))
    wide = Network(
        [Variable(name) for name in (*causes, "f")],
        [
            *(TableCPD(name, (), np.array([0.5, 0.5])) for name in causes),
            NoisyOrCPD("f", causes, np.full(12, 0.5), 0.01),
        ],
    )
    with pytest.raises(InvalidCase, match="table of f: expected at most 4096 cells, got 8192"):
        compile_network(wide).gradients(pd.DataFrame({"f": ["present"]}), ["f"])


def test_names_of_other_columns_and_memory_are_refused(plan: CompiledNetwork) -> None:
    taken = Network([Variable("status")], [TableCPD("status", (), A)])
    with pytest.raises(InvalidNetwork, match="variable status: expected a name"):
        compile_network(taken).mpe(pd.DataFrame(index=[0]))
    tight = compile_network(plan.network, memory_limit=100)
    with pytest.raises(InvalidNetwork, match=r"explanation of 2 variables.*at least"):
        tight.mpe(pd.DataFrame(index=[0]))


def test_several_explanations_and_some_variables(plan: CompiledNetwork) -> None:
    """P(x, l) = 0.36, P(y, h) = 0.27, P(y, m) = 0.21, P(y, l) = 0.12, P(x, m) = 0.04."""
    evidence = pd.DataFrame({"a": [None, "x"], "b": [None, "h"]}, index=["p", "q"])
    found = plan.mpe(evidence, k=7)
    assert found.index.tolist() == ["p"] * 5 + ["q"]
    assert found["rank"].tolist() == [1, 2, 3, 4, 5, 1]
    assert found["b"].tolist() == ["l", "h", "m", "l", "m", None]
    expected = [0.36, 0.27, 0.21, 0.12, 0.04, 0.0]
    np.testing.assert_allclose(np.exp(found["log_probability"]), expected, rtol=1e-12)
    assert found["log_bound"].equals(found["log_probability"].rename("log_bound"))
    assert found["status"].tolist() == ["ok"] * 5 + ["impossible"]
    # Of a alone y is likelier.
    some = plan.mpe(evidence.iloc[:1], targets=["a"], k=2)
    assert list(some.columns) == ["a", "rank", "log_probability", "log_bound", "status"]
    assert some["a"].tolist() == ["y", "x"]
    np.testing.assert_allclose(np.exp(some["log_probability"]), [0.6, 0.4], rtol=1e-12)


def test_faults_of_a_search_are_all_told(plan: CompiledNetwork) -> None:
    with pytest.raises(InvalidCase, match="4 faults") as caught:
        plan.mpe({}, k=0, targets=["aa"], time_limit=-1.0, branch_limit=-1)
    assert "targets: expected a variable of the network, got 'aa'. Nearest: a" in str(caught.value)
    assert "k: expected a number of explanations, 1 to 10000, got 0" in str(caught.value)
    with pytest.raises(InvalidCase, match="targets: expected one variable or more, got none"):
        plan.mpe({}, targets=[])
    ranked = Network([Variable("rank")], [TableCPD("rank", (), A)])
    assert len(compile_network(ranked).mpe({})) == 1
    with pytest.raises(InvalidNetwork, match="variable rank: expected a name"):
        compile_network(ranked).mpe({}, k=2)


def test_soft_evidence_in_explanations(plan: CompiledNetwork) -> None:
    """P(x, l) = 0.36, P(y, h) = 0.27: what speaks three to one for y turns it round."""
    one = pd.DataFrame(index=[5])
    found = plan.mpe(one, likelihoods={"a": [[1.0, 3.0]]})
    assert found.loc[5, ["a", "b"]].tolist() == ["y", "h"]
    assert found.loc[5, "log_probability"] == pytest.approx(np.log(0.27 * 3.0), rel=1e-12)
    barred = plan.mpe({"b": "h"}, likelihoods={"a": [[1.0, 0.0]]})
    assert barred["status"].tolist() == ["impossible"]
    silent = plan.mpe(one, likelihoods={"a": [[np.nan, np.nan]]})
    assert silent.loc[5, "a"] == "x"
    with pytest.raises(InvalidCase, match=r"likelihoods of a: expected shape \(1, 2\)"):
        plan.mpe(one, likelihoods={"a": [[1.0, 1.0, 1.0]]})


def test_posterior_gradients_worked_by_hand(plan: CompiledNetwork) -> None:
    """P(x | m) = 0.04 / 0.25: each entry moved a little, the rest left as it is."""
    evidence = pd.DataFrame({"b": ["m", "h", "h"], "a": [None, None, "x"]})
    found = plan.posterior_gradients(evidence, "a", ["b", "a"])
    assert found["b"].shape == (3, 2, 2, 3)
    assert found["a"].shape == (3, 2, 2)
    x, y = 0.04, 0.21
    # d (x / (x + y)) / dx = y / (x + y)^2, and x moves by P(a = x) for each move of the entry.
    assert found["b"][0, 0, 0, 1] == pytest.approx(0.4 * y / (x + y) ** 2, rel=1e-12)
    assert found["b"][0, 0, 1, 1] == pytest.approx(-0.6 * x / (x + y) ** 2, rel=1e-12)
    assert not found["b"][0, :, :, [0, 2]].any()
    assert found["a"][0, 1, 0] == pytest.approx(-0.1 * y / (x + y) ** 2, rel=1e-12)
    # Of "h" under x the entry is 0, and its derivative is not.
    assert found["b"][1, 0, 0, 2] == pytest.approx(0.4 / 0.27, rel=1e-12)
    np.testing.assert_allclose(found["b"].sum(axis=1), 0.0, atol=1e-12)
    # Impossible: zeros, never NaN.
    assert not found["b"][2].any()


def test_posterior_gradients_are_those_of_differences(plan: CompiledNetwork) -> None:
    """The child of a table as target, soft evidence beside it; central differences of the joint."""
    likelihoods = {"b": [[0.5, 2.0, 1.0]]}
    found = plan.posterior_gradients({}, "b", ["b"], likelihoods=likelihoods)["b"][0]

    def posterior(table: np.ndarray) -> np.ndarray:
        weights = (A[:, None] * table).sum(axis=0) * np.array([0.5, 2.0, 1.0])
        return weights / weights.sum()

    for index in np.ndindex(B.shape):
        step = np.zeros_like(B)
        step[index] = 1e-6
        slope = (posterior(B + step) - posterior(B - step)) / 2e-6
        np.testing.assert_allclose(found[(slice(None), *index)], slope, rtol=1e-7, atol=1e-8)


def test_faults_of_posterior_gradients(plan: CompiledNetwork) -> None:
    with pytest.raises(InvalidCase, match="target: expected a variable of the network, got 'q'"):
        plan.posterior_gradients({"a": "x"}, "q", ["a"])
    size = 65
    states = tuple(f"s{i}" for i in range(size))
    large = Network([Variable("v", states)], [TableCPD("v", (), np.full(size, 1.0 / size))])
    with pytest.raises(InvalidCase, match="table of v: expected at most 63 cells, got 65"):
        compile_network(large).posterior_gradients({}, "v", ["v"])
