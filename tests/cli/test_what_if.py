"""`bayesdx what-if` as somebody types it."""

import json
import re
from pathlib import Path

import pytest
from small_priors import SMALL, write_priors

CASE = ("low_back_pain", "fair_pos", "!bilateral", "slr_pos=absent")


def test_what_would_change_the_answer(run) -> None:
    ran = run("what-if", *CASE)
    assert (ran.code, ran.err) == (0, "")
    said = " ".join(ran.out.split())
    assert "at the lower and the upper end of its range" in said
    assert "the first cause becomes " in said
    assert "inside its range" in said
    assert "slr_pos: absent to present" in said
    assert "nothing here rules a cause out" in said
    assert "never rules a dangerous cause out" in said
    assert "safe" not in said.casefold()


def test_everything_as_json(run, tmp_path: Path) -> None:
    priors = str(write_priors(tmp_path, SMALL))
    case = ("ck_high", "statin_use", "!cramp")
    content = json.loads(run("what-if", *case, "--json", "--priors", priors).out)
    assert content["tornado"][0]["method"] == "exact"
    assert {row["target"] for row in content["numbers"]} == {"first"}
    assert "it rests on what was answered" in content["numbers_not_found"]["urgency"]
    assert content["findings"][0]["size"] == 1
    assert content["findings_searched_up_to"]["first"] == 1
    assert content["intended_use"] == "tests"


def test_before_and_after(run, tmp_path: Path) -> None:
    profile = tmp_path / "clinic.toml"
    text = 'label = "Clinic"\ndenominator = "people sent there"\nsource = "its register"\n'
    profile.write_text(text + "[priors]\ngtps = 0.3\n", encoding="utf-8")
    arguments = ("-c", "fever", "-c", "slr_pos=unknown", "--profile", str(profile))
    ran = run("what-if", *CASE, *arguments, "--prior", "piriformis_syndrome=0.2")
    assert (ran.code, ran.err) == (0, "")
    said = " ".join(ran.out.split())
    assert "fever: unknown before, present after" in said
    assert "slr_pos: absent before, unknown after" in said
    assert "prior of gtps: 17.0 % before, 30.0 % after (of people sent there; its register)" in said
    assert re.search(r"prior of piriformis_syndrome: 5\.\d % before, 20\.0 % after", said)
    assert "Urgency: routine before, emergency after." in said
    assert "Red flags that fire now: fever" in said
    content = json.loads(run("what-if", *CASE, "-c", "fever", "--json").out)
    assert content["after"]["urgency"] == "emergency"
    assert content["changed"] == {"fever": ["unknown", "present"]}


def test_what_no_longer_fires_is_no_comfort(run) -> None:
    ran = run("what-if", "low_back_pain", "fever", "-c", "fever=absent")
    said = " ".join(ran.out.split())
    assert "That does not make it harmless." in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "expected findings, such as fever=present, got none"),
        (("low_back_pain", "-c", "fevr"), "Nearest: fever"),
        (("low_back_pain", "--prior", "gtps=2"), "p strictly between 0 and 1, got 'gtps=2'"),
        (("low_back_pain", "--prior", "gtps"), "p strictly between 0 and 1, got 'gtps'"),
        (("low_back_pain", "--prior", "gtp=0.1"), "Nearest: gtps"),
        (("low_back_pain", "--cause", "gtp"), "Nearest: gtps"),
        (("low_back_pain", "--prior", "gtps=0.1", "--prior", "gtps=0.2"), "one prior of gtps"),
        (("low_back_pain", "--profile", "nowhere.toml"), "nowhere.toml"),
    ],
)
def test_slips(run, arguments: tuple[str, ...], message: str) -> None:
    ran = run("what-if", *arguments)
    assert ran.code == 2
    assert message in ran.err
    assert "Traceback" not in ran.err
    assert ran.out == ""
