"""Scores of dangerous causes: terms counted another way, and no positive finding lowers a level."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayesdx
from bayesdx.diagnosis.danger import OFTEN, OPEN, ORDINARY, SHARPER, SHUT
from bayesdx.inference.evidence import no_evidence
from bayesdx.inference.noisy.query import posteriors
from bayesdx.knowledge.red_flag_schema import LEVELS
from bayesdx.tables import finding_columns, read_cases

SCENARIOS = Path(__file__).parents[2] / "scenarios"


@pytest.fixture(scope="module")
def engine() -> bayesdx.Engine:
    return bayesdx.load()


def weighed(engine: bayesdx.Engine, **findings: object) -> np.ndarray:
    cases = engine.core.read_case(findings)
    return engine.core.danger.weighed(cases.facts, 1)[0]


def test_priors_given_risks_are_those_of_the_network(engine: bayesdx.Engine) -> None:
    core, rng = engine.core, np.random.default_rng(3)
    places = [core.model.causes.index(name) for name in core.triage.causes]
    for _ in range(20):
        evidence = no_evidence(core.model, 1)
        states = {}
        for r, name in enumerate(core.model.risks):
            if rng.random() < 0.3:
                state = int(rng.integers(len(core.model.risk_priors[r])))
                evidence.risks[0, r] = state
                states[name] = np.array([state])
        answer = posteriors(core.model, evidence, backend="numpy")
        if not answer.possible[0]:
            continue
        log_odds = core.danger.prior(states, 1)[0]
        np.testing.assert_allclose(
            1 / (1 + np.exp(-log_odds)), answer.causes[0, places], rtol=1e-9, atol=1e-15
        )


def test_terms_are_those_of_the_tables(engine: bayesdx.Engine) -> None:
    """Saddle numbness and the cauda equina, counted by hand from the network's own tables."""
    core = engine.core
    model, name = core.model, "saddle_numbness"
    f, c = model.findings.index(name), model.causes.index("cauda_equina")
    nothing = no_evidence(model, 1)
    prior = posteriors(model, nothing, backend="numpy").causes[0]
    kept = [1 - p * z for p, z in zip(prior, model.links.strength[:, f], strict=True)]
    nobody = (1 - model.links.leak[f]) * math.prod(kept)

    def given(cause: int) -> float:
        return 1 - nobody / kept[cause] * (1 - model.links.strength[cause, f])

    harmless = [
        i
        for i, cause in enumerate(model.causes)
        if prior[i] >= ORDINARY and cause not in core.triage.causes
    ]
    usual = max(1 - nobody, *map(given, harmless))
    (term,) = [t for t in core.danger.terms[name] if core.triage.causes[t.cause] == "cauda_equina"]
    assert given(c) >= OFTEN
    assert given(c) >= SHARPER * usual
    assert term.sharp
    assert term.present == pytest.approx(math.log(given(c) / (1 - nobody)), rel=1e-6)
    assert term.absent == pytest.approx(math.log((1 - given(c)) / nobody), rel=1e-6)


def test_what_is_weighed_adds_up(engine: bayesdx.Engine) -> None:
    core = engine.core
    k = core.triage.causes.index("cauda_equina")
    terms = {
        name: term for name, every in core.danger.terms.items() for term in every if term.cause == k
    }
    got = weighed(engine, saddle_numbness="present", anal_tone_reduced="absent")[k]
    log_odds = core.danger.base[k] + terms["saddle_numbness"].present
    log_odds += terms["anal_tone_reduced"].absent - math.log(OPEN)
    assert got == pytest.approx(1 / (1 + math.exp(-log_odds)), rel=1e-12)
    shut = weighed(engine, anal_tone_reduced="absent")[k]
    log_odds = core.danger.base[k] + terms["anal_tone_reduced"].absent - math.log(SHUT)
    assert shut == pytest.approx(1 / (1 + math.exp(-log_odds)), rel=1e-12)


def test_what_common_causes_give_opens_nothing(engine: bayesdx.Engine) -> None:
    """Ordinary sciatica raises the score of the cauda equina and calls for nothing by itself."""
    sciatica = {"low_back_pain": "present", "slr_pos": "present", "numbness_tingling": "present"}
    k = engine.core.triage.causes.index("cauda_equina")
    assert weighed(engine, **sciatica)[k] >= weighed(engine, low_back_pain="present")[k]
    assert "cauda_equina" not in {hit.cause for hit in engine.diagnose(sciatica).triage}


def test_the_highest_level_of_an_ordinal_counts(engine: bayesdx.Engine) -> None:
    core = engine.core
    k = core.triage.causes.index("rhabdomyolysis")
    four, ten = (weighed(engine, **{name: "present"})[k] for name in ("ck_gt4x", "ck_gt10x"))
    assert weighed(engine, ck_gt4x="present", ck_gt10x="present")[k] == max(four, ten)


def falls(engine: bayesdx.Engine, cases: pd.DataFrame) -> list[str]:
    """Positive answers, one at a time, that lower the level of a case."""
    core = engine.core
    every = [name for name, one in engine.knowledge.findings.items() if one.states[1] == "present"]
    found = []
    for _, row in cases.iterrows():
        known = {str(k): v for k, v in row.items() if isinstance(v, str) and v}
        rows = [known]
        for name in every:
            try:
                core.read_case({**known, name: "present"})
            except bayesdx.InvalidCase:
                continue
            if name not in known:
                rows.append({**known, name: "present"})
        table = pd.DataFrame(rows, dtype=object).fillna("")
        levels = [LEVELS.index(one) for one in engine.score(table)["urgency"]]
        found += [
            f"{known} + {[n for n in more if n not in known]}"
            for more, level in zip(rows[1:], levels[1:], strict=True)
            if level > levels[0]
        ]
    return found


def scenario_cases() -> pd.DataFrame:
    parts = [
        finding_columns(read_cases(str(SCENARIOS / f"{name}.csv")))
        for name in ("documents", "published", "typical")
    ]
    return pd.concat(parts, ignore_index=True).astype("string").fillna("").astype(object)


def test_a_positive_finding_lowers_no_level(engine: bayesdx.Engine) -> None:
    cases = scenario_cases()
    assert falls(engine, cases.sample(12, random_state=0)) == []


@pytest.mark.slow
def test_a_positive_finding_lowers_no_level_of_any_case(engine: bayesdx.Engine) -> None:
    assert falls(engine, scenario_cases()) == []


def test_ask_first_names_what_would_tell(engine: bayesdx.Engine) -> None:
    d = engine.diagnose({"low_back_pain": "present", "leg_weakness": "present"})
    named = {one.cause: one for one in d.ask_first}
    for one in named.values():
        k = engine.core.triage.causes.index(one.cause)
        at = d.table.loc[one.cause, "posterior"]
        assert at >= engine.core.triage.thresholds[k]
        assert one.cause not in {hit.cause for hit in d.triage}
        assert not {"low_back_pain", "leg_weakness"} & {*one.findings}
    if "cauda_equina" in named:
        assert "saddle_numbness" in named["cauda_equina"].findings
