"""How the input is written and what its columns are for: the same answers by every way."""

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bayesdx.diagnosis.core import Core
from bayesdx.diagnosis.values import Words
from bayesdx.errors import InvalidCase
from bayesdx.tables.execution.run_options import RunOptions
from bayesdx.tables.execution.table_run import score_table
from bayesdx.tables.execution.verification import verify_output
from bayesdx.tables.outputs import OutputOptions
from bayesdx.tables.sources.dialect import Dialect
from bayesdx.tables.table_options import TableOptions
from bayesdx.tables.whole_tables import read_cases

PLAIN = "case_id,cramp,ck\na,1,4.5\nb,0,\nc,0.5,2\n"
WAYS = {
    "semicolons": ("case_id;cramp;ck\na;1;4,5\nb;0;\nc;0,5;2\n", Dialect(";"), Words(decimal=",")),
    "tabs": ("case_id\tcramp\tck\na\tja\t4.5\nb\tnein\t\nc\t50 %\t2\n", Dialect("tab"), Words()),
    "sep": ("sep=;\ncase_id;cramp;ck\na;1;4.5\nb;0;\nc;0.5;2\n", Dialect(), Words()),
    "words": (
        "case_id,cramp,ck\na,oui,4.5\nb,2,\nc,0.5,2\n",
        Dialect(),
        Words(yes=("oui",), no=("2",)),
    ),
}


def scored(core: Core, cases: Path, options: RunOptions | None = None) -> pd.DataFrame:
    out = cases.with_name("out.csv")
    score_table(core, cases, out, options or RunOptions())
    assert verify_output(core, out, sample=None).differences == ()
    return read_cases(out)


@pytest.fixture
def right(core: Core, tmp_path: Path) -> pd.DataFrame:
    (tmp_path / "plain.csv").write_text(PLAIN)
    return scored(core, tmp_path / "plain.csv")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("encoding", ["", "utf-16", "cp1252"])
def test_dialects_and_words(
    core: Core, tmp_path: Path, right: pd.DataFrame, way: str, encoding: str
) -> None:
    text, dialect, words = WAYS[way]
    path = tmp_path / "cases.csv"
    path.write_bytes(text.encode(encoding or "utf-8"))
    table = TableOptions(Dialect(dialect.delimiter, encoding), words)
    assert scored(core, path, RunOptions(table=table, chunk_rows=2)).equals(right)


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("role", ["id", "kept"])
def test_what_is_copied_is_written_or_refused(
    core: Core, tmp_path: Path, role: str, suffix: str
) -> None:
    """Bytes are text, or their row is rejected; lists are for Parquet only."""
    cases, out = tmp_path / "c.parquet", tmp_path / f"out.{suffix}"
    table = TableOptions(id="x") if role == "id" else TableOptions(keep=("x",))
    options = RunOptions(table=table, on_error="skip")

    def run(cells: pa.Array) -> pd.DataFrame:
        pq.write_table(pa.table({"x": cells, "cramp": ["yes", "no", "yes"]}), cases)
        score_table(core, cases, out, options)
        if suffix == "jsonl":
            return pd.read_json(out, lines=True)
        return pd.read_csv(out) if suffix == "csv" else pd.read_parquet(out)

    texts = [b"a", b"\xff", "ä".encode()]
    for kind in (pa.binary(), pa.large_binary(), pa.dictionary(pa.int8(), pa.binary())):
        assert run(pa.array(texts).cast(kind))["x"].tolist() == ["a", "ä"]
    assert run(pa.array(["ab", "cd", "ef"]).cast(pa.binary()).cast(pa.binary(2)))["x"][2] == "ef"
    lists = pa.array([["a"], None, []])
    if role == "kept" and suffix == "parquet":
        assert [list(cell) for cell in run(lists)["x"][[0, 2]]] == [["a"], []]
        return
    out.unlink()
    with pytest.raises(InvalidCase, match=r"(id|column x): expected .* got .*list<"):
        run(lists)
    assert not out.exists()


@pytest.mark.parametrize("shape", ["wide", "long"])
@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_id_keep_and_ignore(core: Core, tmp_path: Path, shape: str, suffix: str) -> None:
    frame = pd.DataFrame(
        {
            "Patient": ["a", "b", "c"],
            "cramp": ["1", "0", "1"],
            "visit": ["2024-05-01", "=x", ""],
            "age": ["41", "70", "50"],
            "junk": ["?!", "x", "y"],
        }
    )
    path = tmp_path / f"cases.{suffix}"
    if suffix == "csv":
        frame.to_csv(path, index=False)
    elif suffix == "jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_parquet(path)
    options = RunOptions(
        OutputOptions(shape, top=1 if shape == "long" else None),
        table=TableOptions(id="Patient", keep=("visit", "age"), ignore=("junk",)),
        chunk_rows=2,
    )
    found = scored(core, path, options)
    assert list(found.columns[:3]) == ["Patient", "visit", "age"]
    repeated = 1 if shape == "wide" else 2
    assert found["Patient"].tolist() == [one for one in "abc" for _ in range(repeated)]
    assert found["visit"].tolist()[::repeated] == ["2024-05-01", "'=x", ""]
    # A kept finding is evidence all the same.
    bare = frame.drop(columns=["visit", "junk", "age"]).rename(columns={"Patient": "case_id"})
    bare.to_csv(tmp_path / "bare.csv", index=False)
    other = scored(core, tmp_path / "bare.csv", RunOptions(options.output))
    column = "strain" if shape == "wide" else "posterior"
    assert found[column].tolist() != other[column].tolist()


