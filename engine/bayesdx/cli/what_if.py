"""`bayesdx what-if`: the same case otherwise, and what it would take to change the answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

import bayesdx
from bayesdx.cli.arguments import read_findings
from bayesdx.cli.options import AsJson, Findings, Priors, Setting, Top, given_findings
from bayesdx.cli.progress import patience
from bayesdx.errors import Fault, InvalidKnowledge, Phrase
from bayesdx.knowledge.profiles import read_profile
from bayesdx.presentation.as_json import result_json, tipping_json
from bayesdx.presentation.change_view import tipping_blocks, what_if_blocks
from bayesdx.presentation.layout import ending
from bayesdx.presentation.terminal import show

Changes = Annotated[
    list[str] | None,
    typer.Option(
        "-c",
        "--change",
        metavar="FINDING",
        help="What would be otherwise: id=value, id alone for present, !id for absent, "
        "id=unknown to take it away; once for every finding.",
        show_default=False,
    ),
]
OwnPriors = Annotated[
    list[str] | None,
    typer.Option(
        "--prior",
        metavar="CAUSE=P",
        help="Another prior of a cause, such as gtps=0.25; once for every cause.",
        show_default=False,
    ),
]
OtherProfile = Annotated[
    Path | None,
    typer.Option(
        "--profile",
        metavar="FILE",
        help="Priors of a setting: a TOML file with a label, a denominator, a source and a table "
        "of priors.",
        show_default=False,
    ),
]
Watched = Annotated[
    str | None,
    typer.Option(
        metavar="CAUSE",
        help="Whose posterior to look at; by default the first cause.",
        show_default=False,
    ),
]


def what_if(
    findings: Findings = None,
    change: Changes = None,
    prior: OwnPriors = None,
    profile: OtherProfile = None,
    cause: Watched = None,
    largest: Annotated[
        int, typer.Option(min=1, max=4, help="Most findings to change at once.")
    ] = 3,
    top: Top = 10,
    as_json: AsJson = False,
    priors: Priors = None,
    setting: Setting = None,
) -> None:
    """Answer a case as it would be, or find what would change its answer.

    With a change, a prior or a profile: the case before and after. Without: the stated numbers
    that move a posterior most, and the smallest changes of a number, and of what was found, that
    change the first cause or the urgency.
    """
    given, changed = given_findings(findings), read_findings(change or ())
    others = _read_priors(prior or ())
    other = read_profile(profile) if profile is not None else None
    with patience("trying changes"):
        engine = bayesdx.load(priors, setting=setting)
        intended_use = engine.knowledge.model.intended_use
        if changed or others or other is not None:
            found = engine.what_if(given, changed, priors=others, profile=other)
            text, blocks = result_json(found, intended_use), what_if_blocks(found, top, other)
        else:
            tornado = engine.tornado(given, cause)
            points = engine.turning_points(given, largest=largest)
            labels = {name: one.label for name, one in engine.knowledge.causes.items()}
            text = tipping_json(tornado, points, intended_use)
            blocks = tipping_blocks(tornado, points, labels, top)
    if as_json:
        print(text)
    else:
        show([*blocks, *ending(intended_use)])


def _read_priors(words: Sequence[str]) -> dict[str, float]:
    """Take ``cause=0.02`` apart."""
    priors: dict[str, float] = {}
    faults: list[Fault] = []
    for word in words:
        name, _, text = word.partition("=")
        try:
            value = float(text)
        except ValueError:
            value = 0.0
        if not name.strip() or not 0.0 < value < 1.0:
            expected = "cause=p with p strictly between 0 and 1"
            faults.append(Fault("option --prior", expected, Phrase(repr(word))))
        elif priors.setdefault(name.strip(), value) != value:
            faults.append(Fault("option --prior", f"one prior of {name.strip()}", Phrase("two")))
    if faults:
        raise InvalidKnowledge(faults)
    return priors
