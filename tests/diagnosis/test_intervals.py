"""Intervals: what they collapse to, what they agree with, and what they never say."""

import gc
import math
import weakref
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from small_priors import SMALL, write_priors

from bayesdx.building.sensitivity import number_gradient
from bayesdx.diagnosis.core import Core, build_core
from bayesdx.diagnosis.first_order import answers_under, first_order
from bayesdx.diagnosis.intervals import intervals
from bayesdx.errors import BayesdxError, InvalidCase
from bayesdx.inference import Evidence, posteriors
from bayesdx.knowledge.addresses import every_number
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.reading import read_knowledge
from bayesdx.knowledge.schema import FrozenDict

CASE = {"low_back_pain": "present", "bilateral": "absent", "fair_pos": "present"}
SMALL_CASE = {"cramp": "present", "radiation": "thigh"}


@pytest.fixture(scope="module")
def core(real_knowledge: Knowledge) -> Core:
    return build_core(real_knowledge)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Core:
    return build_core(read_knowledge(write_priors(tmp_path_factory.mktemp("priors"), SMALL)))


def certain(knowledge: Knowledge) -> Knowledge:
    """Every single number with a range of nothing; of risks with several states, one is left."""

    def fixed(stated):  # type: ignore[no-untyped-def]
        value = getattr(stated, "value", None)
        value = stated.probability if value is None else value
        if isinstance(value, tuple):
            return stated
        return stated.model_copy(update={"range": (value, value)})

    causes = {
        name: cause.model_copy(
            update={
                "prior": cause.prior and fixed(cause.prior),
                "effects": tuple(map(fixed, cause.effects)),
                "links": FrozenDict({f: fixed(link) for f, link in cause.links.items()}),
            }
        )
        for name, cause in knowledge.causes.items()
    }
    findings = {
        name: finding.model_copy(
            update={
                "background": finding.background and fixed(finding.background),
                "background_effects": tuple(map(fixed, finding.background_effects)),
            }
        )
        for name, finding in knowledge.findings.items()
    }
    risks = {
        name: risk.model_copy(
            update={
                "prevalence": fixed(risk.prevalence).model_copy(
                    # A Dirichlet of a huge weight is as good as certain.
                    update={"basis": "SEEN"}
                )
            }
        )
        for name, risk in knowledge.risks.items()
    }
    sizes = FrozenDict({**knowledge.model.equivalent_sample_size, "SEEN": 1e14})
    return knowledge.model_copy(
        update={
            "model": knowledge.model.model_copy(update={"equivalent_sample_size": sizes}),
            "causes": FrozenDict(causes),
            "findings": FrozenDict(findings),
            "risks": FrozenDict(risks),
        }
    )


def test_without_uncertainty_the_interval_is_the_posterior(small: Core) -> None:
    core = build_core(certain(small.knowledge))
    found = intervals(core, SMALL_CASE, draws=50)
    table = found.table
    for column in ("low", "high", "mean", "first_order_low", "first_order_high"):
        np.testing.assert_allclose(table[column], table["posterior"], rtol=0, atol=1e-5)
    assert table["deviation"].max() < 1e-4
    assert (table["rank_low"] == table["rank"]).all()
    assert (table["rank_high"] == table["rank"]).all()
    assert found.ahead == 1.0
    assert found.undecided == ""


def test_table_says_what_it_promises(core: Core) -> None:
    found = intervals(core, CASE, draws=400, seed=3)
    table = found.table
    answer, _ = core.with_groups(core.read_case(CASE).evidence)
    modelled = [core.causes[k] for k in core.columns]
    np.testing.assert_allclose(
        table.loc[modelled, "posterior"], answer.causes[0, core.modelled], rtol=0, atol=1e-12
    )
    assert found.status == "ok"
    assert table.index[-1] == "unexplained"
    causes = table.iloc[:-1]
    assert causes["posterior"].is_monotonic_decreasing
    assert list(causes["rank"]) == list(range(1, len(causes) + 1))
    assert (table["low"] <= table["high"]).all()
    assert (causes["rank_low"] <= causes["rank_high"]).all()
    assert table["p_first"].sum() == pytest.approx(1.0)
    assert not table.isna().any(axis=None)
    # What is excluded stays so under every draw.
    excluded = [name for name, one in core.knowledge.causes.items() if one.kind == "excluded"]
    assert (table.loc[excluded, ["posterior", "low", "high", "deviation"]] == 0.0).all(axis=None)


