"""Cases in Parquet, and what one machine makes of them, for tests of many machines."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pandas as pd
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


def same(one: pa.Table, other: pa.Table) -> None:
    """Numba may have been loaded between two runs: backends agree to 1e-12, not to the last bit."""
    pd.testing.assert_frame_equal(one.to_pandas(), other.to_pandas(), rtol=0, atol=1e-12)
