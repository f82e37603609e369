"""What pgmpy and pyAgrum make of a file, as plain tables; and random networks to write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyagrum
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from bayesdx import Network, Variable
from bayesdx.network import TableCPD


class Judged(NamedTuple):
    states: tuple[str, ...]
    parents: tuple[str, ...]
    table: NDArray[np.float64]  #: (*parents, child)


def of_pgmpy(model) -> dict[str, Judged]:
    judged = {}
    for cpd in model.get_cpds():
        table = np.moveaxis(np.asarray(cpd.values, dtype=np.float64), 0, -1)
        states = tuple(cpd.state_names[cpd.variable])
        judged[cpd.variable] = Judged(states, tuple(cpd.variables[1:]), table)
    return judged


def of_agrum(net: pyagrum.BayesNet) -> dict[str, Judged]:
    judged = {}
    for name in net.names():
        tensor = net.cpt(name)
        child, *parents = tensor.names
        # pyAgrum's arrays have its axes in reverse.
        axes = list(reversed(tensor.names))
        table = np.transpose(tensor.toarray(), [axes.index(one) for one in (*parents, child)])
        judged[name] = Judged(tuple(net.variable(name).labels()), tuple(parents), table)
    return judged


def assert_same(network: Network, judged: Mapping[str, Judged], within: float) -> None:
    """Names, states, and every number after rows are made to sum to 1."""
    assert set(network.variables) == set(judged)
    for name, variable in network.variables.items():
        assert variable.states == judged[name].states
        own, theirs = (*network.parents(name), name), (*judged[name].parents, name)
        assert set(own) == set(theirs)
        table = np.transpose(judged[name].table, [theirs.index(one) for one in own])
        table = table / table.sum(axis=-1, keepdims=True)
        ours = network.table(name)
        ours = ours / ours.sum(axis=-1, keepdims=True)
        np.testing.assert_allclose(ours, table, rtol=0, atol=within, err_msg=name)


@st.composite
def networks(draw: st.DrawFn, names: st.SearchStrategy[str], states: st.SearchStrategy[str]):
    """Draw small networks; a variable's parents are among those before it, in any order."""
    labels = draw(st.lists(names, min_size=1, max_size=5, unique=True))
    variables = [
        Variable(name, tuple(draw(st.lists(states, min_size=1, max_size=4, unique=True))))
        for name in labels
    ]
    cpds = []
    for at, variable in enumerate(variables):
        parents = draw(st.permutations(variables[:at]))[: draw(st.integers(0, 3))]
        shape = (*(parent.cardinality for parent in parents), variable.cardinality)
        weights = draw(hnp.arrays(np.float64, shape, elements=st.floats(0, 1, width=32)))
        weights[..., 0] += 1e-3
        table = weights / weights.sum(axis=-1, keepdims=True)
        cpds.append(TableCPD(variable.name, tuple(one.name for one in parents), table))
    return Network(draw(st.permutations(variables)), cpds)
