"""The study of real patients, on tables made here: its measures by hand, its faults."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scripts import BENCHMARKS, scripts

COLUMNS = tuple(f"Criterion{n}" for n in (6, 9, 13, 15, 19, 28, 37))


@pytest.fixture(scope="module")
def study() -> Iterator[Any]:
    with scripts(BENCHMARKS / "quality", ("metrics", "patients")) as modules:
        yield modules.patients


def written(path: Path, rows: list[tuple[str, str]]) -> Path:
    """A table of criteria, a character each, and mechanisms."""
    lines = [",".join((*COLUMNS, "mechanism"))]
    lines += [",".join((*(cell.strip() for cell in cells), label)) for cells, label in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_area_under_the_curve_counts_pairs(study: Any) -> None:
    rng = np.random.default_rng(3)
    said, truth = rng.integers(0, 6, 60) / 6, rng.random(60) < 0.3
    pairs = said[truth][:, None] - said[~truth][None]
    expected = ((pairs > 0) + 0.5 * (pairs == 0)).mean()
    assert study.area_under_curve(said, truth) == pytest.approx(expected, rel=1e-12)
    assert np.isnan(study.area_under_curve(said, np.zeros(60, dtype=bool)))


def test_intervals_hold_the_value_and_narrow_with_more_patients(study: Any) -> None:
    widths = []
    for n in (100, 1600):
        rng = np.random.default_rng(0)
        said = rng.random(n)
        truth = rng.random(n) < said
        found = study.with_intervals(said, truth, rng, 200)
        for value, low, high in found.values():
            assert low <= value <= high
        assert found["slope"][1] < 1.0 < found["slope"][2]
        widths.append(found["auc"][2] - found["auc"][1])
    assert widths[1] < 0.5 * widths[0]


def test_a_table_is_held_against_posteriors(
    study: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nerve, none, blank = "0101001", "0000010", "   0   "
    rows = [(nerve, "Peripheral Neuropathic"), (none, "Nociceptive"), (blank, "Nociceptive")] * 6
    rows += [(none, "Peripheral Neuropathic"), ("1010100", "Central Neuropathic")]
    table, out = written(tmp_path / "patients.csv", rows), tmp_path / "found.json"
    study.main(["--patients", str(table), "--resamples", "20", "-o", str(out)])
    found = json.loads(out.read_text())
    assert (found["patients"], found["answered"]) == (20, 20)
    group = found["groups"]["Peripheral Neuropathic"]
    assert group["patients"] == 7
    assert sum(one["n"] for one in group["bins"]) == 20
    assert group["measures"]["auc"][0] > 0.8
    # One patient of the central class, whom the posterior tells from all others: no slope.
    assert found["groups"]["Central Neuropathic"]["measures"]["slope"] == []
    shown = capsys.readouterr().out
    assert "20 of 20 patients answered" in shown
    assert "nothing was fitted to these patients" in shown


def test_every_fault_of_a_table_is_told(study: Any, tmp_path: Path) -> None:
    table = written(tmp_path / "t.csv", [("01010x1", "Nociceptive"), ("0101001", "Nerve")])
    with pytest.raises(SystemExit) as told:
        study.read_patients(table)
    assert "line 2, Criterion28: expected 1, 0 or blank, got 'x'" in str(told.value)
    assert "line 3, mechanism: expected Peripheral Neuropathic" in str(told.value)
    with pytest.raises(SystemExit, match="expected a table of patients"):
        study.read_patients(tmp_path / "none.csv")
    (tmp_path / "other.csv").write_text("a,mechanism\n1,Nociceptive\n")
    with pytest.raises(SystemExit, match="expected rows with Criterion6, Criterion9"):
        study.read_patients(tmp_path / "other.csv")


def test_repeats_are_averaged(study: Any) -> None:
    rng = np.random.default_rng(5)
    after, before, truth = rng.random((80, 2)), rng.random((80, 2)), rng.random(80) < 0.4
    part = np.tile(np.arange(80) % 4, (2, 1)).T
    found = study.repeated(np.stack([after, before, part], axis=-1), truth)
    one, other = (study.measures(column, truth) for column in after.T)
    for name in ("slope", "intercept", "brier", "said", "observed"):
        assert found[name] == pytest.approx((one[name] + other[name]) / 2.0, rel=1e-12)
    areas = [study.area_within(column, part[:, 0], truth) for column in before.T]
    assert found["auc before"] == pytest.approx(np.mean(areas), rel=1e-12)
    assert found["gained"] == pytest.approx(found["auc"] - found["auc before"], abs=1e-12)


def test_patients_are_ranked_among_those_whom_the_same_numbers_answered(study: Any) -> None:
    """Two parts ranked perfectly, one on a scale of its own; a third has no such patient."""
    truth = np.array([True, False, True, False, False])
    said, part = np.array([0.9, 0.6, 0.5, 0.1, 0.7]), np.array([0, 0, 1, 1, 2])
    assert study.area_within(said, part, truth) == 1.0
    assert study.area_under_curve(said, truth) < 1.0


@pytest.mark.slow
def test_learned_numbers_answer_those_who_were_left_out(
    study: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nerve, none = "0101001", "0000010"
    rows = [(nerve, "Nociceptive"), (none, "Peripheral Neuropathic")] * 12
    rows += [(none, "Central Neuropathic")] * 4
    table = written(tmp_path / "patients.csv", rows)
    cases, mechanism = study.read_patients(table)
    engine = study.bayesdx.load()
    held = study.learned_posteriors(engine, cases, mechanism, folds=2, repeats=1)
    said, scores = held.said, engine.score(cases)
    stated = scores["lumbar_radiculopathy"].to_numpy()
    # The signs of a nerve root are those of all others here: that is learned.
    own = mechanism == "Peripheral Neuropathic"
    assert (said[0, 0, own] > stated[own]).all()
    assert (said[0, 0, ~own] < stated[~own]).any()
    before = np.stack([scores[cause].to_numpy() for cause in study.CAUSES.values()])
    assert "not to be had" not in "\n".join(study.learned_lines(held, before, mechanism, 20))
