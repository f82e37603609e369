"""Drawn cases as tables: the same for a seed however they are cut, and never taken for patients."""

import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_priors import SMALL, write_priors

import bayesdx
from bayesdx.diagnosis.engine import Engine
from bayesdx.diagnosis.synthetic import BLOCK, SampleOptions
from bayesdx.errors import BayesdxError, InvalidCase
from bayesdx.tables import RESERVED, finding_columns, read_cases
from bayesdx.tables.drawn_cases import METADATA_KEY, SampleTables
from bayesdx.tables.drawn_files import write_sample

NOISY = SampleOptions(seed=5, flip=0.05, soft=0.2, strangers=0.1)
#: As on a form: unknown risks couple causes, which makes cases of the packaged knowledge dear.
FORM = replace(NOISY, risks_asked=(0.8, 1.0))


@pytest.fixture(scope="module")
def engine(real_knowledge) -> Engine:
    return Engine(real_knowledge)


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Engine:
    folder = write_priors(tmp_path_factory.mktemp("priors"), SMALL)
    return bayesdx.load(folder, backend="numpy")


def sample_table(
    engine: Engine, count: int, options: SampleOptions | None = None, *, truth: bool = False
) -> pa.Table:
    return pa.concat_tables(SampleTables(engine, count, options, truth=truth).chunks())


def test_chunks_of_any_size_give_the_same_cases(small: Engine) -> None:
    n = 2 * BLOCK + 1000
    tables = SampleTables(small, n, NOISY, truth=True)
    whole = pa.concat_tables(tables.chunks()).combine_chunks()
    assert len(whole) == n
    for rows in (7001, BLOCK, BLOCK + 1, 3 * BLOCK):
        chunks = list(tables.chunks(rows))
        assert [len(chunk) for chunk in chunks[:-1]] == [rows] * (len(chunks) - 1)
        assert pa.concat_tables(chunks).combine_chunks().equals(whole)
    for first, stop in itertools.pairwise((0, 5, BLOCK - 1, BLOCK, 2 * BLOCK + 3, n)):
        piece = pa.concat_tables(tables.chunks(10_000, first=first, stop=stop))
        assert piece.combine_chunks().equals(whole.slice(first, stop - first).combine_chunks())


def test_fewer_cases_are_the_first_of_more(small: Engine) -> None:
    many = sample_table(small, 500, NOISY)
    assert sample_table(small, 20, NOISY).equals(many.slice(0, 20).combine_chunks())
    other = SampleOptions(seed=6, flip=0.05, soft=0.2, strangers=0.1)
    assert (
        not sample_table(small, 500, other)
        .drop_columns("source")
        .equals(many.drop_columns("source"))
    )


def test_every_row_and_file_is_labelled_as_synthetic(small: Engine) -> None:
    table = sample_table(small, 50, NOISY)
    digest = small.knowledge.digest
    label = f"synthetic; seed 5; knowledge 1 {digest[:12]}"
    assert table["source"].unique().to_pylist() == [label]
    assert set(table["note"].to_pylist()) == {None, "stranger"}
    told = json.loads(table.schema.metadata[METADATA_KEY])
    assert told["label"] == label
    assert told["knowledge_digest"] == digest
    assert told["options"]["flip"] == 0.05
    assert "accuracy" in told["not_patients"]


def test_columns_are_ids_labels_and_what_can_be_told(small: Engine) -> None:
    plain = sample_table(small, 50)
    assert plain.column_names == [
        *("case_id", "source", "statin_use", "age"),
        *("cramp", "radiation", "radiation_any", "radiation_foot", "ck_high"),
        *("ck", "reach"),
    ]
    assert plain["case_id"].to_pylist()[:2] == ["s0-000000000", "s0-000000001"]
    assert len(set(plain["case_id"].to_pylist())) == 50
    bare = SampleOptions(thresholds=0.0, measures=0.0)
    assert sample_table(small, 50, bare).column_names == [
        *("case_id", "source", "statin_use", "age", "cramp", "radiation", "ck_high")
    ]


def test_the_truth_names_every_cause(small: Engine) -> None:
    table = sample_table(small, BLOCK, truth=True)
    counts = table["expected_cause"].to_pandas().value_counts(normalize=True)
    assert set(counts.index) == {
        "unexplained",
        "strain",
        "statin_myopathy",
        "statin_myopathy;strain",
    }
    has_strain = counts["strain"] + counts["statin_myopathy;strain"]
    assert has_strain == pytest.approx(small.causes.loc["strain", "prior"], abs=0.015)
    assert "expected_cause" in RESERVED


