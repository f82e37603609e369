"""A case under drawn parameters is the case on the network with those parameters."""

import numpy as np
import pytest
from random_networks import random_problem

from bayesdx.errors import BayesdxError
from bayesdx.inference import DiagnosisModel, Evidence, compile_diagnosis, posteriors
from bayesdx.inference.draws import ParameterDraws, posteriors_under, repeat_parameters
from bayesdx.network import CPD, Network, NoisyMaxCPD, NoisyOrCPD, TableCPD


def drawn(model: DiagnosisModel, count: int, seed: int) -> ParameterDraws:
    """Move every parameter that is neither 0 nor 1 by a random amount of log-odds."""
    rng = np.random.default_rng(seed)

    def moved(values: np.ndarray, scale: float = 0.5) -> np.ndarray:
        inside = (values > 0.0) & (values < 1.0)
        logit = np.log(np.where(inside, values, 0.5)) - np.log1p(-np.where(inside, values, 0.5))
        new = 1.0 / (1.0 + np.exp(-(logit + scale * rng.normal(size=values.shape))))
        return np.where(inside, new, values)

    own = repeat_parameters(model, count)
    risks = tuple(moved(prior) for prior in own.risk_priors)
    return ParameterDraws(
        moved(own.strength),
        moved(own.factor),
        moved(own.leak),
        # One shift for all levels keeps exceedances falling.
        own.exceed * rng.uniform(0.5, 1.0, size=(count, own.exceed.shape[1], 1)),
        own.exceed_leak * rng.uniform(0.5, 1.0, size=(count, 1)),
        tuple(moved(table) for table in own.tables),
        tuple(prior / prior.sum(axis=1, keepdims=True) for prior in risks),
    )


def network_of(model: DiagnosisModel, draws: ParameterDraws, d: int) -> Network:
    at = {name: i for i, name in enumerate(model.causes)}
    cpds: dict[str, CPD] = dict(model.network.cpds)
    for r, name in enumerate(model.risks):
        cpds[name] = TableCPD(name, (), draws.risk_priors[r][d])
    for c, name in enumerate(model.causes):
        # Parents without effect are kept: without them a cause could pass for a risk.
        parents = cpds[name].parents
        kept = [model.risks[r] for r in model.cause_parents[c]]
        present = draws.tables[c][d].transpose([kept.index(p) for p in parents if p in kept])
        cards = [model.network.variables[p].cardinality for p in parents]
        sizes = [n if p in kept else 1 for p, n in zip(parents, cards, strict=True)]
        present = np.broadcast_to(present.reshape(sizes), cards)
        cpds[name] = TableCPD(name, parents, np.stack([1.0 - present, present], axis=-1))
    for f, name in enumerate(model.findings):
        cpd = cpds[name]
        assert isinstance(cpd, NoisyOrCPD)
        cpds[name] = NoisyOrCPD(
            name,
            cpd.activators,
            draws.strength[d, [at[p] for p in cpd.activators], f],
            float(draws.leak[d, f]),
            cpd.inhibitors,
            draws.factor[d, [at[p] for p in cpd.inhibitors], f],
        )
    for o, name in enumerate(model.ordinals):
        cpd = cpds[name]
        assert isinstance(cpd, NoisyMaxCPD)
        levels = slice(model.level_offset[o], model.level_offset[o] + len(cpd.leak))
        strengths = draws.exceed[d][[at[p] for p in cpd.parents]][:, levels]
        cpds[name] = NoisyMaxCPD(name, cpd.parents, strengths, draws.exceed_leak[d, levels])
    return Network(model.network.variables.values(), cpds.values())


@pytest.mark.parametrize("seed", range(40))
def test_each_draw_is_a_network_of_its_own(seed: int) -> None:
    model, evidence = random_problem(seed, n_cases=2)
    draws = drawn(model, 5, seed)
    for row in range(2):
        case = evidence.take(np.array([row]))
        ours = posteriors_under(model, case, draws)
        for d in range(5):
            right = posteriors(compile_diagnosis(network_of(model, draws, d)), case)
            np.testing.assert_allclose(
                ours.log_evidence[d], right.log_evidence[0], rtol=0, atol=1e-11
            )
            np.testing.assert_allclose(ours.causes[d], right.causes[0], rtol=0, atol=1e-11)


def test_the_models_own_parameters_give_its_own_answer(real_assembly) -> None:
    model = real_assembly.model
    findings = np.full((1, len(model.findings)), np.nan)
    rng = np.random.default_rng(1)
    known = rng.choice(len(model.findings), 25, replace=False)
    findings[0, known] = rng.random(25) < 0.25
    uppers = np.array(model.ordinal_sizes, dtype=np.int8)[None] - 1
    case = Evidence(
        findings,
        np.zeros_like(uppers),
        uppers,
        np.full((1, len(model.risks)), -1, dtype=np.int8),
        np.full((1, len(model.causes)), -1, dtype=np.int8),
    )
    ours = posteriors_under(model, case, repeat_parameters(model, 3))
    right = posteriors(model, case)
    np.testing.assert_allclose(ours.log_evidence, right.log_evidence[[0, 0, 0]], atol=1e-12)
    np.testing.assert_allclose(ours.causes, right.causes[[0, 0, 0]], atol=1e-12)


def test_one_case_at_a_time() -> None:
    model, evidence = random_problem(1, n_cases=2)
    with pytest.raises(BayesdxError, match="evidence: expected one case, got 2"):
        posteriors_under(model, evidence, repeat_parameters(model, 1))
