"""Expected-loss triage: the threshold, the table, and what it says about cases."""

import tomllib
from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import ValidationError

from bayesdx.diagnosis.engine import Engine, load
from bayesdx.diagnosis.triage import (
    NO_LEVEL,
    build_triage,
    level_many,
    triage_case,
    triage_many,
)
from bayesdx.errors import InvalidCase, InvalidKnowledge
from bayesdx.knowledge.red_flag_schema import LEVELS
from bayesdx.knowledge.schema import Cause
from bayesdx.knowledge.triage_schema import Triage, threshold

PRIORS = Path(__file__).parents[2] / "priors"
RATIOS = {"emergency": 499.0, "urgent": 99.0, "soon": 19.0}


def cause(name: str, urgency: str | None = "urgent", dangerous: bool = True) -> Cause:
    return Cause.model_validate(
        {
            "id": name,
            "label": f"Label of {name}",
            "kind": "cause",
            "description": "-",
            "urgency": urgency,
            "dangerous": dangerous,
        }
    )


def triage(**change: object) -> Triage:
    base = {"basis": "JUDGEMENT", "sources": ["clin"], "loss_ratio": RATIOS}
    return Triage.model_validate(base | change)


MADE_UP = {
    one.id: one
    for one in (
        cause("clot", "emergency"),
        cause("tumour", "urgent"),
        cause("slow", "routine"),
        cause("stiff", "soon"),
        cause("sore", "urgent", dangerous=False),
    )
}
TABLE = build_triage(triage(causes={"tumour": 9.0}), MADE_UP)


# --- the ratio and the threshold ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("ratio", "by_hand"),
    [(1.0, 0.5), (3.0, 0.25), (9.0, 0.1), (19.0, 0.05), (99.0, 0.01), (499.0, 0.002), (0.25, 0.8)],
)
def test_threshold_by_hand(ratio, by_hand):
    assert threshold(ratio) == pytest.approx(by_hand, rel=1e-15)


def test_the_stated_example_of_the_evidence():
    # Missing cauda equina is as bad as 500 false alarms: act from 0.2 %.
    assert threshold(500.0) == pytest.approx(0.002, rel=0.003)


@given(st.floats(1e-6, 1e6))
def test_at_the_threshold_both_losses_are_equal(ratio):
    p = threshold(ratio)
    assert p * ratio == pytest.approx(1.0 - p, rel=1e-9)


@given(st.floats(0.0, 1.0), st.floats(1e-3, 1e4))
def test_acting_is_called_for_where_it_loses_less(p, ratio):
    loss_of_waiting, loss_of_acting = p * ratio, 1.0 - p
    if loss_of_waiting > loss_of_acting * (1.0 + 1e-9):
        assert p >= threshold(ratio)
    if loss_of_waiting < loss_of_acting * (1.0 - 1e-9):
        assert p < threshold(ratio)


# --- the shape of the table in the file ---------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"loss_ratio": {"emergency": 500.0, "urgent": 20.0}}, "one ratio each for emergency"),
        ({"loss_ratio": RATIOS | {"routine": 2.0}}, "one ratio each for emergency, urgent, soon"),
        ({"loss_ratio": {}}, "got none"),
        ({"loss_ratio": RATIOS | {"soon": 0.0}}, r"expected a ratio above 0, got 0\.0"),
        ({"causes": {"clot": -1.0}}, r"expected a ratio above 0, got -1\.0"),
        ({"causes": {"clot": float("inf")}}, "finite number"),
        ({"causes": {"clot": "many"}}, "valid number"),
        ({"causes": {"clot": True}}, "valid number"),
        ({"sources": []}, "at least 1 item"),
        ({"basis": "GUESS"}, "'SEEN'"),
        ({"ratio": 3.0}, "Extra inputs are not permitted"),
    ],
)
def test_schema_refuses(change, match):
    with pytest.raises(ValidationError, match=match):
        triage(**change)


def test_a_table_without_ratios_is_refused():
    with pytest.raises(ValidationError, match="loss_ratio"):
        Triage.model_validate({"basis": "JUDGEMENT", "sources": ["clin"]})


def test_schema_is_read_only():
    one = triage(causes={"clot": 3.0})
    with pytest.raises(ValidationError, match="frozen"):
        one.basis = "SEEN"
    for mapping in (one.loss_ratio, one.causes):
        with pytest.raises(TypeError, match="read-only"):
            mapping["emergency"] = 1.0
    with pytest.raises(TypeError, match="read-only"):
        triage().causes["clot"] = 1.0


# --- building ---------------------------------------------------------------------------------


def test_build_takes_dangerous_causes_at_their_own_level():
    assert TABLE.causes == ("clot", "tumour", "slow", "stiff")
    assert TABLE.labels[0] == "Label of clot"
    assert [LEVELS[i] for i in TABLE.levels] == ["emergency", "urgent", "soon", "soon"]
    np.testing.assert_array_equal(TABLE.loss_ratios, [499.0, 9.0, 19.0, 19.0])
    np.testing.assert_allclose(TABLE.thresholds, [0.002, 0.1, 0.05, 0.05], rtol=1e-15)


