"""Where commands write: never over what they read, and refused before the work is done."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

STARTER = Path("engine/bayesdx/examples/starter")
NETWORK = "engine/bayesdx/examples/first_hour/sprinkler.bif"
Links = Callable[[Path, Path], Any]

#: Each way to name the same file again.
WAYS: dict[str, Links] = {
    "itself": lambda given, _: given,
    "another path": lambda given, _: f"{given.parent}/../{given.parent.name}/{given.name}",
    "a hard link": lambda given, link: os.link(given, link) or link,
    "a symbolic link": lambda given, link: link.symlink_to(given) or link,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A knowledge folder, a table for it, a key and a setting."""
    place = tmp_path / "knowledge"
    shutil.copytree(STARTER, place)
    (place / "cases.csv").write_text(
        "case_id,runny_nose,day,diagnosis\na,yes,2026-01-01,common_cold\nb,no,2026-02-01,\n"
    )
    (place / "key.csv").write_text("a key that is long enough")
    return place


def contents(folder: Path) -> dict[Path, bytes]:
    return {one: one.read_bytes() for one in sorted(folder.rglob("*")) if one.is_file()}


COMMANDS: dict[str, tuple[str, str]] = {
    "score over a key": ("score {}/cases.csv -p {} --key {}/key.csv -o OUT", "key.csv"),
    "score over knowledge": ("score {}/cases.csv -p {} -o OUT", "model.toml"),
    "sample over knowledge": ("sample 2 -p {} -o OUT", "findings.toml"),
    "compare over knowledge": ("compare -f runny_nose -p {} -o OUT", "causes/common_cold.toml"),
    "compare over cases": ("compare {}/cases.csv -p {} -o OUT", "cases.csv"),
    "drift over cases": ("drift {} {}/cases.csv --time day -o OUT", "cases.csv"),
}


@pytest.mark.parametrize(
    ("kind", "way"),
    [*((kind, "itself") for kind in COMMANDS), *(("sample over knowledge", way) for way in WAYS)],
)
def test_no_command_writes_over_what_it_reads(run, folder: Path, kind: str, way: str) -> None:
    words, name = COMMANDS[kind]
    output = WAYS[way](folder / name, folder.parent / "link.csv")
    before = contents(folder)
    given = [str(output) if word == "OUT" else word for word in words.split()]
    ran = run(*(word.replace("{}", str(folder)) for word in given))
    assert ran.code == 2
    assert "than that of the input" in ran.err or "another file than the input" in ran.err
    assert contents(folder) == before


def test_the_scenarios_of_a_demo_are_not_its_output(run, folder: Path) -> None:
    for name in ("documents.csv", "published.csv"):
        (folder / name).write_text("case_id,runny_nose\na,yes\n")
    before = contents(folder)
    place = str(folder)
    ran = run("demo", "--scenarios", place, "--out", place, "-p", place)
    assert ran.code == 2
    assert "another file than the input" in ran.err
    assert contents(folder) == before


def test_calibrate_spares_all_but_its_own_file(run, tmp_path: Path) -> None:
    place = tmp_path / "knowledge"
    shutil.copytree("priors", place)
    before = contents(place)
    ran = run("calibrate", str(place), "-o", str(place / "model.toml"))
    assert ran.code == 2
    assert "another file than the input" in ran.err
    assert contents(place) == before


