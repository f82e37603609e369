"""Which executors answer a network, and that the noisy ones say what enumeration says."""

from __future__ import annotations

import numpy as np
import pytest
from joint import enumerated, joint
from random_networks import random_network

from bayesdx.errors import TooComplex
from bayesdx.inference import compiled_network, layered
from bayesdx.inference.compiled_network import NetworkSolver, log_joint, shares
from bayesdx.network import AnyOfCPD, Network, NoisyOrCPD, TableCPD, Variable

LIMIT = float(2**31)


@pytest.fixture(autouse=True)
def _never_a_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_network, "MOST_LINKS", 0)


def small_enough(rng: np.random.Generator) -> tuple[Network, np.ndarray]:
    while True:
        network = random_network(rng)
        if np.prod([v.cardinality for v in network.variables.values()]) < 2e5:
            return network, joint(network)


@pytest.mark.parametrize("many_passes", [0, 1000], ids=["side by side", "one by one"])
@pytest.mark.parametrize("seed", range(40))
def test_every_posterior_is_that_of_enumeration(
    seed: int, many_passes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hard evidence on any layer, clamped causes and groups among it, and soft on findings."""
    monkeypatch.setattr(layered, "MANY_PASSES", many_passes)
    monkeypatch.setattr(layered, "AT_ONCE", 5)
    rng = np.random.default_rng(seed)
    network, whole = small_enough(rng)
    names, cards = list(network.variables), [v.cardinality for v in network.variables.values()]
    states = (rng.random((6, len(names))) * cards).astype(np.intp)
    states[rng.random(states.shape) > 0.35] = -1
    states[0] = -1
    soft: dict[int, np.ndarray] = {}
    for v in [v for v, name in enumerate(names) if isinstance(network.cpds[name], NoisyOrCPD)]:
        if rng.random() < 0.4:
            soft[v] = rng.random((6, 2)) * [10.0, 1.0] + 0.02
            soft[v][rng.random(6) < 0.2] = 0.7
            soft[v][rng.random(6) < 0.2, 1] = 0.0
            soft[v][rng.random(6) < 0.3] = np.nan
    solver = NetworkSolver(network, LIMIT)
    assert solver.layered is not None
    answer = solver.query(states, soft)
    for row in range(len(states)):
        known = {
            n: np.eye(c)[s] for n, c, s in zip(names, cards, states[row], strict=True) if s >= 0
        }
        for v, values in soft.items():
            if not np.isnan(values[row]).any():
                known[names[v]] = known.get(names[v], np.ones(2)) * values[row]
        evidence, expected = enumerated(network, whole, known)
        if evidence == 0.0:
            assert answer.log_evidence[row] == -np.inf
            assert all(not values[row].any() for values in answer.posteriors.values())
            continue
        assert answer.log_evidence[row] == pytest.approx(np.log(evidence), rel=1e-12, abs=1e-12)
        for name in names:
            np.testing.assert_allclose(
                answer.posteriors[name][row], expected[name] / evidence, rtol=0, atol=1e-12
            )


@pytest.mark.parametrize("seed", range(6))
def test_soft_evidence_elsewhere_goes_the_general_way(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network, whole = small_enough(rng)
    names = list(network.variables)
    chosen = names.index("cause0")
    likelihood = np.array([[0.3, 0.9]])
    solver = NetworkSolver(network, LIMIT)
    answer = solver.query(np.full((1, len(names)), -1), {chosen: likelihood})
    evidence, expected = enumerated(network, whole, {"cause0": likelihood[0]})
    assert answer.log_evidence[0] == pytest.approx(np.log(evidence), abs=1e-12)
    for name in names:
        np.testing.assert_allclose(
            answer.posteriors[name][0], expected[name] / evidence, rtol=0, atol=1e-12
        )


@pytest.mark.parametrize("seed", range(10))
def test_joint_posteriors_by_the_noisy_executors(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network, whole = small_enough(rng)
    names = list(network.variables)
    pair = sorted(rng.permutation(len(names))[:2].tolist())
    solver = NetworkSolver(network, LIMIT)
    found, log_evidence = shares(log_joint(solver, np.full((1, len(names)), -1), pair))
    others = tuple(v for v in range(len(names)) if v not in pair)
    np.testing.assert_allclose(found[0], whole.sum(axis=others).ravel(), rtol=0, atol=1e-12)
    assert log_evidence[0] == pytest.approx(0.0, abs=1e-12)


def two_causes(finding: str) -> Network:
    variables = [Variable(name) for name in ("a", "b", finding)]
    cpds = [TableCPD(name, (), np.array([0.9, 0.1])) for name in ("a", "b")]
    return Network(variables, [*cpds, NoisyOrCPD(finding, ("a", "b"), np.array([0.5, 0.2]), 0.01)])


def test_it_says_which_road_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    network = two_causes("f")
    assert str(NetworkSolver(network, LIMIT)).startswith("noisy executors: it is layered")
    monkeypatch.setattr(compiled_network, "MOST_LINKS", 200)
    text = str(NetworkSolver(network, LIMIT))
    assert text.startswith("general executors: it is layered, but its cluster tree is small")
    assert "us a case" in text
    group = Network(
        [*network.variables.values(), Variable("g")],
        [*network.cpds.values(), AnyOfCPD("g", ("f",))],
    )
    assert "it is not layered (parents of g: expected causes only" in str(
        NetworkSolver(group, LIMIT)
    )
    tables = Network([Variable("a")], [TableCPD("a", (), np.array([0.5, 0.5]))])
    assert "no noisy-OR and no noisy-MAX" in str(NetworkSolver(tables, LIMIT))


def test_posteriors_are_worked_out_when_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Causes cost one pass, an open finding or risk one more, each once."""
    passes: list[int] = []
    real = layered.posteriors

    def counted(model, evidence, **options):  # type: ignore[no-untyped-def]
        passes.append(len(evidence))
        return real(model, evidence, **options)

    monkeypatch.setattr("bayesdx.inference.layered.posteriors", counted)
    monkeypatch.setattr("bayesdx.inference.layered.AT_ONCE", 4)
    network = two_causes("f")
    solver = NetworkSolver(network, LIMIT)
    states = np.array([[-1, -1, -1], [1, -1, -1], [-1, -1, 1], [-1, 0, -1], [-1, -1, -1]])
    answer = solver.query(states)
    assert passes == [5]
    assert answer.posteriors["a"].shape == (5, 2)
    assert passes == [5]
    first = answer.posteriors["f"]
    assert passes == [5, 4], "the case that observes the finding is not put in"
    assert answer.posteriors["f"] is first
    assert dict(solver.query(states).posteriors.items()).keys() == {"a", "b", "f"}
    few = solver.query(states, targets=["b"])
    assert list(few.posteriors) == ["b"]
    with pytest.raises(KeyError, match="f"):
        few.posteriors["f"]
    assert solver.query(states, targets=[]).log_evidence.shape == (5,)


def test_a_case_that_couples_too_much_is_one_row() -> None:
    """Seventy findings present, each of two causes of the same forty, tie everything together."""
    rng = np.random.default_rng(0)
    causes = [f"c{i}" for i in range(40)]
    variables = [Variable(name) for name in causes]
    cpds: list = [TableCPD(name, (), np.array([0.9, 0.1])) for name in causes]
    for i in range(70):
        parents = tuple(rng.permutation(causes)[:20])
        variables.append(Variable(f"f{i}"))
        cpds.append(NoisyOrCPD(f"f{i}", parents, rng.uniform(0.1, 0.6, 20), 0.01))
    solver = NetworkSolver(Network(variables, cpds), LIMIT)
    states = np.full((3, 110), -1)
    states[0, 40:], states[1, 40:43] = 1, 1
    answer = solver.query(states)
    assert answer.too_complex.tolist() == [True, False, False]
    assert answer.possible.tolist() == [False, True, True]
    assert not answer.posteriors["c0"][0].any()
    assert answer.posteriors["f69"][1:].sum() == pytest.approx(2.0)
    with pytest.raises(TooComplex, match="case 0: expected findings and risks that couple less"):
        answer.complete()
