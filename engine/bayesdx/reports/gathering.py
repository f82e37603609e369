"""What a report says of one case: every answer of the engine, gathered once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bayesdx import Diagnosis, Engine
    from bayesdx.diagnosis.asking.questions import NextQuestions
    from bayesdx.diagnosis.causal import CausalTable
    from bayesdx.diagnosis.explaining.explanation import Explanation
    from bayesdx.diagnosis.intervals import Intervals
    from bayesdx.diagnosis.predictive_check import Surprise

#: Questions that are printed.
QUESTIONS = 8


@dataclass(frozen=True)
class Thoroughness:
    """What the slower parts of a report may cost.

    Attributes
    ----------
    level : float
        Of the credible intervals.
    draws : int
        Draws of the numbers behind the intervals; 0 leaves intervals out.
    references : int
        Cases of the model that a case is compared with.
    explained : int
        How many of the first causes are explained.
    seed : int
    """

    level: float = 0.9
    draws: int = 2000
    references: int = 999
    explained: int = 3
    seed: int = 0


@dataclass(frozen=True, eq=False)
class CaseReport:
    """All that is told of one case.

    Attributes
    ----------
    name : str
        The case's own id, or its number.
    diagnosis : Diagnosis
    intervals : Intervals or None
    explanation : Explanation
    questions : NextQuestions
    surprise : Surprise
    causal : CausalTable
    explained : tuple of str
        Ids of the causes that are explained, the most probable first.
    priors : mapping of str to str
        Statements behind the prior of each cause, joined by ``;``.
    """

    name: str
    diagnosis: Diagnosis
    intervals: Intervals | None
    explanation: Explanation
    questions: NextQuestions
    surprise: Surprise
    causal: CausalTable
    explained: tuple[str, ...]
    priors: Mapping[str, str]


def gather(
    engine: Engine, name: str, findings: Mapping[str, object], effort: Thoroughness
) -> CaseReport:
    """Ask the engine everything about one case.

    Raises
    ------
    InvalidCase
        As `Engine.diagnose`.
    """
    diagnosis = engine.diagnose(findings)
    first = diagnosis.table.index[:-1][: effort.explained]
    level, draws, seed = effort.level, effort.draws, effort.seed
    return CaseReport(
        name=name,
        diagnosis=diagnosis,
        intervals=engine.intervals(findings, level=level, draws=draws, seed=seed)
        if draws
        else None,
        explanation=engine.explain(findings),
        questions=engine.next_questions(findings, limit=QUESTIONS),
        surprise=engine.surprise(findings, draws=effort.references, seed=seed),
        causal=engine.rank_causes(findings),
        explained=tuple(map(str, first)),
        priors=dict(zip(engine.causes.index, engine.causes["statements"], strict=True)),
    )
