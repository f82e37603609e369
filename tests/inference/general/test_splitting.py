"""Explanations by branch and bound: k of them, of some variables, with buckets split or not."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from joint import joint, random_general_network
from numpy.typing import NDArray

from bayesdx.errors import InvalidNetwork
from bayesdx.inference.general import factors, most_probable
from bayesdx.inference.general.branch_and_bound import SearchLimits
from bayesdx.inference.general.bucket_plan import BucketPlan, lay_out
from bayesdx.inference.general.mini_buckets import given, log_sum, solved
from bayesdx.inference.general.most_probable import most_probable_states
from bayesdx.network import CPD, Network, NoisyOrCPD, TableCPD, Variable

LIMIT = 2.0**31


def split_always(scopes: Any, cards: Any, maximised: Any, summed: Any = (), *_: Any) -> BucketPlan:
    """Plans of parts as small as they can be; what is only summed is left whole."""
    tiny = 1.0 if maximised else math.inf
    return lay_out(scopes, cards, maximised, summed, tiny)


def best_values(
    whole: NDArray[np.float64], row: NDArray[np.intp], targets: list[int], k: int
) -> NDArray[np.float64]:
    """The k largest of P(targets, evidence), zeros left out."""
    kept = whole[tuple(slice(None) if s < 0 else slice(s, s + 1) for s in row)]
    others = tuple(v for v in range(kept.ndim) if v not in targets)
    values = np.sort(kept.sum(axis=others).ravel())[::-1]
    return values[values > 0.0][:k]


@pytest.mark.parametrize("way", ["fits", "split", "lines", "split lines"])
@pytest.mark.parametrize("count", [10, pytest.param(200, marks=pytest.mark.slow)])
def test_small_networks_as_their_joint_says(
    way: str, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Zeros, ties, noisy families, soft evidence, impossible rows; all variables or some."""
    if "split" in way:
        monkeypatch.setattr(most_probable, "lay_out", split_always)
    if "lines" in way:
        monkeypatch.setattr(factors, "WIDEST_TABLE", 0)
        monkeypatch.setattr(most_probable, "WIDEST_PRESENT", 2)
    rng = np.random.default_rng(len(way))
    for number in range(count):
        network = random_general_network(rng, 6)
        whole, cards = joint(network), [v.cardinality for v in network.variables.values()]
        row = np.where(rng.random(len(cards)) < 0.6, -1, rng.integers(0, cards))
        v = int(rng.integers(len(cards)))
        soft = np.where(rng.random((1, cards[v])) < 0.2, 0.0, rng.random((1, cards[v])))
        softly = whole * soft.reshape([-1 if u == v else 1 for u in range(len(cards))])
        some = sorted(rng.permutation(len(cards))[: rng.integers(1, len(cards) + 1)].tolist())
        for targets in (None, some):
            k = int(rng.choice([1, 4]))
            found = most_probable_states(
                network, row[None], LIMIT, {v: soft}, targets, SearchLimits(k)
            )
            asked = list(range(len(cards))) if targets is None else targets
            right = best_values(softly, row, asked, k)
            had = len(right)
            np.testing.assert_allclose(
                found.log_probability[0, :had], np.log(right), rtol=1e-11, atol=1e-11
            )
            assert np.isneginf(found.log_probability[0, had:]).all(), number
            np.testing.assert_array_equal(found.log_bound, found.log_probability)
            chosen = found.states[0, :had][:, asked]
            assert len({tuple(one) for one in chosen.tolist()}) == had
            for one, value in zip(chosen, right, strict=True):
                pinned = np.full(len(cards), -1)
                pinned[asked] = one
                assert ((row < 0) | (pinned < 0) | (pinned == row)).all()
                both = np.where(row >= 0, row, pinned)
                at = tuple(slice(None) if s < 0 else slice(s, s + 1) for s in both)
                assert softly[at].sum() == pytest.approx(value, rel=1e-10)


def coupled(rng: np.random.Generator, size: int) -> Network:
    """Binary variables in a square, each with its neighbours left and above as parents."""
    names = {(i, j): f"x{i}_{j}" for i, j in itertools.product(range(size), repeat=2)}
    cpds: list[CPD] = []
    for (i, j), name in names.items():
        parents = tuple(names[one] for one in ((i - 1, j), (i, j - 1)) if one in names)
        high = rng.uniform(0.02, 0.98, (2,) * len(parents))
        cpds.append(TableCPD(name, parents, np.stack([1.0 - high, high], axis=-1)))
    return Network([Variable(name) for name in names.values()], cpds)


