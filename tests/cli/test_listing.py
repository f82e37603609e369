"""Which ids there are."""

import json

import pytest


@pytest.mark.parametrize("kind", ["causes", "findings", "risks"])
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


def test_a_word_that_is_nowhere_gets_the_nearest(run) -> None:
    ran = run("list", "causes", "--search", "piriformes")
    assert (ran.code, ran.out) == (2, "")
    assert "expected a word that causes have, got 'piriformes'. Nearest: " in ran.err


def test_show_without_an_id_lists(run, engine) -> None:
    assert run("show", "risk").out == run("list", "risks").out
    assert set(engine.knowledge.statements) <= set(run("show", "statement").out.split())
