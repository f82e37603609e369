"""Answering batches: rows grouped by what they observe, plans kept, equal rows answered once."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayesdx.errors import Fault, InvalidCase, InvalidNetwork, nearest_names
from bayesdx.inference.arrays import FloatArray, IntArray
from bayesdx.inference.general.factors import TINY, FactorNetwork, factor_network, least_entry
from bayesdx.inference.general.grouping import (
    distinct_rows,
    normalised_likelihoods,
    states_into_likelihoods,
)
from bayesdx.inference.general.one_case import answer_alone, case_work
from bayesdx.inference.general.plan_cache import Key, PlanCache
from bayesdx.inference.general.tiles import CaseBatch, TileRunner
from bayesdx.inference.general.tree_plan import TreePlan
from bayesdx.inference.general.zero_propagation import find_zeros
from bayesdx.network.network import Network

#: Nanoseconds of a case for each cell of a cluster tree.
TREE_CELL = 7.0
#: Up to this many signatures in a batch are each looked at.
FEW_GROUPS = 8


@dataclass(frozen=True, eq=False)
class GeneralAnswer:
    """Posteriors of N cases.

    Attributes
    ----------
    names : tuple of str
        Variables that were asked for.
    starts : tuple of int
        First row of each in ``values``, and the number of rows.
    values : array (rows, N)
        P(state | evidence), one row a state; zeros where the evidence is impossible.
    log_evidence : array (N,)
        Natural log of P(evidence), -inf where it is impossible.
    refused : mapping of int to Fault
        Cases for which no plan fits in the memory limit, and what it would need; their values are
        0, their log evidence -inf.
    """

    names: tuple[str, ...]
    starts: tuple[int, ...]
    values: FloatArray
    log_evidence: FloatArray
    refused: Mapping[int, Fault] = field(default_factory=dict)

    def posterior(self, name: str) -> FloatArray:
        """Posterior of one variable, array (N, S); a view."""
        i = self.names.index(name)
        return self.values[self.starts[i] : self.starts[i + 1]].T

    @property
    def possible(self) -> NDArray[np.bool_]:
        """Whether the evidence of each case has a positive probability."""
        result: NDArray[np.bool_] = self.log_evidence != -np.inf
        return result


@dataclass(frozen=True, eq=False)
class Wanted:
    """Variables that are asked for, and where their posteriors stand in an answer."""

    positions: frozenset[int]
    names: tuple[str, ...]
    starts: tuple[int, ...]


class CompiledGeneral:
    """A network ready for queries; safe to share between threads.

    Parameters
    ----------
    network : Network
    memory_limit : float
        Bytes that the tables of a plan, and the arrays of one case, may take.
    """

    def __init__(self, network: Network, memory_limit: float) -> None:
        self.problem: FactorNetwork = factor_network(network)
        self.memory_limit = float(memory_limit)
        self._zeros = find_zeros(self.problem)
        self._plans = PlanCache(self.problem, self.memory_limit)
        self._cards = np.array(self.problem.cards[: self.problem.n_named])
        # Made once: of a single case it would be a good part of the time.
        self._every = self._laid_out(frozenset(range(self.problem.n_named)))

    @property
    def tree_nanoseconds(self) -> float:
        """Estimated time of a case among many, by the cluster tree without evidence."""
        return TREE_CELL * self._plans.static_cells()

    def plan(
        self,
        observed: Sequence[str] = (),
        soft: Sequence[str] = (),
        targets: Sequence[str] | None = None,
    ) -> TreePlan:
        """Return the plan of one evidence signature.

        Parameters
        ----------
        observed : sequence of str
            Variables observed in every case.
        soft : sequence of str
            Variables that only some cases observe, or with soft evidence.
        targets : sequence of str, optional
            Variables whose posteriors are wanted; all by default.

        Returns
        -------
        TreePlan

        Raises
        ------
        InvalidNetwork
            If the plan does not fit in the memory limit; carries the estimate.
        InvalidCase
            If a name is not a variable.
        """
        wanted = self._wanted(targets).positions
        key = (frozenset(self.positions(observed)), frozenset(self.positions(soft)), wanted)
        return self._plans.runner(key).plan

    def query(
        self,
        states: ArrayLike,
        soft: Mapping[int, ArrayLike] | None = None,
        targets: Sequence[str] | None = None,
    ) -> GeneralAnswer:
        """Answer every case exactly.

        Parameters
        ----------
        states : int array (N, V)
            State positions in the order of ``problem.names``, -1 unknown.
        soft : mapping of int to array (N, S), optional
            Likelihoods of the states of a variable; a row of NaN or of equal numbers says nothing.
        targets : sequence of str, optional
            Variables whose posteriors are wanted; all by default.

        Returns
        -------
        GeneralAnswer

        Raises
        ------
        InvalidNetwork
            If for none of the cases a plan fits in the memory limit.
        InvalidCase
            If arrays have the wrong shape or hold what is no state.
        """
        wanted = self._wanted(targets)
        found = self._checked(np.asarray(states))
        likelihoods, log_scale = normalised_likelihoods(soft or {}, len(found), self.problem.cards)
        if likelihoods:
            found = states_into_likelihoods(found, likelihoods)
        chosen, inverse = distinct_rows(found, likelihoods)
        if chosen is not None:
            found = found[chosen]
            likelihoods = {v: rows[:, chosen] for v, rows in likelihoods.items()}
        cases = CaseBatch(np.ascontiguousarray(found.T), likelihoods)
        values, log_evidence, refused = self._answer(cases, wanted)
        if len(refused) == len(cases) > 0:
            raise InvalidNetwork(refused[0])
        if chosen is not None:
            values, log_evidence = values.take(inverse, axis=1), log_evidence[inverse]
            if refused:
                pairs = enumerate(inverse.tolist())
                refused = {row: refused[once] for row, once in pairs if once in refused}
        logs = log_evidence + log_scale
        return GeneralAnswer(wanted.names, wanted.starts, values, logs, refused)

    def positions(self, names: Sequence[str]) -> list[int]:
        """Positions of variables; every unknown name is a fault."""
        place = {name: i for i, name in enumerate(self.problem.names)}
        faults = [
            Fault("query", "a variable of the network", name, nearest_names(name, place))
            for name in names
            if name not in place
        ]
        if faults:
            raise InvalidCase(faults)
        return [place[name] for name in names]

    def _wanted(self, names: Sequence[str] | None) -> Wanted:
        """What is asked for; all where None."""
        return self._every if names is None else self._laid_out(frozenset(self.positions(names)))

    def _laid_out(self, positions: frozenset[int]) -> Wanted:
        order = sorted(positions)
        starts = itertools.accumulate((self.problem.cards[v] for v in order), initial=0)
        return Wanted(positions, tuple(self.problem.names[v] for v in order), tuple(starts))

    def _checked(self, states: NDArray[np.generic]) -> IntArray:
        named = self.problem.n_named
        if states.ndim != 2 or states.shape[1] != named or states.dtype.kind not in "iu":
            got = f"{states.dtype} of shape {states.shape}"
            raise InvalidCase(Fault("states", f"an integer array of shape (N, {named})", got))
        positions: IntArray = states.astype(np.intp, copy=False)
        wrong = (positions < -1) | (positions >= self._cards)
        if wrong.any():
            raise InvalidCase(
                [
                    Fault(
                        f"states of {self.problem.names[v]}",
                        f"positions from -1 to {self._cards[v] - 1}",
                        positions[:, v].tolist(),
                    )
                    for v in np.flatnonzero(wrong.any(axis=0))
                ]
            )
        return positions

    def _answer(
        self, cases: CaseBatch, asked: Wanted
    ) -> tuple[FloatArray, FloatArray, dict[int, Fault]]:
        n, wanted = len(cases), asked.positions
        if n and not self._plans.measured:
            # What one case would take alone decides whether plans are worth making.
            first = cases.take(np.zeros(1, dtype=np.intp))
            soft = {v: likelihood[:, 0] for v, likelihood in first.soft.items()}
            work = case_work(self.problem, self._zeros, first.states[:, 0], soft, wanted)
            self._plans.note(self._plans.general_key((frozenset(), frozenset(), wanted)), work)
        values, log_evidence = np.empty((asked.starts[-1], n)), np.empty(n)
        refused: dict[int, Fault] = {}
        hopeless: dict[bytes, Fault] = {}
        tiny = self.problem.tiny or any(least_entry(one) < TINY for one in cases.soft.values())
        # Maps of plans say nothing where a product is no float any more.
        assigned = [(None, np.arange(n))] if tiny else self._assignments(cases, wanted)
        for runner, rows in assigned:
            left = rows
            if runner is not None:
                whole = len(rows) == n
                block = values if whole else np.empty((len(values), len(rows)))
                logs = log_evidence if whole else np.empty(len(rows))
                part = cases if whole else cases.take(rows)
                left = rows[runner.answer(part, block, logs)]
                if not whole:
                    values[:, rows], log_evidence[rows] = block, logs
            for row in left.tolist():
                observed = (cases.states[:, row] >= 0).tobytes()
                try:
                    if observed in hopeless:
                        raise InvalidNetwork(hopeless[observed])
                    values[:, row], log_evidence[row] = self._alone(cases, row, wanted)
                except InvalidNetwork as refusal:
                    # One case that cannot be answered is one case; others that observe the same
                    # are not ordered again.
                    refused[row] = hopeless[observed] = refusal.faults[0]
                    values[:, row], log_evidence[row] = 0.0, -np.inf
        return values, log_evidence, refused

    def _alone(
        self, cases: CaseBatch, row: int, wanted: frozenset[int]
    ) -> tuple[FloatArray, float]:
        """Answer one case without a plan, and note what that takes."""
        soft = {v: likelihood[:, row] for v, likelihood in cases.soft.items()}
        states, targets = cases.states[:, row], sorted(wanted)
        posteriors, log_evidence, work = answer_alone(
            self.problem, self._zeros, states, soft, targets, self.memory_limit
        )
        if not np.isneginf(log_evidence):
            observed = frozenset(np.flatnonzero(states >= 0).tolist()).difference(soft)
            self._plans.note((observed, frozenset(soft), wanted), work)
        return posteriors, log_evidence

    def _assignments(
        self, cases: CaseBatch, wanted: frozenset[int]
    ) -> list[tuple[TileRunner | None, IntArray]]:
        """Which plan answers which rows; None where each is answered alone."""
        soft = frozenset(cases.soft)
        seen = cases.states >= 0
        result: list[tuple[TileRunner | None, IntArray]] = []
        pooled: list[IntArray] = []
        for rows, alone in self._groups(seen, (frozenset(), soft, wanted)):
            observed = frozenset(np.flatnonzero(seen[:, rows[0]]).tolist()) - soft
            runner = self._plans.earned((observed, soft, wanted), len(rows)) if alone else None
            if runner is not None:
                result.append((runner, rows))
            else:
                pooled.append(rows)
        if pooled:
            rows = np.concatenate(pooled)
            result.append((self._pool(seen[:, rows], soft, wanted), rows))
        return result

    def _pool(
        self, seen: NDArray[np.bool_], soft: frozenset[int], wanted: frozenset[int]
    ) -> TileRunner | None:
        """The plan of rows that observe different variables, if one is worth having."""
        n = seen.shape[1]
        always = frozenset(np.flatnonzero(seen.all(axis=1)).tolist()) - soft
        mixed = (frozenset(np.flatnonzero(seen.any(axis=1)).tolist()) - always) | soft
        key = (always, mixed, wanted)
        if key != self._plans.general_key(key) and mixed != soft:
            runner = self._plans.earned(key, n)
            if runner is not None:
                return runner
        return self._plans.general(key, n)

    def _groups(self, seen: NDArray[np.bool_], key: Key) -> list[tuple[IntArray, bool]]:
        """Rows that observe the same variables, and whether they may deserve their own plan.

        Groups too small for that come as one.
        """
        n = seen.shape[1]
        if n < 2 or (seen == seen[:, :1]).all():
            return [(np.arange(n), True)] if n else []
        _, inverse = distinct_rows(np.ascontiguousarray(seen.T), {})
        count = np.bincount(inverse)
        least = self._plans.least_group(key) if len(count) > FEW_GROUPS else 1.0
        order = np.argsort(inverse, kind="stable")
        end = np.cumsum(count)
        large = [(order[end[g] - count[g] : end[g]], True) for g in np.flatnonzero(count >= least)]
        small = count[inverse] < least
        return large + ([(np.flatnonzero(small), False)] if small.any() else [])
