"""Conflict and background shares against sums over all worlds."""

import math
from dataclasses import replace

import numpy as np
import pytest
from oracle import enumerate_case
from random_networks import random_problem

from bayesdx.inference import Evidence, NoisyModel, compile_diagnosis, no_evidence
from bayesdx.inference.noisy.conflict import background_shares, conflicts
from bayesdx.inference.noisy.single_observations import (
    observable,
    observed,
    single_observations,
    without_each,
)
from bayesdx.network import Network, NoisyOrCPD


def chance(model: NoisyModel, evidence: Evidence) -> float:
    return enumerate_case(model, evidence, 0).evidence


def kept(model: NoisyModel, evidence: Evidence, names: set[str]) -> Evidence:
    """The evidence with only some of its observations."""
    blank = no_evidence(model, 1)

    def mask(all_names: tuple[str, ...]) -> np.ndarray:
        return np.array([[name in names for name in all_names]], dtype=bool)

    ordinals = mask(model.ordinals)
    return Evidence(
        np.where(mask(model.findings), evidence.findings, np.nan),
        np.where(ordinals, evidence.lower, blank.lower).astype(np.int8),
        np.where(ordinals, evidence.upper, blank.upper).astype(np.int8),
        np.where(mask(model.risks), evidence.risks, -1).astype(np.int8),
        blank.causes,
    )


@pytest.mark.parametrize("seed", range(60))
def test_conflict_is_that_of_the_sums_over_all_worlds(seed: int) -> None:
    model, evidence = random_problem(seed, n_cases=1)
    evidence = replace(evidence, causes=no_evidence(model, 1).causes)
    seen = observed(model, evidence)[0]
    names = {name for name, hit in zip(observable(model), seen, strict=True) if hit}
    [found] = conflicts(model, evidence)
    assert set(found.names) == names
    whole = chance(model, evidence)
    total = 1.0
    for i, name in enumerate(found.names):
        alone = chance(model, kept(model, evidence, {name}))
        rest = chance(model, kept(model, evidence, names - {name}))
        total *= alone
        assert math.exp(found.log_alone[i]) == pytest.approx(alone, rel=1e-10)
        expected = whole / rest if rest > 0 else 0.0
        assert math.exp(found.log_given_rest[i]) == pytest.approx(expected, rel=1e-10, abs=1e-300)
    if whole > 0:
        assert found.conflict == pytest.approx(math.log(total / whole), rel=1e-9, abs=1e-9)
    else:
        assert found.conflict == math.inf


@pytest.mark.parametrize("seed", range(20))
def test_many_cases_at_once_are_each_of_them(seed: int) -> None:
    model, evidence = random_problem(seed, n_cases=7)
    evidence = replace(evidence, causes=no_evidence(model, 7).causes)
    names = observable(model)
    alone = single_observations(model).log_alone(evidence)
    rest, case, variable = without_each(model, evidence)
    assert (np.bincount(case, minlength=7) == observed(model, evidence).sum(axis=1)).all()
    for row, found in enumerate(conflicts(model, evidence)):
        one = evidence.take(slice(row, row + 1))
        [single] = conflicts(model, one)
        assert found.names == single.names
        assert found.log_given_rest == pytest.approx(single.log_given_rest, abs=1e-12)
        assert found.conflict == pytest.approx(single.conflict, abs=1e-12)
        # What is not known of a case adds nothing.
        assert alone[row].sum() == pytest.approx(found.log_alone.sum(), abs=1e-12)
        for at in np.flatnonzero(case == row):
            told = {*found.names} - {names[variable[at]]}
            slow = kept(model, one, told)
            for part in ("findings", "lower", "upper", "risks"):
                here = getattr(rest.take(slice(at, at + 1)), part)
                assert np.array_equal(here, getattr(slow, part), equal_nan=part == "findings")


@pytest.mark.parametrize("seed", range(60))
def test_background_share_is_what_links_alone_do_not_explain(seed: int) -> None:
    model, evidence = random_problem(seed, n_cases=1)
    whole = chance(model, evidence)
    shares = background_shares(model, evidence)
    if whole == 0.0:
        assert shares == {}
        return
    present = {n for n, v in zip(model.findings, evidence.findings[0], strict=True) if v == 1.0}
    assert set(shares) == present
    for name in present:
        cpd = model.network.cpds[name]
        assert isinstance(cpd, NoisyOrCPD)
        bare = NoisyOrCPD(name, cpd.activators, cpd.strengths, 0.0, cpd.inhibitors, cpd.factors)
        cpds = {**model.network.cpds, name: bare}
        other = compile_diagnosis(Network(model.network.variables.values(), cpds.values()))
        by_links = chance(other, evidence) / whole
        assert shares[name] == pytest.approx(1.0 - by_links, rel=1e-9, abs=1e-11)
