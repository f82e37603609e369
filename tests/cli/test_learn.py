"""Numbers learned from a table, on the command line."""

import re
from pathlib import Path

import numpy as np
import pytest

import bayesdx
from bayesdx.building.source_models import model_numbers
from bayesdx.knowledge.addresses import every_number
from bayesdx.knowledge.learned_numbers import in_use, learned_note

HEADACHE = "examples/headache"
NAUSEA = "causes/migraine.toml:links.nausea"


def table(path: Path, count: int = 120, seed: int = 0) -> Path:
    """Cases in which migraine hardly ever comes with nausea, which is stated otherwise."""
    rng = np.random.default_rng(seed)
    lines = ["case_id,nausea,throbbing,diagnosis"]
    for i in range(count):
        migraine = rng.random() < 0.5
        nausea = "yes" if rng.random() < (0.25 if migraine else 0.1) else "no"
        throbbing = "yes" if rng.random() < (0.75 if migraine else 0.2) else ""
        diagnosis = "migraine" if migraine else "tension_type_headache"
        lines.append(f"p{i},{nausea},{throbbing},{diagnosis}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return table(tmp_path_factory.mktemp("cases") / "cases.csv")


def test_a_folder_with_learned_numbers_is_written_and_answers(run, cases, tmp_path: Path) -> None:
    new = tmp_path / "new"
    ran = run("learn", HEADACHE, str(cases), "-o", str(new), "--others", "absent", "--folds", "2")
    assert ran.code == 0, ran.err
    said = " ".join(ran.out.split())
    assert "120 rows, 120 used, 120 of them labelled." in said
    assert "priors, effects of risks and prevalences are held fixed" in said
    assert "Cases that were not learned from, 2 parts, seed 0:" in said
    assert "P(nausea | migraine)" in said
    assert "calibration slope" in said
    assert "fold 2 of 2" in ran.err
    for path in Path(HEADACHE).rglob("*.toml"):
        copy = new / path.relative_to(HEADACHE)
        assert copy.read_bytes() == path.read_bytes()
    shown = " ".join(run("show", "cause", "migraine", "--priors", str(new)).out.split())
    assert "stated 0.81 (0.7 to 0.9); learned from 120 cases, worth" in shown
    assert run("check", str(new)).code == 0
    engine = bayesdx.load(new)
    elicited = engine.core.elicited
    note = learned_note(engine.knowledge)
    assert re.fullmatch(
        r"Numbers that were learned, not stated: \d+, from 120 selected cases, 120 of them "
        r"labelled \(learned\.toml\)\.",
        note,
    )
    assert learned_note(in_use(elicited)) == note
    assert learned_note(bayesdx.load(HEADACHE).knowledge) == ""
    # What each source is held against is what every command answers with.
    held = {one.place: one.value for one in every_number(model_numbers(elicited))}
    assert held == {one.place: one.value for one in every_number(engine.knowledge)}
    assert held[NAUSEA] != 0.81
    before, after = (bayesdx.load(one).diagnose({"nausea": 1}) for one in (HEADACHE, new))
    assert after.table.loc["migraine", "posterior"] < before.table.loc["migraine", "posterior"]


def test_an_edited_number_stays_as_edited_and_check_says_so(run, cases, tmp_path: Path) -> None:
    new = tmp_path / "new"
    options = ("--others", "absent", "--folds", "2", "--quiet")
    ran = run("learn", HEADACHE, str(cases), "-o", str(new), *options)
    assert (ran.code, ran.err) == (0, "")
    migraine = new / "causes" / "migraine.toml"
    migraine.write_text(migraine.read_text().replace("0.81", "0.8"))
    said = " ".join(run("check", str(new)).out.split())
    assert f"{NAUSEA} is no longer what it was learned from: it stays as stated." in said


def test_what_was_not_said_is_asked_for_and_nothing_is_written(run, cases, tmp_path: Path) -> None:
    new = tmp_path / "new"
    ran = run("learn", HEADACHE, str(cases), "-o", str(new))
    assert ran.code == 2
    assert "others: expected absent or unknown" in ran.err
    assert not new.exists()


def test_a_folder_with_files_is_not_written_over(run, cases, tmp_path: Path) -> None:
    ran = run("learn", HEADACHE, str(cases), "-o", str(tmp_path.parent), "--others", "absent")
    assert ran.code == 2
    assert "expected a new or empty folder" in ran.err


def test_places_learn_together_by_files_of_sums(run, tmp_path: Path) -> None:
    places = [(table(tmp_path / f"{i}.csv", 60, i), tmp_path / f"{i}.json") for i in (1, 2)]
    new, options = tmp_path / "new", ("--others", "absent")

    def summed(*more: str) -> None:
        for cases, sums in places:
            ran = run("learn", HEADACHE, str(cases), "--statistics", str(sums), *options, *more)
            assert ran.code == 0, ran.err
            assert "sums of 60 cases, 60 labelled" in ran.out

    def combine() -> str:
        files = [str(sums) for _, sums in places]
        ran = run("learn", HEADACHE, *files, "--combine", "-o", str(new))
        assert ran.code == 0, ran.err
        return ran.out

    summed()
    asked = tmp_path / "new.round.json"
    for _ in range(40):
        said = combine()
        if "another round is needed" not in said:
            break
        summed("--at", str(asked))
    assert "2 places; nothing was held out" in " ".join(said.split())
    assert "One case cannot be held out" not in said
    assert bayesdx.load(new).knowledge.learning.cases == 120
    ran = run("learn", HEADACHE, str(places[0][0]), "--statistics", str(places[0][1]), *options)
    assert (ran.code, "expected a new file, or --at the round it lacks" in ran.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a.csv", "b.csv", "-o", "new"], "CASES: expected one table, or --combine and sums"),
        (["a.csv"], "--output: expected a new or empty folder"),
        (["a.csv", "--at", "r.json", "-o", "new"], "--at: expected --statistics beside it"),
        (["a.csv", "--statistics", "s.json", "-o", "new"], "--statistics: expected sums alone"),
        (["a.json", "--combine", "--resume", "-o", "new"], "only such a search is kept, got --com"),
        (
            ["a.csv", "--statistics", "s.json", "--restart"],
            "only such a search is kept, got --stat",
        ),
    ],
)
def test_what_does_not_go_together_is_told(run, words: list[str], message: str) -> None:
    ran = run("learn", HEADACHE, *words)
    assert ran.code == 2
    assert message in " ".join(ran.err.split())


