"""Calibration moves numbers no further than it must, and says what cannot hold together."""

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize
from small_priors import SMALL, write_priors

from bayesdx.building.assembly import assemble
from bayesdx.building.sensitivity import movable_numbers
from bayesdx.diagnosis.calibration import NEGLIGIBLE, calibrate
from bayesdx.diagnosis.constraint_checks import check_statements, missed_remarks
from bayesdx.errors import InvalidKnowledge
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.overrides import calibrated, calibration_text, stale, with_numbers
from bayesdx.knowledge.reading import read_knowledge

STRAIN = 'event = "strain"\ngiven = { cramp = "present" }'


def constraint(name: str, text: str, hard: bool = True) -> str:
    head = f'[[constraint]]\nid = "{name}"\nstatements = ["S0-05"]\nhard = {str(hard).lower()}\n'
    return f"{head}{text}\n"


def read(folder: Path, *constraints: str) -> Knowledge:
    files = {**SMALL, "constraints.toml": "".join(constraints)} if constraints else dict(SMALL)
    return read_knowledge(write_priors(folder, files))


def answers(knowledge: Knowledge) -> dict[str, float]:
    checks = check_statements(knowledge, assemble(knowledge))
    return {check.constraint.id: check.answers[0][1] for check in checks}


def test_nothing_moves_where_everything_holds(tmp_path: Path) -> None:
    knowledge = read(tmp_path, constraint("wide", f"{STRAIN}\nbetween = [0.01, 0.9]"))
    found = calibrate(knowledge)
    assert (found.move, found.given_up) == ((), ())


@pytest.mark.parametrize("bounds", [(0.3, 0.32), (0.1, 0.15)])
def test_hard_bounds_hold_with_the_written_values(
    tmp_path: Path, bounds: tuple[float, float]
) -> None:
    low, high = bounds
    knowledge = read(tmp_path, constraint("share", f"{STRAIN}\nbetween = [{low}, {high}]"))
    assert not low <= answers(knowledge)["share"] <= high
    found = calibrate(knowledge)
    written = write_priors(
        tmp_path / "again",
        {
            **SMALL,
            "constraints.toml": constraint("share", f"{STRAIN}\nbetween = [{low}, {high}]"),
            "calibration.toml": calibration_text(found),
        },
    )
    in_use = calibrated(read_knowledge(written))
    assert low <= answers(in_use)["share"] <= high
    assert missed_remarks(in_use, assemble(in_use)) == ()
    assert all(move.constraint == "share" for move in found.move)


def test_the_move_is_the_shortest(tmp_path: Path) -> None:
    knowledge = read(tmp_path, constraint("share", f"{STRAIN}\nbetween = [0.3, 1.0]"))
    found = calibrate(knowledge)
    numbers = {one.place: one for one in movable_numbers(knowledge)}
    moved = [move.number for move in found.move]
    sizes = knowledge.model.equivalent_sample_size
    from scipy.special import polygamma

    from bayesdx.knowledge.distributions import fit_beta

    def scale(place: str) -> float:
        stated = numbers[place].stated
        low, high = stated.range or (None, None)
        fit = fit_beta(numbers[place].value, low, high, sizes[stated.basis])
        return float(np.sqrt(polygamma(1, fit.a) + polygamma(1, fit.b)))

    def logit(p: float) -> float:
        return float(np.log(p / (1.0 - p)))

    scales = np.array([scale(place) for place in moved])
    centre = np.array([logit(numbers[place].value) for place in moved])

    def share(z: np.ndarray) -> float:
        values = 1.0 / (1.0 + np.exp(-(centre + z * scales)))
        moved_to = with_numbers(knowledge, dict(zip(moved, map(float, values), strict=True)))
        return answers(moved_to)["share"]

    right = minimize(
        lambda z: z @ z,
        np.zeros(len(moved)),
        constraints={"type": "ineq", "fun": lambda z: share(z) - 0.3},
        method="SLSQP",
    )
    ours = (np.array([logit(move.calibrated) for move in found.move]) - centre) / scales
    assert right.success
    # Negligible moves were left out, and a point rests when it moves by less than 0.01.
    np.testing.assert_allclose(ours, right.x, atol=2.0 * NEGLIGIBLE)


