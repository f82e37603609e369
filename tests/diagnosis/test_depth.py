"""The report on depth: against Bayes, with a twin that nothing tells apart, and from a shell."""

import math
from pathlib import Path

import numpy as np
import pytest

import bayesdx
from bayesdx.cli import main
from bayesdx.diagnosis.depth import Depth, answers_given_causes, depth
from bayesdx.diagnosis.quantities import Quantity, make_batch, probabilities
from bayesdx.frozen import FrozenDict


@pytest.fixture(scope="module")
def engine() -> bayesdx.Engine:
    return bayesdx.load()


@pytest.fixture(scope="module")
def found(engine: bayesdx.Engine) -> Depth:
    return depth(engine.core)


def test_shares_given_a_cause_are_those_of_bayes(engine: bayesdx.Engine) -> None:
    """P(state | c) is P(c | state) P(state) / P(c), each asked for by itself."""
    core = engine.core
    shares = answers_given_causes(core)
    rng = np.random.default_rng(2)
    causes = [core.causes[k] for k in core.columns]
    asked = []
    for name in rng.choice(list(shares), size=25, replace=False).tolist():
        at = int(rng.integers(len(causes)))
        states = core.states[name]
        asked += [(name, at, s, states[s]) for s in range(len(states))]
    quantities = []
    for name, at, _, state in asked:
        quantities += [
            Quantity(causes[at], ((name, state),)),
            Quantity(f"{name}:{state}"),
            Quantity(causes[at]),
        ]
    got = probabilities(core.assembly, make_batch(core.knowledge, core.assembly, quantities))
    for (name, at, s, _), (posterior, share, prior) in zip(asked, got.reshape(-1, 3), strict=True):
        assert shares[name][at, s] == pytest.approx(posterior * share / prior, abs=1e-9)
    for table in shares.values():
        np.testing.assert_allclose(table.sum(axis=1), 1.0, atol=1e-12)


def test_what_a_question_tells_is_the_smaller_expected_log_ratio(
    engine: bayesdx.Engine, found: Depth
) -> None:
    shares = answers_given_causes(engine.core)
    causes = [engine.core.causes[k] for k in engine.core.columns]
    for (a, b), row in found.pairs.head(3).iterrows():
        p, q = (shares[row["best"]][causes.index(one)] for one in (a, b))
        both = [
            sum(x * math.log(x / y) for x, y in zip(one, other, strict=True) if x > 0)
            for one, other in ((p, q), (q, p))
        ]
        assert row[["questions", "examination", "tests"]].max() == pytest.approx(min(both))
        assert row["sum"] >= row[["questions", "examination", "tests"]].max()


def test_a_twin_of_a_cause_is_told_apart_by_nothing(engine: bayesdx.Engine) -> None:
    knowledge = engine.knowledge
    twin = knowledge.causes["meralgia"].model_copy(update={"id": "twin"})
    causes = FrozenDict({**knowledge.causes, "twin": twin})
    table = depth(bayesdx.Engine(knowledge.model_copy(update={"causes": causes})).core).pairs
    assert table.index[0] == ("meralgia", "twin")
    assert table["sum"].iloc[0] == pytest.approx(0.0, abs=1e-6)


def test_causes_and_findings_are_counted(engine: bayesdx.Engine, found: Depth) -> None:
    knowledge = engine.knowledge
    assert len(found.causes) == len(engine.core.modelled)
    for name, row in found.causes.iterrows():
        assert row["links"] == len(knowledge.causes[name].links)
    assert found.causes.loc["polymyalgia", "age"]
    assert found.causes["first"].isna().all()
    assert knowledge.urgency_only <= {*found.findings.index}
    linked = {name for cause in knowledge.causes.values() for name in cause.links}
    assert not linked & {*found.findings.index}


def test_typical_presentations_are_put_to_it(engine: bayesdx.Engine) -> None:
    core = engine.core
    told = {"outer_thigh_numb": ["present", None], "burning_electric": ["present", None]}
    cases = core.reader.read(told, 2, range(2))
    first = depth(core, cases, ("meralgia", "dvt")).causes["first"]
    assert (first["meralgia"], first["dvt"]) == (1, 0)
    assert math.isnan(first["gtps"])


def test_check_shows_it_and_refuses_a_table_without_expected_causes(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    cases = tmp_path / "cases.csv"
    cases.write_text("case_id,expected_cause,outer_thigh_numb\na,meralgia,present\n")
    assert main(("check", "--depth", "--typical", str(cases))) == 0
    out = " ".join(capsys.readouterr().out.split())
    for said in (
        "Links: ",
        "Findings that move no cause",
        "tells apart: ",
        "as likely at every age",
        "to the first place: 0 of 1.",
    ):
        assert said in out
    cases.write_text("case_id,outer_thigh_numb\na,present\n")
    assert main(("check", "--depth", "--typical", str(cases))) == 2
    assert "expected a column expected_cause" in capsys.readouterr().err
