"""Every answer to every question: against adding up all worlds, and its own laws."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import enumerate_case
from random_networks import random_problem

from bayesdx.inference import CaseLanes, Evidence, NoisyModel, no_evidence
from bayesdx.inference.noisy import case_lanes, expected
from bayesdx.inference.noisy.answer_table import (
    answer_table,
    answered,
    given_answers,
    unknown_questions,
)
from bayesdx.inference.noisy.choice import Backend
from bayesdx.inference.noisy.expected import Outcomes, expected_information, outcomes

EXACT = 1e-9
SEEDS = range(60)


def one_case(seed: int) -> tuple[NoisyModel, Evidence]:
    model, evidence = random_problem(seed, 1)
    return model, replace(evidence, causes=no_evidence(model, 1).causes)


def answers_of(model: NoisyModel, case: Evidence, backend: Backend = "numpy") -> Outcomes:
    table = answer_table(model)
    return outcomes(table, CaseLanes(model, backend), case, [unknown_questions(case)])[0]


def check(model: NoisyModel, case: Evidence, found: Outcomes) -> None:
    table = answer_table(model)
    base = enumerate_case(model, case, 0)
    assert np.isneginf(found.log_evidence) == (base.evidence == 0.0)
    if base.evidence == 0.0:
        assert len(found.answer) == 0
        return
    np.testing.assert_allclose(found.base, base.causes / base.evidence, rtol=0, atol=EXACT)
    rows = answered(table, case, found.answer)
    for a in range(len(found.answer)):
        right = enumerate_case(model, rows, a)
        share = right.evidence / base.evidence
        assert found.probability[a] == pytest.approx(share, abs=EXACT)
        if right.evidence > 0.0:
            posterior = right.causes / right.evidence
            np.testing.assert_allclose(found.causes[a], posterior, rtol=0, atol=EXACT)


@pytest.mark.parametrize("seed", SEEDS)
def test_answers_are_what_adding_up_worlds_gives(seed: int) -> None:
    model, case = one_case(seed)
    check(model, case, answers_of(model, case))


@pytest.mark.parametrize("share", [0.0, 2.0])
@pytest.mark.parametrize("seed", SEEDS[:20])
def test_differences_and_positive_terms_agree(
    seed: int, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No answer by positive terms, and then all of them; the coarse tolerance is for the first."""
    monkeypatch.setattr(expected, "SMALLEST_DIFFERENCE", share)
    model, case = one_case(seed)
    found = answers_of(model, case)
    if share:
        check(model, case, found)
    elif len(found.answer):
        usual = found.probability > 1e-3
        monkeypatch.undo()
        again = answers_of(model, case)
        np.testing.assert_allclose(found.causes[usual], again.causes[usual], rtol=0, atol=EXACT)


