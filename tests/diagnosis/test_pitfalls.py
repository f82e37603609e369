"""Known errors in reasoning about this complaint, each met by a case as a clinician enters it.

The posteriors are written down, not computed: a pitfall must hold whatever the numbers become.
"""

import tomllib
from pathlib import Path

import pytest
from kleene_twin import evaluate_texts

from bayesdx.diagnosis.shown_texts import TextHit
from bayesdx.knowledge.red_flag_schema import read_leaf
from bayesdx.knowledge.text_schema import Text, TextSettings

PRIORS = Path(__file__).parents[2] / "priors"
SIMPLE = (
    "exertional_cramp",
    "nocturnal_cramps",
    "myofascial_pain",
    "muscle_strain_overuse",
    "cold",
    "stress",
    "dehydration",
)
ENTRAPMENT = {"piriformis_syndrome", "deep_gluteal_syndrome", "lumbar_radiculopathy"}


def read_toml(name: str) -> dict:
    return tomllib.loads((PRIORS / name).read_text(encoding="utf-8"))


MANAGEMENT = read_toml("management.toml")
SETTINGS = TextSettings.model_validate(MANAGEMENT["settings"])
TEXTS = tuple(
    Text.model_validate(text) for text in MANAGEMENT["text"] + read_toml("pitfalls.toml")["text"]
)


def case(facts: str = "", **posteriors) -> dict[str, TextHit]:
    """Return what a case is shown; `facts` are leaves such as ``"fever !limp age:70_to_79"``."""
    known: dict[str, str | None] = {}
    for leaf in facts.split():
        test = read_leaf(leaf)
        (known[test.subject],) = test.states
    return {hit.id: hit for hit in evaluate_texts(TEXTS, SETTINGS, known, **posteriors)}


def rows(hits: dict[str, TextHit]) -> set[str]:
    """Return the causes whose rows are printed because of a text."""
    return {cause for hit in hits.values() for cause in hit.show}


# --- a bare cramp ------------------------------------------------------------------------------


@pytest.mark.parametrize("leading", SIMPLE)
@pytest.mark.parametrize("posterior", [0.2, 0.97])
def test_a_simple_cause_never_stands_without_entrapment(leading, posterior):
    hits = case("cramp_spasm buttock_pain", leading=leading, causes={leading: posterior})
    assert rows(hits) >= ENTRAPMENT
    assert hits["never_a_bare_cramp"].because == (f"{leading} leads",)


def test_entrapment_is_shown_even_when_every_nerve_question_was_answered_no():
    facts = "cramp_spasm onset_during_exercise !numbness_tingling !leg_radiation_any !slr_pos"
    hits = case(facts, leading="exertional_cramp")
    assert rows(hits) >= ENTRAPMENT
    assert "long_course_or_nerve_signs" not in hits


@pytest.mark.parametrize("leading", ["gtps", "lumbar_radiculopathy", "unexplained", None])
def test_another_first_cause_needs_no_reminder_of_entrapment(leading):
    assert "never_a_bare_cramp" not in case("buttock_pain", leading=leading)


@pytest.mark.parametrize(
    "finding",
    [
        "dur_gt_6mo",
        "leg_radiation_below_knee",
        "numbness_tingling",
        "slr_pos",
        "slump_pos",
        "dermatomal_sensory_loss",
        "ankle_reflex_reduced",
    ],
)
@pytest.mark.parametrize("leading", ["myofascial_pain", "hip_oa", None])
def test_six_months_or_radicular_features_stress_entrapment(finding, leading):
    hits = case(f"buttock_pain cramp_spasm {finding}", leading=leading)
    stressed = hits["long_course_or_nerve_signs"]
    assert stressed.because == (finding,)
    assert set(stressed.show) >= {*ENTRAPMENT, "sup_gluteal_nerve", "pudendal_neuralgia"}


@pytest.mark.parametrize("leading", ["exertional_cramp", "nocturnal_cramps", "cold", "stress"])
def test_a_cramp_may_be_the_sign_of_a_disease(leading):
    assert "blood salts" in case("cramp_spasm", leading=leading)["cramp_as_a_sign"].text


def test_frequent_cramps_without_a_reason_show_salts_medicines_and_nerves():
    hits = case("recurrent_unexplained multi_site_cramps")
    assert rows(hits) >= {"hypokalaemia", "statin", "diuretic", "peripheral_neuropathy"}
    assert "ask_medicines" in hits


