"""A network as bare factors: what elimination works on.

Variables become positions. Every distribution becomes one factor, except wide noisy families:
those become a chain of small factors over auxiliary variables (temporal decomposition, Heckerman
1993), because the table of a noisy-OR with twenty parents has two million cells and its chain 160.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeGuard

import numpy as np

from bayesdx.errors import Fault, InvalidNetwork, Phrase
from bayesdx.inference.arrays import FloatArray, frozen
from bayesdx.network.cpds import CPD, NoisyCPD
from bayesdx.network.link_table import link_table
from bayesdx.network.network import Network

#: Noisy families of more parents than this are decomposed: a table of 2**4 rows is as cheap.
WIDEST_TABLE = 4
#: A number that is small beyond what anybody means: a few of them multiplied are no float.
TINY = 1e-60


@dataclass(frozen=True, eq=False)
class Factor:
    """A non-negative function of some variables.

    Attributes
    ----------
    scope : tuple of int
        Positions of variables, one an axis.
    table : array, one axis a variable of the scope
    """

    scope: tuple[int, ...]
    table: FloatArray


@dataclass(frozen=True, eq=False)
class FactorNetwork:
    """The factors of a network.

    Attributes
    ----------
    names : tuple of str
        The variables of the network, in its order; auxiliary variables have no name.
    cards : tuple of int
        Number of states of every variable, those of the network first, auxiliary ones after them.
    factors : tuple of Factor
        Their product is the joint distribution.
    tiny : bool
        Whether an entry is below `TINY`: cases are then answered in logs.
    """

    names: tuple[str, ...]
    cards: tuple[int, ...]
    factors: tuple[Factor, ...]
    tiny: bool = False

    @property
    def n_named(self) -> int:
        """Number of variables that can be observed and asked for."""
        return len(self.names)


def factor_network(network: Network) -> FactorNetwork:
    """Write a network as factors.

    Returns
    -------
    FactorNetwork
        Variables stand in the order of ``network.variables``.

    Raises
    ------
    InvalidNetwork
        If a table has more cells than a network may hold.
    """
    names = tuple(network.variables)
    position = {name: i for i, name in enumerate(names)}
    cards = [network.variables[name].cardinality for name in names]
    rank = {name: i for i, name in enumerate(network.order)}
    factors: list[Factor] = []
    for name in network.order:
        cpd = network.cpds[name]
        if is_wide(cpd):
            factors += chain(cpd, position, rank, cards)
        else:
            scope = (*(position[parent] for parent in cpd.parents), position[name])
            factors.append(Factor(scope, frozen(network.table(name))))
    tiny = any(least_entry(factor.table) < TINY for factor in factors)
    return FactorNetwork(names, tuple(cards), tuple(factors), tiny)


def least_entry(table: FloatArray) -> float:
    """The least entry above 0, 1 at most."""
    return float(np.min(table, where=table > 0.0, initial=1.0))


def memory_refusal(place: str, memory_limit: float, needed: float, detail: str) -> InvalidNetwork:
    """What is said where something does not fit; short enough to be shown whole."""
    expected = f"a memory need of at most {memory_limit:.3g} bytes"
    found = f"at least {needed:.3g} bytes ({detail} cells; memory_limit may be raised)"
    return InvalidNetwork(Fault(place, expected, Phrase(found)))


def is_wide(cpd: CPD) -> TypeGuard[NoisyCPD]:
    """Whether a family is decomposed rather than expanded: the wide, and those of tiny numbers.

    Products of tiny numbers may be no floats; in a chain each stands alone, and the sweeps watch
    what they multiply.
    """
    if not isinstance(cpd, NoisyCPD) or not cpd.parents:
        return False
    if len(cpd.parents) > WIDEST_TABLE:
        return True
    _, exceed, leak, factor = cpd.mechanism
    return min(map(least_entry, (exceed, leak, factor))) < TINY


def chain(
    cpd: NoisyCPD, position: Mapping[str, int], rank: Mapping[str, int], cards: list[int]
) -> list[Factor]:
    """Factors of a wide family; appends its auxiliary variables to ``cards``.

    The level so far starts at the leak; each link takes in one parent more and the last one makes
    the child. Parents come in one order for all families, so that chains run side by side.
    """
    parents, exceed, leak, factor = cpd.mechanism
    size, child = len(leak) + 1, position[cpd.child]
    # What lowers the leak, and nothing else, comes first.
    order = sorted(range(len(parents)), key=lambda p: (factor[p] == 1.0, rank[parents[p]]))
    last = len(cards)
    cards.append(size)
    start = -np.diff(np.concatenate([[1.0], leak, [0.0]]))
    factors = [Factor((last,), frozen(start))]
    for p in order:
        if p == order[-1]:
            step = child
        else:
            step = len(cards)
            cards.append(size)
        link = link_table(exceed[p], float(factor[p]))
        factors.append(Factor((position[parents[p]], last, step), frozen(link)))
        last = step
    return factors
