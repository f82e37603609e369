"""Orders of causes: naive Bayes by hand, wins and losses, what is found to be responsible."""

from collections.abc import Iterator
from types import ModuleType

import numpy as np
import pytest
from scripts import BENCHMARKS, scripts

import bayesdx


@pytest.fixture(scope="module")
def engine() -> bayesdx.Engine:
    return bayesdx.load()


@pytest.fixture(scope="module")
def orders() -> Iterator[ModuleType]:
    with scripts(BENCHMARKS / "quality", ("metrics", "noise", "simulated", "orders")) as modules:
        yield modules.orders


@pytest.mark.parametrize("value", ["present", "absent", 0.7])
def test_of_one_finding_naive_bayes_is_the_posterior(
    orders: ModuleType, engine: bayesdx.Engine, value: object
) -> None:
    evidence = engine.core.read_case({"low_back_pain": value}).evidence
    said = orders.said_by(engine, evidence)
    posterior = said["posterior"][0]
    odds = np.exp(said["naive Bayes"][0])
    some = posterior > 0.0
    np.testing.assert_allclose((odds / (1.0 + odds))[some], posterior[some], rtol=1e-9)


def test_wins_and_losses_are_against_naive_bayes(
    orders: ModuleType, engine: bayesdx.Engine
) -> None:
    case = {"fair_pos": ["present"], "low_back_pain": ["present"]}
    evidence = engine.core.reader.read(case, 1, None).evidence
    found = orders.compare(engine, evidence, ["piriformis_syndrome"])
    assert found["naive Bayes"].wins == found["naive Bayes"].losses == 0
    assert found[orders.NAMES].five.hits == 1


def test_the_first_cause_by_part_is_responsible_most_often(
    orders: ModuleType, engine: bayesdx.Engine
) -> None:
    found = orders.responsible_first(engine, 60, 0)
    assert max(found.values()) == found["plays a part"] <= 1.0
