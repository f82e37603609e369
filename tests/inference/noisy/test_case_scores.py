"""Derivatives of all numbers in one sweep are those of the sums over all worlds."""

from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from knotted import knotted_problem
from oracle import enumerate_case
from random_networks import random_problem

from bayesdx.inference import Evidence, NoisyModel, compile_diagnosis, link_gradient
from bayesdx.inference.machine_code import Backend
from bayesdx.inference.noisy import jit
from bayesdx.inference.noisy.case_scores import ScoreSweep, evidence_gradient
from bayesdx.inference.noisy.lockstep import plan
from bayesdx.inference.noisy.number_layout import number_layout, numbers_of
from bayesdx.network import CPD, Network, NoisyMaxCPD, NoisyOrCPD, TableCPD, Variable


def probability(model: NoisyModel, evidence: Evidence, cpd: CPD | None = None) -> np.ndarray:
    """P(evidence) of each case by enumeration, with one distribution replaced."""
    if cpd is not None:
        cpds = {**model.network.cpds, cpd.child: cpd}
        model = compile_diagnosis(Network(model.network.variables.values(), cpds.values()))
    return np.array([enumerate_case(model, evidence, row).evidence for row in range(len(evidence))])


def dense(
    model: NoisyModel, evidence: Evidence, backend: Backend = "numpy", *, tied: bool = False
) -> tuple[np.ndarray, ...]:
    """The blocks of all scores, in the order of the cases."""
    layout = number_layout(model)
    values = np.zeros((len(evidence), layout.first[-1]))
    for part in ScoreSweep(model, tied, backend=backend).scores(evidence):
        values[part.rows] = part.values.toarray()
    return layout.split(values)


def elsewhere(value: float) -> float:
    return value + 0.25 if value < 0.5 else value - 0.25


def is_free(value: float) -> bool:
    return 0.0 < value < 1.0


def altered_links(model: NoisyModel) -> Iterator[tuple[int, tuple[int, ...], CPD, float]]:
    """Block and index of every free strength, factor and leak, and a distribution with it moved."""
    at = {name: i for i, name in enumerate(model.causes)}
    for f, name in enumerate(model.findings):
        cpd = model.network.cpds[name]
        assert isinstance(cpd, NoisyOrCPD)
        parts = (cpd.activators, cpd.strengths, cpd.leak, cpd.inhibitors, cpd.factors)
        for block, names, numbers in ((0, parts[0], parts[1]), (1, parts[3], parts[4])):
            for i, parent in enumerate(names):
                if is_free(numbers[i]):
                    new = np.array(numbers)
                    new[i] = elsewhere(new[i])
                    own = (*parts[:1], new, *parts[2:]) if block == 0 else (*parts[:4], new)
                    yield block, (at[parent], f), NoisyOrCPD(name, *own), new[i] - numbers[i]
        if is_free(cpd.leak):
            new_leak = elsewhere(cpd.leak)
            own = (*parts[:2], new_leak, *parts[3:])
            yield 2, (f,), NoisyOrCPD(name, *own), new_leak - cpd.leak


def altered_levels(model: NoisyModel) -> Iterator[tuple[int, tuple[int, ...], CPD, float]]:
    """The same of exceedances; those fall with the level, so one goes half-way to a neighbour."""
    at = {name: i for i, name in enumerate(model.causes)}
    for o, name in enumerate(model.ordinals):
        cpd = model.network.cpds[name]
        assert isinstance(cpd, NoisyMaxCPD)
        rows = [*zip(cpd.parents, cpd.strengths, strict=True), (None, cpd.leak)]
        for k, (parent, row) in enumerate(rows):
            for level in np.flatnonzero((row > 0.0) & (row < 1.0)).tolist():
                lower = row[level + 1] if level + 1 < len(row) else 0.0
                upper = row[level - 1] if level else 1.0
                new = np.array(row)
                new[level] = (lower + upper) / 2.0
                step = new[level] - row[level]
                if abs(step) < 1e-3:
                    continue
                column = model.level_offset[o] + level
                if parent is None:
                    yield 4, (column,), NoisyMaxCPD(name, cpd.parents, cpd.strengths, new), step
                else:
                    strengths = np.array(cpd.strengths)
                    strengths[k] = new
                    changed = NoisyMaxCPD(name, cpd.parents, strengths, cpd.leak)
                    yield 3, (at[parent], column), changed, step


def altered_tables(model: NoisyModel) -> Iterator[tuple[int, tuple[int, ...], CPD, float]]:
    """The same of the free entries of the tables of causes whose risks all matter."""
    for c, name in enumerate(model.causes):
        cpd = model.network.cpds[name]
        risks = tuple(model.risks[r] for r in model.cause_parents[c])
        if len(risks) != len(cpd.parents):
            continue
        table = model.cause_tables[c]
        for index in np.argwhere((table > 0.0) & (table < 1.0)).tolist():
            new = np.array(table)
            new[tuple(index)] = elsewhere(new[tuple(index)])
            changed = TableCPD(name, risks, np.stack([1.0 - new, new], axis=-1))
            yield 5 + c, tuple(index), changed, new[tuple(index)] - table[tuple(index)]


