"""Tables that are read in blocks: the same cases, in less room."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayesdx
from bayesdx.diagnosis.learning import learning_table
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
    monkeypatch.setattr(learning_table, "BLOCK_ROWS", 10)
    monkeypatch.setattr("bayesdx.tables.stated_tables.BLOCK_ROWS", 7)
    assert [len(one) for one in read_frames(path, TableOptions())] == [7] * 14 + [5]
    assert read_frame(path, TableOptions()).index.tolist() == list(range(103))
    for blocks in (blocks_of(frame), read_frames(path, TableOptions())):
        found = read_table(engine.core, blocks, AS_WRITTEN)
        assert found.counts == whole.counts
        for own, right in (
            (found.evidence, whole.evidence),
            (found.rows.evidence, whole.rows.evidence),
        ):
            for name, values in vars(right).items():
                np.testing.assert_array_equal(getattr(own, name), values, err_msg=name)
        np.testing.assert_array_equal(found.labels.causes, whole.labels.causes)
        np.testing.assert_array_equal(found.rows.sign, whole.rows.sign)
        np.testing.assert_array_equal(found.rows.owner, whole.rows.owner)
        pd.testing.assert_frame_equal(found.asking.report(), whole.asking.report())
        assert found.asking.giving_away() == whole.asking.giving_away()


def test_every_block_tells_its_faults_and_a_column_tells_once(
    engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning_table, "BLOCK_ROWS", 10)
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


def test_asking_is_counted_as_pair_by_pair(engine, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = cases(400, 3)
    # Throbbing is asked of migraine, and light hurts is the label by another name.
    sure = frame[MIGRAINE].isin(["yes", "no"])
    frame.loc[frame[MIGRAINE] == "no", "throbbing"] = ""
    frame["light_hurts"] = frame[MIGRAINE].where(sure, "")
    frame.loc[:30, "light_hurts"] = ""
    for at_once in (7, 1000):
        monkeypatch.setattr(learning_table, "BLOCK_ROWS", at_once)
        asking = read_table(engine.core, blocks_of(frame), AS_WRITTEN).asking
        report = asking.report()
        assert report["finding"].tolist() == ["throbbing"]
        row = report.set_index("finding").loc["throbbing"]
        present, absent = (frame[frame[MIGRAINE] == word] for word in ("yes", "no"))
        assert (row["present"], row["absent"]) == (len(present), len(absent))
        assert row["asked_if_present"] == pytest.approx((present["throbbing"] != "").mean())
        assert row["asked_if_absent"] == 0.0
        table = [[(present["throbbing"] != "").sum(), (present["throbbing"] == "").sum()]]
        table.append([0, len(absent)])
        assert row["p"] == pytest.approx(stats.fisher_exact(table)[1])
        both = int((frame["light_hurts"] != "").sum())
        (told,) = asking.giving_away()
        assert f"light_hurts tells {MIGRAINE} in all {both} cases of which both" in told


@pytest.mark.filterwarnings("error")
def test_types_of_a_column_may_change_from_block_to_block(
    engine, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, missing = tmp_path / "cases.parquet", [None] * 6
    frame = pd.DataFrame(
        {
            "nausea": pd.array([1, 0, 1, 1, 0, 1, *missing], dtype="Int64"),
            "throbbing": pd.array([*missing, True, False, True, True, None, False], "boolean"),
            MIGRAINE: pd.array([0.25, None, 1.0, 0.0, 1.0, 1.0, *missing], "Float64"),
        }
    )
    frame.to_parquet(path, index=False)
    monkeypatch.setattr("bayesdx.tables.stated_tables.BLOCK_ROWS", 3)
    found = read_table(engine.core, read_frames(path, TableOptions()), AS_WRITTEN)
    whole = read_table(engine.core, [read_frame(path, TableOptions())], AS_WRITTEN)
    np.testing.assert_array_equal(found.evidence.findings, whole.evidence.findings)
    np.testing.assert_array_equal(found.labels.causes, whole.labels.causes)
    given = engine.core.model.findings.index("throbbing")
    told = [np.nan] * 6 + [1.0, 0.0, 1.0, 1.0, np.nan, 0.0]
    np.testing.assert_array_equal(found.evidence.findings[:, given], told)
