"""Drift over windows, on the command line."""

from pathlib import Path

import pandas as pd
import pytest

HEADACHE = "examples/headache"


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cases") / "cases.csv"
    rows = [
        f"p{i},2026-{1 + i % 3:02d}-0{1 + i % 9},{'yes' if i % 4 else 'no'},"
        f"{'yes' if i % 3 else ''},{'migraine' if i % 2 else 'tension_type_headache'}"
        for i in range(36)
    ]
    path.write_text("\n".join(["case_id,date,nausea,throbbing,diagnosis", *rows]) + "\n")
    return path


def test_windows_are_printed_and_written(run, cases: Path, tmp_path: Path) -> None:
    out = tmp_path / "windows.csv"
    own = ("drift", HEADACHE, str(cases), "--time", "date", "--others", "absent")
    ran = run(*own, "--references", "5", "-o", str(out), "--quiet")
    assert ran.code == 0, ran.err
    said = " ".join(ran.out.split())
    assert "36 rows, 36 used." in said
    assert "2026-03" in said
    assert "At most 1 % of reports tell of a drift where there is none" in said
    table = pd.read_csv(out, index_col="window")
    assert table["cases"].tolist() == [12, 12, 12]
    assert table["log_evidence_p"].between(0.0, 1.0).all()


def test_a_table_without_any_usable_row_is_named(run, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("case_id,date,nausea\na,2026-01-01,perhaps\n")
    ran = run("drift", HEADACHE, str(bad), "--time", "date", "--on-error", "skip")
    assert ran.code == 2
    said = " ".join(ran.err.split())
    assert "bad.csv: cases: expected one case that can be answered, got none: row a" in said


def test_what_is_wrong_is_said_at_once(run, cases: Path) -> None:
    own = ("drift", HEADACHE, str(cases))
    ran = run(*own, "--time", "dat", "--window", "monht", "--others", "absent")
    assert ran.code == 2
    assert "time: expected a column of the table, got 'dat'" in " ".join(ran.err.split())
    assert "monht" in ran.err
    assert run(*own, "--time", "date", "--others", "absent", "-o", "windows.json").code == 2
