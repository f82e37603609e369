"""Values as people write them: what is accepted is listed, and all else is refused."""

import math
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import bayesdx
from bayesdx.diagnosis.values import ABSENT, PRESENT, UNKNOWN, Words, as_number, read_binary
from bayesdx.errors import Fault, InvalidCase


def read(value: object, words: Words | None = None, *, soft: bool = True) -> float | None:
    """The value of a yes/no cell, None where it is refused."""
    found = read_binary("fever", value, soft=soft, words=words or Words())
    return None if isinstance(found, Fault) else found


def test_the_manual_lists_the_accepted_words() -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "cells.md"
    text = page.read_text(encoding="utf-8")
    for name, words in (("present", PRESENT), ("absent", ABSENT), ("not known", UNKNOWN)):
        assert f"- **{name}**: {', '.join(f'`{word}`' for word in words)}" in text


@pytest.mark.parametrize("word", [*PRESENT, "JA", " Pos "])
def test_present(word: str) -> None:
    assert read(word) == 1.0


@pytest.mark.parametrize("word", [*ABSENT, "Not  Present", "DENIES"])
def test_absent(word: str) -> None:
    assert read(word) == 0.0


@pytest.mark.parametrize("word", [*UNKNOWN, "", "  ", None, math.nan])
def test_not_known(word: object) -> None:
    found = read(word)
    assert found is not None
    assert math.isnan(found)


@pytest.mark.parametrize(
    "value",
    [
        *("none", "None", "nil", "-", "maybe", "0x1e"),
        *(
            "99.9999999999999999999999 %",
            "1e99999999999999999999",
            "0_1",
            "4_1",
            "1e-400",
            "-1e-400",
            "1e400",
            "inf",
        ),
        *("٠.٥", "१", "0.99999999999999999999", "1.00000000000000000001", "0x1", "1,0", "0,5"),
        *(
            "101 %",
            "-1%",
            "80 percent",
            "%",
            "1e-400%",
            "99.9999999999999999999999 %",
            2,
            -0.5,
            math.inf,
            [1],
            object(),
            1 + 0j,
            np.complex128(1),
            np.complex64(0.5 + 3j),
            np.array(1j),
        ),
        *(Decimal("1e-400"), Fraction(1, 10**400), 1 - Fraction(1, 10**40)),
    ],
)
def test_refused(value: object) -> None:
    assert read(value) is None


@pytest.mark.parametrize(
    ("value", "meaning"),
    [
        *(("0.8", 0.8), ("80 %", 0.8), ("80%", 0.8), ("12.5 %", 0.125), ("100 %", 1.0)),
        *(("0 %", 0.0), (".5", 0.5), ("1e-300", 1e-300), ("5e-324", 5e-324), ("1.0", 1.0)),
        *(("0.0", 0.0), (np.float32(0.5), 0.5), (np.int8(1), 1.0), (Decimal("0.3"), 0.3)),
    ],
)
def test_numbers(value: object, meaning: float) -> None:
    assert read(value) == meaning


def test_a_cell_that_cannot_be_soft_takes_no_percentage() -> None:
    assert read("80 %", soft=False) is None
    assert read("0.8", soft=False) is None


def test_more_words_are_added_and_win() -> None:
    words = Words(yes=("oui", "1"), no=("non", "2", "none"), unknown=("-", "9"))
    assert [read(value, words) for value in ("Oui", "non", "none", "2", 2, "1", 1)] == [
        *(1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0)
    ]
    assert math.isnan(read("-", words) or 0.0)
    assert math.isnan(read(9, words) or 0.0)
    assert "oui" in str(read_binary("fever", "perhaps", soft=True, words=words))


def test_a_decimal_comma() -> None:
    words = Words(decimal=",")
    assert read("0,8", words) == 0.8
    assert read("12,5 %", words) == 0.125
    assert read("0.8", words) is None
    assert as_number("1.234", words) is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"yes": ("si",), "no": ("SI",)}, "no: expected a word that is not in --yes too, got 'SI'"),
        ({"unknown": (" ",)}, "unknown: expected a word, got ' '"),
        ({"decimal": ";"}, "decimal: expected . or ,, got ';'"),
    ],
)
def test_options_that_contradict_themselves(options: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidCase, match=said):
        Words(**options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def engine() -> bayesdx.Engine:
    return bayesdx.load()


@pytest.mark.parametrize(
    ("column", "written", "same"),
    [
        *(("sex", "F", "female"), ("sex", "w", "female"), ("sex", "M", "male")),
        *(("age", "41y", 41), ("age", "41 years", 41), ("age", "41 yo", 41), ("age", "41 yrs", 41)),
        *(("duration", "3 mo", "3 months"), ("duration", "3mo", "3 months")),
        *(("duration", "2 wk", 2), ("duration", "14 d", "14 days"), ("duration", "1 yr", 52.18)),
    ],
)
def test_sex_and_units(engine: bayesdx.Engine, column: str, written: object, same: object) -> None:
    here, there = (engine.diagnose({column: value}) for value in (written, same))
    assert here.understood == there.understood
    assert here.understood


@pytest.mark.parametrize(
    ("column", "written"),
    [
        ("age", "none"),
        ("age", "4_1"),
        ("age", "٤١"),
        ("age", "1e-400"),
        ("sex", "x"),
        ("age", "41m"),
    ],
)
def test_refused_measures_and_states(engine: bayesdx.Engine, column: str, written: str) -> None:
    with pytest.raises(InvalidCase, match=f"^{column}: expected"):
        engine.diagnose({column: written})
