"""Cases from CSV and Parquet.

CSV is read as text, every cell: pandas' guesses would turn a finding `NA` into nothing and a
column of grades `1`, `` into 1.0 and NaN before anybody could say what was written. A table that
is not rectangular is refused with the line and column of each fault, because a shifted row gives a
plausible and wrong posterior.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from bayesdx.errors import Fault, InvalidCase, Phrase, nearest_names

STANDARD_STREAM = "-"
PARQUET_SUFFIXES = frozenset({".parquet", ".pq"})
# Formats that people do try. Anything else (.txt, no suffix) is taken for CSV.
FOREIGN_SUFFIXES = frozenset(
    {".xlsx", ".xls", ".ods", ".json", ".jsonl", ".feather", ".arrow", ".gz", ".zip", ".zst"}
)
PARQUET_MAGIC = b"PAR1"
OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def read_cases(source: str | Path) -> pd.DataFrame:
    """Read a table of cases.

    Parameters
    ----------
    source : str or Path
        A file: Parquet when its name ends in ``.parquet`` or ``.pq``, otherwise CSV with a header
        line. ``-`` is CSV on standard input.

    Returns
    -------
    DataFrame
        One row a case, numbered from 0. CSV cells are all `str`, blank where nothing is written.

    Raises
    ------
    InvalidCase
        The file cannot be read or is not a table with at least one case. Places are
        ``file:line:column``.
    """
    if str(source) == STANDARD_STREAM:
        return parse_csv(sys.stdin.buffer.read(), "standard input")
    path = Path(source)
    check_suffix(path)
    try:
        data = path.read_bytes()
    except OSError as reason:
        raise InvalidCase(_unreadable(path, reason)) from reason
    if path.suffix.lower() in PARQUET_SUFFIXES:
        return _parse_parquet(data, str(path))
    return parse_csv(data, str(path))


def check_suffix(path: Path) -> None:
    """Refuse a file name that promises a format which is neither CSV nor Parquet."""
    if path.suffix.lower() in FOREIGN_SUFFIXES:
        raise InvalidCase(Fault(str(path), "a name ending in .csv or .parquet", path.suffix))


def parse_csv(data: bytes, name: str) -> pd.DataFrame:
    """Read the bytes of a CSV file as a table of text; `name` is what its faults call it."""
    if data.startswith(PARQUET_MAGIC):
        raise InvalidCase(Fault(name, "CSV text", Phrase("a Parquet file without its suffix")))
    lines = _records(_decoded(data, name), name)
    at, header = next(lines, (1, []))
    if not header:
        raise InvalidCase(Fault(f"{name}:1:1", "a header line", Phrase("an empty file")))
    names = [cell.strip() for cell in header]
    faults = _header_faults(names, name, at)
    rows: list[list[str]] = []
    end = at
    for end, row in lines:
        if len(row) == len(names):
            rows.append(row)
        else:
            place = f"{name}:{end}:{min(len(row), len(names)) + 1}"
            expected = f"{len(names)} values, as in the header"
            faults.append(Fault(place, expected, Phrase(str(len(row)))))
    if not rows and not faults:
        faults.append(_no_case(f"{name}:{end + 1}:1"))
    if faults:
        raise InvalidCase(faults)
    return pd.DataFrame(rows, columns=names, dtype=object)


def _decoded(data: bytes, name: str) -> str:
    try:
        # utf-8-sig: Excel begins its UTF-8 files with a byte order mark.
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as reason:
        before = data[: reason.start]
        line = before.count(b"\n") + 1
        column = reason.start - (before.rfind(b"\n") + 1) + 1
        wrong = data[reason.start : reason.start + 1]
        raise InvalidCase(Fault(f"{name}:{line}:{column}", "UTF-8 text", wrong)) from reason


def _records(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each record with the line on which it begins; lines without any value are skipped."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        begin = reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as reason:
            expected = "a CSV record, with its quotation marks closed and doubled inside"
            fault = Fault(f"{name}:{begin}:1", expected, Phrase(str(reason)))
            raise InvalidCase(fault) from reason
        if record:
            yield begin, record


def _header_faults(names: list[str], name: str, line: int) -> list[Fault]:
    if len(names) == 1:
        for mark, called in OTHER_SEPARATORS.items():
            if mark in names[0]:
                expected = "columns separated by commas"
                return [Fault(f"{name}:{line}:1", expected, Phrase(called))]
    faults = []
    first: dict[str, int] = {}
    for column, label in enumerate(names, start=1):
        place = f"{name}:{line}:{column}"
        if not label:
            faults.append(Fault(place, "a column name", label))
        elif label in first:
            expected = f"each column once (this one is column {first[label]} already)"
            faults.append(Fault(place, expected, label))
        first.setdefault(label, column)
    return faults


def _parse_parquet(data: bytes, name: str) -> pd.DataFrame:
    # Imported here: CSV users need not wait for it.
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(pa.BufferReader(data))
    except (pa.ArrowInvalid, pa.ArrowTypeError, OSError) as reason:
        got = Phrase(str(reason).splitlines()[0])
        raise InvalidCase(Fault(name, "a Parquet file", got)) from reason
    faults = _header_faults([label.strip() for label in table.column_names], name, 1)
    if not table.num_rows:
        faults.append(_no_case(name))
    if faults:
        raise InvalidCase(faults)
    # ignore_metadata: a DataFrame's named index (often case_id) comes back as the column it is in
    # the file; an index that pandas only numbered is no column of the cases.
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    kept = [label for label in frame.columns if not str(label).startswith("__index_level_")]
    return frame[kept]


def _no_case(place: str) -> Fault:
    return Fault(place, "at least one case below the header", Phrase("none"))


def _unreadable(path: Path, reason: OSError) -> Fault:
    if isinstance(reason, FileNotFoundError):
        folder = path.parent
        here = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
        return Fault(str(path), "a file", Phrase("no such file"), nearest_names(path.name, here))
    if isinstance(reason, IsADirectoryError):
        return Fault(str(path), "a file", Phrase("a folder"))
    return Fault(str(path), "a readable file", Phrase(reason.strerror or str(reason)))
