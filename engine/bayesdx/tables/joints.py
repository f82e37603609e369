"""Joint posteriors of several variables of a general network."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bayesdx.diagnosis.results import Result
from bayesdx.errors import Fault, Phrase
from bayesdx.inference.arrays import frozen
from bayesdx.inference.compiled_network import NetworkSolver, log_joint, shares
from bayesdx.network.network import Network

#: Joint states asked for at once, at most.
MOST_STATES = 1 << 12


@dataclass(frozen=True, eq=False, repr=False)
class JointAnswer(Result):
    """Joint posteriors of K variables in N cases.

    Attributes
    ----------
    variables : tuple of str
    states : tuple of tuple of str
        State names of each.
    probabilities : float64 array (N, S1, ..., SK)
        P(joint state | evidence), read-only; each case sums to 1, or is 0 where its evidence is
        impossible.
    log_evidence : float64 array (N,)
        Natural log of P(evidence), -inf where it is impossible.
    index : Index
        Labels of the cases.
    """

    variables: tuple[str, ...]
    states: tuple[tuple[str, ...], ...]
    probabilities: NDArray[np.float64]
    log_evidence: NDArray[np.float64]
    index: pd.Index

    def __len__(self) -> int:
        return len(self.log_evidence)

    def _parts(self) -> Iterator[tuple[str, Any]]:
        yield "frame()", self.frame()

    def frame(self) -> pd.DataFrame:
        """Return the probabilities as a table.

        Returns
        -------
        DataFrame
            One row a case, one column a joint state; the levels of the columns are the variables.

        Examples
        --------
        >>> from bayesdx import Network, TableCPD, Variable, compile_network
        >>> rain = Network([Variable("rain", ("no", "yes"))], [TableCPD("rain", (), [0.8, 0.2])])
        >>> compile_network(rain).joint({}, ["rain"]).frame().columns.names
        FrozenList(['rain'])
        """
        columns = pd.MultiIndex.from_product(self.states, names=self.variables)
        flat = self.probabilities.reshape(len(self), len(columns))
        return pd.DataFrame(flat, index=self.index, columns=columns)


def joint_faults(network: Network, variables: Sequence[str]) -> list[Fault]:
    """What is wrong with variables that the network has: twice the same, too many states."""
    if not variables:
        return [Fault("variables", "one or more variables", Phrase("none"))]
    if len(set(variables)) < len(variables):
        return [Fault("variables", "each variable once", list(variables))]
    count = math.prod(network.variables[name].cardinality for name in variables)
    if count > MOST_STATES:
        return [Fault("variables", f"at most {MOST_STATES} joint states", Phrase(f"{count}"))]
    return []


def joint_answer(
    solver: NetworkSolver,
    network: Network,
    variables: Sequence[str],
    states: NDArray[np.intp],
    soft: Mapping[int, ArrayLike],
    index: pd.Index,
) -> JointAnswer:
    """Answer cases whose states (N, V) are known to be right; see `CompiledNetwork.joint`."""
    given = {v: np.asarray(values, dtype=np.float64) for v, values in soft.items()}
    log_weights = log_joint(solver, states, [solver.names.index(name) for name in variables], given)
    probabilities, log_evidence = shares(log_weights)
    named = tuple(network.variables[name].states for name in variables)
    shaped = probabilities.reshape(len(states), *map(len, named))
    return JointAnswer(tuple(variables), named, frozen(shaped), frozen(log_evidence), index)
