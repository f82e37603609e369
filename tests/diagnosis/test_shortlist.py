"""The short list, and the two measures beside the posterior."""

import numpy as np
import pandas as pd
import pytest

import bayesdx
from bayesdx import Engine
from bayesdx.diagnosis.shortlist import BY_FIT, BY_SHARE, LITTLE, short_list
from bayesdx.errors import InvalidCase

COLUMNS = ["label", "explains", "plays_a_part", "posterior", "prior", "ratio", "why"]
CASE = {
    "low_back_pain": "present",
    "bilateral": "absent",
    "fair_pos": "present",
    "slr_pos": "absent",
    "numbness_tingling": "present",
}


@pytest.fixture(scope="module")
def engine() -> Engine:
    return bayesdx.load()


def causes_by(**columns: list[float]) -> pd.DataFrame:
    """A table of a diagnosis, with a last row for what nothing explains."""
    n = len(columns["explains"])
    blank = {name: [0.0] * n for name in ("explains", "plays_a_part", "posterior", "prior")}
    table = pd.DataFrame({"label": list("abcdefgh")[:n], **blank, "ratio": [1.0] * n, **columns})
    table.index = pd.Index([*list("abcdefgh")[: n - 1], "unexplained"], name="cause")
    return table


def test_shares_of_all_causes_and_the_background_add_up_to_one(engine: Engine) -> None:
    d = engine.diagnose(CASE)
    assert d.table["explains"].sum() == pytest.approx(1.0, abs=1e-12)
    assert d.table.loc["unexplained", "explains"] == d.background
    assert d.table["explains"].between(0.0, 1.0).all()
    assert (d.table["plays_a_part"] <= d.table["posterior"] + 1e-15).all()
    assert list(d.shortlist.columns) == COLUMNS
    assert d.shortlist.index.name == "cause"


def test_three_by_share_and_two_by_fit(engine: Engine) -> None:
    d = engine.diagnose(CASE)
    first, fitting = d.shortlist.iloc[:BY_SHARE], d.shortlist.iloc[BY_SHARE:]
    assert len(fitting) == BY_FIT
    assert list(first.index) == list(d.table.iloc[:-1].nlargest(BY_SHARE, "explains").index)
    others = d.table.iloc[:-1].drop(first.index)
    assert list(fitting.index) == list(others.nlargest(BY_FIT, "ratio").index)
    share = first["explains"].iloc[0]
    little = "little, " if share < LITTLE else ""
    assert first["why"].iloc[0] == f"explains {little}{100 * share:.0f} % of the picture"
    assert fitting["why"].iloc[0] == "rarer, but fits unusually well"


def test_the_table_stays_sorted_by_posterior(engine: Engine) -> None:
    assert engine.diagnose(CASE).table["posterior"].iloc[:-1].is_monotonic_decreasing


def test_a_first_cause_that_explains_little_is_said_to() -> None:
    table = causes_by(explains=[LITTLE - 0.01, 0.1, 0.0, 0.71], posterior=[0.5, 0.4, 0.3, 0.1])
    listed = short_list(table)
    assert listed["why"].iloc[0] == "explains little, 19 % of the picture"
    assert listed["why"].iloc[1] == "explains 10 % of the picture"


def test_equal_shares_follow_part_then_posterior_then_the_knowledge() -> None:
    noise = 1e-15
    table = causes_by(
        explains=[0.2, 0.2 + noise, 0.2, 0.4],
        plays_a_part=[0.3, 0.3, 0.3 + noise, 0.1],
        posterior=[0.3, 0.3, 0.4, 0.1],
    )
    assert list(short_list(table).index) == ["c", "a", "b"]


def test_only_odds_that_rose_are_listed_for_their_fit() -> None:
    table = causes_by(
        explains=[0.5, 0.2, 0.1, 0.0, 0.0, 0.0, 0.2],
        posterior=[0.5, 0.4, 0.3, 0.02, 0.2, 0.0, 0.1],
        prior=[0.1, 0.1, 0.1, 0.001, 0.2, 0.0, 0.1],
        ratio=[9.0, 6.0, 4.0, 20.0, 1.0, 1.0, 1.0],
    )
    assert list(short_list(table).index) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("findings", [{"slr_pos": "absent"}, {"slr_pos": 0.7}])
def test_where_nothing_is_present_the_posterior_orders(
    engine: Engine, findings: dict[str, object]
) -> None:
    d = engine.diagnose(findings)
    assert d.background == 1.0
    assert list(d.shortlist.index) == list(d.table.index[:5])
    assert set(d.shortlist["why"]) == {"probable, and nothing is present to explain"}


@pytest.mark.parametrize(
    ("findings", "status"),
    [({}, "no_findings"), ({"menstrual_cyclic": 1, "sex": "male"}, "impossible")],
)
def test_without_an_answer_there_is_no_list(
    engine: Engine, findings: dict[str, object], status: str
) -> None:
    d = engine.diagnose(findings)
    assert d.status == status
    assert len(d.shortlist) == 0
    assert list(d.shortlist.columns) == COLUMNS
    assert d.background == 1.0
    assert not d.table.isna().any().any()


def test_records_hold_the_list_first(engine: Engine) -> None:
    records = engine.diagnose(CASE).records()
    assert next(iter(records)) == "shortlist"
    names = list(engine.diagnose(CASE).shortlist.index)
    assert [row["cause"] for row in records["shortlist"]] == names
    assert 0.0 <= records["background"] <= 1.0


@pytest.mark.parametrize("measure", ["explains", "plays_a_part"])
def test_scores_by_measure_are_those_of_the_diagnosis(engine: Engine, measure: str) -> None:
    cases = pd.DataFrame([CASE, {"low_back_pain": "present"}, {}], index=["a", "b", "c"])
    scores = engine.score(cases, measure=measure)
    usual = engine.score(cases)
    pd.testing.assert_frame_equal(
        scores[["status", "urgency", "red_flags", "log_evidence"]],
        usual[["status", "urgency", "red_flags", "log_evidence"]],
    )
    for name, row in scores.iterrows():
        findings = {key: value for key, value in cases.loc[name].items() if isinstance(value, str)}
        said = engine.diagnose(findings).table[measure]
        np.testing.assert_allclose(row[said.index].astype(float), said, rtol=0, atol=1e-12)


def test_an_unknown_measure_is_refused(engine: Engine) -> None:
    expected = "measure: expected one of posterior, explains, plays_a_part, got 'explain'. Nearest"
    with pytest.raises(InvalidCase, match=expected):
        engine.score(pd.DataFrame([CASE]), measure="explain")  # type: ignore[arg-type]
