"""One partition of a large table, scored: what Spark, Ray and Dask call on their workers.

The functions depend on their arguments alone and can be sent by name. An engine is built once a
process for each knowledge and kept by its digest. With Spark::

    from functools import partial
    from bayesdx.tables import partition_schema, score_partitions
    from pyspark.sql.pandas.types import from_arrow_schema

    schema = from_arrow_schema(partition_schema(folder, cases.columns))
    scores = cases.mapInPandas(partial(score_partitions, knowledge=folder), schema)

With Ray Data::

    from bayesdx.tables import score_partition

    scores = cases.map_batches(
        score_partition, batch_format="pandas", fn_kwargs={"knowledge": folder}
    )

``folder`` is a knowledge folder that every worker can read; None for the packaged knowledge, which
each worker then has in the same version; or `bayesdx.tables.serialisation.knowledge_files` of a
folder that only the caller has. ``benchmarks/distributed/by_ray.py`` is such a program, and is
tested.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import get_args

import numpy as np
import pandas as pd
import pyarrow as pa

from bayesdx.diagnosis.core import Core
from bayesdx.diagnosis.results import REJECTED
from bayesdx.diagnosis.scoring import FAULT, OnBadRow, ScoredRows, score_rows
from bayesdx.errors import Fault, InvalidCase
from bayesdx.inference.noisy.model import BoolArray
from bayesdx.tables.outputs import OutputOptions, check_options, output_schema, output_table
from bayesdx.tables.reserved import CASE_ID, RESERVED
from bayesdx.tables.serialisation import KnowledgeSource, core_of

#: Rows scored together.
ROWS_AT_ONCE = 20_000


def score_partition(
    cases: pd.DataFrame,
    knowledge: KnowledgeSource = None,
    *,
    on_error: OnBadRow = "raise",
    options: OutputOptions | None = None,
) -> pd.DataFrame:
    """Score some rows of a table.

    Parameters
    ----------
    cases : DataFrame
        One row a case; columns and cells as for `Engine.score`, reserved columns among them.
    knowledge : path, KnowledgeFiles, Engine, Core or None
        A knowledge folder that this process can read, the files of one, the packaged knowledge by
        default. An engine serves in this process only.
    on_error : {"raise", "reject", "skip"}
        What a row does that cannot be read, as for `Engine.score`: raise with every fault of the
        partition; stay, with the status ``rejected``, no numbers, and the reasons in a last column
        ``fault``, so that the counts of the whole table can be made of the result; or be left out,
        so that rows in less rows out is the number of rejected rows. Unknown columns always raise.
    options : OutputOptions, optional
        Wide, all causes, by default. The long shape needs a column ``case_id``, and rejected rows
        cannot stay in it.

    Returns
    -------
    DataFrame
        The columns of `partition_schema`; in the wide shape with the index of the rows kept. Each
        row is what a run over the whole table gives for it.

    Raises
    ------
    InvalidCase
        Unknown columns, bad rows as said above, options that cannot be met.
    """
    core, options = core_of(knowledge), options or OutputOptions()
    _check(core, options, on_error, cases.columns)
    columns = [name for name in cases.columns if name not in RESERVED]
    core.reader.names.check_columns(columns)
    parts = score_rows(
        core,
        cases[columns],
        list(cases.index),
        on_error=on_error,
        measure=options.measure,
        workers=1,
        rows_at_once=ROWS_AT_ONCE,
    )
    tables = []
    for part in parts:
        rows = cases.iloc[part.first : part.first + len(part.good)]
        where = part.first + np.flatnonzero(part.good)
        table = output_table(core, part.scores, _ids(rows, part.good), where, options)
        tables.append(_with_rejected(table, rows, part) if on_error == "reject" else table)
    frame: pd.DataFrame = pa.concat_tables(tables).to_pandas()
    if options.shape == "wide":
        kept = np.concatenate([part.good for part in parts])
        frame.index = cases.index if on_error == "reject" else cases.index[kept]
    return frame


def score_partitions(
    batches: Iterable[pd.DataFrame],
    knowledge: KnowledgeSource = None,
    *,
    on_error: OnBadRow = "raise",
    options: OutputOptions | None = None,
) -> Iterator[pd.DataFrame]:
    """Score batch after batch, as Spark's ``mapInPandas`` gives them; see `score_partition`."""
    for batch in batches:
        yield score_partition(batch, knowledge, on_error=on_error, options=options)


def partition_schema(
    knowledge: KnowledgeSource,
    columns: Sequence[str],
    *,
    on_error: OnBadRow = "raise",
    options: OutputOptions | None = None,
) -> pa.Schema:
    """Return the columns of `score_partition`, for systems that want them beforehand.

    Parameters
    ----------
    knowledge, on_error, options
        As for `score_partition`.
    columns : sequence of str
        Of the cases; `case_id` is taken for text.

    Returns
    -------
    pyarrow.Schema
    """
    core, options = core_of(knowledge), options or OutputOptions()
    _check(core, options, on_error, columns)
    schema = output_schema(core, options, CASE_ID in columns)
    return schema.append(pa.field(FAULT, pa.string())) if on_error == "reject" else schema


def _check(core: Core, options: OutputOptions, on_error: str, columns: Iterable[str]) -> None:
    check_options(core, options)
    names = list(columns)
    faults = []
    if on_error not in get_args(OnBadRow):
        faults.append(Fault("on_error", "raise, reject or skip", on_error))
    if options.shape == "long" and on_error == "reject":
        faults.append(Fault("on_error", "raise or skip, in the long shape", on_error))
    if options.shape == "long" and CASE_ID not in names:
        # A partition does not know where in the whole table its rows stand.
        faults.append(Fault("columns", f"{CASE_ID}, for the long shape", names))
    faults += [
        Fault("columns", "each column once", name)
        for name in dict.fromkeys(name for name in names if names.count(name) > 1)
    ]
    if faults:
        raise InvalidCase(faults)


def _ids(rows: pd.DataFrame, good: BoolArray) -> pa.Array | None:
    if CASE_ID not in rows.columns:
        return None
    ids = pa.array(rows.loc[:, CASE_ID].array[good], from_pandas=True)
    return ids.cast(pa.string()) if not pa.types.is_string(ids.type) else ids


def _with_rejected(table: pa.Table, rows: pd.DataFrame, part: ScoredRows) -> pa.Table:
    """Put the rows that could not be read back among the others, with their faults."""
    # A null index takes a null cell.
    at = np.where(part.good, np.cumsum(part.good) - 1, 0)
    spread = table.take(pa.array(at, mask=~part.good))
    place = spread.column_names.index("status")
    spread = spread.set_column(place, "status", spread.column("status").fill_null(REJECTED))
    if CASE_ID in spread.column_names:
        every = _ids(rows, np.ones(len(rows), dtype=bool))
        spread = spread.set_column(0, CASE_ID, every)
    texts = [part.faults.get(row) for row in range(len(rows))]
    return spread.append_column(FAULT, pa.array(texts, pa.string()))
