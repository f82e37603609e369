"""An engine that others wrote gives the same posteriors on a network of real size."""

import numpy as np
import pytest
from agrum import TooWide, judge
from random_networks import random_problem
from small_networks import with_causes

from bayesdx.building.assembly import Assembly
from bayesdx.inference import Evidence, NoisyModel, posteriors
from bayesdx.inference.noisy.sampling import observe, sample_cases

#: Two programs, two orders of summation; the issue asks for 1e-9.
AGREED = 1e-11


def check(model: NoisyModel, evidence: Evidence, rows: np.ndarray) -> int:
    """Compare rows; return how many the judge could answer."""
    judged = 0
    evidence = evidence.take(rows)
    answer = posteriors(model, evidence)
    for row in range(len(evidence)):
        try:
            right = judge(model, evidence, row)
        except TooWide:
            continue
        judged += 1
        assert answer.log_evidence[row] == pytest.approx(right.log_evidence, rel=0, abs=AGREED)
        np.testing.assert_allclose(answer.causes[row], right.causes, rtol=0, atol=AGREED)
    return judged


def sampled(
    model: NoisyModel,
    seed: int,
    n_cases: int,
    asked: tuple[float, float],
    risks_asked: tuple[float, float] = (0.2, 0.8),
) -> Evidence:
    rng = np.random.default_rng(seed)
    sample = sample_cases(model, n_cases, rng)
    return observe(model, sample, rng, asked=asked, risks_asked=risks_asked)


def positives(evidence: Evidence) -> np.ndarray:
    return (evidence.findings == 1.0).sum(axis=1)


@pytest.mark.parametrize("first", range(0, 60, 10))
def test_random_networks(first: int) -> None:
    """The judge is fit to judge: it agrees where enumeration agrees, soft evidence included."""
    for seed in range(first, first + 10):
        model, evidence = random_problem(seed, 4)
        possible = np.flatnonzero(posteriors(model, evidence).possible)
        assert check(model, evidence, possible) == len(possible)


@pytest.mark.parametrize("seed", range(2))
def test_sampled_cases(snapshot_model: NoisyModel, seed: int) -> None:
    """A fifth to a third of the findings asked, few risks known."""
    evidence = sampled(snapshot_model, seed, 15, (0.20, 0.35))
    assert check(snapshot_model, evidence, np.arange(15)) >= 14


@pytest.mark.parametrize("count", [1, 4, 7, 10, 13, 15, 17, 20])
def test_more_and_more_positive_findings(snapshot_model: NoisyModel, count: int) -> None:
    evidence = sampled(snapshot_model, count, 4000, (0.4, 0.9), (0.3, 0.9))
    rows = np.flatnonzero(positives(evidence) == count)[:4]
    assert check(snapshot_model, evidence, rows) >= 2


def test_soft_findings_and_known_causes(snapshot_model: NoisyModel) -> None:
    rng = np.random.default_rng(5)
    evidence = sampled(snapshot_model, 5, 14, (0.25, 0.4))
    soft = ~np.isnan(evidence.findings) & (rng.random(evidence.findings.shape) < 0.2)
    evidence.findings[soft] = rng.uniform(0.02, 0.98, soft.sum())
    clamped = rng.integers(0, len(snapshot_model.causes), 14)
    evidence.causes[np.arange(14), clamped] = rng.integers(0, 2, 14)
    possible = np.flatnonzero(posteriors(snapshot_model, evidence).possible)
    assert len(possible) >= 10
    assert check(snapshot_model, evidence, possible) >= 9


def test_the_packaged_knowledge(real_assembly: Assembly) -> None:
    """So few findings that the judge can answer nearly every case, however deep it becomes."""
    evidence = sampled(real_assembly.model, 7, 12, (0.02, 0.06), (0.7, 0.9))
    assert check(real_assembly.model, evidence, np.arange(12)) >= 10


def test_groups_by_their_members_absent(snapshot_model: NoisyModel) -> None:
    evidence = sampled(snapshot_model, 6, 3, (0.2, 0.35), (0.7, 0.9))
    log_evidence = posteriors(snapshot_model, evidence).log_evidence
    judged = 0
    for name, members in snapshot_model.groups.items():
        without = posteriors(snapshot_model, with_causes(evidence, members, 0))
        got = -np.expm1(without.log_evidence - log_evidence)
        for row in range(len(evidence)):
            try:
                right = judge(snapshot_model, evidence, row, groups=[name])
            except TooWide:
                continue
            judged += 1
            assert got[row] == pytest.approx(right.groups[name], rel=0, abs=AGREED)
    assert judged >= 0.8 * len(snapshot_model.groups) * len(evidence)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 104))
def test_many_more_cases(snapshot_model: NoisyModel, seed: int) -> None:
    usual = sampled(snapshot_model, seed, 60, (0.20, 0.35))
    assert check(snapshot_model, usual, np.arange(60)) >= 55
    thorough = sampled(snapshot_model, seed, 2000, (0.4, 1.0))
    rows = np.flatnonzero(positives(thorough) >= 12)[:40]
    assert check(snapshot_model, thorough, rows) >= 20
