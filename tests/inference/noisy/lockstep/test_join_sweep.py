"""Cases summed out as a tree of tables: the answers of the sweep, whatever the order."""

import resource
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from knotted import knotted_problem

from bayesdx.inference import NoisyModel, no_evidence, posteriors
from bayesdx.inference.noisy.lockstep import joins, plan, sweep
from bayesdx.inference.noisy.symptoms import prior_weights


@pytest.mark.parametrize("at_once", [1, 1 << 21])
def test_a_case_alone_is_answered_as_among_others(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every case of the knots; products of joined tables made one by one, and together."""
    for seed in range(25):
        model, evidence = knotted_problem(seed, 12)
        right = posteriors(model, evidence, backend="numpy")
        with monkeypatch.context() as patched:
            patched.setattr(plan, "LARGE_WORK", 0)
            patched.setattr(joins, "AT_ONCE", at_once)
            alone = posteriors(model, evidence, backend="numpy")
        np.testing.assert_allclose(alone.log_evidence, right.log_evidence, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(alone.causes, right.causes, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("at_once", [1, 300, 1 << 22])
def test_cases_of_one_structure_side_by_side_are_answered_as_each_alone(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Soft findings that lean to either side, and levels, differ between the cases of a graph."""
    for seed in range(20):
        model, evidence = knotted_problem(seed, 3)
        rng = np.random.default_rng(seed)
        many = evidence.take(np.repeat(np.arange(3), 8))
        soft = rng.choice([0.1, 0.7, 0.9, 1.0], size=many.findings.shape)
        many = replace(many, findings=np.where(many.findings > 0.0, soft, many.findings))
        right = posteriors(model, many, backend="numpy", symptoms=prior_weights(model))
        with monkeypatch.context() as patched:
            patched.setattr(plan, "LARGE_WORK", 0)
            patched.setattr(sweep, "COMPONENTS_AT_ONCE", at_once)
            found = posteriors(model, many, backend="numpy", symptoms=prior_weights(model))
        np.testing.assert_allclose(found.log_evidence, right.log_evidence, rtol=1e-12, atol=1e-12)
        for field in ("causes", "responsible", "credit"):
            own, its = getattr(found, field), getattr(right, field)
            np.testing.assert_allclose(own, its, rtol=1e-12, atol=1e-13)


def test_thirty_findings_present_are_answered_in_little_memory(
    snapshot_model: NoisyModel,
) -> None:
    """By the order of a batch they would take 2.4e8 components and 6 GB."""
    evidence = no_evidence(snapshot_model, 1)
    evidence.findings[0, :30] = 1.0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = posteriors(snapshot_model, evidence, backend="numpy")
    assert answer.status.tolist() == [0]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 700_000


def joined_pair(
    rng: np.random.Generator, lengths: tuple[int, int, int], n_axes: int, reach: float
) -> tuple[np.ndarray, np.ndarray, tuple[int, ...]]:
    """Two tables that share one dimension and act on ``n_axes`` findings, with a further one each.

    A table of one cause that may be active: every component is as it would be written by hand.
    """
    both, left, right = lengths
    tables = []
    for own in ((both, left, 1), (both, 1, right)):
        some = reach * rng.random((*own, *(1,) * n_axes, n_axes))
        table = np.zeros((*own, *(2,) * n_axes))
        for state in np.ndindex(*(2,) * n_axes):
            reached = np.prod(np.where(np.array(state) == 1, some, 1.0), axis=-1)
            table[(..., *state)] = reached.reshape(own) * 0.5 + (sum(state) == 0) * 0.5
        tables.append(table)
    axes = tuple(range(3, 3 + n_axes))
    return tables[0], tables[1], axes


@pytest.mark.parametrize("lengths", [(2, 1, 1), (2, 3, 2), (2, 16, 3), (3, 2, 16)])
@pytest.mark.parametrize("reach", [1.0, 1e-9])
def test_joining_loses_no_digits(lengths: tuple[int, int, int], reach: float) -> None:
    """Against fractions: what is reached by one table, or by the other, or by both."""
    rng = np.random.default_rng(0)
    first, second, axes = joined_pair(rng, lengths, 3, reach)
    found = joins.joined(first, second, axes)
    exact = np.vectorize(Fraction, otypes=[object])
    one, other = exact(first), exact(second)
    for one_axis in axes:
        before = (slice(None),) * one_axis
        # Component 1 becomes what is not reached, which a join multiplies.
        for table in (one, other):
            table[(*before, 1)] = table[(*before, 0)] - table[(*before, 1)]
    right = one * other
    for one_axis in axes:
        before = (slice(None),) * one_axis
        right[(*before, 1)] = right[(*before, 0)] - right[(*before, 1)]
    np.testing.assert_allclose(found, right.astype(float), rtol=1e-14, atol=0.0)


@pytest.mark.parametrize("lengths", [(2, 1, 1), (2, 3, 2), (2, 16, 3), (3, 2, 16)])
@pytest.mark.parametrize("n_axes", [0, 1, 3, 7])
def test_pulling_back_is_the_transpose_of_joining(
    lengths: tuple[int, int, int], n_axes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A join is linear in each of both tables; products of components in small portions."""
    rng = np.random.default_rng(1)
    monkeypatch.setattr(joins, "AT_ONCE", 64)
    first, second, axes = joined_pair(rng, lengths, n_axes, 0.9)
    adjoint = rng.random(np.broadcast_shapes(first.shape, second.shape))
    by_first, by_second = joins.pulled(adjoint, first, second, axes)
    assert by_first.shape == first.shape
    assert by_second.shape == second.shape
    # Tables of the same kind, in the place of one and of the other.
    another, one_more, _ = joined_pair(rng, lengths, n_axes, 0.5)
    found = float((adjoint * joins.joined(another, second, axes)).sum())
    assert float((by_first * another).sum()) == pytest.approx(found, rel=1e-12)
    found = float((adjoint * joins.joined(first, one_more, axes)).sum())
    assert float((by_second * one_more).sum()) == pytest.approx(found, rel=1e-12)
