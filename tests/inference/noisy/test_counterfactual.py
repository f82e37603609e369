"""Expected disablement and sufficiency against the twin network, world by world, link by link."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import enumerate_case
from random_networks import random_problem
from twin_links import contributions, wanted

from bayesdx.inference import Evidence, NoisyModel, compile_diagnosis, no_evidence
from bayesdx.inference.noisy.counterfactual import causal_ranking
from bayesdx.network import Network, NoisyOrCPD, TableCPD, Variable


def without(model: NoisyModel, evidence: Evidence, row: int, name: str) -> Evidence:
    """The case with one finding not known."""
    one = evidence.take(np.array([row]))
    findings, lower, upper = one.findings.copy(), one.lower.copy(), one.upper.copy()
    if name in model.findings:
        findings[0, model.findings.index(name)] = np.nan
    else:
        o = model.ordinals.index(name)
        lower[0, o], upper[0, o] = 0, model.ordinal_sizes[o] - 1
    return Evidence(findings, lower, upper, one.risks, one.causes)


def twin(model: NoisyModel, evidence: Evidence, row: int) -> tuple[np.ndarray, np.ndarray]:
    """Both expectations, symptom by symptom, over every state of the causes and every link."""
    total = enumerate_case(model, evidence, row).evidence
    lost, kept = np.zeros(len(model.causes)), np.zeros(len(model.causes))
    if total == 0.0:
        return lost, kept
    for name in (*model.findings, *model.ordinals):
        low, high = wanted(model, evidence, row, name)
        if low == 0:
            continue
        rest = without(model, evidence, row, name)
        for state in itertools.product((0, 1), repeat=len(model.causes)):
            known = rest.causes[0]
            if any(k >= 0 and k != s for k, s in zip(known, state, strict=True)):
                continue
            clamped = Evidence(
                rest.findings, rest.lower, rest.upper, rest.risks, np.array([state], np.int8)
            )
            weight = enumerate_case(model, clamped, 0).evidence / total
            if weight == 0.0:
                continue
            present = dict(zip(model.causes, map(bool, state), strict=True))
            actors = [a for a in contributions(model, name, present) if present.get(a[0], True)]
            for levels in itertools.product(*(options for _, options in actors)):
                share = weight * math.prod(p for _, p in levels)
                reach = [level for level, _ in levels]
                if share == 0.0 or not low <= max(reach) <= high:
                    continue
                for c, cause in enumerate(model.causes):
                    own = [i for i, (actor, _) in enumerate(actors) if actor == cause]
                    others = [level for i, level in enumerate(reach) if i not in own]
                    if own and max(others, default=0) < low:
                        lost[c] += share
                    if own and reach[own[0]] >= low:
                        kept[c] += share
    return lost, kept


def _agrees(seed: int, n_cases: int) -> None:
    model, evidence = random_problem(seed, n_cases=n_cases)
    ranking = causal_ranking(model, evidence)
    for row in range(n_cases):
        lost, kept = twin(model, evidence, row)
        np.testing.assert_allclose(ranking.disablement[row], lost, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(ranking.sufficiency[row], kept, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("seed", range(25))
def test_closed_form_is_the_twin_network(seed: int) -> None:
    _agrees(seed, n_cases=2)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000, 1200))
def test_closed_form_is_the_twin_network_many_times(seed: int) -> None:
    _agrees(seed, n_cases=3)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000))
def test_bounds(seed: int) -> None:
    """What a cause disables it also suffices for; nobody does more than all symptoms."""
    model, evidence = random_problem(seed, n_cases=6)
    ranking = causal_ranking(model, evidence)
    symptoms = ((evidence.findings == 1.0).sum(axis=1) + (evidence.lower > 0).sum(axis=1))[:, None]
    assert (ranking.symptoms[:, None] == symptoms).all()
    assert (ranking.disablement <= ranking.sufficiency + 1e-12).all()
    assert (ranking.sufficiency <= symptoms * ranking.posterior + 1e-12).all()
    assert np.isfinite(ranking.disablement).all()
    assert np.isfinite(ranking.sufficiency).all()


def test_by_hand() -> None:
    """One finding, one cause with prior 0.2 and link 0.5, leak 0.1."""
    network = Network(
        [Variable("c"), Variable("f")],
        [
            TableCPD("c", (), np.array([0.8, 0.2])),
            NoisyOrCPD("f", ("c",), np.array([0.5]), 0.1),
        ],
    )
    model = compile_diagnosis(network)
    blank = no_evidence(model, 1)
    seen = Evidence(np.ones((1, 1)), blank.lower, blank.upper, blank.risks, blank.causes)
    ranking = causal_ranking(model, seen)
    present = 0.2 * (1 - 0.5 * 0.9) + 0.8 * 0.1
    assert ranking.posterior[0, 0] == pytest.approx(0.2 * 0.55 / present, rel=1e-12)
    assert ranking.disablement[0, 0] == pytest.approx(0.2 * 0.5 * 0.9 / present, rel=1e-12)
    assert ranking.sufficiency[0, 0] == pytest.approx(0.2 * 0.5 / present, rel=1e-12)


def test_impossible_evidence_gives_zeros() -> None:
    network = Network(
        [Variable("c"), Variable("f")],
        [
            TableCPD("c", (), np.array([0.8, 0.2])),
            NoisyOrCPD("f", ("c",), np.array([1.0]), 0.0),
        ],
    )
    model = compile_diagnosis(network)
    blank = no_evidence(model, 1)
    absent = np.zeros((1, 1), dtype=np.int8)
    clash = Evidence(np.ones((1, 1)), blank.lower, blank.upper, blank.risks, absent)
    ranking = causal_ranking(model, clash)
    assert np.isneginf(ranking.log_evidence[0])
    assert ranking.disablement[0, 0] == ranking.sufficiency[0, 0] == 0.0
