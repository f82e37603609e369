"""What may be asked for by name: one name or several, and every slip in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesdx
from bayesdx import CompiledNetwork, InvalidCase, InvalidNetwork, Network, TableCPD, Variable

Question = Callable[[CompiledNetwork, Any], object]

#: Variables and states are named by digits, as pandas and pgmpy have them.
NETWORK = Network(
    [Variable("0", ("0", "1")), Variable("12", ("0", "1"))],
    [TableCPD("0", (), [0.8, 0.2]), TableCPD("12", ("0",), [[0.9, 0.1], [0.3, 0.7]])],
)
SEVERAL: dict[str, Question] = {
    "targets": lambda plan, names: list(plan.query({}, targets=names).posteriors),
    "variables": lambda plan, names: list(plan.joint({}, names).variables),
    "gradients": lambda plan, names: list(plan.gradients({}, names)),
    "mpe": lambda plan, names: list(plan.mpe({}, targets=names).columns[:1]),
    "relevant": lambda plan, names: list(plan.relevant(names).targets),
    "observed": lambda plan, names: list(plan.relevant(["0"], names).evidence),
}


@pytest.fixture(scope="module")
def plan() -> CompiledNetwork:
    return bayesdx.compile_network(NETWORK)


@pytest.mark.parametrize("ask", SEVERAL.values(), ids=SEVERAL)
@pytest.mark.parametrize(
    "names",
    ["12", ["12"], ("12",), {"12"}, np.array(["12"]), pd.Index(["12"]), [12], [np.int8(12)]],
)
def test_one_text_is_one_name_and_numbers_are_theirs(
    plan: CompiledNetwork, ask: Question, names: object
) -> None:
    assert ask(plan, names) == ["12"]


@pytest.mark.parametrize("ask", SEVERAL.values(), ids=SEVERAL)
@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("13", "expected a variable of the network, got '13'"),
        ("012", "expected a variable of the network, got '012'"),
        ([["12"]], r"expected a variable of the network, got (the list )?\['12'\]"),
        ([None], "expected a variable of the network, got (the NoneType )?None"),
        (5, "expected names of variables, got 5"),
    ],
)
def test_slips_are_one_sentence(
    plan: CompiledNetwork, ask: Question, names: object, message: str
) -> None:
    with pytest.raises(InvalidCase, match=message) as caught:
        ask(plan, names)
    assert len(caught.value.faults) == 1


def test_one_target_may_be_a_number(plan: CompiledNetwork) -> None:
    by_text = plan.sensitivity({}, "12", "1")
    assert plan.sensitivity({}, 12, "1").equals(by_text)  # type: ignore[arg-type]
    for target in (["12"], None, 13):
        with pytest.raises(InvalidCase, match="target: expected a variable of the network, got "):
            plan.sensitivity({}, target, "1")  # type: ignore[arg-type]
    assert plan.sensitivity({}, "12", 1).equals(by_text)  # type: ignore[arg-type]
    with pytest.raises(InvalidCase, match=r"state of 12: expected a state \(0, 1\), got '2'"):
        plan.sensitivity({}, "12", "2")


def test_independence_is_asked_by_names() -> None:
    assert not NETWORK.d_separated("0", "12")
    with pytest.raises(InvalidCase, match="second: expected names of variables, got 5"):
        NETWORK.d_separated("0", 5)  # type: ignore[arg-type]


@pytest.mark.parametrize("option", ["k", "time_limit", "branch_limit"])
@pytest.mark.parametrize("value", ["3", -1, float("nan"), True])
def test_limits_of_a_search_are_numbers(plan: CompiledNetwork, option: str, value: object) -> None:
    with pytest.raises(InvalidCase, match=f"{option}: expected a number of .*, got "):
        plan.mpe({}, **{option: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("limit", ["2G", None, -1, float("nan")])
def test_a_memory_limit_is_a_number(limit: Any) -> None:
    with pytest.raises(InvalidNetwork, match="memory_limit: expected a number of bytes, got "):
        bayesdx.compile_network(NETWORK, memory_limit=limit)
