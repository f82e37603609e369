"""`bayesdx sample` on the command line."""

import json

import pandas as pd
import pytest


def test_cases_are_written_and_said_to_be_synthetic(run, tmp_path) -> None:
    target = tmp_path / "cases.csv"
    ran = run("sample", "40", "-o", str(target), "--seed", "3", "--truth", "--strangers", "0.5")
    assert (ran.code, ran.out) == (0, "")
    assert "40 synthetic cases, no patients (synthetic; seed 3; knowledge" in ran.err
    frame = pd.read_csv(target, dtype=str)
    assert len(frame) == 40
    assert frame["source"].str.startswith("synthetic; seed 3; ").all()
    assert frame["note"].value_counts(dropna=False)["stranger"] > 5
    assert frame["expected_cause"].notna().all()


def test_a_pipe_gets_csv_and_the_same_seed_the_same_rows(run) -> None:
    one, other, third = run("sample", "5"), run("sample", "5"), run("sample", "5", "--seed", "1")
    assert one.out == other.out
    assert one.out != third.out
    assert one.out.startswith("case_id,source,")
    assert one.out.count("\n") == 6


def test_what_is_drawn_can_be_scored(run, tmp_path) -> None:
    cases, scores = tmp_path / "cases.parquet", tmp_path / "scores.csv"
    assert run("sample", "25", "-o", str(cases), "--flip", "0.02").code == 0
    ran = run("score", str(cases), "-o", str(scores))
    assert ran.code == 0, ran.err
    assert pd.read_csv(scores)["case_id"].tolist() == pd.read_parquet(cases)["case_id"].tolist()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["0"], "number of cases: expected 1 to 1,000,000,000,000, got 0."),
        (["9", "--flip", "2"], "flip: expected a share from 0 to 1, got 2.0."),
        (["9", "--asked", "0.5", "0.2"], "asked: expected two shares from 0 to 1, the lower one"),
        (["9", "--seed", "-1"], "seed: expected a whole number from 0"),
        (["9", "--parts", "2"], "output: expected a name ending in / for several parts"),
        (["9", "-o", "cases.xlsx"], "cases.xlsx: expected a name ending in .csv"),
    ],
)
def test_a_slip_is_explained(run, words: list[str], said: str) -> None:
    ran = run("sample", *words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_parts_go_into_a_folder(run, tmp_path) -> None:
    ran = run("sample", "30", "-o", f"{tmp_path}/cases/", "--parts", "3")
    assert ran.code == 0, ran.err
    files = sorted((tmp_path / "cases").iterdir())
    assert len(files) == 3
    assert sum(len(pd.read_parquet(file)) for file in files) == 30


def test_json_lines_hold_only_what_is_told(run, tmp_path) -> None:
    target = tmp_path / "cases.jsonl"
    assert run("sample", "3", "-o", str(target)).code == 0
    for line in target.read_text().splitlines():
        row = json.loads(line)
        assert row["source"].startswith("synthetic")
        assert None not in row.values()
