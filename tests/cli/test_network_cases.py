"""`bayesdx network FILE --cases`: cases on any network."""

import io
import math
from pathlib import Path

import pandas as pd
import pytest
from example_networks import example_text


@pytest.fixture
def asia(tmp_path: Path) -> Path:
    path = tmp_path / "asia.bif"
    path.write_text(example_text("asia"))
    return path


def cases(tmp_path: Path, text: str) -> str:
    path = tmp_path / "cases.csv"
    path.write_text(text)
    return str(path)


def test_posteriors_of_every_variable(run, asia: Path, tmp_path: Path) -> None:
    table = cases(tmp_path, "case_id,smoke,dysp,source\na,yes,yes,x\nb,,no,y\nc,,,z\n")
    ran = run("network", str(asia), "--cases", table)
    assert ran.code == 0, ran.err
    answer = pd.read_csv(io.StringIO(ran.out))
    assert answer["case_id"].tolist() == ["a", "b", "c"]
    assert answer["status"].tolist() == ["ok"] * 3
    # The figures of Lauritzen and Spiegelhalter's network without evidence.
    assert answer.loc[2, "lung=yes"] == pytest.approx(0.055, abs=1e-12)
    assert answer.loc[2, "bronc=yes"] == pytest.approx(0.45, abs=1e-12)
    assert answer.loc[2, "log_evidence"] == pytest.approx(0.0, abs=1e-12)
    assert answer.loc[0, "smoke=yes"] == 1.0
    assert "3 cases (3 ok) written to -" in ran.err


def test_no_input_is_written_over(run, asia: Path, tmp_path: Path) -> None:
    table = cases(tmp_path, "smoke\nyes\n")
    (tmp_path / "link.csv").symlink_to(table)
    before = asia.read_bytes()
    for output in (str(asia), table, str(tmp_path / "link.csv")):
        ran = run("network", str(asia), "--cases", table, "-o", output)
        assert ran.code == 2
        assert "expected another name than that of the input" in ran.err
    assert asia.read_bytes() == before
    assert Path(table).read_text() == "smoke\nyes\n"


def test_impossible_evidence_is_a_status(run, asia: Path, tmp_path: Path) -> None:
    table = cases(tmp_path, "either,lung,tub\nyes,no,no\n")
    ran = run("network", str(asia), "-c", table, "-t", "xray")
    answer = pd.read_csv(io.StringIO(ran.out))
    assert ran.code == 0
    assert answer.columns.tolist() == ["xray=yes", "xray=no", "log_evidence", "status"]
    assert answer.loc[0, "status"] == "impossible"
    assert answer.loc[0, "log_evidence"] == float("-inf")
    assert "1 cases (1 impossible) written" in ran.err


def test_slips_get_the_nearest_names(run, asia: Path, tmp_path: Path) -> None:
    ran = run("network", str(asia), "-c", cases(tmp_path, "smoke\nyess\n"))
    assert (ran.code, ran.out) == (2, "")
    place = f"{tmp_path}/cases.csv:2:1, column smoke"
    assert f"{place}: expected a state (yes, no), got 'yess'. Nearest: yes" in ran.err
    ran = run("network", str(asia), "-c", cases(tmp_path, "smoke,lungs\nyess,no\n"), "-t", "xrai")
    assert (ran.code, ran.out) == (2, "")
    assert "expected a variable of the network, got 'lungs'. Nearest: lung" in ran.err
    assert "got 'xrai'. Nearest: xray" in ran.err


def test_the_answer_goes_where_it_is_wanted(run, asia: Path, tmp_path: Path) -> None:
    out = tmp_path / "answer.parquet"
    ran = run("network", str(asia), "-c", cases(tmp_path, "smoke\nno\n"), "-o", str(out))
    assert (ran.code, ran.out) == (0, "")
    assert pd.read_parquet(out).loc[0, "smoke=no"] == 1.0


def test_the_most_probable_explanation(run, asia: Path, tmp_path: Path) -> None:
    """Given dyspnoea and tuberculosis the X-ray shows it; impossible cases have no explanation."""
    text = "case_id,dysp,tub,either\na,yes,yes,\nb,,yes,no\n"
    ran = run("network", str(asia), "--cases", cases(tmp_path, text), "--mpe")
    assert ran.code == 0, ran.err
    answer = pd.read_csv(io.StringIO(ran.out), keep_default_na=False)
    columns = ["case_id", "asia", "tub", "smoke", "lung", "bronc", "either", "xray", "dysp"]
    assert set(answer.columns) == {*columns, "log_probability", "status"}
    first = answer.iloc[0]
    assert first[["tub", "either", "xray", "dysp", "asia"]].tolist() == [*["yes"] * 4, "no"]
    # P(no visit) P(tub) P(smoke) P(no lung) P(bronc) P(xray) P(dysp), of the network's tables.
    expected = 0.99 * 0.01 * 0.5 * 0.9 * 0.6 * 0.98 * 0.9
    assert float(first["log_probability"]) == pytest.approx(math.log(expected), abs=1e-12)
    assert answer.loc[1, ["tub", "status"]].tolist() == ["", "impossible"]
    assert "2 cases (1 ok, 1 impossible)" in ran.err


def test_a_target_is_not_for_explanations(run, asia: Path, tmp_path: Path) -> None:
    ran = run("network", str(asia), "-c", cases(tmp_path, "tub\nyes\n"), "--mpe", "-t", "xray")
    assert ran.code == 2
    assert "--target: expected no target with --mpe, got 'xray'" in ran.err


def test_cases_in_another_dialect(run, tmp_path: Path) -> None:
    net, cases, out = tmp_path / "n.bif", tmp_path / "c.csv", tmp_path / "o.csv"
    net.write_text(
        "network n { }\nvariable A { type discrete [2] { yes, no }; }\n"
        "probability ( A ) { table 0.25, 0.75; }\n"
    )
    cases.write_bytes('"Nr";"A";"Größe"\n"ä";"yes";"1"\n'.encode("cp1252"))
    ran = run("network", str(net), "--cases", str(cases), "-o", str(out))
    assert ran.code == 2
    assert "--delimiter ';' reads them" in ran.err
    options = ("--delimiter", ";", "--cases-encoding", "cp1252", "--id", "Nr", "--keep", "Größe")
    ran = run("network", str(net), "--cases", str(cases), "-o", str(out), *options)
    assert ran.code == 0, ran.err
    lines = out.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("Nr,Größe,A=yes,A=no")
    assert lines[1].startswith('"ä","1",1,0,')
