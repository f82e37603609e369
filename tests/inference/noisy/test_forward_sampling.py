"""The quick sampler draws what the plain one does: the distribution of the network."""

import numpy as np
import pytest
from random_networks import random_problem

from bayesdx.inference import no_evidence, posteriors
from bayesdx.inference.noisy.forward_sampling import (
    SCALE,
    ForwardSampler,
    draws_below,
    uniform_draws,
)
from bayesdx.inference.noisy.sampling import Sample, sample_cases

MANY = 20_000
SEEDS = range(20)


#: Four draws of one stream; they hold wherever NumPy keeps its promise about raw bits.
PINNED = [2108934864, 74346490, 246273711, 1708075436]


def drawn(seed: int, n_cases: int = MANY) -> tuple:
    model, _ = random_problem(seed)
    return model, ForwardSampler(model).draw(n_cases, np.random.SFC64(seed))


def close(counts: np.ndarray, p: np.ndarray) -> None:
    """Within six standard errors, and impossible things not even once."""
    error = np.sqrt(np.maximum(p * (1.0 - p), 1e-12) / MANY)
    assert (np.abs(counts / MANY - p) <= 6.0 * error + 1e-9).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_frequencies_are_the_probabilities(seed: int) -> None:
    model, sample = drawn(seed)
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


def test_it_agrees_with_the_plain_sampler_on_pairs_of_everything() -> None:
    def pairs(sample: Sample) -> np.ndarray:
        layers = [sample.risks > 0, sample.causes, sample.findings, sample.ordinals > 0]
        columns = np.hstack(layers).astype(float)
        return columns.T @ columns / MANY

    for seed in (31, 32, 33):
        model, quick = drawn(seed)
        plain = sample_cases(model, MANY, np.random.default_rng(seed))
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
