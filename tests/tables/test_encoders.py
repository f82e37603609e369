"""Tables as bytes: exact, harmless, readable when put one after the other."""

import gzip
import io
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from bayesdx.errors import InvalidCase
from bayesdx.tables import csv_text, parse_csv
from bayesdx.tables.encoders import csv_bytes, encoder, json_bytes

CELLS = ["=1+1", "+cmd", "-cmd", "@sum", "\tx", "\rx", "-1+2", "-5", "+1.5e3", "a=b", "'=1", ""]
ODD = ['say "no"', "a,b", "two\nlines", "two\r\nlines", "lone\rreturn", "café", " x ", None]
NUMBERS = [0.1, 1 / 3, 5e-324, 1e-300, 1.7976931348623157e308, 1e22, 123456789.0, -1e-7, 0.0, 1.0]


def test_numbers_are_exact_in_csv_and_json() -> None:
    rng = np.random.default_rng(3)
    values = [*NUMBERS, *rng.random(500), *rng.beta(0.1, 9, 500), -np.inf]
    table = pa.table({"x": values})
    rows = csv_bytes(table, True).decode().splitlines()
    assert rows[0] == "x"
    assert [float(cell) for cell in rows[1:]] == values
    lines = [json.loads(line)["x"] for line in json_bytes(table, True).decode().splitlines()]
    assert lines == [*values[:-1], None]


def test_text_is_harmless_as_the_slow_writer_makes_it() -> None:
    table = pa.table({"case_id": [*CELLS, *ODD], "p": np.arange(len(CELLS + ODD)) / 7})
    fast = parse_csv(csv_bytes(table, True), "fast")
    slow = parse_csv(csv_text(table.to_pandas()).encode(), "slow")
    assert fast["case_id"].tolist() == slow["case_id"].tolist()
    assert fast["p"].astype(float).tolist() == slow["p"].astype(float).tolist()


def test_json_lines_keep_text_as_it_is() -> None:
    table = pa.table({"case_id": [*CELLS, *ODD], "rank": pa.array([1] * 19 + [None], pa.int32())})
    lines = json_bytes(table, True).decode().split("\n")
    assert lines.pop() == ""
    read = [json.loads(line) for line in lines]
    assert [one["case_id"] for one in read] == [*CELLS, *ODD]
    assert read[-1]["rank"] is None


def test_sliced_and_empty_tables() -> None:
    table = pa.table({"case_id": ["a", "b", "c"], "p": [0.1, 0.2, 0.3]})
    assert json_bytes(table.slice(1, 1), False) == b'{"case_id": "b", "p": 0.2}\n'
    assert csv_bytes(table.slice(1, 1), False) == b'"b",0.2\n'
    assert json_bytes(table.slice(3), True) == b""
    assert csv_bytes(table.slice(3), True) == b"case_id,p\n"


def test_what_is_no_cell_is_refused() -> None:
    """Nothing is left out without a word."""
    for cells in (pa.array([[1]]), pa.array([{"x": 1}])):
        table = pa.table({"p": [0.1], "cells": cells})
        for encode in (csv_bytes, json_bytes):
            with pytest.raises(InvalidCase, match=f"column cells: .*, got {cells.type}"):
                encode(table, True)
    with pytest.raises(InvalidCase, match="expected columns of UTF-8 text"):
        csv_bytes(pa.table({"p": [b"\xff"]}), True)


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
@pytest.mark.parametrize("compression", ["gz", "zst"])
def test_compressed_pieces_are_read_as_one(kind: str, compression: str) -> None:
    first, second = pa.table({"p": [0.1, 0.2]}), pa.table({"p": [0.3]})
    plain, packed = encoder(kind, ""), encoder(kind, compression)
    whole = plain(first, True) + plain(second, False)
    pieces = packed(first, True) + packed(second, False)
    assert packed(first, True) + packed(second, False) == pieces
    codec = {"gz": "gzip", "zst": "zstd"}[compression]
    assert pa.input_stream(io.BytesIO(pieces), compression=codec).read() == whole
    if compression == "gz":
        assert gzip.decompress(pieces) == whole


def test_other_readers_read_the_csv() -> None:
    table = pa.table({"case_id": ["a,b", 'c"d', "e\nf"], "p": [0.1, -np.inf, 1e-300]})
    read = pd.read_csv(io.BytesIO(csv_bytes(table, True)))
    assert read["case_id"].tolist() == table["case_id"].to_pylist()
    assert read["p"].tolist() == table["p"].to_pylist()


def test_whole_numbers_and_dates_as_ids() -> None:
    days = pa.array([0, 365], pa.int32()).cast(pa.date32())
    table = pa.table({"case_id": days, "number": [7, 8]})
    assert csv_bytes(table, False) == b"1970-01-01,7\n1971-01-01,8\n"
    assert json.loads(json_bytes(table, False).splitlines()[1]) == {
        "case_id": "1971-01-01",
        "number": 8,
    }
