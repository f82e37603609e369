"""What one case may tell together when findings settle each other."""

from pathlib import Path

import numpy as np
import pytest
from small_priors import SMALL, write_priors

from bayesdx.diagnosis.core import Core, build_core
from bayesdx.diagnosis.synthetic import BLOCK, CaseSampler, SampleOptions
from bayesdx.diagnosis.tied_findings import Relations
from bayesdx.knowledge.reading import read_knowledge

EXTRA = [f"x{i}" for i in range(6)]


def finding(name: str, implies: list[str], any_of: list[str], excludes: list[str]) -> str:
    return f"""
[{name}]
label = "{name}"
question = "{name}?"
kind = "binary"
observed_by = "patient"
category = "quality"
implies = {implies}
any_of = {any_of}
excludes = {excludes}
[{name}.background]
value = 0.3
basis = "JUDGEMENT"
source = "clin"
denominator = "R, cause absent"
"""


Ties = dict[str, list[str]]


def tied_core(folder: Path, implies: Ties, any_of: Ties, excludes: Ties | None = None) -> Core:
    ties = implies, any_of, excludes or {}
    extra = "".join(finding(name, *(one.get(name, []) for one in ties)) for name in EXTRA)
    files = dict(SMALL) | {"findings.toml": SMALL["findings.toml"] + extra}
    return build_core(read_knowledge(write_priors(folder, files)), "numpy")


def random_ties(seed: int) -> tuple[Ties, Ties, Ties]:
    """What six findings imply, combine and exclude among each other, thresholds and a risk."""
    rng = np.random.default_rng(seed)
    implies: dict[str, list[str]] = {}
    any_of: dict[str, list[str]] = {}
    others = [*EXTRA, "severe_pain", "radiation_any", "cramp"]
    for name in EXTRA:
        for other in others:
            if other != name and rng.random() < 0.02 * (seed % 8):
                implies.setdefault(name, []).append(other)
        if rng.random() < 0.3:
            parts = [one for one in [*EXTRA, "cramp"] if one != name]
            any_of[name] = [str(one) for one in rng.choice(parts, size=2, replace=False)]
    excludes: Ties = {}
    free = [name for name in EXTRA if name not in any_of]
    for name in free:
        # Nothing excludes what it implies, or what implies the same as it.
        apart = [one for one in free if reached(implies, name).isdisjoint(reached(implies, one))]
        apart += ["age:60_or_over", "!cramp", "radiation_foot"]
        if not implies.get(name) and rng.random() < 0.4:
            excludes[name] = [str(rng.choice(apart))]
    return implies, any_of, excludes


def reached(implies: Ties, name: str) -> set[str]:
    """A finding with all that it implies."""
    found, waiting = {name}, [name]
    while waiting:
        new = set(implies.get(waiting.pop(), ())) - found
        found |= new
        waiting += new
    return found


def told_cells(core: Core, options: SampleOptions) -> tuple[CaseSampler, dict[str, list]]:
    """Cells as a person would write them, by column."""
    sampler = CaseSampler(core, options)
    cells: dict[str, list] = {}
    for column, told in zip(sampler.columns, sampler.block(0).cells, strict=True):
        values = told.values.tolist()
        if column.words is not None:
            values = [column.words[code] for code in values]
        cells[column.name] = [
            value if said else "" for value, said in zip(values, told.told, strict=True)
        ]
    return sampler, cells


@pytest.mark.parametrize("seed", range(25))
def test_whatever_findings_imply_no_sampled_case_contradicts_itself(
    tmp_path: Path, seed: int
) -> None:
    core = tied_core(tmp_path, *random_ties(seed))
    options = SampleOptions(seed, asked=(0.5, 1.0), flip=0.2, soft=0.3, thresholds=0.5)
    sampler, cells = told_cells(core, options)
    # Raises InvalidCase at the first contradiction.
    cases = core.reader.read(cells, BLOCK, range(BLOCK))
    combined = {name for name, one in core.knowledge.findings.items() if one.any_of}
    for f, name in enumerate(core.model.findings):
        told = said_of(sampler, cells, name)
        known = ~np.isnan(told)
        read = cases.evidence.findings[:, f]
        if name in combined:
            # Where a component is derived to be known, the combination is no evidence.
            known &= ~np.isnan(read)
        np.testing.assert_array_equal(read[known], told[known], err_msg=name)


