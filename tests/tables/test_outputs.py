"""Scores as Arrow tables: the same numbers in both shapes, and a ranking that noise cannot turn."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bayesdx
from bayesdx.diagnosis.core import Core
from bayesdx.diagnosis.ranking import TIE, ranking
from bayesdx.diagnosis.scoring import Scores, flag_texts, score_cases, scores_frame
from bayesdx.errors import InvalidCase
from bayesdx.tables.outputs import (
    OutputOptions,
    check_options,
    flag_column,
    output_schema,
    output_table,
)

FINDINGS = {
    "low_back_pain": ["present", "absent", "", "present", "present"],
    "fair_pos": ["present", "", "", "absent", "0.7"],
    "fever": ["", "present", "", "", "absent"],
    "saddle_numbness": ["", "present", "", "", ""],
}
ROWS = np.arange(5)
IDS = pa.array(["a", "b", "c", "d", "e"])


@pytest.fixture(scope="module")
def engine() -> bayesdx.Engine:
    return bayesdx.load(backend="numpy")


@pytest.fixture(scope="module")
def core(engine: bayesdx.Engine) -> Core:
    return engine.core


@pytest.fixture(scope="module")
def scores(core: Core) -> Scores:
    return score_cases(core, core.reader.read(FINDINGS, 5, range(5)))


def test_wide_is_what_the_engine_says(core: Core, scores: Scores) -> None:
    table = output_table(core, scores, IDS, ROWS, OutputOptions())
    assert table.schema == output_schema(core, OutputOptions(), True)
    assert table["case_id"].to_pylist() == IDS.to_pylist()
    expected = scores_frame(core, scores)
    assert table.column_names[1:] == list(expected.columns)
    for name in expected.columns:
        assert table[name].to_pylist() == expected[name].tolist()


def test_without_ids_wide_has_no_column_for_them(core: Core, scores: Scores) -> None:
    assert "case_id" not in output_table(core, scores, None, ROWS, OutputOptions()).column_names


def test_chosen_causes_are_the_columns_in_that_order(core: Core, scores: Scores) -> None:
    options = OutputOptions(causes=("hip_oa", "gtps"))
    table = output_table(core, scores, None, ROWS, options)
    assert table.column_names[:3] == ["hip_oa", "gtps", "unexplained"]
    whole = output_table(core, scores, None, ROWS, OutputOptions())
    for name in table.column_names:
        assert table[name].equals(whole[name])


def test_long_says_what_wide_says(core: Core, scores: Scores) -> None:
    options = OutputOptions("long")
    long = output_table(core, scores, IDS, ROWS, options)
    assert long.schema == output_schema(core, options, True)
    wide = output_table(core, scores, IDS, ROWS, OutputOptions()).to_pandas()
    frame = long.to_pandas()
    assert len(frame) == 5 * (len(core.causes) + 1)
    turned = frame.pivot_table(index="case_id", columns="cause", values="posterior")
    for name in (*core.causes, "unexplained"):
        assert turned[name].tolist() == wide[name].tolist()
    prior = dict(zip((*core.causes, "unexplained"), core.prior.tolist(), strict=True))
    assert frame["prior"].tolist() == [prior[name] for name in frame["cause"]]
    for name in ("status", "urgency", "red_flags"):
        first = frame.groupby("case_id")[name].agg(["first", "nunique"])
        assert first["first"].tolist() == wide[name].tolist()
        assert (first["nunique"] == 1).all()


def test_another_measure_has_its_column_and_its_order(core: Core) -> None:
    options = OutputOptions("long", measure="explains")
    cases = core.reader.read(FINDINGS, 5, range(5))
    scores = score_cases(core, cases, measure="explains")
    frame = output_table(core, scores, IDS, ROWS, options).to_pandas()
    assert "posterior" not in frame
    for _, case in frame.groupby("case_id"):
        assert case["explains"].sum() == pytest.approx(1.0, abs=1e-12)
        assert (np.diff(case["explains"].to_numpy()[:-1]) <= 1e-10).all()


def test_long_ranks_from_the_most_probable_and_ends_with_unexplained(
    core: Core, scores: Scores
) -> None:
    frame = output_table(core, scores, IDS, ROWS, OutputOptions("long")).to_pandas()
    for _, case in frame.groupby("case_id"):
        assert case["cause"].iloc[-1] == "unexplained"
        assert pd.isna(case["rank"].iloc[-1])
        assert case["rank"].iloc[:-1].tolist() == list(range(1, len(core.causes) + 1))
        falling = case["posterior"].to_numpy()[:-1]
        assert (np.diff(falling) <= TIE * falling[:-1]).all()


def test_top_and_threshold_choose_lines_and_never_drop_a_case(core: Core, scores: Scores) -> None:
    whole = output_table(core, scores, IDS, ROWS, OutputOptions("long")).to_pandas()
    for options, kept in [
        (OutputOptions("long", top=3), whole["rank"] <= 3),
        (OutputOptions("long", threshold=0.1), whole["posterior"] >= 0.1),
        (OutputOptions("long", threshold=1.0), whole["posterior"] >= 1.0),
        (OutputOptions("long", causes=("hip_oa",)), whole["cause"] == "hip_oa"),
    ]:
        expected = whole[kept | (whole["cause"] == "unexplained")].reset_index(drop=True)
        found = output_table(core, scores, IDS, ROWS, options).to_pandas()
        pd.testing.assert_frame_equal(found, expected)
        assert set(found["case_id"]) == set(IDS.to_pylist())


def test_top_counts_among_the_chosen_causes(core: Core, scores: Scores) -> None:
    options = OutputOptions("long", top=1, causes=("hip_oa", "gtps"))
    found = output_table(core, scores, IDS, ROWS, options).to_pandas()
    assert len(found) == 10
    assert set(found["cause"]) <= {"hip_oa", "gtps", "unexplained"}


def test_records_are_numbered_where_cases_have_no_ids(core: Core, scores: Scores) -> None:
    rows = np.array([3, 5, 6, 7, 100])
    table = output_table(core, scores, None, rows, OutputOptions("long", top=1))
    assert table["case_id"].to_pylist() == [row for row in rows.tolist() for _ in range(2)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (OutputOptions("tall"), "shape: expected wide or long, got 'tall'"),
        (OutputOptions("long", top=0), "top: expected a number of causes, 1 or more, got 0"),
        (OutputOptions("long", threshold=1.5), "threshold: expected a probability, 0 to 1"),
        (OutputOptions("wide", top=3), "shape: expected long, where top or threshold"),
        (OutputOptions(causes=("hip_ao",)), "expected the id of a cause, got 'hip_ao'. Nearest: h"),
        (OutputOptions(causes=("gtps", "gtps")), "expected each cause once, got 'gtps'"),
        (OutputOptions(measure="explain"), "measure: expected one of posterior, explains, plays"),
        (OutputOptions(causes=()), "expected the id of at least one cause"),
    ],
)
def test_options_that_cannot_be_met(core: Core, options: OutputOptions, message: str) -> None:
    with pytest.raises(InvalidCase, match=message):
        check_options(core, options)


def _slow_ranking(row: np.ndarray) -> list[int]:
    """Sort, cut into groups where the next value is clearly smaller, sort each group."""
    order = sorted(range(len(row)), key=lambda i: -row[i])
    groups: list[list[int]] = [[order[0]]]
    for before, i in pairwise(order):
        if row[before] - row[i] > TIE * row[before]:
            groups.append([])
        groups[-1].append(i)
    return [i for group in groups for i in sorted(group)]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [0.0, 1e-300, 1e-13, 0.1, 0.1 + 1e-17, 0.1 * (1 + 1e-15), 0.3, 0.3001, 1.0]
        ),
        min_size=1,
        max_size=12,
    )
)
def test_ranking_is_the_slow_one(row: list[float]) -> None:
    values = np.array([row, row[::-1]])
    found = ranking(values)
    assert found.tolist() == [_slow_ranking(one) for one in values]


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 60))
def test_rounding_noise_does_not_turn_a_ranking(seed: int, causes: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.choice([1e-6, 0.02, 0.2, 0.5], size=(4, causes)) * rng.choice([1.0, 0.7])
    noise = 1.0 + rng.uniform(-1e-14, 1e-14, size=values.shape)
    assert ranking(values * noise).tolist() == ranking(values).tolist()


@pytest.mark.parametrize("flags", [0, 1, 8, 37, 130])
def test_flags_are_joined_as_the_engine_joins_them(flags: int) -> None:
    rng = np.random.default_rng(flags)
    fired = rng.random((200, flags)) < 0.05
    names = tuple(f"flag{i}" for i in range(flags))
    found = flag_column(fired, names).to_pylist()
    assert found == (flag_texts(fired, names) if flags else [""] * 200)


def test_no_case_at_all_keeps_the_columns(core: Core) -> None:
    nobody = Scores(
        posterior=np.zeros((0, len(core.causes) + 1)),
        log_evidence=np.zeros(0),
        status=np.zeros(0, np.int8),
        urgency=np.zeros(0, np.int8),
        flags=np.zeros((0, 54), bool),
    )
    for options in (OutputOptions(), OutputOptions("long")):
        table = output_table(core, nobody, IDS[:0], ROWS[:0], options)
        assert table.num_rows == 0
        assert table.schema == output_schema(core, options, True)
