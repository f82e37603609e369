"""Random small networks with every kind of family and evidence, against the whole joint."""

from __future__ import annotations

import numpy as np
import pytest
from general_backends import BACKENDS
from hypothesis import given, settings
from hypothesis import strategies as st
from joint import enumerated, joint, random_general_network
from numpy.typing import NDArray

from bayesdx.inference.general.general_network import CompiledGeneral, GeneralAnswer
from bayesdx.network import Network

TIGHT = 1e-12
N_CASES = 12

Soft = dict[str, NDArray[np.float64]]


def random_states(network: Network, rng: np.random.Generator, n: int) -> NDArray[np.intp]:
    """TreeEvidence of every density; often impossible, as states are drawn without looking."""
    cards = np.array([v.cardinality for v in network.variables.values()])
    states = (rng.random((n, len(cards))) * cards).astype(np.intp)
    density = rng.choice([0.0, 0.2, 0.5, 1.0], size=(n, 1))
    return np.where(rng.random(states.shape) < density, states, -1)


def random_soft(network: Network, rng: np.random.Generator, n: int) -> Soft:
    """Likelihoods of a few variables: of any scale, with zeros, with rows that say nothing."""
    soft = {}
    for name in rng.permutation(list(network.variables))[: rng.integers(0, 3)].tolist():
        values = rng.random((n, network.variables[name].cardinality))
        values = np.where(rng.random(values.shape) < 0.2, 0.0, values) * 10.0 ** rng.integers(-9, 9)
        values[rng.random(n) < 0.3] = np.nan
        soft[name] = values
    return soft


def check(network: Network, states: NDArray[np.intp], soft: Soft, answer: GeneralAnswer) -> None:
    """Compare every case with the sum over all worlds."""
    whole, names = joint(network), list(network.variables)
    assert np.isfinite(answer.values).all()
    for row in range(len(states)):
        likelihoods = {}
        for v, name in enumerate(names):
            size = network.variables[name].cardinality
            seen = np.ones(size)
            if name in soft and not np.isnan(soft[name][row]).any():
                seen = soft[name][row]
            if states[row, v] >= 0:
                seen = seen * np.eye(size)[states[row, v]]
            likelihoods[name] = seen
        evidence, expected = enumerated(network, whole, likelihoods)
        if evidence == 0.0:
            assert answer.log_evidence[row] == -np.inf
            assert not answer.possible[row]
            assert all((answer.posterior(name)[row] == 0.0).all() for name in answer.names)
            continue
        assert answer.log_evidence[row] == pytest.approx(np.log(evidence), rel=TIGHT, abs=TIGHT)
        for name in answer.names:
            found = answer.posterior(name)[row]
            np.testing.assert_allclose(found, expected[name] / evidence, rtol=0, atol=TIGHT)
            assert found.sum() == pytest.approx(1.0, abs=TIGHT)


def positions(network: Network, soft: Soft) -> dict[int, NDArray[np.float64]]:
    place = {name: i for i, name in enumerate(network.variables)}
    return {place[name]: values for name, values in soft.items()}


@settings(max_examples=250, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_every_case_is_what_the_joint_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    backend = BACKENDS[seed % len(BACKENDS)]
    network = random_general_network(rng)
    states, soft = random_states(network, rng, N_CASES), random_soft(network, rng, N_CASES)
    if rng.random() < 0.4:  # the same columns in every row
        states[:, rng.random(states.shape[1]) < 0.5] = -1
        states[:, (states < 0).any(axis=0)] = -1
    compiled = CompiledGeneral(network, 2**30, backend)
    check(network, states, soft, compiled.query(states, positions(network, soft)))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_plan_of_each_signature_is_exact(seed: int) -> None:
    """Asked often enough, each signature gets a plan of its own; some variables are not asked."""
    rng = np.random.default_rng(seed)
    backend = BACKENDS[seed % len(BACKENDS)]
    network = random_general_network(rng)
    compiled = CompiledGeneral(network, 2**30, backend)
    states = random_states(network, rng, 3)
    targets = rng.permutation(list(network.variables))[: rng.integers(0, 4)].tolist()
    for row in range(3):
        names = [name for v, name in enumerate(network.variables) if states[row, v] >= 0]
        compiled.plan(names, targets=targets)
        answer = compiled.query(states[[row]], targets=targets)
        assert set(answer.names) == set(targets)
        check(network, states[[row]], {}, answer)


@pytest.mark.slow
def test_thousands_of_networks_and_patterns() -> None:
    rng = np.random.default_rng(20260101)
    for _ in range(3000):
        network = random_general_network(rng, largest=8)
        states, soft = random_states(network, rng, 4), random_soft(network, rng, 4)
        compiled = CompiledGeneral(network, 2**30)
        check(network, states, soft, compiled.query(states, positions(network, soft)))
