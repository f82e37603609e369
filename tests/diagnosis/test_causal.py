"""The causal ranking of the packaged knowledge."""

import numpy as np
import pytest

import bayesdx
from bayesdx.diagnosis.causal import rank_many

CASE = {"low_back_pain": "present", "bilateral": "absent", "fair_pos": "present"}


@pytest.fixture(scope="module")
def engine() -> bayesdx.Engine:
    return bayesdx.load()


def test_ranking_stands_beside_the_posterior(engine: bayesdx.Engine) -> None:
    found = engine.rank_causes(CASE)
    table = found.table
    assert (found.symptoms, found.status) == (2, "ok")
    posterior = engine.diagnose(CASE).table["posterior"]
    np.testing.assert_allclose(table["posterior"], posterior.reindex(table.index), atol=1e-12)
    assert table["disablement"].is_monotonic_decreasing
    assert (table["disablement"] <= table["sufficiency"] + 1e-12).all()
    assert (table["sufficiency"] <= 2 * table["posterior"] + 1e-12).all()
    assert table["rank_disablement"].iloc[0] == 1


def test_a_cause_without_a_link_to_what_is_present_explains_nothing(engine: bayesdx.Engine) -> None:
    table = engine.rank_causes({"low_back_pain": "present"}).table
    linked = {
        name for name, cause in engine.knowledge.causes.items() if "low_back_pain" in cause.links
    }
    explains = set(table.index[table["disablement"] > 0])
    assert explains <= linked


def test_many_cases_are_those_of_one(engine: bayesdx.Engine) -> None:
    one = engine.core.read_case(CASE).evidence
    rows = one.take(np.zeros(5, dtype=np.intp))
    _, disablement, _, symptoms, possible = rank_many(engine.core, rows)
    assert possible.all()
    assert symptoms.tolist() == [2] * 5
    table = engine.rank_causes(CASE).table
    for row in disablement:
        np.testing.assert_allclose(
            row, table["disablement"].reindex(engine.causes.index), rtol=1e-12
        )


def test_statuses(engine: bayesdx.Engine) -> None:
    assert engine.rank_causes({}).status == "no_findings"
    assert (engine.rank_causes({}).table["disablement"] == 0).all()
