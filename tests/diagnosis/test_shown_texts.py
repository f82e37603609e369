"""Every text is shown when it should be, keeps still when it should, and says why."""

import re
import tomllib
from pathlib import Path

import pytest
from kleene_twin import evaluate_texts
from wording import reassuring_words

from bayesdx.knowledge.red_flag_schema import read_leaf, subjects
from bayesdx.knowledge.text_schema import Text, TextSettings, text_references

PRIORS = Path(__file__).parents[2] / "priors"


def read_toml(name: str) -> dict:
    return tomllib.loads((PRIORS / name).read_text(encoding="utf-8"))


MANAGEMENT, PITFALLS = read_toml("management.toml"), read_toml("pitfalls.toml")
SETTINGS = TextSettings.model_validate(MANAGEMENT["settings"])
TEXTS = tuple(Text.model_validate(text) for text in MANAGEMENT["text"] + PITFALLS["text"])
BY_ID = {text.id: text for text in TEXTS}
PICTURES = (
    "progressive_neurology progressive refractory fever weight_loss mass active_cancer "
    "trauma_recent cannot_bear_weight bladder_bowel_change saddle_numbness bilateral_leg_deficit "
    "unilateral_leg_swelling pale_cold_blue tense_buttock spasticity_any hyperreflexia babinski "
    "clonus"
)
HEAT = (
    "redness_warmth fever unilateral_leg_swelling swelling bruising tense_buttock trauma_recent "
    "numbness_tingling dermatomal_sensory_loss"
)
NERVE = (
    "dur_gt_6mo leg_radiation_below_knee numbness_tingling leg_weakness slr_pos crossed_slr_pos "
    "slump_pos dermatomal_sensory_loss ankle_reflex_reduced tinel_gluteal"
)
TESTS = (
    "slr_pos slump_pos fair_pos seated_pir_stretch_pos active_pir_pos pir_combined_pos faber_pos "
    "fadir_pos sls30_pos redt_pos puranen_pos bent_knee_pos mod_bent_knee_pos"
)

# For each text with a condition on findings: any one of these answers is enough (the rest not
# asked), and with all of the others it is hidden. Posteriors and company are as the text needs.
WHEN = {
    "sitting_explained": ("sitting_worse", "!sitting_worse"),
    "stairs_explained": ("load_worse", "!load_worse"),
    "stiff_flexors_explained": ("prolonged_sitting poor_flexibility", None),
    "figure_four_explained": ("stretch_worse seated_pir_stretch_pos", None),
    "water_tablet_explained": ("diuretic_use", "!diuretic_use"),
    "stretch_signal": ("stretch_worse", "!stretch_worse"),
    "heat_not_with_signs": (HEAT, None),
    "rehabilitation": (
        "dur_gt_6mo refractory activity_limited spasticity_any known_cord_injury",
        None,
    ),
    "unexplained_recurrence": ("recurrent_unexplained", None),
    "relaxants": ("cramp_spasm spasticity_any multi_site_cramps", None),
    "relaxants_falls": ("age:65_to_69 age:70_to_79", "age:60_to_64"),
    "medicines_older": ("age:65_to_69 age:70_to_79", "age:40_to_49"),
    "ease_it": ("stretch_worse sitting_worse load_worse spine_motion_worse hip_motion_worse", None),
    "imaging_now": (PICTURES, None),
    "ask_medicines": (
        "cramp_spasm multi_site_cramps proximal_weakness_bilat generalized_rigidity",
        None,
    ),
    "ask_what_stops_it": ("load_worse exertional_relief_rest onset_during_exercise", None),
    "long_course_or_nerve_signs": (NERVE, None),
    "cord_behind_spasm": ("bilateral severe_pain", None),
    "treatment_fails": ("refractory", "!refractory"),
    "one_knot": ("taut_band_trp", "!taut_band_trp"),
    "knot_feels_like_nerve": ("leg_radiation_any burning_electric", None),
    "same_place_new_quality": ("burning_electric", "!burning_electric"),
    "sciatica_is_no_cause": ("leg_radiation_below_knee", "!leg_radiation_below_knee"),
    "half_positive_tests": (TESTS, None),
    "commonest_cause": ("cramp_spasm multi_site_cramps", None),
}
# The other way round: any one of these answers hides the text, and none of them shows it.
HIDDEN_BY = {
    "load_rebuild": "cannot_bear_weight fever unilateral_leg_swelling tense_buttock",
    "stretching": "stretch_worse trauma_recent fever unilateral_leg_swelling tense_buttock",
    "activity": (
        "cannot_bear_weight trauma_recent fever unilateral_leg_swelling tense_buttock dark_urine "
        "progressive_neurology"
    ),
    "heat": HEAT,
    "pattern_first": PICTURES,
    "ask_spot_or_drift": "leg_radiation_any !leg_radiation_any",
    "ask_ache_or_burn": "burning_electric !burning_electric",
}
# Conditions of another form, by hand: shown with the first, hidden with the second.
BY_HAND = {
    "benzodiazepines_anxiety": ("emotional_stress cramp_spasm", "emotional_stress !cramp_spasm"),
    "ask_sitting_or_effort": ("sitting_worse", "sitting_worse !load_worse"),
}
EVERYWHERE = {
    "working_hypothesis",
    "match_the_driver",
    "see_somebody_sooner",
    "mixed_signal",
    "unreviewed_documents",
}


