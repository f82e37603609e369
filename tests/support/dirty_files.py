"""Dirty inputs again: compressed files, Parquet, JSON lines, and what is called by a wrong name."""

import gzip
import io
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
from dirty_inputs import HEAD, READ, REFUSED, REJECTED, TEXTS, TWO, A, B, Dirty

GZ, ZST = gzip.compress(HEAD + TWO * 50, mtime=0), pa.compress(HEAD + TWO, "zstd", asbytes=True)


def _parquet(**columns: object) -> bytes:
    target = io.BytesIO()
    pq.write_table(pa.table(columns), target)
    return target.getvalue()


def _latin(count: int) -> bytes:
    """Text that is not all UTF-8, which Arrow does not check: the first cell, and rows after it."""
    texts = pa.array([b"pr\xe9sent", *[b"present"] * count], pa.binary()).view(pa.string())
    return _parquet(cramp=texts)


PARQUET = _parquet(case_id=["a", "b"], cramp=["present", "absent"], age=[41, 70])

FILES = [
    Dirty("gzip", GZ, READ, (A, B) * 50, file="cases.csv.gz"),
    Dirty(
        "gzip in two parts",
        gzip.compress(HEAD, mtime=0) + gzip.compress(TWO, mtime=0),
        READ,
        (A, B),
        file="cases.csv.gz",
    ),
    Dirty("gzip, broken off", GZ[:-20], REFUSED, (), ("one that breaks off",), "cases.csv.gz"),
    Dirty(
        "gzip with a wrong check sum",
        GZ[:-8] + bytes(8),
        REFUSED,
        (),
        ("one that is damaged",),
        "cases.csv.gz",
    ),
    Dirty("gzip and rubbish", GZ + b"rubbish", REFUSED, (), ("is damaged",), "cases.csv.gz"),
    Dirty("plain text called gzip", HEAD + TWO, REFUSED, (), ("is damaged",), "cases.csv.gz"),
    Dirty("gzip called plain text", GZ, REFUSED, (), ("a gzip file without its suffix",)),
    Dirty("zstd", ZST, READ, (A, B), file="cases.csv.zst"),
    Dirty("zstd, broken off", ZST[:-5], REFUSED, (), ("a complete zstd",), "cases.csv.zst"),
    Dirty("zstd called plain text", ZST, REFUSED, (), ("a zstd file without its suffix",)),
    Dirty("zstd called gzip", ZST, REFUSED, (), ("is damaged",), "cases.csv.gz"),
    Dirty("compressed, of no known kind", GZ, REFUSED, (), ("expected a name ending",), "cases.gz"),
    Dirty("Parquet", PARQUET, READ, (A, B), file="cases.parquet"),
    Dirty("Parquet called CSV", PARQUET, REFUSED, (), ("a Parquet file without its suffix",)),
    Dirty("CSV called Parquet", HEAD + TWO, REFUSED, (), ("expected a Parquet",), "cases.parquet"),
    Dirty("Parquet, broken off", PARQUET[:-9], REFUSED, (), ("expected a Pa",), "cases.parquet"),
    Dirty(
        "true, false, numbers and null in Parquet",
        _parquet(cramp=[True, False, None], ck=[5.0, None, 2.5]),
        READ,
        ("True|5.0", "False|", "|2.5"),
        file="cases.parquet",
    ),
    Dirty(
        "decimals in Parquet",
        _parquet(cramp=["yes", "no"], ck=[Decimal("5.0"), Decimal("2.5")]),
        READ,
        ("yes|5.0", "no|2.5"),
        file="cases.parquet",
    ),
    Dirty(
        "lists in Parquet",
        _parquet(cramp=[["present"], []]),
        REFUSED,
        (),
        (":1:1: expected text, numbers or true and false in cramp, got list",),
        "cases.parquet",
    ),
    Dirty(
        "Latin-1 in Parquet",
        _latin(9),
        REJECTED,
        ("present",) * 9,
        (":1:1: expected UTF-8 text, got b'pr\\xe9sent'",),
        "cases.parquet",
    ),
    Dirty(
        "bytes in Parquet",
        _parquet(cramp=pa.array([b"present", b"pr\xe9sent", b"no"])),
        REJECTED,
        ("present", "no"),
        (":2:1: expected UTF-8 text, got b'pr\\xe9sent'",),
        "cases.parquet",
    ),
    Dirty(
        "blanks around names in Parquet",
        _parquet(**{" cramp ": ["present"], "age ": [41]}),
        READ,
        ("present|41",),
        file="cases.parquet",
    ),
    Dirty(
        "a folder of Parquet, one part without a value",
        {"part.10.parquet": _parquet(cramp=["absent"]), "part.9.parquet": _parquet(cramp=[None])},
        READ,
        ("", "absent"),
        file="cases",
    ),
    Dirty(
        "a folder of Parquet with other columns",
        {"a.parquet": _parquet(cramp=["absent"]), "b.parquet": _parquet(age=[41])},
        REFUSED,
        (),
        ("expected the columns of a.parquet",),
        "cases",
    ),
    Dirty("a folder without Parquet", {"a.csv": HEAD}, REFUSED, (), ("got none",), "cases"),
    Dirty("a workbook", b"PK\x03\x04", REFUSED, (), ("ending in .csv",), "cases.xlsx"),
    Dirty("a workbook called CSV", b"PK\x03\x04rest", REFUSED, (), ("an Excel workbook",)),
    Dirty("a web page called CSV", b"<!DOCTYPE html>\n", REFUSED, (), ("a web page",)),
    Dirty("JSON called CSV", b'[{"age": 41}]', REFUSED, (), ("a JSON array",)),
    Dirty("JSON", b'[{"age": 41}]', REFUSED, (), ("expected a name ending",), "cases.json"),
    Dirty("a format that is none", HEAD, REFUSED, (), ("got 'cvs'. Nearest: csv",), fmt="cvs"),
]


