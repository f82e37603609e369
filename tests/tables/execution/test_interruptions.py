"""However a run ends, what is finished stays, and the run that goes on gives the same bytes."""

import contextlib
import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from small_cases import case_table, write_cases
from small_priors import SMALL, write_priors

import bayesdx
from bayesdx.diagnosis.core import Core
from bayesdx.errors import InvalidCase
from bayesdx.tables.execution.run_options import RunOptions
from bayesdx.tables.execution.subject import count_scores
from bayesdx.tables.execution.table_run import score_table
from bayesdx.tables.outputs import OutputOptions

#: Outputs, and every how many operations the death of a run is tried.
NAMES = [("o.csv", 1), ("o.jsonl.gz", 5), ("o.parquet", 3), ("scores/", 2)]
DEADLY = ("fsync", "replace", "rename", "unlink", "rmdir", "mkdir")
RUN = RunOptions(chunk_rows=9, on_error="skip", workers=1)
GO_ON = RunOptions(chunk_rows=9, on_error="skip", workers=1, resume=True)


class Dead(BaseException):
    """The process is no more."""


@contextlib.contextmanager
def mortal(monkeypatch: pytest.MonkeyPatch, life: int) -> Iterator[list[str]]:
    """Let a number of operations on the disk succeed, and none after them, as kill -9 does."""
    done: list[str] = []

    def wrapped(name: str, operation: Callable[..., Any]) -> Callable[..., Any]:
        def operate(*arguments: Any, **options: Any) -> Any:
            if len(done) >= life:
                raise Dead(name)
            done.append(name)
            return operation(*arguments, **options)

        return operate

    with monkeypatch.context() as patch:
        for name in DEADLY:
            patch.setattr(os, name, wrapped(name, getattr(os, name)))
        yield done


def dirty_cases(folder: Path) -> Path:
    cases = folder / "cases.csv"
    cases.write_text(case_table([number % 6 != 4 for number in range(40)]))
    return cases


