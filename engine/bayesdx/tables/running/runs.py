"""A table of cases scored as it is read: bounded memory, all cores, nothing lost on the way."""

from __future__ import annotations

import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from bayesdx.diagnosis.core import Core
from bayesdx.errors import Fault, InvalidCase, Phrase
from bayesdx.tables.columns import CASE_ID, RESERVED
from bayesdx.tables.outputs import OutputOptions, check_options
from bayesdx.tables.running.audit import Setting, audit, facts, make_setting
from bayesdx.tables.running.counts import Counts
from bayesdx.tables.running.encoders import encoder
from bayesdx.tables.running.finishing import (
    copy_to_stream,
    describe,
    do_renames,
    hand_over,
    make_result,
)
from bayesdx.tables.running.parts import Parts, now
from bayesdx.tables.running.pipeline import in_order
from bayesdx.tables.running.rejects import Places, more_faults, rejected_header
from bayesdx.tables.running.target import (
    AUDIT_SUFFIX,
    PARTS_SUFFIX,
    REJECTED_SUFFIX,
    Target,
    parse_target,
)
from bayesdx.tables.running.work import ChunkWork, Piece
from bayesdx.tables.sources import CaseSource, Chunk, open_cases

OnError = Literal["stop", "skip", "report"]
#: Records scored together: enough to be fast; some 15 kB of each are in hand, in each thread.
RUN_ROWS = 10_000
#: Faults that are listed; all of them are counted.
LISTED = 1000

#: Told after each chunk: records done, and the share of the input that was read, if known.
OnProgress = Callable[[int, float | None], None]


@dataclass(frozen=True)
class RunOptions:
    """How a table is scored.

    Attributes
    ----------
    output : OutputOptions
    on_error : {"stop", "skip", "report"}
        What bad records do: keep everything from being written; or go to ``OUT.rejected.csv``,
        with the rest scored. "report" differs from "skip" in what the command line makes of it.
    chunk_rows : int
        Records scored together. The answer depends on it by less than 1e-12.
    workers : int, optional
        Threads, as many as there are cores by default. The output does not depend on it.
    resume, restart : bool
        Go on with an unfinished run, or drop it.
    dry_run : bool
        Only check the cases.
    listed : int
        Faults that are told, at most; the rest are counted.
    """

    output: OutputOptions = field(default_factory=OutputOptions)
    on_error: OnError = "stop"
    chunk_rows: int = RUN_ROWS
    workers: int | None = None
    resume: bool = False
    restart: bool = False
    dry_run: bool = False
    listed: int = LISTED


@dataclass(frozen=True, eq=False)
class RunReport:
    """What a run did.

    Attributes
    ----------
    counts : Counts
        Of all records, those of a resumed run's earlier parts among them.
    faults : tuple of Fault
        The first ones of rejected records.
    output, audit, rejected : Path or None
        What was written; None where it was not.
    resumed : int
        Records that were scored by an earlier, interrupted run.
    wall : float
        Seconds that this run took.
    seconds : Counter
        Seconds by stage, added up over threads: ``digest``, ``parsing``, ``reading`` (of cells),
        ``scoring``, ``writing`` (as text or Arrow), ``disk``, ``finishing``.
    slowest : (int, float)
        First record of the chunk that took longest to score, and its seconds.
    """

    counts: Counts
    faults: tuple[Fault, ...] = ()
    output: Path | None = None
    audit: Path | None = None
    rejected: Path | None = None
    resumed: int = 0
    wall: float = 0.0
    seconds: Counter[str] = field(default_factory=Counter)
    slowest: tuple[int, float] = (0, 0.0)


