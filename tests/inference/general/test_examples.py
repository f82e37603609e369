"""Well-known networks against pyAgrum, with fixed and with changing observed columns."""

from __future__ import annotations

import numpy as np
import pyagrum
import pytest
from agrum_networks import agrum_answer, example, sampled_states
from general_backends import BACKENDS
from numpy.typing import NDArray

from bayesdx.errors import InvalidNetwork
from bayesdx.inference.general.general_network import CompiledGeneral
from bayesdx.inference.machine_code import Backend
from bayesdx.network import Network

CLOSE = 1e-9
SMALL = ["asia", "child", "alarm", "insurance", "hailfinder", "hepar2", "win95pts", "water"]
LARGE = ["pathfinder", "andes", "pigs", "mildew", "diabetes", "munin1", "munin"]


def sampled_rows(network: Network, n: int, same_columns: bool) -> NDArray[np.intp]:
    """Rows drawn from the network, a fifth of the variables observed."""
    rng = np.random.default_rng(7)
    drawn = sampled_states(network, n, rng)
    states = np.stack([drawn[name] for name in network.variables], axis=1)
    order = rng.random((1 if same_columns else n, states.shape[1])).argsort(axis=1)
    hidden = np.broadcast_to(order >= 0.2 * states.shape[1], states.shape)
    return np.where(hidden, -1, states)


def compare(
    compiled: CompiledGeneral, net: pyagrum.BayesNet, network: Network, states: NDArray[np.intp]
) -> None:
    answer = compiled.query(states)
    assert np.isfinite(answer.values).all()
    for row, values in enumerate(states):
        evidence = {
            name: network.variables[name].states[s]
            for name, s in zip(network.variables, values, strict=True)
            if s >= 0
        }
        log_evidence, posteriors = agrum_answer(net, evidence)
        assert answer.log_evidence[row] == pytest.approx(log_evidence, rel=CLOSE)
        for name in network.variables:
            found = answer.posterior(name)[row]
            np.testing.assert_allclose(found, posteriors[name], rtol=0, atol=CLOSE)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("same_columns", [True, False])
@pytest.mark.parametrize("name", SMALL)
def test_small_networks_agree_with_pyagrum(name: str, same_columns: bool, backend: Backend) -> None:
    network, net = example(name)
    compiled = CompiledGeneral(network, 2**31, backend)
    states = sampled_rows(network, 12, same_columns)
    compare(compiled, net, network, states)
    if same_columns:  # once more, by the plan of these columns
        compiled.plan([n for n, s in zip(network.variables, states[0], strict=True) if s >= 0])
        compare(compiled, net, network, states[:4])


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("same_columns", [True, False])
@pytest.mark.parametrize("name", LARGE)
def test_large_networks_agree_with_pyagrum(name: str, same_columns: bool, backend: Backend) -> None:
    network, net = example(name)
    compare(
        CompiledGeneral(network, 2**32, backend),
        net,
        network,
        sampled_rows(network, 2, same_columns),
    )


@pytest.mark.parametrize("likelihood", [[0.3, 1.0], [0.0, 1.0]])
def test_soft_evidence_agrees_with_pyagrum(likelihood: list[float]) -> None:
    network, net = example("asia")
    names = list(network.variables)
    states = np.full((1, len(names)), -1)
    states[0, names.index("smoke")] = 0
    answer = CompiledGeneral(network, 2**30).query(states, {names.index("xray"): [likelihood]})
    evidence = {"smoke": network.variables["smoke"].states[0], "xray": likelihood}
    log_evidence, posteriors = agrum_answer(net, evidence)
    assert answer.log_evidence[0] == pytest.approx(log_evidence, rel=CLOSE)
    for name in names:
        np.testing.assert_allclose(answer.posterior(name)[0], posteriors[name], atol=CLOSE)


@pytest.mark.parametrize("backend", BACKENDS)
def test_evidence_that_vanishes_only_jointly_is_impossible(backend: Backend) -> None:
    """pyAgrum 3.3 reports probability 0 here and still returns posteriors."""
    network, _ = example("asia")
    names = list(network.variables)
    states = np.full((2, len(names)), -1)
    for name, state in (("either", "yes"), ("lung", "no"), ("tub", "no")):
        states[0, names.index(name)] = network.variables[name].states.index(state)
    compiled = CompiledGeneral(network, 2**30, backend)
    for _ in range(2):
        answer = compiled.query(states)
        assert answer.log_evidence.tolist() == [-np.inf, pytest.approx(0.0, abs=1e-12)]
        assert answer.values[:, 0].tolist() == [0.0] * len(answer.values)
        compiled.plan(["either", "lung", "tub"])


def test_what_does_not_fit_is_refused_with_its_estimate() -> None:
    network, _ = example("link")
    compiled = CompiledGeneral(network, 2**28)
    with pytest.raises(InvalidNetwork, match=r"at most 2\.68e\+08 bytes, got at least .* cells"):
        compiled.query(np.full((1, len(network.variables)), -1))


@pytest.mark.slow
def test_what_evidence_makes_small_is_answered() -> None:
    network, net = example("link")
    states = sampled_rows(network, 1, True)
    compare(CompiledGeneral(network, 2**31), net, network, states)