def test_text_as_it_is_for_machines(core: Core, tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    path.write_text("case_id,cramp\n=a,1\n'=a,0\n")
    assert scored(core, path)["case_id"].tolist() == ["'=a", "''=a"]
    options = RunOptions(OutputOptions(escape=False))
    assert scored(core, path, options)["case_id"].tolist() == ["=a", "'=a"]


def test_columns_of_any_type_may_be_kept_or_ignored(core: Core, tmp_path: Path) -> None:
    table = pa.table({"cramp": [1, 0], "when": pa.array([1, 2], pa.date32()), "x": [[1], [2]]})
    pq.write_table(table, tmp_path / "c.parquet")
    options = RunOptions(table=TableOptions(keep=("when",), ignore=("x",)))
    assert scored(core, tmp_path / "c.parquet", options)["when"].tolist() == [
        "1970-01-02",
        "1970-01-03",
    ]


@pytest.mark.parametrize(
    ("name", "table", "said"),
    [
        ("c.csv", {"delimiter": "ab"}, "delimiter: expected one mark between cells"),
        ("c.csv", {"delimiter": "1"}, "delimiter: expected one mark between cells"),
        ("c.csv", {"encoding": "utf-99"}, "encoding: expected an encoding of text"),
        ("c.csv", {"encoding": "base64"}, "encoding: expected an encoding of text"),
        ("c.jsonl", {"delimiter": ";"}, "options: expected CSV for --delimiter and --encoding"),
    ],
)
def test_options_that_cannot_be(
    core: Core, tmp_path: Path, name: str, table: dict[str, str], said: str
) -> None:
    (tmp_path / name).write_text("cramp\n1\n" if name == "c.csv" else '{"cramp": 1}\n')
    with pytest.raises(InvalidCase, match=said):
        score_table(
            core,
            tmp_path / name,
            tmp_path / "o.csv",
            RunOptions(table=TableOptions(Dialect(**table))),
        )


def test_a_decimal_comma_needs_another_mark_between_cells(core: Core, tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("cramp\n1\n")
    options = RunOptions(table=TableOptions(words=Words(decimal=",")))
    with pytest.raises(InvalidCase, match="another mark between cells than the decimal one"):
        score_table(core, tmp_path / "c.csv", tmp_path / "o.csv", options)


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_rejected_records_are_mended_and_run_again(core: Core, tmp_path: Path, suffix: str) -> None:
    """The records of the rejects, put below the header, are a table of their own."""
    frame = pd.DataFrame({"case_id": ["a", "b", 'c"='], "cramp": ["1", "maybe", "nil"]})
    path = tmp_path / f"c.{suffix}"
    if suffix == "csv":
        path.write_text(frame.to_csv(index=False) + "d,1,2\n")
    elif suffix == "jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_parquet(path)
    options = RunOptions(OutputOptions(escape=False), on_error="skip")
    score_table(core, path, tmp_path / "o.csv", options)
    with (tmp_path / "o.csv.rejected.csv").open(newline="") as file:
        rejects = list(csv.DictReader(file))
    assert [one["case_id"] for one in rejects][:2] == ["b", 'c"=']
    lines = [one["record"] for one in rejects]
    if suffix == "csv":
        assert lines.pop() == "d,1,2"
        lines.insert(0, "case_id,cramp")
    else:
        assert [json.loads(line)["cramp"] for line in lines] == ["maybe", "nil"]
    again = tmp_path / ("again.csv" if suffix == "csv" else "again.jsonl")
    again.write_text("\n".join(lines).replace("maybe", "yes").replace("nil", "no") + "\n")
    assert scored(core, again, RunOptions(OutputOptions(escape=False)))["case_id"].tolist() == [
        "b",
        'c"=',
    ]


def test_rejected_records_with_line_breaks_and_numbers_that_are_none(
    core: Core, tmp_path: Path
) -> None:
    path, out = tmp_path / "c.csv", tmp_path / "o.csv"
    path.write_bytes(b'case_id,cramp,note\r\nd,perhaps,"y\nes"\r\n')
    options = RunOptions(OutputOptions(escape=False), on_error="skip")

    def record() -> str:
        with out.with_name("o.csv.rejected.csv").open(newline="") as file:
            return next(csv.DictReader(file))["record"]

    score_table(core, path, out, options)
    assert record() == 'd,perhaps,"y\nes"'
    path.write_text(f"case_id,cramp,note\n{record().replace('perhaps', 'yes')}\n")
    assert scored(core, path, RunOptions())["case_id"].tolist() == ["d"]
    for number, told in ((np.nan, {}), (np.inf, {"age": "inf"})):
        frame = pd.DataFrame({"case_id": ["a"], "cramp": ["perhaps"], "age": [number]})
        frame.to_parquet(tmp_path / "c.parquet")
        score_table(core, tmp_path / "c.parquet", out, options)
        assert json.loads(record(), parse_constant=lambda name: pytest.fail(name)) == {
            "case_id": "a",
            "cramp": "perhaps",
            **told,
        }


def test_a_resumed_run_counts_ids_of_its_earlier_parts(core: Core, tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text("case_id,cramp\n" + "".join(f"{n % 7},1\n" for n in range(14)))

    def interrupt(rows: int, _: float | None) -> None:
        if rows >= 8:
            raise KeyboardInterrupt

    options = RunOptions(chunk_rows=2, workers=1)
    with pytest.raises(KeyboardInterrupt):
        score_table(core, path, tmp_path / "o.csv", options, interrupt)
    options = RunOptions(chunk_rows=2, workers=1, resume=True)
    report = score_table(core, path, tmp_path / "o.csv", options)
    assert report.resumed > 0
    assert report.counts.repeated_ids == 7
    assert report.repeated[0] == (9, 2)
