"""Nothing is lost, overwritten or shown to others that should not be."""

import hashlib
import json
import os
import stat
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_cases import case_table, write_cases

from bayesdx.diagnosis.core import Core
from bayesdx.errors import InvalidCase
from bayesdx.tables.execution import publish
from bayesdx.tables.execution.run_options import RunOptions
from bayesdx.tables.execution.table_run import score_table

SKIP = RunOptions(chunk_rows=9, on_error="skip")
RESUME = RunOptions(chunk_rows=9, on_error="skip", resume=True)
RESTART = RunOptions(chunk_rows=9, on_error="skip", restart=True)


def dirty(path: Path) -> Path:
    path.write_text(case_table([number % 6 != 4 for number in range(40)]))
    return path


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(one): one.read_bytes() for one in sorted(folder.rglob("*")) if one.is_file()}


@pytest.mark.parametrize("way", ["name", "detour", "symlink", "hard link", "audit", "rejected"])
def test_an_input_is_never_written_over(core: Core, tmp_path: Path, way: str) -> None:
    cases = write_cases(tmp_path / "cases.csv", 20)
    out = tmp_path / "o.csv"
    if way == "name":
        out = cases
    elif way == "detour":
        (tmp_path / "sub").mkdir()
        out = tmp_path / "sub" / ".." / "cases.csv"
    elif way == "symlink":
        out.symlink_to(cases)
    elif way == "hard link":
        os.link(cases, out)
    else:
        suffix = {"audit": ".audit.json", "rejected": ".rejected.csv"}[way]
        (tmp_path / f"o.csv{suffix}").symlink_to(cases)
    before = snapshot(tmp_path)
    for options in (SKIP, RESTART, RunOptions(dry_run=True)):
        with pytest.raises(InvalidCase, match="expected another name than that of the input"):
            score_table(core, cases, out, options)
    assert snapshot(tmp_path) == before


def test_no_file_of_an_input_folder_is_written_over(core: Core, tmp_path: Path) -> None:
    folder = tmp_path / "cases"
    folder.mkdir()
    pq.write_table(pa.table({"cramp": ["present", "absent"]}), folder / "a.parquet")
    before = snapshot(tmp_path)
    with pytest.raises(InvalidCase, match="another name than that of the input"):
        score_table(core, folder, folder / "a.parquet")
    # Nor does an output become input of the next run.
    (tmp_path / "link").symlink_to(folder)
    for place in ("cases/b.parquet", "cases/sub.csv", "link/b.parquet", "cases/new/"):
        with pytest.raises(InvalidCase, match=r"a place outside of .*cases, all of which is input"):
            score_table(core, folder, f"{tmp_path}/{place}")
    (tmp_path / "link").unlink()
    inside = tmp_path / "o.csv.parts"
    folder.rename(inside)
    with pytest.raises(InvalidCase, match="another name than that of the input"):
        score_table(core, inside, tmp_path / "o.csv", RESTART)
    assert list(snapshot(tmp_path).values()) == list(before.values())


class Stopped(BaseException):
    """The process is no more."""


