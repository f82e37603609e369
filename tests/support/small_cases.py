"""Tables of cases for the small knowledge: good rows, and rows with faults."""

from pathlib import Path

import numpy as np

COLUMNS = ("case_id", "cramp", "radiation", "severe_pain", "statin_use", "age", "ck", "note")
CELLS = (
    ("present", "absent", "", "0.3", "unknown"),
    ("none", "thigh", "foot", ""),
    ("present", "absent", ""),
    ("present", "absent", ""),
    ("30", "59", "75", ""),
    ("1", "5.5", ""),
)
#: Rows that nobody can read, each for a reason of its own.
BAD = ("{id},cramped,,,,,,", "{id},,,,,17,,", "{id},present", "{id},,,,,,,,,", "{id},,knee,,,200,,")


def good_row(name: str, rng: np.random.Generator) -> str:
    return ",".join([name, *(str(rng.choice(cells)) for cells in CELLS), "x"])


def case_table(kinds: list[bool], seed: int = 0) -> str:
    """Return a CSV table with a good row for each True and a bad one for each False."""
    rng = np.random.default_rng(seed)
    rows = [
        good_row(f"c{number}", rng) if good else str(rng.choice(BAD)).format(id=f"c{number}")
        for number, good in enumerate(kinds)
    ]
    return "\n".join([",".join(COLUMNS), *rows, ""])


def write_cases(path: Path, n: int, seed: int = 0) -> Path:
    """Write a table of good rows."""
    path.write_text(case_table([True] * n, seed))
    return path
