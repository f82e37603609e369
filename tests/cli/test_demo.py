"""The demonstration."""

from pathlib import Path

from bayesdx.tables import read_cases

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def test_demo_prints_cases_and_writes_results(run, engine, tmp_path: Path) -> None:
    ran = run("demo", "--scenarios", str(SCENARIOS), "--out", str(tmp_path / "out"))
    assert ran.code == 0, ran.err
    for urgency in ("emergency", "urgent", "soon", "routine"):
        assert f"Urgency: {urgency}" in ran.out
    assert "\nNext:\n  bayesdx diagnose " in ran.out
    for name in ("documents.csv", "published.csv"):
        scores = read_cases(tmp_path / "out" / name)
        assert len(scores) == len(read_cases(SCENARIOS / name))
        assert str(tmp_path / "out" / name) in ran.out.replace("\n", "")
        assert set(scores["status"]) == {"ok"}


def test_demo_without_scenarios(run, tmp_path: Path) -> None:
    ran = run("demo", "--scenarios", str(tmp_path), "--out", str(tmp_path / "out"))
    assert (ran.code, ran.out) == (2, "")
    assert "documents.csv: expected a file, got no such file" in ran.err


def test_demo_of_the_packaged_table(run, tmp_path: Path) -> None:
    ran = run("demo", "--out", str(tmp_path / "out"))
    assert ran.code == 0, ran.err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["cases.csv"]
    assert "Urgency: emergency" in ran.out


def test_examples_are_copied_once_and_can_be_used(run, tmp_path: Path) -> None:
    folder = tmp_path / "tried"
    ran = run("examples", str(folder))
    assert ran.code == 0, ran.err
    assert sorted(path.name for path in folder.iterdir()) == [
        "cases.csv",
        "rows.csv",
        "sprinkler.bif",
    ]
    again = run("examples", str(folder))
    assert again.code == 2
    assert "cases.csv: expected no such file yet" in again.err
    scored = run("network", str(folder / "sprinkler.bif"), "--cases", str(folder / "rows.csv"))
    assert scored.code == 0, scored.err
    assert run("score", str(folder / "cases.csv"), "-o", str(tmp_path / "s.csv")).code == 0
