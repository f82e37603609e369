"""The best assignment where noisy families are too wide for a table: branch and bound, exact.

With a straight line in place of each wide family the rest is an ordinary product of small tables,
whose best assignment costs one elimination. Lines lie above the families, so that is a bound; what
the assignment is truly worth is a candidate. Where both meet the search is over, often at once,
since a line is exact where it touches; else a parent of the family that is bounded worst is tried
both ways (Land & Doig 1960), the most promising branch first.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bayesdx.errors import Fault, InvalidNetwork, Phrase
from bayesdx.inference.arrays import FloatArray, IntArray
from bayesdx.inference.general.bounding import WideFamilies
from bayesdx.inference.general.max_elimination import (
    LogTable,
    MaxLayout,
    Message,
    best_states,
    log_product,
)

#: What a bound must exceed the best known by, to be looked into: the last digits are rounding.
EXACT = 1e-12
#: Branches answered together, and those after which a case is given up.
BATCH, MOST_BRANCHES = 32, 20_000
#: Steps in which the first bound of a case is lowered, and that of a branch; how far a branch is
#: taken to have come already.
ROOT_STEPS, STEPS, LATE = 25, 3, 3


@dataclass(frozen=True, eq=False)
class Factored:
    """A network as logs of small tables and wide families.

    Attributes
    ----------
    cards : tuple of int
        States of all variables, auxiliary ones after those of the network.
    named : int
        Number of the network's own.
    tables : tuple of (scope, array)
    families : tuple of WideFamilies
    """

    cards: tuple[int, ...]
    named: int
    tables: tuple[LogTable, ...]
    families: tuple[WideFamilies, ...]

    def log_probability(self, states: IntArray) -> FloatArray:
        """Natural log of P of complete assignments (n, V), array (n,)."""
        total = log_product(self.tables, states)
        for block in self.families:
            log_p = block.log_values(block.active(states))
            total += at_states(log_p, states[:, block.child]).sum(axis=1)
        return total


def at_states(log_p: FloatArray, states: IntArray) -> FloatArray:
    """Pick from (S, n, F) the states (n, F)."""
    picked: FloatArray = np.take_along_axis(log_p, states[None], axis=0)[0]
    return picked


@dataclass(eq=False)
class Relaxed:
    """Relaxed answers of n branches.

    ``gaps`` (n, families) says how far each line is above its family at the assignment.
    """

    states: IntArray
    bound: FloatArray
    value: FloatArray
    gaps: FloatArray
    active: FloatArray
    lean: FloatArray


@dataclass(eq=False)
class BoundedCase:
    """The search of one row: the best assignment so far, and branches by their bound."""

    value: float
    states: IntArray
    heap: list[tuple[float, int, IntArray, FloatArray, FloatArray]] = field(default_factory=list)
    made: int = 0

    def may_gain(self, bound: float) -> bool:
        """Whether a branch with this bound may hold something better than the best known."""
        return bool(may_gain(np.array(bound), np.array(self.value)))


def may_gain(bound: FloatArray, value: FloatArray) -> NDArray[np.bool_]:
    """Whether a bound leaves room above a value."""
    least = np.where(np.isneginf(value), 0.0, value)
    result: NDArray[np.bool_] = (bound > value) & (bound > least + EXACT * (1.0 + np.abs(least)))
    return np.where(np.isneginf(value), bound > value, result)


def searched(
    factored: Factored,
    layout: MaxLayout,
    states: IntArray,
    soft: dict[int, FloatArray],
    most_rows: int,
) -> IntArray:
    """Find the best assignment of rows that observe the same variables.

    Parameters
    ----------
    factored : Factored
        With at least one wide family.
    layout : MaxLayout
    states : intp array (n, V)
        -1 where nothing is observed.
    soft : dict of int to array (S, n)
        Log likelihoods.
    most_rows : int
        Rows that fit in memory together.

    Returns
    -------
    intp array (n, V)

    Raises
    ------
    InvalidNetwork
        If the proof takes too many branches, with how far it got.
    """
    search = BranchAndBound(factored, layout, soft)
    # The last of a batch may have more than two branches.
    search.batch = max(1, min(BATCH, most_rows // 2))
    every = np.arange(len(states))
    lean = (states == 1).astype(np.float64)
    result = states.copy()
    for row in every.tolist():
        one = slice(row, row + 1)
        root = search.relaxed(states[one], every[one], lean[one], ROOT_STEPS)
        case = BoundedCase(float(root.value[0]), root.states[0])
        search.push(case, states[row], root, 0, float(root.bound[0]))
        search.run(case, row)
        result[row] = case.states
    return result


class BranchAndBound:
    """The search over rows that observe the same variables."""

    def __init__(self, factored: Factored, layout: MaxLayout, soft: dict[int, FloatArray]) -> None:
        self.factored, self.layout, self.soft = factored, layout, soft
        self.batch = BATCH
        busy = {v for scope, _ in factored.tables for v in scope} | soft.keys()
        busy.update(*(block.parents[block.real].tolist() for block in factored.families))
        # A child that nothing else depends on takes its best state whatever the parents are.
        self.private = [
            np.array([child not in busy for child in block.child.tolist()])
            for block in factored.families
        ]
        blocks = enumerate(factored.families)
        self.members = [(block, f) for _, block in blocks for f in range(len(block))]
        self.alone = np.concatenate(self.private)
        # Parents that are not observed.
        self.raising = np.zeros(len(factored.cards), dtype=bool)
        for block in factored.families:
            self.raising[block.parents[block.real]] = True
        self.raising &= np.isin(np.arange(len(factored.cards)), layout.order)

    def relaxed(
        self, fixed: IntArray, rows: IntArray, lean: FloatArray, steps: int, late: int = 0
    ) -> Relaxed:
        """Lower the bounds of n branches step by step; ``lean`` (n, V) is where to begin.

        The lines touch where the mean of all assignments found so far lies (Frank & Wolfe 1956):
        of the relaxation that is the best place.
        """
        result: Relaxed | None = None
        for step in range(steps):
            solved = self.solve(fixed, rows, lean)
            if result is None:
                result = solved
            else:
                better = solved.value > result.value
                result.states[better] = solved.states[better]
                result.value = np.maximum(result.value, solved.value)
                result.bound = np.minimum(result.bound, solved.bound)
                result.gaps = solved.gaps
            lean = lean + (solved.active - lean) * (2.0 / (step + late + 2.0))
            if not may_gain(result.bound, result.value).any():
                break
        assert result is not None
        result.lean = lean
        return result

    def solve(self, fixed: IntArray, rows: IntArray, lean: FloatArray) -> Relaxed:
        """Best assignments under lines that are good near ``lean``; rows say whose branches."""
        factored = self.factored
        lines = [block.lines(fixed, lean) for block in factored.families]
        found = best_states(factored.tables, self.layout, fixed, self._terms(fixed, rows, lines))
        value = log_product(factored.tables, found)
        for v, log_likelihood in self.soft.items():
            value += log_likelihood[found[:, v], rows]
        value[((fixed >= 0) & (found != fixed)).any(axis=1)] = -np.inf
        bound, gaps = value.copy(), []
        for block, private, (base, slope) in zip(
            factored.families, self.private, lines, strict=True
        ):
            active = block.active(found)
            log_p = block.log_values(active)
            given = fixed[:, block.child]
            state = np.where(private & (given < 0), log_p.argmax(axis=0), found[:, block.child])
            found[:, block.child] = state
            worth = at_states(log_p, state)
            open_ = active & (fixed[:, block.parents] < 0)
            line = base + np.where(open_, slope, 0.0).sum(axis=-1)
            with np.errstate(invalid="ignore"):
                gaps.append(np.nan_to_num(line - worth, nan=0.0, posinf=np.inf))
            bound += line.sum(axis=1)
            value += worth.sum(axis=1)
        active = (found == 1).astype(np.float64)
        return Relaxed(found, bound, value, np.concatenate(gaps, axis=1), active, lean)

    def _terms(
        self, fixed: IntArray, rows: IntArray, lines: Sequence[tuple[FloatArray, FloatArray]]
    ) -> list[Message]:
        """Slopes of all lines, likelihoods, and walls round what a branch has settled."""
        terms: dict[int, FloatArray] = {}
        for v in self.layout.order:
            if v in self.soft:
                terms[v] = self.soft[v][:, rows]
            settled = fixed[:, v] >= 0
            if settled.any():
                other = np.arange(self.factored.cards[v])[:, None] != fixed[:, v]
                wall = np.where(settled & other, -np.inf, 0.0)
                terms[v] = terms[v] + wall if v in terms else wall
        steps = np.zeros((fixed.shape[1], len(fixed)))
        for block, (_, slope) in zip(self.factored.families, lines, strict=True):
            flat = np.moveaxis(slope[:, block.real], 0, -1)
            np.add.at(steps, block.parents[block.real], flat)
        for v in np.flatnonzero(self.raising).tolist():
            step = np.stack([np.zeros(len(fixed)), np.where(fixed[:, v] < 0, steps[v], 0.0)])
            terms[v] = terms[v] + step if v in terms else step
        return [((v,), term) for v, term in terms.items()]

    def run(self, case: BoundedCase, row: int) -> None:
        """Branch until nothing is left that could be better."""
        while case.heap and case.may_gain(-case.heap[0][0]):
            if case.made > MOST_BRANCHES:
                raise _unproved(case)
            parts: list[tuple[IntArray, FloatArray, float]] = []
            while case.heap and len(parts) < self.batch and case.may_gain(-case.heap[0][0]):
                bound, _, fixed, lean, gaps = heapq.heappop(case.heap)
                parts += [(one, lean, -bound) for one in self._branches(fixed, lean, gaps)]
            if not parts:
                continue
            settled = np.stack([one for one, _, _ in parts])
            lean = np.stack([one for _, one, _ in parts])
            lean = np.where(settled < 0, lean, settled == 1)
            solved = self.relaxed(settled, np.full(len(parts), row), lean, STEPS, LATE)
            best = int(solved.value.argmax())
            if solved.value[best] > case.value:
                case.value, case.states = float(solved.value[best]), solved.states[best].copy()
            for i, (fixed, _, above) in enumerate(parts):
                self.push(case, fixed, solved, i, min(above, float(solved.bound[i])))

    def push(
        self, case: BoundedCase, fixed: IntArray, solved: Relaxed, i: int, bound: float
    ) -> None:
        """Keep a branch that may hold something better."""
        case.made += 1
        if case.may_gain(bound):
            entry = (-bound, case.made, fixed, solved.lean[i], solved.gaps[i])
            heapq.heappush(case.heap, entry)

    def _branches(self, fixed: IntArray, lean: FloatArray, gaps: FloatArray) -> list[IntArray]:
        """Settle one variable of the family that is bounded worst, each state a branch."""
        for at in np.argsort(-gaps, kind="stable").tolist():
            block, f = self.members[at]
            parents = block.parents[f][block.real[f]]
            open_ = fixed[parents] < 0
            if fixed[block.child[f]] < 0 and not self.alone[at]:
                chosen = int(block.child[f])
            elif open_.any():
                weight = np.minimum(block.below[0, f] + block.guard[f], 1e3)[block.real[f]]
                undecided = 0.01 + np.minimum(lean[parents], 1.0 - lean[parents])
                chosen = int(parents[np.where(open_, weight * undecided, -1.0).argmax()])
            else:
                continue
            result = np.repeat(fixed[None], self.factored.cards[chosen], axis=0)
            result[:, chosen] = np.arange(len(result))
            return list(result)
        return []


def _unproved(case: BoundedCase) -> InvalidNetwork:
    bound = -case.heap[0][0]
    found = f"{bound:.6g}, best known {case.value:.6g}, after {case.made} branches"
    expected = f"its log probability proved within {MOST_BRANCHES} branches"
    return InvalidNetwork(Fault("explanation of a case", expected, Phrase(f"at most {found}")))
