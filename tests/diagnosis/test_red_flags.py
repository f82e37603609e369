"""Every red flag rule fires when it should, keeps still when it should, and says what it lacks."""

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from bayesdx.diagnosis.red_flags import considered, evaluate, urgency
from bayesdx.knowledge.red_flag_schema import LEVELS, RedFlag, When, leaves, read_leaf, subjects

PRIORS = Path(__file__).parents[2] / "priors"
TRIALS_FILE = Path(__file__).with_name("red_flag_trials.toml")
AGES = ("under_50", "50_to_59", "60_to_64", "65_to_69", "70_or_over")


def read_toml(name: str) -> dict:
    return tomllib.loads((PRIORS / name).read_text(encoding="utf-8"))


RULES = tuple(RedFlag.model_validate(rule) for rule in read_toml("red_flags.toml")["rule"])
BY_ID = {rule.id: rule for rule in RULES}
TRIALS = tomllib.loads(TRIALS_FILE.read_text(encoding="utf-8"))
NO_TO_ALL = " ".join(f"!{leaf}" for leaf in BY_ID["exercise_linked"].when.none)
SELF_CARE = f"onset_during_exercise !dur_gt_2wk {NO_TO_ALL}"

# No title or advice may calm; the list is of stems, searched in lower case.
REASSURING = (
    "reassur",
    "safe",
    "harmless",
    "benign",
    "innocent",
    "nothing serious",
    "not serious",
    "nothing to worry",
    "no need to",
    "not dangerous",
    "no danger",
    "worry",
    "worried",
    "unlikely",
    "low risk",
    "no risk",
    "will pass",
    "go away",
    "goes away",
    "is fine",
    "are fine",
    "all clear",
    "all-clear",
    "all right",
    "alright",
    "relax",
    "excluded",
    "ruled out",
    "probably",
    "usually settles",
    "self-limit",
    "nothing wrong",
    "healthy",
)


def facts_of(text: str) -> dict[str, str | None]:
    facts: dict[str, str | None] = {}
    text = text.replace("{no_to_all_but_fever}", NO_TO_ALL.replace("!fever ", ""))
    for leaf in text.replace("{no_to_all}", NO_TO_ALL).split():
        test = read_leaf(leaf)
        (facts[test.subject],) = test.states
    return facts


def all_else_absent(rule: RedFlag, facts: dict[str, str | None]) -> dict[str, str | None]:
    rest = {name: AGES[0] if name == "age" else "absent" for name in subjects(rule.when)}
    return {**rest, **facts}


def outcome_of(rule_id: str, facts: dict[str, str | None]):
    (result,) = evaluate([BY_ID[rule_id]], facts)
    return result


def rows(part: str) -> list:
    return [
        pytest.param(rule_id, text, id=f"{rule_id}-{at}")
        for rule_id, trial in TRIALS.items()
        for at, text in enumerate(trial[part])
    ]


def test_table_covers_every_rule():
    assert sorted(TRIALS) == sorted(BY_ID)
    assert len(BY_ID) == len(RULES)


@pytest.mark.parametrize(("rule_id", "trial"), TRIALS.items(), ids=TRIALS)
def test_level_is_the_one_agreed(rule_id, trial):
    assert BY_ID[rule_id].level == trial["level"]


@pytest.mark.parametrize(("rule_id", "text"), rows("fires"))
def test_rule_fires_whatever_else_is_unknown(rule_id, text):
    result = outcome_of(rule_id, facts_of(text))
    assert result.outcome == "fired"
    assert result.not_asked == ()
    assert set(result.because) <= leaves(BY_ID[rule_id].when)
    assert {read_leaf(leaf).subject for leaf in result.because} <= facts_of(text).keys()
    assert result.because


@pytest.mark.parametrize(("rule_id", "text"), rows("near_misses"))
def test_rule_keeps_still_at_a_near_miss(rule_id, text):
    result = outcome_of(rule_id, all_else_absent(BY_ID[rule_id], facts_of(text)))
    assert (result.outcome, result.because, result.not_asked) == ("not_met", (), ())


@pytest.mark.parametrize(("rule_id", "trial"), TRIALS.items(), ids=TRIALS)
def test_rule_stays_open_and_says_what_was_not_asked(rule_id, trial):
    result = outcome_of(rule_id, facts_of(trial["open"]))
    assert result.outcome == "open"
    assert result.because == ()
    assert trial["lacks"] in result.not_asked
    assert not set(result.not_asked) & facts_of(trial["open"]).keys()


