"""A case under drawn parameters is the case on the network with those parameters."""

from dataclasses import replace

import numpy as np
import pytest
from oracle import world_weights
from random_networks import random_problem

from bayesdx.errors import BayesdxError
from bayesdx.inference import Evidence, NoisyModel, compile_diagnosis, posteriors
from bayesdx.inference.noisy import draws as draws_module
from bayesdx.inference.noisy import jit
from bayesdx.inference.noisy.drawn_models import answers_of_models
from bayesdx.inference.noisy.draws import (
    LanePlans,
    LinkDraws,
    ParameterDraws,
    posteriors_under,
    repeat_parameters,
)
from bayesdx.inference.noisy.lane_case import condition_lanes
from bayesdx.inference.noisy.lane_program import compile_lanes
from bayesdx.inference.noisy.lane_weights import Assumptions
from bayesdx.inference.noisy.lanes import run_lanes
from bayesdx.network import CPD, Network, NoisyMaxCPD, NoisyOrCPD, TableCPD


def drawn(model: NoisyModel, count: int, seed: int) -> ParameterDraws:
    """Move every parameter that is neither 0 nor 1 by a random amount of log-odds.

    Of binary findings some links become inhibitors or nothing in some draws.
    """
    rng = np.random.default_rng(seed)

    def moved(values: np.ndarray, scale: float = 0.5) -> np.ndarray:
        inside = (values > 0.0) & (values < 1.0)
        logit = np.log(np.where(inside, values, 0.5)) - np.log1p(-np.where(inside, values, 0.5))
        new = 1.0 / (1.0 + np.exp(-(logit + scale * rng.normal(size=values.shape))))
        return np.where(inside, new, values)

    def turned(links: LinkDraws) -> LinkDraws:
        kind = rng.choice(3, p=(0.6, 0.3, 0.1), size=links.strength.shape)
        strength = np.where(kind == 0, moved(links.strength), 0.0)
        factor = np.where(kind == 0, moved(links.factor), 1.0)
        lowered = rng.choice((0.0, 1e-6, 0.3, 0.8), size=kind.shape)
        factor = np.where(kind == 1, lowered, np.where(strength > 0.0, 1.0, factor))
        return LinkDraws(links.causes, strength, factor, moved(links.leak))

    def fallen(levels: tuple[LinkDraws, ...]) -> tuple[LinkDraws, ...]:
        # One share for all levels keeps exceedances falling.
        shares = {c: rng.uniform(0.5, 1.0, count) for one in levels for c in one.causes.tolist()}
        leak = rng.uniform(0.5, 1.0, count)
        return tuple(
            replace(
                one,
                strength=one.strength
                * np.array([shares[c] for c in one.causes.tolist()]).reshape(-1, count),
                leak=one.leak * leak,
            )
            for one in levels
        )

    own = repeat_parameters(model, count)
    risks = tuple(moved(prior) for prior in own.risk_priors)
    return ParameterDraws(
        {f: turned(links) for f, links in own.findings.items()},
        {o: fallen(levels) for o, levels in own.ordinals.items()},
        own.parents,
        tuple(moved(table) for table in own.tables),
        tuple(prior / prior.sum(axis=0) for prior in risks),
    )


def network_of(model: NoisyModel, draws: ParameterDraws, d: int) -> Network:
    cpds: dict[str, CPD] = dict(model.network.cpds)
    for r, name in enumerate(model.risks):
        cpds[name] = TableCPD(name, (), draws.risk_priors[r][:, d])
    for c, name in enumerate(model.causes):
        # Parents without effect are kept: without them a cause could pass for a risk.
        parents = cpds[name].parents
        kept = [model.risks[r] for r in draws.parents[c]]
        present = draws.tables[c][..., d].transpose([kept.index(p) for p in parents if p in kept])
        cards = [model.network.variables[p].cardinality for p in parents]
        sizes = [n if p in kept else 1 for p, n in zip(parents, cards, strict=True)]
        present = np.broadcast_to(present.reshape(sizes), cards)
        cpds[name] = TableCPD(name, parents, np.stack([1.0 - present, present], axis=-1))
    for f, links in draws.findings.items():
        names = np.array([model.causes[c] for c in links.causes])
        # A link of strength 0 is kept: without any, a cause would pass for a risk.
        lowers = links.factor[:, d] < 1.0
        acts = ~lowers
        cpds[model.findings[f]] = NoisyOrCPD(
            model.findings[f],
            tuple(names[acts].tolist()),
            links.strength[acts, d],
            float(links.leak[d]),
            tuple(names[lowers].tolist()),
            links.factor[lowers, d],
        )
    for o, levels in draws.ordinals.items():
        cpd = cpds[model.ordinals[o]]
        at = [model.causes.index(name) for name in cpd.parents]
        strengths = np.zeros((len(model.causes), len(levels)))
        for level, links in enumerate(levels):
            strengths[links.causes, level] = links.strength[:, d]
        leak = np.array([links.leak[d] for links in levels])
        cpds[cpd.child] = NoisyMaxCPD(cpd.child, cpd.parents, strengths[at], leak)
    return Network(model.network.variables.values(), cpds.values())


