"""Runs a dirty input the way that scoring reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bayesdx.diagnosis.core import Core
from bayesdx.errors import InvalidCase
from bayesdx.tables.execution.subject import EngineSubject
from bayesdx.tables.outputs import OutputOptions
from bayesdx.tables.sources.opening import open_cases
from bayesdx.tables.table_options import TableOptions, roles_of


@dataclass(frozen=True)
class Outcome:
    """What became of an input.

    Attributes
    ----------
    outcome : str
        "read", "rows rejected", "stopped there" or "refused".
    rows : list of str
        Cells of the good rows, joined by bars.
    numbers : list of int
        Their record numbers.
    told : list of str
        The faults.
    records : int
        All, those with faults included.
    bad : set of int
        Record numbers with a fault.
    """

    outcome: str
    rows: list[str]
    numbers: list[int]
    told: list[str]
    records: int
    bad: set[int]


def write_input(data: bytes | Mapping[str, bytes], file: str) -> None:
    """Write a file, or the files of a folder, into the folder we are in."""
    if isinstance(data, bytes):
        Path(file).write_bytes(data)
        return
    Path(file).mkdir()
    for name, content in data.items():
        Path(file, name).write_bytes(content)


def run_input(
    file: str, fmt: str | None, core: Core, chunk_rows: int = 7, table: TableOptions | None = None
) -> Outcome:
    """Read an input in chunks, cells and all, skipping bad rows."""
    table = table or TableOptions()
    subject = EngineSubject(core, OutputOptions(), table.words)
    plain = table.plain(subject.knows)
    rows: list[str] = []
    numbers: list[int] = []
    told: list[tuple[int, str]] = []
    records = 0
    outcome = ""
    try:
        with open_cases(
            file, chunk_rows=chunk_rows, fmt=fmt, dialect=table.dialect, plain=plain
        ) as source:
            evidence = roles_of(subject, source, table, subject.answers()).evidence
            outcome = "stopped there"
            for chunk in source.chunks():
                records += chunk.count
                told += [(one.row, str(one.fault)) for one in chunk.faults]
                _, good, faults = subject.read(
                    {name: chunk.cells[name] for name in evidence},
                    len(chunk.rows),
                    lambda row, column: f"{file}:{chunk.lines[row]}:{column}",  # noqa: B023
                )
                told += [(int(chunk.rows[row]), str(fault)) for row, fault in faults]
                cells = [chunk.cells[name].to_pylist() for name in source.columns]
                for position, values in enumerate(zip(*cells, strict=True)):
                    if good[position]:
                        rows.append("|".join("" if v is None else str(v) for v in values))
                        numbers.append(int(chunk.rows[position]))
            outcome = "rows rejected" if told else "read"
    except InvalidCase as error:
        outcome = outcome or "refused"
        told += [(-1, str(fault)) for fault in error.faults]
    if outcome == "stopped there" and not records:
        outcome = "refused"
    return Outcome(
        outcome, rows, numbers, [text for _, text in told], records, {r for r, _ in told}
    )
