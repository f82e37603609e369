"""What is said of a network file."""

from pathlib import Path

import pytest
from example_networks import example_files, example_text

from bayesdx import InvalidCase, read_network
from bayesdx.cli.network_limits import size_of


@pytest.fixture
def described(run):
    """Return the lines that are said of a file."""

    def say(path: Path, *options: str) -> list[str]:
        ran = run("network", str(path), *options)
        assert (ran.code, ran.err) == (0, "")
        return ran.out.splitlines()

    return say


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")


def test_asia(described, tmp_path: Path) -> None:
    path = tmp_path / "asia.bif"
    path.write_text(example_text("asia"))
    lines = described(path)
    assert lines[0].startswith(
        "asia.bif: 8 variables, 8 links, 2 states each, 36 table cells; digest "
    )
    assert lines[1] == "Largest table: either, 8 cells. Most parents: either, 2."
    rows = {line.split()[0]: line.split()[1:] for line in lines[3:]}
    assert rows["variable"] == ["states", "parents", "cells"]
    assert rows["dysp"] == ["yes,", "no", "bronc,", "either", "8"]
    assert rows["asia"] == ["yes,", "no", "2"]
    assert len(lines) == 2 + 1 + 1 + 8


def test_long_lists_are_cut_unless_all_is_asked_for(described, tmp_path: Path) -> None:
    path = Path(str(example_files()["hepar2"]))
    lines = described(path)
    assert lines[-1] == "and 30 variables more: --all"
    assert "2 to 4 states each" in lines[0]
    every = described(path, "--all")
    assert "and 30 variables more: --all" not in every
    assert sum(line[:1].strip() != "" for line in every[4:]) == 70


def test_a_name_is_no_markup(described, tmp_path: Path) -> None:
    path = tmp_path / "n.bif"
    path.write_text(
        'variable "[red]" { type discrete [ 2 ] { "[/b]", ":smile:" }; }\n'
        'probability ( "[red]" ) { table 0.5, 0.5; }\n'
    )
    assert any(line.split()[:3] == ["[red]", "[/b],", ":smile:"] for line in described(path))


def test_faults_go_up(run, tmp_path: Path) -> None:
    path = tmp_path / "n.bif"
    path.write_text("variable A {")
    ran = run("network", str(path))
    assert ran.code == 2
    assert "n.bif:1: variable: expected a name and a block" in ran.err


def test_a_network_is_converted_and_stays_the_same(run, tmp_path: Path) -> None:
    path, other = tmp_path / "asia.bif", tmp_path / "asia.xdsl"
    path.write_text(example_text("asia"))
    ran = run("network", "convert", str(path), str(other))
    assert (ran.code, ran.out) == (0, "")
    assert f"8 variables written to {other}" in ran.err
    assert read_network(other).digest == read_network(path).digest
    ran = run("network", "convert", str(path), str(path))
    assert ran.code == 2
    assert "expected another file than the input" in ran.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("asia.bi",), "expected a network file, got no such file. Nearest: asia.bif"),
        (("asia.bif", "asia.net"), "expected one file, or convert FILE OUT, or learn FILE ROWS"),
        (("convert", "asia.bif"), "expected FILE OUT after convert"),
        (("convert", "asia.bi", "b.net"), "got no such file"),
    ],
)
def test_slips_are_one_line(run, tmp_path: Path, monkeypatch, arguments, message: str) -> None:
    (tmp_path / "asia.bif").write_text(example_text("asia"))
    monkeypatch.chdir(tmp_path)
    ran = run("network", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert len(ran.err.splitlines()) == 1


@pytest.mark.parametrize(("text", "size"), [("500M", 500 << 20), ("8g", 8 << 30), ("1e6", 1e6)])
def test_sizes(text: str, size: float) -> None:
    assert size_of(text) == size


@pytest.mark.parametrize("text", ["", "G", "-1M", "many", "nan", "inf"])
def test_no_sizes(text: str) -> None:
    with pytest.raises(InvalidCase, match="--memory-limit: expected a size such as 500M or 8G"):
        size_of(text)


def test_names_that_do_not_fit_are_renamed_and_come_back(run, tmp_path: Path) -> None:
    path, other, back = (tmp_path / name for name in ("a.bif", "b.xdsl", "c.bif"))
    path.write_text(
        "variable group:x { type discrete [ 2 ] { <5, >=5 }; }\n"
        "probability ( group:x ) { table 0.25, 0.75; }\n"
    )
    ran = run("network", "convert", str(path), str(other))
    assert ran.code == 2
    assert "--rename" in ran.err
    ran = run("network", "convert", str(path), str(other), "--rename")
    assert (ran.code, ran.out) == (0, "")
    names = f"{other}.names.json"
    assert f"--names {names}" in " ".join(ran.err.split())
    assert list(read_network(other).variables) == ["group_x"]
    assert run("network", "convert", str(other), str(back), "--names", names).code == 0
    assert read_network(back).digest == read_network(path).digest
    ran = run("network", str(other), "--names", str(path))
    assert ran.code == 2
    assert "a.bif: expected JSON" in ran.err
    ran = run("network", str(other), "--names", names, "--cases", "rows.csv")
    assert ran.code == 2
    assert "no names with --cases" in ran.err


def test_knowledge_is_exported(run, tmp_path: Path) -> None:
    folder = str(Path(__file__).parents[2] / "examples" / "headache")
    out = tmp_path / "headache.xdsl"
    ran = run("network", "export", folder, "-o", str(out))
    assert ran.code == 0
    read = read_network(out)
    assert "migraine" in read.variables
    assert read.variables["migraine"].label
    ran = run("network", "export", folder)
    assert ran.code == 2
    assert "expected export [PRIORS] -o OUT" in ran.err


def test_what_normalise_changed_is_one_line(run, tmp_path: Path, monkeypatch) -> None:
    """Neither a warning of Python's nor, where warnings are faults, a fault."""
    monkeypatch.chdir(tmp_path)
    Path("n.net").write_text('node A { states = ("t" "f"); }\npotential (A) { data = (30 70); }\n')
    Path("r.csv").write_text("A\nt\n")
    told = "bayesdx: n.net: rows divided by their sums, which were not 1: A 100"
    for words in ("n.net", "n.net --cases r.csv -o o.csv", "convert n.net o.bif"):
        ran = run("network", *words.split(), "--normalise")
        assert (ran.code, ran.err.splitlines()[0]) == (0, told)
    ran = run("verify", "o.csv")
    assert (ran.code, ran.err) == (0, f"{told}\n")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["FILE", "-o", "out.net"], "--output: expected FILE --cases ROWS or learn or export"),
        (["FILE", "--mpe"], "--mpe: expected FILE --cases ROWS, got a file alone"),
        (["FILE", "--delimiter", ";"], "--delimiter: expected FILE --cases ROWS or learn, got a"),
        (["convert", "FILE", "new.net", "--prior", "2"], "--prior: expected learn, got convert"),
        (["convert", "FILE", "new.net", "-c", "rows.csv"], "--cases: expected FILE --cases ROWS"),
        (["FILE", "-c", "rows.csv", "--all"], "--all: expected a file alone, got FILE --cases"),
        (["export", "-o", "new.xdsl", "--rename"], "--rename: expected convert, got export"),
    ],
)
def test_options_that_would_do_nothing_are_refused(
    run, given: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = str(Path("engine/bayesdx/examples/first_hour/sprinkler.bif").resolve())
    monkeypatch.chdir(tmp_path)
    ran = run("network", *[file if one == "FILE" else one for one in given])
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert not list(tmp_path.iterdir())
