"""What a report says of one case: every answer of the engine, gathered once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bayesdx.diagnosis.asking.questions import NextQuestions
    from bayesdx.diagnosis.cases import Cases
    from bayesdx.diagnosis.causal import CausalTable
    from bayesdx.diagnosis.core import Core
    from bayesdx.diagnosis.diagnosing import Diagnosis
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
    kept : mapping of str to str
        What else a table says of it, by column, to be shown beside the name.
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
    kept: Mapping[str, str]
    diagnosis: Diagnosis
    intervals: Intervals | None
    explanation: Explanation
    questions: NextQuestions
    surprise: Surprise
    causal: CausalTable
    explained: tuple[str, ...]
    priors: Mapping[str, str]


def gather(
    core: Core, name: str, kept: Mapping[str, str], case: Cases, effort: Thoroughness
) -> CaseReport:
    """Ask everything about one case that was read; the parameters are as in `CaseReport`."""
    from bayesdx.diagnosis.asking.questions import next_questions
    from bayesdx.diagnosis.causal import rank_causes
    from bayesdx.diagnosis.diagnosing import diagnose
    from bayesdx.diagnosis.explaining.explanation import explain
    from bayesdx.diagnosis.frames import causes_frame
    from bayesdx.diagnosis.intervals import intervals
    from bayesdx.diagnosis.predictive_check import surprise

    diagnosis = diagnose(core, case)
    first = diagnosis.table.index[:-1][: effort.explained]
    level, draws, seed = effort.level, effort.draws, effort.seed
    statements = core.once(causes_frame)["statements"]
    return CaseReport(
        name=name,
        kept=kept,
        diagnosis=diagnosis,
        intervals=intervals(core, case, level=level, draws=draws, seed=seed) if draws else None,
        explanation=explain(core, case),
        questions=next_questions(core, case, limit=QUESTIONS),
        surprise=surprise(core, case, draws=effort.references, seed=seed),
        causal=rank_causes(core, case),
        explained=tuple(map(str, first)),
        priors=dict(zip(statements.index, statements, strict=True)),
    )
