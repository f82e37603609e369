"""The sweep gives what adding up every joint state gives, whatever the network."""

from collections import Counter

import numpy as np
import pytest
from oracle import enumerate_case
from random_networks import random_problem
from small_networks import with_causes

from bayesdx.inference import Evidence, NoisyModel, posteriors
from bayesdx.network import NoisyOrCPD

EXACT = 1e-12
QUICK, SLOW = 400, 2000
PER_TEST = 50


def log_without(model: NoisyModel, evidence: Evidence, members: tuple[int, ...]) -> np.ndarray:
    """Log of P(no member present, evidence), asked by clamping the members absent."""
    contradicts = (evidence.causes[:, members] == 1).any(axis=1)
    log_evidence = posteriors(model, with_causes(evidence, members, 0)).log_evidence
    return np.where(contradicts, -np.inf, log_evidence)


def check(model: NoisyModel, evidence: Evidence) -> int:
    """Compare every row with the sums over all worlds; return how many rows are impossible."""
    answer = posteriors(model, evidence)
    only = posteriors(model, evidence, only_evidence=True)
    without = {name: log_without(model, evidence, m) for name, m in model.groups.items()}
    for row in range(len(evidence)):
        truth = enumerate_case(model, evidence, row)
        assert answer.possible[row] == (truth.evidence > 0.0)
        if truth.evidence == 0.0:
            assert answer.log_evidence[row] == only.log_evidence[row] == -np.inf
            assert not answer.causes[row].any()
            continue
        assert answer.log_evidence[row] == pytest.approx(np.log(truth.evidence), rel=0, abs=EXACT)
        assert only.log_evidence[row] == pytest.approx(answer.log_evidence[row], rel=0, abs=EXACT)
        right = truth.causes / truth.evidence
        np.testing.assert_allclose(answer.causes[row], right, rtol=0, atol=EXACT)
        for name, joint in truth.groups.items():
            any_member = -np.expm1(without[name][row] - answer.log_evidence[row])
            assert any_member == pytest.approx(joint / truth.evidence, rel=0, abs=EXACT)
    return int((~answer.possible).sum())


@pytest.mark.parametrize("first", range(0, QUICK, PER_TEST))
def test_posteriors_are_the_sums_over_all_worlds(first: int) -> None:
    impossible = sum(check(*random_problem(seed)) for seed in range(first, first + PER_TEST))
    assert impossible > 0


@pytest.mark.slow
@pytest.mark.parametrize("first", range(QUICK, QUICK + SLOW, 10 * PER_TEST))
def test_posteriors_are_the_sums_over_all_worlds_of_many_more(first: int) -> None:
    for seed in range(first, first + 10 * PER_TEST):
        check(*random_problem(seed))


def test_the_random_networks_have_everything_that_can_go_wrong() -> None:
    seen: Counter[str] = Counter()
    for seed in range(QUICK):
        model, evidence = random_problem(seed)
        for name, present in _features(model, evidence).items():
            seen[name] += bool(present)
    rare = [name for name, networks in seen.items() if networks < 20]
    assert rare == []


def _features(model: NoisyModel, evidence: Evidence) -> dict[str, bool]:
    noisy = [model.network.cpds[name] for name in model.findings]
    ors = [cpd for cpd in noisy if isinstance(cpd, NoisyOrCPD)]
    findings, risks = evidence.findings, evidence.risks
    single = (evidence.lower == evidence.upper).any()
    whole = np.array(model.ordinal_sizes) - 1
    interval = (evidence.upper > evidence.lower) & (evidence.upper - evidence.lower < whole)
    return {
        "no risk": not model.risks,
        "no ordinal": not model.ordinals,
        "a risk that several causes share": bool((model.axes.risk >= 0).any()),
        "a shared risk that is not known": bool((risks[:, model.axes.risk >= 0] < 0).any()),
        "a risk of three states": any(len(prior) >= 3 for prior in model.risk_priors),
        "a cause that a risk rules out": any((table == 0).any() for table in model.cause_tables),
        "a cause that a risk makes certain": any((t == 1).any() for t in model.cause_tables),
        "one inhibitor": any(len(cpd.inhibitors) == 1 for cpd in ors),
        "several inhibitors": any(len(cpd.inhibitors) >= 2 for cpd in ors),
        "an inhibitor that stops the leak": any((cpd.factors == 0).any() for cpd in ors),
        "no leak": any(cpd.leak == 0 for cpd in ors),
        "a leak that always fires": any(cpd.leak == 1 for cpd in ors),
        "a link that always works": any((cpd.strengths == 1).any() for cpd in ors),
        "a finding without causes": any(not cpd.parents for cpd in ors),
        "a soft finding": bool(((findings > 0) & (findings < 1)).any()),
        "one state of an ordinal": bool(single),
        "some states of an ordinal": bool(interval.any()),
        "a cause that is known": bool((evidence.causes >= 0).any()),
    }
