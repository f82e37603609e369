"""What --all tells of a case, in which order, and what nobody is ever told."""

import io
import json
import re
from collections.abc import Callable
from types import MappingProxyType

import pytest
from altered import altered
from rich.console import Console

from bayesdx.presentation.diagnosis_view import urgency_blocks
from bayesdx.presentation.layout import Paragraph
from bayesdx.presentation.terminal import show
from bayesdx.presentation.words import in_words, listed

CASES = MappingProxyType(
    {
        "piriformis": "age=41 duration=8 buttock_pain !bilateral cramp_spasm sitting_worse "
        "!numbness_tingling fair_pos sciatic_notch_tender !slr_pos",
        "cauda equina": "age=45 low_back_pain bilateral leg_weakness bladder_bowel_change "
        "saddle_numbness !fever bilateral_leg_deficit progressive_neurology",
        "malignant syndrome": "age=39 antipsychotic_use ck_ratio=12 cramp_spasm fever confusion "
        "autonomic generalized_rigidity !trauma_recent",
        "night cramps": "age=70 duration=4 diuretic_use hypertension potassium=4.0 bilateral "
        "cramp_spasm multi_site_cramps night_cramps !numbness_tingling",
        "claudication": "age=69 duration=40 smoking abi=0.62 buttock_pain bilateral cramp_spasm "
        "exertional_relief_rest !pale_cold_blue pulses_reduced",
        "strain": "age=24 duration=0.3 cramp_spasm load_worse onset_during_exercise bruising "
        "!cannot_bear_weight trauma_recent",
        "spastic legs": "age=61 duration=10 !known_cord_injury bilateral cramp_spasm progressive "
        "leg_weakness hyperreflexia babinski severe_pain walking_difficulty",
        "nerve tumour": "age=50 duration=56 leg_radiation=below_knee cramp_spasm night_pain "
        "refractory mass tinel_gluteal",
        "fracture": "age=79 duration=0.1 groin_pain cramp_spasm hip_motion_worse "
        "cannot_bear_weight limp trauma_recent",
        "statin and strain": "age=57 duration=0.7 statin_use buttock_pain !bilateral load_worse "
        "next_day_stiffness onset_during_exercise !dark_urine !trauma_recent",
        "abscess": "age=60 immunosuppression buttock_pain mass fever redness_warmth swelling",
        "impossible": "menstrual_cyclic sex=male bladder_bowel_change refractory",
        "nothing": "buttock_pain=unknown",
    }
)
EMERGENCIES = ("cauda equina", "malignant syndrome", "spastic legs", "fracture", "impossible")
#: "Nothing is ruled out" and the intended use, which says what is not claimed, are what may stay.
FORBIDDEN = re.compile(
    r"\b(unlikely|safe|harmless|benign|reassur\w*|worry|all[- ]clear|nothing serious|will pass"
    r"|no danger|low risk|is fine|excluded|ruled out|rules? out|probably)\b",
    re.IGNORECASE,
)

Told = Callable[..., str]


@pytest.fixture
def told(run, monkeypatch: pytest.MonkeyPatch) -> Told:
    """Return all that is printed for a case at this width."""

    def tell(name: str, columns: int = 100) -> str:
        monkeypatch.setenv("COLUMNS", str(columns))
        ran = run("diagnose", *CASES[name].split(), "--all")
        assert (ran.code, ran.err) == (0, "")
        return ran.out

    return tell


@pytest.fixture
def diagnosed(run) -> Callable[[str], dict]:
    return lambda name: json.loads(run("diagnose", *CASES[name].split(), "--json").out)


def flat(text: str) -> str:
    return " ".join(text.split())


