"""Many ways to hand over the same three cases: equal answers, or one sentence."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bayesdx
from bayesdx.cli import main

Rows = list[dict[str, Any]]
SCENARIOS = Path(__file__).parents[2] / "scenarios" / "documents.csv"


def by_columns(rows: Rows) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def arrow(rows: Rows) -> pa.Table:
    return pa.Table.from_pylist(rows)


def structured(rows: Rows) -> np.ndarray:
    kind = [(name, object) for name in rows[0]]
    return np.array([tuple(row.values()) for row in rows], dtype=kind)


CONTAINERS: dict[str, Callable[[Rows], Any]] = {
    "DataFrame": pd.DataFrame,
    "DataFrame of objects": lambda rows: pd.DataFrame(rows, dtype=object),
    "DataFrame of categories": lambda rows: pd.DataFrame(rows).astype({"fever": "category"}),
    "DataFrame of nullable types": lambda rows: pd.DataFrame(rows).convert_dtypes(),
    "DataFrame on Arrow": lambda rows: arrow(rows).to_pandas(types_mapper=pd.ArrowDtype),
    "DataFrame of text": lambda rows: (
        pd.DataFrame(rows).astype(object).where(lambda frame: frame.notna(), "unknown")
    ),
    "DataFrame with reserved columns": lambda rows: pd.DataFrame(rows).assign(
        expected_cause="gtps", note="?", urgency=1
    ),
    "Arrow table": arrow,
    "Arrow table with dictionaries": lambda rows: arrow(rows).set_column(
        0, "fever", arrow(rows)["fever"].dictionary_encode()
    ),
    "Arrow record batch": lambda rows: pa.RecordBatch.from_pylist(rows),
    "Arrow reader": lambda rows: arrow(rows).to_reader(),
    "polars": pl.DataFrame,
    "polars of categories": lambda rows: pl.DataFrame(rows).cast({"fever": pl.Categorical}),
    "list of dicts": lambda rows: rows,
    "list of dicts without what is not known": lambda rows: [
        {name: cell for name, cell in row.items() if cell is not None} for row in rows
    ],
    "tuple of dicts": tuple,
    "generator of dicts": iter,
    "list of Series": lambda rows: [pd.Series(row, dtype=object) for row in rows],
    "dict of lists": by_columns,
    "dict of arrays": lambda rows: {
        name: np.array(cells, dtype=object) for name, cells in by_columns(rows).items()
    },
    "dict of Series": lambda rows: {
        name: pd.Series(cells) for name, cells in by_columns(rows).items()
    },
    "dict of polars Series": lambda rows: {
        name: pl.Series(cells) for name, cells in by_columns(rows).items()
    },
    "dict of Arrow arrays": lambda rows: {
        name: pa.array(cells) for name, cells in by_columns(rows).items()
    },
    "dict of arrays of pandas": lambda rows: {
        name: pd.array(cells) for name, cells in by_columns(rows).items()
    },
    "polars Series of structs": pl.Series,
    "structured array": structured,
}
#: Other words for the same cells.
WORDS: dict[str, dict[object, object]] = {
    "words": {},
    "yes and no": {"present": "yes", "absent": "no"},
    "booleans": {"present": True, "absent": False},
    "numbers": {"present": 1, "absent": 0},
    "texts of numbers": {"present": "1", "absent": "0", 41: "41", 70: "70"},
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_three_cases_in_any_container(engine: bayesdx.Engine, rows: Rows, container: str) -> None:
    expected = [engine.diagnose(row).log_evidence for row in rows]
    answer = engine.score(CONTAINERS[container](rows))
    found = answer["log_evidence"].to_pylist() if isinstance(answer, pa.Table) else None
    found = answer["log_evidence"].to_list() if found is None else found
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("container", ["DataFrame", "polars", "list of dicts", "Arrow table"])
def test_three_cases_in_any_words(
    engine: bayesdx.Engine, rows: Rows, container: str, words: str
) -> None:
    said = [{name: WORDS[words].get(cell, cell) for name, cell in row.items()} for row in rows]
    answer = engine.score(CONTAINERS[container](said))
    expected = [engine.diagnose(row).log_evidence for row in rows]
    assert np.asarray(answer["log_evidence"]) == pytest.approx(expected, rel=1e-12)


def csv_text(rows: Rows, **how: Any) -> str:
    return pd.DataFrame(rows).to_csv(index=False, **how)


def semicolons(rows: Rows) -> str:
    return "sep=;\n" + csv_text(rows, sep=";")


def json_text(rows: Rows) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def parquet(rows: Rows, **how: Any) -> bytes:
    target = io.BytesIO()
    pq.write_table(arrow(rows), target, **how)
    return target.getvalue()


#: Name of the file, what is in it, and the options that it needs.
FILES: dict[str, tuple[str, Callable[[Rows], str | bytes], str]] = {
    "CSV": ("c.csv", csv_text, ""),
    "CSV in marks": ("c.csv", lambda rows: csv_text(rows, quoting=csv.QUOTE_ALL), ""),
    "CSV of Windows": ("c.csv", lambda rows: "\ufeff" + csv_text(rows, lineterminator="\r\n"), ""),
    "CSV with semicolons": ("c.csv", lambda rows: csv_text(rows, sep=";"), "--delimiter ;"),
    "CSV that says so": ("c.csv", semicolons, ""),
    "CSV with tabs": ("c.tsv", lambda rows: csv_text(rows, sep="\t"), "--delimiter tab"),
    "CSV in UTF-16": ("c.csv", lambda rows: csv_text(rows).encode("utf-16"), "--encoding utf-16"),
    # A no-break space stands for the one inside an option.
    "CSV with an index": (
        *("c.csv", lambda rows: pd.DataFrame(rows).to_csv()),
        "--ignore=Unnamed:\xa00",
    ),
    "CSV in gzip": ("c.csv.gz", lambda rows: gzip.compress(csv_text(rows).encode()), ""),
    "CSV in zstd": (
        "c.csv.zst",
        lambda rows: pa.compress(csv_text(rows).encode(), "zstd", asbytes=True),
        "",
    ),
    "JSON lines": ("c.jsonl", json_text, ""),
    "JSON lines in gzip": ("c.jsonl.gz", lambda rows: gzip.compress(json_text(rows).encode()), ""),
    "Parquet": ("c.parquet", parquet, ""),
    "Parquet without dictionaries": ("c.pq", lambda rows: parquet(rows, use_dictionary=False), ""),
    "Parquet a row a group": ("c.parquet", lambda rows: parquet(rows, row_group_size=1), ""),
    "a folder of Parquet": ("c/part.0.parquet", parquet, ""),
}


@pytest.mark.parametrize("kind", FILES)
def test_the_command_line_answers_alike(
    engine: bayesdx.Engine,
    rows: Rows,
    kind: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    name, write, options = FILES[kind]
    data = write(rows)
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_bytes(data.encode() if isinstance(data, str) else data)
    source = "c" if kind.startswith("a folder") else name
    asked = [option.replace("\xa0", " ") for option in options.split(" ") if option]
    assert main(["score", source, "-o", "out.parquet", "--quiet", *asked]) == 0
    found = pd.read_parquet("out.parquet")
    expected = engine.score(rows)
    for cause in engine.core.causes:
        np.testing.assert_allclose(found[cause], expected[cause], rtol=0, atol=1e-12)


def test_there_are_thirty_ways_and_more() -> None:
    assert len(CONTAINERS) + len(FILES) >= 30


def test_the_kind_that_came_in_goes_out(engine: bayesdx.Engine, rows: Rows) -> None:
    expected = engine.score(pd.DataFrame(rows))
    table = engine.score(arrow(rows))
    assert isinstance(table, pa.Table)
    assert table.column_names == expected.columns.tolist()
    assert isinstance(engine.score(pl.DataFrame(rows)), pl.DataFrame)
    assert isinstance(engine.score(rows), pd.DataFrame)


def test_the_index_is_kept(engine: bayesdx.Engine, rows: Rows) -> None:
    frame = pd.DataFrame(rows, index=pd.Index(["x", "y", "x"], name="patient"))
    assert engine.score(frame).index.equals(frame.index)
    assert engine.score(frame).index.name == "patient"
    assert engine.score(pa.Table.from_pandas(frame)).to_pandas().index.equals(frame.index)
    named = [pd.Series(row, name=key) for key, row in zip("abc", rows, strict=True)]
    assert engine.score(named).index.tolist() == ["a", "b", "c"]
    assert engine.score(named[1]).index.tolist() == ["b"]


def test_one_case_in_any_container(engine: bayesdx.Engine, rows: Rows) -> None:
    expected = engine.diagnose(rows[1]).log_evidence
    for one in (
        pd.Series(rows[1]),
        pd.DataFrame(rows).iloc[1],
        pd.DataFrame(rows[1:2]),
        pl.DataFrame(rows[1:2]),
        arrow(rows[1:2]),
        rows[1:2],
        rows[1] | {"case_id": "b", "expected_cause": "gtps"},
    ):
        assert engine.diagnose(one).log_evidence == pytest.approx(expected, rel=1e-12)
    with pytest.raises(bayesdx.InvalidCase, match=r"expected one case .*, got a table of 3"):
        engine.diagnose(pd.DataFrame(rows))


@pytest.mark.parametrize(
    ("cases", "said"),
    [
        (pl.DataFrame({"fever": ["present"]}).lazy(), r"its \.collect\(\) gives one.*LazyFrame"),
        ("cases.csv", r"pandas\.read_csv and read_parquet read files"),
        (Path("cases.csv"), r"pandas\.read_csv and read_parquet read files"),
        (None, "expected a table of cases.*got None"),
        ([["present"]], "got a row that is"),
        (np.zeros((2, 2)), "expected a table of cases.*ndarray"),
        (pl.Series([1]), "expected a table of cases.*polars Series"),
        (pa.array([1]), "expected a table of cases.*Int64Array"),
        ({"fever": ["present"], "age": [1, 2]}, "expected columns of one length"),
        (pd.DataFrame([[1, 1]], columns=["fever", "fever"]), "each column once, got 'fever'"),
        (pd.DataFrame([[1]], columns=[("a", "b")]), "name of a finding, risk or measure"),
        (pa.table({"fever": pa.array([b"\xff"]).cast(pa.binary())}), "expected present, absent"),
    ],
    ids=str,
)
def test_what_is_no_table_is_refused_in_a_sentence(
    engine: bayesdx.Engine, cases: object, said: str
) -> None:
    with pytest.raises(bayesdx.InvalidCase, match=said) as caught:
        engine.score(cases)
    assert len(caught.value.faults) == 1


def test_the_scenarios_as_they_are_read(engine: bayesdx.Engine) -> None:
    frame = pd.read_csv(SCENARIOS)
    scores = engine.score(frame)
    assert scores.columns[0] == "case_id"
    assert scores["case_id"].tolist() == frame["case_id"].tolist()
    reserved = {"expected_cause", "acceptable", "source", "note"}
    assert not reserved & set(scores.columns)


def test_columns_that_are_no_evidence(engine: bayesdx.Engine, rows: Rows) -> None:
    frame = pd.DataFrame(rows).assign(patient=[7, 8, 9], ward="w", junk="j", case_id="c")
    with pytest.raises(bayesdx.InvalidCase, match=r"id, keep and ignore are for others.*'ward'"):
        engine.score(frame)
    scores = (
        engine.score(frame, id="patient", keep=["ward", "age", "note"], ignore="junk")
        if (frame.insert(0, "note", "n") is None)
        else None
    )
    assert scores is not None
    assert scores.columns[:4].tolist() == ["patient", "ward", "age", "note"]
    # What is kept and names a finding is evidence all the same.
    expected = engine.score(rows)["log_evidence"]
    assert scores["log_evidence"].tolist() == expected.tolist()
    without = engine.score(pd.DataFrame(rows), ignore="age")["log_evidence"]
    assert without[2] == expected[2]
    assert without[1] != expected[1]
    with pytest.raises(bayesdx.InvalidCase, match="ignore: expected a column of the table"):
        engine.score(frame, ignore=["jnk"])
    for option in ("keep", "ignore"):
        with pytest.raises(bayesdx.InvalidCase, match=f"{option}: expected a column of .*, got 5"):
            engine.score(frame, **{option: 5})
    named = pd.DataFrame(rows).assign(urgency=1)
    with pytest.raises(bayesdx.InvalidCase, match="keep: expected a column that the answer does"):
        engine.score(named, keep="urgency")


def test_networks_take_the_same_tables(network: bayesdx.Network) -> None:
    plan = bayesdx.compile_network(network)
    rows: Rows = [{"0": "yes", "cold": None}, {"0": None, "cold": "no"}]
    expected = [plan.query(row).log_evidence[0] for row in rows]
    frame = pd.DataFrame(rows, index=["p", "q"]).assign(note="x")
    for cases in (
        frame,
        arrow(rows),
        pl.DataFrame(rows),
        rows,
        by_columns(rows),
        [pd.Series(row) for row in rows],
        [{0: "yes"}, {"cold": "no"}],
        pd.DataFrame({0: ["yes", None], "cold": [None, "no"]}),
    ):
        answer = plan.query(cases)
        assert answer.log_evidence == pytest.approx(expected, rel=1e-12)
    answer = plan.query(frame)
    table = answer.to_frame()
    assert table.index.tolist() == ["p", "q"]
    assert table.columns.names == ["variable", "state"]
    np.testing.assert_array_equal(table["flu"], answer.posteriors["flu"])
    assert plan.mpe(frame).index.tolist() == ["p", "q"]
