"""Any discrete Markov network, asked by tables of state names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from bayesdx.case_frames import CaseTable
from bayesdx.frozen import ReadOnly
from bayesdx.inference.compiled_network import NetworkSolver
from bayesdx.inference.machine_code import Backend
from bayesdx.network.markov import MarkovNetwork, observed_factors
from bayesdx.network.network import Network
from bayesdx.tables.case_states import Likelihoods, read_cases
from bayesdx.tables.encoding import Encoder
from bayesdx.tables.network_answer import NetworkAnswer, StateNames, status_of
from bayesdx.tables.networks import MEMORY_LIMIT


class CompiledMarkov(ReadOnly):
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
    _solver: NetworkSolver
    _encoder: Encoder
    _plain: Network
    _log_scale: float

    def __init__(
        self, network: MarkovNetwork, memory_limit: float = MEMORY_LIMIT, backend: Backend = "auto"
    ) -> None:
        whole = observed_factors(network)
        plain = Network(
            network.variables.values(),
            [cpd for name, cpd in whole.network.cpds.items() if name in network.variables],
        )
        self.__dict__.update(network=network, memory_limit=memory_limit, backend=backend)
        solver = NetworkSolver(whole.network, memory_limit, backend)
        self.__dict__.update(_solver=solver, _encoder=Encoder(plain), _plain=plain)
        self.__dict__.update(_log_scale=whole.log_scale)

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
        wanted = self._encoder.name_faults("targets", targets or ())
        states, soft, index = read_cases(self._encoder, evidence, likelihoods, wanted)
        seen = np.ones((len(states), len(self.network.factors)), dtype=np.intp)
        names = list(self.network.variables) if targets is None else targets
        answer = self._solver.query(np.concatenate([states, seen], axis=1), soft, names)
        answer = replace(answer, log_evidence=answer.log_evidence + self._log_scale)
        named = StateNames(self._plain, answer.posteriors)
        return NetworkAnswer(
            answer.posteriors, named, answer.log_evidence, status_of(answer), index
        )

    @cached_property
    def log_partition(self) -> float:
        """Natural log of the partition function Z, the sum of the product of all functions."""
        states = np.full((1, len(self._solver.names)), -1, dtype=np.intp)
        states[:, len(self.network.variables) :] = 1
        answer = self._solver.query(states, targets=[]).complete()
        return float(answer.log_evidence[0]) + self._log_scale

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
