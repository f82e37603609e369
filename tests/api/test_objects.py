"""Engines, networks and answers as values: they travel, and nobody can change them."""

from __future__ import annotations

import copy
import json
import pickle
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import cloudpickle
import joblib
import numpy as np
import pandas as pd
import pytest

import bayesdx

COPIES: dict[str, Callable[[Any], Any]] = {
    "pickle": lambda one: pickle.loads(pickle.dumps(one)),
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
    "cloudpickle": lambda one: pickle.loads(cloudpickle.dumps(one)),
    "joblib": lambda one: joblib.hash(one) and copy.deepcopy(one),
}
Rows = list[dict[str, Any]]


@pytest.mark.parametrize("way", COPIES)
def test_a_copy_of_an_engine_answers_alike(engine: bayesdx.Engine, rows: Rows, way: str) -> None:
    engine.intervals(rows[0], draws=20)  # what is kept beside does not travel
    again = COPIES[way](engine)
    pd.testing.assert_frame_equal(again.score(rows), engine.score(rows), rtol=0, atol=0)
    assert again.explain(rows[0], "gtps").table.equals(engine.explain(rows[0], "gtps").table)
    assert again.core.prior.flags.writeable is False


@pytest.mark.parametrize("way", COPIES)
def test_a_copy_of_a_network_answers_alike(network: bayesdx.Network, way: str) -> None:
    again = COPIES[way](network)
    assert again.digest == network.digest
    assert again.cpds["cold"].values.flags.writeable is False
    plan = bayesdx.compile_network(network)
    answer = plan.query({"0": "yes"})
    for other in (COPIES[way](plan).query({"0": "yes"}), COPIES[way](answer)):
        for name, expected in answer.posteriors.items():
            np.testing.assert_array_equal(other.posteriors[name], expected)


@pytest.fixture(scope="module")
def settled() -> bayesdx.Engine:
    """An engine whose bits do not depend on what machine code a process has at hand."""
    return bayesdx.load(backend="numpy")


def score(engine: bayesdx.Engine, row: dict[str, Any]) -> float:
    return float(engine.diagnose(row).log_evidence)


def asked(plan: Any, row: dict[str, Any]) -> float:
    return float(plan.query(row).log_evidence[0])


@pytest.mark.parametrize("start", ["spawn", "forkserver"])
def test_process_pools(
    settled: bayesdx.Engine, network: bayesdx.Network, rows: Rows, start: str
) -> None:
    plan = bayesdx.compile_network(network)
    with ProcessPoolExecutor(1, mp_context=get_context(start)) as pool:
        # A method and its engine travel as well as a result comes back.
        found = list(pool.map(settled.diagnose, rows))
        told = pool.submit(plan.query, {"cold": "yes"}).result()
    assert [one.log_evidence for one in found] == [score(settled, row) for row in rows]
    assert told.log_evidence[0] == asked(plan, {"cold": "yes"})


def test_joblib_and_closures(settled: bayesdx.Engine, rows: Rows) -> None:
    found = joblib.Parallel(n_jobs=2, backend="loky")(
        joblib.delayed(settled.diagnose)(row) for row in rows
    )
    assert [one.log_evidence for one in found] == [score(settled, row) for row in rows]
    closure = pickle.loads(cloudpickle.dumps(lambda row: settled.diagnose(row).log_evidence))
    assert closure(rows[0]) == score(settled, rows[0])


def test_dask_closures(settled: bayesdx.Engine, rows: Rows) -> None:
    dask = pytest.importorskip("dask")
    tasks = [dask.delayed(lambda row: settled.diagnose(row).log_evidence)(row) for row in rows]
    found = dask.compute(*tasks, scheduler="processes", num_workers=1)
    assert list(found) == [score(settled, row) for row in rows]


def test_nothing_can_be_set(engine: bayesdx.Engine, network: bayesdx.Network) -> None:
    plan = bayesdx.compile_network(network)
    for one in (engine, network, plan, plan.query({}), engine.diagnose({})):
        for name in ("core", "variables", "anything"):
            with pytest.raises(AttributeError, match=r"read-only|cannot assign"):
                setattr(one, name, 1)
    with pytest.raises(TypeError, match="read-only"):
        network.variables["cold"] = None
    table = engine.causes
    table["prior"] = 0.0
    assert engine.causes["prior"].max() > 0.0


CASE = {"low_back_pain": "present", "fair_pos": "present", "slr_pos": "absent", "age": 60}
IMPOSSIBLE = {"sex": "male", "menstrual_cyclic": "present"}
ANSWERS: dict[str, Callable[[bayesdx.Engine], Any]] = {
    "diagnosis": lambda engine: engine.diagnose(CASE),
    "impossible": lambda engine: engine.diagnose(IMPOSSIBLE),
    "explanation": lambda engine: engine.explain(CASE, "gtps"),
    "impossible explanation": lambda engine: engine.explain(IMPOSSIBLE),
    "explanations": lambda engine: engine.explain_many([CASE, {}]),
    "questions": lambda engine: engine.next_questions(CASE, limit=2),
    "certificate": lambda engine: engine.next_questions(CASE).certificate,
    "intervals": lambda engine: engine.intervals(CASE, draws=20),
    "what if": lambda engine: engine.what_if(CASE, {"fever": "present"}),
    "surprise": lambda engine: engine.surprise(CASE, draws=199),
    "ranking": lambda engine: engine.rank_causes(CASE),
    "turning points": lambda engine: engine.turning_points(CASE, largest=1),
    "outcome": lambda engine: engine.what_if(CASE, {"fever": "present"}).after,
    "rule": lambda engine: engine.diagnose({"saddle_numbness": "present"}).red_flags[0],
    "text": lambda engine: engine.diagnose(CASE).management[0],
}


