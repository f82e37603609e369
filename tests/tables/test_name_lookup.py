"""Values of any type as names of variables and states."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import bayesdx
from bayesdx.network import Network, TableCPD, Variable
from bayesdx.tables.name_lookup import NameLookup, typed
from bayesdx.tables.networks import CompiledNetwork


@pytest.mark.parametrize(
    ("names", "value", "found"),
    [
        (("Cold", "Flu"), "Cold", "Cold"),
        (("Cold", "Flu"), " flu\t", "Flu"),
        (("Cold", "cold"), "COLD", None),
        (("Cold", "cold"), " cold ", "cold"),
        ((" a", "a"), " a", " a"),
        (("ß", "x"), "SS", "ß"),
        (("runny nose", "x"), "Runny  Nose", "runny nose"),
        (("0", "1", "2"), 1, "1"),
        (("0", "1", "2"), 1.0, "1"),
        (("0", "1", "2"), True, "1"),
        (("0", "1", "2"), np.int8(2), "2"),
        (("0", "1", "2"), np.float32(2), "2"),
        (("0", "1", "2"), Decimal("2.0"), "2"),
        (("0", "1", "2"), Fraction(2), "2"),
        (("0", "1", "2"), 3, None),
        (("0", "1", "2"), 1.5, None),
        (("0", "1", "2"), np.inf, None),
        (("0", "1", "2"), "1.0", "1"),
        (("0", "1", "2"), " 2.00 ", "2"),
        (("0", "1", "2"), "01", None),
        (("0", "1", "2"), "1e0", None),
        (("0", "1", "2"), "1_0", None),
        (("0", "10", "2"), "1_0", None),
        (("0", "1", "2"), "1.5", None),
        (("0.0", "1.0"), 1, "1.0"),
        (("1", "1.0"), 1, None),
        (("1", "1.0"), "1.0", "1.0"),
        (("-1", "+2", "1e3"), 1000, "1e3"),
        (("inf", "nan"), np.inf, None),
        (("٣", "4"), 3, None),
        (("True", "False"), True, "True"),
        (("True", "False"), np.False_, "False"),
        (("TRUE", "true"), True, None),
        (("yes", "no"), True, "yes"),
        (("absent", "present"), False, "absent"),
        (("yes", "true"), True, None),
        (("yes", "no"), "true", "yes"),
        (("yes", "no"), " False", "no"),
        (("0", "1"), "TRUE", "1"),
        (("yes", "present"), "true", None),
        (("yes", "no"), 1, None),
        (("b'yes'", "no"), b"yes", None),
        (("1", "2"), 1 + 0j, None),
        (("1", "2"), [1], None),
    ],
)
def test_which_name_a_value_means(names: tuple[str, ...], value: Any, found: str | None) -> None:
    at = NameLookup(names).find(value)
    assert (None if at is None else names[at]) == found


def test_of_what_is_no_text_the_type_is_named() -> None:
    class Odd:
        def __repr__(self) -> str:
            raise RuntimeError

    shown = [
        str(typed(value)[0]) for value in (np.int64(-1), True, 1.5, b"x", 10**5000, Odd(), "a")
    ]
    assert shown == [
        "the integer -1",
        "the boolean True",
        "the number 1.5",
        "the bytes b'x'",
        "one integer that cannot be shown",
        "one Odd that cannot be shown",
        "a",
    ]


@pytest.fixture(scope="module")
def numbered() -> CompiledNetwork:
    variables = [
        Variable("0", ("0", "1", "2")),
        Variable("1", ("0.0", "1.0")),
        Variable("2", ("True", "False")),
        Variable("3", ("None", "nan", "NA")),
    ]
    tables = [
        TableCPD("0", (), [0.2, 0.3, 0.5]),
        TableCPD("1", ("0",), [[0.1, 0.9], [0.4, 0.6], [0.5, 0.5]]),
        TableCPD("2", ("1",), [[0.1, 0.9], [0.4, 0.6]]),
        TableCPD("3", ("2",), [[0.1, 0.8, 0.1], [0.4, 0.5, 0.1]]),
    ]
    return bayesdx.compile_network(Network(variables, tables))


def _same(found: Any, right: Any) -> None:
    np.testing.assert_allclose(found.log_evidence, right.log_evidence, atol=1e-12)
    for name, values in right.posteriors.items():
        np.testing.assert_allclose(found.posteriors[name], values, atol=1e-12)


@pytest.mark.parametrize("repeat", [1, 10])
@pytest.mark.parametrize(
    ("name", "cells", "meant"),
    [
        ("0", [0, 1, 2], ["0", "1", "2"]),
        ("0", [0.0, 1.0, None], ["0", "1", None]),
        ("1", [1, 0, 1], ["1.0", "0.0", "1.0"]),
        ("2", [True, False, True], ["True", "False", "True"]),
        ("2", pd.array([True, None, False], dtype="boolean"), ["True", None, "False"]),
        ("0", pd.array([0, None, 2], dtype="Int8"), ["0", None, "2"]),
        ("0", pd.Categorical([0, 1, None]), ["0", "1", None]),
        ("0", pd.array([0, 2, None], dtype=pd.ArrowDtype(pa.int64())), ["0", "2", None]),
        ("0", np.array([1, True, " 2 "], dtype=object), ["1", "1", "2"]),
        ("3", ["None", " na ", "NAN"], ["None", "NA", "nan"]),
        ("1", ["unknown", "N/A", ""], [None, None, None]),
        (0, [0, 1, 2], ["0", "1", "2"]),
        (" 0 ", [0, 1, 2], ["0", "1", "2"]),
    ],
)
def test_a_column_of_any_type(
    numbered: CompiledNetwork, name: Any, cells: Any, meant: list[str | None], repeat: int
) -> None:
    frame = pd.concat([pd.DataFrame({name: cells})] * repeat)
    right = pd.DataFrame({str(name).strip(): np.array(meant * repeat, dtype=object)})
    _same(numbered.query(frame), numbered.query(right))


def test_one_case_of_any_type(numbered: CompiledNetwork) -> None:
    right = numbered.query({"0": "1", "2": "True"})
    for case in ({"0": 1, "2": True}, {0: 1, 2: np.True_}, {"0": np.float64(1), "2": "true"}):
        _same(numbered.query(case), right)
    with pytest.raises(bayesdx.InvalidCase, match=r"evidence, 0: .* got the integer 7\."):
        numbered.query({"0": 7})
    with pytest.raises(bayesdx.InvalidCase, match=r"evidence: expected each column once, got 0\."):
        numbered.query({"0": 1, 0: 1})
    with pytest.raises(bayesdx.InvalidCase, match=r"got the boolean True"):
        numbered.query({"3": True})
