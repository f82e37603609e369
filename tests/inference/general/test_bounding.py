"""Wide families as sums: equal to their tables; lines above them; searches that end at the best."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joint import joint, random_general_network
from numpy.typing import NDArray

from bayesdx.inference.general import branch_and_bound, factors, most_probable
from bayesdx.inference.general.bounding import WideFamilies, envelopes, wide_families
from bayesdx.inference.general.branch_and_bound import SearchLimits
from bayesdx.inference.general.most_probable import most_probable_states
from bayesdx.network import CPD, AnyOfCPD, Network, NoisyMaxCPD, NoisyOrCPD, TableCPD, Variable

LIMIT = 2.0**31


def extreme(rng: np.random.Generator, *shape: int) -> NDArray[np.float64]:
    values = np.where(rng.random(shape) < 0.15, 1.0, rng.random(shape))
    return np.where(rng.random(shape) < 0.15, 0.0, values)


def random_family(rng: np.random.Generator) -> tuple[CPD, int, int]:
    """A family of up to 6 parents, with strengths and leaks of 0 and 1; its parents and states."""
    n = int(rng.integers(1, 7))
    parents = tuple(f"p{i}" for i in range(n))
    kind = rng.choice(["or", "inhibited", "max", "any"])
    if kind == "any":
        return AnyOfCPD("y", parents), n, 2
    if kind == "max":
        size = int(rng.integers(2, 5))
        strengths = -np.sort(-extreme(rng, n + 1, size - 1), axis=1)
        return NoisyMaxCPD("y", parents, strengths[:-1], strengths[-1]), n, size
    split = n if kind == "or" else int(rng.integers(0, n + 1))
    leak = float(rng.choice([0.0, 1.0, rng.random()]))
    activating, inhibiting = extreme(rng, split), extreme(rng, n - split)
    return NoisyOrCPD("y", parents[:split], activating, leak, parents[split:], inhibiting), n, 2


def block_of(cpd: CPD, n: int) -> WideFamilies:
    (block,) = wide_families([cpd], {f"p{i}": i for i in range(n)} | {"y": n})
    return block


def random_branches(
    rng: np.random.Generator, n: int, size: int, count: int = 20
) -> NDArray[np.intp]:
    cards = np.array([2] * n + [size])
    states = rng.integers(0, cards, (count, n + 1))
    return np.where(rng.random(states.shape) < rng.random((count, 1)), -1, states)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_sums_are_the_table_and_lines_lie_above_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cpd, n, size = random_family(rng)
    block = block_of(cpd, n)
    worlds = np.array(list(itertools.product((0, 1), repeat=n)))
    log_p = block.log_values((worlds == 1)[:, None])[:, :, 0].T
    np.testing.assert_allclose(
        np.exp(log_p), cpd.table([2] * n, size).reshape(-1, size), rtol=0, atol=1e-15
    )
    fixed = random_branches(rng, n, size)
    lean = np.where(rng.random() < 0.5, rng.random(fixed.shape), rng.integers(0, 2, fixed.shape))
    base, slope = block.lines(fixed, lean)
    for i, branch in enumerate(fixed):
        free = branch[:n] < 0
        fitting = (worlds[:, ~free] == branch[:n][~free]).all(axis=1)
        added = np.where(free & (worlds[fitting] == 1), slope[i, 0], 0.0).sum(axis=1)
        known = log_p[fitting]
        truth = known[:, branch[n]] if branch[n] >= 0 else known.max(axis=1)
        bound = base[i, 0] + added
        assert not np.isnan(bound).any()
        assert (np.isneginf(truth) | (truth <= bound + 1e-9)).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_line_touches_where_it_is_asked_to(seed: int) -> None:
    """The child is known and not impossible: no other line could be lower there."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 7))
    parents = tuple(f"p{i}" for i in range(n))
    cpd = NoisyOrCPD("y", parents, rng.uniform(0.05, 0.95, n), float(rng.uniform(0.01, 0.5)))
    block = block_of(cpd, n)
    fixed = random_branches(rng, n, 2)
    fixed[:, n] = rng.integers(0, 2, len(fixed))
    shown = np.where(fixed < 0, rng.integers(0, 2, fixed.shape), fixed)
    base, slope = block.lines(fixed, shown.astype(np.float64))
    active = (shown[:, :n] == 1) & (fixed[:, :n] < 0)
    log_p = block.log_values(block.active(shown))[shown[:, n], np.arange(len(fixed)), 0]
    touching = base[:, 0] + np.where(active, slope[:, 0], 0.0).sum(axis=1)
    np.testing.assert_allclose(touching, log_p, rtol=0, atol=1e-12)


def test_the_envelope_of_an_unseen_child_is_below_nothing_it_need_not_be() -> None:
    """No leak of note: with nobody active absence is nearly sure, and the bound says so."""
    rest, weights = np.array([[0.01]]), np.array([[[0.5, 0.5, 2.0]]])
    base, slope = envelopes(rest, weights, np.zeros((1, 1, 3)))
    assert base[0, 0] == pytest.approx(-0.01)
    sums = 0.01 + np.array([sum(c) for c in itertools.product((0, 0.5), (0, 0.5), (0, 2.0))])
    steps = np.array([sum(c) for c in itertools.product(*([0, s] for s in slope[0, 0]))])
    truth = np.maximum(-sums, np.log(-np.expm1(-sums)))
    assert (base[0, 0] + steps >= truth).all()
    assert slope.max() < 0.02


