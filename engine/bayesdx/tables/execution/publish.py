"""From finished parts to an output under its own name."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bayesdx.errors import BayesdxError, Fault, InvalidCase, Phrase
from bayesdx.tables.disk import as_json, read_json
from bayesdx.tables.execution.audit import METADATA_KEY
from bayesdx.tables.execution.part_journal import (
    AUDIT,
    DATA,
    OUTPUT,
    REJECTED,
    RESULT,
    RESULT_FOLDER,
    part_name,
)
from bayesdx.tables.execution.part_store import AppendedParts, PartStore, SeparateParts
from bayesdx.tables.sources.formats import PARQUET
from bayesdx.tables.sources.streams import file_digest
from bayesdx.tables.target import AUDIT_SUFFIX, PARTS_SUFFIX, REJECTED_SUFFIX, Target
from bayesdx.whole_files import replace_file, sync_folder

#: Arrow bytes of a row group and of a file of a folder; a part is never divided.
GROUP_BYTES, FILE_BYTES = 1 << 26, 1 << 29
#: Files that are named where they are not what was written.
MOST_NAMED = 8


def make_result(store: PartStore, target: Target, facts: dict[str, Any]) -> Path:
    """Give the finished parts the form of the output; text has it already.

    Returns
    -------
    Path
        A file or folder among the parts, whole on disk.
    """
    if isinstance(store, SeparateParts):
        return store.shared / DATA
    if target.kind != PARQUET:
        return store.folder / OUTPUT
    with pa.OSFile(str(store.folder / OUTPUT)) as parts:
        tables = arrow_tables(parts)
        if not target.folder:
            write_parquet(tables, store.folder / RESULT, facts)
            return store.folder / RESULT
        folder = store.folder / RESULT_FOLDER
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        number, upcoming = 0, next(tables, None)
        while upcoming is not None:
            path = folder / part_name(number)
            upcoming = write_parquet(chain([upcoming], tables), path, facts, FILE_BYTES)
            number += 1
    sync_folder(folder)
    return folder


def arrow_tables(source: pa.NativeFile) -> Iterator[pa.Table]:
    """Read Arrow streams that lie one after the other."""
    while source.tell() < source.size():
        yield pa.ipc.open_stream(source).read_all()


def write_parquet(
    tables: Iterator[pa.Table], path: Path, facts: dict[str, Any], most: int | None = None
) -> pa.Table | None:
    """Write tables to a file, through to the disk, until it is large enough.

    Parameters
    ----------
    tables : iterator of Table
        At least one.
    path : Path
    facts : dict
        For the metadata of the file.
    most : int, optional
        Bytes of Arrow tables.

    Returns
    -------
    Table or None
        The first that is left.
    """
    held: list[pa.Table] = [next(tables)]
    metadata = {METADATA_KEY: json.dumps(facts, ensure_ascii=False).encode()}
    schema = held[0].schema.with_metadata(metadata)
    names = [field.name for field in schema if not pa.types.is_floating(field.type)]
    size = written = held[0].nbytes
    left = None
    with path.open("wb") as file:
        with pq.ParquetWriter(file, schema, use_dictionary=names, compression="snappy") as writer:
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


def describe_parts(store: PartStore, result: Path, target: Target) -> dict[str, Any]:
    """Describe an output that was just made of parts.

    Raises
    ------
    BayesdxError
        A part is not what a worker says that it wrote.
    """
    if isinstance(store, AppendedParts) and target.kind != PARQUET:
        size, digest = store.digest()
        return {"name": target.name, "bytes": size, "digest": digest}
    about = describe(result, target)
    if isinstance(store, SeparateParts):
        found = {one["name"]: one["digest"] for one in about["files"]}
        stated = {part_name(one.number): one.output_digest for one in store.finished.values()}
        wrong = [name for name in {*found, *stated} if found.get(name) != stated.get(name)]
        if wrong:
            got = Phrase(f"another content in {', '.join(sorted(wrong)[:MOST_NAMED])}")
            raise BayesdxError(Fault(str(result), "the files that the workers wrote", got))
    return about


def refuse_foreign(target: Target) -> None:
    """Refuse a run that would write over what no run has left beside the output.

    Rejected records are mended by people: they are replaced only while they are as the audit
    beside them says.

    Raises
    ------
    InvalidCase
        With every such file.
    """
    if target.path is None or target.beside(PARTS_SUFFIX).exists():
        # Nothing stands beside it; or what is there may be half of what an unfinished run gave.
        return
    audit, rejected = (target.beside(suffix) for suffix in (AUDIT_SUFFIX, REJECTED_SUFFIX))
    told = read_json(audit) or {}
    faults = []
    if audit.exists() and not {"format", "output", "run"} <= told.keys():
        expected = "the audit of a run, which is replaced, or no such file"
        faults.append(Fault(str(audit), expected, Phrase("another file")))
    if rejected.exists():
        stated = told.get("rejected") or {}
        there = {"bytes": rejected.stat().st_size, "digest": file_digest(rejected)}
        if there != stated:
            expected = "the rejected records of a run as it left them, or no such file"
            faults.append(Fault(str(rejected), expected, Phrase("others")))
    if faults:
        raise InvalidCase(faults)


def publish(store: PartStore, target: Target, result: Path, audit: dict[str, Any]) -> None:
    """Give everything its name, the output last; what is begun will be ended by a later run."""
    replace_file(store.folder / AUDIT, as_json(audit))
    mode = target.mode
    if mode is not None:
        # What was private stays private, and so does what is told of it.
        for path in (store.folder / AUDIT, store.folder / REJECTED, result):
            if path.exists():
                path.chmod(mode)
    name = result.relative_to(store.folder).as_posix()
    store.note_plan(
        {"result": name, "rejected": audit["rejected"] is not None, "output": audit["output"]}
    )
    _rename(store, target)


def published(store: PartStore, target: Target) -> bool:
    """Do what is left of a publication, and tell whether the output is now what it should be."""
    assert store.plan is not None
    assert target.path is not None
    _rename(store, target)
    if not target.path.exists():
        return False
    keys = ("bytes", "digest", "files")
    found, stated = describe(target.path, target), store.plan["output"]
    return all(found.get(key) == stated.get(key) for key in keys)


def _rename(store: PartStore, target: Target) -> None:
    assert store.plan is not None
    assert target.path is not None
    result = store.folder / store.plan["result"]
    moves = [(store.folder / AUDIT, target.beside(AUDIT_SUFFIX)), (result, target.path)]
    if store.plan["rejected"]:
        moves.insert(0, (store.folder / REJECTED, target.beside(REJECTED_SUFFIX)))
    else:
        # One of an earlier run would be taken for this one's.
        target.beside(REJECTED_SUFFIX).unlink(missing_ok=True)
    for old, new in moves:
        if old.exists():
            old.replace(new)
            sync_folder(new.parent)


def copy_to_stream(result: Path, target: Target) -> None:
    """Write an output through to what has no name to give: standard output, a pipe, a device."""
    with result.open("rb") as file:
        if target.name == "standard output":
            sys.stdout.flush()
            shutil.copyfileobj(file, sys.stdout.buffer, 1 << 20)
            sys.stdout.buffer.flush()
        else:
            with Path(target.name).open("wb") as device:
                shutil.copyfileobj(file, device, 1 << 20)
