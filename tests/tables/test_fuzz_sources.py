"""Faults of row structure in thousands of clean files: told, or read as they are written."""

import random
from collections import Counter

import pytest
from mutated_files import MUTATIONS, Reading, clean_file, mutate, verdict

from bayesdx.errors import InvalidCase
from bayesdx.tables.sources.delimited import CsvSource
from bayesdx.tables.sources.streams import ByteStream


def read(data: bytes, chunk_rows: int = 7, block: int = 64) -> Reading:
    """What our reader makes of a file, in small chunks and blocks."""
    rows: list[tuple[str, ...]] = []
    rejected = 0
    columns: tuple[str, ...] = ()
    try:
        source = CsvSource(ByteStream.of_bytes(data, "fuzz.csv"), chunk_rows, block)
        columns = source.columns
        if any(name.startswith("Unnamed: ") for name in columns):
            # A column without a name; no finding has that one, so a run refuses it.
            return Reading((), [], 0, refused=True)
        for chunk in source.chunks():
            bad = {fault.row for fault in chunk.faults}
            assert len(chunk.cells) + len(bad) == chunk.count
            rows += zip(*(chunk.cells[name].to_pylist() for name in columns), strict=True)
            rejected += len(bad)
    except InvalidCase:
        return Reading(columns, rows, rejected, refused=True)
    return Reading(columns, rows, rejected)


def verdicts(seed: int, count: int) -> Counter[str]:
    """Mutate ``count`` files, each from a seed of its own so that one can be repeated alone."""
    found: Counter[str] = Counter()
    for number in range(count):
        rng = random.Random(f"{seed}/{number}")
        file = clean_file(rng)
        names = mutate(rng, file)
        told = verdict(file, read(bytes(file.data)))
        assert not told.startswith("SILENT"), (seed, number, names, told, bytes(file.data))
        found[told] += 1
    return found


def test_clean_files_are_read_as_they_are() -> None:
    for number in range(300):
        file = clean_file(random.Random(f"clean/{number}"))
        assert read(bytes(file.data)) == Reading(file.header, file.rows)


def test_no_mutation_is_misread() -> None:
    found = verdicts(seed=1, count=2000)
    assert found["reported"] > 800
    assert found["refused"] < 800


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 12))
def test_no_mutation_of_very_many_is_misread(seed: int) -> None:
    verdicts(seed, count=10_000)


@pytest.mark.parametrize(
    "name",
    [
        *("missing cell", "missing delimiter", "extra delimiter", "foreign delimiter"),
        *("delimiter for line end", "lost line end"),
    ],
)
def test_the_judge_sees_a_reader_that_guesses(name: str) -> None:
    """A reader that pads short rows and cuts long ones must be caught, or the judge is blind."""
    found: Counter[str] = Counter()
    for number in range(200):
        rng = random.Random(f"{name}/{number}")
        file = clean_file(rng)
        MUTATIONS[name](rng, file)
        if len(file.header) > 2:
            found[verdict(file, _guessed(bytes(file.data)))[:6]] += 1
    assert found["SILENT"] > 10


def _guessed(data: bytes) -> Reading:
    lines = [line.split(",") for line in data.decode(errors="replace").splitlines() if line]
    width = len(lines[0])
    rows = [tuple([*line, *[""] * width][:width]) for line in lines[1:]]
    return Reading(tuple(lines[0]), rows)
