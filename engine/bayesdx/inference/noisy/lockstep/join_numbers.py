"""The numbers of cases of one graph, by its nodes: widths, starts, effects, priors.

Unlike in a frontier, the start of an axis is taken account of when the axis closes: before, a
table holds what its own causes reach, beginning with ``(1, 0)``, component 1 in units of s, what
component 0 is worth. An axis that leans to absent holds ``(1, Q)`` in place of ``(1, 1 - Q)``, of
which tables are products. With the components (x0, x1, x2, x3) of
`bayesdx.inference.noisy.operator`, its likelihood is ``x1 Q + s (1 - Q)``; where a leak that is
inhibited is a node with the components (1, H), it is ``(x1 + x3) Q + s (1 - Q) + (x2 - x3) Q H``.

All numbers are arrays with a last dimension over the m cases.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray
from bayesdx.inference.noisy.lane_order import bits
from bayesdx.inference.noisy.lockstep.core_cases import CoreCases
from bayesdx.inference.noisy.lockstep.join_order import JoinGraph
from bayesdx.inference.noisy.lockstep.join_steps import JoinStep, Layout
from bayesdx.inference.noisy.lockstep.production import Production
from bayesdx.inference.noisy.lockstep.workspace import divided
from bayesdx.inference.noisy.model import GAIN, KEEP, LEAK_GAIN


class AxisStart(NamedTuple):
    """How an axis of a finding begins.

    Attributes
    ----------
    share : array (m,)
        What component 0 is worth in units of component 1.
    spared, leak : arrays (m,)
        What Q and, where the leak is a node, Q H are worth.
    weight : array (m,)
        As a symptom, -1 if it is none.
    symptom, multiplied : bool arrays (m,)
        Whether it is asked what produced the finding; whether the axis leans to absent and holds Q.
    """

    share: FloatArray
    spared: FloatArray
    leak: FloatArray
    weight: FloatArray
    symptom: BoolArray
    multiplied: BoolArray

    def in_units(self, array: FloatArray) -> FloatArray:
        """Divide by what component 0 is worth; 0 where that is 0, and the case impossible."""
        return divided(array, self.share)


class NodeNumbers:
    """Numbers of m cases.

    Parameters
    ----------
    cases : CoreCases
        Of one graph.
    graph : JoinGraph
    production : Production, optional
        As of `Shares`.
    """

    def __init__(self, cases: CoreCases, graph: JoinGraph, production: Production | None) -> None:
        self.cases, self.graph, self.made = cases, graph, production
        self.rows = cases.core.rows
        self.n_axes = (graph.findings | graph.risks).bit_length()
        self.axis_of = dict(graph.leaks)
        self.leaky = {axis for _, axis in graph.leaks}
        self.width = [round(2.0**own) for own in graph.log2]
        self.starts = {p: self._start(p) for p in bits(graph.findings)}

    def _start(self, axis: int) -> AxisStart:
        _, x1, x2, x3 = self.cases.vectors[:, axis, :4].T
        if axis not in self.leaky:
            x2 = x3 = np.zeros(len(self.rows))
        weight = np.full(len(self.rows), -1.0)
        if self.made is not None:
            weight = self.made.weight[self.rows, self.slots(axis)]
        share, spared, symptom = self.cases.present[:, axis], x1 + x3, weight >= 0.0
        multiplied = (spared > share) & ~symptom
        return AxisStart(share, spared, x2 - x3, weight, symptom, multiplied)

    def kinds(self) -> BoolArray:
        """What is done along each finding, (m, 2 findings); cases that are alike go together."""
        own = [part for one in self.starts.values() for part in (one.symptom, one.multiplied)]
        return np.array(own, dtype=bool).reshape(len(own), len(self.rows)).T

    def slots(self, axis: int) -> IntArray:
        """Slot of an axis in each case."""
        return self.cases.core.slots[:, axis]

    def is_symptom(self, node: int) -> bool:
        """Whether it is asked what produced a finding."""
        return node in self.starts and bool(self.starts[node].symptom[0])

    def is_multiplied(self, node: int) -> bool:
        """Whether tables are multiplied along a node: all but findings that are reached."""
        return node not in self.starts or bool(self.starts[node].multiplied[0])

    def shape(self, layout: Layout, own: int) -> list[int]:
        """Lengths of dimensions, 1 for nodes that are not in the set ``own``."""
        return [self.width[x] if own >> x & 1 else 1 for x in layout]

    def names(self, cause: int) -> IntArray:
        """Position of a cause in the model, of each case."""
        result: IntArray = self.cases.core.causes[cause - self.n_axes]
        return result

    def entries(self, layout: Layout, cause: int) -> IntArray:
        """Entry of a cause's table by the states of its risks."""
        names, row = self.names(cause), np.arange(len(self.rows))
        entries: IntArray = np.broadcast_to(
            self.cases.model.prior_offset[names], (*(1 for _ in layout), len(row))
        )
        for risk in bits(self.graph.near[cause] & self.graph.risks):
            states: IntArray = np.arange(self.width[risk])
            states = states.reshape([*self.shape(layout, 1 << risk), 1])
            strides = self.cases.table_strides(row, np.full_like(row, risk), names)
            entries = entries + states * strides
        return entries

    def prior(self, step: JoinStep, cause: int) -> FloatArray:
        """Weights of a cause by its state and risks."""
        entries, row = self.entries(step.layout, cause), np.arange(len(self.rows))
        states = [self.cases.inactive[row, entries]]
        states += [self.cases.active[row, entries]] * (self.width[cause] - 1)
        return np.concatenate(states, axis=step.layout.index(cause))

    def effect(self, cause: int, node: int) -> tuple[FloatArray, FloatArray]:
        """Gain and keep of component 1."""
        axis = self.axis_of.get(node, node)
        links = self.cases.model.axes.links[self.cases.axis[:, axis], self.names(cause)]
        nothing = np.zeros(len(links))
        if node != axis:
            return nothing, 1.0 - links[:, LEAK_GAIN]
        return nothing if self.is_multiplied(node) else links[:, GAIN], links[:, KEEP]

    def weights(self, step: JoinStep) -> list[FloatArray]:
        """What the states or components of a node are worth when it closes."""
        node, one = step.node, np.ones(len(self.rows))
        if self.graph.causes >> node & 1:
            return [one, one, 0.0 * one][: self.width[node]]
        if self.graph.risks >> node & 1:
            return list(self.cases.vectors[:, node, : self.width[node]].T)
        share, start = self.starts[node][:2]
        if node in self.leaky:
            return [share, one] if self.is_multiplied(node) else [0.0 * one, share]
        return [share, start - share] if self.is_multiplied(node) else [start, share - start]


def numbers_alike(
    cases: CoreCases, graph: JoinGraph, production: Production | None
) -> Iterator[NodeNumbers]:
    """Yield the numbers of cases of one graph, those together whose axes lean the same way."""
    numbers = NodeNumbers(cases, graph, production)
    kinds = numbers.kinds()
    _, kind = np.unique(kinds, axis=0, return_inverse=True)
    for one in range(int(kind.max(initial=0)) + 1):
        own = np.flatnonzero(kind.ravel() == one)
        yield numbers if len(own) == len(kinds) else NodeNumbers(cases.take(own), graph, production)
