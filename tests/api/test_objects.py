"""Engines, networks and answers as values: they travel, and nobody can change them."""

from __future__ import annotations

import copy
import pickle
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


def score(engine: bayesdx.Engine, row: dict[str, Any]) -> float:
    return float(engine.diagnose(row).log_evidence)


def asked(plan: Any, row: dict[str, Any]) -> float:
    return float(plan.query(row).log_evidence[0])


@pytest.mark.parametrize("start", ["spawn", "forkserver"])
def test_process_pools(
    engine: bayesdx.Engine, network: bayesdx.Network, rows: Rows, start: str
) -> None:
    plan = bayesdx.compile_network(network)
    with ProcessPoolExecutor(1, mp_context=get_context(start)) as pool:
        # A method and its engine travel as well as a result comes back.
        found = list(pool.map(engine.diagnose, rows))
        told = pool.submit(plan.query, {"cold": "yes"}).result()
    assert [one.log_evidence for one in found] == [score(engine, row) for row in rows]
    assert told.log_evidence[0] == asked(plan, {"cold": "yes"})


def test_joblib_and_closures(engine: bayesdx.Engine, rows: Rows) -> None:
    found = joblib.Parallel(n_jobs=2, backend="loky")(
        joblib.delayed(engine.diagnose)(row) for row in rows
    )
    assert [one.log_evidence for one in found] == [score(engine, row) for row in rows]
    closure = pickle.loads(cloudpickle.dumps(lambda row: engine.diagnose(row).log_evidence))
    assert closure(rows[0]) == score(engine, rows[0])


def test_dask_closures(engine: bayesdx.Engine, rows: Rows) -> None:
    dask = pytest.importorskip("dask")
    tasks = [dask.delayed(lambda row: engine.diagnose(row).log_evidence)(row) for row in rows]
    found = dask.compute(*tasks, scheduler="processes", num_workers=1)
    assert list(found) == [score(engine, row) for row in rows]


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
