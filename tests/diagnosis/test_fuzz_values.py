"""Thousands of cells of nonsense: read as the list of words says, or our own fault."""

import math
import random
from decimal import Decimal, InvalidOperation

import pytest
from random_cells import random_cell

from bayesdx.diagnosis.values import ABSENT, PRESENT, UNKNOWN, read_binary
from bayesdx.errors import Fault


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


def test_cells_are_read_as_listed() -> None:
    cells_are_read_as_listed(1, 3000)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 12))
def test_very_many_cells(seed: int) -> None:
    cells_are_read_as_listed(seed, 20_000)
