"""ProbModelXML, the format of OpenMarkov, versions 0.2 and 1.0, read.

In a table the state of the first variable, which is the child, changes fastest, then that of the
*first* parent. ``ICIModel`` potentials hold a table of the child for each parent and one of the
leak; ``OR / MAX`` takes the highest of their levels, ``AND / MIN`` the lowest, the first state
being the lowest. Uniform and Delta potentials become tables. Titles become labels; entered evidence
is passed over. Decisions, utilities, numeric variables and time slices are refused in one line.

Its own reader is in Java; pgmpy gave its reader of this format up.
"""

from __future__ import annotations

import numpy as np

from bayesdx.errors import NOTHING, Phrase
from bayesdx.formats.draft import Draft, Family
from bayesdx.formats.markup import Element, read_markup
from bayesdx.formats.noisy_max import MaxFamily, take_in
from bayesdx.formats.text import row_major
from bayesdx.network.cpds import FloatArray
from bayesdx.network.network import Network
from bayesdx.network.variables import Variable

_TABLES = ("table", "probtable")
_MAX, _MIN = ("or / max", "generalizedmax"), ("and / min", "generalizedmin")


def read_pgmx(content: bytes, draft: Draft) -> Network:
    """Read a network in ProbModelXML; see `bayesdx.formats.draft`.

    References
    ----------
    M. Arias, F. J. Díez and M. P. Palacios, ProbModelXML: a format for encoding probabilistic
    graphical models, technical report CISIAD-11-02, UNED, Madrid, 2011.
    """
    root = read_markup(content, draft.source)
    net = root.first("ProbNet") if root.tag == "ProbModelXML" else None
    if net is None:
        draft.fault(root.line, "", "an element ProbModelXML with a ProbNet", root.tag)
        return draft.network()
    variables = _inside(net, "Variables", "Variable")
    _refuse_others(draft, net, variables)
    for element in variables:
        name = element.attributes.get("name", "")
        states = [one.attributes.get("name", "") for one in _inside(element, "States", "State")]
        draft.declare(element.line, name, states, _title(element))
    potentials = _inside(net, "Potentials", "Potential")
    noisy = [one for element in potentials if (one := _define(draft, element)) is not None]
    take_in(draft, noisy)
    return draft.network()


def _inside(element: Element, outer: str, inner: str) -> list[Element]:
    found = element.first(outer)
    return [] if found is None else list(found.named(inner))


def _title(element: Element) -> str:
    for several in ("AdditionalProperties", "Properties"):
        for one in _inside(element, several, "Property"):
            if one.attributes.get("name") == "Title":
                return one.attributes.get("value", "")
    return ""


def _refuse_others(draft: Draft, net: Element, variables: list[Element]) -> None:
    def named(key: str, *values: str) -> list[str]:
        return [
            one.attributes.get("name", "")
            for one in variables
            if one.attributes.get(key, "").casefold() in values
        ]

    if choices := named("role", "decision", "utility"):
        raise draft.refuse("influence diagrams (decisions, utilities) are", choices)
    slices = [one.attributes.get("name", "") for one in variables if "timeSlice" in one.attributes]
    if slices:
        raise draft.refuse("temporal variables (dynamic networks) are", slices)
    if numeric := named("type", "numeric"):
        raise draft.refuse("continuous (numeric) variables are", numeric)
    kind = net.attributes.get("type", "BayesianNetwork")
    if kind.casefold() not in ("bayesiannetwork", "bayesnet"):
        raise draft.refuse("networks of other types are", [kind])


def _define(draft: Draft, element: Element) -> MaxFamily | None:
    """Take in a potential; return what is a noisy-MAX."""
    names = [one.attributes.get("name", "") for one in _inside(element, "Variables", "Variable")]
    kind = element.attributes.get("type", "")
    if not names:
        draft.fault(element.line, "potential", "variables", NOTHING)
        return None
    noisy = kind.casefold() == "icimodel"
    family = draft.family(element.line, names[0], names[1:], noisy=noisy)
    if family is None:
        return None
    if noisy:
        return _noisy_max(draft, family, element)
    values = _table(draft, family, element, kind.casefold())
    if values is not None:
        draft.define(family, values)
    return None


