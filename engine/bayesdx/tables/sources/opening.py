"""One way to open whatever holds cases."""

from __future__ import annotations

from pathlib import Path

from bayesdx.errors import Fault, InvalidCase
from bayesdx.tables.sources.chunks import CHUNK_ROWS, CaseSource
from bayesdx.tables.sources.delimited import CsvSource
from bayesdx.tables.sources.formats import CSV, PARQUET, format_of
from bayesdx.tables.sources.json_lines import JsonLinesSource
from bayesdx.tables.sources.parquet import ParquetSource
from bayesdx.tables.sources.streams import ByteStream


def open_cases(
    source: str | Path, *, chunk_rows: int = CHUNK_ROWS, fmt: str | None = None
) -> CaseSource:
    """Open a table of cases for reading it in chunks.

    Parameters
    ----------
    source : str or Path
        A file, a folder of Parquet files, or ``-`` for standard input.
    chunk_rows : int
        Records in each chunk but the last.
    fmt : str, optional
        ``csv``, ``csv.gz``, ``csv.zst``, ``jsonl``, ``jsonl.gz``, ``jsonl.zst`` or ``parquet``;
        by the name of the file when not given, CSV on standard input.

    Returns
    -------
    CaseSource
        A context manager; its header was checked.

    Raises
    ------
    InvalidCase
        The input cannot be read, or its header is wrong; no row was read.
    """
    if chunk_rows < 1:
        raise InvalidCase(Fault("chunk rows", "at least 1", chunk_rows))
    kind, compression = format_of(source, fmt)
    if kind == PARQUET:
        return ParquetSource(source, chunk_rows)
    stream = ByteStream.open(source, compression)
    try:
        return (CsvSource if kind == CSV else JsonLinesSource)(stream, chunk_rows)
    except InvalidCase:
        stream.close()
        raise