# --- first ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_urgency_is_first_and_what_to_do_stands_above_the_numbers(
    told: Told, diagnosed, name: str
) -> None:
    out, case = told(name), diagnosed(name)
    assert out.startswith(f"Urgency: {case['urgency']}\n")
    numbers = out.find("posterior\n")
    above = flat(out[: numbers if numbers >= 0 else len(out)])
    for rule in case["red_flags"]:
        if rule["outcome"] == "fired" and rule["level"] == case["urgency"]:
            assert rule["advice"] in above
    for hit in case["expected_loss"]:
        assert hit["label"] in above


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_ruled_out_whatever_the_urgency(told: Told, name: str) -> None:
    head = told(name).split("\n\n")[0]
    assert head.count("Nothing is ruled out: ") == 1


def test_when_everything_was_asked_nothing_is_ruled_out_either(engine) -> None:
    console = Console(file=io.StringIO(), width=100)
    show(urgency_blocks(altered(engine.diagnose({"fever": "absent"}), red_flags=())), console)
    assert "Nothing is ruled out: " in console.file.getvalue()


@pytest.mark.parametrize("name", EMERGENCIES)
def test_emergency_asks_for_other_emergencies_before_the_numbers(told: Told, name: str) -> None:
    out = told(name)
    numbers = out.find("posterior\n")
    asked = out.index("Ask at once; each would be an emergency of its own:\n")
    assert numbers < 0 or asked < numbers


@pytest.mark.parametrize("name", ["piriformis", "nothing", "strain"])
def test_red_flags_that_were_not_asked_stand_above_the_numbers(told: Told, name: str) -> None:
    out = told(name)
    saddle = out.index("Numb saddle area, both legs failing")
    assert out.index("Ask first; each could raise the urgency:") < saddle
    assert saddle < out.index("posterior\n") < out.index("Ask next:")


def test_action_is_said_when_only_expected_loss_reaches_the_level(engine) -> None:
    diagnosis = engine.diagnose(dict.fromkeys(("saddle_numbness", "bilateral"), "present"))
    assert diagnosis.triage[0].level == diagnosis.urgency == "emergency"

    def said(**changes: object) -> str:
        console = Console(file=io.StringIO(), width=100)
        show(urgency_blocks(altered(diagnosis, **changes)), console)
        return flat(console.file.getvalue())

    action = "Go to an emergency department now and name these possibilities."
    assert action in said(red_flags=())
    # A rule of the level brings its own, better advice.
    assert action not in said()


# --- never ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_nothing_reassures(told: Told, engine, name: str) -> None:
    said = flat(told(name))
    said = said.replace(flat(engine.knowledge.model.intended_use), "")
    assert FORBIDDEN.findall(said.replace("Nothing is ruled out", "")) == []


def test_help_comes_after_the_look(told: Told) -> None:
    out = told("cauda equina")
    assert "\nWhat may help, once somebody has looked:\n" in out
    assert "What may help meanwhile" not in out


def test_stretching_advised_and_warned_of_agree(told: Told) -> None:
    out = flat(told("piriformis"))
    assert "do not hold stretches that pull on it" in out
    assert "Do not hold or force it" in out


# --- rows -------------------------------------------------------------------------------------


def test_a_cause_that_its_definition_forbids_is_not_called_excluded(told: Told) -> None:
    out = told("spastic legs")
    (row,) = [line for line in out.splitlines() if line.startswith("Spasticity after a known")]
    assert row.split()[-2:] == ["see", "note"]
    assert "see note: 0 by definition" in flat(out)


def test_numbers_are_said_to_be_of_several_causes_at_once(told: Told) -> None:
    out = flat(told("piriformis"))
    said = "present and contributes. Several can be present at once"
    assert out.index(said) < out.index("posterior")


@pytest.mark.parametrize("name", CASES)
def test_narrow_terminal_cuts_no_number_and_no_id(told: Told, engine, name: str) -> None:
    out = told(name, columns=60)
    assert max(len(line.rstrip()) for line in out.splitlines()) <= 60
    wide = told(name, columns=200)
    number = r"(?:[<>] )?\d+(?:\.\d+)? %"
    assert sorted(re.findall(number, out)) == sorted(re.findall(number, wide))
    assert not re.search(r"(?m)^\s*%|[<>]\s*$", out)
    named = [word for word in wide.split("\n\nUnderstood")[0].split() if "_" in word]
    ids = set(named) & set(engine.knowledge.causes)
    assert ids <= set(out.split())


