"""`bayesdx calibrate`: move numbers until the statements hold."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bayesdx.building.assembly import assemble
from bayesdx.cli.options import Folder, Priors, one_folder
from bayesdx.cli.progress import patience
from bayesdx.diagnosis.calibration import calibrate as solve
from bayesdx.diagnosis.constraint_checks import Check, check_statements
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.overrides import calibrated, calibration_text
from bayesdx.knowledge.reading import read_knowledge
from bayesdx.presentation.terminal import show_lines
from bayesdx.presentation.words import counted
from bayesdx.tables import check_place, refuse_overwriting, write_whole

MOST_MOVES = 20


def calibrate(
    folder: Folder = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out", help="Where to write; by default calibration.toml in the folder."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Do not tell of each round.")] = False,
    priors: Priors = None,
) -> None:
    """Move elicited numbers as little as possible until the constraints hold.

    Takes some minutes. Review the result like any change of a number.
    """
    with patience("reading the knowledge"):
        knowledge = read_knowledge(one_folder(folder, priors))
    if not knowledge.constraints:
        show_lines("no constraints: nothing to calibrate")
        return
    target = knowledge.folder / "calibration.toml" if out is None else out
    if not dry_run:
        # What is written by default is the one file that it does not begin from.
        read = [one for one in knowledge.folder.rglob("*.toml") if one.name != "calibration.toml"]
        refuse_overwriting(target, read)
        check_place(target)
    elicited = knowledge.model_copy(update={"calibration": None})

    with patience("moving numbers") as tell_round:
        calibration = solve(elicited, (lambda _: None) if quiet else tell_round)
        after = elicited.model_copy(update={"calibration": calibration})
        checks = _checks(elicited), _checks(calibrated(after))
    print_checks(*checks)
    show_lines(f"\n{counted(len(calibration.move), 'number')} moved, the largest move first:")
    for move in calibration.move[:MOST_MOVES]:
        show_lines(f"  {move.number}: {move.elicited:g} -> {move.calibrated:g} ({move.constraint})")
    if len(calibration.move) > MOST_MOVES:
        show_lines(f"  and {len(calibration.move) - MOST_MOVES} more")
    for one in calibration.given_up:
        show_lines(f"given up: {one.constraint}; cannot hold beside {', '.join(one.conflict[1:])}")
        show_lines(f"  statements that contradict each other: {', '.join(one.statements)}")
    if not dry_run:
        write_whole(target, calibration_text(calibration).encode())
        show_lines(f"wrote {target}")


def _checks(knowledge: Knowledge) -> tuple[Check, ...]:
    return check_statements(knowledge, assemble(knowledge))


def print_checks(before: tuple[Check, ...], after: tuple[Check, ...]) -> None:
    """Print every constraint with its answer before and after."""
    for old, new in zip(before, after, strict=True):
        kind = "hard" if new.constraint.hard else "soft"
        (quantity, first), (_, second) = old.answers[0], new.answers[0]
        state = "held" if new.held else "NOT HELD"
        show_lines(f"{state:8} {kind} {new.constraint.id}: {quantity} {first:.4g} -> {second:.4g}")
