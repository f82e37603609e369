"""Drift over windows: silent on cases of the model, told where something has changed."""

import numpy as np
import pandas as pd
import pytest

import bayesdx
from bayesdx.diagnosis.drift_check import Drift, drift
from bayesdx.diagnosis.learning.learning_table import LabelledInput
from bayesdx.errors import BayesdxError, InvalidCase
from bayesdx.inference.noisy.compiling import with_numbers
from bayesdx.inference.noisy.model import NoisyModel
from bayesdx.inference.noisy.sampling import sample_cases

MONTHS = 4


@pytest.fixture(scope="module")
def engine() -> bayesdx.Engine:
    return bayesdx.load("examples/headache")


def clinic(model: NoisyModel, seed: int, size: int, asked: float = 0.3) -> pd.DataFrame:
    """Cases of a model over four months, some findings asked, half of the labels known."""
    rng = np.random.default_rng(seed)
    n = MONTHS * size
    sample = sample_cases(model, n, rng)
    words = np.array(["absent", "present"], dtype=object)
    columns = {}
    for f, name in enumerate(model.findings):
        told = words[sample.findings[:, f].astype(int)]
        columns[name] = np.where(rng.random(n) < asked, told, "")
    labelled = rng.random(n) < 0.5
    for c, name in enumerate(model.causes):
        told = words[sample.causes[:, c].astype(int)]
        columns[f"cause:{name}"] = np.where(labelled, told, "")
    columns["date"] = [f"2026-{1 + i // size:02d}-15" for i in range(n)]
    return pd.DataFrame(columns)


def false_alarms(core, count: int) -> int:
    """Reports of ``count`` that tell of a drift, at a rate of 0.2, of cases of the model itself."""
    return sum(
        drift(core, clinic(core.model, 100 + k, 40), time="date", false_alarm=0.2, seed=k).drifts
        for k in range(count)
    )


def test_cases_of_the_model_hardly_drift(engine) -> None:
    # More than 5 of 8 reports at 0.2 come in 0.1 % of all runs.
    assert false_alarms(engine.core, 8) <= 5


@pytest.mark.slow
def test_cases_of_the_model_are_said_to_drift_as_often_as_is_stated(engine) -> None:
    # More than 19 of 60 reports at 0.2 come in 1 % of all runs.
    assert false_alarms(engine.core, 60) <= 19


def test_a_month_of_other_people_drifts(engine) -> None:
    model, size = engine.core.model, 150
    frame = clinic(model, 1, size)
    often = tuple(np.clip(4.0 * one, 0.0, 0.6) for one in model.cause_tables)
    other = clinic(with_numbers(model, cause_tables=often), 2, size)
    frame.loc[frame.index[-size:], other.columns[:-1]] = other.iloc[-size:, :-1].to_numpy()
    found = drift(engine.core, frame, time="date")
    assert isinstance(found, Drift)
    assert list(found.windows.index) == ["2026-01", "2026-02", "2026-03", "2026-04"]
    assert found.windows["alarm"].iloc[:3].tolist() == [""] * 3
    last = found.windows.iloc[3]
    assert "log_evidence" in last["alarm"]
    assert "large" in last["alarm"]
    # More is present than is answered.
    assert last["calibration_in_the_large"] > 3.0 * last["calibration_in_the_large_sd"]
    assert last["log_evidence"] < last["expected"]


def test_a_question_that_is_asked_more_is_told(engine) -> None:
    model, size = engine.core.model, 100
    frame, rng = clinic(model, 3, size), np.random.default_rng(0)
    sample = sample_cases(model, len(frame), rng)
    name = model.findings[0]
    told = np.where(sample.findings[:, 0], "present", "absent")
    own = np.arange(len(frame)) >= 3 * size
    frame[name] = np.where(own & (rng.random(len(frame)) < 0.9), told, frame[name])
    found = drift(engine.core, frame, time="date", references=5)
    row = found.asking.iloc[0]
    assert (row["window"], row["finding"]) == ("2026-04", name)
    assert row["asked"] > 0.8 > 0.4 > row["asked_elsewhere"]
    assert "asking" in found.windows.loc["2026-04", "alarm"]


def test_what_cannot_be_read_is_one_clear_error(engine) -> None:
    frame = clinic(engine.core.model, 4, 5)
    with pytest.raises(BayesdxError, match=r"(?s)time.*dat.*date.*window.*monht.*month"):
        drift(engine.core, frame, time="dat", window="monht")
    frame.loc[2, "date"] = "last week"
    frame.loc[4, "date"] = ""
    with pytest.raises(InvalidCase, match=r"(?s)row 2, date.*'last week'.*row 4, date"):
        drift(engine.core, frame, time="date")
    found = drift(engine.core, frame, LabelledInput(on_error="reject"), time="date", references=5)
    assert found.counts["refused"] == 2
    assert found.counts["used"] == 18
    # Five cases are too few to be judged.
    assert found.windows["log_evidence_p"].isna().all()
