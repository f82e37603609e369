"""What a run is asked to do, and what it says that it did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, get_args

from bayesdx.errors import BayesdxError, Fault, InvalidCase, Phrase
from bayesdx.tables.execution.counts import Counts
from bayesdx.tables.outputs import OutputOptions
from bayesdx.tables.sources.formats import (
    PARQUET,
    STANDARD_PATH,
    STANDARD_STREAM,
    format_of,
    unreadable,
)
from bayesdx.tables.table_options import TableOptions

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
    table : TableOptions
    unique_ids : bool
        Refuse a table in which an id comes twice, or a case has none.
    key : Path, optional
        File with the key that the audit is signed with.
    """

    output: OutputOptions = field(default_factory=OutputOptions)
    on_error: OnError = "stop"
    chunk_rows: int = RUN_ROWS
    workers: int | None = None
    resume: bool = False
    restart: bool = False
    dry_run: bool = False
    listed: int = LISTED
    table: TableOptions = field(default_factory=TableOptions)
    unique_ids: bool = False
    key: Path | None = None

    def also_read(self, source: str | Path) -> list[Path]:
        """Return what a run reads beside files of cases and networks."""
        given = STANDARD_PATH if str(source) == STANDARD_STREAM else Path(source)
        return [given] if self.key is None else [given, self.key]


@dataclass(frozen=True)
class Cluster:
    """Where and how partitions are scored by Dask.

    Attributes
    ----------
    address : str
        Of a Dask scheduler, ``tcp://host:port``; or ``local`` for processes on this machine.
    retries : int
        How often a partition that failed is tried again.
    patience : float
        Seconds without any worker after which a run ends.
    part_chunks : int
        Chunks of a partition: enough work that handing it out costs nothing, little enough to lose.
    """

    address: str = "local"
    retries: int = 3
    patience: float = 60.0
    part_chunks: int = 5


@dataclass(frozen=True, eq=False)
class RunReport:
    """What a run did.

    Attributes
    ----------
    counts : Counts
        Of all records, those of a resumed run's earlier parts among them.
    faults : tuple of Fault
        The first ones of rejected records.
    unanswered : tuple of Fault
        The first records whose status is ``too_complex``: where they stand and what couples.
    repeated : tuple of (int, int)
        The first lines whose id an earlier line has, and that line.
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
    unanswered: tuple[Fault, ...] = ()
    repeated: tuple[tuple[int, int], ...] = ()
    output: Path | None = None
    audit: Path | None = None
    rejected: Path | None = None
    resumed: int = 0
    wall: float = 0.0
    seconds: Counter[str] = field(default_factory=Counter)
    slowest: tuple[int, float] = (0, 0.0)


def check_run(
    source: str | Path, target: str | Path, options: RunOptions, cluster: Cluster | None
) -> None:
    """Refuse a run that cannot be done.

    Raises
    ------
    InvalidCase
        With everything that is wrong with its options, input and output.
    BayesdxError
        Dask is not installed.
    """
    faults = []
    unit = "threads"
    if cluster is not None:
        unit = "processes"
        if not Path(source).exists():
            faults.append(unreadable(Path(source), FileNotFoundError(), "a folder of Parquet"))
        elif format_of(source, None)[0] != PARQUET:
            expected = "Parquet, which can be read from its middle"
            faults.append(Fault("input", expected, str(source)))
        if not str(target).endswith("/"):
            expected = "a name ending in / for a folder of Parquet"
            faults.append(Fault("output", expected, str(target)))
        if options.dry_run:
            faults.append(Fault("options", "no --dry-run with Dask", Phrase("both")))
    if options.on_error not in get_args(OnError):
        faults.append(Fault("on-error", "stop, skip or report", options.on_error))
    if options.workers is not None and options.workers < 1:
        faults.append(Fault("workers", f"a number of {unit}, 1 or more", options.workers))
    faults += options.table.faults(source)
    if options.resume and options.restart:
        faults.append(Fault("options", "resume or restart", Phrase("both")))
    if faults:
        raise InvalidCase(faults)
    if cluster is not None and find_spec("distributed") is None:
        expected = "the extra distributed: pip install 'bayesdx[distributed]'"
        raise BayesdxError(Fault("dask", expected, Phrase("no Dask")))


def check_stream(name: str, options: RunOptions) -> None:
    """Refuse of an output that has no file what is written beside one.

    Raises
    ------
    InvalidCase
        With every such option.
    """
    written = []
    if options.on_error != "stop":
        written.append("records with faults are written beside it")
    if options.key is not None:
        written.append("the audit beside it is what is signed")
    if written:
        raise InvalidCase(Fault("output", f"a file: {one}", Phrase(name)) for one in written)
