"""Pages on the command line."""

import pytest

QUICK = ("--draws", "10")
CASE = ("-f", "low_back_pain", "-f", "!bilateral", "-f", "fair_pos=present")


def test_one_case_by_findings(run, tmp_path) -> None:
    out = tmp_path / "one.html"
    ran = run("report", *CASE, *QUICK, "-o", str(out))
    assert (ran.code, ran.out) == (0, "")
    assert f"1 case written to {out}" in ran.err
    assert "<h2>Case</h2>" in out.read_text(encoding="utf-8")


def test_cases_of_a_file_keep_their_names(run, tmp_path) -> None:
    table, out = tmp_path / "cases.csv", tmp_path / "two.html"
    table.write_text("case_id,low_back_pain,fever,expected_cause\na,1,,gout\nb,,1,\n")
    ran = run("report", str(table), *QUICK, "-o", str(out))
    assert ran.code == 0
    text = out.read_text(encoding="utf-8")
    assert "<h2>a</h2>" in text
    assert "<h2>b</h2>" in text
    # What is expected of a case is no evidence and is not shown.
    assert "expected_cause" not in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "either CASES or findings (-f), got neither"),
        (("x.csv", *CASE), "either CASES or findings (-f), got both"),
        ((*CASE, "-o", "x.pdf"), "expected a name ending in .html, got '.pdf'"),
        (("-f", "low_back_pian"), "finding: expected the name of a finding"),
        (("missing.csv",), "expected a file, got no such file"),
    ],
)
def test_faults(run, tmp_path, monkeypatch, arguments, said) -> None:
    monkeypatch.chdir(tmp_path)
    ran = run("report", *arguments)
    assert ran.code == 2
    assert said in ran.err
    assert not list(tmp_path.glob("*.html"))


def test_faults_of_all_cases_are_told_at_once(run, tmp_path) -> None:
    table, out = tmp_path / "cases.csv", tmp_path / "r.html"
    table.write_text("case_id,fever\na,maybe\nb,perhaps\n")
    ran = run("report", str(table), *QUICK, "-o", str(out))
    assert ran.code == 2
    assert f"{table}:2:2, column fever: expected" in ran.err
    assert f"{table}:3:2, column fever: expected" in ran.err
    assert not out.exists()


def test_too_many_cases_are_refused(run, tmp_path) -> None:
    table = tmp_path / "many.csv"
    table.write_text("fever\n" + "1\n" * 101)
    ran = run("report", str(table), "-o", str(tmp_path / "r.html"))
    assert ran.code == 2
    assert "at most 100 cases on one page, got 101" in ran.err


def test_missing_libraries_are_named(run, monkeypatch) -> None:
    monkeypatch.setattr("bayesdx.cli.report.find_spec", lambda _name: None)
    ran = run("report", *CASE)
    assert ran.code == 2
    assert "the extra 'plot' (pip install 'bayesdx[plot]'), got no jinja2" in ran.err


def test_the_page_is_not_written_over_its_input(run, tmp_path) -> None:
    table = tmp_path / "cases.html"
    table.write_text("fever\n1\n")
    ran = run("report", str(table), "-o", str(table))
    assert ran.code == 2
    assert table.read_text() == "fever\n1\n"
