"""Reading cases: names, values, units, and everything that contradicts itself."""

import math
import re

import numpy as np
import pandas as pd
import pytest

import bayesdx
from bayesdx.diagnosis.cases import MOST_FAULTS
from bayesdx.diagnosis.values import WORDS


@pytest.fixture(scope="module")
def engine() -> bayesdx.Engine:
    return bayesdx.load()


def understood(engine: bayesdx.Engine, **findings: object) -> dict[str, str]:
    return dict(engine.diagnose(findings).understood)


@pytest.mark.parametrize("word", ["present", "Yes", "TRUE", "1", 1, 1.0, True, np.True_, " y "])
def test_words_for_present(engine: bayesdx.Engine, word: object) -> None:
    assert understood(engine, fever=word) == {"fever": "present"}


@pytest.mark.parametrize("word", ["absent", "no", "False", "0", 0, 0.0, False, np.False_])
def test_words_for_absent(engine: bayesdx.Engine, word: object) -> None:
    assert understood(engine, fever=word) == {"fever": "absent"}


@pytest.mark.parametrize("word", ["", "unknown", "NaN", None, math.nan, pd.NA, pd.NaT, "  "])
def test_words_for_not_known(engine: bayesdx.Engine, word: object) -> None:
    assert understood(engine, fever=word) == {}


@pytest.mark.parametrize("word", ["maybe", 2, -0.1, "1.5", "inf", [1], object])
def test_what_is_no_value(engine: bayesdx.Engine, word: object) -> None:
    expected = re.escape(
        "fever: expected present, absent or unknown, or a number between 0 and 1 or a percentage "
        "(present: yes, y, "
    )
    with pytest.raises(bayesdx.InvalidCase, match=expected):
        engine.diagnose({"fever": word})


def test_aliases_in_any_spelling_mean_the_finding(engine: bayesdx.Engine) -> None:
    finding = engine.knowledge.findings["cramp_spasm"]
    for alias in (*finding.aliases_lay, *finding.aliases_professional, "Cramp-Spasm"):
        assert understood(engine, **{alias.upper(): "present"}) == {"cramp_spasm": "present"}


@pytest.mark.parametrize(
    ("written", "state"),
    [("7 months", "present"), ("2 weeks", "absent"), (30, "present"), ("0.6 years", "present")],
)
def test_a_measure_with_a_unit_sets_its_findings(
    engine: bayesdx.Engine, written: object, state: str
) -> None:
    assert understood(engine, duration=written)["dur_gt_6mo"] == state


def test_thresholds_are_cut_where_declared(engine: bayesdx.Engine) -> None:
    assert understood(engine, potassium=3.5)["k_level"] == "normal"
    assert understood(engine, potassium=3.49)["k_level"] == "from_3_to_3_5"
    assert understood(engine, potassium=2.5)["k_level"] == "from_2_5_to_3"
    assert understood(engine, potassium=2.4)["k_level"] == "below_2_5"
    assert understood(engine, crp=10)["crp_level"] == "up_to_10"
    assert understood(engine, ferritin=49)["ferritin_low"] == "present"
    assert understood(engine, age=49)["age"] == "40_to_49"
    assert understood(engine, age=50)["age"] == "50_to_59"
    assert understood(engine, age="70_to_79")["age"] == "70_to_79"
    assert understood(engine, ck_ratio=10)["ck_level"] == "from_4x_to_10x"
    assert understood(engine, ck_ratio=10.1)["ck_level"] == "from_10x_to_40x"


@pytest.mark.parametrize(
    ("measure", "value"),
    [
        ("ashworth", 5),
        ("ashworth", 1.5),
        ("duration", -1),
        ("duration", "7 moons"),
        ("potassium", 0.4),
        ("potassium", "3,1"),
        ("age", 17),
        ("age", True),
    ],
)
def test_a_measure_outside_its_range_or_unit_is_refused(
    engine: bayesdx.Engine, measure: str, value: object
) -> None:
    with pytest.raises(bayesdx.InvalidCase, match=rf"^{measure}: expected a .*, got "):
        engine.diagnose({measure: value})


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ({"duration": "2 weeks", "dur_gt_6mo": "yes"}, "absent from 'duration' and present from"),
        ({"ferritin": 9, "ferritin_low": 0}, "present from 'ferritin' and absent from 'ferritin_l"),
        ({"potassium": 3.1, "k_low": "no"}, "k_level: expected one level"),
        ({"fever": 1, "high temperature": 0, "FEVER": 0}, "fever: expected one value"),
        ({"leg_radiation_any": 0, "leg_radiation_below_knee": 1}, "leg_radiation: expected one l"),
        ({"ck_level": "below_4x", "ck_gt4x": 1}, "ck_level: expected one level"),
        ({"dur_gt_6mo": 1, "dur_gt_2wk": 0}, "dur_gt_2wk: expected present, since dur_gt_6mo is"),
        (
            {"pir_combined_pos": 0, "active_pir_pos": 1},
            "pir_combined_pos: expected the same as its components",
        ),
    ],
)
def test_contradictions_are_input_errors(
    engine: bayesdx.Engine, case: dict[str, object], message: str
) -> None:
    if "high temperature" in case and "high temperature" not in engine.core.reader.names._names:
        case = {"fever": 1, "FEVER": 0}
    with pytest.raises(bayesdx.InvalidCase, match=message):
        engine.diagnose(case)


