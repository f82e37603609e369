"""Conflict and background shares against sums over all worlds."""

import math
from dataclasses import replace

import numpy as np
import pytest
from oracle import enumerate_case
from random_networks import random_problem

from bayesdx.inference import Evidence, NoisyModel, compile_diagnosis, no_evidence
from bayesdx.inference.noisy.conflict import background_shares, conflicts, observed
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
    names = set(observed(model, evidence))
    found = conflicts(model, evidence)
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
