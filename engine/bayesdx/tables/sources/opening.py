"""One way to open whatever holds cases."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from bayesdx.errors import Fault, InvalidCase, Phrase
from bayesdx.tables.sources.chunks import CHUNK_ROWS, CaseSource
from bayesdx.tables.sources.delimited import CsvSource
from bayesdx.tables.sources.dialect import Dialect
from bayesdx.tables.sources.formats import CSV, PARQUET, format_of
from bayesdx.tables.sources.json_lines import JsonLinesSource
from bayesdx.tables.sources.parquet import ParquetSource
from bayesdx.tables.sources.streams import ByteStream


def open_cases(
    source: str | Path,
    *,
    chunk_rows: int = CHUNK_ROWS,
    fmt: str | None = None,
    dialect: Dialect | None = None,
    plain: Collection[str] = (),
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
    dialect : Dialect, optional
        How CSV is written.
    plain : collection of str
        Columns that are kept as they are, besides the reserved ones: they are no evidence.

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
    if str(source) == "":
        # A variable of a shell that was not set; to Python it is the folder one is in.
        raise InvalidCase(Fault("cases", "a file, a folder or -", Phrase("an empty name")))
    kind, compression = format_of(source, fmt)
    dialect = dialect or Dialect()
    dialect.check(kind, str(source))
    if kind == PARQUET:
        return ParquetSource(source, chunk_rows, plain)
    stream = ByteStream.open(source, compression, dialect.codec)
    try:
        if kind == CSV:
            return CsvSource(stream, chunk_rows, dialect=dialect, plain=plain)
        return JsonLinesSource(stream, chunk_rows, plain=plain)
    except InvalidCase:
        stream.close()
        raise
