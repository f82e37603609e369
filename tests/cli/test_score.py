"""Tables on the command line."""

import io
import json
from pathlib import Path

import pandas as pd
import pytest

from bayesdx.tables import finding_columns, parse_csv, read_cases

CASES = """\
case_id,fever,low_back_pain,age,fair_pos,expected_cause
a,present,present,52,,piriformis_syndrome
=b,absent,,71,present,hip_oa
c,,,,,
"""


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    path = tmp_path / "cases.csv"
    path.write_text(CASES)
    return path


def test_csv_to_csv(run, engine, cases: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    ran = run("score", str(cases), "-o", str(out))
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.startswith("bayesdx: 3 cases (")
    scores = read_cases(out)
    assert scores["case_id"].tolist() == ["a", "'=b", "c"]
    expected = engine.score(finding_columns(read_cases(cases)))
    assert list(scores.columns) == ["case_id", *expected.columns]
    for name in [*engine.causes.index.intersection(expected.columns), "unexplained"]:
        assert [float(cell) for cell in scores[name]] == expected[name].tolist()


@pytest.mark.parametrize("measure", ["explains", "plays_a_part"])
def test_a_measure_is_written_and_verified(
    run, engine, cases: Path, tmp_path: Path, measure: str
) -> None:
    out = tmp_path / "out.csv"
    assert run("score", str(cases), "-o", str(out), "--measure", measure).code == 0
    expected = engine.score(finding_columns(read_cases(cases)), measure=measure)
    scores = read_cases(out)
    for name in ("hip_oa", "unexplained"):
        said = [float(cell) for cell in scores[name]]
        assert said == pytest.approx(expected[name].tolist(), abs=1e-12)
    assert run("verify", str(out)).code == 0


def test_an_unknown_measure_is_refused(run, cases: Path, tmp_path: Path) -> None:
    ran = run("score", str(cases), "-o", str(tmp_path / "out.csv"), "--measure", "explain")
    assert ran.code == 2
    assert "measure: expected one of posterior, explains, plays_a_part, got 'explain'" in ran.err


def test_parquet_in_and_out_equals_csv(run, cases: Path, tmp_path: Path) -> None:
    read_cases(cases).to_parquet(tmp_path / "cases.parquet")
    assert run("score", str(cases), "-o", str(tmp_path / "a.parquet")).code == 0
    assert (
        run("score", str(tmp_path / "cases.parquet"), "-o", str(tmp_path / "b.parquet")).code == 0
    )
    pd.testing.assert_frame_equal(
        pd.read_parquet(tmp_path / "a.parquet"), pd.read_parquet(tmp_path / "b.parquet")
    )
    assert run("score", str(cases), "-o", str(tmp_path / "c.csv")).code == 0
    from_csv, from_parquet = read_cases(tmp_path / "c.csv"), read_cases(tmp_path / "a.parquet")
    assert list(from_csv.columns) == list(from_parquet.columns)
    for name in from_parquet.select_dtypes("number").columns:
        assert [float(cell) for cell in from_csv[name]] == from_parquet[name].tolist()


def test_dash_in_and_out(run, cases: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(CASES.encode())))
    ran = run("score", "-", "-o", "-")
    assert ran.code == 0
    run("score", str(cases), "-o", str(tmp_path / "out.csv"))
    piped = parse_csv(ran.out.encode(), "standard output")
    pd.testing.assert_frame_equal(piped, read_cases(tmp_path / "out.csv"))


def test_reserved_columns_are_no_evidence(run, tmp_path: Path) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("fever,urgency,source,note,acceptable\npresent,soon,S0-01,=x,hip_oa\n")
    second.write_text("fever\npresent\n")
    outputs = []
    for path in (first, second):
        run("score", str(path), "-o", str(tmp_path / "out.csv"))
        outputs.append((tmp_path / "out.csv").read_text())
    assert outputs[0] == outputs[1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cases.csv:1:1: expected a header line, got an empty file."),
        ("fever\n", "cases.csv:2:1: expected at least one case below the header, got none."),
        ("fever,age\n,52\n,52,1\n", "cases.csv:3:3: expected 2 values, as in the header, got 3."),
    ],
)
def test_no_table_is_bad_input(run, cases: Path, text: str, message: str) -> None:
    cases.write_text(text)
    ran = run("score", str(cases))
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.endswith(f"{message}\n")
    assert len(ran.err.splitlines()) == 1


def test_unknown_column_gets_the_nearest_names(run, cases: Path) -> None:
    cases.write_text("fevr,age\npresent,52\n")
    ran = run("score", str(cases))
    assert ran.code == 2
    assert "'fevr'" in ran.err
    assert "fever" in ran.err.split("Nearest: ")[1]


def test_every_bad_cell_is_named(run, cases: Path, tmp_path: Path) -> None:
    cases.write_text("fever,age,potassium\npresent,52,3.1\nyess,520,3.1\n,52,31\n")
    ran = run("score", str(cases), "-o", str(tmp_path / "out.csv"))
    assert ran.code == 2
    lines = ran.err.splitlines()
    assert len(lines) == 3
    for line, (column, got) in zip(
        lines, [("fever", "yess"), ("age", "520"), ("potassium", "31")], strict=True
    ):
        assert column in line
        assert got in line
    assert not (tmp_path / "out.csv").exists()


def test_missing_file(run, tmp_path: Path) -> None:
    ran = run("score", str(tmp_path / "nothing.csv"))
    assert ran.code == 2
    assert "expected a file, got no such file" in ran.err


