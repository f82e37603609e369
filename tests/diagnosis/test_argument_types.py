"""Arguments of the wrong kind are told in a sentence, as wrong values are."""

from collections.abc import Callable

import numpy as np
import pytest

import bayesdx

CASE = {"low_back_pain": "present"}
WORDS = np.array(["posterior", "raise"])
Ask = Callable[[bayesdx.Engine], object]


@pytest.fixture(scope="module")
def engine() -> bayesdx.Engine:
    return bayesdx.load()


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda e: e.intervals(CASE, draws="x"), "draws: expected a whole number .*, got 'x'"),
        (lambda e: e.intervals(CASE, draws=2.5), "draws: expected a whole number .*, got 2.5"),
        (lambda e: e.intervals(CASE, draws=True), "draws: expected a whole number .*, got True"),
        (lambda e: e.intervals(CASE, level="90%"), "level: expected a share .*, got '90%'"),
        (lambda e: e.intervals(CASE, seed=None), "seed: expected a whole number .*, got None"),
        (lambda e: e.surprise(CASE, draws="x"), "draws: expected a whole number .*, got 'x'"),
        (lambda e: e.next_questions(CASE, limit="3"), "limit: expected a whole number .*, got '3'"),
        (lambda e: e.what_if(CASE, 5), "change: expected a mapping of names to values, got 5"),
        (lambda e: e.what_if(CASE, priors=["gtps"]), "priors: expected a mapping of causes"),
        (lambda e: e.with_priors(5), "priors: expected a mapping of causes"),
        (lambda e: e.explain(CASE, 5), "cause: expected the id of a cause, or several, got 5"),
        (lambda e: e.learn_pooled(5), "places: expected the sums of one place or more, .*got 5"),
        (lambda e: e.learn_pooled([5]), "place 1: expected sums .*case_statistics.*, got 5"),
        (lambda e: e.with_priors(profile="gp"), "profile: expected a Profile .*, got 'gp'"),
        (lambda e: e.what_if(CASE, profile={}), "profile: expected a Profile .*, got {}"),
        (lambda e: e.with_priors(0), "priors: expected a mapping of causes .*, got 0"),
        (lambda e: e.next_questions(CASE, observed_by=5), "observed_by: expected an observer.* 5"),
        (lambda e: e.next_questions(CASE, without=5), "without: expected the id of a question.* 5"),
        (lambda e: e.next_questions(CASE, cause=WORDS), "cause: expected the id of a modelled"),
        (lambda e: e.turning_points(CASE, largest="2"), "largest: expected a number .*, got '2'"),
        (lambda e: e.score([CASE], id=WORDS), "id: expected a column of the table, got array"),
        (lambda e: e.score([CASE], measure=WORDS), "measure: expected one of posterior, .*array"),
        (lambda e: e.score([CASE], on_error=WORDS), "on_error: expected one of .*array"),
        (lambda e: e.score([{"\ud800": 1}]), "cases: expected names of columns that are text"),
        (lambda e: e.learn([CASE], sample=WORDS), "sample: expected consecutive or selected"),
        (lambda e: e.learn([CASE], ignore=5), "ignore: expected a column .*, got 5"),
        (lambda e: e.learn([{0: 1}]), "column: expected the name of a finding, .*, got '0'"),
        (lambda e: e.drift([CASE], time=["a"]), "time: expected a column of the table"),
        (lambda e: e.drift([CASE], time="a", window=[1]), "window: expected one of day, week"),
        (lambda e: e.drift([CASE], time="a", false_alarm="1"), "false_alarm: expected a rate"),
        (lambda e: e.case_statistics([CASE], at=5), "at: expected the round that .*, got 5"),
        (lambda e: e.case_statistics([CASE], earlier=5), "earlier: expected sums .*, got 5"),
        (lambda _: bayesdx.load(backend=WORDS), "backend: expected auto, numpy or compiled"),
        (lambda _: bayesdx.Engine("priors"), "knowledge: expected Knowledge .*, got 'priors'"),
        (lambda e: e.tornado(CASE, 5), "cause: expected a cause of the model, got 5"),
    ],
)
def test_what_is_no_such_argument_is_told(engine: bayesdx.Engine, ask: Ask, message: str) -> None:
    with pytest.raises(bayesdx.BayesdxError, match=message):
        ask(engine)


def test_numbers_of_numpy_are_numbers(engine: bayesdx.Engine) -> None:
    found = engine.intervals(CASE, draws=np.int64(20), level=np.float64(0.5), seed=np.int32(1))
    right = engine.intervals(CASE, draws=20, level=0.5, seed=1)
    assert found.table.equals(right.table)
