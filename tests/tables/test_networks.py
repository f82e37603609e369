"""Queries by tables of state names."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from agrum_networks import agrum_answer, example

import bayesdx
from bayesdx.tables.network_answer import NetworkAnswer
from bayesdx.tables.networks import CompiledNetwork

#: Kinds of columns of words; before pandas 3 "str" made the text "None" of what is missing.
KINDS = ["object", "string", "category", *(["str"] if pd.__version__ >= "3" else [])]


@pytest.fixture(scope="module")
def asia() -> CompiledNetwork:
    return bayesdx.compile_network(example("asia")[0])


@pytest.mark.parametrize("repeat", [1, 20])
def test_state_names_and_missing_cells(asia: CompiledNetwork, repeat: int) -> None:
    cases = pd.DataFrame(
        {"smoke": ["yes", None, np.nan], "xray": ["no", "yes", pd.NA]}, index=["a", "b", "c"]
    )
    cases = pd.concat([cases] * repeat)
    answer = asia.query(cases)
    assert isinstance(answer, NetworkAnswer)
    assert len(answer) == 3 * repeat
    assert answer.status.tolist() == ["ok"] * 3 * repeat
    assert answer.states["lung"] == ("yes", "no")
    assert "0 impossible" in repr(answer)
    for row in range(3):
        evidence = cases.iloc[row].dropna().to_dict()
        log_evidence, posteriors = agrum_answer(example("asia")[1], evidence)
        assert answer.log_evidence[row] == pytest.approx(log_evidence, abs=1e-12)
        for name, values in answer.posteriors.items():
            assert values.shape == (3 * repeat, 2)
            assert values.dtype == np.float64
            np.testing.assert_allclose(values[row], posteriors[name], atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_any_kind_of_column(asia: CompiledNetwork, kind: str) -> None:
    cases = pd.DataFrame({"dysp": ["yes", "no", None] * 7})
    expected = asia.query(cases.astype(object)).posteriors["bronc"]
    np.testing.assert_array_equal(asia.query(cases.astype(kind)).posteriors["bronc"], expected)


def test_a_mapping_is_one_case(asia: CompiledNetwork) -> None:
    one = asia.query({"dysp": "yes", "smoke": None, "xray": np.nan})
    table = asia.query(pd.DataFrame({"dysp": ["yes"]}))
    assert len(one) == 1
    for name, values in one.posteriors.items():
        np.testing.assert_allclose(values, table.posteriors[name], atol=1e-12)
    with pytest.raises(bayesdx.InvalidCase) as caught:
        asia.query({"dysp": "yess", "smok": "yes", "lung": 1})
    for part in (
        "evidence: expected a variable of the network, got 'smok'. Nearest: smoke",
        "evidence, dysp: expected a state (yes, no), got 'yess'. Nearest: yes",
        "evidence, lung: expected a state (yes, no), got the integer 1",
    ):
        assert part in str(caught.value)


def test_nothing_known_gives_the_prior(asia: CompiledNetwork) -> None:
    answer = asia.query(pd.DataFrame(index=range(2)))
    np.testing.assert_allclose(answer.posteriors["smoke"], 0.5, atol=1e-12)
    np.testing.assert_allclose(answer.log_evidence, 0.0, atol=1e-12)
    assert len(asia.query(pd.DataFrame({"smoke": []}))) == 0


def test_impossible_evidence_is_a_status(asia: CompiledNetwork) -> None:
    cases = pd.DataFrame({"either": ["yes", "yes"], "lung": ["no", "yes"], "tub": ["no", "no"]})
    answer = asia.query(cases)
    assert answer.status.tolist() == ["impossible", "ok"]
    assert answer.log_evidence[0] == -np.inf
    assert all((values[0] == 0.0).all() for values in answer.posteriors.values())
    assert answer.posteriors["lung"][1].tolist() == [1.0, 0.0]


def test_soft_evidence_leaves_the_network_alone(asia: CompiledNetwork) -> None:
    nothing = pd.DataFrame(index=range(2))
    before = asia.query(nothing)
    digest = asia.network.digest
    answer = asia.query(nothing, likelihoods={"xray": [[0.2, 0.8], [np.nan, np.nan]]})
    log_evidence, posteriors = agrum_answer(example("asia")[1], {"xray": [0.2, 0.8]})
    assert answer.log_evidence[0] == pytest.approx(log_evidence, abs=1e-12)
    np.testing.assert_allclose(answer.posteriors["lung"][0], posteriors["lung"], atol=1e-12)
    np.testing.assert_allclose(
        answer.posteriors["lung"][1], before.posteriors["lung"][1], atol=1e-12
    )
    assert asia.network.digest == digest
    np.testing.assert_array_equal(asia.query(nothing).posteriors["lung"], before.posteriors["lung"])


def test_only_what_is_asked_for(asia: CompiledNetwork) -> None:
    answer = asia.query(pd.DataFrame({"xray": ["yes"]}), targets=["lung"])
    assert list(answer.posteriors) == list(answer.states) == ["lung"]


def test_every_fault_at_once(asia: CompiledNetwork) -> None:
    cases = pd.DataFrame({"smok": ["yes"] * 3, "xray": ["yes", "yess", "Noo"], "lung": [1, 2, 3]})
    with pytest.raises(bayesdx.InvalidCase) as caught:
        asia.query(
            cases,
            likelihoods={"tube": [[1.0, 1.0]], "tub": [[1.0, 1.0]], "bronc": [[1.0, -1.0]] * 3},
            targets=["asia", "canc"],
        )
    text = str(caught.value)
    for part in (
        "evidence, column: expected a variable of the network, got 'smok'. Nearest: smoke",
        "evidence, row 1, column xray: expected a state (yes, no), got 'yess'. Nearest: yes",
        "evidence, row 2, column xray: expected a state (yes, no), got 'Noo'. Nearest: no",
        "evidence, row 0, column lung: expected a state (yes, no), got the integer 1",
        "likelihoods: expected a variable of the network, got 'tube'. Nearest: tub",
        "likelihoods of tub: expected shape (3, 2), got 'shape (1, 2)'",
        "likelihoods of bronc, row 0: expected finite numbers of at least 0, got [1.0, -1.0]",
        "targets: expected a variable of the network, got 'canc'",
    ):
        assert part in text


def test_many_wrong_cells_are_summed_up(asia: CompiledNetwork) -> None:
    with pytest.raises(bayesdx.InvalidCase, match="column lung: expected states, got 20 more such"):
        asia.query(pd.DataFrame({"lung": ["maybe"] * 30}))
    twice = pd.DataFrame([["yes", "no"]], columns=["lung", "lung"])
    with pytest.raises(bayesdx.InvalidCase, match="expected each column once, got 'lung'"):
        asia.query(twice)


def test_a_plan_refuses_what_does_not_fit() -> None:
    network = example("alarm")[0]
    compiled = bayesdx.compile_network(network, memory_limit=20_000)
    with pytest.raises(bayesdx.InvalidNetwork, match=r"largest clique .* cells"):
        compiled.plan()
    assert "largest" in str(bayesdx.compile_network(network).plan(["HR"]))
    with pytest.raises(bayesdx.InvalidCase, match=r"got 'HRR'\. Nearest: HR"):
        compiled.plan(["HRR"])


@pytest.mark.parametrize("rows", [1, 4, 5, 30])
@pytest.mark.parametrize("kind", KINDS)
def test_few_rows_are_read_as_many_are(asia: CompiledNetwork, rows: int, kind: str) -> None:
    """Few rows are looked up cell by cell, many column by column."""
    rng = np.random.default_rng(rows)
    cells = np.array(["yes", "no", None], dtype=object)
    cases = pd.DataFrame({name: cells[rng.integers(0, 3, rows)] for name in ("smoke", "xray")})
    read, faults = asia._encoder.states(cases.astype(kind))
    assert faults == []
    place = {name: v for v, name in enumerate(asia.network.variables)}
    for row in range(rows):
        for name, v in place.items():
            cell = cases.loc[row, name] if name in cases else None
            states = asia.network.variables[name].states
            assert read[row, v] == (-1 if pd.isna(cell) else states.index(cell))


@pytest.mark.parametrize("rows", [1, 30])
def test_cells_that_are_no_text_are_faults(asia: CompiledNetwork, rows: int) -> None:
    for cell, shown in (
        (["yes"], r"the list \['yes'\]"),
        (1.5, "the number 1.5"),
        (np.float32(2), "the number 2.0"),
    ):
        cases = pd.DataFrame({"lung": pd.Series([cell] * rows, dtype=object)})
        with pytest.raises(bayesdx.InvalidCase, match=rf"row 0, column lung.*got {shown}"):
            asia.query(cases)
    blank = pd.DataFrame({"lung": pd.Series([np.float32("nan"), pd.NaT, None] * rows)})
    np.testing.assert_array_equal(asia._encoder.states(blank)[0], -1)


def test_the_packaged_network_is_answered_by_the_noisy_executors() -> None:
    """Its cluster tree would take 10^12 cells; causes are those of the engine."""
    engine = bayesdx.load()
    network = engine.assembly.model.network
    plan = bayesdx.compile_network(network)
    assert "noisy executors: it is layered" in repr(plan)
    cases = pd.DataFrame(
        {"fair_pos": ["present", "absent", None], "slr_pos": ["absent", None, "present"]}
    )
    answer, scores = plan.query(cases), engine.score(cases)
    np.testing.assert_allclose(answer.log_evidence, scores["log_evidence"], rtol=0, atol=1e-12)
    for cause in engine.assembly.model.causes:
        if cause in scores:
            np.testing.assert_allclose(
                answer.posteriors[cause][:, 1], scores[cause], rtol=0, atol=1e-12
            )
    age = answer.posteriors["age"]
    np.testing.assert_allclose(age.sum(axis=1), 1.0, atol=1e-12)
    seen = {"age": network.variables["age"].states[0], "fair_pos": "present", "slr_pos": "absent"}
    share = np.exp(plan.query(seen).log_evidence[0] - answer.log_evidence[0])
    assert age[0, 0] == pytest.approx(share, abs=1e-12)


def test_mappings_and_positions_are_read_as_the_table_of_them(asia) -> None:
    names, rng = list(asia.network.variables), np.random.default_rng(3)
    states = np.where(rng.random((30, 8)) < 0.4, rng.integers(0, 2, (30, 8)), -1)
    words = [asia.network.variables[name].states for name in names]
    rows = [
        {name: words[v][state] for v, (name, state) in enumerate(zip(names, row, strict=True))}
        if row.min() >= 0
        else {names[v]: words[v][row[v]] for v in np.flatnonzero(row >= 0)}
        for row in states
    ]
    frame = pd.DataFrame(rows, columns=names)
    expected = asia.query(frame)
    for given in (rows, states, states.astype(np.int8)):
        found = asia.query(given)
        np.testing.assert_allclose(found.log_evidence, expected.log_evidence, rtol=1e-13)
        assert found.index.equals(pd.RangeIndex(30))
        for name in names:
            np.testing.assert_allclose(
                found.posteriors[name], expected.posteriors[name], rtol=0, atol=1e-13
            )
    assert len(asia.query([])) == 0


def test_mappings_say_what_a_table_of_them_would(asia) -> None:
    rows = [{"smok": "yes"}, {"xray": "yess", "case_id": "a"}, {"xray": 3, "lung": None}]
    told = []
    for given in (rows, pd.DataFrame(rows)):
        with pytest.raises(bayesdx.InvalidCase, match="got 'smok'") as caught:
            asia.query(given)
        told.append(str(caught.value))
    assert told[0] == told[1].replace("the number 3.0", "the integer 3")
    many = [{"xray": f"x{i}"} for i in range(25)]
    with pytest.raises(bayesdx.InvalidCase, match="15 more such cells"):
        asia.query(many)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            np.zeros((2, 7), dtype=np.intp),
            r"an array of shape \(N, 8\), .* got one of shape \(2, 7\)",
        ),
        (np.zeros(8, dtype=np.intp), r"got one of shape \(8,\)"),
        (
            np.full((1, 8), 2),
            "evidence, row 0, column asia: expected a position from -1, unknown, to 1",
        ),
        (np.full((1, 8), -2), "got -2"),
        (np.zeros((1, 8)), "expected a table of cases"),
    ],
)
def test_positions_that_are_none_are_refused(asia, given, told: str) -> None:
    with pytest.raises(bayesdx.InvalidCase, match=told):
        asia.query(given)


def test_likelihoods_are_a_mapping() -> None:
    variables = [bayesdx.Variable("rain", ("no", "yes"))]
    plan = bayesdx.compile_network(
        bayesdx.Network(variables, [bayesdx.TableCPD("rain", (), [0.8, 0.2])])
    )
    for given in (5, [1.0, 2.0], []):
        with pytest.raises(bayesdx.InvalidCase, match="likelihoods: expected a mapping of"):
            plan.query({}, likelihoods=given)
