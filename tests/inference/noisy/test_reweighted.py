"""One case under many weights of its causes: what adding up all worlds gives."""

from dataclasses import replace

import numpy as np
import pytest
from oracle import FloatArray, world_weights
from random_networks import random_problem

from bayesdx.inference import CaseLanes, Evidence, NoisyModel, no_evidence
from bayesdx.inference.noisy import case_lanes, lanes
from bayesdx.inference.noisy.lockstep import plan, reweighted, sweep

EXACT = 1e-12
SEEDS = range(60)


def free_cases(seed: int, n_cases: int) -> tuple[NoisyModel, Evidence]:
    """Random cases in which no cause is known."""
    model, evidence = random_problem(seed, n_cases)
    return model, replace(evidence, causes=no_evidence(model, n_cases).causes)


def random_weights(
    rng: np.random.Generator, model: NoisyModel, case: Evidence, n_rows: int
) -> tuple[FloatArray, FloatArray, np.ndarray]:
    """Factors with zeros among them, and unknown risks held at some state in some rows."""
    on, off = rng.random((2, n_rows, len(model.causes)))
    on[rng.random(on.shape) < 0.2], off[rng.random(off.shape) < 0.1] = 0.0, 0.0
    risks = np.full((n_rows, len(model.risks)), -1, dtype=np.int8)
    for r, prior in enumerate(model.risk_priors):
        held = rng.random(n_rows) < 0.4 * (case.risks[0, r] < 0)
        risks[held, r] = rng.integers(0, len(prior), held.sum())
    return on, off, risks


def added_up(
    model: NoisyModel, case: Evidence, on: FloatArray, off: FloatArray, risks: np.ndarray
) -> FloatArray:
    """P(each cause present, ...) and last the whole, world by world."""
    states, weight = world_weights(model, case, 0)
    for c, name in enumerate(model.causes):
        weight = weight * np.where(states[name] == 1, on[c], off[c])
    for r, name in enumerate(model.risks):
        weight = weight * ((risks[r] < 0) | (states[name] == risks[r]))
    return np.array([*(weight[states[name] == 1].sum() for name in model.causes), weight.sum()])


def check(seed: int) -> None:
    model, evidence = free_cases(seed, 3)
    rng, asked = np.random.default_rng(seed), CaseLanes(model)
    for row in range(len(evidence)):
        case = evidence.take(slice(row, row + 1))
        on, off, risks = random_weights(rng, model, case, 11)
        found = asked.reweighted(case, on, off, risks)
        assert found is not None
        log_evidence, posterior = found
        for v in range(len(on)):
            right = added_up(model, case, on[v], off[v], risks[v])
            assert np.isneginf(log_evidence[v]) == (right[-1] == 0.0)
            if right[-1] > 0.0:
                assert log_evidence[v] == pytest.approx(np.log(right[-1]), abs=EXACT)
                np.testing.assert_allclose(posterior[v], right[:-1] / right[-1], rtol=0, atol=EXACT)
            else:
                assert not posterior[v].any()


@pytest.mark.parametrize("large_work", [1 << 20, 0])
@pytest.mark.parametrize("seed", SEEDS[:30])
def test_what_couples_too_much_for_one_program_is_swept(
    seed: int, large_work: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over frontiers, and as trees of tables of which few rows fit together."""
    monkeypatch.setattr(case_lanes, "MAX_COMPONENTS", 0)
    monkeypatch.setattr(plan, "LARGE_WORK", large_work)
    monkeypatch.setattr(sweep, "COMPONENTS_AT_ONCE", 200)
    monkeypatch.setattr(reweighted, "ROWS_AT_ONCE", 4)
    check(seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_rows_are_what_adding_up_worlds_gives(seed: int) -> None:
    check(seed)


@pytest.mark.parametrize("seed", SEEDS[:15])
def test_the_answer_does_not_depend_on_how_many_rows_go_together(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "_FEWEST_LANES", 1)
    monkeypatch.setattr(lanes, "AT_ONCE", 3)
    check(seed)


def test_weights_of_one_are_the_case_as_it_is() -> None:
    for seed in SEEDS[:20]:
        model, evidence = free_cases(seed, 1)
        asked = CaseLanes(model)
        ones = np.ones((2, len(model.causes)))
        found = asked.reweighted(evidence, ones)
        assert found is not None
        answer, _ = asked.answer(evidence, np.zeros((0, len(model.causes)), dtype=bool))
        np.testing.assert_array_equal(np.isneginf(found[0]), np.isneginf(answer.log_evidence[0]))
        if answer.possible[0]:
            np.testing.assert_allclose(found[0], answer.log_evidence[0], rtol=0, atol=EXACT)
        np.testing.assert_allclose(found[1], np.repeat(answer.causes, 2, 0), rtol=0, atol=EXACT)


def test_what_couples_too_much_is_declined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(case_lanes, "MAX_COMPONENTS", 0)
    monkeypatch.setattr(plan, "LARGE_WORK", 0)
    monkeypatch.setattr(plan, "find_order", lambda _: None)
    declined = 0
    for seed in SEEDS[:10]:
        model, evidence = free_cases(seed, 1)
        found = CaseLanes(model).reweighted(evidence, np.ones((1, len(model.causes))))
        declined += found is None
    assert declined > 0
