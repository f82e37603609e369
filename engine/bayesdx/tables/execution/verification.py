"""A sample of an output scored again from its input, and compared."""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bayesdx.diagnosis.scoring import UNEXPLAINED
from bayesdx.errors import Fault, InvalidCase, Phrase
from bayesdx.inference.noisy.model import IntArray
from bayesdx.tables.encoders import harmless, neutral
from bayesdx.tables.execution.audit import canonical, signed
from bayesdx.tables.execution.chunk_job import ChunkJob
from bayesdx.tables.execution.counts import Counts
from bayesdx.tables.execution.identities import SeenIds, id_marks
from bayesdx.tables.execution.publish import describe
from bayesdx.tables.execution.recorded_run import (
    damaged_audit,
    of_network,
    read_audit,
    recorded_options,
    recorded_subject,
)
from bayesdx.tables.execution.rejects import CellPlaces, rejected_header
from bayesdx.tables.execution.run_options import RunOptions
from bayesdx.tables.explanations import RANK
from bayesdx.tables.outputs import OutputOptions
from bayesdx.tables.sources.chunks import CaseSource
from bayesdx.tables.sources.formats import CSV
from bayesdx.tables.sources.opening import open_cases
from bayesdx.tables.sources.streams import bytes_digest
from bayesdx.tables.table_options import open_table, roles_of
from bayesdx.tables.target import REJECTED_SUFFIX, Target

if TYPE_CHECKING:
    from bayesdx.diagnosis.core import Core
    from bayesdx.tables.execution.subject import Subject


#: Largest difference of numbers, relative where they are larger than 1.
TOLERANCE = 1e-12
#: Records compared, unless told otherwise.
SAMPLE = 1000
#: Differences of values that are told.
MOST_TOLD = 10

Cells = dict[str, list[Any]]


@dataclass(frozen=True)
class Verification:
    """What a comparison found.

    Attributes
    ----------
    compared, scored : int
        Records that were scored again, of how many.
    differences : tuple of str
        What is not as the audit says; empty when all is.
    """

    compared: int
    scored: int
    differences: tuple[str, ...]


def verify_output(
    asked: Core | str | Path | None,
    output: str | Path,
    *,
    source: str | Path | None = None,
    sample: int | None = SAMPLE,
    seed: int = 0,
    key: bytes | None = None,
) -> Verification:
    """Score a random sample of an output again, or all of it, and compare it.

    Parameters
    ----------
    asked : Core, str, Path or None
        The core of the knowledge that the output was made with. Of an output of `bayesdx network`
        the file of the network, None for the one that the audit names.
    output : str or Path
        With its audit beside it.
    source : str or Path, optional
        The input; by default the one that the audit names.
    sample : int, optional
        Records, drawn without replacement; None for all of them.
    seed : int
        Of the draw. Who can foresee it can keep an edited row out of the sample.
    key : bytes, optional
        The audit must have been signed with it.

    Raises
    ------
    InvalidCase
        There is no audit, no input or network, or the output cannot be read.
    """
    audit = read_audit(output)
    options = recorded_options(audit)
    subject = recorded_subject(audit, options, asked)
    differences = []
    was, now = audit["knowledge"]["digest"], subject.facts()[0]["digest"]
    if was != now:
        kind = "network" if of_network(audit) else "knowledge"
        differences.append(f"{kind} changed: digest {was[:12]} then, {now[:12]} now")
    differences += _audit_changed(audit, key)
    differences += _output_changed(Path(output), audit)
    scored = int(audit["counts"]["scored"])
    try:
        chosen = np.sort(np.random.default_rng(seed).permutation(scored)[:sample])
    except (MemoryError, ValueError):
        raise damaged_audit("counts.scored") from None
    rows = options.chunk_rows
    with open_table(source or _input_of(audit), subject, options.table, rows) as opened:
        if opened.size is not None and opened.digest() != audit["input"]["digest"]:
            differences.append(f"input changed: {opened.name} is not what was scored")
        try:
            again = _scored_again(subject, opened, options, audit, chosen)
        except InvalidCase as error:
            what = "input changed" if was == now else "input cannot be read by it"
            return Verification(0, scored, (*differences, f"{what}: {error}"))
    differences += _counts_changed(audit, again.counts, whole=len(chosen) == scored)
    differences += _rejects_changed(Path(output), audit, again.rejected)
    found = _found(output, audit, options.output, chosen, list(again.cells))
    differences += _compare(again.cells, found, chosen)
    return Verification(len(chosen), scored, tuple(differences))