def content(folder: Path) -> dict[str, bytes]:
    """Return all that a run leaves, but for its audit, which tells the time."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(".audit.json")
    }


@pytest.fixture
def whole(core: Core, tmp_path: Path) -> Callable[[str], dict[str, bytes]]:
    def run(name: str) -> dict[str, bytes]:
        folder = tmp_path / "work"
        folder.mkdir()
        score_table(core, dirty_cases(folder), f"{folder}/{name}", RUN)
        found = content(folder)
        shutil.rmtree(folder)
        folder.mkdir()
        return found

    return run


@pytest.mark.parametrize(("name", "step"), NAMES)
def test_death_at_any_moment(
    core: Core, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole, name: str, step: int
) -> None:
    expected, folder, out = whole(name), tmp_path / "work", f"{tmp_path}/work/{name}"
    finished = False
    life = 0
    while not finished:
        cases = dirty_cases(folder)
        with mortal(monkeypatch, life):
            try:
                score_table(core, cases, out, RUN)
                finished = True
            except Dead:
                seen = Path(out).exists()
        if not finished:
            # Under its own name there is nothing, or all of it.
            assert not seen or content(folder).items() >= expected.items()
            # A folder that is there counts as done, once what was noted of it is being taken away.
            noted = Path(f"{out[:-1]}.parts", "manifest.json").exists()
            if noted or not (seen and Path(out).is_dir()):
                report = score_table(core, cases, out, GO_ON)
                assert (report.counts.records, report.counts.rejected) == (40, 6)
                assert content(folder) == expected
        shutil.rmtree(folder)
        folder.mkdir()
        life += step
    assert life > 20


@pytest.mark.parametrize("name", ["o.csv", "o.parquet"])
@pytest.mark.parametrize("life", [12, 17])
def test_death_again_and_again(
    core: Core, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole, name: str, life: int
) -> None:
    expected, folder = whole(name), tmp_path / "work"
    cases, options = dirty_cases(folder), RUN
    for _ in range(40):
        with mortal(monkeypatch, life), contextlib.suppress(Dead):
            score_table(core, cases, folder / name, options)
            break
        options = GO_ON
    assert content(folder) == expected


def test_full_disk_keeps_what_is_finished(core: Core, tmp_path: Path) -> None:
    cases, out = write_cases(tmp_path / "cases.csv", 400), tmp_path / "o.csv"
    score_table(core, cases, out, RunOptions(chunk_rows=20))
    expected = out.read_bytes()
    out.unlink()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # No file may grow beyond this: a write fails in its middle, as on a full disk.
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(expected) // 2, hard))
    try:
        with pytest.raises(InvalidCase, match="place to write to, got File too large") as caught:
            score_table(core, cases, out, RunOptions(chunk_rows=20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "records are finished and kept" in caught.value.__notes__[0]
    assert not out.exists()
    report = score_table(core, cases, out, RunOptions(chunk_rows=20, resume=True))
    assert 100 <= report.resumed < 400
    assert report.counts.records == 400
    assert out.read_bytes() == expected


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "none", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("nothing may be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("name", ["o.csv", "o.parquet"])
def test_disk_that_is_really_full(core: Core, tmp_path: Path, small_disk: Path, name: str) -> None:
    cases = write_cases(tmp_path / "cases.csv", 1500)
    score_table(core, cases, tmp_path / name, RunOptions(chunk_rows=100))
    rubbish = small_disk / "rubbish"
    rubbish.write_bytes(bytes(60_000))
    with pytest.raises(InvalidCase, match="place to write to, got No space left on device"):
        score_table(core, cases, small_disk / name, RunOptions(chunk_rows=100))
    assert sorted(one.name for one in small_disk.iterdir()) == [f"{name}.parts", "rubbish"]
    rubbish.unlink()
    subprocess.run(["mount", "-o", "remount,size=2m", str(small_disk)], check=True)
    report = score_table(core, cases, small_disk / name, RunOptions(chunk_rows=100, resume=True))
    assert report.resumed > 0
    assert (small_disk / name).read_bytes() == (tmp_path / name).read_bytes()


def interrupted(core: Core, cases: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a run with two finished parts."""

    def stop(rows: int, share: float | None) -> None:
        if rows == 27:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        score_table(core, cases, out, RUN, stop)
    assert caught.value.__notes__ == [
        f"18 records are finished and kept in {out}.parts; the same command with --resume goes on "
        "from there."
    ]


