"""Tables of cases on a network by the rules of `score`: what becomes of each row."""

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

COLD = """network n { }
variable Cold { type discrete [ 2 ] { yes, no }; }
variable Flu { type discrete [ 2 ] { yes, no }; }
probability ( Cold ) { table 0.1, 0.9; }
probability ( Flu | Cold ) { (yes) 0.2, 0.8; (no) 0.3, 0.7; }
"""
NUMBERED = """network n { }
variable 0 { type discrete [ 3 ] { 0, 1, 2 }; }
variable 3 { type discrete [ 3 ] { None, nan, NA }; }
probability ( 0 ) { table 0.2, 0.3, 0.5; }
probability ( 3 | 0 ) { (0) 0.1, 0.8, 0.1; (1) 0.4, 0.5, 0.1; (2) 0.2, 0.2, 0.6; }
"""
CLASH = """network n { }
variable case_id { type discrete [ 2 ] { t, f }; }
variable status { type discrete [ 2 ] { ok, impossible }; }
variable "A" { type discrete [ 2 ] { "x=1", "y" }; }
variable "A=x" { type discrete [ 2 ] { "1", "2" }; }
probability ( case_id ) { table 0.3, 0.7; }
probability ( status | case_id ) { (t) 0.9, 0.1; (f) 0.2, 0.8; }
probability ( "A" ) { table 0.3, 0.7; }
probability ( "A=x" ) { table 0.6, 0.4; }
"""


@pytest.fixture
def ask(run, tmp_path: Path):
    """Run a network's text on the text of a table."""

    def asked(network: str, table: str, *options: str, name: str = "cases.csv"):
        (tmp_path / "net.bif").write_text(network)
        (tmp_path / name).write_text(table)
        return run("network", str(tmp_path / "net.bif"), "-c", str(tmp_path / name), *options)

    return asked


def answers(ran) -> pd.DataFrame:
    assert ran.code == 0, ran.err
    return pd.read_csv(io.StringIO(ran.out), keep_default_na=False)


def test_blanks_and_case_do_not_count(ask) -> None:
    table = answers(ask(NUMBERED, " 0 , 3 \n 1 , None\n"))
    assert table.loc[0, ["0=1", "3=None"]].tolist() == [1.0, 1.0]
    table = answers(ask(COLD, "cold,flu\nyes,no\nYES, No \n"))
    assert table["Cold=yes"].tolist() == [1.0, 1.0]
    assert table["Flu=no"].tolist() == [1.0, 1.0]


def test_words_for_unknown_are_those_of_score(ask, tmp_path: Path) -> None:
    rows = ["N/A", "-", "?", "*", "unknown", "NaN", "null", "#N/A", ""]
    table = "Cold,Flu\n" + "".join(f"no,{word}\n" for word in rows)
    out = tmp_path / "out.csv"
    ran = ask(COLD, table, "--on-error", "report", "-o", str(out))
    assert ran.code == 1
    written = pd.read_csv(out)
    np.testing.assert_allclose(written["Flu=yes"], 0.3, atol=1e-12)
    rejected = pd.read_csv(tmp_path / "out.csv.rejected.csv", keep_default_na=False)
    assert rejected["row"].tolist() == [1, 3, 7]
    assert rejected["line"].tolist() == [3, 5, 9]
    assert set(rejected["column"]) == {"Flu"}
    assert f"{tmp_path}/cases.csv:3:2, column Flu: expected a state (yes, no), got '-'" in ran.err
    assert len(written) + len(rejected) == len(rows)
    audit = json.loads((tmp_path / "out.csv.audit.json").read_text())
    assert audit["counts"]["records"] == 9
    assert audit["counts"]["rejected"] == 3
    assert audit["options"]["question"] == "posteriors"


