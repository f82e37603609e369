"""What the readers of plain text share, against the obvious."""

import random
import re

import pytest

from bayesdx.formats import text as shared
from bayesdx.formats.text import Lines, blanked, replaced

TEXTS = ["", "\n", "a", "a\n\nbc % d\n", "é\n% ü\n\r\nx", '"%" % "\n"' * 50, "\n" * 30 + "x\u2028y"]


@pytest.mark.parametrize("text", TEXTS)
def test_lines_in_any_order(text: str) -> None:
    rng = random.Random(text)
    line = Lines(text)
    for _ in range(200):
        offset = rng.randrange(len(text) + 1)
        assert line(offset) == 1 + text[:offset].count("\n")


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("pieces", [1, 4096])
def test_blanks_and_replacements(text: str, pieces: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "MOST_PIECES", pieces)
    assert blanked(text) == "".join("\n" if letter == "\n" else " " for letter in text)
    pattern = re.compile(r'"|%[^\n]*+|x?')
    assert replaced(pattern, lambda found: f"<{found[0]}>", text) == pattern.sub(r"<\g<0>>", text)
