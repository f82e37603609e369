"""XDSL, the format of GeNIe and SMILE.

Nodes ``cpt``, ``deterministic`` and ``noisymax`` are read. ``probabilities`` go row by row: the
node's own state fastest, then the last parent's. ``resultingstates`` name one state for each row.
``parameters`` of a noisy-MAX have a column of the child for each state of each parent, then that of
the leak; ``strengths`` order the states of each parent, the last one being that without effect.
They are net effects (Díez 1993), the child's last state being the least; what becomes of them is
said in `bayesdx.formats.noisy_max`. Display names of GeNIe become labels of variables. Influence
diagrams, continuous (equation) nodes and temporal (dynamic) networks are refused in one line.

pgmpy's reader (1.1.2) skips every node but ``cpt`` without a word, and splits at single blanks.
pyAgrum (3.3.1) reads and writes the *first* parent fastest: by the dyspnoea of GeNIe's own asia,
where the second is, tables of two parents or more come out wrong.

GeNIe holds nothing but letters, digits and underscores in ids; only those are written. Read is
whatever the file holds. Noisy families are written as its noisy-MAX nodes, labels as display names.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

import numpy as np

from bayesdx.errors import NOTHING, Phrase
from bayesdx.formats.draft import FAULTS_A_TABLE, Draft, Family
from bayesdx.formats.markup import Element, read_markup
from bayesdx.formats.noisy_max import MaxFamily, take_in
from bayesdx.formats.text import row_major
from bayesdx.network.cpds import FloatArray, NoisyCPD, NoisyOrCPD
from bayesdx.network.divorcing import divorced, leaks_apart
from bayesdx.network.network import Network
from bayesdx.network.variables import Variable

#: Kinds of nodes, and the element with their numbers.
_NUMBERS = {"cpt": "probabilities", "deterministic": "resultingstates", "noisymax": "parameters"}
#: Nodes of a row in GeNIe's window, and the pixels of a node and between two.
_A_ROW, _WIDE, _HIGH, _ACROSS, _DOWN = 12, 100, 40, 130, 80


def read_xdsl(content: bytes, draft: Draft) -> Network:
    """Read a network in XDSL; see `bayesdx.formats.draft`.

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
    labels = _display_names(root)
    known: list[Element] = []
    for element in nodes.children:
        name = element.attributes.get("id", "")
        if element.tag in _NUMBERS:
            states = [one.attributes.get("id", "") for one in element.named("state")]
            draft.declare(element.line, name, states, labels.get(name, ""))
            known.append(element)
        else:
            expected = "a node cpt, deterministic or noisymax"
            draft.fault(element.line, f"node {name[:80]}", expected, element.tag)
    noisy = [one for element in known if (one := _define(draft, element)) is not None]
    take_in(draft, noisy)
    return draft.network()


def _define(draft: Draft, element: Element) -> MaxFamily | None:
    """Take in a table; return what is a noisy-MAX."""
    name, is_noisy = element.attributes.get("id", ""), element.tag == "noisymax"
    parents = element.text_of("parents").split()
    family = draft.family(element.line, name, parents, noisy=is_noisy)
    if family is None:
        return None
    tag = _NUMBERS[element.tag]
    numbers = element.first(tag)
    if numbers is None:
        draft.fault(element.line, f"probability of {name[:80]}", f"an element {tag}", NOTHING)
        return None
    line, text = numbers.line, "".join(numbers.parts)
    if is_noisy:
        return _noisy_max(draft, family, element, numbers)
    if element.tag == "cpt":
        values = row_major(draft, family, text, numbers.line_of)
    else:
        values = _deterministic(draft, family, text, line)
    if values is not None:
        draft.define(family, values)
    return None


