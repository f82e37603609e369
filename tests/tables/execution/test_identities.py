"""Ids of cases: as they are written, told apart, counted."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesdx.diagnosis.core import Core
from bayesdx.errors import InvalidCase
from bayesdx.tables.encoders import FORMULA_STARTS, neutral
from bayesdx.tables.execution.identities import case_ids, id_marks, repeats, unfit_ids
from bayesdx.tables.execution.run_options import RunOptions
from bayesdx.tables.execution.table_run import score_table
from bayesdx.tables.execution.verification import verify_output
from bayesdx.tables.whole_tables import read_cases


def restored(cell: str) -> str:
    """Take the apostrophe away, as the docstring of `neutral` says."""
    bare = cell.lstrip("'")
    return cell[1:] if bare != cell and bare.startswith(FORMULA_STARTS) else cell


@given(st.text(alphabet="'=+-@\t\r\n＝＋－＠1ae.", max_size=6))
def test_the_apostrophe_can_be_taken_away_again(text: str) -> None:
    written = neutral(text)
    assert isinstance(written, str)
    assert restored(written) == text or text == written
    assert not written.startswith(FORMULA_STARTS) or float(written) == float(text)


@given(st.lists(st.text(alphabet="'=-＝1", max_size=4), min_size=2, max_size=2, unique=True))
def test_two_texts_never_become_one(texts: list[str]) -> None:
    assert neutral(texts[0]) != neutral(texts[1])


def test_floats_that_are_whole_are_whole_numbers() -> None:
    column = pa.chunked_array([pa.array([1.0, None, 2.0**53 - 1, 2.0**53, 1.5, float("inf")])])
    assert case_ids(column).to_pylist() == [1, None, 2**53 - 1, None, None, None]
    assert unfit_ids(column) == [(3, 2.0**53), (4, 1.5), (5, float("inf"))]
    assert unfit_ids(pa.chunked_array([pa.array([2.0**24], pa.float32())])) == [(0, 2.0**24)]


def test_an_id_that_is_no_exact_number_is_one_bad_row(core: Core, tmp_path: Path) -> None:
    cases = tmp_path / "c.parquet"
    pd.DataFrame({"case_id": [1.0, 1.2345678901234568e18, 7.0], "cramp": [1, 0, 1]}).to_parquet(
        cases
    )
    with pytest.raises(InvalidCase, match=r"case_id: expected a text or a whole number .*below 2"):
        score_table(core, cases, tmp_path / "o.csv")
    score_table(core, cases, tmp_path / "o.csv", RunOptions(on_error="skip"))
    assert read_cases(tmp_path / "o.csv")["case_id"].tolist() == ["1", "7"]


def test_marks_find_what_comes_twice_and_where() -> None:
    lines = np.arange(2, 8)
    marks, blank = id_marks(pa.array(["a", "b", "a", None, "", "a"]), lines)
    assert blank == 2
    assert repeats(marks).T.tolist() == [[4, 2], [7, 2]]
    assert repeats(id_marks(pa.array([1, 2, 3]), lines[:3])[0]).shape == (2, 0)


@pytest.mark.parametrize("chunk_rows", [1, 2, 100])
def test_ids_that_come_twice_are_counted_and_told(
    core: Core, tmp_path: Path, chunk_rows: int
) -> None:
    cases = tmp_path / "c.csv"
    cases.write_text("case_id,cramp\na,1\nb,0\na,0\n,1\n")
    report = score_table(core, cases, tmp_path / "o.csv", RunOptions(chunk_rows=chunk_rows))
    assert (report.counts.repeated_ids, report.counts.blank_ids) == (1, 1)
    assert report.repeated == ((4, 2),)
    audit = json.loads((tmp_path / "o.csv.audit.json").read_text())
    assert audit["counts"]["repeated_ids"] == 1
    assert verify_output(core, tmp_path / "o.csv", sample=None).differences == ()
    unique = RunOptions(chunk_rows=chunk_rows, unique_ids=True)
    with pytest.raises(InvalidCase) as caught:
        score_table(core, cases, tmp_path / "p.csv", unique)
    assert [str(fault) for fault in caught.value.faults] == [
        f"{cases}:4: expected an id of its own in case_id (--unique-ids), got that of line 2.",
        f"{cases}: expected an id of its own in case_id (--unique-ids), got 1 without one.",
    ]
    assert not (tmp_path / "p.csv").exists()
