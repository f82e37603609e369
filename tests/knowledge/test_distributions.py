"""Distributions fitted to ranges."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bayesdx.knowledge.addresses import every_number
from bayesdx.knowledge.distributions import fit_beta, fit_log_normal
from bayesdx.knowledge.reading import read_knowledge


@given(a=st.floats(0.8, 300.0), b=st.floats(0.8, 300.0))
def test_interval_of_a_beta_gives_that_beta_back(a: float, b: float) -> None:
    lo, hi = stats.beta.ppf([0.05, 0.95], a, b)
    if not lo <= a / (a + b) <= hi:  # very skewed: the mean lies outside its own interval
        return
    fit = fit_beta(a / (a + b), float(lo), float(hi), ess=8.0)
    assert fit.matched
    assert fit.a == pytest.approx(a, rel=2e-3)
    assert fit.b == pytest.approx(b, rel=2e-3)


@given(
    mean=st.floats(1e-6, 1.0 - 1e-6),
    below=st.floats(0.0, 1.0),
    above=st.floats(0.001, 1.0),
)
def test_mean_is_always_kept(mean: float, below: float, above: float) -> None:
    fit = fit_beta(mean, mean * (1.0 - below), mean + (1.0 - mean) * above, ess=20.0)
    assert fit.a / (fit.a + fit.b) == pytest.approx(mean, rel=1e-9)
    assert min(fit.a, fit.b) > 0.0


def test_same_question_same_answer() -> None:
    assert fit_beta(0.055, 0.003, 0.17, 15.0) == fit_beta(0.055, 0.003, 0.17, 15.0)


def test_elicited_range_has_about_a_twentieth_on_either_side() -> None:
    fit = fit_beta(0.13, 0.06, 0.2, 8.0)
    assert fit.matched
    assert stats.beta.cdf(0.06, fit.a, fit.b) == pytest.approx(0.05, abs=0.03)
    assert stats.beta.sf(0.2, fit.a, fit.b) == pytest.approx(0.05, abs=0.03)


def test_narrower_range_means_more_observations() -> None:
    wide, narrow = fit_beta(0.5, 0.3, 0.7, 8.0), fit_beta(0.5, 0.45, 0.55, 8.0)
    assert narrow.a + narrow.b > 4.0 * (wide.a + wide.b)


@pytest.mark.parametrize(("mean", "lo", "hi"), [(0.7, 0.69, 0.95), (0.05, 0.001, 0.055)])
def test_mean_at_the_edge_of_its_range_is_flagged_and_no_certainty_is_invented(
    mean: float, lo: float, hi: float
) -> None:
    fit = fit_beta(mean, lo, hi, 8.0)
    assert not fit.matched
    low, high = stats.beta.ppf([0.05, 0.95], fit.a, fit.b)
    assert high - low > 0.5 * (hi - lo)


@pytest.mark.parametrize(("mean", "lo", "hi"), [(0.5, 0.3, 1.0), (0.03, 0.0, 0.12)])
def test_bounds_of_0_and_1_say_nothing_about_their_side(mean: float, lo: float, hi: float) -> None:
    fit = fit_beta(mean, lo, hi, 8.0)
    assert fit.matched
    tail = stats.beta.cdf(lo, fit.a, fit.b) if hi == 1.0 else stats.beta.sf(hi, fit.a, fit.b)
    assert tail == pytest.approx(0.05, abs=0.005)


def test_without_range_the_basis_decides() -> None:
    assert fit_beta(0.25, 0.0, 1.0, 8.0) == (2.0, 6.0, True)
    assert fit_beta(0.25, None, None, 8.0) == (2.0, 6.0, True)
    assert fit_log_normal(2.0, None, None, 16.0) == (math.log(2.0), 0.5, True)


@pytest.mark.parametrize("mean", [0.0, 1.0, -0.1, math.nan])
def test_mean_must_be_a_probability(mean: float) -> None:
    with pytest.raises(ValueError, match="mean: expected a probability strictly between 0 and 1"):
        fit_beta(mean, 0.0, 1.0, 8.0)


@pytest.mark.parametrize(("lo", "hi"), [(0.6, 0.7), (0.5, 0.5), (-0.1, 0.6), (0.4, 1.1)])
def test_interval_must_contain_the_mean(lo: float, hi: float) -> None:
    with pytest.raises(ValueError, match="interval: expected bounds around 0"):
        fit_beta(0.5, lo, hi, 8.0)


@given(median=st.floats(0.05, 50.0), deviation=st.floats(0.05, 2.0))
def test_interval_of_a_log_normal_gives_it_back(median: float, deviation: float) -> None:
    spread = math.exp(stats.norm.ppf(0.95) * deviation)
    fit = fit_log_normal(median, median / spread, median * spread, 8.0)
    assert fit == (pytest.approx(math.log(median)), pytest.approx(deviation), True)


def test_ratio_off_the_middle_of_its_range_is_flagged() -> None:
    assert not fit_log_normal(4.0, 2.0, 5.0, 8.0).matched
    assert fit_log_normal(3.0, 2.0, 4.0, 8.0).matched


@pytest.mark.parametrize("median", [0.0, -1.0, math.inf])
def test_ratio_must_be_positive(median: float) -> None:
    with pytest.raises(ValueError, match="median: expected a ratio above 0"):
        fit_log_normal(median, 0.5, 2.0, 8.0)


def test_interval_must_contain_the_ratio() -> None:
    with pytest.raises(ValueError, match=r"interval: expected bounds around 3\.0"):
        fit_log_normal(3.0, 0.0, 4.0, 8.0)


def test_nearly_all_packaged_ranges_are_matched() -> None:
    knowledge = read_knowledge()
    sizes = knowledge.model.equivalent_sample_size
    odd = []
    for number in every_number(knowledge):
        if isinstance(number.value, tuple) or not number.value:
            continue
        fit = fit_log_normal if number.is_ratio else fit_beta
        lo, hi = number.stated.range or (None, None)
        if not fit(number.value, lo, hi, sizes[number.stated.basis]).matched:
            odd.append(number.place)
    assert len(odd) < 10, odd
