"""Tables that are read in blocks: the same cases, in less room."""

import numpy as np
import pandas as pd
import pytest

import bayesdx
from bayesdx.diagnosis.learning import asking_report as asking
from bayesdx.diagnosis.learning import learning_table
from bayesdx.diagnosis.learning.labels import Labels
from bayesdx.diagnosis.learning.learning_table import AS_WRITTEN, blocks_of, read_table
from bayesdx.errors import InvalidCase
from bayesdx.inference.evidence import compact
from bayesdx.tables.stated_tables import read_frame, read_frames
from bayesdx.tables.table_options import TableOptions

MIGRAINE = "cause:migraine"


@pytest.fixture(scope="module")
def engine() -> bayesdx.Engine:
    return bayesdx.load("examples/headache")


def cases(count: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    words = np.array(["yes", "no", "", "0.3", "80 %"])
    names = ("nausea", "throbbing", "light_hurts")
    frame = pd.DataFrame({name: rng.choice(words, count) for name in names})
    return frame.assign(**{MIGRAINE: rng.choice(["yes", "no", "", "0.9"], count)})


def test_numbers_are_kept_short_only_where_they_are_the_same() -> None:
    hard = np.array([0.0, 1.0, np.nan, 0.5])
    assert compact(hard).dtype == np.float16
    assert compact(np.array([0.1, 1.0])).dtype == np.float64
    assert compact(np.array([1.0 + 2.0**-20, 3e5])).dtype == np.float32
    assert compact(np.array([1e300])).dtype == np.float64
    for values in (hard, np.array([0.1]), np.array([1.0 + 2.0**-20])):
        np.testing.assert_array_equal(compact(values).astype(np.float64), values)


def test_blocks_are_one_table(engine, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame, path = cases(103, 0), tmp_path / "cases.csv"
    frame.to_csv(path, index=False)
    whole = read_table(engine.core, [frame], AS_WRITTEN)
    monkeypatch.setattr(learning_table, "_AT_ONCE", 10)
    monkeypatch.setattr("bayesdx.tables.stated_tables._AT_ONCE", 7)
    assert [len(one) for one in read_frames(path, TableOptions())] == [7] * 14 + [5]
    assert read_frame(path, TableOptions()).index.tolist() == list(range(103))
    for blocks in (blocks_of(frame), read_frames(path, TableOptions())):
        found = read_table(engine.core, blocks, AS_WRITTEN)
        assert found.counts == whole.counts
        for own, right in (
            (found.cases.evidence, whole.cases.evidence),
            (found.rows.evidence, whole.rows.evidence),
        ):
            for name, values in vars(right).items():
                np.testing.assert_array_equal(getattr(own, name), values, err_msg=name)
        np.testing.assert_array_equal(found.labels.causes, whole.labels.causes)
        np.testing.assert_array_equal(found.rows.sign, whole.rows.sign)
        np.testing.assert_array_equal(found.rows.owner, whole.rows.owner)
        for (name, values), (right_name, right_values) in zip(
            found.cases.given, whole.cases.given, strict=True
        ):
            assert name == right_name
            np.testing.assert_array_equal(values, right_values)


def test_every_block_tells_its_faults_and_a_column_tells_once(
    engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning_table, "_AT_ONCE", 10)
    frame = cases(30, 1)
    frame.loc[[3, 25], "nausea"] = "perhaps"
    frame.loc[14, MIGRAINE] = "who knows"
    with pytest.raises(InvalidCase) as told:
        engine.learn(frame)
    said = str(told.value)
    assert [one in said for one in ("row 3", "row 14, cause:migraine", "row 25")] == [True] * 3
    with pytest.raises(InvalidCase, match="nausae") as column:
        engine.learn(frame.rename(columns={"nausea": "nausae"}).drop(columns=MIGRAINE))
    assert len(column.value.faults) == 1


@pytest.mark.parametrize("at_once", [5, 1000])
def test_what_is_asked_is_counted_as_one_by_one(
    engine, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(asking, "_AT_ONCE", at_once)
    rng = np.random.default_rng(2)
    some, others = ([rng.random(47) < 0.4 for _ in range(n)] for n in (3, 4))
    right = [[int((one & other).sum()) for other in others] for one in some]
    assert asking._counts(some, others).tolist() == right
    assert asking._counts([], others).shape == (0, 4)
    table = read_table(engine.core, [cases(160, 3)], AS_WRITTEN)
    labels: Labels = table.labels
    told = asking.giving_away(table.cases, labels, engine.core.model.causes)
    assert not any("nausea" in one for one in told)
    # The same column as its label, the first rows of which say nothing.
    label = labels.causes[:, engine.core.model.causes.index("migraine")].astype(np.float64)
    values = np.where((label == 0) | (label == 1), label, np.nan)
    values[:20] = np.nan
    copied = learning_table.Cases(table.cases.evidence, {}, (("nausea", values),))
    told = asking.giving_away(copied, labels, engine.core.model.causes)
    assert any("nausea tells cause:migraine in all" in one for one in told)
