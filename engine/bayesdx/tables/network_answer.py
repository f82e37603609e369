"""The answer to cases on a network."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesdx.diagnosis.results import Result
from bayesdx.frozen import FrozenDict, NamedValues
from bayesdx.network.network import Network
from bayesdx.tables.explanations import IMPOSSIBLE, OK, TOO_COMPLEX

if TYPE_CHECKING:
    from bayesdx.inference.compiled_network import NetworkPosteriors

#: By whether the evidence is possible; last, cases that are beyond the limits of the executors.
STATUS = np.array([IMPOSSIBLE, OK, TOO_COMPLEX], dtype=object)


class StateNames(NamedValues[tuple[str, ...]]):
    """State names of some variables of a network, looked up when they are read."""

    def __init__(self, network: Network, names: Collection[str]) -> None:
        self._network, self._names = network, names

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __getitem__(self, name: str) -> tuple[str, ...]:
        if name not in self._names:
            raise KeyError(name)
        return self._network.variables[name].states


@dataclass(frozen=True, eq=False, repr=False)
class NetworkAnswer(Result):
    """Posteriors of N cases on a network.

    Attributes
    ----------
    posteriors : mapping of str to float64 array (N, S)
        P(state | evidence), in the order of ``states``; rows sum to 1, and are all 0 where the
        evidence is impossible.
    states : mapping of str to tuple of str
        State names of each variable.
    log_evidence : float64 array (N,)
        Natural log of P(evidence), -inf where it is impossible. Soft evidence counts with the
        likelihoods as they were given.
    status : object array (N,)
        ``"ok"``, ``"impossible"``, or ``"too_complex"`` where a case couples too much, or is beyond
        the memory limit: its posteriors are 0, its log evidence -inf.
    index : Index
        Labels of the cases.
    """

    posteriors: Mapping[str, NDArray[np.float64]]
    states: Mapping[str, tuple[str, ...]]
    log_evidence: NDArray[np.float64]
    status: NDArray[np.object_]
    index: pd.Index

    def to_frame(self) -> pd.DataFrame:
        """Return the posteriors as a table.

        Returns
        -------
        DataFrame
            One row a case with the caller's index; columns ``(variable, state)``.

        Examples
        --------
        >>> from bayesdx import Network, Variable, compile_network
        >>> from bayesdx.network import TableCPD
        >>> rain = Network([Variable("rain", ("no", "yes"))], [TableCPD("rain", (), [0.8, 0.2])])
        >>> compile_network(rain).query([{}]).to_frame().loc[0, ("rain", "yes")]
        np.float64(0.2)
        """
        pairs = [(name, state) for name in self.posteriors for state in self.states[name]]
        columns = pd.MultiIndex.from_tuples(pairs, names=["variable", "state"])
        shape = (len(self), 0)
        flat = np.concatenate([np.zeros(shape), *self.posteriors.values()], axis=1)
        return pd.DataFrame(flat, index=self.index, columns=columns)

    def __getstate__(self) -> dict[str, Any]:
        # A copy for another process is finished here: it goes without the network.
        whole = {"posteriors": FrozenDict(self.posteriors), "states": FrozenDict(self.states)}
        return {**self.__dict__, **whole}

    def _parts(self) -> Iterator[tuple[str, Any]]:
        yield "to_frame()", self.to_frame()

    def __len__(self) -> int:
        return len(self.log_evidence)

    def __repr__(self) -> str:
        impossible = int((self.status == IMPOSSIBLE).sum())
        return (
            f"NetworkAnswer({len(self)} cases, {len(self.posteriors)} variables, "
            f"{impossible} impossible)"
        )


def status_of(answer: NetworkPosteriors) -> NDArray[np.object_]:
    """Return the status of each case."""
    codes = answer.possible.astype(np.intp)
    if len(answer.too_complex):
        codes[answer.too_complex] = 2
    return STATUS[codes]


def posterior_columns(network: Network) -> dict[str, list[str]]:
    """Return the names of the columns of each variable's posterior, ``variable=state``.

    Where two of them would have the same name, as ``A=x=1`` of variable ``A=x`` and of state
    ``x=1``, whatever holds a sign of equality is put in quotation marks: ``"A=x"=1``, ``A="x=1"``.
    """

    def named(quoted: bool) -> dict[str, list[str]]:
        def part(text: str) -> str:
            return json.dumps(text, ensure_ascii=False) if quoted and set('"=') & {*text} else text

        return {
            name: [f"{part(name)}={part(state)}" for state in variable.states]
            for name, variable in network.variables.items()
        }

    plain = named(quoted=False)
    count = Counter(column for columns in plain.values() for column in columns)
    return named(quoted=True) if max(count.values(), default=1) > 1 else plain
