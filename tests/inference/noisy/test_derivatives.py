"""Derivatives are those of the sums over all worlds; P is affine in a parameter, so secants are."""

from collections.abc import Iterator

import numpy as np
import pytest
from oracle import enumerate_case
from random_networks import random_problem

from bayesdx.inference import (
    Evidence,
    NoisyModel,
    compile_diagnosis,
    link_gradient,
    posteriors,
    relative_change,
)
from bayesdx.network import CPD, Network, NoisyMaxCPD, NoisyOrCPD, TableCPD

STEP = 0.25


def replaced(model: NoisyModel, cpd: CPD) -> NoisyModel:
    cpds = {**model.network.cpds, cpd.child: cpd}
    return compile_diagnosis(Network(model.network.variables.values(), cpds.values()))


def moved(value: float) -> float:
    return value + STEP if value < 0.5 else value - STEP


def probability(model: NoisyModel, evidence: Evidence) -> np.ndarray:
    return np.array([enumerate_case(model, evidence, row).evidence for row in range(len(evidence))])


def changed(values: np.ndarray, index: int | tuple[int, ...]) -> np.ndarray:
    copy = np.array(values)
    copy[index] = moved(float(copy[index]))
    return copy


def altered_findings(model: NoisyModel) -> Iterator[tuple[str, tuple, CPD, float]]:
    """Yield (field of the gradient, index, altered distribution, step) of every parameter."""
    at = {name: i for i, name in enumerate(model.causes)}
    for f, name in enumerate(model.findings):
        cpd = model.network.cpds[name]
        assert isinstance(cpd, NoisyOrCPD)
        parts = (cpd.child, cpd.activators, cpd.strengths, cpd.leak, cpd.inhibitors, cpd.factors)
        leak = moved(cpd.leak)
        if cpd.leak < 1.0:
            yield "leak", (f,), NoisyOrCPD(*parts[:3], leak, *parts[4:]), leak - cpd.leak
        for i, parent in enumerate(cpd.activators):
            new = changed(cpd.strengths, i)
            if 0.0 < cpd.strengths[i] < 1.0:
                altered = NoisyOrCPD(*parts[:2], new, *parts[3:])
                yield "strength", (at[parent], f), altered, new[i] - cpd.strengths[i]
        for i, parent in enumerate(cpd.inhibitors):
            new = changed(cpd.factors, i)
            if cpd.factors[i] < 1.0:
                altered = NoisyOrCPD(*parts[:5], new)
                yield "factor", (at[parent], f), altered, new[i] - cpd.factors[i]


@pytest.mark.parametrize("seed", range(40))
def test_link_gradients_are_those_of_the_sums_over_all_worlds(seed: int) -> None:
    model, evidence = random_problem(seed, n_cases=4)
    gradient = link_gradient(model, evidence)
    base = probability(model, evidence)
    for field, index, cpd, step in altered_findings(model):
        slope = (probability(replaced(model, cpd), evidence) - base) / step
        right = np.divide(slope, base, out=np.zeros(len(base)), where=base > 0.0)
        ours = getattr(gradient, field)[(slice(None), *index)]
        np.testing.assert_allclose(ours, right, rtol=1e-8, atol=1e-9, err_msg=f"{field} {index}")


@pytest.mark.parametrize("seed", range(60))
def test_ordinal_gradients_are_those_of_the_sums_over_all_worlds(seed: int) -> None:
    model, evidence = random_problem(seed, n_cases=4)
    gradient = link_gradient(model, evidence)
    base = probability(model, evidence)
    at = {name: i for i, name in enumerate(model.causes)}
    for o, name in enumerate(model.ordinals):
        cpd = model.network.cpds[name]
        assert isinstance(cpd, NoisyMaxCPD)
        for level in range(len(cpd.leak)):
            # Exceedances fall with the level: move one to half-way between its neighbours.
            for parent, row in [*zip(cpd.parents, cpd.strengths, strict=True), (None, cpd.leak)]:
                lower = row[level + 1] if level + 1 < len(row) else 0.0
                upper = row[level - 1] if level else 1.0
                new = np.array(row)
                new[level] = (lower + upper) / 2.0
                step = new[level] - row[level]
                if abs(step) < 1e-3 or row[level] == 1.0:
                    continue
                if parent is not None and row[level] == 0.0:
                    continue  # no link
                if parent is None:
                    altered = NoisyMaxCPD(name, cpd.parents, cpd.strengths, new)
                    ours = gradient.exceed_leak[:, model.level_offset[o] + level]
                else:
                    strengths = np.array(cpd.strengths)
                    strengths[cpd.parents.index(parent)] = new
                    altered = NoisyMaxCPD(name, cpd.parents, strengths, cpd.leak)
                    ours = gradient.exceed[:, at[parent], model.level_offset[o] + level]
                slope = (probability(replaced(model, altered), evidence) - base) / step
                right = np.divide(slope, base, out=np.zeros(len(base)), where=base > 0.0)
                np.testing.assert_allclose(ours, right, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_change_of_a_table_is_that_of_the_sums_over_all_worlds(seed: int) -> None:
    model, evidence = random_problem(seed, n_cases=4)
    name = model.causes[0]
    cpd = model.network.cpds[name]
    assert isinstance(cpd, TableCPD)
    present = 0.5 * cpd.values[..., 1] + 0.1
    altered = TableCPD(name, cpd.parents, np.stack([1.0 - present, present], axis=-1))
    base = posteriors(model, evidence, only_evidence=True).log_evidence
    ours = relative_change(model.network, altered, evidence, base)
    before, after = probability(model, evidence), probability(replaced(model, altered), evidence)
    right = np.divide(after - before, before, out=np.zeros(len(before)), where=before > 0.0)
    np.testing.assert_allclose(ours, right, rtol=1e-9, atol=1e-12)


def test_impossible_evidence_has_no_gradient() -> None:
    for seed in range(200):
        model, evidence = random_problem(seed, n_cases=4)
        gradient = link_gradient(model, evidence)
        impossible = np.isneginf(gradient.log_evidence)
        if impossible.any():
            assert not gradient.strength[impossible].any()
            assert not gradient.leak[impossible].any()
            return
    pytest.fail("no impossible case among the random ones")
