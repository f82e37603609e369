"""The certificate against every combination of answers: it holds if and only if none changes."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from asking_priors import ASKING
from small_priors import write_priors

import bayesdx
from bayesdx.diagnosis.asking import certificate
from bayesdx.diagnosis.asking.certificate import Certificate, certify
from bayesdx.diagnosis.asking.outlook import outlooks_of

ANSWERS = {
    "cramp": ("absent", "present"),
    "radiation": ("none", "thigh", "foot"),
    "ck_high": ("absent", "present"),
    "severe_pain": ("absent", "present"),
    "statin_use": ("absent", "present"),
    "age": ("under_60", "60_or_over"),
    "bulge": ("absent", "present"),
    "bulge_front": ("absent", "present"),
    "weeks": ("1", "10", "100"),
}
OBSERVED_BY = {
    "ck_high": "laboratory",
    "bulge": "examiner",
    "bulge_front": "examiner",
}
LEVELS = ("routine", "soon", "urgent", "emergency")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> bayesdx.Engine:
    folder: Path = tmp_path_factory.mktemp("asking") / "priors"
    return bayesdx.load(write_priors(folder, ASKING))


def certified(engine: bayesdx.Engine, case: dict[str, str], *observers: str) -> Certificate:
    core = engine.core
    return certify(outlooks_of(core, core.read_case(case), observers or None)[0], observers)


def by_brute_force(engine: bayesdx.Engine, case: dict[str, str], *observers: str) -> set[str]:
    """Every urgency that answers to what is open could lead to, given in part or in full."""
    left = [
        name
        for name in ANSWERS
        if name not in case and (not observers or OBSERVED_BY.get(name, "patient") in observers)
    ]
    rows = product(*(("", *ANSWERS[name]) for name in left))
    table = pd.DataFrame(rows, columns=left, dtype=object).assign(**case)
    # Of nothing at all the urgency means nothing; it is that of the rules.
    return {*engine.score(table)["urgency"], engine.diagnose(case).urgency}


def random_case(rng: np.random.Generator, share: float) -> dict[str, str]:
    return {
        name: str(rng.choice(states)) for name, states in ANSWERS.items() if rng.random() < share
    }


def test_it_is_given_if_and_only_if_no_combination_changes(engine) -> None:
    rng, seen = np.random.default_rng(5), set()
    for share in (0.55, 0.7, 0.8, 0.9):
        for observers in ((), ("patient",), ("patient", "examiner"), ("laboratory",)):
            for _ in range(4):
                case = random_case(rng, share)
                found = certified(engine, case, *observers)
                right = by_brute_force(engine, case, *observers)
                assert found.urgency in right
                assert found.holds == (len(right) == 1), (case, observers, found, right)
                assert found.holds or found.shown
                seen.add((found.holds, found.proof))
    # Every road to an answer was taken.
    assert {
        (True, "nothing_left"),
        (True, "rules"),
        (True, "every_combination"),
        (False, ""),
    } <= seen


def test_bounds_alone_never_give_it_wrongly(engine, monkeypatch) -> None:
    monkeypatch.setattr(certificate, "MOST_COMBINATIONS", 0)
    rng, proven = np.random.default_rng(6), 0
    for share in (0.3, 0.6, 0.75, 0.9):
        for observers in ((), ("patient",), ("laboratory",)):
            for _ in range(5):
                case = random_case(rng, share)
                found = certified(engine, case, *observers)
                right = by_brute_force(engine, case, *observers)
                if found.holds:
                    assert len(right) == 1, (case, observers, found, right)
                elif found.shown:
                    assert len(right) > 1, (case, observers, found, right)
                proven += found.proof == "bounds"
    assert proven > 0


def test_it_names_what_could_change(engine) -> None:
    found = certified(engine, {"cramp": "present", "bulge_front": "absent", "weeks": "1"})
    assert not found.holds
    assert set(found.rules) == {"dark", "wait"}
    assert found.causes == ("clot",)
    assert "Severe pain in somebody on a statin" in found.reason
    assert "Clot" in found.reason


def test_who_is_asked_matters(engine) -> None:
    case = {name: answers[0] for name, answers in ANSWERS.items() if name not in OBSERVED_BY}
    assert certified(engine, case, "patient").proof == "nothing_left"
    assert not certified(engine, case, "patient", "examiner").holds


def test_an_emergency_by_rule_cannot_change(engine) -> None:
    found = certified(engine, {"severe_pain": "present", "statin_use": "present"})
    assert (found.holds, found.urgency, found.proof) == (True, "emergency", "rules")


def test_an_urgency_that_can_fall_is_not_certified(engine) -> None:
    """A score that holds the level alone is lowered by an absent answer."""
    rng, fell = np.random.default_rng(8), 0
    for _ in range(60):
        case = random_case(rng, 0.6)
        order = ("emergency", "urgent", "soon", "routine", "self_care")
        level = order.index(engine.diagnose(case).urgency)
        if max(map(order.index, by_brute_force(engine, case))) > level:
            fell += 1
            assert not certified(engine, case).holds
    assert fell > 0


def test_impossible_cases_speak_through_their_rules() -> None:
    packaged = bayesdx.load()
    impossible = {"sex": "male", "menstrual_cyclic": "present"}
    assert packaged.diagnose(impossible).status == "impossible"
    found = certified(packaged, impossible, "patient")
    # Scores of dangerous causes look at the answers alone, as rules do.
    assert not found.holds
    assert "cauda_equina" in found.causes
    assert "cauda_equina" in found.rules
    found = certified(packaged, {**impossible, "saddle_numbness": "present"})
    assert (found.holds, found.urgency, found.proof) == (True, "emergency", "rules")


def test_it_never_reassures(engine) -> None:
    texts = [certified(engine, {"severe_pain": "present", "statin_use": "present"}).reason]
    texts.append(certified(engine, {"cramp": "absent"}, "patient").reason)
    assert "no all-clear" in texts[0]
    for text in texts:
        assert [word for word in ("safe", "ruled out", "no danger") if word in text] == []
