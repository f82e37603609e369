"""Cases that count as less than one: what a weight does, and how one is chosen."""

import numpy as np
import pandas as pd
import pytest

import bayesdx
from bayesdx.diagnosis.learning.case_weight import WEIGHTS
from bayesdx.errors import BayesdxError

MIGRAINE = "cause:migraine"


@pytest.fixture(scope="module")
def engine() -> bayesdx.Engine:
    return bayesdx.load("examples/headache")


def clinic(count: int, seed: int, copies: bool = False) -> pd.DataFrame:
    """Cases with a label; with ``copies`` three findings say one thing, which no network says."""
    rng = np.random.default_rng(seed)
    migraine = rng.random(count) < 0.5
    names, sensed = ("nausea", "throbbing", "worse_with_activity"), rng.random((3, count))
    if copies:
        sensed[1:] = sensed[0]
    columns = {
        name: np.where(sensed[i] < np.where(migraine, 0.95, 0.05), "yes", "no")
        for i, name in enumerate(names)
    }
    return pd.DataFrame({**columns, MIGRAINE: np.where(migraine, "yes", "no")})


def test_two_halves_are_one(engine: bayesdx.Engine) -> None:
    once = clinic(60, 0)
    whole = engine.learn(once, folds=2)
    halves = engine.learn(pd.concat([once, once], ignore_index=True), folds=2, case_weight=0.5)
    assert halves.case_weight == 0.5
    assert set(halves.table.index) == set(whole.table.index)
    own = halves.table.loc[whole.table.index]
    for name in ("after", "low_after", "high_after"):
        np.testing.assert_allclose(own[name], whole.table[name], rtol=2e-3, err_msg=name)
    assert halves.log_posterior_after == pytest.approx(whole.log_posterior_after, abs=1e-3)


def test_lighter_cases_move_numbers_less_and_leave_them_wider(engine: bayesdx.Engine) -> None:
    heavy, light = (engine.learn(clinic(120, 1), folds=2, case_weight=w) for w in (1, 0.1))
    place = "causes/migraine.toml:links.nausea"
    before, (after, lightly) = 0.81, (one.table.loc[place] for one in (heavy, light))
    assert abs(lightly["after"] - before) < 0.7 * abs(after["after"] - before)
    width = [one["high_after"] - one["low_after"] for one in (after, lightly)]
    assert width[1] > 1.3 * width[0]
    assert lightly["effective_cases"] < 0.2 * after["effective_cases"]
    assert "case_weight = 0.1" in light.to_toml().splitlines()
    assert light.learning.case_weight == 0.1


def test_where_findings_copy_each_other_cases_count_less(engine: bayesdx.Engine) -> None:
    frame = clinic(200, 2, copies=True)
    plain, chosen = (engine.learn(frame, folds=3, case_weight=w) for w in (1.0, "auto"))
    assert chosen.case_weight in WEIGHTS[1:]
    before, after = (one.scores.loc["log_score", "after"] for one in (plain, chosen))
    assert after > before
    slopes = [one.scores.loc["calibration_slope", "after"] for one in (plain, chosen)]
    assert abs(np.log(slopes[1])) < abs(np.log(slopes[0]))
    # What is chosen does not depend on the day.
    again = engine.learn(frame, folds=3, case_weight="auto")
    assert again.to_toml() == chosen.to_toml()


def test_few_cases_count_whole(engine: bayesdx.Engine) -> None:
    found = engine.learn(clinic(5, 3), folds=2, case_weight="auto")
    assert found.case_weight == 1.0


@pytest.mark.parametrize("weight", [0.0, -1, 1.5, float("nan"), True, "often", None])
def test_what_is_no_weight_is_told(engine: bayesdx.Engine, weight: object) -> None:
    with pytest.raises(BayesdxError, match=r"case_weight: expected a number above 0, at most 1"):
        engine.learn(clinic(20, 4), case_weight=weight)
