"""Which ids there are."""

import json

import pytest


@pytest.mark.parametrize("kind", ["causes", "findings", "risks", "measures"])
@pytest.mark.parametrize("columns", ["60", "120"])
def test_every_id_is_listed(run, engine, monkeypatch, kind: str, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    ran = run("list", kind)
    assert (ran.code, ran.err) == (0, "")
    assert set(getattr(engine.knowledge, kind)) <= set(ran.out.split())
    assert max(map(len, ran.out.splitlines())) <= int(columns)


def test_a_word_is_searched_in_ids_labels_and_other_names(run, engine) -> None:
    for word in ("PIRIFORMIS", "piriformis_syn", "trapped deep"):
        assert "syndrome" in run("list", "causes", "--search", word).out
    told = json.loads(run("list", "findings", "--search", "numb", "--json").out)["findings"]
    assert {"numbness_tingling", "saddle_numbness"} <= {one["id"] for one in told}
    assert len(told) < len(engine.knowledge.findings)


def test_measured_values_are_found_where_findings_are_sought(run, engine) -> None:
    found = run("list", "findings", "--search", "potassium").out
    assert {"k_low", "potassium", "mmol/L"} <= set(found.split())
    # A domain may have the measured value and no finding of that name.
    alone = run("list", "findings", "--search", "esr", "--priors", "examples/headache").out
    assert "1 measured value." in alone
    assert "findings" not in alone
    told = json.loads(run("list", "findings", "--json").out)
    assert [one["id"] for one in told["measures"]] == list(engine.knowledge.measures)
    assert run("list", "causes", "--search", "mmol").code == 2


def test_a_measured_value_tells_its_units_and_cuts(run, engine) -> None:
    said = run("show", "measure", "potassium").out
    assert "unit: mmol/L" in said
    assert "k_level: cut at 2.5, 3, 3.5 mmol/L" in said
    for name, measure in engine.knowledge.measures.items():
        told = " ".join(run("show", "measure", name).out.split())
        assert all(one.target in told for one in measure.sets)
    refused = run("show", "finding", "potassium")
    assert refused.code == 2
    assert "(potassium is a measured value: show measure)" in " ".join(refused.err.split())


def test_a_word_that_is_nowhere_gets_the_nearest(run) -> None:
    ran = run("list", "causes", "--search", "piriformes")
    assert (ran.code, ran.out) == (2, "")
    assert "expected a word that causes have, got 'piriformes'. Nearest: " in ran.err


def test_show_without_an_id_lists(run, engine) -> None:
    assert run("show", "risk").out == run("list", "risks").out
    assert set(engine.knowledge.statements) <= set(run("show", "statement").out.split())
