"""A row that cannot be read costs one row, in every way to score a table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import bayesdx
from bayesdx.cli import main
from bayesdx.diagnosis import scoring
from bayesdx.tables import score_partition

Rows = list[dict[str, Any]]
BAD = {"fever": "perhaps", "age": 400, "fair_pos": "present"}
EMPTY = ["urgency", "red_flags"]


@pytest.fixture
def slips(rows: Rows) -> pd.DataFrame:
    """Sound rows, two of them bad ones, under labels of their own."""
    table = [rows[0], BAD, rows[1], {**rows[2], "fever": "no idea"}, rows[2]]
    return pd.DataFrame(table, index=pd.Index([5, 4, 3, 2, 2], name="patient"))


def test_a_rejected_row_stays_with_its_faults_and_nothing_else(
    engine: bayesdx.Engine, slips: pd.DataFrame
) -> None:
    found = engine.score(slips, on_error="reject")
    assert found.index.equals(slips.index)
    assert found["status"].tolist() == ["ok", "rejected", "ok", "rejected", "ok"]
    good = (found["status"] != "rejected").to_numpy()
    sound = engine.score(slips[good])
    pd.testing.assert_frame_equal(found[good].drop(columns="fault"), sound, check_dtype=False)
    assert found["fault"][good].tolist() == ["", "", ""]
    told = found["fault"].iloc[1]
    assert "row 1, column fever: expected present, absent or unknown" in told
    assert "row 1, column age: expected" in told
    lost = found[~good].drop(columns=["status", "fault"])
    # No number and above all no urgency, which could be read as an answer.
    assert lost.isna().to_numpy().all()
    assert [cell is None for name in EMPTY for cell in lost[name]] == [True] * 4


def test_rows_may_be_left_out_and_all_faults_are_raised(
    engine: bayesdx.Engine, slips: pd.DataFrame
) -> None:
    found = engine.score(slips, on_error="skip")
    assert found.index.tolist() == [5, 3, 2]
    pd.testing.assert_frame_equal(found, engine.score(slips.iloc[[0, 2, 4]]))
    with pytest.raises(bayesdx.InvalidCase, match="column age: expected") as caught:
        engine.score(slips)
    assert len(caught.value.faults) == 3


def test_sound_tables_have_the_column_too(engine: bayesdx.Engine, rows: Rows) -> None:
    found = engine.score(rows, on_error="reject")
    assert found["fault"].tolist() == ["", "", ""]
    pd.testing.assert_frame_equal(found.drop(columns="fault"), engine.score(rows))


def test_only_bad_rows_and_none_at_all(engine: bayesdx.Engine) -> None:
    assert engine.score([BAD, BAD], on_error="reject")["status"].tolist() == ["rejected"] * 2
    assert len(engine.score([BAD], on_error="skip")) == 0
    assert len(engine.score(pd.DataFrame({"fever": []}), on_error="reject")) == 0


def test_any_number_of_rows_at_once(
    engine: bayesdx.Engine, slips: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = engine.score(slips, on_error="reject")
    monkeypatch.setitem(scoring.score_rows.__kwdefaults__, "rows_at_once", 2)
    pd.testing.assert_frame_equal(engine.score(slips, on_error="reject"), whole, atol=1e-12, rtol=0)
    assert engine.score(slips, on_error="skip").index.tolist() == [5, 3, 2]


@pytest.mark.parametrize("kind", [pa.Table.from_pylist, pl.DataFrame])
def test_other_tables_and_kept_columns(
    engine: bayesdx.Engine, rows: Rows, kind: Callable[[Rows], Any]
) -> None:
    table = [{**row, "fever": str(row["fever"] or ""), "ward": at} for at, row in enumerate(rows)]
    table[1]["fever"] = "perhaps"
    found = engine.score(kind(table), on_error="reject", keep="ward")
    assert type(found) is type(kind(table))
    assert list(found["ward"]) == list(kind(table)["ward"])
    assert [str(cell) for cell in found["status"]] == ["ok", "rejected", "ok"]


def test_text_that_is_no_utf8_costs_its_row(engine: bayesdx.Engine) -> None:
    # Arrow does not check it: so a Parquet file in Latin-1 comes in.
    raw = pa.array([b"present", b"pr\xe9sent", None, b"absent"], pa.binary())
    expected = engine.score([{"fever": word} for word in ("yes", None, "no")])["log_evidence"]
    text = raw.view(pa.string())
    coded = pa.DictionaryArray.from_arrays(pa.array([0, 1, None, 3]), text)
    for texts in (text, raw.cast(pa.large_binary()).view(pa.large_string()), coded):
        table = pa.table({"fever": texts})
        found = engine.score(table, on_error="reject").to_pandas()
        assert found["status"].tolist()[1] == "rejected"
        assert r"got b'pr\xe9sent'" in found["fault"][1]
        assert found["log_evidence"].dropna().tolist() == pytest.approx(expected.tolist())
        with pytest.raises(bayesdx.InvalidCase, match=r"row 1, column fever.*got b'pr") as caught:
            engine.score(table)
        assert len(caught.value.faults) == 1


@pytest.mark.parametrize(
    "cell",
    [np.array([1.0]), np.array([]), np.array([pd.NA]), np.array([np.nan]), [1], pl.Series([1])],
    ids=repr,
)
@pytest.mark.parametrize("column", ["fever", "age", "leg_radiation"])
def test_several_values_in_a_cell_are_neither_one_nor_unknown(
    engine: bayesdx.Engine, cell: object, column: str
) -> None:
    """As pandas reads lists in Parquet."""
    frame = pd.DataFrame({"slr_pos": ["present", "absent"], column: [cell, None]}, dtype=object)
    assert engine.score(frame, on_error="reject")["status"].tolist() == ["rejected", "ok"]
    with pytest.raises(bayesdx.InvalidCase, match=f"{column}: expected"):
        engine.diagnose({column: cell})


def test_a_kept_column_must_not_be_the_fault(engine: bayesdx.Engine) -> None:
    case = [{"fever": "yes", "fault": "mine"}]
    assert engine.score(case, keep="fault")["fault"].tolist() == ["mine"]
    with pytest.raises(bayesdx.InvalidCase, match="keep: expected a column that the answer does"):
        engine.score(case, keep="fault", on_error="reject")


def test_unknown_words_are_told(engine: bayesdx.Engine, rows: Rows) -> None:
    with pytest.raises(bayesdx.InvalidCase, match="on_error: expected one of raise, reject, skip"):
        engine.score(rows, on_error="rejects")
    with pytest.raises(bayesdx.InvalidCase, match="id, keep and ignore are for others"):
        engine.score([{"shoe": 1}], on_error="reject")


def test_partitions_and_the_command_line_reject_the_same_rows(
    engine: bayesdx.Engine, slips: pd.DataFrame, tmp_path: Path
) -> None:
    here = engine.score(slips, on_error="reject")
    part = score_partition(slips, engine, on_error="reject")
    assert part["status"].tolist() == here["status"].tolist()
    assert (part["fault"].notna() == (here["fault"] != "")).all()
    slips.to_csv(tmp_path / "cases.csv", index=False)
    out = tmp_path / "out.parquet"
    table = str(tmp_path / "cases.csv")
    assert main(["score", table, "-o", str(out), "--on-error", "skip", "--quiet"]) == 0
    kept = engine.score(slips, on_error="skip").reset_index(drop=True)
    found = pd.read_parquet(out)
    assert found["case_id"].tolist() == [0, 2, 4]
    pd.testing.assert_frame_equal(
        found.drop(columns="case_id"), kept, check_dtype=False, atol=1e-12, rtol=0
    )
    rejected = pd.read_csv(f"{out}.rejected.csv")
    assert sorted(set(rejected["row"])) == [1, 3]
