"""Networks of pgmpy, to and from: the only place that imports it, and only when called."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesdx.errors import NOTHING, BayesdxError, Fault, InvalidNetwork, Phrase
from bayesdx.formats.draft import Draft, Family
from bayesdx.network.cpds import FloatArray
from bayesdx.network.network import Network

if TYPE_CHECKING:
    from pgmpy.factors.discrete import TabularCPD
    from pgmpy.models import DiscreteBayesianNetwork

SOURCE = "pgmpy model"


def to_pgmpy(network: Network) -> DiscreteBayesianNetwork:
    """Return a network as one of pgmpy, with the same names, states and order of parents.

    Parameters
    ----------
    network : Network
        Noisy families become the tables that they stand for.

    Returns
    -------
    pgmpy.models.DiscreteBayesianNetwork
        Its nodes in the order of ``network.variables``. pgmpy's tables have shape
        ``(child, product of parents)``.

    Raises
    ------
    InvalidNetwork
        If a noisy family would need a table that is too large.
    BayesdxError
        If pgmpy is not installed.

    Examples
    --------
    >>> import bayesdx
    >>> from bayesdx import Network, TableCPD, Variable
    >>> rain = Network([Variable("rain", ("no", "yes"))], [TableCPD("rain", (), [0.8, 0.2])])
    >>> bayesdx.from_pgmpy(bayesdx.to_pgmpy(rain)).digest == rain.digest
    True
    """
    try:
        from pgmpy.factors.discrete import TabularCPD
        from pgmpy.models import DiscreteBayesianNetwork
    except ModuleNotFoundError as reason:
        expected = "the extra 'pgmpy' (pip install 'bayesdx[pgmpy]')"
        raise BayesdxError(Fault("to_pgmpy", expected, Phrase(f"no {reason.name}"))) from None

    if not isinstance(network, Network):
        raise InvalidNetwork(Fault("network", "a Network", network))
    model = DiscreteBayesianNetwork()
    model.add_nodes_from(network.variables)
    model.add_edges_from(
        (parent, name) for name in network.variables for parent in network.parents(name)
    )
    for name, variable in network.variables.items():
        parents = network.parents(name)
        table = network.table(name)
        cpd = TabularCPD(
            name,
            variable.cardinality,
            # Our rows are its columns. A copy: ours are read-only.
            table.reshape(-1, variable.cardinality).T.copy(),
            evidence=list(parents) or None,
            evidence_card=list(table.shape[:-1]) or None,
            state_names={one: list(network.variables[one].states) for one in (name, *parents)},
        )
        model.add_cpds(cpd)
    return model


def from_pgmpy(model: DiscreteBayesianNetwork, *, normalise: bool = False) -> Network:
    """Return a network of pgmpy as one of ours.

    Parameters
    ----------
    model : pgmpy.models.DiscreteBayesianNetwork
        With a table for each node. Names and states that are not text become text.
    normalise : bool
        As for `read_network`.

    Returns
    -------
    Network
        With the order of nodes and of parents that the model's tables have.

    Raises
    ------
    InvalidNetwork
        With all faults: nodes without a table, names that are the same as text, a parent that has
        other states in a child's table, probabilities that do not sum to 1 within 1e-6.

    Warns
    -----
    InexactNetworkWarning
        See `read_network`.

    Examples
    --------
    >>> import bayesdx
    >>> from bayesdx import Network, TableCPD, Variable
    >>> rain = Network([Variable("rain", ("no", "yes"))], [TableCPD("rain", (), [0.8, 0.2])])
    >>> bayesdx.from_pgmpy(bayesdx.to_pgmpy(rain)).digest == rain.digest
    True
    """
    if not hasattr(model, "get_cpds"):
        raise InvalidNetwork(Fault("model", "a Bayesian network of pgmpy", model))
    draft = Draft(SOURCE, normalise=normalise)
    cpds = {str(cpd.variable): cpd for cpd in model.get_cpds()}
    for node in map(str, model.nodes()):
        if node in cpds:
            cpd = cpds[node]
            draft.declare(0, node, list(map(str, cpd.state_names[cpd.variable])))
        else:
            draft.fault(0, f"node {node[:80]}", "a table", NOTHING)
            draft.spoil(node)
    for name, cpd in cpds.items():
        # Not get_evidence(), which has them in reverse.
        family = draft.family(0, name, list(map(str, cpd.variables[1:])))
        values = _values(draft, family, cpd) if family is not None else None
        if family is not None and values is not None:
            draft.define(family, values)
    edges = {(str(parent), str(child)) for parent, child in model.edges()}
    tabled = {(parent, table.child) for table in draft.tables.values() for parent in table.parents}
    if not draft.faults and edges != tabled:
        first = " -> ".join(sorted(edges ^ tabled)[0])
        raise InvalidNetwork(Fault(SOURCE, "the same links in graph and tables", Phrase(first)))
    return draft.network()


def _values(draft: Draft, family: Family, cpd: TabularCPD) -> FloatArray | None:
    """Return the numbers of a table, shape (rows, S), each axis in the order of its variable."""
    values = np.asarray(cpd.values, dtype=np.float64)
    for axis, variable in enumerate((family.child, *family.parents)):
        states = list(map(str, cpd.state_names[cpd.variables[axis]]))
        if sorted(states) != sorted(variable.states):
            what = f"probability of {family.child.name[:80]}"
            expected = f"the states of {variable.name[:80]} as it has them itself"
            draft.fault(0, what, expected, Phrase(repr(states)[:70]))
            return None
        # A table may name the states of a parent in an order of its own.
        values = values.take([states.index(state) for state in variable.states], axis=axis)
    return np.moveaxis(values, 0, -1).reshape(family.rows, -1)