def facts_of(leaves: str) -> dict[str, str | None]:
    facts: dict[str, str | None] = {}
    for leaf in leaves.split():
        test = read_leaf(leaf)
        (facts[test.subject],) = test.states
    return facts


def absent(leaves: str) -> dict[str, str | None]:
    return {read_leaf(leaf).subject: "absent" for leaf in leaves.split()}


def is_shown(
    text: Text,
    facts: dict[str, str | None],
    *,
    causes: dict[str, float] | None = None,
    drivers: dict[str, float] | None = None,
    leading: str | None = None,
    alone: bool = False,
) -> bool:
    """Judge one text; whatever it accompanies is there unless it is `alone`."""
    company = [] if alone else [always(name) for name in text.accompanies]
    hits = evaluate_texts([*company, text], SETTINGS, facts, causes, drivers, leading)
    return text.id in {hit.id for hit in hits}


def made(text_id: str = "made_up", **fields: object) -> Text:
    base = {
        "id": text_id,
        "kind": "caution",
        "title": "A title",
        "text": "A text.",
        "sources": ["clin"],
        "basis": "JUDGEMENT",
    }
    return Text.model_validate(base | fields)


def always(text_id: str) -> Text:
    return made(text_id, always=True)


def pushes(text: Text) -> list[dict]:
    """Return every single thing, of driver, cause and first cause, that brings a text up."""
    driver_from, cause_from = SETTINGS.driver_from, SETTINGS.cause_from
    return [
        *({"drivers": {name: text.at_least or driver_from}} for name in text.drivers),
        *({"causes": {name: text.at_least or cause_from}} for name in text.causes),
        *({"leading": name} for name in text.leading),
    ]


def push(text: Text) -> dict:
    return next(iter(pushes(text)), {})


def enough(text: Text) -> dict[str, str | None]:
    """Return answers that make the condition of a text true, or leave it open where that shows."""
    if text.id in WHEN:
        return facts_of(WHEN[text.id][0].split()[0])
    return facts_of(BY_HAND[text.id][0]) if text.id in BY_HAND else {}


# --- each text of the two files ----------------------------------------------------------------


def test_the_tables_above_cover_every_condition():
    conditioned = {text.id for text in TEXTS if text.when is not None}
    assert conditioned == {*WHEN, *HIDDEN_BY, *BY_HAND}
    assert len(conditioned) == len(WHEN) + len(HIDDEN_BY) + len(BY_HAND)


def test_the_tables_above_name_every_leaf():
    for text_id, (answers, no) in WHEN.items():
        named = {read_leaf(leaf).subject for leaf in f"{answers} {no or ''}".split()}
        assert named == subjects(BY_ID[text_id].when), text_id
    for text_id, answers in HIDDEN_BY.items():
        named = {read_leaf(leaf).subject for leaf in answers.split()}
        assert named == subjects(BY_ID[text_id].when), text_id


@pytest.mark.parametrize("text", TEXTS, ids=lambda t: t.id)
def test_each_driver_cause_and_first_cause_is_enough(text):
    for one in pushes(text) or [{}]:
        assert is_shown(text, enough(text), **one), one


@pytest.mark.parametrize("text", [t for t in TEXTS if pushes(t)], ids=lambda t: t.id)
def test_just_below_the_threshold_it_keeps_still(text):
    driver_from, cause_from = (
        (SETTINGS.driver_from, SETTINGS.cause_from)
        if text.at_least is None
        else (text.at_least, text.at_least)
    )
    others = {
        "drivers": dict.fromkeys(text.drivers, driver_from - 1e-9),
        "causes": dict.fromkeys(text.causes, cause_from - 1e-9),
        "leading": "leak_other",
    }
    assert not is_shown(text, enough(text), **others)
    assert not is_shown(text, enough(text))


