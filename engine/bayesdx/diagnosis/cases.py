"""Cases as people write them, made evidence arrays and facts.

A column may be a finding, a risk or a measure, by its id or any alias. Columns are read once a
distinct value, so a million rows cost little more than a thousand. Everything that is wrong is
collected; nothing is guessed.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from bayesdx.diagnosis.case_faults import MOST_FAULTS, CaseFaults, RowNames
from bayesdx.diagnosis.case_logic import Told, bound_levels, combine, exclude, imply, merge
from bayesdx.diagnosis.column_names import ColumnNames
from bayesdx.diagnosis.distinct import Cells, distinct_cells
from bayesdx.diagnosis.values import WORDS, Words, read_binary, read_measure, read_state
from bayesdx.errors import Fault, nearest_names
from bayesdx.frozen import seal
from bayesdx.inference.evidence import Evidence, no_evidence
from bayesdx.inference.noisy.model import FloatArray, NoisyModel
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.naming import folded
from bayesdx.knowledge.schema import Measure

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MOST_FAULTS", "CaseReader", "Cases", "Cells"]

_COMPARE: Mapping[str, Callable[[FloatArray, float], NDArray[np.bool_]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
#: Says what a cell means, or what is wrong with it.
CellReader = Callable[[str, object], float | Fault]


@dataclass(frozen=True, eq=False)
class Cases:
    """N cases that were read.

    Attributes
    ----------
    evidence : Evidence
    facts : mapping of str to int8 array (N,)
        State of each known finding and risk, -1 where not known; what red flags look at.
    given : tuple of (id, float array (N,))
        What each column said, in the order of the columns, for showing it back.
    """

    evidence: Evidence
    facts: Mapping[str, NDArray[np.int8]]
    given: tuple[tuple[str, FloatArray], ...]

    def take(self, rows: NDArray[np.intp]) -> Cases:
        """Return the cases of ``rows``."""
        return Cases(
            self.evidence.take(rows),
            {name: states[rows] for name, states in self.facts.items()},
            tuple((name, values[rows]) for name, values in self.given),
        )

    def each(self) -> list[Cases]:
        """Return the cases one by one."""
        return [self.take(np.array([row])) for row in range(len(self.evidence))]

    @property
    def known(self) -> NDArray[np.bool_]:
        """Whether anything at all is known of a case."""
        known = np.zeros(len(self.evidence), dtype=bool)
        for _, column in self.given:
            known |= ~np.isnan(column)
        return known


class CaseReader:
    """Reads cases for one knowledge and its compiled model.

    Attributes
    ----------
    names : ColumnNames
        What its columns may be called.
    """

    def __init__(self, knowledge: Knowledge, model: NoisyModel) -> None:
        self._knowledge = knowledge
        self._model = model
        self.names = ColumnNames(knowledge)
        findings = knowledge.findings.values()
        self._implying = [finding for finding in findings if finding.implies]
        self._combined = [finding for finding in findings if finding.any_of]
        self._exclusions = knowledge.exclusions
        self._thresholds = {
            name: [finding for finding in findings if finding.threshold_of == name]
            for name in model.ordinals
        }

    def read(
        self, columns: Mapping[Any, Cells], n_cases: int, rows: RowNames, words: Words = WORDS
    ) -> Cases:
        """Read columns of cells.

        Parameters
        ----------
        columns : mapping of column name to a sequence of N cells
        n_cases : int
        rows : sequence, function or None
            Row labels to name in faults, or a function that makes a place of a position and a
            column; None for a single case, whose faults name the column.
        words : Words
            How cells are written.

        Raises
        ------
        InvalidCase
            With every unknown column, unreadable cell and contradiction.
        """
        faults = CaseFaults(rows, n_cases)
        cases = self._read(columns, n_cases, faults, words)
        faults.raise_any()
        seal(cases)
        return cases

    def read_rows(
        self, columns: Mapping[Any, Cells], n_cases: int, rows: RowNames, words: Words = WORDS
    ) -> tuple[Cases, NDArray[np.bool_], tuple[tuple[int, Fault], ...]]:
        """Read columns of cells, good rows in spite of bad ones.

        Parameters
        ----------
        columns : mapping of column name to a sequence of N cells
            Arrow dictionaries are the fastest: each entry is read once.
        n_cases : int
        rows, words
            As in `read`.

        Returns
        -------
        cases : Cases
            Of a bad row nothing at all is known.
        good : bool array (N,)
        faults : tuple of (position, Fault)
            What is wrong with the bad rows, by position. At least one for each; all, as long as
            they are not thousands.

        Raises
        ------
        InvalidCase
            With every unknown column; never for a cell.
        """
        self.names.check_columns(columns)
        faults = CaseFaults(rows, n_cases, first_only=True)
        cases = self._read(columns, n_cases, faults, words)
        ordered = tuple(sorted(faults.faults, key=operator.itemgetter(0)))
        if ordered:
            _forget(cases, np.flatnonzero(faults.bad), no_evidence(self._model, 1))
        seal(cases)
        return cases, ~faults.bad, ordered

    def read_frame(
        self, frame: pd.DataFrame, labels: Sequence[Hashable] | None = None
    ) -> tuple[Cases, NDArray[np.bool_], dict[int, str]]:
        """Read a table whose columns are all evidence, good rows in spite of bad ones.

        Parameters
        ----------
        frame : DataFrame
            N rows.
        labels : sequence, optional
            What faults call the rows; their positions when not given.

        Returns
        -------
        cases, good
            As of `read_rows`.
        faults : dict of int to str
            All that is wrong with each bad row, by position.
        """
        columns = {name: frame[name].array for name in frame.columns}
        rows = range(len(frame)) if labels is None else labels
        cases, good, found = self.read_rows(columns, len(frame), rows)
        told: dict[int, list[str]] = {}
        for row, fault in found:
            told.setdefault(row, []).append(str(fault))
        return cases, good, {row: " ".join(texts) for row, texts in told.items()}

    def _read(
        self, columns: Mapping[Any, Cells], n_cases: int, faults: CaseFaults, words: Words
    ) -> Cases:
        said: dict[str, list[tuple[str, FloatArray]]] = {}
        given: list[tuple[str, FloatArray]] = []
        for column, cells in columns.items():
            name = self.names.target(str(column), faults)
            if name is None:
                continue
            for target, values in self._read_column(name, str(column), cells, faults, words):
                if target == name:
                    given.append((name, values))
                if target not in self._knowledge.measures or target in self._knowledge.risks:
                    said.setdefault(target, []).append((str(column), values))
        told = {
            target: merge(target, columns_said, self._states(target), faults)
            for target, columns_said in said.items()
        }
        blank = no_evidence(self._model, n_cases)
        for o, ordinal in enumerate(self._model.ordinals):
            finding, thresholds = self._knowledge.findings[ordinal], self._thresholds[ordinal]
            lower, upper = bound_levels(told, finding, thresholds, n_cases, faults)
            blank.lower[:, o], blank.upper[:, o] = lower, upper
        imply(told, self._implying, n_cases, faults)
        dropped = combine(told, self._combined, n_cases, faults)
        exclude(told, self._exclusions, self._states, faults)
        return self._assemble(told, blank, dropped, tuple(given))

    def _states(self, target: str) -> tuple[str, ...]:
        entry = self._knowledge.findings.get(target) or self._knowledge.risks[target]
        return entry.states

    def _read_column(
        self, name: str, column: str, cells: Cells, faults: CaseFaults, words: Words
    ) -> list[tuple[str, FloatArray]]:
        """Return what a column says: its own values first, then what a measure sets."""
        knowledge = self._knowledge
        reader: CellReader
        measure = knowledge.measures.get(name)
        if measure is not None:
            return self._read_measure(measure, column, cells, faults, words)
        finding = knowledge.findings.get(name)
        states = self._states(name)
        if (finding is None and len(states) > 2) or states != ("absent", "present"):
            reader = lambda place, cell: read_state(place, cell, states, words)  # noqa: E731
        else:
            soft = finding is not None and finding.kind == "binary"
            reader = lambda place, cell: read_binary(place, cell, soft=soft, words=words)  # noqa: E731
        return [(name, _read_cells(column, cells, reader, faults))]

    def _read_measure(
        self, measure: Measure, column: str, cells: Cells, faults: CaseFaults, words: Words
    ) -> list[tuple[str, FloatArray]]:
        risk = self._knowledge.risks.get(measure.id)

        bands = {} if risk is None else {folded(name): i for i, name in enumerate(risk.states)}

        def reader(place: str, cell: object) -> float | Fault:
            if bands and isinstance(cell, str):
                band = bands.get(folded(cell))
                if band is not None:
                    return -1.0 - band  # a named band, told from numbers by its sign
            found = read_measure(place, cell, measure, words)
            if not isinstance(found, Fault) or risk is None:
                return found
            near = found.nearest or nearest_names(str(cell), risk.states)
            expected = f"{found.expected}, or one of {', '.join(risk.states)}"
            return replace(found, expected=expected, nearest=near)

        values = _read_cells(column, cells, reader, faults)
        named = values < 0 if risk is not None else np.zeros(len(values), dtype=bool)
        numbers = np.where(named, np.nan, values)
        result = []
        if risk is None:
            result.append((measure.id, numbers))
        for setting in measure.sets:
            state = np.full(len(numbers), np.nan)
            known = ~np.isnan(numbers)
            if setting.comparison is not None:
                sign, threshold = setting.comparison
                state[known] = _COMPARE[sign](numbers[known], threshold)
            else:
                side: Literal["left", "right"] = "right" if setting.closed == "left" else "left"
                cuts = np.array(setting.cuts)
                below = np.searchsorted(cuts, numbers[known], side=side)
                state[known] = len(cuts) - below if setting.falling else below
            if setting.target == measure.id:
                state[named] = -1.0 - values[named]
            result.append((setting.target, state))
        return result

    def _assemble(
        self,
        told: Told,
        blank: Evidence,
        dropped: Mapping[str, NDArray[np.bool_]],
        given: tuple[tuple[str, FloatArray], ...],
    ) -> Cases:
        facts = {name: _fact(values) for name, values in told.items()}
        findings, risks = blank.findings, blank.risks
        for f, name in enumerate(self._model.findings):
            if name in told:
                findings[:, f] = told[name]
            if name in dropped:
                findings[dropped[name], f] = np.nan
        for r, name in enumerate(self._model.risks):
            if name in facts:
                risks[:, r] = facts[name]
        evidence = Evidence(findings, blank.lower, blank.upper, risks, blank.causes)
        return Cases(evidence, facts, given)


def _read_cells(column: str, cells: Cells, reader: CellReader, faults: CaseFaults) -> FloatArray:
    """Read each distinct cell once; note a fault for every row that has a bad one."""
    codes, distinct = distinct_cells(cells)
    values = np.full(len(distinct) + 1, math.nan)
    for code, cell in enumerate(distinct):
        read = reader(column, cell)
        if isinstance(read, Fault):
            faults.add_alike(np.flatnonzero(codes == code), column, read)
        else:
            values[code] = read
    result: FloatArray = np.take(values, codes)
    return result


def _fact(values: FloatArray) -> NDArray[np.int8]:
    """State positions; soft evidence that leans to present counts as present for red flags."""
    known = np.fmax(values, -1.0)  # -1 in the place of NaN
    states = known.astype(np.int8)
    soft = known != states
    if soft.any():
        states[soft] = np.where(values[soft] >= 0.5, 1, -1)
    return states


def _forget(cases: Cases, bad: NDArray[np.intp], blank: Evidence) -> None:
    """Forget all that was said of some cases, in arrays that nobody else has seen yet."""
    evidence = cases.evidence
    for name in ("findings", "lower", "upper", "risks", "causes"):
        getattr(evidence, name)[bad] = getattr(blank, name)[0]
    for states in cases.facts.values():
        states[bad] = -1
    for _, values in cases.given:
        values[bad] = np.nan
