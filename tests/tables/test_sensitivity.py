"""The sensitivity report, against differences of answers."""

from __future__ import annotations

import numpy as np
import pytest
from agrum_networks import example

from bayesdx import InvalidCase, Network, TableCPD, Variable, compile_network
from bayesdx.network import NoisyOrCPD
from bayesdx.tables.moved_numbers import covaried

STEP = 1e-6
CASE = {"xray": "yes", "smoke": "no"}


def moved(network: Network, name: str, at: tuple[int, ...], step: float) -> Network:
    """The network with one number changed, the rest of its row in proportion."""
    table = network.table(name).copy()
    row, k = table[at[:-1]], at[-1]
    others = np.arange(len(row)) != k
    row[others] *= (1.0 - row[k] - step) / (1.0 - row[k])
    row[k] += step
    cpds = {**network.cpds, name: TableCPD(name, network.parents(name), table)}
    return Network(network.variables.values(), cpds.values())


def test_no_table_has_no_derivatives() -> None:
    rain = Network([Variable("rain", ("no", "yes"))], [TableCPD("rain", (), [0.8, 0.2])])
    found = compile_network(rain).sensitivity({}, "rain", "yes", [])
    assert list(found.columns) == ["variable", "given", "state", "number", "derivative"]
    assert len(found) == 0


def test_derivatives_are_those_of_differences() -> None:
    network = example("asia")[0]
    likelihoods = {"dysp": np.array([[0.7, 0.2]])}
    report = compile_network(network).sensitivity([CASE], "tub", "yes", likelihoods=likelihoods)
    assert set(report["variable"]) == set(network.variables)
    assert (np.diff(report["derivative"].abs()) <= 0.0).all()
    assert (report.index == 0).all()

    def posterior(changed: Network) -> float:
        answer = compile_network(changed).query([CASE], likelihoods=likelihoods)
        return float(answer.posteriors["tub"][0, network.variables["tub"].states.index("yes")])

    compared = 0
    for _, line in report.iterrows():
        if not 0.001 < line["number"] < 0.999:
            continue
        parents = dict(one.split("=") for one in line["given"].split(", ")) if line["given"] else {}
        family = [*parents.items(), (line["variable"], line["state"])]
        at = tuple(network.variables[name].states.index(state) for name, state in family)
        assert network.table(line["variable"])[at] == line["number"]
        up, down = (posterior(moved(network, line["variable"], at, s)) for s in (STEP, -STEP))
        assert line["derivative"] == pytest.approx((up - down) / (2 * STEP), rel=1e-5, abs=1e-8)
        compared += 1
    assert compared > 20


def test_what_the_others_give_up() -> None:
    table, gradient = np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]]), np.array([[1.0, 2.0, 4.0]] * 2)
    found = covaried(table, gradient)
    np.testing.assert_allclose(found[0], [1 - 2.6 / 0.8, 2 - 2.2 / 0.7, 4 - 0.8 / 0.5])
    np.testing.assert_allclose(found[1], [1 - 3, 2 - 1, 4 - 1])
    assert covaried(np.ones((2, 1)), np.ones((2, 1))).tolist() == [[0.0], [0.0]]


def test_several_cases_and_large_tables() -> None:
    causes = [f"c{i}" for i in range(12)]
    cpds = [TableCPD(name, (), [0.9, 0.1]) for name in causes]
    wide = NoisyOrCPD("wide", tuple(causes), [0.5] * 12, 0.01)
    network = Network([Variable(name) for name in [*causes, "wide"]], [*cpds, wide])
    plan = compile_network(network)
    report = plan.sensitivity([{"wide": "present"}, {}], "c0", "present")
    assert set(report["variable"]) == set(causes)
    assert report.index.tolist() == [0] * 24 + [1] * 2 or len(report) == 48
    with pytest.raises(InvalidCase, match="table of wide: expected at most 2048 cells"):
        plan.sensitivity([{}], "c0", "present", ["wide"])
    with pytest.raises(InvalidCase, match=r"state of c0: .*'presnt'.*Nearest: present"):
        plan.sensitivity([{}], "c0", "presnt")
    with pytest.raises(InvalidCase, match="target: expected a variable"):
        plan.sensitivity([{}], "d", "present")
