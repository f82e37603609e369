"""Compiled executors beside NumPy's: fused code, widths, numbers out of range, threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from agrum_networks import example, sampled_states
from joint import random_general_network

from bayesdx.errors import BayesdxError, InvalidNetwork
from bayesdx.inference.general import machine
from bayesdx.inference.general.costs import FLAT_WIDTH
from bayesdx.inference.general.factors import factor_network
from bayesdx.inference.general.general_network import CompiledGeneral
from bayesdx.inference.general.machine import flat_code
from bayesdx.inference.general.machine.float_flags import float_flags
from bayesdx.inference.general.tiles import CaseBatch, TileRunner, readout
from bayesdx.inference.general.tree_plan import TreePlan, compile_plan
from bayesdx.network import Network, TableCPD, Variable

LIMIT = 2.0**31
needs_numba = pytest.mark.skipif(not machine.installed(), reason="needs numba")


def rows_of(name: str, n: int, share: float = 0.2) -> tuple[Network, np.ndarray]:
    network, _ = example(name)
    rng = np.random.default_rng(7)
    drawn = sampled_states(network, n, rng)
    states = np.stack([np.asarray(drawn[v]) for v in network.variables], axis=1).astype(np.intp)
    return network, np.where(rng.random(states.shape) < share, states, -1)


def full_plan(network: Network) -> TreePlan:
    problem = factor_network(network)
    every = frozenset(range(problem.n_named))
    return compile_plan(problem, frozenset(), every, every, LIMIT)


@needs_numba
@pytest.mark.parametrize("name", ["child", "alarm", "hepar2", "insurance", "water"])
@pytest.mark.parametrize("n", [1, 3, FLAT_WIDTH, 2 * FLAT_WIDTH + 5])
def test_a_plan_says_the_same_in_numpy_and_compiled(name: str, n: int) -> None:
    network, states = rows_of(name, n)
    plan, cards = full_plan(network), [v.cardinality for v in network.variables.values()]
    wanted = readout(plan, cards, range(len(cards)))
    cases = CaseBatch(np.ascontiguousarray(states.T), {})
    expected = TileRunner(plan).answer(cases, wanted)
    found = machine.executors().program(plan).answer(cases, wanted)
    np.testing.assert_allclose(found[0], expected[0], rtol=0, atol=1e-14)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-14, atol=1e-13)
    assert found[2].tolist() == expected[2].tolist() == []


@needs_numba
@pytest.mark.parametrize("seed", range(6))
def test_what_is_fused_says_what_each_step_said(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel runs the steps as they came, and as they were fused; both beside NumPy."""
    rng = np.random.default_rng(seed)
    network = random_general_network(rng) if seed % 2 else rows_of("alarm", 1)[0]
    plan, cards = full_plan(network), [v.cardinality for v in network.variables.values()]
    wanted = readout(plan, cards, range(len(cards)))
    states = np.array([[int(rng.integers(-1, card)) for _ in range(20)] for card in cards])
    cases = CaseBatch(np.where(rng.random(states.shape) < 0.3, states, -1), {})
    fused = flat_code.flat_code(plan)
    monkeypatch.setattr(flat_code, "fused", lambda steps, _: steps)
    plain = flat_code.flat_code(plan)
    assert len(plain.ops) == len(plan.code)
    assert len(fused.ops) < len(plain.ops) or len(plan.code) < 20
    assert seed % 2 or flat_code.Op.INNER in fused.ops[:, 0]
    expected = TileRunner(plan).answer(cases, wanted)
    for code in (plain, fused):
        monkeypatch.setattr(flat_code, "flat_code", lambda _, code=code: code)
        found = machine.executors().program(plan).answer(cases, wanted)
        np.testing.assert_allclose(found[0], expected[0], rtol=0, atol=1e-13)
        np.testing.assert_allclose(found[1], expected[1], rtol=1e-13, atol=1e-13)


def test_a_step_is_not_read_from_where_something_else_was_written() -> None:
    """A gather whose source is overwritten before its reader comes has to be done at once."""
    op, rows = flat_code.Op, flat_code.RowRange

    def ops(*steps: flat_code.Step) -> list[flat_code.Op]:
        last = steps[-1].out
        read = flat_code.Step(op.NORMALISE, last, last)
        return [step.op for step in flat_code.fused([*steps, read], 8)]

    gather = flat_code.Step(op.GATHER, rows(4, 2), rows(0, 2, np.array([1, 0])))
    reader = flat_code.Step(op.LOOK_UP, rows(6, 2), rows(4, 2), rows(2, 2))
    spoiler = flat_code.Step(op.SCALE, rows(0, 2), rows(2, 2), values=np.ones(2))
    onto_its_source = flat_code.Step(op.LOOK_UP, rows(0, 2), rows(4, 2), rows(2, 2))
    assert ops(gather, reader) == [op.LOOK_UP, op.NORMALISE]
    assert ops(gather, spoiler, reader) == [op.GATHER, op.SCALE, op.LOOK_UP, op.NORMALISE]
    assert ops(gather, onto_its_source) == [op.GATHER, op.LOOK_UP, op.NORMALISE]


