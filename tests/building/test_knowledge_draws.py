"""Sets of stated numbers answered together are each what assembling that knowledge gives."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from small_priors import SMALL, write_priors

from bayesdx.building.assembly import Assembly, assemble
from bayesdx.building.feasibility import UpperLayers
from bayesdx.building.fitting import solve
from bayesdx.building.knowledge_draws import KnowledgeDraws, knowledge_draws
from bayesdx.building.number_draws import (
    Uncertain,
    draw_numbers,
    stated_values,
    uncertain_numbers,
)
from bayesdx.diagnosis.cases import CaseReader
from bayesdx.errors import InvalidKnowledge
from bayesdx.inference import Evidence, posteriors
from bayesdx.knowledge.addresses import Address, with_values
from bayesdx.knowledge.conditioning import conditional_prior
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.reading import read_knowledge

SMALL_CASES = (
    {"cramp": "present"},
    {"cramp": "absent", "radiation": "thigh", "age": "70"},
    {"radiation_any": "present", "ck_high": "present", "statin_use": "present"},
    {"cramp": "0.7", "radiation_foot": "absent", "ck_high": "absent"},
)
REAL_CASES = (
    {"low_back_pain": "present", "bilateral": "absent", "fair_pos": "present"},
    {"cramp_spasm": "absent", "night_cramps": "present", "age": "72", "sex": "male"},
)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Knowledge:
    return read_knowledge(write_priors(tmp_path_factory.mktemp("priors"), SMALL))


@pytest.fixture(scope="module")
def numbers(real_knowledge: Knowledge) -> tuple[Uncertain, ...]:
    return uncertain_numbers(real_knowledge)


def case_of(knowledge: Knowledge, assembly: Assembly, case: Mapping[str, str]) -> Evidence:
    columns = {name: [value] for name, value in case.items()}
    return CaseReader(knowledge, assembly.model).read(columns, 1, None).evidence


def knowledge_of(draws: KnowledgeDraws, d: int) -> Knowledge:
    """The knowledge of one draw, number by number."""
    numbers = draws.upper.values.items()
    values = {
        address: float(one[d]) if one.ndim == 1 else tuple(one[:, d].tolist())
        for address, one in numbers
    }
    return with_values(draws.upper.knowledge, values)


def drawn(knowledge: Knowledge, assembly: Assembly, count: int, rounds: int) -> KnowledgeDraws:
    numbers = uncertain_numbers(knowledge)
    values = draw_numbers(numbers, count, 5)
    return knowledge_draws(knowledge, assembly, values, stated_values(numbers, 1), rounds)


def test_small_draws_are_assemblies(small: Knowledge) -> None:
    """To 1e-9 where the correction for shared risks is computed anew; held, to some hundredths."""
    assembly = assemble(small)
    exact, held = (drawn(small, assembly, 12, rounds) for rounds in (8, 0))
    for d in range(12):
        model = assemble(knowledge_of(exact, d)).model
        for case in SMALL_CASES:
            evidence = case_of(small, assembly, case)
            right = posteriors(model, evidence)
            answer = exact.answer(evidence, np.array([d]))
            np.testing.assert_allclose(answer.causes[0], right.causes[0], rtol=0, atol=2e-9)
            np.testing.assert_allclose(answer.log_evidence, right.log_evidence, atol=2e-9)
            near = held.answer(evidence, np.array([d]))
            np.testing.assert_allclose(near.causes[0], right.causes[0], rtol=0, atol=0.05)


def test_real_draws_are_assemblies(real_knowledge: Knowledge, real_assembly: Assembly) -> None:
    exact, held = (drawn(real_knowledge, real_assembly, 2, rounds) for rounds in (8, 0))
    cases = [case_of(real_knowledge, real_assembly, case) for case in REAL_CASES]
    for d in range(2):
        model = assemble(knowledge_of(exact, d), real_assembly.links).model
        for evidence in cases:
            right = posteriors(model, evidence).causes[0]
            answer = exact.answer(evidence).causes[d]
            np.testing.assert_allclose(answer, right, rtol=0, atol=1e-8)
            np.testing.assert_allclose(held.answer(evidence).causes[d], right, rtol=0, atol=0.02)


def test_stated_numbers_give_the_engines_answer(
    real_knowledge: Knowledge, real_assembly: Assembly, numbers: tuple[Uncertain, ...]
) -> None:
    stated = stated_values(numbers, 1)
    draws = knowledge_draws(real_knowledge, real_assembly, stated_values(numbers, 3), stated)
    assert draws.upper.put_back == {}
    for case in REAL_CASES:
        evidence = case_of(real_knowledge, real_assembly, case)
        ours, right = draws.answer(evidence), posteriors(real_assembly.model, evidence)
        np.testing.assert_allclose(ours.causes, right.causes[[0, 0, 0]], rtol=0, atol=1e-12)
        np.testing.assert_allclose(ours.log_evidence, right.log_evidence[[0, 0, 0]], atol=1e-12)


def test_a_long_series_begins_like_a_short_one(numbers: tuple[Uncertain, ...]) -> None:
    short, long = (draw_numbers(numbers, count, 7) for count in (20, 50))
    other = draw_numbers(numbers, 20, 8)
    for place, values in short.items():
        np.testing.assert_array_equal(values, long[place][..., :20])
        if np.ptp(values) != 0.0:
            assert (values != other[place]).any()
    # A number's draws do not depend on which others there are.
    alone = draw_numbers(numbers[5:6], 20, 7)
    ((place, values),) = alone.items()
    np.testing.assert_array_equal(values, short[place])


def test_draws_follow_their_distributions(numbers: tuple[Uncertain, ...]) -> None:
    one = {one.number.place: one for one in numbers}["causes/referred_lumbar.toml:prior"]
    values = draw_numbers([one], 4000, 0)[one.number.address]
    assert isinstance(one.number.value, float)
    assert values.mean() == pytest.approx(one.number.value, rel=0.02)
    assert np.log(values / (1.0 - values)).std() == pytest.approx(one.deviation, rel=0.05)
    low, high = one.ends
    assert ((values > low) & (values < high)).mean() == pytest.approx(0.9, abs=0.03)


def test_tables_are_those_of_each_draw(
    real_knowledge: Knowledge, numbers: tuple[Uncertain, ...]
) -> None:
    """Also where a draw contradicts itself: there the table of that draw is refused."""
    upper, refused = UpperLayers(real_knowledge, draw_numbers(numbers, 8, 3)), 0
    for d in range(8):
        own = with_values(
            real_knowledge,
            {
                address: float(one[d]) if one.ndim == 1 else tuple(one[:, d].tolist())
                for address, one in upper.values.items()
            },
        )
        for cause in own.causes.values():
            if cause.kind != "cause":
                continue
            found = upper.cause(cause.id)
            try:
                right = conditional_prior(cause, own.risks)
            except InvalidKnowledge:
                refused += 1
                assert not found.holds[d]
                continue
            assert found.holds[d]
            assert found.risks == right.risks
            one = found.table[..., min(d, found.table.shape[-1] - 1)]
            np.testing.assert_allclose(one, right.table, rtol=1e-9, atol=1e-15)
    assert refused


def test_contradictory_draws_get_stated_values_back(
    real_knowledge: Knowledge, real_assembly: Assembly, numbers: tuple[Uncertain, ...]
) -> None:
    values = dict(stated_values(numbers, 3))
    place = Address("prior", "spinal_cord_injury")
    values[place] = np.array([values[place][0], 0.9, values[place][0]])
    stated = stated_values(numbers, 1)
    draws = knowledge_draws(real_knowledge, real_assembly, values, stated)
    assert set(draws.upper.put_back) == {place}
    np.testing.assert_array_equal(draws.upper.put_back[place], [False, True, False])
    np.testing.assert_array_equal(draws.upper.values[place], np.repeat(stated[place], 3))


def test_a_fit_does_not_depend_on_the_others(real_assembly: Assembly) -> None:
    """Nor on how many there are: alone, among few, or a thousand times."""
    links = real_assembly.links
    whole = solve(links.targets, links.fit.ratio)
    many = np.tile(np.arange(len(links.layout.events)), 10)
    for columns in (np.array([3]), np.array([40, 7, 65]), many):
        ours = solve(links.targets.take(columns), links.fit.ratio.take(columns))
        right = whole.take(columns)
        np.testing.assert_allclose(ours.strength, right.strength, rtol=0, atol=1e-13)
        np.testing.assert_allclose(ours.factor, right.factor, rtol=0, atol=1e-13)
        np.testing.assert_allclose(ours.leak, right.leak, rtol=0, atol=1e-13)


def test_folder_without_links(tmp_path: Path) -> None:
    """A finding that no cause shows has its background and nothing else."""
    files = dict(SMALL)
    text = files["causes/statin_myopathy.toml"]
    files["causes/statin_myopathy.toml"] = text.partition("[links.ck_high]")[0]
    knowledge = read_knowledge(write_priors(tmp_path, files))
    assembly = assemble(knowledge)
    draws = drawn(knowledge, assembly, 5, 0)
    evidence = case_of(knowledge, assembly, {"ck_high": "present"})
    place = Address("background", "ck_high")
    np.testing.assert_allclose(
        draws.answer(evidence).log_evidence, np.log(draws.upper.values[place]), atol=1e-12
    )
