"""BIF, the interchange format of Bayesian networks, as it is specified and as it is written.

Read here and not by pgmpy, whose reader (1.1.2) is right on all 24 networks of its own wheel, but
takes 66 s for them where this one takes 1.4 s (diabetes: 9 s and 0.3 s), and on other files

- leaves a missing row at zeros, takes the last of repeated ones, and reads a lone ``default`` as
  the whole table, all without a word; of rows and a ``default`` together it makes a ``ValueError``;
- drops quotes before it looks for commas, so ``"<5, low"`` is two states;
- finds no variable at all where blocks do not end in ``}`` and a line end;
- says where it failed in terms of NumPy, without a line.

pyAgrum (3.3.1) refuses ``Asy/Patch`` in child, and reads decimals in single precision (0.2 becomes
0.20000000298), so that its tables are 1e-8 off.

What is accepted:

- names between quotes or without; without, they may hold anything but blanks and ``, ; { } ( ) [ ]
  | "``, such as ``Asy/Patch`` or ``>=7.5``; a name with a blank inside where commas stand between;
  an interval such as ``(18,65]`` as a state, where the number of states then is the one declared;
- rows ``(label, label) p, p;`` in any order; ``default p, p;`` for the rows that are not there;
- ``table p, p, …;`` in the order of the specification, the *child's* state slowest: first all
  probabilities of its first state; a ``default`` beside it has nothing left to fill;
- comments ``//`` to the end of the line and ``/* … */``; properties, which are passed over.

What is written, our reader, pgmpy's and pyAgrum's take.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

from bayesdx.errors import NOTHING, Phrase
from bayesdx.formats.bif_names import QUOTED, listed, pieces, unquoted, words
from bayesdx.formats.bif_rows import read_rows
from bayesdx.formats.draft import Draft
from bayesdx.formats.text import Lines, blanked, replaced
from bayesdx.network.network import Network

_INSIDE = rf'(?:[^{{}}"]++|{QUOTED})*+'
# A comment without an end goes to that of the file; to look for it again would take for ever.
_COMMENT = re.compile(rf"{QUOTED}|(?://[^\n]*+\n?)++|/\*[^*]*+(?:\*(?!/)[^*]*+)*+(\*/)?")
_SPACE = re.compile(r"\s*+")
_BLOCK = re.compile(r"(network|variable|probability)\b")
_RESUME = re.compile(r"^[ \t]*+(?=(?:variable|probability)\b)", re.MULTILINE)
_TITLE = re.compile(rf'((?:[^{{}}"]|{QUOTED}){{0,2000}}+)\{{')
_NESTED = re.compile(rf'((?:[^{{}}"]++|{QUOTED}|\{{{_INSIDE}\}})*+)\}}')
_HEAD = re.compile(rf'\s*+\(((?:[^(){{}}"]++|{QUOTED})*+)\)\s*+\{{')
_BODY = re.compile(rf'([^}}"]*+(?:{QUOTED}[^}}"]*+)*+)\}}')
_TYPE = re.compile(rf"\s*+type\s++(\w++)\s*+\[\s*+(\d{{1,9}})\s*+\]\s*+\{{({_INSIDE})\}}\s*+(;?)")
_PROPERTY = re.compile(rf'\s*+property\b(?:[^;"]++|{QUOTED})*+;')
_BAR = re.compile(rf'((?:[^|"]++|{QUOTED})*+)(\|?)(.*)', re.DOTALL)
#: What needs no quotes: what the well-known networks hold. A second slash would begin a comment.
_PLAIN = re.compile(r"[A-Za-z0-9_.<>=+-]+(?:/[A-Za-z0-9_.<>=+-]+)*")
_KEYWORDS = frozenset(
    {"network", "variable", "probability", "property", "type", "table", "default"}
)


def read_bif(text: str, draft: Draft) -> Network:
    """Read a network in BIF; see `bayesdx.formats.draft`.

    References
    ----------
    F. G. Cozman, The Interchange Format for Bayesian Networks, version 0.15, 1998.
    """
    return _BifReader(text, draft).read()


class _BifReader:
    def __init__(self, text: str, draft: Draft) -> None:
        self.draft, self.line = draft, Lines(text)
        self.text = self._without_comments(text)
        #: Offsets of each table: of its block, its body and the end of it, and its header.
        self.tables: list[tuple[int, int, int, str]] = []

    def read(self) -> Network:
        at = self._blank(0)
        while at < len(self.text):
            block = _BLOCK.match(self.text, at)
            end = self._block(block) if block else None
            if block is None:
                word = self.text[at : at + 60].split(None, 1)[0]
                self.draft.fault(self.line(at), "", "network, variable or probability", word)
            if end is None:
                resume = _RESUME.search(self.text, at + 1)
                end = resume.end() if resume else len(self.text)
            at = self._blank(end)
        # Tables last: they may stand before the variables that they are about.
        for start, first, last, header in self.tables:
            line = self.line(start)
            child, parents = self._names(header)
            family = self.draft.family(line, child, parents)
            if family is not None:
                read_rows(self.draft, family, self.text, (first, last), self.line)
        return self.draft.network()

    def _without_comments(self, text: str) -> str:
        if "//" not in text and "/*" not in text:
            return text
        return replaced(_COMMENT, self._comment_blanked, text)

    def _comment_blanked(self, found: re.Match[str]) -> str:
        if found[0].startswith('"'):
            return found[0]
        if found[0].startswith("/*") and not found[1]:
            self.draft.fault(self.line(found.start()), "comment", "its end */", NOTHING)
        return blanked(found[0])

    def _blank(self, at: int) -> int:
        found = _SPACE.match(self.text, at)
        return found.end() if found else at

    def _block(self, block: re.Match[str]) -> int | None:
        """Read a block; return its end, or None when that could not be found."""
        if block[1] == "probability":
            return self._probability(block)
        title = _TITLE.match(self.text, block.end())
        body = _NESTED.match(self.text, title.end()) if title else None
        if title is None or body is None:
            self._unclosed(block)
            return None
        if block[1] == "variable":
            self._variable(block.start(), unquoted(title[1]), body)
        return body.end()

    def _unclosed(self, block: re.Match[str]) -> None:
        got = self.text[block.start() : block.start() + 60].split("\n")[0]
        self.draft.fault(self.line(block.start()), block[1], "a name and a block { … }", got)

    def _variable(self, start: int, name: str, body: re.Match[str]) -> None:
        line, states = self.line(start), None
        what = f"variable {name[:80]}"
        at, end = self._blank(body.start(1)), body.end(1)
        while at < end:
            if found := _PROPERTY.match(self.text, at, end):
                at = self._blank(found.end())
            elif (found := _TYPE.match(self.text, at, end)) and states is None:
                at = self._blank(found.end())
                if found[1] != "discrete":
                    self.draft.fault(line, what, "type discrete", found[1])
                if not found[4]:
                    self.draft.fault(self.line(found.end()), what, "; after }", NOTHING)
                states = listed(found[3], int(found[2]))
                if len(states) != int(found[2]):
                    got = Phrase(f"{len(states)}")
                    self.draft.fault(line, what, f"{found[2]} states as it says", got)
            else:
                expected = "one type discrete [n] { … }; and properties"
                shown = self.text[at : min(at + 40, end)]
                self.draft.fault(self.line(at), what, expected, shown)
                break
        self.draft.declare(line, name, states or ())

    def _probability(self, block: re.Match[str]) -> int | None:
        head = _HEAD.match(self.text, block.end())
        body = _BODY.match(self.text, head.end()) if head else None
        if head is None or body is None:
            got = self.text[block.start() : block.start() + 60].split("\n")[0]
            expected = "(child | parent, …) and a block { … }"
            self.draft.fault(self.line(block.start()), "probability", expected, got)
            return None
        self.tables.append((block.start(), body.start(1), body.end(1), head[1]))
        return body.end()

    def _names(self, header: str) -> tuple[str, list[str]]:
        """Take child and parents from between the brackets."""
        found = _BAR.fullmatch(header)
        left, bar, right = (found[1], found[2], found[3]) if found else (header, "", "")
        if bar:
            return unquoted(left), self._known(right)
        # Before there was a bar, the child stood first. A lone name may still hold a blank.
        alone = unquoted(left)
        if alone in self.draft.variables:
            return alone, []
        names = self._known(left)
        return (names[0], names[1:]) if names else (alone, [])

    def _known(self, text: str) -> list[str]:
        """Take names apart at commas, or at blanks when that makes them known."""
        known = self.draft.variables
        at_commas, at_blanks = pieces(text), words(text)
        if any(name not in known for name in at_commas):
            return at_blanks if all(name in known for name in at_blanks) else at_commas
        return at_commas


def write_bif(network: Network) -> Iterator[str]:
    """Write a network in BIF, piece by piece; noisy families become tables.

    Numbers are written in full: what is read back is equal to the last bit.
    """
    yield "network bayesdx {\n}\n"
    for variable in network.variables.values():
        states = ", ".join(map(_shown, variable.states))
        yield f"variable {_shown(variable.name)} {{\n"
        yield f"  type discrete [ {variable.cardinality} ] {{ {states} }};\n}}\n"
    for name in network.variables:
        parents = network.parents(name)
        given = f" | {', '.join(map(_shown, parents))}" if parents else ""
        yield f"probability ( {_shown(name)}{given} ) {{\n"
        table = network.table(name)
        labels = product(*(map(_shown, network.variables[one].states) for one in parents))
        for key, row in zip(labels, table.reshape(-1, table.shape[-1]), strict=True):
            first = f"({', '.join(key)})" if parents else "table"
            yield f"  {first} {', '.join(map(repr, row.tolist()))};\n"
        yield "}\n"


def _shown(name: str) -> str:
    return name if _PLAIN.fullmatch(name) and name not in _KEYWORDS else f'"{name}"'
