"""Drawn cases as files: CSV, JSON lines, Parquet, or a folder of Parquet files."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bayesdx.errors import Fault, InvalidCase
from bayesdx.tables.disk import unwritable
from bayesdx.tables.drawn_cases import CHUNK_ROWS, SampleTables
from bayesdx.tables.encoders import compressed, csv_bytes, csv_header
from bayesdx.tables.sources.formats import CSV, PARQUET
from bayesdx.tables.target import Target, parse_target
from bayesdx.whole_files import new_file, sync_folder

#: Rows of each file of a folder, unless the number of files is given.
PART_ROWS = 1_000_000
#: Rows of a row group: what a reader holds at once of one file.
GROUP_ROWS = 2 * CHUNK_ROWS
#: Rows that are made text at once; as text they are some thirty times larger.
TEXT_ROWS = CHUNK_ROWS // 4

Progress = Callable[[int], object]


def write_sample(
    tables: SampleTables,
    target: str | Path,
    *,
    parts: int | None = None,
    progress: Progress | None = None,
) -> int:
    """Draw all cases and write them, in bounded memory.

    Parameters
    ----------
    tables : SampleTables
    target : str or Path
        As the output of scoring: ``.csv``, ``.jsonl`` (each also with ``.gz`` or ``.zst``),
        ``.parquet``; a name that ends in ``/`` is a new folder of Parquet files; ``-`` is CSV on
        standard output. The name is there only when everything is written.
    parts : int, optional
        Files in the folder; as even as can be, the rows in order. One for each `PART_ROWS` rows
        when not given.
    progress : function of int, optional
        Called with the number of rows after each chunk.

    Returns
    -------
    int
        Rows written.

    Raises
    ------
    InvalidCase
        The target cannot be written, or the number of parts does not fit it.
    """
    tell = progress or (lambda _: None)
    whither = parse_target(target)
    count = _part_count(whither, tables.n_cases, parts)
    try:
        if whither.folder:
            assert whither.path is not None
            with _folder_at_once(whither.path) as folder:
                for number in range(count):
                    _write_part(tables, folder, number, count, tell)
        elif whither.path is None:
            _write_through(tables, whither, tell)
        else:
            with new_file(whither.path) as file:
                _write_file(tables, whither, file, tell)
    except BrokenPipeError:
        raise
    except OSError as reason:
        raise InvalidCase(unwritable(whither.name, reason)) from reason
    return tables.n_cases


def _part_count(whither: Target, n_cases: int, parts: int | None) -> int:
    if parts is None:
        return -(-n_cases // PART_ROWS)
    if not whither.folder:
        expected = "a name ending in / for several parts"
        raise InvalidCase(Fault("output", expected, whither.name))
    if not 1 <= parts <= n_cases:
        raise InvalidCase(Fault("parts", f"1 to {n_cases:,}, the number of cases", parts))
    return parts


def _write_part(
    tables: SampleTables, folder: Path, number: int, count: int, progress: Progress
) -> None:
    first, stop = (tables.n_cases * step // count for step in (number, number + 1))
    name = f"part-{number:05d}.parquet"
    with (folder / name).open("xb") as file:
        _write_parquet(tables, file, first, stop, progress)
        os.fsync(file.fileno())


def _write_through(tables: SampleTables, whither: Target, progress: Progress) -> None:
    if whither.name == "standard output":
        sys.stdout.flush()
        _write_file(tables, whither, sys.stdout.buffer, progress)
        return
    with Path(whither.name).open("wb") as file:
        _write_file(tables, whither, file, progress)


def _write_file(tables: SampleTables, whither: Target, file: IO[bytes], progress: Progress) -> None:
    if whither.kind == PARQUET:
        _write_parquet(tables, file, 0, tables.n_cases, progress)
        return
    done = 0
    if whither.kind == CSV:
        file.write(compressed(csv_header(tables.schema.names), whither.compression))
    for table in tables.chunks(TEXT_ROWS):
        text = _csv(table) if whither.kind == CSV else _json_lines(table)
        file.write(compressed(text, whither.compression))
        done += len(table)
        progress(done)


def _write_parquet(
    tables: SampleTables, file: IO[bytes], first: int, stop: int, progress: Progress
) -> None:
    done = first
    # No statistics: there is nothing to skip in what is drawn, and they double the time.
    with pq.ParquetWriter(file, tables.schema, write_statistics=False) as writer:
        for table in tables.chunks(GROUP_ROWS, first=first, stop=stop):
            writer.write_table(table, row_group_size=GROUP_ROWS)
            done += len(table)
            progress(done)


def _csv(table: pa.Table) -> bytes:
    """Return CSV without a header, in quotation marks only where a text needs them."""
    plain = pa.table([_opened(column) for column in table.columns], names=table.column_names)
    return csv_bytes(plain, header=False, marks=False)


def _opened(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    return column


def _json_lines(table: pa.Table) -> bytes:
    """Return JSON lines that hold only what is told: each cell with its key is one piece."""
    pieces = [_members(name, table.column(name)) for name in table.column_names]
    lines = pc.binary_join_element_wise(*pieces, ", ", null_handling="skip")
    whole = pc.binary_join_element_wise("{", lines, "}\n", "").combine_chunks().cast(pa.binary())
    text = pc.binary_join(pa.ListArray.from_arrays([0, len(whole)], whole), b"")
    data: bytes = text[0].as_py()
    return data


def _members(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return ``"name": cell`` for each row, null where there is none."""
    key = f"{json.dumps(name)}: "
    if pa.types.is_floating(column.type):
        return pc.binary_join_element_wise(key, column.cast(pa.string()), "")
    whole = column.combine_chunks()
    if not pa.types.is_dictionary(column.type):
        whole = whole.dictionary_encode()
    texts = [key + json.dumps(text, ensure_ascii=False) for text in whole.dictionary.to_pylist()]
    return pa.array(texts, pa.string()).take(whole.indices)


@contextmanager
def _folder_at_once(path: Path) -> Iterator[Path]:
    """Give a folder to fill that gets its name when all went well."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    beside.mkdir()
    try:
        yield beside
        sync_folder(beside)
        beside.replace(path)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    sync_folder(path.parent)
