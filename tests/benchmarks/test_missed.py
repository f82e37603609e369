"""People with a dangerous cause, drawn from the network, and how they are called."""

from collections.abc import Iterator
from types import ModuleType

import numpy as np
import pytest
from scripts import BENCHMARKS, scripts

import bayesdx
from bayesdx.inference.noisy.sampling import sample_cases


@pytest.fixture(scope="module")
def missed() -> Iterator[ModuleType]:
    with scripts(BENCHMARKS / "quality", ("alarms", "missed")) as modules:
        yield modules.missed


@pytest.fixture(scope="module")
def engine() -> bayesdx.Engine:
    return bayesdx.load("examples/headache")


def test_cases_are_those_of_the_network_in_which_the_cause_is_present(
    engine: bayesdx.Engine, missed: ModuleType
) -> None:
    model, cause = engine.core.model, "migraine"
    at = model.causes.index(cause)
    drawn = missed.with_cause(model, cause, 20_000, np.random.default_rng(1))
    assert drawn.causes[:, at].all()
    every = sample_cases(model, 200_000, np.random.default_rng(2))
    having = every.causes[:, at]
    for ours, theirs in (
        (drawn.findings, every.findings[having]),
        (drawn.causes, every.causes[having]),
        (drawn.risks == 0, every.risks[having] == 0),
    ):
        np.testing.assert_allclose(ours.mean(axis=0), theirs.mean(axis=0), atol=0.02)
    # Women have it more often: chosen cases are not those of everybody.
    sex = model.risks.index("sex")
    women = list(engine.core.states["sex"]).index("female")
    assert (drawn.risks[:, sex] == women).mean() > model.risk_priors[sex][women] + 0.05


def test_shares_are_of_causes_that_press_and_by_rules_alone_no_less(
    engine: bayesdx.Engine, missed: ModuleType
) -> None:
    found = missed.missed(engine, cases=512)
    urgency = {name: one.urgency for name, one in engine.knowledge.causes.items()}
    assert found
    for one in found:
        assert urgency[one.cause] == one.level
        assert one.level in ("emergency", "urgent", "soon")
        assert 0.0 <= one.far_below <= one.below <= one.by_rules <= 1.0
    # Nothing told, nothing called.
    silent = missed.missed(engine, cases=64, asked=0.0)
    assert all(one.by_rules == 1.0 for one in silent)
