"""Cases taken apart at random, and what enumeration says of every subset of their parts."""

from __future__ import annotations

import numpy as np
from oracle import enumerate_case
from random_networks import random_problem

from bayesdx.inference import Evidence, NoisyModel
from bayesdx.inference.noisy.attribution.observations import Observation, known_evidence


def random_parts(
    seed: int, most: int = 5, inside: bool = True
) -> tuple[NoisyModel, list[Observation]]:
    """A random network, with evidence split at random into parts.

    With ``inside`` a part can say several things.
    """
    model, evidence = random_problem(seed, 1)
    rng = np.random.default_rng(seed)
    atoms = case_atoms(model, evidence)
    rng.shuffle(atoms)
    if not inside:
        return model, [joined([atom]) for atom in atoms[:most]]
    groups: list[list[Observation]] = [[] for _ in range(most)]
    for atom in atoms:
        groups[int(rng.integers(0, most))].append(atom)
    return model, [joined(group) for group in groups if group]


def case_atoms(model: NoisyModel, evidence: Evidence) -> list[Observation]:
    """Everything known of the first case, one part each; causes are left free."""
    findings = evidence.findings[0]
    atoms = [
        Observation(findings=((int(f), float(findings[f])),)) for f in np.flatnonzero(findings >= 0)
    ]
    for o, size in enumerate(model.ordinal_sizes):
        lower, upper = int(evidence.lower[0, o]), int(evidence.upper[0, o])
        if lower > 0 or upper < size - 1:
            atoms.append(Observation(levels=((o, lower, upper),)))
    risks = evidence.risks[0]
    return atoms + [
        Observation(risks=((int(r), int(risks[r])),)) for r in np.flatnonzero(risks >= 0)
    ]


def joined(parts: list[Observation]) -> Observation:
    """One part that says what several do."""
    return Observation(
        findings=tuple(one for part in parts for one in part.findings),
        levels=tuple(one for part in parts for one in part.levels),
        risks=tuple(one for part in parts for one in part.risks),
    )


def all_subsets(count: int) -> np.ndarray:
    """All subsets as a bool array (2^count, count), the first changing fastest."""
    return (np.arange(1 << count)[:, None] >> np.arange(count) & 1).astype(bool)


def enumerated(model: NoisyModel, parts: list[Observation]) -> tuple[np.ndarray, np.ndarray]:
    """P(evidence), (T,), and P(cause, evidence), (T, C), of every subset of the parts."""
    known = all_subsets(len(parts))
    evidence = known_evidence(model, parts, known)
    answers = [enumerate_case(model, evidence, row) for row in range(len(known))]
    return np.array([one.evidence for one in answers]), np.array([one.causes for one in answers])


def log_odds(evidence: np.ndarray, causes: np.ndarray) -> np.ndarray:
    """Log-odds, (C, T), of what `enumerated` returns."""
    with np.errstate(divide="ignore"):
        return (np.log(causes) - np.log(np.maximum(evidence[:, None] - causes, 0.0))).T
