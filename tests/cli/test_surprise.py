"""Whether the model fits, and the causal ranking, on the command line."""

import json

import pytest

STRANGE = ("saddle_numbness", "fever", "spasticity=grade_3_to_4")
CASE = ("low_back_pain", "!bilateral", "fair_pos")


def test_a_strange_case_is_called_so_with_its_rate(run, engine) -> None:
    ran = run("surprise", *STRANGE)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("Outside the model (at most 1.0 % of ordinary cases are called so).")
    intended_use = " ".join(engine.knowledge.model.intended_use.split())
    assert " ".join(ran.out.split()).endswith(intended_use)


def test_an_ordinary_case_is_not_praised(run) -> None:
    ran = run("surprise", *CASE)
    assert ran.out.startswith("Not called outside the model")
    assert "does not make the model right" in " ".join(ran.out.split())


def test_surprise_as_json(run, engine) -> None:
    told = json.loads(run("surprise", *CASE, "--json", "--draws", "199").out)
    found = engine.surprise(
        {"low_back_pain": "present", "bilateral": "absent", "fair_pos": "present"}, draws=199
    )
    assert told["p_rare"] == found.p_rare
    assert [row["observation"] for row in told["observations"]] == list(found.table.index)
    assert told["observations"][0]["ratio"] == pytest.approx(found.table["ratio"].iloc[0])


def test_ranking_says_what_its_numbers_are(run, engine) -> None:
    ran = run("rank", *CASE, "--top", "3")
    assert (ran.code, ran.err) == (0, "")
    assert "Of 2 findings that are present" in ran.out
    assert "not ruled out" in " ".join(ran.out.split())
    told = json.loads(run("rank", *CASE, "--json").out)
    assert (told["symptoms"], told["status"]) == (2, "ok")
    assert len(told["causes"]) == len(engine.causes)


@pytest.mark.parametrize("command", ["surprise", "rank"])
def test_faults_are_named(run, command) -> None:
    assert run(command).code == 2
    ran = run(command, "low_back_pian")
    assert ran.code == 2
    assert "Nearest: low_back_pain" in ran.err
