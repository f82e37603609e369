"""Orders and programs: what they cost is what they say, and they are kept within bounds."""

import math

import numpy as np
import pytest
from random_networks import random_problem

from bayesdx.errors import TooComplex
from bayesdx.inference.noisy import lane_program, recent
from bayesdx.inference.noisy.lane_case import Structure, condition_lanes
from bayesdx.inference.noisy.lane_order import bits, find_order
from bayesdx.inference.noisy.lane_program import LanePrograms, compile_lanes
from bayesdx.inference.noisy.parameters import repeat_parameters


def random_structure(seed: int) -> Structure:
    model, evidence = random_problem(seed, 1)
    parameters = repeat_parameters(model, 1).asked(model, evidence)
    return condition_lanes(evidence, parameters).structure


def work_of(masks: list[int], sizes: list[int], causes: tuple[int, ...]) -> tuple[float, float]:
    """Components while each cause is applied, axis by axis: all of them, and most at once."""
    work, widest = 0.0, 1.0
    for n, cause in enumerate(causes):
        before = {axis for c in causes[: n + 1] for axis in bits(masks[c])}
        after = {axis for c in causes[n:] for axis in bits(masks[c])}
        size = math.prod(sizes[axis] for axis in before & after | set(bits(masks[cause])))
        work, widest = work + size, max(widest, size)
    return work, widest


def random_masks(seed: int) -> tuple[list[int], list[int]]:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, 5, size=rng.integers(2, 9)).tolist()
    masks = [int(rng.integers(1, 1 << len(sizes))) for _ in range(rng.integers(1, 12))]
    return masks, sizes


@pytest.mark.parametrize("seed", range(40))
def test_an_order_says_what_it_costs(seed: int) -> None:
    masks, sizes = random_masks(seed)
    order = find_order(masks, sizes, 3)
    assert sorted(order.causes) == list(range(len(masks)))
    assert (order.work, order.widest) == pytest.approx(work_of(masks, sizes, order.causes))


@pytest.mark.parametrize("seed", range(20))
def test_more_tries_never_cost_more(seed: int) -> None:
    masks, sizes = random_masks(seed)
    costs = [find_order(masks, sizes, tries).work for tries in (1, 3, 12)]
    assert costs == sorted(costs, reverse=True)


@pytest.mark.parametrize("seed", range(40))
def test_a_program_does_every_cause_once_and_opens_and_closes_every_axis(seed: int) -> None:
    structure = random_structure(seed)
    program = compile_lanes(structure, 1)
    singles = [step for _, own in program.singles for step in own]
    causes = [step.cause for step in (*program.steps, *singles)] + program.free[:, 0].tolist()
    assert sorted(causes) == list(range(len(structure.links)))
    opened = [one.axis for step in program.steps for one in step.opens]
    isolated = [one.axis for one, _ in program.isolated]
    assert sorted(opened + isolated) == list(range(len(structure.widths)))
    assert len(opened) == sum(len(step.closes) for step in program.steps)
    assert program.work == pytest.approx(sum(step.size for step in program.steps))
    assert f"at most {max([1, *(s.size for s in program.steps)])} components" in str(program)


def test_programs_are_kept_within_a_bound_and_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "KEPT", 3)
    programs = LanePrograms()
    for seed in range(8):
        structure = random_structure(seed)
        assert programs.get(structure, 1) is programs.get(structure, 1)
        assert len(programs) <= 3
    programs.clear()
    assert len(programs) == 0


def test_what_would_take_too_much_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    structures = [random_structure(seed) for seed in range(10)]
    hardest = max(structures, key=lambda one: compile_lanes(one, 1).work)
    monkeypatch.setattr(lane_program, "MAX_WORK", 3)
    with pytest.raises(TooComplex, match="expected frontiers of at most 3 components in all"):
        compile_lanes(hardest, 1)
