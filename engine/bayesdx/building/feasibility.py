"""The upper layers, risks and causes, under D draws of the stated numbers; and draws made feasible.

A drawn relative risk may ask for a probability above 1, a drawn prior for more people than the
requirement of its cause leaves. Such draws are repaired: of the numbers that are involved the first
whose stated value is enough by itself is put back; failing that, one after the other is. How often
that happens is reported, so that a number whose range cannot hold does not stay unseen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from operator import methodcaller

import numpy as np

from bayesdx.building.backgrounds import hidden_background
from bayesdx.inference.noisy.model import BoolArray, FloatArray, IntArray
from bayesdx.knowledge.addresses import Address, every_number
from bayesdx.knowledge.conditioning import (
    CauseTable,
    conditional_priors,
    joint,
    own_risks,
    raise_misfits,
)
from bayesdx.knowledge.knowledge import Knowledge

#: D draws of every number: arrays (D,), or (S, D) for the shares of a risk with S states.
Values = Mapping[Address, FloatArray]


def knowledge_values(knowledge: Knowledge) -> dict[Address, FloatArray]:
    """Return every number of the knowledge as one draw."""
    return {
        one.address: np.asarray(one.value, dtype=np.float64)[..., None]
        for one in every_number(knowledge)
    }


class UpperLayers:
    """Risks and causes under D draws of the numbers; a table is made when it is first asked for.

    Parameters
    ----------
    knowledge : Knowledge
        What acts on what; its numbers are not looked at.
    values : mapping of Address to array (D,) or (S, D)
    put_back : mapping of Address to bool array (D,)
        Where a number has its stated value because its drawn one could not hold; numbers without
        such a draw are left out.
    """

    def __init__(
        self,
        knowledge: Knowledge,
        values: Values,
        put_back: Mapping[Address, BoolArray] | None = None,
    ) -> None:
        self.knowledge = knowledge
        self.values = values
        self.put_back = put_back or {}
        self._tables: dict[str, CauseTable] = {}

    def __len__(self) -> int:
        return int(next(iter(self.values.values())).shape[-1]) if self.values else 0

    def shares(self, risk: str) -> FloatArray:
        """Return P(state) of a risk, (S, D)."""
        value = self.values[Address("prevalence", risk)]
        return value if value.ndim == 2 else np.stack([1.0 - value, value])

    def cause(self, name: str) -> CauseTable:
        """Return P(cause | risks)."""
        if name not in self._tables:
            cause, risks = self.knowledge.causes[name], self.knowledge.risks
            shares = {risk: self.shares(risk) for risk in own_risks(cause, risks)}
            effects = [self.values[Address("effect", name, i)] for i in range(len(cause.effects))]
            prior = self.values[Address("prior", name)]
            self._tables[name] = conditional_priors(cause, risks, shares, prior, effects)
        return self._tables[name]

    def background(self, name: str) -> CauseTable:
        """Return P(hidden cause | risks) of a finding whose background depends on risks."""
        finding = self.knowledge.findings[name]
        linked = [
            (self.cause(one.id), self.values[Address("prior", one.id)])
            for one in self.knowledge.causes.values()
            if one.kind == "cause" and name in one.links
        ]
        risks = {risk: self.shares(risk) for risk in self.knowledge.risks}
        effect = self.values.get(Address("background_effect", name, 0))
        background = self.values[Address("background", name)]
        return hidden_background(finding, self.knowledge.risks, risks, background, effect, linked)

    def refuse_misfits(self, causes: Collection[str] | None = None) -> None:
        """Raise `InvalidKnowledge` where the first draw contradicts itself; in some causes only."""
        for name, cause in self.knowledge.causes.items():
            if cause.kind == "cause" and (causes is None or name in causes):
                prior = float(self.values[Address("prior", name)][0])
                raise_misfits(f"causes/{name}.toml:", self.cause(name), prior)
        for name, finding in self.knowledge.findings.items():
            if finding.background_effects:
                raise_misfits(f"findings.toml:{name}", self.background(name), math.nan)

    def mean(self, table: CauseTable) -> FloatArray:
        """Average a table over its risks, (D,)."""
        weights = joint([self.shares(risk) for risk in table.risks])
        axes = tuple(range(len(table.risks)))
        return np.asarray((weights * table.table).sum(axis=axes))

    def take(self, draws: IntArray) -> UpperLayers:
        """Return some of the draws."""
        return UpperLayers(
            self.knowledge, {one: value[..., draws] for one, value in self.values.items()}
        )

    def with_stated(self, address: Address, draws: IntArray, stated: Values) -> UpperLayers:
        """Put the stated value of a number back into some draws."""
        value = self.values[address].copy()
        value[..., draws] = stated[address]
        marks = self.put_back.get(address, np.zeros(len(self), dtype=bool)).copy()
        marks[draws] = True
        return UpperLayers(
            self.knowledge, {**self.values, address: value}, {**self.put_back, address: marks}
        )


_Table = Callable[[UpperLayers], CauseTable]


def repaired(layers: UpperLayers, stated: Values) -> UpperLayers:
    """Put stated values back until every draw holds together.

    Parameters
    ----------
    layers : UpperLayers
    stated : mapping of Address to array (1,) or (S, 1)
        The stated values.
    """
    parts = bound_tables(layers)
    changed = True
    while changed:
        # A risk that was put back may have spoilt a cause that was looked at before it.
        changed = False
        for suspects, table in parts:
            bad = np.flatnonzero(~table(layers).holds)
            if len(bad):
                layers, changed = _put_back(layers, stated, suspects, table, bad), True
    return layers


def bound_tables(layers: UpperLayers) -> list[tuple[list[Address], _Table]]:
    """List every table with the numbers that can keep it from holding, the likeliest first."""
    knowledge = layers.knowledge
    parts: list[tuple[list[Address], _Table]] = []
    for cause in knowledge.causes.values():
        if cause.kind == "cause":
            effects = [Address("effect", cause.id, index) for index in range(len(cause.effects))]
            own = [Address("prevalence", risk) for risk in own_risks(cause, knowledge.risks)]
            suspects = [Address("prior", cause.id), *effects, *own]
            parts.append((suspects, methodcaller("cause", cause.id)))
    for finding in knowledge.findings.values():
        if finding.background_effects:
            effect = Address("background_effect", finding.id, 0)
            risks = dict.fromkeys(name for one in finding.background_effects for name in one.when)
            suspects = [effect] if effect in layers.values else []
            suspects += [Address("background", finding.id)]
            suspects += [Address("prevalence", risk) for risk in risks]
            if effect not in layers.values:
                # How far its risks reach is seen from the causes that share them.
                linked = [one for one in knowledge.causes.values() if finding.id in one.links]
                suspects += [Address("prior", one.id) for one in linked]
                suspects += [
                    Address("effect", one.id, i) for one in linked for i in range(len(one.effects))
                ]
            parts.append((suspects, methodcaller("background", finding.id)))
    return parts


def _put_back(
    layers: UpperLayers,
    stated: Values,
    suspects: Sequence[Address],
    table: _Table,
    left: IntArray,
) -> UpperLayers:
    """Put back what is enough by itself; where nothing is, one after the other."""
    trial = layers.take(left)
    for one in suspects:
        enough = table(trial.with_stated(one, np.arange(len(left)), stated)).holds
        if enough.any():
            layers, left = layers.with_stated(one, left[enough], stated), left[~enough]
            trial = layers.take(left)
        if not len(left):
            return layers
    for one in suspects:
        layers = layers.with_stated(one, left, stated)
        left = left[~table(layers.take(left)).holds]
        if not len(left):
            break
    return layers
