"""Any discrete Markov network, asked by tables of state names."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from bayesdx.errors import Fault, InvalidNetwork
from bayesdx.inference.machine_code import Backend
from bayesdx.inference.markov_solver import MarkovSolver
from bayesdx.network.markov import MarkovNetwork
from bayesdx.tables.asked_networks import AskedNetwork
from bayesdx.tables.encoding import Encoder
from bayesdx.tables.networks import MEMORY_LIMIT


class CompiledMarkov(AskedNetwork):
    """A Markov network ready to be queried; made by `compile_markov`, safe to share.

    Answered by the executors of Bayesian networks: each function is an observed child of its
    variables. ``evidence`` is what it is for `CompiledNetwork`.

    Attributes
    ----------
    network : MarkovNetwork
    memory_limit : float
    backend : str
    """

    network: MarkovNetwork

    def __init__(
        self, network: MarkovNetwork, memory_limit: float = MEMORY_LIMIT, backend: Backend = "auto"
    ) -> None:
        solver = MarkovSolver(network, memory_limit, backend)
        self.__dict__.update(network=network, memory_limit=memory_limit, backend=backend)
        self.__dict__.update(_solver=solver, _encoder=Encoder(solver.plain), _plain=solver.plain)

    @cached_property
    def log_partition(self) -> float:
        """Natural log of the partition function Z, the sum of the product of all functions."""
        states = np.full((1, len(self.network.variables)), -1, dtype=np.intp)
        return float(self._solver.query(states, targets=[]).complete().log_evidence[0])

    def __repr__(self) -> str:
        return f"CompiledMarkov({self.network!r}, memory_limit={self.memory_limit:.3g})"


def compile_markov(
    network: MarkovNetwork, memory_limit: float = MEMORY_LIMIT, backend: Backend = "auto"
) -> CompiledMarkov:
    """Make a Markov network ready for queries.

    Parameters
    ----------
    network : MarkovNetwork
    memory_limit : float
        Bytes that the tables of a plan, and the arrays of one case, may take.
    backend : {"auto", "numpy", "compiled"}
        Who does the arithmetic.

    Returns
    -------
    CompiledMarkov

    Raises
    ------
    InvalidNetwork
        If the limit is not positive.
    BayesdxError
        If there is no such backend here.

    Examples
    --------
    >>> from bayesdx import MarkovFactor, MarkovNetwork, Variable, compile_markov
    >>> pair = [Variable("a"), Variable("b")]
    >>> alike = MarkovNetwork(pair, [MarkovFactor(("a", "b"), [[3.0, 1.0], [1.0, 3.0]])])
    >>> round(compile_markov(alike).log_partition, 6)  # log 8
    2.079442
    """
    given: object = network
    if not isinstance(given, MarkovNetwork):
        expected = "a MarkovNetwork (compile_network takes a Network)"
        raise InvalidNetwork(Fault("network", expected, given))
    return CompiledMarkov(network, memory_limit, backend)
