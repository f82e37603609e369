"""Short ways to write a small network and a case of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bayesdx.inference import Evidence, NoisyModel, compile_diagnosis, no_evidence
from bayesdx.network import CPD, Network, TableCPD, Variable


def cause(name: str, prior: float) -> TableCPD:
    """A cause without risks."""
    return TableCPD(name, (), np.array([1.0 - prior, prior]))


def compiled(*cpds: CPD) -> NoisyModel:
    """Compile a network whose variables are all binary."""
    return compile_diagnosis(Network([Variable(cpd.child) for cpd in cpds], cpds))


def seen(model: NoisyModel, **findings: float) -> Evidence:
    """One case of which some findings are known."""
    evidence = no_evidence(model, 1)
    for name, value in findings.items():
        evidence.findings[0, model.findings.index(name)] = value
    return evidence


def with_causes(
    evidence: Evidence, positions: int | Sequence[int] | NDArray[np.intp], state: int
) -> Evidence:
    """The same cases with some causes known."""
    causes = evidence.causes.copy()
    causes[:, positions] = state
    return replace(evidence, causes=causes)
