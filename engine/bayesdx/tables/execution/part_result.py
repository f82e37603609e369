"""What becomes of a part of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayesdx.tables.execution.counts import Counts
from bayesdx.tables.sources.chunks import RowFault


class WrittenPart(NamedTuple):
    """Files that a part has of its own: bytes and SHA-256 of its output and its rejects."""

    output_end: int
    output_digest: str
    rejected_end: int
    rejected_digest: str


@dataclass(frozen=True, eq=False)
class PartResult:
    """What became of a part: of one chunk, or of several together.

    Attributes
    ----------
    number : int
        From 0.
    counts : Counts
    faults : tuple of RowFault
        Of its bad records, by row.
    unanswered : tuple of RowFault
        Records that are too complex to be answered, and what couples in them.
    marks : uint64 array (2, K) or None
        Of the ids, with their lines; see `identities.id_marks`.
    output, rejected : bytes
        To be appended to the output and to the file of rejected records.
    seconds : Counter
        Spent on reading cells, scoring and writing.
    slowest : (int, float)
        First record of the chunk that took longest to score, and its seconds.
    written : WrittenPart or None
        Where the part has files of its own.
    failure : str
        Why it is given up; blank where it is not.
    """

    number: int
    counts: Counts
    faults: tuple[RowFault, ...] = ()
    unanswered: tuple[RowFault, ...] = ()
    marks: NDArray[np.uint64] | None = None
    output: bytes = b""
    rejected: bytes = b""
    seconds: Counter[str] = field(default_factory=Counter)
    slowest: tuple[int, float] = (0, 0.0)
    written: WrittenPart | None = None
    failure: str = ""


def joined(number: int, results: Iterable[PartResult], listed: int) -> PartResult:
    """Put consecutive results together as those of one part, with so many faults at most."""
    counts, seconds = Counts(), Counter[str]()
    faults: list[RowFault] = []
    unanswered: list[RowFault] = []
    slowest = (0, 0.0)
    outputs, rejected = [], []
    marks: list[NDArray[np.uint64]] = []
    for one in results:
        counts.add(one.counts)
        seconds.update(one.seconds)
        faults += one.faults[: listed - len(faults)]
        unanswered += one.unanswered[: listed - len(unanswered)]
        slowest = max(slowest, one.slowest, key=lambda pair: pair[1])
        outputs.append(one.output)
        rejected.append(one.rejected)
        marks += [] if one.marks is None else [one.marks]
    return PartResult(
        number=number,
        counts=counts,
        faults=tuple(faults),
        unanswered=tuple(unanswered),
        marks=np.concatenate(marks, axis=1) if marks else None,
        output=b"".join(outputs),
        rejected=b"".join(rejected),
        seconds=seconds,
        slowest=slowest,
    )
