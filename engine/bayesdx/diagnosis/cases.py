"""Cases as people write them, made evidence arrays and facts.

A column may be a finding, a risk or a measure, by its id or any alias. Columns are read once a
distinct value, so a million rows cost little more than a thousand. Everything that is wrong is
collected; nothing is guessed.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, SupportsInt

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesdx.diagnosis.values import read_binary, read_measure, read_state
from bayesdx.errors import Fault, InvalidCase, Phrase, nearest_names
from bayesdx.inference import DiagnosisModel, Evidence, no_evidence
from bayesdx.inference.model import FloatArray
from bayesdx.knowledge import Knowledge, Measure
from bayesdx.knowledge.naming import folded

_COMPARE: Mapping[str, Callable[[FloatArray, float], NDArray[np.bool_]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
#: A column of cells.
Cells = Sequence[object] | NDArray[Any] | pd.api.extensions.ExtensionArray
#: Faults listed in full; the rest are counted.
MOST_FAULTS = 1000


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

    @property
    def known(self) -> NDArray[np.bool_]:
        """Whether anything at all is known of a case."""
        values = [~np.isnan(column) for _, column in self.given]
        return np.logical_or.reduce(values) if values else np.zeros(len(self.evidence), bool)


class CaseReader:
    """Reads cases for one knowledge and its compiled model."""

    def __init__(self, knowledge: Knowledge, model: DiagnosisModel) -> None:
        self._knowledge = knowledge
        self._model = model
        self._names: dict[str, str] = {}
        for table in (knowledge.findings, knowledge.risks, knowledge.measures):
            for name, entry in table.items():
                for alias in (name, *entry.aliases_lay, *entry.aliases_professional):
                    self._names.setdefault(folded(alias), name)
        findings = knowledge.findings.values()
        self._implying = [finding for finding in findings if finding.implies]
        self._combined = [finding for finding in findings if finding.any_of]
        self._thresholds = {
            name: [finding for finding in findings if finding.threshold_of == name]
            for name in model.ordinals
        }

    def read(
        self,
        columns: Mapping[Any, Cells],
        n_cases: int,
        rows: Sequence[Hashable] | None,
    ) -> Cases:
        """Read columns of cells.

        Parameters
        ----------
        columns : mapping of column name to a sequence of N cells
        n_cases : int
        rows : sequence, optional
            Row labels to name in faults; None for a single case, whose faults name the column.

        Raises
        ------
        InvalidCase
            With every unknown column, unreadable cell and contradiction.
        """
        faults = _Faults(rows)
        said: dict[str, list[tuple[str, FloatArray]]] = {}
        given: list[tuple[str, FloatArray]] = []
        for column, cells in columns.items():
            name = self._names.get(folded(str(column)))
            if name is None:
                near = self._nearest(str(column))
                faults.add_column(str(column), near)
                continue
            for target, values in self._read_column(name, str(column), cells, faults):
                if target == name:
                    given.append((name, values))
                if target not in self._knowledge.measures or target in self._knowledge.risks:
                    said.setdefault(target, []).append((str(column), values))
        merged = {target: self._merge(target, told, faults) for target, told in said.items()}
        lower, upper = self._intervals(merged, n_cases, faults)
        self._imply(merged, n_cases, faults)
        dropped = self._any_of(merged, n_cases, faults)
        faults.raise_any()
        return self._assemble(merged, lower, upper, dropped, tuple(given), n_cases)

    def _nearest(self, column: str) -> tuple[str, ...]:
        found = nearest_names(folded(column), self._names)
        return tuple(dict.fromkeys(self._names[name] for name in found))

    def _read_column(
        self, name: str, column: str, cells: Cells, faults: _Faults
    ) -> list[tuple[str, FloatArray]]:
        """Return what a column says: its own values first, then what a measure sets."""
        knowledge = self._knowledge
        reader: Callable[[str, object], float | Fault]
        measure = knowledge.measures.get(name)
        if measure is not None:
            return self._read_measure(measure, column, cells, faults)
        finding = knowledge.findings.get(name)
        states = knowledge.risks[name].states if finding is None else finding.states
        if (finding is None and len(states) > 2) or states != ("absent", "present"):
            reader = lambda place, cell: read_state(place, cell, states)  # noqa: E731
        else:
            soft = finding is not None and finding.kind == "binary"
            reader = lambda place, cell: read_binary(place, cell, soft=soft)  # noqa: E731
        return [(name, faults.read_cells(column, cells, reader))]

    def _read_measure(
        self, measure: Measure, column: str, cells: Cells, faults: _Faults
    ) -> list[tuple[str, FloatArray]]:
        risk = self._knowledge.risks.get(measure.id)

        def reader(place: str, cell: object) -> float | Fault:
            if risk is not None and isinstance(cell, str):
                state = read_state(place, cell, risk.states)
                if not isinstance(state, Fault):
                    return -1.0 - state  # a named band, told from numbers by its sign
            return read_measure(place, cell, measure)

        values = faults.read_cells(column, cells, reader)
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
                state[known] = np.searchsorted(cuts, numbers[known], side=side)
            if setting.target == measure.id:
                state[named] = -1.0 - values[named]
            result.append((setting.target, state))
        return result

    def _merge(
        self, target: str, told: list[tuple[str, FloatArray]], faults: _Faults
    ) -> FloatArray:
        column, merged = told[0]
        for other, values in told[1:]:
            clash = ~np.isnan(merged) & ~np.isnan(values) & (merged != values)
            for row in np.flatnonzero(clash):
                both = Phrase(
                    f"{self._shown(target, merged[row])} from {column!r} and "
                    f"{self._shown(target, values[row])} from {other!r}"
                )
                faults.add(row, target, "one value", both)
            merged = np.where(np.isnan(merged), values, merged)
        return merged

    def _shown(self, target: str, value: float) -> str:
        entry = self._knowledge.findings.get(target) or self._knowledge.risks[target]
        return entry.states[int(value)] if value == int(value) else f"{value:g}"

    def _intervals(
        self, merged: dict[str, FloatArray], n_cases: int, faults: _Faults
    ) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
        """Intersect what an ordinal's own column and its thresholds say; fill in the thresholds."""
        blank = no_evidence(self._model, n_cases)
        lower, upper = blank.lower, blank.upper
        for o, ordinal in enumerate(self._model.ordinals):
            states = self._knowledge.findings[ordinal].states
            told: list[str] = []
            if (own := merged.get(ordinal)) is not None:
                known = ~np.isnan(own)
                lower[known, o] = upper[known, o] = own[known].astype(np.int8)
                told.append(ordinal)
            thresholds = self._thresholds[ordinal]
            for finding in thresholds:
                level = states.index(finding.at_least or "")
                if (values := merged.get(finding.id)) is not None:
                    present, absent = values == 1.0, values == 0.0
                    lower[present, o] = np.maximum(lower[present, o], level)
                    upper[absent, o] = np.minimum(upper[absent, o], level - 1)
                    told.append(finding.id)
            for row in np.flatnonzero(lower[:, o] > upper[:, o]):
                got = Phrase(f"a contradiction between {', '.join(told)}")
                faults.add(row, ordinal, "one level", got)
                upper[row, o] = lower[row, o]
            for finding in thresholds:
                level = states.index(finding.at_least or "")
                state = np.where(lower[:, o] >= level, 1.0, np.nan)
                merged[finding.id] = np.where(upper[:, o] < level, 0.0, state)
            exact = lower[:, o] == upper[:, o]
            merged[ordinal] = np.where(exact, lower[:, o], np.nan)
        return lower, upper

    def _imply(self, merged: dict[str, FloatArray], n_cases: int, faults: _Faults) -> None:
        """Present implies present, absent implies absent the other way round."""
        unknown = np.full(n_cases, np.nan)
        for finding in self._implying:
            for implied in finding.implies:
                narrow = merged.get(finding.id, unknown)
                wide = merged.get(implied, unknown)
                for row in np.flatnonzero((narrow == 1.0) & (wide == 0.0)):
                    got = Phrase(f"{finding.id} present and {implied} absent")
                    faults.add(row, implied, f"present, since {finding.id} is", got)
                merged[implied] = np.where(np.isnan(wide) & (narrow == 1.0), 1.0, wide)
                merged[finding.id] = np.where(np.isnan(narrow) & (wide == 0.0), 0.0, narrow)

    def _any_of(
        self, merged: dict[str, FloatArray], n_cases: int, faults: _Faults
    ) -> dict[str, NDArray[np.bool_]]:
        """Settle findings that are positive when any component is.

        Where a component is known the combination follows from, or fixes, the components; it is
        then no evidence of its own, or one observation would count twice.

        Returns
        -------
        dict of finding to bool array (N,)
            Where the combined finding must not be used as evidence.
        """
        dropped: dict[str, NDArray[np.bool_]] = {}
        for finding in self._combined:
            whole = merged.get(finding.id, np.full(n_cases, np.nan))
            parts = np.stack([merged.get(c, np.full(n_cases, np.nan)) for c in finding.any_of])
            any_present, known = (parts == 1.0).any(axis=0), ~np.isnan(parts)
            all_absent = (parts == 0.0).all(axis=0)
            for row in np.flatnonzero((whole == 0.0) & any_present | (whole == 1.0) & all_absent):
                got = Phrase(f"a contradiction with {', '.join(finding.any_of)}")
                faults.add(row, finding.id, "the same as its components", got)
            # Absent as a whole: every component is. Present, and all known but one absent: it is.
            last = (whole == 1.0) & ~any_present & ((~known).sum(axis=0) == 1) & known.any(axis=0)
            settled = (whole == 0.0) & known.any(axis=0)
            for c, part in zip(finding.any_of, parts, strict=True):
                filled = np.where(np.isnan(part) & last, 1.0, part)
                merged[c] = np.where(np.isnan(part) & settled, 0.0, filled)
            follows = np.where(any_present, 1.0, np.where(all_absent, 0.0, whole))
            merged[finding.id] = np.where(np.isnan(whole), follows, whole)
            dropped[finding.id] = known.any(axis=0)
        return dropped

    def _assemble(
        self,
        merged: dict[str, FloatArray],
        lower: NDArray[np.int8],
        upper: NDArray[np.int8],
        dropped: Mapping[str, NDArray[np.bool_]],
        given: tuple[tuple[str, FloatArray], ...],
        n_cases: int,
    ) -> Cases:
        blank = no_evidence(self._model, n_cases)
        findings, risks = blank.findings, blank.risks
        for f, name in enumerate(self._model.findings):
            if name in merged:
                findings[:, f] = merged[name]
            if name in dropped:
                findings[dropped[name], f] = np.nan
        for r, name in enumerate(self._model.risks):
            if name in merged:
                risks[:, r] = np.nan_to_num(merged[name], nan=-1.0).astype(np.int8)
        evidence = Evidence(findings, lower, upper, risks, blank.causes)
        facts = {name: _fact(values) for name, values in merged.items()}
        return Cases(evidence, facts, given)