def slopes(model: NoisyModel, evidence: Evidence, base: np.ndarray, cpd: CPD, step: float):
    slope = (probability(model, evidence, cpd) - base) / step
    return np.divide(slope, base, out=np.zeros(len(base)), where=base > 0.0)


@pytest.mark.parametrize("seed", range(24))
def test_scores_are_those_of_the_sums_over_all_worlds(seed: int) -> None:
    model, evidence = random_problem(seed, n_cases=4)
    blocks, base = dense(model, evidence), probability(model, evidence)
    for altered in (altered_links, altered_levels, altered_tables):
        for block, index, cpd, step in altered(model):
            right = slopes(model, evidence, base, cpd, step)
            ours = blocks[block][(slice(None), *index)]
            where = f"{block} {index} of {cpd.child}"
            np.testing.assert_allclose(ours, right, rtol=1e-10, atol=1e-10, err_msg=where)


@pytest.mark.parametrize("seed", range(16))
def test_scores_of_risks_are_those_of_the_sums_over_all_worlds(seed: int) -> None:
    model, evidence = random_problem(seed, n_cases=4)
    blocks, base = dense(model, evidence), probability(model, evidence)
    for r, name in enumerate(model.risks):
        prior, ours = model.risk_priors[r], blocks[5 + len(model.causes) + r]
        free = np.flatnonzero((prior > 0.0) & (prior < 1.0))
        for state in free[1:].tolist():
            new, step = np.array(prior), min(prior[free[0]], prior[state]) / 2.0
            new[[free[0], state]] += [-step, step]
            right = slopes(model, evidence, base, TableCPD(name, (), new), step)
            gap = ours[:, state] - ours[:, free[0]]
            np.testing.assert_allclose(gap, right, rtol=1e-9, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("seed", range(16))
def test_scores_of_cases_that_couple_much_are_those_of_extra_cases(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over one frontier, and as trees of tables."""
    model, evidence = knotted_problem(seed, 8)
    twin, frontier = link_gradient(model, evidence), dense(model, evidence)
    monkeypatch.setattr(plan, "LARGE_WORK", 0)
    tree = dense(model, evidence)
    assert np.isfinite(twin.log_evidence).any()
    for block, name in enumerate(("strength", "factor", "leak", "exceed", "exceed_leak")):
        right = getattr(twin, name)
        for ours in (frontier[block], tree[block]):
            free = ours != 0.0
            np.testing.assert_allclose(ours[free], right[free], rtol=1e-8, atol=1e-9, err_msg=name)
    for one, other in zip(tree, frontier, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("seed", range(12))
def test_scores_of_trees_are_those_of_the_frontier(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, evidence = random_problem(seed, n_cases=12)
    frontier = dense(model, evidence)
    monkeypatch.setattr(plan, "LARGE_WORK", 0)
    for one, other in zip(dense(model, evidence), frontier, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-10)


#: How the compiled sweep sums the 2-core out: as it likes, by a tree, by one that is made anew.
WAYS = range(3)


@pytest.mark.parametrize("way", WAYS)
def test_compiled_scores_are_those_of_numpy(way: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which the slow twin and the sums over all worlds are held against above."""
    pytest.importorskip("numba", reason="needs the extra 'fast'")
    driver = jit.driver_module()
    forced = SimpleNamespace(run=partial(driver.run, way=way))
    monkeypatch.setattr(jit, "driver_module", lambda: forced)
    coupled = 0
    for seed in range(40):
        for model, evidence in (random_problem(seed, n_cases=12), knotted_problem(seed, 8)):
            for tied in (False, True):
                blocks = [dense(model, evidence, one, tied=tied) for one in ("numpy", "compiled")]
                for right, ours in zip(*blocks, strict=True):
                    np.testing.assert_allclose(ours, right, rtol=1e-12, atol=1e-12)
                    coupled += int(np.count_nonzero(right))
    assert coupled > 10_000


@pytest.mark.parametrize("seed", range(4))
def test_compiled_sums_do_not_depend_on_tiles_and_are_those_of_cases(seed: int) -> None:
    pytest.importorskip("numba", reason="needs the extra 'fast'")
    model, evidence = random_problem(seed, n_cases=1100)
    weights = np.random.default_rng(seed).random(1100)
    one, other = (
        evidence_gradient(model, evidence, weights, tile=n, backend="compiled") for n in (64, 2048)
    )
    right = evidence_gradient(model, evidence, weights, backend="numpy")
    np.testing.assert_array_equal(one.log_evidence, other.log_evidence)
    np.testing.assert_allclose(one.total, other.total, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(one.total, right.total, rtol=1e-10, atol=1e-9)


@pytest.mark.parametrize("backend", ["numpy", "compiled"])
@pytest.mark.parametrize("present", [0.2, 0.0, 1.0])
def test_a_cause_that_takes_a_whole_leak_away_has_scores(backend: Backend, present: float) -> None:
    """An inhibitor of factor 0, on a finding that couples its causes."""
    if backend == "compiled":
        pytest.importorskip("numba", reason="needs the extra 'fast'")
    names = ("a", "b", "c", "d")
    cpds: list[CPD] = [TableCPD(one, (), np.array([0.7, 0.3])) for one in names]
    cpds += [
        NoisyOrCPD("x", names[:2], np.array([0.6, 0.3]), 0.2, names[2:], np.array([0.0, 0.5])),
        NoisyOrCPD("y", names, np.array([0.5, 0.8, 0.4, 0.7]), 0.1),
    ]
    model = compile_diagnosis(Network([Variable(one) for one in (*names, "x", "y")], cpds))
    evidence = Evidence(
        findings=np.array([[present, 1.0]]),
        lower=np.zeros((1, 0), dtype=np.int8),
        upper=np.zeros((1, 0), dtype=np.int8),
        risks=np.zeros((1, 0), dtype=np.int8),
        causes=np.full((1, 4), -1, dtype=np.int8),
    )
    blocks, base = dense(model, evidence, backend), probability(model, evidence)
    for block, index, cpd, step in altered_links(model):
        right = slopes(model, evidence, base, cpd, step)
        ours = blocks[block][(slice(None), *index)]
        np.testing.assert_allclose(ours, right, rtol=1e-10, atol=1e-10, err_msg=f"{block} {index}")


@pytest.mark.parametrize("seed", range(8))
def test_the_sum_is_that_of_the_cases_whatever_the_tile(seed: int) -> None:
    model, evidence = random_problem(seed, n_cases=30)
    layout = number_layout(model)
    weights = np.random.default_rng(seed).random(30)
    one, other = (
        evidence_gradient(model, evidence, weights, tile=n, backend="numpy") for n in (7, 2048)
    )
    values = np.hstack([block.reshape(30, -1) for block in dense(model, evidence)])
    np.testing.assert_allclose(one.total, weights @ values, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(one.total, other.total, rtol=1e-10, atol=1e-10)
    np.testing.assert_array_equal(
        np.isneginf(one.log_evidence), ~values.any(axis=1) | np.isneginf(one.log_evidence)
    )
    assert len(numbers_of(model)) == layout.first[-1] == values.shape[1]


@pytest.mark.parametrize("seed", range(8))
def test_equal_levels_that_move_together_have_the_same_derivative_the_cheap_way(seed: int) -> None:
    """Thresholds that were raised to the next level's, of links and of leaks."""
    rng = np.random.default_rng(seed)
    cause = [f"cause{i}" for i in range(3)]
    strengths = np.sort(rng.uniform(0.1, 0.9, (3, 3)), axis=1)[:, ::-1].copy()
    leak = np.array([0.3, 0.1, 0.1])
    strengths[0, 1] = strengths[0, 2]
    strengths[1, :] = strengths[1, 2]
    variables = [Variable(one) for one in (*cause, "cough")]
    cpds: list[CPD] = [TableCPD(one, (), np.array([0.7, 0.3])) for one in cause]
    cpds.append(NoisyOrCPD("cough", tuple(cause), rng.uniform(0.1, 0.9, 3), 0.1))
    cpds.append(NoisyMaxCPD("pain", tuple(cause), strengths, leak))
    pain = Variable("pain", ("l0", "l1", "l2", "l3"))
    model = compile_diagnosis(Network([*variables, pain], cpds))
    evidence = Evidence(
        findings=np.ones((6, 1)),
        lower=np.array([[1], [1], [2], [1], [2], [3]]),
        upper=np.array([[1], [2], [2], [3], [3], [3]]),
        risks=np.zeros((6, 0), dtype=np.int8),
        causes=np.full((6, 3), -1, dtype=np.int8),
    )
    numbers, layout = numbers_of(model), number_layout(model)
    exact, cheap = (
        next(ScoreSweep(model, one, backend="numpy").scores(evidence)) for one in (False, True)
    )
    both = [one.values.toarray()[np.argsort(one.rows)] for one in (exact, cheap)]
    blocks = layout.split(np.arange(len(numbers)))
    compared = 0
    for row in (*blocks[3], blocks[4]):
        for equal in np.unique(numbers[row]):
            together = row[numbers[row] == equal]
            sums = [one[:, together].sum(axis=1) for one in both]
            np.testing.assert_allclose(*sums, rtol=1e-12, atol=1e-12)
            compared += len(together) > 1
    assert compared == 3
    others = np.setdiff1d(np.arange(len(numbers)), np.concatenate([*blocks[3], blocks[4]]))
    np.testing.assert_array_equal(both[0][:, others], both[1][:, others])
    assert (np.abs(both[0] - both[1]) > 1e-3).any()