def _audit_changed(audit: dict[str, Any], key: bytes | None) -> list[str]:
    """Say what is wrong with the digest and the signature of an audit."""
    told = []
    # One of format 1 has no digest; where there is one, it counts, whatever the format says.
    if "digest" in audit and hashlib.sha256(canonical(audit)).hexdigest() != audit["digest"]:
        told.append("audit changed: it is not what its digest was made of")
    signature = audit.get("signature")
    if key is not None and signature is None:
        told.append("audit not signed")
    elif key is not None and not hmac.compare_digest(signed(audit, key), str(signature)):
        told.append("audit changed, or signed with another key")
    return told


def _counts_changed(audit: dict[str, Any], counts: Counts, *, whole: bool) -> list[str]:
    """Compare the counts of an audit with those of reading, or scoring all, again."""
    names = ["records", "scored", "rejected", "faults", "blank_ids", "repeated_ids"]
    if whole:
        names += ["lines", "status", "urgency", "red_flags"]
    again, stated = counts.as_dict(), audit["counts"]
    return [
        f"counts changed: {stated[name]} {name.replace('_', ' ')} in the audit, {again[name]} when "
        "done again"
        for name in names
        if name in stated and stated[name] != again[name]
    ]


def _rejects_changed(output: Path, audit: dict[str, Any], rejected: bytes) -> list[str]:
    """Compare the file of rejected records with the audit and with what it must be."""
    if audit["format"] == 1 or audit["options"]["on_error"] == "stop":
        return []
    path = output.resolve()
    path = path.with_name(path.name + REJECTED_SUFFIX)
    there = path.read_bytes() if path.is_file() else b""
    found = {"bytes": len(there), "digest": bytes_digest(there)} if there else None
    if found != audit["rejected"] or there != rejected:
        return [f"rejected records changed: {path} is not what was written"]
    return []


def _input_of(audit: dict[str, Any]) -> str:
    name = str(audit["input"]["name"])
    if not Path(name).exists():
        expected = "the input that was scored, or --input with its new name"
        raise InvalidCase(Fault(name, expected, Phrase("no such file")))
    return name


def _output_changed(output: Path, audit: dict[str, Any]) -> list[str]:
    folder = output.is_dir()
    about = describe(output, Target(str(output), output, "", "", folder=folder))
    same = all(about.get(key) == audit["output"].get(key) for key in ("bytes", "digest", "files"))
    return [] if same else [f"output changed: {output} is not what was written"]


@dataclass(frozen=True, eq=False)
class _Again:
    """What a run would write: chosen lines of the output, counts, rejected records."""

    cells: Cells
    counts: Counts
    rejected: bytes


def _scored_again(
    subject: Subject[Any, Any],
    source: CaseSource,
    options: RunOptions,
    audit: dict[str, Any],
    chosen: IntArray,
) -> _Again:
    """Score the chosen ones among the good records of an input again, as they are written."""
    roles = roles_of(subject, source, options.table, subject.answers())
    places = CellPlaces(source.name, source.columns, source.delimiter)
    work = ChunkJob(subject, options, places, encode=None, roles=roles)
    counts, tables, seen, rejected = Counts(), [], SeenIds(), []
    before = 0
    for chunk in source.chunks():
        cases, good, faults = work.read(chunk)
        kept = np.flatnonzero(good)
        at = kept[chosen[(chosen >= before) & (chosen < before + len(kept))] - before]
        before += len(kept)
        mask = np.zeros(len(good), dtype=bool)
        mask[at] = True
        answers = subject.answer(subject.rows(cases, at), 1)
        counts.add(subject.count(answers))
        tables.append(work.table(chunk, answers, mask))
        counts.lines += len(tables[-1])
        counts.scored += len(kept) - len(at)
        rows = {fault.row for fault in faults}
        counts.add(Counts(records=chunk.count, rejected=len(rows), faults=len(faults)))
        rejected.append(work.rejected(chunk, faults))
        if (ids := work.ids(chunk)) is not None:
            marks, blank = id_marks(ids, chunk.lines)
            seen.add(marks)
            counts.blank_ids += blank
    if before != audit["counts"]["scored"]:
        got = Phrase(f"{before:,} that can be scored")
        expected = f"{audit['counts']['scored']:,} records"
        raise InvalidCase(Fault(source.name, expected, got))
    counts.repeated_ids = seen.repeated()[0]
    table = pa.concat_tables(tables)
    if options.output.escape and audit["options"]["format"].partition(".")[0] == CSV:
        table = harmless(table.rename_columns([str(neutral(name)) for name in table.column_names]))
    columns: Cells = table.to_pydict()
    body = b"".join(rejected)
    return _Again(columns, counts, rejected_header() + body if body else b"")