def refuse(constant: str) -> None:
    raise AssertionError(constant)


@pytest.mark.parametrize("kind", ANSWERS)
def test_answers_are_values(engine: bayesdx.Engine, kind: str) -> None:
    answer = ANSWERS[kind](engine)
    text = answer.to_json()
    assert json.loads(text, parse_constant=refuse) == answer.to_dict()
    assert type(answer).__name__ in bayesdx.__all__
    assert repr(answer).startswith(f"{type(answer).__name__}(")
    assert len(repr(answer)) < 5000
    assert answer._repr_html_().startswith("<div>")
    assert "<script" not in answer._repr_html_()
    for name in ("status", "anything"):
        with pytest.raises(AttributeError, match=r"read-only|cannot assign"):
            setattr(answer, name, "x")
    for copied in COPIES.values():
        assert copied(answer).to_json() == text
        assert repr(copied(answer)) == repr(answer)


def test_mappings_and_arrays_of_answers_are_read_only(
    engine: bayesdx.Engine, network: bayesdx.Network
) -> None:
    found = engine.what_if(CASE, {"fever": "present"})
    explained = engine.explain(CASE, "gtps").understood
    for one in (found.changed, engine.diagnose(CASE).understood, explained):
        with pytest.raises(TypeError, match="read-only"):
            one["fever"] = ("", "")
    answer = bayesdx.compile_network(network).query({"0": "yes"})
    for one in (answer, copy.deepcopy(answer), pickle.loads(pickle.dumps(answer))):
        assert not one.log_evidence.flags.writeable
        assert not one.posteriors["cold"].flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            one.posteriors["cold"][0, 0] = 1.0


def test_answers_of_networks_are_values(network: bayesdx.Network) -> None:
    plan = bayesdx.compile_network(network)
    answer, joint = plan.query([{"0": "yes"}, {}]), plan.joint({"0": "yes"}, ["cold", "flu"])
    for one in (answer, joint):
        assert json.loads(one.to_json(), parse_constant=refuse) == one.to_dict()
        assert "<table>" in one._repr_html_()
        assert type(one).__name__ in bayesdx.__all__
    assert answer.to_dict()["index"] == [0, 1]
    assert repr(plan.query({}).states) == "StateNames(cold, flu, 0)"
    found = plan.query({}).posteriors
    assert repr(found) == f"{type(found).__name__}(cold, flu, 0)"


NOISY = bayesdx.Network(
    [bayesdx.Variable(name) for name in ("a", "b", "or")]
    + [bayesdx.Variable(name, ("no", "mild", "severe")) for name in ("max", "any")],
    [
        bayesdx.TableCPD("a", (), [2 / 3, 1 / 3]),
        bayesdx.TableCPD("b", ("a",), [[0.9, 0.1], [0.25, 0.75]]),
        bayesdx.NoisyOrCPD("or", ("a",), [0.7], 0.01, ("b",), [0.25]),
        bayesdx.NoisyMaxCPD("max", ("a", "b"), [[0.8, 0.5], [0.4, 0.1]], [0.1, 0.0]),
        bayesdx.TableCPD("any", (), [0.5, 0.25, 0.25]),
    ],
)
BASES = {
    "network": lambda _: NOISY,
    "plan": lambda _: bayesdx.compile_network(NOISY),
    "engine": lambda engine: engine,
    "variable": lambda _: NOISY.variables["max"],
    "table": lambda _: NOISY.cpds["b"],
    "noisy or": lambda _: NOISY.cpds["or"],
    "noisy max": lambda _: NOISY.cpds["max"],
    "any of": lambda _: bayesdx.AnyOfCPD("or", ("a", "b")),
    "factor": lambda _: MARKOV.factors[0],
    "markov": lambda _: MARKOV,
    "markov plan": lambda _: bayesdx.compile_markov(MARKOV),
    "setting": lambda _: bayesdx.Profile("ward", ()),
}
MARKOV = bayesdx.MarkovNetwork(
    [bayesdx.Variable("a"), bayesdx.Variable("b")],
    [bayesdx.MarkovFactor(("a", "b"), [[3.0, 1.0], [1.0, 3.0]])],
)


