"""The demonstration."""

from pathlib import Path

from bayesdx.tables import read_cases

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def test_demo_prints_cases_and_writes_results(run, engine, tmp_path: Path) -> None:
    ran = run("demo", "--scenarios", str(SCENARIOS), "--out", str(tmp_path / "out"))
    assert ran.code == 0, ran.err
    for urgency in ("emergency", "urgent", "soon", "routine"):
        assert f"Urgency: {urgency}" in ran.out
    for name in ("documents.csv", "published.csv"):
        scores = read_cases(tmp_path / "out" / name)
        assert len(scores) == len(read_cases(SCENARIOS / name))
        assert str(tmp_path / "out" / name) in ran.out.replace("\n", "")
        assert set(scores["status"]) == {"ok"}


def test_demo_without_scenarios(run, tmp_path: Path) -> None:
    ran = run("demo", "--scenarios", str(tmp_path), "--out", str(tmp_path / "out"))
    assert (ran.code, ran.out) == (2, "")
    assert "documents.csv: expected a file, got no such file" in ran.err