def _display_names(root: Element) -> dict[str, str]:
    """What GeNIe shows of nodes, which may lie in submodels."""
    extensions = root.first("extensions")
    found: dict[str, str] = {}
    left = [] if extensions is None else [extensions]
    while left:
        element = left.pop()
        left += element.children
        if element.tag == "node" and (name := element.attributes.get("id")):
            found.setdefault(name, " ".join(element.text_of("name").split()))
    return found


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
) -> MaxFamily | None:
    what = f"probability of {family.child.name[:80]}"
    sizes = [parent.cardinality for parent in family.parents]
    columns = Family(family.child, (Variable("a column", _numbered(sum(sizes) + 1)),), family.line)
    flat = row_major(draft, columns, "".join(parameters.parts), parameters.line_of)
    order = _strengths(draft, element, what, sizes)
    if flat is None or order is None:
        return None
    rows = draft.distributions(columns, flat)
    if rows is None:
        return None
    # States stand from the strongest to the least.
    levels, effects, first = rows[:, ::-1], [], 0
    for size, states in zip(sizes, order, strict=True):
        own = np.empty((size, family.child.cardinality))
        own[states] = levels[first : first + size]
        effects.append(own)
        first += size
    return MaxFamily(family, tuple(effects), levels[-1], least_last=True)


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
    """Write a network in XDSL, piece by piece.

    SMILE wants parents above their children: nodes are written in topological order. Its noisy-MAX
    have their least level last, so the states of such a child stand in reverse. An inhibited leak
    becomes a node of its own, a parent whose link is certain.
    """
    whole = leaks_apart(network)
    inhibited = {
        name for name, cpd in whole.cpds.items() if isinstance(cpd, NoisyOrCPD) and cpd.inhibitors
    }
    whole = divorced(whole, only=inhibited)
    # Ids hold nothing that XML would have to escape.
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield '<smile version="1.0" id="bayesdx" numsamples="10000" discsamples="10000">\n<nodes>\n'
    for name in whole.order:
        noisy = isinstance(whole.cpds[name], NoisyCPD) and name not in inhibited
        yield from _max_node(whole, name) if noisy else _table_node(whole, name)
    yield "</nodes>\n"
    if any(variable.label for variable in whole.variables.values()):
        yield from _appearance(whole)
    yield "</smile>\n"


def _table_node(network: Network, name: str) -> Iterator[str]:
    yield from _head("cpt", name, network.variables[name].states, network.parents(name))
    yield f"  <probabilities>{_line(network.table(name))}</probabilities>\n</cpt>\n"


def _max_node(network: Network, name: str) -> Iterator[str]:
    cpd = network.cpds[name]
    assert isinstance(cpd, NoisyCPD)
    own = cpd.mechanism
    yield from _head("noisymax", name, network.variables[name].states[::-1], own.parents)
    if own.parents:
        # Of each parent the active state first, which is its last one.
        yield f"  <strengths>{' '.join(['1 0'] * len(own.parents))}</strengths>\n"
    silent = np.zeros_like(own.exceed)
    acting = np.stack([own.exceed, silent], axis=1).reshape(-1, silent.shape[1])
    levels = _levels(np.concatenate([acting, own.leak[None]]))
    yield f"  <parameters>{_line(levels)}</parameters>\n</noisymax>\n"


def _head(tag: str, name: str, states: tuple[str, ...], parents: tuple[str, ...]) -> Iterator[str]:
    yield f'<{tag} id="{name}">\n'
    for state in states:
        yield f'  <state id="{state}" />\n'
    if parents:
        yield f"  <parents>{' '.join(parents)}</parents>\n"


def _levels(exceed: FloatArray) -> FloatArray:
    """P(level), the highest one first, from P(above each level but the highest), (..., S - 1)."""
    ends = np.ones((len(exceed), 1)), np.zeros((len(exceed), 1))
    rising = np.concatenate([ends[0], exceed, ends[1]], axis=1)[:, ::-1]
    return np.diff(rising, axis=1)


def _line(values: FloatArray) -> str:
    return " ".join(map(repr, values.ravel().tolist()))


def _appearance(network: Network) -> Iterator[str]:
    yield '<extensions>\n<genie version="1.0" app="bayesdx" name="bayesdx">\n'
    for at, name in enumerate(network.order):
        label = _shown(network.variables[name].label) or name
        left, top = 20 + at % _A_ROW * _ACROSS, 20 + at // _A_ROW * _DOWN
        yield f'<node id="{name}">\n  <name>{escape(label)}</name>\n'
        yield '  <interior color="e5f6f7" />\n  <outline color="000080" />\n'
        yield '  <font color="000000" name="Arial" size="8" />\n'
        yield f"  <position>{left} {top} {left + _WIDE} {top + _HIGH}</position>\n</node>\n"
    yield "</genie>\n</extensions>\n"


def _shown(label: str) -> str:
    """What of a label XML can hold."""
    return "".join(one if one.isprintable() else " " for one in label).strip()
