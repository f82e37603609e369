"""A small knowledge, sampled cases in Parquet, and what one machine makes of them."""

import pytest
from dask_cases import CHUNK, ROWS, Work, scores
from small_priors import SMALL, write_priors

import bayesdx
from bayesdx.tables.drawn_cases import SampleTables
from bayesdx.tables.drawn_files import write_sample
from bayesdx.tables.execution.run_options import RunOptions
from bayesdx.tables.execution.table_run import score_table


@pytest.fixture(scope="session")
def work(tmp_path_factory) -> Work:
    engine = bayesdx.load(write_priors(tmp_path_factory.mktemp("priors"), SMALL))
    folder = tmp_path_factory.mktemp("cases")
    write_sample(SampleTables(engine, ROWS), f"{folder}/cases/", parts=3)
    score_table(engine.core, folder / "cases", f"{folder}/local/", RunOptions(chunk_rows=CHUNK))
    return Work(engine, folder / "cases", scores(folder / "local"))