def test_unfinished_run_is_neither_lost_nor_mixed(
    core: Core, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases, out = dirty_cases(tmp_path), tmp_path / "o.csv"
    interrupted(core, cases, out, monkeypatch)
    with pytest.raises(
        InvalidCase, match=r"no unfinished run \(--resume goes on .*--restart drops"
    ):
        score_table(core, cases, out, RUN)
    with pytest.raises(InvalidCase, match="resume or restart, got both"):
        score_table(core, cases, out, RunOptions(resume=True, restart=True))
    assert score_table(core, cases, out, GO_ON).resumed == 18
    first = out.read_bytes()
    interrupted(core, cases, out, monkeypatch)
    again = RunOptions(chunk_rows=9, on_error="skip", restart=True)
    assert score_table(core, cases, out, again).resumed == 0
    assert out.read_bytes() == first


def test_resume_refuses_all_that_is_different(
    core: Core, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases, out = dirty_cases(tmp_path), tmp_path / "o.csv"
    interrupted(core, cases, out, monkeypatch)
    other = RunOptions(
        chunk_rows=10, on_error="skip", resume=True, output=OutputOptions(causes=("strain",))
    )
    text = SMALL["findings.toml"].replace("value = 0.25", "value = 0.26")
    folder = write_priors(tmp_path / "other", {**SMALL, "findings.toml": text})
    changed = bayesdx.load(folder, backend="numpy").core
    cases.write_text(cases.read_text() + "more,,,,,,,\n")
    monkeypatch.setattr("bayesdx.tables.execution.audit.__version__", "99")
    with pytest.raises(InvalidCase) as caught:
        score_table(changed, cases, out, other)
    named = [fault.place.rpartition(": ")[2] for fault in caught.value.faults]
    assert named == ["input", "knowledge", "version", "causes", "chunk_rows"]
    assert "expected the same chunk_rows as in the unfinished run, 9, got 10." in str(caught.value)
    # Nothing was lost by trying.
    assert (tmp_path / "o.csv.parts" / "journal.jsonl").read_bytes().count(b"\n") == 2


@pytest.mark.parametrize("damage", ["journal", "output", "rejected", "lost"])
def test_damaged_parts_are_scored_again(
    core: Core, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole, damage: str
) -> None:
    expected, folder = whole("o.csv"), tmp_path / "work"
    cases, out = dirty_cases(folder), folder / "o.csv"
    interrupted(core, cases, out, monkeypatch)
    parts = folder / "o.csv.parts"
    if damage == "journal":
        path = parts / "journal.jsonl"
        path.write_bytes(path.read_bytes()[:-20])
    elif damage == "lost":
        (parts / "output").write_bytes((parts / "output").read_bytes()[:100])
    else:
        path = parts / {"output": "output", "rejected": "rejected.csv"}[damage]
        data = bytearray(path.read_bytes())
        data[-3] ^= 1
        path.write_bytes(data)
    report = score_table(core, cases, out, GO_ON)
    assert report.resumed == (0 if damage == "lost" else 9)
    assert content(folder) == expected


def test_two_runs_to_one_output(core: Core, cases: Path) -> None:
    out = cases.with_name("o.csv")
    refused = []

    def meanwhile(rows: int, share: float | None) -> None:
        if rows == 7:
            for options in (RunOptions(), RunOptions(resume=True), RunOptions(restart=True)):
                with pytest.raises(InvalidCase, match="that no other run writes to this") as caught:
                    score_table(core, cases, out, options)
                refused.append(str(caught.value))

    score_table(core, cases, out, RunOptions(chunk_rows=7), meanwhile)
    assert len(refused) == 3
    assert f"got process {os.getpid()}, which does" in refused[0]
    assert out.exists()


def test_lock_of_a_dead_run_is_no_lock(core: Core, cases: Path) -> None:
    folder = cases.with_name("o.csv.parts")
    folder.mkdir()
    (folder / "lock").write_text("1\n")
    score_table(core, cases, cases.with_name("o.csv"))
    assert not folder.exists()


def test_folder_that_is_somebody_elses_is_left_alone(core: Core, cases: Path) -> None:
    folder = cases.with_name("o.csv.parts")
    folder.mkdir()
    (folder / "thesis.txt").write_text("mine")
    for options in (RunOptions(), RunOptions(resume=True), RunOptions(restart=True)):
        with pytest.raises(InvalidCase, match=r"a folder of unfinished parts, got one with thesis"):
            score_table(core, cases, cases.with_name("o.csv"), options)
    assert (folder / "thesis.txt").read_text() == "mine"


def test_nothing_to_go_on_with_begins_anew(core: Core, cases: Path) -> None:
    assert score_table(core, cases, cases.with_name("o.csv"), GO_ON).resumed == 0


def test_failure_of_our_own_hands_nothing_out(
    core: Core, cases: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bayesdx.tables.execution.subject.count_scores", _one_too_few)
    with pytest.raises(AssertionError, match="7 records read, 6 scored"):
        score_table(core, cases, cases.with_name("o.csv"), RunOptions(chunk_rows=7))
    assert not cases.with_name("o.csv").exists()


def _one_too_few(core: Core, scores: Any) -> Any:
    counts = count_scores(core, scores)
    counts.scored -= 1
    return counts


def test_a_folder_that_vanishes_under_a_run(core: Core, tmp_path: Path) -> None:
    """As when a disk is unmounted: nothing is said to be kept where nothing is."""
    cases = write_cases(tmp_path / "cases.csv", 40)
    place = tmp_path / "disk"
    place.mkdir()

    def vanish(rows: int, _: float | None) -> None:
        if rows >= 18:
            shutil.rmtree(place, ignore_errors=True)

    with pytest.raises(InvalidCase, match="expected a place to write to, got No such f") as caught:
        score_table(core, cases, place / "o.csv", RUN, vanish)
    assert caught.value.__notes__ == [f"Nothing was kept: {place / 'o.csv.parts'} is gone."]
