"""A table of cases scored as it is read: bounded memory, nothing lost on the way.

One run, whoever does the work: the chunks of the input make parts; threads of this process or the
workers of a Dask cluster do them; a `PartStore` keeps what is finished; `publish` gives the whole
its name.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayesdx.case_columns import ColumnRoles
from bayesdx.errors import Fault, InvalidCase, Phrase
from bayesdx.inference.machine_code import cores
from bayesdx.tables.disk import unwritable
from bayesdx.tables.encoders import Encoder, encoder
from bayesdx.tables.execution.audit import RunFacts, audit, facts, gather_facts, read_key
from bayesdx.tables.execution.chunk_job import ChunkJob
from bayesdx.tables.execution.counts import Counts
from bayesdx.tables.execution.identities import SeenIds, id_faults
from bayesdx.tables.execution.part_result import PartResult
from bayesdx.tables.execution.part_store import AppendedParts, PartStore, SeparateParts, now
from bayesdx.tables.execution.publish import (
    copy_to_stream,
    describe_parts,
    make_result,
    publish,
    published,
    refuse_foreign,
)
from bayesdx.tables.execution.rejects import CellPlaces, more_faults
from bayesdx.tables.execution.run_options import (
    Cluster,
    OnProgress,
    RunOptions,
    RunReport,
    check_run,
    check_stream,
)
from bayesdx.tables.execution.subject import EngineSubject, Subject
from bayesdx.tables.execution.thread_pool import closed_after, in_order
from bayesdx.tables.outputs import check_options
from bayesdx.tables.sources.chunks import CaseChunk, CaseSource, RowFault
from bayesdx.tables.table_options import open_table, roles_of
from bayesdx.tables.target import (
    AUDIT_SUFFIX,
    PARTS_SUFFIX,
    REJECTED_SUFFIX,
    Target,
    parse_target,
    refuse_inputs,
)

if TYPE_CHECKING:
    from bayesdx.diagnosis.core import Core

#: Bytes of a record, about, and of an input that does not tell how large it is.
_ROW_BYTES, _USUAL_BYTES = 300, 6_000_000


def score_table(
    core: Core,
    source: str | Path,
    output: str | Path,
    options: RunOptions | None = None,
    on_progress: OnProgress | None = None,
    cluster: Cluster | None = None,
) -> RunReport:
    """Score a table of any size into another.

    Parameters
    ----------
    core : Core
        `Engine.core`.
    source : str or Path
        As in `bayesdx.tables.sources.opening.open_cases`. For a cluster a Parquet file or a folder
        of them, at the same path on all machines.
    output : str or Path
        As in `bayesdx.tables.target.parse_target`. By a cluster a new folder of Parquet files, one
        a partition, on a disk that all machines share.
    options : RunOptions, optional
    on_progress : function, optional
    cluster : Cluster, optional
        Workers of Dask in the place of threads; the knowledge files are sent to them, and each row
        is as in a run on one machine.

    Raises
    ------
    InvalidCase
        The input, the options or the place to write to cannot be used; or, with ``on_error`` as
        "stop", a record has a fault; or ids are not unique. The output is as it was before.
    BayesdxError
        Dask is not installed; no scheduler answers; or partitions are missing for good, and why.

    Notes
    -----
    Where finished parts are left for a later run, a note of the error says so, as it does after an
    interruption.
    """
    options = options or RunOptions()
    check_options(core, options.output)
    subject = EngineSubject(core, options.output, options.table.words)
    return run_table(subject, source, output, options, on_progress, cluster)


def run_table(
    subject: Subject[Any, Any],
    source: str | Path,
    output: str | Path,
    options: RunOptions,
    on_progress: OnProgress | None = None,
    cluster: Cluster | None = None,
) -> RunReport:
    """Put the rows of a table to a subject; see `score_table`. A cluster is for engines."""
    check_run(source, output, options, cluster)
    target = parse_target(output, resume=options.resume)
    if target.path is None and not options.dry_run:
        check_stream(target.name, options)
    with ExitStack() as stack:
        table = open_table(source, subject, options.table, options.chunk_rows)
        opened = stack.enter_context(table)
        refuse_inputs(target, (*opened.paths, *subject.paths, *options.also_read(source)))
        refuse_foreign(target)
        roles = roles_of(subject, opened, options.table, subject.answers())
        if target.path is None:
            aside = stack.enter_context(tempfile.TemporaryDirectory(prefix="bayesdx-"))
            folder = Path(aside) / f"output{PARTS_SUFFIX}"
        else:
            folder = target.beside(PARTS_SUFFIX)
        run = _TableRun(subject, opened, roles, target, options, on_progress, cluster)
        return run.score(folder)


class _TableRun:
    def __init__(
        self,
        subject: Subject[Any, Any],
        source: CaseSource,
        roles: ColumnRoles,
        target: Target,
        options: RunOptions,
        on_progress: OnProgress | None,
        cluster: Cluster | None,
    ) -> None:
        self._subject, self._source, self._target = subject, source, target
        self._options, self._on_progress, self._cluster = options, on_progress, cluster
        self._roles = roles
        self._seen = SeenIds()
        self._begin = time.perf_counter()
        self._seconds: Counter[str] = Counter()
        self._counts = Counts()
        self._faults: list[RowFault] = []
        self._unanswered: list[RowFault] = []
        self._missing: dict[int, str] = {}
        self._slowest = (0, 0.0)
        self._repeated: tuple[tuple[int, int], ...] = ()
        self._workers = options.workers or cores()

    def score(self, folder: Path) -> RunReport:
        """Score, or only check."""
        if self._options.dry_run:
            self._tell()
            with closed_after(self._by_threads(0, None)) as results:
                for result in results:
                    self._note(result)
            self._check_all()
            return self._report()
        self._key = read_key(self._options.key)
        made_from = self._facts()
        try:
            store = self._store(folder, made_from)
        except OSError as reason:
            raise self._unwritable(reason) from reason
        try:
            report = self._score(store, made_from)
        except (InvalidCase, BrokenPipeError):
            # Not a matter of going on: the input, or what is in it, has to change.
            store.discard()
            raise
        except OSError as reason:
            fault = self._unwritable(reason)
            self._leave(store, fault)
            raise fault from reason
        except BaseException as reason:
            self._leave(store, reason)
            raise
        store.discard()
        return report

    def _store(self, folder: Path, made_from: RunFacts) -> PartStore:
        options, cluster = self._options, self._cluster
        if options.resume and not made_from.input_digest:
            expected = "an input that can be read again, to go on with a run"
            raise InvalidCase(Fault("resume", expected, Phrase(self._source.name)))
        identity = made_from.identity() if self._target.path is not None else {}
        kind: type[PartStore] = AppendedParts
        if cluster is not None:
            if not self._source.rows:
                self._check_all()
            kind, identity = SeparateParts, {**identity, "part_chunks": cluster.part_chunks}
        return kind(folder, identity, resume=options.resume, restart=options.restart)

    def _score(self, store: PartStore, made_from: RunFacts) -> RunReport:
        if store.plan is not None:
            if published(store, self._target):
                self._counts.add(store.counts)
                return self._report(store.counts.records)
            # What the parts were made into is gone: they are looked at again.
            store.open()
        self._counts.add(store.counts)
        resumed = store.counts.records
        self._look_at_finished(store)
        self._tell()
        self._do_parts(store, made_from)
        self._check_all()
        with self._timed("finishing"):
            self._finish(store, made_from, resumed)
        return self._report(resumed)

    def _do_parts(self, store: PartStore, made_from: RunFacts) -> None:
        plan = None
        if isinstance(store, SeparateParts):
            # Imported here: who has no cluster need not wait for it.
            from bayesdx.tables.execution.partition_plan import PartitionPlan

            assert self._cluster is not None
            assert isinstance(self._subject, EngineSubject)
            plan = PartitionPlan(
                self._subject.core, self._source, self._options, self._cluster, made_from, store
            )
            results = plan.results(self._workers)
        else:
            target = self._target
            escape = self._options.output.escape
            encode = encoder(target.kind, target.compression, escape=escape)
            results = self._by_threads(len(store.finished), encode)
        stop = self._options.on_error == "stop"
        # Closed here and now: threads cannot be waited for where a collector of garbage may run.
        with closed_after(results):
            for result in results:
                self._note(result)
                if result.failure:
                    self._missing[result.number] = result.failure
                    continue
                unwritten = isinstance(store, SeparateParts) and result.written is None
                if not (unwritten or (stop and self._faults)):
                    result.counts.check()
                    with self._timed("disk"):
                        store.add(result)
        if plan is not None and not (stop and self._faults):
            plan.check_complete(self._missing)

    def _by_threads(self, skip: int, encode: Encoder | None) -> Generator[PartResult]:
        """Yield what becomes of each chunk, in order, from one of them on."""
        source = self._source
        places = CellPlaces(source.name, source.columns, source.delimiter)
        # Chosen once: the size of a chunk must not decide who does the arithmetic.
        rows = self._source.rows or (self._source.size or _USUAL_BYTES) // _ROW_BYTES
        who = self._subject.settled(rows)
        work = ChunkJob(who, self._options, places, encode, self._roles, self._workers)
        try:
            yield from in_order(work, self._parsed(skip), self._workers)
        except InvalidCase as error:
            # The rest cannot be known; what is wrong before it is told as well.
            raise InvalidCase([*(one.fault for one in self._faults), *error.faults]) from error

    def _parsed(self, skip: int) -> Iterator[CaseChunk]:
        chunks = self._source.chunks(skip)
        while True:
            with self._timed("parsing"):
                chunk = next(chunks, None)
            if chunk is None:
                return
            yield chunk

    def _note(self, result: PartResult) -> None:
        self._counts.add(result.counts)
        self._seen.add(result.marks)
        self._seconds.update(result.seconds)
        self._slowest = max(self._slowest, result.slowest, key=lambda one: one[1])
        self._faults = self._first(self._faults, result.faults)
        self._unanswered = self._first(self._unanswered, result.unanswered)
        if not result.failure:
            self._tell()

    def _first(self, told: list[RowFault], more: tuple[RowFault, ...]) -> list[RowFault]:
        """Keep as many as are listed, by row."""
        if not more:
            return told
        return sorted([*told, *more], key=lambda one: one.row)[: self._options.listed]

    def _tell(self) -> None:
        if self._on_progress is not None:
            share = self._source.progress()
            if self._cluster is not None:
                share = self._counts.records / (self._source.rows or 1)
            self._on_progress(self._counts.records, share)

    def _look_at_finished(self, store: PartStore) -> None:
        """Look at the ids of finished parts, which a resumed run does not read otherwise."""
        if not store.finished or not self._roles.id:
            return
        rows = self._options.chunk_rows
        parts = rows if self._cluster is None else rows * self._cluster.part_chunks
        table = self._options.table
        with open_table(self._source.name, self._subject, table, rows) as again:
            self._seen.read(again, self._roles.id, lambda row: row // parts in store.finished)

    def _check_all(self) -> None:
        """Make sure that there were cases, that all are accounted for and, if need be, good."""
        name, counts = self._source.name, self._counts
        if not counts.records:
            place = f"{name}:2:1" if self._source.rows is None else name
            expected = "at least one case below the header"
            raise InvalidCase(Fault(place, expected, Phrase("none")))
        if self._faults and self._options.on_error == "stop":
            told = [one.fault for one in self._faults]
            if counts.faults > len(told):
                numbers = counts.faults, counts.rejected, counts.records, len(told)
                told.append(more_faults(name, *numbers))
            raise InvalidCase(told)
        counts.repeated_ids, self._repeated = self._seen.repeated()
        if self._options.unique_ids and (counts.repeated_ids or counts.blank_ids):
            raise InvalidCase(id_faults(name, self._roles.id, counts, self._repeated))
        if not self._options.dry_run:
            counts.check()

    def _finish(self, store: PartStore, made_from: RunFacts, resumed: int) -> None:
        if not made_from.input_digest:
            made_from = self._facts(at_end=True)
        result = make_result(store, self._target, facts(made_from, self._counts))
        if self._target.path is None:
            copy_to_stream(result, self._target)
            return
        run = {
            "started": store.started,
            "finished": now(),
            "workers": self._workers if self._cluster is None else self._cluster.address,
            "records_of_interrupted_runs": resumed,
        }
        about = describe_parts(store, result, self._target)
        rejected = store.gather_rejected()
        told = audit(made_from, self._counts, about, run, rejected, self._key)
        publish(store, self._target, result, told)

    def _facts(self, *, at_end: bool = False) -> RunFacts:
        asked = self._subject, self._source, self._options, self._target
        with self._timed("digest"):
            return gather_facts(*asked, at_end=at_end)

    def _report(self, resumed: int = 0) -> RunReport:
        target, counts = self._target, self._counts
        named = target.path is not None and not self._options.dry_run
        return RunReport(
            counts=counts,
            faults=tuple(one.fault for one in self._faults),
            unanswered=tuple(one.fault for one in self._unanswered),
            repeated=self._repeated,
            output=target.path if named else None,
            audit=target.beside(AUDIT_SUFFIX) if named else None,
            rejected=target.beside(REJECTED_SUFFIX) if named and counts.rejected else None,
            resumed=resumed,
            wall=time.perf_counter() - self._begin,
            seconds=self._seconds,
            slowest=self._slowest,
        )

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        clock = time.perf_counter()
        yield
        self._seconds[stage] += time.perf_counter() - clock  # type: ignore[assignment]

    def _unwritable(self, reason: OSError) -> InvalidCase:
        return InvalidCase(unwritable(self._target.name, reason))

    def _leave(self, store: PartStore, reason: BaseException) -> None:
        """Keep finished parts for a later run, where one can use them."""
        readable = self._source.size is not None
        if store.is_there() and self._target.path is not None and readable:
            store.close()
            reason.add_note(
                f"{store.counts.records:,} records are finished and kept in {store.folder}; "
                "the same command with --resume goes on from there."
            )
            return
        with suppress(OSError):
            store.discard()
        if store.finished and not store.folder.exists():
            reason.add_note(f"Nothing was kept: {store.folder} is gone.")
        elif not readable:
            reason.add_note(f"Nothing was kept: {self._source.name} cannot be read again.")
