"""Whether the model fits a case: rates that hold, strangers that are seen, statuses."""

import numpy as np
import pytest

import bayesdx
from bayesdx.diagnosis.predictive_check import Reporting
from bayesdx.inference.noisy.sampling import Sample, sample_cases
from bayesdx.presentation.words import fit_shares

Words = dict[str, str]

CASE = {"low_back_pain": "present", "bilateral": "absent", "fair_pos": "present"}
STRANGE = {"saddle_numbness": "present", "fever": "present", "spasticity": "grade_3_to_4"}


@pytest.fixture(scope="module")
def engine() -> bayesdx.Engine:
    return bayesdx.load()


def test_an_ordinary_case_fits(engine: bayesdx.Engine) -> None:
    found = engine.surprise(CASE)
    assert (found.outside, found.status) == (False, "ok")
    assert found.log_evidence == pytest.approx(engine.diagnose(CASE).log_evidence, rel=1e-12)
    assert set(found.table.index) == set(CASE)
    assert found.table["ratio"].is_monotonic_increasing
    assert found.table["background"].isna().tolist() == [
        name == "bilateral" for name in found.table.index
    ]
    assert set(found.against) == set(found.table.index[found.table["ratio"] < 1])


@pytest.mark.parametrize("reporting", ["told", "asked"])
def test_unrelated_dangerous_findings_at_once_are_outside_at_a_stated_rate(
    engine: bayesdx.Engine, reporting: str
) -> None:
    found = engine.surprise(STRANGE, reporting=reporting)  # type: ignore[arg-type]
    assert found.outside
    assert found.p_rare == pytest.approx(1 / (found.draws + 1))
    assert found.false_alarm == 0.01
    # They have hardly a cause in common, so nothing speaks against anything: rare, not in conflict.
    assert abs(found.conflict) < 0.05


def test_one_rare_finding_is_no_stranger(engine: bayesdx.Engine) -> None:
    found = engine.surprise({"saddle_numbness": "present"})
    assert found.p_rare < 0.01
    assert not found.outside


def test_findings_that_make_each_other_less_probable_are_in_conflict(
    engine: bayesdx.Engine,
) -> None:
    """Cyclic pain of younger women and night cramps of the old; a test and its usual ground."""
    apart = engine.surprise({"menstrual_cyclic": "present", "night_cramps": "present"})
    together = engine.surprise({"fair_pos": "present", "slr_pos": "present"})
    assert apart.conflict > 0.3
    assert together.conflict < 0.0
    assert set(apart.against) == {"menstrual_cyclic", "night_cramps"}
    assert apart.p_conflict < 0.01 < together.p_conflict


def test_more_findings_than_the_references_have_are_rare(
    engine: bayesdx.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No reference is found that has as much to tell: that is itself what makes the case rare."""
    monkeypatch.setattr("bayesdx.inference.noisy.reference.MOST_BATCHES", 0)
    found = engine.surprise(CASE, draws=199)
    assert found.draws == 0
    assert found.p_rare == pytest.approx(1 / 200)
    assert found.p_conflict == 1.0
    assert found.outside
    # No share of cases that there were not.
    assert "rarer than 0 cases of the model that say as much can show" in fit_shares(found)


def test_the_same_seed_gives_the_same(engine: bayesdx.Engine) -> None:
    one, two = (engine.surprise(CASE, draws=199, seed=4) for _ in range(2))
    assert (one.p_rare, one.p_conflict) == (two.p_rare, two.p_conflict)


def test_nothing_known_is_no_surprise(engine: bayesdx.Engine) -> None:
    found = engine.surprise({})
    assert (found.status, found.outside, len(found.table)) == ("no_findings", False, 0)


def test_rates_and_draws_are_checked(engine: bayesdx.Engine) -> None:
    with pytest.raises(
        bayesdx.InvalidCase, match="expected a whole number from 199 to 100000, got 50"
    ):
        engine.surprise(CASE, draws=50)
    with pytest.raises(bayesdx.InvalidCase, match="expected told or asked, got 'guessed'"):
        engine.surprise(CASE, reporting="guessed")  # type: ignore[arg-type]
    with pytest.raises(bayesdx.InvalidCase, match=r"a rate between 0 and 1, got 1\.5"):
        engine.surprise(CASE, false_alarm=1.5)


def _asked(engine: bayesdx.Engine, sample: Sample, row: int, rng: np.random.Generator) -> Words:
    model = engine.core.model
    picked = rng.choice(len(model.findings), size=12, replace=False)
    state = {model.findings[f]: bool(sample.findings[row, f]) for f in picked}
    return {name: "present" if hit else "absent" for name, hit in state.items()}


def _told(engine: bayesdx.Engine, sample: Sample, row: int, rng: np.random.Generator) -> Words:
    """Four that are present and three that are not, of those that can be told."""
    model, knowledge = engine.core.model, engine.knowledge
    levels = {
        name: engine.core.states[name][sample.ordinals[row, o]]
        for o, name in enumerate(model.ordinals)
    }
    found = {
        name: "present" if hit else "absent"
        for name, hit in zip(model.findings, sample.findings[row], strict=True)
        if not knowledge.findings[name].any_of
    } | levels
    lowest = {"absent", *(engine.core.states[name][0] for name in model.ordinals)}
    present = [name for name, value in found.items() if value not in lowest]
    absent = [name for name, value in found.items() if value in lowest]
    if len(present) < 4:
        return {}
    picked = [*rng.choice(present, 4, replace=False), *rng.choice(absent, 3, replace=False)]
    return {str(name): found[str(name)] for name in picked}


@pytest.mark.slow
@pytest.mark.parametrize("reporting", ["asked", "told"])
def test_false_alarms_stay_below_the_stated_rate(
    reporting: Reporting,
) -> None:
    """Self-consistency: 300 cases of the model, 10 % allowed, chosen without looking."""
    pytest.importorskip("numba")
    engine = bayesdx.load(backend="compiled")
    rng = np.random.default_rng(0)
    sample = sample_cases(engine.core.model, 300, rng)
    alarms = cases = 0
    for row in range(300):
        words = (_asked if reporting == "asked" else _told)(engine, sample, row, rng)
        try:
            found = engine.surprise(words, draws=99, false_alarm=0.1, reporting=reporting, seed=row)
        except bayesdx.InvalidCase:
            continue  # findings that imply each other, drawn apart, contradict each other
        cases += bool(words)
        alarms += found.outside
    assert cases > 200
    assert alarms / cases <= 0.1 + 3 * np.sqrt(0.1 * 0.9 / cases)
