"""`bayesdx ask`: an interview that asks the best question next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

import bayesdx
from bayesdx.cli.arguments import read_findings, repeat_line
from bayesdx.cli.brief import show_brief
from bayesdx.cli.interview import Interview, Plan
from bayesdx.cli.interview_course import opening_of
from bayesdx.cli.options import AsJson, CodeMap, Findings, Priors, Setting
from bayesdx.cli.progress import patience
from bayesdx.presentation.as_json import result_json
from bayesdx.presentation.layout import BLANK
from bayesdx.presentation.terminal import show

if TYPE_CHECKING:
    pass

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
    typer.Option("--keep-asking", help="Go on beyond 30 questions, while anything is left."),
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

    Age, sex and the main complaint come first. Red-flag questions come first after that, then what
    tells most about the causes for its cost; at most 30 in all. Says after each answer what
    changed, asks before an emergency ends it, and prints the short answer.
    """
    given = read_findings(findings or ())
    with patience("reading the knowledge"):
        engine = bayesdx.load(priors, setting=setting, codes=codes)
        who = tuple(by or [one.id for one in engine.knowledge.askers if one.id == "clinician"])
        opening = () if cause else opening_of(engine, engine.diagnose(given).understood)
        interview = Interview(engine, Plan(cause, who, limit, keep_asking, opening), given)
        # A typo in what was given, the cause or the observers is told before anything is asked.
        interview.ranked()
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