@pytest.mark.skipif(sys.platform == "win32", reason="standard input has no path there")
def test_standard_input_may_be_the_output(
    run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = folder / "cases.csv"
    before = contents(folder)
    saved = os.dup(0)
    try:
        with cases.open("rb") as stream:
            os.dup2(stream.fileno(), 0)
            with os.fdopen(os.dup(0)) as text:
                monkeypatch.setattr("sys.stdin", text)
                for command in (("score", "-"), ("compare", "-")):
                    ran = run(*command, "-p", str(folder), "-o", str(cases))
                    assert ran.code == 2
                    assert "same file" in ran.err or "another file" in ran.err
    finally:
        os.dup2(saved, 0)
        os.close(saved)
    assert contents(folder) == before


def test_names_are_not_written_over_names(run, tmp_path: Path) -> None:
    network, names = tmp_path / "a.net", tmp_path / "b.net.names.json"
    assert run("network", "convert", NETWORK, str(network)).code == 0
    names.write_text('{"variables": {}, "states": {}}')
    before = contents(tmp_path)
    ran = run(
        "network", "convert", str(network), str(tmp_path / "b.net"), "--names", str(names)
    )  # fmt: skip
    assert ran.code == 2
    assert "another file than the input" in ran.err
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    "words",
    [
        "drift {} {}/cases.csv --time no_such_column -o {}/none/drift.csv",
        "sample 2 -p {} -o {}/none/sample.csv",
        "compare -f runny_nose -p {} -o {}/none/compare.json",
        "compare -f runny_nose -p {} --figure {}/none/compare.png",
    ],
)
def test_a_missing_folder_is_told_before_the_work(run, folder: Path, words: str) -> None:
    # What else is wrong is found by the work only, and is not told.
    ran = run(*(word.replace("{}", str(folder)) for word in words.split()))
    assert ran.code == 2
    assert "there is no folder" in " ".join(ran.err.split())
    assert "no_such_column" not in ran.err
    assert not (folder / "none").exists()


def test_a_folder_that_cannot_be_made_is_told_before_the_work(run, folder: Path) -> None:
    # What is wrong with the table is found by the work only, and is not told.
    inside = folder / "cases.csv" / "new"
    ran = run("learn", str(folder), str(folder / "cases.csv"), "-o", str(inside))
    assert ran.code == 2
    assert "Not a directory" in " ".join(ran.err.split())
    assert "others" not in ran.err


@pytest.mark.parametrize("command", ["init", "examples", "demo --out", "learn {} {}/cases.csv -o"])
def test_a_folder_that_nobody_may_write_to_is_told_before_the_work(
    run, folder: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr("os.access", lambda _, mode: mode != os.W_OK)  # as who is not root
    for name in ("", "new"):
        place = folder / "empty" / name
        (folder / "empty").mkdir(exist_ok=True)
        ran = run(*command.replace("{}", str(folder)).split(), str(place))
        assert (ran.code, ran.out) == (2, "")
        told = f"bayesdx: {place}: expected a place to write to, got Permission denied."
        assert " ".join(ran.err.split()) == told
    assert not list((folder / "empty").iterdir())


@pytest.mark.parametrize("kind", ["a file", "a dangling link"])
def test_what_is_no_folder_of_parts_is_named(run, folder: Path, kind: str) -> None:
    parts = folder / "out.csv.parts"
    if kind == "a file":
        parts.write_text("mine")
    else:
        parts.symlink_to(folder / "nowhere")
    ran = run("score", f"{folder}/cases.csv", "-p", str(folder), "-o", f"{folder}/out.csv",
              "--ignore", "day,diagnosis")  # fmt: skip
    assert ran.code == 2
    assert "out.csv.parts: expected a folder of unfinished parts" in " ".join(ran.err.split())
    assert parts.is_symlink() or parts.read_text() == "mine"


def test_one_case_is_not_cases(run, folder: Path) -> None:
    out, table = str(folder / "out.csv"), folder / "one.csv"
    table.write_text("case_id,runny_nose\na,yes\n")
    assert "1 case (1 ok) written" in run("score", str(table), "-p", str(folder), "-o", out).err
    dry = run("score", str(table), "-p", str(folder), "-o", out, "--dry-run")
    assert "1 row checked, 0 with faults" in dry.err
    ran = run("sample", "1", "-p", str(folder), "-o", out)
    assert "1 synthetic case, no patients" in ran.err