def test_quantiles_are_those_of_the_draws(core: Core) -> None:
    found = intervals(core, CASE, level=0.8, draws=300, seed=1)
    drawn = core.perturbations.drawn(300, 1)
    posterior = answers_under(core, drawn, core.read_case(CASE).evidence).posterior
    k = core.causes.index("piriformis_syndrome")
    row = found.table.loc["piriformis_syndrome"]
    assert row["low"] == pytest.approx(np.quantile(posterior[:, k], 0.1), abs=1e-15)
    assert row["high"] == pytest.approx(np.quantile(posterior[:, k], 0.9), abs=1e-15)
    first = posterior[:, :-1].argmax(axis=1) == k
    assert row["p_first"] == pytest.approx(first.mean(), abs=1e-15)


def test_the_same_seed_gives_the_same_intervals(real_knowledge: Knowledge, core: Core) -> None:
    again = build_core(real_knowledge)
    first, second = (intervals(one, CASE, draws=60, seed=5) for one in (core, again))
    other = intervals(core, CASE, draws=60, seed=6)
    assert first.table.equals(second.table)
    assert first.drivers.equals(second.drivers)
    assert not first.table["low"].equals(other.table["low"])


def test_unexplained_is_nobody_present(small: Core) -> None:
    evidence = small.read_case(SMALL_CASE).evidence
    drawn = small.perturbations.drawn(20, 0)
    ours = answers_under(small, drawn, evidence).posterior[:, -1]
    clamped = np.zeros_like(evidence.causes)
    clamped[:] = evidence.causes
    clamped[:, small.clamps[-1]] = 0
    nobody = Evidence(evidence.findings, evidence.lower, evidence.upper, evidence.risks, clamped)
    gap = drawn.answer(nobody).log_evidence - drawn.answer(evidence).log_evidence
    np.testing.assert_allclose(ours, np.exp(gap), rtol=0, atol=1e-14)


def check_slopes(core: Core, case: Mapping[str, object], cause: str) -> int:
    """P(cause | e) = P(cause, e) / P(e): the gradients of both give the same slopes."""
    evidence = core.read_case(case).evidence
    near = first_order(core, core.perturbations, evidence)
    k = core.causes.index(cause)
    at = int(core.modelled[list(core.columns).index(k)])
    two = evidence.take(np.zeros(2, dtype=np.intp))
    causes = two.causes.copy()
    causes[1, at] = 1
    clamped = Evidence(two.findings, two.lower, two.upper, two.risks, causes)
    gradient = number_gradient(core.knowledge, core.assembly, clamped)
    posterior = near.posterior[k]
    slopes = (gradient.values[1] - gradient.values[0]) / (1.0 - posterior)
    right = dict(zip(gradient.places, slopes.tolist(), strict=True))
    checked = 0
    for mover, slope in zip(near.movers, near.slopes[:, k], strict=True):
        place = mover.number.number.place
        if place in right:
            checked += 1
            assert slope == pytest.approx(right[place], abs=2e-6)
    return checked


def test_slopes_agree_with_the_gradient_of_the_evidence(small: Core) -> None:
    assert check_slopes(small, SMALL_CASE, "strain") == 8


@pytest.mark.slow
def test_slopes_agree_on_the_packaged_knowledge(core: Core) -> None:
    case = {"low_back_pain": "present", "bilateral": "absent"}
    assert check_slopes(core, case, "referred_lumbar") > 80