def test_all_faults_at_once_by_row_and_column(engine: bayesdx.Engine) -> None:
    cases = pd.DataFrame(
        {"fevr": ["yes", ""], "potassium": ["3", "33"], "fever": ["perhaps", "no"]}, index=[7, 9]
    )
    with pytest.raises(bayesdx.InvalidCase) as caught:
        engine.score(cases)
    assert [str(fault) for fault in caught.value.faults] == [
        "column: expected the name of a finding, risk or measure "
        "(id, keep and ignore are for others), got 'fevr'. Nearest: fever, faber_pos.",
        "row 1, column potassium: expected a number from 1 to 10 (mmol/L), got '33'.",
        "row 0, column fever: expected present, absent or unknown, or a number between 0 and 1 "
        f"or a percentage ({WORDS.told()}; commands for tables take more by "
        "--yes, --no, --unknown), "
        "got 'perhaps'.",
    ]


def test_a_flood_of_faults_is_counted_not_listed(engine: bayesdx.Engine) -> None:
    cases = pd.DataFrame({"fever": ["perhaps"] * (MOST_FAULTS + 5)})
    with pytest.raises(bayesdx.InvalidCase, match="5 more of these faults") as caught:
        engine.score(cases)
    assert len(caught.value.faults) == MOST_FAULTS + 1


def test_thresholds_of_one_ordinal_are_one_observation(engine: bayesdx.Engine) -> None:
    """Below the knee implies any: saying both adds nothing."""
    once = engine.diagnose({"leg_radiation_below_knee": "present"})
    twice = engine.diagnose({"leg_radiation_below_knee": "present", "leg_radiation_any": "present"})
    named = engine.diagnose({"leg_radiation": "below_knee"})
    assert once.log_evidence == twice.log_evidence == named.log_evidence
    pd.testing.assert_frame_equal(once.table, twice.table)


def test_a_combined_test_counts_once(engine: bayesdx.Engine) -> None:
    part = engine.diagnose({"active_pir_pos": "present"})
    both = engine.diagnose({"active_pir_pos": "present", "pir_combined_pos": "present"})
    assert both.log_evidence == part.log_evidence
    other = engine.diagnose({"active_pir_pos": "absent", "pir_combined_pos": "present"})
    filled = engine.diagnose({"active_pir_pos": "absent", "seated_pir_stretch_pos": "present"})
    assert other.log_evidence == filled.log_evidence


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sex": "male", "peripartum": "present"}, "sex: expected another answer, since perip"),
        ({"dur_gt_6mo": "present", "dur_lt_3d": "present"}, "dur_lt_2wk: expected another answer"),
        ({"dur_gt_2wk": "present", "recency": "up_to_3_days"}, "since dur_gt_2wk is present, got"),
        ({"ca_high": "present", "calcium": 1.8}, "ca_high: expected one value"),
        ({"onset_gradual": 1.0, "onset_sudden": "present"}, "since onset_gradual is present"),
    ],
)
def test_what_cannot_be_together_is_refused(
    engine: bayesdx.Engine, given: dict[str, object], message: str
) -> None:
    with pytest.raises(bayesdx.InvalidCase, match=message):
        engine.diagnose(given)
    rows = engine.score(pd.DataFrame([given, {"low_back_pain": "present"}]), on_error="reject")
    assert rows["status"].tolist() == ["rejected", "ok"]


def test_what_excludes_says_nothing_where_it_is_absent_or_not_sure(engine: bayesdx.Engine) -> None:
    for given in (
        {"sex": "male", "peripartum": "absent"},
        {"sex": "female", "peripartum": "present"},
        {"onset_gradual": 0.9, "onset_sudden": "present"},
        {"dur_gt_6mo": "present", "dur_lt_2wk": "absent"},
    ):
        assert engine.diagnose(given).status == "ok"


def test_soft_evidence_leaning_to_present_fires_red_flags(engine: bayesdx.Engine) -> None:
    assert engine.diagnose({"saddle_numbness": 0.6}).urgency == "emergency"
    assert engine.diagnose({"saddle_numbness": 0.4}).urgency != "emergency"


def test_risks_and_thresholds_take_no_soft_evidence(engine: bayesdx.Engine) -> None:
    for name in ("statin_use", "leg_radiation_any", "activity_limited"):
        with pytest.raises(bayesdx.InvalidCase, match=f"^{name}: expected present, absent or unkn"):
            engine.diagnose({name: 0.5})


def test_a_case_is_a_mapping_of_names(engine: bayesdx.Engine) -> None:
    with pytest.raises(
        bayesdx.InvalidCase, match="findings: expected a mapping of names to values"
    ):
        engine.diagnose(["fever"])  # type: ignore[arg-type]
    with pytest.raises(bayesdx.InvalidCase, match="findings: expected names that are text, got 3"):
        engine.diagnose({3: "present"})  # type: ignore[dict-item]