@pytest.mark.parametrize("urgency", ["routine", "self_care", None])
def test_dangerous_is_never_below_soon(urgency):
    table = build_triage(triage(), {"slow": cause("slow", urgency)})
    assert LEVELS[table.levels[0]] == "soon"
    assert table.loss_ratios[0] == RATIOS["soon"]


def test_table_is_read_only():
    for array in (TABLE.levels, TABLE.loss_ratios, TABLE.thresholds):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(FrozenInstanceError, match="causes"):
        TABLE.causes = ()


def test_unknown_cause_is_named_with_its_neighbours():
    with pytest.raises(InvalidKnowledge, match=r"tumor.*Nearest: tumour") as caught:
        build_triage(triage(causes={"tumor": 5.0, "clot": 5.0}), MADE_UP)
    assert [f.place for f in caught.value.faults] == ["red_flags.toml:triage.causes.tumor"]


def test_a_ratio_for_a_cause_that_is_not_dangerous_is_a_fault():
    with pytest.raises(InvalidKnowledge, match="expected a dangerous cause, got 'sore'"):
        build_triage(triage(causes={"sore": 5.0}), MADE_UP)


# --- many cases --------------------------------------------------------------------------------


def slow_hits(posteriors):
    return [
        [p * r >= 1.0 - p or p >= 1.0 / (1.0 + r) for p, r in zip(row, RATIO_LIST, strict=True)]
        for row in posteriors
    ]


RATIO_LIST = TABLE.loss_ratios.tolist()
BATCHES = st.integers(0, 6).flatmap(
    lambda n: arrays(
        np.float64,
        (n, 4),
        elements=st.one_of(st.floats(0.0, 1.0), st.sampled_from(TABLE.thresholds.tolist())),
    )
)


@given(BATCHES)
@settings(max_examples=200)
def test_vectorised_is_the_obvious_loop(posteriors):
    slow = slow_hits(posteriors.tolist())
    # p * r >= 1 - p and p >= 1 / (1 + r) are one rule; only within rounding may they part.
    near = np.isclose(posteriors, TABLE.thresholds, rtol=1e-12, atol=0.0)
    hits = triage_many(TABLE, posteriors)
    assert hits.shape == posteriors.shape
    np.testing.assert_array_equal(hits | near, np.array(slow, bool).reshape(hits.shape) | near)
    levels = level_many(TABLE, hits)
    assert levels.dtype == np.int8
    for row, hit in enumerate(hits):
        called = [int(level) for level, yes in zip(TABLE.levels, hit, strict=True) if yes]
        assert levels[row] == min(called, default=NO_LEVEL)


@given(BATCHES)
def test_one_case_agrees_with_many(posteriors):
    hits = triage_many(TABLE, posteriors)
    for row, hit in zip(posteriors, hits, strict=True):
        found = triage_case(TABLE, row)
        assert {one.cause for one in found} == {
            name for name, yes in zip(TABLE.causes, hit, strict=True) if yes
        }
        losses = [one.expected_loss for one in found]
        assert losses == sorted(losses, reverse=True)


@given(BATCHES, st.floats(0.0, 1.0))
def test_a_higher_posterior_never_lowers_anything(posteriors, step):
    higher = posteriors + step * (1.0 - posteriors)
    before, after = (
        triage_many(TABLE, posteriors),
        triage_many(TABLE, np.maximum(higher, posteriors)),
    )
    assert (after | ~before).all()
    assert (level_many(TABLE, after) <= level_many(TABLE, before)).all()


def test_exact_boundary_acts_and_the_next_number_below_does_not():
    np.testing.assert_array_equal(triage_many(TABLE, TABLE.thresholds[np.newaxis]), True)
    below = np.nextafter(TABLE.thresholds, 0.0)[np.newaxis]
    np.testing.assert_array_equal(triage_many(TABLE, below), False)
    assert len(triage_case(TABLE, TABLE.thresholds)) == 4
    assert triage_case(TABLE, below[0]) == ()


def test_no_hit_ranks_below_every_level_and_so_never_lowers_an_urgency():
    none = level_many(TABLE, np.zeros((2, 4), bool))
    np.testing.assert_array_equal(none, NO_LEVEL)
    by_rules = np.arange(len(LEVELS), dtype=np.int8)
    np.testing.assert_array_equal(np.minimum(by_rules, NO_LEVEL), by_rules)


def test_most_pressing_level_wins():
    posteriors = [[0.0, 0.5, 0.9, 0.9], [0.002, 0.5, 0.9, 0.9], [0.0, 0.0, 0.0, 0.06]]
    levels = level_many(TABLE, triage_many(TABLE, posteriors))
    assert [LEVELS[i] for i in levels] == ["urgent", "emergency", "soon"]