def test_a_bad_row_stops_everything_unless_told_otherwise(ask, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    ran = ask(COLD, "Cold\nyes\nmaybe\n", "-o", str(out))
    assert (ran.code, out.exists()) == (2, False)
    assert "cases.csv:3:1, column Cold: expected a state (yes, no), got 'maybe'" in ran.err
    ran = ask(COLD, "Cold\nyes\nmaybe\n", "--dry-run", "--on-error", "report")
    assert (ran.code, ran.out) == (1, "")
    assert "2 rows checked, 1 with faults" in ran.err


def test_no_two_columns_of_one_name(ask) -> None:
    ran = ask(CLASH, "case_id,status\nt,ok\n,\n")
    header = ran.out.splitlines()[0].replace('""', '"')
    assert len(set(answers(ran).columns)) == 10
    assert '"A=x"=1' in header
    assert 'A="x=1"' in header
    table = answers(ran)
    # A variable of a reserved name is evidence.
    np.testing.assert_allclose(table["case_id=t"], [1.0, 0.3], atol=1e-12)
    ran = ask(CLASH, "case_id\nt\n", "--mpe")
    assert ran.code == 2
    assert "variable status: expected a name that is no other column" in ran.err


def test_states_of_other_types_than_text(ask, tmp_path: Path, run) -> None:
    ask(NUMBERED, "0\n1\n")
    for cells in ([0, 1, 2], [0.0, 1.0, None], [True, False, None]):
        pd.DataFrame({"0": cells}).to_parquet(tmp_path / "cases.parquet")
        table = answers(
            run("network", str(tmp_path / "net.bif"), "-c", str(tmp_path / "cases.parquet"))
        )
        for row, cell in enumerate(cells):
            if cell is not None:
                assert table.loc[row, f"0={int(cell)}"] == 1.0
    assert table.loc[2, "0=2"] == 0.5
    pd.DataFrame({"0": [7, 1]}).to_parquet(tmp_path / "cases.parquet")
    ran = run("network", str(tmp_path / "net.bif"), "-c", str(tmp_path / "cases.parquet"))
    assert "column 0: expected a state (0, 1, 2), got the integer 7" in ran.err
    lines = '{"0": 1}\n{"0": "2", "3": null}\n{"0": 1.0}\n'
    table = answers(ask(NUMBERED, lines, name="cases.jsonl"))
    assert table["0=1"].tolist() == [1.0, 0.0, 1.0]


def test_the_size_of_chunks_changes_nothing(ask) -> None:
    text = "case_id,Cold,Flu\n" + "".join(
        f"{i},{('yes', 'no', '')[i % 3]},{('', 'no')[i % 2]}\n" for i in range(50)
    )
    whole = answers(ask(COLD, text))
    parts = answers(ask(COLD, text, "--chunk-rows", "7"))
    assert whole["case_id"].tolist() == parts["case_id"].tolist() == list(range(50))
    for name in whole.columns[1:-1]:
        np.testing.assert_allclose(whole[name], parts[name], atol=1e-12)


def knot(names: int) -> str:
    """A network of pairwise coupled variables: a clique, unless its end is observed or unknown."""
    lines = ["network n { }"]
    lines += [f"variable V{i} {{ type discrete [ 2 ] {{ t, f }}; }}" for i in range(names)]
    lines += [f"probability ( V{i} ) {{ table 0.5, 0.5; }}" for i in range(names)]
    for i in range(names):
        for k in range(i):
            lines.append(f"variable W{i}_{k} {{ type discrete [ 2 ] {{ t, f }}; }}")
            rows = "(t,t) 0.9, 0.1; (t,f) 0.2, 0.8; (f,t) 0.3, 0.7; (f,f) 0.6, 0.4;"
            lines.append(f"probability ( W{i}_{k} | V{i}, V{k} ) {{ {rows} }}")
    return "\n".join(lines)


def test_one_row_beyond_the_memory_is_one_row(ask) -> None:
    names = [f"V{i}" for i in range(16)]
    text = ",".join(names) + "\n" + ",".join(["t"] * 16) + "\n" + "," * 15 + "\n"
    ran = ask(knot(16), text, "--memory-limit", "500k")
    table = answers(ran)
    assert table["status"].tolist() == ["ok", "too_complex"]
    assert "cases.csv:3: expected a memory need of at most 5.12e+05 bytes" in ran.err
    assert "(--memory-limit), got at least" in ran.err
    assert "2 cases (1 ok, 1 too_complex)" in ran.err
    # What is explained is searched where no table holds it.
    split = answers(ask(knot(16), text, "--memory-limit", "500k", "--mpe"))
    whole = answers(ask(knot(16), text, "--mpe"))
    np.testing.assert_allclose(split["log_probability"], whole["log_probability"], rtol=1e-12)
    assert split["status"].tolist() == ["ok", "ok"]


@pytest.mark.parametrize("text", ["0", "-1", "many", "", "1e999"])
def test_a_memory_limit_is_a_number_of_bytes(ask, text: str) -> None:
    ran = ask(COLD, "Cold\nyes\n", f"--memory-limit={text}")
    assert ran.code == 2
    assert "--memory-limit: expected a size such as 500M or 8G" in ran.err


def test_a_closed_pipe_is_the_end(tmp_path: Path) -> None:
    (tmp_path / "net.bif").write_text(COLD)
    (tmp_path / "cases.csv").write_text("Cold,Flu\n" + "yes,\n" * 400_000)
    command = [sys.executable, "-m", "bayesdx", "network", "net.bif", "-c", "cases.csv"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as ran:
        assert ran.stdout is not None
        assert ran.stderr is not None
        ran.stdout.read(10)
        ran.stdout.close()
        told = ran.stderr.read()
    assert (ran.returncode, told) == (141, b"")


def test_verify_answers_again(ask, tmp_path: Path, run) -> None:
    out = tmp_path / "out.csv"
    assert ask(COLD, "Cold\nyes\n", "-o", str(out)).code == 0
    ran = run("verify", str(out))
    assert ran.code == 0
    assert "1 of 1 cases scored again" in ran.out


def test_another_mark_between_cells(ask) -> None:
    ran = ask(COLD, "Cold;Flu\nyes;no\n")
    assert ran.code == 2
    assert "--delimiter ';' reads them" in ran.err
    assert answers(ask(COLD, "Cold;Flu\nyes;no\n", "--delimiter", ";"))["Cold=yes"].tolist() == [
        1.0
    ]
