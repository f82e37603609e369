"""Cases swept alone: the answers of the sweep, whatever is kept and however the order was found."""

import resource

import numpy as np
import pytest
from knotted import knotted_problem

from bayesdx.building.assembly import Assembly
from bayesdx.inference import no_evidence, posteriors
from bayesdx.inference.noisy.lockstep import dense_core, plan


@pytest.mark.parametrize("kept", [1, 20, 1 << 24])
def test_a_case_alone_is_answered_as_among_others(
    kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every case of the knots, with all, some and nothing kept for the way back."""
    for seed in range(25):
        model, evidence = knotted_problem(seed, 12)
        right = posteriors(model, evidence, backend="numpy")
        with monkeypatch.context() as patched:
            patched.setattr(plan, "LARGE_WORK", 0)
            patched.setattr(plan, "RESTARTS", 4)
            patched.setattr(dense_core, "KEPT", kept)
            alone = posteriors(model, evidence, backend="numpy")
        np.testing.assert_allclose(alone.log_evidence, right.log_evidence, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(alone.causes, right.causes, rtol=1e-12, atol=1e-13)


def test_many_findings_present_are_answered_in_little_memory(real_assembly: Assembly) -> None:
    """By the order of a batch they would take 2.4e8 components and 6 GB."""
    model = real_assembly.model
    evidence = no_evidence(model, 1)
    evidence.findings[0, :16] = 1.0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = posteriors(model, evidence, backend="numpy")
    assert answer.status.tolist() == [0]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 700_000
