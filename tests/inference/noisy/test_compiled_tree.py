"""Compiled cases summed out as a tree of tables, all of them, however little they couple."""

from __future__ import annotations

import numpy as np
import pytest
from knotted import knotted_problem
from noisy_structures import STRUCTURES
from random_networks import random_problem
from slow_twin import twin_evidence
from small_networks import with_causes

from bayesdx.inference import Evidence, NoisyModel, compile_diagnosis, no_evidence, posteriors
from bayesdx.inference.noisy.answer import Answer
from bayesdx.inference.noisy.case_scores import evidence_gradient
from bayesdx.inference.noisy.sampling import observe, sample_cases
from bayesdx.network import CPD, Network, NoisyOrCPD, TableCPD, Variable

pytest.importorskip("numba")

from bayesdx.inference.noisy.jit import LOST, driver
from bayesdx.inference.noisy.jit.driver import run
from bayesdx.inference.noisy.jit.memory import BY_TREE, BY_TREE_ANEW, BY_WORK

WAYS = pytest.mark.parametrize("way", [BY_TREE, BY_TREE_ANEW])
EXACT = {"rtol": 1e-12, "atol": 1e-14}


def twin(model: NoisyModel, evidence: Evidence) -> np.ndarray:
    return np.array([twin_evidence(model, evidence, n) for n in range(len(evidence))])


@WAYS
@pytest.mark.parametrize("structure", STRUCTURES)
def test_a_tree_is_the_twin(structure: str, way: int) -> None:
    """Inhibited leaks, levels, soft findings, impossible evidence, certain links."""
    model, evidence = STRUCTURES[structure]()
    absent = np.arange(len(model.causes)) < 2
    log_evidence, causes, log_without, status, _ = run(model, evidence, without=absent, way=way)
    assert not status.any()
    total = twin(model, evidence)
    np.testing.assert_allclose(np.exp(log_evidence), total, **EXACT)
    for c in range(len(model.causes)):
        joint = np.where(evidence.causes[:, c] == 0, 0.0, twin(model, with_causes(evidence, c, 1)))
        np.testing.assert_allclose(causes[:, c] * total, joint, **EXACT)
    less = twin(model, with_causes(evidence, np.flatnonzero(absent), 0))
    less[(evidence.causes[:, absent] == 1).any(axis=1)] = 0.0
    np.testing.assert_allclose(np.exp(log_without), less, **EXACT)


def check_against_numpy(model: NoisyModel, evidence: Evidence, way: int, seed: int) -> None:
    """Every question at once: posteriors, some causes absent, what produced the symptoms."""
    rng = np.random.default_rng(seed)
    symptoms = rng.random(len(model.axes.classes))
    absent = rng.random(len(model.causes)) < 0.5
    right = posteriors(model, evidence, symptoms=symptoms, without=absent, backend="numpy")
    found = run(model, evidence, symptoms=symptoms, without=absent, way=way)
    assert not found[3].any()
    ours = Answer(*found[:3], found[3] != 0, *found[4])
    for name in ("log_evidence", "causes", "log_without", "responsible", "credit"):
        one, other = getattr(ours, name), getattr(right, name)
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("way", [BY_WORK, BY_TREE, BY_TREE_ANEW])
def test_every_question_is_answered_as_numpy_does(way: int) -> None:
    """That two of them are asked at once changes neither: one begins where the other ended."""
    for seed in range(60):
        check_against_numpy(*random_problem(seed), way, seed)


@WAYS
def test_knots_are_answered_as_numpy_does(way: int) -> None:
    """Tables that share many findings: long runs of either, of both, and short blocks."""
    for seed in range(12):
        check_against_numpy(*knotted_problem(seed, 12), way, seed)


@WAYS
def test_a_model_of_real_size(snapshot_model: NoisyModel, way: int) -> None:
    """Unknown risks, ten findings present: a frontier of some thousand components, or a tree."""
    rng = np.random.default_rng(3)
    evidence = observe(snapshot_model, sample_cases(snapshot_model, 40, rng), rng)
    check_against_numpy(snapshot_model, evidence, way, 0)


