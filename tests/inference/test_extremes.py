"""Whatever the numbers, an answer is a number, a probability, and warns of nothing."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import enumerate_case
from random_networks import random_problem

from bayesdx.inference import (
    Answer,
    Evidence,
    NoisyModel,
    compile_diagnosis,
    no_evidence,
    posteriors,
)
from bayesdx.network import CPD, AnyOfCPD, Network, NoisyMaxCPD, NoisyOrCPD, TableCPD, Variable

#: Every magnitude that a person could mean and some that nobody does, the odd ones often.
chances = st.sampled_from([0.0, 1e-30, 1e-16, 0.5, 1 - 1e-16, 1.0]) | st.floats(1e-30, 1.0)
CAUSES = ("c0", "c1", "c2")


def check(answer: Answer) -> None:
    """See test_precision for the defects beyond these bounds."""
    assert not np.isnan(answer.log_evidence).any()
    assert (answer.log_evidence <= 1e-12).all()
    assert ((answer.causes >= 0.0) & (answer.causes <= 1.0)).all()
    assert not answer.causes[~answer.possible].any()


@st.composite
def extreme_models(draw: st.DrawFn) -> NoisyModel:
    """Three causes that share a risk, three findings and an ordinal of any numbers."""

    def several(count: int) -> np.ndarray:
        return np.array(draw(st.lists(chances, min_size=count, max_size=count)))

    variables = [Variable("r", ("a", "b", "c")), *map(Variable, CAUSES)]
    weights = several(3)
    risk = weights / weights.sum() if weights.sum() > 0 else np.array([0.0, 0.0, 1.0])
    cpds: list[CPD] = [TableCPD("r", (), risk)]
    for name in CAUSES:
        present = several(3)
        cpds.append(TableCPD(name, ("r",), np.stack([1.0 - present, present], axis=-1)))
    for i in range(3):
        split = draw(st.integers(0, 3))
        variables.append(Variable(f"f{i}"))
        cpds.append(
            NoisyOrCPD(
                f"f{i}",
                CAUSES[:split],
                several(split),
                draw(chances),
                CAUSES[split:],
                several(3 - split),
            )
        )
    levels = -np.sort(-np.stack([several(2) for _ in range(4)]), axis=1)
    variables += [Variable("o", ("none", "some", "much")), Variable("any")]
    cpds += [NoisyMaxCPD("o", CAUSES, levels[:3], levels[3]), AnyOfCPD("any", CAUSES)]
    return compile_diagnosis(Network(variables, cpds))


@st.composite
def any_evidence(draw: st.DrawFn, model: NoisyModel) -> Evidence:
    evidence = no_evidence(model, 1)
    each = st.sampled_from([np.nan, 0.0, 1.0, 1.0]) | st.floats(0.01, 1.0 - 1e-6)
    findings = [draw(each) for _ in model.findings]
    for o, size in enumerate(model.ordinal_sizes):
        first, last = sorted(draw(st.tuples(*[st.integers(0, size - 1)] * 2)))
        evidence.lower[0, o], evidence.upper[0, o] = first, last
    for r, prior in enumerate(model.risk_priors):
        evidence.risks[0, r] = draw(st.integers(-1, len(prior) - 1))
    for c in range(len(model.causes)):
        evidence.causes[0, c] = draw(st.sampled_from([-1, -1, -1, 0, 1]))
    return replace(evidence, findings=np.array([findings]))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_extreme_networks_give_probabilities(data: st.DataObject) -> None:
    model = data.draw(extreme_models())
    check(posteriors(model, data.draw(any_evidence(model))))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_extreme_evidence_gives_probabilities_that_enumeration_gives(data: st.DataObject) -> None:
    model, _ = random_problem(data.draw(st.integers(0, 500)))
    evidence = data.draw(any_evidence(model))
    answer = posteriors(model, evidence)
    check(answer)
    truth = enumerate_case(model, evidence, 0)
    if truth.evidence > 1e-200:
        np.testing.assert_allclose(answer.causes[0], truth.causes / truth.evidence, atol=1e-9)


def test_random_cases_give_probabilities() -> None:
    for seed in range(200):
        check(posteriors(*random_problem(seed, 30)))
