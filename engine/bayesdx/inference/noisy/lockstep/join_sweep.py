"""The core of one case that couples much: a tree of tables, joined and summed out node by node.

What is summed out, and in which order, is `bayesdx.inference.noisy.lockstep.join_order`; each step
takes the tables that hold its node, joins them (`bayesdx.inference.noisy.lockstep.joins`), lets
causes act on the axes that are left, and sums the node out. Backward, tables are made again from
those they were joined of, which alone are kept, and adjoints pulled through the same operations.
"""

from __future__ import annotations

import math

import numpy as np

from bayesdx.inference.arrays import FloatArray
from bayesdx.inference.noisy.lockstep.axis_scores import AxisScores
from bayesdx.inference.noisy.lockstep.core_cases import CoreCases
from bayesdx.inference.noisy.lockstep.join_numbers import NodeNumbers
from bayesdx.inference.noisy.lockstep.join_order import JoinGraph, JoinOrder
from bayesdx.inference.noisy.lockstep.join_steps import JoinStep, join_steps
from bayesdx.inference.noisy.lockstep.joins import (
    SharedAxis,
    joined,
    pulled,
    spared,
    summed_to,
)
from bayesdx.inference.noisy.lockstep.production import Production
from bayesdx.inference.noisy.lockstep.workspace import Shares
from bayesdx.inference.noisy.operator import LEAST_KEPT, component

#: States of a cause; the third only where it is asked what causes produced.
ABSENT, PRESENT, IDLE = range(3)