@pytest.mark.parametrize("text_id", WHEN)
def test_each_answer_alone_is_enough_and_without_all_of_them_it_keeps_still(text_id):
    text = BY_ID[text_id]
    answers, no = WHEN[text_id]
    for leaf in answers.split():
        assert is_shown(text, facts_of(leaf), **push(text)), leaf
    refused = facts_of(no) if no else absent(answers)
    assert not is_shown(text, refused, **push(text))
    assert is_shown(text, {}, **push(text)) == (text.unknown == "show")


@pytest.mark.parametrize("text_id", HIDDEN_BY)
def test_each_answer_alone_hides_and_silence_does_not(text_id):
    text = BY_ID[text_id]
    assert is_shown(text, {}, **push(text))
    for leaf in HIDDEN_BY[text_id].split():
        assert not is_shown(text, facts_of(leaf), **push(text)), leaf
    if text.kind != "question":
        assert is_shown(text, absent(HIDDEN_BY[text_id]), **push(text))


@pytest.mark.parametrize("text_id", BY_HAND)
def test_conditions_by_hand(text_id):
    shown, hidden = BY_HAND[text_id]
    assert is_shown(BY_ID[text_id], facts_of(shown))
    assert not is_shown(BY_ID[text_id], facts_of(hidden))


@pytest.mark.parametrize("text", [t for t in TEXTS if t.accompanies], ids=lambda t: t.id)
def test_without_company_it_keeps_still(text):
    assert not is_shown(text, enough(text), alone=True, **push(text))
    for name in text.accompanies:
        hits = evaluate_texts([text, always(name)], SETTINGS, enough(text), **push(text))
        assert [hit.id for hit in hits] == [text.id, name]
        assert f"with {name}" in hits[0].because


def test_only_these_are_shown_for_every_case():
    for text in TEXTS:
        hideable = text.when or text.accompanies or pushes(text)
        assert (text.id in EVERYWHERE) == (not hideable), text.id


def test_cautions_and_avoidances_do_not_wait_for_the_advice_that_they_limit():
    # What warns is brought up by its own reasons; only what limits a medicine or fluids waits.
    for text in TEXTS:
        if text.kind in {"caution", "avoid"}:
            medicines = {"relaxants", "nerve_medicines", "benzodiazepines_anxiety", "baclofen"}
            assert set(text.accompanies) <= {*medicines, "fluids"}, text.id


def test_imaging_and_pattern_first_ask_for_the_same_findings():
    assert BY_ID["imaging_now"].when.any == BY_ID["pattern_first"].when.none
    assert BY_ID["heat_not_with_signs"].when.any == BY_ID["heat"].when.none


# --- how it is judged --------------------------------------------------------------------------


def hits_of(*texts: Text, facts: str = "", **rest) -> dict:
    return {hit.id: hit for hit in evaluate_texts(texts, SETTINGS, facts_of(facts), **rest)}


def test_settings_stand_in_where_a_text_has_no_threshold():
    texts = (made("d", drivers=["load"]), made("c", causes=["statin"]))
    low = {"drivers": {"load": 0.24}, "causes": {"statin": 0.14}}
    high = {"drivers": {"load": 0.25}, "causes": {"statin": 0.15}}
    assert hits_of(*texts, **low) == {}
    assert set(hits_of(*texts, **high)) == {"d", "c"}


def test_at_least_replaces_both():
    text = made(drivers=["load"], causes=["statin"], at_least=0.01)
    assert hits_of(text, drivers={"load": 0.009}, causes={"statin": 0.009}) == {}
    assert hits_of(text, drivers={"load": 0.01})["made_up"].because == ("load 0.01",)
    assert hits_of(text, causes={"statin": 0.012})["made_up"].because == ("statin 0.012",)


def test_one_push_is_enough_and_the_condition_is_needed_too():
    text = made(drivers=["load"], leading=["cold"], when={"any": ["fever"]})
    assert hits_of(text, facts="fever") == {}
    assert hits_of(text, leading="cold") == {}
    assert hits_of(text, leading="stress", facts="fever") == {}
    assert hits_of(text, leading="cold", facts="fever")["made_up"].because == (
        "cold leads",
        "fever",
    )
    assert set(hits_of(text, drivers={"load": 0.5}, facts="fever")) == {"made_up"}


def test_what_was_not_asked_shows_or_hides():
    when = {"all": ["fever"], "any": ["limp", "swelling"]}
    hide, show = made("hide", when=when), made("show", when=when, unknown="show")
    assert set(hits_of(hide, show, facts="fever limp")) == {"hide", "show"}
    assert hits_of(hide, show, facts="!fever") == {}
    open_ = hits_of(hide, show, facts="fever !limp")
    assert set(open_) == {"show"}
    assert (open_["show"].because, open_["show"].not_asked) == ((), ("swelling",))


