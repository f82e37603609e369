"""Bounds of a posterior over all further answers: never crossed by any combination."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from oracle import enumerate_case
from random_networks import random_problem

from bayesdx.inference import no_evidence
from bayesdx.inference.noisy.answer_table import answer_table, answered, unknown_questions
from bayesdx.inference.noisy.posterior_bounds import always_possible, posterior_bounds


@pytest.mark.parametrize("seed", range(80))
def test_no_combination_of_answers_crosses_them(seed: int) -> None:
    model, evidence = random_problem(seed, 2)
    evidence = replace(evidence, causes=no_evidence(model, 2).causes)
    rng = np.random.default_rng(seed)
    for row in range(2):
        case = evidence.take(slice(row, row + 1))
        if enumerate_case(model, case, 0).evidence == 0.0:
            continue
        table = answer_table(model)
        open_ = np.flatnonzero(unknown_questions(case))
        open_ = rng.permutation(open_)[: rng.integers(0, 4)]
        findings = np.isin(
            np.arange(len(model.findings)), table.position[open_[table.kind[open_] == 0]]
        )
        ordinals = np.isin(
            np.arange(len(model.ordinals)), table.position[open_[table.kind[open_] == 1]]
        )
        sure = always_possible(model, case, findings, ordinals)
        choices = [[-1, *range(table.first[q], table.first[q] + table.n_answers[q])] for q in open_]
        ends = [
            posterior_bounds(model, case, findings, ordinals, c) for c in range(len(model.causes))
        ]
        for combination in product(*choices):
            if _contradicts(table, case, combination):
                continue
            rows = case
            for answer in combination:
                rows = answered(table, rows, np.array([answer]))
            right = enumerate_case(model, rows, 0)
            if right.evidence == 0.0:
                assert not sure
                continue
            for (low, high), joint in zip(ends, right.causes, strict=True):
                assert low - 1e-12 <= joint / right.evidence <= high + 1e-12


def _contradicts(table, case, combination) -> bool:
    """Whether it names a level that is known not to be."""
    for answer in combination:
        q = table.question[answer] if answer >= 0 else -1
        if q >= 0 and table.kind[q] == 1:
            o, state = table.position[q], table.state[answer]
            if not case.lower[0, o] <= state <= case.upper[0, o]:
                return True
    return False


def test_they_are_exact_where_nothing_else_is_there() -> None:
    """One cause, no other: the ratios are what they are, and the bounds meet."""
    for seed in range(200):
        model, case = random_problem(seed, 1)
        case = replace(case, causes=no_evidence(model, 1).causes)
        known = case.risks.min(initial=0) >= 0
        right = enumerate_case(model, case, 0)
        if len(model.causes) > 1 or not known or right.evidence == 0.0:
            continue
        none = np.zeros(len(model.findings), bool), np.zeros(len(model.ordinals), bool)
        low, high = posterior_bounds(model, case, *none, 0)
        if np.isfinite(low) and low == pytest.approx(high, abs=1e-9):
            assert low == pytest.approx(right.causes[0] / right.evidence, abs=1e-9)
            return
    pytest.fail("no such network among the seeds")
