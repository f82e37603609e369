"""Thousands of cells and tables of nonsense: read as the list of words says, or our own fault."""

import json
import math
import random
from decimal import Decimal, InvalidOperation
from pathlib import Path

import pytest
from random_cells import random_cell, random_table
from small_priors import SMALL, write_priors

from bayesdx.diagnosis.core import Core, build_core
from bayesdx.diagnosis.values import ABSENT, PRESENT, UNKNOWN, Words, read_binary
from bayesdx.errors import BayesdxError, Fault
from bayesdx.knowledge.reading import read_knowledge
from bayesdx.tables.execution.run_options import RunOptions
from bayesdx.tables.execution.table_run import score_table
from bayesdx.tables.sources.dialect import Dialect
from bayesdx.tables.table_options import TableOptions

COLUMNS = ("case_id", "cramp", "age", "ck", "radiation", "radiation_foot", "ck_high", "note")


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Core:
    return build_core(read_knowledge(write_priors(tmp_path_factory.mktemp("priors"), SMALL)))


def expected(cell: object) -> float | None:
    """The slow judge of text: words of the lists, exact decimal numbers; None where refused."""
    if not isinstance(cell, str):
        return None
    word = " ".join(cell.casefold().split())
    for words, meaning in ((PRESENT, 1.0), (ABSENT, 0.0), (("", *UNKNOWN), math.nan)):
        if word in words:
            return meaning
    percent = word.endswith("%")
    text = cell.strip().removesuffix("%").strip() if percent else cell.strip()
    if not text or not text.isascii() or set(text) - set("0123456789.eE+-"):
        return None
    try:
        sign, digits, exponent = Decimal(text).as_tuple()
        exact = Decimal((sign, digits, int(exponent) - 2 * percent))
        number = float(exact)
    except (InvalidOperation, ArithmeticError, ValueError):
        return None
    if not 0 <= exact <= 1 or (number in (0.0, 1.0) and number != exact):
        return None
    return number


def cells_are_read_as_listed(seed: int, count: int) -> None:
    for number in range(count):
        rng = random.Random(f"{seed}/{number}")
        cell = random_cell(rng)
        found = read_binary("cramp", cell, soft=True)
        if not isinstance(cell, str):
            assert isinstance(found, Fault | float), (seed, number)
            continue
        right = expected(cell)
        value = None if isinstance(found, Fault) else found
        assert str(value) == str(right) or value == right, (seed, number, cell)


def tables_fail_with_our_own_faults(core: Core, folder: Path, seed: int, count: int) -> None:
    for number in range(count):
        rng = random.Random(f"{seed}/table/{number}")
        name, data = random_table(rng, COLUMNS)
        (folder / name).write_bytes(data)
        encoding, decimal = rng.choice(("", "", "utf-16")), rng.choice((".", ".", ","))
        try:
            table = TableOptions(
                Dialect(rng.choice(("", "", ";")), encoding),
                Words(no=("2",), decimal=decimal),
                ignore=("note",) if rng.random() < 0.2 else (),
            )
            options = RunOptions(on_error=rng.choice(("stop", "skip")), table=table, workers=1)
            report = score_table(core, folder / name, folder / "out.jsonl", options)
        except BayesdxError:
            continue
        report.counts.check()
        for line in (folder / "out.jsonl").read_text().splitlines():
            assert "NaN" not in line
            assert json.loads(line)["status"] != "impossible" or "cramp" in str(data)


def test_cells_are_read_as_listed() -> None:
    cells_are_read_as_listed(1, 3000)


def test_tables_fail_with_our_own_faults(core: Core, tmp_path: Path) -> None:
    tables_fail_with_our_own_faults(core, tmp_path, 1, 60)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 12))
def test_very_many_cells_and_tables(core: Core, tmp_path: Path, seed: int) -> None:
    cells_are_read_as_listed(seed, 20_000)
    tables_fail_with_our_own_faults(core, tmp_path, seed, 2000)