def written(path: Path) -> pd.DataFrame:
    if path.suffix == ".jsonl":
        lines = path.read_text(encoding="utf-8").splitlines()
        return pd.DataFrame([json.loads(line) for line in lines])
    return read_cases(path)


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_a_file_scores_as_the_table_does(engine: Engine, tmp_path: Path, name: str) -> None:
    table = sample_table(engine, 20, FORM, truth=True)
    write_sample(SampleTables(engine, 20, FORM, truth=True), tmp_path / name)
    frame = written(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    expected = engine.score(finding_columns(table.to_pandas()))
    pd.testing.assert_frame_equal(engine.score(finding_columns(frame)), expected, rtol=0, atol=0)
    assert frame["case_id"].tolist() == table["case_id"].to_pylist()
    assert frame["expected_cause"].tolist() == table["expected_cause"].to_pylist()


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_compressed_files_hold_the_same_bytes(small: Engine, tmp_path: Path, suffix: str) -> None:
    tables = SampleTables(small, BLOCK + 5000)
    for ending in ("", ".gz", ".zst"):
        write_sample(tables, tmp_path / f"a.{suffix}{ending}")
    plain = (tmp_path / f"a.{suffix}").read_bytes()
    assert plain.count(b"\n") == BLOCK + 5000 + (suffix == "csv")
    assert b"\0" not in plain
    for ending in ("gz", "zst"):
        with pa.input_stream(
            str(tmp_path / f"a.{suffix}.{ending}"),
            compression={"gz": "gzip", "zst": "zstd"}[ending],
        ) as stream:
            assert stream.read() == plain


def test_a_folder_holds_the_rows_in_order(small: Engine, tmp_path: Path) -> None:
    tables = SampleTables(small, 1000)
    write_sample(tables, f"{tmp_path}/parts/", parts=3)
    files = sorted((tmp_path / "parts").iterdir())
    assert [file.name for file in files] == [f"part-0000{i}.parquet" for i in range(3)]
    pieces = [pq.read_table(file) for file in files]
    assert [len(piece) for piece in pieces] == [333, 333, 334]
    assert METADATA_KEY in pieces[2].schema.metadata
    ids = pa.concat_tables(pieces)["case_id"].to_pylist()
    assert ids == sample_table(small, 1000)["case_id"].to_pylist()
    assert [path.name for path in tmp_path.iterdir()] == ["parts"]


@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "parts/"])
def test_what_is_interrupted_leaves_nothing(small: Engine, tmp_path: Path, name: str) -> None:
    def stop(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_sample(SampleTables(small, 1000), f"{tmp_path}/{name}", progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_progress_counts_rows(small: Engine, tmp_path: Path) -> None:
    seen: list[int] = []
    write_sample(SampleTables(small, BLOCK * 2 + 5), tmp_path / "a.csv", progress=seen.append)
    assert seen == [BLOCK, 2 * BLOCK, 2 * BLOCK + 5]


def test_bad_requests_are_refused(small: Engine, tmp_path: Path) -> None:
    for n in (0, -3, 10**13, True):
        with pytest.raises(BayesdxError, match="number of cases: expected 1 to"):
            SampleTables(small, n)
    tables = SampleTables(small, 10)
    with pytest.raises(InvalidCase, match="a name ending in / for several parts"):
        write_sample(tables, tmp_path / "a.csv", parts=2)
    with pytest.raises(InvalidCase, match=r"parts: expected 1 to 10"):
        write_sample(tables, f"{tmp_path}/b/", parts=11)
    with pytest.raises(InvalidCase, match="a place to write to"):
        write_sample(tables, tmp_path / "none" / "a.csv")
    with pytest.raises(InvalidCase, match=r"got '\.xlsx'"):
        write_sample(tables, tmp_path / "a.xlsx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("seed", [11, 12])
def test_posteriors_of_drawn_cases_are_calibrated(small: Engine, seed: int) -> None:
    """Self-consistency: where the engine says p, a share p of what it drew has the cause."""
    options = SampleOptions(seed=seed, asked=(0.5, 1.0), soft=0.3, thresholds=0.3)
    frame = sample_table(small, 2 * BLOCK, options, truth=True).to_pandas()
    scores = small.score(finding_columns(frame))
    causes = ["strain", "statin_myopathy"]
    true = np.array([[name in told.split(";") for name in causes] for told in frame.expected_cause])
    p, hit = scores[causes].to_numpy().ravel(), true.ravel()
    edges = np.quantile(p, np.linspace(0, 1, 9))
    for low, high in itertools.pairwise(edges):
        inside = (p >= low) & (p <= high)
        spread = np.sqrt((p[inside] * (1 - p[inside])).sum()) / inside.sum()
        assert hit[inside].mean() == pytest.approx(p[inside].mean(), abs=5 * spread + 1e-9)
    assert p.max() > 0.4
