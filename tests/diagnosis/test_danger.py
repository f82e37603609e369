"""Scores of dangerous causes: terms counted another way, and no positive finding lowers a level."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayesdx
from bayesdx.diagnosis.danger import OFTEN, ORDINARY, SHARPER, SHUT
from bayesdx.inference.evidence import no_evidence
from bayesdx.inference.noisy.query import posteriors
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
    m, k = core.danger.names.index(name), core.triage.causes.index("cauda_equina")
    assert given(c) >= OFTEN
    assert given(c) >= SHARPER * usual
    assert core.danger.sharp[m, k]
    assert core.danger.present[m, k] == pytest.approx(math.log(given(c) / (1 - nobody)), rel=1e-6)
    assert core.danger.absent[m, k] == pytest.approx(math.log((1 - given(c)) / nobody), rel=1e-6)


def odds(p: float) -> float:
    return math.log(p / (1 - p))


def terms(engine: bayesdx.Engine, name: str, k: int) -> tuple[float, float]:
    danger = engine.core.danger
    m = danger.names.index(name)
    return float(danger.present[m, k]), float(danger.absent[m, k])


def test_what_is_weighed_adds_up(engine: bayesdx.Engine) -> None:
    k = engine.core.triage.causes.index("cauda_equina")
    base = engine.core.danger.base[k]
    present, _ = terms(engine, "saddle_numbness", k)
    _, absent = terms(engine, "anal_tone_reduced", k)
    got = weighed(engine, saddle_numbness="present", anal_tone_reduced="absent")[k]
    assert odds(got) == pytest.approx(base + present + absent, rel=1e-12)
    shut = weighed(engine, numbness_tingling="present", anal_tone_reduced="absent")[k]
    danger = engine.core.danger
    beyond = danger.beyond[danger.names.index("numbness_tingling"), k]
    assert odds(shut) == pytest.approx(base + beyond + absent - math.log(SHUT), rel=1e-12)
    assert weighed(engine, anal_tone_reduced="absent", active_cancer="present")[k] == 0.0


def test_what_common_causes_give_opens_nothing(engine: bayesdx.Engine) -> None:
    """Ordinary sciatica raises the score of the cauda equina and calls for nothing by itself."""
    sciatica = {"low_back_pain": "present", "slr_pos": "present", "numbness_tingling": "present"}
    k = engine.core.triage.causes.index("cauda_equina")
    assert weighed(engine, **sciatica)[k] >= weighed(engine, low_back_pain="present")[k]
    assert "cauda_equina" not in {hit.cause for hit in engine.diagnose(sciatica).triage}


def test_a_scale_counts_the_highest_level_reached_and_the_lowest_missed(
    engine: bayesdx.Engine,
) -> None:
    k = engine.core.triage.causes.index("rhabdomyolysis")
    base = engine.core.danger.base[k]
    four, ten = (terms(engine, name, k) for name in ("ck_gt4x", "ck_gt10x"))
    weak = "malaise"
    m = engine.core.danger.names.index(weak)
    more, beyond = engine.core.danger.present[m, k], engine.core.danger.beyond[m, k]
    assert not engine.core.danger.sharp[m, k]
    assert more > 0.0
    most = max(terms(engine, f"ck_gt{at}x", k)[0] for at in (4, 10, 40))
    for value, expected in (
        (2, four[1] + beyond - math.log(SHUT)),
        (6, four[0] + ten[1] + more),
        (900, most + more),
    ):
        got = odds(weighed(engine, ck_ratio=value, **{weak: "present"})[k]) - base
        assert got == pytest.approx(expected, rel=1e-9)
    # What is above four and below ten times the limit says less than what may be above ten.
    assert weighed(engine, ck_ratio=6)[k] < weighed(engine, ck_gt4x="present")[k]


def test_terms_bear_out_that_no_positive_finding_lowers_a_score(engine: bayesdx.Engine) -> None:
    danger = engine.core.danger
    assert (danger.present >= 0.0).all()
    assert (danger.absent <= 0.0).all()
    for scale in danger.scales:
        assert (np.diff(danger.present[scale], axis=0) >= 0.0).all()
        assert (np.diff(danger.sharp[scale].astype(int), axis=0) >= 0).all()


def test_bounds_hold_whatever_is_answered(engine: bayesdx.Engine) -> None:
    core, rng = engine.core, np.random.default_rng(5)
    sizes = {name: len(states) for name, states in core.states.items()}
    names = [name for name in core.danger.names if sizes[name] == 2] + list(core.model.risks)
    for _ in range(40):
        chosen = rng.choice(names, size=25, replace=False).tolist()
        known = {name: np.array([rng.integers(sizes[name])]) for name in chosen[:10]}
        most, least = core.danger.bounds(known, set(chosen[10:]))
        for _ in range(20):
            more = {name: np.array([rng.integers(-1, sizes[name])]) for name in chosen[10:]}
            got = core.danger.weighed({**known, **more}, 1)[0]
            assert (got <= most * (1 + 1e-12)).all()
            assert (got >= least * (1 - 1e-12)).all()


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
        # Posteriors have no part in it.
        levels = [int(core.urgency(core.read_case(one).facts, 1).level[0]) for one in rows]
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
    assert falls(engine, cases.sample(8, random_state=0)) == []


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