def test_empty_batch_and_empty_table():
    hits = triage_many(TABLE, np.empty((0, 4)))
    assert hits.shape == (0, 4)
    assert level_many(TABLE, hits).shape == (0,)
    nobody = build_triage(triage(), {"sore": MADE_UP["sore"]})
    hits = triage_many(nobody, np.empty((3, 0)))
    np.testing.assert_array_equal(level_many(nobody, hits), [NO_LEVEL] * 3)
    assert triage_case(nobody, []) == ()


@pytest.mark.parametrize("shape", [(4,), (2, 3), (1, 2, 4)])
def test_wrong_shape_is_refused(shape):
    with pytest.raises(InvalidCase, match=r"expected an array of shape \(N, 4\)"):
        triage_many(TABLE, np.zeros(shape))


def test_a_lost_posterior_does_not_pass_for_no_danger():
    with pytest.raises(InvalidCase, match="expected probabilities, got nan"):
        triage_case(TABLE, [np.nan, 0.0, 0.0, 0.0])


def test_a_hit_says_why():
    (first, second) = triage_case(TABLE, [0.004, 0.3, 0.0, 0.01])
    assert (first.cause, first.level) == ("tumour", "urgent")
    assert first.expected_loss == pytest.approx(2.7)
    assert (second.cause, second.label, second.level) == ("clot", "Label of clot", "emergency")
    assert second.posterior == 0.004
    assert second.threshold == pytest.approx(0.002)
    assert second.loss_ratio == 499.0
    assert second.expected_loss == pytest.approx(1.996)
    with pytest.raises(FrozenInstanceError, match="cause"):
        first.cause = "clot"


# --- the packaged numbers ----------------------------------------------------------------------


def packaged_causes() -> dict[str, Cause]:
    return {
        path.stem: Cause.model_validate(
            tomllib.loads(path.read_text(encoding="utf-8")) | {"id": path.stem}
        )
        for path in sorted((PRIORS / "causes").glob("*.toml"))
    }


CAUSES = packaged_causes()
RAW = tomllib.loads((PRIORS / "red_flags.toml").read_text(encoding="utf-8"))["triage"]
PACKAGED = build_triage(Triage.model_validate(RAW), CAUSES)
THRESHOLDS = dict(zip(PACKAGED.causes, PACKAGED.thresholds.tolist(), strict=True))


def test_packaged_table_has_every_dangerous_cause():
    assert set(PACKAGED.causes) == {name for name, one in CAUSES.items() if one.dangerous}
    assert len(PACKAGED.causes) >= 17


def test_the_one_ratio_with_a_source():
    assert RAW["causes"]["cauda_equina"] == 500.0
    assert THRESHOLDS["cauda_equina"] == pytest.approx(0.002, rel=0.003)


@pytest.mark.parametrize("name", PACKAGED.causes)
def test_threshold_lies_above_the_prior(name):
    # What calls for action before anything is known says nothing about the case.
    prior = CAUSES[name].prior
    assert prior is not None
    assert prior.value < THRESHOLDS[name]


def test_a_more_pressing_level_has_no_smaller_ratio():
    ratios = [RAW["loss_ratio"][level] for level in ("emergency", "urgent", "soon")]
    assert ratios == sorted(ratios, reverse=True)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return load(PRIORS)


def called_by(engine: Engine, given: dict[str, str]) -> list[str]:
    return [hit.cause for hit in engine.diagnose(given).triage]


def test_no_risk_by_itself_calls_for_action(engine):
    fired = {
        (name, state): hits
        for name, risk in engine.knowledge.risks.items()
        for state in risk.states
        if (hits := called_by(engine, {name: state}))
    }
    assert fired == {}


def test_no_common_finding_by_itself_calls_for_action(engine):
    # What one in ten has without any modelled cause is an ordinary complaint.
    common = [
        name
        for name, finding in engine.knowledge.findings.items()
        if finding.background is not None and finding.background.value >= 0.10
    ]
    assert len(common) > 30
    fired = {name: hits for name in common if (hits := called_by(engine, {name: "present"}))}
    assert fired == {}


def test_textbook_pictures_call_for_action(engine):
    pictures = {
        "cauda_equina": {"saddle_numbness": "present", "bladder_bowel_change": "present"},
        "gluteal_abscess": {"fever": "present", "buttock_pain": "present", "swelling": "present"},
        "dvt": {"unilateral_leg_swelling": "present", "previous_dvt": "present"},
        "rhabdomyolysis": {"dark_urine": "present", "ck_gt4x": "present"},
        "umn_lesion": {"spasticity_any": "present", "babinski": "present"},
    }
    for name, given_ in pictures.items():
        assert name in called_by(engine, given_), name
    # A diuretic gives a low potassium as well, so that it is a rule that speaks.
    low = {"k_low": "present", "proximal_weakness_bilat": "present"}
    assert engine.diagnose(low).urgency == "urgent"
    # Fractures without a fall give this as well.
    fall = {"trauma_recent": "present", "cannot_bear_weight": "present"}
    assert engine.diagnose(fall).urgency == "emergency"
