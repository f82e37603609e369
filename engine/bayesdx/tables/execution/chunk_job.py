"""What is done with one chunk: read its cells, score, encode; a function of the chunk alone."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa

from bayesdx.diagnosis.results import TOO_COMPLEX
from bayesdx.errors import Fault
from bayesdx.tables.execution.counts import Counts
from bayesdx.tables.execution.identities import (
    WHOLE,
    case_ids,
    id_marks,
    plain_cells,
    unfit_ids,
)
from bayesdx.tables.execution.part_result import PartResult
from bayesdx.tables.execution.rejects import CellPlaces, rejected_csv
from bayesdx.tables.reserved import CASE_ID
from bayesdx.tables.sources.chunks import CaseChunk, RowFault

if TYPE_CHECKING:
    from bayesdx.case_columns import ColumnRoles
    from bayesdx.inference.noisy.model import BoolArray
    from bayesdx.tables.encoders import Encoder
    from bayesdx.tables.execution.run_options import RunOptions
    from bayesdx.tables.execution.subject import Subject

#: Records that are too complex and are named, of each chunk; all are counted.
MOST_UNANSWERED = 100


class Flag(Protocol):
    """Tells all who work on a run that something was found."""

    def set(self) -> None:
        """Say so."""

    def is_set(self) -> bool:
        """Whether somebody said so."""


@dataclass(frozen=True, eq=False)
class ChunkJob:
    """Scores chunks; a function that threads may share.

    Attributes
    ----------
    subject : Subject
    options : RunOptions
        With ``on_error`` as "stop" nothing is scored after the first fault, only checked; otherwise
        the number of the record is the `case_id` of cases that have none of their own.
    places : CellPlaces
    encode : Encoder or None
        None where cases are only checked.
    roles : ColumnRoles
    workers : int
        Threads to score a chunk with that is alone.
    faulty : Flag
        Set by the first fault.
    """

    subject: Subject[Any, Any]
    options: RunOptions
    places: CellPlaces
    encode: Encoder | None
    roles: ColumnRoles
    workers: int = 1
    faulty: Flag = field(default_factory=threading.Event)

    def __call__(self, chunk: CaseChunk) -> PartResult:
        """Read, score and encode a chunk."""
        laps = [time.perf_counter()]
        cases, good, faults = self.read(chunk)
        laps.append(time.perf_counter())
        rejected = len({fault.row for fault in faults})
        counts = Counts(records=chunk.count, rejected=rejected, faults=len(faults))
        number = chunk.first // self.options.chunk_rows
        ids = self.ids(chunk)
        marks = None
        if ids is not None:
            marks, counts.blank_ids = id_marks(ids, chunk.lines)
        if faults and self.options.on_error == "stop":
            self.faulty.set()
        if self.encode is None or self.faulty.is_set():
            seconds = Counter({"reading": laps[1] - laps[0]})
            hard = self.subject.too_complex(cases) if self.encode is None else good[:0]
            counts.status.update({TOO_COMPLEX: int(hard.sum())} if hard.any() else {})
            told = self.unanswered(chunk, cases, None, hard)
            return PartResult(number, counts, faults, told, marks, seconds=seconds)
        alone = chunk.first == 0 and chunk.count < self.options.chunk_rows
        answers = self.subject.answer(cases, self.workers if alone else 1)
        hard = self.subject.unanswered(answers)
        unanswered = self.unanswered(chunk, cases, answers, hard) if hard.any() else ()
        if not good.all():
            answers = self.subject.take(answers, good)
        counts.add(self.subject.count(answers))
        laps.append(time.perf_counter())
        table = self.table(chunk, answers, good)
        counts.lines = table.num_rows
        output = self.encode(table, chunk.first == 0)
        rejects = self.rejected(chunk, faults)
        laps.append(time.perf_counter())
        spent = {
            stage: end - begin
            for stage, begin, end in zip(
                ("reading", "scoring", "writing"), laps[:-1], laps[1:], strict=True
            )
        }
        slowest = chunk.first, spent["scoring"]
        seconds = Counter(spent)
        return PartResult(
            number, counts, faults, unanswered, marks, output, rejects, seconds, slowest
        )

    def read(self, chunk: CaseChunk) -> tuple[Any, BoolArray, tuple[RowFault, ...]]:
        """Read the cells of a chunk.

        Returns
        -------
        cases
            Of its N sound records, in which bad cells are unknown.
        good : bool array (N,)
            Records without faults.
        faults : tuple of RowFault
            Of all its records, by row.
        """
        columns = {name: chunk.cells.column(name) for name in self.roles.evidence}

        def place(position: int, column: str) -> str:
            return self.places.of_cell(chunk, position, column)

        cases, good, found = self.subject.read(columns, len(chunk.rows), place)
        if self.roles.id:
            unfit = unfit_ids(chunk.cells.column(self.roles.id))
            good[[position for position, _ in unfit]] = False
            wrong = [Fault(place(at, self.roles.id), WHOLE, got) for at, got in unfit]
            found = (*found, *zip([at for at, _ in unfit], wrong, strict=True))
        in_cells = [RowFault(int(chunk.rows[position]), fault) for position, fault in found]
        faults = sorted((*chunk.faults, *in_cells), key=lambda fault: fault.row)
        return cases, good, tuple(faults)

    def unanswered(
        self, chunk: CaseChunk, cases: Any, answers: Any, hard: BoolArray
    ) -> tuple[RowFault, ...]:
        """Name the first records that are too complex to be answered, and what couples in them."""
        ids = self.ids(chunk)
        told = []
        for position in np.flatnonzero(hard)[:MOST_UNANSWERED].tolist():
            own = None if ids is None else ids[position].as_py()
            place = self.places.of_record(chunk, position, own)
            fault = self.subject.complexity(place, cases, answers, position)
            told.append(RowFault(int(chunk.rows[position]), fault))
        return tuple(told)

    def ids(self, chunk: CaseChunk) -> pa.Array | None:
        """Return the cases' own ids, where the table has some."""
        return case_ids(chunk.cells.column(self.roles.id)) if self.roles.id else None

    def rejected(self, chunk: CaseChunk, faults: tuple[RowFault, ...]) -> bytes:
        """Return the lines of the file of rejected records, without its header."""
        escape = self.options.output.escape
        return rejected_csv(faults, self.places, chunk, self.ids(chunk), escape=escape)

    def table(self, chunk: CaseChunk, answers: Any, good: BoolArray) -> pa.Table:
        """Lay the answers to the good records out as they are written, after what is copied."""
        rows = chunk.rows[good]
        copied: dict[str, pa.Array] = {}
        ids = self.ids(chunk)
        if ids is not None:
            copied[self.roles.id] = ids.filter(pa.array(good))
        elif self.options.on_error != "stop" or self.options.output.shape == "long":
            copied[CASE_ID] = pa.array(rows)
        for name in self.roles.kept:
            cells = plain_cells(chunk.cells.column(name)).filter(pa.array(good))
            copied.setdefault(name, cells)
        if not copied:
            return self.subject.table(answers, None, rows)
        # Which case a line is about stands in the place of its id.
        table = self.subject.table(answers, pa.array(np.arange(len(rows))), rows)
        if table.num_rows != len(rows):
            copied = {name: cells.take(table.column(0)) for name, cells in copied.items()}
        table = table.remove_column(0)
        for at, (name, cells) in enumerate(copied.items()):
            table = table.add_column(at, name, cells)
        return table
