"""XMLBIF 0.3, as JavaBayes, Weka, pgmpy and pyAgrum write it.

In a ``TABLE`` the state of ``FOR`` changes fastest, then that of the last ``GIVEN``. Blanks around
names are not part of them. A document type may be declared inside the file, as the specification
does, but no entities; nothing is ever fetched. pgmpy's reader (1.1.2) takes only files that name
the network, and reports what is wrong as an ``AttributeError`` or a shape that NumPy refuses.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

from bayesdx.errors import NOTHING, Phrase
from bayesdx.formats.draft import Draft
from bayesdx.formats.markup import Element, read_markup
from bayesdx.formats.text import row_major
from bayesdx.network.network import Network


def read_xmlbif(content: bytes, draft: Draft) -> Network:
    """Read a network in XMLBIF; see `bayesdx.formats.draft`.

    References
    ----------
    F. G. Cozman, XMLBIF 0.3, https://www.cs.cmu.edu/~fgcozman/Research/InterchangeFormat/
    """
    root = read_markup(content, draft.source)
    body = root if root.tag == "NETWORK" else root.first("NETWORK")
    if body is None:
        draft.fault(root.line, "", "an element NETWORK", root.tag)
        return draft.network()
    choices = [
        one.text_of("NAME")
        for one in body.named("VARIABLE")
        if one.attributes.get("TYPE") in ("decision", "utility")
    ]
    if choices:
        raise draft.refuse("influence diagrams (decisions, utilities) are", choices)
    for variable in body.named("VARIABLE"):
        _declare(draft, variable)
    for definition in body.named("DEFINITION"):
        _define(draft, definition)
    return draft.network()


def _declare(draft: Draft, element: Element) -> None:
    name = element.text_of("NAME")
    kind = element.attributes.get("TYPE", "nature")
    if kind != "nature":
        draft.fault(element.line, f"variable {name[:80]}", "type nature", kind)
    draft.declare(element.line, name, [one.text for one in element.named("OUTCOME")])


def _define(draft: Draft, element: Element) -> None:
    given = [one.text for one in element.named("GIVEN")]
    children = [one.text for one in element.named("FOR")]
    if len(children) != 1:
        got = Phrase(f"{len(children)}")
        draft.fault(element.line, "definition", "one element FOR", got)
        return
    family = draft.family(element.line, children[0], given)
    if family is None:
        return
    tables = list(element.named("TABLE"))
    if len(tables) != 1:
        got = Phrase(f"{len(tables)}") if tables else NOTHING
        what = f"probability of {children[0][:80]}"
        draft.fault(element.line, what, "one element TABLE", got)
        return
    values = row_major(draft, family, "".join(tables[0].parts), tables[0].line_of)
    if values is not None:
        draft.define(family, values)


def write_xmlbif(network: Network) -> Iterator[str]:
    """Write a network in XMLBIF, piece by piece; noisy families become tables."""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield '<BIF VERSION="0.3">\n<NETWORK>\n<NAME>bayesdx</NAME>\n'
    for variable in network.variables.values():
        yield f'<VARIABLE TYPE="nature">\n  <NAME>{escape(variable.name)}</NAME>\n'
        for state in variable.states:
            yield f"  <OUTCOME>{escape(state)}</OUTCOME>\n"
        yield "</VARIABLE>\n"
    for name in network.variables:
        yield f"<DEFINITION>\n  <FOR>{escape(name)}</FOR>\n"
        for parent in network.parents(name):
            yield f"  <GIVEN>{escape(parent)}</GIVEN>\n"
        table = network.table(name)
        yield "  <TABLE>\n"
        for row in table.reshape(-1, table.shape[-1]):
            yield " ".join(map(repr, row.tolist())) + "\n"
        yield "  </TABLE>\n</DEFINITION>\n"
    yield "</NETWORK>\n</BIF>\n"
