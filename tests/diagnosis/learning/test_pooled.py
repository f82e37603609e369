"""Places that share sums learn what they would learn from one table of all their cases."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import bayesdx
from bayesdx.diagnosis.learning.case_statistics import read_shared
from bayesdx.errors import BayesdxError

MIGRAINE = "cause:migraine"
#: Cases of the three places.
SIZES = (60, 90, 40)


@pytest.fixture(scope="module")
def engine() -> bayesdx.Engine:
    return bayesdx.load("examples/headache")


def clinic(count: int, seed: int) -> pd.DataFrame:
    """Cases in which migraine looks otherwise than it is stated; a third of them without label."""
    rng = np.random.default_rng(seed)
    migraine = rng.random(count) < 0.5
    columns = {}
    for name, on, off in (("nausea", 0.3, 0.1), ("throbbing", 0.9, 0.2), ("fever", 0.02, 0.05)):
        present = rng.random(count) < np.where(migraine, on, off)
        told = rng.random(count) < 0.8
        columns[name] = np.where(told, np.where(present, "present", "absent"), "")
    label = np.where(migraine, "present", "absent")
    columns[MIGRAINE] = np.where(rng.random(count) < 2.0 / 3.0, label, "")
    return pd.DataFrame(columns)


@pytest.fixture(scope="module")
def tables() -> list[pd.DataFrame]:
    return [clinic(size, 20 + i) for i, size in enumerate(SIZES)]


def pooled(
    engine: bayesdx.Engine, tables: list[pd.DataFrame], least: int
) -> tuple[bayesdx.Learned, int]:
    """Ask every place, round after round."""
    places = [engine.case_statistics(one, least=least) for one in tables]
    for n_rounds in range(1, 40):
        found = engine.learn_pooled(places)
        if isinstance(found, bayesdx.Learned):
            return found, n_rounds
        # What travels is text.
        place = "round.json"
        asked = read_shared(bayesdx.NextRound, place, found.to_json())
        sums = [read_shared(bayesdx.CaseStatistics, place, p.to_json()) for p in places]
        places = [
            engine.case_statistics(one, at=asked, earlier=own, least=least)
            for one, own in zip(tables, sums, strict=True)
        ]
    raise AssertionError("no end of rounds")


def test_sums_of_places_give_what_all_cases_give(
    engine: bayesdx.Engine, tables: list[pd.DataFrame]
) -> None:
    together = engine.learn(pd.concat(tables, ignore_index=True), folds=2)
    found, n_rounds = pooled(engine, tables, least=1)
    assert n_rounds > 2
    assert found.counts["used"] == sum(SIZES)
    assert found.counts["labelled"] == together.counts["labelled"]
    assert list(found.table.index) == list(together.table.index)
    numbers = found.table.select_dtypes("number")
    np.testing.assert_allclose(numbers, together.table[numbers.columns], rtol=1e-9, atol=1e-9)
    own, one = found.learning.number, together.learning.number
    assert [n.after for n in own] == pytest.approx([n.after for n in one], rel=1e-9)
    assert found.log_posterior_after == pytest.approx(together.log_posterior_after, abs=1e-4)
    assert found.log_posterior_before == pytest.approx(together.log_posterior_before, rel=1e-12)
    assert not len(found.scores)
    assert "3 places; nothing was held out" in found.notes[0]


def test_one_place_is_as_good_as_its_table(engine: bayesdx.Engine) -> None:
    table = clinic(50, 30)
    found, _ = pooled(engine, [table], least=1)
    assert found.to_toml() == engine.learn(table, folds=2).to_toml()


def test_what_few_cases_speak_of_is_named_and_stays(
    engine: bayesdx.Engine, tables: list[pd.DataFrame]
) -> None:
    few = tables[2].assign(light_hurts=["present"] * 3 + [""] * (SIZES[2] - 3))
    sums = engine.case_statistics(few)
    free = engine.case_statistics(few, least=1)
    assert sums.suppressed
    assert set(sums.suppressed) == set(free.numbers) - set(sums.numbers)
    assert all("light_hurts" in one for one in sums.suppressed)
    many = tables[0].assign(light_hurts=["present", "absent"] * (SIZES[0] // 2))
    found, _ = pooled(engine, [many, few], least=5)
    assert not set(sums.suppressed) & set(found.table.index)
    assert any(f"{len(sums.suppressed)} numbers stayed as they are" in note for note in found.notes)


def test_sums_hold_no_case(engine: bayesdx.Engine, tables: list[pd.DataFrame]) -> None:
    """The sums of a table do not depend on the order of its rows, nor on what they are called."""
    one = tables[0].assign(case_id=[f"secret-{i}" for i in range(SIZES[0])])
    first = engine.case_statistics(one)
    assert "secret" not in first.to_json()
    other = engine.case_statistics(tables[0].iloc[::-1])
    assert first.numbers == other.numbers
    np.testing.assert_allclose(first.points[0].gradient, other.points[0].gradient, rtol=1e-9)


def test_sums_that_do_not_belong_together_are_told(
    engine: bayesdx.Engine, tables: list[pd.DataFrame]
) -> None:
    sums = engine.case_statistics(tables[0])
    with pytest.raises(BayesdxError, match="place 2: expected sums of its own cases"):
        engine.learn_pooled([sums, sums])
    other = engine.case_statistics(tables[1], sample="consecutive")
    with pytest.raises(BayesdxError, match="place 2: expected sample selected"):
        engine.learn_pooled([sums, other])
    strange = replace(sums, computed_from="0" * 12)
    with pytest.raises(BayesdxError, match="place 1: expected sums of these numbers, digest"):
        engine.learn_pooled([strange])
    with pytest.raises(BayesdxError, match="places: expected the sums of one place or more"):
        engine.learn_pooled([])
    asked = bayesdx.NextRound(computed_from=sums.computed_from, sample="selected", steps={"x": 1.0})
    with pytest.raises(BayesdxError, match="x: expected a number that may move"):
        engine.case_statistics(tables[0], at=asked)
    elsewhere = replace(asked, steps={sums.numbers[0]: 0.1})
    with pytest.raises(BayesdxError, match="expected sums of the same cases at other numbers"):
        engine.case_statistics(tables[1], at=elsewhere, earlier=sums)
    with pytest.raises(BayesdxError, match="least: expected a whole number of at least 1"):
        engine.case_statistics(tables[0], least=0)
    cut = sums.to_json().replace('"gradient": [', '"gradient": [0.5, ', 1)
    with pytest.raises(BayesdxError, match=r"a\.json: expected what `bayesdx learn` writes"):
        read_shared(bayesdx.CaseStatistics, "a.json", cut)
