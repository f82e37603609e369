"""What learning a network from a table of cases has found."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesdx.diagnosis.results import Result
from bayesdx.inference.learning.network_parameters import network_parameters
from bayesdx.network.cpds import NoisyMaxCPD, NoisyOrCPD
from bayesdx.network.network import Network

#: Labels of refused rows that are kept; all are counted.
LABELS = 1000


@dataclass(frozen=True, eq=False, repr=False)
class LearnedNetwork(Result):
    """A network whose numbers come from cases, and how they came about.

    Attributes
    ----------
    network : Network
        The structure that was given, with learnt numbers.
    before : Network
        What learning started from.
    log_likelihood, log_posterior : float64 arrays (iterations + 1,)
        Natural log of P(cases), weighted, before the first iteration and after each. The posterior
        has the prior added, up to a constant, and never falls; without a prior they are equal.
    iterations : int
    converged : bool
        Whether the last iteration gained no more than the tolerance; complete cases take one.
    counts : mapping of str to float64 array
        For each variable how often each entry of its table was seen, or is expected to have been
        where cells are missing; without the prior. A noisy family has a row a link, in the order of
        its parents, then one for the leak and one an inhibitor; an any-of family none.
    rows : int
        Rows that were given.
    impossible : int
        Rows of probability 0 with the numbers that learning started from; left out.
    blank : int
        Rows without a known cell, or of weight 0; left out.
    impossible_labels : tuple
        Labels of the impossible rows, the first thousand.
    weight : float
        What the other rows weigh together.
    hidden : tuple of str
        Variables of which no cell is known.
    unseen : mapping of str to int
        Rows of a table that no case has reached and no prior has filled: they are as they were.
    """

    network: Network = field(repr=False)
    before: Network = field(repr=False)
    log_likelihood: NDArray[np.float64]
    log_posterior: NDArray[np.float64]
    iterations: int
    converged: bool
    counts: Mapping[str, NDArray[np.float64]]
    rows: int
    impossible: int
    blank: int
    impossible_labels: tuple[object, ...]
    weight: float
    hidden: tuple[str, ...]
    unseen: Mapping[str, int]

    def to_frame(self) -> pd.DataFrame:
        """Return the numbers as a table, before and after.

        Returns
        -------
        DataFrame
            One row an entry: ``variable``; ``given``, the states of its parents, or the mechanism
            of a noisy family; ``state``; ``count``, without the prior; ``before`` and
            ``probability``, which are 0 to 1. Of a mechanism the state is what it brings about by
            itself.

        Examples
        --------
        >>> import bayesdx
        >>> learned = bayesdx.fit({"rain": ()}, {"rain": ["no", "yes", "no", "no"]})
        >>> learned.to_frame()[["state", "count", "probability"]].values.tolist()
        [['no', 3.0, 0.75], ['yes', 1.0, 0.25]]
        """
        columns: dict[str, list[Any]] = {
            name: [] for name in ("variable", "given", "state", "count", "before", "probability")
        }
        old, new = network_parameters(self.before), network_parameters(self.network)
        starts, ends = ([one.table for one in made.tables] for made in (old, new))
        for name, variable in self.network.variables.items():
            after = new.shown(name, ends)
            given = _given(self.network, name)
            columns["variable"] += [name] * after.size
            columns["given"] += [one for one in given for _ in variable.states]
            columns["state"] += list(variable.states) * len(given)
            columns["count"] += self.counts[name].ravel().tolist()
            columns["before"] += old.shown(name, starts).ravel().tolist()
            columns["probability"] += after.ravel().tolist()
        return pd.DataFrame(columns)

    def records(self) -> dict[str, Any]:
        """Return every part in plain values, with the numbers as one dict an entry.

        Returns
        -------
        dict
            As the attributes, without the networks; ``tables`` is `to_frame`.

        Examples
        --------
        >>> import bayesdx
        >>> learned = bayesdx.fit({"rain": ()}, {"rain": ["no", "yes", "no", "no"]})
        >>> learned.records()["tables"][1]["probability"]
        0.25
        """
        return {**super().records(), "tables": self.to_frame().to_dict("records")}

    def _parts(self) -> Iterator[tuple[str, Any]]:
        yield "variables", len(self.network.variables)
        yield "rows", self.rows
        yield "impossible", self.impossible
        yield "blank", self.blank
        yield "hidden", ", ".join(self.hidden)
        yield "unseen", sum(self.unseen.values())
        yield "iterations", self.iterations
        yield "converged", self.converged
        yield "log_likelihood", float(self.log_likelihood[-1])
        yield "to_frame()", self.to_frame()


def _given(network: Network, name: str) -> list[str]:
    """What each row of the shown numbers of a variable is given."""
    cpd = network.cpds[name]
    if isinstance(cpd, NoisyOrCPD):
        links = [f"link from {one}" for one in cpd.activators]
        return [*links, "leak", *(f"inhibitor {one}" for one in cpd.inhibitors)]
    if isinstance(cpd, NoisyMaxCPD):
        return [*(f"link from {one}" for one in cpd.parents), "leak"]
    if not hasattr(cpd, "values"):
        return []
    states = [[f"{one}={state}" for state in network.variables[one].states] for one in cpd.parents]
    return [", ".join(each) for each in itertools.product(*states)]
