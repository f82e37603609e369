"""Markov networks: posteriors and partition functions against enumeration and pyAgrum."""

from __future__ import annotations

import gzip
import math
import pickle
import random
from pathlib import Path

import numpy as np
import pyagrum
import pytest

from bayesdx import (
    InvalidCase,
    InvalidNetwork,
    MarkovFactor,
    MarkovNetwork,
    Variable,
    compile_markov,
    read_markov_network,
    read_network,
    read_uai_evidence,
)
from bayesdx.formats.draft import Draft
from bayesdx.formats.uai import read_uai_functions


def random_markov(rng: np.random.Generator) -> MarkovNetwork:
    """Up to six variables, functions of up to four of them, with zeros and numbers far from 1."""
    variables = [
        Variable(f"v{i}", tuple(f"s{k}" for k in range(rng.integers(1, 5))))
        for i in range(rng.integers(1, 7))
    ]
    factors = []
    for _ in range(rng.integers(0, 8)):
        size = rng.integers(0, min(4, len(variables)) + 1)
        chosen = [variables[i] for i in rng.permutation(len(variables))[:size]]
        shape = tuple(one.cardinality for one in chosen)
        values = rng.random(shape) * 10.0 ** rng.integers(-6, 7)
        values = np.where(rng.random(shape) < 0.15, 0.0, values)
        factors.append(MarkovFactor([one.name for one in chosen], values))
    return MarkovNetwork(variables, factors)


def product(network: MarkovNetwork) -> np.ndarray:
    """The product of all functions, one axis a variable: the slow, obvious way."""
    axis = {name: i for i, name in enumerate(network.variables)}
    whole = np.ones([one.cardinality for one in network.variables.values()])
    for factor in network.factors:
        letters = [axis[name] for name in factor.scope]
        whole = np.einsum(
            whole, list(range(whole.ndim)), factor.values, letters, list(range(whole.ndim))
        )
    return whole


