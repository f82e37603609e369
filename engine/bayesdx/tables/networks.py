"""Any discrete network, asked by tables of state names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bayesdx.errors import Fault, InvalidCase, Phrase, nearest_names
from bayesdx.inference.general import CompiledGeneral, Plan
from bayesdx.network import Network

#: Bytes that the tables of a plan and the arrays of one case may take.
MEMORY_LIMIT = 2 << 30
#: Faults of one column that are listed; a column of nonsense has as many as it has rows.
LISTED = 10

#: Up to this many rows are looked up one by one: factorising a column takes longer.
FEW_ROWS = 8

OK, IMPOSSIBLE = "ok", "impossible"


@dataclass(frozen=True, eq=False)
class NetworkAnswer:
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
        ``"ok"`` or ``"impossible"``.
    """

    posteriors: Mapping[str, NDArray[np.float64]]
    states: Mapping[str, tuple[str, ...]]
    log_evidence: NDArray[np.float64]
    status: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.log_evidence)

    def __repr__(self) -> str:
        impossible = int((self.status == IMPOSSIBLE).sum())
        return (
            f"NetworkAnswer({len(self)} cases, {len(self.posteriors)} variables, "
            f"{impossible} impossible)"
        )


class CompiledNetwork:
    """A network ready to be queried; made by `compile_network`, safe to share between threads.

    Plans are made as evidence needs them and kept: the first query that observes certain
    variables may take longer than the next.
    """

    def __init__(self, network: Network, memory_limit: float = MEMORY_LIMIT) -> None:
        self.network = network
        self.memory_limit = memory_limit
        self._general = CompiledGeneral(network, memory_limit)
        self._position = {name: i for i, name in enumerate(network.variables)}
        self._codes = [
            {state: code for code, state in enumerate(variable.states)}
            for variable in network.variables.values()
        ]

    def query(
        self,
        evidence: pd.DataFrame | Mapping[str, object],
        *,
        likelihoods: Mapping[str, ArrayLike] | None = None,
        targets: Sequence[str] | None = None,
    ) -> NetworkAnswer:
        """Answer every case exactly; the network is left as it is.

        Parameters
        ----------
        evidence : DataFrame or mapping
            One row a case, columns among the variables, cells state names; NaN, None and NA mean
            unknown. A mapping of variables to states is one case, without the cost of a table.
        likelihoods : mapping of str to array (N, S), optional
            Soft evidence: for a variable, the likelihood of what was seen given each state, up to
            a factor. A row of NaN says nothing.
        targets : sequence of str, optional
            Variables whose posteriors are wanted, all by default; fewer are quicker.

        Returns
        -------
        NetworkAnswer

        Raises
        ------
        InvalidCase
            With every fault at once: unknown columns or states, wrong shapes.
        InvalidNetwork
            If a plan would not fit in the memory limit; it says what it would need.
        """
        if isinstance(evidence, pd.DataFrame):
            states, faults = self.encode(evidence)
        else:
            states, faults = self._one(evidence)
        faults += self._name_faults("likelihoods", likelihoods or ())
        faults += self._name_faults("targets", targets or ())
        soft = {}
        for name, values in (likelihoods or {}).items():
            if name in self._position:
                v = self._position[name]
                faults += self._likelihood_faults(name, values, len(states))
                soft[v] = values
        if faults:
            raise InvalidCase(faults)
        answer = self._general.query(states, soft, targets)
        status = np.where(answer.possible, OK, IMPOSSIBLE).astype(object)
        posteriors = {
            name: answer.values[start:end].T
            for name, start, end in zip(
                answer.names, answer.starts[:-1], answer.starts[1:], strict=True
            )
        }
        named = {name: self.network.variables[name].states for name in answer.names}
        return NetworkAnswer(posteriors, named, answer.log_evidence, status)

    def plan(self, observed: Sequence[str] = (), targets: Sequence[str] | None = None) -> Plan:
        """Return the plan for cases that observe exactly these variables.

        Parameters
        ----------
        observed : sequence of str
        targets : sequence of str, optional
            Variables whose posteriors are wanted; all by default.

        Returns
        -------
        Plan
            A value that prints itself: order, largest clique, cells, memory, estimated time.

        Raises
        ------
        InvalidCase
            If a name is not a variable.
        InvalidNetwork
            If it would not fit in the memory limit; it says what it would need.
        """
        return self._general.plan(observed, (), targets)

    def __repr__(self) -> str:
        return f"CompiledNetwork({self.network!r}, memory_limit={self.memory_limit:.3g})"

    def encode(self, evidence: pd.DataFrame) -> tuple[NDArray[np.intp], list[Fault]]:
        """State positions (N, V) of a table, and what is wrong in it."""
        faults = self._column_faults(evidence.columns)
        states = np.full((len(evidence), len(self._codes)), -1, dtype=np.intp)
        for column, cells in evidence.items():
            v = self._position.get(str(column))
            if v is not None:
                states[:, v], wrong = self._encoded(cells, v)
                faults += wrong
        return states, faults

    def _one(self, evidence: Mapping[str, object]) -> tuple[NDArray[np.intp], list[Fault]]:
        """The same of a single case."""
        states = np.full((1, len(self._codes)), -1, dtype=np.intp)
        faults = self._name_faults("evidence", evidence)
        for name, state in evidence.items():
            v = self._position.get(name)
            if v is None:
                continue
            code = self._codes[v].get(state, -1) if isinstance(state, str) else -1
            if code < 0 and not _is_blank(state):
                faults.append(self._state_fault(f"evidence, {name}", state, v))
            states[0, v] = code
        return states, faults

    def _state_fault(self, place: str, got: object, v: int) -> Fault:
        known = list(self._codes[v])
        expected = f"a state ({', '.join(known[:6])}{', ...' if len(known) > 6 else ''})"
        return Fault(place, expected, got, nearest_names(str(got), known))

    def _column_faults(self, columns: Iterable[object]) -> list[Fault]:
        seen: set[object] = set()
        faults = []
        for column in columns:
            if column not in self._position:
                near = nearest_names(str(column), self._position)
                faults.append(Fault("evidence, column", "a variable of the network", column, near))
            elif column in seen:
                faults.append(Fault("evidence, column", "each column once", column))
            seen.add(column)
        return faults

    def _name_faults(self, place: str, names: Iterable[str]) -> list[Fault]:
        return [
            Fault(place, "a variable of the network", name, nearest_names(name, self._position))
            for name in names
            if name not in self._position
        ]

    def _encoded(self, cells: pd.Series, v: int) -> tuple[NDArray[np.intp], list[Fault]]:
        """State positions of a column, -1 unknown, and what is no state."""
        known = self._codes[v]
        quick = self._arrow_encoded(cells, v)
        if quick is not None:
            return quick, []
        if len(cells) <= FEW_ROWS:
            values, code = list(cells.array), np.arange(len(cells))
            blank = [-1 if pd.isna(value) else -2 for value in values]
        else:
            code, distinct = pd.factorize(cells.array, use_na_sentinel=True)
            values, blank = list(distinct), [-2] * len(distinct)
        # The last entry is what code -1, a missing cell, points at.
        table = np.array(
            [known.get(value, other) for value, other in zip(values, blank, strict=True)] + [-1],
            dtype=np.intp,
        )
        result = table[code]
        if (table != -2).all():
            return result, []
        wrong = np.flatnonzero(result == -2)
        faults = []
        for row in wrong[:LISTED].tolist():
            got = cells.iloc[row]
            got = got.item() if isinstance(got, np.generic) else got
            place = f"evidence, row {cells.index[row]}, column {cells.name}"
            faults.append(self._state_fault(place, got, v))
        if len(wrong) > LISTED:
            rest = Phrase(f"{len(wrong) - LISTED} more such cells")
            faults.append(Fault(f"evidence, column {cells.name}", "states", rest))
        return result, faults

    def _arrow_encoded(self, cells: pd.Series, v: int) -> NDArray[np.intp] | None:
        """The same of text that Arrow holds, in a third of the time; None if not all are states."""
        dtype = cells.dtype
        if len(cells) <= FEW_ROWS or not isinstance(dtype, pd.StringDtype):
            return None
        if dtype.storage != "pyarrow":
            return None
        # Imported here: whoever has such a column has paid for it.
        import pyarrow as pa
        import pyarrow.compute as pc

        text = pa.chunked_array(cells.array.__arrow_array__())
        found = pc.index_in(text, value_set=pa.array(list(self._codes[v]), text.type))
        if found.null_count != text.null_count:
            return None
        codes: NDArray[np.intp] = found.fill_null(-1).to_numpy().astype(np.intp)
        return codes

    def _likelihood_faults(self, name: str, values: ArrayLike, n: int) -> list[Fault]:
        place = f"likelihoods of {name}"
        shape = (n, len(self.network.variables[name].states))
        try:
            array = np.asarray(values, dtype=np.float64)
        except (TypeError, ValueError):
            return [Fault(place, f"numbers of shape {shape}", values)]
        if array.shape != shape:
            return [Fault(place, f"shape {shape}", f"shape {array.shape}")]
        blank = np.isnan(array).all(axis=1)
        bad = ~blank & ~(np.isfinite(array) & (array >= 0)).all(axis=1)
        return [
            Fault(f"{place}, row {row}", "finite numbers of at least 0", array[row].tolist())
            for row in np.flatnonzero(bad)[:LISTED].tolist()
        ]


def compile_network(network: Network, memory_limit: float = MEMORY_LIMIT) -> CompiledNetwork:
    """Make a network ready for queries.

    Parameters
    ----------
    network : Network
        Any discrete network; wide noisy families are decomposed, not expanded.
    memory_limit : float
        Bytes that the tables of a plan, and the arrays of one case, may take. What needs more is
        refused with its estimate; evidence often makes small what is large without it.

    Returns
    -------
    CompiledNetwork

    Raises
    ------
    InvalidNetwork
        If a table has more cells than a network may hold, or the limit is not positive.
    """
    return CompiledNetwork(network, memory_limit)


def _is_blank(state: object) -> bool:
    return state is None or state is pd.NA or state is pd.NaT or state != state
