"""References know exactly what the case knows, and are drawn from the model."""

from dataclasses import replace

import numpy as np
import pytest
from oracle import enumerate_case
from random_networks import random_problem

from bayesdx.inference import NoisyModel, compile_diagnosis, no_evidence, posteriors
from bayesdx.inference.noisy.reference import p_value, reference_cases, told_cases, told_counts
from bayesdx.network import Network, NoisyMaxCPD, NoisyOrCPD, TableCPD, Variable


def small():
    network = Network(
        [
            Variable("r", ("a", "b", "c")),
            Variable("c"),
            Variable("f"),
            Variable("o", ("0", "1", "2")),
        ],
        [
            TableCPD("r", (), np.array([0.2, 0.3, 0.5])),
            TableCPD("c", ("r",), np.array([[0.9, 0.1], [0.5, 0.5], [0.7, 0.3]])),
            NoisyOrCPD("f", ("c",), np.array([0.6]), 0.1),
            NoisyMaxCPD("o", ("c",), np.array([[0.7, 0.4]]), np.array([0.3, 0.1])),
        ],
    )
    return compile_diagnosis(network)


def test_references_know_what_the_case_knows() -> None:
    model = small()
    blank = no_evidence(model, 1)
    case = replace(
        blank,
        findings=np.ones((1, 1)),
        risks=np.array([[1]], dtype=np.int8),
        lower=np.array([[1]], dtype=np.int8),
    )
    rng = np.random.default_rng(8)
    drawn = reference_cases(model, case, np.zeros(1, dtype=bool), 50, rng)
    assert not np.isnan(drawn.findings).any()
    assert (drawn.risks == 1).all()
    # The question was whether the level is at least 1: each answer leaves one side of it.
    sides = set(zip(drawn.lower[:, 0].tolist(), drawn.upper[:, 0].tolist(), strict=True))
    assert sides == {(0, 0), (1, 2)}
    exact = reference_cases(model, case, np.ones(1, dtype=bool), 50, rng, keep_risks=False)
    assert (exact.lower == exact.upper).all()
    assert set(exact.risks[:, 0].tolist()) == {0, 1, 2}


def test_soft_reports_err_at_their_rate() -> None:
    """A report of 0.8 is right four times in five, so P(0.8) = 0.8 P(f) + 0.2 P(not f)."""
    model = small()
    soft = replace(no_evidence(model, 1), findings=np.full((1, 1), 0.8))
    drawn = reference_cases(model, soft, np.zeros(1, dtype=bool), 40_000, np.random.default_rng(3))
    assert set(np.unique(drawn.findings).round(12)) == {0.2, 0.8}
    share = (drawn.findings == 0.8).mean()
    assert share == pytest.approx(enumerate_case(model, soft, 0).evidence, abs=0.01)


def test_p_value_counts_the_case_and_ties() -> None:
    references = np.array([-3.0, -2.0, -2.0, -1.0])
    assert p_value(-4.0, references) == pytest.approx(1 / 5)
    assert p_value(-2.0 - 1e-12, references) == pytest.approx(4 / 5)
    assert p_value(-np.inf, references) == pytest.approx(1 / 5)
    assert p_value(0.0, references) == 1.0


def test_told_references_tell_as_much_of_the_same_kind() -> None:
    model = small()
    blank = no_evidence(model, 1)
    case = replace(
        blank,
        findings=np.ones((1, 1)),
        lower=np.array([[2]], dtype=np.int8),
        risks=np.array([[0]], dtype=np.int8),
    )
    assert told_counts(model, case) == (2, 0)
    drawn = told_cases(model, case, np.ones(2, dtype=bool), 200, np.random.default_rng(2))
    assert len(drawn) == 200
    assert (drawn.risks == 0).all()
    assert (drawn.findings == 1.0).all()
    assert (drawn.lower == drawn.upper).all()
    assert set(drawn.lower[:, 0].tolist()) == {1, 2}


def test_told_references_choose_at_random_among_what_is_so() -> None:
    """One of two present findings is told: each half of the time where both are present."""
    model = small()
    case = replace(no_evidence(model, 1), findings=np.ones((1, 1)))
    drawn = told_cases(model, case, np.ones(2, dtype=bool), 4000, np.random.default_rng(2))
    by_finding = ~np.isnan(drawn.findings[:, 0])
    assert (by_finding ^ (drawn.lower[:, 0] > 0)).all()
    both, only_f, only_o = _joint(model)
    expected = (only_f + both / 2) / (only_f + only_o + both)
    assert by_finding.mean() == pytest.approx(expected, abs=0.03)


def _joint(model: NoisyModel) -> tuple[float, float, float]:
    blank = no_evidence(model, 1)

    def chance(present: float, low: int, high: int) -> float:
        ends = (np.array([[low]], dtype=np.int8), np.array([[high]], dtype=np.int8))
        case = replace(blank, findings=np.full((1, 1), present), lower=ends[0], upper=ends[1])
        return enumerate_case(model, case, 0).evidence

    return chance(1.0, 1, 2), chance(1.0, 0, 0), chance(0.0, 1, 2)


def test_what_hardly_any_case_has_is_not_searched_for_forever() -> None:
    model = small()
    case = replace(no_evidence(model, 1), findings=np.ones((1, 1)))
    none = told_cases(model, case, np.zeros(2, dtype=bool), 10, np.random.default_rng(2))
    assert len(none) == 0


@pytest.mark.parametrize("seed", range(20))
def test_every_reference_is_possible(seed: int) -> None:
    model, evidence = random_problem(seed, n_cases=1)
    rng = np.random.default_rng(seed)
    free = replace(evidence, causes=no_evidence(model, 1).causes)
    known = [p[s] > 0 for p, s in zip(model.risk_priors, free.risks[0], strict=True) if s >= 0]
    if not all(known):
        pytest.skip("a risk state of probability 0 was observed")
    drawn = reference_cases(model, free, np.ones(len(model.ordinals), dtype=bool), 30, rng)
    assert np.isfinite(posteriors(model, drawn, only_evidence=True).log_evidence).all()
