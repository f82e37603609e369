"""A network that the rows of a table are put to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from bayesdx.diagnosis.case_faults import CaseFaults, RowNames
from bayesdx.diagnosis.values import WORDS, Words
from bayesdx.errors import Fault, InvalidCase, InvalidNetwork, Phrase, unknown_names
from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray
from bayesdx.inference.compiled_network import NetworkPosteriors, NetworkSolver
from bayesdx.inference.general.branch_and_bound import SearchLimits
from bayesdx.inference.general.most_probable import MostProbable
from bayesdx.inference.markov_solver import MarkovSolver
from bayesdx.inference.noisy.complexity import coupled_names, too_complex
from bayesdx.network.markov import MarkovNetwork
from bayesdx.network.network import Network
from bayesdx.tables.encoding import VARIABLE, Encoder, States
from bayesdx.tables.execution.counts import Counts
from bayesdx.tables.execution.subject import ReadRows, Subject
from bayesdx.tables.explanations import (
    OK,
    RANK,
    STATUS,
    TOO_COMPLEX,
    column_faults,
    explanation_frame,
    explanation_lines,
)
from bayesdx.tables.likelihood_columns import likelihood_columns, likelihood_numbers
from bayesdx.tables.network_answer import posterior_columns, status_of
from bayesdx.tables.reserved import CASE_ID

#: Numbers of the answers to one chunk, at most: 64 MiB.
CHUNK_NUMBERS = 1 << 23
#: What an audit calls the question for explanations.
EXPLANATIONS = "most probable explanation"


@dataclass(frozen=True, eq=False)
class NetworkRows:
    """Answers to N cases.

    Attributes
    ----------
    table : Arrow table (L,)
        As they are written, a line a case or more, the status last.
    case : int array (L,)
        Which case a line is about; every case has a line.
    refused : mapping of int to Fault
        Why a case is too complex, where that is known.
    """

    table: pa.Table
    case: IntArray
    refused: Mapping[int, Fault]

    @property
    def status(self) -> NDArray[np.object_]:
        """Of each case: that of its first line."""
        column: NDArray[np.object_] = self.table.column(STATUS).to_numpy()
        return column[np.unique(self.case, return_index=True)[1]]


@dataclass(frozen=True, eq=False)
class NetworkCases:
    """N cases that were read.

    Attributes
    ----------
    states : intp array (N, V)
        State positions, -1 unknown.
    soft : mapping of int to array (N, S)
        Likelihoods of the states of some variables; a row of NaN says nothing.
    """

    states: States
    soft: Mapping[int, FloatArray]

    def __len__(self) -> int:
        return len(self.states)

    def take(self, at: IntArray | list[int]) -> NetworkCases:
        """Return some of them."""
        return NetworkCases(self.states[at], {v: values[at] for v, values in self.soft.items()})


@dataclass(frozen=True)
class NetworkReading:
    """How the file of a network is read; see `read_network`."""

    normalise: bool = False
    encoding: str | None = None


class NetworkSubject(Subject[NetworkCases, NetworkRows]):
    """A network, and what is asked of it.

    Parameters
    ----------
    network : Network or MarkovNetwork
    source : Path
        Its file.
    targets : list of str
        Variables whose posteriors or explanations are wanted, all where empty.
    memory_limit : float
        As for `compile_network`.
    words : Words
        How cells say that something is not known.
    reading : NetworkReading, optional
        How its file was read.
    search : SearchLimits, optional
        The most probable explanations are wanted, and no posteriors.
    """

    def __init__(
        self,
        network: Network | MarkovNetwork,
        source: Path,
        targets: list[str],
        memory_limit: float,
        words: Words = WORDS,
        reading: NetworkReading | None = None,
        search: SearchLimits | None = None,
    ) -> None:
        self._targets, self._limit = targets, float(memory_limit)
        self._reading, self._search = reading or NetworkReading(), search
        if isinstance(network, MarkovNetwork):
            solver = MarkovSolver(network, memory_limit)
            self._solver: NetworkSolver = solver
            self._network = solver.plain
        else:
            self._solver, self._network = NetworkSolver(network, memory_limit), network
        self._encoder, self.paths, self._words = Encoder(self._network, words), (source,), words
        self._columns = posterior_columns(self._network)
        if search is not None:
            faults = column_faults(self._network, (RANK,) if search.k > 1 else ())
            if faults:
                raise InvalidNetwork(faults)

    @property
    def chunk_rows(self) -> int:
        """Rows whose answers fit in the memory that a chunk may take."""
        chosen = self._targets or self._network.variables
        width = sum(len(self._columns[name]) for name in chosen if name in self._columns)
        lines = 1 if self._search is None else self._search.k
        return max(1, min(10_000, CHUNK_NUMBERS // max(width * lines, 1)))

    def check_columns(self, names: Iterable[str]) -> None:
        """Refuse columns that name no variable or one twice, and targets that are none."""
        faults = unknown_names("--target", VARIABLE, self._targets, self._encoder.position)
        columns, _, further = self._told_apart(names)
        self._encoder.columns(columns, "column", faults)
        faults += further
        if faults:
            raise InvalidCase(faults)

    def read(
        self, columns: Mapping[str, pa.ChunkedArray], n_cases: int, rows: RowNames
    ) -> ReadRows[NetworkCases]:
        """Read state names and likelihoods; of bad rows nothing is known."""
        faults = CaseFaults(rows, n_cases, first_only=True)
        states = np.full((self._encoder.size, n_cases), -1, dtype=np.intp).T
        hard, places, _ = self._told_apart(columns)
        for v, name in zip(self._encoder.columns(hard, "column", []), hard, strict=True):
            states[:, v], wrong = self._encoder.cells(columns[name], v)
            for at, fault in wrong:
                faults.add_alike(at, name, fault)
        soft: dict[int, FloatArray] = {}
        for v, names in places.items():
            soft[v], unread = likelihood_numbers(columns, names, self._words)
            for at, name, fault in unread:
                faults.add_alike(at, name, fault)
        states[faults.bad] = -1
        for values in soft.values():
            values[faults.bad] = np.nan
        return (
            NetworkCases(states, soft),
            ~faults.bad,
            tuple(sorted(faults.faults, key=lambda one: one[0])),
        )

    def _told_apart(
        self, names: Iterable[str]
    ) -> tuple[list[str], dict[int, list[str]], list[Fault]]:
        """Columns of states, columns of likelihoods, and what is wrong with these."""
        columns = list(names)
        soft, faults = likelihood_columns(self._encoder, columns, "column")
        taken = {name for one in soft.values() for name in one}
        return [name for name in columns if name not in taken], soft, faults

    def answer(self, cases: NetworkCases, threads: int) -> NetworkRows:  # noqa: ARG002 - one plan cache
        """Answer cases, each too complex one by its status."""
        if self._search is not None:
            return self._explained(cases, self._search)
        try:
            answer = self._solver.query(cases.states, cases.soft, self._targets or None)
        except InvalidNetwork as refusal:
            wanted = self._targets or self._network.variables
            blank = {name: np.zeros((len(cases), len(self._columns[name]))) for name in wanted}
            logs, all_ = np.full(len(cases), -np.inf), np.ones(len(cases), dtype=np.bool_)
            refused = dict.fromkeys(range(len(cases)), refusal.faults[0])
            answer = NetworkPosteriors(blank, logs, all_, refused)
        status = status_of(answer)
        arrays = {}
        for name, values in answer.posteriors.items():
            # Rows of a variable that was too complex for its case alone are 0.
            status[(status == OK) & ~values.any(axis=1)] = TOO_COMPLEX
            for column, numbers in zip(self._columns[name], values.T, strict=True):
                arrays[column] = pa.array(np.ascontiguousarray(numbers))
        arrays |= {"log_evidence": pa.array(answer.log_evidence), STATUS: _texts(status)}
        return NetworkRows(pa.table(arrays), np.arange(len(cases)), answer.refused)

    def _explained(self, cases: NetworkCases, search: SearchLimits) -> NetworkRows:
        refused: dict[int, Fault] = {}
        place = self._encoder.position
        targets = [place[name] for name in self._targets] if self._targets else None
        try:
            found = self._solver.most_probable(cases.states, cases.soft, targets, search)
        except InvalidNetwork:
            # One by one: who is beyond the limit must not keep others from their answer.
            states = np.full((len(cases), search.k, self._encoder.size), -1)
            logs = np.full((2, len(cases), search.k), -np.inf)
            for row in range(len(cases)):
                try:
                    own = cases.take([row])
                    one = self._solver.most_probable(own.states, own.soft, targets, search)
                    states[row], logs[:, row] = one.states[0], (one.log_probability, one.log_bound)
                except InvalidNetwork as refusal:
                    refused[row] = refusal.faults[0]
            found = MostProbable(states, *logs)
        case, _ = explanation_lines(found)
        index = pd.RangeIndex(len(cases))
        frame = explanation_frame(self._network, found, index, self._targets or None)
        frame.loc[list(refused), STATUS] = TOO_COMPLEX
        arrays = {
            str(name): pa.array(cells) if cells.dtype != object else _texts(cells.to_numpy())
            for name, cells in frame.items()
        }
        return NetworkRows(pa.table(arrays), case, refused)

    def rows(self, cases: NetworkCases, at: IntArray) -> NetworkCases:
        """Return some cases."""
        return cases.take(at)

    def unanswered(self, answers: NetworkRows) -> BoolArray:
        """Return which cases have the status ``too_complex``."""
        result: BoolArray = np.asarray(answers.status == TOO_COMPLEX)
        return result

    def too_complex(self, cases: NetworkCases) -> BoolArray:
        """Return which cases are so for the noisy executors; the others show it when answered."""
        layered = self._solver.layered
        if layered is None:
            return np.zeros(len(cases), dtype=np.bool_)
        return too_complex(layered.model, layered.evidence(cases.states, cases.soft)[0])

    def complexity(
        self, place: str, cases: NetworkCases, answers: NetworkRows | None, position: int
    ) -> Fault:
        """Say what would be needed, or name what couples."""
        refusal = None if answers is None else answers.refused.get(position)
        if refusal is not None:
            return Fault(place, f"{refusal.expected} (--memory-limit)", refusal.got)
        layered, expected = self._solver.layered, "findings and risks that couple less"
        if layered is None:
            return Fault(place, expected, Phrase("too complex a case"))
        own = cases.take([position])
        written = layered.evidence(own.states, own.soft)
        names = ", ".join(coupled_names(layered.model, written[0]))
        return Fault(place, expected, Phrase(f"too complex a case: {names} couple"))

    def take(self, answers: NetworkRows, kept: BoolArray) -> NetworkRows:
        """Return some answers."""
        lines = kept[answers.case]
        case = (np.cumsum(kept) - 1)[answers.case[lines]]
        return NetworkRows(answers.table.filter(pa.array(lines)), case, {})

    def count(self, answers: NetworkRows) -> Counts:
        """Count by status."""
        status = answers.status.tolist()
        return Counts(scored=len(status), status=Counter(status))

    def table(
        self,
        answers: NetworkRows,
        ids: pa.Array | None,
        rows: NDArray[np.int64],  # noqa: ARG002 - lines know their case
    ) -> pa.Table:
        """Lay answers out: the cases' ids, then what was asked for."""
        if ids is None:
            return answers.table
        return answers.table.add_column(0, CASE_ID, ids.take(pa.array(answers.case)))

    def facts(self) -> tuple[dict[str, str], dict[str, Any], str]:
        """Return the network, the question and the backend."""
        search = self._search
        asked = {
            "question": "posteriors" if search is None else EXPLANATIONS,
            "targets": self._targets,
            "search": None if search is None else asdict(search),
            "memory_limit": self._limit,
            **asdict(self._reading),
        }
        path, digest = self.paths[0], self._solver.network.digest
        return {"name": path.name, "path": str(path), "digest": digest}, asked, "auto"


def _texts(cells: NDArray[np.object_]) -> pa.Array:
    return pa.array(cells, pa.string(), from_pandas=True)
