"""Stated numbers as variables: slopes are those of differences, modes are what is stated."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_priors import SMALL, write_priors

import bayesdx
from bayesdx.building import number_chain
from bayesdx.building.number_chain import NumberChain
from bayesdx.diagnosis.learning import number_posterior
from bayesdx.diagnosis.learning.case_likelihood import (
    chosen_cases,
    expand,
    log_probabilities,
    observed_information,
)
from bayesdx.diagnosis.learning.labels import LabelledRows
from bayesdx.diagnosis.learning.number_posterior import fit_numbers, stated_start
from bayesdx.inference import Evidence, NoisyModel
from bayesdx.inference.noisy.number_layout import numbers_of
from bayesdx.inference.noisy.sampling import observe, sample_cases


@pytest.fixture(scope="module")
def engine() -> bayesdx.Engine:
    return bayesdx.load("examples/headache")


@pytest.fixture(scope="module")
def chain(engine: bayesdx.Engine) -> NumberChain:
    kept, core = engine.core.perturbations, engine.core
    return NumberChain(core.knowledge, core.assembly, kept.numbers, kept.movers)


def cases(engine: bayesdx.Engine, count: int, seed: int) -> LabelledRows:
    """Half of the findings and risks known at random, and some causes."""
    model, rng = engine.core.model, np.random.default_rng(seed)
    shape = count, len(model.findings)
    findings = np.where(rng.random(shape) < 0.5, rng.integers(0, 2, shape), np.nan)
    risks = np.full((count, len(model.risks)), -1, dtype=np.int8)
    for r, prior in enumerate(model.risk_priors):
        known = rng.random(count) < 0.5
        risks[known, r] = rng.integers(0, len(prior), int(known.sum()))
    causes = rng.choice([-1, 0, 1], (count, len(model.causes)), p=[0.7, 0.2, 0.1]).astype(np.int8)
    none = np.zeros((count, 0), dtype=np.int8)
    evidence = Evidence(findings, none, none, risks, causes)
    return LabelledRows(evidence, np.arange(count), np.ones(count), count)


OfModel = Callable[[NoisyModel, np.ndarray], float]


def difference(chain: NumberChain, point: np.ndarray, j: int, of: OfModel) -> float:
    """Derivative of something by number j, from both sides."""
    ends = []
    for step in (1e-4, -1e-4):
        moved = point.copy()
        moved[j] += step
        there = chain.model(moved)
        assert there is not None
        ends.append(of(there, moved))
    return (ends[0] - ends[1]) / 2e-4


def test_nothing_moved_is_the_network_as_it_was_assembled(
    engine: bayesdx.Engine, chain: NumberChain
) -> None:
    model = chain.model(np.zeros(len(chain.movers)))
    assert model is not None
    np.testing.assert_allclose(numbers_of(model), numbers_of(engine.core.model), atol=1e-12)
    assert chain.stated(np.zeros(len(chain.movers))) == {}


def test_slopes_of_log_probability_are_those_of_differences(
    engine: bayesdx.Engine, chain: NumberChain
) -> None:
    rows, n = cases(engine, 40, 1), len(chain.movers)
    rng = np.random.default_rng(2)
    # Away from the stated numbers, where nothing is special.
    point = 0.05 * rng.standard_normal(n)
    model = chain.model(point)
    assert model is not None
    found = expand(model, chain.slopes(point), rows, tile=16)
    base = log_probabilities(model, rows)
    assert found.value == pytest.approx(base.sum(), rel=1e-12)
    for j in range(0, n, 5):
        slope = difference(chain, point, j, lambda model, _: log_probabilities(model, rows).sum())
        np.testing.assert_allclose(found.gradient[j], slope, rtol=1e-6, atol=1e-6)


def test_information_is_that_of_the_cases_one_by_one(
    engine: bayesdx.Engine, chain: NumberChain
) -> None:
    rows, still = cases(engine, 12, 3), np.zeros(len(chain.movers))
    model, slopes = chain.model(still), chain.slopes(still)
    assert model is not None
    whole = expand(model, slopes, rows)
    total = np.zeros_like(whole.information)
    for i in range(12):
        one = LabelledRows(rows.evidence.take(slice(i, i + 1)), np.zeros(1, np.intp), np.ones(1), 1)
        slope = expand(model, slopes, one).gradient
        total += np.outer(slope, slope)
    np.testing.assert_allclose(whole.information, total, rtol=1e-9, atol=1e-9)


def test_the_information_of_a_number_is_the_second_derivative_by_it(
    engine: bayesdx.Engine, chain: NumberChain
) -> None:
    rows, n = cases(engine, 40, 7), len(chain.movers)
    point = 0.05 * np.random.default_rng(8).standard_normal(n)
    model = chain.model(point)
    assert model is not None
    found = expand(model, chain.slopes(point), rows)
    diagonal, by_squares = np.diag(found.information) - chain.bends(point) * found.gradient, []

    def slope_by(j: int) -> OfModel:
        return lambda model, at: expand(model, chain.slopes(at), rows).gradient[j]

    for j in range(0, n, 3):
        if chain.movers[j].number.number.address.kind not in number_chain.LOCAL:
            # What is solved for the others is further from linear.
            continue
        bent = -difference(chain, point, j, slope_by(j))
        assert diagonal[j] == pytest.approx(bent, rel=0.03, abs=0.01)
        by_squares.append(found.information[j, j] / bent if abs(bent) > 0.1 else 1.0)
    # The square of the slopes of each case, whose mean it is, is something else in so few.
    assert np.abs(np.log(np.maximum(by_squares, 1e-3))).max() > 1.0
    known = observed_information(found, chain.bends(point))
    np.testing.assert_allclose(np.diag(known), np.maximum(diagonal, 0.0), rtol=1e-12)
    assert np.linalg.eigvalsh(known).min() > -1e-9 * diagonal.max()


def test_a_sample_informs_and_all_cases_are_differentiated(
    engine: bayesdx.Engine, chain: NumberChain
) -> None:
    rows, still = cases(engine, 40, 5), np.zeros(len(chain.movers))
    # Of one finding only a case outside the sample speaks.
    rows.evidence.findings[:, 0] = np.nan
    rows.evidence.findings[1, 0] = 1.0
    model, slopes = chain.model(still), chain.slopes(still)
    assert model is not None
    whole = expand(model, slopes, rows)
    found = expand(model, slopes, rows, tile=7, informing=10)
    assert (found.sampled, whole.sampled) == (True, False)
    assert found.value == pytest.approx(whole.value, rel=1e-12)
    np.testing.assert_allclose(found.gradient, whole.gradient, rtol=1e-10, atol=1e-10)
    own = expand(model, slopes, chosen_cases(rows, np.arange(0, 40, 4)))
    all_of, some_of = (np.diag(one.information) for one in (whole, own))
    diagonal = np.diag(found.information)
    # A number of which only cases outside the sample speak has its curvature all the same.
    np.testing.assert_array_equal(diagonal > 0.0, all_of > 0.0)
    assert ((some_of == 0.0) & (diagonal > 0.0)).any()
    assert 0.8 < np.median(diagonal[all_of > 0.0] / all_of[all_of > 0.0]) < 1.25
    # How numbers hang together is that of the sample.
    f, g = np.argwhere(np.triu(np.abs(own.information) > 1e-3, 1))[5]
    found_, exact = (
        one[f, g] / np.sqrt(one[f, f] * one[g, g]) for one in (found.information, own.information)
    )
    assert found_ == pytest.approx(exact, rel=1e-9)
    assert np.linalg.eigvalsh(found.information).min() > -1e-9 * diagonal.max()
    assert not expand(model, slopes, rows, informing=41).sampled


def test_the_mode_is_the_same_when_a_sample_informs_the_search(
    engine: bayesdx.Engine, chain: NumberChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, rng, start, found = engine.core.model, np.random.default_rng(6), stated_start(chain), []
    sample = sample_cases(model, 200, rng)
    evidence = observe(model, sample, rng, asked=(0.5, 0.5))
    # All causes known: with hidden ones there may be several modes.
    labelled = replace(evidence, causes=sample.causes.astype(np.int8))
    rows = LabelledRows(labelled, np.arange(200), np.ones(200), 200)
    for informing in (200, 30):
        monkeypatch.setattr(number_posterior, "MOST_INFORMING", informing)
        found.append(fit_numbers(chain, rows, start))
    by_all, by_some = found
    assert by_all.way.arrived
    assert by_some.way.arrived
    assert by_some.way.values[-1] == pytest.approx(by_all.way.values[-1], abs=0.01)
    assert set(np.flatnonzero(by_some.steps)) == set(np.flatnonzero(by_all.steps))
    np.testing.assert_allclose(by_some.steps, by_all.steps, atol=0.02)
    # Widths are made of all cases.
    np.testing.assert_allclose(by_some.deviation, by_all.deviation, rtol=0.02)


def test_numbers_of_different_findings_may_be_moved_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On knowledge with ordinal findings, thresholds and a background that depends on risks."""
    core = bayesdx.load(write_priors(tmp_path, SMALL)).core
    kept = core.perturbations
    own = NumberChain(core.knowledge, core.assembly, kept.numbers, kept.movers)
    still = np.zeros(len(kept.movers))
    together = own.slopes(still).toarray()
    monkeypatch.setattr(number_chain, "LOCAL", ())
    np.testing.assert_allclose(own.slopes(still).toarray(), together, rtol=1e-9, atol=1e-9)
    assert together.any(axis=0).mean() > 0.8
