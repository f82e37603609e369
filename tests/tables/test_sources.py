"""Sources of cases: the same chunks from any block, format and compression; resumed; bounded."""

import gzip
import hashlib
import io
import itertools
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayesdx.errors import InvalidCase
from bayesdx.tables.sources.chunks import CaseChunk, CaseSource
from bayesdx.tables.sources.delimited import CsvSource
from bayesdx.tables.sources.json_lines import JsonLinesSource
from bayesdx.tables.sources.opening import open_cases
from bayesdx.tables.sources.streams import ByteStream

CELL = st.text(st.sampled_from('ab,"\n\ré'), max_size=12)


def told(source: CaseSource, skip: int = 0) -> list[object]:
    """All that a source says, as plain values."""
    said: list[object] = []
    try:
        for chunk in source.chunks(skip):
            cells, faults = chunk.cells.to_pylist(), [(x.row, str(x.fault)) for x in chunk.faults]
            places = (chunk.first, chunk.count, chunk.rows.tolist(), chunk.lines.tolist())
            said.append((*places, cells, faults))
    except InvalidCase as error:
        said.append(str(error))
    return said


def csv_bytes(rows: list[list[str]], *, end: str = "\n") -> bytes:
    """CSV written by the standard library, everything in quotation marks that needs them."""
    import csv

    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue().encode()


@settings(deadline=None, max_examples=150)
@given(
    data=st.lists(st.sampled_from(["a", ",", '"', "\n", "\r", "\r\n", "é", "\0", ",b", "b,a\n"]))
    .map("".join)
    .map(str.encode),
    chunk_rows=st.integers(1, 5),
    block=st.integers(1, 9),
)
def test_chunks_do_not_depend_on_blocks(data: bytes, chunk_rows: int, block: int) -> None:
    text = b"x,y,z\n" + data
    whole = told(CsvSource(ByteStream.of_bytes(text, "f"), chunk_rows))
    assert told(CsvSource(ByteStream.of_bytes(text, "f"), chunk_rows, block)) == whole


@settings(deadline=None, max_examples=100)
@given(st.lists(st.lists(CELL, min_size=2, max_size=2), max_size=12), st.integers(1, 5))
def test_well_formed_csv_is_read_as_the_standard_library_does(
    rows: list[list[str]], chunk_rows: int
) -> None:
    source = CsvSource(ByteStream.of_bytes(csv_bytes([["x", "y"], *rows]), "f"), chunk_rows, 5)
    read = [list(row.values()) for chunk in source.chunks() for row in chunk.cells.to_pylist()]
    assert read == rows


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.dictionaries(st.sampled_from(["x", "y"]), st.none() | st.booleans() | st.integers()),
        min_size=1,
        max_size=12,
    ),
    st.integers(1, 5),
    st.integers(1, 9),
)
def test_json_lines_do_not_depend_on_blocks(
    rows: list[dict[str, object]], chunk_rows: int, block: int
) -> None:
    import json

    text = ('{"x": 0}\n' + "".join(f"{json.dumps(row)}\r\n\n" for row in rows) + "{").encode()
    whole = told(JsonLinesSource(ByteStream.of_bytes(text, "f"), chunk_rows))
    assert told(JsonLinesSource(ByteStream.of_bytes(text, "f"), chunk_rows, block)) == whole


