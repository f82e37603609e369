"""The best assignments of what does not fit in one table: branch and bound, exact or with its gap.

Where bound and candidate of a relaxation (`relaxation`) meet the search is over, often at once;
else a variable of what is bounded worst is tried in every state (Land and Doig 1960), the most
promising branch first. Further assignments in order of probability are found by branching away from
each that is settled (Lawler 1972).
"""

from __future__ import annotations

import heapq
import time
from dataclasses import dataclass, field

import numpy as np

from bayesdx.inference.arrays import FloatArray, IntArray
from bayesdx.inference.general.bucket_plan import BucketPlan
from bayesdx.inference.general.relaxation import Factored, Relaxation, Relaxed, may_gain

#: Branches answered together.
BATCH = 32
#: Steps in which the first bound of a case is lowered, and that of a branch; how far a branch is
#: taken to have come already.
ROOT_STEPS, STEPS, LATE = 25, 3, 3


@dataclass(frozen=True)
class SearchLimits:
    """What is wanted of a search, and what it may take for a case.

    Attributes
    ----------
    k : int
        Number of assignments.
    branches : int
    seconds : float, optional
    """

    k: int = 1
    branches: int = 20_000
    seconds: float | None = None


@dataclass(frozen=True, eq=False)
class Branch:
    """What is left to be looked into: what is settled, where lines were good, what to try next."""

    fixed: IntArray
    lean: FloatArray
    chosen: int
    tight: IntArray | None


@dataclass(eq=False)
class BoundedCase:
    """The search of one row: the best assignments so far, and branches by their bound."""

    k: int
    best: list[tuple[float, int, IntArray]] = field(default_factory=list)
    seen: set[bytes] = field(default_factory=set)
    heap: list[tuple[float, int, Branch]] = field(default_factory=list)
    made: int = 0

    @property
    def value(self) -> float:
        """What a branch must exceed."""
        return -self.best[-1][0] if len(self.best) == self.k else -np.inf

    @property
    def bound(self) -> float:
        """The best that any branch may hold."""
        return -self.heap[0][0] if self.heap else -np.inf

    def may_gain(self, bound: float) -> bool:
        """Whether a branch with this bound may hold something better than the best known."""
        return bool(may_gain(np.array(bound), np.array(self.value)))

    def offer(self, value: float, states: IntArray) -> None:
        """Take an assignment in, if it is among the best and new."""
        if value <= self.value or (mark := states.tobytes()) in self.seen:
            return
        self.seen.add(mark)
        self.best.append((-value, len(self.seen), states))
        self.best.sort(key=lambda one: one[:2])
        del self.best[self.k :]


@dataclass(frozen=True, eq=False)
class Found:
    """The best assignments of n rows.

    Attributes
    ----------
    states : intp array (n, k, V)
    value, bound : array (n, k)
        Log probability, -inf where there is none; and what no other assignment of this rank
        exceeds, equal to it where that is proved.
    """

    states: IntArray
    value: FloatArray
    bound: FloatArray


class BranchAndBound(Relaxation):
    """The search over rows that observe the same variables.

    Parameters
    ----------
    factored, plan, inside, states, soft
        See `Relaxation`.
    batch : int
        Branches that fit in memory together.
    limits : SearchLimits
    """

    def __init__(
        self,
        factored: Factored,
        plan: BucketPlan,
        inside: BucketPlan | None,
        states: IntArray,
        soft: dict[int, FloatArray],
        batch: int,
        limits: SearchLimits,
    ) -> None:
        super().__init__(factored, plan, inside, states, soft, further=limits.k > 1)
        self.limits, self.batch = limits, max(1, min(BATCH, batch))
        self.columns = np.flatnonzero(self.branching)
        self.start_clock()

    def start_clock(self) -> None:
        """Give a case its time."""
        seconds = self.limits.seconds
        self.deadline = np.inf if seconds is None else time.monotonic() + seconds

    def run(self) -> Found:
        """Find the best assignments of every row."""
        count, k = len(self.states), self.limits.k
        states = np.repeat(self.states[:, None], k, axis=1)
        value, bound = np.full((count, k), -np.inf), np.full((count, k), -np.inf)
        every = np.arange(count)
        lean = (self.states == 1).astype(np.float64)
        root = self.relaxed(self.states, every, lean, ROOT_STEPS, self.tables)
        states[:, 0], value[:, 0], bound[:, 0] = root.states, root.value, root.value
        further = every if k > 1 else np.flatnonzero(may_gain(root.bound, root.value))
        for row in further.tolist():
            case = BoundedCase(k)
            self.push(case, self.states[row], root, row, float(root.bound[row]))
            if case.heap:
                self.start_clock()
                self.search(case, row)
            for rank, (less, _, found) in enumerate(case.best):
                states[row, rank], value[row, rank] = found, -less
            bound[row] = value[row]
            open_ = np.full(k, case.bound)
            loose = may_gain(open_, value[row])
            bound[row, loose] = open_[loose]
        return Found(states, value, bound)

    def search(self, case: BoundedCase, row: int) -> None:
        """Branch until nothing is left that could be better, or the limits are reached."""
        tables = self.tables.take(np.array([row]))
        while case.heap and case.may_gain(case.bound):
            if case.made > self.limits.branches or self.late:
                return
            parts: list[tuple[IntArray, FloatArray, float]] = []
            while case.heap and len(parts) < self.batch and case.may_gain(case.bound):
                less, _, branch = heapq.heappop(case.heap)
                fixed, lean = self.states[row].copy(), (self.states[row] == 1).astype(np.float64)
                fixed[self.columns], lean[self.columns] = branch.fixed, branch.lean
                parts += [(one, lean, -less) for one in self.branches(fixed, branch)]
            for start in range(0, len(parts), self.batch):
                some = parts[start : start + self.batch]
                fixed = np.stack([one for one, _, _ in some])
                lean = np.stack([one for _, one, _ in some])
                rows = np.full(len(some), row)
                relaxed = self.relaxed(fixed, rows, lean, STEPS, tables, LATE, case.value)
                for i, (one, _, before) in enumerate(some):
                    self.push(case, one, relaxed, i, min(before, float(relaxed.bound[i])))

    def push(
        self, case: BoundedCase, fixed: IntArray, found: Relaxed, i: int, bound: float
    ) -> None:
        """Take in the candidate of a branch, and the branch if it may hold something better."""
        case.made += 1
        value = float(found.value[i])
        case.offer(value, found.states[i])
        if not case.may_gain(bound):
            return
        tight = not may_gain(np.array(bound), np.array(value))
        chosen = self._chosen(fixed, found, i)
        if chosen < 0:
            return
        at = self.columns
        states = found.states[i][at].astype(np.int32) if tight else None
        branch = Branch(fixed[at].astype(np.int32), found.lean[i][at], chosen, states)
        heapq.heappush(case.heap, (-bound, case.made, branch))

    def branches(self, fixed: IntArray, branch: Branch) -> list[IntArray]:
        """Settle one variable, each state a branch; or leave an assignment that is settled."""
        if branch.tight is None:
            result = np.repeat(fixed[None], self.factored.cards[branch.chosen], axis=0)
            result[:, branch.chosen] = np.arange(len(result))
            return list(result)
        parts, so_far = [], fixed.copy()
        for v, state in zip(self.columns.tolist(), branch.tight.tolist(), strict=True):
            if fixed[v] >= 0:
                continue
            for other in range(self.factored.cards[v]):
                if other != state:
                    parts.append(so_far.copy())
                    parts[-1][v] = other
            so_far[v] = state
        return parts
