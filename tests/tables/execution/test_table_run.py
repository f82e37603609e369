"""Whole runs: what comes out is what the engine says, however it is cut, and nothing is lost."""

import gzip
import io
import json
import os
import stat
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_cases import COLUMNS, case_table, write_cases

from bayesdx.diagnosis.core import Core
from bayesdx.diagnosis.engine import Engine
from bayesdx.errors import InvalidCase
from bayesdx.tables import finding_columns, parse_csv, read_cases
from bayesdx.tables.execution.run_options import Cluster, RunOptions
from bayesdx.tables.execution.table_run import score_table
from bayesdx.tables.outputs import OutputOptions

LONG = OutputOptions("long")


def read_scores(path: Path) -> pd.DataFrame:
    name = path.name
    if name.endswith(".parquet") or path.is_dir():
        return pq.read_table(path).to_pandas()
    data = path.read_bytes()
    if name.endswith(".gz"):
        data = gzip.decompress(data)
    elif name.endswith(".zst"):
        data = pa.input_stream(io.BytesIO(data), compression="zstd").read()
    if "json" in name:
        return pd.DataFrame([json.loads(line) for line in data.decode().splitlines()])
    return pd.read_csv(io.BytesIO(data), keep_default_na=False)


@pytest.mark.parametrize(
    "name",
    ["o.csv", "o", "o.csv.gz", "o.csv.zst", "o.jsonl", "o.jsonl.gz", "o.ndjson.zst", "o.parquet"],
)
def test_every_format_holds_what_the_engine_says(small: Engine, cases: Path, name: str) -> None:
    out = cases.with_name(name)
    report = score_table(small.core, cases, out, RunOptions(chunk_rows=7))
    table = read_cases(cases)
    expected = small.score(finding_columns(table))
    found = read_scores(out)
    assert list(found.columns) == ["case_id", *expected.columns]
    assert found["case_id"].tolist() == table["case_id"].tolist()
    for column in expected.columns:
        if expected[column].dtype == float:
            np.testing.assert_allclose(found[column], expected[column], rtol=0, atol=1e-12)
        else:
            assert found[column].tolist() == expected[column].tolist()
    assert (report.counts.records, report.counts.scored, report.counts.rejected) == (31, 31, 0)
    assert sorted(one.name for one in cases.parent.iterdir()) == sorted(
        ["cases.csv", name, f"{name}.audit.json"]
    )


