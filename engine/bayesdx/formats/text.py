"""Characters, lines, numbers: what the readers of plain text share."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from bayesdx.errors import Phrase
from bayesdx.formats.draft import Draft, Family
from bayesdx.network.cpds import FloatArray

#: A text is taken apart in pieces of about so many characters, to bound the memory of its words.
CHUNK = 1 << 22
#: Pieces of a text that are joined at once.
MOST_PIECES = 1 << 12
_BLANKS = {code: " " for code in range(128) if code != ord("\n")}
_LINE = re.compile(r"[^\n]++")
_NUMBERS = re.compile(r"[-+.0-9eE\s]*+")
_WORD = re.compile(r"\S++")
_SPACE = re.compile(r"\s")
#: Where to look closer: what may be too small for a float, and reads as 0.
_TINY = re.compile(r"[eE]-\d{3}|0{300}")

#: Of a node: name to offset and text of a value.
Attributes = dict[str, tuple[int, str]]


class Lines:
    """The line numbers of a text; each is counted from the last that was asked for."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at, self._line = 0, 1

    def __call__(self, offset: int) -> int:
        """Return the number, from 1, of the line that holds a character."""
        if offset >= self._at:
            self._line += self._text.count("\n", self._at, offset)
        else:
            self._line -= self._text.count("\n", offset, self._at)
        self._at = offset
        return self._line


def blanked(text: str) -> str:
    """Return as many spaces and line ends, so that what follows keeps its place."""
    if text.isascii():
        return text.translate(_BLANKS)
    return replaced(_LINE, lambda found: " " * len(found[0]), text)


def comment_blanked(found: re.Match[str]) -> str:
    """Blank a comment, and leave a string as it is."""
    return found[0] if found[0].startswith('"') else blanked(found[0])


def replaced(pattern: re.Pattern[str], by: Callable[[re.Match[str]], str], text: str) -> str:
    """Return ``pattern.sub(by, text)``, in memory that many small matches do not multiply.

    Parameters
    ----------
    pattern : pattern
    by : callable
        From a match to what takes its place.
    text : str
    """
    joined: list[str] = []
    pieces: list[str] = []
    at = 0
    for found in pattern.finditer(text):
        pieces += text[at : found.start()], by(found)
        at = found.end()
        if len(pieces) > MOST_PIECES:
            joined.append("".join(pieces))
            pieces.clear()
    return "".join([*joined, *pieces, text[at:]])


def numbers(text: str) -> FloatArray:
    """Read numbers between blanks.

    Returns
    -------
    array of float64, shape (K,)

    Raises
    ------
    ValueError
        If something is not a finite decimal number, or too small for one; see `bad_number`.
    """
    parts: list[FloatArray] = []
    start = 0
    while start < len(text):
        blank = _SPACE.search(text, min(start + CHUNK, len(text)))
        end = blank.start() if blank else len(text)
        piece = text[start:end]
        if _NUMBERS.fullmatch(piece) is None:
            raise ValueError
        words = piece.split()
        parts.append(np.array(words, dtype=np.float64))
        if _TINY.search(piece) and any(map(_lost, words)):
            raise ValueError
        start = end
    return np.concatenate(parts) if parts else np.empty(0)


def _lost(word: str) -> bool:
    """Whether a number that is not 0 reads as 0: what is possible would become impossible."""
    return float(word) == 0.0 and re.search("[1-9]", word.lower().split("e")[0]) is not None


def bad_number(text: str) -> tuple[int, str]:
    """Find the first word that is not a number: its offset and itself."""
    for word in _WORD.finditer(text):
        try:
            if _NUMBERS.fullmatch(word[0]) is None or _lost(word[0]):
                return word.start(), word[0]
        except ValueError:
            return word.start(), word[0]
    return 0, ""


def row_major(
    draft: Draft, family: Family, text: str, line: Callable[[int], int]
) -> FloatArray | None:
    """Read the numbers of a table that go row by row, the child's state fastest.

    Parameters
    ----------
    draft : Draft
        Is told what is wrong.
    family : Family
    text : str
    line : callable
        The line of an offset in the text.

    Returns
    -------
    array of float64, shape (rows, S), or None
        None when something is wrong.
    """
    what = f"probability of {family.child.name[:80]}"
    plain = text.replace(",", " ")
    cells = family.rows * family.child.cardinality
    try:
        values = numbers(plain)
    except ValueError:
        offset, word = bad_number(plain)
        draft.fault(line(offset), what, "a number", word[:200])
        return None
    if len(values) != cells:
        draft.fault(line(0), what, f"{cells} numbers", Phrase(f"{len(values)}"))
        return None
    return values.reshape(-1, family.child.cardinality)