def test_first_order_and_draws_agree_where_numbers_are_nearly_known(small: Core) -> None:
    """With a tenth of the uncertainty there is no bend left to see."""

    def narrow(stated):  # type: ignore[no-untyped-def]
        return stated.model_copy(update={"range": None, "basis": "SEEN"})

    knowledge = small.knowledge
    causes = {
        name: cause.model_copy(
            update={
                "prior": cause.prior and narrow(cause.prior),
                "effects": tuple(map(narrow, cause.effects)),
                "links": FrozenDict({f: narrow(link) for f, link in cause.links.items()}),
            }
        )
        for name, cause in knowledge.causes.items()
    }
    findings = {
        name: one.model_copy(
            update={
                "background": one.background and narrow(one.background),
                "background_effects": tuple(map(narrow, one.background_effects)),
            }
        )
        for name, one in knowledge.findings.items()
    }
    risks = {
        name: one.model_copy(update={"prevalence": narrow(one.prevalence)})
        for name, one in knowledge.risks.items()
    }
    sizes = FrozenDict({**knowledge.model.equivalent_sample_size, "SEEN": 1e5})
    model = knowledge.model.model_copy(update={"equivalent_sample_size": sizes})
    core = build_core(
        knowledge.model_copy(
            update={
                "model": model,
                "causes": FrozenDict(causes),
                "findings": FrozenDict(findings),
                "risks": FrozenDict(risks),
            }
        )
    )
    table = intervals(core, SMALL_CASE, draws=4000).table.drop("bowel")
    np.testing.assert_allclose(
        table["first_order_deviation"], table["deviation"], rtol=0.05, atol=1e-4
    )
    np.testing.assert_allclose(table["first_order_low"], table["low"], rtol=0.02)
    np.testing.assert_allclose(table["first_order_high"], table["high"], rtol=0.02)


def test_drivers_name_numbers_with_their_support(core: Core) -> None:
    found = intervals(core, CASE, draws=200)
    drivers = found.drivers
    places = {number.place: number for number in every_number(core.knowledge)}
    assert set(drivers["place"]) <= set(places)
    for row in drivers.to_dict("records"):
        stated = places[row["place"]].stated
        assert row["source"] == stated.source
        assert row["statements"] == ";".join(stated.statements)
        assert row["low"] <= row["value"] <= row["high"]
        assert 0.0 < row["share"] <= 1.0
        assert 0.0 <= row["correlation"] <= 1.0
    shares = drivers.groupby("cause", sort=False)["share"]
    assert (shares.sum() <= 1.0 + 1e-12).all()
    assert shares.apply(lambda one: one.is_monotonic_decreasing).all()
    # The cause's own prior always matters.
    for cause in shares.groups:
        own = drivers[drivers["cause"] == cause]["place"]
        assert f"causes/{cause}.toml:prior" in set(own)


@pytest.mark.parametrize(
    ("findings", "status"),
    [({}, "no_findings"), ({"menstrual_cyclic": "present", "sex": "male"}, "impossible")],
)
def test_without_an_answer_the_priors_stand(
    core: Core, findings: Mapping[str, object], status: str
) -> None:
    found = intervals(core, findings, draws=60)
    assert found.status == status
    assert found.undecided == ""
    assert not found.table.isna().any(axis=None)
    stated = found.table.loc[list(core.causes), "posterior"]
    np.testing.assert_allclose(stated, core.prior[:-1], rtol=0, atol=1e-12)


def test_what_cannot_be_told_apart_is_said(core: Core) -> None:
    found = intervals(core, {"buttock_pain": "present"}, draws=400)
    first, second = found.table["label"].iloc[:2]
    assert found.ahead < 0.9
    assert found.undecided.startswith("The first two cannot be told apart")
    assert first in found.undecided
    assert second in found.undecided
    clear = intervals(core, {"known_cord_injury": "present", "ashworth": "3"}, draws=200)
    assert (clear.undecided == "") == (clear.ahead >= 0.9)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"level": 1.0}, "level: expected a share strictly between 0 and 1, got 1.0"),
        ({"draws": 1}, "draws: expected a whole number from 2 to 20000, got 1"),
        ({"seed": -1}, "seed: expected a whole number that is not negative, got -1"),
    ],
)
def test_bounds(small: Core, bad: dict[str, float], message: str) -> None:
    with pytest.raises(BayesdxError, match=message):
        intervals(small, SMALL_CASE, **bad)  # type: ignore[arg-type]


def test_unknown_finding(small: Core) -> None:
    with pytest.raises(InvalidCase, match="Nearest: cramp"):
        intervals(small, {"cramps": "present"}, draws=10)


def test_a_core_that_is_gone_takes_its_draws_with_it(tmp_path: Path) -> None:
    core = build_core(read_knowledge(write_priors(tmp_path, SMALL)))
    intervals(core, SMALL_CASE, draws=10)
    alive = weakref.ref(core.perturbations)
    del core
    gc.collect()
    assert alive() is None


def test_evidence_of_the_stated_numbers(core: Core) -> None:
    evidence = core.read_case(CASE).evidence
    near = first_order(core, core.perturbations, evidence)
    right = float(posteriors(core.model, evidence).log_evidence[0])
    assert math.isclose(near.log_evidence, right, abs_tol=1e-11)
