"""Sampled cases follow the network as the slow way does; observing hides and never alters."""

import numpy as np
import pytest
from random_networks import random_problem
from slow_sampling import sample_slowly

from bayesdx.inference import NoisyModel, no_evidence, posteriors
from bayesdx.inference.noisy.sampling import (
    SCALE,
    Sample,
    draws_below,
    observe,
    sample_cases,
    uniform_draws,
)

MANY = 20_000
SEEDS = range(25)
#: Four draws of one stream; they hold wherever NumPy keeps its promise about raw bits.
PINNED = [2108934864, 74346490, 246273711, 1708075436]


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
    close(sample.causes.sum(axis=0), posteriors(model, no_evidence(model, 1)).causes[0])
    present = no_evidence(model, len(model.findings))
    np.fill_diagonal(present.findings, 1.0)
    answer = posteriors(model, present)
    close(sample.findings.sum(axis=0), np.exp(answer.log_evidence))
    # Joint with every cause: each link does what it says, inhibitors included.
    together = sample.findings.T.astype(float) @ sample.causes.astype(float)
    close(together, np.exp(answer.log_evidence)[:, None] * answer.causes)
    for r, risk in enumerate(model.risk_priors):
        close(np.bincount(sample.risks[:, r], minlength=len(risk)), risk)
    for o, size in enumerate(model.ordinal_sizes):
        states = no_evidence(model, size)
        states.lower[:, o] = states.upper[:, o] = np.arange(size)
        answer = posteriors(model, states)
        p = np.exp(answer.log_evidence)
        close(np.bincount(sample.ordinals[:, o], minlength=size), p)
        level = sample.ordinals[:, o, None] == np.arange(size)
        together = level.T.astype(float) @ sample.causes.astype(float)
        close(together, p[:, None] * answer.causes)


def test_it_agrees_with_the_slow_sampler_on_pairs_of_everything() -> None:
    def pairs(sample: Sample) -> np.ndarray:
        layers = [sample.risks > 0, sample.causes, sample.findings, sample.ordinals > 0]
        columns = np.hstack(layers).astype(float)
        return columns.T @ columns / MANY

    for seed in (31, 32, 33):
        model, quick, _ = sampled(seed, MANY)
        plain = sample_slowly(model, MANY, np.random.default_rng(seed))
        p = (pairs(quick) + pairs(plain)) / 2
        error = np.sqrt(np.maximum(p * (1 - p), 1e-12) * 2 / MANY)
        assert (np.abs(pairs(quick) - pairs(plain)) <= 6 * error + 1e-9).all()


def test_zero_and_one_stay_zero_and_one() -> None:
    never, always = draws_below(0.0), draws_below(1.0)
    extreme = np.array([0, SCALE - 1], dtype=np.uint32)
    assert not (extreme < never).any()
    assert (extreme < always).all()


def test_draws_are_uniform_and_below_the_scale() -> None:
    draws = uniform_draws(np.random.SFC64(5), 3, 100_001)
    assert draws.shape == (3, 100_001)
    assert draws.max() < SCALE
    np.testing.assert_allclose(np.bincount((draws >> 27).ravel()) / draws.size, 1 / 16, atol=0.002)


def test_a_seed_means_the_same_draws_on_every_machine_and_version() -> None:
    assert uniform_draws(np.random.SFC64(np.random.SeedSequence((1, 2, 3))), 4).tolist() == PINNED


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