def score_table(
    core: Core,
    source: str | Path,
    output: str | Path,
    options: RunOptions | None = None,
    on_progress: OnProgress | None = None,
) -> RunReport:
    """Score a table of any size into another.

    Parameters
    ----------
    core : Core
        `Engine.core`.
    source : str or Path
        As in `bayesdx.tables.sources.open_cases`.
    output : str or Path
        As in `bayesdx.tables.running.target.parse_target`.
    options : RunOptions, optional
    on_progress : function, optional

    Returns
    -------
    RunReport

    Raises
    ------
    InvalidCase
        The input, the options or the place to write to cannot be used; or, with ``on_error`` as
        "stop", a record has a fault. The output is as it was before. Where finished parts are left
        for a later run, a note of the error says so, as it does after an interruption.
    """
    options = options or RunOptions()
    _check(core, options)
    target = parse_target(output)
    if target.path is None and options.on_error != "stop" and not options.dry_run:
        expected = "a file: records with faults are written beside it"
        raise InvalidCase(Fault("output", expected, Phrase(target.name)))
    with ExitStack() as stack:
        opened = stack.enter_context(open_cases(source, chunk_rows=options.chunk_rows))
        core.reader.check_columns([name for name in opened.columns if name not in RESERVED])
        if target.path is None:
            aside = stack.enter_context(tempfile.TemporaryDirectory(prefix="bayesdx-"))
            folder = Path(aside) / f"output{PARTS_SUFFIX}"
        else:
            folder = target.beside(PARTS_SUFFIX)
        return _Run(core, opened, target, options, on_progress).score(folder)


def _check(core: Core, options: RunOptions) -> None:
    check_options(core, options.output)
    faults = []
    if options.on_error not in get_args(OnError):
        faults.append(Fault("on-error", "stop, skip or report", options.on_error))
    if options.workers is not None and options.workers < 1:
        faults.append(Fault("workers", "a number of threads, 1 or more", options.workers))
    if options.resume and options.restart:
        faults.append(Fault("options", "resume or restart", Phrase("both")))
    if faults:
        raise InvalidCase(faults)


