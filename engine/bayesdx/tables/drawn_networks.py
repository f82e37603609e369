"""Cases drawn from a compiled network, and what a question to it depends on."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from bayesdx.case_frames import CaseTable
from bayesdx.checked_numbers import is_whole
from bayesdx.errors import Fault, InvalidCase, Phrase
from bayesdx.inference.ancestral_sampling import draw_cases
from bayesdx.network.network import Network
from bayesdx.network.separation import Relevance
from bayesdx.tables.asked_networks import AskedNetwork
from bayesdx.tables.case_states import read_cases

#: Cells that are drawn together.
CELLS_AT_ONCE = 1 << 24
#: Impossible cases that are listed.
TOLD = 10
#: Cases that are drawn at a time, at most.
MOST_DRAWN = 10**9


class DrawnNetwork(AskedNetwork):
    """A network that cases can be drawn from; a base of `CompiledNetwork`."""

    network: Network

    def sample(self, n: int, *, evidence: CaseTable | None = None, seed: int = 0) -> pd.DataFrame:
        """Draw whole cases, exactly: from the network, or from it given evidence.

        Draws are independent and none is rejected, however improbable the evidence: what lies above
        it is drawn from posteriors, variable after variable.

        Parameters
        ----------
        n : int
            Draws for each case of the evidence.
        evidence : DataFrame or mapping, optional
            What is known, as in `query`; of many cases each is drawn ``n`` times. All unknown by
            default.
        seed : int
            The same seed gives the same cases.

        Returns
        -------
        DataFrame
            ``n`` rows for each case, one after the other, under its label, and numbered where there
            is no evidence; one column a variable, state names as categories.

        Raises
        ------
        InvalidCase
            With every fault of the evidence; when a case is impossible; when ``n`` is not positive,
            or ``seed`` negative.
        InvalidNetwork, TooComplex
            If a case does not fit in the limits.

        Examples
        --------
        >>> from bayesdx import Network, TableCPD, Variable, compile_network
        >>> rain = Network([Variable("rain", ("no", "yes"))], [TableCPD("rain", (), [0.8, 0.2])])
        >>> compile_network(rain).sample(4, seed=1)["rain"].tolist()
        ['no', 'yes', 'no', 'yes']
        """
        if not is_whole(n, 1, MOST_DRAWN):
            raise InvalidCase(Fault("n", f"a whole number from 1 to {MOST_DRAWN}", n))
        if not is_whole(seed, 0):
            raise InvalidCase(Fault("seed", "a whole number of at least 0", seed))
        given = {} if evidence is None else evidence
        states, _, index = read_cases(self._encoder, given, None, [])
        possible = self._solver.query(states, targets=[]).complete().possible
        if not possible.all():
            wrong = np.flatnonzero(~possible)[:TOLD].tolist()
            expected, got = "evidence of a positive probability", Phrase("an impossible case")
            raise InvalidCase(
                [Fault(f"evidence, row {index[row]}", expected, got) for row in wrong]
            )
        rng = np.random.default_rng(seed)
        drawn = np.repeat(states, n, axis=0)
        # Cases that observe the same variables are drawn together.
        patterns, which = np.unique(states >= 0, axis=0, return_inverse=True)
        which = np.repeat(which.ravel(), n)
        step = max(CELLS_AT_ONCE // max(states.shape[1], 1), 1)
        for pattern in range(len(patterns)):
            rows = np.flatnonzero(which == pattern)
            for first in range(0, len(rows), step):
                part = rows[first : first + step]
                drawn[part] = draw_cases(self._solver, drawn[part], rng)
        columns = {
            name: pd.Categorical.from_codes(
                drawn[:, v], dtype=pd.CategoricalDtype(list(variable.states))
            )
            for v, (name, variable) in enumerate(self.network.variables.items())
        }
        every = pd.RangeIndex(n) if evidence is None else index.repeat(n)
        return pd.DataFrame(columns, index=every)

    def relevant(self, targets: Iterable[str], observed: Iterable[str] = ()) -> Relevance:
        """Find what the posterior of some variables depends on, by the arrows alone.

        Parameters
        ----------
        targets : iterable of str
        observed : iterable of str
            Variables that are known.

        Returns
        -------
        Relevance
            Its ``evidence`` is the least that gives the same answer whatever the numbers are.

        Raises
        ------
        InvalidCase
            With every name that is no variable.

        Examples
        --------
        >>> from bayesdx import Network, TableCPD, Variable, compile_network
        >>> tables = [TableCPD("a", (), [0.8, 0.2]), TableCPD("b", ("a",), [[1, 0], [0, 1]])]
        >>> chain = Network([Variable("a"), Variable("b")], tables)
        >>> compile_network(chain).relevant(["b"], ["a"]).evidence
        ('a',)
        """
        return self.network.relevant(targets, observed)
