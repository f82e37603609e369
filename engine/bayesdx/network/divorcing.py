"""Wide noisy families as many small tables: what files and programs without noisy families hold.

The table of a noisy-OR of twenty parents has two million numbers. *Parent divorcing* (Olesen et al.
1989) puts variables between: the level that the first parents bring about, then the one of these
and a parent more, up to the child. Each of their tables has two parents. What the network says of
its own variables is the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np

from bayesdx.network.cpds import CPD, NoisyCPD, NoisyOrCPD, TableCPD
from bayesdx.network.link_table import link_table
from bayesdx.network.network import Network
from bayesdx.network.variables import Variable

#: Noisy families of more parents than this are divorced where only tables can be written.
WIDEST_WRITTEN = 8


def divorced(
    network: Network, widest: int = WIDEST_WRITTEN, only: Collection[str] | None = None
) -> Network:
    """Write noisy families of more than `widest` parents as chains of small tables.

    Parameters
    ----------
    network : Network
    widest : int
        At least 1.
    only : collection of str, optional
        Children that may be divorced; all by default.

    Returns
    -------
    Network
        The same variables in the same order, then the auxiliary ones: of a child ``fever`` they are
        ``fever_part1``, ``fever_part2``, …, with the states of the child. The network itself where
        no family is wide.

    Examples
    --------
    >>> from bayesdx import Network, NoisyOrCPD, TableCPD, Variable
    >>> from bayesdx.network.divorcing import divorced
    >>> causes = [f"c{i}" for i in range(30)]
    >>> cpds = [TableCPD(name, (), [0.9, 0.1]) for name in causes]
    >>> fever = NoisyOrCPD("fever", tuple(causes), [0.5] * 30, 0.01)
    >>> wide = Network([Variable(name) for name in [*causes, "fever"]], [*cpds, fever])
    >>> max(len(divorced(wide).parents(name)) for name in divorced(wide).variables)
    2
    """
    variables = list(network.variables.values())
    names, cpds = _FreeNames(network), list[CPD]()
    rank = {name: at for at, name in enumerate(network.order)}
    for name, cpd in network.cpds.items():
        wide = isinstance(cpd, NoisyCPD) and len(cpd.parents) > max(widest, 1)
        if wide and (only is None or name in only):
            assert isinstance(cpd, NoisyCPD)
            chain = list(_chain(cpd, rank, names))
            states = network.variables[name].states
            variables += [Variable(step.child, states) for step in chain[:-1]]
            cpds += chain
        else:
            cpds.append(cpd)
    return network if len(cpds) == len(network.cpds) else Network(variables, cpds)


def leaks_apart(network: Network) -> Network:
    """Write leaks that are inhibited as variables of their own.

    What is left are noisy families as other programs know them: an inhibited leak is one parent
    more, whose link is certain, and nothing else leaks.

    Returns
    -------
    Network
        The same variables in the same order, then ``NAME_leak`` of each child NAME that has both
        activators and inhibitors: a noisy-OR of inhibitors alone. The network itself where there
        is no such child.

    Examples
    --------
    >>> from bayesdx import Network, NoisyOrCPD, TableCPD, Variable
    >>> from bayesdx.network.divorcing import leaks_apart
    >>> causes = [TableCPD(name, (), [0.5, 0.5]) for name in ("load", "rest")]
    >>> pain = NoisyOrCPD("pain", ("load",), [0.7], 0.4, ("rest",), [0.5])
    >>> inhibited = Network([Variable(name) for name in ("load", "rest", "pain")], [*causes, pain])
    >>> leaks_apart(inhibited).parents("pain")
    ('load', 'pain_leak')
    """
    variables, names = list(network.variables.values()), _FreeNames(network)
    cpds: list[CPD] = []
    for name, cpd in network.cpds.items():
        if not (isinstance(cpd, NoisyOrCPD) and cpd.inhibitors and cpd.activators):
            cpds.append(cpd)
            continue
        leak = names.take(f"{name}_leak")
        variables.append(Variable(leak, network.variables[name].states))
        activators, strengths = (*cpd.activators, leak), np.append(cpd.strengths, 1.0)
        cpds.append(NoisyOrCPD(leak, (), np.zeros(0), cpd.leak, cpd.inhibitors, cpd.factors))
        cpds.append(NoisyOrCPD(name, activators, strengths, 0.0))
    return network if len(cpds) == len(network.cpds) else Network(variables, cpds)


class _FreeNames:
    """Names that a network does not use yet."""

    def __init__(self, network: Network) -> None:
        self._taken = set(network.variables)

    def take(self, name: str) -> str:
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name


def _chain(cpd: NoisyCPD, rank: dict[str, int], names: _FreeNames) -> Iterator[TableCPD]:
    """Tables of a family, those of the auxiliary variables first.

    Parents come in one order for all families, so that few of the chains are open at once when
    variables are summed out in it.
    """
    parents, exceed, leak, factor = cpd.mechanism
    # What lowers the leak, and nothing else, comes before anything is added to it.
    order = sorted(range(len(parents)), key=lambda p: (factor[p] == 1.0, rank[parents[p]]))
    first = order[0]
    above = np.stack([leak, exceed[first] + factor[first] * leak * (1.0 - exceed[first])])
    ones, zeros = np.ones((2, 1)), np.zeros((2, 1))
    begun = -np.diff(np.concatenate([ones, above, zeros], axis=1), axis=1)
    last = names.take(f"{cpd.child}_part1")
    yield TableCPD(last, (parents[first],), begun)
    for number, p in enumerate(order[1:], 2):
        whole = number == len(order)
        step = cpd.child if whole else names.take(f"{cpd.child}_part{number}")
        yield TableCPD(step, (parents[p], last), link_table(exceed[p], float(factor[p])))
        last = step
