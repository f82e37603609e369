"""What a worker does with one partition; a function of the job and the knowledge alone."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bayesdx.diagnosis.core import Core
from bayesdx.errors import BayesdxError, Fault, Phrase
from bayesdx.tables.columns import CASE_ID
from bayesdx.tables.distributed.folder import (
    DATA,
    FAULTY,
    RECEIPTS,
    REJECTS,
    WRITING,
    Receipt,
    part_name,
)
from bayesdx.tables.outputs import OutputOptions
from bayesdx.tables.running.audit import METADATA_KEY, engine_facts
from bayesdx.tables.running.counts import Counts
from bayesdx.tables.running.disk import as_json, replace_file, sync_folder, write_through
from bayesdx.tables.running.encoders import arrow_bytes
from bayesdx.tables.running.rejects import Places
from bayesdx.tables.running.work import ChunkWork, Piece
from bayesdx.tables.sources import CaseSource, open_cases
from bayesdx.tables.sources.streams import file_digest

#: Faults that one partition tells in full; all of them are counted.
LISTED = 1000


@dataclass(frozen=True)
class Job:
    """One partition to be scored.

    Attributes
    ----------
    number : int
        From 0.
    first, chunks : int
        Number of its first chunk, and how many it has.
    source : str
        The input, at the same path on all machines.
    rows, size : int
        Records and bytes of the input, as the machine saw it that started the run.
    chunk_rows : int
    output : OutputOptions
    on_error : {"stop", "skip", "report"}
    folder : str
        Of the unfinished run, at the same path on all machines.
    knowledge : str
        Digest of the knowledge.
    engine : tuple of (str, str or None)
        Versions of what computes; results may differ in the last digit between versions.
    facts : str
        JSON for the metadata of the file.
    """

    number: int
    first: int
    chunks: int
    source: str
    rows: int
    size: int
    chunk_rows: int
    output: OutputOptions
    on_error: str
    folder: str
    knowledge: str
    engine: tuple[tuple[str, str | None], ...]
    facts: str


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of a partition.

    Attributes
    ----------
    receipt : Receipt or None
        None where faults kept it from being written.
    counts : Counts
    faults : tuple of Fault
        The first `LISTED`.
    slowest : (int, float)
        First record of the chunk that took longest to score, and its seconds.
    seconds : Counter
    """

    receipt: Receipt | None
    counts: Counts
    faults: tuple[Fault, ...]
    slowest: tuple[int, float]
    seconds: Counter[str]


def score_job(core: Core, job: Job) -> Outcome:
    """Score one partition and write it.

    Parameters
    ----------
    core : Core
        Of the knowledge that the job names.
    job : Job

    Returns
    -------
    Outcome

    Raises
    ------
    BayesdxError
        This machine has another knowledge, engine or input than the one that started the run, or
        cannot read or write where it should.
    """
    folder = Path(job.folder)
    with open_cases(job.source, chunk_rows=job.chunk_rows) as source:
        _check_same(core, job, source)
        work = _work(core, job, source)
        pieces = list(_pieces(work, job, source, folder / FAULTY))
    counts, seconds = Counts(), Counter[str]()
    faults: list[Fault] = []
    slowest = (0, 0.0)
    for piece in pieces:
        counts.add(piece.counts)
        seconds.update(piece.seconds)
        faults += [fault for _, fault in piece.faults[: LISTED - len(faults)]]
        slowest = max(slowest, (piece.first, piece.seconds["scoring"]), key=lambda one: one[1])
    if work.faulty.is_set():
        return Outcome(None, counts, tuple(faults), slowest, seconds)
    receipt = _written(job, pieces, counts)
    return Outcome(receipt, counts, tuple(faults), slowest, seconds)


def _check_same(core: Core, job: Job, source: CaseSource) -> None:
    here = {**engine_facts(core), "knowledge": core.knowledge.digest}
    there = {**dict(job.engine), "knowledge": job.knowledge}
    here |= {"input records": str(source.rows), "input bytes": str(source.size)}
    there |= {"input records": str(job.rows), "input bytes": str(job.size)}
    faults = [
        Fault(f"{name} on the worker", f"{was}", Phrase(here.get(name) or "none"))
        for name, was in there.items()
        if here.get(name) != was
    ]
    if faults:
        raise BayesdxError(faults)


def _work(core: Core, job: Job, source: CaseSource) -> ChunkWork:
    return ChunkWork(
        core=core,
        options=job.output,
        places=Places(source.name, source.columns),
        encode=arrow_bytes,
        number_cases=CASE_ID not in source.columns and job.on_error != "stop",
        stop=job.on_error == "stop",
        workers=1,
        chunk_rows=job.chunk_rows,
    )


def _pieces(work: ChunkWork, job: Job, source: CaseSource, faulty: Path) -> Iterator[Piece]:
    for chunk in islice(source.chunks(job.first), job.chunks):
        # Some other partition has a bad record: nothing will be kept, so it is enough to check.
        if work.stop and faulty.exists():
            work.faulty.set()
        piece = work(chunk)
        if work.faulty.is_set():
            with suppress(OSError):
                faulty.touch()
        yield piece


def _written(job: Job, pieces: list[Piece], counts: Counts) -> Receipt:
    """Write the scores, the records with faults, and last the receipt; each in one step."""
    folder, name = Path(job.folder), part_name(job.number)
    rejected = b"".join(piece.rejected for piece in pieces)
    # Not among the finished ones: their folder is handed over as it stands.
    beside = folder / WRITING / f"{name}.{uuid.uuid4().hex}"
    try:
        _write_parquet(job, pieces, beside)
        digest, size = file_digest(beside), beside.stat().st_size
        beside.replace(folder / DATA / name)
    finally:
        beside.unlink(missing_ok=True)
    sync_folder(folder / DATA)
    replace_file(folder / REJECTS / f"{name}.csv", rejected)
    receipt = Receipt(job.number, counts.as_dict(), digest, size, bool(rejected))
    replace_file(folder / RECEIPTS / f"{name}.json", as_json(receipt._asdict()))
    return receipt


def _write_parquet(job: Job, pieces: list[Piece], path: Path) -> None:
    tables = [pa.ipc.open_stream(piece.output).read_all() for piece in pieces]
    schema = tables[0].schema
    names = [field.name for field in schema if not pa.types.is_floating(field.type)]
    facts = json.loads(job.facts) | {"partition": job.number}
    metadata = {METADATA_KEY: json.dumps(facts, ensure_ascii=False).encode()}
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(
        sink, schema.with_metadata(metadata), use_dictionary=names, compression="snappy"
    ) as writer:
        writer.write_table(pa.concat_tables(tables))
    with path.open("xb") as file:
        write_through(file, sink.getvalue())
