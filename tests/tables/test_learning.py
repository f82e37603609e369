"""Learning networks from tables: counts, missing cells, hidden variables, peers, what is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyagrum
import pytest
from agrum_networks import example
from network_judges import of_agrum

import bayesdx
from bayesdx import InvalidCase, InvalidNetwork, Network, NoisyOrCPD, TableCPD, Variable


def sampled(network: Network, n: int, seed: int, missing: float = 0.0) -> pd.DataFrame:
    """Rows of a network of tables as state names, cells left out at random."""
    rng = np.random.default_rng(seed)
    states: dict[str, Any] = {}
    for name in network.order:
        rows = network.table(name)[tuple(states[one] for one in network.parents(name))]
        limits = np.broadcast_to(np.cumsum(rows, axis=-1), (n, rows.shape[-1]))
        drawn = (rng.random((n, 1)) >= limits / limits[:, -1:]).sum(axis=1)
        states[name] = np.minimum(drawn, rows.shape[-1] - 1)
    frame = pd.DataFrame(
        {
            name: np.array(variable.states, dtype=object)[states[name]]
            for name, variable in network.variables.items()
        }
    )
    return frame.mask(rng.random(frame.shape) < missing)


def other_start(network: Network, seed: int) -> Network:
    """The structure of a network with random tables."""
    rng = np.random.default_rng(seed)
    cpds = []
    for name in network.variables:
        shape = network.table(name).shape
        table = 0.8 * rng.dirichlet(np.ones(shape[-1]), shape[:-1]) + 0.2 / shape[-1]
        cpds.append(TableCPD(name, network.parents(name), table))
    return Network(network.variables.values(), cpds)


def test_complete_cases_are_counted_exactly() -> None:
    network = example("asia")[0]
    cases = sampled(network, 500, 1)
    weight = np.random.default_rng(2).integers(0, 4, 500)
    for weights in (None, weight):
        learned = bayesdx.fit(other_start(network, 3), cases, weight=weights)
        assert learned.converged
        assert learned.iterations == 1
        for name in network.variables:
            family = [*network.parents(name), name]
            levels = [network.variables[one].states for one in family]
            every = pd.MultiIndex.from_product(levels, names=family)
            if len(family) == 1:  # which pandas 2.2 does not find in an index of one level
                every = pd.Index(levels[0], name=name)
            wide = cases.assign(w=1 if weights is None else weights)
            counts = wide.groupby(family, observed=True)["w"].sum().reindex(every, fill_value=0)
            np.testing.assert_array_equal(learned.counts[name].ravel(), counts.to_numpy())


def test_two_by_two_counts_are_those_of_pandas() -> None:
    cases = sampled(example("asia")[0], 400, 4)
    learned = bayesdx.fit([("smoke", "lung")], cases[["smoke", "lung"]])
    table = pd.crosstab(cases["smoke"], cases["lung"])
    np.testing.assert_array_equal(learned.counts["lung"], table.to_numpy())
    shares = pd.crosstab(cases["smoke"], cases["lung"], normalize="index")
    np.testing.assert_allclose(learned.network.table("lung"), shares.to_numpy(), rtol=1e-15)


@pytest.mark.parametrize(
    ("name", "rows", "iterations"),
    [("asia", 200, 4), pytest.param("alarm", 1000, 3, marks=pytest.mark.slow)],
)
def test_iterations_are_those_of_pyagrum(
    name: str, rows: int, iterations: int, tmp_path: Path
) -> None:
    network, net = example(name)
    start, cases = other_start(network, 5), sampled(network, rows, 6, missing=0.2)
    begin = pyagrum.BayesNet(net)
    for one in network.variables:
        tensor, family = begin.cpt(one), [*network.parents(one), one]
        axes = [family.index(axis) for axis in reversed(tensor.names)]
        tensor.fillWith(start.table(one).transpose(axes).ravel().tolist())
    cases.to_csv(tmp_path / "cases.csv", index=False, na_rep="?")
    learner = pyagrum.BNLearner(str(tmp_path / "cases.csv"), begin, ["?"])
    learner.useNoPrior()
    learner.useEM(1e-300, 0.0)
    learner.EMsetMaxIter(iterations)
    judged = of_agrum(learner.learnParameters(begin))
    assert learner.EMnbrIterations() == iterations
    learned = bayesdx.compile_network(start).learn(cases, iterations=iterations, tolerance=0.0)
    assert learned.iterations == iterations
    theirs = Network(
        network.variables.values(),
        [TableCPD(one, judged[one].parents, judged[one].table) for one in network.variables],
        normalise=True,
    )
    plan = bayesdx.compile_network(theirs)
    log_likelihood = plan.query(cases, targets=[]).log_evidence.sum()
    assert learned.log_likelihood[-1] == pytest.approx(log_likelihood, rel=1e-9)


def test_what_is_hidden_or_impossible_or_blank_is_told() -> None:
    network = example("asia")[0]
    cases = sampled(network, 200, 7, missing=0.1).drop(columns="either")
    cases.index = pd.Index([f"row {i}" for i in range(200)])
    cases.loc["row 3"] = np.nan
    # Either is certain where there is lung cancer, and the X-ray of these tables tells it.
    sure = [
        TableCPD("xray", ("either",), [[1.0, 0.0], [0.0, 1.0]]) if name == "xray" else cpd
        for name, cpd in network.cpds.items()
    ]
    certain = Network(network.variables.values(), sure)
    cases["xray"] = np.where((cases["lung"] == "yes") | (cases["tub"] == "yes"), "yes", None)
    cases.loc["row 5", ["lung", "xray"]] = ["yes", "no"]
    learned = bayesdx.compile_network(certain).learn(cases)
    assert learned.impossible == 1
    assert learned.impossible_labels == ("row 5",)
    assert learned.rows == 200
    assert learned.blank == 1
    assert learned.weight == 198.0
    assert learned.hidden == ("either",)
    assert "impossible=1" in repr(learned)
    told = learned.records()
    assert told["hidden"] == ["either"]
    assert len(told["tables"]) == sum(network.table(name).size for name in network.variables)
    columns = {"variable", "given", "state", "count", "before", "probability"}
    assert set(told["tables"][0]) == columns


def test_a_weight_is_so_many_rows() -> None:
    network = example("asia")[0]
    cases = sampled(network, 60, 8, missing=0.3)
    times = np.random.default_rng(9).integers(0, 3, 60)
    plan = bayesdx.compile_network(other_start(network, 10))
    weighted = plan.learn(cases.assign(n=times), weight="n", iterations=4)
    repeated = plan.learn(cases.loc[cases.index.repeat(times)], iterations=4)
    np.testing.assert_allclose(weighted.log_likelihood, repeated.log_likelihood, rtol=1e-12)
    for name in network.variables:
        np.testing.assert_allclose(
            weighted.network.table(name), repeated.network.table(name), rtol=1e-9, atol=1e-15
        )


def test_noisy_links_are_shown_by_their_parents() -> None:
    names = ("a", "b", "c")
    cpds = [TableCPD(name, (), [0.5, 0.5]) for name in names]
    finding = NoisyOrCPD("f", ("a", "b"), [0.5, 0.5], 0.2, ("c",), [0.5])
    network = Network([Variable(name) for name in (*names, "f")], [*cpds, finding])
    cases = [{"a": "present", "f": "present"}, {"b": "present", "f": "absent"}, {"f": "absent"}]
    learned = bayesdx.fit(network, cases, prior=0.5)
    assert isinstance(learned.network.cpds["f"], NoisyOrCPD)
    frame = learned.to_frame().query("variable == 'f' and state == 'present'")
    assert frame["given"].tolist() == ["link from a", "link from b", "leak", "inhibitor c"]
    assert frame["before"].tolist() == [0.5, 0.5, 0.2, 0.5]
    found = learned.network.cpds["f"]
    numbers = [*found.strengths, found.leak, *found.factors]
    np.testing.assert_allclose(frame["probability"], numbers, rtol=1e-15)


def test_states_are_those_of_the_columns() -> None:
    cases = pd.DataFrame(
        {
            "grade": pd.Categorical(["low", None, "high"], ["low", "mid", "high"], ordered=True),
            "age": [10, 9, None],
            "sex": ["m", "f", "unknown"],
        }
    )
    learned = bayesdx.fit({"grade": ["age"], "age": [], "sex": ()}, cases, prior=1.0)
    states = {name: one.states for name, one in learned.network.variables.items()}
    assert states == {"grade": ("low", "mid", "high"), "age": ("9", "10"), "sex": ("f", "m")}
    assert learned.counts["sex"].tolist() == [1.5, 1.5]  # a missing cell is shared out
    given = bayesdx.fit([("kind", "sex")], cases[["sex"]], states={"kind": ["one", "two"]})
    assert given.hidden == ("kind",)
    assert (np.diff(given.log_likelihood) >= -1e-12).all()


CASES = pd.DataFrame({"rain": ["no", "yes"], "wet": ["no", None]})


@pytest.mark.parametrize(
    ("structure", "cases", "message"),
    [
        (
            [("rain", "wett")],
            CASES,
            "column: expected a variable of the structure, got 'wet'",
        ),
        ([("rain", "wet"), ("wet", "rain")], CASES, "expected no directed cycle"),
        ([("rain", "wet"), ("rain", "wet")], CASES, "structure: expected each arrow once"),
        ([("rain", "wet")], CASES.iloc[:0], "a row with a known cell, got no rows"),
        ([("rain", "wet")], CASES.assign(wet=None), "states of wet: expected a known cell, or"),
        ([("rain", "wet"), ("sun", "wet")], CASES, "variable sun: expected a column of the cases"),
        ({"wet": "rain"}, CASES, "parents of wet: expected a list of names, got 'rain'"),
        ("rain", CASES, r"structure: expected pairs \(parent, child\)"),
        (["rain"], CASES, r"structure: expected a pair \(parent, child\), got 'rain'"),
        ([(1, "wet")], CASES, "structure: expected names"),
        ({}, CASES, "got no variables"),
    ],
)
def test_what_is_no_structure_is_told(structure: Any, cases: pd.DataFrame, message: str) -> None:
    with pytest.raises((InvalidCase, InvalidNetwork), match=message):
        bayesdx.fit(structure, cases)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"cases": CASES.assign(rain="maybe")}, "column rain: expected a state"),
        ({"cases": CASES.rename(columns={"rain": "rian"})}, "got 'rian'. Nearest: rain"),
        ({"weight": "w"}, "weight: expected a column of the table, got 'w'"),
        ({"weight": "wet"}, "weight: expected a column that is no variable, got 'wet'"),
        ({"weight": [1.0]}, r"weight: expected shape \(2,\)"),
        ({"weight": [1.0, -2.0]}, "weight, row 1: expected finite numbers of at least 0, got -2"),
        ({"weight": ["a", "b"]}, "weight: expected a number a row"),
        ({"iterations": 0}, "iterations: expected a whole number of at least 1, got 0"),
        ({"tolerance": -1.0}, "tolerance: expected a number of at least 0"),
        ({"cases": {"rain": "no"}, "weight": "w"}, "expected a table with the column w"),
    ],
)
def test_what_cannot_be_learnt_from_is_told(given: dict[str, Any], message: str) -> None:
    plan = bayesdx.compile_network(bayesdx.fit([("rain", "wet")], CASES, prior=1.0).network)
    with pytest.raises(InvalidCase, match=message):
        plan.learn(given.pop("cases", CASES), **given)
    with pytest.raises(InvalidNetwork, match="none beside a network"):
        bayesdx.fit(plan.network, CASES, states={"rain": ["no", "yes"]})
