"""All subsets of the parts of a case in one sweep, against enumeration subset by subset."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from observed_cases import all_subsets, enumerated, random_parts

from bayesdx.inference.noisy.attribution.observations import SubsetProblem, split_case
from bayesdx.inference.noisy.attribution.subsets import SubsetWeights, subset_weights


def by_subset(problem: SubsetProblem, weights: SubsetWeights, parts: int) -> tuple[np.ndarray, ...]:
    """``on``, ``off`` (C, T) and evidence (T,), each subset scaled back to probabilities."""
    known = all_subsets(parts)
    coupling = known[:, list(problem.coupling)] @ (1 << np.arange(len(problem.coupling)))
    plain = known[:, list(problem.plain)] @ (1 << np.arange(len(problem.plain)))
    scale = np.exp(np.where(known, problem.log_scale, 0.0).sum(axis=1))
    arrays = (weights.on, weights.off, weights.evidence[None])
    on, off, evidence = (array[:, coupling, plain] * scale for array in arrays)
    return on, off, evidence[0]


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_subsets_equal_enumeration(seed: int) -> None:
    model, parts = random_parts(seed)
    problem = split_case(model, parts)
    weights = subset_weights(problem, range(len(model.causes)))
    on, off, evidence = by_subset(problem, weights, len(parts))
    true_evidence, true_causes = enumerated(model, parts)
    np.testing.assert_allclose(evidence, true_evidence, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(on, true_causes.T, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(off, true_evidence - true_causes.T, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("seed", range(8))
def test_wanting_fewer_causes_changes_none(seed: int) -> None:
    model, parts = random_parts(seed)
    problem = split_case(model, parts)
    every = subset_weights(problem, range(len(model.causes)))
    for cause in range(len(model.causes)):
        one = subset_weights(problem, [cause])
        np.testing.assert_allclose(one.on[0], every.on[cause], rtol=1e-12, atol=1e-300)
        np.testing.assert_allclose(one.off[0], every.off[cause], rtol=1e-12, atol=1e-300)
    none = subset_weights(problem, [])
    assert none.on.shape == (0, *every.evidence.shape)
    np.testing.assert_allclose(none.evidence, every.evidence, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("seed", range(8))
def test_chosen_columns_are_columns_of_all(seed: int) -> None:
    model, parts = random_parts(seed)
    whole = split_case(model, parts)
    rng = np.random.default_rng(seed)
    known = rng.random((5, len(parts))) < 0.5
    few = split_case(model, parts, known=known)
    every = range(len(model.causes))
    at = known[:, list(whole.plain)] @ (1 << np.arange(len(whole.plain)))
    np.testing.assert_allclose(
        subset_weights(few, every).on, subset_weights(whole, every).on[:, :, at], rtol=1e-12
    )


def test_no_part_leaves_the_priors() -> None:
    model, _ = random_parts(3)
    found = subset_weights(split_case(model, ()), range(len(model.causes)))
    np.testing.assert_allclose(found.evidence, 1.0, rtol=1e-12)
    true = enumerated(model, [])[1][0]
    np.testing.assert_allclose(found.on[:, 0, 0], true, rtol=1e-12)
