"""P(cause | risks): the stated marginals and effects come back out of the table."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bayesdx.errors import InvalidKnowledge
from bayesdx.knowledge.conditioning import ConditionalPrior, conditional_prior, holding
from bayesdx.knowledge.reading import read_knowledge
from bayesdx.knowledge.schema import Cause, Condition, Effect, Number, Prevalence, Risk

STATED: dict[str, Any] = {"basis": "JUDGEMENT", "source": "clin"}


def risk(name: str, *shares: float) -> Risk:
    value = shares if len(shares) > 1 else shares[0]
    states = tuple(f"s{index}" for index in range(len(shares))) if len(shares) > 1 else None
    return Risk(
        id=name,
        label=name,
        question=name,
        observed_by="patient",
        prevalence=Prevalence(value=value, denominator="R", **STATED),
        **({} if states is None else {"states": states}),
    )


def effect(measure: Any, value: float, *conditions: tuple[str, tuple[str, ...]]) -> Effect:
    any_of = tuple(Condition(risk=name, states=states) for name, states in conditions)
    return Effect(any_of=any_of, measure=measure, value=value, **STATED)


def cause(prior: float, *effects: Effect, requires: tuple[Condition, ...] = ()) -> Cause:
    return Cause(
        id="c",
        label="C",
        kind="cause",
        description="-",
        prior=Number(value=prior, denominator="R", **STATED),
        effects=effects,
        requires=requires,
    )


PRESENT = ("present",)
SMOKING = {"smoking": risk("smoking", 0.2)}
AGE = {"age": risk("age", 0.5, 0.3, 0.2)}
BOTH = SMOKING | AGE


def mean(found: ConditionalPrior, risks: dict[str, Risk]) -> float:
    """Sum the table over the risks one configuration at a time."""
    total = 0.0
    sizes = [range(len(risks[name].states)) for name in found.risks]
    for states in itertools.product(*sizes):
        weight = 1.0
        for name, state in zip(found.risks, states, strict=True):
            weight *= risks[name].probabilities[state]
        total += weight * float(found.table[states])
    return total


def test_without_risks_the_table_is_the_prior() -> None:
    found = conditional_prior(cause(0.1), BOTH)
    assert (found.risks, found.table.shape, float(found.table)) == ((), (), 0.1)


def test_relative_risk_is_the_ratio_and_keeps_the_prior() -> None:
    found = conditional_prior(
        cause(0.1, effect("relative_risk", 3.0, ("smoking", PRESENT))), SMOKING
    )
    np.testing.assert_allclose(found.table, [0.1 / 1.4, 0.3 / 1.4], rtol=1e-14)


def test_odds_ratio_is_the_ratio_of_odds_and_keeps_the_prior() -> None:
    found = conditional_prior(cause(0.3, effect("odds_ratio", 5.0, ("smoking", PRESENT))), SMOKING)
    odds = found.table / (1.0 - found.table)
    assert odds[1] / odds[0] == pytest.approx(5.0, rel=1e-12)
    assert mean(found, SMOKING) == pytest.approx(0.3, rel=1e-12)


def test_case_share_is_p_of_the_risk_among_the_cases() -> None:
    found = conditional_prior(cause(0.1, effect("case_share", 0.8, ("age", ("s0",)))), AGE)
    shares = found.table * AGE["age"].probabilities / 0.1
    assert shares[0] == pytest.approx(0.8, rel=1e-12)
    # Nothing is said about the others, so they keep their proportions.
    assert shares[1] / shares[2] == pytest.approx(1.5, rel=1e-12)


def test_likelihood_ratios_on_one_risk_all_hold_at_once() -> None:
    effects = (
        effect("likelihood_ratio", 2.0, ("age", ("s2",))),
        effect("likelihood_ratio", 0.4, ("age", ("s0",))),
    )
    found = conditional_prior(cause(0.04, *effects), AGE)
    shares = np.array(AGE["age"].probabilities)
    with_cause, without = found.table * shares / 0.04, (1.0 - found.table) * shares / 0.96
    np.testing.assert_allclose((with_cause / without)[[2, 0]], [2.0, 0.4], rtol=1e-12)
    assert mean(found, AGE) == pytest.approx(0.04, rel=1e-12)


def test_effect_of_several_conditions_acts_once() -> None:
    several = effect("relative_risk", 4.0, ("smoking", PRESENT), ("age", ("s2",)))
    found = conditional_prior(cause(0.05, several), BOTH)
    ratios = found.table / found.table[0, 0]
    np.testing.assert_allclose(ratios, [[1.0, 1.0, 4.0], [4.0, 4.0, 4.0]], rtol=1e-12)


def test_requirement_is_an_exact_zero() -> None:
    needed = (Condition(risk="smoking"),)
    found = conditional_prior(cause(0.05, requires=needed), SMOKING)
    assert found.table.tolist() == [0.0, 0.25]


def test_all_requirements_must_hold() -> None:
    needed = (Condition(risk="smoking"), Condition(risk="age", states=("s1", "s2")))
    found = conditional_prior(cause(0.05, requires=needed), BOTH)
    np.testing.assert_allclose(found.table, [[0, 0, 0], [0, 0.5, 0.5]], rtol=1e-12)


def test_table_is_read_only() -> None:
    found = conditional_prior(cause(0.1, effect("relative_risk", 2.0, ("age", ("s0",)))), AGE)
    with pytest.raises(ValueError, match="read-only"):
        found.table[0] = 0.5


@pytest.mark.parametrize(
    ("given_cause", "message"),
    [
        (
            cause(0.3, requires=(Condition(risk="smoking"),)),
            r"^causes/c\.toml:requires: expected at least the prior, 0\.3, as the chance that all "
            r"requirements hold, got 0\.2\.$",
        ),
        (
            cause(0.5, effect("relative_risk", 30.0, ("smoking", PRESENT))),
            r"^causes/c\.toml:effects: expected effects that keep every probability at or below 1, "
            r"got 2\.20588\.$",
        ),
        (
            cause(0.1, *[effect("case_share", 0.5, ("smoking", PRESENT))] * 2),
            r"^causes/c\.toml:effects\[1\]: expected states that no other effect speaks of, got "
            r"twice the same\.$",
        ),
        (
            cause(0.9, effect("case_share", 0.5, ("smoking", PRESENT))),
            r"^causes/c\.toml:effects: expected effects that keep every probability",
        ),
    ],
)
def test_impossible_effects_are_faults(given_cause: Cause, message: str) -> None:
    with pytest.raises(InvalidKnowledge, match=message):
        conditional_prior(given_cause, BOTH)


def test_chance_that_any_condition_holds() -> None:
    conditions = [Condition(risk="smoking"), Condition(risk="age", states=("s2",))]
    assert holding(conditions, BOTH) == pytest.approx(1.0 - 0.8 * 0.8)
    assert holding([], BOTH) == 0.0


PROBABILITY = st.floats(0.01, 0.6)
MEASURE = st.sampled_from(["relative_risk", "odds_ratio", "likelihood_ratio"])


@given(
    prior=st.floats(1e-6, 0.3),
    smoking=PROBABILITY,
    measures=st.tuples(MEASURE, MEASURE, MEASURE),
    values=st.tuples(*[st.floats(0.2, 5.0)] * 3),
)
def test_any_mixture_of_effects_keeps_the_prior(
    prior: float,
    smoking: float,
    measures: tuple[str, str, str],
    values: tuple[float, float, float],
) -> None:
    risks = {"smoking": risk("smoking", smoking)} | AGE
    conditions = [
        [("smoking", PRESENT)],
        [("age", ("s1",))],
        [("smoking", PRESENT), ("age", ("s2",))],
    ]
    effects = [
        effect(measure, value, *one)
        for measure, value, one in zip(measures, values, conditions, strict=True)
    ]
    try:
        found = conditional_prior(cause(prior, *effects), risks)
    except InvalidKnowledge:
        assume(False)
    assert mean(found, risks) == pytest.approx(prior, rel=1e-9)
    assert float(found.table.min()) >= 0.0
    assert float(found.table.max()) <= 1.0


def test_packaged_causes_keep_their_priors() -> None:
    knowledge = read_knowledge()
    for one in knowledge.causes.values():
        if one.kind == "cause":
            assert one.prior is not None
            found = conditional_prior(one, knowledge.risks)
            assert mean(found, dict(knowledge.risks)) == pytest.approx(one.prior.value, rel=1e-9)


def test_necessary_exposures_are_exact_zeros_in_the_packaged_priors() -> None:
    knowledge = read_knowledge()
    found = conditional_prior(knowledge.causes["nms"], knowledge.risks)
    table = np.moveaxis(found.table, found.risks.index("antipsychotic_use"), 0)
    assert (table[0] == 0.0).all()
    assert (table[1] > 0.0).all()


def test_reader_and_table_agree_on_the_small_folder(
    small: dict[str, str], write: Callable[..., Path]
) -> None:
    knowledge = read_knowledge(write(small))
    found = conditional_prior(knowledge.causes["statin_myopathy"], knowledge.risks)
    base = 0.01 / (0.2 * (0.7 + 0.3 * 2.0))
    np.testing.assert_allclose(found.table, [[0.0, 0.0], [base, 2.0 * base]], rtol=1e-12)
