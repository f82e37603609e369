"""Scoring by a Dask cluster in this process: the same scores, all of them, or none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dask_cases import CHUNK, ROWS, Work, same, scores

from bayesdx.errors import BayesdxError, InvalidCase
from bayesdx.tables.execution.partition_plan import ranges
from bayesdx.tables.execution.run_options import Cluster, RunOptions, RunReport
from bayesdx.tables.execution.table_run import score_table
from bayesdx.tables.execution.verification import verify_output
from bayesdx.tables.outputs import OutputOptions

distributed = pytest.importorskip("distributed")
OPTIONS = RunOptions(chunk_rows=CHUNK)
PARTS = -(-ROWS // (4 * CHUNK))


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=2,
        processes=False,
        protocol="tcp",
        dashboard_address="127.0.0.1:0",
    ) as cluster:
        yield cluster.scheduler_address


def run(
    work: Work, output: Path, address: str, options: RunOptions = OPTIONS, **more: object
) -> RunReport:
    cluster = Cluster(address, retries=1, patience=2.0, part_chunks=4)
    source = more.pop("source", work.cases)
    return score_table(work.engine.core, source, f"{output}/", options, cluster=cluster, **more)


def test_the_scores_are_those_of_one_machine(work: Work, tmp_path: Path, address: str) -> None:
    seen: list[tuple[int, float | None]] = []
    report = run(work, tmp_path / "out", address, on_progress=lambda *now: seen.append(now))
    same(scores(tmp_path / "out"), work.local)
    assert report.counts.records == report.counts.scored == ROWS
    assert [path.name for path in sorted((tmp_path / "out").iterdir())] == [
        f"part-{number:05}.parquet" for number in range(PARTS)
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "out.audit.json"]
    assert seen[0] == (0, 0.0)
    assert seen[-1] == (ROWS, 1.0)
    assert len(seen) == PARTS + 1
    assert verify_output(work.engine.core, tmp_path / "out").differences == ()
    metadata = pq.read_schema(tmp_path / "out" / "part-00002.parquet").metadata[b"bayesdx"]
    about = json.loads(metadata)
    assert about["partition"] == 2
    assert about["knowledge"]["digest"] == work.engine.knowledge.digest


def test_the_long_shape_as_well(work: Work, tmp_path: Path, address: str) -> None:
    options = RunOptions(chunk_rows=CHUNK, output=OutputOptions("long", top=2))
    run(work, tmp_path / "out", address, options)
    score_table(work.engine.core, work.cases, f"{tmp_path}/local/", options)
    same(scores(tmp_path / "out"), scores(tmp_path / "local"))


def with_faults(work: Work, folder: Path) -> Path:
    """The cases in one file, three of them with a slip."""
    whole = pa.concat_tables([pq.read_table(path) for path in sorted(work.cases.iterdir())])
    frame = whole.to_pandas()
    frame["cramp"] = frame["cramp"].astype(object)
    for row in (3, 5000, ROWS - 1):
        frame.loc[row, "cramp"] = "presnt"
    frame.to_parquet(folder / "bad.parquet", index=False)
    return folder / "bad.parquet"


def test_bad_records_stop_everything_and_are_all_told(
    work: Work, tmp_path: Path, address: str
) -> None:
    bad = with_faults(work, tmp_path)
    with pytest.raises(InvalidCase, match="'presnt'") as caught:
        run(work, tmp_path / "out", address, source=bad)
    with pytest.raises(InvalidCase, match="'presnt'") as local:
        score_table(work.engine.core, bad, f"{tmp_path}/local/", OPTIONS)
    assert [str(one) for one in caught.value.faults] == [str(one) for one in local.value.faults]
    assert len(caught.value.faults) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["bad.parquet"]


def test_bad_records_can_be_left_out_and_are_counted(
    work: Work, tmp_path: Path, address: str
) -> None:
    bad = with_faults(work, tmp_path)
    options = RunOptions(chunk_rows=CHUNK, on_error="skip")
    report = run(work, tmp_path / "out", address, options, source=bad)
    score_table(work.engine.core, bad, f"{tmp_path}/local/", options)
    same(scores(tmp_path / "out"), scores(tmp_path / "local"))
    assert (report.counts.records, report.counts.rejected) == (ROWS, 3)
    assert len(report.faults) == 3
    rejected = (tmp_path / "out.rejected.csv").read_bytes()
    assert rejected == (tmp_path / "local.rejected.csv").read_bytes()


def test_a_partition_that_fails_for_good_is_named_and_can_be_made_up_for(
    work: Work, tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder stands where two of the files should go."""
    from bayesdx.tables.execution.part_store import SeparateParts

    clear = SeparateParts.__init__

    def blocked(self, *words: object, **more: object) -> None:
        clear(self, *words, **more)
        for number in (2, 7):
            (self.shared / "data" / f"part-0000{number}.parquet" / "x").mkdir(parents=True)

    monkeypatch.setattr(SeparateParts, "__init__", blocked)
    with pytest.raises(BayesdxError) as caught:
        run(work, tmp_path / "out", address)
    monkeypatch.undo()
    assert f"partitions: expected all {PARTS}, got {PARTS - 2}; missing: 2, 7." in str(caught.value)
    assert "partition 7 (records 7,000 to 7,999): expected scores, got OSError" in str(
        caught.value
    ) or "got IsADirectoryError" in str(caught.value)
    assert "--resume goes on" in caught.value.__notes__[0]
    assert [path.name for path in tmp_path.iterdir()] == ["out.parts"]
    with pytest.raises(InvalidCase, match=r"--resume goes on with it, --restart drops it"):
        run(work, tmp_path / "out", address)
    for stray in tmp_path.glob("out.parts/*/data/*/x"):
        stray.rmdir()
        stray.parent.rmdir()
    # One finished file is damaged in between: it is done again.
    damaged = next(tmp_path.glob("out.parts/*/data/part-00004.parquet"))
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    seen: list[int] = []
    resumed = RunOptions(chunk_rows=CHUNK, resume=True)
    report = run(
        work, tmp_path / "out", address, resumed, on_progress=lambda rows, _: seen.append(rows)
    )
    assert len(seen) == 1 + 3
    assert report.resumed == ROWS - 3 * 4 * CHUNK
    assert report.counts.records == ROWS
    same(scores(tmp_path / "out"), work.local)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "out.audit.json"]


