"""JSON of every result: strict, and all of it."""

import json
import math

import numpy as np
import pytest

import bayesdx
from bayesdx.presentation.as_json import result_json, strict

CASE = {"low_back_pain": "present", "fair_pos": "present", "age": 41}


@pytest.fixture(scope="module")
def engine() -> bayesdx.Engine:
    return bayesdx.load()


@pytest.mark.parametrize("ask", ["diagnose", "explain", "surprise", "rank_causes"])
@pytest.mark.parametrize("case", [CASE, {}, {"sex": "male", "menstrual_cyclic": "present"}])
def test_every_part_is_there_and_strict(engine: bayesdx.Engine, ask: str, case: dict) -> None:
    result = getattr(engine, ask)(case)
    text = result_json(result, "for tests")

    def refuse(word: str) -> None:
        raise AssertionError(word)

    told = json.loads(text, parse_constant=refuse)
    assert len(told) == len(result.records()) + 1
    assert told["status"] == result.status
    assert told["intended_use"] == "for tests"


def test_what_json_cannot_say_is_null() -> None:
    given = {1: (math.inf, np.float64("nan"), np.int64(3)), "b": [True, None, "x"]}
    assert strict(given) == {"1": [None, None, 3], "b": [True, None, "x"]}
