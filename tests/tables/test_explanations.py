"""Explanations and gradients by names: what goes in, what comes out, what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayesdx import InvalidCase, InvalidNetwork, Network, Variable, compile_network
from bayesdx.network import NoisyOrCPD, TableCPD
from bayesdx.tables.explanations import most_probable_explanation, table_gradients
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
    found = most_probable_explanation(plan, evidence)
    assert list(found.columns) == ["b", "a", "log_probability", "status"]
    assert found.index.equals(evidence.index)
    assert found["a"].tolist() == ["x", "y", "y", None]
    assert found["b"].tolist() == ["l", "h", "m", None]
    assert found["status"].tolist() == ["ok", "ok", "ok", "impossible"]
    expected = [np.log(0.36), np.log(0.27), np.log(0.21), -np.inf]
    np.testing.assert_allclose(found["log_probability"], expected, rtol=1e-12)
    assert plan.query(evidence.iloc[:1]).posteriors["a"].argmax() == 1


def test_no_columns_and_no_rows(plan: CompiledNetwork) -> None:
    nothing = most_probable_explanation(plan, pd.DataFrame(index=["p", "q"]))
    assert nothing["b"].tolist() == ["l", "l"]
    none = most_probable_explanation(plan, pd.DataFrame({"a": []}, dtype=object))
    assert none.shape == (0, 4)
    assert table_gradients(plan, pd.DataFrame({"a": []}, dtype=object), ["b"])["b"].shape == (
        0,
        2,
        3,
    )


def test_gradients_worked_by_hand(plan: CompiledNetwork) -> None:
    evidence = pd.DataFrame({"b": ["h", None, "h", "m"], "a": [None, None, "x", "y"]})
    found = table_gradients(plan, evidence, ["b", "a"])
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
    assert table_gradients(plan, evidence, []) == {}


def test_a_derivative_beyond_all_numbers_is_infinite() -> None:
    """P(evidence) = 1e-320, but without the one small entry it would be 1."""
    variables = [Variable(name) for name in "ab"]
    small = 1e-320
    b = np.array([[1.0, 0.0], [0.0, 1.0]])
    network = Network(
        variables, [TableCPD("a", (), np.array([1.0, small])), TableCPD("b", ("a",), b)]
    )
    found = table_gradients(compile_network(network), pd.DataFrame({"b": ["present"]}), ["b"])
    assert found["b"][0, 0, 1] == np.inf
    assert found["b"][0, 1, 1] == pytest.approx(1.0)


def test_faults_of_the_evidence_are_all_told(plan: CompiledNetwork) -> None:
    wrong = pd.DataFrame({"a": ["z"], "c": ["x"]})
    with pytest.raises(InvalidCase, match="2 faults") as caught:
        most_probable_explanation(plan, wrong)
    assert {fault.place for fault in caught.value.faults} == {
        "evidence, column",
        "evidence, row 0, column a",
    }
    with pytest.raises(InvalidCase, match="2 faults"):
        table_gradients(plan, wrong, ["a"])


def test_faults_of_the_variables(plan: CompiledNetwork) -> None:
    with pytest.raises(InvalidCase, match="expected a variable of the network, got 'q'"):
        table_gradients(plan, pd.DataFrame({"a": ["x"]}), ["q"])
    with pytest.raises(InvalidCase, match="each variable once"):
        table_gradients(plan, pd.DataFrame({"a": ["x"]}), ["a", "a"])
    causes = tuple(f"c{i}" for i in range(12))
    wide = Network(
        [Variable(name) for name in (*causes, "f")],
        [
            *(TableCPD(name, (), np.array([0.5, 0.5])) for name in causes),
            NoisyOrCPD("f", causes, np.full(12, 0.5), 0.01),
        ],
    )
    with pytest.raises(InvalidCase, match="table of f: expected at most 4096 cells, got 8192"):
        table_gradients(compile_network(wide), pd.DataFrame({"f": ["present"]}), ["f"])


def test_names_of_other_columns_and_memory_are_refused(plan: CompiledNetwork) -> None:
    taken = Network([Variable("status")], [TableCPD("status", (), A)])
    with pytest.raises(InvalidNetwork, match="variable status: expected a name"):
        most_probable_explanation(compile_network(taken), pd.DataFrame(index=[0]))
    tight = compile_network(plan.network, memory_limit=100)
    with pytest.raises(InvalidNetwork, match=r"explanation of 2 variables.*at least"):
        most_probable_explanation(tight, pd.DataFrame(index=[0]))
