"""Cores that couple much: a tree of tables, joined and summed out node by node.

What is summed out, and in which order, is `bayesdx.inference.noisy.lockstep.join_order`; each step
takes the tables that hold its node, joins them (`bayesdx.inference.noisy.lockstep.joins`), lets
causes act on the axes that are left, and sums the node out. Backward, tables are made again from
those they were joined of, which alone are kept, and adjoints pulled through the same operations.

Cases of one graph are summed out side by side, along the last dimension of every table.
"""

from __future__ import annotations

import numpy as np

from bayesdx.inference.arrays import FloatArray
from bayesdx.inference.noisy.lockstep.axis_scores import AxisScores
from bayesdx.inference.noisy.lockstep.join_numbers import NodeNumbers
from bayesdx.inference.noisy.lockstep.join_steps import JoinStep
from bayesdx.inference.noisy.lockstep.joins import joined, pulled, spared, summed_to
from bayesdx.inference.noisy.lockstep.workspace import Shares, divided, log_of
from bayesdx.inference.noisy.operator import LEAST_KEPT, component

#: States of a cause; the third only where it is asked what causes produced.
ABSENT, PRESENT, IDLE = range(3)


class JoinSweep:
    """Workspace of m cases.

    Parameters
    ----------
    numbers : NodeNumbers
        Of cases of one kind.
    steps : tuple of JoinStep
    """

    def __init__(self, numbers: NodeNumbers, steps: tuple[JoinStep, ...]) -> None:
        self.numbers, self.steps = numbers, steps
        self.graph, self.made = numbers.graph, numbers.made
        self.n_cases = len(numbers.rows)
        self.tables: dict[int, FloatArray] = {}
        self.scales: list[FloatArray] = []

    def log_evidence(self) -> FloatArray:
        """Sum the cores out, (m,)."""
        self.tables, self.scales = {}, []
        for number, step in enumerate(self.steps):
            whole = self._joined(step)[-1:]
            values = self._filled(step, whole)
            self._act(step, values)
            values = self._closed(step, values)
            scale = values.reshape(-1, self.n_cases).max(axis=0)
            self.scales.append(scale)
            self.tables[number] = values / np.where(scale > 0.0, scale, 1.0)
        result: FloatArray = log_of(np.array(self.scales)).sum(axis=0)
        return result

    # ------------------------------------------------------------------ forward

    def _joined(self, step: JoinStep) -> list[FloatArray]:
        """The tables of a step, each after what those before it are joined to."""
        result: list[FloatArray] = []
        for i, number in enumerate(step.tables):
            at = {x: d for d, x in enumerate(self.steps[number].layout[1:])}
            turned = self.tables[number].transpose([*(at[x] for x in step.layout if x in at), -1])
            shape = self.numbers.shape(step.layout, sum(1 << x for x in at))
            part = np.ascontiguousarray(turned).reshape([*shape, self.n_cases])
            if i:
                result.append(part)
                part = joined(result[-2], part, self._shared(step, i - 1))
            result.append(part)
        return result

    def _shared(self, step: JoinStep, i: int) -> tuple[int, ...]:
        """Dimensions along which tables of a step both act."""
        own = [x for x in step.shared[i] if not self.numbers.is_multiplied(x)]
        return tuple(sorted(map(step.layout.index, own)))

    def _filled(self, step: JoinStep, whole: list[FloatArray]) -> FloatArray:
        """Return the table with all its dimensions, priors in it."""
        values = whole[0] if whole else np.ones([1] * (1 + len(step.layout)))
        for cause in step.priors:
            values = values * self.numbers.prior(step, cause)
        shape = (*(self.numbers.width[x] for x in step.layout), self.n_cases)
        if values.shape == shape and (step.priors or len(step.tables) > 1):
            return values  # nobody else's
        result = np.zeros(shape)
        # Nothing has reached a finding that comes new.
        result[self._old(step, values)] = values
        return result

    def _old(self, step: JoinStep, values: FloatArray) -> tuple[slice, ...]:
        return tuple(
            slice(0, 1) if size == 1 and not self.numbers.is_multiplied(x) else slice(None)
            for x, size in zip(step.layout, values.shape[:-1], strict=True)
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
                before.append(spared(values[component(at, PRESENT)], along))
            for state in range(PRESENT, self.numbers.width[cause]):
                part = values[component(at, state)]
                if state == IDLE and symptom:
                    part *= keep
                    continue
                some = part[component(along, 1)]
                some *= keep
                if gain.any():
                    some += gain * part[component(along, 0)]
        return before

    def _closed(self, step: JoinStep, values: FloatArray) -> FloatArray:
        """Sum a node out."""
        if step.node in self.numbers.axis_of:
            return np.stack([values[0, 0], self._begin(step, values)])
        weights = self.numbers.weights(step)
        total: FloatArray = weights[0] * values[0]
        for weight, one in zip(weights[1:], values[1:], strict=True):
            if weight.any():
                total += weight * one
        return total

    def _unreached(self, step: JoinStep, values: FloatArray) -> FloatArray:
        """Q along the finding of a leak, with and without it, (2, ...)."""
        return values[:, 1] if self.numbers.is_multiplied(step.layout[1]) else spared(values, 1)

    def _begin(self, step: JoinStep, values: FloatArray) -> FloatArray:
        """Component 1 of a finding when its leak is summed out and it gets its start."""
        start, (spared_, leak) = self.numbers.starts[step.layout[1]], self._unreached(step, values)
        if self.numbers.is_multiplied(step.layout[1]):
            result: FloatArray = start.leak * leak + (start.spared - start.share) * spared_
            return result
        result = start.in_units(start.leak) * leak
        result += start.in_units(start.spared) * spared_ + values[0, 1]
        return result

    # ------------------------------------------------------------------ backward

    def fill(self, shares: Shares) -> None:
        """Fill the shares of the cores' causes and axes; after `log_evidence`."""
        adjoints: dict[int, FloatArray] = {}
        # Nothing is noted of impossible cases.
        last = np.all(np.array(self.scales) > 0.0, axis=0).astype(np.float64)
        for number in reversed(range(len(self.steps))):
            step = self.steps[number]
            parts = self._joined(step)
            values = self._filled(step, parts[-1:])
            start = values.copy() if shares.scores is not None and step.links else None
            # Of the last of them, in which causes act now, only the shape is looked at.
            before = self._act(step, values)
            behind = divided(adjoints.pop(number, last), self.scales[number])
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
                share = self.numbers.starts[node].share
                multiplied = self.numbers.is_multiplied(node)
                by_one = self._total(adjoint * (values[1] if multiplied else spared(values, 0)))
                reach = values[0] - values[1] if multiplied else values[1]
                by_none = share * self._total(adjoint * reach)
                self._note_start(node, [by_none, by_one, by_one, 0.0 * by_one], shares)
            return result
        axis = step.layout[1]
        start = self.numbers.starts[axis]
        none, some = adjoint
        spared_, leak = self._unreached(step, values)
        result = np.zeros_like(values)
        result[0, 0] = none
        if self.numbers.is_multiplied(axis):
            result[0, 1], result[1, 1] = (start.spared - start.share) * some, start.leak * some
            reach = -start.share * values[0, 1]
        else:
            beside = some
            some = start.in_units(some)
            result[0, 0] += start.spared * some
            result[0, 1] = beside - start.spared * some
            result[1, 0], result[1, 1] = start.leak * some, -start.leak * some
            reach = start.share * values[0, 1]
        by_none = self._total(none * values[0, 0]) + self._total(some * reach)
        by_one, by_leak = self._total(some * spared_), self._total(some * leak)
        self._note_start(axis, [by_none, by_one, by_leak, by_one - by_leak], shares)
        return result

    def _total(self, array: FloatArray) -> FloatArray:
        """Sum by case, (m,)."""
        result: FloatArray = array.reshape(-1, self.n_cases).sum(axis=0)
        return result

    def _note_start(self, axis: int, derivatives: list[FloatArray], shares: Shares) -> None:
        slots = self.numbers.slots(axis)
        shares.vectors[self.numbers.rows, slots, :4] = np.stack(derivatives, axis=1)

    def _note(
        self,
        step: JoinStep,
        values: FloatArray,
        adjoint: FloatArray,
        behind: FloatArray,
        shares: Shares,
    ) -> None:
        """Note posteriors: what values and adjoint of each state multiply to."""
        node, rows = step.node, self.numbers.rows
        priors = step.priors if len(shares.by_present) else ()
        if not priors and not (self.graph.causes | self.graph.risks) >> node & 1:
            return
        product = adjoint * values
        if self.graph.causes >> node & 1:
            own = rows, self.numbers.names(node)
            shares.off[own], shares.on[own] = map(self._total, product[:2])
            if self.made is not None:
                self.made.idle[own] = self.made.left[own] * self._total(behind * values[IDLE])
        elif self.graph.risks >> node & 1:
            by_state = np.stack([self._total(one) for one in product], axis=1)
            shares.vectors[rows, self.numbers.slots(node), : len(product)] = by_state
        for cause in priors:
            kept = 1 << cause | self.graph.near[cause] & self.graph.risks
            others = tuple(i for i, x in enumerate(step.layout) if not kept >> x & 1)
            left = product.sum(axis=others, keepdims=True)
            entries = self.numbers.entries(step.layout, cause)
            at = step.layout.index(cause)
            for state, target in ((ABSENT, shares.by_absent), (PRESENT, shares.by_present)):
                target[rows, entries[component(at, 0)]] += left[component(at, state)]

    def _pull_links(
        self, step: JoinStep, adjoint: FloatArray, before: list[FloatArray], shares: Shares
    ) -> None:
        """Pull an adjoint back through `_act`, in place; credit causes with symptoms."""
        for cause, node in reversed(step.links):
            gain, keep = self.numbers.effect(cause, node)
            if shares.scores is not None:
                keep = np.maximum(keep, LEAST_KEPT)
            at, along = self._positions(step, cause, node)
            symptom = self.numbers.is_symptom(node)
            if symptom and self.made is not None:
                some = adjoint[component(at, PRESENT)][component(along, 1)]
                own = self.numbers.rows, self.numbers.names(cause)
                alone, weight = self._total(before.pop() * some), self.numbers.starts[node].weight
                self.made.credit(own, weight, keep, shares.on[own], alone)
            for state in range(PRESENT, self.numbers.width[cause]):
                part = adjoint[component(at, state)]
                if state == IDLE and symptom:
                    part *= keep
                    continue
                some = part[component(along, 1)]
                if gain.any():
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
            kept = self._total(some * behind)
            values = np.zeros((4, self.n_cases))
            if node in self.numbers.axis_of:
                # The leak that is left: an inhibitor h takes 1 - h of it.
                values[3] = -kept
            elif self.numbers.is_multiplied(node):
                values[1] = kept
            else:
                values[:2] = self._total(none * behind), kept
            slots = self.numbers.slots(self.numbers.axis_of.get(node, node))
            names = self.numbers.names(cause)
            scores.note(self.numbers.rows, slots, names, values / np.maximum(keep, LEAST_KEPT))

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
            others = [d for d in range(part.ndim - 1) if d not in at]
            adjoints[step.tables[i]] = part.transpose([*others, *at, -1]).reshape(
                [*(self.numbers.width[x] for x in own), self.n_cases]
            )
