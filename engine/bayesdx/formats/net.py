"""NET, the format of Hugin: nodes, potentials, comments from ``%`` on.

``data`` goes row by row, the node's own state fastest, then that of the last parent; its brackets
only have to match. Attributes other than ``states`` and ``data`` are passed over. The entries of a
potential without ``data`` are equal. One class around the nodes is read where it has no inputs.
Influence diagrams are refused, and so are continuous nodes and functions.

Read here and not by pgmpy: its reader (1.1.2) knows no ``%``, takes a state with a blank inside for
two, and goes through the whole file once for each node. pyAgrum's (3.3.1) takes decimals in single
precision.

Hugin holds nothing but letters, digits and underscores in the name of a node; a state is any text.
Files of Hugin may be in Latin-1; what is not UTF-8 is read as that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from bayesdx.errors import NOTHING, Phrase
from bayesdx.formats.draft import Draft
from bayesdx.formats.text import Attributes, Lines, comment_blanked, replaced, row_major
from bayesdx.network.network import Network

_STRING = r'"(?:[^"\\]++|\\.)*+"'
# A string without an end goes to that of the file; to look for it again would take for ever.
# Comments of lines that follow each other are one match.
_COMMENT = re.compile(rf"{_STRING}?|(?:%[^\n]*+\n?)++", re.DOTALL)
_SPACE = re.compile(r"\s*+")
_INSIDE = re.compile(rf'((?:[^{{}}"]++|{_STRING})*+)\}}', re.DOTALL)
_NET = re.compile(r"net\s*+\{")
_NODE = re.compile(r'(?:(\w++)\s++)?(node|decision|utility|function)\s++([^\s{}"]++)\s*+\{')
_CLASS = re.compile(r"class\s++(\w++)\s*+\{")
_INPUTS = re.compile(r"\s*+(inputs|outputs)\s*+=\s*+\(([^()]*+)\)\s*+;")
_POTENTIAL = re.compile(r"potential\s*+\(([^(){}]*+)\)\s*+\{")
_RESUME = re.compile(r"^[ \t]*+(?=(?:\w++\s++)?(?:node|potential)\b)", re.MULTILINE)
_ATTRIBUTE = re.compile(rf'\s*+([A-Za-z_]\w*+)\s*+=((?:[^;"]++|{_STRING})*+);', re.DOTALL)
_STATE = re.compile(rf'({_STRING})|([^\s(),"]++)', re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\])')


def read_net(text: str, draft: Draft) -> Network:
    """Read a network in Hugin's NET; see `bayesdx.formats.draft`.

    References
    ----------
    Hugin Expert, Hugin API Reference Manual, chapter "The NET language".
    """
    return _NetReader(text, draft).read()


class _NetReader:
    def __init__(self, text: str, draft: Draft) -> None:
        self.draft, self.line = draft, Lines(text)
        self.text = replaced(_COMMENT, comment_blanked, text) if "%" in text else text
        #: Where each potential begins, who it is about, and its attributes.
        self.potentials: list[tuple[int, str, Attributes]] = []
        self.inside = False  #: a class
        self.choices: list[str] = []  #: decisions and utilities
        self.others: list[str] = []  #: continuous variables and functions

    def read(self) -> Network:
        at = self._blank(0)
        while at < len(self.text):
            end = self._block(at)
            if end is None:
                word = self.text[at : at + 60].split("\n")[0]
                expected = "net, node or potential with a block { … }"
                self.draft.fault(self.line(at), "", expected, word)
                resume = _RESUME.search(self.text, at + 1)
                end = resume.end() if resume else len(self.text)
            at = self._blank(end)
        if self.choices:
            raise self.draft.refuse("influence diagrams (decisions, utilities) are", self.choices)
        if self.others:
            raise self.draft.refuse("continuous and function nodes are", self.others)
        for start, header, attributes in self.potentials:
            self._define(self.line(start), header, attributes)
        return self.draft.network()

    def _blank(self, at: int) -> int:
        found = _SPACE.match(self.text, at)
        return found.end() if found else at

    def _block(self, at: int) -> int | None:
        if not self.inside and (found := _CLASS.match(self.text, at)):
            self.inside = True
            return found.end()
        if self.inside and (found := _INPUTS.match(self.text, at)):
            if found[1] == "inputs" and found[2].strip():
                raise self.draft.refuse("object-oriented networks (inputs) are", found[2].split())
            return found.end()
        if self.inside and self.text[at] == "}":
            self.inside = False
            return at + 1
        node, potential = _NODE.match(self.text, at), _POTENTIAL.match(self.text, at)
        head = node or potential or _NET.match(self.text, at)
        body = _INSIDE.match(self.text, head.end()) if head else None
        if head is None or body is None:
            return None
        attributes = self._attributes(body.start(1), body.end(1))
        if node:
            self._declare(node, attributes)
        elif potential:
            self.potentials.append((at, potential[1], attributes))
        return body.end()

    def _attributes(self, first: int, last: int) -> Attributes:
        attributes: Attributes = {}
        while (first := min(self._blank(first), last)) < last:
            found = _ATTRIBUTE.match(self.text, first, last)
            if found is None:
                got = self.text[first : min(first + 40, last)]
                self.draft.fault(self.line(first), "", "name = value;", got)
                break
            attributes.setdefault(found[1], (found.start(2), found[2]))
            first = found.end()
        return attributes

    def _declare(self, node: re.Match[str], attributes: Attributes) -> None:
        line, name = self.line(node.start()), node[3]
        what = f"node {name[:80]}"
        kind = f"{node[1]} {node[2]}" if node[1] else node[2]
        if node[2] in ("decision", "utility"):
            self.choices.append(name)
            return
        if kind.startswith("continuous") or node[2] == "function":
            self.others.append(name)
            return
        if kind not in ("node", "discrete node"):
            self.draft.fault(line, what, "a discrete node", kind)
            self.draft.spoil(name)
            return
        at, text = attributes.get("states", (node.start(), ""))
        text = text.strip()
        if not (text.startswith("(") and text.endswith(")")):
            got = text[:60] if text else NOTHING
            self.draft.fault(self.line(at), what, 'states = ("…" "…");', got)
        states = [_unescaped(quoted) if quoted else word for quoted, word in _STATE.findall(text)]
        self.draft.declare(line, name, states)

    def _define(self, line: int, header: str, attributes: Attributes) -> None:
        left, _, right = header.partition("|")
        children = left.split()
        if len(children) != 1:
            expected = "(node | parent …) with one node before |"
            self.draft.fault(line, "potential", expected, Phrase(f"({header.strip()[:60]})"))
            return
        family = self.draft.family(line, children[0], right.split())
        if family is None:
            return
        what = f"probability of {children[0][:80]}"
        model = next((name for name in attributes if name.startswith("model_")), None)
        if "data" not in attributes and model is not None:
            # Numbers that an expression stands for; uniform ones would be others.
            at, _ = attributes[model]
            expected = "data = (…); expressions are not worked out (HUGIN writes their numbers too)"
            self.draft.fault(self.line(at), what, expected, Phrase(f"{model} without data"))
            return
        if "data" not in attributes:
            width = family.child.cardinality
            self.draft.define(family, np.full((family.rows, width), 1.0 / width))
            return
        at, text = attributes["data"]
        if text.count("(") != text.count(")"):
            got = Phrase(f"{text.count('(')} ( and {text.count(')')} )")
            self.draft.fault(self.line(at), what, "brackets that match", got)
            return
        plain = text.translate({ord("("): " ", ord(")"): " "})
        values = row_major(self.draft, family, plain, lambda offset: self.line(at + offset))
        if values is not None:
            self.draft.define(family, values)


def _unescaped(quoted: str) -> str:
    return _ESCAPED.sub(r"\1", quoted[1:-1])


def write_net(network: Network) -> Iterator[str]:
    """Write a network in NET, piece by piece; noisy families become tables."""
    yield "net\n{\n}\n"
    for variable in network.variables.values():
        states = " ".join(map(_quoted, variable.states))
        yield f"node {variable.name}\n{{\n  states = ({states});\n}}\n"
    for name in network.variables:
        parents = network.parents(name)
        given = f" | {' '.join(parents)}" if parents else ""
        table = network.table(name)
        rows = table.reshape(-1, table.shape[-1])
        yield f"potential ({name}{given})\n{{\n  data = "
        for at, row in enumerate(rows):
            first, last = _brackets(at, len(rows), table.shape[:-1])
            yield f"{first}({' '.join(map(repr, row.tolist()))}){last}\n"
        yield "  ;\n}\n"


def _brackets(row: int, rows: int, shape: tuple[int, ...]) -> tuple[str, str]:
    """Return the brackets before and after a row, one pair for each parent's axis."""
    opened = closed = 0
    size = 1
    for card in reversed(shape):
        size *= card
        opened += row % size == 0
        closed += (row + 1) % size == 0
    assert rows == size
    return "(" * opened, ")" * closed


def _quoted(state: str) -> str:
    escaped = state.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
