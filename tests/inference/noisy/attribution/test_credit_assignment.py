"""Who produced what was found, and further assumptions, against enumeration."""

import itertools
from functools import partial

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from observed_cases import case_atoms, joined
from oracle import enumerate_case
from random_networks import random_problem

from bayesdx.inference import Evidence, NoisyModel, compile_diagnosis, posteriors
from bayesdx.inference.noisy.attribution.credit_assignment import (
    Asking,
    Assumption,
    assume,
    produced_by,
)
from bayesdx.inference.noisy.attribution.observations import Observation, known_evidence
from bayesdx.network import Network, NoisyOrCPD, TableCPD, Variable

SEEDS = st.integers(0, 2**32 - 1)


def asking(model: NoisyModel) -> Asking:
    return partial(posteriors, model, backend="numpy")


def whole_case(seed: int) -> tuple[NoisyModel, Observation, Evidence]:
    model, evidence = random_problem(seed, 1)
    whole = joined(case_atoms(model, evidence))
    return model, whole, known_evidence(model, [whole], np.ones((1, 1), dtype=bool))


def with_absent(model: NoisyModel, evidence: Evidence, one: Assumption) -> Evidence:
    copy = evidence.take(np.zeros(1, dtype=np.intp))
    for column in one.absent:
        if column < len(model.findings):
            copy.findings[0, column] = 0.0
            continue
        level = column - len(model.findings)
        o = max(o for o, first in enumerate(model.level_offset) if first <= level)
        copy.upper[0, o] = level - model.level_offset[o]
    copy.causes[0, list(one.without)] = 0
    return copy


@given(SEEDS)
@settings(max_examples=50, deadline=None)
def test_assumptions_equal_enumeration(seed: int) -> None:
    model, whole, evidence = whole_case(seed)
    base = enumerate_case(model, evidence, 0).evidence
    if base < 1e-12:
        assert produced_by(model, whole, {}, asking(model)) is None or base > 0.0
        return
    unknown = np.flatnonzero(np.isnan(evidence.findings[0])).tolist()
    free = [o for o in range(len(model.ordinals)) if o not in {one[0] for one in whole.levels}]
    levels = [
        len(model.findings) + model.level_offset[o] + level
        for o in free
        for level in range(model.ordinal_sizes[o] - 1)
    ]
    assumptions = [Assumption(), *(Assumption(absent=(one,)) for one in (*unknown, *levels))]
    assumptions += [Assumption(without=(cause,)) for cause in range(len(model.causes))]
    assumptions += [Assumption(pair, (0,)) for pair in itertools.combinations(unknown, 2)]
    found = assume(model, whole, range(len(model.causes)), assumptions, asking(model))
    for j, one in enumerate(assumptions):
        true = enumerate_case(model, with_absent(model, evidence, one), 0)
        np.testing.assert_allclose(found.probability[j], true.evidence / base, rtol=0, atol=1e-11)
        np.testing.assert_allclose(found.on[:, j], true.causes / base, rtol=0, atol=1e-11)
        off = (true.evidence - true.causes) / base
        np.testing.assert_allclose(found.off[:, j], off, rtol=0, atol=1e-11)


@given(SEEDS)
@settings(max_examples=50, deadline=None)
def test_credits_equal_enumeration_of_the_links(seed: int) -> None:
    model, whole, evidence = whole_case(seed)
    base = enumerate_case(model, evidence, 0).evidence
    if base < 1e-12:
        return
    found = produced_by(model, whole, {}, asking(model))
    assert found is not None
    links = model.links
    for p, part in enumerate(found.observed):
        if not part.findings:
            continue
        ((f, value),) = part.findings
        spared = evidence.take(np.zeros(1, dtype=np.intp))
        spared.findings[0, f] = np.nan
        worlds = _worlds(model, spared)
        causes, background = np.zeros(len(model.causes)), 0.0
        for present, weight in worlds:
            # Every state of the links to this finding, one after the other.
            active = [c for c in present if links.strength[c, f] > 0.0]
            leak = links.leak[f] * np.prod([links.factor[c, f] for c in present])
            for fired in itertools.product((False, True), repeat=len(active)):
                chance = weight * value
                for c, fires in zip(active, fired, strict=True):
                    strength = links.strength[c, f]
                    chance *= strength if fires else 1.0 - strength
                for c, fires in zip(active, fired, strict=True):
                    causes[c] += chance if fires else 0.0
            background += weight * value * leak
        np.testing.assert_allclose(found.causes[p], causes / base, rtol=0, atol=1e-10)
        np.testing.assert_allclose(found.background[p], background / base, rtol=0, atol=1e-10)


def _worlds(model: NoisyModel, evidence: Evidence) -> list[tuple[list[int], float]]:
    """Every set of causes with P(exactly these, evidence)."""
    worlds = []
    for states in itertools.product((0, 1), repeat=len(model.causes)):
        clamped = evidence.take(np.zeros(1, dtype=np.intp))
        clamped.causes[0] = states
        weight = enumerate_case(model, clamped, 0).evidence
        if weight > 0.0:
            worlds.append(([c for c, state in enumerate(states) if state], weight))
    return worlds


def small_network() -> NoisyModel:
    """Two causes, a hidden one that stands for the background, and two findings."""
    names, priors = ("one", "two", "hidden"), (0.2, 0.3, 0.1)
    variables = [Variable(name) for name in (*names, "f", "g")]
    tables = [
        TableCPD(name, (), np.array([1.0 - prior, prior]))
        for name, prior in zip(names, priors, strict=True)
    ]
    f = NoisyOrCPD("f", names, np.array([0.8, 0.5, 1.0]), 0.05, (), np.zeros(0))
    g = NoisyOrCPD("g", ("two",), np.array([0.6]), 0.1, (), np.zeros(0))
    return compile_diagnosis(Network(variables, [*tables, f, g]))


def test_hidden_cause_counts_as_background() -> None:
    model = small_network()
    hidden, f = model.causes.index("hidden"), model.findings.index("f")
    whole = Observation(findings=((f, 1.0),))
    plain = produced_by(model, whole, {}, asking(model))
    found = produced_by(model, whole, {f: hidden}, asking(model))
    assert plain is not None
    assert found is not None
    assert found.causes[0, hidden] == 0.0
    # 1 - P(neither the leak nor the hidden cause), which do not depend on the finding's links.
    total = 1.0 - (1 - 0.2 * 0.8) * (1 - 0.3 * 0.5) * (1 - 0.1) * (1 - 0.05)
    expected = (1.0 - (1 - 0.1) * (1 - 0.05)) / total
    np.testing.assert_allclose(found.background[0], expected, rtol=1e-12)
    np.testing.assert_allclose(plain.background[0], 0.05 / total, rtol=1e-12)


def test_impossible_case_has_no_credits() -> None:
    model = small_network()
    certain = NoisyOrCPD("g", ("two",), np.array([0.6]), 1.0, (), np.zeros(0))
    cpds = {**model.network.cpds, "g": certain}
    changed = compile_diagnosis(Network(model.network.variables.values(), cpds.values()))
    impossible = Observation(findings=((changed.findings.index("g"), 0.0),))
    assert produced_by(changed, impossible, {}, asking(changed)) is None
