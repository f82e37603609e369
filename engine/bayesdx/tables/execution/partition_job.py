"""What a worker of a cluster does with one partition: several chunks, written to a shared disk."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from bayesdx.errors import BayesdxError, Fault, Phrase
from bayesdx.tables.encoders import arrow_bytes
from bayesdx.tables.execution.audit import RunFacts, engine_facts, facts
from bayesdx.tables.execution.chunk_job import ChunkJob
from bayesdx.tables.execution.part_journal import DATA, FAULTY, REJECTS, WRITING, part_name
from bayesdx.tables.execution.part_result import PartResult, WrittenPart, joined
from bayesdx.tables.execution.publish import arrow_tables, write_parquet
from bayesdx.tables.execution.rejects import CellPlaces
from bayesdx.tables.execution.subject import EngineSubject
from bayesdx.tables.sources.streams import bytes_digest, file_digest
from bayesdx.tables.table_options import open_table, roles_of
from bayesdx.whole_files import replace_file, sync_folder

if TYPE_CHECKING:
    from bayesdx.diagnosis.core import Core
    from bayesdx.tables.execution.run_options import RunOptions
    from bayesdx.tables.sources.chunks import CaseSource

#: Faults that one partition tells in full; all of them are counted.
LISTED = 1000
#: Why partitions are given up of which nothing was heard any more.
SCHEDULER_GONE = "the scheduler went away"


@dataclass(frozen=True)
class PartitionJob:
    """One partition to be scored.

    Attributes
    ----------
    number : int
        From 0; so many times ``chunks`` come before it.
    chunks : int
        How many it has.
    source : str
        The input, at the same path on all machines.
    rows, size : int
        Records and bytes of the input, as the machine saw it that started the run.
    folder : str
        Of the unfinished run, at the same path on all machines.
    options : RunOptions
    made_from : RunFacts
        Results may differ in the last digit between versions of what computes.
    """

    number: int
    chunks: int
    source: str
    rows: int
    size: int
    folder: str
    options: RunOptions
    made_from: RunFacts


class FileFlag:
    """A flag that all machines see: a file on the disk that they share."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def set(self) -> None:
        """Make the file; where that fails, others only do what is in vain."""
        with suppress(OSError):
            self._path.touch()

    def is_set(self) -> bool:
        """Whether it is there."""
        return self._path.exists()


def score_partition_job(core: Core, job: PartitionJob) -> PartResult:
    """Score one partition and write it.

    Parameters
    ----------
    core : Core
        Of the knowledge that the job names.
    job : PartitionJob

    Returns
    -------
    PartResult
        Without `written` where faults kept it from being written.

    Raises
    ------
    BayesdxError
        This machine has another knowledge, engine or input than the one that started the run, or
        cannot read or write where it should.
    """
    stop = job.options.on_error == "stop"
    faulty = FileFlag(Path(job.folder) / FAULTY)
    table = job.options.table
    subject = EngineSubject(core, job.options.output, table.words)
    with open_table(job.source, subject, table, job.options.chunk_rows) as source:
        _check_same(core, job, source)
        places = CellPlaces(source.name, source.columns)
        roles = roles_of(subject, source, table, subject.answers())
        # Chosen by the rows of the whole input, as on one machine.
        settled = subject.settled(job.rows)
        work = ChunkJob(settled, job.options, places, arrow_bytes, roles, faulty=faulty)
        chunks = islice(source.chunks(job.number * job.chunks), job.chunks)
        result = joined(job.number, map(work, chunks), LISTED)
    written = None if stop and faulty.is_set() else _write(job, result)
    return replace(result, output=b"", rejected=b"", written=written)


def _check_same(core: Core, job: PartitionJob, source: CaseSource) -> None:
    here = {**engine_facts(core.backend), "knowledge": core.knowledge.digest}
    there = {**job.made_from.engine, "knowledge": job.made_from.knowledge["digest"]}
    here |= {"input records": str(source.rows), "input bytes": str(source.size)}
    there |= {"input records": str(job.rows), "input bytes": str(job.size)}
    faults = [
        Fault(f"{name} on the worker", f"{was}", Phrase(here.get(name) or "none"))
        for name, was in there.items()
        if here.get(name) != was
    ]
    if faults:
        raise BayesdxError(faults)


def _write(job: PartitionJob, result: PartResult) -> WrittenPart:
    """Write the scores and the records with faults; each in one step, so that twice is no harm."""
    folder, name = Path(job.folder), part_name(job.number)
    # Not among the finished ones: their folder is published as it stands.
    beside = folder / WRITING / f"{name}.{uuid.uuid4().hex}"
    about = facts(job.made_from) | {"partition": job.number}
    try:
        write_parquet(arrow_tables(pa.BufferReader(result.output)), beside, about)
        size, digest = beside.stat().st_size, file_digest(beside)
        beside.replace(folder / DATA / name)
    finally:
        beside.unlink(missing_ok=True)
    sync_folder(folder / DATA)
    replace_file(folder / REJECTS / f"{name}.csv", result.rejected)
    return WrittenPart(size, digest, len(result.rejected), bytes_digest(result.rejected))
