"""Numbers learned from cases: what moves, what does not, and what is told."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayesdx
from bayesdx.diagnosis.learning import learning_table
from bayesdx.diagnosis.learning.ascent import Terrain, climb
from bayesdx.diagnosis.learning.case_likelihood import log_probabilities
from bayesdx.diagnosis.learning.labels import labelled_rows, read_labels
from bayesdx.errors import BayesdxError, InvalidCase, InvalidKnowledge
from bayesdx.knowledge.addresses import Address, every_number

MIGRAINE, TENSION = "cause:migraine", "cause:tension_type_headache"


@pytest.fixture(scope="module")
def engine() -> bayesdx.Engine:
    return bayesdx.load("examples/headache")


def clinic(count: int, seed: int, nausea: float = 0.3, throbbing: float = 0.9) -> pd.DataFrame:
    """A clinic in which migraine looks otherwise than it is stated (0.81 and 0.73)."""
    rng = np.random.default_rng(seed)
    migraine = rng.random(count) < 0.5

    def column(with_it: float, without: float, asked: float = 0.9) -> list[str]:
        present = rng.random(count) < np.where(migraine, with_it, without)
        told = rng.random(count) < asked
        return np.where(told, np.where(present, "present", "absent"), "").tolist()

    return pd.DataFrame(
        {
            "nausea": column(nausea, 0.1),
            "throbbing": column(throbbing, 0.2),
            MIGRAINE: ["present" if one else "absent" for one in migraine],
        }
    )


@pytest.fixture(scope="module")
def learned(engine: bayesdx.Engine):
    return engine.learn(clinic(400, 1), folds=3)


def test_numbers_move_to_what_the_cases_say(learned) -> None:
    table = learned.to_frame()
    nausea, throbbing = (f"causes/migraine.toml:links.{one}" for one in ("nausea", "throbbing"))
    assert table.loc[nausea, "before"] == 0.81
    assert 0.3 < table.loc[nausea, "after"] < 0.6
    assert table.loc[throbbing, "after"] > 0.76
    assert table.index[0] == nausea
    assert (table["low_after"] <= table["after"]).all()
    assert (table["after"] <= table["high_after"]).all()
    # Some 180 people with migraine were asked.
    assert 50 < table.loc[nausea, "effective_cases"] < 400
    assert learned.log_posterior_after > learned.log_posterior_before + 20.0


def test_held_out_cases_are_answered_better(learned) -> None:
    scores = learned.scores
    assert scores.loc["log_score", "change_low"] > 0.0
    assert scores.loc["brier", "change_high"] < 0.0
    assert scores.loc["log_evidence", "change_low"] > 0.0
    assert 0.7 < scores.loc["calibration_slope", "after"] < 1.3


def test_what_the_cases_say_nothing_of_is_what_it_was(engine: bayesdx.Engine, learned) -> None:
    before = {one.place: one for one in every_number(engine.knowledge)}
    after = {one.place: one for one in every_number(learned.knowledge)}
    told = set(learned.table.index)
    assert any("nausea" in place for place in told)
    for place, number in before.items():
        if place not in told:
            assert after[place].value == number.value, place
        # Selected cases: how common anything is stays as it is stated.
        assert place not in told or number.kind in ("link", "background", "background_effect")
    untold = Address("link", "cluster_headache", "tearing")
    assert str(untold) not in told
    assert untold.get(learned.knowledge) == untold.get(engine.knowledge)


def test_a_result_is_a_knowledge_folder(engine: bayesdx.Engine, learned, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    for path in Path("examples/headache").rglob("*.toml"):
        target = folder / path.relative_to("examples/headache")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    (folder / "learned.toml").write_text(learned.to_toml())
    new = bayesdx.load(folder)
    place = Address("link", "migraine", "nausea")
    assert place.get(new.knowledge) == learned.table.loc[str(place), "after"]
    assert place.stated(new.knowledge).range == pytest.approx(
        learned.table.loc[str(place), ["low_after", "high_after"]].tolist()
    )
    one = {"nausea": "present"}
    gap = new.diagnose(one).table["posterior"] - engine.diagnose(one).table["posterior"]
    assert gap["migraine"] < -0.01
    assert new.knowledge.learning == learned.learning
    # An edit of a document's number wins over what was learned from the number before.
    cause = folder / "causes" / "migraine.toml"
    text = cause.read_text()
    assert "0.81" in text
    edited = text.replace("0.81", "0.79")
    cause.write_text(edited)
    assert place.get(bayesdx.load(folder).knowledge) == 0.79
    with pytest.raises(InvalidKnowledge, match="learn from all cases together"):
        bayesdx.load(folder).learn(clinic(20, 2))


def test_priors_are_learned_from_consecutive_cases_only(engine: bayesdx.Engine) -> None:
    rows = clinic(150, 3)
    fixed = engine.learn(rows, folds=2)
    free = engine.learn(rows, folds=2, sample="consecutive")
    prior = "causes/migraine.toml:prior"
    assert prior not in fixed.table.index
    assert free.table.loc[prior, "after"] > free.table.loc[prior, "before"]
    assert fixed.sample == fixed.learning.sample == "selected"


def test_causes_may_stay_hidden(engine: bayesdx.Engine) -> None:
    rows = clinic(100, 4)
    some = rows.assign(**{MIGRAINE: [one if i % 3 else "" for i, one in enumerate(rows[MIGRAINE])]})
    found = engine.learn(some, folds=2)
    assert found.counts["labelled"] == 66
    assert found.counts["used"] == 100
    none = engine.learn(rows.drop(columns=MIGRAINE), folds=2)
    assert any("No case has a label" in note for note in none.notes)
    assert list(none.scores.index) == ["log_evidence"]


def test_a_group_is_present_when_some_member_is(engine: bayesdx.Engine) -> None:
    core = engine.core
    name, group = next((n, g) for n, g in engine.knowledge.groups.items() if len(g.members) > 1)
    frame = pd.DataFrame({f"group:{name}": ["present", "absent", ""]})
    labels, faults = read_labels(core, frame, range(3))
    assert not faults
    read = core.reader.read({"nausea": ["present"] * 3}, 3, range(3))
    some, none, either = np.exp(
        log_probabilities(core.model, labelled_rows(read.evidence, labels))
    ).tolist()
    assert some + none == pytest.approx(either, rel=1e-12)
    posterior = engine.diagnose({"nausea": "present"}).groups.loc[name, "posterior"]
    assert some / either == pytest.approx(posterior, rel=1e-9)
    labelled = clinic(60, 5).assign(**{f"group:{name}": ["present", "absent", ""] * 20})
    if "migraine" not in group.members:
        assert engine.learn(labelled, folds=2).counts["labelled"] == 60


def test_a_label_may_be_as_sure_as_its_writer(engine: bayesdx.Engine) -> None:
    """0.8 of the case with the cause and 0.2 of the case without it; by a group too."""
    core = engine.core
    name, group = next((n, g) for n, g in engine.knowledge.groups.items() if len(g.members) > 1)
    member = f"cause:{group.members[0]}"
    cells = ["present", "absent", "80 %", 0.8, ""]
    frame = pd.DataFrame({member: cells, f"group:{name}": ["", "", "", "present", "present"]})
    labels, faults = read_labels(core, frame, range(5), soft=True)
    assert not faults
    read = core.reader.read({"nausea": ["present"] * 5}, 5, range(5))
    rows = labelled_rows(read.evidence, labels)
    on, off, unsure, unsure_in_group, some = np.exp(log_probabilities(core.model, rows))
    assert unsure == pytest.approx(0.8 * on + 0.2 * off, rel=1e-12)
    assert unsure_in_group == pytest.approx(0.8 * on + 0.2 * (some - on), rel=1e-12)
    _, faults = read_labels(core, frame.iloc[2:3], range(1))
    assert "present, absent or unknown" in str(faults[0][0])
    crowd = pd.DataFrame({f"cause:{one}": ["0.5"] for one in core.model.causes[:5]})
    _, faults = read_labels(core, crowd, range(1), soft=True)
    assert "at most 4 groups present and causes that are not sure, got 5" in str(faults[0][0])


def test_diagnoses_say_what_is_present_and_the_user_what_is_absent(engine: bayesdx.Engine) -> None:
    core = engine.core
    frame = pd.DataFrame({"diagnosis": ["migraine;tension_type_headache", "unexplained", ""]})
    at = [core.model.causes.index(one) for one in core.causes]
    for others, rest in (("absent", 0), ("unknown", -1)):
        labels, faults = read_labels(core, frame, range(3), others=others)
        assert not faults
        told = pd.DataFrame(labels.causes[:, at], columns=list(core.causes))
        assert told.loc[0, ["migraine", "tension_type_headache"]].tolist() == [1, 1]
        assert told.loc[0, "brain_tumour"] == rest
        assert (told.loc[1] == 0).all()
        assert (told.loc[2] == -1).all()
    with pytest.raises(InvalidCase, match="others: expected absent or unknown"):
        read_labels(core, frame, range(3))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cause:migrane": "present"}, "column cause:migrane.*cause:migraine"),
        ({"group:nowhere": "present"}, "column group:nowhere: expected the id of a modelled group"),
        ({MIGRAINE: "perhaps"}, "row 0, cause:migraine"),
        ({MIGRAINE: "present"}, "one class only"),
        ({"nausea": "", "throbbing": ""}, "a finding that is known in some case"),
        ({"nausae": "present"}, "nausae"),
        ({"diagnosis": "migraine"}, "others: expected absent or unknown"),
    ],
)
def test_what_cannot_be_learned_from_is_told(
    engine: bayesdx.Engine, change: dict[str, str], message: str
) -> None:
    with pytest.raises(InvalidCase, match=message):
        engine.learn(clinic(10, 6).assign(**change))


def test_no_rows_and_wrong_options_are_told(engine: bayesdx.Engine) -> None:
    rows = clinic(10, 7)
    with pytest.raises(InvalidCase, match="one row or more"):
        engine.learn(rows.iloc[:0])
    with pytest.raises(BayesdxError, match="folds: expected a whole number of at least 2"):
        engine.learn(rows, folds=1)
    with pytest.raises(BayesdxError, match="sample: expected consecutive or selected"):
        engine.learn(rows, sample="all")
    named = rows.assign(dx="unexplained")
    with pytest.raises(
        InvalidCase, match=r"expected a column of the table, got 'dxx'\. Nearest: dx"
    ):
        engine.learn(named, diagnosis="dxx", others="absent")
    clash = rows.assign(diagnosis="unexplained")
    with pytest.raises(
        InvalidCase,
        match="expected present, as the other labels say, got absent",
    ):
        engine.learn(clash, others="absent")


def test_bad_rows_cost_themselves_and_are_counted(engine: bayesdx.Engine) -> None:
    rows = clinic(60, 8)
    rows.loc[[3, 7], "nausea"] = "perhaps"
    rows.loc[5, MIGRAINE] = "?!"
    found = engine.learn(rows, folds=2, on_error="reject")
    assert found.counts == {
        "rows": 60,
        "refused": 3,
        "impossible": 0,
        "too_complex": 0,
        "used": 57,
        "labelled": 57,
    }
    assert list(found.refused.index) == [3, 5, 7]
    assert "perhaps" in found.refused.loc[3, "why"]


def test_rows_none_of_which_can_be_read_are_told(engine: bayesdx.Engine) -> None:
    rows = clinic(3, 8).assign(nausea="perhaps")
    with pytest.raises(
        InvalidCase, match="expected one case to learn from, got none: row 0, column nausea"
    ):
        engine.learn(rows, folds=2, on_error="reject")


def test_a_block_without_a_usable_row_costs_itself(
    engine: bayesdx.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning_table, "BLOCK_ROWS", 20)
    rows = clinic(50, 8)
    rows.loc[20:39, "nausea"] = "perhaps"
    found = engine.learn(rows, folds=2, on_error="reject")
    assert (found.counts["refused"], found.counts["used"]) == (20, 30)


def test_asking_that_depends_on_the_outcome_is_told(engine: bayesdx.Engine) -> None:
    rows = clinic(300, 9)
    migraine = rows[MIGRAINE] == "present"
    rows.loc[~migraine & (rows.index % 4 != 0), "throbbing"] = ""
    found = engine.learn(rows, folds=2)
    assert found.asking["finding"].tolist() == ["throbbing"]
    assert found.asking.loc[0, "label"] == MIGRAINE
    assert found.asking.loc[0, "asked_if_present"] > 0.8 > found.asking.loc[0, "asked_if_absent"]
    assert not len(engine.learn(clinic(300, 9), folds=2).asking)


def test_a_column_that_is_the_label_by_another_name_is_told(engine: bayesdx.Engine) -> None:
    rows = clinic(80, 10)
    rows["light_hurts"] = rows[MIGRAINE]
    found = engine.learn(rows, folds=2)
    assert any("light_hurts tells cause:migraine in all 80 cases" in one for one in found.notes)


def test_the_same_seed_gives_the_same_numbers(engine: bayesdx.Engine) -> None:
    rows = clinic(50, 11)
    one, other = (engine.learn(rows, folds=2, seed=3) for _ in range(2))
    pd.testing.assert_frame_equal(one.table, other.table)
    pd.testing.assert_frame_equal(one.scores, other.scores)
    assert "Learned(" in repr(one)
    assert one.records()["sample"] == "selected"


def test_the_way_up_ends_at_the_mode_and_never_goes_down() -> None:
    rng = np.random.default_rng(0)
    root = rng.standard_normal((6, 6))
    curve, top = root @ root.T + np.eye(6), rng.standard_normal(6)

    def value(x: np.ndarray) -> float:
        gap = x - top
        return -0.5 * gap @ curve @ gap - 0.1 * float((gap**4).sum())

    def slope(x: np.ndarray) -> np.ndarray:
        gap = x - top
        return -curve @ gap - 0.4 * gap**3

    def look(x: np.ndarray) -> Terrain:
        return Terrain(value(x), slope(x), np.diag(np.diag(curve)))

    found = climb(value, look, np.zeros(6), look(np.zeros(6)))
    assert found.arrived
    assert (np.diff(found.values) >= 0.0).all()
    assert found.values[-1] == pytest.approx(0.0, abs=1e-3)
    with pytest.raises(ValueError, match="a possible point"):
        climb(value, look, np.zeros(6), Terrain(-np.inf, np.zeros(6), np.eye(6)))


def test_a_register_of_diagnoses_teaches_priors_alone(engine: bayesdx.Engine) -> None:
    """Numbers of findings stay; a prior goes from what was stated towards its share."""
    stated = engine.core.knowledge.causes["migraine"].prior.value
    learned = []
    for often in (10, 40):
        names = ["migraine"] * 3 * often + ["tension_type_headache"] * often
        cases = pd.DataFrame({"diagnosis": names})
        found = engine.learn(cases, others="absent", sample="consecutive", folds=2)
        # What is prior, effect or prevalence; nothing of a finding.
        assert not found.table.index.str.contains(r"links|findings").any()
        learned.append(float(found.table.loc["causes/migraine.toml:prior", "after"]))
        # Of common causes and of such that nobody has, each case tells as much as one person.
        people = found.table.loc[found.table.index.str.endswith(":prior"), "effective_cases"]
        assert people.tolist() == pytest.approx([4 * often] * len(engine.core.causes), rel=1e-6)
    assert stated < learned[0] < learned[1] < 0.75


def test_rows_of_one_name_are_told(engine: bayesdx.Engine) -> None:
    rows = clinic(60, 6).assign(case_id=[f"p{i % 50}" for i in range(60)])
    told = "10 rows have the name of an earlier row; each counts as another case."
    assert told in engine.learn(rows, folds=2).notes
    blank = engine.learn(rows.assign(case_id=["a", "", None] * 20), folds=2).notes
    assert "19 rows have the name of an earlier row; each counts as another case." in blank
    every = engine.learn(rows.assign(case_id=range(60)), folds=2).notes
    assert not any("name of an earlier row" in note for note in every)