# --- spinal cord, referred pain, failure of treatment ------------------------------------------


@pytest.mark.parametrize("finding", ["bilateral", "severe_pain"])
def test_bilateral_or_severe_spasm_asks_for_a_look_at_the_cord(finding):
    hits = case(f"cramp_spasm {finding}", leading="myofascial_pain")
    hit = hits["cord_behind_spasm"]
    assert set(hit.show) == {"umn_lesion", "spinal_cord_injury", "ms"}
    assert all(word in hit.text for word in ("reflexes", "tone", "gait"))


def test_one_sided_spasm_that_is_not_severe_does_not():
    assert "cord_behind_spasm" not in case("cramp_spasm !bilateral !severe_pain")
    assert "cord_behind_spasm" not in case("cramp_spasm")


@pytest.mark.parametrize(
    "leading", ["myofascial_pain", "muscle_strain_overuse", "piriformis_syndrome"]
)
def test_a_local_muscle_in_the_lead_shows_where_pain_is_referred_from(leading):
    hits = case("buttock_pain cramp_spasm", leading=leading)
    shown = set(hits["referred_taken_for_local"].show)
    assert shown == {"referred_lumbar", "si_joint", "proximal_hamstring"}


def test_no_referred_pain_pitfall_when_the_spine_leads():
    assert "referred_taken_for_local" not in case("buttock_pain", leading="referred_lumbar")


def test_failure_of_treatment_shows_tumours_and_calls_for_imaging():
    hits = case("buttock_pain refractory", leading="piriformis_syndrome")
    assert set(hits["treatment_fails"].show) == {"pnst", "malignancy"}
    assert "imaging_now" in hits
    assert "pattern_first" not in hits
    assert "treatment_fails" not in case("buttock_pain !refractory", leading="piriformis_syndrome")


# --- one thing taken for another ---------------------------------------------------------------


def test_one_knot_is_not_the_whole_story():
    hits = case("taut_band_trp", leading="myofascial_pain", causes={"myofascial_pain": 0.7})
    assert {"one_knot", "trigger_points_explained", "never_a_bare_cramp"} <= set(hits)
    assert "knot_feels_like_nerve" not in hits


def test_a_knot_that_radiates_can_pass_for_a_nerve():
    hits = case("taut_band_trp leg_radiation_any", causes={"myofascial_pain": 0.5})
    assert hits["knot_feels_like_nerve"].because == ("myofascial_pain 0.50", "leg_radiation_any")


def test_the_same_place_with_a_new_burning_quality_may_be_a_nerve():
    hits = case("buttock_pain deep_ache burning_electric", leading="myofascial_pain")
    assert rows(hits) >= {"lumbar_radiculopathy", "deep_gluteal_syndrome"}
    assert "same_place_new_quality" in hits
    assert "same_place_new_quality" not in case("buttock_pain deep_ache !burning_electric")


def test_sciatica_is_looked_for_in_the_back_and_in_the_buttock():
    hits = case("leg_radiation_below_knee", leading="lumbar_radiculopathy")
    assert set(hits["sciatica_is_no_cause"].show) == ENTRAPMENT


@pytest.mark.parametrize("test", ["slr_pos", "fair_pos", "faber_pos", "puranen_pos"])
def test_a_positive_test_comes_with_a_word_on_partial_matches(test):
    assert "weak evidence" in case(test)["half_positive_tests"].title
    assert "half_positive_tests" not in case(f"!{test}")


def test_chasing_tightness_is_named_when_load_or_nerve_drives():
    assert "chasing_tightness" in case(drivers={"load": 0.7})
    assert "chasing_tightness" in case(drivers={"nerve_sensitive": 0.7})
    assert "chasing_tightness" not in case(drivers={"load": 0.5, "nerve_sensitive": 0.5})


def test_the_documents_are_always_called_claims():
    for hits in (case(), case("fever", leading="gluteal_abscess")):
        assert "claims" in hits["unreviewed_documents"].text
        assert "mixed_signal" in hits


# --- cautions that go with advice --------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "shown"), [("65_to_69", True), ("70_to_79", True), ("50_to_59", False)]
)
def test_relaxants_and_falls_by_age(age, shown):
    hits = case(f"cramp_spasm age:{age}")
    assert "relaxants" in hits
    assert ("relaxants_falls" in hits) == shown


