"""Random small diagnosis networks and evidence, with everything that can go wrong in them."""

from __future__ import annotations

import numpy as np

from bayesdx.inference import Evidence, NoisyModel, compile_diagnosis, no_evidence
from bayesdx.network import (
    CPD,
    AnyOfCPD,
    Network,
    NoisyMaxCPD,
    NoisyOrCPD,
    TableCPD,
    Variable,
)


def random_network(rng: np.random.Generator) -> Network:
    """Shared and private risks, structural zeros, inhibitors, ordinal findings, leaks 0 and 1."""
    variables: list[Variable] = []
    cpds: list[CPD] = []
    risks = [f"risk{i}" for i in range(rng.integers(0, 5))]
    causes = [f"cause{i}" for i in range(rng.integers(1, 7))]
    cards = {name: int(rng.integers(2, 5)) for name in risks}
    for name in risks:
        variables.append(Variable(name, tuple(f"s{i}" for i in range(cards[name]))))
        cpds.append(TableCPD(name, (), rng.dirichlet(np.ones(cards[name]))))
    for name in causes:
        parents = tuple(rng.permutation(risks)[: rng.integers(0, min(3, len(risks)) + 1)])
        shape = tuple(cards[p] for p in parents)
        present = rng.random(shape) ** 3
        present = np.where(rng.random(shape) < 0.15, 0.0, present)
        present = np.where(rng.random(shape) < 0.04, 1.0, present)
        variables.append(Variable(name))
        cpds.append(TableCPD(name, parents, np.stack([1 - present, present], axis=-1)))
    for i in range(rng.integers(1, 8)):
        variables.append(Variable(f"finding{i}"))
        cpds.append(_noisy_or(rng, f"finding{i}", causes))
    for i in range(rng.integers(0, 3)):
        size = int(rng.integers(2, 5))
        variables.append(Variable(f"ordinal{i}", tuple(f"l{s}" for s in range(size))))
        cpds.append(_noisy_max(rng, f"ordinal{i}", causes, size))
    variables.append(Variable("group"))
    cpds.append(AnyOfCPD("group", tuple(rng.permutation(causes)[: rng.integers(1, 4)])))
    return Network(variables, cpds)


def _strengths(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    values = rng.random(shape)
    values = np.where(rng.random(shape) < 0.08, 1.0, values)
    return np.where(rng.random(shape) < 0.08, 0.0, values)


def _leak(rng: np.random.Generator) -> float:
    leaks = [0.0, 1.0, 1e-6, rng.random(), rng.random() ** 4]
    return float(rng.choice(leaks, p=[0.1, 0.03, 0.1, 0.4, 0.37]))


def _noisy_or(rng: np.random.Generator, child: str, causes: list[str]) -> NoisyOrCPD:
    chosen = list(rng.permutation(causes)[: rng.integers(0, len(causes) + 1)])
    split = len(chosen)
    if rng.random() < 0.5:
        split -= int(rng.integers(0, len(chosen) + 1))
    return NoisyOrCPD(
        child,
        tuple(chosen[:split]),
        _strengths(rng, (split,)),
        _leak(rng),
        tuple(chosen[split:]),
        _strengths(rng, (len(chosen) - split,)),
    )


def _noisy_max(rng: np.random.Generator, child: str, causes: list[str], size: int) -> NoisyMaxCPD:
    chosen = tuple(rng.permutation(causes)[: rng.integers(0, len(causes) + 1)])
    strengths = -np.sort(-_strengths(rng, (len(chosen), size - 1)), axis=1)
    leak = -np.sort(-rng.random(size - 1)) * rng.choice([0.0, 1.0], p=[0.2, 0.8])
    return NoisyMaxCPD(child, chosen, strengths, leak)


def random_evidence(rng: np.random.Generator, model: NoisyModel, n_cases: int) -> Evidence:
    """Unknown, absent, present, soft; single states and intervals; clamped causes."""
    blank = no_evidence(model, n_cases)
    kind = rng.choice(4, size=blank.findings.shape, p=[0.25, 0.25, 0.35, 0.15])
    soft = rng.random(blank.findings.shape)
    findings = np.choose(kind, [np.nan, 0.0, 1.0, soft])
    lower, upper = blank.lower.copy(), blank.upper.copy()
    for o, size in enumerate(model.ordinal_sizes):
        ends = np.sort(rng.integers(0, size, size=(n_cases, 2)), axis=1)
        known = rng.random(n_cases) < 0.7
        lower[known, o], upper[known, o] = ends[known].T
    risks = blank.risks.copy()
    for r, prior in enumerate(model.risk_priors):
        known = rng.random(n_cases) < 0.4
        risks[known, r] = rng.integers(0, len(prior), size=known.sum())
    causes = np.where(
        rng.random(blank.causes.shape) < 0.05, rng.integers(0, 2, blank.causes.shape), -1
    )
    return Evidence(findings, lower, upper, risks, causes.astype(np.int8))


def random_problem(seed: int, n_cases: int = 12) -> tuple[NoisyModel, Evidence]:
    rng = np.random.default_rng(seed)
    model = compile_diagnosis(random_network(rng))
    return model, random_evidence(rng, model, n_cases)
