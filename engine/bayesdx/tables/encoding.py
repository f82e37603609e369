"""Tables of state names as state positions, and every fault that is in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bayesdx.diagnosis.distinct import Cells, distinct_cells
from bayesdx.diagnosis.values import WORDS, Words, is_missing
from bayesdx.errors import Fault, Phrase, nearest_names, unknown_names
from bayesdx.inference.arrays import on_lines
from bayesdx.network.network import Network
from bayesdx.tables.name_lookup import NameLookup, typed

#: Faults of one column that are listed; a column of nonsense has as many as it has rows.
LISTED = 10
#: Up to this many rows each cell is fetched alone: for pandas a column is dearer than four cells.
FEW_ROWS = 4

#: Of a cell that is no state.
WRONG = -2
#: What a name is expected to be.
VARIABLE = "a variable of the network"

States = NDArray[np.intp]


class Encoder:
    """State names of a network's variables, looked up by the rules of `NameLookup`.

    A column may have a variable's label in place of its name.

    A cell that is no state, and says that something is not known in a word of `bayesdx score`, or
    by being None, NaN or NA, is unknown.

    Parameters
    ----------
    network : Network
    words : Words
        Of which those for not known count.
    """

    def __init__(self, network: Network, words: Words = WORDS) -> None:
        self._words = words
        labels = [variable.label for variable in network.variables.values()]
        self._variables = NameLookup(network.variables, labels)
        self.position = self._variables.exact
        self._states = [NameLookup(variable.states) for variable in network.variables.values()]
        self._codes = [one.exact for one in self._states]

    def states(self, evidence: pd.DataFrame) -> tuple[States, list[Fault]]:
        """State positions (N, V) of a table, -1 unknown; and what is wrong."""
        n, columns = len(evidence), evidence.columns.tolist()
        faults: list[Fault] = []
        found = self.columns(columns, "evidence, column", faults)
        # Column after column, as it is read and as it is used.
        states = on_lines((len(self._codes), n), np.intp).T
        # Columns that are read are written once.
        states[:, sorted({*range(self.size)}.difference(found if n > FEW_ROWS else ()))] = -1
        if n <= FEW_ROWS:
            return states, faults + self._by_cell(evidence, columns, found, states)
        # By items: a column by iloc takes four times as long.
        for v, (_, cells) in zip(found, evidence.items(), strict=True):
            if v >= 0:
                faults += self._encoded(cells, v, states[:, v])
        return states, faults

    def columns(self, columns: Sequence[object], place: str, faults: list[Fault]) -> list[int]:
        """Position of the variable that each column means, -1 with a fault more."""
        result: list[int] = []
        seen: set[int] = set()
        for column in columns:
            v = self._variables.find(column)
            if v is None:
                shown, text = typed(column)
                near = nearest_names(text, self.position)
                faults.append(Fault(place, VARIABLE, shown, near))
            elif v in seen:
                faults.append(Fault(place, "each column once", column))
            result.append(-1 if v is None or v in seen else v)
            seen.add(result[-1])
        return result

    @property
    def size(self) -> int:
        """Number of variables."""
        return len(self._codes)

    def states_of(self, v: int) -> Mapping[str, int]:
        """States of a variable and their positions."""
        return self._codes[v]

    def state_named(self, text: str) -> tuple[int, int] | None:
        """Positions of the variable and the state that ``VARIABLE=STATE`` means; None if none."""
        if self._variables.find(text) is not None:
            return None
        for at in [i for i, letter in enumerate(text) if letter == "="]:
            v = self._variables.find(text[:at])
            state = None if v is None else self._states[v].find(text[at + 1 :])
            if v is not None and state is not None:
                return v, state
        return None

    def cells(self, cells: Cells, v: int) -> tuple[States, list[tuple[States, Fault]]]:
        """State positions (N,) of a column of any kind, -1 unknown; what is no state, and where.

        The faults have no place yet.
        """
        codes, distinct = distinct_cells(cells)
        table = np.array([self._meaning(value, v) for value in distinct] + [-1], dtype=np.intp)
        states = table[codes]
        wrong = np.flatnonzero(table == WRONG).tolist()
        if not wrong:
            return states, []
        faults = [
            (np.flatnonzero(codes == k), self._state_fault("", distinct[k], v)) for k in wrong
        ]
        return np.maximum(states, -1), [(rows, fault) for rows, fault in faults if len(rows)]

    def likelihoods(self, given: object, n: int) -> tuple[dict[int, ArrayLike], list[Fault]]:
        """Soft evidence (N, S) by position of its variable; and what is wrong."""
        soft: dict[int, ArrayLike] = {}
        if given is None:
            return soft, []
        if not isinstance(given, Mapping):
            expected = "a mapping of variables to likelihoods of their states"
            return soft, [Fault("likelihoods", expected, given)]
        faults = unknown_names("likelihoods", VARIABLE, given, self.position)
        for name, values in given.items():
            if name in self.position:
                v = self.position[name]
                faults += self._likelihood_faults(name, values, (n, len(self._codes[v])))
                soft[v] = values
        return soft, faults

    def names(self, place: str, given: object, faults: list[Fault]) -> list[str]:
        """Names of the variables that are asked for, by a text or another value that means one.

        A single text is one name, not its letters. What is no variable is a fault more.
        """
        given = [given] if isinstance(given, str) else given
        if not isinstance(given, Iterable):
            faults.append(Fault(place, "names of variables", given))
            return []
        known, found = list(self.position), []
        for name in given:
            v = self.position.get(name) if isinstance(name, str) else self._variables.find(name)
            if v is None:
                shown, text = typed(name)
                near = nearest_names(text, known)
                faults.append(Fault(place, VARIABLE, shown, near))
            else:
                found.append(known[v])
        return found

    def state(self, name: str, given: object, faults: list[Fault]) -> int:
        """Position of the state of a variable that a value means, 0 with a fault more."""
        v = self.position[name]
        found = self._states[v].find(given)
        if found is None:
            faults.append(self._state_fault(f"state of {name}", given, v))
        return found or 0

    def positions(self, given: NDArray[np.integer[Any]]) -> tuple[States, list[Fault]]:
        """State positions (N, V), checked; and what is wrong."""
        if given.ndim != 2 or given.shape[1] != self.size:
            expected = f"an array of shape (N, {self.size}), a column a variable"
            return np.zeros((0, self.size), np.intp), [
                Fault("evidence", expected, Phrase(f"one of shape {given.shape}"))
            ]
        states: States = on_lines(given.shape[::-1], np.intp).T
        np.copyto(states, given, casting="unsafe")
        most = np.array([len(codes) - 1 for codes in self._codes])
        wrong = (states < -1) | (states > most)
        faults = [
            Fault(
                f"evidence, row {row}, column {list(self.position)[v]}",
                f"a position from -1, unknown, to {most[v]}",
                int(given[row, v]),
            )
            for row, v in np.argwhere(wrong)[:LISTED].tolist()
        ]
        return states, faults

    def one(self, case: Mapping[Any, Any]) -> tuple[States, list[Fault]]:
        """State positions (1, V) of one case, -1 unknown; and what is wrong."""
        states = np.full((1, self.size), -1, dtype=np.intp)
        faults: list[Fault] = []
        try:
            for name, state in case.items():
                v = self.position[name]
                states[0, v] = self._codes[v][state]
            return states, faults
        except (KeyError, TypeError):
            # Not all are names as they stand.
            states.fill(-1)
        found = self.columns(list(case), "evidence", faults)
        for v, (name, state) in zip(found, case.items(), strict=True):
            if v >= 0:
                states[0, v] = self._code(state, v, f"evidence, {name}", faults)
        return states, faults

    def rows(
        self, cases: Sequence[Mapping[Any, object]], columns: Sequence[str]
    ) -> tuple[States, list[Fault]]:
        """State positions (N, V) of cases that are mappings, -1 unknown; and what is wrong.

        Only ``columns`` of them are read, all of which must mean variables.
        """
        faults: list[Fault] = []
        found = dict(zip(columns, self.columns(columns, "evidence, column", faults), strict=True))
        states = np.full((self.size, len(cases)), -1, dtype=np.intp).T
        wrong: dict[str, list[tuple[int, object]]] = {name: [] for name in columns}
        for row, case in enumerate(cases):
            for name, state in case.items():
                v = found.get(name, -1)
                if v >= 0:
                    code = self._codes[v].get(state) if type(state) is str else None
                    if code is None:
                        code = self._meaning(state, v)
                    if code == WRONG:
                        wrong[name].append((row, state))
                    states[row, v] = code
        for name, cells in wrong.items():
            faults += [
                self._state_fault(f"evidence, row {row}, column {name}", state, found[name])
                for row, state in cells[:LISTED]
            ]
            faults += _further(name, len(cells))
        return states, faults

    def _by_cell(
        self,
        evidence: pd.DataFrame,
        columns: Sequence[object],
        found: Sequence[int],
        states: States,
    ) -> list[Fault]:
        faults: list[Fault] = []
        for at, v in enumerate(found):
            for row in range(len(states) if v >= 0 else 0):
                # The rule wants iloc, which takes twice as long for one cell.
                state = evidence.iat[row, at]  # noqa: PD009
                code = self._codes[v].get(state, -1) if isinstance(state, str) else -1
                if code < 0:
                    place = f"evidence, row {evidence.index[row]}, column {columns[at]}"
                    code = self._code(state, v, place, faults)
                states[row, v] = code
        return faults

    def _code(self, state: object, v: int, place: str, faults: list[Fault]) -> int:
        """Position of a state, -1 where it is blank or, with one fault more, no state."""
        code = self._meaning(state, v)
        if code == WRONG:
            faults.append(self._state_fault(place, state, v))
        return max(code, -1)

    def _meaning(self, state: object, v: int) -> int:
        """Position of a state, -1 where it is unknown, `WRONG` where it is none."""
        found = self._states[v].find(state)
        if found is not None:
            return found
        text = isinstance(state, str)
        return -1 if (is_missing(state, self._words) if text else _is_blank(state)) else WRONG

    def _state_fault(self, place: str, got: object, v: int) -> Fault:
        known = list(self._codes[v])
        expected = f"a state ({', '.join(known[:6])}{', ...' if len(known) > 6 else ''})"
        shown, text = typed(got)
        return Fault(place, expected, shown, nearest_names(text, known))

    def _encoded(self, cells: pd.Series, v: int, states: States) -> list[Fault]:
        """Write the state positions of a column, -1 unknown; and what is no state."""
        if self._arrow_encoded(cells, v, states):
            return []
        states[...], found = self.cells(cells.array, v)
        wrong = sorted((row, k) for k, (rows, _) in enumerate(found) for row in rows.tolist())
        faults = [
            replace(found[k][1], place=f"evidence, row {cells.index[row]}, column {cells.name}")
            for row, k in wrong[:LISTED]
        ]
        return faults + _further(cells.name, len(wrong))

    def _arrow_encoded(self, cells: pd.Series, v: int, states: States) -> bool:
        """The same of text that Arrow holds, in a third of the time; not if not all are states."""
        dtype = cells.dtype
        if not isinstance(dtype, pd.StringDtype) or dtype.storage != "pyarrow":
            return False
        # Imported here: whoever has such a column has paid for it.
        import pyarrow as pa
        import pyarrow.compute as pc

        text = pa.chunked_array(cells.array.__arrow_array__())
        # A missing cell is one more value to be found, so that no other one is missing after it.
        found = pc.index_in(text, value_set=pa.array([*self._codes[v], None], text.type))
        if found.null_count:
            return False
        positions = np.array([*range(len(self._codes[v])), -1], dtype=np.intp)
        # Without a mode NumPy would write to a copy first.
        positions.take(found.to_numpy(), out=states, mode="clip")
        return True

    def _likelihood_faults(
        self, name: str, values: ArrayLike, shape: tuple[int, int]
    ) -> list[Fault]:
        place = f"likelihoods of {name}"
        try:
            if np.iscomplexobj(values):
                # NumPy would only warn, and drop the imaginary part.
                raise TypeError
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


def _further(column: object, count: int) -> list[Fault]:
    """What is said of the faults of a column that are not listed."""
    if count <= LISTED:
        return []
    rest = Phrase(f"{count - LISTED} more such cells")
    return [Fault(f"evidence, column {column}", "states", rest)]


def _is_blank(state: Any) -> bool:
    # Of a list or an array isna says no single thing.
    return state is None or bool(pd.api.types.is_scalar(state) and pd.isna(state))
