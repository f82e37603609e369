"""Noisy-MAX families as files hold them, and the families of a network that they become.

A file gives, for each state of each parent, the distribution of the child where that parent alone
acts, and that of the leak. The child's level is the highest of them (Díez 1993). Two forms are
made of it:

- a noisy-OR or noisy-MAX of the network, where every parent has two states and one of them is
  without effect. These families want their states in one order, the least level first and the state
  without effect first, so the states of such variables are turned round;
- the table that it stands for, where there is no such order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bayesdx.formats.draft import Draft, Family
from bayesdx.network.cpds import CPD, FloatArray, NoisyMaxCPD, NoisyOrCPD, TableCPD
from bayesdx.network.variables import Variable


@dataclass(frozen=True, eq=False)
class MaxFamily:
    """A noisy-MAX of a file.

    Attributes
    ----------
    family : Family
        Of at least one parent; its table need not fit anywhere.
    effects : tuple of array (S_parent, S)
        For each parent P(level | it alone acts, in each of its states), the least level first.
    leak : array (S,)
        The same where none acts.
    least_last : bool
        Whether the child's last state is its least level, and not its first one.
    """

    family: Family
    effects: tuple[FloatArray, ...]
    leak: FloatArray
    least_last: bool

    def turned(self) -> Mapping[str, bool] | None:
        """Return whose states are to be turned round for a noisy family; None where it is none."""
        if self.family.child.cardinality < 2 or not self.family.parents:
            return None
        turned = {self.family.child.name: self.least_last}
        for parent, effect in zip(self.family.parents, self.effects, strict=True):
            silent = (effect[:, 0] == 1.0).tolist()
            if len(silent) != 2 or not any(silent):
                return None
            turned[parent.name] = not silent[0]
        return turned

    def noisy(self, turned: Mapping[str, bool]) -> NoisyOrCPD | NoisyMaxCPD:
        """Return the family of a network whose states are turned so."""
        parents = tuple(parent.name for parent in self.family.parents)
        acting = [
            effect[0 if turned[name] else 1]
            for name, effect in zip(parents, self.effects, strict=True)
        ]
        exceed, leak = _exceedances(np.stack(acting)), _exceedances(self.leak)
        if len(leak) == 1:
            return NoisyOrCPD(self.family.child.name, parents, exceed[:, 0], float(leak[0]))
        return NoisyMaxCPD(self.family.child.name, parents, exceed, leak)

    def rows(self) -> FloatArray:
        """Return the table, shape (rows, S): products of P(at most a level)."""
        sizes = [parent.cardinality for parent in self.family.parents]
        width = self.family.child.cardinality
        table = self.leak.cumsum().reshape((1,) * len(sizes) + (width,))
        for axis, effect in enumerate(self.effects):
            shape = [1] * len(sizes) + [width]
            shape[axis] = sizes[axis]
            table = table * effect.cumsum(axis=1).reshape(shape)
        rows = np.diff(table, axis=-1, prepend=0.0).reshape(-1, width)
        return rows[:, ::-1] if self.least_last else rows


def take_in(draft: Draft, families: Sequence[MaxFamily]) -> None:
    """Take noisy-MAX families into a draft, and turn round the states that they want turned.

    Where two of them want the same states in different orders, the one of more parents has its way
    and the other becomes a table.

    Parameters
    ----------
    draft : Draft
        With every variable and every other table.
    families : sequence of MaxFamily
    """
    turned: dict[str, bool] = {}
    for family in sorted(families, key=lambda one: -len(one.family.parents)):
        wanted = family.turned()
        if wanted is not None and all(turned.get(k, v) == v for k, v in wanted.items()):
            turned |= wanted
            draft.tables[family.family.child.name] = family.noisy(wanted)
        elif draft.bounded(family.family) is not None:
            draft.define(family.family, family.rows())
    _turn(draft, {name for name, whether in turned.items() if whether})


def _turn(draft: Draft, names: set[str]) -> None:
    for name in names:
        variable = draft.variables[name]
        draft.variables[name] = Variable(name, variable.states[::-1], variable.label)
    for child, cpd in draft.tables.items():
        if isinstance(cpd, TableCPD) and names.intersection((*cpd.parents, child)):
            draft.tables[child] = _turned_table(cpd, names)


def _turned_table(cpd: TableCPD, names: Iterable[str]) -> CPD:
    axes = tuple(axis for axis, name in enumerate((*cpd.parents, cpd.child)) if name in names)
    return TableCPD(cpd.child, cpd.parents, np.flip(cpd.values, axis=axes))


def _exceedances(levels: FloatArray) -> FloatArray:
    """P(above each level but the highest), shape (..., S - 1), from P(level)."""
    above = levels[..., :0:-1].cumsum(axis=-1)[..., ::-1]
    result: FloatArray = np.minimum(above, 1.0)
    return result