@pytest.mark.parametrize("seed", range(30))
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


@pytest.mark.parametrize("seed", range(8))
def test_a_draw_does_not_depend_on_the_others(seed: int) -> None:
    """Tiles, groups and orders differ with the lanes; answers do not."""
    model, evidence = random_problem(seed, n_cases=1)
    draws = drawn(model, 300, seed)
    together = posteriors_under(model, evidence, draws)
    for lanes in (slice(0, 7), slice(7, 300), np.array([299, 4, 4])):
        alone = posteriors_under(model, evidence, draws.take(lanes))
        np.testing.assert_allclose(alone.causes, together.causes[lanes], rtol=0, atol=1e-13)


@pytest.mark.parametrize("seed", range(20))
def test_draws_and_assumptions_together(seed: int) -> None:
    """Each lane with numbers, weights of causes and held risks of its own."""
    model, evidence = random_problem(seed, n_cases=1)
    count, rng = 5, np.random.default_rng(seed)
    draws = drawn(model, count, seed)
    on, off = rng.random((2, len(model.causes), count))
    risks = np.full((len(model.risks), count), -1, dtype=np.int8)
    for r, prior in enumerate(model.risk_priors):
        held = (rng.random(count) < 0.5) & (evidence.risks[0, r] < 0)
        risks[r, held] = rng.integers(0, len(prior), held.sum())
    asked = draws.asked(model, evidence)
    case = condition_lanes(evidence, asked, Assumptions(on, off, risks))
    log_evidence, posterior = run_lanes(case, compile_lanes(case.structure, 1))
    for d in range(count):
        own = compile_diagnosis(network_of(model, draws, d))
        states, weight = world_weights(own, evidence, 0)
        for c, name in enumerate(model.causes):
            weight = weight * np.where(states[name] == 1, on[c, d], off[c, d])
        for r, name in enumerate(model.risks):
            weight = weight * ((risks[r, d] < 0) | (states[name] == risks[r, d]))
        total = weight.sum()
        assert np.exp(log_evidence[d]) == pytest.approx(total, rel=1e-11, abs=0.0)
        for c, name in enumerate(model.causes):
            share = weight[states[name] == 1].sum() / total if total > 0.0 else 0.0
            assert posterior[c, d] == pytest.approx(share, abs=1e-11)


def test_kept_plans_give_the_same_answer() -> None:
    model, evidence = random_problem(3, n_cases=3)
    draws, plans = drawn(model, 40, 3), LanePlans()
    for row in (0, 1, 2, 0, 1, 2):
        case = evidence.take(np.array([row]))
        fresh = posteriors_under(model, case, draws)
        kept = posteriors_under(model, case, draws, plans)
        np.testing.assert_array_equal(kept.causes, fresh.causes)
        np.testing.assert_array_equal(kept.log_evidence, fresh.log_evidence)


def real_case(model: NoisyModel, seed: int) -> Evidence:
    findings = np.full((1, len(model.findings)), np.nan)
    rng = np.random.default_rng(seed)
    known = rng.choice(len(model.findings), 16, replace=False)
    findings[0, known] = rng.random(16) < 0.25
    uppers = np.array(model.ordinal_sizes, dtype=np.int8)[None] - 1
    return Evidence(
        findings,
        np.zeros_like(uppers),
        uppers,
        np.full((1, len(model.risks)), -1, dtype=np.int8),
        np.full((1, len(model.causes)), -1, dtype=np.int8),
    )


