"""A table scored by a Dask cluster: complete, or not there."""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path

from bayesdx.diagnosis.core import Core
from bayesdx.errors import BayesdxError, Fault, InvalidCase, Phrase
from bayesdx.tables.columns import RESERVED
from bayesdx.tables.distributed.folder import DATA, SUFFIX, Receipt, RunFolder, part_name
from bayesdx.tables.distributed.jobs import Job, Outcome
from bayesdx.tables.outputs import check_options
from bayesdx.tables.running.audit import Setting, audit, facts, make_setting
from bayesdx.tables.running.counts import Counts
from bayesdx.tables.running.disk import as_json, replace_file, sync_folder
from bayesdx.tables.running.finishing import describe
from bayesdx.tables.running.parts import now
from bayesdx.tables.running.rejects import more_faults
from bayesdx.tables.running.runs import OnProgress, RunOptions, RunReport, cores
from bayesdx.tables.running.target import AUDIT_SUFFIX, REJECTED_SUFFIX, Target, parse_target
from bayesdx.tables.shipping import knowledge_files
from bayesdx.tables.sources import CaseSource, open_cases
from bayesdx.tables.sources.formats import PARQUET, format_of

#: Chunks of a partition: enough work that handing it out costs nothing, little enough to lose.
PART_CHUNKS = 5
#: How often a partition that failed is tried again.
RETRIES = 3
#: Seconds without any worker after which a run ends.
PATIENCE = 60.0
#: Reasons told of partitions that are missing; their numbers are told in full.
REASONS = 8


@dataclass(frozen=True)
class Cluster:
    """Where and how partitions are scored.

    Attributes
    ----------
    address : str
        Of a Dask scheduler, ``tcp://host:port``; or ``local`` for processes on this machine.
    retries : int
        How often a partition that failed is tried again.
    patience : float
        Seconds without any worker after which a run ends.
    part_chunks : int
        Chunks of a partition.
    """

    address: str = "local"
    retries: int = RETRIES
    patience: float = PATIENCE
    part_chunks: int = PART_CHUNKS


def score_distributed(
    core: Core,
    source: str | Path,
    output: str | Path,
    cluster: Cluster | None = None,
    options: RunOptions | None = None,
    on_progress: OnProgress | None = None,
) -> RunReport:
    """Score a table by a Dask cluster; each row is as in a run on one machine.

    Parameters
    ----------
    core : Core
        `Engine.core` of a knowledge folder; its files are sent to the workers.
    source : str or Path
        A Parquet file or a folder of them, at the same path on all machines.
    output : str or Path
        A name that ends in ``/``: a new folder of Parquet files, one a partition, on a disk that
        all machines share.
    cluster : Cluster, optional
    options : RunOptions, optional
        ``workers`` is the number of processes of a local cluster.
    on_progress : function, optional

    Returns
    -------
    RunReport

    Raises
    ------
    InvalidCase
        The input, the options or the place to write to cannot be used; or, with ``on_error`` as
        "stop", a record has a fault.
    BayesdxError
        Dask is not installed; no scheduler answers; or partitions are missing for good: all of
        their numbers, and why. What is finished is kept for ``options.resume``, and a note of the
        error says so; there is no output.
    """
    options, cluster = options or RunOptions(), cluster or Cluster()
    check_options(core, options.output)
    target = _checked(source, output, options)
    _check_installed()
    with open_cases(source, chunk_rows=options.chunk_rows) as opened:
        core.reader.check_columns([name for name in opened.columns if name not in RESERVED])
        return _Run(core, opened, target, cluster, options, on_progress).score()


def _checked(source: str | Path, output: str | Path, options: RunOptions) -> Target:
    faults = []
    if format_of(source, None)[0] != PARQUET:
        faults.append(Fault("input", "Parquet, which can be read from its middle", str(source)))
    if not str(output).endswith("/"):
        faults.append(Fault("output", "a name ending in / for a folder of Parquet", str(output)))
    if options.dry_run:
        faults.append(Fault("options", "no --dry-run with Dask", Phrase("both")))
    if options.resume and options.restart:
        faults.append(Fault("options", "resume or restart", Phrase("both")))
    if options.on_error not in ("stop", "skip", "report"):
        faults.append(Fault("on-error", "stop, skip or report", options.on_error))
    if options.workers is not None and options.workers < 1:
        faults.append(Fault("workers", "a number of processes, 1 or more", options.workers))
    if faults:
        raise InvalidCase(faults)
    return parse_target(output)


