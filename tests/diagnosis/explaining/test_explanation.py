"""Explanations: they add up, equal the slow way, and say where their numbers come from."""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_priors import SMALL, write_priors

import bayesdx
from bayesdx import Engine, InvalidCase
from bayesdx.diagnosis.explaining.coalition import whole_part
from bayesdx.diagnosis.explaining.context import Context
from bayesdx.diagnosis.explaining.explanation import explain
from bayesdx.inference.noisy.attribution.coalition_game import shapley_values
from bayesdx.inference.noisy.attribution.credit_assignment import produced_by
from bayesdx.tables import finding_columns, read_cases

CASE = {"low_back_pain": "present", "bilateral": "absent", "fair_pos": "present", "age": 41}
SCENARIOS = Path(__file__).parents[3] / "scenarios"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return bayesdx.load(write_priors(tmp_path_factory.mktemp("priors"), SMALL), backend="numpy")


@pytest.fixture(scope="module")
def engine() -> Engine:
    return bayesdx.load(backend="numpy")


def slow_log_odds(engine: Engine, findings: Mapping[str, object], causes: list[str]) -> np.ndarray:
    """Log-odds under every subset of what was given, each read and answered as a case, (C, T)."""
    names = list(findings)
    rows = []
    for subset in range(1 << len(names)):
        told = {name: findings[name] for at, name in enumerate(names) if subset >> at & 1}
        answer = engine.core.posteriors(engine.core.read_case(told).evidence)
        rows.append(answer.causes[0, [engine.core.model.causes.index(name) for name in causes]])
    present = np.array(rows).T
    with np.errstate(divide="ignore"):
        return np.log(present) - np.log1p(-present)


def check_sums(causes: pd.DataFrame, table: pd.DataFrame, keys: list[str]) -> None:
    """Contributions add up to what was observed did to each cause, infinities included."""
    total = table["contribution"].groupby(level=keys).sum().reindex(causes.index)
    excluded = causes["prior"] == 0.0
    change = (causes["log_odds"] - causes["prior_log_odds"]).where(~excluded, 0.0)
    infinite = np.isinf(change)
    assert (total[infinite] == change[infinite]).all()
    np.testing.assert_allclose(total[~infinite], change[~infinite], rtol=0, atol=1e-9)
    numbers = table[["contribution", "lr_alone", "lr_in_context"]]
    assert not numbers.isna().any(axis=None)


@pytest.mark.parametrize(
    "findings",
    [
        {"cramp": "present", "age": 70, "statin_use": "present"},
        {"cramp": 0.7, "ck": 5.0, "radiation": "thigh"},
        {"radiation_any": "present", "radiation_foot": "absent", "cramp": "absent"},
        {"radiation": "foot", "radiation_any": "present", "ck_high": "absent", "age": "under_60"},
        {"reach": 30, "severe_pain": "present", "cramp": "present"},
    ],
)
def test_contributions_equal_reading_every_subset(small: Engine, findings: dict) -> None:
    found = small.explain(findings)
    causes = ["strain", "statin_myopathy"]
    values = slow_log_odds(small, findings, causes)
    shares = shapley_values(values)
    last = (1 << len(findings)) - 1
    for row, cause in enumerate(causes):
        table = found.of(cause)
        for at, name in enumerate(findings):
            line = table.loc[name]
            assert line["contribution"] == pytest.approx(shares[row, at], abs=1e-9)
            alone = math.exp(values[row, 1 << at] - values[row, 0])
            assert line["lr_alone"] == pytest.approx(alone, rel=1e-9)
            without = last - (1 << at)
            in_context = math.exp(values[row, last] - values[row, without])
            assert line["lr_in_context"] == pytest.approx(in_context, rel=1e-9)
    check_sums(found.causes, found.table, ["cause"])


@pytest.mark.parametrize(
    "findings",
    [
        {"pir_combined_pos": "present", "seated_pir_stretch_pos": "absent", "age": 30},
        {"duration": 8, "dur_gt_6mo": "absent"},
        {"dur_gt_6mo": "present", "dur_gt_2wk": "present", "leg_radiation_any": "present"},
        {"potassium": 3.1},
        {"ck_ratio": 5, "potassium": 3.1, "abi": 0.7},
    ],
)
def test_findings_that_settle_each_other_are_read_for_every_subset(
    engine: Engine, findings: dict
) -> None:
    causes = ["piriformis_syndrome", "muscle_strain_overuse", "rhabdomyolysis"]
    found = engine.explain(findings, causes)
    assert found.method == "shapley"
    shares = shapley_values(slow_log_odds(engine, findings, causes))
    for row, cause in enumerate(causes):
        got = found.of(cause).loc[list(findings), "contribution"]
        np.testing.assert_allclose(got, shares[row], rtol=0, atol=1e-8)


