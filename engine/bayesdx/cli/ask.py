"""`bayesdx ask`: an interview that asks the best question next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

import bayesdx
from bayesdx.cli.arguments import read_findings
from bayesdx.cli.brief import show_brief
from bayesdx.cli.interview import Interview, Plan, repeat_line
from bayesdx.cli.options import AsJson, CodeMap, Findings, Priors, Setting
from bayesdx.cli.progress import patience
from bayesdx.presentation.as_json import result_json
from bayesdx.presentation.layout import BLANK
from bayesdx.presentation.terminal import show

if TYPE_CHECKING:
    from bayesdx.knowledge.knowledge import Knowledge

ByWhom = Annotated[
    list[str] | None,
    typer.Option(
        metavar="WHO",
        help="Who can answer: patient, examiner, laboratory, imaging, or an asker of "
        "questions.toml such as clinician (patient and examiner), which is the default where "
        "the knowledge has it. May be repeated.",
        show_default=False,
    ),
]
Cause = Annotated[
    str | None, typer.Option(metavar="ID", help="Ask about this one cause.", show_default=False)
]
Limit = Annotated[
    int | None, typer.Option(min=1, help="Put at most so many questions.", show_default=False)
]
KeepAsking = Annotated[
    bool,
    typer.Option("--keep-asking", help="Go on when no answer can change the urgency any more."),
]


def ask(
    findings: Findings = None,
    cause: Cause = None,
    by: ByWhom = None,
    limit: Limit = None,
    keep_asking: KeepAsking = False,
    as_json: AsJson = False,
    priors: Priors = None,
    setting: Setting = None,
    codes: CodeMap = None,
) -> None:
    """Ask question after question, the best one next.

    Red-flag questions come first, then what tells most about the causes for its cost. Says after
    each answer what changed, ends when no answer that is left changes the urgency, and prints the
    diagnosis.
    """
    given = read_findings(findings or ())
    with patience("reading the knowledge"):
        engine = bayesdx.load(priors, setting=setting, codes=codes)
        who = tuple(by or _default_askers(engine.knowledge))
        # A typo in what was given, the cause or the observers is told before anything is asked.
        engine.next_questions(given, cause=cause, observed_by=who or None, limit=1)
    interview = Interview(engine, Plan(cause, who, limit, keep_asking), given)
    interview.lead()
    if as_json:
        diagnosis = engine.diagnose(interview.answers)
        print(result_json(diagnosis, engine.knowledge.model.intended_use))
        return
    show([BLANK])
    show_brief(engine, interview.answers)
    if interview.answers:
        # No paragraph: a command is copied as it stands.
        print(f"Again: {repeat_line(interview.answers, str(priors) if priors else None)}")


def _default_askers(knowledge: Knowledge) -> list[str]:
    return [asker.id for asker in knowledge.askers if asker.id == "clinician"]
