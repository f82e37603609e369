"""Plans: invariance, batches, long chains, wide families, caching, what they say of themselves."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from importlib import import_module

import numpy as np
import pytest
from agrum_networks import example, sampled_states
from general_backends import BACKENDS
from joint import enumerated, joint, random_general_network
from scipy.special import logsumexp
from transforms import renamed, shuffled

from bayesdx.errors import InvalidCase, InvalidNetwork
from bayesdx.inference import compile_diagnosis, no_evidence, posteriors
from bayesdx.inference.general import plan_cache
from bayesdx.inference.general.general_network import CompiledGeneral
from bayesdx.inference.machine_code import Backend
from bayesdx.network import Network, NoisyOrCPD, TableCPD, Variable

LIMIT = 2**31


def sparse_rows(rng: np.random.Generator, cards: list[int], n: int, share: float) -> np.ndarray:
    states = (rng.random((n, len(cards))) * np.array(cards)).astype(np.intp)
    return np.where(rng.random(states.shape) < share, states, -1)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("seed", range(20))
def test_names_and_orders_do_not_matter(backend: Backend, seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = random_general_network(rng)
    names = {name: f"x{i}" for i, name in enumerate(rng.permutation(list(network.variables)))}
    other = shuffled(renamed(network, names), rng)
    states = sparse_rows(rng, [v.cardinality for v in network.variables.values()], 6, 0.4)
    place = {name: i for i, name in enumerate(other.variables)}
    moved = np.empty_like(states)
    for i, name in enumerate(network.variables):
        moved[:, place[names[name]]] = states[:, i]
    mine = CompiledGeneral(network, LIMIT, backend).query(states)
    theirs = CompiledGeneral(other, LIMIT, backend).query(moved)
    np.testing.assert_allclose(mine.log_evidence, theirs.log_evidence, rtol=1e-12, atol=1e-12)
    for name in network.variables:
        np.testing.assert_allclose(
            mine.posterior(name), theirs.posterior(names[name]), rtol=0, atol=1e-12
        )


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["asia", "alarm", "water"])
def test_a_batch_is_its_cases_one_by_one(backend: Backend, name: str) -> None:
    network, _ = example(name)
    rng = np.random.default_rng(3)
    cards = [v.cardinality for v in network.variables.values()]
    states = np.concatenate([sparse_rows(rng, cards, 40, 0.1)] * 2)
    compiled = CompiledGeneral(network, LIMIT, backend)
    together = compiled.query(states)
    for row in range(20):
        alone = compiled.query(states[[row]])
        np.testing.assert_allclose(alone.values[:, 0], together.values[:, row], atol=1e-12)
        assert alone.log_evidence[0] == pytest.approx(together.log_evidence[row], abs=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_no_cases_and_no_targets(backend: Backend) -> None:
    network, _ = example("asia")
    compiled = CompiledGeneral(network, LIMIT, backend)
    none = compiled.query(np.zeros((0, 8), dtype=np.intp))
    assert none.log_evidence.shape == (0,)
    assert none.posterior("lung").shape == (0, 2)
    bare = compiled.query(np.full((2, 8), -1), targets=[])
    assert bare.names == ()
    np.testing.assert_allclose(bare.log_evidence, 0.0, atol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("whole", [True, False])
def test_a_hidden_markov_chain_of_two_thousand_steps(backend: Backend, whole: bool) -> None:
    """pyAgrum calls its evidence incompatible, pgmpy gives NaN."""
    rng = np.random.default_rng(5)
    steps, hidden, seen = 2000, 3, 5
    start = rng.dirichlet(np.ones(hidden))
    move = rng.dirichlet(np.ones(hidden), size=hidden)
    show = rng.dirichlet(np.ones(seen), size=hidden)
    variables, cpds = [], []
    for t in range(steps):
        variables.append(Variable(f"h{t}", tuple("abc")))
        variables.append(Variable(f"o{t}", tuple("vwxyz")))
        parents = (f"h{t - 1}",) if t else ()
        cpds.append(TableCPD(f"h{t}", parents, move if t else start))
        cpds.append(TableCPD(f"o{t}", (f"h{t}",), show))
    states = np.full((2, 2 * steps), -1)
    states[:, 1::2] = rng.integers(0, seen, (2, steps))
    compiled = CompiledGeneral(Network(variables, cpds), LIMIT, backend)
    if whole:
        compiled.plan([f"o{t}" for t in range(steps)])
    answer = compiled.query(states)
    for row in range(2):
        log_forward = np.log(start) + np.log(show[:, states[row, 1]])
        for t in range(1, steps):
            log_forward = logsumexp(log_forward[:, None] + np.log(move), axis=0)
            log_forward = log_forward + np.log(show[:, states[row, 2 * t + 1]])
        assert answer.log_evidence[row] == pytest.approx(logsumexp(log_forward), rel=1e-12)
        assert answer.log_evidence[row] < -2500
        last = answer.posterior(f"h{steps - 1}")[row]
        np.testing.assert_allclose(last, np.exp(log_forward - logsumexp(log_forward)), atol=1e-10)
    assert np.isfinite(answer.values).all()


def noisy_network(n_causes: int, n_findings: int, width: int, seed: int) -> Network:
    rng = np.random.default_rng(seed)
    causes = [f"c{i}" for i in range(n_causes)]
    variables = [Variable(name) for name in causes]
    priors = rng.uniform(0.02, 0.3, n_causes)
    cpds: list = [
        TableCPD(c, (), np.array([1 - p, p])) for c, p in zip(causes, priors, strict=True)
    ]
    for f in range(n_findings):
        parents = tuple(rng.permutation(causes)[:width])
        variables.append(Variable(f"f{f}"))
        strengths = rng.uniform(0.1, 0.9, width)
        cpds.append(NoisyOrCPD(f"f{f}", parents, strengths, float(rng.uniform(0.001, 0.1))))
    return Network(variables, cpds)


@pytest.mark.parametrize("backend", BACKENDS)
def test_twenty_parents_agree_with_the_diagnosis_engine(backend: Backend) -> None:
    network = noisy_network(24, 3, 20, 1)
    model = compile_diagnosis(network)
    rng = np.random.default_rng(2)
    seen = rng.integers(-1, 2, (30, 3))
    evidence = no_evidence(model, len(seen))
    evidence.findings[seen >= 0] = seen[seen >= 0]
    expected = posteriors(model, evidence)
    names = list(network.variables)
    states = np.full((30, len(names)), -1)
    states[:, [names.index(name) for name in model.findings]] = seen
    answer = CompiledGeneral(network, LIMIT, backend).query(states)
    np.testing.assert_allclose(answer.log_evidence, expected.log_evidence, rtol=1e-11, atol=1e-11)
    for c, name in enumerate(model.causes):
        np.testing.assert_allclose(answer.posterior(name)[:, 1], expected.causes[:, c], atol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_ten_parents_agree_with_their_table(backend: Backend) -> None:
    network = noisy_network(10, 2, 10, 3)
    whole = joint(network)
    states = np.full((4, 12), -1)
    states[:, 10:] = [[0, 0], [0, 1], [1, 0], [1, 1]]
    answer = CompiledGeneral(network, LIMIT, backend).query(states)
    for row in range(4):
        seen = {f"f{f}": np.eye(2)[states[row, 10 + f]] for f in range(2)}
        evidence, expected = enumerated(network, whole, seen)
        assert answer.log_evidence[row] == pytest.approx(np.log(evidence), rel=1e-12)
        for name in network.variables:
            np.testing.assert_allclose(
                answer.posterior(name)[row], expected[name] / evidence, atol=1e-12
            )


def test_a_plan_prints_what_it_costs() -> None:
    network, _ = example("alarm")
    text = str(CompiledGeneral(network, LIMIT).plan(["HR", "BP"]))
    for part in ("37 variables, 2 sliced", "order ", "largest", "table cells", "bytes", "us"):
        assert part in text


def test_unknown_names_and_states_are_faults() -> None:
    network, _ = example("asia")
    compiled = CompiledGeneral(network, LIMIT)
    with pytest.raises(InvalidCase, match="query: expected a variable of the network, got 'lungs'"):
        compiled.plan(["lungs"])
    with pytest.raises(InvalidCase, match=r"states of .*: expected positions from -1 to 1, got"):
        compiled.query(np.full((1, 8), 2))
    with pytest.raises(InvalidCase, match=r"expected an integer array of shape \(N, 8\)"):
        compiled.query(np.zeros((1, 8)))
    with pytest.raises(InvalidCase, match=r"likelihoods of variable 0: expected shape \(1, 2\)"):
        compiled.query(np.full((1, 8), -1), {0: [[1.0, 1.0, 1.0]]})
    with pytest.raises(InvalidCase, match="expected finite numbers of at least 0"):
        compiled.query(np.full((1, 8), -1), {0: [[1.0, -1.0]]})


def test_plans_are_kept_within_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_cache, "KEPT_PLANS", 3)
    network, _ = example("asia")
    compiled = CompiledGeneral(network, LIMIT)
    plans = [compiled.plan([name]) for name in network.variables]
    assert len(compiled.solver.plans) == 3
    assert compiled.plan([list(network.variables)[-1]]) is plans[-1]
    assert compiled.plan([next(iter(network.variables))]) is not plans[0]


@pytest.mark.parametrize("backend", BACKENDS)
def test_threads_share_a_network(backend: Backend) -> None:
    network, _ = example("alarm")
    rng = np.random.default_rng(0)
    cards = [v.cardinality for v in network.variables.values()]
    compiled = CompiledGeneral(network, LIMIT, backend)
    compiled.plan([], list(network.variables))
    batches = [sparse_rows(rng, cards, 50, 0.15) for _ in range(12)]
    alone = [compiled.query(states).values for states in batches]
    with ThreadPoolExecutor(4) as pool:
        for mine, theirs in zip(alone, pool.map(compiled.query, batches), strict=True):
            np.testing.assert_array_equal(mine, theirs.values)


def test_a_small_limit_refuses_and_a_larger_one_answers() -> None:
    network, _ = example("alarm")
    nothing = np.full((1, 37), -1)
    with pytest.raises(InvalidNetwork, match="memory need of at most 4e"):
        CompiledGeneral(network, 4e3).query(nothing)
    with pytest.raises(
        InvalidNetwork, match=r"got at least .* bytes \(largest clique 108 of"
    ) as no:
        CompiledGeneral(network, 2e4).plan()
    needed = float(str(no.value).split("at least ")[1].split()[0])
    assert needed > 2e4
    assert CompiledGeneral(network, 2e7).query(nothing).possible.all()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("own_plan", [True, False])
@pytest.mark.parametrize("hidden", [True, False])
def test_hundreds_of_findings_for_and_against(
    backend: Backend, own_plan: bool, hidden: bool
) -> None:
    """Half speak for a cause by 1e5 each, then half against it: neither state may be lost."""
    n = 300
    told = np.array([[1.0 - 1e-5, 1e-5], [1e-5, 1.0 - 1e-5]])
    variables, cpds = [Variable("c")], [TableCPD("c", (), np.array([0.3, 0.7]))]
    for i in range(n):
        variables += [Variable(f"x{i}"), Variable(f"f{i}")]
        cpds.append(TableCPD(f"x{i}", ("c",), told if i % 2 else told[::-1]))
        cpds.append(TableCPD(f"f{i}", (f"x{i}",), np.eye(2) if hidden else told))
    network = Network(variables, cpds)
    states = np.full((3, 2 * n + 1), -1)
    column = 2 if hidden else 1
    speaks = np.arange(n) % 2
    states[0, column::2] = np.where(np.arange(n) < n // 2, speaks, 1 - speaks)
    states[1, column::2] = speaks
    states[2, column] = 0
    compiled = CompiledGeneral(network, LIMIT, backend)
    if own_plan:
        compiled.plan([f"{'f' if hidden else 'x'}{i}" for i in range(n)])
        states[2] = states[0]
    answer = compiled.query(states)
    np.testing.assert_allclose(answer.posterior("c")[0], [0.3, 0.7], rtol=1e-9)
    assert answer.possible.all()
    half = n // 2 * (np.log(1e-5) + np.log1p(-1e-5))
    assert answer.log_evidence[0] == pytest.approx(half, rel=1e-10)
    assert np.isfinite(answer.values).all()


def naive_bayes(features: int) -> Network:
    rng = np.random.default_rng(0)
    cpds = [TableCPD("class", (), np.array([0.2, 0.3, 0.5]))]
    tables = rng.dirichlet(np.ones(2), (features, 3))
    cpds += [TableCPD(f"x{i}", ("class",), table) for i, table in enumerate(tables)]
    return Network([Variable("class", tuple("abc")), *(Variable(c.child) for c in cpds[1:])], cpds)


@pytest.mark.parametrize("observed", [0, 1, 3000])
def test_naive_bayes_is_ordered_in_linear_time(
    observed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neighbours of the class are looked at once each, not once for each other neighbour."""
    network = naive_bayes(3000)
    orders = counted(monkeypatch, "elimination", "eliminate")
    states = np.full((1, 3001), -1)
    states[0, 1 : observed + 1] = np.arange(observed) % 2
    answer = CompiledGeneral(network, LIMIT).query(states, targets=["class"])
    assert sum(order.work for order in orders) < 20_000  # type: ignore[attr-defined]
    log_weights = np.log([0.2, 0.3, 0.5])
    for i in range(observed):
        log_weights = log_weights + np.log(network.table(f"x{i}")[:, i % 2])
    assert answer.log_evidence[0] == pytest.approx(logsumexp(log_weights), rel=1e-12, abs=1e-12)
    expected = np.exp(log_weights - logsumexp(log_weights))
    np.testing.assert_allclose(answer.posterior("class")[0], expected, rtol=0, atol=1e-11)


