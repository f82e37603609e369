"""Joint posteriors and best explanations are those of adding up all worlds."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from oracle import enumerate_case
from random_networks import random_problem

from bayesdx.errors import BayesdxError
from bayesdx.inference import Evidence, NoisyModel, posteriors
from bayesdx.inference.noisy.cause_sets import joint_posterior, top_explanations


def exact(model: NoisyModel, evidence: Evidence, states: dict[int, int]) -> float:
    """P(causes in these states, evidence), by enumeration."""
    causes = evidence.causes.copy()
    for cause, state in states.items():
        if causes[0, cause] not in (-1, state):
            return 0.0
        causes[0, cause] = state
    clamped = Evidence(evidence.findings, evidence.lower, evidence.upper, evidence.risks, causes)
    return enumerate_case(model, clamped, 0).evidence


@pytest.mark.parametrize("seed", range(40))
def test_joint_posterior_is_that_of_all_worlds(seed: int) -> None:
    model, evidence = random_problem(seed, n_cases=3)
    chosen = list(range(min(3, len(model.causes))))
    ours = joint_posterior(model, evidence, chosen)
    assert ours.shape == (3, *(2,) * len(chosen))
    for row in range(3):
        case = evidence.take(np.array([row]))
        total = enumerate_case(model, case, 0).evidence
        for states in itertools.product((0, 1), repeat=len(chosen)):
            joint = exact(model, case, dict(zip(chosen, states, strict=True)))
            right = joint / total if total > 0.0 else 0.0
            assert ours[(row, *states)] == pytest.approx(right, abs=1e-12)


@pytest.mark.parametrize("seed", range(40))
def test_best_explanations_are_those_of_all_worlds(seed: int) -> None:
    model, evidence = random_problem(seed, n_cases=1)
    ours = top_explanations(model, evidence, 4)
    total = enumerate_case(model, evidence, 0).evidence
    every = sorted(
        (
            exact(model, evidence, dict(enumerate(states)))
            for states in itertools.product((0, 1), repeat=len(model.causes))
        ),
        reverse=True,
    )
    possible = [joint / total for joint in every if joint > 0.0][:4] if total > 0.0 else []
    np.testing.assert_allclose(ours.probability, possible, rtol=1e-10)
    for present, probability in zip(ours.present, ours.probability, strict=True):
        joint = exact(model, evidence, dict(enumerate(present.astype(int).tolist())))
        assert joint / total == pytest.approx(probability, rel=1e-10)
    assert len({row.tobytes() for row in ours.present}) == len(ours.present)


def test_joint_of_one_cause_is_its_posterior() -> None:
    model, evidence = random_problem(3, n_cases=8)
    answer = posteriors(model, evidence)
    joint = joint_posterior(model, evidence, [0])
    np.testing.assert_allclose(joint[:, 1], answer.causes[:, 0], atol=1e-12)


def test_too_many_or_repeated_causes_are_refused() -> None:
    model, evidence = random_problem(3, n_cases=1)
    with pytest.raises(BayesdxError, match="expected at most 12 causes, each once, got 2, 1 of"):
        joint_posterior(model, evidence, [0, 0])


def test_explanations_of_the_real_knowledge(real_assembly) -> None:
    from bayesdx.inference import no_evidence

    model = real_assembly.model
    blank = no_evidence(model, 1)
    findings = blank.findings.copy()
    for name, value in {"low_back_pain": 1.0, "cramp_spasm": 1.0, "bilateral": 0.0}.items():
        findings[0, model.findings.index(name)] = value
    known = np.zeros_like(blank.risks)  # with risks known, a set of all causes is a product
    case = Evidence(findings, blank.lower, blank.upper, known, blank.causes)
    best = top_explanations(model, case, 3)
    assert len(best.probability) == 3
    assert (np.diff(best.probability) <= 0.0).all()
    assert best.present.any(axis=1).all(), "something explains pain and cramp"
    sets = [replace(case, causes=row[None].astype(np.int8)) for row in best.present]
    joint = [posteriors(model, one, only_evidence=True).log_evidence[0] for one in sets]
    right = np.exp(np.array(joint) - posteriors(model, case).log_evidence)
    np.testing.assert_allclose(best.probability, right, rtol=1e-10)
