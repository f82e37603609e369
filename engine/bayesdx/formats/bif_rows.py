"""The rows of one table in BIF: keyed by labels, or one long row, or a default.

Most of a large file is rows, so they are taken apart a few megabytes at a time by operations on
whole lists; a row is looked at by itself only to say what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, repeat

import numpy as np
from numpy.typing import NDArray

from bayesdx.errors import NOTHING, Phrase
from bayesdx.formats.bif_names import INTERVAL, QUOTED, listed
from bayesdx.formats.draft import FAULTS_A_TABLE, Draft, Family
from bayesdx.formats.text import CHUNK, bad_number, numbers
from bayesdx.network.cpds import TOLERANCE, FloatArray

_END = rf'(?:[^;"]++|{QUOTED})*+'
_LABELS = rf'(?:{QUOTED}|{INTERVAL}|[^()"\[]++|\[)*+'
_KEYWORDS = r"(?:table|default|property)\b"
_ROW = re.compile(rf"\s*+(?:\(({_LABELS})\)|({_KEYWORDS}))({_END});")
#: A row up to where its numbers end.
_BEGUN = re.compile(rf"\s*+(?:\({_LABELS}\)|{_KEYWORDS})[-+.0-9eE,\s]*[.0-9eE]")
_ROWS = re.compile(rf"(?:\s*+(?:\({_LABELS}\)|{_KEYWORDS}){_END};)*+")

Span = tuple[int, int]
IndexArray = NDArray[np.intp]


def read_rows(
    draft: Draft, family: Family, text: str, span: Span, line: Callable[[int], int]
) -> None:
    """Read the body of a table and take it into the draft.

    Parameters
    ----------
    draft : Draft
    family : Family
        Who the table is about.
    text : str
        The file, without comments.
    span : tuple of int
        First and last offset of the body.
    line : callable
        The line of an offset.
    """
    _TableRows(draft, family, text, line).read(span)


class _TableRows:
    def __init__(self, draft: Draft, family: Family, text: str, line: Callable[[int], int]) -> None:
        self.draft, self.family, self.text, self.line = draft, family, text, line
        self.what = f"probability of {family.child.name[:80]}"
        self.width = family.child.cardinality
        self.faults = 0
        self.values = np.zeros((family.rows, self.width))
        self.times = np.zeros(family.rows, dtype=np.intp)
        self.positions = [
            {state: at for at, state in enumerate(parent.states)} for parent in family.parents
        ]
        self.default: FloatArray | None = None
        self.whole: FloatArray | None = None
        #: Which part of the text gave which rows.
        self.parts: list[tuple[Span, IndexArray]] = []

    def read(self, span: Span) -> None:
        """Read all rows, and define the table if nothing is wrong."""
        first, last = span
        found = _ROWS.match(self.text, first, last)
        end = found.end() if found else first
        if rest := self.text[end:last].strip():
            begun = _BEGUN.match(self.text, end, last)
            if begun and self.text[begun.end() : last].lstrip()[:1] != ";":
                number = re.split(r"[\s,]", begun[0])[-1]
                self.fault(begun.end(), f"; after {number}", NOTHING)
                return
            at = self.text.index(rest[0], end)
            self.fault(at, "(states) p, p, …; or table p, p, …;", rest[:60].split("\n")[0])
            return
        for part in _parts(self.text, first, end):
            rows = _ROW.findall(self.text, *part)
            keyed = [row for row in rows if not row[1]]
            if len(keyed) < len(rows):
                self._worded(part)
            if keyed:
                self._keyed(part, [row[0] for row in keyed], [row[2] for row in keyed])
        self._finish()

    def fault(self, at: int, expected: str, got: object, nearest: tuple[str, ...] = ()) -> None:
        """Note a fault; of the faults of one table only the first few."""
        self.faults += 1
        if self.faults <= FAULTS_A_TABLE:
            self.draft.fault(self.line(at), self.what, expected, got, nearest)

    def _worded(self, part: Span) -> None:
        """Read ``table`` and ``default``."""
        for row in _ROW.finditer(self.text, *part):
            word, at = row[2], row.start(2)
            if word not in ("table", "default"):
                continue
            width = self.width * (self.family.rows if word == "table" else 1)
            values = self._floats(row[3], row.start(3))
            if values is None:
                continue
            if (self.whole if word == "table" else self.default) is not None:
                self.fault(at, f"one {word}", Phrase("a second one"))
            elif len(values) != width:
                self.fault(at, f"{width} numbers", Phrase(f"{len(values)}"))
            elif word == "table":
                self.whole = values
            else:
                self.default = values

    def _keyed(self, part: Span, keys: list[str], texts: list[str]) -> None:
        """Read rows that begin with the states of the parents."""
        codes = self._codes(part, keys)
        values = self._block(part, texts)
        if values is None or (codes < 0).any():
            return
        self.values[codes] = values
        np.add.at(self.times, codes, 1)
        self.parts.append((part, codes))

    def _codes(self, part: Span, keys: list[str]) -> IndexArray:
        """Return the row of the table for each key, -1 where there is none."""
        width = len(self.positions)
        joined = ",".join(keys)
        if width and '"' not in joined and all(key.count(",") == width - 1 for key in keys):
            labels: Sequence[str] = [label.strip() for label in joined.split(",")]
        else:
            split = [listed(key, width) for key in keys]
            for at, names in enumerate(split):
                if len(names) != width:
                    got = Phrase(f"({keys[at].strip()[:60]})")
                    self.fault(self._offset(part, at), f"states of {width} parents", got)
                    return np.full(len(keys), -1)
            labels = list(chain.from_iterable(split))
        codes = np.zeros(len(keys), dtype=np.intp)
        known = np.ones(len(keys), dtype=np.bool_)
        for axis, position in enumerate(self.positions):
            found = map(position.get, labels[axis::width], repeat(-1))
            states = np.fromiter(found, dtype=np.intp, count=len(keys))
            known &= states >= 0
            codes = codes * len(position) + states
            for at in np.flatnonzero(states < 0)[: FAULTS_A_TABLE + 1].tolist():
                self._unknown(self._offset(part, at), axis, labels[at * width + axis])
        return np.where(known, codes, -1)

    def _unknown(self, at: int, axis: int, label: str) -> None:
        names = self.family.parents[axis].states
        near = self.draft.near(label, names)
        self.fault(at, f"a state of {self.family.parents[axis].name}", label[:200], near)

    def _block(self, part: Span, texts: list[str]) -> FloatArray | None:
        """Read the numbers of rows, shape (rows, S); None when something is wrong."""
        joined = ";".join(texts).replace(",", " ")
        split = list(map(str.split, joined.split(";")))
        counts = np.fromiter(map(len, split), dtype=np.intp)
        if len(split) == len(texts) and (counts == self.width).all():
            values = self._floats(joined.replace(";", " "), None)
            if values is not None:
                return values.reshape(-1, self.width)
        for at, text in enumerate(texts):
            row = self._floats(text, None)
            if row is None:
                self._floats(text, self._offset(part, at))
            elif len(row) != self.width:
                got = Phrase(f"{len(row)}")
                self.fault(self._offset(part, at), f"{self.width} numbers", got)
            if self.faults > FAULTS_A_TABLE:
                break
        return None

    def _floats(self, text: str, at: int | None) -> FloatArray | None:
        """Read numbers; without a place, say nothing of what is wrong."""
        plain = text.replace(",", " ")
        try:
            return numbers(plain)
        except ValueError:
            if at is not None:
                offset, word = bad_number(plain)
                before = plain[:offset].split()
                if before and (word.startswith("(") or word in ("table", "default")):
                    end = at + len(plain[:offset].rstrip())
                    self.fault(end, f"; after {before[-1]}", NOTHING)
                else:
                    self.fault(at + offset, "a number", word[:200])
            return None

    def _offset(self, part: Span, at: int) -> int:
        """Return where a row that has a key begins."""
        found = (row for row in _ROW.finditer(self.text, *part) if row[2] is None)
        for row in found:
            if not at:
                return row.start(1)
            at -= 1
        return part[0]

    def _line_of(self, row: int) -> int:
        for part, codes in self.parts:
            at = np.flatnonzero(codes == row)
            if len(at):
                return self.line(self._offset(part, int(at[-1])))
        return self.family.line

    def _finish(self) -> None:
        values = self._whole() if self.whole is not None else self._complete()
        more = self.faults - FAULTS_A_TABLE
        if more > 0:
            self.draft.fault(self.family.line, self.what, "no faults", Phrase(f"{more} more"))
        if not self.faults and values is not None:
            self.draft.define(self.family, values, self._line_of)

    def _whole(self) -> FloatArray | None:
        """Return the rows of a ``table``."""
        assert self.whole is not None
        if self.times.any():
            both = Phrase("table and rows in one block")
            self.draft.fault(self.family.line, self.what, "either table or rows", both)
            return None
        values = np.ascontiguousarray(self.whole.reshape(self.width, -1).T)
        if not _sums(values) and _sums(self.whole.reshape(-1, self.width)):
            expected = "a table with all rows' probabilities of the first state first"
            got = Phrase("numbers that sum to 1 only row by row")
            self.draft.fault(self.family.line, self.what, expected, got)
            return None
        return values

    def _complete(self) -> FloatArray | None:
        """Return the keyed rows, what is missing filled from the default."""
        for row in np.flatnonzero(self.times > 1)[: FAULTS_A_TABLE + 1].tolist():
            place = f"{self.what}, row ({self.family.labels(row)})"
            self.draft.fault(self._line_of(row), place, "one row", Phrase(f"{self.times[row]}"))
            self.faults += 1
        missing = np.flatnonzero(self.times == 0)
        if len(missing) and self.default is not None:
            self.values[missing] = self.default
        elif len(missing) and not self.faults:
            labels = self.family.labels(int(missing[0]))
            place = f"{self.what}, row ({labels})" if labels else self.what
            more = f" and no {len(missing) - 1} more" if len(missing) > 1 else ""
            got = Phrase(f"none{more}") if more else NOTHING
            self.draft.fault(self.family.line, place, "probabilities", got)
            self.faults += 1
        return self.values


def _sums(values: FloatArray) -> bool:
    return bool((np.abs(values.sum(axis=1) - 1.0) <= TOLERANCE).all())


def _parts(text: str, first: int, last: int) -> Iterator[Span]:
    """Cut a body into parts of whole rows."""
    while first < last:
        # No name goes over the end of a line, so that this ends a row.
        cut = text.rfind(";\n", first, first + CHUNK) if last - first > CHUNK else -1
        end = cut + 1 if cut >= 0 else last
        yield first, end
        first = end
