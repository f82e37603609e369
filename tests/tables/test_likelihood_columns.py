"""Columns of likelihoods: the same evidence by every door, and what is wrong with it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from agrum_networks import agrum_answer, example

import bayesdx
from bayesdx import InvalidCase
from bayesdx.tables.networks import CompiledNetwork

ROWS = [
    {"smoke": "yes", "xray=yes": 0.8, "xray=no": 0.1, "dysp=yes": 2.0, "dysp=no": 6.0},
    {"dysp=yes": 0.0, "dysp=no": 1.0},
    {"xray": "yes"},
    {"smoke": "no", "xray=yes": "0.25", "xray=no": "0.5"},
]


@pytest.fixture(scope="module")
def asia() -> CompiledNetwork:
    return bayesdx.compile_network(example("asia")[0])


def told(answer: object) -> np.ndarray:
    posteriors = np.concatenate(list(answer.posteriors.values()), axis=1)
    return np.column_stack([posteriors, answer.log_evidence])


def test_every_door_says_what_pyagrum_says(asia: CompiledNetwork) -> None:
    frame = pd.DataFrame(ROWS, index=["a", "b", "c", "d"])
    answers = told(asia.query(frame))
    np.testing.assert_allclose(told(asia.query(ROWS)), answers, rtol=0, atol=1e-14)
    for row, case in enumerate(ROWS):
        np.testing.assert_allclose(told(asia.query(case))[0], answers[row], rtol=0, atol=1e-14)
        evidence = {name: state for name, state in case.items() if "=" not in name}
        for name in ("xray", "dysp"):
            if f"{name}=yes" in case:
                evidence[name] = [float(case[f"{name}={state}"]) for state in ("yes", "no")]
        log_evidence, posteriors = agrum_answer(example("asia")[1], evidence)
        wanted = np.concatenate([posteriors[name] for name in asia.network.variables])
        np.testing.assert_allclose(answers[row, :-1], wanted, rtol=0, atol=1e-12)
        assert answers[row, -1] == pytest.approx(log_evidence, abs=1e-12)
    given = {
        name: frame[[f"{name}=yes", f"{name}=no"]].astype(float).to_numpy()
        for name in ("xray", "dysp")
    }
    soft = asia.query(frame[["smoke", "xray"]], likelihoods=given)
    np.testing.assert_allclose(told(soft), answers, rtol=0, atol=1e-14)
    best = asia.mpe(frame)
    assert (
        best["log_probability"].tolist()
        == asia.mpe(frame[["smoke", "xray"]], likelihoods=given)["log_probability"].tolist()
    )


def test_state_names_may_hold_the_sign() -> None:
    child = bayesdx.compile_network(example("child")[0])
    states = child.query({}).states["CO2Report"]
    case = {f"CO2Report={state}": 1.0 + at for at, state in enumerate(states)}
    soft = child.query([{}], likelihoods={"CO2Report": np.array([[1.0, 2.0]])})
    np.testing.assert_allclose(told(child.query(case)), told(soft), rtol=0, atol=1e-14)


def test_slips_are_told_at_once(asia: CompiledNetwork) -> None:
    frame = pd.DataFrame(
        {"dysp=yes": [0.5, "often", None, True], "dysp=no": [0.5, 1, 1, 1], "xray=no": 1.0},
        list("abcd"),
    )
    with pytest.raises(InvalidCase, match="4 faults") as caught:
        asia.query(frame)
    text = str(caught.value)
    assert "likelihoods of all states of xray: a column xray=yes too" in text
    assert "row b, column dysp=yes: expected a likelihood" in text
    assert "row c, column dysp=yes: expected a likelihood" in text
    assert "row d, column dysp=yes: expected a likelihood" in text
    with pytest.raises(InvalidCase, match="each variable once"):
        asia.query(ROWS[:1], likelihoods={"dysp": np.ones((1, 2))})
    with pytest.raises(InvalidCase, match=r"a variable of the network, got 'dysp=never'"):
        asia.query({"dysp=never": 1.0})
