"""XDSL, the format of GeNIe and SMILE.

Nodes ``cpt`` and ``deterministic`` are read. ``probabilities`` go row by row: the node's own state
fastest, then the last parent's. ``resultingstates`` name one state for each row. What is not a
table of a discrete chance node (noisy families, equations, decisions, utilities) is a fault: SMILE
can turn it into a ``cpt``. (``noisymax`` stays a fault because no file with known answers was at
hand to check the order of its parameters against.)

pgmpy's reader (1.1.2) skips every node but ``cpt`` without a word, and splits at single blanks.
pyAgrum (3.3.1) reads and writes the *first* parent fastest: by the dyspnoea of GeNIe's own asia,
where the second is, tables of two parents or more come out wrong.

GeNIe holds nothing but letters, digits and underscores in ids; only those are written. Read is
whatever the file holds.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bayesdx.errors import NOTHING, Phrase
from bayesdx.formats.draft import FAULTS_A_TABLE, Draft, Family
from bayesdx.formats.markup import Element, read_markup
from bayesdx.formats.text import row_major
from bayesdx.network import Network
from bayesdx.network.cpds import FloatArray


def read_xdsl(content: bytes, source: str) -> Network:
    """Read a network in XDSL.

    Parameters
    ----------
    content : bytes
        A file.
    source : str
        Its name, for messages.

    Returns
    -------
    Network
        With a `TableCPD` for each variable.

    Raises
    ------
    InvalidNetwork
        With all faults, each with its line.

    Warns
    -----
    InexactNetworkWarning
        See `bayesdx.formats.draft`.

    References
    ----------
    BayesFusion, SMILE documentation, XDSL file format,
    https://support.bayesfusion.com/docs/GeNIe/saving_xdslfileformat.html
    """
    draft = Draft(source)
    root = read_markup(content, source)
    nodes = root.first("nodes") if root.tag == "smile" else None
    if nodes is None:
        draft.fault(root.line, "", "an element smile with nodes", root.tag)
        return draft.network()
    known: list[Element] = []
    for element in nodes.children:
        name = element.attributes.get("id", "")
        if element.tag in ("cpt", "deterministic"):
            states = [one.attributes.get("id", "") for one in element.named("state")]
            draft.declare(element.line, name, states)
            known.append(element)
        else:
            expected = "a node cpt or deterministic"
            draft.fault(element.line, f"node {name[:80]}", expected, element.tag)
    for element in known:
        _define(draft, element)
    return draft.network()


def _define(draft: Draft, element: Element) -> None:
    name = element.attributes.get("id", "")
    family = draft.family(element.line, name, element.text_of("parents").split())
    if family is None:
        return
    tag = "probabilities" if element.tag == "cpt" else "resultingstates"
    numbers = element.first(tag)
    if numbers is None:
        draft.fault(element.line, f"probability of {name[:80]}", f"an element {tag}", NOTHING)
        return
    line, text = numbers.line, "".join(numbers.parts)
    if element.tag == "cpt":
        values = row_major(draft, family, text, numbers.line_of)
    else:
        values = _deterministic(draft, family, text, line)
    if values is not None:
        draft.define(family, values)


def _deterministic(draft: Draft, family: Family, text: str, line: int) -> FloatArray | None:
    """Return zeros and ones, shape (rows, S)."""
    what = f"probability of {family.child.name[:80]}"
    given = text.split()
    if len(given) != family.rows:
        draft.fault(line, what, f"{family.rows} resulting states", Phrase(f"{len(given)}"))
        return None
    position = {state: at for at, state in enumerate(family.child.states)}
    states = np.array([position.get(one, -1) for one in given], dtype=np.intp)
    unknown = np.flatnonzero(states < 0)
    for at in unknown[:FAULTS_A_TABLE].tolist():
        near = draft.near(given[at], position)
        draft.fault(line, what, f"a state of {family.child.name[:80]}", given[at], near)
    if len(unknown):
        return None
    values = np.zeros((family.rows, family.child.cardinality))
    values[np.arange(family.rows), states] = 1.0
    return values


def write_xdsl(network: Network) -> Iterator[str]:
    """Write a network in XDSL, piece by piece; noisy families become tables.

    SMILE wants parents above their children: nodes are written in topological order.

    Parameters
    ----------
    network : Network

    Yields
    ------
    str
    """
    # Ids hold nothing that XML would have to escape.
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield '<smile version="1.0" id="bayesdx" numsamples="10000" discsamples="10000">\n<nodes>\n'
    for name in network.order:
        yield f'<cpt id="{name}">\n'
        for state in network.variables[name].states:
            yield f'  <state id="{state}" />\n'
        if parents := network.parents(name):
            yield f"  <parents>{' '.join(parents)}</parents>\n"
        numbers = " ".join(map(repr, network.table(name).ravel().tolist()))
        yield f"  <probabilities>{numbers}</probabilities>\n</cpt>\n"
    yield "</nodes>\n</smile>\n"
