"""A partition is scored as a part of the whole, wherever it is and however it got there."""

import pickle
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from small_priors import SMALL, write_priors

import bayesdx
import bayesdx.tables
from bayesdx.diagnosis.engine import Engine
from bayesdx.errors import BayesdxError, InvalidCase, InvalidKnowledge
from bayesdx.tables import finding_columns
from bayesdx.tables.drawn_cases import SampleTables
from bayesdx.tables.drawn_files import write_sample
from bayesdx.tables.execution.table_run import score_table
from bayesdx.tables.outputs import OutputOptions
from bayesdx.tables.partitions import partition_schema, score_partition, score_partitions
from bayesdx.tables.serialisation import KnowledgeFiles, core_of, knowledge_files

EXAMPLE = Path(__file__).parents[2] / "benchmarks" / "distributed" / "by_ray.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return write_priors(tmp_path_factory.mktemp("priors"), SMALL)


@pytest.fixture(scope="module")
def engine(folder: Path) -> Engine:
    return bayesdx.load(folder)


@pytest.fixture(scope="module")
def cases(engine: Engine) -> pd.DataFrame:
    frame = pa.concat_tables(SampleTables(engine, 300).chunks()).to_pandas()
    return frame.astype(object).set_index(np.arange(1000, 1300))


def with_slips(cases: pd.DataFrame) -> pd.DataFrame:
    frame = cases.copy()
    frame.loc[1007, "cramp"] = "presnt"
    frame.loc[1009, ["radiation", "radiation_any", "radiation_foot", "reach"]] = None
    frame.loc[1009, ["radiation", "radiation_foot"]] = ["none", "present"]
    return frame


def test_partitions_together_are_the_whole(
    engine: Engine, folder: Path, cases: pd.DataFrame, tmp_path: Path
) -> None:
    pieces = [cases.iloc[:7], cases.iloc[7:7], cases.iloc[7:]]
    scores = pd.concat(score_partitions(pieces, folder))
    pd.testing.assert_index_equal(scores.index, cases.index)
    expected = engine.score(finding_columns(cases))
    pd.testing.assert_frame_equal(
        scores.drop(columns="case_id"), expected, check_dtype=False, atol=1e-12, rtol=0
    )
    assert scores["case_id"].tolist() == cases["case_id"].tolist()
    cases.to_csv(tmp_path / "cases.csv", index=False)
    score_table(engine.core, tmp_path / "cases.csv", tmp_path / "out.parquet")
    whole = pd.read_parquet(tmp_path / "out.parquet").set_index(cases.index)
    pd.testing.assert_frame_equal(scores, whole, check_dtype=False, atol=1e-12, rtol=0)


@pytest.mark.parametrize("with_ids", [True, False])
def test_the_schema_is_known_beforehand(folder: Path, cases: pd.DataFrame, with_ids: bool) -> None:
    frame = cases if with_ids else cases.drop(columns="case_id")
    for mode in ("raise", "skip", "reject"):
        scores = score_partition(frame, folder, on_error=mode)
        schema = partition_schema(folder, list(frame.columns), on_error=mode)
        assert list(scores.columns) == schema.names
        pa.Table.from_pandas(scores, schema=schema, preserve_index=False)


def test_bad_rows_raise_with_every_fault(folder: Path, cases: pd.DataFrame) -> None:
    with pytest.raises(InvalidCase) as caught:
        score_partition(with_slips(cases), folder)
    said = [str(fault) for fault in caught.value.faults]
    assert len(said) == 2
    assert said[0].startswith("row 1007, column cramp: expected present, absent or unknown")
    assert "got a contradiction between radiation, " in said[1]


def test_bad_rows_can_be_left_out(folder: Path, cases: pd.DataFrame) -> None:
    scores = score_partition(with_slips(cases), folder, on_error="skip")
    good = cases.drop(index=[1007, 1009])
    assert len(scores) == len(cases) - 2
    expected = score_partition(good, folder)
    pd.testing.assert_frame_equal(scores, expected, atol=1e-12, rtol=0)


def test_bad_rows_can_stay_and_be_counted(folder: Path, cases: pd.DataFrame) -> None:
    scores = score_partition(with_slips(cases), folder, on_error="reject")
    pd.testing.assert_index_equal(scores.index, cases.index)
    assert scores["case_id"].tolist() == cases["case_id"].tolist()
    rejected = scores["status"] == "rejected"
    assert scores.index[rejected].tolist() == [1007, 1009]
    numbers = scores.loc[rejected, ["strain", "unexplained", "log_evidence", "urgency"]]
    assert numbers.isna().to_numpy().all()
    assert scores["fault"].notna().equals(rejected)
    assert "presnt" in scores.loc[1007, "fault"]
    kept = scores[~rejected].drop(columns="fault")
    skipped = score_partition(with_slips(cases), folder, on_error="skip")
    pd.testing.assert_frame_equal(kept, skipped)