def test_what_unknown_risks_couple_too_much_adds_up_along_a_path(engine: Engine) -> None:
    findings = {"ck_ratio": 5, "potassium": 3.1, "abi": 0.7, "duration": 8}
    findings |= dict.fromkeys(["low_back_pain", "fair_pos", "fever"], "present")
    found = engine.explain(findings, "rhabdomyolysis")
    assert found.method == "path"
    check_sums(found.causes, found.table, ["cause"])


def test_posteriors_are_those_of_the_diagnosis(engine: Engine) -> None:
    found = engine.explain(CASE)
    diagnosis = engine.diagnose(CASE).table["posterior"].drop("unexplained")
    np.testing.assert_allclose(found.posterior[diagnosis.index], diagnosis, rtol=0, atol=1e-12)
    priors = engine.causes["prior"]
    np.testing.assert_allclose(found.prior[priors.index], priors, rtol=0, atol=1e-15)
    odds = found.causes.loc[found.prior > 0.0]
    np.testing.assert_allclose(
        1.0 / (1.0 + np.exp(-odds["prior_log_odds"])), odds["prior"], rtol=0, atol=1e-9
    )
    assert list(found.causes.index[:3]) == list(diagnosis.index[:3])


def test_scenarios_add_up_for_all_causes(engine: Engine) -> None:
    cases = finding_columns(read_cases(str(SCENARIOS / "published.csv"))).iloc[::10]
    found = engine.explain_many(cases, list(engine.core.causes))
    check_sums(found.cases, found.table, ["case", "cause"])
    assert set(found.cases["method"]) <= {"shapley", "path"}
    scores = engine.score(cases)[list(engine.core.causes)]
    expected = [scores.loc[key] for key in found.cases.index]
    np.testing.assert_allclose(found.cases["posterior"], expected, rtol=0, atol=1e-12)


@pytest.mark.slow
def test_documents_add_up_for_all_causes(engine: Engine) -> None:
    cases = finding_columns(read_cases(str(SCENARIOS / "documents.csv")))
    found = engine.explain_many(cases, list(engine.core.causes))
    check_sums(found.cases, found.table, ["case", "cause"])
    scores = engine.score(cases)[list(engine.core.causes)]
    expected = [scores.loc[key] for key in found.cases.index]
    np.testing.assert_allclose(found.cases["posterior"], expected, rtol=0, atol=1e-12)


def test_many_cases_say_what_one_case_says(engine: Engine) -> None:
    cases = pd.DataFrame(
        [CASE, {"cramp_spasm": 0.6, "age": None}, {}], index=["a", "b", "c"], dtype=object
    )
    found = engine.explain_many(cases)
    check_sums(found.cases.drop("c"), found.table, ["case", "cause"])
    one = engine.explain(CASE)
    leading = str(one.causes.index[0])
    assert found.cases.loc["a"].index.tolist() == [leading]
    many = found.table.loc[("a", leading)]
    columns = ["contribution", "lr_alone", "lr_in_context"]
    np.testing.assert_allclose(many[columns], one.of(leading).loc[many.index, columns], rtol=1e-12)
    assert many["source"].tolist() == one.of(leading).loc[many.index, "source"].tolist()
    assert found.cases["status"].tolist() == ["ok", "ok", "no_findings"]
    assert found.cases.loc["c", "method"].tolist() == ["none"]
    assert "c" not in found.table.index.get_level_values("case")


def test_many_cases_name_what_is_wrong(engine: Engine) -> None:
    cases = engine.explain_many(pd.DataFrame({"fair_pos": ["present", "perhaps"]})).cases
    assert cases["status"].tolist() == ["ok", "rejected"]
    assert cases["fault"].iloc[1].startswith("row 1, column fair_pos: expected present")
    with pytest.raises(InvalidCase, match="cause: expected the id of a cause, got 'piriformis'"):
        engine.explain_many(pd.DataFrame({"fair_pos": ["present"]}), "piriformis")
    twice = pd.DataFrame([["present", "present"]], columns=["fair_pos", "fair_pos"])
    with pytest.raises(InvalidCase, match="each column once"):
        engine.explain_many(twice)


