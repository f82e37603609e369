"""EM on small networks against the whole joint, and what must hold of any of its runs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joint import joint, random_general_network
from numpy.typing import NDArray
from slow_learning import slow_step

from bayesdx import InvalidCase, InvalidNetwork, Network, NoisyOrCPD, TableCPD, Variable
from bayesdx.inference.general import family_counts
from bayesdx.inference.learning import expectation
from bayesdx.inference.learning.maximisation import LearnedTables, Schedule, learn_tables
from bayesdx.inference.learning.pseudo_counts import Prior

LIMIT = 1e9


def learn(
    network: Network,
    rows: NDArray[np.intp],
    weights: NDArray[np.float64] | None = None,
    prior: Prior = None,
    iterations: int = 1,
    size: float = 1.0,
    limit: float = LIMIT,
) -> LearnedTables:
    counted = np.ones(len(rows)) if weights is None else weights
    return learn_tables(network, rows, counted, prior, size, Schedule(iterations, 0.0), limit)


def drawn(network: Network, n: int, missing: float, rng: np.random.Generator) -> NDArray[np.intp]:
    """Rows of the network with cells left out at random."""
    whole = joint(network)
    places = rng.choice(whole.size, size=n, p=whole.ravel() / whole.sum())
    states = np.stack(np.unravel_index(places, whole.shape), axis=1)
    return np.where(rng.random(states.shape) < missing, -1, states).astype(np.intp)


@pytest.mark.parametrize("seed", range(40))
def test_a_step_is_that_of_the_whole_joint(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(seed)
    network = random_general_network(rng, 7)
    rows = drawn(network, int(rng.integers(1, 40)), rng.choice([0.0, 0.3, 0.7]), rng)
    # Rows of any states at all, many of them impossible; and one with nothing known.
    cards = [variable.cardinality for variable in network.variables.values()]
    rows = np.concatenate([rows, rng.integers(0, cards, (4, len(cards))), rows[:3]])
    rows[:, rng.random(rows.shape[1]) < 0.2] = -1
    rows = np.concatenate([rows, np.full((1, len(cards)), -1)])
    rows[0, 0] = max(rows[0, 0], 0)
    rows[0, 1:] = -1
    weights = rng.choice([0.25, 1.0, 3.0], len(rows))
    # A tree for each pattern, for the large ones, or one for all: the same counts.
    monkeypatch.setattr(expectation, "OWN_TREE", int(rng.choice([1, 4, 64])))
    # Tiles of a few rows, the last of which begins where the one before has not ended.
    monkeypatch.setattr(family_counts, "NARROWEST", 1)
    monkeypatch.setattr(family_counts, "WIDEST", int(rng.choice([1, 3, 1024])))
    slow = slow_step(network, rows, np.where((rows < 0).all(axis=1), 0.0, weights))
    if all(slow.impossible[:-1]):
        return
    fast = learn(network, rows, weights)
    assert fast.impossible.tolist() == slow.impossible
    assert fast.blank.tolist() == (rows < 0).all(axis=1).tolist()
    assert fast.log_likelihood[0] == pytest.approx(slow.log_likelihood, rel=1e-11, abs=1e-11)
    for name, counts in slow.counts.items():
        np.testing.assert_allclose(fast.counts[name], counts, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(
            fast.network.table(name), slow.network.table(name), rtol=1e-10, atol=1e-12
        )
    again = slow_step(fast.network, rows, np.where((rows < 0).all(axis=1), 0.0, weights))
    kept = slow_step(fast.network, rows[~fast.impossible], weights[~fast.impossible])
    assert fast.log_likelihood[1] == pytest.approx(kept.log_likelihood, rel=1e-11, abs=1e-11)
    assert np.array(again.impossible)[fast.impossible].all()  # zeros stay


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    missing=st.floats(0.0, 1.0),
    prior=st.sampled_from([None, 0.1, 1.0, "bdeu"]),
)
def test_the_log_posterior_never_falls(seed: int, missing: float, prior: Prior) -> None:
    rng = np.random.default_rng(seed)
    network = random_general_network(rng, 8)
    rows = drawn(network, 30, missing, rng)
    rows[0, 0] = max(rows[0, 0], 0)
    weights = rng.random(30) + 0.1
    try:
        found = learn(network, rows, weights, prior, iterations=25, size=5.0)
    except InvalidCase:
        # The cell that was put in may be one that cannot be, beside nothing else.
        assert (rows < 0).sum() >= rows.size - rows.shape[1]
        return
    gains = np.diff(found.log_posterior)
    assert (gains >= -1e-11 * (1.0 + np.abs(found.log_posterior[1:]))).all()
    if prior is None:
        np.testing.assert_array_equal(found.log_posterior, found.log_likelihood)
    for name in network.variables:
        table = found.network.table(name)
        assert np.isfinite(table).all()
        np.testing.assert_allclose(table.sum(axis=-1), 1.0, rtol=1e-12)


def mixture(rng: np.random.Generator, leaves: int) -> Network:
    """A hidden class and what it shows in."""
    variables = [Variable("kind", ("a", "b"))]
    cpds = [TableCPD("kind", (), [0.5, 0.5])]
    for i in range(leaves):
        variables.append(Variable(f"x{i}", ("no", "yes")))
        cpds.append(TableCPD(f"x{i}", ("kind",), rng.dirichlet([2.0, 2.0], 2)))
    return Network(variables, cpds)


def test_a_hidden_class_is_found() -> None:
    rng = np.random.default_rng(3)
    kinds = rng.random(4000) < 0.3
    truth = np.where(kinds[:, None], [0.9, 0.8, 0.7, 0.85, 0.9], [0.1, 0.2, 0.15, 0.3, 0.2])
    rows = np.concatenate(
        [np.full((4000, 1), -1), (rng.random((4000, 5)) < truth).astype(np.intp)], axis=1
    )
    found = learn(mixture(rng, 5), rows, iterations=300)
    shares = np.sort(found.network.table("kind"))
    np.testing.assert_allclose(shares, [0.3, 0.7], atol=0.03)
    high = found.network.table("kind").argmin()
    shown = [found.network.table(f"x{i}")[high, 1] for i in range(5)]
    np.testing.assert_allclose(shown, [0.9, 0.8, 0.7, 0.85, 0.9], atol=0.05)


def test_many_weak_messages_leave_no_row_out() -> None:
    # Products of hundreds of messages are below the range of floats.
    rng = np.random.default_rng(0)
    network = mixture(rng, 400)
    tables = [TableCPD("kind", (), [0.5, 0.5])]
    tables += [
        TableCPD(f"x{i}", ("kind",), [[1 - 1e-5, 1e-5], [1 - 2e-5, 2e-5]]) for i in range(400)
    ]
    rows = np.concatenate([np.full((3, 1), -1), np.ones((3, 400), dtype=np.intp)], axis=1)
    found = learn(Network(network.variables.values(), tables), rows)
    expected = 3 * (400 * np.log(2e-5) + np.log(0.5))
    assert found.log_likelihood[0] == pytest.approx(expected, rel=1e-12)
    assert not found.impossible.any()


def test_links_of_a_noisy_or_are_found() -> None:
    rng = np.random.default_rng(11)
    names = [f"cause{i}" for i in range(12)]
    strengths = rng.uniform(0.3, 0.9, 10)
    factors, leak = np.array([0.2, 0.6]), 0.3
    states = (rng.random((20_000, 12)) < 0.3).astype(np.intp)
    stays = 1.0 - np.where(states[:, :10] == 1, strengths, 0.0)
    left = leak * np.where(states[:, 10:] == 1, factors, 1.0).prod(axis=1)
    present = rng.random(20_000) < 1.0 - (1.0 - left) * stays.prod(axis=1)
    rows = np.concatenate([states, present[:, None].astype(np.intp)], axis=1)
    start = NoisyOrCPD("finding", tuple(names[:10]), [0.5] * 10, 0.1, tuple(names[10:]), [0.5, 0.5])
    priors = [TableCPD(name, (), [0.5, 0.5]) for name in names]
    network = Network([Variable(name) for name in (*names, "finding")], [*priors, start])
    found = learn(network, rows, iterations=200)
    cpd = found.network.cpds["finding"]
    np.testing.assert_allclose(cpd.strengths, strengths, atol=0.06)
    np.testing.assert_allclose([cpd.leak, *cpd.factors], [leak, *factors], atol=0.05)
    assert found.counts["finding"].shape == (13, 2)


def test_priors_are_imagined_cases() -> None:
    network = Network(
        [Variable("a", ("x", "y")), Variable("b", ("x", "y", "z"))],
        [
            TableCPD("a", (), [0.5, 0.5]),
            TableCPD("b", ("a",), [[0.2, 0.3, 0.5], [0.5, 0.5, 0.0]]),
        ],
    )
    rows = np.array([[0, 0], [0, 0], [0, 1], [1, 1], [1, 1]])
    for prior, each in ((2.0, 2.0), ("bdeu", 12.0 / 6)):
        found = learn(network, rows, prior=prior, size=12.0)
        expected = np.array([[2.0, 1, 0], [0, 2, 0]]) + each
        expected[1, 2] = 0.0  # what cannot be is not imagined
        np.testing.assert_allclose(
            found.network.table("b"), expected / expected.sum(axis=1, keepdims=True), rtol=1e-15
        )
    given_b = np.array([[1.0, 0, 0], [0, 0, 5.0]])
    found = learn(network, rows, prior={"b": given_b})
    np.testing.assert_allclose(found.network.table("b")[0], [0.75, 0.25, 0.0], rtol=1e-15)
    np.testing.assert_allclose(found.network.table("a"), [0.6, 0.4], rtol=1e-15)


def test_rows_of_tables_that_nobody_reached_stay_and_are_told() -> None:
    network = Network(
        [Variable("a"), Variable("b")],
        [TableCPD("a", (), [0.5, 0.5]), TableCPD("b", ("a",), [[0.7, 0.3], [0.4, 0.6]])],
    )
    found = learn(network, np.array([[0, 0], [0, 1]]))
    assert found.network.table("b").tolist() == [[0.5, 0.5], [0.4, 0.6]]
    assert found.unseen == {"b": 1}
    assert learn(network, np.array([[0, 0], [0, 1]]), prior=1.0).unseen == {}


def test_what_is_large_for_all_rows_is_laid_out_for_each_pattern() -> None:
    # Every finding has all causes; where these are known, its links are a small tree of their own.
    rng = np.random.default_rng(5)
    names = [f"c{i}" for i in range(12)]
    findings = [f"f{i}" for i in range(12)]
    cpds = [TableCPD(name, (), [0.7, 0.3]) for name in names]
    cpds += [NoisyOrCPD(name, tuple(names), rng.uniform(0.01, 0.1, 12), 0.05) for name in findings]
    network = Network([Variable(name) for name in (*names, *findings)], cpds)
    rows = np.concatenate([rng.integers(0, 2, (6, 12)), rng.integers(-1, 2, (6, 12))], axis=1)
    rows[np.arange(6), np.arange(6)] = -1  # no pattern twice, and every cause unknown somewhere
    wide = learn(network, rows, iterations=2)
    found = learn(network, rows, iterations=2, limit=1e6)
    np.testing.assert_allclose(found.log_likelihood, wide.log_likelihood, rtol=1e-12)
    rows[:, :12] = -1
    with pytest.raises(InvalidNetwork, match="memory need"):
        learn(network, rows, limit=1e6)


@pytest.mark.parametrize(
    ("prior", "message"),
    [
        ("bde", "prior: expected None, a number of at least 0, 'bdeu', or arrays"),
        (-1.0, "prior: expected None"),
        (float("nan"), "prior: expected None"),
        ({"aa": [1.0, 1.0]}, "prior: expected a variable of the network, got 'aa'. Nearest: a"),
        ({"a": [1.0]}, r"prior of a: expected an array of shape \(2,\), got 'shape \(1,\)'"),
        ({"a": [1.0, -1.0]}, "prior of a: expected finite numbers of at least 0"),
        ({"a": ["x", "y"]}, r"prior of a: expected numbers of shape \(2,\)"),
    ],
)
def test_what_is_no_prior_is_told(prior: Prior, message: str) -> None:
    network = Network([Variable("a")], [TableCPD("a", (), [0.5, 0.5])])
    with pytest.raises(InvalidNetwork, match=message):
        learn(network, np.array([[0], [1]]), prior=prior)
    with pytest.raises(InvalidNetwork, match="equivalent_sample_size: expected a number above 0"):
        learn(network, np.array([[0], [1]]), prior="bdeu", size=0.0)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.zeros((0, 1), dtype=np.intp), "a row with a known cell and a weight, got no rows"),
        (np.full((3, 1), -1), "got 3 rows, every cell of which is missing"),
        (np.ones((3, 1), dtype=np.intp), "holds possible, got 3 rows of probability 0"),
    ],
)
def test_nothing_to_learn_from_is_told(rows: NDArray[np.intp], message: str) -> None:
    network = Network([Variable("a")], [TableCPD("a", (), [1.0, 0.0])])
    with pytest.raises(InvalidCase, match=message):
        learn(network, rows)
    with pytest.raises(InvalidCase, match="got 2 rows, all blank or of weight 0"):
        learn(network, np.array([[0], [-1]]), np.zeros(2))