def _json(about: str, data: bytes, outcome: str, rows: tuple[str, ...], *told: str) -> Dirty:
    return Dirty(f"JSON lines: {about}", data, outcome, rows, told, "cases.jsonl")


JSON = [
    _json(
        "values of all types", b'{"cramp":true,"age":41}\n{"cramp":0}\n', READ, ("true|41", "0|")
    ),
    _json("keys left out, null", b'{"age":null}\n\n{"cramp":"no"}\n', READ, ("|", "|no")),
    _json("an array", b'{"cramp":1}\n{"cramp":[1]}\n', REJECTED, ("1",), ":2:cramp: expected text"),
    _json("an object", b'{"cramp":1}\n{"cramp":{}}\n', REJECTED, ("1",), ":2:cramp: expected text"),
    _json("a key twice", b'{"cramp":1,"cramp":0}\n', REJECTED, (), ":1:cramp: expected each key"),
    _json("NaN", b'{"cramp":1}\n{"cramp":NaN}\n', REJECTED, ("1",), "NaN, which is no number"),
    _json("Infinity", b'{"age":41}\n{"age":-Infinity}\n', REJECTED, ("41",), "-Infinity, which is"),
    _json("a number too large", b'{"age":41}\n{"age":1e999}\n', REJECTED, ("41",), "got '1e999'"),
    _json("no object", b'{"cramp":1}\n"cramp"\n', REJECTED, ("1",), ":2:1: expected an object"),
    _json("broken off", b'{"cramp":1}\n{"cramp":', REJECTED, ("1",), ":2:10: expected an object"),
    _json("two objects", b'{"cramp":1}\n{"cramp":1} {}\n', REJECTED, ("1",), ":2:13: expected an"),
    _json("an unknown key", b'{"cramp":1,"shoe":1}\n', REFUSED, (), "got 'shoe'"),
    _json(
        "a new key after a thousand rows",
        b'{"cramp":1}\n' * 1000 + b'{"age":41}\n',
        REJECTED,
        ("1",) * 1000,
        ":1001:1: expected a key that one of the first 1000 rows has, got 'age'",
    ),
    _json("half a letter", b'{"cramp":"\\ud800"}\n', REJECTED, (), "text that UTF-8 can hold"),
    _json("NUL", b'{"cramp":1}\n{"cramp":"\\u0000"}\n', REJECTED, ("1",), "text without NUL"),
    _json("Latin-1", b'{"cramp":1}\n{"cramp":"\xe9"}\n', REJECTED, ("1",), ":2:11: expected UTF-8"),
    _json("CSV by content", HEAD + TWO, REFUSED, (), "expected an object on each line"),
    _json("one array", b'[{"age":41}]\n', REFUSED, (), "got a JSON array"),
    _json("deep nesting", b'{"age":' + b"[" * 99999 + b"\n", REFUSED, (), "expected an object"),
    _json("endless digits", b'{"age":' + b"9" * 5000 + b"}\n", REFUSED, (), "expected an object"),
    _json("words for a measure", b'{"age":true}\n', REJECTED, (), ":1:age: expected a number"),
]

ALL = [*TEXTS, *FILES, *JSON]