class _Run:
    def __init__(
        self,
        core: Core,
        source: CaseSource,
        target: Target,
        options: RunOptions,
        on_progress: OnProgress | None,
    ) -> None:
        self._core, self._source, self._target = core, source, target
        self._options, self._on_progress = options, on_progress
        self._begin = time.perf_counter()
        self._seconds: Counter[str] = Counter()
        self._counts = Counts()
        self._faults: list[Fault] = []
        self._slowest = (0, 0.0)
        self._workers = options.workers or cores()

    def score(self, folder: Path) -> RunReport:
        """Score, or only check."""
        if self._options.dry_run:
            for _ in self._pieces(0):
                pass
            self._check_all()
            return self._report()
        setting = self._setting()
        resume = self._options.resume
        if resume and not setting.input_digest:
            expected = "an input that can be read again, to go on with a run"
            raise InvalidCase(Fault("resume", expected, Phrase(self._source.name)))
        try:
            identity = setting.identity() if self._target.path is not None else {}
            parts = Parts(folder, identity, resume=resume, restart=self._options.restart)
        except OSError as reason:
            raise self._unwritable(reason) from reason
        try:
            report = self._score(parts, setting)
        except InvalidCase:
            # Not a matter of going on: the input, or what is in it, has to change.
            parts.discard()
            raise
        except BrokenPipeError:
            parts.discard()
            raise
        except OSError as reason:
            fault = self._unwritable(reason)
            self._leave(parts, fault)
            raise fault from reason
        except BaseException as reason:
            self._leave(parts, reason)
            raise
        parts.discard()
        return report

    def _score(self, parts: Parts, setting: Setting) -> RunReport:
        self._counts.add(parts.counts)
        resumed = parts.counts.records
        if parts.renames is None:
            self._add_parts(parts)
            self._check_all()
            clock = time.perf_counter()
            self._finish(parts, setting, resumed)
            self._seconds["finishing"] += time.perf_counter() - clock  # type: ignore[assignment]
        else:
            do_renames(parts)
        return self._report(resumed, any_rejected=self._counts.rejected > 0)

    def _add_parts(self, parts: Parts) -> None:
        for piece in self._pieces(parts.finished):
            if self._faults and self._options.on_error == "stop":
                continue
            piece.counts.check()
            clock = time.perf_counter()
            rejected = piece.rejected
            if rejected and not parts.any_rejected:
                rejected = rejected_header() + rejected
            parts.append(piece.counts, piece.output, rejected)
            self._seconds["disk"] += time.perf_counter() - clock  # type: ignore[assignment]

    def _finish(self, parts: Parts, setting: Setting, resumed: int) -> None:
        if not setting.input_digest:
            setting = self._setting(at_end=True)
        result = make_result(parts, self._target, facts(setting, self._counts))
        if self._target.path is None:
            copy_to_stream(result, self._target)
            return
        run = {
            "started": parts.started,
            "finished": now(),
            "workers": self._workers,
            "records_of_interrupted_runs": resumed,
        }
        about = describe(result, self._target)
        hand_over(parts, self._target, result, audit(setting, self._counts, about, run))

    def _setting(self, *, at_end: bool = False) -> Setting:
        clock = time.perf_counter()
        setting = make_setting(
            self._core,
            self._source,
            self._options.output,
            on_error=self._options.on_error,
            chunk_rows=self._options.chunk_rows,
            target=self._target,
            at_end=at_end,
        )
        self._seconds["digest"] += time.perf_counter() - clock  # type: ignore[assignment]
        return setting

    def _pieces(self, skip: int) -> Iterator[Piece]:
        options, target = self._options, self._target
        work = ChunkWork(
            core=self._core,
            options=options.output,
            places=Places(self._source.name, self._source.columns),
            encode=None if options.dry_run else encoder(target.kind, target.compression),
            number_cases=CASE_ID not in self._source.columns and options.on_error != "stop",
            stop=options.on_error == "stop",
            workers=self._workers,
            chunk_rows=options.chunk_rows,
        )
        if self._on_progress is not None:
            self._on_progress(self._counts.records, self._source.progress())
        try:
            for piece in in_order(work, self._timed(self._source.chunks(skip)), self._workers):
                self._note(piece)
                yield piece
        except InvalidCase as error:
            # The rest cannot be known; what is wrong before it is told as well.
            raise InvalidCase([*self._faults, *error.faults]) from error

    def _timed(self, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        while True:
            clock = time.perf_counter()
            chunk = next(chunks, None)
            self._seconds["parsing"] += time.perf_counter() - clock  # type: ignore[assignment]
            if chunk is None:
                return
            yield chunk

    def _note(self, piece: Piece) -> None:
        self._counts.add(piece.counts)
        self._seconds.update(piece.seconds)
        room = self._options.listed - len(self._faults)
        self._faults += [fault for _, fault in piece.faults[: max(room, 0)]]
        if piece.seconds["scoring"] > self._slowest[1]:
            self._slowest = (piece.first, piece.seconds["scoring"])
        if self._on_progress is not None:
            self._on_progress(self._counts.records, self._source.progress())

    def _check_all(self) -> None:
        """Make sure that there were cases, that all are accounted for and, if need be, good."""
        name = self._source.name
        if not self._counts.records:
            place = f"{name}:2:1" if self._source.rows is None else name
            expected = "at least one case below the header"
            raise InvalidCase(Fault(place, expected, Phrase("none")))
        if not self._faults or self._options.on_error != "stop":
            if not self._options.dry_run:
                self._counts.check()
            return
        counts, listed = self._counts, len(self._faults)
        if counts.faults > listed:
            self._faults.append(
                more_faults(name, counts.faults, counts.rejected, counts.records, listed)
            )
        raise InvalidCase(self._faults)

    def _report(self, resumed: int = 0, *, any_rejected: bool = False) -> RunReport:
        target, written = self._target, not self._options.dry_run
        named = written and target.path is not None
        return RunReport(
            counts=self._counts,
            faults=tuple(self._faults),
            output=target.path if named else None,
            audit=target.beside(AUDIT_SUFFIX) if named else None,
            rejected=target.beside(REJECTED_SUFFIX) if named and any_rejected else None,
            resumed=resumed,
            wall=time.perf_counter() - self._begin,
            seconds=self._seconds,
            slowest=self._slowest,
        )

    def _unwritable(self, reason: OSError) -> InvalidCase:
        got = Phrase(reason.strerror or str(reason))
        return InvalidCase(Fault(self._target.name, "a place to write to", got))

    def _leave(self, parts: Parts, reason: BaseException) -> None:
        """Keep finished parts for a later run, where one can use them."""
        readable = self._source.size is not None
        if parts.finished and self._target.path is not None and readable:
            parts.close()
            reason.add_note(
                f"{parts.counts.records:,} records are finished and kept in {parts.folder}; "
                "the same command with --resume goes on from there."
            )
            return
        parts.discard()
        if not readable:
            reason.add_note(f"Nothing was kept: {self._source.name} cannot be read again.")


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
