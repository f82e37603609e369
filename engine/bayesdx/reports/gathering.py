"""What a report says of one case: the short answer that `bayesdx diagnose` prints, and more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayesdx.errors import TooComplex

if TYPE_CHECKING:
    from bayesdx.diagnosis.asking.questions import NextQuestions
    from bayesdx.diagnosis.briefing import Brief
    from bayesdx.diagnosis.cases import Cases
    from bayesdx.diagnosis.causal import CausalTable
    from bayesdx.diagnosis.core import Core
    from bayesdx.diagnosis.explaining.explanation import Explanation
    from bayesdx.diagnosis.intervals import Intervals
    from bayesdx.diagnosis.predictive_check import Surprise

#: Draws behind the ranges, as in `bayesdx.diagnosis.briefing`; that is imported when it is asked.
DRAWS = 50
#: Share of the work that first pages are, where what is slower follows.
_FIRST_PAGES = 0.1
#: Questions that are printed with every answer.
QUESTIONS = 8


@dataclass(frozen=True)
class Thoroughness:
    """What a report may cost.

    Attributes
    ----------
    draws : int
        Draws of the numbers behind the ranges; 0 leaves ranges out.
    every : bool
        Gather what takes seconds to minutes a case, too: `Further`.
    references : int
        Cases of the model that a case is compared with, for `Further`.
    explained : int
        How many of the first causes are explained, for `Further`.
    seed : int
    """

    draws: int = DRAWS
    every: bool = False
    references: int = 999
    explained: int = 3
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Further:
    """What the slower questions answer.

    Attributes
    ----------
    intervals : Intervals or None
    explanation : Explanation
    questions : NextQuestions
    surprise : Surprise
    causal : CausalTable
    explained : tuple of str
        Ids of the causes that are explained, the most probable first.
    """

    intervals: Intervals | None
    explanation: Explanation
    questions: NextQuestions
    surprise: Surprise
    causal: CausalTable
    explained: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class CaseReport:
    """All that is told of one case.

    Attributes
    ----------
    name : str
        The case's own id, or its number.
    kept : mapping of str to str
        What else a table says of it, by column, to be shown beside the name.
    brief : Brief
        The short answer: what stands on the first page.
    priors : mapping of str to str
        Statements behind the prior of each cause, joined by ``;``.
    further : Further or None
        None unless it was asked for, and where it is too complex though the answer is not.
    """

    name: str
    kept: Mapping[str, str]
    brief: Brief
    priors: Mapping[str, str]
    further: Further | None


#: A case to be told of: its name, what is shown beside it, what is known, what it was read from.
Named = tuple[str, Mapping[str, str], "Cases", Mapping[str, object]]


def gather(
    core: Core,
    named: Sequence[Named],
    effort: Thoroughness,
    told: Callable[[float], None] | None = None,
) -> list[CaseReport]:
    """Answer cases that were read.

    Parameters
    ----------
    core : Core
    named : sequence of (name, kept, case, cells)
        As in `CaseReport`; the case, and the cells that it was read from.
    effort : Thoroughness
    told : callable, optional
        Told the share that is done.
    """
    from bayesdx.diagnosis.briefing import briefs_of
    from bayesdx.diagnosis.frames import causes_frame

    names, kept, cases, cells = zip(*named, strict=True) if named else ((), (), (), ())
    first = _FIRST_PAGES if effort.every else 1.0

    def done(share: float) -> None:
        if told is not None:
            told(share)

    briefs = briefs_of(
        core, cases, cells, draws=effort.draws, seed=effort.seed, told=lambda x: done(first * x)
    )
    statements = core.once(causes_frame)["statements"]
    priors = dict(zip(statements.index, statements, strict=True))
    reports = []
    for name, beside, case, brief in zip(names, kept, cases, briefs, strict=True):
        further = _further(core, case, brief, effort) if effort.every else None
        reports.append(CaseReport(name, beside, brief, priors, further))
        done(first + (1.0 - first) * len(reports) / len(named))
    return reports


def _further(core: Core, case: Cases, brief: Brief, effort: Thoroughness) -> Further | None:
    """Return what is behind an answer, None where that is too complex though the answer is not."""
    from bayesdx.diagnosis.asking.questions import next_questions
    from bayesdx.diagnosis.causal import rank_causes
    from bayesdx.diagnosis.explaining.explanation import explain
    from bayesdx.diagnosis.intervals import intervals
    from bayesdx.diagnosis.predictive_check import surprise

    first = brief.diagnosis.table.index[:-1][: effort.explained]
    draws, seed = effort.draws, effort.seed
    try:
        return Further(
            intervals=intervals(core, case, level=brief.level, draws=draws, seed=seed)
            if draws
            else None,
            explanation=explain(core, case),
            questions=next_questions(core, case, limit=QUESTIONS),
            surprise=surprise(core, case, draws=effort.references, seed=seed),
            causal=rank_causes(core, case),
            explained=tuple(map(str, first)),
        )
    except TooComplex:
        return None
