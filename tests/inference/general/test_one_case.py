"""One case alone, against the whole joint, and against the plans."""

from __future__ import annotations

import numpy as np
import pytest
from agrum_networks import agrum_answer, example, sampled_states
from hypothesis import given, settings
from hypothesis import strategies as st
from joint import enumerated, joint, random_general_network

from bayesdx.errors import InvalidNetwork
from bayesdx.inference.general import zero_propagation
from bayesdx.inference.general.factors import factor_network
from bayesdx.inference.general.one_case import answer_alone
from bayesdx.inference.general.tiles import CaseBatch, TileRunner, readout
from bayesdx.inference.general.tree_plan import compile_plan
from bayesdx.inference.general.zero_propagation import find_zeros, possible_states

LIMIT = 2.0**31


@settings(max_examples=250, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_alone_and_by_both_kinds_of_plan_a_case_is_what_the_joint_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = random_general_network(rng)
    problem, names = factor_network(network), list(network.variables)
    cards = np.array(problem.cards[: len(names)])
    states = (rng.random(len(names)) * cards).astype(np.intp)
    states[rng.random(len(names)) < 0.6] = -1
    seen = {name: np.eye(cards[v])[states[v]] for v, name in enumerate(names) if states[v] >= 0}
    soft = {}
    unseen = np.flatnonzero(states < 0)
    if len(unseen) and rng.random() < 0.5:
        v = int(rng.choice(unseen))
        soft[v] = np.where(rng.random(cards[v]) < 0.3, 0.0, rng.random(cards[v]))
        seen[names[v]] = soft[v]
    evidence, expected = enumerated(network, joint(network), seen)
    every = tuple(range(len(names)))
    answers = [answer_alone(problem, find_zeros(problem), states, soft, every, LIMIT)[:2]]
    observed = frozenset(np.flatnonzero(states >= 0).tolist())
    for sliced, as_soft in ((observed, frozenset(soft)), (frozenset[int](), frozenset(every))):
        plan = compile_plan(problem, sliced, as_soft, frozenset(every), LIMIT)
        cases = CaseBatch(
            states[:, None], {v: likelihood[:, None] for v, likelihood in soft.items()}
        )
        wanted = readout(plan, problem.cards, every)
        values, logs, _ = TileRunner(plan).answer(cases, wanted)
        answers.append((values[:, 0], float(logs[0])))
    for posterior, log_evidence in answers:
        if evidence == 0.0:
            assert log_evidence == -np.inf
            assert (posterior == 0.0).all()
        else:
            assert log_evidence == pytest.approx(np.log(evidence), rel=1e-12, abs=1e-12)
            wanted = np.concatenate([expected[name] for name in names]) / evidence
            np.testing.assert_allclose(posterior, wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["barley", "link"])
def test_networks_too_large_for_a_common_plan_agree_with_pyagrum(name: str) -> None:
    network, net = example(name)
    problem, names = factor_network(network), list(network.variables)
    rng = np.random.default_rng(11)
    drawn = sampled_states(network, 1, rng)
    states = np.array([int(drawn[name][0]) for name in names])
    states[rng.random(len(names)) < 0.7] = -1
    found = answer_alone(problem, find_zeros(problem), states, {}, range(len(names)), LIMIT)
    evidence = {
        name: network.variables[name].states[s]
        for name, s in zip(names, states, strict=True)
        if s >= 0
    }
    log_evidence, posteriors = agrum_answer(net, evidence)
    assert found[1] == pytest.approx(log_evidence, rel=1e-9)
    np.testing.assert_allclose(
        found[0], np.concatenate([posteriors[name] for name in names]), rtol=0, atol=1e-9
    )


def test_what_does_not_fit_is_refused() -> None:
    network, _ = example("alarm")
    problem = factor_network(network)
    with pytest.raises(
        InvalidNetwork, match=r"one case of 37 variables: .*largest clique 108 cells"
    ):
        answer_alone(problem, find_zeros(problem), np.full(37, -1), {}, range(37), 1e3)


def test_zeros_rule_out_states_and_are_remembered_within_a_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network, _ = example("asia")
    problem = factor_network(network)
    zeros = find_zeros(problem)
    names = list(network.variables)
    states = np.full(8, -1)
    states[names.index("either")] = network.variables["either"].states.index("no")
    monkeypatch.setattr(zero_propagation, "REMEMBERED", 1)
    for _ in range(2):
        left = possible_states(problem, zeros, states)
        assert left is not None
        for name in ("lung", "tub"):
            assert left[names.index(name)].tolist() == [network.variables[name].states.index("no")]
        assert len(left[names.index("smoke")]) == 2
        assert len(zeros.known) <= 1
    states[names.index("lung")] = network.variables["lung"].states.index("yes")
    assert possible_states(problem, zeros, states) is None