def interrupted(work: Work, output: Path, address: str) -> None:
    def stop(rows: int, _: float | None) -> None:
        if rows > 3000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        run(work, output, address, on_progress=stop)
    assert "records are finished and kept" in caught.value.__notes__[0]


def test_resuming_asks_for_the_same_input_and_options(
    work: Work, tmp_path: Path, address: str
) -> None:
    interrupted(work, tmp_path / "out", address)
    other = RunOptions(chunk_rows=CHUNK + 1, resume=True)
    with pytest.raises(InvalidCase, match="the same chunk_rows as in the unfinished run, 250"):
        run(work, tmp_path / "out", address, other)
    long = RunOptions(chunk_rows=CHUNK, resume=True, output=OutputOptions("long"))
    with pytest.raises(InvalidCase, match="the same shape as in the unfinished run, 'wide'"):
        run(work, tmp_path / "out", address, long)
    run(work, tmp_path / "out", address, RunOptions(chunk_rows=CHUNK, restart=True))
    same(scores(tmp_path / "out"), work.local)


def test_a_folder_of_somebody_else_is_left_alone(work: Work, tmp_path: Path, address: str) -> None:
    (tmp_path / "out.parts").mkdir()
    (tmp_path / "out.parts" / "thesis.txt").write_text("mine")
    with pytest.raises(InvalidCase, match=r"got one with thesis\.txt"):
        run(work, tmp_path / "out", address, RunOptions(chunk_rows=CHUNK, restart=True))
    assert (tmp_path / "out.parts" / "thesis.txt").read_text() == "mine"


def test_without_workers_everything_is_missing(work: Work, tmp_path: Path) -> None:
    with (
        distributed.LocalCluster(
            n_workers=0, processes=False, protocol="tcp", dashboard_address="127.0.0.1:0"
        ) as cluster,
        pytest.raises(BayesdxError, match=r"got 0; missing: 0-10\.") as caught,
    ):
        run(work, tmp_path / "out", cluster.scheduler_address)
    assert "no worker for 2 s" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_used_is_refused_before_anything_is_done(work: Work, tmp_path: Path) -> None:
    core = work.engine.core
    with pytest.raises(InvalidCase, match="expected a folder of Parquet") as caught:
        score_table(
            core, "cases.csv", tmp_path / "out.csv", RunOptions(dry_run=True), cluster=Cluster()
        )
    assert len(caught.value.faults) == 3
    with pytest.raises(BayesdxError, match="dask: expected the address of a Dask scheduler"):
        run(work, tmp_path / "out", "tcp://127.0.0.1")
    with pytest.raises(BayesdxError, match="dask: expected the address of a Dask scheduler"):
        run(work, tmp_path / "out", "nonsense")
    assert list(tmp_path.iterdir()) == []


def test_another_engine_on_a_worker_is_noticed(
    work: Work, tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bayesdx.tables.execution import partition_job as jobs

    monkeypatch.setattr(jobs, "engine_facts", lambda _: {"version": "0.0.0"})
    with pytest.raises(BayesdxError, match="missing: 0-10") as caught:
        run(work, tmp_path / "out", address)
    assert "version on the worker: expected" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_ranges() -> None:
    assert ranges([3]) == "3"
    assert ranges([0, 1, 2, 5, 7, 8]) == "0-2, 5, 7-8"
