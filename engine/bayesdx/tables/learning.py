"""Learning the numbers of a compiled network from a table of cases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bayesdx.case_frames import CaseTable, cases_frame, is_one_case
from bayesdx.errors import Fault, InvalidCase, Phrase, nearest_names
from bayesdx.inference.arrays import FloatArray
from bayesdx.inference.learning.maximisation import Schedule, learn_tables
from bayesdx.inference.learning.pseudo_counts import Prior
from bayesdx.network.network import Network
from bayesdx.tables.asked_networks import AskedNetwork
from bayesdx.tables.case_states import read_cases
from bayesdx.tables.encoding import Encoder
from bayesdx.tables.learned_network import LABELS, LearnedNetwork

#: Numbers (N,), the name of the column that holds them, or None where each row counts once.
Weight = str | ArrayLike | None


@dataclass(frozen=True)
class HowToLearn:
    """The options of `CompiledNetwork.learn`, which describes them."""

    prior: Prior
    equivalent_sample_size: float
    schedule: Schedule
    memory_limit: float
    told: Callable[[int, float], None] | None = None


class LearningNetwork(AskedNetwork):
    """A network that learns; the base of `CompiledNetwork`."""

    network: Network

    def learn(
        self,
        cases: CaseTable,
        *,
        prior: Prior = None,
        equivalent_sample_size: float = 1.0,
        weight: Weight = None,
        iterations: int = 200,
        tolerance: float = 1e-6,
    ) -> LearnedNetwork:
        """Learn every table from cases: the maximum of likelihood times prior.

        Where all cells of a row are known its families are counted; where some are missing they
        are counted as expected given the others (EM; Dempster, Laird and Rubin 1977), which starts
        from this network's own numbers and climbs to a maximum near them. Missing cells have to be
        missing at random. A 0 in a table is structure and stays 0. Noisy families are learnt by
        their links, leak and inhibitors, each a hidden mechanism. Memory does not grow with the
        number of rows beyond the rows themselves; equal rows are counted once. NumPy does the
        arithmetic, whatever the backend.

        Parameters
        ----------
        cases : DataFrame or mapping
            One row a case, as `query` takes them. Variables without a column are hidden.
        prior : None, float, "bdeu" or mapping of str to array, optional
            Imagined observations: none (maximum likelihood); so many of every entry; those of
            "bdeu", which shares ``equivalent_sample_size`` out among the entries of each table; or
            arrays of the shape of `LearnedNetwork.counts` by variable, none for the others. Of a
            Dirichlet prior they are its parameters minus 1, so that the result is the mode.
        equivalent_sample_size : float
            For "bdeu", above 0.
        weight : str or array (N,), optional
            How often each row counts, at least 0: the name of a column, or numbers.
        iterations : int
            Passes over the rows at most.
        tolerance : float
            EM stops when a pass gains no more than this, in nats a row.

        Returns
        -------
        LearnedNetwork

        Raises
        ------
        InvalidCase
            With every fault at once: unknown columns or states, weights that are none; no rows,
            none with a known cell, or none that is possible.
        InvalidNetwork
            If the prior is none; if what is hidden couples more than fits in the memory limit.

        Examples
        --------
        >>> from bayesdx import Network, TableCPD, Variable, compile_network
        >>> rain = Network([Variable("rain", ("no", "yes"))], [TableCPD("rain", (), [0.8, 0.2])])
        >>> learned = compile_network(rain).learn({"rain": ["no", "yes", None, "yes"]}, prior=1.0)
        >>> learned.network.table("rain").tolist(), learned.blank
        ([0.4, 0.6], 1)
        """
        how = HowToLearn(
            prior, equivalent_sample_size, Schedule(iterations, tolerance), self.memory_limit
        )
        return learned_network(self.network, self._encoder, cases, weight, how)


def learned_network(
    network: Network, encoder: Encoder, cases: CaseTable, weight: Weight, how: HowToLearn
) -> LearnedNetwork:
    """Learn a network from a table; see `LearningNetwork.learn`."""
    cases, given = _split(network, cases, weight)
    faults = how.schedule.faults()
    states, _, index = read_cases(encoder, cases, None, faults)
    weights = weights_of(given, len(states), index)
    found = learn_tables(
        network,
        states,
        weights,
        how.prior,
        how.equivalent_sample_size,
        how.schedule,
        how.memory_limit,
        how.told,
    )
    known = np.flatnonzero((states >= 0).any(axis=0)).tolist()
    refused = np.flatnonzero(found.impossible)
    return LearnedNetwork(
        found.network,
        network,
        found.log_likelihood,
        found.log_posterior,
        len(found.log_likelihood) - 1,
        found.converged,
        dict(found.counts),
        len(states),
        len(refused),
        int(found.blank.sum()),
        tuple(index[refused[:LABELS]].tolist()),
        float(weights[~found.blank & ~found.impossible].sum()),
        tuple(name for v, name in enumerate(network.variables) if v not in known),
        dict(found.unseen),
    )


def weights_of(given: ArrayLike | None, n: int, index: pd.Index) -> FloatArray:
    """Weights (N,) of rows, all 1 where none are given.

    Raises
    ------
    InvalidCase
        If they are no finite numbers of at least 0, one a row.
    """
    if given is None:
        return np.ones(n)
    try:
        weights: NDArray[np.float64] = np.array(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidCase(Fault("weight", "a number a row", given)) from None
    if weights.shape != (n,):
        raise InvalidCase(Fault("weight", f"shape {(n,)}", f"shape {weights.shape}"))
    wrong = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0.0)))
    if len(wrong):
        expected = "finite numbers of at least 0"
        raise InvalidCase(
            [
                Fault(f"weight, row {index[row]}", expected, float(weights[row]))
                for row in wrong[:10].tolist()
            ]
        )
    return weights


def _split(
    network: Network, cases: CaseTable, weight: Weight
) -> tuple[CaseTable, ArrayLike | None]:
    """Cases without the column of weights, and the weights."""
    if not isinstance(weight, str):
        return cases, weight
    if is_one_case(cases) or (isinstance(cases, np.ndarray) and cases.dtype.names is None):
        got = Phrase("no table of named columns")
        raise InvalidCase(Fault("weight", f"a table with the column {weight}", got))
    frame = cases_frame(cases)
    if weight not in frame.columns:
        near = nearest_names(weight, map(str, frame.columns))
        raise InvalidCase(Fault("weight", "a column of the table", weight, near))
    if weight in network.variables:
        raise InvalidCase(Fault("weight", "a column that is no variable", weight))
    return frame.drop(columns=weight), frame[weight].to_numpy()