@pytest.mark.parametrize("seed", range(60))
def test_posteriors_and_partition_function_are_those_of_enumeration(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = random_markov(rng)
    plan, whole = compile_markov(network), product(network)
    z = whole.sum()
    assert plan.log_partition == pytest.approx(math.log(z) if z > 0 else -math.inf, abs=1e-11)
    chosen = rng.permutation(list(network.variables))[: rng.integers(0, 3)].tolist()
    case = {name: str(rng.choice(network.variables[name].states)) for name in chosen}
    for axis, (name, variable) in enumerate(network.variables.items()):
        if name in case:
            keep = np.arange(variable.cardinality) == variable.states.index(case[name])
            shape = [1] * whole.ndim
            shape[axis] = len(keep)
            whole = whole * keep.reshape(shape)
    answer = plan.query(case)
    total = whole.sum()
    assert answer.status[0] == ("ok" if total > 0 else "impossible")
    if total == 0:
        return
    assert answer.log_evidence[0] == pytest.approx(math.log(total), abs=1e-11)
    for axis, name in enumerate(network.variables):
        others = tuple(i for i in range(whole.ndim) if i != axis)
        right = whole.sum(axis=others) / total
        np.testing.assert_allclose(answer.posteriors[name][0], right, rtol=0, atol=1e-12)


def grid(size: int, coupling: float) -> MarkovNetwork:
    names = [[f"x{r}_{c}" for c in range(size)] for r in range(size)]
    pair = np.exp(coupling * np.array([[1.0, -1.0], [-1.0, 1.0]]))
    pairs = [(names[r][c], names[r][c + 1]) for r in range(size) for c in range(size - 1)]
    pairs += [(names[r][c], names[r + 1][c]) for r in range(size - 1) for c in range(size)]
    variables = [Variable(name) for row in names for name in row]
    return MarkovNetwork(variables, [MarkovFactor(one, pair) for one in pairs])


def test_a_grid_by_its_transfer_matrix() -> None:
    size, coupling = 7, 0.4
    spins = np.array(np.meshgrid(*[[1.0, -1.0]] * size, indexing="ij")).reshape(size, -1).T
    inside = np.exp(coupling * (spins[:, 1:] * spins[:, :-1]).sum(axis=1))
    between = np.exp(coupling * spins @ spins.T)
    row = inside
    for _ in range(size - 1):
        row = (row @ between) * inside
    plan = compile_markov(grid(size, coupling))
    assert plan.log_partition == pytest.approx(math.log(row.sum()), abs=1e-11)
    answer = plan.query([{}, {"x0_0": "present"}])
    np.testing.assert_allclose(answer.posteriors["x6_6"][0], 0.5, atol=1e-12)
    assert answer.posteriors["x0_1"][1, 1] > 0.6


@pytest.mark.parametrize("seed", range(8))
def test_pyagrum_says_the_same(seed: int) -> None:
    network = random_markov(np.random.default_rng(seed + 100))
    net = pyagrum.MarkovRandomField()
    for variable in network.variables.values():
        net.add(pyagrum.LabelizedVariable(variable.name, "", list(variable.states)))
    # It holds one function of a scope, and none of no variables.
    merged: dict[tuple[str, ...], np.ndarray] = {}
    for factor in network.factors:
        if factor.scope:
            key = tuple(sorted(factor.scope))
            values = factor.values.transpose([factor.scope.index(name) for name in key])
            merged[key] = merged.get(key, 1.0) * (values + 1e-3)
    if not merged:
        pytest.skip("no function")
    for key, values in merged.items():
        net.addFactor(list(key))
        tensor = net.factor(list(key))
        place = pyagrum.Instantiation(tensor)
        place.setFirst()
        while not place.end():
            at = tuple(place.val(net.variable(net.idFromName(name))) for name in key)
            tensor.set(place, float(values[at]))
            place.inc()
    plain = MarkovNetwork(
        network.variables.values(), [MarkovFactor(k, v) for k, v in merged.items()]
    )
    engine = pyagrum.ShaferShenoyMRFInference(net)
    engine.makeInference()
    answer = compile_markov(plain).query({})
    for name in {one for key in merged for one in key}:
        told = engine.posterior(name).toarray().ravel()
        np.testing.assert_allclose(answer.posteriors[name][0], told, rtol=0, atol=1e-10)


@pytest.mark.parametrize("seed", range(4))
def test_the_largest_products_are_found(seed: int) -> None:
    network = random_markov(np.random.default_rng(seed + 50))
    cards = [one.cardinality for one in network.variables.values()]
    place = {name: i for i, name in enumerate(network.variables)}
    whole = np.ones(cards)
    for factor in network.factors:
        at = [place[name] for name in factor.scope]
        values = factor.values.transpose(np.argsort(at))
        whole = whole * values.reshape([cards[v] if v in at else 1 for v in range(len(cards))])
    found = compile_markov(network).mpe({}, k=3)
    right = np.sort(whole.ravel())[::-1][:3]
    right = right[right > 0.0]
    np.testing.assert_allclose(np.exp(found["log_probability"])[: len(right)], right, rtol=1e-9)


UAI = """MARKOV
3
2 2 3
2
2 0 1
2 1 2

4
 4.0 2.4
 1.0 0.5

6
 2.0 0.1 0.3
 0.25 3.0 1.5
"""


def test_files_of_the_competitions(tmp_path: Path) -> None:
    (tmp_path / "m.uai.gz").write_bytes(gzip.compress(UAI.encode()))
    network = read_markov_network(tmp_path / "m.uai.gz")
    assert [one.scope for one in network.factors] == [("v0", "v1"), ("v1", "v2")]
    # By hand: the last variable of a scope changes fastest.
    z = 5.0 * 2.4 + 2.9 * 4.75
    assert compile_markov(network).log_partition == pytest.approx(math.log(z), abs=1e-12)
    (tmp_path / "m.uai.evid").write_text("2 0 1 2 0\n")
    (case,) = read_uai_evidence(tmp_path / "m.uai.evid", network)
    assert case == {"v0": "s1", "v2": "s0"}
    told = compile_markov(network).query(case).log_evidence[0]
    assert told == pytest.approx(math.log(1.0 * 2.0 + 0.5 * 0.25), abs=1e-12)
    (tmp_path / "old.uai.evid").write_text("2\n 1 0 1\n 0\n")
    assert read_uai_evidence(tmp_path / "old.uai.evid", network) == [{"v0": "s1"}, {}]
    (tmp_path / "none.uai.evid").write_text("0")
    assert read_uai_evidence(tmp_path / "none.uai.evid", network) == [{}]


def test_a_bayesian_network_is_one_whose_sum_is_one(tmp_path: Path) -> None:
    path = tmp_path / "b.uai"
    path.write_text("BAYES 2 2 2 2 1 0 2 0 1 2 0.4 0.6 4 0.128 0.872 0.92 0.08")
    plan = compile_markov(read_markov_network(path))
    assert plan.log_partition == pytest.approx(0.0, abs=1e-12)
    assert plan.query({}).posteriors["v1"][0, 0] == pytest.approx(0.4 * 0.128 + 0.6 * 0.92)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("MARKOV", "MARKOF", "m.uai:1: expected MARKOV or BAYES, got 'MARKOF'"),
        ("2 1 2", "2 1 1", "m.uai:6: function: expected distinct variables, got v1 v1"),
        ("2 1 2", "2 1 3", "m.uai:6: expected a variable, 0 to 2, got 3"),
        ("\n6\n", "\n5\n", "m.uai:12: expected 6 entries, got 5"),
        ("0.25", "-0.25", "m.uai:14: expected finite entries of at least 0, got others"),
        ("0.25", "nan", "m.uai:14: expected finite entries of at least 0, got others"),
        ("0.25", "x", "m.uai:14: expected a probability, got 'x'"),
        (" 0.25 3.0 1.5\n", "", "expected a probability, got nothing"),
        ("1.5\n", "1.5 7\n", "m.uai:14: expected the end of the file, got '7'"),
    ],
)
def test_faults_of_markov_files(old: str, new: str, told: str, tmp_path: Path) -> None:
    assert old in UAI
    (tmp_path / "m.uai").write_text(UAI.replace(old, new))
    with pytest.raises(InvalidNetwork, match="expected") as caught:
        read_markov_network(tmp_path / "m.uai")
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "m.evid:1: expected a number of observations or of cases, 0 to 1000000, got nothing"),
        ("1 0 2", "m.evid:1: expected a state, 0 to 1, got '2'"),
        ("1\n1 3 0", "m.evid:2: expected a variable, 0 to 2, got '3'"),
        ("2 0 1 0 0", "m.evid:1: expected one state of variable v0, got a second one"),
        ("1\n1 0 1\n5", "m.evid:3: expected the end of the file, got '5'"),
        ("1 0", "m.evid:1: expected a"),
        ("-1", "m.evid:1: expected a number of observations or of cases"),
    ],
)
def test_faults_of_evidence_files(text: str, told: str, tmp_path: Path) -> None:
    network = read_uai_functions(UAI, Draft("m.uai"))
    (tmp_path / "m.evid").write_text(text)
    if text == "1 0":
        assert read_uai_evidence(tmp_path / "m.evid", network) == [{}]
        return
    with pytest.raises(InvalidNetwork, match="expected") as caught:
        read_uai_evidence(tmp_path / "m.evid", network)
    assert told in str(caught.value)


