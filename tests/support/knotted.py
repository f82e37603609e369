"""Small networks whose causes, findings and risks are tied to each other many times over."""

from __future__ import annotations

import numpy as np
from random_networks import random_evidence

from bayesdx.inference import Evidence, NoisyModel, compile_diagnosis
from bayesdx.network import CPD, Network, NoisyMaxCPD, NoisyOrCPD, TableCPD, Variable


def knotted_model(rng: np.random.Generator) -> NoisyModel:
    """Risks of two to seven states that several causes share, findings that all causes act on."""
    sizes = {f"risk{i}": int(size) for i, size in enumerate(rng.choice([2, 3, 5, 7], size=3))}
    causes = [f"cause{i}" for i in range(rng.integers(3, 6))]
    variables = [Variable(n, tuple(f"s{i}" for i in range(k))) for n, k in sizes.items()]
    cpds: list[CPD] = [TableCPD(n, (), rng.dirichlet(np.ones(k))) for n, k in sizes.items()]
    for name in causes:
        parents = tuple(rng.permutation(list(sizes))[: rng.integers(1, 4)])
        present = rng.random(tuple(sizes[p] for p in parents))
        present[rng.random(present.shape) < 0.1] = 0.0
        variables.append(Variable(name))
        cpds.append(TableCPD(name, parents, np.stack([1.0 - present, present], axis=-1)))
    for i in range(rng.integers(3, 7)):
        chosen = list(rng.permutation(causes)[: rng.integers(1, len(causes) + 1)])
        split = int(rng.integers(0, len(chosen) + 1)) if rng.random() < 0.4 else len(chosen)
        leak = float(rng.choice([0.0, 1.0, rng.random()], p=[0.15, 0.05, 0.8]))
        variables.append(Variable(f"finding{i}"))
        cpds.append(
            NoisyOrCPD(
                f"finding{i}",
                tuple(chosen[:split]),
                rng.choice([1.0, rng.random()], size=split, p=[0.1, 0.9]),
                leak,
                tuple(chosen[split:]),
                rng.choice([0.0, rng.random()], size=len(chosen) - split, p=[0.1, 0.9]),
            )
        )
    variables.append(Variable("ordinal", ("none", "some", "more", "most")))
    strengths = -np.sort(-rng.random((len(causes), 3)), axis=1)
    leaks = -np.sort(-rng.random(3)) * 0.2
    cpds.append(NoisyMaxCPD("ordinal", tuple(causes), strengths, leaks))
    return compile_diagnosis(Network(variables, cpds))


def knotted_problem(seed: int, n_cases: int = 12) -> tuple[NoisyModel, Evidence]:
    rng = np.random.default_rng(seed)
    model = knotted_model(rng)
    evidence = random_evidence(rng, model, n_cases)
    # Mostly present findings and unknown risks: those are what couples causes.
    more = rng.random(evidence.findings.shape) < 0.4
    findings = np.where(more, rng.choice([1.0, 0.9, 0.3], size=more.shape), evidence.findings)
    risks = np.where(rng.random(evidence.risks.shape) < 0.6, -1, evidence.risks).astype(np.int8)
    changed = Evidence(findings, evidence.lower, evidence.upper, risks, evidence.causes)
    return model, changed