def test_a_wide_grid_is_refused_without_restarts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the first orders are beyond all hope, the dearest rule and restarts are not tried."""
    side = 40
    names = [f"v{i}" for i in range(side * side)]
    cpds = []
    for i, name in enumerate(names):
        parents = ([names[i - 1]] if i % side else []) + ([names[i - side]] if i >= side else [])
        cpds.append(TableCPD(name, tuple(parents), np.full([2] * (len(parents) + 1), 0.5)))
    orders = counted(monkeypatch, "elimination", "eliminate")
    compiled = CompiledGeneral(Network([Variable(name) for name in names], cpds), LIMIT)
    with pytest.raises(InvalidNetwork, match="expected a memory need of at most"):
        compiled.query(np.full((1, len(names)), -1))
    with pytest.raises(InvalidNetwork, match="expected a memory need of at most"):
        compiled.plan()
    assert len(orders) <= 8


@pytest.mark.parametrize("backend", BACKENDS)
def test_thousands_of_variables_beyond_hope_are_given_up_early(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once every bucket has 2 ** 100 cells the rest is not ordered, and no further rule tried."""
    rng = np.random.default_rng(0)
    names = [f"v{i}" for i in range(1500)]
    cpds = []
    for i, name in enumerate(names):
        parents = tuple(names[j] for j in rng.choice(i, min(i, 4), replace=False)) if i else ()
        cpds.append(TableCPD(name, parents, np.full([2] * (len(parents) + 1), 0.5)))
    orders = counted(monkeypatch, "elimination", "eliminate")
    compiled = CompiledGeneral(Network([Variable(n) for n in names], cpds), LIMIT, backend)
    for _ in range(2):
        with pytest.raises(InvalidNetwork, match="expected a memory need of at most"):
            compiled.query(np.full((1, len(names)), -1))
    with pytest.raises(InvalidNetwork, match="far too many cells; memory_limit may be raised"):
        compiled.plan()
    assert all(order.given_up for order in orders)  # type: ignore[attr-defined]
    assert all(order.work < 2_000_000 for order in orders)  # type: ignore[attr-defined]
    assert len(orders) <= 6


