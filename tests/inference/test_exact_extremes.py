"""The worst numbers there are, against arithmetic in which nothing is rounded: none wrong.

0, 1, 5e-324, 1e-308, 1e-160, 1 - 1e-16, in networks and as soft evidence; on the general and the
noisy road, with both backends.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
from exact_twin import exact_answer, worst_evidence, worst_general, worst_layered

import bayesdx
from bayesdx.inference.compiled_network import NetworkSolver
from bayesdx.inference.general.general_network import CompiledGeneral
from bayesdx.inference.layered import LayeredNetwork, layered_model
from bayesdx.inference.machine_code import Backend
from bayesdx.inference.noisy import jit
from bayesdx.inference.noisy.query import posteriors
from bayesdx.network import Network, NoisyOrCPD, TableCPD, Variable

BACKENDS = ["numpy", *(["compiled"] if jit.installed() else [])]


class Case:
    """A network of bad numbers, evidence on it, and what is right."""

    def __init__(self, kind: str, seed: int) -> None:
        rng = np.random.default_rng([7, seed])
        self.network = (worst_general if kind == "general" else worst_layered)(rng)
        self.names = list(self.network.variables)
        known, soft = worst_evidence(rng, self.network)
        self.log, self.right = exact_answer(self.network, known, soft)
        self.states = np.array([[known.get(name, -1) for name in self.names]])
        self.soft = {self.names.index(name): given[None] for name, given in soft.items()}
        self.place = f"{kind} {seed}"

    def check(self, road: str, log: float, found: Mapping[str, np.ndarray]) -> None:
        place = f"{road}, {self.place}"
        assert not math.isnan(log), place
        assert (log == -math.inf) == (self.log == -math.inf), place
        if self.log > -math.inf:
            assert log == pytest.approx(self.log, rel=1e-11, abs=1e-11), place
        for name, values in found.items():
            assert not np.isnan(values).any(), place
            np.testing.assert_allclose(values, self.right[name], atol=1e-11, err_msg=place)


def solve_general(case: Case, backend: Backend) -> None:
    general = CompiledGeneral(case.network, 1e9, backend)
    # One case is answered alone, many may have a plan.
    for n in (1, 40):
        states = np.repeat(case.states, n, axis=0)
        # They would be answered once if they were the same.
        open_ = np.flatnonzero(case.states[0] < 0)
        if len(open_) and n > 1:
            cards = [case.network.variables[name].cardinality for name in case.names]
            states[1:, open_[0]] = np.arange(n - 1) % cards[open_[0]]
        soft = {v: np.repeat(given, n, axis=0) for v, given in case.soft.items()}
        answer = general.query(states, soft)
        found = {name: answer.posterior(name)[0] for name in case.names}
        case.check(f"general, {n} cases", float(answer.log_evidence[0]), found)


def solve_layered(case: Case) -> None:
    model = layered_model(case.network)
    assert not isinstance(model, str)
    solver = NetworkSolver(case.network, 1e9)
    solver.layered = layered = LayeredNetwork(model)
    answer = solver.query(case.states, case.soft)
    found = {name: values[0] for name, values in answer.posteriors.items()}
    case.check("layered", float(answer.log_evidence[0]), found)
    evidence, log_scale, unwritten = layered.evidence(case.states, case.soft)
    if unwritten.any() or np.isinf(log_scale).any():
        return
    for backend in BACKENDS:
        noisy = posteriors(model, evidence, backend=backend)
        possible = noisy.possible[0]
        causes = {
            name: np.array([1.0 - present, present]) if possible else np.zeros(2)
            for name, present in zip(model.causes, noisy.causes[0], strict=True)
        }
        case.check(backend, float(noisy.log_evidence[0] + log_scale[0]), causes)


def solve(kind: str, seeds: range) -> None:
    for seed in seeds:
        case = Case(kind, seed)
        solve_general(case, BACKENDS[seed % len(BACKENDS)])
        if kind == "layered":
            solve_layered(case)


@pytest.mark.parametrize("kind", ["general", "layered"])
def test_some_of_the_worst_networks(kind: str) -> None:
    solve(kind, range(60))


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 2500, 500))
@pytest.mark.parametrize("kind", ["general", "layered"])
def test_the_worst_networks(kind: str, first: int) -> None:
    """5,000 of them."""
    solve(kind, range(first, first + 500))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_certain_leak_and_two_soft_findings(backend: str) -> None:
    cpds = [TableCPD("c", (), [0.7, 0.3])]
    cpds += [NoisyOrCPD(name, ("c",), [0.4], 1.0) for name in ("f", "g")]
    network = Network([Variable("c"), Variable("f"), Variable("g")], cpds)
    likelihoods = {name: [[1.0, 1e-160]] for name in ("f", "g")}
    answer = bayesdx.compile_network(network).query({}, likelihoods=likelihoods)
    assert answer.log_evidence[0] == pytest.approx(2 * math.log(1e-160), rel=1e-12)
    assert answer.status.tolist() == ["ok"]
    np.testing.assert_allclose(answer.posteriors["c"][0], [0.7, 0.3], atol=1e-12)
    model = layered_model(network)
    assert not isinstance(model, str)
    evidence, log_scale, _ = LayeredNetwork(model).evidence(
        np.full((1, 3), -1), {1: likelihoods["f"], 2: likelihoods["g"]}
    )
    noisy = posteriors(model, evidence, backend=backend)
    assert noisy.log_evidence[0] + log_scale[0] == pytest.approx(2 * math.log(1e-160), rel=1e-12)
    assert noisy.causes[0, 0] == pytest.approx(0.3, abs=1e-12)


def sane(count: int) -> tuple[Network, list[str], float]:
    """Findings that are each unlikely, and the log of the probability that all are there."""
    names = [f"f{i}" for i in range(count)]
    cpds = [TableCPD("c", (), [0.9, 0.1]), TableCPD("d", (), [0.8, 0.2])]
    cpds += [
        NoisyOrCPD(name, ("c",) if i % 2 else ("d",), [1e-8], 1e-9) for i, name in enumerate(names)
    ]
    network = Network([Variable(name) for name in ("c", "d", *names)], cpds)
    log = 0.0
    for prior in (0.1, 0.2):
        ratio = (1.0 - prior) / prior * (1e-9 / 1.1e-8) ** (count // 2)
        log += math.log(prior) + count // 2 * math.log(1.1e-8) + math.log1p(ratio)
    return network, names, log


@pytest.mark.parametrize("backend", BACKENDS)
def test_sane_findings_far_below_the_range_of_floats(backend: str) -> None:
    network, names, log = sane(48)
    model = layered_model(network)
    assert not isinstance(model, str)
    states = np.ones((1, 2 + len(names)), dtype=np.intp)
    states[0, :2] = -1
    evidence, _, _ = LayeredNetwork(model).evidence(states, {})
    noisy = posteriors(model, evidence, backend=backend)
    assert noisy.log_evidence[0] == pytest.approx(log, rel=1e-9)
    np.testing.assert_allclose(noisy.causes[0], 1.0, atol=1e-9)


def test_what_couples_too_much_for_one_road_takes_the_other() -> None:
    network, _, log = sane(400)
    model = layered_model(network)
    assert not isinstance(model, str)
    solver = NetworkSolver(network, 1e9)
    solver.layered = LayeredNetwork(model)
    states = np.ones((1, 402), dtype=np.intp)
    states[0, :2] = -1
    answer = solver.query(states)
    assert not answer.too_complex.any()
    assert answer.log_evidence[0] == pytest.approx(log, rel=1e-9)
