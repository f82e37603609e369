"""Cases drawn from networks: their frequencies against enumeration."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from joint import enumerated, joint, random_general_network
from random_networks import random_network

from bayesdx import InvalidCase, Network, TableCPD, Variable, compile_network
from bayesdx.inference.ancestral_sampling import given_parents

DRAWS = 20_000


def some_evidence(network: Network, rng: np.random.Generator) -> dict[str, str]:
    """What one case of the network itself might show of up to three variables."""
    case = compile_network(network).sample(1, seed=int(rng.integers(1 << 30))).iloc[0]
    chosen = rng.permutation(list(network.variables))[: rng.integers(0, 4)].tolist()
    return {name: str(case[name]) for name in chosen}


@pytest.mark.parametrize("seed", range(12))
def test_frequencies_are_those_of_enumeration(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = random_general_network(rng, largest=6)
    case = some_evidence(network, rng)
    likelihoods = {
        name: np.eye(network.variables[name].cardinality)[
            network.variables[name].states.index(state)
        ]
        for name, state in case.items()
    }
    whole = joint(network)
    for axis, (name, variable) in enumerate(network.variables.items()):
        shape = [1] * whole.ndim
        shape[axis] = variable.cardinality
        whole = whole * likelihoods.get(name, np.ones(variable.cardinality)).reshape(shape)
    right = whole / whole.sum()
    drawn = compile_network(network).sample(DRAWS, evidence=case, seed=seed)
    codes = np.stack([drawn[name].cat.codes for name in network.variables])
    seen = np.zeros(whole.shape)
    np.add.at(seen, tuple(codes.astype(int)), 1.0 / DRAWS)
    assert seen[right == 0.0].sum() == 0.0
    # Six standard deviations of each joint state; the seeds are fixed.
    limit = 6.0 * np.sqrt(right * (1.0 - right) / DRAWS) + 6.0 / DRAWS
    assert (np.abs(seen - right) <= limit).all()
    assert enumerated(network, whole, {})[0] == pytest.approx(whole.sum())


def test_many_cases_of_different_kind_are_drawn_together() -> None:
    network = random_general_network(np.random.default_rng(5), largest=8)
    plan = compile_network(network)
    rng = np.random.default_rng(6)
    cases = pd.DataFrame([some_evidence(network, rng) for _ in range(5)], index=list("abcde"))
    drawn = plan.sample(300, evidence=cases, seed=2)
    assert drawn.index.tolist() == [label for label in "abcde" for _ in range(300)]
    answer = plan.query(cases)
    for row, label in enumerate("abcde"):
        part = drawn.loc[label]
        for name in network.variables:
            share = part[name].cat.codes.value_counts(normalize=True)
            right = answer.posteriors[name][row]
            told = share.reindex(range(len(right)), fill_value=0.0).to_numpy()
            assert np.abs(told - right).max() < 0.15
            if name in cases and isinstance(cases.loc[label, name], str):
                assert set(part[name]) == {cases.loc[label, name]}


def test_the_seed_decides() -> None:
    plan = compile_network(random_general_network(np.random.default_rng(7)))
    first, again, other = (plan.sample(200, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)


def test_without_evidence_cases_are_numbered() -> None:
    plan = compile_network(random_general_network(np.random.default_rng(3)))
    assert plan.sample(4, seed=1).index.tolist() == [0, 1, 2, 3]
    assert plan.sample(2, evidence={}, seed=1).index.tolist() == [0, 0]


@pytest.mark.parametrize("seed", range(10))
def test_noisy_families_are_drawn_without_their_tables(seed: int) -> None:
    network = random_network(np.random.default_rng(seed))
    rng = np.random.default_rng(seed)
    for name in network.variables:
        cards = [network.variables[one].cardinality for one in network.parents(name)]
        states = (
            np.stack([rng.integers(0, card, 50) for card in cards], axis=1)
            if cards
            else np.zeros((50, 0), int)
        )
        right = np.array([network.table(name)[tuple(row)] for row in states])
        told = given_parents(network, name, states)
        np.testing.assert_allclose(told, right, rtol=0, atol=1e-14)


def test_rare_evidence_rejects_no_draw() -> None:
    tables = [
        TableCPD("rare", (), [1 - 1e-12, 1e-12]),
        TableCPD("sign", ("rare",), [[1 - 1e-12, 1e-12], [0.1, 0.9]]),
    ]
    plan = compile_network(Network([Variable("rare"), Variable("sign")], tables))
    drawn = plan.sample(2000, evidence={"sign": "present"}, seed=3)
    share = (drawn["rare"] == "present").mean()
    assert share == pytest.approx(0.9 / 1.9, abs=0.05)


def test_slips() -> None:
    tables = [TableCPD("a", (), [1.0, 0.0]), TableCPD("b", ("a",), [[0.5, 0.5], [0.5, 0.5]])]
    plan = compile_network(Network([Variable("a"), Variable("b")], tables))
    with pytest.raises(InvalidCase, match="row 1: expected evidence of a positive probability"):
        plan.sample(3, evidence=[{}, {"a": "present"}])
    for n in (0, -1, 2.5, True):
        with pytest.raises(InvalidCase, match="n: expected a whole number from 1 to 1000000000"):
            plan.sample(n)  # type: ignore[arg-type]
    for seed in (-1, "a"):
        with pytest.raises(InvalidCase, match="seed: expected a whole number of at least 0"):
            plan.sample(3, seed=seed)  # type: ignore[arg-type]
    with pytest.raises(InvalidCase, match="Nearest: present"):
        plan.sample(3, evidence={"a": "presnt"})
    assert plan.relevant(["b"], ["a"]).evidence == ("a",)