def _fact(values: FloatArray) -> NDArray[np.int8]:
    """State positions; soft evidence that leans to present counts as present for red flags."""
    soft = (values > 0.0) & (values < 1.0)
    leaning = np.where(soft, np.where(values >= 0.5, 1.0, -1.0), values)
    return np.nan_to_num(leaning, nan=-1.0).astype(np.int8)


class _Faults:
    """Collects what is wrong with cells, named by row and column."""

    def __init__(self, rows: Sequence[Hashable] | None) -> None:
        self._rows = rows
        self._faults: list[Fault] = []
        self._count = 0

    def _place(self, row: int, column: str) -> str:
        return column if self._rows is None else f"row {self._rows[row]}, column {column}"

    def add(self, row: SupportsInt, column: str, expected: str, got: object) -> None:
        self._append(Fault(self._place(int(row), column), expected, got))

    def add_column(self, column: str, near: tuple[str, ...]) -> None:
        place = "column" if self._rows is not None else "finding"
        self._append(Fault(place, "the name of a finding, risk or measure", column, near))

    def _append(self, fault: Fault) -> None:
        self._count += 1
        if self._count <= MOST_FAULTS:
            self._faults.append(fault)

    def read_cells(
        self,
        column: str,
        cells: Cells,
        reader: Callable[[str, object], float | Fault],
    ) -> FloatArray:
        """Read each distinct cell once; note a fault for every row that has a bad one."""
        codes, distinct = _factorize(cells)
        values = np.full(len(distinct) + 1, math.nan)
        for code, cell in enumerate(distinct):
            read = reader(column, cell)
            if isinstance(read, Fault):
                for row in np.flatnonzero(codes == code):
                    place = self._place(int(row), column)
                    self._append(Fault(place, read.expected, read.got, read.nearest))
            else:
                values[code] = read
        result: FloatArray = values[codes]
        return result

    def raise_any(self) -> None:
        if self._count > MOST_FAULTS:
            more = Phrase(f"{self._count - MOST_FAULTS} more of these faults")
            self._faults.append(Fault("cases", "readable cells", more))
        if self._faults:
            raise InvalidCase(self._faults)


def _factorize(cells: Cells) -> tuple[NDArray[np.intp], list[object]]:
    """Number the distinct cells; missing ones get -1. True and 1 are told apart by type."""
    if len(cells) == 1:
        return np.zeros(1, dtype=np.intp), [cells[0]]
    array: Any = cells
    if not isinstance(cells, (np.ndarray, pd.api.extensions.ExtensionArray)):
        array = np.array([*cells, None], dtype=object)[:-1]
    try:
        codes, distinct = pd.factorize(array)
    except TypeError:
        # Cells that cannot be hashed (a list, say) are still worth a proper fault each.
        return np.arange(len(cells)), list(cells)
    return codes, list(distinct)
