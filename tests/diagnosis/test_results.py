"""Every answer in plain values, which is what it is shown from."""

import json
import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import bayesdx
from bayesdx.diagnosis.results import plain

CASE = {"buttock_pain": "present", "sitting_worse": "present", "fever": "absent", "age": 60}
QUESTIONS: dict[str, Callable[[bayesdx.Engine], object]] = {
    "diagnose": lambda engine: engine.diagnose(CASE),
    "explain": lambda engine: engine.explain(CASE, "gtps"),
    "next_questions": lambda engine: engine.next_questions(CASE, limit=3),
    "what_if": lambda engine: engine.what_if(CASE, {"fever": "present"}),
    "surprise": lambda engine: engine.surprise(CASE, draws=199),
    "rank_causes": lambda engine: engine.rank_causes(CASE),
}


@pytest.fixture(scope="module")
def engine() -> bayesdx.Engine:
    return bayesdx.load()


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_answer_is_its_records(engine: bayesdx.Engine, question: str) -> None:
    answer = QUESTIONS[question](engine)
    records = answer.records()
    assert json.loads(json.dumps(records)) == records
    for name, value in records.items():
        own = getattr(answer, name)
        if isinstance(own, pd.DataFrame):
            assert len(value) == len(own)
            assert all(list(row)[-len(own.columns) :] == list(own.columns) for row in value)
            assert "NaN" not in json.dumps(value)


def test_plain_values() -> None:
    frame = pd.DataFrame(
        {"x": [1.5, math.nan, math.inf]}, index=pd.MultiIndex.from_product([["a"], [1, 2, 3]])
    ).rename_axis(["one", "two"])
    assert plain(frame) == [
        {"one": "a", "two": 1, "x": 1.5},
        {"one": "a", "two": 2, "x": None},
        {"one": "a", "two": 3, "x": math.inf},
    ]
    assert plain({1: (np.int8(2), np.array([True]), pd.NA, "t")}) == {"1": [2, [True], None, "t"]}