def test_every_line_has_its_number(small: Engine) -> None:
    findings = {"cramp": "present", "statin_use": "present", "age": 70, "severe_pain": "present"}
    found = small.explain(findings)
    strain, statin = found.of("strain"), found.of("statin_myopathy")
    assert strain.loc["cramp", ["kind", "basis", "source", "statements"]].tolist() == [
        "link",
        "SEED",
        "clin",
        "S1-02",
    ]
    assert strain.loc["cramp", ["number", "low", "high"]].tolist() == [0.5, 0.3, 0.7]
    assert strain.loc["age", "kind"] == "effect"
    assert strain.loc["age", "place"] == "causes/strain.toml:effects[0]"
    assert strain.loc["statin_use", ["kind", "number"]].tolist() == ["prevalence", 0.2]
    assert statin.loc["statin_use", ["kind", "statements"]].tolist() == ["requirement", "S2-01"]
    assert statin.loc["severe_pain", ["kind", "contribution"]].tolist() == ["none", 0.0]
    assert statin.loc["severe_pain", "lr_in_context"] == 1.0
    absent = small.explain({"radiation": "none", "ck_high": "present"})
    assert absent.of("strain").loc["radiation", "place"].endswith("links.radiation_any")
    assert absent.of("strain").loc["ck_high", "kind"] == "background"


def test_structural_zero_is_named_as_the_one_reason(small: Engine) -> None:
    found = small.explain({"cramp": "present", "statin_use": "absent"}, "statin_myopathy")
    table = found.of("statin_myopathy")
    assert table.loc["statin_use", "contribution"] == -math.inf
    assert table.loc["cramp", "contribution"] == 0.0
    assert table.loc["statin_use", ["lr_alone", "lr_in_context"]].tolist() == [0.0, 0.0]
    assert found.posterior["statin_myopathy"] == 0.0
    assert found.causes.loc["statin_myopathy", "log_odds"] == -math.inf


def test_excluded_cause_is_moved_by_nothing(small: Engine) -> None:
    found = small.explain({"cramp": "present"}, "bowel")
    assert (found.prior["bowel"], found.posterior["bowel"]) == (0.0, 0.0)
    assert found.of("bowel").loc["cramp", ["contribution", "lr_alone"]].tolist() == [0.0, 1.0]
    assert len(found.away) == 0


def test_no_finding_has_nothing_to_explain(engine: Engine) -> None:
    for findings in ({}, {"fair_pos": "unknown"}):
        found = engine.explain(findings)
        assert (found.status, found.method, len(found.table)) == ("no_findings", "none", 0)
        assert (found.posterior == found.prior).all()
        assert "Nothing" in found._repr_html_() or "nothing" in found._repr_html_()


def test_impossible_case_has_a_status(engine: Engine) -> None:
    found = engine.explain({"menstrual_cyclic": "present", "sex": "male", "fair_pos": "present"})
    assert found.status == "impossible"
    assert set(found.clashes) == {"menstrual_cyclic", "sex"}
    assert (found.table["contribution"] == 0.0).all()
    assert (found.table["lr_alone"] == 1.0).all()
    assert (found.posterior == found.prior).all()
    assert "menstrual_cyclic" in found._repr_html_()


def test_rival_takes_the_credit(engine: Engine) -> None:
    found = engine.explain(CASE, "si_joint")
    rival = found.away.loc[("si_joint", "referred_lumbar")]
    assert "low_back_pain" in rival["findings"].split(";")
    assert rival["shift"] > 0.0
    core = engine.core
    evidence = core.read_case(CASE).evidence
    causes = evidence.causes.copy()
    causes[0, core.model.causes.index("referred_lumbar")] = 0
    evidence = replace(evidence, causes=causes)
    without = core.posteriors(evidence).causes[0, core.model.causes.index("si_joint")]
    assert rival["posterior_without"] == pytest.approx(without, abs=1e-12)
    shares = found.credit.loc["low_back_pain", "credit"]
    assert shares.drop("background").index[0] == "referred_lumbar"
    assert shares.sum() >= 1.0
    assert shares.between(0.0, 1.0).all()


@pytest.mark.parametrize(
    "findings", [CASE, {"fair_pos": "present"}, {"seated_pir_stretch_pos": "absent", "sex": "male"}]
)
def test_what_could_matter_is_what_the_answers_do(engine: Engine, findings: dict) -> None:
    found = engine.explain(findings, "piriformis_syndrome")
    now = float(found.posterior["piriformis_syndrome"])
    assert len(found.could_matter) == 5
    for (cause, name), row in found.could_matter.iterrows():
        for value in ("present", "absent"):
            after = engine.diagnose({**findings, name: value}).table.loc[cause, "posterior"]
            assert row[f"posterior_if_{value}"] == pytest.approx(after, abs=1e-9)
            shift = math.log(after / (1 - after)) - math.log(now / (1 - now))
            assert row[f"shift_if_{value}"] == pytest.approx(shift, abs=1e-8)
    changes = found.could_matter["expected_change"].tolist()
    assert changes == sorted(changes, reverse=True)


