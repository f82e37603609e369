"""DNE, the text format of Netica, read.

``probs`` and ``functable`` go row by row, the node's own state fastest, then that of the last
parent; their brackets are passed over. A functable holds states by name or as ``#2``, counted from
0. Where ``states`` are missing, ``levels`` or ``statetitles`` or the number of states give their
names: ``numstates = 2`` means ``s0``, ``s1``; the levels of an interval node ``0 to 10``. Titles
become labels; constants, findings and what is drawn are passed over. Decisions, utilities, time
delays and continuous nodes without levels are refused in one line. The binary format ``.neta`` is
not read.
"""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np

from bayesdx.errors import NOTHING, Phrase
from bayesdx.formats.draft import FAULTS_A_TABLE, Draft, Family
from bayesdx.formats.text import Attributes, Lines, comment_blanked, row_major
from bayesdx.network.cpds import FloatArray
from bayesdx.network.network import Network

MOST_STATES = 1 << 16
_STRING = r'"(?:[^"\\]++|\\.)*+"'
# A comment or string without an end goes to that of the file; to look for it again would take for
# ever.
_COMMENT = re.compile(rf"{_STRING}?|//[^\n]*+|/\*[^*]*+(?:\*(?!/)[^*]*+)*+(?:\*/)?", re.DOTALL)
_SPACE = re.compile(r"[\s;]*+")
_NET = re.compile(r"\s*+bnet\s++[^\s{}]++\s*+\{")
_BLOCK = re.compile(r"(\w++)(?:\s++([^\s{}=;\"]++))?\s*+\{")
_ATTRIBUTE = re.compile(
    rf'(\w++)\s*+=((?:[^;"{{}}]++|{_STRING}|\{{(?:[^{{}}"]++|{_STRING})*+\}})*+);', re.DOTALL
)
_BRACE = re.compile(rf"[{{}}]|{_STRING}?", re.DOTALL)
_ENTRY = re.compile(rf'((?:[^,"]++|{_STRING})*+)(?:,|$)', re.DOTALL)
_ESCAPED = re.compile(r"\\(?:\r?\n[ \t]*+|(.))", re.DOTALL)


def read_dne(text: str, draft: Draft) -> Network:
    """Read a network in Netica's DNE; see `bayesdx.formats.draft`.

    References
    ----------
    Norsys Software Corp., DNET File Format, version 1, https://www.norsys.com
    """
    return _DneReader(text, draft).read()


