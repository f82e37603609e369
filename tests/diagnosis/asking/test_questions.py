"""Next questions against asking each of them: every answer as a case of its own."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from asking_priors import ASKING
from small_priors import SMALL, write_priors

import bayesdx
from bayesdx.diagnosis.asking.inquiries import inquiries_of
from bayesdx.diagnosis.asking.questions import NextQuestions, next_questions
from bayesdx.errors import InvalidCase
from bayesdx.knowledge.red_flag_schema import LEVELS

EXACT = 1e-9
SMALL_CASES = (
    {},
    {"cramp": "present"},
    {"cramp": "absent", "weeks": "10", "bulge": "present"},
    {"radiation_any": "present", "age": "70", "cramp": "0.7"},
    {"statin_use": "present", "ck": "9", "bulge_any": "present"},
    {"severe_pain": "present", "bulge": "absent", "bulge_front": "absent"},
)
README = {"low_back_pain": "present", "bilateral": "absent", "fair_pos": "present"}
CASES = (
    {**README, "slr_pos": "absent"},
    {"sex": "male", "age": "71", "cramp_spasm": "present", "leg_radiation_any": "present"},
    {"trauma_recent": "present", "bilateral": "present", "duration": "9 months", "fever": "0.3"},
)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> bayesdx.Engine:
    folder: Path = tmp_path_factory.mktemp("asking") / "priors"
    return bayesdx.load(write_priors(folder, ASKING))


@pytest.fixture(scope="module")
def packaged() -> bayesdx.Engine:
    return bayesdx.load()


def asked(engine: bayesdx.Engine, case: dict[str, str], **options) -> NextQuestions:
    return next_questions(engine.core, case, **options)


def every_answer(
    engine: bayesdx.Engine, case: dict[str, str], found: NextQuestions
) -> pd.DataFrame:
    """Score each answer as a case of its own, under the same index."""
    rows = [{**case, one.name: one.value} for one in found.answers.itertuples()]
    return engine.score(pd.DataFrame(rows).fillna("")).set_index(found.answers.index)


def check(engine: bayesdx.Engine, case: dict[str, str]) -> None:
    found, now = asked(engine, case), engine.diagnose(case)
    right = every_answer(engine, case, found)
    assert list(found.answers["urgency"]) == list(right["urgency"])
    assert (found.urgency, found.status) == (now.urgency, now.status)
    causes = [
        name for name in engine.core.causes if engine.core.knowledge.causes[name].kind == "cause"
    ]
    base = now.table.loc[causes, "posterior"].to_numpy()
    rank = {level: at for at, level in enumerate(LEVELS)}
    for question, row in found.table.iterrows():
        answers, scores = found.answers.loc[question], right.loc[question]
        assert len(answers) >= 2
        known = ~answers["probability"].isna()
        share = np.exp(scores["log_evidence"] - now.log_evidence)
        # One number that sets several findings leaves out what cannot be together.
        joint = row["kind"] == "measure" and known.all()
        share = share / share.sum() if joint else share
        np.testing.assert_allclose(
            answers["probability"][known].astype(float), share[known], rtol=0, atol=EXACT
        )
        assert known.all() or row["kind"] in ("observation", "measure")
        # What the model does not tell apart counts once.
        distinct = ~scores[causes].round(12).duplicated() | known
        p, posterior = share[distinct].to_numpy(), scores.loc[distinct, causes].to_numpy()
        assert p.sum() == pytest.approx(1.0, abs=EXACT)
        assert joint or p @ posterior == pytest.approx(base, abs=EXACT)
        divergence = np.where(p[:, None] > 0.0, _bernoulli_divergence(posterior, base), 0.0)
        bits = (p[:, None] * divergence).sum()
        assert row["information"] == pytest.approx(bits, abs=EXACT)
        assert row["information"] >= 0.0
        assert row["information_per_cost"] == pytest.approx(bits / row["cost"], abs=EXACT)
        steps = np.array([rank[now.urgency] - rank[one] for one in scores["urgency"]])
        if known.all():
            assert row["p_rises"] == pytest.approx(share[steps > 0].sum(), abs=EXACT)
            assert row["p_falls"] == pytest.approx(share[steps < 0].sum(), abs=EXACT)
            assert row["expected_change"] == pytest.approx(share.to_numpy() @ steps, abs=EXACT)
        above = [
            rule.id for rule in engine.knowledge.red_flags if rank[rule.level] < rank[now.urgency]
        ]
        fired = {one for text in scores["red_flags"] for one in text.split(";") if one in above}
        assert set(filter(None, row["red_flags"].split(";"))) == fired
        assert bool(row["red_flag_level"]) == bool(fired)


def _bernoulli_divergence(posterior: np.ndarray, base: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        one = posterior * np.log2(posterior / base)
        other = (1 - posterior) * np.log2((1 - posterior) / (1 - base))
    return np.where(posterior > 0, one, 0.0) + np.where(posterior < 1, other, 0.0)


@pytest.mark.parametrize("case", SMALL_CASES)
def test_small_knowledge_by_every_answer(small, case) -> None:
    check(small, case)


@pytest.mark.parametrize("case", CASES)
def test_packaged_knowledge_by_every_answer(packaged, case) -> None:
    check(packaged, case)


def test_everything_unknown_is_asked_once(packaged) -> None:
    every = asked(packaged, {})
    assert every.table.index.is_unique
    assert {"leg_radiation", "duration", "k_level", "age", "seated_pir_stretch_pos"} <= {
        *every.table.index
    }
    follows = {
        "leg_radiation_any",
        "dur_gt_6mo",
        "dur_gt_2wk",
        "pir_combined_pos",
        "k_low",
        "potassium",
    }
    assert not follows & {*every.table.index}
    assert every.table.loc["k_level", "measure"] == "potassium"
    some = asked(packaged, {"leg_radiation_any": "absent", "duration": "3", "fever": "0.5"})
    assert {*every.table.index} - {*some.table.index} == {"leg_radiation", "duration", "fever"}


def test_everything_that_is_asked_is_a_question(packaged) -> None:
    texts = [one.text for one in packaged.core.once(inquiries_of).every]
    assert [text for text in texts if not re.search(r"\?( \([^()]+\))?$", text)] == []


def test_parts_of_what_is_known_are_not_asked(packaged) -> None:
    parts = {"seated_pir_stretch_pos", "active_pir_pos"}
    assert not parts & {*asked(packaged, {"pir_combined_pos": "present"}).table.index}
    one = asked(packaged, {"seated_pir_stretch_pos": "absent"}).table.index
    assert "active_pir_pos" in one


def test_what_cannot_be_is_not_asked(packaged) -> None:
    assert {"peripartum", "onset_gradual"} <= {*asked(packaged, {}).table.index}
    man = {"sex": "male", "dur_gt_6mo": "present", "onset_sudden": "present"}
    assert not {"peripartum", "onset_gradual"} & {*asked(packaged, man).table.index}


def test_known_levels_leave_the_others(packaged) -> None:
    found = asked(packaged, {"leg_radiation_any": "present"}).answers.loc["leg_radiation"]
    assert list(found.index) == ["above_knee", "below_knee"]
    assert found["probability"].sum() == pytest.approx(1.0, abs=EXACT)


def test_red_flags_come_first_then_information_per_cost(packaged) -> None:
    table = asked(packaged, README).table
    flagged = (table["red_flag_level"] != "").to_numpy()
    assert flagged[: flagged.sum()].all()
    levels = [LEVELS.index(level) for level in table["red_flag_level"][flagged]]
    assert levels == sorted(levels)
    assert {"bladder_bowel_change", "saddle_numbness"} <= set(table.index[:3])
    for (_, one), (_, other) in pairwise(table[flagged].iterrows()):
        if one["red_flag_level"] == other["red_flag_level"]:
            assert one["cost"] <= other["cost"]
    rest = table["information_per_cost"][~flagged].astype(float)
    assert rest.is_monotonic_decreasing
    assert set(table["cost_basis"]) == {"JUDGEMENT"}


def test_one_cause_can_be_asked_for(packaged) -> None:
    cause = "piriformis_syndrome"
    found = asked(packaged, README, cause=cause)
    base = packaged.diagnose(README).table.loc[cause, "posterior"]
    right = every_answer(packaged, README, found)[cause]
    np.testing.assert_allclose(found.answers["posterior"].astype(float), right, rtol=0, atol=EXACT)
    assert found.table["information_per_cost"].is_monotonic_decreasing
    row = found.table.loc["sciatic_notch_tender"]
    share = found.answers.loc["sciatic_notch_tender", "probability"].astype(float)
    divergence = _bernoulli_divergence(right["sciatic_notch_tender"].to_numpy(), np.array(base))
    assert row["information"] == pytest.approx(share.to_numpy() @ divergence, abs=EXACT)
    assert (row["raising_answer"], row["lowering_answer"]) == ("present", "absent")
    assert row["lowered_to"] < base < row["raised_to"]
    assert row["raised_to"] == pytest.approx(right["sciatic_notch_tender", "present"], abs=EXACT)


def test_who_can_answer(packaged) -> None:
    patient = asked(packaged, README, observed_by="patient")
    assert set(patient.table["observed_by"]) == {"patient"}
    clinician = asked(packaged, README, observed_by="clinician")
    assert set(clinician.table["observed_by"]) == {"patient", "examiner"}
    assert clinician.observed_by == ("patient", "examiner")
    both = asked(packaged, README, observed_by=["patient", "imaging"])
    assert set(both.table["observed_by"]) == {"patient", "imaging"}
    # Fewer questions change no number of those that stay.
    columns = ["information", "p_rises", "p_falls"]
    every = asked(packaged, README).table.loc[patient.table.index, columns]
    pd.testing.assert_frame_equal(patient.table[columns], every, atol=1e-12)


def test_order_of_findings_does_not_matter(packaged) -> None:
    one, other = (
        asked(packaged, dict(pairs)) for pairs in (CASES[1].items(), [*CASES[1].items()][::-1])
    )
    pd.testing.assert_frame_equal(one.table, other.table, rtol=0, atol=1e-12)
    pd.testing.assert_frame_equal(one.answers, other.answers, rtol=0, atol=1e-12)


def test_impossible_cases_keep_their_red_flags(packaged) -> None:
    found = asked(packaged, {"sex": "male", "menstrual_cyclic": "present"})
    assert found.status == "impossible"
    assert set(found.clashes) == {"sex", "menstrual_cyclic"}
    assert found.table["information"].isna().all()
    assert found.answers["probability"].isna().all()
    assert found.table["red_flag_level"].iloc[0] == "emergency"
    assert set(found.answers["first"]) == {""}


def test_nothing_given_is_no_findings(packaged) -> None:
    assert asked(packaged, {}).status == "no_findings"


def test_nothing_left_to_ask(small) -> None:
    case = {"cramp": "0.5", "radiation": "foot", "ck": "1", "severe_pain": "no", "statin_use": "no"}
    case |= {"age": "40", "bulge": "no", "bulge_front": "no", "weeks": "1"}
    found = asked(small, case)
    assert (len(found.table), len(found.answers)) == (0, 0)
    assert found.certificate.proof == "nothing_left"


def test_limit_keeps_the_best(packaged) -> None:
    every, some = asked(packaged, README), asked(packaged, README, limit=3)
    pd.testing.assert_frame_equal(every.table.head(3), some.table)
    assert set(some.answers.index.get_level_values("question")) == set(some.table.index)
    assert some.certificate == every.certificate


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cause": "piriformis"}, "cause: expected the id of a modelled cause, got 'piriformis'"),
        ({"cause": "irritable_bowel"}, "cause: expected the id of a modelled cause"),
        ({"observed_by": "pateint"}, "observed_by: expected one of .* Nearest: patient"),
        ({"observed_by": ["patient", "nobody"]}, "observed_by: expected one of"),
        ({"limit": 0}, "limit: expected a whole number above 0, got 0"),
    ],
)
def test_slips_are_told(packaged, options, message) -> None:
    with pytest.raises(InvalidCase, match=message):
        asked(packaged, README, **options)


def test_unreadable_cases_are_told(packaged) -> None:
    with pytest.raises(InvalidCase, match="low_back_pain"):
        asked(packaged, {"low_back_pian": "present"})


def test_without_a_table_of_efforts_all_cost_the_same(tmp_path) -> None:
    engine = bayesdx.load(write_priors(tmp_path / "priors", SMALL))
    table = asked(engine, {}).table
    assert set(table["cost"]) == {1.0}
    assert set(table["cost_basis"]) == {""}


def test_a_folder_without_rules_of_urgency_is_asked_all_the_same(tmp_path) -> None:
    files = {name: text for name, text in SMALL.items() if name != "red_flags.toml"}
    engine = bayesdx.load(write_priors(tmp_path / "priors", files))
    table = asked(engine, {"cramp": "present"}).table
    assert "radiation" in table.index
    assert set(table["red_flag_level"]) == {""}
    assert set(table["red_flags"]) == {""}


def test_choices_settle_what_their_words_settle(small, packaged) -> None:
    for engine in (small, packaged):
        inquiries = inquiries_of(engine.core)
        for choice in inquiries.choices:
            cases = engine.core.read_case({choice.name: choice.value})
            told = {name: int(state[0]) for name, state in cases.facts.items() if state[0] >= 0}
            assert dict(choice.facts) == told


def test_a_measure_is_asked_by_what_it_can_tell_apart(small) -> None:
    found = asked(small, {}).answers.loc["weeks"]
    assert list(found["value"]) == ["1", "14", "513"]
    assert found["probability"].isna().tolist() == [True, True, False]


def test_compiled_core_gives_the_same(packaged) -> None:
    pytest.importorskip("numba")
    compiled = bayesdx.load(backend="compiled")
    for case in CASES[:2]:
        one, other = asked(packaged, case), asked(compiled, case)
        other_table = other.table.loc[one.table.index]
        pd.testing.assert_frame_equal(one.table, other_table, rtol=0, atol=1e-9)


def test_what_could_not_be_answered_is_left_out(small) -> None:
    found = asked(small, {"cramp": "present"}, without=["bulge", "weeks"])
    assert not {"bulge", "weeks"} & {*found.table.index}
    assert "wait" not in found.certificate.rules
    with pytest.raises(InvalidCase, match="without: expected the id of a question, got 'bulje'"):
        asked(small, {}, without=["bulje"])


def test_a_part_that_is_known_leaves_the_others_to_be_asked(small) -> None:
    """The whole follows from it, and is no reason to stop: the other part may matter."""
    assert "bulge" in asked(small, {"bulge_front": "present"}).table.index
    assert "bulge" not in asked(small, {"bulge_any": "present"}).table.index


def test_the_engine_answers_by_the_same_function(small) -> None:
    one = small.next_questions({"cramp": "present"}, observed_by="clinician", limit=2)
    other = asked(small, {"cramp": "present"}, observed_by="clinician", limit=2)
    pd.testing.assert_frame_equal(one.table, other.table)
    assert one.certificate == other.certificate
