"""The engine on the packaged knowledge: one case, many cases, and what they must have in common."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayesdx
from bayesdx.inference import posteriors
from bayesdx.tables import finding_columns, read_cases

SCENARIOS = Path(__file__).parent.parent.parent / "scenarios"
CASE = {
    "low_back_pain": "present",
    "bilateral": "absent",
    "fair_pos": "present",
    "slr_pos": "absent",
    "age": 52,
    "sex": "female",
}


@pytest.fixture(scope="module")
def engine() -> bayesdx.Engine:
    return bayesdx.load()


@pytest.mark.parametrize("name", ["documents.csv", "published.csv"])
def test_score_equals_diagnose_on_scenarios(engine: bayesdx.Engine, name: str) -> None:
    cases = finding_columns(read_cases(str(SCENARIOS / name))).iloc[::4]
    scores = engine.score(cases)
    assert list(scores.index) == list(cases.index)
    for row in cases.index:
        d = engine.diagnose(cases.loc[row].to_dict())
        scored = scores.loc[row, list(d.table.index)].astype(float)
        np.testing.assert_allclose(scored, d.table["posterior"], rtol=0, atol=1e-12)
        assert scores.loc[row, "log_evidence"] == pytest.approx(d.log_evidence, rel=1e-12)
        assert scores.loc[row, "status"] == d.status
        assert scores.loc[row, "urgency"] == d.urgency
        fired = {hit.id for hit in d.red_flags if hit.outcome == "fired"}
        fired |= {f"expected_loss:{hit.cause}" for hit in d.triage}
        assert set(filter(None, scores.loc[row, "red_flags"].split(";"))) == fired


def test_every_backend_gives_the_same_answers(engine: bayesdx.Engine) -> None:
    pytest.importorskip("numba")
    compiled = bayesdx.load(backend="compiled")
    cases = finding_columns(read_cases(str(SCENARIOS / "documents.csv"))).iloc[::9]
    for row in cases.index:
        one, other = (e.diagnose(cases.loc[row].to_dict()) for e in (engine, compiled))
        same = other.table.reindex(one.table.index)
        np.testing.assert_allclose(same["posterior"], one.table["posterior"], rtol=0, atol=1e-12)
        same = other.groups.reindex(one.groups.index)
        np.testing.assert_allclose(same["posterior"], one.groups["posterior"], rtol=0, atol=1e-12)
        assert (one.status, one.urgency) == (other.status, other.urgency)
    np.testing.assert_allclose(
        compiled.score(cases).select_dtypes("number"),
        engine.score(cases).select_dtypes("number"),
        rtol=0,
        atol=1e-12,
    )


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(bayesdx.BayesdxError, match="expected auto, numpy or compiled, got 'cuda'"):
        bayesdx.load(backend="cuda")  # type: ignore[arg-type]


def test_table_holds_every_cause_sorted_and_unexplained_last(engine: bayesdx.Engine) -> None:
    d = engine.diagnose(CASE)
    assert d.table.index.name == "cause"
    assert d.table.index[-1] == "unexplained"
    assert set(d.table.index[:-1]) == set(engine.causes.index)
    assert d.table["posterior"].iloc[:-1].is_monotonic_decreasing
    assert d.table["posterior"].between(0.0, 1.0).all()
    assert (d.table.loc[["cervical_dystonia", "ibs"], "posterior"] == 0.0).all()


def test_nothing_known_gives_the_priors(engine: bayesdx.Engine) -> None:
    d = engine.diagnose({"fever": "unknown", "age": ""})
    assert d.status == "no_findings"
    assert d.log_evidence == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(d.table["posterior"], d.table["prior"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(d.groups["posterior"], d.groups["prior"], rtol=0, atol=1e-12)


def test_groups_lie_between_their_likeliest_member_and_the_sum(engine: bayesdx.Engine) -> None:
    d = engine.diagnose(CASE)
    for name, group in engine.knowledge.groups.items():
        members = d.table["posterior"].reindex(group.members).fillna(0.0)
        posterior = d.groups.loc[name, "posterior"]
        assert members.max() - 1e-12 <= posterior <= members.sum() + 1e-12


def test_unexplained_is_the_case_without_any_cause(engine: bayesdx.Engine) -> None:
    """Asked the long way: every cause clamped absent."""
    model = engine.assembly.model
    cases = pd.DataFrame([CASE])
    read = engine.core.reader.read({name: cases[name].array for name in cases}, 1, None)
    clamped = [-1 if name.startswith("background:") else 0 for name in model.causes]
    evidence = replace(read.evidence, causes=np.array([clamped], dtype=np.int8))
    without = posteriors(model, evidence, only_evidence=True).log_evidence[0]
    d = engine.diagnose(CASE)
    expected = np.exp(without - d.log_evidence)
    assert d.table.loc["unexplained", "posterior"] == pytest.approx(expected, abs=1e-12)


def test_impossible_evidence_is_a_status_with_the_smallest_clash(engine: bayesdx.Engine) -> None:
    d = engine.diagnose(
        {"menstrual_cyclic": 1, "sex": "male", "fever": "yes", "confusion": "no", "age": 30}
    )
    assert d.status == "impossible"
    assert d.log_evidence == -np.inf
    assert set(d.clashes) == {"menstrual_cyclic", "sex"}
    np.testing.assert_array_equal(d.table["posterior"], d.table["prior"])
    assert not d.table["posterior"].isna().any()
    assert any(hit.id == "fever" and hit.outcome == "fired" for hit in d.red_flags)


def test_impossible_rows_do_not_disturb_their_neighbours(engine: bayesdx.Engine) -> None:
    cases = pd.DataFrame(
        {"menstrual_cyclic": ["present", "present", ""], "sex": ["male", "female", "male"]}
    )
    scores = engine.score(cases)
    assert list(scores["status"]) == ["impossible", "ok", "ok"]
    assert scores["log_evidence"].iloc[0] == -np.inf
    assert np.isfinite(scores["log_evidence"].iloc[1:]).all()
    assert not scores.isna().any().any()


def test_score_keeps_the_index_and_bears_any_order_of_rows_and_columns(
    engine: bayesdx.Engine,
) -> None:
    cases = finding_columns(read_cases(str(SCENARIOS / "documents.csv")))
    straight = engine.score(cases)
    shuffled = cases.sample(frac=1.0, random_state=3).sample(frac=1.0, axis=1, random_state=4)
    turned = engine.score(shuffled).loc[cases.index]
    numbers = [*engine.causes.index, "unexplained", "log_evidence"]
    np.testing.assert_allclose(turned[numbers], straight[numbers], rtol=0, atol=1e-12)
    assert (turned["red_flags"] == straight["red_flags"]).all()


def test_no_rows_give_no_rows(engine: bayesdx.Engine) -> None:
    scores = engine.score(pd.DataFrame({"fever": []}))
    assert len(scores) == 0
    assert list(scores.columns[-4:]) == ["log_evidence", "status", "urgency", "red_flags"]


def test_a_column_given_twice_is_refused(engine: bayesdx.Engine) -> None:
    cases = pd.DataFrame([["present", "absent"]], columns=["fever", "fever"])
    with pytest.raises(
        bayesdx.InvalidCase, match=r"columns: expected each column once, got 'fever'"
    ):
        engine.score(cases)


def test_soft_evidence_lies_between_absent_and_present(engine: bayesdx.Engine) -> None:
    def posterior(value: object) -> float:
        return float(
            engine.diagnose({**CASE, "sitting_worse": value}).table.loc[
                "piriformis_syndrome", "posterior"
            ]
        )

    rising = [posterior(value) for value in ("absent", 0.2, 0.5, 0.8, "present")]
    assert rising == sorted(rising)
    assert posterior(0.5) == pytest.approx(
        float(engine.diagnose(CASE).table.loc["piriformis_syndrome", "posterior"]), abs=1e-12
    )


def test_priors_are_given_back_to_the_last_digits(engine: bayesdx.Engine) -> None:
    d = engine.diagnose({})
    stated = engine.causes["prior"]
    np.testing.assert_allclose(
        d.table["posterior"].reindex(stated.index), stated, rtol=1e-9, atol=0
    )


def test_frames_are_indexed_by_id(engine: bayesdx.Engine) -> None:
    assert engine.causes.index.name == "cause"
    assert engine.findings.index.name == "finding"
    assert engine.risks.index.name == "risk"
    assert len(engine.causes) == len(engine.knowledge.causes) - 1
    assert engine.causes.loc["piriformis_syndrome", "prior_elicited"] == 0.055
    assert 0.003 < engine.causes.loc["piriformis_syndrome", "prior"] < 0.17
    assert engine.risks.loc["anatomical_variant", "prevalence"] == "0.85;0.15"
    over = engine.findings[engine.findings["over_explained"]]
    assert (over["modelled_background"] > over["background"]).all()
    inside = engine.findings[engine.findings["leak"].notna() & ~engine.findings["over_explained"]]
    np.testing.assert_allclose(inside["modelled_background"], inside["background"], atol=1e-9)


def test_nms_is_excluded_without_a_dopamine_blocker(engine: bayesdx.Engine) -> None:
    tetrad = dict.fromkeys(("fever", "generalized_rigidity", "confusion", "autonomic"), "present")
    without = engine.diagnose({**tetrad, "antipsychotic_use": "absent"})
    with_drug = engine.diagnose({**tetrad, "antipsychotic_use": "present"})
    assert without.table.loc["nms", "posterior"] == 0.0
    assert with_drug.table.loc["nms", "posterior"] > 0.5
    assert with_drug.urgency == "emergency"
