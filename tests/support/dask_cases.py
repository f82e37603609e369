"""Cases in Parquet, and what one machine makes of them, for tests of many machines."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from bayesdx.diagnosis.engine import Engine

ROWS, CHUNK = 10_300, 250


class Work(NamedTuple):
    """Cases, and their scores by one machine."""

    engine: Engine
    cases: Path
    local: pa.Table


def scores(folder: Path) -> pa.Table:
    """Read a folder of scores, in the order of its files."""
    tables = [pq.read_table(path) for path in sorted(folder.glob("*.parquet"))]
    return pa.concat_tables(tables).replace_schema_metadata(None).combine_chunks()
