"""`calibrate`, and what `show statement` says the model answers today."""

import shutil
from pathlib import Path

import pytest
from small_priors import SMALL, write_priors

PRIORS = Path(__file__).parents[2] / "priors"
SHARE = """
[[constraint]]
id = "share"
statements = ["S0-05"]
hard = true
event = "strain"
given = { cramp = "present" }
between = [0.3, 0.35]
"""
CONFLICT = """
[[constraint]]
id = "other"
statements = ["S1-02"]
hard = false
event = "strain"
given = { cramp = "present" }
between = [0.4, 1.0]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_priors(tmp_path / "mine", {**SMALL, "constraints.toml": SHARE + CONFLICT})


def test_a_statement_is_shown_with_its_answer(run) -> None:
    ran = run("show", "statement", "S0-09")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("S0-09: In 5 to 6 % of people whose lower back hurts")
    assert "constraint piriformis_given_back_pain (must hold): held" in ran.out
    (answer,) = [line for line in ran.out.splitlines() if "P(piriformis_syndrome |" in line]
    assert 0.05 <= float(answer.split(" = ")[1].split(",")[0]) <= 0.06
    assert "numbers moved mainly for it: " in ran.out


def test_a_moved_number_shows_what_was_elicited(run, tmp_path) -> None:
    folder = shutil.copytree(PRIORS, tmp_path / "priors")
    with (folder / "calibration.toml").open("a", encoding="utf-8") as file:
        file.write(
            '\n[[move]]\nnumber = "causes/piriformis_syndrome.toml:prior"\nelicited = 0.055\n'
            'calibrated = 0.06\nconstraint = "piriformis_given_back_pain"\n'
        )
    said = run("show", "cause", "piriformis_syndrome", "--priors", str(folder)).out
    assert "prior 0.06 (0.003 to 0.17)" in said
    assert "elicited 0.055; moved by calibration for piriformis_given_back_pain" in said


def test_an_excluded_statement_says_why(run) -> None:
    said = " ".join(run("show", "statement", "S0-29").out.split())
    assert "excluded: No question or sign stands for spasm of the pelvic floor" in said
    assert "numbers, rules and texts that rest on it: 0" in said


def test_unknown_statement_offers_near_ones(run) -> None:
    ran = run("show", "statement", "S9-09")
    assert (ran.code, ran.out) == (2, "")
    assert "statement: expected the id of a statement, got 'S9-09'. Nearest: " in ran.err


def test_calibrate_writes_what_check_accepts(run, folder: Path) -> None:
    before = run("check", str(folder), "--quiet")
    assert before.code == 1
    assert "error: calibration.toml: there is none for these constraints" in before.out
    assert "error: constraints.toml:share: P(strain | cramp=present) = " in before.out
    ran = run("calibrate", str(folder))
    assert ran.code == 0
    assert "held     hard share: P(strain | cramp=present) " in ran.out
    assert "NOT HELD soft other: " in ran.out
    assert "given up: other; cannot hold beside share" in ran.out
    assert "statements that contradict each other: S1-02, S0-05" in ran.out
    assert "round 1: moved by" in ran.err
    after = run("check", str(folder), "--quiet")
    assert after.code == 0, after.out


def test_a_changed_number_makes_the_calibration_stale(run, folder: Path) -> None:
    assert run("calibrate", str(folder), "--quiet").err == ""
    strain = folder / "causes" / "strain.toml"
    strain.write_text(strain.read_text().replace("value = 0.13", "value = 0.14"))
    ran = run("check", str(folder), "--quiet")
    assert ran.code == 0
    assert "error: " not in ran.out
    assert "warning: calibration.toml: it was computed from other numbers" in ran.out
    assert "run bayesdx calibrate" in " ".join(ran.out.split())


def test_a_number_that_calibration_did_not_move_leaves_it_valid(run, folder: Path) -> None:
    assert run("calibrate", str(folder), "--quiet").err == ""
    model = folder / "model.toml"
    model.write_text(model.read_text().replace("RECALL = ", "RECALL = 1"))
    ran = run("check", str(folder), "-v")
    assert ran.code == 0
    assert "info: calibration.toml: it was computed from other numbers" in ran.out
    assert "bayesdx calibrate" not in ran.out


def test_a_constraint_that_an_edit_broke_names_the_cure(run, folder: Path) -> None:
    assert run("calibrate", str(folder), "--quiet").err == ""
    bounds = folder / "constraints.toml"
    bounds.write_text(bounds.read_text().replace("[0.3, 0.35]", "[0.1, 0.2]"))
    ran = run("check", str(folder), "--quiet")
    assert ran.code == 0
    assert "warning: constraints.toml:share: P(strain | cramp=present) = " in ran.out
    assert "run bayesdx calibrate" in " ".join(ran.out.split())


def test_a_dry_run_writes_nothing(run, folder: Path, tmp_path: Path) -> None:
    ran = run("calibrate", str(folder), "--dry-run", "--quiet")
    assert ran.code == 0
    assert "wrote" not in ran.out
    assert not (folder / "calibration.toml").exists()
    out = tmp_path / "elsewhere.toml"
    assert run("calibrate", "-p", str(folder), "-o", str(out), "--quiet").code == 0
    assert out.read_text().count("[[move]]") > 0
    assert not (folder / "calibration.toml").exists()


def test_constraints_that_contradict_each_other_are_bad_input(run, tmp_path: Path) -> None:
    hard = SHARE + CONFLICT.replace("hard = false", "hard = true")
    folder = write_priors(tmp_path / "mine", {**SMALL, "constraints.toml": hard})
    ran = run("calibrate", str(folder), "--quiet")
    assert (ran.code, ran.out) == (2, "")
    assert "constraints.toml: expected hard constraints that can hold together" in ran.err
    assert not (folder / "calibration.toml").exists()


def test_no_place_to_write_is_bad_input(run, folder: Path, tmp_path: Path) -> None:
    ran = run("calibrate", str(folder), "-o", str(tmp_path / "no" / "such.toml"), "--quiet")
    assert ran.code == 2
    assert "expected a place to write to" in ran.err


def test_nothing_to_calibrate(run, folder: Path) -> None:
    (folder / "constraints.toml").unlink(missing_ok=True)
    (folder / "calibration.toml").unlink(missing_ok=True)
    ran = run("calibrate", str(folder))
    assert (ran.code, ran.out) == (0, "no constraints: nothing to calibrate\n")