@pytest.mark.parametrize("rule_id", BY_ID)
def test_every_leaf_can_make_a_difference(rule_id):
    # Each leaf decides the rule in some case: nothing in a condition is dead.
    rng = np.random.default_rng(7)
    names = sorted(subjects(BY_ID[rule_id].when))
    needed = set(names)
    base_self_care = facts_of(SELF_CARE)
    for _ in range(20000):
        if not needed:
            break
        rate = rng.choice([0.1, 0.3, 0.5])
        facts = {n: "present" if rng.random() < rate else "absent" for n in names}
        if rule_id == "exercise_linked":
            facts = dict(base_self_care)
        name = sorted(needed)[rng.integers(len(needed))]
        outcomes = set()
        for state in ("70_or_over", "under_50") if name == "age" else ("present", "absent"):
            outcomes.add(outcome_of(rule_id, {**facts, name: state}).outcome)
        if len(outcomes) == 2:
            needed.discard(name)
    assert not needed


@pytest.mark.parametrize("rule_", [r for r in RULES if r.level != "self_care"], ids=lambda r: r.id)
def test_no_answer_and_no_silence_lowers_an_urgency(rule_):
    def has_negation(when: When) -> bool:
        parts = [*when.all, *when.any, *(when.at_least.of if when.at_least else ())]
        return bool(when.none) or any(
            item.startswith("!") if isinstance(item, str) else has_negation(item) for item in parts
        )

    assert not has_negation(rule_.when)


def test_self_care_waits_for_every_patient_question_of_the_pressing_rules():
    # Where exertion-linked self-care fires, only examiners and laboratories can still hold an
    # emergency or urgent rule open: everything that the patient could have said was asked.
    by_examiner_or_laboratory = (
        "anal_tone_reduced pvr_gt200 hyperreflexia babinski clonus spasticity_marked "
        "dermatomal_sensory_loss pulses_reduced abi_low generalized_rigidity autonomic "
        "abnormal_posture tetany_trousseau k_low ca_low mg_low na_low qt_prolonged ck_gt10x"
    )
    absent = dict.fromkeys(by_examiner_or_laboratory.split(), "absent")
    pressing = [r for r in RULES if r.level in LEVELS[:2]]
    for result in evaluate(pressing, {**absent, **facts_of(SELF_CARE)}):
        assert result.outcome == "not_met", result.rule.id


def test_worked_levels():
    cases = {
        "": "routine",
        "buttock_pain bilateral": "routine",
        "dur_gt_2wk": "routine",
        "dur_gt_2wk refractory sleep_disrupted activity_limited": "routine",
        "night_pain side_lying_worse": "routine",
        "severe_pain": "soon",
        "severe_pain dur_gt_2wk": "soon",
        "bilateral cramp_spasm": "soon",
        "numbness_tingling": "soon",
        "progressive_neurology": "soon",
        "progressive": "soon",
        "refractory dur_gt_6mo": "soon",
        "severe_pain numbness_tingling": "urgent",
        "severe_pain progressive": "urgent",
        "antipsychotic_use generalized_rigidity": "urgent",
        "fever": "urgent",
        "trauma_recent age:under_50": "urgent",
        "severe_pain bilateral": "emergency",
        "severe_pain leg_weakness": "emergency",
        "trauma_recent age:70_or_over": "emergency",
        SELF_CARE: "self_care",
        "onset_during_exercise !dur_gt_2wk": "routine",
        f"{SELF_CARE} k_low": "soon",
    }
    assert {text: urgency(evaluate(RULES, facts_of(text))) for text in cases} == cases


def test_no_title_or_advice_reassures():
    found = [
        (r.id, word)
        for r in RULES
        for word in REASSURING
        if re.search(rf"\b{re.escape(word)}", f"{r.title} {r.advice}".lower())
    ]
    assert found == []


def test_advice_is_one_or_two_sentences_and_titles_are_short():
    for r in RULES:
        assert r.advice.endswith("."), r.id
        assert 1 <= len(re.findall(r"\.(?:\s|$)", r.advice)) <= 2, r.id
        assert len(r.title) <= 80, r.id


def test_every_leaf_names_a_finding_or_risk_and_its_states():
    findings, risks = read_toml("findings.toml"), read_toml("risks.toml")
    known = findings | risks
    wrong = []
    for r in RULES:
        for leaf in leaves(r.when):
            test = read_leaf(leaf)
            states = known.get(test.subject, {"states": ()}).get("states", ("absent", "present"))
            wrong += [(r.id, leaf) for state in test.states if state not in states]
    assert wrong == []


def test_every_source_is_listed():
    listed = {*read_toml("sources.toml"), "S0", "S1", "S2", "S3"}
    assert {source for r in RULES for source in r.sources} <= listed


def test_every_statement_has_the_form_of_a_ledger_id():
    for r in RULES:
        assert all(re.fullmatch(r"(S[0-3]|X)-\d\d", s) for s in r.statements), r.id
        assert r.statements or r.basis == "JUDGEMENT", r.id


def test_considered_is_silent_when_everything_was_asked():
    facts: dict[str, str | None] = {}
    for rule in RULES:
        facts |= all_else_absent(rule, {})
    assert considered(evaluate(RULES, facts)) == ()
