"""Pictures that any clinician names: the cause that is put first, and how soon to act."""

import pytest

import bayesdx
from bayesdx.knowledge.red_flag_schema import LEVELS


@pytest.fixture(scope="module")
def engine() -> bayesdx.Engine:
    return bayesdx.load()


def picture(present: str, **answers: object) -> dict[str, object]:
    return dict.fromkeys(present.split(), "present") | answers


def first(diagnosis: bayesdx.Diagnosis) -> str:
    return str(diagnosis.table.index[0])


@pytest.mark.slow
def test_cramp_with_a_potassium_of_2_4_is_hypokalaemia(engine: bayesdx.Engine) -> None:
    low = engine.diagnose(picture("cramp_spasm", potassium=2.4))
    assert first(low) == "hypokalaemia"
    assert low.urgency in LEVELS[:2]


@pytest.mark.slow
def test_a_potassium_of_3_4_does_not_put_it_first(engine: bayesdx.Engine) -> None:
    assert first(engine.diagnose(picture("cramp_spasm", potassium=3.4))) != "hypokalaemia"


@pytest.mark.slow
def test_stiff_shoulders_and_hips_at_72_are_polymyalgia_and_no_emergency(
    engine: bayesdx.Engine,
) -> None:
    signs = "bilateral shoulder_girdle_pain morning_stiff_gt60 buttock_pain"
    found = engine.diagnose(picture(signs, age=72, sex="female"))
    assert found.shortlist.index[0] == "polymyalgia"
    assert found.urgency != "emergency"


@pytest.mark.slow
def test_sudden_severe_pain_at_75_with_vascular_risk_is_an_emergency_and_names_the_aneurysm(
    engine: bayesdx.Engine,
) -> None:
    signs = "low_back_pain buttock_pain onset_sudden severe_pain smoking hypertension"
    found = engine.diagnose(picture(signs, age=75, sex="male"))
    assert found.urgency == "emergency"
    assert "aortic_aneurysm" in found.shortlist.index


@pytest.mark.slow
def test_a_recruit_with_groin_pain_on_load_is_urgent_and_has_a_stress_fracture_among_five(
    engine: bayesdx.Engine,
) -> None:
    signs = "groin_pain weight_bearing_groin_pain training_jump impact_sport load_worse"
    found = engine.diagnose(picture(signs, age=20, sex="male"))
    assert found.urgency == "urgent"
    assert "stress_fracture" in found.shortlist.index


def test_weak_legs_and_a_numb_saddle_are_the_cauda_equina(engine: bayesdx.Engine) -> None:
    signs = "bilateral_leg_deficit bilateral leg_weakness saddle_numbness low_back_pain"
    found = engine.diagnose(picture(signs))
    assert found.urgency == "emergency"
    assert found.shortlist.index[0] == "cauda_equina"


def test_ordinary_sciatica_with_a_root_does_not_call_for_the_cauda_equina(
    engine: bayesdx.Engine,
) -> None:
    """All of it is what the root gives by itself, whatever the number of its signs."""
    signs = (
        "low_back_pain buttock_pain numbness_tingling burning_electric dermatomal_sensory_loss "
        "ankle_reflex_reduced slr_pos"
    )
    answers = picture(signs, leg_radiation="below_knee", saddle_numbness="absent")
    found = engine.core.urgency(engine.core.read_case(answers).facts, 1)
    assert LEVELS[found.level[0]] == "soon"
    assert not found.calls.any()
