"""Answering batches: rows grouped by what they observe, plans kept, equal rows answered once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayesdx.checked_names import names_of
from bayesdx.errors import Fault, InvalidCase, InvalidNetwork, unknown_names
from bayesdx.frozen import NamedValues
from bayesdx.inference.arrays import FloatArray, IntArray
from bayesdx.inference.general.case_solver import CaseSolver, Wanted, laid_out
from bayesdx.inference.general.factors import FactorNetwork, factor_network
from bayesdx.inference.general.grouping import (
    distinct_rows,
    normalised_likelihoods,
    seldom_repeated,
    states_into_likelihoods,
)
from bayesdx.inference.general.tiles import CaseBatch
from bayesdx.inference.general.tree_plan import TreePlan
from bayesdx.inference.machine_code import Backend
from bayesdx.network.network import Network

#: The share of rows that are distinct, above which those that repeat are answered again: to put
#: answers in their places takes a good part of the time of a small network.
MOST_DISTINCT = 0.9
#: Sets of variables of which it is remembered how their answer is laid out.
KEPT_QUESTIONS = 32


class PosteriorRows(NamedValues[FloatArray]):
    """Posteriors (N, S) by variable: views of one array (rows, N), made when they are read."""

    def __init__(self, places: Mapping[str, slice], values: FloatArray) -> None:
        self._places, self._values = places, values.view()
        self._values.setflags(write=False)

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __getitem__(self, name: str) -> FloatArray:
        return self._values[self._places[name]].T


@dataclass(frozen=True, eq=False)
class GeneralAnswer:
    """Posteriors of N cases.

    Attributes
    ----------
    places : mapping of str to slice
        Rows of each variable that was asked for in ``values``.
    values : array (rows, N)
        P(state | evidence), one row a state; zeros where the evidence is impossible.
    log_evidence : array (N,)
        Natural log of P(evidence), -inf where it is impossible.
    refused : mapping of int to Fault
        Cases for which no plan fits in the memory limit, and what it would need; their values are
        0, their log evidence -inf.
    """

    places: Mapping[str, slice]
    values: FloatArray
    log_evidence: FloatArray
    refused: Mapping[int, Fault] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Variables that were asked for."""
        return tuple(self.places)

    @property
    def posteriors(self) -> PosteriorRows:
        """Posterior of each variable, arrays (N, S); views."""
        return PosteriorRows(self.places, self.values)

    def posterior(self, name: str) -> FloatArray:
        """Posterior of one variable, array (N, S); a view."""
        return self.posteriors[name]

    @property
    def possible(self) -> NDArray[np.bool_]:
        """Whether the evidence of each case has a positive probability."""
        result: NDArray[np.bool_] = self.log_evidence != -np.inf
        return result


class CompiledGeneral:
    """A network ready for queries; safe to share between threads.

    Parameters
    ----------
    network : Network
    memory_limit : float
        Bytes that the tables of a plan, and the arrays of one case, may take.
    backend : {"auto", "numpy", "compiled"}
        Who does the arithmetic.
    """

    def __init__(self, network: Network, memory_limit: float, backend: Backend = "auto") -> None:
        self.problem: FactorNetwork = factor_network(network)
        self.memory_limit = float(memory_limit)
        self.solver = CaseSolver(self.problem, self.memory_limit, backend)
        self._cards = np.array(self.problem.cards[: self.problem.n_named])
        # Made once: of a single case it would be a good part of the time.
        self._every = laid_out(self.problem, frozenset(range(self.problem.n_named)))
        self._asked: dict[tuple[str, ...], Wanted] = {}

    @property
    def tree_nanoseconds(self) -> float:
        """Estimated time of a case among many, by the cluster tree without evidence."""
        return self.solver.plans.tree_nanoseconds

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

        Raises
        ------
        InvalidNetwork
            If the plan does not fit in the memory limit; carries the estimate.
        InvalidCase
            If a name is not a variable.
        """
        wanted = self._wanted(targets).positions
        key = (frozenset(self.positions(observed)), frozenset(self.positions(soft)), wanted)
        return self.solver.plans.runner(key).plan

    def query(
        self,
        states: ArrayLike,
        soft: Mapping[int, ArrayLike] | None = None,
        targets: Sequence[str] | None = None,
        *,
        trusted: bool = False,
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
        trusted : bool
            That states are intp positions need not be checked.

        Raises
        ------
        InvalidNetwork
            If for none of the cases a plan fits in the memory limit.
        InvalidCase
            If arrays have the wrong shape or hold what is no state.
        """
        wanted = self._wanted(targets)
        found: IntArray = np.asarray(states)
        if not trusted:
            found = self._checked(found)
        likelihoods, log_scale = normalised_likelihoods(soft or {}, len(found), self.problem.cards)
        if likelihoods:
            found = states_into_likelihoods(found, likelihoods)
        chosen: IntArray | None = None
        if not seldom_repeated(found, likelihoods):
            chosen, inverse = distinct_rows(found, likelihoods)
            if chosen is not None and len(chosen) > MOST_DISTINCT * len(found):
                chosen = None
        if chosen is not None:
            found = found[chosen]
            likelihoods = {v: rows[:, chosen] for v, rows in likelihoods.items()}
        cases = CaseBatch(np.ascontiguousarray(found.T), likelihoods)
        values, log_evidence, refused = self.solver.answer(cases, wanted)
        if len(refused) == len(cases) > 0:
            raise InvalidNetwork(refused[0])
        if chosen is not None:
            values, log_evidence = values.take(inverse, axis=1), log_evidence[inverse]
            if refused:
                pairs = enumerate(inverse.tolist())
                refused = {row: refused[once] for row, once in pairs if once in refused}
        # Rounding must not make states more probable than 1. Likelihoods may exceed it.
        logs = log_evidence + log_scale if likelihoods else np.minimum(log_evidence, 0.0)
        return GeneralAnswer(wanted.places, values, logs, refused)

    def positions(self, names: Sequence[str]) -> list[int]:
        """Positions of variables; every unknown name is a fault."""
        place = {name: i for i, name in enumerate(self.problem.names)}
        if faults := unknown_names("query", "a variable of the network", names, place):
            raise InvalidCase(faults)
        return [place[name] for name in names]

    def _wanted(self, names: Sequence[str] | None) -> Wanted:
        """What is asked for; all where None."""
        if names is None:
            return self._every
        key = names_of("query", "variables of the network", names)
        found = self._asked.get(key)
        if found is None:
            if len(self._asked) >= KEPT_QUESTIONS:
                self._asked.clear()
            found = laid_out(self.problem, frozenset(self.positions(names)))
            self._asked[key] = found
        return found

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
