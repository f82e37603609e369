"""The links of a finding one by one, as in a network with a variable more for each of them."""

import math

import numpy as np

from bayesdx.inference import Evidence, NoisyModel
from bayesdx.network import NoisyMaxCPD, NoisyOrCPD


def contributions(
    model: NoisyModel, name: str, present: dict[str, bool]
) -> list[tuple[str, list[tuple[int, float]]]]:
    """Level that each actor alone would bring, with its probability; the leak is called ""."""
    cpd = model.network.cpds[name]
    if isinstance(cpd, NoisyOrCPD):
        lowered = math.prod(
            f for c, f in zip(cpd.inhibitors, cpd.factors, strict=True) if present[c]
        )
        leak = cpd.leak * lowered
        actors = [("", [(0, 1.0 - leak), (1, leak)])]
        for cause, z in zip(cpd.activators, cpd.strengths, strict=True):
            actors.append((cause, [(0, 1.0 - z), (1, float(z))]))
        return actors
    assert isinstance(cpd, NoisyMaxCPD)
    exceed = {"": cpd.leak, **dict(zip(cpd.parents, cpd.strengths, strict=True))}
    return [
        (actor, list(enumerate(-np.diff(np.concatenate([[1.0], z, [0.0]])))))
        for actor, z in exceed.items()
    ]


def wanted(model: NoisyModel, evidence: Evidence, row: int, name: str) -> tuple[int, int]:
    if name in model.findings:
        return (1, 1) if evidence.findings[row, model.findings.index(name)] == 1.0 else (0, 0)
    o = model.ordinals.index(name)
    return int(evidence.lower[row, o]), int(evidence.upper[row, o])
