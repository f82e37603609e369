"""One case with sets of causes absent: what the sweep gives for each, from one plan."""

from dataclasses import replace

import numpy as np
import pytest
from oracle import enumerate_case
from random_networks import random_problem

from bayesdx.inference import (
    CaseLanes,
    Evidence,
    NoisyModel,
    no_evidence,
    posteriors,
)
from bayesdx.inference.evidence import clamped_absent
from bayesdx.inference.noisy import case_lanes, recent
from bayesdx.inference.noisy.choice import Backend

EXACT = 1e-12
SEEDS = range(60)


def free_cases(seed: int, n_cases: int = 8) -> tuple[NoisyModel, Evidence]:
    """Random cases in which no cause is known."""
    model, evidence = random_problem(seed, n_cases)
    return model, replace(evidence, causes=no_evidence(model, n_cases).causes)


def random_sets(seed: int, model: NoisyModel) -> np.ndarray:
    """Sets of causes: none, all, and some."""
    some = np.random.default_rng(seed).random((4, len(model.causes))) < 0.4
    some[0], some[1] = False, True
    return some


def by_the_sweep(model: NoisyModel, case: Evidence, absent: np.ndarray) -> np.ndarray:
    copies = case.take(np.zeros(len(absent), dtype=np.intp))
    clamped = np.where(absent, 0, -1).astype(np.int8)
    return posteriors(model, replace(copies, causes=clamped)).log_evidence


def close(got: np.ndarray, right: np.ndarray) -> None:
    np.testing.assert_array_equal(np.isneginf(got), np.isneginf(right))
    finite = np.isfinite(right)
    np.testing.assert_allclose(got[finite], right[finite], rtol=0, atol=EXACT)


def check(seed: int) -> None:
    model, evidence = free_cases(seed)
    asked, absent = CaseLanes(model), random_sets(seed, model)
    for row in range(len(evidence)):
        case = evidence.take(slice(row, row + 1))
        answer, log_absent = asked.answer(case, absent)
        right = posteriors(model, case)
        close(answer.log_evidence, right.log_evidence)
        np.testing.assert_allclose(answer.causes, right.causes, rtol=0, atol=EXACT)
        close(log_absent, by_the_sweep(model, case, absent))
        truth = enumerate_case(model, case, 0)
        assert answer.possible[0] == (truth.evidence > 0.0)
        if truth.evidence > 0.0:
            shares = truth.causes / truth.evidence
            np.testing.assert_allclose(answer.causes[0], shares, rtol=0, atol=EXACT)


@pytest.mark.parametrize("seed", SEEDS)
def test_lanes_are_what_the_sweep_gives(seed: int) -> None:
    check(seed)


@pytest.mark.parametrize("backend", ["numpy", "compiled"])
@pytest.mark.parametrize("seed", SEEDS)
def test_causes_may_be_clamped(seed: int, backend: Backend) -> None:
    if backend == "compiled":
        pytest.importorskip("numba", reason="needs the extra 'fast'")
    model, evidence = random_problem(seed, 4)
    for row in range(len(evidence)):
        case = evidence.take(slice(row, row + 1))
        absent = random_sets(seed, model)
        answer, log_absent = CaseLanes(model, backend).answer(case, absent)
        truth = enumerate_case(model, case, 0)
        assert answer.possible[0] == (truth.evidence > 0.0)
        if truth.evidence > 0.0:
            shares = truth.causes / truth.evidence
            np.testing.assert_allclose(answer.causes[0], shares, rtol=0, atol=EXACT)
        for lane, causes in enumerate(absent):
            right = enumerate_case(model, clamped_absent(case, causes[None]), 0).evidence
            if (causes & (case.causes[0] == 1)).any():
                right = 0.0
            assert np.exp(log_absent[lane]) == pytest.approx(right, rel=EXACT, abs=0.0)


@pytest.mark.parametrize("seed", SEEDS[:15])
def test_frontiers_too_large_for_a_plan_go_to_the_sweep(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(case_lanes, "MAX_COMPONENTS", 2)
    check(seed)


def test_an_answer_does_not_depend_on_what_was_asked_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Few plans are kept; kept and new ones give the same, bit for bit."""
    monkeypatch.setattr(recent, "KEPT", 3)
    for seed in SEEDS[:15]:
        model, evidence = free_cases(seed)
        absent = random_sets(seed, model)
        used = CaseLanes(model)
        for row in [0, 1, 2, 3, 4, 0, 4, 2, 2, 7, 6, 5, 0, 1]:
            case = evidence.take(slice(row, row + 1))
            (got, got_absent), (new, new_absent) = (
                one.answer(case, absent) for one in (used, CaseLanes(model))
            )
            np.testing.assert_array_equal(got.causes, new.causes)
            np.testing.assert_array_equal(got.log_evidence, new.log_evidence)
            np.testing.assert_array_equal(got_absent, new_absent)


def test_a_kept_plan_serves_other_numbers_of_the_same_shape() -> None:
    """Absent instead of unknown, another soft value, another risk: same axes, other weights."""
    for seed in SEEDS[:30]:
        model, evidence = free_cases(seed, 1)
        used, absent = CaseLanes(model), random_sets(seed, model)
        rng = np.random.default_rng(seed)
        for _ in range(12):
            findings, risks = evidence.findings.copy(), evidence.risks.copy()
            findings[(findings == 0.0) | np.isnan(findings)] = rng.choice([0.0, np.nan])
            soft = (findings > 0.0) & (findings < 1.0)
            findings[soft] = rng.uniform(0.1, 0.9, soft.sum())
            for r, prior in enumerate(model.risk_priors):
                if risks[0, r] >= 0:
                    risks[0, r] = rng.integers(0, len(prior))
            case = replace(evidence, findings=findings, risks=risks)
            answer, log_absent = used.answer(case, absent)
            close(answer.log_evidence, posteriors(model, case).log_evidence)
            np.testing.assert_allclose(
                answer.causes, posteriors(model, case).causes, rtol=0, atol=EXACT
            )
            close(log_absent, by_the_sweep(model, case, absent))


@pytest.mark.parametrize("seed", SEEDS[:20])
def test_cases_one_by_one_are_what_the_sweep_gives_for_all(seed: int) -> None:
    model, evidence = random_problem(seed, 5)
    without = random_sets(seed, model)[2] & (evidence.causes != 1).all(axis=0)
    for absent in (None, without):
        one_by_one = CaseLanes(model).each(evidence, absent)
        together = posteriors(model, evidence, without=absent, backend="numpy")
        close(one_by_one.log_evidence, together.log_evidence)
        np.testing.assert_allclose(one_by_one.causes, together.causes, rtol=0, atol=EXACT)
        close(one_by_one.log_without, together.log_without)
        np.testing.assert_array_equal(one_by_one.status, together.status)
