"""Derivatives by stated numbers are what taking the number elsewhere and assembling again gives."""

import numpy as np
import pytest

from bayesdx.building.assembly import Assembly, assemble
from bayesdx.building.sensitivity import NumberGradient, movable_numbers, number_gradient
from bayesdx.diagnosis.cases import CaseReader
from bayesdx.diagnosis.quantities import Quantity, make_batch, probabilities, slopes
from bayesdx.inference import Evidence, posteriors
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.overrides import with_numbers

STEP = 1e-3
CASES = {
    "low_back_pain": ["present", None, "present"],
    "bilateral": ["absent", "present", None],
    "cramp_spasm": [None, "present", "absent"],
    "ck_level": [None, None, "4x_to_10x"],
    "sitting_worse": ["absent", "present", None],
    "statin_use": ["present", None, None],
}


@pytest.fixture(scope="module")
def evidence(real_knowledge: Knowledge, real_assembly: Assembly) -> Evidence:
    states = real_knowledge.findings["ck_level"].states
    columns = {**CASES, "ck_level": [None, None, states[1]]}
    return CaseReader(real_knowledge, real_assembly.model).read(columns, 3, None).evidence


@pytest.fixture(scope="module")
def gradient(
    real_knowledge: Knowledge, real_assembly: Assembly, evidence: Evidence
) -> NumberGradient:
    return number_gradient(real_knowledge, real_assembly, evidence)


def moved(value: float, step: float) -> float:
    odds = value / (1.0 - value) * np.exp(step)
    return float(odds / (1.0 + odds))


@pytest.mark.parametrize(
    "place",
    [
        "causes/referred_lumbar.toml:prior",
        "causes/myofascial_pain.toml:prior",
        "causes/statin.toml:prior",
        "causes/myofascial_pain.toml:links.cramp_spasm",
        "causes/referred_lumbar.toml:links.low_back_pain",
        "causes/rhabdomyolysis.toml:links.ck_gt10x",
        "findings.toml:low_back_pain.background",
        "findings.toml:ck_gt4x.background",
    ],
)
def test_gradient_is_the_difference_of_two_networks(
    place: str,
    real_knowledge: Knowledge,
    real_assembly: Assembly,
    evidence: Evidence,
    gradient: NumberGradient,
) -> None:
    value = {one.place: one.value for one in movable_numbers(real_knowledge)}[place]
    ends = []
    for step in (STEP, -STEP):
        knowledge = with_numbers(real_knowledge, {place: moved(value, step)})
        model = assemble(knowledge, real_assembly.links).model
        ends.append(posteriors(model, evidence, only_evidence=True).log_evidence)
    right = (ends[0] - ends[1]) / (2.0 * STEP)
    ours = gradient.values[:, gradient.places.index(place)]
    assert np.abs(right).max() > 1e-6
    # The correction for causes that share risks is held fixed: half a hundredth of the largest.
    np.testing.assert_allclose(ours, right, rtol=0.02, atol=5e-3 * np.abs(right).max())


def test_every_prior_and_link_can_move(real_knowledge: Knowledge) -> None:
    places = {number.place for number in movable_numbers(real_knowledge)}
    causes = [cause for cause in real_knowledge.causes.values() if cause.kind == "cause"]
    for cause in causes:
        assert f"causes/{cause.id}.toml:prior" in places
        assert all(f"causes/{cause.id}.toml:links.{name}" in places for name in cause.links)


@pytest.mark.parametrize(
    ("event", "given"),
    [
        ("piriformis_syndrome", {"low_back_pain": "present", "bilateral": "absent"}),
        ("nerve_sensitive", {"burning_electric": "present"}),
        ("night_cramps", {"age": "70_to_79"}),
        ("age:65_to_69|70_to_79|80_or_over", {"night_cramps": "present"}),
        ("cervical_dystonia", {}),
    ],
)
def test_quantities_are_what_the_engine_answers(
    event: str, given: dict[str, str], real_knowledge: Knowledge, real_assembly: Assembly
) -> None:
    batch = make_batch(real_knowledge, real_assembly, [Quantity(event, tuple(given.items()))])
    ours = float(probabilities(real_assembly, batch)[0])
    reader = CaseReader(real_knowledge, real_assembly.model)

    def log_evidence(case: dict[str, str]) -> float:
        columns = {name: [value] for name, value in case.items()}
        read = reader.read(columns, 1, None).evidence
        return float(posteriors(real_assembly.model, read).log_evidence[0])

    name, _, states = event.partition(":")
    if name in real_knowledge.causes or name in real_knowledge.groups:
        read = reader.read({k: [v] for k, v in given.items()}, 1, None).evidence
        model = real_assembly.model
        if name in model.causes:
            right = float(posteriors(model, read).causes[0, model.causes.index(name)])
        elif name in real_knowledge.groups:
            members = [model.causes.index(one) for one in real_knowledge.groups[name].members]
            without = np.zeros(len(model.causes), dtype=bool)
            without[members] = True
            answer = posteriors(model, read, without=without)
            right = -float(np.expm1(answer.log_without[0] - answer.log_evidence[0]))
        else:
            right = 0.0
    else:
        parts = states.split("|") if states else ["present"]
        base = log_evidence(given)
        right = sum(np.exp(log_evidence({**given, name: one}) - base) for one in parts)
    assert ours == pytest.approx(right, abs=1e-12)


def test_slopes_of_quantities_are_differences(
    real_knowledge: Knowledge, real_assembly: Assembly
) -> None:
    wanted = [
        Quantity("piriformis_syndrome", (("low_back_pain", "present"), ("bilateral", "absent"))),
        Quantity("nerve_sensitive", (("cramp_spasm", "present"),)),
    ]
    batch = make_batch(real_knowledge, real_assembly, wanted)
    ours = slopes(real_knowledge, real_assembly, batch)
    right = probabilities(real_assembly, batch)
    np.testing.assert_allclose(ours.probabilities, right, rtol=1e-14)
    place = "causes/piriformis_syndrome.toml:prior"
    value = real_knowledge.causes["piriformis_syndrome"].prior.value  # type: ignore[union-attr]
    ends = []
    for step in (STEP, -STEP):
        knowledge = with_numbers(real_knowledge, {place: moved(value, step)})
        assembly = assemble(knowledge, real_assembly.links)
        ends.append(probabilities(assembly, make_batch(knowledge, assembly, wanted)))
    right = (ends[0] - ends[1]) / (2.0 * STEP)
    np.testing.assert_allclose(ours.values[:, ours.places.index(place)], right, rtol=0.02)
