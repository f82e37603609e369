"""Every executor on every structure for every question, against the slow twin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial

import numpy as np
import pytest
from noisy_structures import STRUCTURES, Problem
from observed_cases import case_atoms
from oracle import enumerate_case
from slow_twin import twin_evidence
from small_networks import with_causes

from bayesdx.inference import Evidence, NoisyModel, link_gradient, posteriors
from bayesdx.inference.noisy.attribution.observations import split_case
from bayesdx.inference.noisy.attribution.subsets import subset_weights
from bayesdx.inference.noisy.choice import Backend
from bayesdx.inference.noisy.compiling import with_numbers
from bayesdx.inference.noisy.draws import (
    LinkDraws,
    ParameterDraws,
    posteriors_under,
    repeat_parameters,
)

EXACT = {"rtol": 1e-12, "atol": 1e-14}
#: Causes that are assumed absent for the third question.
WITHOUT = np.array([0, 1])

#: Evidence (N,), posteriors (N, C), and evidence with some causes absent, (N,).
Answers = tuple[np.ndarray, np.ndarray, np.ndarray]
Executor = Callable[[NoisyModel, Evidence], Answers]


def by_cases(model: NoisyModel, evidence: Evidence, backend: Backend) -> Answers:
    without = np.isin(np.arange(len(model.causes)), WITHOUT)
    found = posteriors(model, evidence, without=without, backend=backend)
    return np.exp(found.log_evidence), found.causes, np.exp(found.log_without)


def by_lanes(model: NoisyModel, evidence: Evidence, backend: Backend) -> Answers:
    draws = repeat_parameters(model, 3)
    rows = []
    for n in range(len(evidence)):
        case = evidence.take(slice(n, n + 1))
        found = posteriors_under(model, case, draws, backend=backend)
        less = posteriors_under(model, with_causes(case, WITHOUT, 0), draws, backend=backend)
        assert len(set(found.log_evidence.tolist())) == 1, "lanes with equal numbers agree"
        # A cause that is known present is not absent, whatever is assumed.
        kept = not (case.causes[0, WITHOUT] == 1).any()
        rows.append((found.log_evidence[0], found.causes[1], less.log_evidence[2], kept))
    log_evidence, causes, log_without, kept = (np.array(part) for part in zip(*rows, strict=True))
    return np.exp(log_evidence), causes, np.exp(log_without) * kept


def by_subsets(model: NoisyModel, evidence: Evidence) -> Answers:
    rows = []
    for n in range(len(evidence)):
        case = evidence.take(slice(n, n + 1))
        problem = split_case(model, case_atoms(model, case))
        scale = float(np.exp(problem.log_scale.sum()))
        absent = case.causes[0] == 0
        found, less = (
            subset_weights(
                replace(problem, on=np.where(out[:, None], 0.0, problem.on)),
                range(len(model.causes)),
            )
            for out in (absent, absent | np.isin(np.arange(len(absent)), WITHOUT))
        )
        whole = found.evidence[-1, -1] * scale
        present = found.on[:, -1, -1] * scale
        share = np.divide(present, whole, out=np.zeros(len(present)), where=whole > 0.0)
        rows.append((whole, share, less.evidence[-1, -1] * scale))
    total, causes, less = (np.array(part) for part in zip(*rows, strict=True))
    return total, causes, less


EXECUTORS: dict[str, Executor] = {
    "lockstep": partial(by_cases, backend="numpy"),
    "compiled cases": partial(by_cases, backend="compiled"),
    "lanes": partial(by_lanes, backend="numpy"),
    "compiled draws": partial(by_lanes, backend="compiled"),
    "subsets": by_subsets,
}


def needs_numba(executor: str) -> None:
    if executor.startswith("compiled"):
        pytest.importorskip("numba")


@cache
def problem_of(structure: str) -> Problem:
    return STRUCTURES[structure]()


def twin(model: NoisyModel, evidence: Evidence) -> np.ndarray:
    return np.array([twin_evidence(model, evidence, n) for n in range(len(evidence))])


@cache
def twin_answers(structure: str) -> Answers:
    model, evidence = problem_of(structure)
    total, causes = twin(model, evidence), np.zeros((len(evidence), len(model.causes)))
    for c in range(len(model.causes)):
        known = evidence.causes[:, c]
        joint = np.where(known == 0, 0.0, twin(model, with_causes(evidence, c, 1)))
        causes[:, c] = np.divide(joint, total, out=np.zeros(len(total)), where=total > 0.0)
    less = twin(model, with_causes(evidence, WITHOUT, 0))
    less[(evidence.causes[:, WITHOUT] == 1).any(axis=1)] = 0.0
    return total, causes, less


@pytest.mark.parametrize("structure", STRUCTURES)
def test_the_twin_is_enumeration(structure: str) -> None:
    model, evidence = problem_of(structure)
    total, causes, _ = twin_answers(structure)
    for n in range(len(evidence)):
        truth = enumerate_case(model, evidence, n)
        np.testing.assert_allclose(total[n], truth.evidence, **EXACT)
        np.testing.assert_allclose(causes[n] * total[n], truth.causes, **EXACT)


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("executor", EXECUTORS)
def test_executors_are_the_twin(executor: str, structure: str) -> None:
    needs_numba(executor)
    model, evidence = problem_of(structure)
    expected = twin_answers(structure)
    if executor == "subsets":
        # It has no way to say that a cause is present.
        free = np.flatnonzero((evidence.causes < 1).all(axis=1))
        evidence, expected = evidence.take(free), tuple(one[free] for one in expected)
    found = EXECUTORS[executor](model, evidence)
    names = ("evidence", "posteriors", "evidence without causes")
    for ours, right, question in zip(found, expected, names, strict=True):
        np.testing.assert_allclose(ours, right, **EXACT, err_msg=question)


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("backend", ["numpy", "compiled"])
@pytest.mark.parametrize("share", [0.0, 0.4])
def test_what_is_asked_is_the_twin(share: float, backend: Backend, structure: str) -> None:
    needs_numba(backend)
    model, evidence = problem_of(structure)
    total, causes, less = twin_answers(structure)
    asked = np.random.default_rng(5).random(causes.shape) < share
    without = np.isin(np.arange(len(model.causes)), WITHOUT)
    found = posteriors(model, evidence, asked=asked, without=without, backend=backend)
    np.testing.assert_allclose(np.exp(found.log_evidence), total, **EXACT)
    np.testing.assert_allclose(found.causes, np.where(asked, causes, 0.0), **EXACT)
    np.testing.assert_allclose(np.exp(found.log_without), less, **EXACT)
    less_asked = {"asked": asked, "only_evidence": True}
    alone = posteriors(model, evidence, **less_asked, without=without, backend=backend)
    np.testing.assert_allclose(np.exp(alone.log_evidence), total, **EXACT)
    np.testing.assert_allclose(np.exp(alone.log_without), less, **EXACT)


def altered(model: NoisyModel) -> list[tuple[str, tuple[int, ...], NoisyModel, float]]:
    """Field of the gradient, index, the model with that number moved, and by how much."""
    result = []
    links = model.links
    for field in ("strength", "factor", "leak"):
        values = getattr(links, field)
        for index in map(tuple, np.argwhere((values > 0.0) & (values < 1.0))):
            moved = values.copy()
            moved[index] *= 0.5
            other = with_numbers(model, links=replace(links, **{field: moved}))
            result.append((field, index, other, moved[index] - values[index]))
    return result


def changed_twin(model: NoisyModel, other: NoisyModel, evidence: Evidence) -> np.ndarray:
    """P(evidence) under the numbers of another model, by the twin."""
    cpds = dict(model.network.cpds)
    for f, name in enumerate(model.findings):
        cpd, links = cpds[name], other.links
        at = {cause: c for c, cause in enumerate(model.causes)}
        strengths = np.array([links.strength[at[cause], f] for cause in cpd.activators])
        factors = np.array([links.factor[at[cause], f] for cause in cpd.inhibitors])
        own = (cpd.child, cpd.activators, strengths, float(links.leak[f]))
        cpds[name] = type(cpd)(*own, cpd.inhibitors, factors)
    network = type(model.network)(model.network.variables.values(), cpds.values())
    return twin(replace(model, network=network), evidence)


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("backend", ["numpy", "compiled"])
def test_derivatives_are_secants_of_the_twin(structure: str, backend: Backend) -> None:
    needs_numba(backend)
    model, evidence = problem_of(structure)
    gradient, base = link_gradient(model, evidence, backend=backend), twin_answers(structure)[0]
    for field, index, other, step in altered(model):
        slope = (changed_twin(model, other, evidence) - base) / step
        right = np.divide(slope, base, out=np.zeros(len(base)), where=base > 0.0)
        ours = getattr(gradient, field)[(slice(None), *index)]
        np.testing.assert_allclose(ours, right, rtol=1e-9, atol=1e-11, err_msg=f"{field} {index}")


def side_by_side(one: ParameterDraws, other: ParameterDraws) -> ParameterDraws:
    """Draws that differ in numbers only, one after the other."""

    def joined(first: LinkDraws, second: LinkDraws) -> LinkDraws:
        strength = np.hstack([first.strength, second.strength])
        factor = np.hstack([first.factor, second.factor])
        return LinkDraws(first.causes, strength, factor, np.append(first.leak, second.leak))

    findings = {f: joined(own, other.findings[f]) for f, own in one.findings.items()}
    ordinals = {
        o: tuple(joined(*pair) for pair in zip(own, other.ordinals[o], strict=True))
        for o, own in one.ordinals.items()
    }
    tables = tuple(np.concatenate(pair, -1) for pair in zip(one.tables, other.tables, strict=True))
    priors = tuple(
        np.concatenate(pair, -1) for pair in zip(one.risk_priors, other.risk_priors, strict=True)
    )
    return ParameterDraws(findings, ordinals, one.parents, tables, priors)


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("backend", ["numpy", "compiled"])
def test_lanes_with_other_numbers_are_the_twin_of_each(structure: str, backend: Backend) -> None:
    needs_numba(backend)
    model, evidence = problem_of(structure)
    base = twin_answers(structure)[0]
    for field, index, other, _ in altered(model):
        draws = side_by_side(repeat_parameters(model, 1), repeat_parameters(other, 1))
        moved = changed_twin(model, other, evidence)
        for n in range(len(evidence)):
            case = evidence.take(slice(n, n + 1))
            found = np.exp(posteriors_under(model, case, draws, backend=backend).log_evidence)
            right = [base[n], moved[n]]
            np.testing.assert_allclose(found, right, **EXACT, err_msg=f"{field} {index}")
