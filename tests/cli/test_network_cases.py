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
    assert "3 cases (3 ok) written to standard output" in ran.err


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
    assert "1 case (1 impossible) written" in ran.err


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
    assert set(answer.columns) == {*columns, "log_probability", "log_bound", "status"}
    first = answer.iloc[0]
    assert first[["tub", "either", "xray", "dysp", "asia"]].tolist() == [*["yes"] * 4, "no"]
    # P(no visit) P(tub) P(smoke) P(no lung) P(bronc) P(xray) P(dysp), of the network's tables.
    expected = 0.99 * 0.01 * 0.5 * 0.9 * 0.6 * 0.98 * 0.9
    assert float(first["log_probability"]) == pytest.approx(math.log(expected), abs=1e-12)
    assert answer.loc[1, ["tub", "status"]].tolist() == ["", "impossible"]
    assert "2 cases (1 ok, 1 impossible)" in ran.err


def test_several_explanations_of_some_variables(run, asia: Path, tmp_path: Path) -> None:
    """P(bronc) = 0.45, P(lung) = 0.055; jointly through smoking."""
    table, out = cases(tmp_path, "case_id,either,tub,lung\na,,,\nb,yes,no,no\n"), tmp_path / "o.csv"
    options = ("--mpe", "--k", "2", "-t", "bronc", "-t", "lung", "-o", str(out))
    ran = run("network", str(asia), "-c", table, *options)
    assert ran.code == 0, ran.err
    assert "2 cases (1 ok, 1 impossible)" in ran.err
    answer = pd.read_csv(out, keep_default_na=False)
    head = ["case_id", "lung", "bronc", "rank", "log_probability", "log_bound", "status"]
    assert answer.columns.tolist() == head
    assert answer["case_id"].tolist() == ["a", "a", "b"]
    assert answer["rank"].tolist() == [1, 2, 1]
    assert answer["lung"].tolist() == ["no", "no", ""]
    assert answer["bronc"].tolist() == ["no", "yes", ""]
    yes = 0.5 * 0.9 * 0.6 + 0.5 * 0.99 * 0.3
    logs = [math.log(0.945 - yes), math.log(yes)]
    assert answer["log_probability"].tolist()[:2] == pytest.approx(logs, abs=1e-12)
    checked = run("verify", str(out))
    assert checked.code == 0, checked.err


def test_options_of_explanations(run, asia: Path, tmp_path: Path) -> None:
    table = cases(tmp_path, "tub\nyes\n")
    ran = run("network", str(asia), "-c", table, "--k", "2", "--time-limit", "1")
    assert ran.code == 2
    assert "--k, --time-limit: expected --mpe, got no --mpe" in ran.err
    ran = run("network", str(asia), "-c", table, "--mpe", "--k", "0", "--time-limit", "-1")
    assert ran.code == 2
    assert "--k: expected a number of explanations, 1 to 10000, got 0" in ran.err
    assert "--time-limit: expected a number of seconds, 0 or more, got -1.0" in ran.err


PAIR = "MARKOV\n3\n2 2 3\n2\n2 0 1\n2 1 2\n4\n 4.0 2.4 1.0 0.5\n6\n 2.0 0.1 0.3 0.25 3.0 1.5\n"


def test_markov_networks(run, tmp_path: Path) -> None:
    """By hand: the products are 8, 0.4, 1.2, 0.6, 7.2, 3.6 where v0 is s0."""
    net, out = tmp_path / "pair.uai", tmp_path / "o.csv"
    net.write_text(PAIR)
    told = run("network", str(net))
    assert told.code == 0, told.err
    assert "Markov network of 3 variables and 2 functions, of 6 cells at most" in told.out
    table = cases(tmp_path, "v0,v2\ns0,\n,s1\n")
    ran = run("network", str(net), "--cases", table, "-t", "v1", "-o", str(out))
    assert ran.code == 0, ran.err
    answer = pd.read_csv(out)
    assert answer.columns.tolist() == ["v1=s0", "v1=s1", "log_evidence", "status"]
    assert answer["v1=s0"].tolist() == pytest.approx([9.6 / 21.0, 0.5 / 9.2], abs=1e-12)
    assert answer["log_evidence"].tolist() == pytest.approx(
        [math.log(21.0), math.log(9.2)], abs=1e-12
    )
    assert run("verify", str(out)).code == 0
    ran = run("network", str(net), "--cases", table, "--mpe", "--k", "2")
    assert ran.code == 0, ran.err
    answer = pd.read_csv(io.StringIO(ran.out))
    assert answer["v2"].tolist() == ["s0", "s1", "s1", "s1"]
    assert answer["v1"].tolist() == ["s0", "s1", "s1", "s1"]
    logs = [math.log(one) for one in (8.0, 7.2, 7.2, 1.5)]
    assert answer["log_probability"].tolist() == pytest.approx(logs, abs=1e-12)
    ran = run("network", "convert", str(net), str(tmp_path / "pair.bif"))
    assert ran.code == 2
    assert "expected BAYES (MARKOV: bayesdx.read_markov_network), got 'MARKOV'" in ran.err


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


def test_columns_of_likelihoods_are_soft_evidence(run, asia: Path, tmp_path: Path) -> None:
    soft = cases(tmp_path, "xray=yes,xray=no,smoke\n0,2,yes\n,,yes\n3,3,yes\n")
    ran = run("network", str(asia), "--cases", soft, "-t", "lung")
    assert ran.code == 0, ran.err
    told = pd.read_csv(io.StringIO(ran.out))
    ran = run(
        "network", str(asia), "-c", cases(tmp_path, "xray,smoke\nno,yes\n,yes\n"), "-t", "lung"
    )
    hard = pd.read_csv(io.StringIO(ran.out))
    assert told["lung=yes"].tolist() == pytest.approx(hard["lung=yes"][[0, 1, 1]].tolist())
    logs = hard["log_evidence"][[0, 1, 1]] + [math.log(2.0), 0.0, math.log(3.0)]
    assert told["log_evidence"].tolist() == pytest.approx(logs.tolist())


def test_faults_of_likelihoods_name_their_line(run, asia: Path, tmp_path: Path) -> None:
    wrong = cases(tmp_path, "dysp=yes,dysp=no\n0.5,0.1\n0.5,\n0.5,-1\n")
    ran = run("network", str(asia), "--cases", wrong)
    assert ran.code == 2
    assert "a likelihood: a number of at least 0, or all blank, got blank beside numbers" in ran.err
    assert "a likelihood: a number of at least 0, or all blank, got -1" in ran.err.replace("'", "")
    ran = run("network", str(asia), "--cases", cases(tmp_path, "dysp=yes\n0.5\n"))
    assert ran.code == 2
    assert "likelihoods of all states of dysp: a column dysp=no too" in ran.err
