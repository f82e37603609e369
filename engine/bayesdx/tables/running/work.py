"""What is done with one chunk: read its cells, score, write; a function of the chunk alone."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import pyarrow as pa

from bayesdx.diagnosis.cases import Cases
from bayesdx.diagnosis.core import Core
from bayesdx.diagnosis.scoring import Scores, score_cases
from bayesdx.inference.noisy.model import BoolArray
from bayesdx.tables.columns import CASE_ID, RESERVED
from bayesdx.tables.outputs import OutputOptions, output_table
from bayesdx.tables.running.counts import Counts, count_scores
from bayesdx.tables.running.encoders import Encoder
from bayesdx.tables.running.rejects import Places, rejected_csv
from bayesdx.tables.sources import Chunk, RowFault


@dataclass(frozen=True, eq=False)
class Piece:
    """What became of a chunk.

    Attributes
    ----------
    first : int
        Number of its first record.
    counts : Counts
    faults : tuple of RowFault
        Of its bad records, by row.
    output, rejected : bytes
        To be appended to the output and to the file of rejected records.
    seconds : Counter
        Spent on reading cells, scoring and writing.
    """

    first: int
    counts: Counts
    faults: tuple[RowFault, ...]
    output: bytes = b""
    rejected: bytes = b""
    seconds: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, eq=False)
class ChunkWork:
    """Scores chunks; a function that threads may share.

    Attributes
    ----------
    core : Core
    options : OutputOptions
    places : Places
    encode : Encoder or None
        None where cases are only checked.
    number_cases : bool
        Give the number of the record as `case_id` where cases have none of their own.
    stop : bool
        After the first fault nothing is scored any more, only checked.
    faulty : Event
        Set by the first fault.
    workers : int
        Threads to score a chunk with that is alone.
    """

    core: Core
    options: OutputOptions
    places: Places
    encode: Encoder | None
    number_cases: bool
    stop: bool
    workers: int
    chunk_rows: int
    faulty: threading.Event = field(default_factory=threading.Event)

    def __call__(self, chunk: Chunk) -> Piece:
        """Read, score and write a chunk."""
        clock = _Clock()
        cases, good, faults = self.read(chunk)
        clock.lap("reading")
        bad = {fault.row for fault in faults}
        counts = Counts(records=chunk.count, rejected=len(bad), faults=len(faults))
        if faults and self.stop:
            self.faulty.set()
        if self.encode is None or self.faulty.is_set():
            return Piece(chunk.first, counts, faults, seconds=clock.seconds)
        alone = chunk.first == 0 and chunk.count < self.chunk_rows
        scores = score_cases(self.core, cases, self.workers if alone else 1)
        if not good.all():
            scores = take_scores(scores, good)
        counts.add(count_scores(self.core, scores))
        clock.lap("scoring")
        table = self.table(chunk, scores, good)
        counts.lines = table.num_rows
        output = self.encode(table, chunk.first == 0)
        rejected = rejected_csv(faults, self.places)
        clock.lap("writing")
        return Piece(chunk.first, counts, faults, output, rejected, clock.seconds)

    def read(self, chunk: Chunk) -> tuple[Cases, BoolArray, tuple[RowFault, ...]]:
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

    def table(self, chunk: Chunk, scores: Scores, good: BoolArray) -> pa.Table:
        """Lay the scores of the good records out as they are written."""
        rows = chunk.rows[good]
        ids = case_ids(chunk.cells)
        if ids is not None:
            ids = ids.filter(pa.array(good))
        elif self.number_cases:
            ids = pa.array(rows)
        return output_table(self.core, scores, ids, rows, self.options)


class _Clock:
    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] += now - self._last  # type: ignore[assignment]
        self._last = now


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