def test_folder_of_parquet_files(
    small: Engine, cases: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bayesdx.tables.execution.publish.FILE_BYTES", 2000)
    score_table(small.core, cases, f"{cases.parent}/scores/", RunOptions(chunk_rows=7))
    folder = cases.with_name("scores")
    files = sorted(one.name for one in folder.iterdir())
    assert files[:2] == ["part-00000.parquet", "part-00001.parquet"]
    score_table(small.core, cases, cases.with_name("one.parquet"), RunOptions(chunk_rows=7))
    whole = pa.concat_tables([pq.read_table(folder / file) for file in files])
    assert whole.equals(pq.read_table(cases.with_name("one.parquet")))
    audit = json.loads(cases.with_name("scores.audit.json").read_text())
    assert [one["name"] for one in audit["output"]["files"]] == files
    with pytest.raises(InvalidCase, match="expected a new or empty folder"):
        score_table(small.core, cases, f"{folder}/")
    with pytest.raises(InvalidCase, match="or a name ending in / for a folder"):
        score_table(small.core, cases, folder)


def test_a_folder_for_dask_that_is_not_there(small: Engine, cases: Path) -> None:
    missing = f"{cases.parent}/casez/"
    with pytest.raises(InvalidCase, match="casez: expected a folder of Parquet, got no such file"):
        score_table(small.core, missing, f"{cases.parent}/scores/", cluster=Cluster("local"))


@pytest.mark.parametrize("name", ["o.csv", "o.csv.gz", "o.jsonl.zst", "o.parquet", "long.csv"])
def test_workers_change_no_byte(small: Engine, cases: Path, name: str) -> None:
    outputs = []
    for workers in (1, 2, 4):
        out = cases.parent / str(workers)
        out.mkdir()
        output = LONG if name.startswith("long") else OutputOptions()
        options = RunOptions(output=output, chunk_rows=7, workers=workers)
        score_table(small.core, cases, out / name, options)
        outputs.append((out / name).read_bytes())
    assert outputs[0] == outputs[1] == outputs[2]


def test_chunks_change_nothing_that_matters(small: Engine, tmp_path: Path) -> None:
    cases = write_cases(tmp_path / "cases.csv", 200)
    frames = []
    for rows in (3, 13, 200, 1000):
        out = tmp_path / f"{rows}.parquet"
        score_table(small.core, cases, out, RunOptions(output=LONG, chunk_rows=rows))
        frames.append(pq.read_table(out).to_pandas())
    for frame in frames[1:]:
        for column in ("case_id", "cause", "rank", "prior", "status", "urgency", "red_flags"):
            pd.testing.assert_series_equal(frame[column], frames[0][column])
        gap = np.abs(frame["posterior"] - frames[0]["posterior"]).max()
        assert gap <= 1e-12


def test_inputs_of_any_format_give_the_same(small: Engine, cases: Path) -> None:
    score_table(small.core, cases, cases.with_name("a.csv"))
    read_cases(cases).to_parquet(cases.with_name("cases.parquet"))
    score_table(small.core, cases.with_name("cases.parquet"), cases.with_name("b.csv"))
    assert cases.with_name("a.csv").read_bytes() == cases.with_name("b.csv").read_bytes()


def test_ids_keep_their_type(small: Engine, tmp_path: Path) -> None:
    table = pa.table({"case_id": [7, 8], "cramp": ["present", None]})
    pq.write_table(table, tmp_path / "cases.parquet")
    score_table(small.core, tmp_path / "cases.parquet", tmp_path / "o.parquet")
    assert pq.read_table(tmp_path / "o.parquet")["case_id"].to_pylist() == [7, 8]
    nested = table.set_column(0, "case_id", pa.array([[1], None]))
    pq.write_table(nested, tmp_path / "cases.parquet")
    with pytest.raises(InvalidCase, match="id: expected a column of text or numbers"):
        score_table(small.core, tmp_path / "cases.parquet", tmp_path / "o.parquet")


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.booleans(), min_size=1, max_size=25), st.integers(1, 9), st.integers(0, 99))
def test_every_row_is_accounted_for(
    core: Core, tmp_path: Path, kinds: list[bool], rows: int, seed: int
) -> None:
    cases, out = tmp_path / "cases.csv", tmp_path / "o.csv"
    cases.write_text(case_table(kinds, seed))
    report = score_table(core, cases, out, RunOptions(chunk_rows=rows, on_error="skip"))
    assert report.counts.records == len(kinds)
    assert read_scores(out)["case_id"].tolist() == [f"c{i}" for i, good in enumerate(kinds) if good]
    bad = [i for i, good in enumerate(kinds) if not good]
    assert report.counts.rejected == len(bad)
    beside = tmp_path / "o.csv.rejected.csv"
    assert beside.exists() == bool(bad)
    if bad:
        listed = pd.read_csv(beside)
        assert sorted(set(listed["row"])) == bad
        assert listed["line"].tolist() == [row + 2 for row in listed["row"]]
        assert len(listed) == report.counts.faults
        # What is scored is scored as if the bad rows were not there.
        alone = case_table(kinds, seed).splitlines()
        good = [alone[0], *(line for line, kind in zip(alone[1:], kinds, strict=True) if kind)]
        if len(good) > 1:
            cases.write_text("\n".join(good) + "\n")
            score_table(core, cases, tmp_path / "good.csv", RunOptions(chunk_rows=rows))
            pd.testing.assert_frame_equal(
                read_scores(tmp_path / "good.csv"), read_scores(out), rtol=0, atol=1e-12
            )


def test_bad_rows_stop_everything_and_all_are_told(core: Core, tmp_path: Path) -> None:
    cases, out = tmp_path / "cases.csv", tmp_path / "o.csv"
    out.write_text("old")
    cases.write_text(case_table([number % 4 != 3 for number in range(40)]))
    with pytest.raises(InvalidCase) as caught:
        score_table(core, cases, out, RunOptions(chunk_rows=7))
    lines = {int(fault.place.split(":")[1].split(",")[0]) for fault in caught.value.faults}
    assert lines == {number + 2 for number in range(40) if number % 4 == 3}
    assert out.read_text() == "old"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["cases.csv", "o.csv"]