def test_answers_that_couple_causes_are_exact(engine: Engine) -> None:
    core, findings = engine.core, {"fair_pos": "present", "age": 50}
    cases = core.read_case(findings)
    whole = whole_part(core.model, cases.evidence, 0)
    credits = produced_by(core.model, whole, {}, core.posteriors)
    assert credits is not None
    context = Context(core, whole, core.facts(cases), credits, ["muscle_strain_overuse"])
    for name in (
        "dur_gt_6mo",
        "buttock_pain",
        "trochanter_tender",
        "slr_pos",
    ):
        row = context.answer(0, name)
        assert row is not None
        for value in ("present", "absent"):
            table = engine.diagnose({**findings, name: value}).table
            after = table.loc["muscle_strain_overuse", "posterior"]
            assert getattr(row, f"posterior_if_{value}") == pytest.approx(after, abs=1e-9)


def test_only_wanted_causes_are_explained(engine: Engine) -> None:
    found = engine.explain(CASE, ["gtps", "piriformis_syndrome"])
    assert set(found.causes.index) == {"gtps", "piriformis_syndrome"}
    with pytest.raises(InvalidCase, match=r"cause: .*'gpts'. Nearest: gtps"):
        engine.explain(CASE, "gpts")
    with pytest.raises(InvalidCase, match="a cause that is explained here, got 'dvt'"):
        found.of("dvt")


def test_equal_contributions_stay_in_the_order_given(engine: Engine) -> None:
    findings = {"severe_pain": "present", "fair_pos": "present", "activity_limited": "present"}
    found = engine.explain(findings)
    order = found.of("piriformis_syndrome").index.tolist()
    assert order == ["fair_pos", "severe_pain", "activity_limited"]
    pd.testing.assert_frame_equal(found.table, engine.explain(findings).table)


def test_other_ways_of_sharing_out_add_up_too(small: Engine) -> None:
    case = {"cramp": "present", "statin_use": "present", "ck_high": "absent", "age": 70}
    for method in ("shapley_absent_in_order", "path"):
        found = explain(small.core, case, method=method)
        assert found.method == method
        check_sums(found.causes, found.table, ["cause"])


def test_long_record_is_explained_too(engine: Engine) -> None:
    names = [n for n, kind in engine.findings["kind"].items() if kind == "binary"]
    present = ("buttock_pain", "low_back_pain", "deep_ache", "sitting_worse", "fair_pos")
    absent = dict.fromkeys([name for name in names if "pir" not in name][::8], "absent")
    held = (*present, "cramp_spasm", "taut_band_trp", "load_worse")
    findings = absent | dict.fromkeys(held, "present")
    found = engine.explain(findings | {"age": 50, "sex": "female"}, "piriformis_syndrome")
    assert found.status == "ok"
    assert found.method != "shapley"
    assert len(found.table) == len(findings) + 2
    check_sums(found.causes, found.table, ["cause"])
    assert set(found.credit.index.get_level_values("finding")) >= set(present)
    assert len(found.could_matter) > 0


def test_notebook_view_escapes_what_it_shows(engine: Engine) -> None:
    case = {"low_back_pain": "absent", "fair_pos": "present"}
    shown = engine.explain(case, "piriformis_syndrome")._repr_html_()
    assert shown.count("<table>") == 1
    assert "Piriformis syndrome" in shown
    assert "fish02" in shown
    assert "\N{MINUS SIGN}" in shown


def test_labels_with_markup_are_escaped(tmp_path: Path) -> None:
    label = 'label = "Muscle strain"'
    assert label in SMALL["causes/strain.toml"]
    files = dict(SMALL)
    files["causes/strain.toml"] = SMALL["causes/strain.toml"].replace(label, 'label = "<b>&"')
    shown = bayesdx.load(write_priors(tmp_path, files)).explain({"cramp": "present"})._repr_html_()
    assert "&lt;b&gt;&amp;" in shown
    assert "<b>" not in shown


def test_answers_that_settle_others_are_tried_with_them(tmp_path: Path) -> None:
    question = 'question = "Was the CK raised?"'
    files = dict(SMALL)
    assert question in files["findings.toml"]
    files["findings.toml"] = files["findings.toml"].replace(
        question, f'{question}\nimplies = ["cramp"]'
    )
    small = bayesdx.load(write_priors(tmp_path, files), backend="numpy")
    found = small.explain({"age": 40}, "statin_myopathy").could_matter
    assert {"cramp", "ck_high"} <= set(found.index.get_level_values("finding"))
    for (cause, name), row in found.iterrows():
        for value in ("present", "absent"):
            after = small.diagnose({"age": 40, name: value}).table.loc[cause, "posterior"]
            assert row[f"posterior_if_{value}"] == pytest.approx(after, abs=1e-12)