def test_relaxants_and_falls_when_nobody_asked_the_age():
    hit = case("cramp_spasm")["relaxants_falls"]
    assert (hit.because, hit.not_asked) == (("with relaxants",), ("age",))
    assert "relaxants_falls" not in case("age:70_to_79")


def test_older_people_and_medicines_for_nerves_and_spasticity():
    assert "medicines_older" in case("age:70_to_79", drivers={"nerve_sensitive": 0.8})
    assert "medicines_older" in case("age:70_to_79", drivers={"spastic": 0.5})
    assert "medicines_older" not in case("age:40_to_49", drivers={"spastic": 0.5})


def test_stretching_is_for_cramp_knots_and_piriformis_only():
    for cause in ("exertional_cramp", "nocturnal_cramps", "myofascial_pain", "piriformis_syndrome"):
        assert "stretching" in case(causes={cause: 0.5}), cause
    for cause in ("gtps", "proximal_hamstring", "lumbar_radiculopathy", "deep_gluteal_syndrome"):
        assert "stretching" not in case(causes={cause: 0.9}, leading=cause), cause


def test_stretching_is_warned_of_where_tendon_or_nerve_is_likely_or_it_made_it_worse():
    for cause in ("gtps", "proximal_hamstring"):
        assert "stretch_tendon" in case(causes={cause: 0.4, "myofascial_pain": 0.5})
    assert "stretches that pull" in case(drivers={"nerve_sensitive": 0.45})["nerve_no_release"].text
    hits = case("stretch_worse", causes={"myofascial_pain": 0.9}, leading="exertional_cramp")
    assert "stretch_signal" in hits
    assert "stretching" not in hits


@pytest.mark.parametrize("cause", ["gluteal_abscess", "dvt", "haematoma_fibrosis"])
def test_one_percent_of_infection_clot_or_bleeding_stops_heat(cause):
    assert "heat_not_with_serious_causes" in case(causes={cause: 0.01, "myofascial_pain": 0.6})
    assert "heat_not_with_serious_causes" not in case(causes={cause: 0.009})


@pytest.mark.parametrize(
    "sign", ["redness_warmth", "fever", "unilateral_leg_swelling", "trauma_recent"]
)
def test_signs_stop_heat_without_any_posterior(sign):
    hits = case(sign, causes={"myofascial_pain": 0.6})
    assert "heat_not_with_signs" in hits
    assert "heat" not in hits
    assert "heat_not_with_signs" in case(sign)


def test_benzodiazepines_have_little_use_in_lasting_pain_but_anxiety_may_justify_them():
    lasting = case("cramp_spasm dur_gt_6mo !emotional_stress")
    assert lasting["benzodiazepines_lasting_pain"].kind == "avoid"
    assert "benzodiazepines_anxiety" not in lasting
    assert "benzodiazepines_anxiety" in case("cramp_spasm emotional_stress")


@pytest.mark.parametrize(
    "finding",
    ["progressive_neurology", "refractory", "fever", "weight_loss", "bladder_bowel_change"],
)
def test_imaging_is_for_warning_signs_growing_deficits_and_failed_treatment(finding):
    hits = case(f"buttock_pain {finding}")
    assert "imaging_now" in hits
    assert "pattern_first" not in hits


def test_otherwise_the_pattern_comes_before_pictures_unless_a_structure_is_suspected():
    assert {"pattern_first"} == {"pattern_first", "imaging_now"} & set(case("buttock_pain"))
    hits = case("buttock_pain", drivers={"infection_tumour_structural": 0.05})
    assert "imaging_for_structure" in hits
    assert "imaging_for_structure" not in case(drivers={"infection_tumour_structural": 0.03})


def test_growing_numbness_or_weakness_is_always_a_reason_to_be_seen_sooner():
    assert "weakness" in case()["see_somebody_sooner"].text


def test_specialists_medicines_name_their_population():
    assert "spinal cord" in case(drivers={"spastic": 0.3})["baclofen"].text
    assert "cancer" in case(drivers={"nerve_sensitive": 0.7})["nerve_medicines"].text
    assert "dystonia" in case(causes={"dystonia": 0.3})["botulinum"].text
    assert not {"baclofen", "botulinum", "nerve_medicines"} & set(case("cramp_spasm"))
