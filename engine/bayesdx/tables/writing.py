"""Tables to CSV and Parquet, so that a reader never sees half a file."""

from __future__ import annotations

import csv
import io
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Literal

import pandas as pd

from bayesdx.errors import Fault, InvalidCase, Phrase
from bayesdx.tables.reading import PARQUET_SUFFIXES, STANDARD_STREAM, check_suffix

# A spreadsheet takes a cell that begins so for a formula, and runs it.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


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
    check_suffix(path)
    write_whole(path, _encoded(table, path))


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that its name never stands for half of it.

    Parameters
    ----------
    path : Path
        The file; one that exists is replaced in one step.
    data : bytes
        All of its content.

    Raises
    ------
    InvalidCase
        The file cannot be written there.
    """
    try:
        _replace(path, data)
    except OSError as reason:
        got = Phrase(reason.strerror or str(reason))
        raise InvalidCase(Fault(str(path), "a place to write to", got)) from reason


def csv_text(table: pd.DataFrame) -> str:
    """Return the table as CSV.

    Numbers are written so that reading them gives the same float64. Text that a spreadsheet would
    run as a formula gets an apostrophe in front, unless it is a number.
    """
    safe = table.copy()
    returns = False
    for position, dtype in enumerate(safe.dtypes):
        if not pd.api.types.is_numeric_dtype(dtype):
            cells = [neutral(cell) for cell in safe.iloc[:, position]]
            returns = returns or any(isinstance(cell, str) and "\r" in cell for cell in cells)
            safe.isetitem(position, cells)
    # Before Python 3.13 the csv module leaves a lone carriage return unquoted, and a reader takes
    # it for the end of the line.
    quoting: Literal[0, 2] = csv.QUOTE_NONNUMERIC if returns else csv.QUOTE_MINIMAL
    text: str = safe.to_csv(index=False, lineterminator="\n", quoting=quoting)
    return text


def neutral(cell: object) -> object:
    """Put an apostrophe before text that a spreadsheet would run as a formula; numbers stay."""
    if not isinstance(cell, str) or not cell.startswith(FORMULA_STARTS):
        return cell
    with suppress(ValueError):
        float(cell)
        return cell
    return f"'{cell}"


def _encoded(table: pd.DataFrame, path: Path) -> bytes:
    if path.suffix.lower() not in PARQUET_SUFFIXES:
        return csv_text(table).encode()
    buffer = io.BytesIO()
    table.to_parquet(buffer, engine="pyarrow", index=False)
    return buffer.getvalue()


def _replace(path: Path, data: bytes) -> None:
    if path.exists() and not path.is_file():
        # A pipe or /dev/null is written to; replacing it would destroy the device.
        path.write_bytes(data)
        return
    # A link keeps pointing where it points; its target is what gets replaced.
    path = path.resolve()
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("xb") as file:
            _write_through(file, data)
        if path.exists():
            # A result that was private stays private.
            beside.chmod(path.stat().st_mode & 0o777)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _write_through(file: BinaryIO, data: bytes) -> None:
    file.write(data)
    file.flush()
    # Without this a power cut after the rename can leave the new name with no content.
    os.fsync(file.fileno())