def test_very_many_faults_are_counted(core: Core, tmp_path: Path) -> None:
    cases = tmp_path / "cases.csv"
    cases.write_text("cramp,age\n" + "cramped,17\n" * 50)
    with pytest.raises(InvalidCase) as caught:
        score_table(core, cases, tmp_path / "o.csv", RunOptions(chunk_rows=7, listed=5))
    assert len(caught.value.faults) == 6
    assert str(caught.value.faults[0]).startswith(f"{cases}:2:1, column cramp: expected")
    expected = "records without faults, got 100 faults in 50 of 50 records; the first 5 are listed."
    assert str(caught.value.faults[5]).endswith(expected)


def test_rejected_rows_are_told_so_that_they_can_be_mended(core: Core, tmp_path: Path) -> None:
    cases = tmp_path / "cases.csv"
    cases.write_text('cramp,age\npresent,30\n"=cmd()",30\npresent\n,500\nabsent,70\n')
    report = score_table(core, cases, tmp_path / "o.csv", RunOptions(on_error="report"))
    listed = parse_csv((tmp_path / "o.csv.rejected.csv").read_bytes(), "rejected")
    names = ["row", "line", "column", "expected", "got", "nearest", "case_id", "record"]
    assert list(listed.columns) == names
    assert listed["record"].tolist() == ["'=cmd(),30", "present", ",500"]
    assert listed["row"].tolist() == ["1", "2", "3"]
    assert listed["line"].tolist() == ["3", "4", "5"]
    assert listed["column"].tolist() == ["cramp", "2", "age"]
    assert listed["got"].tolist()[0] == "'=cmd()"
    assert len(report.faults) == 3
    # Without ids of their own, the numbers of the records tell which rows these are.
    assert read_scores(tmp_path / "o.csv")["case_id"].tolist() == [0, 4]


def test_all_rows_rejected_is_a_table_without_rows(core: Core, tmp_path: Path) -> None:
    cases = tmp_path / "cases.csv"
    cases.write_text("case_id,cramp\na,cramped\nb,2\n")
    for name in ("o.csv", "o.parquet", "o.jsonl"):
        report = score_table(core, cases, tmp_path / name, RunOptions(on_error="skip"))
        assert (report.counts.scored, report.counts.rejected) == (0, 2)
    assert len(read_scores(tmp_path / "o.csv")) == 0
    assert "case_id" in pq.read_schema(tmp_path / "o.parquet").names
    assert (tmp_path / "o.jsonl").read_bytes() == b""


def test_rejected_rows_of_an_earlier_run_do_not_stay(core: Core, cases: Path) -> None:
    bad, out = cases.with_name("bad.csv"), cases.with_name("o.csv")
    bad.write_text("cramp\nperhaps\n")
    score_table(core, bad, out, RunOptions(on_error="skip"))
    beside = cases.with_name("o.csv.rejected.csv")
    assert beside.exists()
    score_table(core, cases, out, RunOptions(on_error="skip"))
    assert not beside.exists()


def test_what_no_run_has_left_beside_an_output_is_not_written_over(
    core: Core, tmp_path: Path
) -> None:
    bad, out = tmp_path / "bad.csv", tmp_path / "o.csv"
    bad.write_text("cramp\nperhaps\n")
    options = RunOptions(on_error="skip")
    score_table(core, bad, out, options)
    rejected, audit = (tmp_path / f"o.csv.{name}" for name in ("rejected.csv", "audit.json"))
    mended = rejected.read_text().replace("perhaps", "yes")
    rejected.write_text(mended)
    for asked in (options, RunOptions(), RunOptions(dry_run=True)):
        with pytest.raises(InvalidCase, match=r"rejected\.csv: expected the rejected records of a"):
            score_table(core, bad, out, asked)
    assert rejected.read_text() == mended
    rejected.unlink()
    audit.write_text("my notes")
    with pytest.raises(
        InvalidCase, match=r"audit\.json: expected the audit of a run, .*got another"
    ):
        score_table(core, bad, out, options)
    assert audit.read_text() == "my notes"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("crmp,age\npresent,30\n", r"the name of a finding.*got 'crmp'\. Nearest: cramp"),
        ("cramp,cramp\npresent,present\n", "each column once"),
        ("", "expected a header line"),
        ("cramp\n", "cases.csv:2:1: expected at least one case below the header, got none"),
    ],
)
def test_wrong_header_stops_before_anything_is_made(
    core: Core, tmp_path: Path, text: str, message: str
) -> None:
    cases = tmp_path / "cases.csv"
    cases.write_text(text)
    for options in (RunOptions(), RunOptions(on_error="skip"), RunOptions(dry_run=True)):
        with pytest.raises(InvalidCase, match=message):
            score_table(core, cases, tmp_path / "o.csv", options)
    assert [one.name for one in tmp_path.iterdir()] == ["cases.csv"]