@pytest.mark.parametrize("width", [0, 2])
def test_searches_find_what_the_joint_says(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every noisy family is taken as wide; zeros, soft evidence and impossible rows among them."""
    monkeypatch.setattr(factors, "WIDEST_TABLE", width)
    rng = np.random.default_rng(width)
    impossible = 0
    for _ in range(70):
        network = random_general_network(rng)
        whole, cards = joint(network), [v.cardinality for v in network.variables.values()]
        states = rng.integers(0, cards, (5, len(cards)))
        states = np.where(rng.random(states.shape) < rng.choice([0.3, 0.7, 1.0]), -1, states)
        v = int(rng.integers(len(cards)))
        likelihood = np.where(rng.random((5, cards[v])) < 0.2, 0.0, rng.random((5, cards[v])))
        found = most_probable_states(network, states, LIMIT, {v: likelihood})
        for i, row in enumerate(states):
            shape = [-1 if u == v else 1 for u in range(len(cards))]
            kept = np.zeros_like(whole)
            index = tuple(slice(None) if s < 0 else slice(s, s + 1) for s in row)
            kept[index] = (whole * likelihood[i].reshape(shape))[index]
            if kept.max() == 0.0:
                impossible += 1
                assert found.log_probability[i, 0] == -np.inf
                assert (found.states[i, 0] == -1).all()
                continue
            top = np.log(kept.max())
            assert found.log_probability[i, 0] == pytest.approx(top, rel=1e-12, abs=1e-12)
            assert kept[tuple(found.states[i, 0])] == pytest.approx(kept.max(), rel=1e-11)
    assert impossible > 20


def two_layers(seed: int, n_causes: int, n_findings: int, width: int) -> Network:
    rng = np.random.default_rng(seed)
    causes = [f"c{i}" for i in range(n_causes)]
    cpds: list[CPD] = []
    for name, p in zip(causes, rng.uniform(0.02, 0.4, n_causes), strict=True):
        cpds.append(TableCPD(name, (), np.array([1.0 - p, p])))
    for i in range(n_findings):
        parents = tuple(rng.permutation(causes)[:width].tolist())
        strengths = rng.uniform(0.05, 0.95, width)
        cpds.append(NoisyOrCPD(f"f{i}", parents, strengths, float(rng.uniform(0.001, 0.2))))
    cpds.append(AnyOfCPD("group", tuple(causes[: width + 1])))
    return Network([Variable(cpd.child) for cpd in cpds], cpds)


def test_fifteen_parents_against_every_set_of_causes() -> None:
    """2 ** 16 sets of causes; given one, a finding that nobody looked at takes its best state."""
    network = two_layers(3, 16, 6, 15)
    rng = np.random.default_rng(0)
    names = list(network.variables)
    states = np.full((6, len(names)), -1)
    states[:, 16:22] = rng.integers(-1, 2, (6, 6))
    states[4, 16:22] = 1
    states[5, names.index("group")] = 1
    found = most_probable_states(network, states, LIMIT)
    worlds = np.indices((2,) * 16).reshape(16, -1)
    for row, assignment, log_p in zip(
        states, found.states[:, 0], found.log_probability[:, 0], strict=True
    ):
        total = np.zeros(worlds.shape[1])
        for v, name in enumerate(names):
            parents = [names.index(one) for one in network.parents(name)]
            with np.errstate(divide="ignore"):
                table = np.log(network.table(name))[tuple(worlds[p] for p in parents)]
            if v < 16:
                total += np.where(worlds[v] == 1, table[1], table[0])
            else:
                total += table[:, row[v]] if row[v] >= 0 else table.max(axis=1)
        assert log_p == pytest.approx(total.max(), rel=1e-12)
        assert assignment[:16].tolist() == worlds[:, total.argmax()].tolist()


def test_thirty_parents_that_no_table_could_hold() -> None:
    """Alone the finding is best explained by the cause that is cheapest for what it explains."""
    causes = [f"c{i}" for i in range(30)]
    priors = np.linspace(0.01, 0.30, 30)
    cpds: list[CPD] = [
        TableCPD(name, (), np.array([1.0 - p, p])) for name, p in zip(causes, priors, strict=True)
    ]
    cpds.append(NoisyOrCPD("f", tuple(causes), np.full(30, 0.5), 1e-6))
    network = Network([Variable(name) for name in (*causes, "f")], cpds)
    states = np.full((3, 31), -1)
    states[:2, 30] = [1, 0]
    found = most_probable_states(network, states, LIMIT)
    none = np.log1p(-priors).sum()
    one = none + np.log(0.30 / 0.70)
    assert found.states[0, 0].tolist() == [0] * 29 + [1, 1]
    assert found.log_probability[0, 0] == pytest.approx(
        one + np.log(1 - 0.5 * (1 - 1e-6)), rel=1e-12
    )
    assert not found.states[1, 0].any()
    assert found.log_probability[1, 0] == pytest.approx(none + np.log1p(-1e-6), rel=1e-12)
    assert found.states[2, 0].tolist() == found.states[1, 0].tolist()


def test_what_is_not_proved_is_told_with_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(branch_and_bound, "ROOT_STEPS", 1)
    monkeypatch.setattr(most_probable, "WIDEST_PRESENT", 2)
    network = two_layers(5, 20, 10, 12)
    states = np.full((1, 31), -1)
    states[0, 20:30] = 1
    few = most_probable_states(network, states, LIMIT, limits=SearchLimits(branches=3))
    assert few.log_bound[0, 0] > few.log_probability[0, 0] > -np.inf
    proved = most_probable_states(network, states, LIMIT)
    assert proved.log_bound[0, 0] == proved.log_probability[0, 0] < few.log_bound[0, 0]
