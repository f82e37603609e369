"""One question put to every case of a table, against the question put to each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import polars as pl
import pytest

import bayesdx

Rows = list[dict[str, Any]]
QUESTIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any], dict[str, Any]]] = {
    "intervals": (
        bayesdx.Engine.intervals_many,
        bayesdx.Engine.intervals,
        {"draws": 40, "seed": 2, "level": 0.8},
    ),
    "surprise": (bayesdx.Engine.surprise_many, bayesdx.Engine.surprise, {"draws": 199}),
    "next_questions": (
        bayesdx.Engine.next_questions_many,
        bayesdx.Engine.next_questions,
        {"limit": 3, "observed_by": "patient"},
    ),
    "rank_causes": (bayesdx.Engine.rank_causes_many, bayesdx.Engine.rank_causes, {}),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_answers_are_those_of_each_case(engine: bayesdx.Engine, rows: Rows, question: str) -> None:
    many, one, options = QUESTIONS[question]
    frame = pd.DataFrame(rows, index=pd.Index(["p", "q", "r"], name="patient")).assign(note="x")
    found = many(engine, frame, **options)
    assert found.cases.index.equals(frame.index)
    for label, row in zip("pqr", rows, strict=True):
        single = one(engine, row, **options)
        table = found.table.xs(label, level="case")
        pd.testing.assert_frame_equal(table, single.table, rtol=0, atol=1e-12, check_dtype=False)
        for name, value in single.singles().items():
            expected = pytest.approx(value, abs=1e-12) if type(value) is float else value
            assert found.cases.loc[label, name] == expected
    assert (found.cases["fault"] == "").all()
    assert found.to_dict()["cases"][0]["patient"] == "p"


@pytest.mark.parametrize("question", [*QUESTIONS, "explain"])
def test_a_bad_row_costs_one_row(engine: bayesdx.Engine, rows: Rows, question: str) -> None:
    explain = (bayesdx.Engine.explain_many, None, {"causes": "gtps"})
    many, _, options = QUESTIONS.get(question, explain)
    sound = [rows[0], rows[2]]
    bad = [rows[0], {"fever": "perhaps"}, rows[2]]
    found, expected = many(engine, bad, **options), many(engine, sound, **options)
    assert found.cases["status"].tolist() == ["ok", "rejected", "ok"]
    assert "expected present, absent or unknown" in found.cases["fault"].iloc[1]
    table = found.table
    if question == "explain":
        assert found.cases.index.get_level_values("case").tolist() == [0, 1, 2]
        table = table[table.index.get_level_values("case") != 1]
    pd.testing.assert_frame_equal(
        table.reset_index(drop=True), expected.table.reset_index(drop=True), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("question", [*QUESTIONS, "explain"])
def test_impossible_empty_and_unknown(engine: bayesdx.Engine, question: str) -> None:
    many, _, options = QUESTIONS.get(question, (bayesdx.Engine.explain_many, None, {}))
    cases = pl.DataFrame(
        {"sex": ["male", None], "menstrual_cyclic": ["present", None], "case_id": ["a", "b"]}
    )
    found = many(engine, cases, **options)
    statuses = found.cases["status"].tolist()
    assert statuses[0] == "impossible"
    assert statuses[1] in ("no_findings", "ok")
    none = many(engine, pd.DataFrame({"fever": []}), **options)
    assert len(none.cases) == len(none.table) == 0
    with pytest.raises(bayesdx.InvalidCase, match="id, keep and ignore are for others"):
        many(engine, [{"shoe": 1}], **options)


def test_bad_options_are_no_rejected_rows(engine: bayesdx.Engine, rows: Rows) -> None:
    with pytest.raises(bayesdx.BayesdxError, match="draws: expected"):
        engine.intervals_many(rows, draws=1)
    with pytest.raises(bayesdx.InvalidCase, match="reporting: expected"):
        engine.surprise_many(rows, reporting="x")
    with pytest.raises(bayesdx.InvalidCase, match="cause: expected"):
        engine.next_questions_many(rows, cause="x")


def test_cases_may_share_a_label(engine: bayesdx.Engine, rows: Rows) -> None:
    frame = pd.DataFrame(rows, index=[7, 7, 8])
    table = engine.rank_causes_many(frame).table
    assert table.index.get_level_values("case").tolist().count(7) == 2 * len(engine.core.causes)
