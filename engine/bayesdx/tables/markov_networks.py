"""Any discrete Markov network, asked by tables of state names."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from bayesdx.case_frames import CaseTable
from bayesdx.errors import Fault
from bayesdx.inference.machine_code import Backend
from bayesdx.inference.markov_solver import MarkovSolver
from bayesdx.network.markov import MarkovNetwork
from bayesdx.tables.case_states import Likelihoods, read_cases
from bayesdx.tables.encoding import Encoder
from bayesdx.tables.explained_networks import ExplainedNetwork
from bayesdx.tables.network_answer import NetworkAnswer, StateNames, status_of
from bayesdx.tables.networks import MEMORY_LIMIT


class CompiledMarkov(ExplainedNetwork):
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
    memory_limit: float
    backend: Backend
    _solver: MarkovSolver
    _encoder: Encoder

    def __init__(
        self, network: MarkovNetwork, memory_limit: float = MEMORY_LIMIT, backend: Backend = "auto"
    ) -> None:
        solver = MarkovSolver(network, memory_limit, backend)
        self.__dict__.update(network=network, memory_limit=memory_limit, backend=backend)
        self.__dict__.update(_solver=solver, _encoder=Encoder(solver.plain))
        self.__dict__.update(_plain=solver.plain)

    def __reduce__(self) -> tuple[type[CompiledMarkov], tuple[MarkovNetwork, float, Backend]]:
        return CompiledMarkov, (self.network, self.memory_limit, self.backend)

    def query(
        self,
        evidence: CaseTable,
        *,
        likelihoods: Likelihoods = None,
        targets: Sequence[str] | None = None,
    ) -> NetworkAnswer:
        """Answer every case exactly: the posteriors of all variables.

        Parameters
        ----------
        evidence : DataFrame or mapping
            N cases.
        likelihoods : mapping of str to array (N, S), optional
            Soft evidence, as in `CompiledNetwork.query`.
        targets : sequence of str, optional
            Variables whose posteriors are wanted, all by default.

        Returns
        -------
        NetworkAnswer
            Its ``log_evidence`` is the natural log of Z(evidence), the sum of the product of all
            functions over the states that agree with the evidence: less `log_partition`, it is log
            P(evidence).

        Raises
        ------
        InvalidCase
            With every fault at once: unknown columns or states, wrong shapes.
        InvalidNetwork
            If for none of the cases a plan would fit in the memory limit.

        Examples
        --------
        >>> from bayesdx import MarkovFactor, MarkovNetwork, Variable, compile_markov
        >>> pair = [Variable("a"), Variable("b")]
        >>> alike = MarkovNetwork(pair, [MarkovFactor(("a", "b"), [[3.0, 1.0], [1.0, 3.0]])])
        >>> compile_markov(alike).query({"a": "present"}).posteriors["b"].tolist()
        [[0.25, 0.75]]
        """
        faults: list[Fault] = []
        asked = None if targets is None else self._encoder.names("targets", targets, faults)
        states, soft, index = read_cases(self._encoder, evidence, likelihoods, faults)
        answer = self._solver.query(states, soft, asked)
        named, status = StateNames(self._plain, answer.posteriors), status_of(answer)
        return NetworkAnswer(answer.posteriors, named, answer.log_evidence, status, index)

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
    return CompiledMarkov(network, memory_limit, backend)
