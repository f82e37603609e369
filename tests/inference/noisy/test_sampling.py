"""Sampled cases follow the network; observing them hides and never alters."""

import numpy as np
import pytest
from random_networks import random_problem

from bayesdx.inference import NoisyModel, no_evidence, posteriors
from bayesdx.inference.noisy.sampling import Sample, observe, sample_cases

MANY = 20_000
SEEDS = range(25)


def sampled(seed: int, n_cases: int) -> tuple[NoisyModel, Sample, np.random.Generator]:
    model, _ = random_problem(seed)
    rng = np.random.default_rng(seed)
    return model, sample_cases(model, n_cases, rng), rng


def close(counts: np.ndarray, p: np.ndarray) -> None:
    """Within six standard errors, and impossible things not even once."""
    error = np.sqrt(np.maximum(p * (1.0 - p), 1e-12) / MANY)
    assert (np.abs(counts / MANY - p) <= 6.0 * error + 1e-9).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_frequencies_are_the_probabilities(seed: int) -> None:
    model, sample, _ = sampled(seed, MANY)
    prior = posteriors(model, no_evidence(model, 1)).causes[0]
    close(sample.causes.sum(axis=0), prior)
    present = no_evidence(model, len(model.findings))
    np.fill_diagonal(present.findings, 1.0)
    close(sample.findings.sum(axis=0), np.exp(posteriors(model, present).log_evidence))
    for r, risk in enumerate(model.risk_priors):
        close(np.bincount(sample.risks[:, r], minlength=len(risk)), risk)
    for o, size in enumerate(model.ordinal_sizes):
        states = no_evidence(model, size)
        states.lower[:, o] = states.upper[:, o] = np.arange(size)
        p = np.exp(posteriors(model, states).log_evidence)
        close(np.bincount(sample.ordinals[:, o], minlength=size), p)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_sampled_is_possible(seed: int) -> None:
    model, sample, rng = sampled(seed, 200)
    for asked in ((0.0, 0.0), (0.2, 0.35), (1.0, 1.0)):
        assert posteriors(model, observe(model, sample, rng, asked=asked)).possible.all()


@pytest.mark.parametrize("seed", SEEDS)
def test_observing_hides_and_never_alters(seed: int) -> None:
    model, sample, rng = sampled(seed, 300)
    evidence = observe(model, sample, rng, asked=(0.2, 0.5), risks_asked=(0.9, 0.9))
    known = ~np.isnan(evidence.findings)
    np.testing.assert_array_equal(evidence.findings[known], sample.findings[known])
    exact = evidence.lower == evidence.upper
    np.testing.assert_array_equal(evidence.lower[exact], sample.ordinals[exact])
    blank = no_evidence(model, 300)
    np.testing.assert_array_equal(evidence.upper[~exact], blank.upper[~exact])
    told = evidence.risks >= 0
    np.testing.assert_array_equal(evidence.risks[told], sample.risks[told])
    assert (evidence.causes == -1).all(), "nobody is told the diagnosis"


def test_the_rates_of_asking_are_kept() -> None:
    model, sample, rng = sampled(7, MANY)
    evidence = observe(model, sample, rng, asked=(0.2, 0.4), risks_asked=(0.8, 0.8))
    assert np.mean(~np.isnan(evidence.findings)) == pytest.approx(0.3, abs=0.01)
    assert np.mean(evidence.risks >= 0) == pytest.approx(0.8, abs=0.01)
    everything = observe(model, sample, rng, asked=(1.0, 1.0))
    np.testing.assert_array_equal(everything.findings, sample.findings)


def test_posteriors_are_calibrated() -> None:
    """Among cases whose posterior is about p, a share of about p has the cause."""
    for seed in (11, 12, 13):
        model, sample, rng = sampled(seed, MANY)
        answer = posteriors(model, observe(model, sample, rng, asked=(0.3, 0.8)))
        p, truth = answer.causes.ravel(), sample.causes.ravel()
        bins = np.minimum((p * 10).astype(int), 9)
        for one in range(10):
            inside = bins == one
            if inside.sum() >= 500:
                spread = np.sqrt((p[inside] * (1 - p[inside])).sum()) / inside.sum()
                assert truth[inside].mean() == pytest.approx(
                    p[inside].mean(), abs=6 * spread + 1e-9
                )


def test_the_same_seed_gives_the_same_cases() -> None:
    (_, one, _), (_, two, _) = sampled(3, 50), sampled(3, 50)
    for layer in ("risks", "causes", "findings", "ordinals"):
        np.testing.assert_array_equal(getattr(one, layer), getattr(two, layer))
