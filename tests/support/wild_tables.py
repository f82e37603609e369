"""Tables of nonsense in every format and dialect, as `bounded_inputs` takes them.

CSV as spreadsheets, databases and people write it, JSON lines, Parquet of every type, whole or
damaged, plain or compressed, files and folders, and frames: scored, or refused with our own faults.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from random_cells import random_text
from small_priors import SMALL, write_priors
from wild_columns import random_column

import bayesdx
from bayesdx.diagnosis.core import Core
from bayesdx.diagnosis.values import Words
from bayesdx.errors import BayesdxError
from bayesdx.tables.execution.run_options import RunOptions
from bayesdx.tables.execution.table_run import score_table
from bayesdx.tables.sources.dialect import Dialect
from bayesdx.tables.table_options import TableOptions

NAMES = (
    *("case_id", "cramp", "age", "ck", "radiation", "radiation_foot", "ck_high", "note", "urgency"),
    *(
        "statin_use",
        "reach",
        "severe_pain",
        " cramp ",
        "CRAMP",
        "muscle cramp",
        "",
        "x\ny",
        "status",
    ),
)
#: What spreadsheets make of what was typed in.
SPREADSHEET = (
    *('="0123"', "=1+1", "'1", "1,5", "1.234,5", "1 234", "1'234", "50%", "TRUE", "WAHR", "VRAI"),
    *("5.00E-01", "1E+02", "01-May", "12:30", "45413", "2024-05-01 00:00:00", "#DIV/0!", "#N/A"),
    *("#REF!", "########", "\u00a00.5", "½", "−1", "0.5 ", "41 years", "3 mo", "$4", "n.a.", "-"),
    *("yes, often", 'the "bad" leg', "two\nlines", "a;b", "\ufeff41", "٤١", "1e-400", "1.0000"),
)
ENCODINGS = ("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1", "cp1252")
ENCODINGS += ("utf-32", "utf-7", "shift_jis", "cp037", "idna", "punycode", "mbcs", "rot13", "x")


def prepare(folder: Path) -> Callable[[random.Random], str]:
    """Return what writes a table into the folder and scores it."""
    engine = bayesdx.load(write_priors(folder / "priors", SMALL))
    scratch = folder / "tables"
    # What is imported at the first use is no matter of an input.
    engine.score(pa.table({"cramp": ["present"]}))
    engine.score({"cramp": ["present"]})

    def take(rng: random.Random) -> str:
        scratch.mkdir()
        try:
            if rng.random() < 0.2:
                return score_frame(engine, rng)
            return score_file(engine.core, rng, random_file(rng, scratch))
        finally:
            shutil.rmtree(scratch)

    return take


def score_frame(engine: bayesdx.Engine, rng: random.Random) -> str:
    """Score a table in memory: Arrow, pandas of several kinds, or lists of mappings."""
    table = random_arrow(rng, rng.choice((0, 1, 3)))
    kind = rng.randrange(5)
    try:
        cases: object = table
        if kind == 1:
            cases = table.to_pandas()
        elif kind == 2:
            cases = table.to_pylist()
        elif kind == 3:
            cases = table.to_pydict()
        elif kind == 4:
            cases = table.to_pandas().astype(object)
    except (ValueError, TypeError, pa.ArrowException):
        return "no frame"
    try:
        found = engine.score(cases, on_error=rng.choice(("raise", "reject", "skip")))
    except BayesdxError as error:
        return "frame refused" if "expected" in str(error) else "said nothing"
    found = getattr(found, "answers", found)
    logs = found["log_evidence"].to_pylist() if isinstance(found, pa.Table) else None
    assert not any(math.isnan(log) for log in logs or () if log is not None)
    return "frame scored"


def score_file(core: Core, rng: random.Random, file: Written) -> str:
    """Score a file with options of any kind, mostly such as it needs."""
    path = file.path
    output = path.parent / rng.choice(("out.jsonl", "out.csv", "out.parquet", "out.csv.gz"))
    some = rng.choice((*[()] * 9, ("note",), ("cramp",), ("x",), ("status",)))
    told = (file.mark, file.encoding)
    if rng.random() < 0.15:
        told = rng.choice(("", ";", "tab", "|", " ", "~", "ab")), rng.choice(("", *ENCODINGS))
    try:
        table = TableOptions(
            Dialect(*told),
            Words(no=("2",), unknown=("-",), decimal=rng.choice((*"...", ","))),
            id=rng.choice((*[None] * 9, "note", "age")),
            keep=some if rng.random() < 0.5 else (),
            ignore=some if rng.random() < 0.5 else (),
        )
        options = RunOptions(
            on_error=rng.choice(("stop", "skip", "skip", "report")),
            chunk_rows=rng.choice((1, 2, 10_000)),
            table=table,
            workers=1,
            unique_ids=rng.random() < 0.1,
        )
        report = score_table(core, path, output, options)
    except BayesdxError as error:
        return "refused" if "expected" in str(error) else "said nothing"
    report.counts.check()
    if output.suffix == ".jsonl":
        for line in output.read_text(encoding="utf-8").splitlines():
            json.loads(line, parse_constant=_refuse)
    return "scored" if not report.counts.rejected else "scored in part"


def _refuse(word: str) -> float:
    raise ValueError(word)


class Written(NamedTuple):
    """A file or folder, and how its text is written, where it is text."""

    path: Path
    mark: str = ""
    encoding: str = ""


def random_file(rng: random.Random, folder: Path) -> Written:
    """Write a table, and damage it now and then."""
    kind = rng.choice(("csv", "csv", "csv", "jsonl", "jsonl", "parquet", "parquet", "folder"))
    if kind == "folder":
        (folder / "t").mkdir()
        for number in range(rng.randint(1, 3)):
            data = _parquet(rng, rng.choice((0, 1, 2)))
            (folder / "t" / f"part.{number}.parquet").write_bytes(_damaged(rng, data, 0.1))
        return Written(folder / "t")
    rows = rng.choice((0, 1, 2, 5, 5))
    if kind == "parquet":
        path = folder / "t.parquet"
        path.write_bytes(_damaged(rng, _parquet(rng, rows), 0.4))
        return Written(path)
    mark, codec = (rng.choice(",,,;\t|"), rng.choice(ENCODINGS[:8])) if kind == "csv" else ("", "")
    data = _csv(rng, rows, mark, codec) if kind == "csv" else _json_lines(rng, rows)
    packed = rng.choice(("", "", "", ".gz", ".zst"))
    data = _damaged(rng, data, 0.3)
    if packed == ".gz":
        data = _damaged(rng, gzip.compress(data, mtime=0), 0.3)
    elif packed == ".zst":
        data = _damaged(rng, pa.compress(data, "zstd", asbytes=True), 0.3)
    path = folder / f"t.{kind}{packed}"
    path.write_bytes(data)
    return Written(path, mark, codec)


def _names(rng: random.Random) -> list[str]:
    return rng.choices(NAMES[:12] if rng.random() < 0.9 else NAMES, k=rng.randint(1, 5))


def _cell(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.6:
        return rng.choice(
            (*[""] * 4, "present", "absent", "0.3", "41", "1", "0", "thigh", "70", "2.5")
        )
    if kind < 0.8:
        return rng.choice(SPREADSHEET)
    if kind < 0.81:
        return rng.choice(("x" * 70_000, "9" * 5000, "0." + "0" * 5000 + "1", '"' * 999))
    return random_text(rng)


def _csv(rng: random.Random, rows: int, mark: str, codec: str) -> bytes:
    names = [*dict.fromkeys(_names(rng))] if rng.random() < 0.95 else _names(rng)
    text = io.StringIO(newline="")
    if rng.random() < 0.15:
        text.write(f"sep={mark}\r\n")
    quoting = rng.choice((csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
    end = rng.choice(("\n", "\r\n", "\r"))
    writer = csv.writer(text, delimiter=mark, quoting=quoting, lineterminator=end)
    writer.writerow(names)
    for _ in range(rows):
        writer.writerow([_cell(rng) for _ in names])
    return text.getvalue().encode(codec, "surrogatepass" if codec.startswith("utf") else "replace")


def _json_value(rng: random.Random) -> str:
    if rng.random() < 0.6:
        return json.dumps(_cell(rng), ensure_ascii=rng.random() < 0.8)
    return rng.choice(
        (
            *("true", "false", "null", "0", "1", "-0.0", "0.5", "41", "1e400", "1e-400", "NaN"),
            *("[1]", "{}", '{"a": [1]}', "-Infinity", "9" * 30, "9" * 5000, "0." + "9" * 400, "01"),
            *("[" * 5000, "1E5", "1e99999999999", r'"\ud800"', r'"\u0000"', "'x'", "+1", ".5"),
        )
    )


def _json_lines(rng: random.Random, rows: int) -> bytes:
    lines = []
    for _ in range(rows):
        pairs = [f"{json.dumps(name)}: {_json_value(rng)}" for name in _names(rng)]
        lines.append("{" + ", ".join(pairs) + "}")
    return rng.choice(("\n", "\r\n", "\n\n")).join(lines).encode("utf-8", "surrogatepass")


def random_arrow(rng: random.Random, rows: int) -> pa.Table:
    """A table of columns of any types."""
    names = [*dict.fromkeys(_names(rng))] if rng.random() < 0.95 else _names(rng)
    columns = [random_column(rng, rows) for _ in names]
    return pa.Table.from_arrays(columns, names=names)


def _parquet(rng: random.Random, rows: int) -> bytes:
    table = random_arrow(rng, rows)
    target = io.BytesIO()
    try:
        if rng.random() < 0.2:
            table = pa.Table.from_pandas(table.to_pandas().rename(index=lambda at: f"i{at}"))
        pq.write_table(
            table,
            target,
            row_group_size=rng.choice((1, 2, 100)),
            compression=rng.choice(("none", "snappy", "gzip", "zstd", "lz4", "brotli")),
            use_dictionary=rng.random() < 0.5,
            data_page_version=rng.choice(("1.0", "2.0")),
            write_page_checksum=rng.random() < 0.3,
            store_schema=rng.random() < 0.8,
        )
    except (pa.ArrowException, ValueError, TypeError):
        # There are types that Parquet does not hold.
        pq.write_table(pa.table({"cramp": ["present"] * rows}), target := io.BytesIO())
    return target.getvalue()


def _damaged(rng: random.Random, data: bytes, chance: float) -> bytes:
    """Bytes with one to four faults, as often as is said."""
    if rng.random() >= chance or not data:
        return data
    held = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        at, size = rng.randrange(len(held) + 1), rng.choice((1, 1, 4, 40))
        kind = rng.randrange(6)
        if kind == 0:
            del held[at : at + size]
        elif kind == 1:
            held[at : at + size] = rng.randbytes(size)
        elif kind == 2:
            held[at:at] = held[at : at + size] * rng.choice((1, 3))
        elif kind == 3:
            held[at:at] = rng.choice((b'"', b",", b"\n", b"\0", b"\xff", b"\x80", b"\xff\xff\x7f"))
        elif kind == 4 and held:
            held[min(at, len(held) - 1)] ^= 1 << rng.randrange(8)
        else:
            del held[at:]
    return bytes(held)