def _found(
    output: str | Path,
    audit: dict[str, Any],
    options: OutputOptions,
    chosen: IntArray,
    expected: list[str],
) -> Cells:
    """Read the lines of the chosen records from an output; none where the columns are others."""
    fmt = audit["options"]["format"]
    several = ((audit["options"].get("search") or {}).get("k") or 1) > 1
    tables = []
    before = 0
    with open_cases(output, fmt=None if fmt == "parquet" else fmt) as opened:
        if list(opened.columns) != expected:
            # Where a case ends is told by columns that need not be there.
            return {name: [] for name in opened.columns}
        for chunk in opened.chunks():
            cases, before = _case_numbers(chunk.cells, options, several, before)
            # All columns as text or numbers: chunks may have other dictionaries.
            tables.append(chunk.cells.filter(pa.array(np.isin(cases, chosen))).to_pydict())
    merged: Cells = {name: [] for name in opened.columns}
    for table in tables:
        for name, cells in table.items():
            merged[name] += cells
    return merged


def _case_numbers(
    cells: pa.Table, options: OutputOptions, several: bool, before: int
) -> tuple[NDArray[np.intp], int]:
    """Number the cases of lines; in the long shape each case ends with ``unexplained``.

    Of several explanations the first has rank 1.
    """
    if several:
        first = np.array([str(rank) == "1" for rank in cells.column(RANK).to_pylist()])
        numbers = before + np.cumsum(first) - 1
        return numbers, before + int(first.sum())
    if options.shape == "wide":
        return np.arange(before, before + cells.num_rows), before + cells.num_rows
    column = cells.column("cause").cast(pa.string())
    last = pc.equal(column, UNEXPLAINED).to_numpy()
    ended = np.cumsum(last)
    total = before + int(ended[-1]) if len(ended) else before
    return before + ended - last, total


def _compare(expected: Cells, found: Cells, chosen: IntArray) -> list[str]:
    if list(expected) != list(found):
        return [f"values changed: columns {', '.join(found)} instead of {', '.join(expected)}"]
    lengths = {len(next(iter(cells.values()), [])) for cells in (expected, found)}
    if len(lengths) > 1:
        return ["values changed: not as many lines of the sample as when it is scored again"]
    told = list(_differing(expected, found))
    count = sum(1 for _ in told)
    lines = [f"values changed: {line}" for line in told[:MOST_TOLD]]
    if count > MOST_TOLD:
        lines.append(f"values changed: {count - MOST_TOLD:,} more cells of the sample")
    return lines if len(chosen) else []


def _differing(expected: Cells, found: Cells) -> Iterator[str]:
    ids = expected.get("case_id")
    for name, cells in expected.items():
        for line, (right, there) in enumerate(zip(cells, found[name], strict=True)):
            if not _same(right, there):
                case = f"line {line + 1} of the sample" if ids is None else f"case {ids[line]}"
                yield f"{case}, {name}: {there!r} in the output, {right!r} when scored again"


def _same(right: object, there: object) -> bool:
    if isinstance(right, float):
        if there is None or there == "":
            return not math.isfinite(right)
        try:
            number = float(str(there))
        except ValueError:
            return False
        return number == right or abs(number - right) <= TOLERANCE * max(1.0, abs(right))
    if right is None or right == "":
        return there is None or there == ""
    return str(right) == str(there)
