"""A second judge from outside: pgmpy's variable elimination on dense tables."""

import logging
import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from random_networks import random_problem
from small_networks import with_causes

from bayesdx.inference import Evidence, NoisyModel, posteriors

EXACT = 1e-12


@pytest.fixture(scope="module")
def pgmpy() -> SimpleNamespace:
    """What is needed of pgmpy, which takes seconds to import and warns on the way."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pgmpy.factors.discrete import TabularCPD
        from pgmpy.inference import VariableElimination
        from pgmpy.models import DiscreteBayesianNetwork
    logging.getLogger("pgmpy").setLevel(logging.ERROR)
    return SimpleNamespace(
        cpd=TabularCPD, network=DiscreteBayesianNetwork, elimination=VariableElimination
    )


def translated(pgmpy: SimpleNamespace, model: NoisyModel) -> Any:
    network = model.network
    other = pgmpy.network()
    other.add_nodes_from(list(network.variables))
    for name, variable in network.variables.items():
        parents = network.parents(name)
        other.add_edges_from([(parent, name) for parent in parents])
        cards = [network.variables[parent].cardinality for parent in parents]
        columns = network.table(name).reshape(-1, variable.cardinality).T
        cpd = pgmpy.cpd(
            name,
            variable.cardinality,
            columns,
            evidence=list(parents),
            evidence_card=cards,
        )
        other.add_cpds(cpd)
    assert other.check_model()
    return other


def hard(model: NoisyModel, evidence: Evidence, row: int) -> dict[str, int]:
    """What is known for certain, by name."""
    known = {
        name: int(state)
        for names, states in ((model.risks, evidence.risks), (model.findings, evidence.findings))
        for name, state in zip(names, states[row], strict=True)
        if state in (0, 1) or (names is model.risks and state >= 0)
    }
    for o, name in enumerate(model.ordinals):
        if evidence.lower[row, o] == evidence.upper[row, o]:
            known[name] = int(evidence.lower[row, o])
    return known


def certain(model: NoisyModel, evidence: Evidence) -> Evidence:
    """Forget soft findings, intervals and clamps: pgmpy's plain evidence has none."""
    whole = np.array(model.ordinal_sizes, dtype=np.int8) - 1
    single = evidence.lower == evidence.upper
    soft = (evidence.findings > 0.0) & (evidence.findings < 1.0)
    return Evidence(
        np.where(soft, np.nan, evidence.findings),
        np.where(single, evidence.lower, 0).astype(np.int8),
        np.where(single, evidence.upper, whole).astype(np.int8),
        evidence.risks,
        np.full_like(evidence.causes, -1),
    )


def asked(elimination: Any, name: str, known: dict[str, int]) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        factor = elimination.query([name], evidence=known, show_progress=False)
    return float(factor.values[1])


@pytest.mark.parametrize("seed", range(30))
def test_posteriors_are_those_of_pgmpy(seed: int, pgmpy: SimpleNamespace) -> None:
    model, evidence = random_problem(seed, 4)
    evidence = certain(model, evidence)
    elimination = pgmpy.elimination(translated(pgmpy, model))
    answer = posteriors(model, evidence)
    possible = np.flatnonzero(answer.possible)
    assert len(possible) > 0
    for row in possible:
        known = hard(model, evidence, row)
        for c, name in enumerate(model.causes):
            right = asked(elimination, name, known)
            assert answer.causes[row, c] == pytest.approx(right, rel=0, abs=EXACT)
        for group, members in model.groups.items():
            without = posteriors(model, with_causes(evidence, members, 0))
            got = -np.expm1(without.log_evidence[row] - answer.log_evidence[row])
            assert got == pytest.approx(asked(elimination, group, known), rel=0, abs=EXACT)
