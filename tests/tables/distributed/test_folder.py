"""The folder of an unfinished run."""

import shutil
from pathlib import Path

import pytest

from bayesdx.errors import InvalidCase
from bayesdx.tables.distributed.folder import RunFolder, part_name


def begun(place: Path, **identity: str) -> RunFolder:
    return RunFolder(place, identity, resume=False, restart=False)


def test_another_run_has_another_folder_and_the_same_one_the_same(tmp_path: Path) -> None:
    names = []
    for number, seed in enumerate(("a", "b", "a")):
        folder = begun(tmp_path / f"x{number}.partitions", input=seed)
        names.append(folder.folder.name)
        folder.discard()
    assert names[0] == names[2] != names[1]
    assert list(tmp_path.iterdir()) == []


def test_only_one_process_works_on_an_output(tmp_path: Path) -> None:
    first = begun(tmp_path / "x.partitions", input="a")
    with pytest.raises(InvalidCase, match="that no other run writes to this output"):
        begun(tmp_path / "x.partitions", input="a")
    first.close()
    begun(tmp_path / "x.partitions", input="a").discard()


def test_what_is_still_written_to_while_it_is_taken_away_goes_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = begun(tmp_path / "x.partitions", input="a")
    rmtree, times = shutil.rmtree, []

    def late(path: Path, ignore_errors: bool) -> None:
        rmtree(path, ignore_errors=ignore_errors)
        times.append(path)
        if len(times) < 3:
            (path / "receipts").mkdir(parents=True)
            (path / "receipts" / f"{part_name(3)}.json").write_text("{}")

    monkeypatch.setattr(shutil, "rmtree", late)
    folder.discard()
    assert len(times) == 3
    assert list(tmp_path.iterdir()) == []


def test_a_receipt_without_its_file_counts_for_nothing(tmp_path: Path) -> None:
    place = tmp_path / "x.partitions"
    folder = begun(place, input="a")
    receipt = folder.folder / "receipts" / f"{part_name(0)}.json"
    receipt.write_text('{"number": 0, "counts": {}, "digest": "0", "bytes": 1, "any_rejected": 0}')
    folder.close()
    again = RunFolder(place, {"input": "a"}, resume=True, restart=False)
    assert again.done == {}
    assert not receipt.exists()
    again.discard()
