"""Cases, and the roads by which they are answered: a plan, compiled code, NumPy, logarithms."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bayesdx.errors import Fault, InvalidNetwork
from bayesdx.inference.arrays import FloatArray, IntArray
from bayesdx.inference.general.case_roads import assignments
from bayesdx.inference.general.costs import CaseWork
from bayesdx.inference.general.executor_choice import ExecutorChoice
from bayesdx.inference.general.factors import TINY, FactorNetwork, least_entry
from bayesdx.inference.general.machine import CaseExecutor
from bayesdx.inference.general.one_case import answer_alone, case_work
from bayesdx.inference.general.plan_cache import ANY, PlanCache
from bayesdx.inference.general.plan_runner import PlanRunner
from bayesdx.inference.general.tiles import CaseBatch
from bayesdx.inference.general.zero_propagation import find_zeros
from bayesdx.inference.machine_code import Backend


@dataclass(frozen=True, eq=False)
class Wanted:
    """Variables that are asked for, in order, and where their posteriors stand in an answer."""

    positions: frozenset[int]
    order: tuple[int, ...]
    places: Mapping[str, slice]
    rows: int


def laid_out(problem: FactorNetwork, positions: frozenset[int]) -> Wanted:
    """Lay out the posteriors of some variables."""
    order = tuple(sorted(positions))
    ends = list(itertools.accumulate((problem.cards[v] for v in order), initial=0))
    spans = itertools.starmap(slice, itertools.pairwise(ends))
    places = dict(zip((problem.names[v] for v in order), spans, strict=True))
    return Wanted(positions, order, places, ends[-1])


class CaseSolver:
    """Answers cases by whichever road costs least.

    Parameters
    ----------
    problem : FactorNetwork
    memory_limit : float
        Bytes that the tables of a plan, and the arrays of one case, may take.
    backend : {"auto", "numpy", "compiled"}
    """

    def __init__(self, problem: FactorNetwork, memory_limit: float, backend: Backend) -> None:
        self.problem, self.memory_limit = problem, memory_limit
        self.plans = PlanCache(problem, memory_limit)
        self._zeros = find_zeros(problem)
        self._choice = ExecutorChoice(backend)
        self._alone: CaseExecutor | None = None
        self._tried = False

    def answer(
        self, cases: CaseBatch, asked: Wanted
    ) -> tuple[FloatArray, FloatArray, dict[int, Fault]]:
        """Answer every case.

        Parameters
        ----------
        cases : CaseBatch
            N cases.
        asked : Wanted

        Returns
        -------
        values : array (T, N)
            Posteriors, zeros where the evidence is impossible.
        log_evidence : array (N,)
            -inf where impossible.
        refused : dict of int to Fault
            Cases that do not fit in the memory limit; their values are 0.
        """
        n = len(cases)
        tiny = self.problem.tiny or any(least_entry(one) < TINY for one in cases.soft.values())
        self._look_at(cases, asked, tiny)
        assigned: list[tuple[PlanRunner | None, IntArray]]
        # Of products that are no floats, neither plans nor the kernel know what they say.
        assigned = (
            [(None, np.arange(n))] if tiny else assignments(self.plans, cases, asked.positions)
        )
        values, log_evidence = np.empty((0, 0)), np.empty(0)
        refused: dict[int, Fault] = {}
        for runner, rows in assigned:
            whole = len(rows) == n
            part = cases if whole else cases.take(rows)
            block, logs, left = self._together(runner, part, asked, tiny)
            if len(left):
                unfit = self._one_by_one(part, left, asked, block, logs)
                refused |= {int(rows[row]): fault for row, fault in unfit.items()}
            if whole:
                return block, logs, refused
            if not len(log_evidence):
                values, log_evidence = np.empty((asked.rows, n)), np.empty(n)
            values[:, rows], log_evidence[rows] = block, logs
        return values.reshape(asked.rows, n), log_evidence, refused

    def _together(
        self, runner: PlanRunner | None, cases: CaseBatch, asked: Wanted, tiny: bool
    ) -> tuple[FloatArray, FloatArray, IntArray]:
        """Answer cases by a plan, and what that leaves by compiled code; tell who is left."""
        executors = self._choice.executors
        if runner is not None:
            values, logs, left = runner.answer(cases, asked.order, executors)
        else:
            left = np.arange(len(cases))
            values, logs = np.empty((asked.rows, len(cases))), np.empty(len(cases))
        if executors is None or tiny or not len(left):
            return values, logs, left
        whole = len(left) == len(cases)
        block, block_logs, undone = self._compiled(cases if whole else cases.take(left), asked)
        if whole:
            return block, block_logs, undone
        values[:, left], logs[left] = block, block_logs
        return values, logs, left[undone]

    def _compiled(self, cases: CaseBatch, asked: Wanted) -> tuple[FloatArray, FloatArray, IntArray]:
        """Answer cases one by one by compiled code; tell which are left."""
        assert self._choice.executors is not None
        if self._alone is None:
            self._alone = self._choice.executors.alone(self.problem, self.memory_limit)
        values, logs, status, needs = self._alone.answer(cases, asked.order)
        done = status == 0
        if done.any():
            alike = len(cases) == 1
            key = (cases.observed(0), frozenset(cases.soft), asked.positions) if alike else ANY
            work = CaseWork(*needs[done].mean(axis=0)[:3].tolist())
            self.plans.note(key, work, int(done.sum()))
        return values, logs, np.flatnonzero(~done)

    def _look_at(self, cases: CaseBatch, asked: Wanted, tiny: bool) -> None:
        """Decide whether compiled code answers, and see what a case takes if no one knows yet.

        What one case would take alone decides whether plans are worth making: what its evidence
        rules out may make it a hundred times smaller than the network is.
        """
        if not len(cases):
            return
        if self._choice.executors is None:
            if not self.plans.measured:
                soft = {v: likelihood[:, 0] for v, likelihood in cases.soft.items()}
                first = cases.states[:, 0]
                work = case_work(self.problem, self._zeros, first, soft, asked.positions)
                self.plans.note(ANY, work)
            self._choice.spend(self.plans.expected_nanoseconds(len(cases)))
        if self._choice.executors is not None and not (self.plans.measured or self._tried or tiny):
            self._tried = True
            self._compiled(cases.take(np.zeros(1, dtype=np.intp)), asked)
        self.plans.compiled = self._choice.executors is not None

    def _one_by_one(
        self,
        cases: CaseBatch,
        left: IntArray,
        asked: Wanted,
        values: FloatArray,
        logs: FloatArray,
    ) -> dict[int, Fault]:
        """Answer cases in NumPy, in logs where need be; return those that do not fit."""
        refused: dict[int, Fault] = {}
        hopeless: dict[bytes, Fault] = {}
        for row in left.tolist():
            observed = (cases.states[:, row] >= 0).tobytes()
            try:
                if observed in hopeless:
                    raise InvalidNetwork(hopeless[observed])
                values[:, row], logs[row] = self._case(cases, row, asked.order)
            except InvalidNetwork as refusal:
                # One case that cannot be answered is one case; others that observe the same are
                # not ordered again.
                refused[row] = hopeless[observed] = refusal.faults[0]
                values[:, row], logs[row] = 0.0, -np.inf
        return refused

    def _case(
        self, cases: CaseBatch, row: int, targets: tuple[int, ...]
    ) -> tuple[FloatArray, float]:
        """Answer one case without a plan in NumPy, and note what that takes."""
        soft = {v: likelihood[:, row] for v, likelihood in cases.soft.items()}
        states = cases.states[:, row]
        posteriors, log_evidence, work = answer_alone(
            self.problem, self._zeros, states, soft, targets, self.memory_limit
        )
        if not np.isneginf(log_evidence):
            self.plans.note((cases.observed(row), frozenset(soft), frozenset(targets)), work)
        return posteriors, log_evidence
