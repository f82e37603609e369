"""Names in BIF: between quotes or without, between commas or blanks."""

from __future__ import annotations

import re
from collections.abc import Sequence

#: A name between quotes: on one line, with anything in it but quotes.
QUOTED = r'"[^"\n]*+"'
#: An interval as a name, such as ``(18,65]``.
INTERVAL = r'[(\[][^()\[\]{}",;]*+,[^()\[\]{}",;]*+[)\]]'
_BETWEEN = re.compile(rf'(?:{QUOTED}|{INTERVAL}|[^,"])++')
_PIECE = re.compile(rf'(?:[^,"]++|{QUOTED})++')
_WORD = re.compile(rf'{QUOTED}|[^\s,"]++')


def unquoted(text: str) -> str:
    """Take blanks and then one pair of quotes off a name."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1]
    return text


def pieces(text: str) -> list[str]:
    """Take names apart at commas; blanks belong to the names."""
    return [unquoted(piece) for piece in _PIECE.findall(text) if piece.strip()]


def words(text: str) -> list[str]:
    """Take names apart at commas and blanks."""
    return [unquoted(word) for word in _WORD.findall(text)]


def listed(text: str, count: int) -> Sequence[str]:
    """Take names apart at commas, or in another way when that gives the right count.

    The other ways are at blanks, and at commas but for those inside the brackets of an interval.
    """
    at_commas = pieces(text)
    if len(at_commas) == count:
        return at_commas
    intervals = [unquoted(piece) for piece in _BETWEEN.findall(text) if piece.strip()]
    return next((one for one in (words(text), intervals) if len(one) == count), at_commas)