def test_a_row_that_is_too_complex_is_one_row(run, engine, tmp_path: Path) -> None:
    states, excluding = engine.core.states, {one.present for one in engine.knowledge.exclusions}
    implying = {
        name for name, one in engine.knowledge.findings.items() if excluding & {*one.implies}
    }
    named = [name for name in engine.findings.index if name not in excluding | implying]
    every = [name for name in named if states[name] == ("absent", "present")]
    lines = [
        ",".join(["case_id", *every]),
        ",".join(["easy", "present", *[""] * (len(every) - 1)]),
        ",".join(["hard", *["present"] * len(every)]),
        ",".join(["known", *["absent"] * len(every)]),
    ]
    cases, out = tmp_path / "cases.csv", tmp_path / "out.csv"
    cases.write_text("\n".join(lines) + "\n")
    place = (
        f"{cases}:3, case_id hard: expected findings and risks that couple less, got too complex"
    )
    ran = run("score", str(cases), "--dry-run")
    assert ran.code == 0
    assert place in ran.err
    ran = run("score", str(cases), "-o", str(out), "--quiet")
    assert ran.code == 0
    assert place in ran.err
    assert f"{every[0]}, {every[1]}, " in ran.err
    assert "1 too_complex" in ran.err
    scores = read_cases(out).set_index("case_id")
    assert scores["status"].to_dict() == {"easy": "ok", "hard": "too_complex", "known": "ok"}
    audit = json.loads((tmp_path / "out.csv.audit.json").read_text())
    assert audit["counts"]["status"] == {"ok": 2, "too_complex": 1}
    # Nothing else is different for it.
    cases.write_text("\n".join([*lines[:2], lines[3]]) + "\n")
    assert run("score", str(cases), "-o", str(out), "--quiet").code == 0
    again, before = read_cases(out).set_index("case_id"), scores.drop(index="hard")
    texts = ["status", "urgency", "red_flags"]
    assert again[texts].equals(before[texts])
    numbers = [one.drop(columns=texts).astype(float) for one in (again, before)]
    pd.testing.assert_frame_equal(*numbers, rtol=1e-12, atol=1e-15)


def test_options_of_the_table(run, tmp_path: Path) -> None:
    path, out = tmp_path / "c.csv", tmp_path / "o.csv"
    path.write_bytes("Nr;fever;potassium;Größe;besucht\nä;jawohl;4,5;;1.5.\n".encode("cp1252"))
    ran = run("score", str(path), "-o", str(out))
    assert (ran.code, out.exists()) == (2, False)
    assert "got semicolons: --delimiter ';' reads them" in ran.err
    dialect = ("--delimiter", ";", "--decimal", ",", "--encoding", "cp1252")
    ran = run("score", str(path), "-o", str(out), *dialect)
    assert "(id, keep and ignore are for others), got 'Nr'" in ran.err
    columns = ("--id", "Nr", "--keep", "besucht", "--ignore", "Größe, besucht")
    ran = run("score", str(path), "-o", str(out), *dialect, *columns)
    assert "absent: no, n, false" in ran.err
    assert "commands for tables take more by --yes, --no, --unknown), got 'jawohl'" in ran.err
    ran = run("score", str(path), "-o", str(out), *dialect, *columns, "--yes", "jawohl")
    assert ran.code == 0, ran.err
    scores = read_cases(out)
    assert scores[["Nr", "besucht"]].to_numpy().tolist() == [["ä", "1.5."]]
    ran = run("verify", str(out), "--all")
    assert (ran.code, ran.err) == (0, "")
    assert "1 of 1 cases scored again" in " ".join(ran.out.split())


def test_ids_that_come_twice_are_told(run, tmp_path: Path) -> None:
    path, out = tmp_path / "c.csv", tmp_path / "o.csv"
    path.write_text("case_id,fever\na,1\na,0\n,1\n")
    ran = run("score", str(path), "-o", str(out), "--quiet")
    assert ran.code == 0
    assert "warning: 1 row has the id of an earlier row (line 3 as line 2)" in ran.err
    assert "warning: 1 row has no id" in ran.err
    ran = run("score", str(path), "-o", str(out), "--unique-ids")
    assert ran.code == 2
    assert "c.csv:3: expected an id of its own in case_id (--unique-ids)" in ran.err


def test_standard_output_that_is_closed(run, tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "c.csv"
    path.write_text("case_id,fever\na,1\n")
    monkeypatch.setattr("sys.stdout", None)
    ran = run("score", str(path))
    assert ran.code == 2
    assert "standard output: expected a place to write to, got none" in ran.err


def test_a_signed_audit(run, tmp_path: Path) -> None:
    path, out, key = tmp_path / "c.csv", tmp_path / "o.csv", tmp_path / "key"
    path.write_text("case_id,fever\na,1\n")
    key.write_text("a key that is long enough")
    assert run("score", str(path), "-o", str(out), "--key", str(key)).code == 0
    assert run("verify", str(out), "--key", str(key)).code == 0
    key.write_text("another key that is long enough")
    ran = run("verify", str(out), "--key", str(key))
    assert ran.code == 1
    assert "different: audit changed, or signed with another key" in ran.out


def test_the_sample_is_another_each_time(run, cases: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.csv"
    assert run("score", str(cases), "-o", str(out)).code == 0
    told = {run("verify", str(out), "--sample", "1").out for _ in range(3)}
    assert len(told) == 3  # the seed is told


def test_a_report_of_very_many_columns_is_refused_at_once(run, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "wide.csv"
    path.write_text(",".join(f"c{n}" for n in range(20_000)) + "\n" + "," * 19_999 + "\n")
    ran = run("report", str(path), "-o", str(tmp_path / "r.html"))
    assert ran.code == 2
    assert "got 'c0'" in ran.err
