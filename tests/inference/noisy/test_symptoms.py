"""What causes explain, against the twin network: a variable more a link, it acted or not."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from oracle import enumerate_case
from random_networks import random_problem
from twin_links import contributions, wanted

from bayesdx.inference import Evidence, NoisyModel, posteriors
from bayesdx.inference.noisy.answer import Answer
from bayesdx.inference.noisy.case_lanes import CaseLanes
from bayesdx.inference.noisy.counterfactual import causal_ranking
from bayesdx.inference.noisy.lockstep import plan
from bayesdx.inference.noisy.query import Backend
from bayesdx.inference.noisy.symptoms import picture, prior_weights, shares

EXACT = {"rtol": 0.0, "atol": 1e-11}


def unit_weights(model: NoisyModel) -> np.ndarray:
    """Every symptom counts 1."""
    return np.where(prior_weights(model) >= 0.0, 1.0, -1.0)


def symptoms_of(model: NoisyModel, evidence: Evidence, row: int) -> list[tuple[str, int, int]]:
    every = [(name, *wanted(model, evidence, row, name)) for name in model.findings]
    every += [(name, *wanted(model, evidence, row, name)) for name in model.ordinals]
    return [one for one in every if one[1] > 0]


def unasked(model: NoisyModel, evidence: Evidence, row: int) -> Evidence:
    """The case without its symptoms."""
    one = evidence.take(np.array([row]))
    findings, lower, upper = one.findings.copy(), one.lower.copy(), one.upper.copy()
    for name, _, _ in symptoms_of(model, evidence, row):
        if name in model.findings:
            findings[0, model.findings.index(name)] = np.nan
        else:
            o = model.ordinals.index(name)
            lower[0, o], upper[0, o] = 0, model.ordinal_sizes[o] - 1
    return Evidence(findings, lower, upper, one.risks, one.causes)


def split(
    model: NoisyModel, present: dict[str, bool], name: str, low: int, high: int
) -> tuple[float, np.ndarray, np.ndarray]:
    """P(symptom), P(symptom, not by the cause) (C,), credit times P (C,), given the causes."""
    n_causes = len(model.causes)
    seen, idle, credit = 0.0, np.zeros(n_causes), np.zeros(n_causes)
    actors = [a for a in contributions(model, name, present) if present.get(a[0], True)]
    for levels in itertools.product(*(options for _, options in actors)):
        share = math.prod(p for _, p in levels)
        reach = [level for level, _ in levels]
        if share == 0.0 or not low <= max(reach) <= high:
            continue
        seen += share
        for c, cause in enumerate(model.causes):
            own = [reach[i] for i, (a, _) in enumerate(actors) if a == cause]
            others = [reach[i] for i, (a, _) in enumerate(actors) if a != cause]
            if max(own, default=0) < low:
                idle[c] += share
            else:
                credit[c] += share * (1.0 if max(others, default=0) < low else 0.5)
    return seen, idle, credit


def twin(model: NoisyModel, evidence: Evidence, row: int) -> tuple[np.ndarray, np.ndarray]:
    """Responsible (C,) and credit by symptom (T, C), over every state of causes and links."""
    symptoms, n_causes = symptoms_of(model, evidence, row), len(model.causes)
    total = enumerate_case(model, evidence, row).evidence
    responsible, credit = np.zeros(n_causes), np.zeros((len(symptoms), n_causes))
    rest = unasked(model, evidence, row)
    for state in itertools.product((0, 1), repeat=n_causes) if total > 0.0 else ():
        if any(k >= 0 and k != s for k, s in zip(rest.causes[0], state, strict=True)):
            continue
        world = replace(rest, causes=np.array([state], np.int8))
        weight = enumerate_case(model, world, 0).evidence / total
        present = dict(zip(model.causes, map(bool, state), strict=True))
        # Given the causes the symptoms are independent.
        parts = [split(model, present, *one) for one in symptoms]
        everything = weight * math.prod(seen for seen, _, _ in parts)
        if everything == 0.0:
            continue
        idle = weight * np.prod([one for _, one, _ in parts] or [np.ones(n_causes)], axis=0)
        responsible += (everything - idle) * np.array(state)
        for t, (seen, _, own) in enumerate(parts):
            credit[t] += everything * own / seen
    return responsible, credit


def _agrees(seed: int, n_cases: int, backend: Backend) -> None:
    model, evidence = random_problem(seed, n_cases=n_cases)
    weights = prior_weights(model)
    answer = posteriors(model, evidence, symptoms=weights, backend=backend)
    alone = posteriors(model, evidence, backend=backend)
    _check(model, evidence, weights, answer, alone)


def _check(
    model: NoisyModel,
    evidence: Evidence,
    weights: np.ndarray,
    answer: Answer,
    alone: Answer,
) -> None:
    np.testing.assert_allclose(answer.causes, alone.causes, **EXACT)
    for row in range(len(evidence)):
        responsible, credit = twin(model, evidence, row)
        np.testing.assert_allclose(answer.responsible[row], responsible, **EXACT)
        own = [
            weights[model.findings.index(name)]
            if name in model.findings
            else weights[model.axes.exceed[model.ordinals.index(name), low, high]]
            for name, low, high in symptoms_of(model, evidence, row)
        ]
        total = picture(model, evidence.take(np.array([row])), weights)
        assert total[0] == pytest.approx(sum(own), abs=1e-12)
        np.testing.assert_allclose(answer.credit[row], np.array(own) @ credit, **EXACT)


@pytest.mark.parametrize("seed", range(60))
def test_credits_are_those_of_the_twin_network(seed: int) -> None:
    _agrees(seed, 2, "numpy")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000, 1200))
def test_credits_are_those_of_the_twin_network_many_times(seed: int) -> None:
    _agrees(seed, 3, "numpy")


@pytest.mark.parametrize("seed", range(130, 190))
def test_one_case_in_lanes_gives_the_same(seed: int) -> None:
    model, evidence = random_problem(seed, n_cases=1)
    weights = prior_weights(model)
    answer = CaseLanes(model, "numpy").credited(evidence, weights)
    _check(model, evidence, weights, answer, posteriors(model, evidence, backend="numpy"))


@pytest.mark.parametrize("seed", range(60, 90))
def test_cases_swept_alone_agree(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "LARGE_WORK", 0)
    _agrees(seed, 2, "numpy")


@pytest.mark.parametrize("seed", range(20))
def test_credits_add_up_to_disablement_and_sufficiency(seed: int) -> None:
    model, evidence = random_problem(seed, n_cases=4)
    answer = posteriors(model, evidence, symptoms=unit_weights(model))
    ranking = causal_ranking(model, evidence)
    both = (ranking.disablement + ranking.sufficiency) / 2.0
    np.testing.assert_allclose(answer.credit, both, rtol=0.0, atol=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_shares_divide_the_picture(seed: int) -> None:
    model, evidence = random_problem(seed, n_cases=8)
    weights = prior_weights(model)
    answer = posteriors(model, evidence, symptoms=weights)
    divided = shares(answer.credit, picture(model, evidence, weights))
    assert (divided >= 0.0).all()
    np.testing.assert_allclose(divided.sum(axis=1), 1.0, rtol=0.0, atol=1e-12)
    assert not divided[~answer.possible, :-1].any()
    assert (answer.responsible <= answer.causes).all()


@pytest.mark.parametrize("seed", range(90, 130))
def test_the_compiled_sweep_gives_the_same(seed: int) -> None:
    pytest.importorskip("numba")
    _agrees(seed, 2, "compiled")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2000, 2200))
def test_the_compiled_sweep_gives_the_same_many_times(seed: int) -> None:
    pytest.importorskip("numba")
    _agrees(seed, 3, "compiled")
