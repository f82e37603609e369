"""Whole tables of cases as DataFrames, from the same sources as streams of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from bayesdx.errors import Fault, InvalidCase, Phrase
from bayesdx.tables.sources.chunks import CaseChunk, CaseSource
from bayesdx.tables.sources.delimited import CsvSource
from bayesdx.tables.sources.opening import open_cases
from bayesdx.tables.sources.streams import ByteStream

#: Rows of a chunk; the table is held whole in any case.
CHUNK_ROWS = 1 << 16
#: Faults listed in full; the rest are counted.
_MOST_FAULTS = 1000


def read_cases(source: str | Path) -> pd.DataFrame:
    """Read a table of cases whole.

    Parameters
    ----------
    source : str or Path
        A file: CSV with a header line, JSON lines when its name ends in ``.jsonl``, each also with
        ``.gz`` or ``.zst``; Parquet when it ends in ``.parquet`` or ``.pq``; a folder of Parquet
        files. ``-`` is CSV on standard input.

    Returns
    -------
    DataFrame
        One row a case, numbered from 0. Cells of CSV and JSON lines are all `str`, blank where
        nothing is written; Parquet keeps its types.

    Raises
    ------
    InvalidCase
        With every fault: the file cannot be read, or is not a table with at least one case. Places
        are ``file:line:column``.

    See Also
    --------
    bayesdx.tables.sources.opening.open_cases : the same in chunks, sound rows in spite of bad ones.
    """
    with open_cases(source, chunk_rows=CHUNK_ROWS) as cases:
        return _whole(cases)


def parse_csv(data: bytes, name: str) -> pd.DataFrame:
    """Read the bytes of a CSV file as a table of text; `name` is what its faults call it."""
    return _whole(CsvSource(ByteStream.of_bytes(data, name), CHUNK_ROWS))


def _whole(source: CaseSource) -> pd.DataFrame:
    return whole_frame(source, list(sound_chunks(source)))


def sound_chunks(source: CaseSource) -> Iterator[CaseChunk]:
    """Yield chunks until a record is at fault, and raise at the end; see `read_cases`."""
    faults: list[Fault] = []
    count = 0
    try:
        for chunk in source.chunks():
            count += chunk.count
            faults += [one.fault for one in chunk.faults]
            if not faults:
                yield chunk
    except InvalidCase as error:
        faults += error.faults
    if not count and not faults:
        expected = "at least one case below the header"
        faults.append(Fault(source.name, expected, Phrase("none")))
    if len(faults) > _MOST_FAULTS:
        more = Phrase(f"{len(faults) - _MOST_FAULTS} more of these faults")
        faults = [*faults[:_MOST_FAULTS], Fault(source.name, "sound rows", more)]
    if faults:
        raise InvalidCase(faults)


def whole_frame(source: CaseSource, chunks: list[CaseChunk]) -> pd.DataFrame:
    """Return the records of chunks as a table; see `read_cases`."""
    columns = {
        name: _series([chunk.cells[name] for chunk in chunks], blank=not source.typed)
        for name in source.columns
    }
    return pd.DataFrame(columns, columns=list(source.columns))


def _series(parts: list[pa.ChunkedArray], *, blank: bool) -> pd.Series:
    """A column of all chunks; of text formats as `str` objects, ``""`` where nothing is written."""
    if not blank:
        arrays = [
            part.cast(part.type.value_type) if pa.types.is_dictionary(part.type) else part
            for part in parts
        ]
        series: pd.Series = pa.chunked_array(
            [array for part in arrays for array in part.chunks], arrays[0].type
        ).to_pandas()
        return series
    cells: list[np.ndarray] = []
    for part in parts:
        for array in part.chunks:
            texts = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
            words = np.array([*(text or "" for text in texts.dictionary.to_pylist()), ""], object)
            cells.append(words[texts.indices.fill_null(-1).to_numpy(zero_copy_only=False)])
    return pd.Series(np.concatenate(cells), dtype=object)
