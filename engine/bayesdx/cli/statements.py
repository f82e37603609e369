"""What the model answers to a statement, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from bayesdx.building.assembly import assemble
from bayesdx.diagnosis.constraint_checks import Check, check_statements
from bayesdx.diagnosis.statement_effects import stated_effects
from bayesdx.frozen import FrozenDict
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.statement_schema import Constraint

MOST_MOVES = 10


def answer_lines(knowledge: Knowledge, statement: str) -> Iterator[str]:
    """Say what the model answers where a statement constrains it.

    Parameters
    ----------
    knowledge : Knowledge
        With calibrated values.
    statement : str
        Id of a statement.

    Yields
    ------
    str
        Lines; none where neither a direction nor a constraint rests on the statement.
    """
    own = tuple(one for one in knowledge.constraints if statement in one.statements)
    told = {name: one for name, one in knowledge.statements.items() if name == statement}
    asked = knowledge.model_copy(update={"constraints": own, "statements": FrozenDict(told)})
    assembly = assemble(knowledge)
    for effect in stated_effects(asked, assembly):
        yield ""
        yield f"answer {'follows' if effect.held else 'does not follow'}: {effect}"
    for check in check_statements(asked, assembly):
        yield from _check_lines(check)
        yield from _calibration_lines(knowledge, check.constraint)


def _check_lines(check: Check) -> Iterator[str]:
    one = check.constraint
    kind = "must hold" if one.hard else "wanted, given up where it cannot hold"
    yield ""
    yield f"constraint {one.id} ({kind}): {'held' if check.held else 'NOT HELD'}"
    for position, (quantity, probability) in enumerate(check.answers):
        bounds = ""
        if one.between is not None and position == 0:
            bounds = f", stated {one.between[0]:g} to {one.between[1]:g}"
        than = "at least as probable as " if position else ""
        yield f"    {than}{quantity} = {probability:.4g}{bounds}"
    if one.note:
        yield f"    note: {' '.join(one.note.split())}"


def _calibration_lines(knowledge: Knowledge, one: Constraint) -> Iterator[str]:
    calibration = knowledge.calibration
    if calibration is None:
        return
    moves = [move for move in calibration.move if move.constraint == one.id]
    yield f"    numbers moved mainly for it: {len(moves)}"
    for move in moves[:MOST_MOVES]:
        yield f"        {move.number}: {move.elicited:g} -> {move.calibrated:g}"
    if len(moves) > MOST_MOVES:
        yield f"        and {len(moves) - MOST_MOVES} more, in calibration.toml"
    for conflict in calibration.given_up:
        if conflict.constraint == one.id:
            yield f"    given up: cannot hold beside {', '.join(conflict.conflict[1:])}"
            yield f"    statements that contradict each other: {', '.join(conflict.statements)}"