def _check_installed() -> None:
    if find_spec("distributed") is None:
        expected = "the extra distributed: pip install 'bayesdx[distributed]'"
        raise BayesdxError(Fault("dask", expected, Phrase("no Dask")))


class _Run:
    def __init__(
        self,
        core: Core,
        source: CaseSource,
        target: Target,
        cluster: Cluster,
        options: RunOptions,
        on_progress: OnProgress | None,
    ) -> None:
        self._core, self._source, self._target = core, source, target
        self._cluster, self._options, self._on_progress = cluster, options, on_progress
        self._begin, self._started = time.perf_counter(), now()
        self._done: dict[int, Receipt] = {}
        self._counts, self._seconds = Counts(), Counter[str]()
        self._faults: dict[int, tuple[Fault, ...]] = {}
        self._missing: dict[int, str] = {}
        self._slowest = (0, 0.0)
        rows = source.rows or 0
        if not rows:
            expected = "at least one case below the header"
            raise InvalidCase(Fault(source.name, expected, Phrase("none")))
        self._rows = rows
        self._part_rows = options.chunk_rows * cluster.part_chunks
        self._parts = -(-rows // self._part_rows)

    def score(self) -> RunReport:
        """Score what is not finished yet, and hand it over when all is there."""
        setting = make_setting(
            self._core,
            self._source,
            self._options.output,
            on_error=self._options.on_error,
            chunk_rows=self._options.chunk_rows,
            target=self._target,
        )
        identity = {**setting.identity(), "part_chunks": self._cluster.part_chunks}
        folder = RunFolder(
            self._target.beside(SUFFIX),
            identity,
            resume=self._options.resume,
            restart=self._options.restart,
        )
        try:
            return self._score(folder, setting)
        except InvalidCase:
            folder.discard()
            raise
        except BaseException as reason:
            finished = len(self._done)
            if finished:
                reason.add_note(
                    f"{finished:,} of {self._parts:,} partitions are finished and kept; the same "
                    "command with --resume goes on from there."
                )
            folder.close()
            raise

    def _score(self, folder: RunFolder, setting: Setting) -> RunReport:
        self._done = dict(folder.done)
        for receipt in self._done.values():
            self._counts.add(Counts.from_dict(receipt.counts))
        resumed = self._counts.records
        self._tell()
        jobs = self._jobs(folder, setting)
        if jobs:
            self._work(jobs)
        self._check_all()
        counts = self._counts
        counts.check()
        self._hand_over(folder, setting, resumed)
        return RunReport(
            counts=counts,
            faults=tuple(self._told()),
            output=self._target.path,
            audit=self._target.beside(AUDIT_SUFFIX),
            rejected=self._target.beside(REJECTED_SUFFIX) if counts.rejected else None,
            resumed=resumed,
            wall=time.perf_counter() - self._begin,
            seconds=self._seconds,
            slowest=self._slowest,
        )

    def _jobs(self, folder: RunFolder, setting: Setting) -> list[Job]:
        about = facts(setting, Counts())
        del about["counts"]
        assert self._source.size is not None
        return [
            Job(
                number=number,
                first=number * self._cluster.part_chunks,
                chunks=self._cluster.part_chunks,
                source=str(Path(self._source.name).resolve()),
                rows=self._rows,
                size=self._source.size,
                chunk_rows=self._options.chunk_rows,
                output=self._options.output,
                on_error=self._options.on_error,
                folder=str(folder.folder.resolve()),
                knowledge=self._core.knowledge.digest,
                engine=tuple(setting.engine.items()),
                facts=json.dumps(about, ensure_ascii=False),
            )
            for number in range(self._parts)
            if number not in self._done
        ]

    def _work(self, jobs: Sequence[Job]) -> None:
        # Imported here: who does not use Dask need not have it.
        from bayesdx.tables.distributed.cluster import LOCAL, connected, outcomes

        files = knowledge_files(self._core.knowledge.folder)
        if files.digest != self._core.knowledge.digest:
            got = Phrase("other files than were read")
            place = str(self._core.knowledge.folder)
            raise BayesdxError(Fault(place, "the knowledge that the run began with", got))
        cluster = self._cluster
        with connected(cluster.address, self._options.workers or cores()) as client:
            for job, outcome in outcomes(
                client,
                files,
                jobs,
                retries=cluster.retries,
                patience=cluster.patience,
                ours=cluster.address == LOCAL,
            ):
                self._note(job, outcome)

    def _note(self, job: Job, outcome: Outcome | str) -> None:
        if isinstance(outcome, str):
            self._missing[job.number] = outcome
            return
        if outcome.receipt is not None:
            self._done[job.number] = outcome.receipt
        self._counts.add(outcome.counts)
        self._seconds.update(outcome.seconds)
        self._slowest = max(self._slowest, outcome.slowest, key=lambda one: one[1])
        if outcome.faults:
            self._faults[job.number] = outcome.faults
        self._tell()

    def _tell(self) -> None:
        if self._on_progress is not None:
            self._on_progress(self._counts.records, self._counts.records / self._rows)

    def _told(self) -> list[Fault]:
        """The first faults, in the order of the records."""
        every = [fault for number in sorted(self._faults) for fault in self._faults[number]]
        return every[: self._options.listed]

    def _check_all(self) -> None:
        """Make sure that there is no bad record, if that is asked for, and no partition missing."""
        if self._faults and self._options.on_error == "stop":
            faults, counts = self._told(), self._counts
            if counts.faults > len(faults):
                faults.append(
                    more_faults(
                        self._source.name,
                        counts.faults,
                        counts.rejected,
                        counts.records,
                        len(faults),
                    )
                )
            raise InvalidCase(faults)
        missing = [number for number in range(self._parts) if number not in self._done]
        if missing:
            got = Phrase(f"{len(self._done):,}; missing: {ranges(missing)}")
            faults = [Fault("partitions", f"all {self._parts:,}", got)]
            for number in missing[:REASONS]:
                why = self._missing.get(number, "not done")
                first = number * self._part_rows
                last = min(first + self._part_rows, self._rows) - 1
                place = f"partition {number} (records {first:,} to {last:,})"
                faults.append(Fault(place, "scores", Phrase(why)))
            raise BayesdxError(faults)

    def _hand_over(self, folder: RunFolder, setting: Setting, resumed: int) -> None:
        """Compare every file with its receipt, and give everything its name, the scores last."""
        data = folder.folder / DATA
        about = describe(data, self._target)
        found = {one["name"]: one["digest"] for one in about["files"]}
        stated = {part_name(number): one.digest for number, one in self._done.items()}
        if found != stated or len(stated) != self._parts:
            wrong = sorted(
                name for name in {*found, *stated} if found.get(name) != stated.get(name)
            )
            got = Phrase(f"another content in {', '.join(wrong[:REASONS])}")
            raise BayesdxError(Fault(str(data), "the files that the workers wrote", got))
        run = {
            "started": self._started,
            "finished": now(),
            "workers": self._cluster.address,
            "records_of_interrupted_runs": resumed,
        }
        rejected = self._target.beside(REJECTED_SUFFIX)
        if self._counts.rejected:
            replace_file(rejected, folder.rejected(list(range(self._parts))))
        else:
            rejected.unlink(missing_ok=True)
        text = as_json(audit(setting, self._counts, about, run))
        replace_file(self._target.beside(AUDIT_SUFFIX), text)
        assert self._target.path is not None
        shutil.copymode(folder.folder, data)
        data.replace(self._target.path)
        sync_folder(self._target.path.parent)
        folder.discard()


def ranges(numbers: Iterable[int]) -> str:
    """Write increasing whole numbers in full, neighbours as ranges: ``3, 5-8, 11``."""
    texts = []
    for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        members = [number for _, number in run]
        first, last = members[0], members[-1]
        texts.append(f"{first}" if first == last else f"{first}-{last}")
    return ", ".join(texts)
