"""The sweep of a batch: exact where pendants and knots meet, and each case by itself."""

from collections import Counter
from importlib.util import find_spec

import numpy as np
import pytest
from knotted import knotted_problem
from oracle import enumerate_case

from bayesdx.building.assembly import Assembly
from bayesdx.inference import Evidence, NoisyModel, posteriors
from bayesdx.inference.noisy.condition import absorb, without_causes
from bayesdx.inference.noisy.lockstep import sweep
from bayesdx.inference.noisy.lockstep.pendants import PendantKind
from bayesdx.inference.noisy.lockstep.plan import SweepPlan, plan_sweep
from bayesdx.inference.noisy.model import FloatArray
from bayesdx.inference.noisy.sampling import observe, sample_cases

EXACT = 1e-12
SEEDS = range(80)

numba = pytest.mark.skipif(find_spec("numba") is None, reason="needs the extra 'fast'")


def answered(model: NoisyModel, evidence: Evidence) -> tuple[FloatArray, FloatArray, SweepPlan]:
    problem = absorb(model, evidence)
    plan = plan_sweep(model, problem)
    return *sweep.sweep(model, problem, plan), plan


def test_knots_are_answered_as_the_sums_over_all_worlds() -> None:
    impossible = 0
    for seed in SEEDS:
        model, evidence = knotted_problem(seed)
        log_evidence, causes, _ = answered(model, evidence)
        for row in range(len(evidence)):
            truth = enumerate_case(model, evidence, row)
            if truth.evidence == 0.0:
                assert log_evidence[row] == -np.inf
                assert not causes[row].any()
                impossible += 1
                continue
            assert log_evidence[row] == pytest.approx(np.log(truth.evidence), rel=0, abs=EXACT)
            right = truth.causes / truth.evidence
            np.testing.assert_allclose(causes[row], right, rtol=0, atol=EXACT)
    assert impossible > 0


def test_the_knots_have_all_that_a_sweep_can_meet() -> None:
    """Every kind of pendant, cores of many steps, axes of every width."""
    kinds: Counter[PendantKind] = Counter()
    widths: set[int] = set()
    most_steps = 0
    for seed in SEEDS:
        *_, plan = answered(*knotted_problem(seed))
        kinds.update({step.kind: len(step.rows) for step in plan.pendants})
        widths.update(np.unique(plan.core.widths).tolist())
        most_steps = max(most_steps, int(plan.core.n_steps.max(initial=0)))
    assert set(kinds) == set(PendantKind)
    assert widths == {1, 2, 3, 4, 5, 7}
    assert most_steps >= 5


def test_no_bit_depends_on_the_other_rows_or_the_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(20):
        model, evidence = knotted_problem(seed, 40)
        problem = absorb(model, evidence)
        whole = sweep.sweep(model, problem, plan_sweep(model, problem))
        order = np.random.default_rng(seed).permutation(len(evidence))
        for rows in (order[:9], order[:1], order[-1:]):
            part = problem.take(rows)
            alone = sweep.sweep(model, part, plan_sweep(model, part))
            for one, other in zip(whole, alone, strict=True):
                np.testing.assert_array_equal(one[rows], other)
        with monkeypatch.context() as small:
            small.setattr(sweep, "WORK_AT_ONCE", 60.0)
            cut = sweep.sweep(model, problem, plan_sweep(model, problem))
        for one, again in zip(whole, cut, strict=True):
            np.testing.assert_array_equal(one, again)


def test_the_evidence_alone_is_that_of_the_whole_sweep() -> None:
    for seed in range(20):
        model, evidence = knotted_problem(seed)
        problem = absorb(model, evidence)
        plan = plan_sweep(model, problem)
        both, _ = sweep.sweep(model, problem, plan)
        alone, nothing = sweep.sweep(model, problem, plan, posteriors=False)
        np.testing.assert_array_equal(alone, both)
        assert nothing.shape == (len(evidence), 0)


def test_without_causes_is_as_clamped_absent() -> None:
    for seed in range(30):
        model, evidence = knotted_problem(seed)
        absent = np.random.default_rng(seed).random(len(model.causes)) < 0.6
        clamped = np.where(absent & (evidence.causes != 1), 0, evidence.causes).astype(np.int8)
        other = Evidence(evidence.findings, evidence.lower, evidence.upper, evidence.risks, clamped)
        rest = without_causes(model, absorb(model, evidence), absent)
        log_without, _ = sweep.sweep(model, rest, plan_sweep(model, rest), posteriors=False)
        log_clamped, *_ = answered(model, other)
        contradicts = (absent & (evidence.causes == 1)).any(axis=1)
        assert np.isneginf(log_without[contradicts]).all()
        np.testing.assert_allclose(
            log_without[~contradicts], log_clamped[~contradicts], rtol=EXACT, atol=EXACT
        )


def sampled(model: NoisyModel, n_cases: int, seed: int, most: float = 0.35) -> Evidence:
    """Cases of the model itself, 20 % of findings and risks asked, or up to ``most``."""
    rng = np.random.default_rng(seed)
    asked = (min(0.2, most / 2), most)
    return observe(model, sample_cases(model, n_cases, rng), rng, asked=asked)


def check_as_compiled(model: NoisyModel, evidence: Evidence) -> None:
    absent = np.ones(len(model.causes), dtype=bool)
    ours = posteriors(model, evidence, without=absent, backend="numpy")
    compiled = posteriors(model, evidence, without=absent, backend="compiled")
    np.testing.assert_allclose(ours.log_evidence, compiled.log_evidence, rtol=EXACT, atol=0)
    np.testing.assert_allclose(ours.log_without, compiled.log_without, rtol=EXACT, atol=0)
    np.testing.assert_allclose(ours.causes, compiled.causes, rtol=EXACT, atol=0)


@numba
def test_two_thousand_cases_as_compiled(snapshot_model: NoisyModel) -> None:
    check_as_compiled(snapshot_model, sampled(snapshot_model, 2000, 11))


@numba
def test_cases_of_the_packaged_knowledge_as_compiled(real_assembly: Assembly) -> None:
    """With few findings asked, so that they stay cheap however deep it becomes."""
    check_as_compiled(real_assembly.model, sampled(real_assembly.model, 200, 11, 0.1))


def test_chunks_change_nothing_beyond_the_product_that_takes_absences_in(
    snapshot_model: NoisyModel,
) -> None:
    model = snapshot_model
    evidence = sampled(model, 120, 12)
    whole = posteriors(model, evidence, backend="numpy")
    cut = posteriors(model, evidence, backend="numpy", chunk=17)
    np.testing.assert_allclose(cut.causes, whole.causes, rtol=EXACT, atol=0)
    np.testing.assert_allclose(cut.log_evidence, whole.log_evidence, rtol=EXACT, atol=0)
