"""Joins against dense products, orders of elimination against what a tree of cliques must hold."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest

from bayesdx.inference.general.elimination import (
    best_elimination,
    bits,
    clique_forest,
    eliminate,
    moral_graph,
)
from bayesdx.inference.general.family_tile import repeats
from bayesdx.inference.general.instructions import linear_map
from bayesdx.inference.general.potentials import incidence
from bayesdx.inference.general.sparse_tables import (
    TooManyRows,
    decode,
    distinct,
    from_table,
    join_all,
)

CARDS = (2, 3, 4, 2, 3)


def dense(columns: dict, values: np.ndarray, scope: list[int]) -> np.ndarray:
    table = np.zeros([CARDS[v] for v in scope])
    np.add.at(table, tuple(columns[v] for v in scope), values)
    return table


@pytest.mark.parametrize("seed", range(25))
def test_a_join_is_the_dense_product(seed: int) -> None:
    rng = np.random.default_rng(seed)
    relations, product = [], np.ones(CARDS)
    for _ in range(rng.integers(1, 5)):
        scope = rng.permutation(5)[: rng.integers(1, 4)].tolist()
        table = rng.random([CARDS[v] for v in scope])
        table[rng.random(table.shape) < 0.4] = 0.0
        relations.append(from_table(scope, table))
        spread = table.transpose(np.argsort(scope))
        product = product * spread.reshape([CARDS[v] if v in scope else 1 for v in range(5)])
    joined = join_all(relations, CARDS, 1e6)
    scope = sorted(joined.columns)
    expected = product[tuple(slice(None) if v in scope else 0 for v in range(5))]
    np.testing.assert_allclose(dense(joined.columns, joined.values, scope), expected, rtol=1e-14)
    assert (joined.values > 0).all()
    assert len(joined) == np.count_nonzero(expected)


def test_a_join_that_is_too_large_is_refused_before_it_is_made() -> None:
    wide = [from_table([v], np.ones(CARDS[v])) for v in range(5)]
    assert len(join_all(wide, CARDS, 144)) == 144
    with pytest.raises(TooManyRows) as caught:
        join_all(wide, CARDS, 143)
    assert caught.value.rows == 144


@pytest.mark.parametrize("space", [10.0, 1e12])
def test_distinct_codes_are_sorted_and_found_again(space: float) -> None:
    code = np.array([7, 3, 7, 0, 9])
    unique, place = distinct(code, space)
    assert unique.tolist() == [0, 3, 7, 9]
    assert unique[place].tolist() == code.tolist()
    assert {v: c.tolist() for v, c in decode(np.array([5]), (0, 1), CARDS).items()} == {
        0: [1],
        1: [2],
    }


@pytest.mark.parametrize("rule", ["fill", "weight", "weighted_fill"])
@pytest.mark.parametrize("seed", range(10))
def test_a_forest_of_cliques_holds_every_scope_and_runs_through(seed: int, rule: str) -> None:
    rng = np.random.default_rng(seed)
    n = 12
    scopes = [tuple(rng.permutation(n)[: rng.integers(1, 4)].tolist()) for _ in range(14)]
    live = sorted({v for scope in scopes for v in scope})
    elimination = eliminate(moral_graph(n, scopes), [1.0] * n, live, rule)
    assert sorted(elimination.order) == live
    assert elimination.cells == sum(2.0 ** len(list(bits(b))) for b in elimination.buckets)
    forest = clique_forest(elimination)
    for scope in scopes:
        home = forest.home[min(scope, key=forest.position.__getitem__)]
        assert set(scope) <= forest.cliques[home]
    assert len(forest.edges) < len(forest.cliques)
    for v in live:
        # The cliques that hold a variable are one connected part of the forest.
        holding = {c for c, clique in enumerate(forest.cliques) if v in clique}
        inside = [edge for edge in forest.edges if set(edge) <= holding]
        assert len(inside) == len(holding) - 1
    for a, clique in enumerate(forest.cliques):
        assert not any(clique < other for b, other in enumerate(forest.cliques) if b != a)


def test_restarts_never_make_an_order_worse() -> None:
    rng = np.random.default_rng(0)
    scopes = [tuple(rng.permutation(40)[:3].tolist()) for _ in range(60)]
    graph = moral_graph(40, scopes)
    once = best_elimination(graph, [3] * 40, range(40))
    assert best_elimination(graph, [3] * 40, range(40), 10**6).cells <= once.cells


def test_the_order_does_not_depend_on_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restarts are counted: a machine a thousand times slower finds the same order."""
    rng = np.random.default_rng(2)
    scopes = [tuple(rng.permutation(60)[:3].tolist()) for _ in range(70)]
    graph = moral_graph(60, scopes)
    found = best_elimination(graph, [3] * 60, range(60), 20_000)
    slow = itertools.count(step=1000.0)
    for clock in ("perf_counter", "process_time", "monotonic"):
        monkeypatch.setattr(time, clock, lambda: next(slow))
    assert best_elimination(graph, [3] * 60, range(60), 20_000) == found
    assert found.cells < best_elimination(graph, [3] * 60, range(60)).cells


@pytest.mark.parametrize("index", [[0, 1, 2], [1, 1], [2, 2, 2], [0, 0, 2], [1, 0, 3, 3, 3]])
def test_a_linear_map_is_its_matrix_in_whatever_form(index: list[int]) -> None:
    rows, columns = max(index) + 1, np.arange(len(index))
    values = columns + 1.5
    matrix = incidence(np.array(index), columns, values, (rows, len(index)))
    source, out = np.random.default_rng(0).random((len(index), 7)), np.ones((rows, 7))
    for function, arguments in linear_map(matrix).calls(source, out):
        function(*arguments)
    expected = np.zeros((rows, len(index)))
    expected[index, columns] = values
    np.testing.assert_allclose(out, expected @ source, rtol=1e-15)


@pytest.mark.parametrize(
    "shape", [(1, 1, 1), (1, 4, 1), (3, 2, 1), (1, 2, 5), (2, 3, 4), (3, 1, 2)]
)
def test_an_index_that_repeats_is_found_and_no_other(shape: tuple[int, int, int]) -> None:
    outer, size, inner = shape
    index = np.tile(np.repeat(np.arange(size), inner), outer)
    found = repeats(index, size)
    assert found is not None
    assert np.array_equal(np.broadcast_to(np.arange(size)[:, None], found).ravel(), index)
    for at in range(len(index)):
        changed = index.copy()
        changed[at] = (changed[at] + 1) % (size + 1)
        assert repeats(changed, size) is None