# --- without probabilities --------------------------------------------------------------------


def test_impossible_evidence_keeps_red_flags_and_what_findings_call_for(told: Told) -> None:
    out = flat(told("impossible"))
    assert "Go to an emergency department now" in out
    assert "cannot occur together in this model: menstrual_cyclic, sex." in out
    assert "still counts" in out
    assert "Not better after good treatment: question the diagnosis" in out
    assert "posterior" not in out


def test_no_findings_print_nothing_that_rests_on_a_posterior(told: Told, engine, diagnosed) -> None:
    out = told("nothing")
    assert "the posteriors are the priors, and the urgency means nothing" in out
    ids = {*engine.knowledge.causes, *engine.knowledge.groups}
    for text in diagnosed("nothing")["management"] + diagnosed("nothing")["pitfalls"]:
        assert not {reason.split()[0] for reason in text["because"]} & ids


# --- --all, --json, pipes ---------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_all_prints_every_text_rule_and_source(told: Told, diagnosed, name: str) -> None:
    out, case = flat(told(name)), diagnosed(name)
    for text in case["management"] + case["pitfalls"]:
        assert text["text"] in out
        assert f"[{', '.join(text['statements'] or text['sources'])}]" in out
    for rule in case["red_flags"]:
        assert rule["outcome"] == "open" or rule["advice"] in out


@pytest.mark.parametrize("name", ["cauda equina", "nothing"])
def test_json_leaves_nothing_out(diagnosed, engine, name: str) -> None:
    case, diagnosis = diagnosed(name), engine.diagnose(diagnosed(name)["understood"])
    assert len(case["posteriors"]) == len(diagnosis.table)
    assert len(case["groups"]) == len(diagnosis.groups)
    assert [one["id"] for one in case["red_flags"]] == [one.id for one in diagnosis.red_flags]
    assert [one["id"] for one in case["management"]] == [one.id for one in diagnosis.management]
    assert [one["id"] for one in case["pitfalls"]] == [one.id for one in diagnosis.pitfalls]
    assert [one["cause"] for one in case["expected_loss"]] == [
        one.cause for one in diagnosis.triage
    ]


# --- words ------------------------------------------------------------------------------------


def test_reasons_are_said_by_their_labels(told: Told) -> None:
    head = flat(told("fracture").split("\n\n")[0])
    assert "Because of: recent fall, blow or other injury; " in head
    assert "age band: 70 to 79; " in head
    assert "_" not in head


@pytest.mark.parametrize(
    ("leaf", "said"),
    [
        ("fever", "fever"),
        ("!fever", "absent: fever"),
        ("fair_pos", "FAIR test positive"),
        ("age:65_to_69|70_or_over", "age band: 65 to 69 or 70 or over"),
        ("strange_id", "strange_id"),
    ],
)
def test_a_leaf_in_words(leaf: str, said: str) -> None:
    labels = {"fever": "Fever", "fair_pos": "FAIR test positive", "age": "Age band"}
    assert in_words(leaf, labels) == said


def test_a_leaf_says_what_the_case_says() -> None:
    leaf = "age:65_to_69|70_or_over"
    assert in_words(leaf, {"age": "Age"}, {"age": "70_or_over"}) == "age: 70 or over"


def test_a_list_is_cut_only_where_that_is_shorter() -> None:
    assert listed("abcde", every=False) == "a, b, c, d, e"
    assert listed("abcdef", every=False) == "a, b, c, d and 2 more"
    assert listed("abcdef", every=True) == "a, b, c, d, e, f"


def test_a_number_stays_with_its_signs() -> None:
    for width in range(12, 30):
        console = Console(file=io.StringIO(), width=width)
        show([Paragraph("It is 12 % now, or > 99.9 % then.", mark="- ", indent=2)], console)
        out = console.file.getvalue()
        assert "12 %" in out
        assert "> 99.9 %" in out
        assert flat(out) == "- It is 12 % now, or > 99.9 % then."
