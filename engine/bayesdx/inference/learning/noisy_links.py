"""A noisy family as small tables over hidden mechanisms, and the family read back from them.

Every link of a noisy-OR or noisy-MAX is a hidden variable: what this parent alone brings about
(Pearl 1988; Diez 1993). The child is the highest of them and of the leak, which is certain, so
that only the rows of the links, the leak and the inhibitors are numbers to learn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bayesdx.inference.arrays import BoolArray, FloatArray, frozen
from bayesdx.network.cpds import AnyOfCPD, NoisyCPD, NoisyMaxCPD, NoisyOrCPD


@dataclass(frozen=True, eq=False)
class ParameterTable:
    """A table of which some rows are learnt.

    Attributes
    ----------
    scope : tuple of int
        Positions of variables, parents first, the child last.
    table : array, one axis a variable of the scope
        The numbers to start from. A 0 stays 0.
    free : bool array, the shape of the parents
        Rows that are learnt.
    """

    scope: tuple[int, ...]
    table: FloatArray
    free: BoolArray


@dataclass(frozen=True, eq=False)
class MechanismTables:
    """The tables of one noisy family.

    Attributes
    ----------
    cpd : NoisyOrCPD, NoisyMaxCPD or AnyOfCPD
    tables : tuple of ParameterTable
    learnt : tuple of int
        Which of them hold a row that is learnt, their last one: the links in the order of the
        parents that bring the child about, then the leak, then the inhibitors.
    """

    cpd: NoisyCPD
    tables: tuple[ParameterTable, ...]
    learnt: tuple[int, ...]


def mechanism_tables(
    cpd: NoisyCPD, position: Mapping[str, int], rank: Mapping[str, int], cards: list[int]
) -> MechanismTables:
    """Write a noisy family as tables; hidden variables are appended to ``cards``.

    Links join in the order of ``rank``, one for all families: their chains run side by side.
    """
    _, exceed, leak, factor = cpd.mechanism
    size, learnt = len(leak) + 1, not isinstance(cpd, AnyOfCPD)
    child = position[cpd.child]
    inhibitors = cpd.inhibitors if isinstance(cpd, NoisyOrCPD) else ()
    acting = cpd.parents[: len(cpd.parents) - len(inhibitors)]
    tables: list[ParameterTable] = []
    first: list[int] = []  # the leak, then the inhibitors
    links: dict[int, int] = {}
    last = _fresh(cards, size) if cpd.parents else child
    first.append(len(tables))
    tables.append(ParameterTable((last,), frozen(levels(leak)), frozen(np.array(learnt))))
    for place, name in enumerate(inhibitors):
        whole = place == len(inhibitors) - 1 and not acting
        below = child if whole else _fresh(cards, size)
        first.append(len(tables))
        kept = float(factor[len(acting) + place])
        tables.append(_inhibitor((position[name], last, below), kept))
        last = below
    order = sorted(range(len(acting)), key=lambda place: rank[acting[place]])
    for place in order:
        brought = _fresh(cards, size)
        links[place] = len(tables)
        tables.append(_link((position[acting[place]], brought), exceed[place], free=learnt))
        higher = child if place == order[-1] else _fresh(cards, size)
        tables.append(_highest((last, brought, higher), size))
        last = higher
    shown = [*(links[place] for place in range(len(acting))), *first]
    return MechanismTables(cpd, tuple(tables), tuple(shown) if learnt else ())


def family_of(cpd: NoisyCPD, rows: Sequence[FloatArray]) -> NoisyCPD:
    """The family whose learnt rows these are, in the order of `MechanismTables.learnt`."""
    if isinstance(cpd, NoisyOrCPD):
        links, present = len(cpd.activators), [min(float(row[1]), 1.0) for row in rows]
        return NoisyOrCPD(
            cpd.child,
            cpd.activators,
            np.array(present[:links]),
            present[links],
            cpd.inhibitors,
            np.array(present[links + 1 :]),
        )
    if isinstance(cpd, NoisyMaxCPD):
        above = [exceedances(row) for row in rows]
        strengths = np.array(above[:-1]).reshape(cpd.strengths.shape)
        return NoisyMaxCPD(cpd.child, cpd.parents, strengths, above[-1])
    return cpd


def levels(exceed: FloatArray) -> FloatArray:
    """Probabilities of S levels from those of being above each but the highest, (S - 1,)."""
    found: FloatArray = -np.diff(np.concatenate([[1.0], exceed, [0.0]]))
    return found


def exceedances(row: FloatArray) -> FloatArray:
    """Undo `levels`."""
    above: FloatArray = np.minimum(np.cumsum(row[:0:-1])[::-1], 1.0)
    return above


def _fresh(cards: list[int], size: int) -> int:
    cards.append(size)
    return len(cards) - 1


def _link(scope: tuple[int, int], exceed: FloatArray, *, free: bool) -> ParameterTable:
    """What a parent brings about: nothing when it is inactive."""
    row = levels(exceed)
    table = np.stack([np.eye(len(row))[0], row])
    return ParameterTable(scope, frozen(table), frozen(np.array([False, free])))


def _inhibitor(scope: tuple[int, int, int], kept: float) -> ParameterTable:
    """A leak that is there stays with probability ``kept`` while the inhibitor is active."""
    table = np.array([[[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [1.0 - kept, kept]]])
    return ParameterTable(scope, frozen(table), frozen(np.array([[False, False], [False, True]])))


def _highest(scope: tuple[int, int, int], size: int) -> ParameterTable:
    table = np.zeros((size, size, size))
    left, right = np.indices((size, size))
    table[left, right, np.maximum(left, right)] = 1.0
    return ParameterTable(scope, frozen(table), frozen(np.zeros((size, size), dtype=np.bool_)))
