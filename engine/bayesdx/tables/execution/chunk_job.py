"""What is done with one chunk: read its cells, score, encode; a function of the chunk alone."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa

from bayesdx.diagnosis.cases import Cases
from bayesdx.diagnosis.results import TOO_COMPLEX
from bayesdx.diagnosis.scoring import STATUSES, Scores, flag_names, score_cases
from bayesdx.errors import Fault, Phrase
from bayesdx.inference.noisy.complexity import coupled_names, too_complex
from bayesdx.inference.noisy.model import BoolArray
from bayesdx.knowledge.red_flag_schema import LEVELS
from bayesdx.tables.encoders import Encoder
from bayesdx.tables.execution.counts import Counts
from bayesdx.tables.execution.part_result import PartResult
from bayesdx.tables.execution.rejects import CellPlaces, rejected_csv
from bayesdx.tables.outputs import output_table
from bayesdx.tables.reserved import CASE_ID, RESERVED
from bayesdx.tables.sources.chunks import CaseChunk, RowFault

if TYPE_CHECKING:
    from bayesdx.diagnosis.core import Core
    from bayesdx.tables.execution.run_options import RunOptions

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
    core : Core
    options : RunOptions
        With ``on_error`` as "stop" nothing is scored after the first fault, only checked; otherwise
        the number of the record is the `case_id` of cases that have none of their own.
    places : CellPlaces
    encode : Encoder or None
        None where cases are only checked.
    workers : int
        Threads to score a chunk with that is alone.
    faulty : Flag
        Set by the first fault.
    """

    core: Core
    options: RunOptions
    places: CellPlaces
    encode: Encoder | None
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
        if faults and self.options.on_error == "stop":
            self.faulty.set()
        if self.encode is None or self.faulty.is_set():
            seconds = Counter({"reading": laps[1] - laps[0]})
            hard = too_complex(self.core.model, cases.evidence) if self.encode is None else good[:0]
            counts.status.update({TOO_COMPLEX: int(hard.sum())} if hard.any() else {})
            told = self.unanswered(chunk, cases, hard)
            return PartResult(number, counts, faults, told, seconds=seconds)
        alone = chunk.first == 0 and chunk.count < self.options.chunk_rows
        scores = score_cases(self.core, cases, self.workers if alone else 1)
        hard = scores.status == STATUSES.index(TOO_COMPLEX)
        unanswered = self.unanswered(chunk, cases, hard) if hard.any() else ()
        if not good.all():
            scores = take_scores(scores, good)
        counts.add(count_scores(self.core, scores))
        laps.append(time.perf_counter())
        table = self.table(chunk, scores, good)
        counts.lines = table.num_rows
        output = self.encode(table, chunk.first == 0)
        rejects = rejected_csv(faults, self.places)
        laps.append(time.perf_counter())
        spent = {
            stage: end - begin
            for stage, begin, end in zip(
                ("reading", "scoring", "writing"), laps[:-1], laps[1:], strict=True
            )
        }
        slowest = chunk.first, spent["scoring"]
        seconds = Counter(spent)
        return PartResult(number, counts, faults, unanswered, output, rejects, seconds, slowest)

    def read(self, chunk: CaseChunk) -> tuple[Cases, BoolArray, tuple[RowFault, ...]]:
        """Read the cells of a chunk.

        Returns
        -------
        cases : Cases
            Of its N sound records, in which bad cells are unknown.
        good : bool array (N,)
            Records without faults.
        faults : tuple of RowFault
            Of all its records, by row.
        """
        names = [name for name in chunk.cells.column_names if name not in RESERVED]
        columns = {name: chunk.cells.column(name) for name in names}

        def place(position: int, column: str) -> str:
            return self.places.of_cell(chunk, position, column)

        cases, good, found = self.core.reader.read_rows(columns, len(chunk.rows), place)
        in_cells = [RowFault(int(chunk.rows[position]), fault) for position, fault in found]
        faults = sorted((*chunk.faults, *in_cells), key=lambda fault: fault.row)
        return cases, good, tuple(faults)

    def unanswered(self, chunk: CaseChunk, cases: Cases, hard: BoolArray) -> tuple[RowFault, ...]:
        """Name the first records that are too complex to be answered, and what couples in them."""
        ids = case_ids(chunk.cells)
        told = []
        for position in np.flatnonzero(hard)[:MOST_UNANSWERED].tolist():
            own = None if ids is None else ids[position].as_py()
            names = coupled_names(self.core.model, cases.evidence.take(np.array([position])))
            got = Phrase(f"too complex a case: {', '.join(names)} couple")
            place = self.places.of_record(chunk, position, own)
            fault = Fault(place, "findings and risks that couple less", got)
            told.append(RowFault(int(chunk.rows[position]), fault))
        return tuple(told)

    def table(self, chunk: CaseChunk, scores: Scores, good: BoolArray) -> pa.Table:
        """Lay the scores of the good records out as they are written."""
        rows = chunk.rows[good]
        ids = case_ids(chunk.cells)
        if ids is not None:
            ids = ids.filter(pa.array(good))
        elif self.options.on_error != "stop":
            ids = pa.array(rows)
        return output_table(self.core, scores, ids, rows, self.options.output)


def count_scores(core: Core, scores: Scores) -> Counts:
    """Count scored records by status, urgency and red flags."""
    fired = scores.flags.sum(axis=0)
    names = flag_names(core)
    return Counts(
        scored=len(scores.status),
        status=_named(np.bincount(scores.status, minlength=len(STATUSES)), STATUSES),
        urgency=_named(np.bincount(scores.urgency, minlength=len(LEVELS)), LEVELS),
        red_flags=_named(fired, names),
    )


def _named(numbers: Any, names: tuple[str, ...]) -> Counter[str]:
    pairs = zip(names, numbers.tolist(), strict=True)
    return Counter({name: number for name, number in pairs if number})


def take_scores(scores: Scores, kept: BoolArray) -> Scores:
    """Return the scores of some cases."""
    return Scores(
        posterior=scores.posterior[kept],
        log_evidence=scores.log_evidence[kept],
        status=scores.status[kept],
        urgency=scores.urgency[kept],
        flags=scores.flags[kept],
    )


def case_ids(cells: pa.Table) -> pa.Array | None:
    """Return the cases' own ids; what is neither text, a whole number nor a date becomes text."""
    if CASE_ID not in cells.column_names:
        return None
    column = cells.column(CASE_ID).combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks) if column.num_chunks else column.chunk(0)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_integer(kind) or pa.types.is_temporal(kind):
        return column
    try:
        return column.cast(pa.string())
    except pa.ArrowException:
        return pa.array(
            [None if cell is None else str(cell) for cell in column.to_pylist()], pa.string()
        )
