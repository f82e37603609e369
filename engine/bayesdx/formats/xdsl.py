"""XDSL, the format of GeNIe and SMILE.

Nodes ``cpt``, ``deterministic`` and ``noisymax`` are read. ``probabilities`` go row by row: the
node's own state fastest, then the last parent's. ``resultingstates`` name one state for each row.
``parameters`` of a noisy-MAX have a column of the child for each state of each parent, then that of
the leak; ``strengths`` order the states of each parent, the last one being that without effect.
They are net effects (Díez 1993), the child's last state being the least. The table they stand for
is what is read. Influence diagrams, continuous (equation) nodes and temporal (dynamic) networks are
refused in one line.

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
from bayesdx.network.cpds import FloatArray, unit_rows
from bayesdx.network.network import Network
from bayesdx.network.variables import Variable

#: Kinds of nodes, and the element with their numbers.
_NUMBERS = {"cpt": "probabilities", "deterministic": "resultingstates", "noisymax": "parameters"}


def read_xdsl(content: bytes, draft: Draft) -> Network:
    """Read a network in XDSL.

    Parameters
    ----------
    content : bytes
        A file.
    draft : Draft
        Empty; it names the file in messages and says whether rows are scaled.

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
    root = read_markup(content, draft.source)
    _refuse_other_models(draft, root)
    nodes = root.first("nodes") if root.tag == "smile" else None
    if nodes is None:
        draft.fault(root.line, "", "an element smile with nodes", root.tag)
        return draft.network()
    known: list[Element] = []
    for element in nodes.children:
        name = element.attributes.get("id", "")
        if element.tag in _NUMBERS:
            states = [one.attributes.get("id", "") for one in element.named("state")]
            draft.declare(element.line, name, states)
            known.append(element)
        else:
            expected = "a node cpt, deterministic or noisymax"
            draft.fault(element.line, f"node {name[:80]}", expected, element.tag)
    for element in known:
        _define(draft, element)
    return draft.network()


def _define(draft: Draft, element: Element) -> None:
    name = element.attributes.get("id", "")
    family = draft.family(element.line, name, element.text_of("parents").split())
    if family is None:
        return
    tag = _NUMBERS[element.tag]
    numbers = element.first(tag)
    if numbers is None:
        draft.fault(element.line, f"probability of {name[:80]}", f"an element {tag}", NOTHING)
        return
    line, text = numbers.line, "".join(numbers.parts)
    if element.tag == "cpt":
        values = row_major(draft, family, text, numbers.line_of)
    elif element.tag == "noisymax":
        values = _noisy_max(draft, family, element, numbers)
    else:
        values = _deterministic(draft, family, text, line)
    if values is not None:
        draft.define(family, values)


def _refuse_other_models(draft: Draft, root: Element) -> None:
    nodes = [] if (found := root.first("nodes")) is None else found.children
    kinds = {
        "influence diagrams (decisions, utilities) are": ("decision", "utility", "mau"),
        "continuous (equation) nodes are": ("equation",),
    }
    for words, tags in kinds.items():
        names = [one.attributes.get("id", "") for one in nodes if one.tag in tags]
        if names:
            raise draft.refuse(words, names)
    moving = [one.attributes.get("id", "") for one in nodes if "dynamic" in one.attributes]
    if moving or root.first("dynamic") is not None:
        raise draft.refuse("temporal arcs (dynamic networks) are", moving or ["dynamic"])


def _noisy_max(
    draft: Draft, family: Family, element: Element, parameters: Element
) -> FloatArray | None:
    """Return the table of a noisy-MAX, shape (rows, S): products of P(at most a level)."""
    what = f"probability of {family.child.name[:80]}"
    sizes = [parent.cardinality for parent in family.parents]
    width = family.child.cardinality
    columns = Family(family.child, (Variable("a column", _numbered(sum(sizes) + 1)),), family.line)
    flat = row_major(draft, columns, "".join(parameters.parts), parameters.line_of)
    order = _strengths(draft, element, what, sizes)
    if flat is None or order is None:
        return None
    # States stand from the strongest to the least, so levels are counted from the end.
    at_most = unit_rows(flat, normalise=draft.normalise)[:, ::-1].cumsum(axis=1)
    table = at_most[-1].reshape((1,) * len(sizes) + (width,))
    first = 0
    for axis, (size, states) in enumerate(zip(sizes, order, strict=True)):
        own = np.empty((size, width))
        own[states] = at_most[first : first + size]
        shape = [1] * len(sizes) + [width]
        shape[axis] = size
        table = table * own.reshape(shape)
        first += size
    rows: FloatArray = np.diff(table, axis=-1, prepend=0.0)[..., ::-1].reshape(-1, width)
    return rows


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(map(str, range(count)))


def _strengths(
    draft: Draft, element: Element, what: str, sizes: list[int]
) -> list[list[int]] | None:
    """States of each parent in the order of the parameters; their own order where none is told."""
    told = element.first("strengths")
    if told is None:
        return [list(range(size)) for size in sizes]
    words = told.text.split()
    order, first = [], 0
    for size in sizes:
        part = words[first : first + size]
        if sorted(part) != sorted(_numbered(size)):
            break
        order.append(list(map(int, part)))
        first += size
    if len(order) < len(sizes) or first != len(words):
        expected = f"strengths that order the {sum(sizes)} states of the parents"
        draft.fault(told.line, what, expected, told.text[:60])
        return None
    return order


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