def _table(draft: Draft, family: Family, element: Element, kind: str) -> FloatArray | None:
    """Return the rows, shape (rows, S), of a potential of one of the plain kinds."""
    what, width = f"probability of {family.child.name[:80]}", family.child.cardinality
    if kind in _TABLES:
        return _numbers(draft, family, element)
    if kind == "uniform":
        return np.full((family.rows, width), 1.0 / width)
    if kind == "delta":
        states = family.child.states
        state, at = element.text_of("State"), element.text_of("StateIndex")
        if not state and at.isascii() and at.isdigit() and len(at) < 9 and int(at) < width:
            state = states[int(at)]
        if state in states:
            return np.tile(np.eye(width)[states.index(state)], (family.rows, 1))
        expected, near = f"a state of {family.child.name[:80]}", draft.near(state, states)
        draft.fault(element.line, what, expected, state or at or NOTHING, near)
        return None
    expected = "a potential Table, ProbTable, ICIModel, Uniform or Delta"
    draft.fault(element.line, what, expected, element.attributes.get("type", "") or NOTHING)
    return None


def _numbers(draft: Draft, family: Family, element: Element) -> FloatArray | None:
    """Return rows, shape (rows, S), the last parent fastest; the file has the first one so."""
    values = element.first("Values")
    if values is None:
        what = f"probability of {family.child.name[:80]}"
        draft.fault(element.line, what, "an element Values", NOTHING)
        return None
    turned = Family(family.child, family.parents[::-1], family.line)
    flat = row_major(draft, turned, "".join(values.parts), values.line_of)
    if flat is None:
        return None
    parents = len(family.parents)
    axes = (*range(parents - 1, -1, -1), parents)
    return flat.reshape(turned.shape).transpose(axes).reshape(-1, family.child.cardinality)


def _noisy_max(draft: Draft, family: Family, element: Element) -> MaxFamily | None:
    what, model = f"probability of {family.child.name[:80]}", element.text_of("Model")
    lowest = model.casefold() in _MIN
    if not lowest and model.casefold() not in _MAX:
        draft.fault(element.line, what, "a model OR / MAX or AND / MIN", model or NOTHING)
        return None
    found: dict[str, FloatArray] = {}
    parts = {one.name: one for one in family.parents}
    for part in _inside(element, "Subpotentials", "Potential"):
        names = [one.attributes.get("name", "") for one in _inside(part, "Variables", "Variable")]
        child, *others = names or [""]
        key = others[0] if others else ""
        if child != family.child.name or len(others) > 1 or (key and key not in parts):
            expected = "subpotentials of the child and one parent, or the child alone"
            draft.fault(part.line, what, expected, Phrase(f"({', '.join(names)[:60]})"))
            return None
        states = parts[key].states if key else ("leak",)
        own = Family(family.child, (Variable(key or "leak", states),), part.line)
        rows = _numbers(draft, own, part)
        rows = None if rows is None else draft.distributions(own, rows)
        if rows is None:
            return None
        if key in found:
            draft.fault(part.line, what, f"one subpotential of {key or 'the leak'}", Phrase("two"))
            return None
        # The lowest of some levels is the highest of them in reverse.
        found[key] = rows[:, ::-1] if lowest else rows
    if missing := [name for name in parts if name not in found]:
        draft.fault(element.line, what, f"a subpotential of {missing[0][:80]}", NOTHING)
        return None
    silent = np.eye(family.child.cardinality)[:1]
    leak = found.get("", silent)[0]
    return MaxFamily(family, tuple(found[name] for name in parts), leak, least_last=lowest)
