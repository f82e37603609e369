"""`bayesdx network learn`: numbers of a network file from a table of cases."""

from pathlib import Path

import pytest
from example_networks import example_text

from bayesdx import read_network


@pytest.fixture
def asia(tmp_path: Path) -> Path:
    path = tmp_path / "asia.bif"
    path.write_text(example_text("asia"))
    return path


def rows(tmp_path: Path, text: str) -> str:
    path = tmp_path / "rows.csv"
    path.write_text(text)
    return str(path)


def test_numbers_come_from_the_rows(run, asia: Path, tmp_path: Path) -> None:
    table = rows(
        tmp_path,
        "case_id,smoke,lung,either,tub,n\na,yes,yes,yes,no,3\nb,no,no,no,no,1\nc,yes,no,,no,1\n"
        "d,yes,no,yes,no,5\ne,,,,,1\n",
    )
    out = tmp_path / "new.bif"
    ran = run("network", "learn", str(asia), table, "-o", str(out), "--weight", "n")
    assert ran.code == 0, ran.err
    assert "8 variables learnt from 3 rows written to" in ran.err
    assert "impossible with the numbers before: 1 (d)" in ran.err
    assert "nothing known: 1 row" in ran.err
    assert "never observed: asia, bronc, xray, dysp" in ran.err
    learnt = read_network(out)
    assert learnt.table("smoke").tolist() == [0.8, 0.2]
    assert learnt.table("lung").tolist() == [[0.75, 0.25], [0.0, 1.0]]
    more = run(
        "network", "learn", str(asia), table, "-o", str(out), "--prior", "1", "--weight", "n"
    )
    assert more.code == 0, more.err
    assert read_network(out).table("smoke")[0] == pytest.approx(5 / 7, rel=1e-9)


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("smoke\nyess\n", (), "rows.csv:2:1, column smoke: expected a state (yes, no), got 'yess'"),
        ("smok\nyes\n", (), "expected a variable of the network, got 'smok'. Nearest: smoke"),
        ("smoke\nyes\n", ("--weight", "w"), "expected a column of the table, got 'w'"),
        ("smoke,w\nyes,x\n", ("--weight", "w"), "rows.csv: weight: expected a number a row"),
        ("smoke,w\nyes,-1\n", ("--weight", "w"), "rows.csv: weight, row 0: expected finite"),
        ("smoke\nyes\n", ("--prior", "bde"), "--prior: expected a number of at least 0, bdeu"),
        ("smoke\nyes\n", ("--prior", "-1"), "prior: expected None, a number of at least 0"),
        ("smoke\nyes\n", ("--iterations", "0"), "iterations: expected a whole number"),
        ("smoke,lung\n,\n", (), "got 1 rows, every cell of which is missing"),
        ("smoke\n", (), "expected at least one case below the header"),
    ],
)
def test_what_cannot_be_learnt_is_told(
    run, asia: Path, tmp_path: Path, text: str, options: tuple[str, ...], message: str
) -> None:
    table, out = rows(tmp_path, text), tmp_path / "new.bif"
    ran = run("network", "learn", str(asia), table, "-o", str(out), *options)
    assert ran.code == 2
    assert message in " ".join(ran.err.split())
    assert not out.exists()


def test_the_output_is_a_file_of_its_own(run, asia: Path, tmp_path: Path) -> None:
    table = rows(tmp_path, "smoke\nyes\n")
    assert "expected a network file to write" in run("network", "learn", str(asia), table).err
    ran = run("network", "learn", str(asia), table, "-o", str(asia))
    assert ran.code == 2
    assert "expected another file than the input" in ran.err
    assert "FILE ROWS after learn" in run("network", "learn", str(asia)).err