@pytest.mark.parametrize("seed", SEEDS[:15])
def test_what_couples_too_much_for_one_plan_is_answered_one_by_one(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(case_lanes.CaseLanes, "reweighted", lambda *_: None)
    model, case = one_case(seed)
    check(model, case, answers_of(model, case))


@pytest.mark.parametrize("seed", SEEDS)
def test_probabilities_sum_to_one_and_posteriors_average_back(seed: int) -> None:
    model, case = one_case(seed)
    found, table = answers_of(model, case), answer_table(model)
    if not len(found.answer):
        return
    first = np.flatnonzero(np.diff(table.question[found.answer], prepend=-1))
    np.testing.assert_allclose(np.add.reduceat(found.probability, first), 1.0, rtol=0, atol=EXACT)
    weighted = found.causes * found.probability[:, None]
    mean = np.add.reduceat(weighted, first, axis=0)
    np.testing.assert_allclose(mean, np.tile(found.base, (len(first), 1)), rtol=0, atol=EXACT)
    bits = expected_information(found.base, found.probability, found.causes, first)
    assert (bits >= 0.0).all()
    assert (bits <= 1.0 + EXACT).all()


@pytest.mark.parametrize("seed", SEEDS[:30])
def test_information_is_that_of_the_joint_table_of_cause_and_answer(seed: int) -> None:
    model, case = one_case(seed)
    found, table = answers_of(model, case), answer_table(model)
    base = enumerate_case(model, case, 0)
    question = table.question[found.answer]
    first = np.flatnonzero(np.diff(question, prepend=-1))
    bits = expected_information(found.base, found.probability, found.causes, first)
    rows = answered(table, case, found.answer)
    for at, q in enumerate(question[first]):
        worlds = [enumerate_case(model, rows, a) for a in np.flatnonzero(question == q)]
        for c in range(len(model.causes)):
            joint = np.array([(w.causes[c], w.evidence - w.causes[c]) for w in worlds])
            joint = np.clip(joint / base.evidence, 0.0, None)
            alone = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
            inside = joint > 1e-300
            right = (joint[inside] * np.log2(joint[inside] / alone[inside])).sum()
            assert bits[at, c] == pytest.approx(right, abs=1e-9)


def test_a_rare_finding_keeps_its_digits() -> None:
    """P(present) of 1e-12 and less: the complement of "absent" would be mostly noise."""
    rare = 0
    for seed in range(300):
        model, _ = one_case(seed)
        blank = no_evidence(model, 1)
        found, table = answers_of(model, blank), answer_table(model)
        small = np.flatnonzero((found.probability > 0.0) & (found.probability < 1e-5))
        rows = answered(table, blank, found.answer[small])
        for i, a in enumerate(small):
            right = enumerate_case(model, rows, i)
            assert found.probability[a] == pytest.approx(right.evidence, rel=1e-9)
            posterior = right.causes / right.evidence
            np.testing.assert_allclose(found.causes[a], posterior, rtol=0, atol=EXACT)
            rare += 1
    assert rare >= 5


@pytest.mark.parametrize("share", [None, 2.0])
@pytest.mark.parametrize("seed", SEEDS)
def test_compiled_cases_are_what_adding_up_worlds_gives(
    seed: int, share: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what is left of others as a difference, and with every answer a case of its own."""
    pytest.importorskip("numba")
    if share is not None:
        monkeypatch.setattr(expected, "SMALLEST_DIFFERENCE", share)
    model, case = one_case(seed)
    found = answers_of(model, case, "compiled")
    np.testing.assert_array_equal(found.answer, answers_of(model, case).answer)
    check(model, case, found)


def test_compiled_cases_are_answered_together_as_alone() -> None:
    """Impossible ones among them, and ones of which nothing is asked."""
    pytest.importorskip("numba")
    model, several = random_problem(11, 6)
    several = replace(several, causes=no_evidence(model, 6).causes)
    cases = [several.take(slice(row, row + 1)) for row in range(6)]
    table, lanes = answer_table(model), CaseLanes(model, "compiled")
    asked = [unknown_questions(case) for case in cases]
    asked[1] = np.zeros_like(asked[1])
    together = outcomes(table, lanes, several, asked)
    for case, one, found in zip(cases, asked, together, strict=True):
        alone = outcomes(table, lanes, case, [one])[0]
        for name in ("log_evidence", "base", "answer", "probability", "causes"):
            np.testing.assert_array_equal(getattr(found, name), getattr(alone, name))
    assert len(together[1].answer) == 0
    assert np.isneginf([one.log_evidence for one in together]).any()


def test_given_answers_are_those_that_were_given() -> None:
    for seed in SEEDS[:20]:
        model, _ = one_case(seed)
        table, blank = answer_table(model), no_evidence(model, 1)
        rows = answered(table, blank, np.arange(len(table.state)))
        for answer in range(len(table.state)):
            assert list(given_answers(table, rows, answer)) == [answer]


@given(st.lists(st.floats(0.001, 0.999), min_size=1, max_size=4), st.integers(0, 2**31))
def test_information_is_zero_when_nothing_changes(prior: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    share = rng.dirichlet(np.ones(3))
    here = np.array(prior)
    same = expected_information(here, share, np.tile(here, (3, 1)), np.array([0]))
    np.testing.assert_allclose(same, 0.0, atol=1e-15)
