"""The partitions of a table for the workers of a cluster: what each has to do, what is missing."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from bayesdx.diagnosis.core import Core
from bayesdx.errors import BayesdxError, Fault, Phrase
from bayesdx.tables.execution.audit import RunFacts
from bayesdx.tables.execution.part_result import PartResult
from bayesdx.tables.execution.part_store import SeparateParts
from bayesdx.tables.execution.partition_job import SCHEDULER_GONE, PartitionJob
from bayesdx.tables.execution.run_options import Cluster, RunOptions
from bayesdx.tables.serialisation import knowledge_files
from bayesdx.tables.sources.chunks import CaseSource

#: Reasons told of partitions that are missing; their numbers are told in full.
REASONS = 8


@dataclass(frozen=True, eq=False)
class PartitionPlan:
    """All partitions of a table whose number of rows is known.

    Attributes
    ----------
    core : Core
    source : CaseSource
    options : RunOptions
    cluster : Cluster
    made_from : RunFacts
    store : SeparateParts
        What is finished; grows meanwhile.
    """

    core: Core
    source: CaseSource
    options: RunOptions
    cluster: Cluster
    made_from: RunFacts
    store: SeparateParts

    @property
    def rows(self) -> int:
        """Records of a whole partition."""
        return self.options.chunk_rows * self.cluster.part_chunks

    @property
    def missing(self) -> list[int]:
        """Numbers of the partitions that are not finished."""
        count = -(-(self.source.rows or 0) // self.rows)
        return [number for number in range(count) if number not in self.store.finished]

    def jobs(self) -> list[PartitionJob]:
        """Return what is left to do."""
        assert self.source.rows is not None
        assert self.source.size is not None
        return [
            PartitionJob(
                number=number,
                chunks=self.cluster.part_chunks,
                source=str(Path(self.source.name).resolve()),
                rows=self.source.rows,
                size=self.source.size,
                folder=str(self.store.shared.resolve()),
                options=self.options,
                made_from=self.made_from,
            )
            for number in self.missing
        ]

    def results(self, workers: int) -> Generator[PartResult]:
        """Yield what becomes of each partition that is not finished, as they end.

        Parameters
        ----------
        workers : int
            Processes, where the cluster is made for this run.

        Raises
        ------
        BayesdxError
            No scheduler answers, or the knowledge files were changed since they were read.
        """
        # Imported here: who does not use Dask need not have it.
        from bayesdx.tables.execution.dask_pool import connected, partition_results

        jobs = self.jobs()
        if not jobs:
            return
        knowledge = self.core.knowledge
        files = knowledge_files(knowledge.folder, knowledge.setting)
        if files.digest != self.core.knowledge.digest:
            got = Phrase("other files than were read")
            place = str(self.core.knowledge.folder)
            raise BayesdxError(Fault(place, "the knowledge that the run began with", got))
        with connected(self.cluster.address, workers) as client:
            yield from partition_results(client, files, jobs, self.cluster)

    def check_complete(self, given_up: Mapping[int, str]) -> None:
        """Make sure that no partition is missing.

        Raises
        ------
        BayesdxError
            With the numbers of those that are, and why.
        """
        missing, finished = self.missing, len(self.store.finished)
        if not missing:
            return
        got = Phrase(f"{finished:,}; missing: {ranges(missing)}")
        faults = [Fault("partitions", f"all {finished + len(missing):,}", got)]
        if all(given_up.get(number) == SCHEDULER_GONE for number in missing):
            raise BayesdxError(replace(faults[0], got=Phrase(f"{got} ({SCHEDULER_GONE})")))
        for number in missing[:REASONS]:
            last = min((number + 1) * self.rows, self.source.rows or 0) - 1
            place = f"partition {number} (records {number * self.rows:,} to {last:,})"
            faults.append(Fault(place, "scores", Phrase(given_up.get(number, "not done"))))
        raise BayesdxError(faults)


def ranges(numbers: Iterable[int]) -> str:
    """Write increasing whole numbers in full, neighbours as ranges: ``3, 5-8, 11``."""
    texts = []
    for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        members = [number for _, number in run]
        first, last = members[0], members[-1]
        texts.append(f"{first}" if first == last else f"{first}-{last}")
    return ", ".join(texts)