def said_of(sampler: CaseSampler, cells: dict[str, list], name: str) -> np.ndarray:
    words = {"absent": 0.0, "present": 1.0, "": np.nan}
    if name == "ck_high":
        numbers = [np.nan if ck == "" else float(ck > 4) for ck in cells["ck"]]
        worded = [words.get(cell, -1.0) for cell in cells[name]]
        return np.where(np.isnan(numbers), worded, numbers)
    return np.array([words[cell] if cell in words else float(cell) for cell in cells[name]])


def settled(core: Core, values: dict[str, int], told: set[str]) -> set[str]:
    """Names that stay told of one case in which only these were asked."""
    model = core.model
    names = [*model.findings, *model.ordinals, *model.risks]
    arrays = [np.array([values.get(name, 0)], dtype=np.int8) for name in names]
    asked = [np.array([name in told]) for name in names]
    Relations(core.knowledge, model).settle(arrays, asked)
    return {name for name, one in zip(names, asked, strict=True) if one[0]}


def test_a_combination_is_told_only_where_no_component_is(tmp_path: Path) -> None:
    core = tied_core(tmp_path, {}, {"x0": ["x1", "x2"]})
    assert settled(core, {}, {"x0"}) == {"x0"}
    assert settled(core, {}, {"x0", "x1", "x5"}) == {"x1", "x5"}


def test_what_was_drawn_against_an_implication_is_not_told(tmp_path: Path) -> None:
    # Through an observation, which has no value of its own, and over two steps.
    core = tied_core(tmp_path, {"x0": ["severe_pain"], "x1": ["x2"], "x2": ["x3"]}, {})
    everything = {"x0", "x1", "x2", "x3"}
    assert settled(core, {"x1": 1, "x2": 1, "x3": 1}, everything) == everything
    assert settled(core, {"x1": 1, "x2": 1, "x3": 0}, everything) == {"x0"}
    assert settled(core, {"x1": 0, "x2": 0, "x3": 1}, everything) == everything


def test_an_implied_threshold_is_untold_with_its_ordinal(tmp_path: Path) -> None:
    core = tied_core(tmp_path, {"x0": ["radiation_foot"]}, {})
    assert settled(core, {"x0": 1, "radiation": 1}, {"x0", "radiation"}) == set()
    assert settled(core, {"x0": 1, "radiation": 2}, {"x0", "radiation"}) == {"x0", "radiation"}


def test_of_findings_tied_both_ways_one_is_told(tmp_path: Path) -> None:
    core = tied_core(tmp_path, {"x3": ["x1"]}, {"x0": ["x1", "x2"]})
    assert len(settled(core, {}, {"x0", "x1", "x2", "x3", "x4"})) == 2


def test_the_packaged_knowledge_has_one_combination_and_no_implied_evidence(real_knowledge) -> None:
    core = build_core(real_knowledge)
    relations = Relations(real_knowledge, core.model)
    assert relations.others("dur_gt_6mo") == {"dur_gt_2wk"}
    both = {"seated_pir_stretch_pos", "active_pir_pos"}
    assert relations.others("pir_combined_pos") == both
    assert settled(core, {}, {"pir_combined_pos", *both}) == both


def test_what_excludes_each_other_is_not_told_together(tmp_path: Path) -> None:
    core = tied_core(
        tmp_path,
        {"x1": ["x0"], "x3": ["x2"]},
        {},
        {"x0": ["x2", "radiation_foot"], "x4": ["age:60_or_over"]},
    )
    present = dict.fromkeys(EXTRA, 1) | {"radiation": 2, "age": 1}
    # x1 cannot be without x0, nor x3 without x2.
    pairs = [("x0", "x2"), ("x1", "x3"), ("x0", "x3"), ("x1", "radiation"), ("x4", "age")]
    for one, other in pairs:
        assert settled(core, present, {one, other}) == set(), (one, other)
    others = dict.fromkeys(EXTRA, 1) | {"x2": 0, "x3": 0, "radiation": 1, "age": 0}
    for one, other in pairs:
        assert settled(core, others, {one, other}) == {one, other}, (one, other)


def test_sampled_cases_of_the_packaged_knowledge_hold_together(real_knowledge) -> None:
    core = build_core(real_knowledge, "numpy")
    _, cells = told_cells(core, SampleOptions(1, asked=(0.8, 1.0), thresholds=0.5))
    both = zip(cells["sex"], cells["peripartum"], strict=True)
    assert ("male", "present") not in set(both)
    # Raises InvalidCase at the first contradiction.
    core.reader.read(cells, BLOCK, range(BLOCK))
