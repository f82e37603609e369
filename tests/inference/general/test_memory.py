"""What one case is said to need is what it takes."""

import tracemalloc

import numpy as np
import pytest
from agrum_networks import example

from bayesdx.inference.general import machine
from bayesdx.inference.general.elimination import clique_forest
from bayesdx.inference.general.factors import FactorNetwork, factor_network
from bayesdx.inference.general.one_case import _ordered, answer_alone, needed_bytes
from bayesdx.inference.general.tiles import CaseBatch
from bayesdx.inference.general.zero_propagation import find_zeros
from bayesdx.network import CPD, Network, TableCPD, Variable


def grid(side: int) -> Network:
    """Each cell of a grid depends on those above and to the left."""
    rng = np.random.default_rng(0)
    cpds: list[CPD] = []
    for i in range(side):
        for j in range(side):
            above = (f"v{i - 1}_{j}",) if i else ()
            left = (f"v{i}_{j - 1}",) if j else ()
            present = rng.random((2,) * len(above + left))
            cpds.append(
                TableCPD(f"v{i}_{j}", above + left, np.stack([1 - present, present], axis=-1))
            )
    return Network([Variable(cpd.child) for cpd in cpds], cpds)


@pytest.mark.parametrize("name", ["grid", "barley", "mildew", "diabetes"])
def test_the_estimate_is_near_the_peak(name: str) -> None:
    problem: FactorNetwork = factor_network(grid(13) if name == "grid" else example(name)[0])
    zeros, every = find_zeros(problem), list(range(problem.n_named))
    states = np.full(problem.n_named, -1, dtype=np.intp)
    scopes = [factor.scope for factor in problem.factors]
    needed = needed_bytes(clique_forest(_ordered(problem.cards, scopes)), problem.cards)
    tracemalloc.start()
    try:
        answer_alone(problem, zeros, states, {}, every, 1e12)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak / 1.3 < needed < peak * 1.3


@pytest.mark.skipif(not machine.installed(), reason="needs numba")
@pytest.mark.parametrize("name", ["grid", "barley", "mildew", "diabetes"])
def test_the_compiled_estimate_is_near_the_peak(name: str) -> None:
    problem: FactorNetwork = factor_network(grid(13) if name == "grid" else example(name)[0])
    cases = CaseBatch(np.full((problem.n_named, 1), -1, dtype=np.intp), {})
    machine.executors().prepare()
    runner = machine.executors().alone(problem, 1e12)
    tracemalloc.start()
    try:
        *_, needs = runner.answer(cases, range(problem.n_named))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    needed = 8.0 * needs[0, 3]
    assert peak / 1.3 < needed < peak * 1.3
    refused = machine.executors().alone(problem, 0.99 * needed)
    assert refused.answer(cases, range(problem.n_named))[2].tolist() == [2]
