"""A network as tables with rows that are learnt, and the network that learnt tables make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bayesdx.inference.arrays import FloatArray, frozen
from bayesdx.inference.general.factors import Factor, FactorNetwork
from bayesdx.inference.learning.noisy_links import (
    MechanismTables,
    ParameterTable,
    family_of,
    mechanism_tables,
)
from bayesdx.network.cpds import CPD, NoisyCPD, TableCPD
from bayesdx.network.network import Network


@dataclass(frozen=True, eq=False)
class NetworkParameters:
    """The tables of a network.

    Attributes
    ----------
    network : Network
        The one to start from.
    cards : tuple of int
        States of its variables, and of hidden mechanisms after them.
    tables : tuple of ParameterTable
        Parents before children.
    places : mapping of str to tuple of int
        Which tables hold the numbers of a variable, in the order in which they are shown.
    mechanisms : mapping of str to MechanismTables
        Variables with a noisy family.
    """

    network: Network
    cards: tuple[int, ...]
    tables: tuple[ParameterTable, ...]
    places: Mapping[str, tuple[int, ...]]
    mechanisms: Mapping[str, MechanismTables]

    def problem(self) -> FactorNetwork:
        """The tables to start from as factors."""
        factors = tuple(Factor(one.scope, one.table) for one in self.tables)
        return FactorNetwork(tuple(self.network.variables), self.cards, factors)

    def learnt(self, values: Sequence[FloatArray]) -> Network:
        """The network of other tables."""
        cpds: list[CPD] = []
        for name, cpd in self.network.cpds.items():
            own = [values[t] for t in self.places[name]]
            if name in self.mechanisms:
                kind = self.mechanisms[name].cpd
                cpds.append(family_of(kind, [last_row(table) for table in own]))
            else:
                cpds.append(TableCPD(name, cpd.parents, own[0]))
        return Network(self.network.variables.values(), cpds)

    def shown(self, name: str, values: Sequence[FloatArray]) -> FloatArray:
        """Numbers of a variable: its table, or a row a mechanism; read-only."""
        own = [values[t] for t in self.places[name]]
        if name not in self.mechanisms:
            return frozen(own[0])
        size = self.network.variables[name].cardinality
        rows = [last_row(table) for table in own]
        return frozen(np.array(rows).reshape(len(rows), size))


def network_parameters(network: Network) -> NetworkParameters:
    """Lay out what is learnt of a network.

    Parameters
    ----------
    network : Network
        Tables are learnt whole, zeros stay zeros; of noisy families the links, the leak and the
        inhibitors. Any-of families have no numbers.
    """
    position = {name: i for i, name in enumerate(network.variables)}
    rank = {name: i for i, name in enumerate(network.order)}
    cards = [variable.cardinality for variable in network.variables.values()]
    tables: list[ParameterTable] = []
    places: dict[str, tuple[int, ...]] = {}
    mechanisms: dict[str, MechanismTables] = {}
    for name in network.order:
        cpd = network.cpds[name]
        if isinstance(cpd, NoisyCPD):
            made = mechanism_tables(cpd, position, rank, cards)
            mechanisms[name] = made
            places[name] = tuple(len(tables) + t for t in made.learnt)
            tables += made.tables
        else:
            table = network.table(name)
            table = table / table.sum(axis=-1, keepdims=True)
            scope = (*(position[parent] for parent in cpd.parents), position[name])
            free = np.ones(table.shape[:-1], dtype=np.bool_)
            places[name] = (len(tables),)
            tables.append(ParameterTable(scope, frozen(table), frozen(free)))
    return NetworkParameters(network, tuple(cards), tuple(tables), places, mechanisms)


def last_row(table: FloatArray) -> FloatArray:
    """The row of active parents: the only one of a mechanism that is learnt."""
    found: FloatArray = table.reshape(-1, table.shape[-1])[-1]
    return found