@pytest.mark.parametrize("kind", BASES)
def test_what_answers_come_from_is_told_in_plain_values(engine: bayesdx.Engine, kind: str) -> None:
    one = BASES[kind](engine)
    found = one.to_dict()
    assert json.loads(one.to_json(), parse_constant=refuse) == found
    assert found["kind"] == type(one).__name__
    assert found["kind"] in bayesdx.__all__
    assert one.__repr__ is not object.__repr__
    assert f"{type(one).__name__}(" in one._repr_html_()
    assert pickle.loads(pickle.dumps(one)).to_dict() == found
    found.clear()
    assert one.to_dict()


def test_a_network_can_be_made_again_of_its_json() -> None:
    told = json.loads(NOISY.to_json())
    made = {kind: getattr(bayesdx, kind) for kind in ("TableCPD", "NoisyOrCPD", "NoisyMaxCPD")}
    again = bayesdx.Network(
        [bayesdx.Variable(one["name"], tuple(one["states"])) for one in told["variables"]],
        [made[one.pop("kind")](**one) for one in told["cpds"]],
    )
    assert again.digest == NOISY.digest == told["digest"]


def test_an_engine_tells_its_tables_and_whose_priors_they_are(engine: bayesdx.Engine) -> None:
    found = engine.to_dict()
    assert found["digest"] == engine.knowledge.digest
    for name in ("causes", "findings", "risks"):
        frame = getattr(engine, name).reset_index()
        assert list(found[name][0]) == list(frame.columns)
        assert [one["label"] for one in found[name]] == frame["label"].tolist()
    assert found["setting"] is None
    assert found["intended_use"] == engine.knowledge.model.intended_use


def test_what_json_cannot_say_is_null() -> None:
    table = bayesdx.TableCPD("a", (), [float("nan"), float("inf")])
    assert table.to_dict()["values"] == [None, None]
    plan = bayesdx.compile_network(NOISY, memory_limit=float("inf"))
    assert json.loads(plan.to_json(), parse_constant=refuse)["memory_limit"] is None


def test_relevance_and_names_are_values(network: bayesdx.Network) -> None:
    found = bayesdx.compile_network(network).relevant(["cold"], ["0"])
    names = bayesdx.Renaming({"cold": "Cold"}, {"flu": {"no": "absent"}})
    for one in (found, names):
        assert json.loads(one.to_json()) == one.to_dict()
        assert one._repr_html_().startswith("<div>")
        for copied in COPIES.values():
            assert copied(one) == one
            assert repr(copied(one)) == repr(one)
        with pytest.raises(AttributeError, match="cannot assign"):
            one.variables = ()
    for mapping in (names.variables, names.states, names.states["flu"]):
        with pytest.raises(TypeError, match="read-only"):
            mapping["cold"] = "Flu"


def test_a_general_network_answers_with_names(network: bayesdx.Network) -> None:
    chain = bayesdx.Network(
        [bayesdx.Variable(f"v{i}", ("a", "b", "c")) for i in range(12)],
        [bayesdx.TableCPD("v0", (), [0.1, 0.2, 0.7])]
        + [bayesdx.TableCPD(f"v{i}", (f"v{i - 1}",), [[0.2, 0.3, 0.5]] * 3) for i in range(1, 12)],
    )
    plan = bayesdx.compile_network(chain)
    answer = plan.query([{}, {"v3": "a"}])
    assert repr(answer.posteriors).endswith("v8, v9, and 2 more)")
    # Sums of rounded numbers may exceed 1; the log of a probability of states never exceeds 0.
    assert (answer.log_evidence <= 0.0).all()


def test_pictures(engine: bayesdx.Engine) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    _, ax = plt.subplots()
    table = engine.tornado(CASE)
    try:
        for answer in (engine.diagnose(CASE), engine.intervals(CASE, draws=20)):
            assert answer.plot(ax) is ax
            assert ax.get_yticklabels()[-1].get_text() == answer.table["label"].iloc[0]
        explained = engine.explain(CASE)
        assert explained.plot(ax, "gtps", top=2) is ax
        assert len(ax.get_yticks()) == 2
        with pytest.raises(bayesdx.InvalidCase, match="a cause that is explained here"):
            explained.plot(ax, "gtpss")
        assert bayesdx.plot_tornado(table, ax, top=4) is ax
        assert ax.get_yticklabels()[-1].get_text() == table["title"].iloc[0]
        assert engine.diagnose(CASE).plot() is not ax
    finally:
        plt.close("all")


def test_a_picture_without_matplotlib_names_the_extra(
    engine: bayesdx.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot", raising=False)
    with pytest.raises(bayesdx.BayesdxError, match=r"pip install 'bayesdx\[plot\]'"):
        engine.diagnose(CASE).plot()


def test_draws_as_xarray(engine: bayesdx.Engine) -> None:
    pytest.importorskip("xarray")
    found = engine.intervals(CASE, draws=40, seed=3)
    data = found.to_xarray()
    assert data["posterior"].dims == ("chain", "draw", "cause")
    assert data.sizes["draw"] == found.possible
    assert data["cause"].to_numpy().tolist() == found.table.index.tolist()
    mean = data["posterior"].mean(("chain", "draw")).to_numpy()
    np.testing.assert_allclose(mean, found.table["mean"], rtol=0, atol=1e-12)
    np.testing.assert_array_equal(data["low"], found.table["low"])
