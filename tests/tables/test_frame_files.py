"""Tables out: complete or not at all, exact, and harmless in a spreadsheet."""

import os
import stat
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayesdx.errors import InvalidCase
from bayesdx.tables import csv_text, parse_csv, read_cases, with_case_ids, write_table

TABLE = pd.DataFrame({"case_id": ["a", "b"], "p": [0.1, 1.0 / 3.0]})


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+cmd",
        "-cmd",
        "@sum",
        "\tx",
        "\rx",
        "-1+2",
        "\n=1",
        "＝1",
        "＋1",
        "－1",
        "＠x",
        "'=1",
        "''=1",
    ],
)
def test_text_that_looks_like_a_formula_gets_an_apostrophe(cell: str) -> None:
    text = csv_text(pd.DataFrame({"note": [cell]}))
    assert parse_csv(text.encode(), "x")["note"].tolist() == [f"'{cell}"]


@pytest.mark.parametrize("cell", ["-5", "+1.5e3", "a=b", "'a", "x'=1", "", "present"])
def test_numbers_and_ordinary_text_stay(cell: str) -> None:
    text = csv_text(pd.DataFrame({"note": [cell], "x": ["y"]}))
    assert parse_csv(text.encode(), "x")["note"].tolist() == [cell]


def test_numbers_survive_the_way_through_text() -> None:
    values = np.random.default_rng(7).normal(size=200) * 10.0 ** np.arange(-100, 100)
    back = parse_csv(csv_text(pd.DataFrame({"x": [*values, -np.inf]})).encode(), "x")
    assert [float(cell) for cell in back["x"]] == [*values, -np.inf]


def test_parquet_and_csv_hold_the_same(tmp_path: Path) -> None:
    write_table(TABLE, tmp_path / "t.csv")
    write_table(TABLE, tmp_path / "t.parquet")
    from_csv = read_cases(tmp_path / "t.csv").astype({"p": float})
    assert from_csv.to_dict("list") == read_cases(tmp_path / "t.parquet").to_dict("list")


def test_dash_is_standard_output(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    write_table(pd.DataFrame({"case_id": ["café"], "p": [0.5]}), "-")
    assert capfdbinary.readouterr().out == "case_id,p\ncafé,0.5\n".encode()


def test_old_file_stays_when_the_new_one_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "t.csv"
    target.write_text("old")

    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bayesdx.whole_files.os.fsync", full_disk)
    with pytest.raises(InvalidCase, match="place to write to, got No space left on device"):
        write_table(TABLE, target)
    assert target.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["t.csv"]


def test_permissions_of_an_existing_file_are_kept(tmp_path: Path) -> None:
    target = tmp_path / "t.csv"
    target.write_text("old")
    target.chmod(0o600)
    write_table(TABLE, target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_link_keeps_pointing_where_it_points(tmp_path: Path) -> None:
    link = tmp_path / "link.csv"
    link.symlink_to(tmp_path / "real.csv")
    (tmp_path / "real.csv").write_text("old")
    write_table(TABLE, link)
    assert link.is_symlink()
    assert (tmp_path / "real.csv").read_text().startswith("case_id,p\n")


def test_device_is_written_to_and_not_replaced() -> None:
    write_table(TABLE, os.devnull)
    assert not Path(os.devnull).is_file()


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(InvalidCase, match="got No such file or directory: there is no folder "):
        write_table(TABLE, tmp_path / "nowhere" / "t.csv")


def test_foreign_format_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidCase, match=r"expected a name ending in \.csv or \.parquet"):
        write_table(TABLE, tmp_path / "t.xlsx")


def test_case_ids_come_first_and_the_scores_stay_as_they_are() -> None:
    scores = pd.DataFrame({"p": [0.1, 0.2]})
    labelled = with_case_ids(TABLE, scores)
    assert list(labelled.columns) == ["case_id", "p"]
    assert list(scores.columns) == ["p"]
    assert with_case_ids(TABLE[["p"]], scores) is scores