def test_dry_run_checks_and_writes_nothing(core: Core, tmp_path: Path) -> None:
    cases = tmp_path / "cases.csv"
    cases.write_text(case_table([True, False, True]))
    with pytest.raises(InvalidCase, match=r"cases\.csv:3"):
        score_table(core, cases, tmp_path / "o.csv", RunOptions(dry_run=True))
    options = RunOptions(dry_run=True, on_error="skip", chunk_rows=2)
    report = score_table(core, cases, tmp_path / "o.csv", options)
    assert (report.counts.records, report.counts.rejected, report.output) == (3, 1, None)
    assert [one.name for one in tmp_path.iterdir()] == ["cases.csv"]


def test_audit_says_what_was_made_from_what(small: Engine, cases: Path) -> None:
    out = cases.with_name("o.parquet")
    report = score_table(small.core, cases, out, RunOptions(chunk_rows=7))
    assert report.audit == out.with_name("o.parquet.audit.json")
    audit = json.loads(report.audit.read_text())
    assert audit["knowledge"]["digest"] == small.knowledge.digest
    assert audit["knowledge"]["intended_use"] == "tests"
    assert audit["input"]["bytes"] == cases.stat().st_size
    assert len(audit["input"]["digest"]) == len(audit["output"]["digest"]) == 64
    assert audit["counts"]["status"] == dict(report.counts.status)
    assert audit["seed"] is None
    assert audit["run"]["started"] <= audit["run"]["finished"]
    assert {"numpy", "pyarrow", "numba", "python", "version", "backend"} <= set(audit["engine"])
    inside = json.loads(pq.read_schema(out).metadata[b"bayesdx"])
    assert inside == {key: audit[key] for key in inside}
    assert set(audit) - set(inside) == {"format", "output", "run", "rejected", "digest"}


def test_name_and_permissions_of_an_output_are_kept(core: Core, cases: Path) -> None:
    out, link = cases.with_name("real.csv"), cases.with_name("link.csv")
    out.write_text("old")
    out.chmod(0o600)
    link.symlink_to(out)
    score_table(core, cases, link)
    assert link.is_symlink()
    assert out.read_text().startswith("case_id,")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    score_table(core, cases, os.devnull)
    assert not Path(os.devnull).is_file()


def test_outputs_that_cannot_be(core: Core, cases: Path) -> None:
    for output, message in [
        (cases.parent / "nowhere" / "o.csv", "place to write to, got No such file or directory"),
        (cases.parent / "o.xlsx", r"a name ending in \.csv"),
        (cases.parent / "o.parquet.gz", r"a name ending in \.csv"),
    ]:
        with pytest.raises(InvalidCase, match=message):
            score_table(core, cases, output)
    with pytest.raises(InvalidCase, match="expected a file: records with faults are written besid"):
        score_table(core, cases, "-", RunOptions(on_error="skip"))
    with pytest.raises(InvalidCase, match="workers: expected a number of threads, 1 or more"):
        score_table(core, cases, "-", RunOptions(workers=0))


def test_slow_chunk_and_stages_are_told(core: Core, cases: Path) -> None:
    told: list[tuple[int, float | None]] = []
    report = score_table(
        core,
        cases,
        cases.with_name("o.csv"),
        RunOptions(chunk_rows=7),
        lambda rows, share: told.append((rows, share)),
    )
    assert [rows for rows, _ in told] == [0, 7, 14, 21, 28, 31]
    assert told[-1][1] == 1.0
    assert report.slowest[0] in range(0, 31, 7)
    assert set(report.seconds) == {
        *("digest", "parsing", "reading", "scoring", "writing", "disk", "finishing")
    }
    assert COLUMNS[0] == "case_id"
