"""Cases held out: what cannot be answered is held against nobody."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import bayesdx
from bayesdx.diagnosis.learning import held_out
from bayesdx.diagnosis.learning.held_out import comparison, held_against
from bayesdx.diagnosis.learning.labels import Labels
from bayesdx.inference import Evidence
from bayesdx.inference.noisy.answer import Answer
from bayesdx.inference.noisy.sampling import observe, sample_cases


@pytest.fixture(scope="module")
def engine() -> bayesdx.Engine:
    return bayesdx.load("examples/headache")


def drawn(engine: bayesdx.Engine, count: int, seed: int) -> tuple[Evidence, Labels]:
    model, rng = engine.core.model, np.random.default_rng(seed)
    sample = sample_cases(model, count, rng)
    known = rng.random(sample.causes.shape) < 0.5
    causes = np.where(known, sample.causes, -1).astype(np.float64)
    members = np.array([0, 2])
    groups = sample.causes[:, members].any(axis=1)[:, None].astype(np.int8)
    labels = Labels(causes, groups, ("some",), (members,))
    return observe(model, sample, rng, asked=(0.3, 0.6)), labels


@pytest.fixture
def first_finding_is_hard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cases that speak of the first finding are too complex."""
    asked = held_out.posteriors

    def answered(model, evidence: Evidence, **options) -> Answer:
        found = asked(model, evidence, **options)
        return replace(found, too_complex=~np.isnan(evidence.findings[:, 0]))

    monkeypatch.setattr(held_out, "posteriors", answered)


@pytest.mark.usefixtures("first_finding_is_hard")
def test_cases_that_are_too_complex_are_left_out_and_the_others_are_as_without_them(
    engine: bayesdx.Engine,
) -> None:
    evidence, labels = drawn(engine, 60, 1)
    found = held_against(engine.core.model, evidence, labels)
    right = np.isnan(evidence.findings[:, 0])
    assert 10 < right.sum() < 50
    np.testing.assert_array_equal(found.answered, right)
    kept = np.flatnonzero(right)
    alone = held_against(engine.core.model, evidence.take(kept), labels.take(kept))
    assert alone.answered.all()
    for name in ("log_evidence", "log_score", "probability", "outcome", "case"):
        np.testing.assert_array_equal(getattr(found.take(kept), name), getattr(alone, name))
    assert set(found.case.tolist()) <= set(kept.tolist())
    # Scores are those of cases that both have answered.
    pd.testing.assert_frame_equal(comparison(found, found), comparison(alone, alone))


def test_references_of_a_drift_are_drawn_until_they_can_be_answered(
    engine: bayesdx.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, refused = held_out.posteriors, []

    def answered(model, evidence: Evidence, **options) -> Answer:
        found = asked(model, evidence, **options)
        hard = np.zeros(len(evidence), dtype=bool)
        if len(evidence) > 30:
            # Every third reference of the first draw, one in 30 of those drawn again.
            hard[:: 3 if not refused else 30] = True
            refused.append(int(hard.sum()))
        return replace(found, too_complex=hard)

    monkeypatch.setattr(held_out, "posteriors", answered)
    days = [f"2026-01-{1 + day:02d}" for day in range(30)]
    cases = pd.DataFrame({"nausea": ["present", "absent"] * 15, "seen": days})
    found = engine.drift(cases, time="seen", references=20)
    assert found.counts["used"] == 30
    assert refused[0] == 200
    assert len(refused) > 1
    windows = found.windows
    assert np.isfinite(windows["expected"]).all()
    assert windows["expected"].between(-2.0, -0.1).all()