class _DneReader:
    def __init__(self, text: str, draft: Draft) -> None:
        self.draft, self.line = draft, Lines(text)
        self.text = _COMMENT.sub(comment_blanked, text) if "/" in text else text
        self.nodes: list[tuple[int, str, Attributes]] = []

    def read(self) -> Network:
        head = _NET.match(self.text)
        if head is None:
            got = self.text.strip().split("\n")[0][:60] or NOTHING
            self.draft.fault(1, "", "bnet NAME { … }", got)
            return self.draft.network()
        self._items(head.end(), None)
        self._refuse_others()
        known = [one for one in self.nodes if self._word(one[2], "kind") != "CONSTANT"]
        for start, name, attributes in known:
            states = self._states(name, attributes)
            title = _text(attributes, "title")
            self.draft.declare(self.line(start), name, states, _unquoted(title))
        for start, name, attributes in known:
            self._define(start, name, attributes)
        return self.draft.network()

    def _items(self, at: int, node: Attributes | None) -> int:
        """Read what stands in the network, or in a node, from its brace to the end of it."""
        while True:
            blank = _SPACE.match(self.text, at)
            at = blank.end() if blank else at
            if at >= len(self.text):
                self.draft.fault(self.line(at), "", "} at the end", NOTHING)
                return at
            if self.text[at] == "}":
                return at + 1
            attribute = _ATTRIBUTE.match(self.text, at)
            block = None if attribute else _BLOCK.match(self.text, at)
            if attribute:
                if node is not None:
                    node.setdefault(attribute[1], (attribute.start(2), attribute[2]))
                at = attribute.end()
            elif block and block[1] == "node" and node is None:
                attributes: Attributes = {}
                self.nodes.append((block.start(), block[2] or "", attributes))
                at = self._items(block.end(), attributes)
            elif block:
                at = self._skipped(block.end())
            else:
                got = self.text[at : at + 60].split("\n")[0]
                self.draft.fault(self.line(at), "", "name = value; or a block { … }", got)
                return len(self.text)

    def _skipped(self, at: int) -> int:
        """Return where a block ends that began before."""
        depth = 1
        for brace in _BRACE.finditer(self.text, at):
            depth += {"{": 1, "}": -1}.get(brace[0], 0)
            if not depth:
                return brace.end()
        return len(self.text)

    def _word(self, attributes: Attributes, key: str) -> str:
        return _text(attributes, key).strip().upper()

    def _refuse_others(self) -> None:
        kinds = ("DECISION", "UTILITY", "ACTION", "DECIDE")
        choices = [name for _, name, one in self.nodes if self._word(one, "kind") in kinds]
        if choices:
            raise self.draft.refuse("influence diagrams (decisions, utilities) are", choices)
        delayed = [name for _, name, one in self.nodes if re.search(r"[1-9]", _text(one, "delays"))]
        if delayed:
            raise self.draft.refuse("time delays (dynamic networks) are", delayed)
        continuous = [
            name
            for _, name, one in self.nodes
            if self._word(one, "discrete") == "FALSE"
            and "levels" not in one
            and self._word(one, "kind") != "CONSTANT"
        ]
        if continuous:
            raise self.draft.refuse("continuous nodes without levels are", continuous)

    def _states(self, name: str, attributes: Attributes) -> list[str]:
        if "states" in attributes:
            return _entries(attributes, "states")
        titles, levels = _entries(attributes, "statetitles"), _entries(attributes, "levels")
        if self._word(attributes, "discrete") == "FALSE":
            named = [f"{one} to {other}" for one, other in pairwise(levels)]
        else:
            named = levels
        count = _text(attributes, "numstates").strip()
        if not named and not titles and count:
            if count.isascii() and count.isdigit() and len(count) < 9 and int(count) <= MOST_STATES:
                return [f"s{at}" for at in range(int(count))]
            at, expected = attributes["numstates"][0], f"numstates of at most {MOST_STATES}"
            self.draft.fault(self.line(at), f"node {name[:80]}", expected, count)
        # Titles stand in the place of names where every state has one.
        return titles if titles and all(titles) else named

    def _define(self, start: int, name: str, attributes: Attributes) -> None:
        parents = _entries(attributes, "parents")
        family = self.draft.family(self.line(start), name, parents)
        if family is None:
            return
        values = self._values(family, attributes)
        if values is not None:
            self.draft.define(family, values)

    def _values(self, family: Family, attributes: Attributes) -> FloatArray | None:
        what = f"probability of {family.child.name[:80]}"
        key = "probs" if "probs" in attributes else "functable"
        if key not in attributes:
            self.draft.fault(family.line, what, "probs or a functable", NOTHING)
            return None
        at, text = attributes[key]
        if text.count("(") != text.count(")"):
            got = Phrase(f"{text.count('(')} ( and {text.count(')')} )")
            self.draft.fault(self.line(at), what, "brackets that match", got)
            return None
        plain = text.replace("@imposs", "0      ").translate({ord("("): " ", ord(")"): " "})
        if key == "functable":
            return self._deterministic(family, plain, at)
        return row_major(self.draft, family, plain, lambda offset: self.line(at + offset))

    def _deterministic(self, family: Family, text: str, at: int) -> FloatArray | None:
        what, child = f"probability of {family.child.name[:80]}", family.child
        given = text.replace(",", " ").split()
        if len(given) != family.rows:
            got = Phrase(f"{len(given)}")
            self.draft.fault(self.line(at), what, f"{family.rows} states of a functable", got)
            return None
        position = {state: k for k, state in enumerate(child.states)}
        position |= {f"#{k}": k for k in range(child.cardinality)}
        states = np.array([position.get(one, -1) for one in given], dtype=np.intp)
        unknown = np.flatnonzero(states < 0)
        for row in unknown[:FAULTS_A_TABLE].tolist():
            near = self.draft.near(given[row], child.states)
            self.draft.fault(self.line(at), what, f"a state of {child.name}", given[row], near)
        return None if len(unknown) else np.eye(child.cardinality)[states]


def _text(attributes: Attributes, key: str) -> str:
    return attributes.get(key, (0, ""))[1]


def _entries(attributes: Attributes, key: str) -> list[str]:
    """Take apart what stands between brackets, at commas; a place with nothing keeps its place."""
    text = _text(attributes, key).strip()
    text = text[1:-1] if text.startswith("(") and text.endswith(")") else text
    if not text.strip():
        return []
    found = [_unquoted(one[1]) for one in _ENTRY.finditer(text)]
    # The last match is the empty one at the end, or what a comma at the end leaves.
    return found[:-1] if not found[-1] else found


def _unquoted(text: str) -> str:
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        return _ESCAPED.sub(_plain, text[1:-1])
    return text


def _plain(found: re.Match[str]) -> str:
    # Line ends and tabs are no part of a name; a backslash before one goes on with the line.
    return {"n": " ", "t": " "}.get(found[1], found[1] or "")