def test_fusing_looks_at_each_row_a_bounded_number_of_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked = []
    real = flat_code._makers
    monkeypatch.setattr(
        flat_code, "_makers", lambda last, read: looked.append(read.size) or real(last, read)
    )
    for name in ("alarm", "hepar2", "pathfinder"):
        plan = full_plan(example(name)[0])
        looked.clear()
        flat_code.flat_code(plan)
        read = sum(step.cost for step in plan.code) + len(plan.code)
        assert sum(looked) < 8.0 * read


@needs_numba
def test_numbers_that_leave_the_range_of_floats_are_told_case_by_case() -> None:
    """In 2 of 20 cases a dozen findings of 1e-30 speak for a cause, and as many against it."""
    told = np.array([[1.0 - 1e-30, 1e-30], [0.5, 0.5]])
    cpds = [TableCPD("c", (), np.array([0.2, 0.8]))]
    cpds += [TableCPD(f"x{i}", ("c",), told if i % 2 else told[::-1]) for i in range(24)]
    network = Network([Variable(cpd.child) for cpd in cpds], cpds)
    states = np.full((20, 25), -1)
    states[[3, 17], 1:] = 1
    states[:, 1] = 1
    plan = full_plan(network)
    wanted = readout(plan, [2] * 25, range(25))
    cases = CaseBatch(np.ascontiguousarray(states.T), {})
    found = machine.executors().program(plan).answer(cases, wanted)
    expected = TileRunner(plan).answer(cases, wanted)
    assert found[2].tolist() == sorted(expected[2].tolist()) == [3, 17]
    for backend in ("numpy", "compiled"):
        compiled = CompiledGeneral(network, LIMIT, backend)
        compiled.plan([], list(network.variables))
        answer = compiled.query(states)
        posterior = answer.posterior("c")
        np.testing.assert_allclose(posterior[[3, 17]], [[0.2, 0.8]] * 2, rtol=1e-12)
        np.testing.assert_allclose(posterior[0], [1.0, 8e-30], rtol=1e-12)
        both = 12 * (np.log(1e-30) + np.log(0.5))
        assert answer.log_evidence[3] == pytest.approx(both, rel=1e-13)


@needs_numba
def test_threads_and_neighbours_change_no_bit() -> None:
    network, states = rows_of("alarm", 400)
    compiled = CompiledGeneral(network, LIMIT, "compiled")
    compiled.plan([], list(network.variables))
    whole = compiled.query(states)
    parts = [slice(first, first + 50) for first in range(0, 400, 50)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda part: compiled.query(states[part]), parts))
    for part, answer in zip(parts, answers, strict=True):
        assert np.array_equal(answer.values, whole.values[:, part])
        assert np.array_equal(answer.log_evidence, whole.log_evidence[part])


@needs_numba
@pytest.mark.parametrize("name", ["alarm", "andes", "pigs", "hailfinder", "pathfinder"])
def test_a_case_alone_is_what_numpy_says_whatever_is_asked(name: str) -> None:
    network, states = rows_of(name, 6)
    names = list(network.variables)
    compiled = CompiledGeneral(network, LIMIT, "compiled")
    reference = CompiledGeneral(network, LIMIT, "numpy")
    rng = np.random.default_rng(1)
    for targets in (None, [], [names[3]], rng.permutation(names)[:5].tolist()):
        found = compiled.query(states, targets=targets)
        expected = reference.query(states, targets=targets)
        assert found.names == expected.names
        np.testing.assert_allclose(found.values, expected.values, rtol=0, atol=1e-12)
        np.testing.assert_allclose(found.log_evidence, expected.log_evidence, rtol=1e-12)


@needs_numba
def test_a_case_beyond_the_limit_is_refused_with_its_estimate() -> None:
    network, _ = example("barley")
    nothing = np.full((1, len(network.variables)), -1)
    with pytest.raises(
        InvalidNetwork, match=r"at least .* bytes .*cells; memory_limit may be raised\)\.$"
    ):
        CompiledGeneral(network, 1e6, "compiled").query(nothing)
    answer = CompiledGeneral(network, LIMIT, "compiled").query(nothing)
    assert answer.log_evidence[0] == pytest.approx(0.0, abs=1e-9)


def test_the_backend_is_checked() -> None:
    network, _ = example("asia")
    with pytest.raises(BayesdxError, match="backend: expected auto, numpy or compiled, got 'gpu'"):
        CompiledGeneral(network, LIMIT, "gpu")  # type: ignore[arg-type]


def test_without_numba_numpy_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "installed", lambda: False)
    network, states = rows_of("asia", 3)
    assert CompiledGeneral(network, LIMIT).query(states).possible.all()
    with pytest.raises(BayesdxError, match="numba, of the extra 'fast'"):
        CompiledGeneral(network, LIMIT, "compiled")


def test_compiled_code_is_loaded_once_it_would_have_paid(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(machine, "installed", lambda: True)
    monkeypatch.setattr(machine, "ready", lambda: False)
    monkeypatch.setattr(machine, "on_disk", lambda: True)
    monkeypatch.setattr(machine, "executors", lambda: asked.append(1))
    network, states = rows_of("asia", 1)
    compiled = CompiledGeneral(network, LIMIT)
    compiled.query(states)
    assert asked == [], "one small case is not worth it"
    compiled.solver._choice.spend(1e9)
    assert asked == [1]


def test_the_flags_of_the_processor_are_found() -> None:
    flags = float_flags()
    assert flags is not None
    assert flags.clear != flags.test
    assert flags.bits.bit_count() == 2
