"""Which executor answers a network: the noisy ones where it is layered, else the general ones.

A layered noisy network (risks, causes, noisy findings) has a frontier sweep whose cost grows with
the findings that are present; cut into small factors for a cluster tree its cost grows with all
findings. Where the tree is small nevertheless, it is quicker.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike

from bayesdx.errors import Fault, InvalidNetwork, Phrase, TooComplex
from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray
from bayesdx.inference.general.branch_and_bound import SearchLimits
from bayesdx.inference.general.general_network import CompiledGeneral
from bayesdx.inference.general.most_probable import ONE, MostProbable, most_probable_states
from bayesdx.inference.layered import LayeredNetwork, layered_model
from bayesdx.inference.machine_code import Backend
from bayesdx.network.network import Network

#: Nanoseconds of a case of the frontier sweep, many side by side: a round figure that decides.
SWEEP_CASE = 15e3
#: Rows put to the network together by `log_joint`.
ROWS_AT_ONCE = 1 << 16
#: Variables and links from which no cluster tree is tried for size.
MOST_LINKS = 200


@dataclass(frozen=True, eq=False)
class NetworkPosteriors:
    """Answers to N cases.

    Attributes
    ----------
    posteriors : mapping of str to array (N, S)
        P(state | evidence) of each variable that was asked for; zeros where the evidence is
        impossible. On the noisy road worked out when read first.
    log_evidence : array (N,)
        Natural log of P(evidence), -inf where it is impossible or the case too complex.
    too_complex : bool array (N,) or (0,)
        Cases whose findings couple too much to be answered; empty where there are none.
    refused : mapping of int to Fault
        Those of them that are beyond the memory limit, and what they would need.
    """

    posteriors: Mapping[str, FloatArray]
    log_evidence: FloatArray
    too_complex: BoolArray = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    refused: Mapping[int, Fault] = field(default_factory=dict)

    @property
    def possible(self) -> BoolArray:
        """Whether the evidence of each case has a positive probability."""
        return np.asarray(self.log_evidence != -np.inf)

    def complete(self) -> NetworkPosteriors:
        """Return the answer itself, for those who cannot do without any row.

        Raises
        ------
        InvalidNetwork, TooComplex
            If a case was not answered.
        """
        for fault in self.refused.values():
            raise InvalidNetwork(fault)
        if self.too_complex.any():
            place = f"case {int(self.too_complex.argmax())}"
            expected = "findings and risks that couple less"
            raise TooComplex(Fault(place, expected, Phrase("too complex a case")))
        return self


class RowsReplaced(Mapping[str, FloatArray]):
    """Arrays (N, ...) by name, some rows of which are others."""

    def __init__(
        self, first: Mapping[str, FloatArray], rows: IntArray, others: Mapping[str, FloatArray]
    ) -> None:
        self._first, self._rows, self._others = first, rows, others
        self._made: dict[str, FloatArray] = {}

    def __len__(self) -> int:
        return len(self._first)

    def __iter__(self) -> Iterator[str]:
        return iter(self._first)

    def __getitem__(self, name: str) -> FloatArray:
        if name not in self._made:
            values = self._first[name].copy()
            values[self._rows] = self._others[name]
            self._made[name] = values
        return self._made[name]


class NetworkSolver:
    """A network ready for queries by state positions; safe to share between threads.

    Parameters
    ----------
    network : Network
    memory_limit : float
        Bytes that the tables of a plan, and the arrays of one case, may take.
    backend : {"auto", "numpy", "compiled"}
        Who does the arithmetic.
    """

    def __init__(self, network: Network, memory_limit: float, backend: Backend = "auto") -> None:
        given: object = memory_limit
        if not (isinstance(given, Real) and memory_limit >= 0):
            raise InvalidNetwork(Fault("memory_limit", "a number of bytes", given))
        self.network, self.memory_limit, self._backend = network, memory_limit, backend
        self.names = tuple(network.variables)
        self.cards = tuple(variable.cardinality for variable in network.variables.values())
        model = layered_model(network)
        self.layered: LayeredNetwork | None = None
        if isinstance(model, str):
            self.reason = model
        else:
            links = len(network.variables) + sum(map(len, map(network.parents, self.names)))
            tree = self.general.tree_nanoseconds if links < MOST_LINKS else np.inf
            if tree < SWEEP_CASE:
                self.reason = f"it is layered, but its cluster tree is small ({tree / 1e3:.2g} us)"
            else:
                self.layered = LayeredNetwork(model, backend)
                self.reason = f"it is layered: {model!r}"

    @cached_property
    def general(self) -> CompiledGeneral:
        """The general executors, made when first needed."""
        return CompiledGeneral(self.network, self.memory_limit, self._backend)

    def query(
        self,
        states: IntArray,
        soft: Mapping[int, ArrayLike] | None = None,
        targets: Sequence[str] | None = None,
    ) -> NetworkPosteriors:
        """Answer every case exactly.

        Parameters
        ----------
        states : intp array (N, V)
            State positions in the order of ``network.variables``, -1 unknown.
        soft : mapping of int to array (N, S), optional
            Likelihoods of the states of a variable; a row of NaN or of equal numbers says nothing.
        targets : sequence of str, optional
            Variables whose posteriors are wanted; all by default.

        Raises
        ------
        InvalidNetwork
            If for none of the cases a plan fits in the memory limit.
        """
        if self.layered is None:
            return self._general(states, soft or {}, targets)
        evidence, log_scale, apart = self.layered.evidence(states, soft or {})
        if len(apart) and apart.all():
            return self._general(states, soft or {}, targets)
        wanted = self.names if targets is None else [n for n in self.names if n in set(targets)]
        noisy = self.layered.query(evidence, log_scale, wanted)
        apart[noisy.doubtful] = True
        if len(noisy.too_complex):
            # Many findings of few causes couple little in a tree.
            apart |= noisy.too_complex
        found = NetworkPosteriors(noisy, noisy.log_evidence, noisy.too_complex)
        return self._replaced(found, np.flatnonzero(apart), states, soft or {}, targets)

    def most_probable(
        self,
        states: IntArray,
        soft: Mapping[int, FloatArray] | None = None,
        targets: Collection[int] | None = None,
        limits: SearchLimits = ONE,
    ) -> MostProbable:
        """Find the most probable assignments of every case; see `most_probable_states`."""
        return most_probable_states(self.network, states, self.memory_limit, soft, targets, limits)

    def _general(
        self, states: IntArray, soft: Mapping[int, ArrayLike], targets: Sequence[str] | None
    ) -> NetworkPosteriors:
        answer = self.general.query(states, soft, targets, trusted=True)
        if not answer.refused:
            return NetworkPosteriors(answer.posteriors, answer.log_evidence)
        refused = np.zeros(len(states), dtype=np.bool_)
        refused[list(answer.refused)] = True
        return NetworkPosteriors(answer.posteriors, answer.log_evidence, refused, answer.refused)

    def _replaced(
        self,
        found: NetworkPosteriors,
        rows: IntArray,
        states: IntArray,
        soft: Mapping[int, ArrayLike],
        targets: Sequence[str] | None,
    ) -> NetworkPosteriors:
        """Answer some cases by the general executors; those too large for them are too complex."""
        if not len(rows):
            return found
        part = {v: np.asarray(given, dtype=np.float64)[rows] for v, given in soft.items()}
        try:
            other = self._general(states[rows], part, targets)
            refused = {int(rows[row]): fault for row, fault in other.refused.items()}
        except InvalidNetwork as refusal:
            blank = {
                name: np.zeros((len(rows), self.cards[self.names.index(name)]))
                for name in found.posteriors
            }
            other = NetworkPosteriors(blank, np.full(len(rows), -np.inf))
            refused = dict.fromkeys(rows.tolist(), refusal.faults[0])
        logs = found.log_evidence.copy()
        logs[rows] = other.log_evidence
        too_complex = np.zeros(len(logs), dtype=np.bool_)
        too_complex[: len(found.too_complex)] = found.too_complex
        coupled = too_complex.copy()
        too_complex[rows] = False
        too_complex[list(refused)] = True
        # Of what couples too much on both roads the first one tells more.
        refused = {row: fault for row, fault in refused.items() if not coupled[row]}
        posteriors = RowsReplaced(found.posteriors, rows, other.posteriors)
        return NetworkPosteriors(posteriors, logs, too_complex, refused)

    def __str__(self) -> str:
        if self.layered is None:
            cost = f"about {self.general.tree_nanoseconds / 1e3:,.3g} us a case by its cluster tree"
            return f"general executors: {self.reason}; {cost}"
        return f"noisy executors: {self.reason}; about {SWEEP_CASE / 1e3:,.0f} us a case"


def log_joint(
    solver: NetworkSolver,
    states: IntArray,
    members: Sequence[int],
    soft: Mapping[int, FloatArray] | None = None,
) -> FloatArray:
    """Natural log of P(joint state of some variables, evidence).

    Parameters
    ----------
    solver : NetworkSolver
    states : intp array (N, V)
        State positions, -1 unknown.
    members : sequence of int
        Positions of K variables, each once.
    soft : mapping of int to array (N, S), optional
        Likelihoods, as in `NetworkSolver.query`.

    Returns
    -------
    float64 array (N, S1 * ... * SK)
        The joint states in C order; -inf where one contradicts the evidence.

    Raises
    ------
    InvalidNetwork
        If a plan does not fit in the memory limit.
    """
    entries = np.indices([solver.cards[v] for v in members])
    entries = entries.reshape(len(members), -1).T
    likelihoods = {v: np.asarray(given, dtype=np.float64) for v, given in (soft or {}).items()}
    result = np.full((len(states), len(entries)), -np.inf)
    step = max(ROWS_AT_ONCE // len(entries), 1)
    for first in range(0, len(states), step):
        known = states[first : first + step]
        open_ = known[:, None, members]
        row, entry = np.nonzero(((open_ < 0) | (open_ == entries)).all(axis=2))
        put_in = known[row]
        put_in[:, members] = entries[entry]
        part = {v: given[first + row] for v, given in likelihoods.items()}
        result[first + row, entry] = solver.query(put_in, part, targets=[]).complete().log_evidence
    return result


def shares(log_weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return weights (N, K) made to sum to 1 a row, zeros where all are 0, and the log of sums."""
    top = log_weights.max(axis=1, keepdims=True, initial=-np.inf)
    top = np.where(np.isneginf(top), 0.0, top)
    weights = np.exp(log_weights - top)
    total = weights.sum(axis=1, keepdims=True)
    result: FloatArray = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0.0)
    with np.errstate(divide="ignore"):
        log_total: FloatArray = (np.log(total) + top)[:, 0]
    return result, log_total
