"""Random networks of every shape with random evidence, against the sum over all worlds.

Each case is asked four ways: in a batch, in the batch turned round, by a plan of its own, and of a
network whose variables are eliminated in another order; the batches of every other network by the
plan for any evidence, the others without a plan. Compiled, a batch runs 16 cases side by side and
a case alone 1. The quick tests do 500 combinations of network and evidence, the slow ones 10,000.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from general_backends import BACKENDS
from joint import enumerated, joint
from numpy.typing import NDArray
from structures import SHAPES, structured_network

from bayesdx.inference.general import elimination as orders
from bayesdx.inference.general.general_network import CompiledGeneral
from bayesdx.inference.machine_code import Backend
from bayesdx.network import Network

TIGHT = 1e-12
LIMIT = 2.0**30
ROWS = 5

FloatArray = NDArray[np.float64]


def random_rows(
    rng: np.random.Generator, network: Network
) -> tuple[NDArray[np.intp], dict[int, FloatArray]]:
    """States drawn without looking, so often impossible; soft evidence of any scale, with zeros."""
    cards = np.array([variable.cardinality for variable in network.variables.values()])
    states = rng.integers(0, cards, (ROWS, len(cards)))
    density = rng.choice([0.0, 0.2, 0.5, 1.0], size=(ROWS, 1))
    states = np.where(rng.random(states.shape) < density, states, -1)
    soft = {}
    for v in rng.permutation(len(cards))[: rng.integers(0, 3)].tolist():
        values = rng.random((ROWS, cards[v])) * 10.0 ** rng.integers(-9, 9)
        values = np.where(rng.random(values.shape) < 0.25, 0.0, values)
        values[rng.random(ROWS) < 0.3] = np.nan
        soft[v] = values
    return states, soft


def truth(
    network: Network, whole: FloatArray, states: NDArray[np.intp], soft: dict[int, FloatArray]
) -> tuple[float, FloatArray]:
    """P(evidence), and P(state, evidence) of all variables one after another."""
    likelihoods = {}
    for v, (name, variable) in enumerate(network.variables.items()):
        seen = np.ones(variable.cardinality)
        if v in soft and not np.isnan(soft[v]).any():
            seen = soft[v].copy()
        if states[v] >= 0:
            seen[np.arange(len(seen)) != states[v]] = 0.0
        likelihoods[name] = seen
    evidence, states_too = enumerated(network, whole, likelihoods)
    return evidence, np.concatenate([states_too[name] for name in network.variables])


def check(values: FloatArray, log_evidence: float, evidence: float, expected: FloatArray) -> None:
    assert np.isfinite(values).all()
    assert not np.isnan(log_evidence)
    assert (log_evidence == -np.inf) == (evidence == 0.0)
    if evidence == 0.0:
        assert not values.any()
    else:
        assert log_evidence == pytest.approx(np.log(evidence), rel=TIGHT, abs=TIGHT)
        np.testing.assert_allclose(values, expected / evidence, rtol=0, atol=TIGHT)


def combinations(
    seed: int, count: int, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> Counter[str]:
    """Check so many combinations; returns how many there were of each kind."""
    rng = np.random.default_rng(seed)
    seen: Counter[str] = Counter()
    while seen["combinations"] < count:
        shape = SHAPES[seen["networks"] % len(SHAPES)]
        network = structured_network(rng, shape)
        states, soft = random_rows(rng, network)
        whole = joint(network)
        names = list(network.variables)
        compiled = CompiledGeneral(network, LIMIT, backend)
        if seen["networks"] % 2:
            compiled.plan([], names)
        batch = compiled.query(states, soft)
        order = rng.permutation(ROWS)
        again = compiled.query(states[order], {v: rows[order] for v, rows in soft.items()})
        back = np.argsort(order)
        with monkeypatch.context() as patch:
            # The rules one after another, whichever network it is; no rule may be the right one.
            rule = ("fill", "weight", "weighted_fill")[seen["networks"] % 3]
            real = orders.eliminate
            patch.setattr(
                orders,
                "eliminate",
                lambda graph, weights, live, _, *rest, rule=rule, real=real, **more: real(
                    graph, weights, live, rule, *rest, **more
                ),
            )
            patch.setattr(orders, "MOST_RESTARTS", 0)
            other = CompiledGeneral(network, LIMIT, backend)
            for row in range(ROWS):
                one = {v: rows[[row]] for v, rows in soft.items()}
                known = [v for v in np.flatnonzero(states[row] >= 0) if v not in soft]
                other.plan([names[v] for v in known], [names[v] for v in soft])
                own = other.query(states[[row]], one)
                alone = {v: rows[row] for v, rows in soft.items()}
                evidence, expected = truth(network, whole, states[row], alone)
                check(batch.values[:, row], batch.log_evidence[row], evidence, expected)
                check(again.values[:, back[row]], again.log_evidence[back[row]], evidence, expected)
                check(own.values[:, 0], own.log_evidence[0], evidence, expected)
                seen["impossible" if evidence == 0.0 else "possible"] += 1
                seen["soft"] += any(not np.isnan(rows).any() for rows in alone.values())
        seen["networks"] += 1
        seen["combinations"] += ROWS
        seen[shape] += ROWS
    return seen


@pytest.mark.parametrize("backend", BACKENDS)
def test_five_hundred_combinations(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = combinations(20260101, 500, backend, monkeypatch)
    assert min(seen[shape] for shape in SHAPES) == 100
    assert seen["impossible"] > 50
    assert seen["soft"] > 100


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_ten_thousand_combinations(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = combinations(4, 10_000, backend, monkeypatch)
    assert min(seen[shape] for shape in SHAPES) == 2000
    assert seen["impossible"] > 1000
    assert seen["soft"] > 2000