def counted(monkeypatch: pytest.MonkeyPatch, place: str, name: str) -> list[object]:
    """Results of a function of a module, noted call by call."""
    module = import_module(f"bayesdx.inference.general.{place}")
    real, calls = getattr(module, name), list[object]()

    def noted(*args: object, **options: object) -> object:
        calls.append(real(*args, **options))
        return calls[-1]

    monkeypatch.setattr(module, name, noted)
    return calls


@pytest.mark.parametrize("name", ["water", "alarm"])
def test_a_case_that_comes_again_earns_a_plan(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it has taken alone is what its plan is weighed against."""
    network, _ = example(name)
    drawn = sampled_states(network, 1, np.random.default_rng(0))
    states = np.array([[drawn[v][0] for v in network.variables]])
    states = np.where(np.random.default_rng(1).random(states.shape) < 0.4, states, -1)
    alone = counted(monkeypatch, "case_solver", "answer_alone")
    made = counted(monkeypatch, "plan_cache", "compile_plan")
    compiled = CompiledGeneral(network, LIMIT, "numpy")
    first = compiled.query(states)
    for _ in range(59):
        again = compiled.query(states)
    np.testing.assert_allclose(again.values, first.values, rtol=0, atol=1e-12)
    assert len(made) == 1
    assert 1 < len(alone) < 20


def test_a_pooled_plan_slower_than_single_answers_is_not_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A grid of 14 x 14 has millions of joint states, and few where nearly all is observed."""
    rng, side = np.random.default_rng(0), 14
    names = [f"v{i}" for i in range(side * side)]
    cpds = []
    for i, name in enumerate(names):
        parents = ([names[i - 1]] if i % side else []) + ([names[i - side]] if i >= side else [])
        table = rng.dirichlet(np.ones(2), [2] * len(parents))
        cpds.append(TableCPD(name, tuple(parents), table))
    network = Network([Variable(name) for name in names], cpds)
    compiled = CompiledGeneral(network, LIMIT, "numpy")
    states = rng.integers(0, 2, (600, len(names)))
    states[rng.random(states.shape) < 0.05] = -1
    made = counted(monkeypatch, "plan_cache", "compile_plan")
    alone = counted(monkeypatch, "case_solver", "answer_alone")
    answer = compiled.query(states)
    assert answer.possible.all()
    assert made == []
    assert len(alone) == len(states)
    kept = list(compiled.solver.plans._kept.values())
    assert [type(one) for one in kept] == [InvalidNetwork], "tried once, and given up"