def test_a_partition_of_bad_rows_only(folder: Path, cases: pd.DataFrame) -> None:
    bad = with_slips(cases).loc[[1007, 1009]]
    assert len(score_partition(bad, folder, on_error="skip")) == 0
    assert score_partition(bad, folder, on_error="reject")["status"].tolist() == ["rejected"] * 2


def test_the_long_shape(folder: Path, cases: pd.DataFrame) -> None:
    options = OutputOptions("long", top=1)
    lines = score_partition(cases.iloc[:5], folder, options=options)
    assert lines["case_id"].nunique() == 5
    assert set(lines.loc[lines["rank"] == 1, "cause"]) <= {"strain", "statin_myopathy"}
    with pytest.raises(InvalidCase, match="columns: expected case_id, for the long shape"):
        score_partition(cases.drop(columns="case_id"), folder, options=options)
    with pytest.raises(InvalidCase, match="on_error: expected raise or skip, in the long shape"):
        score_partition(cases, folder, options=options, on_error="reject")


def test_columns_are_checked_whatever_happens_to_rows(folder: Path, cases: pd.DataFrame) -> None:
    for mode in ("raise", "skip", "reject"):
        with pytest.raises(InvalidCase, match=r"got 'crmp'\. Nearest: cramp"):
            score_partition(cases.rename(columns={"cramp": "crmp"}), folder, on_error=mode)
        twice = pd.concat([cases, cases[["cramp"]]], axis=1)
        with pytest.raises(InvalidCase, match="each column once, got 'cramp'"):
            score_partition(twice, folder, on_error=mode)
    with pytest.raises(InvalidCase, match="on_error: expected raise, reject or skip, got 'drop'"):
        score_partition(cases, folder, on_error="drop")  # type: ignore[arg-type]


def test_knowledge_is_built_once_and_known_by_its_digest(folder: Path, tmp_path: Path) -> None:
    core = core_of(folder)
    copy = write_priors(tmp_path / "copy", SMALL)
    assert core_of(str(copy)) is core
    assert core_of(knowledge_files(copy)) is core
    changed = dict(SMALL)
    changed["model.toml"] = SMALL["model.toml"].replace('version = "1"', 'version = "2"')
    write_priors(copy, changed)
    assert core_of(copy) is not core
    assert core_of(copy).knowledge.model.version == "2"
    assert core_of(folder) is core


def test_files_travel_and_are_checked(folder: Path, tmp_path: Path, cases: pd.DataFrame) -> None:
    changed = {**SMALL, "model.toml": SMALL["model.toml"].replace('"small"', '"sent"')}
    files = knowledge_files(write_priors(tmp_path, changed))
    sent = pickle.loads(pickle.dumps(files))
    assert sent == files
    assert core_of(sent).knowledge.digest == files.digest == core_of(tmp_path).knowledge.digest
    name, content = files.files[0]
    spoilt = KnowledgeFiles(((name, content + b"\n"), *files.files[1:]), "0" * 64)
    with pytest.raises(BayesdxError, match="knowledge: expected files of the digest 0000"):
        core_of(spoilt)
    assert pickle.loads(pickle.dumps(score_partition)) is score_partition
    with pytest.raises(InvalidKnowledge, match="a priors folder"):
        core_of(tmp_path / "nowhere")


def test_it_has_its_place_in_the_package() -> None:
    assert bayesdx.tables.score_partition is score_partition
    with pytest.raises(AttributeError, match="score_partitoin"):
        bayesdx.tables.score_partitoin  # noqa: B018


def test_nothing_imports_dask_or_ray() -> None:
    code = (
        "import sys, bayesdx, bayesdx.cli.app, bayesdx.tables.execution.table_run, "
        "bayesdx.tables.partitions; "
        "sys.exit(any(name in sys.modules for name in ('dask', 'distributed', 'ray')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(find_spec("ray") is None, reason="needs Ray")
def test_the_documented_example_with_ray(folder: Path, engine: Engine, tmp_path: Path) -> None:
    write_sample(SampleTables(engine, 2000), f"{tmp_path}/cases/", parts=3)
    words = [str(tmp_path / "cases"), str(tmp_path / "scores"), "--priors", str(folder)]
    more = ["--batch-rows", "300", "--cpus", "2"]
    subprocess.run([sys.executable, str(EXAMPLE), *words, *more], check=True, timeout=300)
    scores = pd.read_parquet(tmp_path / "scores").sort_values("case_id", ignore_index=True)
    expected = score_partition(pd.read_parquet(tmp_path / "cases"), folder, on_error="reject")
    expected = expected.sort_values("case_id", ignore_index=True)
    pd.testing.assert_frame_equal(scores, expected, check_dtype=False, atol=1e-12, rtol=0)
    assert len(scores) == 2000