@pytest.mark.parametrize("count", [2, pytest.param(30, marks=pytest.mark.slow)])
def test_what_is_split_is_what_one_elimination_says(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(7)
    for _ in range(count):
        network = coupled(rng, 7)
        states = np.full((1, 49), -1)
        states[0, 40:49:3] = 1
        exact = most_probable_states(network, states, LIMIT)
        with monkeypatch.context() as patch:
            patch.setattr(most_probable, "lay_out", split_at(40.0 * 49 + 3e3))
            found = most_probable_states(network, states, LIMIT)
            stopped = most_probable_states(network, states, LIMIT, limits=SearchLimits(branches=0))
        assert found.log_probability[0, 0] == pytest.approx(exact.log_probability[0, 0], abs=1e-11)
        assert found.log_bound[0, 0] == found.log_probability[0, 0]
        assert stopped.log_bound[0, 0] >= exact.log_probability[0, 0] - 1e-11
        assert stopped.log_probability[0, 0] <= exact.log_probability[0, 0] + 1e-11


def split_at(most_bytes: float) -> Any:
    """Plans with parts of a size, whatever the memory."""

    def planned(scopes: Any, cards: Any, maximised: Any, summed: Any = (), *_: Any) -> BucketPlan:
        return lay_out(scopes, cards, maximised, summed, most_bytes)

    return planned


@pytest.mark.parametrize("summed", [(), (0, 2, 4), tuple(range(6))])
def test_bounds_lie_above_and_meet_when_all_is_settled(summed: tuple[int, ...]) -> None:
    rng = np.random.default_rng(len(summed))
    cards, maximised = (2, 3, 2, 2, 3, 2), [v for v in range(6) if v not in summed]
    scopes = list(itertools.combinations(range(6), 3))
    tables = [(scope, rng.normal(size=[cards[v] for v in scope])) for scope in scopes]
    whole = np.zeros(cards)
    for scope, table in tables:
        whole = whole + table.reshape([cards[v] if v in scope else 1 for v in range(6)])
    inner = log_sum(whole, summed) if summed else whole
    states = np.full((1, 6), -1)
    for most in (math.inf, 800.0, 1.0):
        plan = lay_out(scopes, cards, maximised, summed, most)
        put = given(tables, plan, states, {})
        found = solved(plan, put, states, put.unary)
        assert plan.exact == math.isinf(most)
        if plan.exact:
            assert found.bound[0] == pytest.approx(inner.max(), abs=1e-12)
        else:
            assert found.bound[0] > inner.max()
        if not summed:
            at = tuple(found.states[0])
            assert found.bound[0] - found.gaps.sum() == pytest.approx(whole[at], abs=1e-9)
            walls = np.full(put.unary.shape, -np.inf)
            walls[np.arange(6), list(at), 0] = 0.0
            settled = solved(plan, put, states, put.unary + walls, walls)
            assert settled.bound[0] == pytest.approx(whole[at], abs=1e-9)


def diagnosis(seed: int, causes: int, findings: int, links: int) -> Network:
    rng = np.random.default_rng(seed)
    names = [f"c{i}" for i in range(causes)]
    cpds: list[CPD] = []
    for name, p in zip(names, 10.0 ** rng.uniform(-3.0, -1.0, causes), strict=True):
        cpds.append(TableCPD(name, (), [1.0 - p, p]))
    for i in range(findings):
        parents = tuple(rng.permutation(names)[:links].tolist())
        leak = float(10.0 ** rng.uniform(-4.0, -2.0))
        cpds.append(NoisyOrCPD(f"f{i}", parents, rng.uniform(0.05, 0.9, links), leak))
    return Network([Variable(cpd.child) for cpd in cpds], cpds)


def test_causes_alone_are_explained_without_what_nobody_looked_at() -> None:
    """300 findings, 6 of them seen: over the causes by sets of up to four of them."""
    network = diagnosis(1, 20, 300, 8)
    states = np.full((1, 320), -1)
    states[0, 20:26] = [1, 1, 1, 0, 0, 1]
    found = most_probable_states(network, states, LIMIT, None, range(20))
    worlds = np.array(
        [
            np.isin(np.arange(20), some)
            for n in range(5)
            for some in itertools.combinations(range(20), n)
        ]
    ).astype(np.intp)
    total = np.zeros(len(worlds))
    for v, name in enumerate(network.variables):
        if v < 20:
            total += np.log(network.table(name))[worlds[:, v]]
        elif v < 26:
            table = network.table(name)[
                tuple(worlds[:, int(one[1:])] for one in network.parents(name))
            ]
            total += np.log(table[:, states[0, v]])
    assert found.log_probability[0, 0] == pytest.approx(total.max(), abs=1e-11)
    assert found.log_bound[0, 0] == found.log_probability[0, 0]
    assert (found.states[0, 0, 26:] == -1).all()


def test_a_search_that_has_no_time_tells_its_gap() -> None:
    network = diagnosis(2, 40, 60, 12)
    states = np.full((1, 100), -1)
    states[0, 40:60] = 1
    found = most_probable_states(network, states, LIMIT, limits=SearchLimits(seconds=0.0))
    assert np.isfinite(found.log_probability[0, 0])
    assert found.log_bound[0, 0] > found.log_probability[0, 0]


def test_sums_that_do_not_fit_are_refused() -> None:
    network = coupled(np.random.default_rng(0), 9)
    with pytest.raises(InvalidNetwork, match=r"explanation of 81 variables.*at least"):
        most_probable_states(network, np.full((1, 81), -1), 2e4, None, [80])