def test_an_interrupted_search_goes_on(
    run, cases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends with the same file, and looks at nothing twice."""
    from bayesdx.cli.learning_memory import FolderMemory

    put, names = FolderMemory.put, list[str]()

    def counted(self: FolderMemory, name: str, arrays: object) -> None:
        if len(names) == stop_after:
            raise KeyboardInterrupt
        names.append(name)
        put(self, name, arrays)  # type: ignore[arg-type] # any arrays

    monkeypatch.setattr(FolderMemory, "put", counted)
    options = ("--others", "absent", "--folds", "2", "--quiet")
    new, whole, parts = (tmp_path / one for one in ("new", "whole", "new.parts"))
    stop_after = 5
    ran = run("learn", HEADACHE, str(cases), "-o", str(new), *options)
    assert ran.code == 130
    assert not new.exists()
    assert len(list(parts.glob("*.npz"))) == 5
    stop_after = 1_000
    ran = run("learn", HEADACHE, str(cases), "-o", str(new), *options)
    assert (ran.code, "--resume goes on with it, --restart drops it" in ran.err) == (2, True)
    other = run("learn", HEADACHE, str(cases), "-o", str(new), *options, "--seed", "7", "--resume")
    assert (other.code, "the same options as in the unfinished run" in other.err) == (2, True)
    ran = run("learn", HEADACHE, str(cases), "-o", str(new), *options, "--resume")
    assert ran.code == 0, ran.err
    assert len(names) == len(set(names)) > 10
    assert not parts.exists()
    names.clear()
    assert run("learn", HEADACHE, str(cases), "-o", str(whole), *options).code == 0
    assert (whole / "learned.toml").read_bytes() == (new / "learned.toml").read_bytes()
    third = tmp_path / "third.parts"
    third.mkdir()
    (third / "diary.txt").write_text("not ours")
    ran = run("learn", HEADACHE, str(cases), "-o", str(tmp_path / "third"), *options, "--restart")
    assert (ran.code, "a folder of an unfinished run, or none" in ran.err) == (2, True)
    assert (third / "diary.txt").read_text() == "not ours"
    # All that a full disk leaves.
    (tmp_path / "fourth.parts").mkdir()
    assert run("learn", HEADACHE, str(cases), "-o", str(tmp_path / "fourth"), *options).code == 0
    assert not (tmp_path / "fourth.parts").exists()


def test_diagnoses_without_any_finding_teach_priors_of_consecutive_cases(
    run, tmp_path: Path
) -> None:
    only, new = tmp_path / "only.csv", tmp_path / "new"
    only.write_text("case_id,diagnosis\na,migraine\nb,tension_type_headache\n")
    given = ("learn", HEADACHE, str(only), "-o", str(new), "--others", "absent", "--folds", "2")
    ran = run(*given)
    assert ran.code == 2
    assert "expected a finding that is known in some case, or consecutive cases, of" in ran.err
    assert not list(tmp_path.glob("new*"))
    diagnoses = only.read_text()
    only.write_text("case_id,diagnosis\na,\nb,\n")
    ran = run(*given, "--sample", "consecutive")
    assert ran.code == 2
    assert "cases: expected a finding that is known in some case, got nothing." in ran.err
    assert not list(tmp_path.glob("new*"))
    only.write_text(diagnoses)
    ran = run(*given, "--sample", "consecutive", "--quiet")
    assert ran.code == 0, ran.err
    assert "prior of migraine" in ran.out


def test_what_a_case_counts_as_is_told_and_kept(run, cases, tmp_path: Path) -> None:
    new, given = tmp_path / "new", ("learn", HEADACHE, str(cases), "--others", "absent")
    ran = run(*given, "--folds", "2", "--case-weight", "0.25", "-o", str(new), "--quiet")
    assert ran.code == 0, ran.err
    assert "Each case counted as 0.25 of one." in ran.out
    assert "case_weight = 0.25" in (new / "learned.toml").read_text().splitlines()
    assert run("check", str(new)).code == 0
    other = tmp_path / "other"
    for word, got in (("often", "'often'"), ("2", "2.0"), ("nan", "nan")):
        refused = run(*given, "--case-weight", word, "-o", str(other))
        assert refused.code == 2
        assert f"expected a number above 0, at most 1, or auto, got {got}." in refused.err
    sums = run(*given, "--statistics", str(tmp_path / "s.json"), "--case-weight", "auto")
    assert sums.code == 2
    assert "sums are of whole cases" in sums.err
    assert not other.exists()


def test_the_table_is_named_in_what_is_wrong_with_it(run, tmp_path: Path) -> None:
    bad, typo, new = tmp_path / "bad.csv", tmp_path / "typo.csv", tmp_path / "new"
    bad.write_text("nausea,diagnosis\nperhaps,migraine\nyes,migrane\n")
    typo.write_text("nausae,diagnosis\nyes,migraine\n")
    for words in (("learn", "-o", str(new)), ("learn", "--statistics", str(tmp_path / "s.json"))):
        command, *rest = words
        refused = run(command, HEADACHE, str(bad), "--others", "absent", *rest)
        assert refused.code == 2
        assert f"{bad}: row 0, column nausea: expected" in refused.err
        assert f"{bad}: row 1, diagnosis: expected" in refused.err
        assert "migraine" in refused.err.split("got 'migrane'")[1]
        named = run(command, HEADACHE, str(typo), "--others", "absent", *rest)
        assert f"{typo}: column: expected" in named.err
    dated = tmp_path / "dated.csv"
    dated.write_text("nausea,when\nperhaps,2026-01-01\n")
    refused = run("drift", HEADACHE, str(dated), "--time", "when")
    assert f"{dated}: row 0, column nausea: expected" in refused.err
