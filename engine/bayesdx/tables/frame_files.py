"""DataFrames to CSV and Parquet files, so that a reader never sees half a file."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bayesdx.errors import Fault, InvalidCase, Phrase
from bayesdx.tables.disk import unwritable
from bayesdx.tables.encoders import csv_bytes
from bayesdx.tables.sources.formats import PARQUET_SUFFIXES, STANDARD_PATH, STANDARD_STREAM
from bayesdx.whole_files import is_same_file, replace_content

#: Formats that people do try to write. Anything else (.txt, no suffix) is taken for CSV.
FOREIGN_SUFFIXES = frozenset(
    {".xlsx", ".xls", ".ods", ".json", ".jsonl", ".feather", ".arrow", ".gz", ".zip", ".zst"}
)
#: What is read of a folder.
_READ_IN_FOLDERS = frozenset({".toml", *PARQUET_SUFFIXES})


def write_table(table: pd.DataFrame, target: str | Path) -> None:
    """Write a table without its index.

    Parameters
    ----------
    table : DataFrame
        What to write.
    target : str or Path
        A file: Parquet when its name ends in ``.parquet`` or ``.pq``, otherwise CSV. ``-`` is CSV
        on standard output. An existing file is replaced in one step, when the new one is complete.

    Raises
    ------
    InvalidCase
        The file cannot be written there.
    """
    if str(target) == STANDARD_STREAM:
        # Bytes, so that the table is UTF-8 as a file would be, whatever the terminal's encoding.
        sys.stdout.flush()
        sys.stdout.buffer.write(csv_text(table).encode())
        return
    path = Path(target)
    suffix = path.suffix.lower()
    if suffix in FOREIGN_SUFFIXES:
        raise InvalidCase(Fault(str(path), "a name ending in .csv or .parquet", path.suffix))
    if suffix in PARQUET_SUFFIXES:
        sink = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pandas(table, preserve_index=False), sink)
        write_whole(path, sink.getvalue().to_pybytes())
    else:
        write_whole(path, csv_text(table).encode())


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that its name never stands for half of it.

    Parameters
    ----------
    path : Path
        The file; one that exists is replaced in one step and keeps its permissions. A link keeps
        pointing where it points; its target is what gets replaced.
    data : bytes
        All of its content.

    Raises
    ------
    InvalidCase
        The file cannot be written there.
    """
    try:
        replace_content(path, data)
    except OSError as reason:
        raise InvalidCase(unwritable(path, reason)) from reason


def write_files(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files into a folder, which is made where there is none: all of them, or nothing.

    Parameters
    ----------
    folder : Path
    contents : mapping of str to bytes
        By name within the folder, with / on every platform; none of them there yet.

    Raises
    ------
    InvalidCase
        A file cannot be written there.
    """
    made: list[Path] = []
    try:
        for name, data in contents.items():
            path = folder / name
            made += [one for one in (*reversed(path.parents), path) if not one.exists()]
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as reason:
                raise InvalidCase(unwritable(path, reason)) from reason
            write_whole(path, data)
    except BaseException:
        for one in reversed(made):
            with suppress(OSError):
                one.rmdir() if one.is_dir() else one.unlink()
        raise


def check_place(target: str | Path) -> None:
    """Refuse a place that no file can be written to, before the work is done that is to be written.

    Raises
    ------
    InvalidCase
        There is no such folder, it cannot be written to, or the name is that of a folder.
    """
    path, folder = Path(target), Path(target).parent
    if path.exists() and not path.is_file() and not path.is_dir():
        # A pipe or a device: nothing is made in its folder.
        return
    if not folder.is_dir():
        raise InvalidCase(
            unwritable(target, FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)))
        )
    if path.is_dir():
        raise InvalidCase(Fault(str(target), "a file to write", Phrase("a folder")))
    if not os.access(folder, os.W_OK):
        raise InvalidCase(
            unwritable(target, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
        )


def check_new_folder(folder: Path) -> None:
    """Refuse a folder that cannot be made, before the work is done that it is for.

    Raises
    ------
    InvalidCase
        What it would be made in is no folder, or cannot be written to.
    """
    inside = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    if inside == folder and not inside.is_dir():
        raise InvalidCase(Fault(str(folder), "a folder", Phrase("a file")))
    number = errno.EACCES if inside.is_dir() else errno.ENOTDIR
    if number == errno.ENOTDIR or not os.access(inside, os.W_OK):
        raise InvalidCase(unwritable(folder, OSError(number, os.strerror(number))))


def refuse_overwriting(target: str | Path, inputs: Iterable[str | Path | None]) -> None:
    """Refuse to write a file over one that it is made from, by whatever path.

    Parameters
    ----------
    target : str or Path
    inputs : iterable of str, Path or None
        ``-`` is standard input, which may be a file. Of a folder the files that are read are meant:
        of knowledge and of tables.

    Raises
    ------
    InvalidCase
        They are the same file.
    """
    path = Path(target)
    if str(target) == STANDARD_STREAM or not path.is_file():
        return
    for one in inputs:
        if one is None:
            continue
        given = STANDARD_PATH if str(one) == STANDARD_STREAM else Path(one)
        files = [given]
        if given.is_dir():
            files = [file for file in given.rglob("*") if file.suffix in _READ_IN_FOLDERS]
        if any(is_same_file(path, file) for file in files):
            expected = f"another file than the input {one}"
            raise InvalidCase(Fault("output", expected, str(target)))


def csv_text(table: pd.DataFrame) -> str:
    """Return the table as CSV.

    Numbers are written so that reading them gives the same float64. Text that a spreadsheet would
    run as a formula gets an apostrophe in front, unless it is a number.
    """
    columns = [_column(table.iloc[:, position]) for position in range(table.shape[1])]
    plain = pa.Table.from_arrays(columns, names=[str(name) for name in table.columns])
    return csv_bytes(plain, header=True, marks=False).decode()


def _column(cells: pd.Series) -> pa.Array:
    if pd.api.types.is_numeric_dtype(cells.dtype) and not pd.api.types.is_bool_dtype(cells.dtype):
        return pa.array(cells, from_pandas=True)
    texts = [None if pd.api.types.is_scalar(one) and pd.isna(one) else str(one) for one in cells]
    return pa.array(texts, pa.string())
