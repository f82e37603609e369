"""How answers of a network change with its numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesdx.case_frames import CaseTable
from bayesdx.errors import Fault
from bayesdx.network.network import Network
from bayesdx.tables.asked_networks import AskedNetwork
from bayesdx.tables.case_states import Likelihoods, read_cases
from bayesdx.tables.explanations import table_faults
from bayesdx.tables.moved_numbers import sensitivity_table


class DifferentiatedNetwork(AskedNetwork):
    """A network of which derivatives by the entries of its tables can be had."""

    network: Network

    def gradients(
        self, evidence: CaseTable, variables: Sequence[str], *, likelihoods: Likelihoods = None
    ) -> dict[str, NDArray[np.float64]]:
        """Return how log P(evidence) changes with each entry of some tables, exactly.

        An entry is moved alone: nothing is renormalised. Where it is positive the derivative is
        P(state, parents | evidence) / entry; it is exact where the entry is 0 as well (Darwiche
        2003).

        Parameters
        ----------
        evidence : DataFrame or mapping
            N cases; see the class.
        variables : sequence of str
            Whose tables; each once, at most 4,096 cells. Noisy families count as their tables.
        likelihoods : mapping of str to array (N, S), optional
            Soft evidence, as in `query`.

        Returns
        -------
        dict of str to float64 array (N, parents..., S)
            For each variable d log P(evidence) / d table, the axes those of `Network.table`; at
            least 0. All 0 where the evidence is impossible and log P has no derivative; inf where
            the derivative is beyond the range of numbers.

        Raises
        ------
        InvalidCase
            If a variable is unknown or named twice, or its table is too large; with every fault
            of the evidence.
        InvalidNetwork
            If a plan would not fit in the memory limit.

        Examples
        --------
        >>> from bayesdx import Network, TableCPD, Variable, compile_network
        >>> rain = Network([Variable("rain", ("no", "yes"))], [TableCPD("rain", (), [0.8, 0.2])])
        >>> compile_network(rain).gradients({"rain": "yes"}, ["rain"])["rain"].round(3)
        array([[0., 5.]])
        """
        # Imported here: few ask for derivatives, and imports are deep enough.
        from bayesdx.inference.table_gradients import family_gradient

        faults: list[Fault] = []
        asked = self._tables_asked(variables, None, faults)
        states, soft, _ = read_cases(self._encoder, evidence, likelihoods, faults)
        log_evidence = self._solver.query(states, soft, []).complete().log_evidence
        limit = self.memory_limit
        return {
            name: family_gradient(self.network, name, states, log_evidence, limit, soft)
            for name in asked
        }

    def posterior_gradients(
        self,
        evidence: CaseTable,
        target: str,
        variables: Sequence[str],
        *,
        likelihoods: Likelihoods = None,
    ) -> dict[str, NDArray[np.float64]]:
        """Return how the posterior of one variable changes with each entry of some tables, exactly.

        Parameters
        ----------
        evidence : DataFrame or mapping
            N cases; see the class.
        target : str
            The variable, of T states, whose posterior it is.
        variables : sequence of str
            Whose tables; each once, at most 4,096 / T cells.
        likelihoods : mapping of str to array (N, S), optional
            Soft evidence, as in `query`.

        Returns
        -------
        dict of str to float64 array (N, T, parents..., S)
            For each variable d P(target | evidence) / d table; an entry is moved alone, as in
            `gradients`. Sums to 0 over T. All 0 where the evidence is impossible.

        Raises
        ------
        InvalidCase
            If a name is unknown or a variable named twice, or a table is too large; with every
            fault of the evidence.
        InvalidNetwork
            If a plan would not fit in the memory limit.

        Examples
        --------
        >>> from bayesdx import Network, TableCPD, Variable, compile_network
        >>> rain = Network([Variable("rain", ("no", "yes"))], [TableCPD("rain", (), [0.8, 0.2])])
        >>> compile_network(rain).posterior_gradients({}, "rain", ["rain"])["rain"].shape
        (1, 2, 2)
        """
        # As above.
        from bayesdx.inference.table_gradients import posterior_gradient

        faults: list[Fault] = []
        target = self._target(target, faults)
        asked = self._tables_asked(variables, target, faults)
        states, soft, _ = read_cases(self._encoder, evidence, likelihoods, faults)
        answer = self._solver.query(states, soft, [target]).complete()
        posterior, logs = answer.posteriors[target], answer.log_evidence
        limit = self.memory_limit
        return {
            name: posterior_gradient(
                self.network, name, target, states, posterior, logs, limit, soft
            )
            for name in asked
        }

    def sensitivity(
        self,
        evidence: CaseTable,
        target: str,
        state: str,
        variables: Sequence[str] | None = None,
        *,
        likelihoods: Likelihoods = None,
    ) -> pd.DataFrame:
        """Return the numbers on which P(target = state | evidence) hangs, the most important first.

        Parameters
        ----------
        evidence : DataFrame or mapping
            N cases; see the class.
        target, state : str
        variables : sequence of str, optional
            Whose tables; by default of all from which the target, or anything observed, descends,
            but for tables that are too large for `posterior_gradients`.
        likelihoods : mapping of str to array (N, S), optional
            Soft evidence, as in `query`.

        Returns
        -------
        DataFrame
            A row for each case and entry, with the label of the case: ``variable``, its parents'
            states ``given`` as text, its ``state``, the ``number`` as it stands, ``derivative`` of
            the posterior by it while the rest of its row stays in proportion (van der Gaag et al.
            2007), by size. All 0 where the evidence is impossible.

        Raises
        ------
        InvalidCase
            If a name is unknown, a variable named twice, or one of `variables` has too large a
            table; with every fault of the evidence.
        InvalidNetwork
            If a plan would not fit in the memory limit.

        Examples
        --------
        >>> from bayesdx import Network, TableCPD, Variable, compile_network
        >>> rain = Network([Variable("rain", ("no", "yes"))], [TableCPD("rain", (), [0.8, 0.2])])
        >>> compile_network(rain).sensitivity({}, "rain", "yes")["derivative"].round(3).tolist()
        [-1.0, 1.0]
        """
        faults: list[Fault] = []
        target = self._target(target, faults)
        at = 0 if faults else self._encoder.state(target, state, faults)
        known, soft, index = read_cases(self._encoder, evidence, likelihoods, faults)
        if variables is None:
            told = [*np.flatnonzero((known >= 0).any(axis=0)).tolist(), *soft]
            variables = self._small_tables(target, told)
        given = {list(self.network.variables)[v]: values for v, values in soft.items()}
        found = self.posterior_gradients(known, target, variables, likelihoods=given)
        gradients = {name: values[:, at] for name, values in found.items()}
        return sensitivity_table(self.network, gradients, index)

    def _small_tables(self, target: str, told: Sequence[int]) -> list[str]:
        """From what target and evidence descend, without tables that are too large."""
        names = list(self.network.variables)
        numbers = self.network.relevant({target, *(names[v] for v in told)}).numbers
        return [name for name in numbers if not self._too_large([name], target)]

    def _target(self, target: object, faults: list[Fault]) -> str:
        return next(iter(self._encoder.names("target", [target], faults)), "")

    def _tables_asked(
        self, variables: Sequence[str], target: str | None, faults: list[Fault]
    ) -> list[str]:
        """Names of variables whose tables can be asked for; what cannot is a fault more."""
        asked = self._encoder.names("variables", variables, faults)
        faults += [] if faults else self._too_large(asked, target)
        return asked

    def _too_large(self, names: list[str], target: str | None) -> list[Fault]:
        times = 1 if target is None else self.network.variables[target].cardinality
        return table_faults(self.network, names, times)
