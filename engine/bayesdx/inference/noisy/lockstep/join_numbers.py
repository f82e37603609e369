"""The numbers of one case by the nodes of its graph: widths, starts, effects, priors.

Unlike in a frontier, the start of an axis is taken account of when the axis closes: before, a table
holds what its own causes reach, beginning with ``(1, 0)``. An axis that leans to absent holds
``(1, Q)`` in place of ``(1, s (1 - Q))``, of which tables are products. With the components
(x0, x1, x2, x3) of `bayesdx.inference.noisy.operator` and s what component 0 is worth in units of
component 1, its likelihood is ``x1 Q + s (1 - Q)``; where a leak that is inhibited is a node with
the components (1, H), it is ``(x1 + x3) Q + s (1 - Q) + (x2 - x3) Q H``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bayesdx.inference.arrays import FloatArray, IntArray
from bayesdx.inference.noisy.lane_order import bits
from bayesdx.inference.noisy.lockstep.core_cases import CoreCases
from bayesdx.inference.noisy.lockstep.join_order import JoinGraph
from bayesdx.inference.noisy.lockstep.join_steps import JoinStep, Layout
from bayesdx.inference.noisy.lockstep.production import Production
from bayesdx.inference.noisy.model import GAIN, KEEP, LEAK_GAIN


class AxisStart(NamedTuple):
    """How an axis of a finding begins.

    Attributes
    ----------
    share : float
        What component 0 is worth in units of component 1.
    spared, leak : float
        What Q and, where the leak is a node, Q H are worth.
    multiplied : bool
        Whether it leans to absent, and holds Q.
    symptom : float
        Its weight as a symptom, -1 if it is none.
    """

    share: float
    spared: float
    leak: float
    multiplied: bool
    symptom: float


class NodeNumbers:
    """Numbers of one case.

    Parameters
    ----------
    cases : CoreCases
        Of one case.
    graph : JoinGraph
    production : Production, optional
        As of `Shares`.
    """

    def __init__(self, cases: CoreCases, graph: JoinGraph, production: Production | None) -> None:
        self.cases, self.graph, self.made = cases, graph, production
        self.row = int(cases.core.rows[0])
        self.n_axes = (graph.findings | graph.risks).bit_length()
        self.axis_of = dict(graph.leaks)
        self.leaky = {axis for _, axis in graph.leaks}
        self.width = [round(2.0**own) for own in graph.log2]
        self.starts = {p: self._start(p) for p in bits(graph.findings)}
        # Nodes along which tables are multiplied: all but findings that are reached.
        self.multiplied = ~sum(1 << p for p, one in self.starts.items() if not one.multiplied)

    def _start(self, axis: int) -> AxisStart:
        cases, share = self.cases, float(self.cases.present[0, axis])
        _, x1, x2, x3 = cases.vectors[0, axis, :4].tolist()
        if axis not in self.leaky:
            x2 = x3 = 0.0
        symptom = -1.0
        if self.made is not None:
            symptom = float(self.made.weight[self.row, cases.core.slots[0, axis]])
        return AxisStart(share, x1 + x3, x2 - x3, x1 + x3 > share and symptom < 0.0, symptom)

    def shape(self, layout: Layout, own: int) -> list[int]:
        """Lengths of dimensions, 1 for nodes that are not in the set ``own``."""
        return [self.width[x] if own >> x & 1 else 1 for x in layout]

    def name(self, cause: int) -> int:
        """Position of a cause in the model."""
        return int(self.cases.core.causes[cause - self.n_axes, 0])

    def entries(self, layout: Layout, cause: int) -> IntArray:
        """Entry of a cause's table by the states of its risks."""
        cases, name = self.cases, self.name(cause)
        entries: IntArray = np.full([1] * len(layout), cases.model.prior_offset[name])
        risks = bits(self.graph.near[cause] & self.graph.risks)
        case = np.zeros(len(risks), dtype=np.intp)
        strides = cases.table_strides(case, np.array(risks, dtype=np.intp), np.array(name))
        for risk, stride in zip(risks, strides.tolist(), strict=True):
            states = stride * np.arange(self.width[risk])
            entries = entries + states.reshape(self.shape(layout, 1 << risk))
        return entries

    def prior(self, step: JoinStep, cause: int) -> FloatArray:
        """Weights of a cause by its state and risks."""
        entries = self.entries(step.layout, cause)
        states = [self.cases.inactive[0][entries]]
        states += [self.cases.active[0][entries]] * (self.width[cause] - 1)
        return np.concatenate(states, axis=step.layout.index(cause))

    def effect(self, cause: int, node: int) -> tuple[float, float]:
        """Gain and keep of component 1."""
        axis = self.axis_of.get(node, node)
        links = self.cases.model.axes.links[self.cases.axis[0, axis], self.name(cause)]
        if node != axis:
            return 0.0, 1.0 - float(links[LEAK_GAIN])
        start = self.starts[node]
        return 0.0 if start.multiplied else float(links[GAIN]) * start.share, float(links[KEEP])

    def is_symptom(self, node: int) -> bool:
        """Whether it is asked what produced a finding."""
        return node in self.starts and self.starts[node].symptom >= 0.0

    def weights(self, step: JoinStep) -> list[float]:
        """What the states or components of a node are worth when it closes."""
        node = step.node
        if self.graph.causes >> node & 1:
            return [1.0, 1.0, 0.0][: self.width[node]]
        if self.graph.risks >> node & 1:
            return [float(one) for one in self.cases.vectors[0, node, : self.width[node]]]
        share, start, _, multiplied, _ = self.starts[node]
        if node in self.leaky:
            return [share if multiplied else 0.0, 1.0]
        return [share, start - share] if multiplied else [start, 1.0 - start / share]
