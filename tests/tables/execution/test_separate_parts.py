"""Parts in files of their own, which workers write."""

import json
import shutil
from pathlib import Path

import pytest

from bayesdx.errors import InvalidCase
from bayesdx.tables.execution.counts import Counts
from bayesdx.tables.execution.part_journal import part_name
from bayesdx.tables.execution.part_result import PartResult, WrittenPart
from bayesdx.tables.execution.part_store import SeparateParts
from bayesdx.tables.sources.streams import bytes_digest


def begun(place: Path, **identity: str) -> SeparateParts:
    return SeparateParts(place, identity, resume=False, restart=False)


def test_another_run_has_another_folder_and_the_same_one_the_same(tmp_path: Path) -> None:
    names = []
    for number, seed in enumerate(("a", "b", "a")):
        store = begun(tmp_path / f"x{number}.parts", input=seed)
        names.append(store.shared.name)
        store.discard()
    assert names[0] == names[2] != names[1]
    assert list(tmp_path.iterdir()) == []


def test_only_one_process_works_on_an_output(tmp_path: Path) -> None:
    first = begun(tmp_path / "x.parts", input="a")
    with pytest.raises(InvalidCase, match="that no other run writes to this output"):
        begun(tmp_path / "x.parts", input="a")
    first.close()
    begun(tmp_path / "x.parts", input="a").discard()


def test_what_is_still_written_to_while_it_is_taken_away_goes_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = begun(tmp_path / "x.parts", input="a")
    rmtree, times = shutil.rmtree, []

    def late(path: Path, ignore_errors: bool) -> None:
        rmtree(path, ignore_errors=ignore_errors)
        times.append(path)
        if len(times) < 3:
            (path / "data").mkdir(parents=True)
            (path / "data" / part_name(3)).write_text("late")

    monkeypatch.setattr(shutil, "rmtree", late)
    store.discard()
    assert len(times) == 3
    assert list(tmp_path.iterdir()) == []


def test_a_part_without_its_file_counts_for_nothing(tmp_path: Path) -> None:
    place = tmp_path / "x.parts"
    store = begun(place, input="a")
    empty = bytes_digest(b"")
    for number in (4, 0):
        for folder, name in (("data", part_name(number)), ("rejects", f"{part_name(number)}.csv")):
            (store.shared / folder / name).touch()
        store.add(PartResult(number, Counts(), written=WrittenPart(0, empty, 0, empty)))
    (store.shared / "data" / part_name(0)).unlink()
    store.close()
    again = SeparateParts(place, {"input": "a"}, resume=True, restart=False)
    assert list(again.finished) == [4]
    lines = (place / "journal.jsonl").read_text().splitlines()
    assert [json.loads(line)["number"] for line in lines] == [4]
    again.discard()