def test_an_ordering_is_reached(tmp_path: Path) -> None:
    text = (
        'event = "statin_myopathy"\ngiven = { ck_high = "present", statin_use = "present" }\n'
        'at_least_as_likely_as = ["strain"]'
    )
    knowledge = read(tmp_path, constraint("first", text))
    (before,) = check_statements(knowledge, assemble(knowledge))
    found = calibrate(knowledge)
    after = calibrated(knowledge.model_copy(update={"calibration": found}))
    (check,) = check_statements(after, assemble(after))
    assert before.shortfall > 0.0 or not found.move
    assert check.held
    assert check.answers[0][1] >= check.answers[1][1]


def test_moves_stay_inside_the_elicited_ranges(tmp_path: Path) -> None:
    knowledge = read(tmp_path, constraint("share", f"{STRAIN}\nbetween = [0.35, 1.0]"))
    numbers = {one.place: one for one in movable_numbers(knowledge)}
    for move in calibrate(knowledge).move:
        low, high = numbers[move.number].stated.range or (0.0, 1.0)
        assert low - 1e-6 <= move.calibrated <= high + 1e-6


def test_hard_constraints_that_contradict_are_named(tmp_path: Path) -> None:
    knowledge = read(
        tmp_path,
        constraint("low", f"{STRAIN}\nbetween = [0.0, 0.2]"),
        constraint("high", f"{STRAIN}\nbetween = [0.25, 1.0]"),
        constraint("beside", 'event = "strain"\nbetween = [0.05, 0.5]'),
    )
    with pytest.raises(
        InvalidKnowledge, match=r"hold together \(S0-05\), got (low, high|high, low)"
    ):
        calibrate(knowledge)


def test_a_soft_constraint_is_given_up_with_its_smallest_conflict(tmp_path: Path) -> None:
    knowledge = read(
        tmp_path,
        constraint("beside", 'event = "strain"\nbetween = [0.05, 0.5]'),
        constraint("low", f"{STRAIN}\nbetween = [0.0, 0.2]"),
        constraint("high", f"{STRAIN}\nbetween = [0.25, 1.0]", hard=False),
    )
    found = calibrate(knowledge)
    (given_up,) = found.given_up
    assert given_up.constraint == "high"
    assert set(given_up.conflict) == {"low", "high"}
    after = calibrated(knowledge.model_copy(update={"calibration": found}))
    assert answers(after)["low"] <= 0.2
    (remark,) = missed_remarks(after, assemble(after))
    assert remark[:2] == ("info", "constraints.toml:high")
    assert remark[2].startswith("given up: ")


def test_a_range_alone_can_stand_in_the_way(tmp_path: Path) -> None:
    knowledge = read(
        tmp_path, constraint("share", 'event = "strain"\nbetween = [0.5, 1.0]', hard=False)
    )
    (given_up,) = calibrate(knowledge).given_up
    assert given_up.conflict == ("share",)
    assert given_up.limits == ("causes/strain.toml:prior",)


def test_a_structural_zero_cannot_be_calibrated_away(tmp_path: Path) -> None:
    text = 'event = "statin_myopathy"\ngiven = { statin_use = "absent" }\nbetween = [0.1, 1.0]'
    with pytest.raises(InvalidKnowledge, match="hold together"):
        calibrate(read(tmp_path, constraint("never", text)))


def test_packaged_calibration_holds(real_knowledge: Knowledge) -> None:
    """Where it was made for other numbers, what it misses is a warning: to run it is the cure."""
    in_use = calibrated(real_knowledge)
    missed = missed_remarks(in_use, assemble(in_use), stale(real_knowledge))
    assert [one for one in missed if one[0] == "error"] == []


@pytest.mark.slow
def test_packaged_calibration_is_what_calibrate_gives(real_knowledge: Knowledge) -> None:
    elicited = real_knowledge.model_copy(update={"calibration": None})
    found = calibrate(elicited)
    assert real_knowledge.calibration is not None
    if stale(real_knowledge):
        pytest.skip("it was computed from other numbers, and stays valid while constraints hold")
    assert found.computed_from == real_knowledge.calibration.computed_from
    ours = {move.number: move.calibrated for move in found.move}
    moves = real_knowledge.calibration.move
    committed = {one.number: one.calibrated for one in moves if one.calibrated != one.elicited}
    assert ours == pytest.approx(committed, rel=1e-4)
