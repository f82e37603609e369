"""Every source believed alone: its numbers are its readings, and its statements add up to it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from small_priors import SMALL

from bayesdx import InvalidCase, InvalidKnowledge
from bayesdx.building import source_models as one_source
from bayesdx.building.assembly import assemble
from bayesdx.building.source_models import build_source_model, model_numbers
from bayesdx.diagnosis import per_source, source_influence
from bayesdx.diagnosis.cases import CaseReader
from bayesdx.diagnosis.engine import Engine
from bayesdx.diagnosis.per_source import LITERATURE, MODEL, compare, distance, source_models
from bayesdx.diagnosis.source_influence import find_influences
from bayesdx.knowledge.addresses import every_number
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.overrides import with_numbers
from bayesdx.knowledge.reading import read_knowledge
from bayesdx.knowledge.statement_schema import Calibration, Move, Reading, Statement

STRAIN, STATIN = "causes/strain.toml:", "causes/statin_myopathy.toml:"
PRIOR, CRAMP = f"{STRAIN}prior", f"{STRAIN}links.cramp"


def statement(
    name: str, *readings: tuple[str, float], strength: str = "can", of: str = "people"
) -> Statement:
    return Statement(
        id=name,
        document=name.partition("-")[0],
        section="-",
        kind="finding",
        says=f"What {name} says.",
        strength=strength,
        denominator=of,
        excluded="only a test",
        readings=tuple(Reading(number=number, value=value) for number, value in readings),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Knowledge:
    root = tmp_path_factory.mktemp("priors")
    for file, text in SMALL.items():
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return read_knowledge(root)


def said(knowledge: Knowledge, *statements: Statement) -> Knowledge:
    return knowledge.model_copy(update={"statements": {one.id: one for one in statements}})


def values(knowledge: Knowledge) -> dict[str, object]:
    return {number.place: number.value for number in every_number(knowledge)}


def only(knowledge: Knowledge, *statements: Statement) -> per_source.SourceModel:
    """The rival of the one document that the statements are of."""
    return source_models(said(knowledge, *statements))[0]


CASES = pd.DataFrame(
    {
        "cramp": ["present", "absent", ""],
        "ck_high": ["", "present", "absent"],
        "age": ["70", "", "30"],
        "statin_use": ["present", "present", ""],
    },
    index=["a", "b", "c"],
)
STATEMENTS = (
    statement("S0-01", (PRIOR, 0.3)),
    statement("S0-02", (CRAMP, 0.9)),
    statement("S0-03", (f"{STATIN}links.ck_high", 0.7), (f"{STATIN}prior", 0.03)),
    statement("S0-04", (f"{STATIN}effects[0]", 1.3)),
    statement("S0-05", ("findings.toml:cramp.background_effects[0]", 0.5)),
    statement("S0-06", ("risks.toml:statin_use.prevalence", 0.3)),
    statement("S1-01", (f"{STATIN}prior", 0.05)),
    statement("S2-01"),
    statement("X-01", (PRIOR, 0.05)),
)


@pytest.fixture(scope="module")
def spoken(folder: Knowledge) -> Knowledge:
    return said(folder, *STATEMENTS)


def test_numbers_of_a_rival_are_exactly_the_readings(spoken: Knowledge) -> None:
    found = {rival.id: rival for rival in source_models(spoken)}
    assert list(found) == ["S0", "S1", "S2", LITERATURE]
    for document, name in [("S0", "S0"), ("S1", "S1"), ("S2", "S2"), ("X", LITERATURE)]:
        readings = {
            reading.number: reading.value
            for one in STATEMENTS
            if one.document == document
            for reading in one.readings
        }
        assert found[name].left_out == ()
        assert {one.number: one.value for one in found[name].numbers} == readings
        assert values(found[name].knowledge) == {**values(spoken), **readings}


def test_a_rival_answers_like_an_engine_with_its_numbers(spoken: Knowledge) -> None:
    found = compare(spoken, CASES)
    for rival in found.rivals:
        scores = Engine(rival.knowledge).score(CASES)
        own = found.posteriors.xs(rival.id, level="source")
        np.testing.assert_allclose(own, scores[own.columns].astype(float), rtol=0, atol=1e-8)


def test_a_rival_without_readings_is_the_model(spoken: Knowledge) -> None:
    found = compare(spoken, CASES)
    silent = found.posteriors.xs("S2", level="source")
    pd.testing.assert_frame_equal(silent, found.posteriors.xs(MODEL, level="source"))
    own = found.cases[found.cases["rival"] == "S2"]
    assert (own["distance"] == 0.0).all()
    assert not own["first_differs"].any()
    assert "S2" not in found.explained.index


def test_distance_is_what_it_says() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.random((2, 5, 7))
    assert (distance(one, one) == 0.0).all()
    assert (distance(one, other) == distance(other, one)).all()
    assert (distance(one, other) > 0.0).all()
    assert distance(np.array([0.0, 1.0]), np.array([1.0, 0.0])) == pytest.approx(2.0)

    def divergence(p: float, q: float) -> float:
        """Mean Kullback-Leibler divergence from the middle, written out."""
        middle = (p + q) / 2
        return sum(
            0.5 * x * math.log2(x / m)
            for a in (p, q)
            for x, m in [(a, middle), (1 - a, 1 - middle)]
        )

    expected = divergence(0.2, 0.7) + divergence(0.9, 0.5)
    assert distance(np.array([0.2, 0.9]), np.array([0.7, 0.5])) == pytest.approx(expected)


def test_tables_of_a_comparison_agree_with_the_posteriors(spoken: Knowledge) -> None:
    found = compare(spoken, CASES)
    assert list(zip(found.cases["case"], found.cases["rival"], strict=True)) == [
        (case, rival.id) for case in CASES.index for rival in found.rivals
    ]
    for row in found.cases.to_dict("records"):
        own = found.posteriors.loc[(row["case"], row["rival"])]
        model = found.posteriors.loc[(row["case"], MODEL)]
        assert row["first_cause"] == own.idxmax()
        assert row["first_posterior"] == own.max()
        assert row["first_in_model"] == model[row["first_cause"]]
        assert row["first_differs"] == (own.idxmax() != model.idxmax())
        assert row["largest_rival"] == own[row["largest_cause"]]
        assert abs(row["largest_rival"] - row["largest_model"]) == (own - model).abs().max()
        assert row["distance"] == pytest.approx(distance(own.to_numpy(), model.to_numpy()))
    for row in found.pairs.to_dict("records"):
        one, other = (found.posteriors.loc[(row["case"], row[key])] for key in ("rival", "other"))
        assert row["distance"] == pytest.approx(distance(one.to_numpy(), other.to_numpy()))
    assert len(found.pairs) == 6 * len(CASES)
    for rival, row in zip(found.summary.index, found.summary.to_dict("records"), strict=True):
        own = found.cases[found.cases["rival"] == rival].set_index("case")
        assert row["mean_distance"] == pytest.approx(own["distance"].mean())
        assert row["maximum_distance"] == own["distance"].max()
        assert own.loc[row["farthest_case"], "distance"] == own["distance"].max()
        assert row["first_differs"] == own["first_differs"].sum()


def brute_force(knowledge: Knowledge, left: Sequence[str], case: str, cause: str) -> float:
    """Put the readings of S0 without some statements into a network of their own."""
    readings = {
        reading.number: reading.value
        for one in STATEMENTS
        if one.document == "S0" and one.id not in left
        for reading in one.readings
    }
    engine = Engine(with_numbers(knowledge, readings))
    return float(engine.score(CASES.loc[[case]])[cause].iloc[0])


@pytest.mark.parametrize("case", ["a", "b"])
def test_statements_are_left_out_as_by_hand(spoken: Knowledge, case: str) -> None:
    found = compare(spoken, CASES, case)
    rows = found.statements[found.statements["rival"] == "S0"]
    expected = {
        "a": ["S0-01", "S0-02", "S0-03", "S0-04", "S0-05", "S0-06"],
        # Nothing is known of the age.
        "b": ["S0-01", "S0-02", "S0-03", "S0-05", "S0-06"],
    }
    assert sorted(name for (name,) in rows["statements"]) == expected[case]
    assert rows["change"].abs().is_monotonic_decreasing
    for row in rows.to_dict("records"):
        assert row["case"] == case
        left_out = brute_force(spoken, row["statements"], case, row["cause"])
        assert row["without"] == pytest.approx(left_out, abs=1e-8)
        assert row["posterior"] == pytest.approx(
            brute_force(spoken, (), case, row["cause"]), abs=1e-8
        )
        assert row["change"] == row["posterior"] - row["without"]


def test_unobserved_findings_are_not_tried(spoken: Knowledge) -> None:
    # Nothing but the cramp: CK was not measured, no risk is known.
    found = compare(spoken, pd.DataFrame({"cramp": ["present"]}, index=["a"]))
    rows = found.statements[found.statements["rival"] == "S0"]
    numbers = {place for places in rows["numbers"] for place in places}
    assert f"{STATIN}links.ck_high" not in numbers
    assert f"{STATIN}effects[0]" not in numbers
    assert f"{STATIN}prior" in numbers
    assert "findings.toml:cramp.background_effects[0]" in numbers


def test_derivatives_choose_the_statements_that_matter_most(
    spoken: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = compare(spoken, CASES, "a").statements.query("rival == 'S0'")
    monkeypatch.setattr(source_influence, "MOST_EXACT", 4)
    monkeypatch.setattr(source_influence, "FEWEST_BY_DERIVATIVE", 1)
    found = compare(spoken, CASES, "a")
    fewer = found.statements.query("rival == 'S0'")
    # Three have no derivative, so one of the other three is left: the strongest of them.
    without_slope = {("S0-04",), ("S0-05",), ("S0-06",)}
    strongest = next(names for names in every["statements"] if names not in without_slope)
    assert set(fewer["statements"]) == without_slope | {strongest}
    assert found.explained.loc["S0", ["bearing", "computed"]].tolist() == [6, 4]


def test_statements_that_say_the_same_are_left_out_together(folder: Knowledge) -> None:
    knowledge = said(
        folder,
        statement("S0-01", (CRAMP, 0.8)),
        statement("S0-02", (CRAMP, 0.8)),
        statement("S0-03", (PRIOR, 0.3)),
    )
    found = compare(knowledge, CASES, "a").statements
    assert set(found["statements"]) == {("S0-01", "S0-02"), ("S0-03",)}


def test_a_number_beats_a_word_and_particular_people_beat_people_at_large(
    folder: Knowledge,
) -> None:
    general = [statement(f"S0-0{i}", (f"{STRAIN}links.radiation_any", 0.3)) for i in range(3)]
    word = statement("S0-10", (CRAMP, 0.3), of="people with a strain")
    counted = statement("S0-11", (CRAMP, 0.6), strength="60 %")
    broad = statement("S0-12", (CRAMP, 0.9))
    vague = statement("S0-13", (CRAMP, 0.9), of="not stated")
    for statements, value, names, passed_over in [
        ([word, counted, broad], 0.6, ("S0-11",), ("S0-10", "S0-12")),
        ([word, broad, vague], 0.3, ("S0-10",), ("S0-12", "S0-13")),
    ]:
        rival = only(folder, *general, *statements)
        number = next(one for one in rival.numbers if one.number == CRAMP)
        assert (number.value, number.statements, number.passed_over) == (value, names, passed_over)
        assert not number.mean


def test_statements_that_differ_are_averaged_and_named(folder: Knowledge) -> None:
    effect = f"{STATIN}effects[0]"
    rival = only(
        folder,
        statement("S0-01", (CRAMP, 0.2), (effect, 1.0)),
        statement("S0-02", (CRAMP, 0.5), (effect, 4.0)),
    )
    number, ratio = (
        next(one for one in rival.numbers if one.number == place) for place in (CRAMP, effect)
    )
    assert number.mean
    assert ratio.mean
    assert number.statements == ("S0-01", "S0-02")
    assert number.value == pytest.approx(1 / 3)  # odds 1:4 and 1:1, on average 1:2
    assert ratio.value == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        (f"{STATIN}prior", 0.25, "requires"),  # only 0.2 take a statin
        (f"{STRAIN}effects[0]", 1.2, "strictly between 0 and 1"),
        ("causes/bowel.toml:prior", 0.3, "bowel is not modelled as a cause"),
        ("risks.toml:age.prevalence", 0.3, "several values"),
        ("findings.toml:nothing.background", 0.3, "no such number"),
        (CRAMP, 1.0, "strictly between 0 and 1"),
        (f"{STRAIN}links.radiation_foot", 0.5, "at most 0.1"),
        ("findings.toml:cramp.background", 0.05, "average to the background"),
    ],
)
def test_a_reading_that_cannot_hold_is_left_out_by_name(
    folder: Knowledge, place: str, value: float, reason: str
) -> None:
    knowledge = said(folder, statement("S0-01", (place, value)), statement("S0-02", (PRIOR, 0.3)))
    found = compare(knowledge, CASES)
    rival = found.rivals[0]
    (left,) = rival.left_out
    assert (left.statement, left.number, left.value) == ("S0-01", place, value)
    assert reason in left.reason
    assert values(rival.knowledge) == {**values(folder), PRIOR: 0.3}
    assert found.summary.loc["S0", "left_out"] == 1


def test_an_effect_that_cannot_hold_beside_the_sources_own_prior_is_left_out(
    folder: Knowledge,
) -> None:
    effect = f"{STATIN}effects[0]"
    assert not only(folder, statement("S0-01", (effect, 5.0))).left_out
    both = [statement("S0-01", (effect, 5.0)), statement("S0-02", (f"{STATIN}prior", 0.12))]
    (left,) = only(folder, *both).left_out
    assert (left.statement, left.number) == ("S0-01", effect)
    assert "effects that keep every probability at or below 1" in left.reason


def test_a_reading_that_another_one_makes_possible_is_put_in(folder: Knowledge) -> None:
    rival = only(
        folder,
        statement("S0-01", (f"{STATIN}prior", 0.25)),
        statement("S0-02", ("risks.toml:statin_use.prevalence", 0.5)),
        statement("S0-03", (f"{STRAIN}links.radiation_foot", 0.5)),
        statement("S0-04", (f"{STRAIN}links.radiation_any", 0.6)),
        statement("S0-05", (f"{STRAIN}effects[0]", 1.2)),
    )
    assert [one.statement for one in rival.left_out] == ["S0-05"]
    assert len(rival.numbers) == 4


def test_impossible_cases_have_no_distance(spoken: Knowledge, folder: Knowledge) -> None:
    assert folder.risks["statin_use"].states == ("absent", "present")
    real = model_numbers(spoken)
    assembly = assemble(real)
    columns = {name: CASES[name].array for name in CASES.columns}
    read = CaseReader(real, assembly.model).read(columns, len(CASES), range(len(CASES)))
    side = per_source._side(MODEL, assembly, read.evidence, ["strain", "statin_myopathy"])
    side.posterior[1] = np.nan
    table = per_source._compared(side, side, CASES.index, ["strain", "statin_myopathy"])
    assert table["possible"].tolist() == [True, False, True]
    assert math.isnan(table.loc[1, "distance"])
    assert table.loc[1, "first_cause"] == ""
    assert per_source._row_to_explain(table, CASES.index, "b") is None


def test_calibrated_numbers_are_the_models(spoken: Knowledge) -> None:
    """A reading that equals an elicited value must not be moved on to the calibrated one."""
    moves = (
        Move(number=PRIOR, elicited=0.13, calibrated=0.2, constraint="c"),
        Move(number=CRAMP, elicited=0.5, calibrated=0.55, constraint="c"),
    )
    moved = spoken.model_copy(update={"calibration": Calibration(computed_from="", move=moves)})
    rival = only(moved, statement("S0-01", (PRIOR, 0.13)))
    assert values(rival.knowledge)[PRIOR] == 0.13
    assert values(rival.knowledge)[CRAMP] == 0.55
    assert rival.numbers[0].model == 0.2
    assert values(Engine(rival.knowledge).knowledge)[PRIOR] == 0.13


def test_faults_are_named(folder: Knowledge, spoken: Knowledge) -> None:
    with pytest.raises(InvalidKnowledge, match=r"statements\.toml: expected statements"):
        compare(folder, CASES)
    with pytest.raises(InvalidCase, match="case: expected a case of the table, got 'z'"):
        compare(spoken, CASES, "z")
    with pytest.raises(InvalidCase, match="row 1, column cramp"):
        compare(spoken, CASES.assign(cramp=["present", "perhaps", ""]))
    with pytest.raises(InvalidCase, match="one case or more"):
        compare(spoken, CASES.iloc[:0])
    twice = pd.concat([CASES, CASES[["cramp"]]], axis=1)
    with pytest.raises(InvalidCase, match="each column once"):
        compare(spoken, twice)


PUDENDAL = {"sitting_worse": ["present"], "perineal_pain": ["present"], "sex": ["male"]}


def test_sometimes_against_nearly_always_when_sitting_hurts(real_knowledge: Knowledge) -> None:
    """S0 says that pudendal pain is sometimes worse on sitting; the criteria, nearly always."""
    place = "causes/pudendal_neuralgia.toml:links.sitting_worse"
    base = model_numbers(real_knowledge)
    document = [one for one in base.statements.values() if one.document == "S0"]
    rival = build_source_model(base, "S0", "", document)
    number = next(one for one in rival.numbers if one.number == place)
    assert (number.model, number.value, number.statements) == (0.95, 0.25, ("S0-31",))
    # That statement alone, so that no other reading of the document is in the way.
    alone = build_source_model(base, "S0", "", [base.statements["S0-31"]])
    model = assemble(base)
    assembly = assemble(alone.knowledge, model.links)
    evidence = CaseReader(base, assembly.model).read(PUDENDAL, 1, None).evidence
    found = find_influences(base, alone, assembly, evidence, "pudendal_neuralgia")
    (influence,) = found.computed
    assert influence.statements == ("S0-31",)
    assert influence.numbers == (place,)
    posterior = Engine(real_knowledge).score(pd.DataFrame(PUDENDAL))["pudendal_neuralgia"][0]
    assert influence.without == pytest.approx(posterior, abs=1e-7)
    # Sitting speaks against it now, or hardly for it: less than half of the odds are left.
    odds = [p / (1 - p) for p in (found.posterior, influence.without)]
    assert odds[0] < 0.5 * odds[1]


def test_no_reading_of_the_packaged_statements_is_lost(real_knowledge: Knowledge) -> None:
    for rival in source_models(real_knowledge):
        used = {name for one in rival.numbers for name in (*one.statements, *one.passed_over)}
        used |= {one.statement for one in rival.left_out}
        assert used == {one.id for one in rival.statements}
        assert all(one.reason for one in rival.left_out)


@pytest.mark.parametrize("folder", ["priors", "examples/headache"])
def test_only_what_changed_is_checked_and_finds_what_a_whole_check_does(folder: str) -> None:
    """One number after the other, far up and far down."""
    base = read_knowledge(folder)
    assert one_source._faults(base) == []
    numbers = [one for one in every_number(base) if not isinstance(one.value, tuple)]
    refused = 0
    for one in numbers[:: max(1, len(numbers) // 25)]:
        for value in (40.0, 0.01) if one.is_ratio else (0.97, 1e-6):
            values = {one.place: value}
            whole = one_source._faults(with_numbers(base, values))
            found = one_source._new_fault(base, values, set())
            assert found == (whole[0] if whole else None), (one.place, value)
            refused += found is not None
    assert refused
