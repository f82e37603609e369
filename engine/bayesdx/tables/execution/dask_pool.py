"""Dask: knowledge on every worker, tasks and their retries. Nothing else imports it."""

from __future__ import annotations

import logging
import queue
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

from distributed import Client, Future, LocalCluster, Worker, WorkerPlugin, get_worker

from bayesdx.errors import BayesdxError, Fault, Phrase, first_line
from bayesdx.tables.execution.counts import Counts
from bayesdx.tables.execution.part_result import PartResult
from bayesdx.tables.execution.partition_job import (
    SCHEDULER_GONE,
    PartitionJob,
    score_partition_job,
)
from bayesdx.tables.execution.run_options import Cluster
from bayesdx.tables.serialisation import KnowledgeFiles, core_of

#: The address that means: workers on this machine, for this run only.
LOCAL = "local"
#: Who speaks where a scheduler is gone; the first ones have levels of their own.
LOGGERS = ("distributed.client", "distributed.core", "distributed", "tornado", "asyncio")
#: Seconds to wait for a scheduler to answer.
ANSWER = 20.0
#: How often knowledge is sent anew when workers die meanwhile.
SENDINGS = 10
#: Seconds between looks whether there is anybody left to wait for.
LOOK = 2.0


class KnowledgePlugin(WorkerPlugin):  # type: ignore[misc]  # Dask has no types
    """Keeps knowledge on a worker; Dask sends it once to each, those that join later as well.

    Parameters
    ----------
    files : KnowledgeFiles
    ours : bool
        The worker is a process of this run's own cluster.
    """

    def __init__(self, files: KnowledgeFiles, *, ours: bool = False) -> None:
        self.files = files
        self.name = plugin_name(files.digest)
        self._ours = ours

    def setup(self, worker: Worker) -> None:  # noqa: ARG002 - as Dask calls it
        """Leave the engine to the first task; the worker has to answer meanwhile."""
        if self._ours:
            # Ctrl-C reaches all processes of a terminal; the one that started the run ends it.
            with suppress(ValueError):
                signal.signal(signal.SIGINT, signal.SIG_IGN)


def plugin_name(digest: str) -> str:
    """Return the name under which workers keep some knowledge."""
    return f"bayesdx-knowledge-{digest}"


def run_job(job: PartitionJob) -> PartResult:
    """Score a partition, on a worker.

    Raises
    ------
    BayesdxError
        The knowledge did not reach the worker, or is another than the job names.
    """
    plugin = get_worker().plugins.get(plugin_name(job.made_from.knowledge["digest"]))
    if plugin is None:
        got = Phrase("none on this worker")
        raise BayesdxError(
            Fault("knowledge", f"files of the digest {job.made_from.knowledge['digest']}", got)
        )
    return score_partition_job(core_of(plugin.files), job)


@contextmanager
def connected(address: str, workers: int) -> Iterator[Client]:
    """Give a client of a scheduler.

    Parameters
    ----------
    address : str
        Of the scheduler, ``tcp://host:port``; or ``local`` for a cluster on this machine.
    workers : int
        Processes of a local cluster.

    Raises
    ------
    BayesdxError
        Nobody answers there.
    """
    with ExitStack() as stack:
        if address == LOCAL:
            # Dask tells of every worker that dies; the run tells what came of it.
            cluster = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
            )
            yield stack.enter_context(Client(stack.enter_context(cluster)))
            return
        stack.enter_context(_quiet())
        try:
            client = Client(address, timeout=ANSWER)
        except Exception as reason:  # whatever Dask raises of a scheduler that dies meanwhile
            got = Phrase(first_line(reason))
            expected = "the address of a Dask scheduler, tcp://host:port, or local"
            raise BayesdxError(Fault("dask", expected, got)) from reason
        # Closing a client of a scheduler that is gone must not hide what the run has to say.
        stack.callback(_close, client)
        yield client


def partition_results(
    client: Client, files: KnowledgeFiles, jobs: Sequence[PartitionJob], cluster: Cluster
) -> Iterator[PartResult]:
    """Have partitions done, and yield what became of each, in the order in which they end.

    Parameters
    ----------
    client : Client
    files : KnowledgeFiles
    jobs : sequence of PartitionJob
    cluster : Cluster
        How often a job that raised is tried again, and how long workers are waited for. How many
        workers may die of one is Dask's setting ``distributed.scheduler.allowed-failures``.

    Yields
    ------
    result : PartResult
        With a `failure` where it is given up.
    """
    ours, patience = cluster.address == LOCAL, cluster.patience
    _send(client, KnowledgePlugin(files, ours=ours))
    run = f"{time.time_ns():x}"
    ended: queue.SimpleQueue[Future] = queue.SimpleQueue()
    waiting: dict[str, tuple[PartitionJob, Future]] = {}
    for job in jobs:
        key = f"bayesdx-part-{job.number:05}-{run}"
        future = client.submit(run_job, job, key=key, retries=cluster.retries, pure=False)
        waiting[key] = job, future
        future.add_done_callback(ended.put)
    try:
        left = patience
        while waiting:
            try:
                key = ended.get(timeout=min(LOOK, max(left, 0.1))).key
            except queue.Empty:
                left = patience if _anybody(client) else left - LOOK
                if left <= 0:
                    break
                continue
            left = patience
            if key not in waiting:
                continue
            job, future = waiting.pop(key)
            result = _result(job, future)
            # Held any longer, it would be done again when the worker dies that keeps its result.
            future.release()
            yield result
        for job, _ in waiting.values():
            yield given_up(job, f"no worker for {patience:g} s")
    finally:
        with suppress(Exception):  # the scheduler may be gone
            client.cancel([future for _, future in waiting.values()])


def _send(client: Client, plugin: KnowledgePlugin) -> None:
    """Send knowledge to all workers.

    Dask fails when a worker dies meanwhile; it gives the knowledge to those that come all the same.
    """
    for left in reversed(range(SENDINGS)):
        try:
            client.register_plugin(plugin)
            return
        except Exception as reason:  # as above
            if not left or not (isinstance(reason, OSError) and _anybody(client)):
                got = Phrase(first_line(reason))
                expected = "a scheduler and workers that stay long enough to be sent knowledge"
                raise BayesdxError(Fault("dask", expected, got)) from reason
            time.sleep(LOOK)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask's own words on a scheduler that is gone to itself; the run says what came of it."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _close(client: Client) -> None:
    with suppress(Exception):  # the scheduler may be gone
        client.close(timeout=LOOK)


def _anybody(client: Client) -> bool:
    """Whether there is a worker that could still do something."""
    try:
        return bool(client.scheduler_info()["workers"])
    except Exception:  # noqa: BLE001 - whatever it is, nobody answers
        return False


def _result(job: PartitionJob, future: Future) -> PartResult:
    if future.status == "finished":
        result: PartResult = future.result()
        return result
    if future.status == "error":
        reason = future.exception()
        text = str(reason.faults[0]) if isinstance(reason, BayesdxError) else str(reason)
        return given_up(job, f"{type(reason).__name__}: {next(iter(text.splitlines()), '')}")
    return given_up(job, SCHEDULER_GONE if future.status == "cancelled" else future.status)


def given_up(job: PartitionJob, reason: str) -> PartResult:
    """Return what becomes of a partition that nobody does."""
    return PartResult(job.number, Counts(), failure=reason)
