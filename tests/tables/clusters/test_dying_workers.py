"""Workers that are killed in the middle: real processes, SIGKILL."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from dask_cases import CHUNK, ROWS, Work, same, scores

from bayesdx.errors import BayesdxError
from bayesdx.tables.execution.run_options import Cluster, RunOptions, RunReport
from bayesdx.tables.execution.table_run import score_table

distributed = pytest.importorskip("distributed")
dask = pytest.importorskip("dask")
pytestmark = pytest.mark.slow

PARTS = -(-ROWS // CHUNK)


class Killer:
    """Kills a worker that works, after each of some numbers of partitions."""

    def __init__(self, cluster: object, after: tuple[int, ...]) -> None:
        self._cluster = cluster
        self._after = list(after)
        self.killed: list[int] = []

    def __call__(self, rows: int, _: float | None) -> None:
        if not self._after or rows < self._after[0] * CHUNK:
            return
        # Asked of their nannies: a message to the workers would fail because of those killed.
        found = [nanny.process for nanny in self._cluster.workers.values()]
        pids = [one.pid for one in found if one is not None and one.pid is not None]
        alive = sorted(set(pids) - set(self.killed))
        if alive:
            self._after.pop(0)
            self.killed.append(alive[0])
            os.kill(alive[0], signal.SIGKILL)


@contextmanager
def processes(n: int, **settings: object) -> Iterator[distributed.LocalCluster]:
    with (
        dask.config.set({f"distributed.scheduler.{key}": one for key, one in settings.items()}),
        distributed.LocalCluster(
            n_workers=n,
            threads_per_worker=1,
            dashboard_address="127.0.0.1:0",
            silence_logs=50,
        ) as cluster,
    ):
        yield cluster


def run(
    work: Work,
    output: Path,
    address: str,
    killer: Callable[[int, float | None], None] | None = None,
    **more: bool,
) -> RunReport:
    return score_table(
        work.engine.core,
        work.cases,
        f"{output}/",
        RunOptions(chunk_rows=CHUNK, **more),
        killer,
        Cluster(address, patience=30.0, part_chunks=1),
    )


@pytest.mark.parametrize("after", [(5,), (3, 12, 25), (0, 1, 2)], ids=str)
def test_killed_workers_change_nothing(work: Work, tmp_path: Path, after: tuple[int, ...]) -> None:
    with processes(3) as cluster:
        killer = Killer(cluster, after)
        report = run(work, tmp_path / "out", cluster.scheduler_address, killer)
    assert len(killer.killed) == len(after)
    same(scores(tmp_path / "out"), work.local)
    assert report.counts.records == report.counts.scored == ROWS
    assert len(list((tmp_path / "out").iterdir())) == PARTS
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "out.audit.json"]


def test_where_no_worker_may_die_what_it_had_in_hand_is_missing_and_resumed(
    work: Work, tmp_path: Path
) -> None:
    with processes(2, **{"allowed-failures": 0}) as cluster:
        address, killer = cluster.scheduler_address, Killer(cluster, (4,))
        with pytest.raises(BayesdxError, match="partitions: expected all") as caught:
            run(work, tmp_path / "out", address, killer)
        assert "KilledWorker" in str(caught.value)
        assert [path.name for path in tmp_path.iterdir()] == ["out.parts"]
        lines = (tmp_path / "out.parts" / "journal.jsonl").read_text().splitlines()
        there = {json.loads(line)["number"] for line in lines}
        stated = str(caught.value).partition("missing: ")[2].partition(".")[0]
        missing: set[int] = set()
        for piece in stated.split(", "):
            first, _, last = piece.partition("-")
            missing |= set(range(int(first), int(last or first) + 1))
        assert there == set(range(PARTS)) - missing
        assert 0 < len(missing) < PARTS
        report = run(work, tmp_path / "out", address, resume=True)
    assert report.resumed > 0
    same(scores(tmp_path / "out"), work.local)


def test_a_cluster_of_its_own(work: Work, tmp_path: Path) -> None:
    report = score_table(
        work.engine.core,
        work.cases,
        f"{tmp_path}/out/",
        RunOptions(chunk_rows=CHUNK, workers=2),
        cluster=Cluster("local", part_chunks=10),
    )
    assert report.counts.records == ROWS
    same(scores(tmp_path / "out"), work.local)


def test_when_the_cluster_goes_away_the_rest_is_missing(work: Work, tmp_path: Path) -> None:
    cluster = distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=50
    )

    def close(rows: int, share: float | None) -> None:
        if rows == 5 * CHUNK:
            cluster.close()

    with pytest.raises(BayesdxError, match="missing: "):
        score_table(
            work.engine.core,
            work.cases,
            f"{tmp_path}/out/",
            RunOptions(chunk_rows=CHUNK),
            close,
            Cluster(cluster.scheduler_address, patience=4.0, part_chunks=1),
        )
    assert [path.name for path in tmp_path.iterdir()] == ["out.parts"]
