"""EM: expected counts to tables, and again, until nothing moves (Dempster and others 1977)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bayesdx.checked_numbers import is_real, is_whole
from bayesdx.errors import Fault, InvalidCase, Phrase
from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray, frozen
from bayesdx.inference.learning.expectation import Expectation, Expected, distinct
from bayesdx.inference.learning.network_parameters import NetworkParameters, network_parameters
from bayesdx.inference.learning.noisy_links import ParameterTable
from bayesdx.inference.learning.pseudo_counts import Prior, pseudo_counts
from bayesdx.network.network import Network

#: A count below this share of its row is none: no row of the data needs it, and powers of it
#: would leave the range of numbers.
NEGLIGIBLE = 1e-30


@dataclass(frozen=True)
class Schedule:
    """When EM stops.

    Attributes
    ----------
    iterations : int
        Passes at most, at least 1.
    tolerance : float
        Nats a row that a pass has to gain.
    """

    iterations: int = 200
    tolerance: float = 1e-6

    def faults(self) -> list[Fault]:
        """What is wrong with it."""
        found = []
        if not is_whole(self.iterations, 1):
            found.append(Fault("iterations", "a whole number of at least 1", self.iterations))
        if not is_real(self.tolerance, 0.0):
            found.append(Fault("tolerance", "a number of at least 0", self.tolerance))
        return found


@dataclass(frozen=True, eq=False)
class LearnedTables:
    """What EM has found.

    Attributes
    ----------
    network : Network
    counts : mapping of str to array
        Expected counts that its numbers come from, without the prior, a table or a row a mechanism.
    log_likelihood, log_posterior : arrays (iterations + 1,)
        Before the first iteration and after each; the second with the prior, up to a constant.
    converged : bool
        Whether the last iteration gained less than the tolerance.
    impossible, blank : bool arrays (N,)
        Rows that counted nothing: of probability 0 at the start, and without a known cell.
    unseen : mapping of str to int
        Rows of tables that no case has reached and no prior filled: they are as they were.
    """

    network: Network
    counts: Mapping[str, FloatArray]
    log_likelihood: FloatArray
    log_posterior: FloatArray
    converged: bool
    impossible: BoolArray
    blank: BoolArray
    unseen: Mapping[str, int]


def learn_tables(
    network: Network,
    states: IntArray,
    weights: FloatArray,
    prior: Prior,
    equivalent_sample_size: float,
    schedule: Schedule,
    memory_limit: float,
    told: Callable[[int, float], None] | None = None,
) -> LearnedTables:
    """Learn the numbers of a network: the maximum of likelihood times prior that EM climbs to.

    Parameters
    ----------
    network : Network
        Where EM starts; zeros stay.
    states : intp array (N, V)
        State positions in the order of ``network.variables``, -1 missing.
    weights : array (N,)
        How often each row counts, finite and at least 0.
    prior, equivalent_sample_size
        See `pseudo_counts`.
    schedule : Schedule
    memory_limit : float
        Bytes that a tree of cliques, and a tile of cases, may take.
    told : function, optional
        Called after each iteration with its number and the log likelihood.

    Raises
    ------
    InvalidCase
        If no row says anything, or all are impossible.
    InvalidNetwork
        If the prior is none, or a tree does not fit in the memory limit.
    """
    parameters = network_parameters(network)
    imagined = pseudo_counts(parameters, prior, equivalent_sample_size)
    blank = (states < 0).all(axis=1) | (weights == 0.0)
    if blank.all():
        raise InvalidCase(Fault("cases", "a row with a known cell and a weight", _empty(states)))
    problem, kept = parameters.problem(), np.flatnonzero(~blank)
    rows = distinct(states[kept], weights[kept])
    expectation = Expectation(problem, rows, memory_limit)
    impossible = np.zeros(len(states), dtype=np.bool_)
    impossible[kept] = expectation.impossible[rows.inverse]
    used = float(rows.weights[~expectation.impossible].sum())
    if used == 0.0:
        got = Phrase(f"{len(kept)} rows of probability 0")
        raise InvalidCase(Fault("cases", "a row that the network holds possible", got))
    climb = _Climb(parameters, imagined, expectation)
    converged = False
    while not converged and climb.iterations < schedule.iterations:
        gain = climb.step()
        if told is not None:
            told(climb.iterations, climb.log_likelihood[-1])
        converged = expectation.complete or gain <= schedule.tolerance * used
    return LearnedTables(
        parameters.learnt(climb.tables),
        {name: parameters.shown(name, climb.counts) for name in network.variables},
        frozen(np.array(climb.log_likelihood)),
        frozen(np.array(climb.log_posterior)),
        converged,
        frozen(impossible),
        frozen(blank),
        _unseen(parameters, climb.counts, imagined),
    )


class _Climb:
    """Tables on their way, and the counts that they come from."""

    def __init__(
        self,
        parameters: NetworkParameters,
        imagined: Sequence[FloatArray],
        expectation: Expectation,
    ) -> None:
        self._parameters, self._imagined, self._expectation = parameters, imagined, expectation
        self.tables = [one.table for one in parameters.tables]
        self.log_likelihood: list[float] = []
        self.log_posterior: list[float] = []
        self.counts = self._next = self._taken(expectation.start)

    @property
    def iterations(self) -> int:
        """Steps so far."""
        return len(self.log_likelihood) - 1

    def step(self) -> float:
        """One iteration; return what the log posterior gained."""
        self.counts = self._next
        self.tables = [
            updated(one, table, counts, imagined)
            for one, table, counts, imagined in zip(
                self._parameters.tables, self.tables, self.counts, self._imagined, strict=True
            )
        ]
        self._next = self._taken(self._expectation(self.tables))
        return self.log_posterior[-1] - self.log_posterior[-2]

    def _taken(self, found: Expected) -> list[FloatArray]:
        self.log_likelihood.append(found.log_likelihood)
        self.log_posterior.append(found.log_likelihood + log_prior(self.tables, self._imagined))
        return found.counts


def updated(
    one: ParameterTable, table: FloatArray, counts: FloatArray, imagined: FloatArray
) -> FloatArray:
    """The table that maximises what is expected: counts and imagined counts, a row at a time.

    Parameters
    ----------
    one : ParameterTable
    table, counts, imagined : arrays of its shape
        The numbers so far, expected counts, and pseudo-counts.

    Returns
    -------
    array
        Rows that are not learnt, and those that nothing is known of, are as they were.
    """
    total = counts + imagined
    total = np.where(total < NEGLIGIBLE * total.sum(axis=-1, keepdims=True), 0.0, total)
    sums = total.sum(axis=-1, keepdims=True)
    moved = one.free[..., None] & (sums > 0.0)
    return np.where(moved, total / np.where(moved, sums, 1.0), table)


def log_prior(tables: Sequence[FloatArray], imagined: Sequence[FloatArray]) -> float:
    """Log of the Dirichlet densities of all rows, without their constants."""
    found = 0.0
    for table, counts in zip(tables, imagined, strict=True):
        some = counts > 0.0
        found += float(counts[some] @ np.log(table[some]))
    return found


def _unseen(
    parameters: NetworkParameters, counts: Sequence[FloatArray], imagined: Sequence[FloatArray]
) -> dict[str, int]:
    found = {}
    for name, places in parameters.places.items():
        empty = [
            parameters.tables[t].free & ((counts[t] + imagined[t]).sum(axis=-1) <= 0.0)
            for t in places
        ]
        number = sum(int(one.sum()) for one in empty)
        if number:
            found[name] = number
    return found


def _empty(states: IntArray) -> Phrase:
    if not len(states):
        return Phrase("no rows")
    if (states < 0).all():
        return Phrase(f"{len(states)} rows, every cell of which is missing")
    return Phrase(f"{len(states)} rows, all blank or of weight 0")