def test_broken_files_end_in_a_network_or_a_fault() -> None:
    chance, read, told = random.Random(4), 0, []
    for _ in range(400):
        at = chance.randrange(len(UAI))
        pieces = ["", "-1", "1e999", "99999999", "\n", "x", UAI[: chance.randrange(60)]]
        text = UAI[:at] + chance.choice(pieces) + UAI[at + chance.randrange(4) :]
        try:
            read_uai_functions(text, Draft("m.uai"))
            read += 1
        except InvalidNetwork as error:
            told.append(str(error))
    assert 5 < read < 390
    assert all("expected" in one for one in told)


def test_slips_are_told_at_once(tmp_path: Path) -> None:
    pair = [Variable("a"), Variable("b")]
    with pytest.raises(InvalidNetwork, match="4 faults") as caught:
        MarkovNetwork(
            pair,
            [
                MarkovFactor(("a", "bb"), np.ones((2, 2))),
                MarkovFactor(("a", "a"), np.ones((2, 2))),
                MarkovFactor(("a",), np.ones(3)),
                MarkovFactor(("b",), [1.0, np.nan]),
            ],
        )
    assert "function 0: expected a declared variable, got 'bb'. Nearest: b." in str(caught.value)
    with pytest.raises(InvalidNetwork, match="a unique name"):
        MarkovNetwork([*pair, Variable("a")], [])
    plan = compile_markov(MarkovNetwork(pair, []))
    with pytest.raises(InvalidCase, match=r"got 'c'"):
        plan.query({"c": "present"})
    with pytest.raises(InvalidNetwork, match=r"a file that ends in \.uai"):
        read_markov_network(tmp_path / "a.bif")
    (tmp_path / "m.uai").write_text(UAI)
    with pytest.raises(
        InvalidNetwork, match=r"expected BAYES .MARKOV: bayesdx\.read_markov_network."
    ):
        read_network(tmp_path / "m.uai")


def test_it_pickles_and_prints() -> None:
    plan = compile_markov(grid(3, 0.2))
    again = pickle.loads(pickle.dumps(plan))
    assert again.log_partition == plan.log_partition
    assert repr(plan).startswith("CompiledMarkov(MarkovNetwork(9 variables, 12 functions)")
