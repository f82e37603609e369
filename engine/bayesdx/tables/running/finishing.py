"""From finished parts to an output under its own name."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from bayesdx.tables.running.audit import METADATA_KEY
from bayesdx.tables.running.disk import as_json, replace_file, sync_folder
from bayesdx.tables.running.parts import AUDIT, OUTPUT, REJECTED, RESULT, RESULT_FOLDER, Parts
from bayesdx.tables.running.target import AUDIT_SUFFIX, REJECTED_SUFFIX, Target
from bayesdx.tables.sources.formats import PARQUET
from bayesdx.tables.sources.streams import file_digest

#: Arrow bytes of a row group and of a file of a folder; a part is never divided.
GROUP_BYTES, FILE_BYTES = 1 << 26, 1 << 29


def make_result(parts: Parts, target: Target, facts: dict[str, Any]) -> Path:
    """Give the finished parts the form of the output; text has it already.

    Returns
    -------
    Path
        A file or folder beside the parts, whole on disk.
    """
    if target.kind != PARQUET:
        return parts.folder / OUTPUT
    metadata = {METADATA_KEY: json.dumps(facts, ensure_ascii=False).encode()}
    tables = _tables(parts.folder / OUTPUT)
    if not target.folder:
        _write_parquet(tables, parts.folder / RESULT, metadata, None)
        return parts.folder / RESULT
    folder = parts.folder / RESULT_FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    number, upcoming = 0, next(tables, None)
    while upcoming is not None:
        path = folder / f"part-{number:05}.parquet"
        upcoming = _write_parquet(chain([upcoming], tables), path, metadata, FILE_BYTES)
        number += 1
    sync_folder(folder)
    return folder


def _tables(path: Path) -> Iterator[pa.Table]:
    """Read Arrow streams that lie one after the other."""
    with pa.OSFile(str(path)) as file:
        while file.tell() < file.size():
            yield pa.ipc.open_stream(file).read_all()


def _write_parquet(
    tables: Iterator[pa.Table], path: Path, metadata: dict[bytes, bytes], most: int | None
) -> pa.Table | None:
    """Write tables to a file until it is large enough; return the first that is left."""
    held: list[pa.Table] = [next(tables)]
    schema = held[0].schema
    names = [field.name for field in schema if not pa.types.is_floating(field.type)]
    size = written = held[0].nbytes
    left = None
    with path.open("wb") as file:
        with pq.ParquetWriter(
            file, schema.with_metadata(metadata), use_dictionary=names, compression="snappy"
        ) as writer:
            for table in tables:
                if most is not None and written + table.nbytes > most:
                    left = table
                    break
                if size + table.nbytes > GROUP_BYTES:
                    writer.write_table(pa.concat_tables(held))
                    held, size = [], 0
                held.append(table)
                size += table.nbytes
                written += table.nbytes
            writer.write_table(pa.concat_tables(held))
        file.flush()
        os.fsync(file.fileno())
    return left


def describe(result: Path, target: Target) -> dict[str, Any]:
    """Return name, size and digest of an output; of a folder, of each file."""
    about: dict[str, Any] = {"name": target.name}
    if not target.folder:
        return {**about, "bytes": result.stat().st_size, "digest": file_digest(result)}
    files = [
        {"name": path.name, "bytes": path.stat().st_size, "digest": file_digest(path)}
        for path in sorted(result.iterdir())
    ]
    return {**about, "bytes": sum(int(str(one["bytes"])) for one in files), "files": files}


def hand_over(parts: Parts, target: Target, result: Path, audit: dict[str, Any]) -> None:
    """Give everything its name, the output last; what is begun will be ended by a later run."""
    replace_file(parts.folder / AUDIT, as_json(audit))
    renames = [(parts.folder / AUDIT, target.beside(AUDIT_SUFFIX))]
    if parts.any_rejected:
        renames.insert(0, (parts.folder / REJECTED, target.beside(REJECTED_SUFFIX)))
    else:
        # One of an earlier run would be taken for this one's.
        target.beside(REJECTED_SUFFIX).unlink(missing_ok=True)
    assert target.path is not None
    if target.path.is_file():
        # A result that was private stays private.
        result.chmod(target.path.stat().st_mode & 0o777)
    renames.append((result, target.path))
    parts.plan_renames([(str(old), str(new)) for old, new in renames])
    do_renames(parts)


def do_renames(parts: Parts) -> None:
    """Do what is left of the planned renames."""
    for old, new in parts.renames or ():
        if Path(old).exists():
            Path(old).replace(new)
            sync_folder(Path(new).parent)


def copy_to_stream(result: Path, target: Target) -> None:
    """Write an output through to what has no name to give: standard output, a pipe, a device."""
    with result.open("rb") as file:
        if target.name == "standard output":
            sys.stdout.flush()
            _copy(file, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        else:
            with Path(target.name).open("wb") as device:
                _copy(file, device)


def _copy(source: IO[bytes], sink: IO[bytes]) -> None:
    shutil.copyfileobj(source, sink, 1 << 20)