def many(rows: int) -> pd.DataFrame:
    """A table with what tables have: few words, numbers of many digits, longer words, blanks."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "case_id": [f"c{i:05d}" for i in range(rows)],
            "fever": rng.choice(["", "present", "absent"], rows),
            "age": rng.choice(["", "50_to_59", "70_to_79", "40_to_49"], rows),
            "ck": rng.choice(["", *(f"{x:.12g}" for x in rng.random(3 * rows))], rows),
            "phrase": rng.choice(
                ["", "more than sixteen bytes", "more than sixteen letters"], rows
            ),
            "note": rng.choice(["", 'a "quoted" word', "a, b", "x\ny"], rows),
        }
    )


def write_all(table: pd.DataFrame, folder: Path) -> list[Path]:
    """The same table in every format that is read."""
    text = table.to_csv(index=False).encode()
    lines = table.replace("", None).to_json(orient="records", lines=True).encode()
    written = {
        "t.csv": text,
        "t.csv.gz": gzip.compress(text),
        "t.csv.zst": pa.compress(text, "zstd", asbytes=True),
        "t.jsonl": lines,
        "t.jsonl.gz": gzip.compress(lines),
        "t.jsonl.zst": pa.compress(lines, "zstd", asbytes=True),
    }
    for name, data in written.items():
        (folder / name).write_bytes(data)
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    pq.write_table(arrow, folder / "t.parquet", row_group_size=700)
    (folder / "t").mkdir()
    for part, first in enumerate(range(0, len(table), 123)):
        pq.write_table(arrow.slice(first, 123), folder / "t" / f"part.{part}.parquet")
    return [*(folder / name for name in written), folder / "t.parquet", folder / "t"]


def cells(chunks: list[CaseChunk]) -> pd.DataFrame:
    """Cells of chunks as text, blank where nothing is known."""
    table = pa.concat_tables([chunk.cells for chunk in chunks])
    columns = [column.cast(pa.string()).fill_null("") for column in table.columns]
    return pa.table(columns, names=table.column_names).to_pandas()


def test_every_format_gives_the_same_chunks_and_can_be_resumed(tmp_path: Path) -> None:
    table = many(2500)
    for path in write_all(table, tmp_path):
        with open_cases(path, chunk_rows=400) as source:
            chunks = list(source.chunks())
            assert source.progress() == 1.0
        assert [chunk.count for chunk in chunks] == [400] * 6 + [100], path
        assert [chunk.first for chunk in chunks] == list(range(0, 2500, 400))
        assert np.concatenate([chunk.rows for chunk in chunks]).tolist() == list(range(2500))
        pd.testing.assert_frame_equal(cells(chunks), table, check_dtype=False, obj=str(path))
        with open_cases(path, chunk_rows=400) as source:
            rest = list(source.chunks(skip=4))
        assert [chunk.first for chunk in rest] == [1600, 2000, 2400]
        pd.testing.assert_frame_equal(cells(rest), cells(chunks[4:]))
        assert [chunk.lines.tolist() for chunk in rest] == [x.lines.tolist() for x in chunks[4:]]


def test_arrow_reads_the_same_cells(tmp_path: Path) -> None:
    table = many(3000)
    table.to_csv(tmp_path / "t.csv", index=False)
    with open_cases(tmp_path / "t.csv", chunk_rows=10_000) as source:
        (chunk,) = source.chunks()
    options = pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(table, pa.string()))
    parsed = pyarrow.csv.read_csv(
        tmp_path / "t.csv",
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
        convert_options=options,
    )
    pd.testing.assert_frame_equal(cells([chunk]), parsed.to_pandas(), check_dtype=False)


def test_lines_are_those_of_an_editor(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b'x,note\n\n1,"a\r\nb\nc"\r\n2,\r\n\r\n3,\n4\n5,"d"\n')
    with open_cases(tmp_path / "t.csv") as source:
        (chunk,) = source.chunks()
    assert chunk.lines.tolist() == [3, 6, 8, 10]
    assert chunk.rows.tolist() == [0, 1, 2, 4]
    assert [(row, fault.place.rpartition("t.csv")[2]) for row, fault, _ in chunk.faults] == [
        (3, ":9:2")
    ]


def test_more_distinct_cells_than_fit_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bayesdx.tables.sources.coding._MOST_PAIRS", 8)
    table = many(500)
    source = CsvSource(ByteStream.of_bytes(table.to_csv(index=False).encode(), "f"), 1000)
    pd.testing.assert_frame_equal(cells(list(source.chunks())), table, check_dtype=False)


def test_too_much_text_for_a_chunk_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bayesdx.tables.sources.coding.MOST_CHUNK", 100)
    source = CsvSource(ByteStream.of_bytes(b"x,y\n" + b"abc,def\n" * 30, "f"), 1000)
    with pytest.raises(InvalidCase, match="take fewer rows a chunk"):
        list(source.chunks())


def test_digests(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"x\n1\n")
    expected = hashlib.sha256(b"x\n1\n").hexdigest()
    with open_cases(tmp_path / "t.csv") as source:
        assert source.digest() == expected
    piped = CsvSource(ByteStream.of_bytes(b"x\n1\n", "f"), 10)
    list(piped.chunks())
    assert piped.digest() == expected
    unread = CsvSource(ByteStream.of_bytes(b"x,y\n" + b"1,2\n" * 10**6, "f"), 10)
    with pytest.raises(InvalidCase, match="read to its end"):
        unread.digest()
    folders = []
    for name, part in (("one", "a"), ("two", "b"), ("three", "a")):
        (tmp_path / name).mkdir()
        pq.write_table(pa.table({"x": [1]}), tmp_path / name / f"{part}.parquet")
        with open_cases(tmp_path / name) as source:
            folders.append(source.digest())
    assert folders[0] == folders[2] != folders[1]


def test_a_file_that_grows_meanwhile_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"x,y\n" + b"1,2\n" * 400_000)
    with open_cases(path, chunk_rows=1000) as source:
        chunks = source.chunks()
        next(chunks)
        with path.open("ab") as file:
            file.write(b"3,4\n")
        with pytest.raises(InvalidCase, match="changed while it was read"):
            list(chunks)


def test_a_gzip_file_that_breaks_off_gives_what_it_holds_and_stops(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    text = "x,y\n" + "".join(f"{a},{b}\n" for a, b in rng.integers(0, 10**9, (50_000, 2)))
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(text.encode())[:-1000])
    with open_cases(tmp_path / "t.csv.gz", chunk_rows=1000) as source:
        chunks = source.chunks()
        rows = sum(chunk.count for chunk in itertools.islice(chunks, 20))
        with pytest.raises(InvalidCase, match="expected a complete gzip file, got one that breaks"):
            list(chunks)
    assert rows == 20_000


def test_a_pipe_is_read_like_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(b"x,y\n1,2\n3,4\n"))
    writer.start()
    with open_cases(pipe) as source:
        assert source.size is None
        assert source.progress() is None
        (chunk,) = source.chunks()
        assert source.digest() == hashlib.sha256(b"x,y\n1,2\n3,4\n").hexdigest()
    writer.join()
    assert chunk.cells.to_pylist() == [{"x": "1", "y": "2"}, {"x": "3", "y": "4"}]


def test_standard_input_in_a_stated_format(monkeypatch: pytest.MonkeyPatch) -> None:
    data = gzip.compress(b'{"x": 1}\n')
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    with open_cases("-", fmt="jsonl.gz") as source:
        assert source.name == "standard input"
        assert [chunk.cells.to_pylist() for chunk in source.chunks()] == [[{"x": "1"}]]
    with pytest.raises(InvalidCase, match="standard input: expected Parquet in a file"):
        open_cases("-", fmt="parquet")
    with pytest.raises(InvalidCase, match="chunk rows: expected at least 1, got 0"):
        open_cases("-", chunk_rows=0)


def test_no_file_of_a_folder_is_left_out_without_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "t"
    (folder / "sub").mkdir(parents=True)
    for name in ("a.parquet", "sub/b.parquet", "_notes.parquet"):
        pq.write_table(pa.table({"x": [1]}), folder / name)
    (folder / "c.parquet").symlink_to(folder / "sub" / "b.parquet")
    with open_cases(folder) as source:
        assert source.rows == 3
    (folder / "gone.parquet").symlink_to("nowhere")
    (folder / "linked").symlink_to(folder / "sub")
    with pytest.raises(InvalidCase) as caught:
        open_cases(folder)
    assert [fault.place for fault in caught.value.faults] == [
        f"{folder}/linked",
        f"{folder}/gone.parquet",
    ]
    for name in ("gone.parquet", "linked"):
        (folder / name).unlink()
    listed = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("sub"):
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(InvalidCase, match="sub: expected a readable file, got Permission denied"):
        open_cases(folder)


def test_an_empty_name_is_no_folder() -> None:
    with pytest.raises(InvalidCase, match="cases: expected a file, a folder or -, got an empty"):
        open_cases("")


def test_types_of_parquet_files_are_reconciled(tmp_path: Path) -> None:
    folder = tmp_path / "t"
    folder.mkdir()
    parts = [
        {"case_id": [1], "x": [1], "y": [True], "z": pa.array(["a"]).dictionary_encode()},
        {"case_id": ["b"], "x": [2.5], "y": [None], "z": pa.array(["b"], pa.large_string())},
        {"case_id": [None], "x": [None], "y": [False], "z": [None]},
    ]
    for number, part in enumerate(parts):
        pq.write_table(pa.table(part), folder / f"p{number}.parquet")
    with open_cases(folder, chunk_rows=2) as source:
        chunks = list(source.chunks())
        assert source.rows == 3
    assert chunks[0].cells.schema == chunks[1].cells.schema
    assert pa.concat_tables([chunk.cells for chunk in chunks]).to_pylist() == [
        {"case_id": "1", "x": 1.0, "y": True, "z": "a"},
        {"case_id": "b", "x": 2.5, "y": None, "z": "b"},
        {"case_id": None, "x": None, "y": False, "z": None},
    ]


MEMORY = """
import sys
from bayesdx.errors import InvalidCase
from bayesdx.tables.sources.opening import open_cases
for path in sys.argv[1:]:
    rows = faults = 0
    try:
        with open_cases(path) as source:
            for chunk in source.chunks():
                rows, faults = rows + len(chunk.rows), faults + len(chunk.faults)
    except InvalidCase as error:
        faults += len(error.faults)
    print(rows, faults)
print(*(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc")
def test_cells_of_100_mb_are_refused_in_little_memory(tmp_path: Path) -> None:
    big = b"x" * 100_000_000
    files = {
        "plain.csv": b"case_id,age\na,41\nb," + big + b"\nc,50\n",
        "marks.csv": b'case_id,age\na,41\nb,"' + big + b'"\nc,50\n',
        "header.csv": big,
        "lines.jsonl": b'{"age": 41}\n{"age": "' + big + b'"}\n{"age": 50}\n',
        "small.csv.gz": gzip.compress(b"case_id,age\na,41\nb," + big + b"\nc,50\n", 1),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, *(str(tmp_path / name) for name in files)],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    *counts, peak = done.stdout.splitlines()
    assert counts == ["2 1", "1 1", "0 1", "2 1", "2 1"]
    assert int(peak) < 300 << 10