def test_no_bit_depends_on_the_other_rows(snapshot_model: NoisyModel) -> None:
    """Nor on the memory that they left."""
    rng = np.random.default_rng(5)
    evidence = observe(snapshot_model, sample_cases(snapshot_model, 60, rng), rng)
    together = run(snapshot_model, evidence, way=BY_TREE, workers=1)[1]
    for n in (0, 17, 59):
        alone = run(snapshot_model, evidence.take(slice(n, n + 1)), way=BY_TREE)[1]
        np.testing.assert_array_equal(alone[0], together[n])


def seldom_reached(least: float) -> tuple[NoisyModel, Evidence]:
    """Eight causes, all of which act on each of twelve findings, hardly ever; all are present."""
    rng = np.random.default_rng(11)
    causes = tuple(f"c{i}" for i in range(8))
    cpds: list[CPD] = [TableCPD(c, (), np.array([0.9, 0.1])) for c in causes]
    for i in range(12):
        strengths = least * 10.0 ** rng.uniform(0.0, 2.0, len(causes))
        cpds.append(NoisyOrCPD(f"f{i}", causes, strengths, least))
    model = compile_diagnosis(Network([Variable(cpd.child) for cpd in cpds], cpds))
    evidence = no_evidence(model, 1)
    evidence.findings[:] = 1.0
    return model, evidence


@WAYS
@pytest.mark.parametrize("least", [1e-2, 1e-4, 1e-7])
def test_no_digit_is_lost_of_what_is_seldom_reached(least: float, way: int) -> None:
    """In doubles, differences of sums lose 20 digits of the second one, of 16.

    Of the last one 106 bits are too few: the case is then summed out without differences.
    """
    model, evidence = seldom_reached(least)
    right = posteriors(model, evidence, backend="numpy")
    log_evidence, causes, _, status, _ = run(model, evidence, way=way)
    assert not status.any()
    np.testing.assert_allclose(log_evidence, right.log_evidence, rtol=0.0, atol=1e-12)
    np.testing.assert_allclose(causes, right.causes, rtol=1e-12)


@WAYS
def test_evidence_alone_is_the_same(way: int) -> None:
    """Nothing is pulled back then where few enough digits can be lost."""
    problems = [random_problem(seed) for seed in range(20)]
    problems += [knotted_problem(seed, 6) for seed in range(6)]
    problems += [seldom_reached(least) for least in (5e-3, 1e-4, 1e-7)]
    for model, evidence in problems:
        right = posteriors(model, evidence, only_evidence=True, backend="numpy").log_evidence
        found, _, _, status, _ = run(model, evidence, only_evidence=True, way=way)
        assert not status.any()
        np.testing.assert_allclose(found, right, rtol=0.0, atol=1e-12)


def test_a_case_whose_digits_are_lost_is_answered_by_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a frontier would be too large, the compiled code hands it back."""
    model, evidence = random_problem(5, n_cases=12)
    symptoms = np.ones(len(model.axes.classes))
    absent = np.arange(len(model.causes)) < 1
    asked = {"symptoms": symptoms, "without": absent}
    right = posteriors(model, evidence, backend="numpy", **asked)
    slope = evidence_gradient(model, evidence, backend="numpy")
    lost = np.arange(12) % 3 == 1

    def lose(*arguments: object, **options: object) -> tuple[np.ndarray, ...]:
        log_evidence, causes, log_without, status, split = run(*arguments, **options)
        log_evidence[lost], causes[lost], status[lost] = -np.inf, 0.0, LOST
        if len(log_without):
            log_without[lost] = -np.inf
        if split.size:
            split[:, lost] = 0.0
        return log_evidence, causes, log_without, status, split

    monkeypatch.setattr(driver, "run", lose)
    found = posteriors(model, evidence, backend="compiled", **asked)
    assert not found.too_complex.any()
    for name in ("log_evidence", "causes", "log_without", "responsible", "credit"):
        one, other = getattr(found, name), getattr(right, name)
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-12, err_msg=name)
    gradient = evidence_gradient(model, evidence, backend="compiled")
    np.testing.assert_allclose(gradient.total, slope.total, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(gradient.log_evidence, slope.log_evidence, atol=1e-12)
