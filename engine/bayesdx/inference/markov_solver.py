"""Markov networks answered by the executors of Bayesian ones: functions are observed children."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from bayesdx.inference.arrays import FloatArray, IntArray
from bayesdx.inference.compiled_network import NetworkPosteriors, NetworkSolver
from bayesdx.inference.general.branch_and_bound import SearchLimits
from bayesdx.inference.general.most_probable import ONE, MostProbable
from bayesdx.inference.machine_code import Backend
from bayesdx.network.markov import MarkovNetwork, observed_factors
from bayesdx.network.network import Network


class MarkovSolver(NetworkSolver):
    """A Markov network ready for queries by state positions; logs are those of its product.

    Parameters
    ----------
    network : MarkovNetwork
    memory_limit : float
    backend : {"auto", "numpy", "compiled"}

    Attributes
    ----------
    plain : Network
        Its variables without its functions: what a case may say.
    """

    def __init__(
        self, network: MarkovNetwork, memory_limit: float, backend: Backend = "auto"
    ) -> None:
        whole = observed_factors(network)
        super().__init__(whole.network, memory_limit, backend)
        self._scale, self._own = whole.log_scale, list(network.variables)
        cpds = whole.network.cpds
        self.plain = Network(network.variables.values(), [cpds[name] for name in self._own])

    def query(
        self,
        states: IntArray,
        soft: Mapping[int, ArrayLike] | None = None,
        targets: Sequence[str] | None = None,
    ) -> NetworkPosteriors:
        """Answer every case exactly; ``log_evidence`` is log of Z(evidence)."""
        wanted = self._own if targets is None else targets
        answer = super().query(self._with_functions(states), soft, wanted)
        return replace(answer, log_evidence=answer.log_evidence + self._scale)

    def most_probable(
        self,
        states: IntArray,
        soft: Mapping[int, FloatArray] | None = None,
        targets: Collection[int] | None = None,
        limits: SearchLimits = ONE,
    ) -> MostProbable:
        """Find the assignments of every case with the largest product of all functions."""
        found = super().most_probable(self._with_functions(states), soft, targets, limits)
        return MostProbable(
            found.states[..., : len(self._own)],
            found.log_probability + self._scale,
            found.log_bound + self._scale,
        )

    def _with_functions(self, states: IntArray) -> IntArray:
        """Join to states (N, V) what is always observed."""
        seen = np.ones((len(states), len(self.names) - len(self._own)), dtype=np.intp)
        return np.concatenate([states, seen], axis=1)
