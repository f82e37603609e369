"""Cases in: text stays text, and whatever is not a table is refused with its place."""

import gzip
import io
import re
from pathlib import Path

import pandas as pd
import pytest

from bayesdx.errors import InvalidCase
from bayesdx.tables import parse_csv, read_cases


def read(text: str | bytes) -> pd.DataFrame:
    return parse_csv(text if isinstance(text, bytes) else text.encode(), "cases.csv")


def test_every_cell_is_text_as_written() -> None:
    cases = read("case_id,fever,age,x\n007,NA,1,\n008,null,1.50,true\n")
    assert cases.to_dict("list") == {
        "case_id": ["007", "008"],
        "fever": ["NA", "null"],
        "age": ["1", "1.50"],
        "x": ["", "true"],
    }


def test_byte_order_mark_is_no_part_of_the_first_name() -> None:
    assert list(read("\ufeffage,fever\n1,2\n".encode()).columns) == ["age", "fever"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(end: str) -> None:
    assert read(f"age,fever{end}52,present{end}").to_dict("list") == {
        "age": ["52"],
        "fever": ["present"],
    }


def test_last_line_needs_no_end() -> None:
    assert len(read("age,fever\n52,present")) == 1


def test_quoted_cells_may_hold_commas_quotes_and_line_ends() -> None:
    assert read('note,age\n"a, ""b""\nc",5\n')["note"].tolist() == ['a, "b"\nc']


def test_names_are_stripped_and_blank_lines_skipped() -> None:
    cases = read("age, fever\n\n1,2\n\n3,4\n\n")
    assert list(cases.columns) == ["age", "fever"]
    assert cases["age"].tolist() == ["1", "3"]


FAULTS = {
    "empty": ("", "cases.csv:1:1: expected a header line, got an empty file."),
    "blank lines only": ("\n\n", "cases.csv:1:1: expected a header line, got an empty file."),
    "header only": (
        "age,fever\n",
        "cases.csv: expected at least one case below the header, got none.",
    ),
    "row too long": (
        "age,fever\n1,2\n1,2,3\n",
        "cases.csv:3:3: expected 2 values, as in the header, got 3.",
    ),
    "row too short": (
        "age,fever\n1\n",
        "cases.csv:2:2: expected 2 values, as in the header, got 1.",
    ),
    "row after a cell of two lines": (
        'age,note\n1,"a\nb"\n1\n',
        "cases.csv:4:2: expected 2 values, as in the header, got 1.",
    ),
    "column twice": (
        "age,fever, age\n1,2,3\n",
        "cases.csv:1:3: expected each column once (this one is column 1 already), got 'age'.",
    ),
    "semicolons": (
        "age;fever\n1;2\n",
        "cases.csv:1:1: expected columns separated by commas, got semicolons: --delimiter ';' "
        "reads them (with --decimal , where numbers have a comma).",
    ),
    "tabs": (
        "age\tfever\n1\t2\n",
        "cases.csv:1:1: expected columns separated by commas, got tabs: --delimiter 'tab' "
        "reads them.",
    ),
    "latin-1": (
        b"age,note\n1,caf\xe9\n",
        "cases.csv:2:2: expected UTF-8 text (save the file as UTF-8, or name its encoding: "
        "--encoding (of network: --cases-encoding)), got b'caf\\xe9'.",
    ),
    "open quote": (
        'age,note\n1,"a\n2,b\n',
        "cases.csv:2:2: expected a CSV record, with its quotation marks closed and doubled inside; "
        "reading stops here, since where the next row begins cannot be known, got one that opens "
        "before 'a\\n2,b', still open at the end.",
    ),
    "parquet": (
        b"PAR1....",
        "cases.csv: expected CSV text, got a Parquet file without its suffix.",
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_fault_has_place_expected_and_got(case: str) -> None:
    data, message = FAULTS[case]
    with pytest.raises(InvalidCase, match=f"^{re.escape(message)}$"):
        read(data)


def test_all_ragged_rows_are_named_at_once() -> None:
    with pytest.raises(InvalidCase, match="2 faults") as caught:
        read("age,fever\n1\n1,2\n1,2,3\n")
    assert [fault.place for fault in caught.value.faults] == ["cases.csv:2:2", "cases.csv:4:3"]


def test_faults_before_an_unclosed_mark_are_told_with_it() -> None:
    with pytest.raises(InvalidCase, match="2 faults") as caught:
        read('age,fever,note\n1\n1,2,"\n')
    assert [fault.place for fault in caught.value.faults] == ["cases.csv:2:2", "cases.csv:3:3"]


def test_a_flood_of_faults_is_counted() -> None:
    with pytest.raises(InvalidCase, match="234 more of these faults") as caught:
        read("age,fever\n" + "1\n" * 1234)
    assert len(caught.value.faults) == 1001


def test_missing_file_offers_near_names(tmp_path: Path) -> None:
    (tmp_path / "documents.csv").write_text("age\n1\n")
    with pytest.raises(InvalidCase, match=r"no such file\. Nearest: documents\.csv\.$"):
        read_cases(tmp_path / "document.csv")


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(InvalidCase, match=r"expected a file, got no such file\.$"):
        read_cases(tmp_path / "nowhere" / "cases.csv")


def test_folder_without_parquet(tmp_path: Path) -> None:
    with pytest.raises(InvalidCase, match=r"expected Parquet files in the folder, got none\.$"):
        read_cases(tmp_path)


def test_foreign_format_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidCase, match=r"ending in \.csv, .* or \.parquet, got '\.xlsx'\.$"):
        read_cases(tmp_path / "cases.xlsx")


def test_broken_parquet(tmp_path: Path) -> None:
    (tmp_path / "cases.parquet").write_bytes(b"age\n1\n")
    with pytest.raises(InvalidCase, match="expected a Parquet file, got"):
        read_cases(tmp_path / "cases.parquet")


def test_parquet_without_rows(tmp_path: Path) -> None:
    pd.DataFrame({"age": pd.Series([], dtype=float)}).to_parquet(tmp_path / "cases.parquet")
    with pytest.raises(InvalidCase, match="expected at least one case below the header, got none"):
        read_cases(tmp_path / "cases.parquet")


def test_parquet_index_with_a_name_is_a_column_and_a_bare_one_is_not(tmp_path: Path) -> None:
    frame = pd.DataFrame({"age": [52.0, 60.0]}, index=pd.Index(["a", "b"], name="case_id"))
    frame.to_parquet(tmp_path / "named.parquet")
    assert set(read_cases(tmp_path / "named.parquet").columns) == {"case_id", "age"}
    frame.rename_axis(index=None).to_parquet(tmp_path / "bare.parquet")
    assert list(read_cases(tmp_path / "bare.parquet").columns) == ["age"]


def test_compressed_and_json_lines_are_read_as_well(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"age,fever\n52,\n"))
    (tmp_path / "b.jsonl").write_text('{"age": 52, "fever": null}\n')
    expected = {"age": ["52"], "fever": [""]}
    assert read_cases(tmp_path / "a.csv.gz").to_dict("list") == expected
    assert read_cases(tmp_path / "b.jsonl").to_dict("list") == expected


def test_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(b"age\n52\n"), encoding="ascii")
    monkeypatch.setattr("sys.stdin", stream)
    assert read_cases("-")["age"].tolist() == ["52"]