def test_because_names_ids_and_keeps_the_mark_of_what_is_absent():
    text = made(
        when={"all": ["age:65_to_69|70_to_79|80_or_over", "!fever"], "any": ["limp", "swelling"]}
    )
    hit = hits_of(text, facts="age:70_to_79 !fever swelling")["made_up"]
    assert hit.because == ("age", "!fever", "swelling")
    assert hit.not_asked == ()


def test_because_never_rounds_to_certainty_or_to_nothing():
    text = made(causes=["statin", "cold"], at_least=0.0001)
    hit = hits_of(text, causes={"statin": 0.9999, "cold": 0.0004})["made_up"]
    assert hit.because == ("statin >0.99", "cold 0.0004")


def test_company_is_followed_through_in_any_order():
    third = made("third", accompanies=["second"])
    second = made("second", accompanies=["first", "nobody"])
    first = made("first", when={"any": ["fever"]})
    assert list(hits_of(third, second, first, facts="fever")) == ["third", "second", "first"]
    assert hits_of(third, second, first, facts="!fever") == {}


def test_texts_that_wait_for_each_other_are_never_shown():
    assert hits_of(made("a", accompanies=["b"]), made("b", accompanies=["a"])) == {}


def test_without_posteriors_conditions_on_findings_still_work():
    hits = evaluate_texts(TEXTS, SETTINGS, facts_of("fever stretch_worse bilateral"))
    shown = {hit.id for hit in hits}
    assert shown >= {*EVERYWHERE, "heat_not_with_signs", "stretch_signal", "cord_behind_spasm"}
    assert not any(pushes(BY_ID[name]) for name in shown)


def test_a_hit_carries_what_is_printed_and_the_order_of_the_files():
    hits = evaluate_texts(TEXTS, SETTINGS, facts_of("refractory"))
    order = [text.id for text in TEXTS]
    assert [hit.id for hit in hits] == sorted((hit.id for hit in hits), key=order.index)
    hit = {hit.id: hit for hit in hits}["treatment_fails"]
    text = BY_ID["treatment_fails"]
    assert (hit.kind, hit.title, hit.text) == ("pitfall", text.title, text.text)
    assert (hit.show, hit.statements, hit.sources) == (("pnst", "malignancy"), ("S0-70",), ("S0",))


# --- what the two files say --------------------------------------------------------------------

DOSES = re.compile(r"\b\d+(\.\d+)?\s?(mg|g|mcg|µg|ml|units?|tablets?|times a day)\b", re.IGNORECASE)


def test_nothing_reassures():
    said = {text.id: reassuring_words(f"{text.title} {text.text}") for text in TEXTS}
    assert {name: found for name, found in said.items() if found} == {}


def test_no_dose_is_named():
    assert [text.id for text in TEXTS if DOSES.search(f"{text.title} {text.text}")] == []


def test_texts_are_one_to_three_sentences_and_titles_are_short():
    for text in TEXTS:
        assert text.text.endswith("."), text.id
        assert 1 <= len(re.findall(r"[.?!](?:\s|$)", text.text)) <= 3, text.id
        assert len(text.title) <= 80, text.id


def test_ids_and_titles_are_unique_and_kinds_are_in_their_file():
    assert len(BY_ID) == len({text.title for text in TEXTS}) == len(TEXTS)
    assert {text["kind"] for text in PITFALLS["text"]} == {"pitfall"}
    assert "pitfall" not in {text["kind"] for text in MANAGEMENT["text"]}
    assert {text["kind"] for text in MANAGEMENT["text"]} == {
        "explanation",
        "advice",
        "avoid",
        "caution",
        "test",
        "question",
    }


def test_every_name_leads_somewhere():
    groups = read_toml("groups.toml")
    known = {
        "driver": {name for name, group in groups.items() if group["kind"] == "driver"},
        "cause": {path.stem for path in (PRIORS / "causes").glob("*.toml")},
        "text": set(BY_ID),
        "source": {*read_toml("sources.toml")},
    }
    wrong = []
    for text in TEXTS:
        for key, thing, name in text_references(text):
            if thing == "statement":
                good = bool(re.fullmatch(r"(S[0-3]|X)-\d\d", name))
            else:
                good = name in known[thing]
            wrong += [] if good else [(text.id, key, name)]
    assert wrong == []


def test_every_driver_has_an_explanation_advice_or_test():
    drivers = {n for n, g in read_toml("groups.toml").items() if g["kind"] == "driver"}
    served = {name for text in TEXTS for name in text.drivers}
    assert drivers - served == {"cramp"}
    # Simple cramp is served cause by cause.
    simple = set(read_toml("groups.toml")["cramp"]["members"])
    assert simple <= {name for text in TEXTS for name in (*text.causes, *text.leading)}