class JoinSweep:
    """Workspace of one case.

    Parameters
    ----------
    cases : CoreCases
        Of one case.
    graph : JoinGraph
    order : JoinOrder
    production : Production, optional
        As of `Shares`; causes have a third state then: present, and no link to a symptom acts.
    """

    def __init__(
        self,
        cases: CoreCases,
        graph: JoinGraph,
        order: JoinOrder,
        production: Production | None = None,
    ) -> None:
        self.graph, self.made = graph, production
        self.numbers = NodeNumbers(cases, graph, production)
        self.steps = tuple(join_steps(graph, order.nodes))
        self.tables: dict[int, FloatArray] = {}
        self.scales: list[float] = []

    def log_evidence(self) -> float:
        """Sum the core out."""
        self.tables, self.scales = {}, []
        for number, step in enumerate(self.steps):
            whole = self._joined(step)[-1:]
            values = self._filled(step, whole)
            self._act(step, values)
            values = self._closed(step, values)
            scale = float(values.max())
            if not scale > 0.0:
                return -math.inf
            self.tables[number] = values / scale
            self.scales.append(scale)
        return math.fsum(map(math.log, self.scales))

    # ------------------------------------------------------------------ forward

    def _joined(self, step: JoinStep) -> list[FloatArray]:
        """The tables of a step, each after what those before it are joined to."""
        result: list[FloatArray] = []
        for i, number in enumerate(step.tables):
            at = {x: d for d, x in enumerate(self.steps[number].layout[1:])}
            turned = self.tables[number].transpose([at[x] for x in step.layout if x in at])
            own = sum(1 << x for x in at)
            part = np.ascontiguousarray(turned).reshape(self.numbers.shape(step.layout, own))
            if i:
                result.append(part)
                part = joined(result[-2], part, self._shared(step, i - 1))
            result.append(part)
        return result

    def _shared(self, step: JoinStep, i: int) -> tuple[SharedAxis, ...]:
        """Axes on which tables of a step both act, by position."""
        found = [
            SharedAxis(step.layout.index(x), self.numbers.starts[x].share)
            for x in step.shared[i]
            if not self.numbers.multiplied >> x & 1
        ]
        return tuple(sorted(found))

    def _filled(self, step: JoinStep, whole: list[FloatArray]) -> FloatArray:
        """Return the table with all its dimensions, priors in it."""
        values = whole[0] if whole else np.ones([1] * len(step.layout))
        for cause in step.priors:
            values = values * self.numbers.prior(step, cause)
        shape = tuple(self.numbers.width[x] for x in step.layout)
        if values.shape == shape and (step.priors or len(step.tables) > 1):
            return values  # nobody else's
        result = np.zeros(shape)
        # Nothing has reached a finding that comes new.
        result[self._old(step, values)] = values
        return result

    def _old(self, step: JoinStep, values: FloatArray) -> tuple[slice, ...]:
        return tuple(
            slice(0, 1) if size == 1 and not self.numbers.multiplied >> x & 1 else slice(None)
            for x, size in zip(step.layout, values.shape, strict=True)
        )

    def _positions(self, step: JoinStep, cause: int, node: int) -> tuple[int, int]:
        """Dimension of a cause, and of a node once that is gone."""
        at, along = step.layout.index(cause), step.layout.index(node)
        return at, along - (along > at)

    def _act(self, step: JoinStep, values: FloatArray) -> list[FloatArray]:
        """Let causes act, in place; return what was spared of symptoms before each of them."""
        before = []
        for cause, node in step.links:
            gain, keep = self.numbers.effect(cause, node)
            at, along = self._positions(step, cause, node)
            symptom = self.numbers.is_symptom(node)
            if symptom:
                share = self.numbers.starts[node].share
                before.append(spared(values[component(at, PRESENT)], along, share))
            for state in range(PRESENT, self.numbers.width[cause]):
                part = values[component(at, state)]
                if state == IDLE and symptom:
                    part *= keep
                    continue
                some = part[component(along, 1)]
                some *= keep
                if gain:
                    some += gain * part[component(along, 0)]
        return before

    def _closed(self, step: JoinStep, values: FloatArray) -> FloatArray:
        """Sum a node out."""
        if step.node in self.numbers.axis_of:
            return np.stack([values[0, 0], self._begin(step, values)])
        weights = self.numbers.weights(step)
        total: FloatArray = weights[0] * values[0]
        for weight, one in zip(weights[1:], values[1:], strict=True):
            if weight:
                total += weight * one
        return total

    def _unreached(self, step: JoinStep, values: FloatArray) -> FloatArray:
        """Q along the finding of a leak, with and without it, (2, ...)."""
        start = self.numbers.starts[step.layout[1]]
        return values[:, 1] if start.multiplied else spared(values, 1, start.share)

    def _begin(self, step: JoinStep, values: FloatArray) -> FloatArray:
        """Component 1 of a finding when its leak is summed out and it gets its start."""
        start, (spared_, leak) = self.numbers.starts[step.layout[1]], self._unreached(step, values)
        result: FloatArray = start.leak * leak
        if start.multiplied:
            result += (start.spared - start.share) * spared_
        else:
            result += start.spared * spared_ + values[0, 1]
        return result

    # ------------------------------------------------------------------ backward

    def fill(self, shares: Shares) -> None:
        """Fill the shares of the core's causes and axes; after `log_evidence`."""
        adjoints: dict[int, FloatArray] = {}
        for number in reversed(range(len(self.steps))):
            step = self.steps[number]
            parts = self._joined(step)
            values = self._filled(step, parts[-1:])
            start = values.copy() if shares.scores is not None and step.links else None
            # Of the last of them, in which causes act now, only the shape is looked at.
            before = self._act(step, values)
            behind = adjoints.pop(number, np.ones(())) / self.scales[number]
            adjoint = self._pull_closed(step, values, behind, shares)
            self._note(step, values, adjoint, behind, shares)
            del values, behind
            self._pull_links(step, adjoint, before, shares)
            if start is not None and shares.scores is not None:
                self._score_links(step, start, adjoint, shares.scores)
            self._pull_tables(step, parts, adjoint, adjoints)
            for i in step.tables:
                del self.tables[i]

    def _pull_closed(
        self, step: JoinStep, values: FloatArray, adjoint: FloatArray, shares: Shares
    ) -> FloatArray:
        """Pull an adjoint back through `_closed`; note derivatives by starts of findings."""
        node = step.node
        if node not in self.numbers.axis_of:
            result = np.stack([weight * adjoint for weight in self.numbers.weights(step)])
            if node in self.numbers.starts and node not in self.numbers.leaky:
                start = self.numbers.starts[node]
                multiplied = start.multiplied
                rest = values[1] if multiplied else spared(values, 0, start.share)
                by_one = float((adjoint * rest).sum())
                reach = start.share * (values[0] - values[1]) if multiplied else values[1]
                by_none = float((adjoint * reach).sum())
                self._note_start(node, [by_none, by_one, by_one, 0.0], shares)
            return result
        axis = step.layout[1]
        start = self.numbers.starts[axis]
        none, some = adjoint
        spared_, leak = self._unreached(step, values)
        result = np.zeros_like(values)
        result[0, 0] = none
        if start.multiplied:
            result[0, 1], result[1, 1] = (start.spared - start.share) * some, start.leak * some
            reach = -start.share * values[0, 1]
        else:
            result[0, 0] += start.spared * some
            result[0, 1] = (1.0 - start.spared / start.share) * some
            result[1, 0], result[1, 1] = start.leak * some, -start.leak / start.share * some
            reach = values[0, 1]
        by_none = float((none * values[0, 0]).sum() + (some * reach).sum())
        by_one, by_leak = float((some * spared_).sum()), float((some * leak).sum())
        self._note_start(axis, [by_none, by_one, by_leak, by_one - by_leak], shares)
        return result

    def _note_start(self, axis: int, derivatives: list[float], shares: Shares) -> None:
        shares.vectors[self.numbers.row, self.numbers.cases.core.slots[0, axis], :4] = derivatives

    def _note(
        self,
        step: JoinStep,
        values: FloatArray,
        adjoint: FloatArray,
        behind: FloatArray,
        shares: Shares,
    ) -> None:
        """Note posteriors: what values and adjoint of each state multiply to."""
        node, row = step.node, self.numbers.row
        priors = step.priors if len(shares.by_present) else ()
        if not priors and not (self.graph.causes | self.graph.risks) >> node & 1:
            return
        product = adjoint * values
        if self.graph.causes >> node & 1:
            name = self.numbers.name(node)
            shares.off[row, name], shares.on[row, name] = (float(one.sum()) for one in product[:2])
            if self.made is not None:
                idle = float((behind * values[IDLE]).sum())
                self.made.idle[row, name] = self.made.left[row, name] * idle
        elif self.graph.risks >> node & 1:
            by_state = product.reshape(len(product), -1).sum(axis=1)
            shares.vectors[row, self.numbers.cases.core.slots[0, node], : len(by_state)] = by_state
        for cause in priors:
            kept = 1 << cause | self.graph.near[cause] & self.graph.risks
            others = tuple(i for i, x in enumerate(step.layout) if not kept >> x & 1)
            own = product.sum(axis=others, keepdims=True)
            entries = self.numbers.entries(step.layout, cause)
            at = step.layout.index(cause)
            for state, target in ((ABSENT, shares.by_absent), (PRESENT, shares.by_present)):
                part = own[component(at, state)]
                where = np.broadcast_to(entries[component(at, 0)], part.shape)
                target[row] += np.bincount(where.ravel(), part.ravel(), target.shape[1])

    def _pull_links(
        self, step: JoinStep, adjoint: FloatArray, before: list[FloatArray], shares: Shares
    ) -> None:
        """Pull an adjoint back through `_act`, in place; credit causes with symptoms."""
        for cause, node in reversed(step.links):
            gain, keep = self.numbers.effect(cause, node)
            if shares.scores is not None:
                keep = max(keep, LEAST_KEPT)
            at, along = self._positions(step, cause, node)
            symptom = self.numbers.is_symptom(node)
            if symptom and self.made is not None:
                some = adjoint[component(at, PRESENT)][component(along, 1)]
                start, row = self.numbers.starts[node], self.numbers.row
                own = np.array([row]), np.array([self.numbers.name(cause)])
                alone = np.array([start.share * (before.pop() * some).sum()])
                weight, left = np.array([start.symptom]), np.array([keep])
                self.made.credit(own, weight, left, shares.on[own], alone)
            for state in range(PRESENT, self.numbers.width[cause]):
                part = adjoint[component(at, state)]
                if state == IDLE and symptom:
                    part *= keep
                    continue
                some = part[component(along, 1)]
                if gain:
                    none = part[component(along, 0)]
                    none += gain * some
                some *= keep

    def _score_links(
        self, step: JoinStep, start: FloatArray, pulled_back: FloatArray, scores: AxisScores
    ) -> None:
        """Note derivatives by links: of tables before any cause acts, adjoints behind none.

        What causes do to one axis, or one cause to several, may be done in any order.
        """
        for cause, node in step.links:
            _, keep = self.numbers.effect(cause, node)
            at, along = self._positions(step, cause, node)
            none, some = (
                start[component(at, PRESENT)][component(along, value)] for value in (0, 1)
            )
            behind = pulled_back[component(at, PRESENT)][component(along, 1)]
            kept = float((some * behind).sum())
            values = np.zeros((4, 1))
            if node in self.numbers.axis_of:
                # The leak that is left: an inhibitor h takes 1 - h of it.
                values[3] = -kept
            elif self.numbers.starts[node].multiplied:
                values[1] = kept
            else:
                share = self.numbers.starts[node].share
                values[:2, 0] = share * float((none * behind).sum()), kept
            axis = self.numbers.axis_of.get(node, node)
            slot = self.numbers.cases.core.slots[0, axis]
            row, slots = np.array([self.numbers.row]), np.array([slot])
            name = np.array([self.numbers.name(cause)])
            scores.note(row, slots, name, values / max(keep, LEAST_KEPT))

    def _pull_tables(
        self,
        step: JoinStep,
        parts: list[FloatArray],
        adjoint: FloatArray,
        adjoints: dict[int, FloatArray],
    ) -> None:
        """Pull an adjoint back through priors and joins, to the tables."""
        if not step.tables:
            return
        adjoint = adjoint[self._old(step, parts[-1])]
        for cause in step.priors:
            adjoint = adjoint * self.numbers.prior(step, cause)
        adjoint = summed_to(adjoint, parts[-1].shape)
        for i in range(len(step.tables) - 1, -1, -1):
            part = adjoint
            if i:
                shared = self._shared(step, i - 1)
                adjoint, part = pulled(adjoint, parts[2 * i - 2], parts[2 * i - 1], shared)
            own = self.steps[step.tables[i]].layout[1:]
            at = [step.layout.index(x) for x in own]
            others = [d for d in range(part.ndim) if d not in at]
            adjoints[step.tables[i]] = part.transpose(at + others).reshape(
                [self.numbers.width[x] for x in own]
            )