def test_the_models_own_parameters_give_its_own_answer(snapshot_model: NoisyModel) -> None:
    model = snapshot_model
    case = real_case(model, 1)
    right = posteriors(model, case)
    ours = posteriors_under(model, case, repeat_parameters(model, 3))
    np.testing.assert_allclose(ours.log_evidence, right.log_evidence[[0, 0, 0]], atol=1e-12)
    np.testing.assert_allclose(ours.causes, right.causes[[0, 0, 0]], atol=1e-12)


def test_clamped_causes(snapshot_model: NoisyModel) -> None:
    model = snapshot_model
    case = real_case(model, 2)
    case.causes[0, [3, 9]] = 0
    case.causes[0, 17] = 1
    ours = posteriors_under(model, case, repeat_parameters(model, 2))
    right = posteriors(model, case)
    np.testing.assert_allclose(ours.log_evidence, right.log_evidence[[0, 0]], atol=1e-11)
    np.testing.assert_allclose(ours.causes, right.causes[[0, 0]], atol=1e-12)


@pytest.mark.parametrize("seed", range(12))
def test_a_model_a_draw_gives_the_same(seed: int) -> None:
    """Many cases at once, with all causes asked or some; and one case."""
    pytest.importorskip("numba")
    model, evidence = random_problem(seed, n_cases=3)
    draws = drawn(model, 19, seed)
    asked = np.random.default_rng(seed).random((3, len(model.causes))) < 0.5
    shares: list[float] = []
    log_evidence, causes = answers_of_models(model, evidence, draws, None, shares.append)
    _, some = answers_of_models(model, evidence, draws, asked)
    assert shares == [(d + 1) / 19 for d in range(19)]
    plain = [posteriors_under(model, evidence.take(np.array([n])), draws) for n in range(3)]
    for n, right in enumerate(plain):
        case = evidence.take(np.array([n]))
        alone = posteriors_under(model, case, draws, backend="compiled")
        for one in (causes[:, n], alone.causes):
            np.testing.assert_allclose(one, right.causes, rtol=0, atol=1e-12)
        for one in (log_evidence[:, n], alone.log_evidence):
            np.testing.assert_allclose(one, right.log_evidence, rtol=0, atol=1e-12)
        wanted = np.where(asked[n], right.causes, 0.0)
        np.testing.assert_allclose(some[:, n], wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("compiled", "most", "models"), [(1, 0, 1), (1, 1e9, 0), (0, 0, 0)])
def test_a_draw_is_a_model_where_that_is_sooner_done(
    compiled: int, most: float, models: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, evidence = random_problem(3, n_cases=1)
    draws, asked = drawn(model, 5, 3), list[int]()
    right = posteriors_under(model, evidence, draws, backend="numpy")

    def counted(model: NoisyModel, evidence: Evidence, draws: ParameterDraws) -> object:
        asked.append(len(draws))
        return right.log_evidence[:, None], right.causes[:, None]

    monkeypatch.setattr(draws_module, "takes_compiled", lambda *_: bool(compiled))
    monkeypatch.setattr(draws_module, "answers_of_models", counted)
    monkeypatch.setattr(draws_module, "_HEAVY", most)
    found = posteriors_under(model, evidence, draws)
    assert asked == [5] * models
    np.testing.assert_allclose(found.causes, right.causes, rtol=0, atol=1e-12)


def test_without_numba_the_compiled_loop_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    model, evidence = random_problem(1, n_cases=1)
    monkeypatch.setattr(jit, "installed", lambda: False)
    with pytest.raises(BayesdxError, match="backend: expected numba, of the extra 'fast'"):
        posteriors_under(model, evidence, repeat_parameters(model, 1), None, "compiled")


def test_one_case_at_a_time() -> None:
    model, evidence = random_problem(1, n_cases=2)
    with pytest.raises(BayesdxError, match="evidence: expected one case, got 2"):
        posteriors_under(model, evidence, repeat_parameters(model, 1))
