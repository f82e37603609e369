"""What is known of stated numbers: densities of each, and that they hold together."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats
from small_priors import SMALL, write_priors

import bayesdx
from bayesdx.building.number_chain import NumberChain
from bayesdx.building.number_prior import PROBABILITY, RATIO, SHARE, NumberPrior, stated_prior
from bayesdx.knowledge.addresses import Address
from bayesdx.knowledge.distributions import BetaFit


def chain_of(folder: Path | str) -> NumberChain:
    core = bayesdx.load(folder).core
    kept = core.perturbations
    return NumberChain(core.knowledge, core.assembly, kept.numbers, kept.movers)


@pytest.fixture(scope="module")
def chain() -> NumberChain:
    return chain_of("examples/headache")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> NumberChain:
    return chain_of(write_priors(tmp_path_factory.mktemp("small"), SMALL))


def steps_to(chain: NumberChain, **odds: float) -> np.ndarray:
    """Steps in log-odds of some numbers, by kind and owner."""
    steps = np.zeros(len(chain.movers))
    for name, step in odds.items():
        kind, owner = name.split("__")
        (steps[chain.places[Address(kind, owner)]],) = (step,)
    return steps


def test_densities_are_those_that_numbers_are_drawn_from(chain: NumberChain) -> None:
    prior = stated_prior(chain.movers)
    assert set(prior.kind.tolist()) == {PROBABILITY, RATIO, SHARE}
    n, rng = len(chain.movers), np.random.default_rng(4)
    for j in range(n):
        fit, at = chain.movers[j].number.fit, rng.normal()
        step = np.zeros(n)
        step[j] = at
        value = prior.log_density(step)
        if isinstance(fit, BetaFit):
            start = special.logit(fit.a / (fit.a + fit.b))
            p, q = special.expit(start + at), special.expit(start)
            # A density of log-odds is p (1 - p) times that of the probability.
            right = stats.beta.logpdf(p, fit.a, fit.b) - stats.beta.logpdf(q, fit.a, fit.b)
            right += np.log(p * (1.0 - p)) - np.log(q * (1.0 - q))
            assert value == pytest.approx(right, rel=1e-6, abs=1e-9)
        assert value < 0.0
        near = [prior.log_density(step * (1.0 + e / at)) for e in (1e-5, -1e-5)]
        assert prior.gradient(step)[j] == pytest.approx((near[0] - near[1]) / 2e-5, abs=1e-4)
    assert not prior.gradient(np.zeros(n)).any()
    assert (prior.curvature(np.zeros(n)) > 0.0).all()


def test_the_density_ends_where_numbers_no_longer_hold_together(small: NumberChain) -> None:
    prior, rng = NumberPrior(small), np.random.default_rng(0)
    stated, seen = stated_prior(small.movers), set()
    for _ in range(300):
        steps = 1.5 * rng.standard_normal(len(small.movers))
        found, holds = prior.log_density(steps), small.model(steps) is not None
        if np.isfinite(found):
            assert holds
            assert found <= stated.log_density(steps)
        # Levels whose order is lost are raised to each other in a network.
        any_, foot = (
            steps[small.places[Address("background", name)][0]] + special.logit(at)
            for name, at in (("radiation_any", 0.2), ("radiation_foot", 0.05))
        )
        assert np.isfinite(found) == (holds and bool(foot < any_))
        seen.add((holds, bool(foot < any_)))
    assert seen == {(True, True), (True, False), (False, True), (False, False)}


def test_a_limit_that_is_far_costs_nothing_and_a_near_one_ever_more(small: NumberChain) -> None:
    prior, stated, costs = NumberPrior(small), stated_prior(small.movers), []
    # One in 5 takes a statin, and has it twice as often from 60 on: at most 13 in 100 can have it.
    for share in (0.01, 0.05, 0.07, 0.1, 0.12, 0.1299):
        steps = steps_to(small, prior__statin_myopathy=special.logit(share) - special.logit(0.01))
        costs.append(stated.log_density(steps) - prior.log_density(steps))
    assert costs[:3] == [0.0, 0.0, 0.0]
    assert (np.diff(costs[2:]) > 0.0).all()
    assert costs[-1] < 1.0
    steps = steps_to(small, prior__statin_myopathy=special.logit(0.1301) - special.logit(0.01))
    assert prior.log_density(steps) == -np.inf
    assert small.model(steps) is None


def test_slopes_of_the_density_are_those_of_differences(small: NumberChain) -> None:
    prior, n, near = NumberPrior(small), len(small.movers), 0
    rng = np.random.default_rng(1)
    for _ in range(60):
        point = rng.standard_normal(n)
        if not np.isfinite(prior.log_density(point)):
            continue
        near += prior.log_density(point) < stated_prior(small.movers).log_density(point)
        (density, found, curvature), right = prior.expansion(point), np.empty(n)
        assert density == pytest.approx(prior.log_density(point), rel=1e-12)
        for j, unit in enumerate(np.eye(n)):
            ends = [prior.log_density(point + step * unit) for step in (1e-6, -1e-6)]
            right[j] = (ends[0] - ends[1]) / 2e-6
        np.testing.assert_allclose(found, right, rtol=1e-4, atol=1e-4)
        assert np.linalg.eigvalsh(curvature).min() > 0.0
    assert near > 10


def test_a_search_goes_on_along_a_limit(tmp_path: Path) -> None:
    """Everybody who takes a statin has what a statin causes, which cannot be exceeded."""
    engine = bayesdx.load(write_priors(tmp_path, SMALL))
    rng, n = np.random.default_rng(2), 600
    statin, strain = rng.random(n) < 0.4, rng.random(n) < 0.1

    def words(states: np.ndarray) -> list[str]:
        return np.where(states, "present", "absent").tolist()

    cases = pd.DataFrame(
        {
            "statin_use": words(statin),
            "cause:statin_myopathy": words(statin),
            "cause:strain": words(strain),
            "ck_high": words(rng.random(n) < np.where(statin, 0.7, 0.05)),
            "cramp": words(rng.random(n) < np.where(strain, 0.9, 0.2)),
        }
    )
    learned = engine.learn(cases, sample="consecutive", folds=2)
    assert not any("before the mode" in note for note in learned.notes)
    after = learned.to_frame()["after"]
    prior, taken = (
        after["causes/statin_myopathy.toml:prior"],
        after["risks.toml:statin_use.prevalence"],
    )
    assert 0.2 < prior < taken < 0.3
    assert prior > 0.97 * taken
    # What has nothing to do with the limit is learned all the same: stated 0.3 and 0.5.
    assert after["causes/statin_myopathy.toml:links.ck_high"] > 0.55
    assert after["causes/strain.toml:links.cramp"] > 0.7
