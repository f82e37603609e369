"""What every source of cases gives: chunks of sound rows, and the faults of all others."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bayesdx.errors import Fault

#: Records in a chunk, unless told otherwise.
CHUNK_ROWS = 50_000
#: Column of text as chunks hold it: few distinct cells, each kept once.
CODED_TEXT = pa.dictionary(pa.int32(), pa.string())


class RowFault(NamedTuple):
    """One thing that is wrong with one record.

    Attributes
    ----------
    row : int
        Number of the record in the input, from 0, the header not counted. Every record that begins
        counts, bad ones too.
    fault : Fault
        Its place is ``file:line:column``, columns counted in cells from 1.
    record : str
        What stands there, where it could not be divided into cells.
    """

    row: int
    fault: Fault
    record: str = ""


@dataclass(frozen=True, eq=False)
class CaseChunk:
    """Consecutive records of a source: N sound ones as columns, the others as faults.

    Attributes
    ----------
    first : int
        Number of its first record.
    count : int
        Records in it, those with faults included. The same for all chunks but the last.
    cells : pyarrow Table (N rows)
        All columns of the sound records. Text formats give `CODED_TEXT` for evidence and text for
        the columns of `bayesdx.tables.RESERVED`; blank cells are ``""`` or null.
    rows : int64 array (N,)
        Number of each sound record.
    lines : int64 array (N,)
        Line on which each sound record begins; its number + 1 where the format has no lines.
    faults : tuple of RowFault
        What is wrong with the structure of the other records, by row.
    """

    first: int
    count: int
    cells: pa.Table
    rows: NDArray[np.int64]
    lines: NDArray[np.int64]
    faults: tuple[RowFault, ...]


class CaseSource(ABC):
    """A table of cases that is read piece by piece, in memory bounded by the piece.

    Attributes
    ----------
    name : str
        What faults call it: the path as given, or "standard input".
    columns : tuple of str
        Names as in the header, blanks around them taken away.
    typed : bool
        Whether cells are values of several types; otherwise all are text.
    size : int or None
        Bytes of the input, as stored; None where they are not known beforehand.
    rows : int or None
        Records, where the format tells without reading them.
    paths : tuple of Path
        Files that are read; none of a stream.
    delimiter : str
        What stands between the cells of CSV; blank of other formats.
    """

    name: str
    columns: tuple[str, ...]
    typed: bool = False
    size: int | None
    rows: int | None
    paths: tuple[Path, ...] = ()
    delimiter: str = ""

    @abstractmethod
    def chunks(self, skip: int = 0) -> Iterator[CaseChunk]:
        """Yield the chunks in order, once.

        Parameters
        ----------
        skip : int
            Chunks to pass over, as cheaply as the format allows; their faults are not told.

        Raises
        ------
        InvalidCase
            Where the rest of the input cannot be known: an unclosed quotation mark, a compressed
            file that breaks off. What was sound before it has been yielded by then.
        """

    @abstractmethod
    def progress(self) -> float | None:
        """Share of the input that was read, 0 to 1; None where its size is not known."""

    @abstractmethod
    def digest(self) -> str:
        """Hexadecimal SHA-256 of the input's bytes; of a folder, of its file names and files.

        Raises
        ------
        InvalidCase
            Standard input has no digest before all of it was read.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of the files."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
