"""Cells as nobody should write them."""

import random

WORDS = (
    *("present", "absent", "yes", "no", "Ja", "nein", "+", "-", "x", "none", "nil", "null", "?"),
    *("unknown", "", " ", "n/a", "denies", "not present", "female", "m", "w", "thigh", "true"),
)
PIECES = (
    *"0123456789",
    *("0", "1", ".", ",", "e", "E", "-", "+", "_", "%", " ", "inf", "nan", "0x", "1e"),
    *("1e-400", "1e400", "9" * 40, "0." + "9" * 30, "1e-323", "٣", "½", "１", "，", "\u00a0", "−"),
    *("years", "mo", "y", "mg/dL", "'", "=", "＝", "\u202e", "ß", "İ", "\ud800", "\x00", "\t"),
)
TYPED = (
    *(True, False, None, 0, 1, 2, -1, 0.5, 1.5, 1e308, 5e-324, float("nan"), float("inf"), 10**30),
    *([1], {}, b"1", object, 1j),
)


def random_text(rng: random.Random) -> str:
    """A word, a number, or something between."""
    if rng.random() < 0.3:
        return rng.choice(WORDS)
    return "".join(rng.choices(PIECES, k=rng.randint(1, 6)))


def random_cell(rng: random.Random) -> object:
    """A text, or now and then a value of another type."""
    return rng.choice(TYPED) if rng.random() < 0.1 else random_text(rng)
