"""The pieces of the sweep, each against a slow and obvious way."""

import itertools
import math

import numpy as np
import pytest
from knotted import knotted_problem

from bayesdx.inference.noisy.condition import absorb
from bayesdx.inference.noisy.lockstep import frontier
from bayesdx.inference.noisy.lockstep.frontier import JointStates, index_of, lay_out
from bayesdx.inference.noisy.lockstep.pendants import PendantKind, find_pendants, slot_words
from bayesdx.inference.noisy.lockstep.plan import plan_sweep, width_words

NONE = np.uint64(0)


def knot(links: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """Links (cause, slot) left when ends with one link are cut off until there are none."""
    while True:
        ends = [
            link
            for link in links
            if sum(c == link[0] for c, _ in links) == 1 or sum(s == link[1] for _, s in links) == 1
        ]
        if not ends:
            return links
        links = links - {ends[0]}


def links_of(masks: np.ndarray) -> set[tuple[int, int]]:
    return {(c, s) for c, mask in enumerate(masks.tolist()) for s in range(64) if mask >> s & 1}


def test_what_pendants_leave_are_the_knots() -> None:
    for seed in range(20):
        model, evidence = knotted_problem(seed)
        problem = absorb(model, evidence)
        pendants, core = find_pendants(problem.mask, *slot_words(model, problem))
        for row in range(len(evidence)):
            assert links_of(core[row]) == knot(links_of(problem.mask[row]))
            # Each link that is gone was cut off once, by a fold or a contraction.
            cut = [
                (int(c), int(s))
                for step in pendants
                for r, c, s in zip(step.rows, step.causes, step.slots, strict=True)
                if r == row
            ]
            assert len(cut) == len(set(cut))
            assert set(cut) == links_of(problem.mask[row]) - links_of(core[row])


def test_parts_of_a_fold_belong_to_the_first_axes() -> None:
    seen = 0
    for seed in range(20):
        model, evidence = knotted_problem(seed)
        for step in plan_sweep(model, absorb(model, evidence)).pendants:
            if step.kind in (PendantKind.CONTRACT, PendantKind.CONTRACT_RISK):
                pairs = list(zip(step.rows.tolist(), step.causes.tolist(), strict=True))
                assert len(pairs) == len(set(pairs))
                continue
            axes = [
                list(zip(step.rows[part].tolist(), step.slots[part].tolist(), strict=True))
                for part in step.parts
            ]
            assert len(axes[0]) == len(set(axes[0]))
            for longer, shorter in itertools.pairwise(axes):
                assert longer[: len(shorter)] == shorter
                seen += 1
    assert seen > 0


def test_steps_open_and_close_each_axis_once() -> None:
    for seed in range(20):
        model, evidence = knotted_problem(seed)
        core = plan_sweep(model, absorb(model, evidence)).core
        for case in range(len(core.rows)):
            n_steps = int(core.n_steps[case])
            opened: set[int] = set()
            done: set[int] = set()
            work = 0.0
            for g in range(n_steps):
                words = (core.masks[g, case], core.new[g, case], core.closing[g, case])
                masks, new, closing = ({s for s in range(64) if int(w) >> s & 1} for w in words)
                assert new == masks - opened
                assert not new & done
                opened |= new
                work += np.prod(core.widths[case, sorted(opened)])
                assert closing <= opened
                opened -= closing
                done |= closing
            assert not opened
            assert not core.masks[n_steps:, case].any()
            assert work == pytest.approx(core.work[case], rel=1e-12)


def random_layout(
    rng: np.random.Generator, n_cases: int, count: int
) -> tuple[frontier.FrontierLayout, np.ndarray, np.ndarray]:
    """Cases with random positions touched, ending and open, and their widths and words."""
    widths = np.sort(rng.choice([2, 3, 5], size=(n_cases, count)), axis=1)
    kind = rng.choice(4, size=(n_cases, count), p=[0.2, 0.15, 0.35, 0.3])
    bits = np.uint64(1) << np.arange(count, dtype=np.uint64)
    words = [np.where(kind == k, bits, NONE).sum(axis=1, dtype=np.uint64) for k in range(3)]
    return lay_out(JointStates(), width_words(widths), count, *words), widths, kind


@pytest.mark.parametrize("kept", [1 << 12, 6])
def test_an_index_runs_through_every_joint_component(
    kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frontier, "_COMPONENTS", kept)
    rng = np.random.default_rng(kept)
    for _ in range(10):
        n_cases, count = 30, 7
        layout, widths, kind = random_layout(rng, n_cases, count)
        stride = rng.integers(0, 1000, size=(n_cases, count))
        table = rng.integers(0, 50, size=(n_cases, count))
        others = layout.others
        index = index_of(JointStates(), layout, stride, table[others.owner, others.at])
        assert sorted(layout.rows) == list(range(n_cases))
        for at, row in enumerate(layout.rows):
            rest, ends = np.flatnonzero(kind[row] == 2), np.flatnonzero(kind[row] == 1)
            assert layout.touched.of(at, at + 1).tolist() == [
                np.flatnonzero(kind[row] == 0).tolist()
            ]
            both = [*rest, *ends]
            places = [
                sum(d * stride[row, p] for d, p in zip(digits, both, strict=True))
                for digits in itertools.product(*(range(widths[row, p]) for p in both))
            ]
            entries = [
                sum(d * table[row, p] for d, p in zip(digits, rest, strict=True))
                for digits in itertools.product(*(range(widths[row, p]) for p in rest))
            ]
            read, own = layout.read_stops, layout.stops
            assert index.places[read[at] : read[at + 1]].tolist() == places
            assert index.entries[own[at] : own[at + 1]].tolist() == entries
            steps = index.steps[others.stops[at] : others.stops[at + 1]]
            sizes = widths[row, rest].tolist()
            assert steps.tolist() == [math.prod(sizes[i + 1 :]) for i in range(len(sizes))]


def test_cases_of_a_chunk_have_axes_of_the_same_sizes() -> None:
    layout, widths, kind = random_layout(np.random.default_rng(5), 200, 5)
    seen = set()
    for chunk in layout.chunks:
        sizes = (chunk.touched, chunk.ending, chunk.others)
        assert sizes not in seen
        seen.add(sizes)
        for row in layout.rows[chunk.first : chunk.last]:
            assert sizes == tuple(tuple(widths[row, kind[row] == k].tolist()) for k in range(3))
    assert layout.chunks[-1].last == 200


def test_many_sizes_of_axes_do_not_overflow_the_key() -> None:
    """Sixty-three widths of up to nine axes each: more combinations than a word counts."""
    columns = np.random.default_rng(0).integers(0, 9, size=(63, 50))
    columns[:, 25:] = columns[:, :25]
    key = frontier._joined(columns)
    assert len(np.unique(key)) == 25
    assert (key[:25] == key[25:]).all()
