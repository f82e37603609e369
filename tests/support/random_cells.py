"""Cells, and tables of them, as nobody should write them."""

import json
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


def random_table(rng: random.Random, columns: tuple[str, ...]) -> tuple[str, bytes]:
    """The name and the bytes of a small CSV or JSON lines file."""
    names = rng.sample(columns, rng.randint(1, min(4, len(columns))))
    rows = [[random_text(rng) for _ in names] for _ in range(rng.randint(1, 4))]
    if rng.random() < 0.3:
        lines = [json.dumps(dict(zip(names, row, strict=True))) for row in rows]
        return "t.jsonl", "\n".join(lines).encode("utf-8", "surrogatepass")
    mark = rng.choice((",", ",", ";", "\t"))
    text = [f"sep={mark}"] * (rng.random() < 0.2) + [mark.join(row) for row in [names, *rows]]
    end = rng.choice(("\n", "\r\n"))
    return "t.csv", end.join(text).encode(rng.choice(("utf-8", "utf-8", "utf-16")), "surrogatepass")
