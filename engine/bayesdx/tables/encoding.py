"""Tables of state names as state positions, and every fault that is in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bayesdx.errors import Fault, Phrase, nearest_names
from bayesdx.network import Network

#: Faults of one column that are listed; a column of nonsense has as many as it has rows.
LISTED = 10
#: Up to this many rows each cell is fetched alone: for pandas a column is dearer than four cells.
FEW_ROWS = 4

States = NDArray[np.intp]


class Encoder:
    """State names of a network's variables, looked up.

    Parameters
    ----------
    network : Network
    """

    def __init__(self, network: Network) -> None:
        self.position = {name: i for i, name in enumerate(network.variables)}
        self._codes = [
            {state: code for code, state in enumerate(variable.states)}
            for variable in network.variables.values()
        ]

    def states(self, evidence: pd.DataFrame | Mapping[str, object]) -> tuple[States, list[Fault]]:
        """State positions (N, V) of a table, or of one case, -1 unknown; and what is wrong."""
        if not isinstance(evidence, pd.DataFrame):
            return self._one(evidence)
        n, columns = len(evidence), evidence.columns.tolist()
        faults = self._column_faults(columns)
        # Column after column, as it is read and as it is used.
        states = np.full((len(self._codes), n), -1, dtype=np.intp).T
        if n <= FEW_ROWS:
            return states, faults + self._by_cell(evidence, columns, states)
        for column, cells in evidence.items():
            v = self.position.get(str(column))
            if v is not None:
                states[:, v], wrong = self._encoded(cells, v)
                faults += wrong
        return states, faults

    def likelihoods(
        self, given: Mapping[str, ArrayLike] | None, n: int
    ) -> tuple[dict[int, ArrayLike], list[Fault]]:
        """Soft evidence (N, S) by position of its variable; and what is wrong."""
        soft: dict[int, ArrayLike] = {}
        faults = self.name_faults("likelihoods", given or ())
        for name, values in (given or {}).items():
            if name in self.position:
                v = self.position[name]
                faults += self._likelihood_faults(name, values, (n, len(self._codes[v])))
                soft[v] = values
        return soft, faults

    def name_faults(self, place: str, names: Iterable[str]) -> list[Fault]:
        """What is no variable among some names."""
        return [
            Fault(place, "a variable of the network", name, nearest_names(name, self.position))
            for name in names
            if name not in self.position
        ]

    def _one(self, evidence: Mapping[str, object]) -> tuple[States, list[Fault]]:
        states = np.full((1, len(self._codes)), -1, dtype=np.intp)
        faults = self.name_faults("evidence", evidence)
        for name, state in evidence.items():
            v = self.position.get(name)
            if v is not None:
                states[0, v] = self._code(state, v, f"evidence, {name}", faults)
        return states, faults

    def _by_cell(
        self, evidence: pd.DataFrame, columns: Sequence[object], states: States
    ) -> list[Fault]:
        faults: list[Fault] = []
        for at, column in enumerate(columns):
            v = self.position.get(column) if isinstance(column, str) else None
            if v is None:
                continue
            for row in range(len(states)):
                # The rule wants iloc, which takes twice as long for one cell.
                state = evidence.iat[row, at]  # noqa: PD009
                code = self._codes[v].get(state, -1) if isinstance(state, str) else -1
                if code < 0:
                    place = f"evidence, row {evidence.index[row]}, column {column}"
                    code = self._code(state, v, place, faults)
                states[row, v] = code
        return faults

    def _code(self, state: object, v: int, place: str, faults: list[Fault]) -> int:
        """Position of a state, -1 where it is blank or, with one fault more, no state."""
        code = self._codes[v].get(state, -1) if isinstance(state, str) else -1
        if code < 0 and not _is_blank(state):
            faults.append(self._state_fault(place, state, v))
        return code

    def _state_fault(self, place: str, got: object, v: int) -> Fault:
        known = list(self._codes[v])
        expected = f"a state ({', '.join(known[:6])}{', ...' if len(known) > 6 else ''})"
        got = got.item() if isinstance(got, np.generic) else got
        return Fault(place, expected, got, nearest_names(str(got), known))

    def _column_faults(self, columns: Sequence[object]) -> list[Fault]:
        seen: set[object] = set()
        faults = []
        for column in columns:
            if column not in self.position:
                near = nearest_names(str(column), self.position)
                faults.append(Fault("evidence, column", "a variable of the network", column, near))
            elif column in seen:
                faults.append(Fault("evidence, column", "each column once", column))
            seen.add(column)
        return faults

    def _encoded(self, cells: pd.Series, v: int) -> tuple[States, list[Fault]]:
        """State positions of a column, -1 unknown, and what is no state."""
        known = self._codes[v]
        quick = self._arrow_encoded(cells, v)
        if quick is not None:
            return quick, []
        try:
            code, distinct = pd.factorize(cells.array, use_na_sentinel=True)
        except TypeError:  # a list or the like, of which pandas makes no key
            text = [
                cell if isinstance(cell, str) or _is_blank(cell) else repr(cell) for cell in cells
            ]
            code, distinct = pd.factorize(np.array(text, dtype=object), use_na_sentinel=True)
        # The last entry is what code -1, a missing cell, points at.
        table = np.array([known.get(value, -2) for value in distinct] + [-1], dtype=np.intp)
        result = table[code]
        if (table != -2).all():
            return result, []
        wrong = np.flatnonzero(result == -2)
        faults = [
            self._state_fault(
                f"evidence, row {cells.index[row]}, column {cells.name}", cells.iloc[row], v
            )
            for row in wrong[:LISTED].tolist()
        ]
        if len(wrong) > LISTED:
            rest = Phrase(f"{len(wrong) - LISTED} more such cells")
            faults.append(Fault(f"evidence, column {cells.name}", "states", rest))
        return result, faults

    def _arrow_encoded(self, cells: pd.Series, v: int) -> States | None:
        """The same of text that Arrow holds, in a third of the time; None if not all are states."""
        dtype = cells.dtype
        if not isinstance(dtype, pd.StringDtype) or dtype.storage != "pyarrow":
            return None
        # Imported here: whoever has such a column has paid for it.
        import pyarrow as pa
        import pyarrow.compute as pc

        text = pa.chunked_array(cells.array.__arrow_array__())
        found = pc.index_in(text, value_set=pa.array(list(self._codes[v]), text.type))
        if found.null_count != text.null_count:
            return None
        codes: States = found.fill_null(-1).to_numpy().astype(np.intp)
        return codes

    def _likelihood_faults(
        self, name: str, values: ArrayLike, shape: tuple[int, int]
    ) -> list[Fault]:
        place = f"likelihoods of {name}"
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


def _is_blank(state: Any) -> bool:
    # Of a list or an array isna says no single thing.
    return state is None or bool(pd.api.types.is_scalar(state) and pd.isna(state))