def stopped_before_renames(core: Core, folder: Path, name: str, patch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise Stopped

    with patch.context() as only:
        only.setattr(publish, "_rename", stop)
        with pytest.raises(Stopped, match="are finished and kept"):
            score_table(core, dirty(folder / "cases.csv"), f"{folder}/{name}", SKIP)


@pytest.mark.parametrize("name", ["o.csv", "o.parquet", "scores/"])
def test_a_folder_that_moved_is_gone_on_with(
    core: Core, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    first, second, third = (tmp_path / one for one in ("first", "second", "third"))
    first.mkdir()
    third.mkdir()
    stopped_before_renames(core, first, name, monkeypatch)
    first.rename(second)
    report = score_table(core, second / "cases.csv", f"{second}/{name}", RESUME)
    score_table(core, dirty(third / "cases.csv"), f"{third}/{name}", SKIP)
    assert report.output == (second / name.rstrip("/"))
    assert (report.counts.records, report.counts.rejected) == (40, 6)

    def content(folder: Path) -> list[object]:
        # Parquet files name their input, which is elsewhere now.
        tables = [pq.read_table(one).to_pydict() for one in sorted(folder.rglob("*.parquet"))]
        texts = [one.read_bytes() for one in sorted(folder.rglob("*.csv"))]
        return [*tables, *texts]

    assert content(second) == content(third) != []
    assert not (tmp_path / "first").exists()


@pytest.mark.parametrize("fate", ["lost", "changed"])
def test_parts_stay_until_the_output_is_there_as_it_should_be(
    core: Core, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fate: str
) -> None:
    score_table(core, dirty(tmp_path / "cases.csv"), tmp_path / "o.csv", SKIP)
    expected = (tmp_path / "o.csv").read_bytes()
    (tmp_path / "o.csv").unlink()
    stopped_before_renames(core, tmp_path, "o.csv", monkeypatch)
    result = tmp_path / "o.csv.parts" / "output"
    if fate == "lost":
        result.unlink()
    else:
        result.write_bytes(expected[:-2] + b"?\n")
    score_table(core, tmp_path / "cases.csv", tmp_path / "o.csv", RESUME)
    assert (tmp_path / "o.csv").read_bytes() == expected
    assert not (tmp_path / "o.csv.parts").exists()


PLANTED = {
    "finish.json": [
        {},
        [],
        {"format": 2, "result": "output", "rejected": False, "output": {}},
        {"format": 1, "result": "../mine.txt", "rejected": False, "output": {}},
        {"format": 1, "result": "/etc/hostname", "rejected": False, "output": {}},
        {"format": 1, "renames": [["/etc/hostname", "mine.txt"]]},
    ],
    "manifest.json": [
        {},
        {"format": 1, "resumable": True, "started": "now"},
        {"format": 99, "resumable": True, "started": "now", "identity": {}},
        {"format": 1, "resumable": True, "started": "now", "identity": 7},
    ],
}


@pytest.mark.parametrize(
    ("name", "content"), [(name, one) for name, many in PLANTED.items() for one in many]
)
def test_damaged_notes_are_refused_and_can_be_dropped(
    core: Core, tmp_path: Path, name: str, content: object
) -> None:
    def stop(rows: int, share: float | None) -> None:
        if rows == 27:
            raise KeyboardInterrupt

    cases, mine = dirty(tmp_path / "cases.csv"), tmp_path / "mine.txt"
    mine.write_text("mine")
    with pytest.raises(KeyboardInterrupt, match="are finished and kept"):
        score_table(core, cases, tmp_path / "o.csv", SKIP, stop)
    (tmp_path / "o.csv.parts" / name).write_text(json.dumps(content))
    with pytest.raises(InvalidCase, match="no folder of this program; begin anew with --restart"):
        score_table(core, cases, tmp_path / "o.csv", RESUME)
    score_table(core, cases, tmp_path / "o.csv", RESTART)
    assert mine.read_text() == "mine"
    assert not (tmp_path / "o.csv.parts").exists()


@pytest.mark.parametrize("line", [b"[]", b"7", b'{"number": 0}', b"\xff", b"{}"])
def test_damaged_journal_is_scored_again(core: Core, tmp_path: Path, line: bytes) -> None:
    def stop(rows: int, share: float | None) -> None:
        if rows == 27:
            raise KeyboardInterrupt

    cases = dirty(tmp_path / "cases.csv")
    with pytest.raises(KeyboardInterrupt, match="are finished and kept"):
        score_table(core, cases, tmp_path / "o.csv", SKIP, stop)
    journal = tmp_path / "o.csv.parts" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().splitlines(keepends=True)[0] + line + b"\n")
    assert score_table(core, cases, tmp_path / "o.csv", RESUME).resumed == 9


@pytest.mark.parametrize("name", ["output", "lock", "journal.jsonl", "manifest.json", "results"])
def test_links_in_the_folder_of_parts_are_not_followed(
    core: Core, tmp_path: Path, name: str
) -> None:
    cases, mine = write_cases(tmp_path / "cases.csv", 20), tmp_path / "mine"
    mine.mkdir()
    (mine / "part-00000.parquet").write_text("mine")
    parts = tmp_path / "o.csv.parts"
    parts.mkdir()
    (parts / name).symlink_to(mine if name == "results" else mine / "part-00000.parquet")
    for options in (SKIP, RESUME, RESTART):
        with pytest.raises(InvalidCase, match=f"a folder of unfinished parts, got one with {name}"):
            score_table(core, cases, tmp_path / "o.csv", options)
    (parts / name).unlink()
    parts.rmdir()
    parts.symlink_to(mine)
    with pytest.raises(InvalidCase, match="a folder of unfinished parts"):
        score_table(core, cases, tmp_path / "o.csv", RESTART)
    assert (mine / "part-00000.parquet").read_text() == "mine"


def test_what_stands_beside_a_private_output_is_private(core: Core, tmp_path: Path) -> None:
    out = tmp_path / "o.csv"
    out.touch(mode=0o600)
    seen: list[int] = []

    def look(rows: int, share: float | None) -> None:
        seen.append(stat.S_IMODE((tmp_path / "o.csv.parts").stat().st_mode))

    score_table(core, dirty(tmp_path / "cases.csv"), out, SKIP, look)
    assert set(seen) == {0o700}
    for name in ("o.csv", "o.csv.audit.json", "o.csv.rejected.csv"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600, name


def test_the_digest_is_that_of_what_was_read(core: Core, tmp_path: Path) -> None:
    cases = write_cases(tmp_path / "cases.csv", 40)
    read = hashlib.sha256(cases.read_bytes()).hexdigest()
    write_cases(tmp_path / "other.csv", 50)

    def swap(rows: int, share: float | None) -> None:
        if rows == 0:
            (tmp_path / "other.csv").replace(cases)

    score_table(core, cases, tmp_path / "o.csv", RunOptions(chunk_rows=9), swap)
    audit = json.loads((tmp_path / "o.csv.audit.json").read_text())
    assert audit["input"]["digest"] == read
    assert audit["counts"]["records"] == 40


def test_parquet_that_is_replaced_meanwhile_is_refused(core: Core, tmp_path: Path) -> None:
    table = pa.table({"cramp": ["present", "absent"] * 10})
    pq.write_table(table, tmp_path / "cases.parquet")
    pq.write_table(table, tmp_path / "other.parquet")
    status = (tmp_path / "cases.parquet").stat()
    os.utime(tmp_path / "other.parquet", ns=(status.st_atime_ns, status.st_mtime_ns))

    def swap(rows: int, share: float | None) -> None:
        if rows == 0:
            (tmp_path / "other.parquet").replace(tmp_path / "cases.parquet")

    with pytest.raises(InvalidCase, match="one that was changed while it was read"):
        score_table(core, tmp_path / "cases.parquet", tmp_path / "o.csv", SKIP, swap)


def test_text_that_is_not_utf8_in_parquet_costs_its_row(core: Core, tmp_path: Path) -> None:
    raw = pa.array([b"a", b"\xe9", b"c", b"d"])
    ids = pa.Array.from_buffers(pa.string(), 4, raw.buffers())
    cells = pa.array([b"present", b"absent", b"caf\xe9", None])
    cramp = pa.Array.from_buffers(pa.string(), 4, cells.buffers())
    pq.write_table(pa.table({"case_id": ids, "cramp": cramp}), tmp_path / "cases.parquet")
    for name in ("o.csv", "o.parquet", "o.jsonl"):
        report = score_table(core, tmp_path / "cases.parquet", tmp_path / name, SKIP)
        assert (report.counts.records, report.counts.rejected) == (4, 2)
        assert [str(one).rpartition("cases.parquet")[2] for one in report.faults] == [
            r":2:1: expected UTF-8 text, got b'\xe9'.",
            r":3:2: expected UTF-8 text, got b'caf\xe9'.",
        ]
    found = pq.read_table(tmp_path / "o.parquet")["case_id"].to_pylist()
    assert found == ["a", "d"]
    with pytest.raises(InvalidCase, match="expected UTF-8 text"):
        score_table(core, tmp_path / "cases.parquet", tmp_path / "p.csv")


def test_lone_surrogates_in_json_cost_their_row(core: Core, tmp_path: Path) -> None:
    cases = tmp_path / "cases.jsonl"
    cases.write_text(
        '{"case_id": "a", "cramp": "present"}\n'
        '{"case_id": "b", "cramp": "\\ud800"}\n'
        '{"case_id": "\\udfff", "cramp": "absent"}\n'
    )
    report = score_table(core, cases, tmp_path / "o.csv", SKIP)
    assert (report.counts.records, report.counts.rejected) == (3, 2)
    assert b"\\ud800" in (tmp_path / "o.csv.rejected.csv").read_bytes()
